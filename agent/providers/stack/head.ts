import type { CallOutcome } from '../../core/kind.ts';
import type { HeadKeeper } from '../../reconcile/lease-ports.ts';
import type { HeadFormat } from '../../reconcile/ports.ts';
import type { Swarm } from './swarm.ts';

/** The head of the Swarm as a config on its raft. */
export function swarmHead(swarm: Swarm, head: HeadFormat): HeadKeeper {
  const { name } = head;
  return {
    read: (signal) => swarm.configNamed(name, signal),
    make: async (signal): Promise<CallOutcome<unknown>> => {
      const identity = await swarm.identity(signal);
      if (identity.status !== 'ok') return identity;
      const data = head.make(identity.value.swarmId);
      return swarm.call({ op: 'config-create', name, labels: {}, data }, signal);
    },
    swap: ({ id, version }, labels, signal) =>
      swarm.call({ op: 'config-label', id, version, name, labels }, signal),
  };
}

import type { ShelfKeeper } from '../../reconcile/ports.ts';
import type { StackObserved } from './observed.ts';
import type { Swarm } from './swarm.ts';

/** What every config of the agent's own begins with. */
const OURS = 'understudy.';

/** The record's shelf on the Swarm's raft: blobs are configs, the labels of the head are compared and swapped. */
export function swarmShelf(swarm: Swarm, headName: string): ShelfKeeper<StackObserved> {
  return {
    look: ({ state }) => {
      const head = state.configs.find(({ name }) => name === headName);
      if (head === undefined) return undefined;
      const { id, version, labels } = head;
      const blobs = state.configs
        .filter(({ name }) => name.startsWith(OURS) && name !== headName)
        .map((one) => [one.name, { id: one.id, data: one.data }] as const);
      return { head: { id, version, labels }, blobs: new Map(blobs) };
    },
    put: (name, data, signal) =>
      swarm.call({ op: 'config-create', name, labels: {}, data }, signal),
    swap: ({ id, version }, labels, signal) =>
      swarm.call({ op: 'config-label', id, version, name: headName, labels }, signal),
    remove: ({ id, name }, signal) => swarm.call({ op: 'config-remove', id, name }, signal),
  };
}

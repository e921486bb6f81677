import { withPasswords } from './account-secrets.ts';
import { makePassword, type Unfinished } from './make-password.ts';
import type { Random } from './providers/mysql/hash.ts';
import type { Servers } from './providers/mysql/servers.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { StackCall } from './providers/stack/swarm.ts';
import type { Provider } from './reconcile/ports.ts';
import type { UnitCall, UnitObserved } from './unit-kind.ts';

/** The servers of the agent's settings. */
interface ServerPorts {
  readonly servers: Pick<Servers, 'observe' | 'call'>;
  /** All names in the settings. */
  readonly names: readonly string[];
  /** For passwords and their salts. */
  readonly random: Random;
}

/** The Swarm and the servers as one world: both are looked at at once, and each call goes where it belongs. */
export function unitProvider(
  stacks: Provider<StackObserved, StackCall>,
  { servers, names, random }: ServerPorts,
): Provider<UnitObserved, UnitCall> {
  const unfinished: Unfinished = new Map();
  return {
    observe: async (signal) => {
      const [seen, sights] = await Promise.all([
        stacks.observe(signal),
        servers.observe(names, signal),
      ]);
      // A server that is not reached is in its sight; without the Swarm nothing is decided at all.
      if (seen.status !== 'ok') return seen;
      return { status: 'ok', value: withPasswords(seen.value, sights) };
    },
    isSame: (before, now) =>
      stacks.isSame(before, now) && areSameSights(before.servers, now.servers),
    caller: (observed) => {
      const own = stacks.caller(observed);
      return {
        call: (call, signal) => {
          if (call.op === 'statements') return servers.call(call, signal);
          if (call.op !== 'password') return own.call(call, signal);
          const secrets = observed.secrets.values();
          return makePassword(call, { swarm: own, servers, secrets, random, unfinished }, signal);
        },
      };
    },
  };
}

/** One that is away may come back, and how long it was is told: that is looked at each time. */
function areSameSights(before: UnitObserved['servers'], now: UnitObserved['servers']): boolean {
  return (
    before.size === now.size &&
    now.entries().every(([name, sight]) => {
      const had = before.get(name);
      return had?.status === 'seen' && sight.status === 'seen' && had.seen === sight.seen;
    })
  );
}

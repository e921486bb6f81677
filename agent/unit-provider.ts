import { withPasswords } from './account-secrets.ts';
import { currentKeys } from './client-keys.ts';
import { makePassword, type Unfinished } from './make-password.ts';
import type { Clusters } from './providers/ceph/clusters.ts';
import type { CephObserved } from './providers/ceph/unit-diff.ts';
import type { Random } from './providers/mysql/hash.ts';
import type { Servers } from './providers/mysql/servers.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { StackCall } from './providers/stack/swarm.ts';
import type { Provider } from './reconcile/ports.ts';
import { SubvolumePaths } from './subvolume-paths.ts';
import type { UnitCall, UnitObserved } from './unit-kind.ts';

/** What units live on beside the Swarm: servers and clusters of the agent's settings. */
interface Beside {
  readonly servers: Pick<Servers, 'observe' | 'call'>;
  /** All names of servers in the settings. */
  readonly names: readonly string[];
  readonly clusters: Pick<Clusters, 'observe' | 'call'>;
  /** As whom the agent signs what it makes in clusters. */
  readonly owner: string;
  /** For passwords and their salts. */
  readonly random: Random;
}

/** The Swarm, the servers and the clusters as one world: all are looked at at once, and each call goes where it belongs. */
export function unitProvider(
  stacks: Provider<StackObserved, StackCall>,
  { servers, names, clusters, owner, random }: Beside,
): Provider<UnitObserved, UnitCall> {
  const unfinished: Unfinished = new Map();
  const paths = new SubvolumePaths();
  return {
    observe: async (signal, wanted) => {
      const ids = (wanted?.units ?? []).map(({ id }) => id);
      const [seen, sights, looked] = await Promise.all([
        stacks.observe(signal),
        servers.observe(names, signal),
        clusters.observe(ids, signal),
      ]);
      // A server that is not reached is in its sight; without the Swarm nothing is decided at all.
      if (seen.status !== 'ok') return seen;
      const dataMovement = wanted?.settings.dataMovement ?? 'healthy';
      const ceph = { clusters: looked, owner, dataMovement };
      return { status: 'ok', value: withClusters(withPasswords(seen.value, sights), ceph, paths) };
    },
    isSame: (before, now) =>
      stacks.isSame(before, now) &&
      areSameSights(before.servers, now.servers) &&
      areSameSights(sightsOf(before), sightsOf(now)),
    caller: (observed) => {
      const own = stacks.caller(observed);
      return {
        call: (call, signal) => {
          if (call.op === 'statements') return servers.call(call, signal);
          if (call.op === 'ceph') return clusters.call(call, signal);
          if (call.op !== 'password') return own.call(call, signal);
          const secrets = observed.secrets.values();
          return makePassword(call, { swarm: own, servers, secrets, random, unfinished }, signal);
        },
      };
    },
  };
}

/** What clusters say of the secrets and of the stacks of the Swarm. */
export function withClusters<Seen extends StackObserved>(
  seen: Seen,
  ceph: CephObserved,
  paths: SubvolumePaths,
): Seen & CephObserved {
  if (ceph.clusters.size === 0) return { ...seen, ...ceph };
  const keys = currentKeys(seen, ceph.clusters);
  const generated = keys.size === 0 ? seen.generated : new Map([...seen.generated, ...keys]);
  return { ...seen, ...ceph, generated, given: paths.of(ceph) };
}

type Sights = ReadonlyMap<string, { readonly status: string; readonly seen?: unknown }>;

/** One that is away may come back, and how long it was is told: that is looked at each time. */
function areSameSights(before: Sights, now: Sights): boolean {
  return (
    before.size === now.size &&
    now.entries().every(([name, sight]) => {
      const had = before.get(name);
      return had?.status === 'seen' && sight.status === 'seen' && had.seen === sight.seen;
    })
  );
}

function sightsOf({ clusters }: CephObserved): Sights {
  return new Map([...clusters].map(([name, { sight }]) => [name, sight]));
}

import type { CephClusterSettings } from '../../../schemas/settings.ts';
import type { CallOutcome, Id } from '../../core/kind.ts';
import type { Guard } from '../../reconcile/lease-ports.ts';
import type { NotOk } from './answers.ts';
import type { BridgePorts } from './bridge.ts';
import type { CephCall } from './call.ts';
import { OneCluster } from './one-cluster.ts';
import type { ObservedCluster } from './unit-diff.ts';
import { wantedOf } from './wanted.ts';

/** The clusters of the agent's settings. */
export interface Clusters {
  /**
   * Looks at all of them, at once, as far as these units of the repository need it; those that left it are known by what was seen the
   * last time. Writes nothing.
   * Takes `waitMs` at most: where a look takes longer it goes on, and the next call has what came of it. A look that shows
   * nothing new gives the very same `seen` as the one before. Rejects with the signal's reason and for nothing else.
   */
  observe(ids: readonly Id[], signal: AbortSignal): Promise<ReadonlyMap<string, ObservedCluster>>;
  /**
   * Carries commands out; gives the cluster. `out-of-sequence`: somebody else made what was to be made. `held-back`: this agent may not
   * write. `unknown`: one of them may be carried out still. Rejects with the signal's reason if that was aborted before.
   */
  call(call: CephCall, signal: AbortSignal): Promise<CallOutcome<{ readonly id: string }>>;
  /** What is remembered of single subvolumes is read anew. */
  forget(): void;
  /** Nothing is sent from then on. */
  close(): void;
}

export interface ClustersPorts extends BridgePorts {
  readonly guard: Guard;
  /** As whom the agent signs what it makes. */
  readonly owner: string;
  /** So long a look is waited for; absent: as a pass does, some two seconds. Who looks once waits longer. Milliseconds. */
  readonly waitMs?: number;
  /** Is told that a cluster was seen after all, by a look that `observe` had waited for in vain. */
  readonly seenLate?: () => void;
  /** So long after one thing that moves data nothing else does; absent: half a minute. Milliseconds. */
  readonly calmMs?: number;
}

/** By their names in the settings. Starts a process for each when there is something to look at. */
export function openClusters(
  settings: Readonly<Record<string, CephClusterSettings>>,
  ports: ClustersPorts,
): Clusters {
  const all: ReadonlyMap<string, OneCluster> = new Map(
    Object.entries(settings).map(([name, one]) => [name, new OneCluster(one, ports)]),
  );
  const [only, ...others] = all.keys();
  return {
    observe: async (ids, signal) => {
      signal.throwIfAborted();
      const sights = [...all].map(
        async ([name, one]): Promise<readonly [string, ObservedCluster]> => [
          name,
          await one.observe(wantedOf([...new Set([...ids, ...one.marked()])], name), signal),
        ],
      );
      return new Map(await Promise.all(sights));
    },
    call: async (call, signal) => {
      const { cluster } = call;
      signal.throwIfAborted();
      const name = cluster ?? (others.length === 0 ? only : undefined);
      if (name === undefined) return refused('it is not said in which cluster');
      const one = all.get(name);
      if (one === undefined) return refused(`the agent's settings name no cluster \`${name}\``);
      const failed = await one.carryOut(call, signal);
      return failed ?? { status: 'ok', value: { id: name } };
    },
    forget: () => {
      for (const one of all.values()) one.forget();
    },
    close: () => {
      for (const one of all.values()) one.close();
    },
  };
}

function refused(why: string): NotOk {
  return { status: 'refused', why, retry: 'never' };
}

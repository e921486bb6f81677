import type { Rendered } from '../../core/kind.ts';
import type { DataMovement } from '../../core/repository-settings.ts';
import { type ClientRules, diffClient } from './client-diff.ts';
import { diffFilesystem } from './filesystem-diff.ts';
import { diffGroup, diffSubvolume } from './folder-diff.ts';
import type { ClusterSight } from './observed.ts';
import { diffPool } from './pool-diff.ts';
import { diffRule } from './rule-diff.ts';
import type { CephSpec } from './spec.ts';
import { type Diff, hold, type One } from './unit-parts.ts';

/** One cluster, with what the agent's settings say of it. */
export interface ObservedCluster {
  readonly sight: ClusterSight;
  readonly clients: ClientRules;
}

/** Clusters by their names in the agent's settings. */
export interface CephObserved {
  readonly clusters: ReadonlyMap<string, ObservedCluster>;
  /** The environment, as it signs what it makes. */
  readonly owner: string;
  /** `policy.ceph.dataMovement` of the environment. */
  readonly dataMovement: DataMovement;
}

/** Pure. What separates a unit from what its document says. */
export function diffUnit(unit: Rendered<CephSpec>, observed: CephObserved): Diff {
  const { spec } = unit;
  const cluster = clusterOf(spec, observed);
  if ('why' in cluster) return hold(spec, [cluster]);
  const { sight, clients } = cluster;
  if (sight.status !== 'seen') {
    return hold(spec, [
      { why: sight.why, ...(sight.status === 'away' && { waits: true as const }) },
    ]);
  }
  const { owner, dataMovement } = observed;
  return diffSeen({ unit, seen: sight.seen, owner, dataMovement }, spec, clients);
}

function diffSeen(one: Omit<One<CephSpec>, 'spec'>, spec: CephSpec, clients: ClientRules): Diff {
  switch (spec.kind) {
    case 'CephPool':
      return diffPool({ ...one, spec });
    case 'CephCrushRule':
      return diffRule({ ...one, spec });
    case 'CephFilesystem':
      return diffFilesystem({ ...one, spec });
    case 'CephSubvolumeGroup':
      return diffGroup({ ...one, spec });
    case 'CephSubvolume':
      return diffSubvolume({ ...one, spec });
    case 'CephClient':
      return diffClient({ ...one, spec }, clients);
  }
}

/** Pure. The cluster of a unit. Without a name it is the only one that there is. */
export function clusterOf(
  { cluster }: Pick<CephSpec, 'cluster'>,
  { clusters }: Pick<CephObserved, 'clusters'>,
): ObservedCluster | { readonly why: string } {
  if (cluster !== undefined) {
    return clusters.get(cluster) ?? { why: `the agent's settings have no \`ceph.${cluster}\`` };
  }
  const [only, ...others] = clusters.values();
  if (only === undefined)
    return { why: "the agent's settings name no cluster: `ceph` is not in them" };
  return others.length === 0
    ? only
    : { why: 'the agent has several clusters: name one with `cluster`' };
}

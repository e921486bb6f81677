import { sizeWords } from '../../core/bytes.ts';
import type { ClusterSeen, ObservedPool } from './observed.ts';
import type { Placement } from './placement.ts';
import { wantedPgNum } from './pool-settings.ts';
import type { PoolSpec } from './spec.ts';
import type { Obstacle, One } from './unit-parts.ts';

/** Pure. At most so many bytes go to other disks; undefined: none do. */
export function movedBytes(
  spec: PoolSpec,
  live: ObservedPool,
  { placed, scales }: { readonly placed: Placement | undefined; readonly scales: boolean },
): number | undefined {
  const { usedBytes = 0, storedBytes = 0 } = live.usage ?? {};
  const copies = Math.max(0, (spec.replicated?.size ?? 0) - live.size);
  const groups = wantedPgNum(spec, live);
  const spreads = groups !== undefined && groups !== live.pgNum;
  // An empty pool scales without moving anything.
  const mayScale = scales && (live.usage === undefined || usedBytes > 0);
  const isMoved = placed !== undefined || spreads || mayScale;
  if (!isMoved && copies === 0) return undefined;
  const existing = isMoved ? usedBytes : 0;
  return existing + copies * storedBytes;
}

/** Pure. Why nothing moves now; empty: it may. */
export function movementObstacle(
  { spec, seen, dataMovement }: One<PoolSpec>,
  bytes: number,
): readonly Obstacle[] {
  const what = `at most ${sizeWords(bytes)} would move`;
  if (dataMovement === 'never')
    return [{ why: `${what}, and \`policy.ceph.dataMovement\` is \`never\`` }];
  if (dataMovement === 'always' || spec.allowDataMovement) return [];
  const why = unclean(seen);
  return why === undefined
    ? []
    : [{ why: `${what}, which waits until the cluster is healthy (${why})`, waits: true }];
}

/** Pure. Nobody may say that it goes on nevertheless: what is written then waits for copies that are nowhere. */
export function copiesObstacle(
  { seen }: One<PoolSpec>,
  { minSize }: ObservedPool,
): readonly Obstacle[] {
  const why = unclean(seen);
  if (why === undefined) return [];
  return [
    {
      why: `min_size ${String(minSize)} is raised when all copies are there, which waits until the cluster is healthy (${why})`,
      waits: true,
    },
  ];
}

const CLEAN = /^active\+clean(?:\+(?:scrubbing|deep|snaptrim|snaptrim_wait))*$/;

/** Why the cluster is not as it should be: health says nothing of data that move. */
function unclean({ health: { status, checks }, placement }: ClusterSeen): string | undefined {
  if (status === 'HEALTH_OK') {
    const states = [...placement.keys()].filter((state) => !CLEAN.test(state)).toSorted();
    return states.length === 0 ? undefined : `placement groups are ${states.join(', ')}`;
  }
  const codes = [...checks].flatMap(([code, { muted }]) => (muted ? [] : [code])).toSorted();
  return codes.length === 0 ? status : `${status}: ${codes.join(', ')}`;
}

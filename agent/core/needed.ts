import type { Edges } from './edges.ts';
import type { Id, Rendered } from './kind.ts';
import { isQuarantined, type UnitRecord } from './unit.ts';

/** A unit that may still need what one that it depends on is to lose. */
export interface Dependant {
  readonly id: Id;
  /** It comes to rest by itself. */
  readonly underWay: boolean;
}

/**
 * Pure. For each unit that others depend on, through others too, one of those that is not at rest as the repository wants
 * it: its tasks are of before, or its way back leads there. `order`: each after those that it depends on.
 */
export function neededBy<Spec>(
  order: readonly Rendered<Spec>[],
  edges: Edges,
  units: ReadonlyMap<Id, UnitRecord>,
): ReadonlyMap<Id, Dependant> {
  const needed = new Map<Id, Dependant>();
  for (const { id, digest } of order.toReversed()) {
    const record = units.get(id);
    const by = isSettled(record, digest) ? needed.get(id) : { id, underWay: isUnderWay(record) };
    if (by === undefined) continue;
    for (const on of edges.get(id) ?? []) if (!needed.has(on)) needed.set(on, by);
  }
  return needed;
}

/** By the record alone: what begins nothing in this step is settled after it too. */
function isSettled(record: UnitRecord | undefined, digest: string): boolean {
  if (record?.phase !== 'none' || isQuarantined(record, digest)) return false;
  return record.releases[0]?.digest === digest;
}

function isUnderWay(record: UnitRecord | undefined): boolean {
  return record?.attempt !== undefined && record.suspended === undefined;
}

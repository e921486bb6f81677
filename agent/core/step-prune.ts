import type { Member, Rendered } from './kind.ts';
import type { Look, Moved, Standing } from './look.ts';
import type { Dependant } from './needed.ts';
import { isQuarantined, pruning, type UnitRecord } from './unit.ts';

/**
 * Pure. What a unit had while it was healthy before, or a failed attempt made, and what it does not have any more now that
 * it is healthy: only this goes, so that what somebody else put beside it stays.
 */
export function leftParts<Spec, Observed, Call>(
  { kind, observed }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  { releases, made, removing = [] }: UnitRecord,
): readonly Member[] {
  if (!kind.removal(unit).prune) return [];
  // What was there before us is nobody's to remove.
  const ours = releases.filter(({ revision }) => revision !== '');
  const had = new Set([
    ...removing.map(({ target }) => target),
    ...made,
    ...ours.flatMap((release) => {
      const earlier = kind.restore(unit.id, release);
      return earlier === undefined ? [] : kind.makes(earlier);
    }),
  ]);
  const has = new Set(kind.makes(unit));
  return kind
    .members(unit.id, observed)
    .filter(({ target }) => had.has(target) && !has.has(target));
}

/** So long it is looked for what has to end first; then at leisure. Milliseconds. */
const SOON_MS = 60_000;

/** Pure. A unit at rest of which nothing else is due: what left it goes now. */
export function prune<Spec, Observed, Call>(
  { kind, observed, nowMs, removalsOff }: Look<Spec, Observed, Call>,
  { unit, record, watch, neededBy }: Standing<Spec> & { readonly unit: Rendered<Spec> },
  moved: Moved<Call>,
): Moved<Call> {
  const { removing = [] } = record;
  if (removing.length === 0) return moved;
  const isBusy = moved.operations.length > 0 || moved.held !== undefined;
  if (isBusy || !isInPlace(record, unit)) return moved;
  const has = new Set(kind.makes(unit));
  const gone = kind.removal(unit).prune ? removing.filter(({ target }) => !has.has(target)) : [];
  const { operations, left, waits } = kind.remove(unit.id, gone, observed);
  const next = left.length === 0 ? pruning(record, []) : record;
  // What goes is no news that lasts.
  const others = (moved.notes ?? []).filter(
    (one) => !gone.some(({ target }) => one.startsWith(`${target} `)),
  );
  if (left.length > 0 && neededBy !== undefined) return later(moved, others, neededBy);
  const notes = [...others, ...waits];
  const ready = removalsOff === undefined && nowMs >= watch.retryAtMs;
  const isSoon = left.length > 0 && waits.length === 0 && nowMs - watch.sinceMs < SOON_MS;
  const soon = isSoon ? ({ soon: true } as const) : {};
  return { ...moved, record: next, notes, ...soon, operations: ready ? operations : [] };
}

/** Nothing goes yet. Not held: that would keep the very unit from beginning that is waited for. */
function later<Call>(
  moved: Moved<Call>,
  notes: readonly string[],
  { id, underWay }: Dependant,
): Moved<Call> {
  if (underWay) return { ...moved, notes, soon: true };
  const why = `what left it stays until ${id}, which depends on it, is settled`;
  return { ...moved, notes: [...notes, why] };
}

/** What the repository wants is the last healthy release itself: no other one needs what left it. */
function isInPlace(record: UnitRecord, { digest }: { readonly digest: string }): boolean {
  return record.releases[0]?.digest === digest && !isQuarantined(record, digest);
}

import type { Id, Rendered } from './kind.ts';
import type { Look, Wait } from './look.ts';
import { isInPlace, isQuarantined, type UnitRecord } from './unit.ts';

/** What a move is seen among. */
export interface Among<Spec> {
  readonly desired: readonly Rendered<Spec>[];
  readonly units: ReadonlyMap<Id, UnitRecord>;
  /** Successors, each with the one that it follows. */
  readonly from: ReadonlyMap<Id, Id>;
}

/**
 * Pure. Why a unit may not take the place of another one now, where that was not stopped for it yet. One move after another,
 * and only while all else is as the repository wants it: from the stop to the start nothing else may come between, or the
 * site would be down for it, and of a move after a move one might run beside the first.
 */
export function moveWaits<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  { desired, units, from }: Among<Spec>,
): Wait | undefined {
  const on = from.get(unit.id);
  const record = on === undefined ? undefined : units.get(on);
  if (record === undefined || record.movedTo === unit.id) return undefined;
  if (record.suspended !== undefined) return { why: `${on ?? ''} is suspended`, ended: 'by-hand' };
  const shut = look.windows?.shut(unit.id)?.why;
  if (shut !== undefined) return { why: shut, gate: 'window' };
  const [first] = [...from.keys()].toSorted();
  if (first !== undefined && first !== unit.id) {
    return { why: `waits for ${first}, which takes the place of another one first` };
  }
  const wanted = new Set(desired.map(({ id }) => id));
  const followed = new Set(from.values());
  const astray = [...units.keys()].find((id) => !wanted.has(id) && !followed.has(id));
  if (astray !== undefined) {
    const why = `waits for ${astray}, which left, to be gone`;
    // What the other one took the place of before is all there is to go back to: only a person says that it may go.
    return record.movedFrom === astray ? { why, ended: 'by-hand' } : { why, gate: 'move' };
  }
  const others = desired.filter(({ id }) => id !== unit.id && !from.has(id));
  return firstOf(others, units, ({ id }) => ({ why: `waits for ${id}, which is not settled` }));
}

/** What failed does not settle by itself: then no revision waits for the move. */
function firstOf<Spec>(
  others: readonly Rendered<Spec>[],
  units: ReadonlyMap<Id, UnitRecord>,
  waitFor: (unit: Rendered<Spec>) => Wait,
): Wait | undefined {
  const failed = others.find(({ id, digest }) => hasFailed(units.get(id), digest));
  if (failed !== undefined) return { ...waitFor(failed), ended: 'failed' };
  const moving = others.find(({ id, digest }) => !isInPlace(units.get(id), digest));
  return moving && waitFor(moving);
}

function hasFailed(record: UnitRecord | undefined, digest: string): boolean {
  return record !== undefined && (record.phase === 'stuck' || isQuarantined(record, digest));
}

import type { Failure, Rendered } from './kind.ts';
import { type Look, type Moved, unmoved, type Wait } from './look.ts';
import type { Dependant } from './needed.ts';
import { goBack } from './step-back.ts';
import { goOn } from './step-forward.ts';
import { bringBack } from './step-move.ts';
import { comeBack } from './step-remove.ts';
import { directionOf, firstSight, keep, needPerson, takeUp, watchOf } from './step-rest.ts';
import { gateOf, stand, withLost } from './step-stand.ts';
import { supersede, turn, turnBack } from './step-turn.ts';
import { isQuarantined, type UnitRecord, wantedFirst, withMovedFrom, withRemoval } from './unit.ts';
import { lostNodes, type Watch } from './watch.ts';

/** What is known of a unit beside its record. */
interface Before {
  readonly watch: Watch | undefined;
  readonly refusal: Failure | undefined;
  readonly wait: Wait | undefined;
  readonly neededBy: Dependant | undefined;
  readonly outage: Wait | undefined;
}

/** Pure. The one step that a unit of the repository may do now. */
export function stepUnit<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  known: UnitRecord | undefined,
  before: Before,
): Moved<Call> {
  const at = (of: string): Watch => watchOf(before.watch, of, look.nowMs);
  const gate = gateOf(look.frozen, unit, known);
  if (gate !== undefined) {
    const watch = withLost(look, at(known === undefined ? 'none' : directionOf(known)), known);
    return stand(look, unit.id, { unit, record: known, watch }, gate);
  }
  const wait = before.wait === undefined ? {} : { wait: before.wait };
  if (known === undefined) return firstSight(look, unit, { watch: at('none'), ...wait });
  const record = wantedFirst(known, unit.digest);
  const { attempt, phase } = record;
  if (record.movedTo !== undefined) return runAgain(look, unit, { record, ...wait });
  if (phase === 'removing') return returned(look, unit, { record, ...wait });
  const turned = turn(record, unit.digest);
  const of = directionOf(record);
  // A refusal is of the way that was gone then, and of no other.
  const refusal = before.watch?.of === of ? before.refusal : undefined;
  const { neededBy, outage } = before;
  const beside = { ...wait, ...(neededBy && { neededBy }), ...(outage && { outage }) };
  const standing = { unit, record, refusal, ...beside };
  if (phase === 'none' || phase === 'stuck' || attempt === undefined) {
    const resting = { ...standing, watch: at(of) };
    if (turned === 'begin') return takeUp(look, resting);
    return phase === 'none' ? keep(look, resting) : needPerson(look, resting);
  }
  const forward = phase === 'applying' || phase === 'verifying';
  const watch = lostNodes(at(of), look.absent, attempt.absent);
  if (turned === 'begin') return supersede(look, { ...standing, watch }, attempt);
  if (turned === 'stay' && forward) return goOn(look, { ...standing, watch }, attempt);
  if (turned === 'stay') return goBack(look, unit.id, { ...standing, watch }, attempt);
  return turnBack(look, { ...standing, watch }, attempt);
}

/** Pure. Whether it may go without a person, and whose place it takes, is noted as long as its file says so. */
export function noted<Spec, Observed, Call>(
  { kind, frozen }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  moved: Moved<Call>,
): Moved<Call> {
  const { record } = moved;
  if (record === undefined || frozen !== undefined) return moved;
  const held = withRemoval(record, kind.removal(unit).hold);
  return { ...moved, record: withMovedFrom(held, unit.movedFrom) };
}

/** A unit that comes back while it is removed: what it lost is made anew, and it is looked at as after any change. */
function returned<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  from: { readonly record: UnitRecord; readonly wait?: Wait },
): Moved<Call> {
  const record = comeBack(look, { id: unit.id, record: from.record });
  const watch = watchOf(undefined, 'none', look.nowMs);
  const standing = { ...from, unit, record, watch, refusal: undefined };
  return isQuarantined(record, unit.digest) ? keep(look, standing) : takeUp(look, standing);
}

/** A unit that comes back after it made place for another one: it is looked at as after any change, and stands still until then. */
function runAgain<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  from: { readonly record: UnitRecord; readonly wait?: Wait },
): Moved<Call> {
  const watch = watchOf(undefined, 'none', look.nowMs);
  const { movedTo, ...record } = from.record;
  if (from.wait !== undefined) {
    return { ...unmoved(from.record, watch), wait: from.wait, held: from.wait.why };
  }
  const standing = { unit, record, watch, refusal: undefined };
  const isBad = isQuarantined(record, unit.digest);
  const moved =
    isBad && movedTo !== undefined
      ? bringBack(look, { id: unit.id, record: from.record, watch }, movedTo)
      : takeUp(look, standing);
  return moved.record?.attempt === undefined ? { ...moved, record: from.record } : moved;
}

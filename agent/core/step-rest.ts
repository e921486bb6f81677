import { approveWith } from './approve.ts';
import { digestOf } from './digest.ts';
import { foughtOver } from './fight.ts';
import type { Difference, Failure, Rendered } from './kind.ts';
import {
  healthNow,
  heldBy,
  type Look,
  type Moved,
  type Standing,
  unmoved,
  type Wait,
} from './look.ts';
import { wayBack } from './step-back.ts';
import { begin } from './step-forward.ts';
import { findOut } from './prove.ts';
import { MAKING_PLACE } from './unit.ts';
import { takeAway } from './step-later.ts';
import { prune } from './step-prune.ts';
import { isQuarantined, proven, unknownUnit, type UnitRecord } from './unit.ts';
import { atPeace, newWatch, type Watch } from './watch.ts';

/** A unit of the repository of which nothing is under way. */
interface AtRest<Spec> extends Standing<Spec> {
  readonly unit: Rendered<Spec>;
}

/**
 * Pure. A unit that nobody recorded. What is there already is taken over: silently where it is what the repository
 * wants, also where it does not do well, so that the commit that mends it needs nobody. Where it differs a person says
 * so first. What is there is its first release in any case, so that there is something to go back to.
 */
export function firstSight<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  from: Pick<AtRest<Spec>, 'watch' | 'wait'>,
): Moved<Call> {
  const { kind, observed, revision, date } = look;
  const { watch } = from;
  // Who stopped what stands still is not known: nobody takes that over in silence.
  const difference = kind.diff(unit, observed, kind.parts(unit));
  const standing = { unit, record: unknownUnit, refusal: undefined, ...from };
  const isThere = kind.isThere(unit, observed);
  if (isThere && difference.blocked.length === 0) {
    const open = findOut<Call>(look, difference, watch);
    if (open !== undefined) return open;
  }
  if (!isThere) return beginOrHold(look, standing, difference, undefined);
  const differs = difference.operations.length > 0 || difference.blocked.length > 0;
  if (differs) {
    const approval = digestOfTakeOver(unit, difference);
    const held = heldBy(difference.blocked) ?? foreign(difference, approval);
    if (difference.blocked.length > 0 || !look.approvals.has(approval)) {
      const { blocked, notes } = difference;
      const patient = blocked.length === 0 ? ({ patient: true } as const) : {};
      const rest = { approval, ...patient, blocked, ...(notes && { notes }) };
      return { ...unmoved(undefined, watch), held, ...rest };
    }
    const content = kind.release(unit, observed, 'all');
    const release = { digest: digestOf(content), revision: '', at: date, content };
    const record = { ...unknownUnit, releases: [release] };
    const moved = beginOrHold(look, { ...standing, record }, difference, undefined);
    // What is released stays so while it waits for another unit.
    return standing.wait === undefined ? moved : { ...moved, approval };
  }
  const health = healthNow(look, unit);
  const content = kind.release(unit, observed, 'wanted');
  const found = { digest: unit.digest, revision, at: date, content };
  const release = health.status === 'converged' ? found : { ...found, unproven: true as const };
  return {
    ...unmoved({ ...unknownUnit, releases: [release] }, watch),
    events: [{ event: 'unit adopted', id: unit.id }],
    health,
  };
}

/** Names what taking it over would change and nothing else. Hex. */
function digestOfTakeOver<Spec, Call>(
  { id }: Rendered<Spec>,
  { operations }: Difference<Call>,
): string {
  const changes = operations.map(({ target, verb, fields }) => ({ target, verb, fields }));
  return digestOf({ takeOver: id, changes });
}

const FIELDS_SHOWN = 8;

function foreign<Call>({ operations }: Difference<Call>, approval: string): string {
  const paths = operations.flatMap(({ target, fields }) =>
    fields.length === 0 ? [`${target} is missing`] : fields.map(({ path }) => path),
  );
  const more = paths.length - FIELDS_SHOWN;
  const shown = paths.slice(0, FIELDS_SHOWN).join(', ');
  const fields = more > 0 ? `${shown} and ${String(more)} more` : shown;
  return `it was there before and differs: ${fields}; ${approveWith(approval)}`;
}

/** Pure. Another digest than the one that is in place. */
export function takeUp<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: AtRest<Spec>,
): Moved<Call> {
  if (standing.wait !== undefined) return stay(look, standing, standing.wait);
  const { unit, record } = standing;
  const difference = look.kind.diff(unit, look.observed, record.made);
  return beginOrHold(look, standing, difference, record);
}

/** What may not begin yet keeps its last healthy release, as long as it takes. */
function stay<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: AtRest<Spec>,
  wait: Wait,
): Moved<Call> {
  const { record, watch } = standing;
  const kept =
    record.phase === 'none' && record.releases.length > 0
      ? keep(look, standing)
      : unmoved<Call>(record, watch);
  const held = kept.held === undefined ? wait.why : `${wait.why}; ${kept.held}`;
  return { ...kept, held, wait };
}

/** Begins, or waits with nothing recorded until the gates are open. */
function beginOrHold<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: AtRest<Spec>,
  difference: Difference<Call>,
  recorded: Standing<Spec>['record'] | undefined,
): Moved<Call> {
  const { wait } = standing;
  if (wait !== undefined) return { ...unmoved(recorded, standing.watch), held: wait.why, wait };
  const held = heldBy(difference.blocked);
  if (held === undefined) return begin(look, standing, difference);
  const { blocked, notes } = difference;
  return { ...unmoved(recorded, standing.watch), blocked, held, ...(notes && { notes }) };
}

/** What was refused for good is tried again only because somebody may have helped. Milliseconds. */
const REFUSED_MS = 300_000;

/**
 * Pure. A unit that is settled: what it should be is what the repository wants, or, where that failed or may not begin
 * yet, its last healthy release, or a standstill. What differs is corrected without an attempt.
 */
export function keep<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: AtRest<Spec>,
): Moved<Call> {
  return prune(look, standing, seenWell(correct(look, standing)));
}

/** What was found and was not well when it was taken over has come to its senses: as it was found, and by nobody's hand. */
function seenWell<Call>(moved: Moved<Call>): Moved<Call> {
  const { record, health, operations, held, blocked = [] } = moved;
  const differs = operations.length > 0 || blocked.length > 0 || held !== undefined;
  if (differs || health?.status !== 'converged' || record === undefined) return moved;
  return { ...moved, record: proven(record) };
}

function correct<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: AtRest<Spec>,
): Moved<Call> {
  const { kind, nowMs } = look;
  const { unit, record, watch, refusal } = standing;
  const [release] = record.releases;
  const isAside = isQuarantined(record, unit.digest) || release?.digest !== unit.digest;
  if (isAside && kind.rollback(unit).mode === 'forward') {
    return { ...unmoved(record, watch), health: healthNow(look, unit) };
  }
  const target = isAside ? release && kind.restore(unit.id, release) : unit;
  if (isAside && release !== undefined && target === undefined) {
    return {
      ...unmoved(record, watch),
      held: 'this version cannot read the healthy release in the record',
    };
  }
  const { blocked, ...difference } = wayBack(look, target, record.made, unit.id);
  const operations = difference.operations.filter(({ reruns }) => reruns !== true);
  const done = difference.operations.filter(({ reruns }) => reruns === true);
  const notes = [...(difference.notes ?? []), ...done.map(leftAsItIs)];
  const health = target && healthNow(look, target);
  const rest = { blocked, notes, ...(health && { health }) };
  const seen = refusal === undefined ? watch : refusedAt(watch, refusal, nowMs);
  if (operations.length === 0 && blocked.length === 0) {
    // What is taken away meanwhile has rounds of its own.
    const isPruning = record.removing !== undefined;
    const peaceful = { ...unmoved<Call>(record, isPruning ? watch : atPeace(watch)), ...rest };
    const { later = [] } = difference;
    if (isAside || later.length === 0) return peaceful;
    return takeAway(look, { ...standing, watch: seen }, peaceful, later);
  }

  // What is well as it is waits for its window; what is not is put right at once.
  const isWell = health?.status === 'converged';
  const shut = isWell ? look.windows?.shut(unit.id)?.why : undefined;
  const waits = nowMs < seen.retryAtMs;
  const fought = foughtOver(look, unit.id, watch.calledAtMs, operations);
  const held = heldBy(blocked) ?? (waits ? seen.refused : undefined) ?? fought?.held ?? shut;
  const ready = held === undefined && !waits;
  return {
    ...unmoved(record, seen),
    ...rest,
    ...(held !== undefined && { held }),
    ...(held !== undefined && held === shut && { patient: true }),
    ...(fought !== undefined && !ready && { approval: fought.approval }),
    operations: ready ? operations : [],
  };
}

function leftAsItIs<Call>({ target }: Difference<Call>['operations'][number]): string {
  return `${target} was changed by hand and is left as it is: to change it back would run it again`;
}

/** Pure. A call was refused for good: it is tried again later, because somebody may have helped. */
export function refusedAt(watch: Watch, { evidence }: Failure, nowMs: number): Watch {
  const refused = `the engine refused it: ${evidence}`;
  return { ...watch, refused, retryAtMs: nowMs + REFUSED_MS };
}

/** Pure. A unit that needs a person: nothing is called, only looked. */
export function needPerson<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { unit, record, watch }: AtRest<Spec>,
): Moved<Call> {
  const why = record.stuck?.why ?? 'it failed';
  return { ...unmoved(record, watch), held: `stuck: ${why}`, health: healthNow(look, unit) };
}

/** Pure. The watch of this direction, or a new one. */
export function watchOf(watch: Watch | undefined, of: string, nowMs: number): Watch {
  return watch?.of === of ? watch : newWatch(of, nowMs);
}

/** Pure. Names the way that a unit is on: its watch is of this way only. */
export function directionOf({ phase, attempt, movedTo, removing = [] }: UnitRecord): string {
  if (phase === 'none' && movedTo !== undefined) return MAKING_PLACE;
  // What is taken away is no drift that is corrected.
  if (phase === 'none' && removing.length > 0) return 'pruning';
  if (phase === 'none' || phase === 'stuck' || attempt === undefined) return phase;
  return `${phase === 'applying' || phase === 'verifying' ? 'to' : 'back'} ${attempt.digest}`;
}

import { foughtOver, remembered } from './fight.ts';
import { firstLook } from './first-look.ts';
import type { Difference, Failure, Health, Id, Rendered } from './kind.ts';
import { due, type Look, type Moved, noEffect, seenBy, type Standing, unmoved } from './look.ts';
import { excused, judgeExcused, pastOutage, waitingFor } from './outage.ts';
import {
  applying,
  type Attempt,
  goingBack,
  healthy,
  inPhase,
  pruning,
  type Quarantined,
  quarantined,
  settled,
  stuck,
  type UnitRecord,
} from './unit.ts';
import type { UnitEvent } from './unit-event.ts';
import { leftParts, staysRewound } from './step-prune.ts';
import {
  asking,
  isFutile,
  judge,
  newWatch,
  refusedTooLong,
  startClock,
  type Watch,
} from './watch.ts';

/** One unit on its way to what the repository wants. */
export interface Forward<Spec> extends Standing<Spec> {
  readonly unit: Rendered<Spec>;
}

/** Pure. A new attempt: it is recorded with what ran before it and with what it makes, then its calls are due. */
export function begin<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { unit, record }: Forward<Spec>,
  difference: Difference<Call>,
): Moved<Call> {
  const { kind, observed, nowMs, absent, revision } = look;
  const baseline = kind.baseline(unit, observed);
  const attempt: Attempt = { digest: unit.digest, revision, baseline, absent };
  const next = applying(record, attempt, madeBy(difference));
  const watch = newWatch(`to ${unit.digest}`, nowMs);
  const standing = { unit, record: next, watch, refusal: undefined };
  return differs(difference) ? call(look, standing, difference) : verify(look, standing);
}

/** The calls of an attempt that are due now; the first ones once it is known that they are not in vain. */
function call<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: Forward<Spec>,
  difference: Difference<Call>,
): Moved<Call> {
  const first = firstLook(look, standing, difference);
  if (first.status === 'failing') return fail(look, standing, first.failure);
  const moved = due(standing.record, first.watch, difference, look.nowMs);
  return first.status === 'clear' ? moved : { ...moved, operations: [], health: first.health };
}

/** Pure. An attempt that was begun before: its calls go on, or its health is judged. */
export function goOn<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: Forward<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const past = pastOutage(look, standing.unit, standing, attempt);
  return waitingFor(standing.outage, advance(look, past.judged, past.attempt));
}

function advance<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: Forward<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { unit, record, watch, refusal } = standing;
  const { kind, observed, nowMs } = look;
  if (refusal !== undefined) return fail(look, standing, refusal);
  const difference = kind.diff(unit, observed, record.made);
  if (!differs(difference)) return verify(look, standing);

  const seen = seenBy(look, attempt, watch);
  const isByHand = isChanged(standing, kind.givenUp(unit, observed, seen));
  const fought = isByHand
    ? foughtOver(look, unit.id, watch.correctedAtMs, difference.operations)
    : undefined;
  // What runs then is somebody else's, and says nothing of this one.
  if (fought?.held !== undefined) return { ...unmoved(record, watch), ...fought };
  // As long as its calls did not go well, what fails is what ran before.
  const began = record.phase === 'verifying' || watch.rounds > 0 || watch.outside !== undefined;
  const ended = began ? whatEngineDid(look, standing, attempt) : undefined;
  if (ended !== undefined) return ended;
  if (isFutile(watch)) return fail(look, standing, noEffect(difference.operations));
  const refused = refusedTooLong(watch, kind.times(unit), nowMs);
  if (refused !== undefined) return fail(look, standing, refused);
  const next = again(record, attempt, madeBy(difference));
  const moved = call(look, { ...standing, record: next }, difference);
  return isByHand ? remembered(moved, nowMs) : moved;
}

/** All its calls had their effect, and what differs now is not what the engine did. */
function isChanged<Spec>({ record, watch }: Forward<Spec>, gaveUp: Health | undefined): boolean {
  return record.phase === 'verifying' && gaveUp === undefined && watch.outside === undefined;
}

/** The same record where nothing in it changes: what waits is not recorded again. */
function again(record: UnitRecord, attempt: Attempt, made: readonly string[]): UnitRecord {
  const noted = record.phase === 'applying' && made.every((part) => record.made.includes(part));
  return noted ? record : applying(record, attempt, made);
}

/** The engine went back or gave up by itself, or tasks fail while another call of the same attempt is still open. */
function whatEngineDid<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: Forward<Spec>,
  attempt: Attempt,
): Moved<Call> | undefined {
  const { kind, observed, nowMs } = look;
  const { unit, record, watch, outage } = standing;
  const seen = seenBy(look, attempt, watch);
  const engine = kind.givenUp(unit, observed, seen);
  const gaveUp = engine && excused(engine, outage);
  const health = gaveUp ?? excused(kind.health(unit, observed, seen), outage);
  if (health.status === 'failing' && health.reading !== true) {
    const { code, why, evidence } = health;
    return { ...fail(look, standing, { code, why, evidence }), health };
  }
  const open = health.status === 'failing' ? health : gaveUp;
  if (open === undefined) return undefined;
  // Why it gave up is not known yet, or is nobody's fault: to send the same again now would end the same.
  const judged = judge(watch, open, kind.times(unit), nowMs);
  if (typeof judged.verdict === 'object') {
    return { ...fail(look, standing, judged.verdict), health };
  }
  const next = withoutRounds(judged.watch, open);
  return { record, watch: next, operations: [], events: [], health: asking(health, judged) };
}

/** What was taken back for a cause outside was not in vain: it does not count as calls without effect. */
function withoutRounds(watch: Watch, { status }: Health): Watch {
  return status === 'outside' ? { ...watch, rounds: 0 } : watch;
}

/** All calls are done: health is judged by our own clock. */
function verify<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: Forward<Spec>,
): Moved<Call> {
  const { kind, observed, nowMs } = look;
  const { unit, outage } = standing;
  const begins = standing.record.phase === 'applying';
  const record = begins ? inPhase(standing.record, 'verifying') : standing.record;
  const before = begins ? startClock(standing.watch, nowMs) : standing.watch;
  const { attempt } = record;
  if (attempt === undefined) throw new Error('bug: a unit verifies without an attempt');

  const health = excused(kind.health(unit, observed, seenBy(look, attempt, before)), outage);
  const judged = { ...standing, watch: before };
  const found = judgeExcused(judged, health, kind.times(unit), nowMs);
  const { watch, verdict } = found;
  if (verdict === 'healthy') return becameHealthy(look, { ...standing, record, watch }, attempt);
  if (verdict !== 'open') return { ...fail(look, { ...standing, record, watch }, verdict), health };
  const stalled = health.status === 'progressing' && nowMs >= watch.retryAtMs && !isFutile(watch);
  const operations = stalled ? kind.resume(unit, observed) : [];
  return { record, watch, operations, events: [], health: asking(health, found) };
}

function becameHealthy<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { unit, record, watch }: Forward<Spec>,
  { digest, revision }: Attempt,
): Moved<Call> {
  const { kind, observed, nowMs, date } = look;
  const release = { digest, revision, at: date, content: kind.release(unit, observed, 'wanted') };
  const ms = nowMs - watch.sinceMs;
  const made = leftOver(record, kind.parts(unit));
  const next = healthy(record, release, kind.rollback(unit).keep, made);
  // From the record as it was: it may forget a release now.
  const parts = leftParts(look, unit, record);
  return {
    record: pruning(next, parts, { rewound: staysRewound(look, record, parts) }),
    watch: newWatch('none', nowMs),
    operations: [],
    events: [{ event: 'unit healthy', id: unit.id, revision, ms }],
    ...(parts.length > 0 && { soon: true as const }),
  };
}

/** What overtaken attempts made and this one does not have: nobody wants it, so it is stopped from now on. */
function leftOver({ made }: UnitRecord, parts: readonly string[]): readonly string[] {
  return made.filter((part) => !parts.includes(part));
}

/**
 * Pure. A certain failure: the digest is quarantined and the way back begins, in one record before any call. What is
 * the last healthy release itself is not taken back to itself.
 */
export function fail<Spec, Observed, Call>(
  { kind, observed, nowMs, date, absent }: Look<Spec, Observed, Call>,
  { unit, record }: Forward<Spec>,
  failure: Failure,
): Moved<Call> {
  const { digest, revision } = record.attempt ?? { digest: unit.digest, revision: '' };
  const { mode } = kind.rollback(unit);
  const entry = { digest, revision, ...failure, at: date };
  if (mode === 'forward') return leave(unit.id, quarantined(record, entry), { entry, nowMs });
  const isRelease = record.releases[0]?.digest === digest;
  const noted = isRelease ? record : quarantined(record, entry);
  const hold = isRelease || mode === 'hold';
  const next: UnitRecord = hold
    ? stuck(noted, { digest, ...failure, at: date })
    : goingBack(noted, { baseline: kind.baseline(unit, observed), absent });
  const way = record.releases.length === 0 ? 'stopping' : 'rolling back';
  const event: UnitEvent = {
    event: 'unit failed',
    id: unit.id,
    revision,
    ...failure,
    next: hold ? 'stuck' : way,
  };
  return { record: next, watch: watchOf(next, nowMs), operations: [], events: [event] };
}

/** Nothing of it goes back: it is at rest where it came to, until another digest or a person comes. */
function leave<Call>(
  id: Id,
  record: UnitRecord,
  { entry, nowMs }: { readonly entry: Quarantined; readonly nowMs: number },
): Moved<Call> {
  const { revision, code, why, evidence } = entry;
  const failure = { revision, code, why, evidence };
  return {
    record: settled(record),
    watch: newWatch('none', nowMs),
    operations: [],
    events: [{ event: 'unit failed', id, ...failure, next: 'left as it is' }],
  };
}

function watchOf({ phase, attempt }: UnitRecord, nowMs: number): Watch {
  return newWatch(phase === 'stuck' ? 'stuck' : `back ${attempt?.digest ?? ''}`, nowMs);
}

/** Targets that run something and are not there yet. */
function madeBy<Call>({ operations }: Difference<Call>): readonly string[] {
  return operations
    .filter(({ verb, phase }) => verb === 'create' && phase === 'change')
    .map(({ target }) => target);
}

function differs<Call>({ operations, blocked }: Difference<Call>): boolean {
  return operations.length > 0 || blocked.length > 0;
}

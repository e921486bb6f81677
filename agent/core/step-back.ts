import { foughtOver, remembered } from './fight.ts';
import type { Difference, Failure, Id, Rendered } from './kind.ts';
import {
  due,
  heldBy,
  type Look,
  type Moved,
  noEffect,
  seenBy,
  type Standing,
  unmoved,
} from './look.ts';
import { excused, judgeExcused, pastOutage, waitingFor } from './outage.ts';
import { atFront, type Attempt, inPhase, isQuarantined, settled, stuck, targetOf } from './unit.ts';
import { asking, isFutile, judge, newWatch, refusedTooLong, startClock } from './watch.ts';

/**
 * Pure. A unit on its way back to its last healthy release, or to a standstill where it never had one. Nothing is ever
 * rolled back from here: what fails on the way back waits for a person.
 */
export function goBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  id: Id,
  standing: Standing<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { record, refusal } = standing;
  if (refusal !== undefined) return giveUp(look, id, standing, refusal);
  const release = targetOf(record, attempt);
  const target = release && look.kind.restore(id, release);
  if (release !== undefined && target === undefined) {
    const why = 'this version cannot read the healthy release in the record';
    return giveUp(look, id, standing, { code: 'release-unreadable', why, evidence: release.at });
  }
  const difference = wayBack(look, target, record.made, id);
  const isThere = difference.operations.length === 0 && difference.blocked.length === 0;
  if (target !== undefined) {
    const past = pastOutage(look, target, standing, attempt);
    const back = { ...past.judged, target, attempt: past.attempt };
    const moved = isThere ? verifyBack(look, back) : move(look, id, back, difference);
    return waitingFor(standing.outage, moved);
  }
  if (!isThere) return move(look, id, { ...standing, target, attempt }, difference);
  const ms = look.nowMs - standing.watch.sinceMs;
  return {
    record: settled(record),
    watch: newWatch('none', look.nowMs),
    operations: [],
    events: [{ event: 'unit stopped', id, ms }],
  };
}

/** Pure. What brings the release back, and what stops the parts that it does not have. */
export function wayBack<Spec, Observed, Call>(
  { kind, observed }: Look<Spec, Observed, Call>,
  target: Rendered<Spec> | undefined,
  made: readonly string[],
  id: Id,
): Difference<Call> {
  const back = target && kind.diff(target, observed, made);
  if (back !== undefined && made.length === 0) return back;
  // What a failed attempt made anew may be part of the release: somebody had removed it.
  const kept = new Set(target && kind.parts(target));
  const stop = kind.stop(
    id,
    made.filter((part) => !kept.has(part)),
    observed,
  );
  return {
    operations: [...(back?.operations ?? []), ...stop],
    blocked: back?.blocked ?? [],
    ...(back?.notes && { notes: back.notes }),
    ...(back?.later && { later: back.later }),
  };
}

interface Back<Spec> extends Standing<Spec> {
  readonly target: Rendered<Spec> | undefined;
  readonly attempt: Attempt;
}

/** How long the way back may be blocked where there is no release that says so. */
const TIMEOUT_MS = 300_000;

function move<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  id: Id,
  back: Back<Spec>,
  difference: Difference<Call>,
): Moved<Call> {
  const { record, watch, target, attempt } = back;
  const { kind, observed, nowMs } = look;
  const isJudged = record.phase === 'reverting';
  if ((isJudged || watch.rounds > 0) && target !== undefined) {
    const gaveUp = kind.givenUp(target, observed, seenBy(look, attempt, watch));
    if (gaveUp !== undefined) {
      const health = excused(gaveUp, back.outage);
      const judged = judge(watch, health, kind.times(target), nowMs);
      return typeof judged.verdict === 'object'
        ? giveUp(look, id, back, judged.verdict)
        : { ...unmoved(record, judged.watch), health: asking(health, judged) };
    }
  }
  const isByHand = isJudged && watch.correcting !== true;
  const fought = isByHand
    ? foughtOver(look, id, watch.correctedAtMs, difference.operations)
    : undefined;
  if (fought?.held !== undefined) return { ...unmoved(record, watch), ...fought };
  if (isFutile(watch)) return giveUp(look, id, back, noEffect(difference.operations));
  const refused = target && refusedTooLong(watch, kind.times(target), nowMs);
  if (refused !== undefined) return giveUp(look, id, back, refused);
  const held = heldBy(difference.blocked);
  const timeoutMs = target === undefined ? TIMEOUT_MS : kind.times(target).timeoutMs;
  if (held !== undefined && nowMs - watch.progressAtMs >= timeoutMs) {
    const why = 'the healthy release cannot be brought back';
    return giveUp(look, id, back, { code: 'blocked', why, evidence: held });
  }
  const moved = due(record, watch, difference, nowMs);
  return isByHand ? remembered(moved, nowMs) : moved;
}

function verifyBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  back: Back<Spec> & { readonly target: Rendered<Spec> },
): Moved<Call> {
  const { kind, observed, nowMs } = look;
  const { target, attempt } = back;
  const begins = back.record.phase === 'rolling-back';
  const record = begins ? inPhase(back.record, 'reverting') : back.record;
  const starts = begins || back.watch.correcting === true;
  const before = starts ? startClock(back.watch, nowMs) : back.watch;
  const seen = seenBy(look, attempt, before);
  const health = excused(kind.health(target, observed, seen), back.outage);
  const judged = { ...back, watch: before };
  const found = judgeExcused(judged, health, kind.times(target), nowMs);
  const { watch, verdict } = found;
  if (verdict === 'healthy') {
    const { revision } = attempt;
    return {
      record: settled(atFront(record, attempt)),
      watch: newWatch('none', nowMs),
      operations: [],
      events: [{ event: 'unit rolled back', id: target.id, revision, ms: nowMs - watch.sinceMs }],
      health,
    };
  }
  if (verdict !== 'open') {
    return { ...giveUp(look, target.id, { ...back, record, watch }, verdict), health };
  }
  const stalled = health.status === 'progressing' && nowMs >= watch.retryAtMs && !isFutile(watch);
  const operations = stalled ? kind.resume(target, observed) : [];
  return { record, watch, operations, events: [], health: asking(health, found) };
}

/** A rollback is never rolled back: one alarm, and nothing is called until a person or another digest comes. */
function giveUp<Spec, Observed, Call>(
  { nowMs, date }: Look<Spec, Observed, Call>,
  id: Id,
  { unit, record }: Standing<Spec>,
  failure: Failure,
): Moved<Call> {
  // A digest that only waits to begin did not fail: it ends this when it can.
  const wanted = unit?.digest ?? '';
  const known = isQuarantined(record, wanted) || record.releases[0]?.digest === wanted;
  return {
    record: stuck(record, { digest: known ? wanted : '', ...failure, at: date }),
    watch: newWatch('stuck', nowMs),
    operations: [],
    events: [{ event: 'unit stuck', id, ...failure }],
  };
}

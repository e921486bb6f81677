import { FORWARD } from './dependants.ts';
import type { Id, Rendered } from './kind.ts';
import type { Look } from './look.ts';
import {
  goingBack,
  isQuarantined,
  isWayBack,
  quarantined,
  released,
  type Request,
  resumed,
  suspended,
  type UnitRequest,
  type UnitRecord,
} from './unit.ts';
import type { UnitEvent } from './unit-event.ts';

/** What a request made of a unit, and what the one who asked is told. */
export interface Answered {
  readonly record: UnitRecord | undefined;
  readonly event: UnitEvent;
}

interface AnswerInput<Spec> {
  readonly requests: readonly Request[];
  readonly desired: readonly Rendered<Spec>[];
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly frozen?: string;
}

/** Pure. Requests are taken one after another, each from where the last one left its unit; what is of no unit is answered elsewhere. */
export function answerAll<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { requests, desired, units: before, frozen }: AnswerInput<Spec>,
): {
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly events: readonly UnitEvent[];
  /** Units of which another try is asked for, and may be. */
  readonly retried: ReadonlySet<Id>;
} {
  const units = new Map(before);
  const retried = new Set<Id>();
  const events: UnitEvent[] = [];
  for (const request of frozen === undefined ? requests : []) {
    if (request.verb === 'approve' || request.verb === 'reconcile') continue;
    const unit = desired.find(({ id }) => id === request.id);
    const { record, event } = answer(look, unit, units.get(request.id), request);
    if (record !== undefined) units.set(request.id, record);
    events.push(event);
    if (event.event === 'request taken' && event.verb === 'retry') retried.add(request.id);
  }
  return { units, events, retried };
}

/** Pure. Carries out what a person asks, or refuses it; either way the request is done with. */
export function answer<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec> | undefined,
  record: UnitRecord | undefined,
  request: UnitRequest,
): Answered {
  const result = outcomeOf(look, unit, record, request);
  const { id, verb, by } = request;
  return typeof result === 'string'
    ? { record, event: { event: 'request refused', id, verb, by, why: result } }
    : { record: result, event: { event: 'request taken', id, verb, by } };
}

function outcomeOf<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec> | undefined,
  record: UnitRecord | undefined,
  request: UnitRequest,
): UnitRecord | string {
  if (record === undefined) return NOT_THERE;
  switch (request.verb) {
    case 'suspend':
      return record.suspended === undefined
        ? suspended(record, request.by, look.date)
        : `it is suspended already, by ${record.suspended.by}`;
    case 'resume':
      if (record.suspended !== undefined) return resumed(record);
      return unit?.suspended === true
        ? 'the repository suspends it: take `suspend` out of its file'
        : 'it is not suspended';
    case 'retry':
      if (unit === undefined) return NOT_THERE;
      return record.phase === 'removing' ? REMOVED : retry(look, unit, record, request);
    case 'rollback':
      if (unit === undefined) return NOT_THERE;
      return record.phase === 'removing' ? REMOVED : rollBack(look, unit, record, request);
  }
}

const NOT_THERE = 'there is no such unit in the repository, or nothing is recorded of it yet';
const REMOVED = 'it is being removed';

function retry<Spec, Observed, Call>(
  { kind, observed, absent }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord,
  { digest }: Extract<UnitRequest, { verb: 'retry' }>,
): UnitRecord | string {
  if (!isQuarantined(record, unit.digest) && record.phase !== 'stuck') {
    return 'it is neither quarantined nor stuck';
  }
  if (digest !== undefined && digest !== unit.digest) return wantsAnother(unit, digest);
  const free = released(record, unit.digest);
  if (kind.rollback(unit).mode === 'forward') return anew(free, unit.digest);
  if (free.releases[0]?.digest !== unit.digest) return free;
  // What the repository wants is the release itself: that one is brought back and verified once more.
  return goingBack(free, { baseline: kind.baseline(unit, observed), absent });
}

/** It begins again, also where it was in place before. */
function anew(record: UnitRecord, digest: string): UnitRecord {
  return { ...record, releases: record.releases.filter((release) => release.digest !== digest) };
}

/** What the repository wants now is quarantined, so that it does not come back by itself. */
function rollBack<Spec, Observed, Call>(
  { kind, observed, date, absent, revision }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord,
  { by, release: wanted, digest }: Extract<UnitRequest, { verb: 'rollback' }>,
): UnitRecord | string {
  if (kind.rollback(unit).mode === 'forward') return FORWARD;
  const others = record.releases.filter((one) => one.digest !== unit.digest);
  const isBack = isQuarantined(record, unit.digest) && !isLeftFailed(record);
  if (digest !== undefined) {
    const known = digest === unit.digest || (isBack && digest === inPlace(record));
    if (!known) return wantsAnother(unit, digest);
    // It was under way when somebody wanted it back.
    const went = isBack && digest === unit.digest && record.phase !== 'stuck';
    if (went && wanted === undefined)
      return 'it has failed and gone back by itself since this was asked';
  }
  // What went back already runs the first release: one further back is meant.
  const before = isBack ? record.releases[0] : undefined;
  const chosen =
    wanted === undefined
      ? others.find((one) => one !== before)
      : others.find((one) => one.digest.startsWith(wanted) || one.revision.startsWith(wanted));
  if (chosen === undefined) {
    return wanted === undefined
      ? 'there is no other healthy release to go back to'
      : `no other healthy release begins with ${wanted}`;
  }
  const target = kind.restore(unit.id, chosen);
  if (target === undefined) return 'this version cannot read that release in the record';
  const had = new Set(kind.parts(target));
  const made = [...record.made, ...kind.parts(unit)].filter((part) => !had.has(part));
  const why = `rolled back by ${by}`;
  const entry = { digest: unit.digest, revision, code: 'manual', why, evidence: '', at: date };
  const noted = { ...quarantined(record, entry), made: [...new Set(made)] };
  // It comes to the front once it is healthy again: until then it is not what a failure goes back to.
  return goingBack(noted, { baseline: kind.baseline(unit, observed), absent }, chosen);
}

/** Whether what failed stands as it failed, by `rollback.mode: hold`: then its release does not run. */
function isLeftFailed({ stuck, quarantine }: UnitRecord): boolean {
  return quarantine.some(({ digest, at }) => digest === stuck?.digest && at === stuck.at);
}

/** What runs, or is about to, where the repository does not get what it wants. */
function inPlace(record: UnitRecord): string | undefined {
  return isWayBack(record) ? record.attempt?.digest : record.releases[0]?.digest;
}

function wantsAnother<Spec>({ digest }: Rendered<Spec>, asked: string): string {
  const [is, was] = [digest, asked].map((one) => one.slice(0, 10));
  return `the repository wants something else by now (digest ${String(is)}, it was asked of ${String(was)}): look again`;
}

import type { Rendered } from './kind.ts';
import type { Look } from './look.ts';
import {
  goingBack,
  isQuarantined,
  quarantined,
  released,
  type UnitRequest,
  type UnitEvent,
  type UnitRecord,
} from './unit.ts';

/** What a request made of a unit, and what the one who asked is told. */
export interface Answered {
  readonly record: UnitRecord | undefined;
  readonly event: UnitEvent;
}

/** Pure. Carries out what a person asks, or refuses it; either way the request is done with. */
export function answer<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  unit: Rendered<Spec> | undefined,
  record: UnitRecord | undefined,
  request: UnitRequest,
): Answered {
  const result =
    unit === undefined || record === undefined
      ? 'there is no such unit in the repository, or nothing is recorded of it yet'
      : record.phase === 'removing'
        ? 'it is being removed'
        : request.verb === 'retry'
          ? retry(look, unit, record)
          : rollBack(look, unit, record, request);
  const { id, verb, by } = request;
  return typeof result === 'string'
    ? { record, event: { event: 'request refused', id, verb, by, why: result } }
    : { record: result, event: { event: 'request taken', id, verb, by } };
}

function retry<Spec, Observed, Call>(
  { kind, observed, absent }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord,
): UnitRecord | string {
  if (!isQuarantined(record, unit.digest) && record.phase !== 'stuck') {
    return 'it is neither quarantined nor stuck';
  }
  const free = released(record, unit.digest);
  if (free.releases[0]?.digest !== unit.digest) return free;
  // What the repository wants is the release itself: that one is brought back and verified once more.
  return goingBack(free, { baseline: kind.baseline(unit, observed), absent });
}

/** What the repository wants now is quarantined, so that it does not come back by itself. */
function rollBack<Spec, Observed, Call>(
  { kind, observed, date, absent, revision }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  record: UnitRecord,
  { by, release: wanted }: Extract<UnitRequest, { verb: 'rollback' }>,
): UnitRecord | string {
  const others = record.releases.filter(({ digest }) => digest !== unit.digest);
  // What is quarantined already runs the first release: one further back is meant.
  const before = isQuarantined(record, unit.digest) ? record.releases[0] : undefined;
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

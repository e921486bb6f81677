import type { Blocked, Id, Rendered } from './kind.ts';
import { heldBy, type Look, type Moved, type Standing, unmoved } from './look.ts';
import { goBack } from './step-back.ts';
import { begin } from './step-forward.ts';
import { watchOf } from './step-rest.ts';
import {
  type Attempt,
  goingBack,
  isQuarantined,
  type Quarantined,
  quarantined,
  settled,
  stuck,
  type UnitRecord,
} from './unit.ts';
import { newWatch } from './watch.ts';

type InRepository<Spec> = Standing<Spec> & { readonly unit: Rendered<Spec> };

/** Pure. Whether the repository wants another digest than the one under way, or one that is in place or failed before. */
export function turn(record: UnitRecord, digest: string): 'begin' | 'back' | 'stay' {
  const known = isQuarantined(record, digest) || record.releases[0]?.digest === digest;
  switch (record.phase) {
    case 'none':
    case 'removing':
    case 'rolling-back':
    case 'reverting':
      return known ? 'stay' : 'begin';
    case 'stuck':
      return isQuarantined(record, digest) || record.stuck?.digest === digest ? 'stay' : 'begin';
    case 'applying':
    case 'verifying':
      if (record.attempt?.digest === digest) return 'stay';
      return known ? 'back' : 'begin';
  }
}

/** Pure. A newer digest takes the place of what is under way: the old one is neither healthy nor quarantined. */
export function supersede<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: InRepository<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { unit, record, wait } = standing;
  const difference = look.kind.diff(unit, look.observed, record.made);
  const isShut = wait !== undefined || difference.blocked.length > 0;
  if (record.phase === 'rolling-back' || record.phase === 'reverting') {
    // The way back is finished while the new digest cannot begin.
    return isShut ? goBack(look, unit.id, standing, attempt) : begin(look, standing, difference);
  }
  // Nobody knows how what was overtaken does, and what overtook it cannot begin: what was healthy is safe. Where nothing
  // was, to begin what lacks only a thing harms nobody, and to begin what another unit must be in place for might.
  if (isShut && (record.releases.length > 0 || wait !== undefined)) {
    return isHeld(look, unit)
      ? leaveBe(standing, difference.blocked)
      : turnBack(look, standing, attempt);
  }
  return withSuperseded(begin(look, standing, difference), unit.id, attempt);
}

/** What runs may have changed data in a way that the last healthy release does not understand. */
function isHeld<Spec, Observed, Call>(
  { kind }: Look<Spec, Observed, Call>,
  unit: Rendered<Spec>,
): boolean {
  return kind.rollback(unit).mode === 'hold';
}

/**
 * It may not go back, and nobody can judge it: what it asked for is not in the record. Its clock stands, should the
 * repository want it again.
 */
function leaveBe<Spec, Call>(
  { record, watch, wait }: InRepository<Spec>,
  blocked: readonly Blocked[],
): Moved<Call> {
  const why = wait?.why ?? heldBy(blocked) ?? '';
  return {
    ...unmoved(record, { ...watch, stands: true }),
    held: `${why}; until then what was begun before stays as it is`,
    blocked,
    // What it waits for is a unit itself, and is looked at when that can matter.
    ...(wait && { wait, patient: true }),
  };
}

/** Nothing else is safe: neither what failed, nor what was healthy before it, nor what nobody judges any more. */
function needPerson<Spec, Observed, Call>(
  { nowMs, date }: Look<Spec, Observed, Call>,
  { unit, record }: InRepository<Spec>,
  failed: Quarantined,
): Moved<Call> {
  const { digest, code, evidence } = failed;
  const why = `the repository wants again what was given up before (${failed.why}), and \`rollback.mode\` is \`hold\``;
  const failure = { code, why, evidence };
  // As after its own failure: what a person brings back then is the last healthy release.
  const noted = quarantined(record, { ...failed, at: date });
  return {
    ...unmoved(stuck(noted, { digest, ...failure, at: date }), newWatch('stuck', nowMs)),
    events: [{ event: 'unit stuck', id: unit.id, ...failure }],
  };
}

/** Pure. The repository went back to what is known while something else was under way: nothing new is quarantined. */
export function turnBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: InRepository<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { unit, record } = standing;
  if (look.kind.rollback(unit).mode === 'forward') {
    // What is wanted again is corrected, or is quarantined and stays.
    const stopped = unmoved<Call>(settled(record), newWatch('none', look.nowMs));
    return withSuperseded({ ...stopped, soon: true }, unit.id, attempt);
  }
  const failed = record.quarantine.find(({ digest }) => digest === unit.digest);
  if (failed !== undefined && isHeld(look, unit)) {
    return withSuperseded(needPerson(look, standing, failed), unit.id, attempt);
  }
  const baseline = look.kind.baseline(unit, look.observed);
  const back = goingBack(record, { baseline, absent: look.absent });
  const watch = watchOf(undefined, `back ${back.attempt.digest}`, look.nowMs);
  const moved = goBack(
    look,
    unit.id,
    { unit, record: back, watch, refusal: undefined },
    back.attempt,
  );
  return withSuperseded(moved, unit.id, attempt);
}

function withSuperseded<Call>(moved: Moved<Call>, id: Id, { revision }: Attempt): Moved<Call> {
  return { ...moved, events: [{ event: 'unit superseded', id, revision }, ...moved.events] };
}

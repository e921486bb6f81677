import type { Id, Rendered } from './kind.ts';
import type { Look, Moved, Standing } from './look.ts';
import { goBack } from './step-back.ts';
import { begin } from './step-forward.ts';
import { watchOf } from './step-rest.ts';
import { type Attempt, goingBack, isQuarantined, type UnitRecord } from './unit.ts';

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
    return turnBack(look, standing, attempt);
  }
  return withSuperseded(begin(look, standing, difference), unit.id, attempt);
}

/** Pure. The repository went back to what is known while something else was under way: nothing new is quarantined. */
export function turnBack<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  standing: InRepository<Spec>,
  attempt: Attempt,
): Moved<Call> {
  const { unit, record } = standing;
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

import type { First } from '../../core/first.ts';
import type { Blocked, Kind, Rendered } from '../../core/kind.ts';
import { withValues } from './given-values.ts';
import type { StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';

type StackKind = Kind<StackSpec, StackObserved, StackCall>;

/**
 * Pure. The kind of a stack for units with stand-ins in them: what is compared, judged and kept has the values of other units. Where
 * one is not known nothing is called.
 */
export function withGivenValues(kind: StackKind): StackKind {
  return {
    ...kind,
    diff: (unit, observed, made) => {
      const whole = withValues(unit, observed.given);
      if (whole.status === 'whole') return kind.diff(whole.unit, observed, made);
      return { operations: [], blocked: whole.units.map((id) => lacking(unit, id)) };
    },
    first: (unit, seen, input) => kind.first?.(known(unit, seen), seen, input) ?? CLEAR,
    baseline: (unit, seen) => kind.baseline(known(unit, seen), seen),
    health: (unit, seen, more) => kind.health(known(unit, seen), seen, more),
    givenUp: (unit, seen, more) => kind.givenUp(known(unit, seen), seen, more),
    resume: (unit, seen) => kind.resume(known(unit, seen), seen),
    release: (unit, seen, parts) => kind.release(known(unit, seen), seen, parts),
    spares: (unit, seen) => kind.spares(known(unit, seen), seen),
  };
}

/** Nobody is asked. */
const CLEAR: First = { status: 'clear' };

/** As it is written where not all is known. */
function known(unit: Rendered<StackSpec>, { given }: StackObserved): Rendered<StackSpec> {
  const whole = withValues(unit, given);
  return whole.status === 'whole' ? whole.unit : unit;
}

function lacking({ id }: Rendered<StackSpec>, giver: string): Blocked {
  return { target: id, why: `what \`${giver}\` gives is not known yet`, waits: true };
}

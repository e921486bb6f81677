import type { Id } from '../core/kind.ts';
import { isToChange, type Plan } from '../core/plan.ts';
import type { Units } from './plan-ports.ts';

/** Pure. The plan without units that are wanted and of which nothing is known: they neither change nor stay. */
export function leftOut(plan: Plan, closed: ReadonlySet<Id>): Plan {
  const different = plan.units.filter(isToChange).filter(({ id }) => closed.has(id)).length;
  return {
    ...plan,
    units: plan.units.filter(({ id }) => !closed.has(id)),
    unchanged: plan.unchanged + different - closed.size,
  };
}

/** Pure. Two revisions compared, where stacks of either may be closed: of one that leaves it is known that it leaves. */
export function withoutClosed(plan: Plan, before: Units, after: Units): Plan {
  const isClosed = new Set([...before, ...after].flatMap((one) => (one.closed ? [one.id] : [])));
  const wanted = new Set(after.map(({ id }) => id));
  const gone = [...isClosed].filter((id) => !wanted.has(id)).toSorted();
  const notes = gone.map((id) => `${id} is removed: what it has is encrypted and not known here`);
  const left = leftOut(plan, new Set([...isClosed].filter((id) => wanted.has(id))));
  return { ...left, notes: [...left.notes, ...notes] };
}

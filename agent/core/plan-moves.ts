import type { Id, Rendered } from './kind.ts';
import { movesOf } from './moves.ts';

/** Who takes whose place, both ways round. */
export interface PlannedMoves {
  /** By the one that takes a place. */
  readonly from: ReadonlyMap<Id, Id>;
  /** By the one whose place is taken. */
  readonly to: ReadonlyMap<Id, Id>;
}

/** Pure. Who would take whose place, as a step has it. `before`: what was there, by its id. */
export function plannedMoves<Spec>(
  desired: readonly Rendered<Spec>[],
  before: ReadonlyMap<Id, { readonly movedFrom?: Id }>,
): PlannedMoves {
  const from = movesOf(desired, before);
  return { from, to: new Map([...from].map(([id, on]) => [on, id])) };
}

/** Pure. For people, of the one that takes a place. */
export function takesPlace(on: Id): string {
  return `it takes the place of ${on}, which is stopped first`;
}

/** Pure. For people, of the one whose place is taken. */
export function makesPlace(to: Id, how: 'is stopped first' | 'stands still'): string {
  return `it ${how}, so that ${to} takes its place; it is removed once that is healthy, and runs again if that fails`;
}

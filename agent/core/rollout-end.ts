import type { Id } from './kind.ts';
import type { Rollout } from './rollout.ts';
import type { UnitView } from './view.ts';

/** Units of a revision that the brake holds: it may be hundreds. */
export interface HeldUnits {
  readonly count: number;
  /** Some of them by name. */
  readonly first: readonly Id[];
}

/** The brake holds the rest of a revision until another revision or a person comes. */
export interface Stopped {
  readonly revision: string;
  /** For people; the same as long as nothing else stops it. */
  readonly why: string;
  readonly held: HeldUnits;
}

const NAMED_MAX = 10;

/** Pure. Undefined where nothing stopped the revision, or nothing is left of it to be held. */
export function stoppedOf<Spec>(
  { stopped: why, revision }: Pick<Rollout<Spec>, 'stopped' | 'revision'>,
  views: readonly UnitView[],
): Stopped | undefined {
  const held = heldUnits(views);
  return why === undefined || held === undefined ? undefined : { revision, why, held };
}

/** Pure. The units that are held until another revision or a person comes; undefined where there is none. */
export function heldUnits(views: readonly UnitView[]): HeldUnits | undefined {
  const held = views.filter(isHeldBack);
  if (held.length === 0) return undefined;
  return { count: held.length, first: held.slice(0, NAMED_MAX).map(({ id }) => id) };
}

/** Pure. Whether a unit is part of the rest that is held. */
export function isHeldBack({ heldBy, waits }: UnitView): boolean {
  return heldBy === 'rollout' && waits !== undefined;
}

import type { Kind, Operation, Rendered } from './kind.ts';
import { withoutProofs } from './prove.ts';
import { makesPlace, plannedMoves, type PlannedMoves } from './plan-moves.ts';
import {
  inWaves,
  type Plan,
  type PlannedOperation,
  type PlanWords,
  removalOf,
  type Unplaced,
} from './plan.ts';
import type { Step, UnitWork } from './step.ts';
import { isWayBack, type UnitRecord } from './unit.ts';
import type { UnitView } from './view.ts';

/** What a step was decided from, as far as its plan needs it. */
export interface Now<Spec, Observed> {
  readonly environment: string;
  readonly desired: readonly Rendered<Spec>[];
  readonly observed: Observed;
  /** As the record had them before the step. */
  readonly units: ReadonlyMap<Rendered<Spec>['id'], UnitRecord>;
  readonly notes: readonly string[];
}

/** Pure. What an agent would do now and what it would hold, by the very step that it would take. */
export function planNow<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  words: PlanWords<Spec, Call>,
  step: Step<Call>,
  now: Now<Spec, Observed>,
): Plan {
  const { environment, desired, notes } = now;
  const work = new Map(step.work.map((one) => [one.id, one]));
  const views = new Map(step.views.map((view) => [view.id, view]));
  const kept = desired.map((unit) => unitOf(kind, words, { unit, now, step }, { work, views }));
  const moves = plannedMoves(desired, now.units);
  const left = step.views
    .filter((view) => view.left === true)
    .map((view) => leftOf(kind, view, work.get(view.id), { step, now, moves }));
  return { environment, ...inWaves(desired, [...kept, ...left]), notes };
}

interface Found<Call> {
  readonly work: ReadonlyMap<string, UnitWork<Call>>;
  readonly views: ReadonlyMap<string, UnitView>;
}

function unitOf<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  words: PlanWords<Spec, Call>,
  at: { unit: Rendered<Spec>; now: Now<Spec, Observed>; step: Step<Call> },
  { work, views }: Found<Call>,
): Unplaced {
  const { unit, now, step } = at;
  const view = views.get(unit.id);
  const shown = (operations: readonly Operation<Call>[]): readonly PlannedOperation[] =>
    operations.map((one) => words.operation(one, unit));
  const isThere = kind.isThere(unit, now.observed);
  const wasThere = (now.units.get(unit.id)?.releases.length ?? 0) > 0;
  const change = isThere || wasThere ? ('change' as const) : ('add' as const);
  const called = withoutProofs(work.get(unit.id)?.operations ?? []);
  const due = called.known;
  const after = step.units.get(unit.id);
  const isKept = due.length > 0 && isKeptBack(unit, view, after);
  // What failed is not tried: what it differs in is no plan.
  const isTried = view?.quarantined !== true && (due.length === 0 || isKept);
  const { operations: differing, later: surplus = [] } = isTried
    ? kind.diff(unit, now.observed, after?.made ?? kind.parts(unit))
    : { operations: [] };
  const wanted = withoutProofs(differing);
  const later = [...wanted.known, ...surplus];
  const isBack = after !== undefined && isWayBack(after);
  // Where nothing of what is wanted is left to be called, the way back is all that there is to show.
  const begins = due.length > 0 && (!isKept || (isBack && later.length === 0));
  const held = begins ? undefined : (view?.held ?? heldBack(later, after, isThere));
  const meanwhile = isKept && !begins && !isBack ? [KEPT] : [];
  return {
    id: unit.id,
    change,
    operations: shown(begins ? [...due, ...(work.get(unit.id)?.later ?? [])] : later),
    ...(held !== undefined && { held }),
    blocked: (view?.blocked ?? []).map(({ why }) => why).filter((why) => why !== held),
    notes: [
      ...new Set([...(view?.notes ?? []), ...called.notes, ...wanted.notes]),
      ...meanwhile,
      ...standing(unit, view, { now, step, after, begins }),
    ],
  };
}

const KEPT = 'until it begins it is kept as its last healthy release has it, which takes calls now';

/** What is called for it leads to an earlier release only because what is wanted, which did not fail, may not begin. */
function isKeptBack<Spec>(
  { digest }: Rendered<Spec>,
  view: UnitView | undefined,
  after: UnitRecord | undefined,
): boolean {
  if (after === undefined || view?.quarantined === true) return false;
  const towards =
    after.phase === 'none' ? after.releases[0]?.digest : (after.attempt?.digest ?? digest);
  return towards !== digest;
}

/** The step holds it and says nothing, as what runs again would be for drift. */
function heldBack<Call>(
  later: readonly Operation<Call>[],
  after: UnitRecord | undefined,
  isThere: boolean,
): string | undefined {
  if (later.length === 0) return undefined;
  // The agent finds out first whether that is all.
  if (after === undefined && isThere)
    return 'it was there before and differs: it waits for `understudy approve`';
  return after !== undefined && isWayBack(after)
    ? 'it goes back to an earlier release first'
    : 'it is left as it is for now';
}

/** Where the unit stands, where that is not plain from what would be done. */
function standing<Spec, Observed, Call>(
  { id, digest }: Rendered<Spec>,
  view: UnitView | undefined,
  at: {
    readonly now: Now<Spec, Observed>;
    readonly step: Step<Call>;
    readonly after: UnitRecord | undefined;
    readonly begins: boolean;
  },
): readonly string[] {
  const { now, step, after, begins } = at;
  const failed = after?.quarantine.find((one) => one.digest === digest);
  if (step.events.some((one) => one.event === 'unit adopted' && one.id === id)) {
    return ['it runs already as it is wanted: it is taken over, and nothing is changed'];
  }
  const notes =
    failed === undefined
      ? []
      : [`it failed before and is not tried again: ${failed.why}; understudy retry ${id} does`];
  const phase = view?.phase ?? 'none';
  const isBack = after !== undefined && isWayBack(after);
  if (phase === 'none' || phase === 'stuck' || (begins && !isBack)) return notes;
  const moving =
    isBack || now.units.get(id)?.phase === phase
      ? `it is ${inWords(phase)} now`
      : 'nothing is called for it, and it is watched until it is healthy once more';
  return [...notes, moving];
}

function inWords(phase: UnitView['phase']): string {
  switch (phase) {
    case 'applying':
      return 'being applied';
    case 'rolling-back':
    case 'reverting':
      return 'on its way back to its last healthy release';
    case 'removing':
      return 'being removed';
    case 'none':
    case 'stuck':
    case 'verifying':
      return phase;
  }
}

/** What left the repository: all of it goes, in the order that the kind says, unless it comes back. */
function leftOf<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  { id, held }: UnitView,
  work: UnitWork<Call> | undefined,
  { step, now, moves }: { step: Step<Call>; now: Now<Spec, Observed>; moves: PlannedMoves },
): Unplaced {
  const after = step.units.get(id);
  const to = after?.movedTo ?? moves.to.get(id);
  const isBack = after !== undefined && isWayBack(after);
  const isHeld = held !== undefined && work === undefined;
  return {
    id,
    change: 'remove',
    operations: isBack && to !== undefined ? [] : removalOf(kind.members(id, now.observed)),
    ...(isHeld && { held }),
    blocked: [],
    notes: leftNotes(after, to, now.units.get(id)?.movedTo === to && work === undefined),
  };
}

function leftNotes(
  after: UnitRecord | undefined,
  to: UnitRecord['movedTo'],
  standsStill: boolean,
): readonly string[] {
  if (after !== undefined && isWayBack(after)) {
    return to === undefined
      ? [`it is ${inWords(after.phase)} first, and is removed after that`]
      : [`it comes back: ${to} does not take its place for now`];
  }
  if (to === undefined || after?.phase === 'removing') return [];
  return [makesPlace(to, standsStill ? 'stands still' : 'is stopped first')];
}

import type { Kind, Operation, Rendered } from './kind.ts';
import {
  inWaves,
  type Plan,
  type PlannedOperation,
  type PlanWords,
  removalOf,
  type Unplaced,
} from './plan.ts';
import type { Step, UnitWork } from './step.ts';
import type { UnitRecord } from './unit.ts';
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
  const left = step.views
    .filter((view) => view.left === true)
    .map((view) => leftOf(kind, view, work.get(view.id), now));
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
  const change = isThere ? ('change' as const) : ('add' as const);
  const due = work.get(unit.id)?.operations ?? [];
  const begins = due.length > 0;
  // What failed is not tried: what it differs in is no plan.
  const later =
    begins || view?.quarantined === true ? [] : kind.diff(unit, now.observed).operations;
  const held = begins ? undefined : (view?.held ?? heldBack(later));
  return {
    id: unit.id,
    change,
    operations: shown(begins ? due : later),
    ...(held !== undefined && { held }),
    blocked: (view?.blocked ?? []).map(({ why }) => why).filter((why) => why !== held),
    notes: [...(view?.notes ?? []), ...standing(unit, view, { now, step, begins })],
  };
}

/** The step holds it and says nothing, as what runs again would be for drift. */
function heldBack<Call>(later: readonly Operation<Call>[]): string | undefined {
  return later.length === 0 ? undefined : 'it is left as it is for now';
}

/** Where the unit stands, where that is not plain from what would be done. */
function standing<Spec, Observed, Call>(
  { id, digest }: Rendered<Spec>,
  view: UnitView | undefined,
  { now, step, begins }: { now: Now<Spec, Observed>; step: Step<Call>; begins: boolean },
): readonly string[] {
  const record = now.units.get(id);
  const failed = record?.quarantine.find((one) => one.digest === digest);
  if (step.events.some((one) => one.event === 'unit adopted' && one.id === id)) {
    return ['it runs already as it is wanted: it is taken over, and nothing is changed'];
  }
  const notes =
    failed === undefined
      ? []
      : [`it failed before and is not tried again: ${failed.why}; understudy retry ${id} does`];
  const phase = view?.phase ?? 'none';
  if (phase === 'none' || phase === 'stuck' || begins) return notes;
  const moving =
    record?.phase === phase
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

/** What left the repository: all of it goes, in the order that the kind says. */
function leftOf<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  { id, held }: UnitView,
  work: UnitWork<Call> | undefined,
  { observed }: Now<Spec, Observed>,
): Unplaced {
  const isHeld = held !== undefined && work === undefined;
  return {
    id,
    change: 'remove',
    operations: removalOf(kind.members(id, observed)),
    ...(isHeld && { held }),
    blocked: [],
    notes: [],
  };
}

import type { Blocked, Health, Id, Kind, Operation, Rendered } from './kind.ts';
import {
  failed,
  type Failure,
  isFutile,
  judge,
  newAttempt,
  recovered,
  type UnitState,
  verifying,
} from './unit.ts';

/** What one unit may do now. */
export interface UnitWork<Call> {
  readonly id: Id;
  readonly operations: readonly Operation<Call>[];
}

/** What one look at a unit gave, for people. */
export interface UnitView {
  readonly id: Id;
  readonly state: UnitState;
  readonly differs: boolean;
  readonly blocked: readonly Blocked[];
  /** What differs and is left as it is. */
  readonly notes: readonly string[];
  readonly health?: Health;
}

/** The outcome of one look at everything. */
export interface Step<Call> {
  readonly work: readonly UnitWork<Call>[];
  readonly states: ReadonlyMap<Id, UnitState>;
  readonly views: readonly UnitView[];
  /** How soon looking again can matter, at the latest. */
  readonly wakeMs: number;
}

/** What a step is decided from. */
export interface StepInput<Spec, Observed, Call> {
  readonly kind: Kind<Spec, Observed, Call>;
  readonly desired: readonly Rendered<Spec>[];
  readonly observed: Observed;
  readonly states: ReadonlyMap<Id, UnitState>;
  readonly nowMs: number;
  /** Between looks while nothing is under way, and while something is. */
  readonly intervalMs: number;
  readonly verifyMs: number;
}

interface UnitStep<Call> {
  readonly view: UnitView;
  readonly operations: readonly Operation<Call>[];
}

/** Pure. For each unit the one step that is allowed now. Units that left the repository are left alone. */
export function step<Spec, Observed, Call>(input: StepInput<Spec, Observed, Call>): Step<Call> {
  const steps = input.desired.map((unit) => stepUnit(input, unit));
  const work = steps
    .filter(({ operations }) => operations.length > 0)
    .map(({ view, operations }) => ({ id: view.id, operations }));
  return {
    work,
    states: new Map(steps.map(({ view }) => [view.id, view.state])),
    views: steps.map(({ view }) => view),
    wakeMs: soonest(
      steps.map(({ view }) => wakeOf(view, input)),
      input.intervalMs,
    ),
  };
}

function stepUnit<Spec, Observed, Call>(
  input: StepInput<Spec, Observed, Call>,
  unit: Rendered<Spec>,
): UnitStep<Call> {
  const { kind, observed, nowMs } = input;
  const { operations, blocked, notes = [] } = kind.diff(unit, observed);
  const differs = operations.length > 0 || blocked.length > 0;
  const state = remembered(input, unit);

  if (!differs) {
    const applied = state.phase === 'applying' ? verifying(state, nowMs) : state;
    const { next, health } = looked(input, unit, applied);
    return { view: { id: unit.id, state: next, differs, blocked, notes, health }, operations: [] };
  }
  const next = blocked.length > 0 ? state : moved(input, unit, state, operations);
  const due = blocked.length === 0 && next.phase === 'applying' && nowMs >= next.retryAtMs;
  return {
    view: { id: unit.id, state: next, differs, blocked, notes },
    operations: due ? operations : [],
  };
}

/** What is remembered of this digest, or a new attempt where there is nothing. */
function remembered<Spec, Observed, Call>(
  input: StepInput<Spec, Observed, Call>,
  unit: Rendered<Spec>,
): UnitState {
  const state = input.states.get(unit.id);
  return state === undefined || state.digest !== unit.digest ? attempt(input, unit) : state;
}

function attempt<Spec, Observed, Call>(
  input: StepInput<Spec, Observed, Call>,
  unit: Rendered<Spec>,
): UnitState {
  return newAttempt(unit.digest, input.kind.baseline(unit, input.observed), input.nowMs);
}

/**
 * What is live is not what is wanted. Where the engine took a failing update back by itself that is the digest's failure,
 * and a failed digest is never applied again: correcting it would repeat for ever. The same holds for calls without effect.
 */
function moved<Spec, Observed, Call>(
  input: StepInput<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  state: UnitState,
  operations: readonly Operation<Call>[],
): UnitState {
  if (state.verdict?.status === 'failed' && state.phase === 'none') return state;
  const begun = state.phase === 'verifying' || state.tries > 0 || state.rounds > 0;
  if (begun && state.phase !== 'none') {
    const health = input.kind.health(unit, input.observed, new Set(state.baseline));
    if (health.status === 'failing') return failed(state, health);
  }
  if (isFutile(state)) return failed(state, noEffect(operations));
  return state.phase === 'applying' ? state : attempt(input, unit);
}

function noEffect<Call>(operations: readonly Operation<Call>[]): Failure {
  const paths = operations.flatMap(({ target, fields }) =>
    fields.length === 0 ? [target] : fields.map(({ path }) => path),
  );
  const why = 'the engine took the change and stores something else';
  return { code: 'no-effect', why, evidence: paths.slice(0, 10).join(', ') };
}

/**
 * How a unit does whose spec is in place. What verifies is judged by everything since the attempt began. What has settled
 * is looked at as it is now, because the engine keeps old failures in its history: it may degrade, or recover by itself.
 */
function looked<Spec, Observed, Call>(
  { kind, observed, nowMs }: StepInput<Spec, Observed, Call>,
  unit: Rendered<Spec>,
  state: UnitState,
): { readonly next: UnitState; readonly health: Health } {
  const times = kind.times(unit);
  if (state.phase === 'verifying') {
    const health = kind.health(unit, observed, new Set(state.baseline));
    return { next: judge(state, health, times, nowMs), health };
  }
  const health = kind.health(unit, observed, new Set(kind.baseline(unit, observed)));
  const failedHere = state.verdict?.status === 'failed';
  return { next: failedHere ? recovered(state, health, times, nowMs) : state, health };
}

function wakeOf<Spec, Observed, Call>(
  view: UnitView,
  input: StepInput<Spec, Observed, Call>,
): number {
  switch (view.state.phase) {
    case 'verifying':
      return input.verifyMs;
    case 'applying':
      return view.blocked.length > 0
        ? Math.min(input.intervalMs, 5_000)
        : Math.max(0, view.state.retryAtMs - input.nowMs);
    case 'none':
      return input.intervalMs;
  }
}

function soonest(values: readonly number[], atMostMs: number): number {
  return values.reduce((least, value) => Math.min(least, value), atMostMs);
}

import type { Id } from '../core/kind.ts';
import type { Step, UnitView } from '../core/step.ts';
import type { Clock, Reporter } from './ports.ts';

/** What people were told last, so that only what changed is told. */
export interface Told {
  readonly units: ReadonlyMap<Id, string>;
  readonly notes: ReadonlyMap<Id, string>;
  readonly degraded: ReadonlySet<Id>;
  /** The revision whose end was told, and how it ended. */
  readonly ended: string | undefined;
  /** Why nothing could be read, while that lasts. */
  readonly waiting: string | undefined;
}

/** Nothing was told yet. */
export const nothingTold: Told = {
  units: new Map(),
  notes: new Map(),
  degraded: new Set(),
  ended: undefined,
  waiting: undefined,
};

/** Tells what a step changed in how units and the revision stand. */
export function tellStep<Call>(
  next: Step<Call>,
  desired: { readonly revision: string; readonly seenAtMs: number },
  told: Told,
  ports: { readonly reporter: Reporter; readonly clock: Clock },
): Told {
  const { reporter, clock } = ports;
  if (told.waiting !== undefined) reporter.tell({ event: 'going on', of: 'swarm' });
  const units = new Map<Id, string>();
  const notes = new Map<Id, string>();
  const degraded = new Set<Id>();
  for (const view of next.views) {
    const noted = view.notes.join('; ');
    notes.set(view.id, noted);
    if (noted !== (told.notes.get(view.id) ?? '') && noted !== '') {
      reporter.tell({ event: 'unit notes', id: view.id, notes: view.notes });
    }
    const line = standing(view);
    units.set(view.id, line);
    if (told.units.get(view.id) !== line) tellUnit(view, reporter, clock.nowMs());
    if (isDegraded(view)) degraded.add(view.id);
    tellDegraded(view, told.degraded.has(view.id), reporter);
  }
  return {
    units,
    notes,
    degraded,
    ended: tellEnd(next.views, desired, told.ended, ports),
    waiting: undefined,
  };
}

/** A revision has ended when nothing is under way; it can end again when a failed unit recovers. */
function tellEnd(
  views: readonly UnitView[],
  { revision, seenAtMs }: { readonly revision: string; readonly seenAtMs: number },
  told: string | undefined,
  { reporter, clock }: { readonly reporter: Reporter; readonly clock: Clock },
): string | undefined {
  if (views.some(({ state }) => state.phase !== 'none')) return told;
  const failed = views.filter((view) => !isHealthy(view)).map(({ id }) => id);
  const ended = [revision, ...failed].join(' ');
  if (ended === told) return told;
  const [units, ms] = [views.length, clock.nowMs() - seenAtMs];
  reporter.tell(
    failed.length === 0
      ? { event: 'revision healthy', revision, units, ms }
      : { event: 'revision failed', revision, failed, units, ms },
  );
  return ended;
}

function isHealthy({ state, differs }: UnitView): boolean {
  return !differs && state.phase === 'none' && state.verdict?.status === 'healthy';
}

/** Was healthy, nothing is to be done about it, and its tasks are not as they should be. */
function isDegraded(view: UnitView): boolean {
  return isHealthy(view) && view.health?.status !== 'converged';
}

function tellDegraded(view: UnitView, was: boolean, reporter: Reporter): void {
  const tasks = view.health?.summary ?? '';
  if (isDegraded(view) && !was) reporter.tell({ event: 'unit degraded', id: view.id, tasks });
  if (was && isHealthy(view) && !isDegraded(view)) {
    reporter.tell({ event: 'unit recovered', id: view.id, tasks });
  }
}

/** After so many tries it is no hiccup, and people are told what the unit waits for. */
const TRIES_TOLD = 4;

/** Why a unit does not get on, if so. */
function heldBy({ state, blocked }: UnitView): string | undefined {
  if (blocked.length > 0) return blocked.map(({ why }) => why).join('; ');
  return state.phase === 'applying' && state.tries >= TRIES_TOLD ? state.trouble : undefined;
}

/** All that is worth a new line when it changes. */
function standing(view: UnitView): string {
  const { state, health } = view;
  return JSON.stringify([
    state.phase,
    state.digest,
    state.verdict?.status,
    heldBy(view),
    state.phase === 'verifying' ? health?.summary : undefined,
  ]);
}

function tellUnit(view: UnitView, reporter: Reporter, nowMs: number): void {
  const { id, state, health } = view;
  const why = heldBy(view);
  if (why !== undefined) {
    reporter.tell({ event: 'unit held', id, why });
    return;
  }
  const { verdict } = state;
  if (state.phase === 'verifying') {
    reporter.tell({ event: 'unit verifying', id, tasks: health?.summary ?? '' });
  } else if (state.phase === 'none' && verdict?.status === 'healthy') {
    reporter.tell({ event: 'unit healthy', id, ms: nowMs - state.attemptAtMs });
  } else if (state.phase === 'none' && verdict?.status === 'failed') {
    const { code, why: cause, evidence } = verdict;
    reporter.tell({ event: 'unit failed', id, code, why: cause, evidence });
  }
}

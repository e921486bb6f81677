import type { Id } from '../core/kind.ts';
import { type HeldUnits, heldUnits, isHeldBack } from '../core/rollout-end.ts';
import type { UnitRecord } from '../core/unit.ts';
import type { UnitView } from '../core/view.ts';
import type { History, RevisionRecord, Waiting } from './history.ts';
import type { AgentEvent } from './ports.ts';

const REVISIONS_MAX = 50;

type RevisionEvent = Extract<AgentEvent, { event: 'revision healthy' | 'revision failed' }>;

/** How the followed revision stands, and what can be told of it where it has ended. */
export interface RevisionStanding {
  readonly history: History;
  readonly event: RevisionEvent | undefined;
}

/**
 * Pure. A revision has ended when none of its units is under way or due. It failed where it quarantined a unit, or one
 * needs a person, or what it changed waits for a unit that failed, or is held because such units failed; it can end again when somebody helps, or when a unit
 * that is suspended is resumed: it does not wait for those. What failed with an earlier revision is not this one's failure.
 */
export function judgeRevision(
  history: History,
  desired: { readonly revision: string; readonly ms: number; readonly date: string },
  views: readonly UnitView[],
  units: ReadonlyMap<Id, UnitRecord>,
): RevisionStanding {
  const { revision: commit, ms, date } = desired;
  const seen = seeing(history, commit, date);
  if (views.some(({ pending }) => pending)) return { history: seen, event: undefined };

  const ends = endsOf(seen, commit, views, units);
  const { failed, quarantined, waiting, suspended, outcome } = ends;
  const there = views.filter(({ left }) => left !== true).length;
  const event = eventOf(ends, { revision: commit, units: there, ms }, units);
  const [last] = seen.revisions;
  if (last !== undefined && isSame(last, { commit, ...ends })) return { history: seen, event };
  const changed = views.filter(({ id }) => changedBy(units.get(id), commit)).length;
  const entry: RevisionRecord = {
    commit,
    outcome,
    units: changed,
    failed,
    quarantined,
    at: date,
    ...(waiting.length > 0 && { waiting }),
    ...(ends.held && { held: ends.held.count }),
    ...(suspended.length > 0 && { suspended }),
  };
  const others = seen.revisions.filter((one, at) => at > 0 || one.commit !== commit);
  const revisions = [entry, ...others].slice(0, REVISIONS_MAX);
  return { history: { ...seen, settled: commit, revisions }, event };
}

type Ends = Pick<RevisionRecord, 'outcome' | 'failed' | 'quarantined'> & {
  readonly waiting: readonly Waiting[];
  readonly suspended: readonly Id[];
  readonly held: HeldUnits | undefined;
};

/** How each unit ended, and the revision with them. */
function endsOf(
  seen: History,
  commit: string,
  views: readonly UnitView[],
  units: ReadonlyMap<Id, UnitRecord>,
): Ends {
  const failed = views
    .filter((view) => failedWith(view, units.get(view.id), commit, seen))
    .map(({ id }) => id);
  const quarantined = views
    .filter((view) => view.quarantined && !failed.includes(view.id))
    .map(({ id }) => id);
  const waits = views.filter(
    (view) => view.waits !== undefined && !isHeldBack(view) && !failed.includes(view.id),
  );
  const rest = views.filter(isHeldBack);
  const waiting = waits.map(({ id, digest }) => ({ id, digest }));
  const stopped =
    waits.some((view) => view.waits === 'failed' && !waitedBefore(view, commit, seen)) ||
    rest.some((view) => view.waits === 'failed');
  const asBefore =
    failed.every((id) => isBack(units.get(id))) &&
    [...waiting, ...rest].every(({ id }) => isBack(units.get(id)));
  const outcome =
    failed.length === 0 && !stopped
      ? 'healthy'
      : failed.length > 0 && asBefore
        ? 'rolled-back'
        : 'failed';
  const suspended = views.filter(({ leftOut }) => leftOut === true).map(({ id }) => id);
  return { outcome, failed, quarantined, waiting, suspended, held: heldUnits(views) };
}

function eventOf(
  { outcome, failed, quarantined, waiting, suspended, held: rest }: Ends,
  told: { readonly revision: string; readonly units: number; readonly ms: number },
  units: ReadonlyMap<Id, UnitRecord>,
): RevisionEvent {
  const held = {
    ...(waiting.length > 0 && { waiting: waiting.map(({ id }) => id) }),
    ...(rest && { held: rest }),
  };
  if (outcome === 'healthy') {
    return { event: 'revision healthy', quarantined, suspended, ...held, ...told };
  }
  const rolledBack = failed.filter((id) => isBack(units.get(id)));
  return { event: 'revision failed', failed, rolledBack, ...held, ...told };
}

/** Whether it ended so already. */
function isSame(
  last: RevisionRecord,
  { commit, ...ends }: Ends & { readonly commit: string },
): boolean {
  return (
    last.commit === commit &&
    last.outcome === ends.outcome &&
    sameTexts(last.failed, ends.failed) &&
    sameTexts(last.quarantined, ends.quarantined) &&
    sameTexts((last.waiting ?? []).map(inWords), ends.waiting.map(inWords)) &&
    last.held === ends.held?.count &&
    sameTexts(last.suspended ?? [], ends.suspended)
  );
}

function inWords({ id, digest }: Waiting): string {
  return `${id} ${digest}`;
}

/** A revision that a newer one overtakes before it ended is noted as such. */
function seeing(history: History, commit: string, at: string): History {
  const { seen, revisions } = history;
  if (seen === commit) return history;
  if (seen === '' || revisions[0]?.commit === seen) return { ...history, seen: commit };
  const overtaken: RevisionRecord = {
    commit: seen,
    outcome: 'superseded',
    units: 0,
    failed: [],
    quarantined: [],
    at,
  };
  return { ...history, seen: commit, revisions: [overtaken, ...revisions].slice(0, REVISIONS_MAX) };
}

/**
 * The quarantine came with this revision, or with one that this one overtook, or this one asks again for what failed
 * before. Where the revision before stood no better it is no news, and what a person took back is no failure.
 */
function failedWith(
  { id, digest, phase, quarantined }: UnitView,
  unit: UnitRecord | undefined,
  commit: string,
  { revisions }: History,
): boolean {
  if (phase === 'stuck') return true;
  if (!quarantined) return false;
  const entry = unit?.quarantine.find((one) => one.digest === digest);
  if (entry === undefined || entry.code === 'manual') return false;
  const { earlier, before } = earlierThan(commit, revisions);
  const overtaken = earlier.slice(0, before && earlier.indexOf(before));
  if ([commit, ...overtaken.map((one) => one.commit)].includes(entry.revision)) return true;
  return before !== undefined && ![...before.failed, ...before.quarantined].includes(id);
}

/** What waited for the same already when the revision before ended is no news. */
function waitedBefore({ id, digest }: UnitView, commit: string, { revisions }: History): boolean {
  const { before } = earlierThan(commit, revisions);
  return (before?.waiting ?? []).some((one) => one.id === id && one.digest === digest);
}

/** Revisions before this one, and the last of them that ended. */
function earlierThan(
  commit: string,
  revisions: readonly RevisionRecord[],
): { readonly earlier: readonly RevisionRecord[]; readonly before: RevisionRecord | undefined } {
  const earlier = revisions.filter((one) => one.commit !== commit);
  return { earlier, before: earlier.find(({ outcome }) => outcome !== 'superseded') };
}

function isBack(unit: UnitRecord | undefined): boolean {
  return unit?.phase === 'none' && unit.releases.length > 0;
}

function changedBy(unit: UnitRecord | undefined, commit: string): boolean {
  return (
    unit?.releases[0]?.revision === commit ||
    unit?.quarantine.some(({ revision }) => revision === commit) === true
  );
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text) => other.includes(text));
}

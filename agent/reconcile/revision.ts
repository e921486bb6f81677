import type { Id } from '../core/kind.ts';
import type { UnitRecord } from '../core/unit.ts';
import type { UnitView } from '../core/view.ts';
import type { AgentEvent, History, RevisionRecord } from './ports.ts';

const REVISIONS_MAX = 50;

type RevisionEvent = Extract<AgentEvent, { event: 'revision healthy' | 'revision failed' }>;

/** How the followed revision stands, and what can be told of it where it has ended. */
export interface RevisionStanding {
  readonly history: History;
  readonly event: RevisionEvent | undefined;
}

/**
 * Pure. A revision has ended when none of its units is under way or due. It failed where it quarantined a unit, or one
 * needs a person; it can end again when somebody helps. What failed with an earlier revision is not this one's failure.
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

  const failed = views
    .filter((view) => failedWith(view, units.get(view.id), commit, seen))
    .map(({ id }) => id);
  const rolledBack = failed.filter((id) => isBack(units.get(id)));
  const outcome =
    failed.length === 0
      ? ('healthy' as const)
      : rolledBack.length === failed.length
        ? ('rolled-back' as const)
        : ('failed' as const);
  const quarantined = views
    .filter((view) => view.quarantined && !failed.includes(view.id))
    .map(({ id }) => id);
  const told = { revision: commit, units: views.filter(({ left }) => left !== true).length, ms };
  const event: RevisionEvent =
    failed.length === 0
      ? { event: 'revision healthy', quarantined, ...told }
      : { event: 'revision failed', failed, rolledBack, ...told };
  const [last] = seen.revisions;
  const again = last?.commit === commit && last.outcome === outcome;
  if (again && sameIds(last.failed, failed) && sameIds(last.quarantined, quarantined)) {
    return { history: seen, event };
  }
  const changed = views.filter(({ id }) => changedBy(units.get(id), commit)).length;
  const entry: RevisionRecord = { commit, outcome, units: changed, failed, quarantined, at: date };
  const others = seen.revisions.filter((one, at) => at > 0 || one.commit !== commit);
  const revisions = [entry, ...others].slice(0, REVISIONS_MAX);
  return { history: { ...seen, settled: commit, revisions }, event };
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
  const earlier = revisions.filter((one) => one.commit !== commit);
  const before = earlier.find(({ outcome }) => outcome !== 'superseded');
  const overtaken = earlier.slice(0, before && earlier.indexOf(before));
  if ([commit, ...overtaken.map((one) => one.commit)].includes(entry.revision)) return true;
  return before !== undefined && ![...before.failed, ...before.quarantined].includes(id);
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

function sameIds(one: readonly Id[], other: readonly Id[]): boolean {
  return one.length === other.length && one.every((id) => other.includes(id));
}

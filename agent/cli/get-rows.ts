import type { Id } from '../core/kind.ts';
import type { Live } from '../core/live.ts';
import { type Phase, unknownUnit, type UnitRecord } from '../core/unit.ts';
import type { Standing } from '../reconcile/history.ts';

/** Whether a unit is as the repository wanted it when the record was written last. */
export type Sync = 'Synced' | 'OutOfSync' | 'Quarantined' | 'Removing' | 'Unknown';
/** How a unit does now. */
export type HealthWord = 'Healthy' | 'Progressing' | 'Degraded' | 'Suspended' | 'Unknown';

/** All that is known of one unit without the repository. */
export interface UnitFacts {
  readonly id: Id;
  /** Undefined: the repository has it, and nothing is recorded of it yet. */
  readonly unit: UnitRecord | undefined;
  readonly standing: Standing | undefined;
  /** Whoever wrote the record tells how units stand. */
  readonly told: boolean;
  readonly live: Live | undefined;
}

/** One unit for people. */
export interface UnitRow {
  readonly id: Id;
  readonly sync: Sync;
  /** A step is due and not done. */
  readonly held: boolean;
  readonly health: HealthWord;
  /** The commit that runs, or is brought; empty: nobody can tell; `found`: it was there before the first one. */
  readonly revision: string;
  /** ISO 8601; undefined: no date is recorded of that. */
  readonly since: string | undefined;
  readonly why: string;
}

const WORDS: Readonly<Record<Phase, string>> = {
  none: '',
  applying: 'applying',
  verifying: 'verifying',
  'rolling-back': 'going back',
  reverting: 'verifying the way back',
  stuck: 'stuck',
  removing: 'removing',
};

/** Pure. */
export function rowOf(facts: UnitFacts): UnitRow {
  const { id, standing, unit = unknownUnit } = facts;
  const isHeld = standing !== undefined && standing.sync !== 'in-sync' && standing.why !== '';
  return {
    id,
    sync: syncOf(facts),
    held: isHeld && standing.suspended !== true,
    health: healthOf(facts),
    revision: revisionOf(unit),
    since: sinceOf(unit, standing),
    why: whyOf(facts),
  };
}

function isSuspended({ unit, standing }: UnitFacts): boolean {
  return unit?.suspended !== undefined || standing?.suspended === true;
}

function syncOf({ unit, standing, told }: UnitFacts): Sync {
  if (unit?.phase === 'removing') return 'Removing';
  if (standing?.sync === 'quarantined') return 'Quarantined';
  if (standing?.sync === 'out-of-sync') return 'OutOfSync';
  if (standing?.sync === 'in-sync') return 'Synced';
  switch (unit?.phase) {
    case 'applying':
    case 'rolling-back':
    case 'stuck':
      return told ? 'OutOfSync' : 'Unknown';
    case 'none':
      // Without a healthy release something is due, and the next pass begins with it.
      return !told ? 'Unknown' : unit.releases.length > 0 ? 'Synced' : 'OutOfSync';
    case 'verifying':
    case 'reverting':
      return told ? 'Synced' : 'Unknown';
    case undefined:
      return 'Unknown';
  }
}

function healthOf(facts: UnitFacts): HealthWord {
  const { id, unit, live } = facts;
  if (isSuspended(facts)) return 'Suspended';
  if (live === undefined && id.startsWith('stack/')) return 'Unknown';
  const { phase = 'none', releases = [], quarantine = [] } = unit ?? {};
  if (phase === 'stuck') return 'Degraded';
  if (phase !== 'none') return 'Progressing';
  // What was never healthy was brought to a standstill: that it stands still is no health.
  if (releases.length === 0 && quarantine.length > 0) return 'Degraded';
  // Nothing of a database or an account runs: it is well as long as the agents find it as it is wanted.
  if (live === undefined) return facts.told && syncOf(facts) === 'Synced' ? 'Healthy' : 'Unknown';
  if (live.converged === undefined) return 'Unknown';
  return live.converged ? 'Healthy' : 'Degraded';
}

function revisionOf(unit: UnitRecord): string {
  const { phase, attempt, releases } = unit;
  if (attempt !== undefined) return named(attempt);
  // What is stuck runs what failed or a part of the way back; what goes runs less and less.
  if (phase !== 'none' || releases[0] === undefined) return '';
  return named(releases[0]);
}

function named({
  revision,
  digest,
}: {
  readonly revision: string;
  readonly digest: string;
}): string {
  // An attempt without a digest is the way to a standstill.
  return digest === '' ? '' : revision === '' ? 'found' : revision;
}

function sinceOf(
  { phase, suspended, stuck, quarantine, releases }: UnitRecord,
  standing: Standing | undefined,
): string | undefined {
  if (suspended !== undefined) return suspended.at;
  if (stuck !== undefined) return stuck.at;
  if (phase !== 'none') return undefined;
  if (standing?.sync === 'quarantined') return quarantine[0]?.at;
  return releases[0]?.at ?? quarantine[0]?.at;
}

function whyOf(facts: UnitFacts): string {
  const { unit = unknownUnit, standing, live } = facts;
  const { phase, stuck, quarantine, releases, suspended } = unit;
  const tasks = live?.summary ?? '';
  if (suspended !== undefined) return joined(`suspended by ${suspended.by}`, tasks);
  if (standing?.suspended === true) return joined(standing.why, tasks);
  if (stuck !== undefined) return joined(`stuck: ${stuck.why}`, tasks);
  const held = standing === undefined || standing.why === '' ? '' : `held: ${standing.why}`;
  if (phase !== 'none') return joined(held || WORDS[phase], tasks);
  const [failure] = quarantine;
  const isFailed = standing?.sync === 'quarantined' || releases.length === 0;
  if (failure !== undefined && isFailed) return joined(failure.why, held);
  return joined(held, tasks);
}

function joined(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('; ');
}

import type { Approval } from '../core/approve.ts';
import { minuteOf } from '../core/freeze.ts';
import type { Id, Release } from '../core/kind.ts';
import { suggest } from '../core/suggest.ts';
import type { UnitRecord, UnitRequest } from '../core/unit.ts';
import type { WantedOfUnit } from './ask-options.ts';

/** The parts of the record that are needed to say what can be asked. */
export interface Recorded {
  readonly units: ReadonlyMap<Id, UnitRecord>;
  /** What could not be read. */
  readonly notes: readonly string[];
}

/** Whether it makes sense to ask, and what exactly is asked then. */
export type Judged =
  | {
      readonly status: 'sensible';
      readonly request: UnitRequest;
      readonly record: UnitRecord;
      /** Where a rollback was told to go. */
      readonly release?: Release;
    }
  /** `more`: lines that help to ask better. */
  | { readonly status: 'senseless'; readonly why: string; readonly more: readonly string[] };

/** Pure. What the record says of a request, before anybody is bothered with it. `by` is who asks. */
export function judge(recorded: Recorded, wanted: WantedOfUnit, by: string): Judged {
  const { unit: id, verb, to } = wanted;
  const record = recorded.units.get(id);
  if (record === undefined) return unknown(recorded, id);
  if (verb === 'suspend' || verb === 'resume') {
    const why = needless(verb, id, record);
    if (why !== undefined) return { status: 'senseless', why, more: [] };
    return { status: 'sensible', request: { id, by, verb }, record };
  }
  if (verb === 'retry') {
    const failed = record.quarantine.length > 0 || record.phase === 'stuck';
    const request: UnitRequest = { id, by, verb, ...digestOf(failedDigest(record)) };
    if (failed) return { status: 'sensible', request, record };
    const why = `${id} is not quarantined: there is nothing to try again`;
    return { status: 'senseless', why, more: [] };
  }
  if (record.releases.length === 0) {
    const why = `${id} has no healthy release to go back to`;
    return { status: 'senseless', why, more: [] };
  }
  const meant = digestOf(shownDigest(record));
  if (to === undefined) return { status: 'sensible', request: { id, by, verb, ...meant }, record };
  const found = named(record.releases, to);
  const [release] = found;
  if (release === undefined || found.length > 1) {
    const why =
      release === undefined
        ? `${id} has no release \`${to}\`; these are in the record:`
        : `more than one release of ${id} begins with \`${to}\`:`;
    const shown = record.releases.map((one, at) => [at, one] as const);
    const lines = shown.filter(([, one]) => release === undefined || found.includes(one));
    return { status: 'senseless', why, more: lines.map(([at, one]) => line(one, at + 1)) };
  }
  // Whole: the agent goes to the one that was shown, not to another that begins alike.
  const request: UnitRequest = { id, by, verb, release: release.digest, ...meant };
  return { status: 'sensible', request, record, release };
}

function needless(verb: 'suspend' | 'resume', id: Id, record: UnitRecord): string | undefined {
  const { suspended } = record;
  if (verb === 'suspend') {
    return (
      suspended && `${id} is suspended already, by ${suspended.by} at ${minuteOf(suspended.at)}`
    );
  }
  if (suspended !== undefined) return undefined;
  return `nobody suspended ${id}; where its stack.yaml says \`suspend: true\`, take that out`;
}

function digestOf(digest: string | undefined): { readonly digest?: string } {
  return digest === undefined || digest === '' ? {} : { digest };
}

/** What failed and is wanted, where the record tells: what is stuck may be a release that failed, or another one by now. */
function failedDigest({ quarantine, stuck }: UnitRecord): string | undefined {
  const newest = quarantine[0]?.digest;
  if (stuck === undefined) return newest;
  return newest === undefined || newest === stuck.digest ? stuck.digest : undefined;
}

/** What is under way or in place: what a person who wants it back has seen. */
function shownDigest({ attempt, stuck, releases }: UnitRecord): string | undefined {
  return attempt?.digest ?? stuck?.digest ?? releases[0]?.digest;
}

function unknown({ units, notes }: Recorded, id: Id): Judged {
  if (units.size === 0) {
    return { status: 'senseless', why: 'nothing is recorded of any unit yet', more: notes };
  }
  const meant = suggest(id, units.keys());
  const hint = meant === undefined ? '' : `; did you mean \`${meant}\`?`;
  return { status: 'senseless', why: `\`${id}\` is not in the record${hint}`, more: notes };
}

/** Newest first. A short number is a place in the list: commits are not written that short. */
function named(releases: readonly Release[], to: string): readonly Release[] {
  if (/^\d{1,2}$/.test(to)) return releases.slice(Number(to) - 1).slice(0, to === '0' ? 0 : 1);
  return releases.filter(
    ({ digest, revision }) => revision.startsWith(to) || digest.startsWith(to),
  );
}

/** Pure. A release for people: its commit and when it was healthy. */
export function nameOf({ revision, at }: Release): string {
  const commit = revision === '' ? 'found' : revision.slice(0, 7);
  return `${commit.padEnd(7)}  ${minuteOf(at)}`;
}

function line(release: Release, place: number): string {
  return `  ${String(place)}  ${nameOf(release)}`;
}

/** Pure. Whether somebody released what has this digest, also where it is done by now. */
export function isApproved(digest: string, approved: readonly Approval[] = []): boolean {
  return approved.some((one) => one.digest.startsWith(digest));
}

/**
 * Pure. Whether what was asked has been done between these two readings. The agent takes a request in the same write that
 * records its effect: a unit without one was refused.
 */
export function isDone(
  verb: UnitRequest['verb'],
  before: UnitRecord,
  after: UnitRecord | undefined,
): boolean {
  if (after === undefined) return false;
  if (verb === 'suspend') return after.suspended !== undefined;
  if (verb === 'resume') return after.suspended === undefined;
  const had = new Set(before.quarantine.map(entryOf));
  const has = new Set(after.quarantine.map(entryOf));
  if (verb === 'rollback') {
    return after.quarantine.some((one) => one.code === 'manual' && !had.has(entryOf(one)));
  }
  const wasStuck = before.phase === 'stuck' && after.phase !== 'stuck';
  return wasStuck || [...had].some((entry) => !has.has(entry));
}

/** Pure. Why the agent refused what it took, where the record tells: something else is wanted or runs by now. */
export function whyRefused(
  request: UnitRequest,
  before: UnitRecord,
  after: UnitRecord | undefined,
): string | undefined {
  const { verb } = request;
  const digest = 'digest' in request ? request.digest : undefined;
  if (digest === undefined || after === undefined) return undefined;
  const knew = before.quarantine.some((one) => one.digest === digest);
  const failed = after.quarantine.some((one) => one.digest === digest);
  if (verb === 'rollback' && failed && !knew) return 'it has failed and gone back by itself';
  const now = verb === 'retry' ? wantedDigest(after) : shownDigest(after);
  if (now === undefined || now === digest) return undefined;
  return `the repository wants something else by now (digest ${now.slice(0, 10)}, it was asked of ${digest.slice(0, 10)})`;
}

function wantedDigest(unit: UnitRecord): string | undefined {
  const isForward = unit.phase === 'applying' || unit.phase === 'verifying';
  return isForward ? unit.attempt?.digest : failedDigest(unit);
}

function entryOf({ digest, at }: { readonly digest: string; readonly at: string }): string {
  return `${digest} ${at}`;
}

import { frozenLine } from '../core/freeze.ts';
import type { Freeze } from '../core/freeze.ts';
import type { Request } from '../core/unit.ts';
import { readLease } from '../lease/label.ts';
import type { RevisionRecord } from '../reconcile/history.ts';
import { readFreeze } from '../record/freeze.ts';
import type { Tone } from './printer.ts';
import type { SightRead } from './sight-read.ts';
import { ageOf, shortRevision } from './table.ts';

/** Who leads, by the head. */
export interface Leader {
  readonly node: string;
  readonly term: number;
  readonly version: string;
  /** ISO 8601, by the Swarm's clock; absent: the engine does not say. */
  readonly heardAt?: string;
  /** So long it may be silent before another takes over. Milliseconds; 0: it gave the lead back. */
  readonly ttlMs: number;
}

/** What is true of all units together. */
export interface Overview {
  readonly environment: string | undefined;
  readonly repository: string | undefined;
  /** The newest valid commit that a leader has looked at. */
  readonly seen: string;
  /** The newest one of which nothing was under way any more. */
  readonly settled: string;
  /** How `settled` ended; undefined: nothing settled yet. */
  readonly outcome: RevisionRecord['outcome'] | undefined;
  readonly leader: Leader | undefined;
  readonly frozen: Omit<Freeze, 'leftMs'> | undefined;
  readonly requests: readonly Request[];
  readonly notes: readonly string[];
}

/** Pure. `date` is now, ISO 8601. */
export function overviewOf({ sight, record }: SightRead, date: string): Overview {
  const labels = sight.shelf?.head.labels ?? {};
  const { seen, settled, revisions } = record.history;
  const { leftMs: _leftMs, ...frozen } = readFreeze(labels, date) ?? {};
  return {
    environment: record.owner?.environment,
    repository: record.owner?.repository,
    seen,
    settled,
    outcome: revisions.find(({ commit }) => commit === settled)?.outcome,
    leader: leaderOf(labels, sight.headAt),
    frozen: 'by' in frozen && 'why' in frozen ? frozen : undefined,
    requests: record.requests,
    notes: record.notes,
  };
}

function leaderOf(
  labels: Parameters<typeof readLease>[0],
  heardAt: string | undefined,
): Leader | undefined {
  const read = readLease(labels);
  if (read.status !== 'there') return undefined;
  const { node, term, version, ttlMs } = read.lease;
  return { node, term, version, ttlMs, ...(heardAt !== undefined && { heardAt }) };
}

/** Pure. The first lines of what is shown, each with what it means to its reader. */
export function overviewLines(
  overview: Overview,
  date: string,
): readonly (readonly [string, Tone])[] {
  const { environment = '-', repository = '-', frozen, requests, notes } = overview;
  return [
    [`environment ${environment}, ${repository}`, 'plain'],
    revisionLine(overview),
    leaderLine(overview.leader, date),
    ...(frozen === undefined ? [] : [[frozenLine(frozen), 'bad'] as const]),
    ...requests.map((one) => [`asked, not taken yet: ${inWords(one)}`, 'plain'] as const),
    ...notes.map((note) => [`record: ${note}`, 'bad'] as const),
  ];
}

function revisionLine({ seen, settled, outcome }: Overview): readonly [string, Tone] {
  if (seen === '') return ['no valid revision was looked at yet', 'plain'];
  const name = `revision ${shortRevision(seen)}`;
  if (seen === settled) {
    const tone = outcome === 'healthy' ? 'good' : outcome === undefined ? 'plain' : 'bad';
    return [`${name}: settled${outcome === undefined ? '' : `, ${outcome}`}`, tone];
  }
  const before = settled === '' ? '' : `; before it ${shortRevision(settled)} settled`;
  return [`${name}: under way${before}`, 'plain'];
}

/** So many times its lease a leader may be silent before we say that it may be gone: it may be taken over any moment. */
const SILENT = 2;

function leaderLine(leader: Leader | undefined, date: string): readonly [string, Tone] {
  if (leader === undefined) return ['no agent leads', 'bad'];
  const { node, term, version, heardAt, ttlMs } = leader;
  const name = `${node} (term ${String(term)}, understudy ${version})`;
  if (ttlMs === 0) return [`no agent leads: ${name} gave the lead back`, 'bad'];
  const ago = heardAt === undefined ? '' : `, last sign of life ${ageOf(heardAt, date)} ago`;
  const silentMs = heardAt === undefined ? 0 : Date.parse(date) - Date.parse(heardAt);
  return silentMs > SILENT * ttlMs
    ? [`led by ${name}${ago}: is an agent running?`, 'bad']
    : [`led by ${name}${ago}`, 'plain'];
}

function inWords(request: Request): string {
  const { verb, by } = request;
  const of =
    'id' in request ? ` ${request.id}` : 'digest' in request ? ` ${request.digest ?? ''}` : '';
  return `${verb}${of}, by ${by}`;
}

import { minuteOf } from '../core/freeze.ts';
import type { Id } from '../core/kind.ts';
import { unknownUnit } from '../core/unit.ts';
import type { RevisionRecord } from '../reconcile/history.ts';
import { createPrinter, type Tone } from './printer.ts';
import type { SightWanted } from './sight-options.ts';
import type { SightIo } from './sight-ports.ts';
import { sightCommand, type SightRead } from './sight-read.ts';
import { shortRevision, tableLines } from './table.ts';

const COLUMNS = 80;

/** Runs `understudy history`; gives the exit code. */
export function historyCommand(
  args: readonly string[],
  io: SightIo,
  signal: AbortSignal,
): Promise<number> {
  return sightCommand(
    'history',
    args,
    { io, shown: { json: historyJson, text: printHistory } },
    signal,
  );
}

/** One thing that a unit came to. */
export interface UnitEntry {
  readonly at: string;
  /** `found`: it was there before, and nobody saw it healthy. `rolled-back`: a person took it back. */
  readonly outcome: 'healthy' | 'found' | 'failed' | 'rolled-back';
  readonly revision: string;
  readonly digest: string;
  /** Of a failure. */
  readonly code?: string;
  readonly why?: string;
  readonly evidence?: string;
}

/** Pure. What the record still knows of a unit, newest first. */
export function entriesOf({ record }: SightRead, id: Id): readonly UnitEntry[] {
  const { releases, quarantine } = record.units.get(id) ?? unknownUnit;
  const healthy = releases.map(({ at, revision, digest, unproven }): UnitEntry => {
    const isFound = revision === '' || unproven === true;
    return { at, outcome: isFound ? 'found' : 'healthy', revision, digest };
  });
  const failed = quarantine.map(({ at, revision, digest, code, why, evidence }): UnitEntry => {
    const outcome = code === 'manual' ? 'rolled-back' : 'failed';
    return { at, outcome, revision, digest, code, why, evidence };
  });
  return [...healthy, ...failed].toSorted((one, other) => (one.at < other.at ? 1 : -1));
}

function historyJson(read: SightRead, { units: [id], limit }: SightWanted): object {
  if (id !== undefined) return { id, entries: entriesOf(read, id).slice(0, limit) };
  const { seen, settled, revisions } = read.record.history;
  return { seen, settled, revisions: revisions.slice(0, limit).map(revisionJson) };
}

function revisionJson(one: RevisionRecord): object {
  const { commit, outcome, units, failed, quarantined, waiting = [], suspended = [], at } = one;
  const waits = waiting.map(({ id }) => id);
  return { commit, outcome, units, failed, quarantined, waiting: waits, suspended, at };
}

function printHistory(read: SightRead, { units: [id], limit }: SightWanted, io: SightIo): void {
  const print = createPrinter(io, () => 0);
  const rows = id === undefined ? revisionRows(read) : entryRows(read, id);
  if (rows.length === 0) {
    print.plain('nothing has ended yet', 'dim');
    return;
  }
  const head = id === undefined ? HEAD : UNIT_HEAD;
  const shown = rows.slice(0, limit);
  const lines = tableLines([head, ...shown.map(({ cells }) => cells)], io.columns ?? COLUMNS);
  for (const [at, line] of lines.entries()) print.plain(line, shown[at - 1]?.tone ?? 'dim');
}

const HEAD = ['COMMIT', 'OUTCOME', 'CHANGED', 'AT', 'UNITS'];
const UNIT_HEAD = ['COMMIT', 'OUTCOME', 'AT', 'WHY'];

interface Row {
  readonly cells: readonly string[];
  readonly tone: Tone;
}

function revisionRows({ record: { history } }: SightRead): readonly Row[] {
  const { seen, settled, revisions } = history;
  const isOpen = seen !== '' && seen !== settled && revisions[0]?.commit !== seen;
  const open: Row = { cells: [shortRevision(seen), 'under way', '-', '-', ''], tone: 'plain' };
  const ended = revisions.map((one): Row => {
    const cells = [
      shortRevision(one.commit),
      one.outcome,
      String(one.units),
      minuteOf(one.at),
      unitsOf(one),
    ];
    return { cells, tone: toneOf(one.outcome) };
  });
  return isOpen ? [open, ...ended] : ended;
}

function unitsOf({ failed, quarantined, waiting = [], suspended = [] }: RevisionRecord): string {
  return [
    named('failed', failed),
    named('quarantined before', quarantined),
    named(
      'waiting',
      waiting.map(({ id }) => id),
    ),
    named('suspended', suspended),
  ]
    .filter((one) => one !== '')
    .join('; ');
}

function named(what: string, ids: readonly Id[]): string {
  return ids.length === 0 ? '' : `${what}: ${ids.join(', ')}`;
}

function entryRows(read: SightRead, id: Id): readonly Row[] {
  return entriesOf(read, id).map(({ revision, outcome, at, why = '' }) => {
    return { cells: [shortRevision(revision), outcome, minuteOf(at), why], tone: toneOf(outcome) };
  });
}

function toneOf(outcome: RevisionRecord['outcome'] | UnitEntry['outcome']): Tone {
  if (outcome === 'healthy') return 'good';
  return outcome === 'failed' || outcome === 'rolled-back' ? 'bad' : 'plain';
}

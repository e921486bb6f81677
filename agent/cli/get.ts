import type { Id } from '../core/kind.ts';
import { detailLines } from './get-detail.ts';
import { type HealthWord, rowOf, type Sync, type UnitFacts, type UnitRow } from './get-rows.ts';
import { type Overview, overviewLines, overviewOf } from './overview.ts';
import { createPrinter, type Tone } from './printer.ts';
import type { SightWanted } from './sight-options.ts';
import type { SightIo } from './sight-ports.ts';
import { sightCommand, type SightRead } from './sight-read.ts';
import { ageOf, shortRevision, tableLines } from './table.ts';

/** Where nobody reads on a terminal. */
const COLUMNS = 80;

/** Runs `understudy get`; gives the exit code. */
export function getCommand(
  args: readonly string[],
  io: SightIo,
  signal: AbortSignal,
): Promise<number> {
  const shown = {
    json: (read: SightRead, wanted: SightWanted) => getJson(read, wanted.units, io.clock.date()),
    text: printGet,
  };
  return sightCommand('get', args, { io, shown }, signal);
}

/** Pure. What is known of these units, or of all, in the order of their ids. */
export function factsOf({ sight, record }: SightRead, wanted: readonly Id[]): readonly UnitFacts[] {
  const { units, history } = record;
  const standing = new Map((history.standing ?? []).map((one) => [one.id, one]));
  const ids = wanted.length > 0 ? wanted : [...new Set([...units.keys(), ...standing.keys()])];
  return ids.toSorted().map((id) => {
    const unit = units.get(id);
    return {
      id,
      unit,
      standing: standing.get(id),
      told: history.standing !== undefined,
      live: sight.live(id, unit?.phase === 'none' ? unit.releases[0] : undefined),
    };
  });
}

/** Pure. The stable shape of `--json`: no spec, and so no value of an environment, is in it. */
export function getJson(read: SightRead, wanted: readonly Id[], date: string): object {
  const { notes, requests, leader, frozen, ...revision } = overviewOf(read, date);
  return {
    environment: revision.environment ?? null,
    repository: revision.repository ?? null,
    revision: { seen: revision.seen, settled: revision.settled, outcome: revision.outcome ?? null },
    leader: leader ?? null,
    frozen: frozen ?? null,
    requests,
    notes,
    units: factsOf(read, wanted).map(unitJson),
  };
}

function unitJson(facts: UnitFacts): object {
  const { id, unit, live } = facts;
  const { since, ...row } = rowOf(facts);
  const { attempt, releases = [], quarantine = [], stuck, suspended, removing = [] } = unit ?? {};
  return {
    ...row,
    id,
    since: since ?? null,
    phase: unit?.phase ?? null,
    attempt: attempt === undefined ? null : named(attempt),
    releases: releases.map((one) => ({ ...named(one), at: one.at })),
    quarantine: quarantine.map(({ code, why, evidence, at, ...one }) => {
      return { ...named(one), code, why, evidence, at };
    }),
    stuck:
      stuck === undefined
        ? null
        : { code: stuck.code, why: stuck.why, evidence: stuck.evidence, at: stuck.at },
    suspended: suspended === undefined ? null : { by: suspended.by, at: suspended.at },
    removing: removing.map(({ target }) => target),
    services: live?.services ?? [],
  };
}

function named({ revision, digest }: { readonly revision: string; readonly digest: string }) {
  return { revision, digest };
}

function printGet(read: SightRead, { units }: SightWanted, io: SightIo): void {
  const print = createPrinter(io, () => 0);
  const date = io.clock.date();
  const overview: Overview = overviewOf(read, date);
  for (const [line, tone] of overviewLines(overview, date)) print.plain(line, tone);
  const facts = factsOf(read, units);
  if (facts.length === 0) {
    print.plain('no unit is recorded yet', 'dim');
    return;
  }
  print.plain('');
  const rows = facts.map(rowOf);
  const lines = tableLines([HEAD, ...rows.map((row) => cellsOf(row, date))], io.columns ?? COLUMNS);
  for (const [at, line] of lines.entries()) {
    const row = rows[at - 1];
    print.plain(line, row === undefined ? 'dim' : toneOf(row));
  }
  if (units.length === 0) return;
  for (const one of facts) {
    print.plain('');
    for (const [line, tone] of detailLines(one)) print.plain(line, tone);
  }
}

const HEAD = ['ID', 'SYNC', 'HEALTH', 'REVISION', 'SINCE', 'WHY'];

function cellsOf({ id, sync, health, revision, since, why }: UnitRow, date: string): string[] {
  return [id, sync, health, shortRevision(revision), ageOf(since, date), why];
}

const BAD: ReadonlySet<Sync | HealthWord> = new Set(['Quarantined', 'Degraded']);

function toneOf({ sync, health }: UnitRow): Tone {
  if (BAD.has(sync) || BAD.has(health)) return 'bad';
  return sync === 'Synced' && health === 'Healthy' ? 'good' : 'plain';
}

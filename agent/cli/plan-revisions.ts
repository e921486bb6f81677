import { resolve } from 'node:path';

import { layOut } from '../core/layout.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { UnitRenderer } from '../render/renderer.ts';
import { readFolder } from '../source/folder.ts';
import { type LocalRepository, openLocalRepository } from '../source/local.ts';
import { firstLockedNote } from './age-key.ts';
import type { PlanWanted } from './plan-options.ts';
import { withoutClosed } from './plan-closed.ts';
import type { Named, Planned, PlanIo, Plans } from './plan-ports.ts';
import { withProgress } from './progress.ts';
import { environmentsOf, type Rendered, renderAll, usualLimits } from './rendered.ts';

type Failed = Extract<Planned, { readonly status: 'failed' }>;

/** A revision that was read. */
export interface Read {
  readonly snapshot: Snapshot;
  /** The commit that it is, or is made on top of; undefined where there is none. */
  readonly commit: string | undefined;
  readonly repository: LocalRepository | undefined;
}

/** Reads what is wanted: a commit, or the folder as it lies there. Throws `SourceError`. */
export async function readWanted(
  { folder, to }: PlanWanted,
  { clock }: Pick<PlanIo, 'clock'>,
  signal: AbortSignal,
): Promise<Read | Failed> {
  const ports = { limits: usualLimits, clock };
  const repository = await openLocalRepository(folder, ports, signal);
  if (to === undefined) {
    const snapshot = await readFolder(resolve(folder), ports, signal);
    return { snapshot, commit: await repository?.commitOf('HEAD', signal), repository };
  }
  const commit = await repository?.commitOf(to, signal);
  if (repository === undefined || commit === undefined) return unknown(folder, '--to', to);
  return { snapshot: await repository.snapshot(commit, signal), commit, repository };
}

/** Compares two revisions. Throws `SourceError`. */
export async function planRevisions(
  wanted: PlanWanted,
  io: PlanIo,
  renderer: UnitRenderer,
  signal: AbortSignal,
): Promise<Planned> {
  const later = await readWanted(wanted, io, signal);
  if ('status' in later) return later;
  const from = await earlierOf(wanted, later, signal);
  if (typeof from === 'object') return from;
  const before = await later.repository?.snapshot(from, signal);
  if (before === undefined) return unknown(wanted.folder, '--from', from);

  const names = environmentsOf(later.snapshot, wanted.environment);
  const after = await rendered(io, renderer, { snapshot: later.snapshot, names }, signal);
  if (after.invalid) return invalid(later.snapshot, after);
  const had = [...layOut(before.entries.map(({ path }) => path)).environments.keys()];
  const known = names.filter((name) => had.includes(name));
  const earlier = await rendered(io, renderer, { snapshot: before, names: known }, signal);
  if (earlier.invalid) return invalid(before, earlier);

  const gone = wanted.environment === undefined ? had.filter((one) => !names.includes(one)) : [];
  const plans: Plans = {
    from: named(before),
    to: named(later.snapshot),
    environments: names.map((name) => {
      const [was, is] = [earlier, after].map(({ reports }) => reports.get(name)?.units ?? []);
      return withoutClosed(io.compare(name, was ?? [], is ?? []), was ?? [], is ?? []);
    }),
    notes: [
      ...gone.map((name) => `environment ${name} is not there any more`),
      ...closedNotes(after),
    ],
    warnings: after.diagnostics,
  };
  return { status: 'planned', plans };
}

/** Without a key ciphertext is compared with ciphertext: what was only encrypted anew shows as changed. */
function closedNotes({ reports }: Rendered): readonly string[] {
  const note = firstLockedNote(reports.values());
  return note === undefined ? [] : [`${note}; one that was only encrypted anew shows as changed`];
}

async function rendered(
  io: PlanIo,
  renderer: UnitRenderer,
  { snapshot, names }: { readonly snapshot: Snapshot; readonly names: readonly string[] },
  signal: AbortSignal,
): Promise<Rendered> {
  const what = `rendering ${nameOf(named(snapshot))}`;
  return withProgress(io, what, () => renderAll(renderer, snapshot, names, signal));
}

/** What branches are compared with, the first that there is. */
const BRANCHES = ['origin/HEAD', '@{upstream}'];

/** The earlier revision: as it was named, or where the later one left the branch that it will be merged into. */
async function earlierOf(
  { folder, from }: PlanWanted,
  { repository, commit }: Read,
  signal: AbortSignal,
): Promise<string | Failed> {
  const branch = from?.endsWith('...') === true ? from.slice(0, -'...'.length) : undefined;
  if (from !== undefined && branch === undefined) {
    return (await repository?.commitOf(from, signal)) ?? unknown(folder, '--from', from);
  }
  for (const name of branch === undefined ? BRANCHES : [branch]) {
    const tip = await repository?.commitOf(name, signal);
    if (repository === undefined || tip === undefined || commit === undefined) continue;
    const base = await repository.baseOf(tip, commit, signal);
    if (base !== undefined) return base;
  }
  if (from !== undefined) return unknown(folder, '--from', from);
  const why = `name the revision to compare with, as in \`--from main\`: ${folder} has no branch origin/HEAD`;
  return { status: 'failed', code: 2, why };
}

function unknown(folder: string, option: string, name: string): Failed {
  const hint =
    'fetch it first; in a workflow the whole history is needed, as `fetch-depth: 0` gives it';
  const why = `\`${option} ${name}\` is no commit of the Git repository in ${folder}: ${hint}`;
  return { status: 'failed', code: 2, why };
}

function invalid(snapshot: Snapshot, { diagnostics }: Rendered): Planned {
  return { status: 'invalid', of: named(snapshot), diagnostics };
}

/** Pure. */
export function named({ revision, subject }: Snapshot): Named {
  return { revision, subject };
}

/** Pure. `the work tree`, or `3f2a91c0de`. */
export function nameOf({ revision }: Named): string {
  return revision === 'folder' ? 'the work tree' : revision.slice(0, 10);
}

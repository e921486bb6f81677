import { realpath } from 'node:fs/promises';
import { relative } from 'node:path';

import type { Snapshot } from '../core/snapshot.ts';
import { type Clock, SourceError } from '../reconcile/ports.ts';
import { BatchError } from './batch.ts';
import { type Bench, GitFailure } from './command.ts';
import { workTreeEnvironment } from './environment.ts';
import { hasControl } from './grammar.ts';
import { printable, type TreeLimits } from './intake.ts';
import { collect, findFolder, listTree, readBlobs, readSubject } from './revision.ts';
import { workTreeOf } from './work-tree.ts';

const TIMEOUT_MS = 60_000;
const ANSWER_BYTES_MAX = 64 * 1024;
const NAME_LENGTH_MAX = 200;

/** The Git repository that a folder of this machine is in, to be read and nothing else: no work tree is ever made of it. */
export interface LocalRepository {
  /** The commit that a name stands for, as Git reads it; undefined where it has none such. */
  commitOf(name: string, signal: AbortSignal): Promise<string | undefined>;
  /** The newest commit that both have; undefined where they have none, or the history is not all there. */
  baseOf(one: string, other: string, signal: AbortSignal): Promise<string | undefined>;
  /** The folder's files in a commit. */
  snapshot(commit: string, signal: AbortSignal): Promise<Snapshot>;
}

/** Undefined where the folder is in no work tree. All that it does throws `SourceError` where the repository cannot be read. */
export async function openLocalRepository(
  folder: string,
  { limits, clock }: { readonly limits: TreeLimits; readonly clock: Clock },
  signal: AbortSignal,
): Promise<LocalRepository | undefined> {
  const root = await realpath(folder);
  const top = await workTreeOf(root, signal);
  if (top === undefined) return undefined;
  const bench = { environment: workTreeEnvironment(top), clock };
  const path = relative(top, root) || '.';
  return {
    commitOf: (name, ended) => inWords(top, () => commitOf(bench, name, ended)),
    baseOf: (one, other, ended) => inWords(top, () => baseOf(bench, [one, other], ended)),
    snapshot: (commit, ended) =>
      inWords(top, () => snapshotOf(bench, { commit, path, limits }, ended)),
  };
}

/** What Git says of a name that stands for nothing here, where it says more than `missing`. */
const NOTHING =
  /no upstream|no such branch|does not point to a branch|log for|not stored as a remote/u;

/** Given on standard input, so that no name is ever taken for an option. */
async function commitOf(
  bench: Bench,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (name === '' || name.length > NAME_LENGTH_MAX || /\s/u.test(name) || hasControl(name)) {
    return undefined;
  }
  const command = { args: ['cat-file', '--batch-check'], input: `${name}^{commit}\n` };
  try {
    const answer = await collect(bench, command, ANSWER_BYTES_MAX, signal);
    return /^([0-9a-f]{40}) commit [0-9]+\n$/u.exec(answer.toString('utf8'))?.[1];
  } catch (error) {
    if (error instanceof GitFailure && NOTHING.test(error.stderr)) return undefined;
    throw error;
  }
}

async function baseOf(
  bench: Bench,
  commits: readonly [string, string],
  signal: AbortSignal,
): Promise<string | undefined> {
  const args = ['merge-base', ...commits];
  try {
    const answer = await collect(bench, { args }, ANSWER_BYTES_MAX, signal);
    return /^([0-9a-f]{40})$/mu.exec(answer.toString('utf8'))?.[1];
  } catch (error) {
    // 1: nothing in common. 128: not there.
    if (error instanceof GitFailure && error.reason === 'exit') return undefined;
    throw error;
  }
}

async function snapshotOf(
  bench: Bench,
  where: { readonly commit: string; readonly path: string; readonly limits: TreeLimits },
  signal: AbortSignal,
): Promise<Snapshot> {
  const { commit, limits } = where;
  const subject = await readSubject(bench, commit, signal);
  const tree = await findFolder(bench, where, signal);
  // A folder that the commit does not have yet is empty there.
  const { entries, diagnostics } =
    tree === undefined
      ? { entries: [], diagnostics: [] }
      : await listTree(bench, tree, limits, signal);
  const sizes = new Map(entries.map(({ blob, sizeBytes }) => [blob, sizeBytes]));
  return {
    revision: commit,
    subject,
    entries,
    diagnostics,
    read: (blobs, readSignal) =>
      inWords(commit, () => {
        const wanted = new Map(blobs.map((blob) => [blob, sizes.get(blob) ?? 0]));
        return readBlobs(bench, wanted, readSignal);
      }),
  };
}

async function inWords<Value>(what: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BatchError) {
      const message = `git cannot read ${what}: ${error.message}`;
      throw new SourceError(message, { retry: 'never', cause: error });
    }
    if (!(error instanceof GitFailure)) throw error;
    const lines = error.stderr.trim().split('\n');
    const why =
      error.reason === 'deadline'
        ? `it took more than ${String(TIMEOUT_MS / 1000)} s`
        : printable(lines.at(-1) || error.reason);
    throw new SourceError(`git cannot read ${what}: ${why}`, { retry: 'soon', cause: error });
  }
}

import { BatchError, BatchReader } from './batch.ts';
import type { Bench } from './command.ts';
import { printable, type Tree, type TreeLimits } from './intake.ts';
import { streamGit } from './stream.ts';
import { TreeListing } from './tree.ts';

const TIMEOUT_MS = 60_000;
const SUBJECT_BYTES_MAX = 4096;
const ANSWER_BYTES_MAX = 64 * 1024;

/**
 * The folder's tree id in a commit; absent where the commit has no such folder.
 * Throws `GitFailure`, and `BatchError` where the commit's own tree is not there.
 */
export async function findFolder(
  bench: Bench,
  where: { readonly commit: string; readonly path: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const root = `${where.commit}^{tree}`;
  // Only looked up in the tree: a part of the path that is a symbolic link leads nowhere.
  const input = where.path === '.' ? `${root}\n` : `${root}\n${where.commit}:${where.path}\n`;
  const args = ['cat-file', '--batch-check'];
  const answer = await collect(bench, { args, input }, ANSWER_BYTES_MAX, signal);
  const lines = answer.toString('utf8').trimEnd().split('\n');
  const trees = lines.map((line) => /^([0-9a-f]{40}) tree [0-9]+$/u.exec(line)?.[1]);
  if (trees[0] === undefined) throw new BatchError(`the tree of ${where.commit} is missing`);
  return where.path === '.' ? trees[0] : trees[1];
}

/** All files below a tree, within limits. Throws `GitFailure`. */
export async function listTree(
  bench: Bench,
  tree: string,
  limits: TreeLimits,
  signal: AbortSignal,
): Promise<Tree> {
  const listing = new TreeListing(limits);
  const args = ['ls-tree', '-r', '-z', '--long', tree];
  await streamGit(bench, { args, timeoutMs: TIMEOUT_MS }, (piece) => listing.push(piece), signal);
  return listing.finish();
}

/** The first line of a commit's message, for people, as `printable` shows it. */
export async function readSubject(
  bench: Bench,
  commit: string,
  signal: AbortSignal,
): Promise<string> {
  const args = ['log', '-1', '--no-show-signature', '--format=%s', commit, '--'];
  const said = await collect(bench, { args }, SUBJECT_BYTES_MAX, signal);
  return printable(said.toString('utf8').split('\n')[0] ?? '');
}

/** The bytes of blobs of known size, in one process. Throws `GitFailure` or `BatchError`: all or nothing. */
export async function readBlobs(
  bench: Bench,
  wanted: ReadonlyMap<string, number>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  if (wanted.size === 0) return new Map();
  const reader = new BatchReader([...wanted]);
  const command = {
    args: ['cat-file', '--batch'],
    input: `${[...wanted.keys()].join('\n')}\n`,
    timeoutMs: TIMEOUT_MS,
  };
  await streamGit(bench, command, (piece) => reader.push(piece), signal);
  return reader.finish();
}

/** The output up to a limit; what comes behind it is not waited for. */
export async function collect(
  bench: Bench,
  command: { readonly args: readonly string[]; readonly input?: string },
  bytesMax: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const take = (piece: Buffer): 'more' | 'enough' => {
    pieces.push(piece);
    bytes += piece.length;
    return bytes < bytesMax ? 'more' : 'enough';
  };
  await streamGit(bench, { ...command, timeoutMs: TIMEOUT_MS }, take, signal);
  return Buffer.concat(pieces).subarray(0, bytesMax);
}

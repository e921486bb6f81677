import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { lstat, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as otherThings } from 'node:timers/promises';

import type { Snapshot, SnapshotEntry } from '../core/snapshot.ts';
import { type Clock, SourceError } from '../reconcile/ports.ts';
import { decodeName, type Found, Intake, type TreeLimits } from './intake.ts';
import { type Listed, listWorkTree, workTreeOf } from './work-tree.ts';

/**
 * Files that are looked at or read before anything else may run. One after another and without waiting for each: a hundred
 * at a time through the threads of Node take five times as long.
 */
const AT_ONCE = 64;
/** Of contents, beside what is held while they are given away. */
const KEPT_BYTES_MAX = 8 * 2 ** 20;

/**
 * A folder as a snapshot, by the rules of a revision: in a Git work tree the files that a commit would take, elsewhere
 * all of them but `.git`. Throws `SourceError` when the folder cannot be read; what is wrong with single files is in the
 * diagnostics. What was read to name it is given once; other contents are read on demand and must be the same then.
 */
export async function readFolder(
  folder: string,
  { limits, clock }: { readonly limits: TreeLimits; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Snapshot> {
  return readable(async () => {
    const root = await realpath(folder);
    const intake = new Intake(limits);
    const top = await workTreeOf(root, signal);
    const where = { top: top ?? root, folder: root, filesMax: limits.filesMax };
    const listed = top === undefined ? undefined : await listWorkTree(where, clock, signal);
    if (listed === undefined) await takeFolder(root, intake, signal);
    else await takeListed(root, listed, intake, signal);
    const { entries: found, diagnostics } = intake.finish();
    const kept = new Kept();
    const entries = await named(root, { found, kept }, signal);
    return {
      revision: 'folder',
      subject: folder,
      entries,
      diagnostics,
      read: (blobs, readSignal) => readBlobs(root, { entries, kept }, blobs, readSignal),
    };
  });
}

/** All that lies there, whatever it is called. */
async function takeFolder(root: string, intake: Intake, signal: AbortSignal): Promise<void> {
  const folders: Buffer[] = [Buffer.alloc(0)];
  for (let folder = folders.shift(); folder !== undefined; folder = folders.shift()) {
    signal.throwIfAborted();
    const inside = await readdir(absolute(root, folder), {
      encoding: 'buffer',
      withFileTypes: true,
    });
    for (const entry of inside) {
      if (intake.enough) return;
      if (entry.name.toString('latin1') === '.git') continue;
      const path = folder.length === 0 ? entry.name : Buffer.concat([folder, SLASH, entry.name]);
      if (entry.isDirectory()) folders.push(path);
      else takeFile(root, path, intake);
    }
  }
}

/** What Git listed, as far as it is there. */
async function takeListed(
  root: string,
  listed: readonly Listed[],
  intake: Intake,
  signal: AbortSignal,
): Promise<void> {
  const folders = new Folders(root);
  for (const [at, { path, submodule }] of listed.entries()) {
    if (at % AT_ONCE === 0) await otherThings();
    signal.throwIfAborted();
    if (intake.enough) return;
    // A folder that became a link: Git takes the link, and nothing behind it.
    if (!folders.isReal(path)) continue;
    if (submodule) {
      if (seenAt(absolute(root, path))?.isDirectory() === true) {
        take(intake, path, { mode: '160000', sizeBytes: 0 });
        continue;
      }
    }
    takeFile(root, path, intake);
  }
}

const SLASH = Buffer.from('/');

function absolute(root: string, path: Buffer): Buffer {
  return path.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SLASH, path]);
}

/** Files and links; Git knows nothing else. What is not there any more will not be in the commit. */
function takeFile(root: string, path: Buffer, intake: Intake): void {
  const seen = seenAt(absolute(root, path));
  if (seen === undefined || !(seen.isFile() || seen.isSymbolicLink())) return;
  take(intake, path, { mode: seen.isFile() ? '100644' : '120000', sizeBytes: seen.size });
}

function take(intake: Intake, path: Buffer, seen: Pick<Found, 'mode' | 'sizeBytes'>): void {
  const name = decodeName(path);
  if (name === undefined) intake.addUnreadable(path);
  else intake.add({ ...seen, path: name, blob: '' });
}

function seenAt(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
    return undefined;
  }
}

/** Which folders below the root are folders, and no links to elsewhere. */
class Folders {
  readonly #root: string;
  readonly #real = new Map<string, boolean>();

  constructor(root: string) {
    this.#root = root;
  }

  /** Of all folders that a path goes through. */
  isReal(path: Buffer): boolean {
    const end = path.lastIndexOf(0x2f);
    if (end === -1) return true;
    const folder = path.subarray(0, end);
    const key = folder.toString('latin1');
    const known = this.#real.get(key);
    if (known !== undefined) return known;
    const seen = seenAt(absolute(this.#root, folder));
    const real = seen?.isDirectory() === true && this.isReal(folder);
    this.#real.set(key, real);
    return real;
  }
}

/** Contents that are asked for soon, most likely: a file that is read to be named is read once. */
class Kept {
  readonly #contents = new Map<string, Uint8Array>();
  #room = KEPT_BYTES_MAX;

  put(blob: string, content: Uint8Array): void {
    if (content.length > this.#room || this.#contents.has(blob)) return;
    this.#room -= content.length;
    this.#contents.set(blob, content);
  }

  /** Whoever takes it keeps it. */
  take(blob: string): Uint8Array | undefined {
    const content = this.#contents.get(blob);
    this.#contents.delete(blob);
    return content;
  }
}

/** The entries with the names that Git gives to their contents. */
async function named(
  root: string,
  { found, kept }: { readonly found: readonly SnapshotEntry[]; readonly kept: Kept },
  signal: AbortSignal,
): Promise<readonly SnapshotEntry[]> {
  const entries: SnapshotEntry[] = [];
  for (const [at, entry] of found.entries()) {
    if (at % AT_ONCE === 0) await otherThings();
    signal.throwIfAborted();
    const content = contentOf(root, entry);
    const blob = blobOf(content);
    kept.put(blob, content);
    entries.push({ ...entry, blob });
  }
  return entries;
}

/** Never through a link, never waiting for the other end of a pipe, never more than was there when it was looked at. */
function contentOf(
  root: string,
  { path, sizeBytes }: Pick<SnapshotEntry, 'path' | 'sizeBytes'>,
): Uint8Array {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = openSync(join(root, path), flags);
  try {
    const content = Buffer.alloc(sizeBytes + 1);
    let bytes = 0;
    for (let more = 1; more > 0 && bytes <= sizeBytes; bytes += more) {
      more = readSync(file, content, { offset: bytes });
    }
    if (bytes !== sizeBytes) throw changed(path);
    return new Uint8Array(content.buffer, content.byteOffset, sizeBytes);
  } finally {
    closeSync(file);
  }
}

function changed(path: string): SourceError {
  return new SourceError(`${path} changed while it was read`, { retry: 'soon' });
}

/** The id that Git gives to the same content. */
function blobOf(content: Uint8Array): string {
  return createHash('sha1')
    .update(`blob ${String(content.length)}\0`)
    .update(content)
    .digest('hex');
}

async function readBlobs(
  root: string,
  { entries, kept }: { readonly entries: readonly SnapshotEntry[]; readonly kept: Kept },
  blobs: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const known = new Map(entries.map((entry) => [entry.blob, entry]));
  const contents = new Map<string, Uint8Array>();
  for (const [at, blob] of blobs.entries()) {
    if (at % AT_ONCE === 0) await otherThings();
    signal.throwIfAborted();
    const entry = known.get(blob);
    if (entry === undefined) throw new SourceError(`no file has blob ${blob}`, { retry: 'never' });
    contents.set(blob, kept.take(blob) ?? (await readAgain(root, entry)));
  }
  return contents;
}

async function readAgain(root: string, entry: SnapshotEntry): Promise<Uint8Array> {
  const content = await readable(async () => contentOf(root, entry));
  if (blobOf(content) !== entry.blob) throw changed(entry.path);
  return content;
}

async function readable<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    // Only errors of the file system have a code here; an abort is passed on as it is.
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause;
    throw new SourceError(`the folder cannot be read: ${cause.message}`, { retry: 'soon', cause });
  }
}

/** True for an existing folder, also behind a link: the top may be one, what is inside may not. */
export async function isFolder(path: string, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const found = await lstat(join(path, '.')).catch(() => undefined);
  return found?.isDirectory() === true;
}

import { createHash } from 'node:crypto';
import { constants, lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import type { Diagnostic } from '../core/diagnostic.ts';
import type { Snapshot, SnapshotEntry } from '../core/snapshot.ts';
import { SourceError } from '../reconcile/ports.ts';

/** What a folder may hold at most. */
export interface FolderLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

const AT_ONCE = 16;
const DEPTH_MAX = 64;

/**
 * A plain folder as a snapshot; `.git` folders are left out. Throws `SourceError` when the folder cannot be read;
 * links, too many files and odd names are diagnostics. Contents are read again on demand and must be the same then.
 */
export async function readFolder(
  root: string,
  limits: FolderLimits,
  signal: AbortSignal,
): Promise<Snapshot> {
  const walk: Walk = { root, limits, paths: [], diagnostics: [], full: false };
  await readable(() => walkFolder(walk, '', 0, signal));
  const sorted = walk.paths.toSorted(bytewise);
  const entries: SnapshotEntry[] = [];
  let bytes = 0;
  for (let from = 0; from < sorted.length; from += AT_ONCE) {
    const some = sorted.slice(from, from + AT_ONCE);
    const contents = await readable(() =>
      Promise.all(some.map((path) => contentOf(root, path, signal))),
    );
    for (const [index, content] of contents.entries()) {
      const path = some[index];
      if (path === undefined) continue;
      bytes += content.length;
      entries.push({ path, blob: blobOf(content), sizeBytes: content.length });
    }
    if (bytes > limits.maxBytes) {
      walk.diagnostics.push(
        tooLarge(`the folder holds more than ${String(limits.maxBytes)} bytes`),
      );
      break;
    }
  }
  return {
    revision: 'folder',
    subject: root,
    entries,
    diagnostics: walk.diagnostics,
    read: (blobs, readSignal) => readBlobs(root, entries, blobs, readSignal),
  };
}

interface Walk {
  readonly root: string;
  readonly limits: FolderLimits;
  readonly paths: string[];
  readonly diagnostics: Diagnostic[];
  full: boolean;
}

async function walkFolder(
  walk: Walk,
  folder: string,
  depth: number,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  for (const entry of await readdir(join(walk.root, folder), { withFileTypes: true })) {
    if (walk.full) return;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.name === '.git') continue;
    if (entry.isSymbolicLink()) walk.diagnostics.push(linkAt(path));
    else if (/[\p{Cc}\\\ufffd]/u.test(entry.name)) walk.diagnostics.push(oddName(path));
    else if (entry.isDirectory()) {
      if (depth >= DEPTH_MAX) walk.diagnostics.push(tooLarge('the folders are nested too deeply'));
      else await walkFolder(walk, path, depth + 1, signal);
    } else if (entry.isFile()) {
      if (walk.paths.length >= walk.limits.maxFiles) {
        const message = `the folder holds more than ${String(walk.limits.maxFiles)} files`;
        walk.diagnostics.push(tooLarge(message));
        walk.full = true;
        return;
      }
      walk.paths.push(path);
    }
  }
}

function linkAt(file: string): Diagnostic {
  return {
    severity: 'error',
    code: 'symlink',
    message: 'symbolic links are not followed',
    place: { file, line: 1, column: 1, length: 1, quoted: '' },
    hint: 'put the file itself here',
  };
}

function oddName(file: string): Diagnostic {
  const message = 'a file name may not hold control characters, `\\` or anything but UTF-8';
  const place = { file, line: 1, column: 1, length: 1, quoted: '' };
  return { severity: 'error', code: 'file-name', message, place };
}

function tooLarge(message: string): Diagnostic {
  return { severity: 'error', code: 'too-large', message };
}

/** Never through a link, never waiting for the other end of a pipe. */
async function contentOf(root: string, path: string, signal: AbortSignal): Promise<Uint8Array> {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(join(root, path), flags);
  try {
    if (!(await file.stat()).isFile()) throw new Error(`${path} is not a file`);
    return await file.readFile({ signal });
  } finally {
    await file.close();
  }
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
  entries: readonly SnapshotEntry[],
  blobs: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const paths = new Map(entries.map(({ path, blob }) => [blob, path]));
  const contents = new Map<string, Uint8Array>();
  for (const blob of blobs) {
    const path = paths.get(blob);
    if (path === undefined) throw new SourceError(`no file has blob ${blob}`, { retry: 'never' });
    const content = await readable(() => contentOf(root, path, signal));
    if (blobOf(content) !== blob) {
      throw new SourceError(`${path} changed while it was read`, { retry: 'soon' });
    }
    contents.set(blob, content);
  }
  return contents;
}

async function readable<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof SourceError || (cause instanceof Error && cause.name === 'AbortError')) {
      throw cause;
    }
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SourceError(`the folder cannot be read: ${why}`, { retry: 'soon', cause });
  }
}

function bytewise(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

/** True for an existing folder, also behind a link: the top may be one, what is inside may not. */
export async function isFolder(path: string, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const found = await lstat(join(path, '.')).catch(() => undefined);
  return found?.isDirectory() === true;
}

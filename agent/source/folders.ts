import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SourceError } from '../reconcile/ports.ts';

/** The mirror's own configuration: written by us at every start, so nothing that somebody left there counts. */
const CONFIGURATION = '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';

/** What a mirror never needs, and what would lead git elsewhere: hooks, attributes, grafts, other object stores. */
const FOREIGN = [
  'hooks',
  'info',
  'config.worktree',
  'objects/info/alternates',
  'worktrees',
  'modules',
];

/** Pure. The mirror's folder: one a repository, so that two agents of one machine with different repositories do not meet. */
export function mirrorFolder(stateDir: string, url: string): string {
  const name = createHash('sha256').update(url).digest('hex').slice(0, 32);
  return join(stateDir, 'mirrors', name);
}

/** Makes the folder that holds mirrors, readable by the agent alone. Throws `SourceError`. */
export async function makeMirrors(stateDir: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const mirrors = join(stateDir, 'mirrors');
  try {
    await mkdir(mirrors, { recursive: true, mode: 0o700 });
    const seen = await lstat(mirrors);
    if (!seen.isDirectory()) throw new Error('it is not a folder');
    await chmod(mirrors, 0o700);
  } catch (cause) {
    throw unusable(mirrors, cause);
  }
}

/**
 * Makes a mirror's folder fit for git after whatever happened: configuration as we want it, nothing foreign, and none of
 * what a killed git leaves behind (lock files, half-written packs). Only one process may use a mirror at a time.
 */
export async function sweep(mirror: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    const fresh = join(mirror, 'config.new');
    await writeFile(fresh, CONFIGURATION, { mode: 0o600 });
    const [folder, file] = [await lstat(mirror), await lstat(fresh)];
    // Git's own check of the owner does not run, because GIT_DIR names the folder.
    if (!folder.isDirectory() || folder.uid !== file.uid) {
      throw new Error('it does not belong to the user that the agent runs as');
    }
    await rename(fresh, join(mirror, 'config'));
    for (const name of FOREIGN) await rm(join(mirror, name), { recursive: true, force: true });
    await removeMatching(mirror, /\.lock$/u);
    await removeMatching(join(mirror, 'refs'), /\.lock$/u, { recursive: true });
    await removeMatching(join(mirror, 'objects'), /^tmp_/u);
    await removeMatching(join(mirror, 'objects', 'pack'), /^(?:tmp_|\.tmp-)/u);
  } catch (cause) {
    throw unusable(mirror, cause);
  }
}

/** Whether git made a repository here, be it whole or not. */
export async function isMade(mirror: string, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const seen = await stat(join(mirror, 'HEAD')).catch(() => undefined);
  return seen !== undefined;
}

/** What a mirror holds on disk. Bytes. */
export interface PackMeasure {
  readonly packs: number;
  readonly bytes: number;
  /** The largest pack that a killed git left half-written. */
  readonly unfinishedBytes: number;
}

/** Measures the packs of a mirror; what cannot be seen counts as nothing. */
export async function measurePacks(mirror: string, signal: AbortSignal): Promise<PackMeasure> {
  signal.throwIfAborted();
  const folder = join(mirror, 'objects', 'pack');
  const names = await readdir(folder).catch(() => []);
  let [packs, bytes, unfinishedBytes] = [0, 0, 0];
  for (const name of names) {
    const size = (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0;
    bytes += size;
    if (name.endsWith('.pack')) packs += 1;
    if (name.startsWith('tmp_pack')) unfinishedBytes = Math.max(unfinishedBytes, size);
  }
  return { packs, bytes, unfinishedBytes };
}

/** Makes a folder that holds nothing, and gives its path: an https server with an authority of its own needs one. */
export async function makeEmptyFolder(stateDir: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const folder = join(stateDir, 'empty');
  try {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { mode: 0o700 });
  } catch (cause) {
    throw unusable(folder, cause);
  }
  return folder;
}

/** Takes a mirror away. */
export async function removeMirror(mirror: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await rm(mirror, { recursive: true, force: true });
  } catch (cause) {
    throw unusable(mirror, cause);
  }
}

async function removeMatching(
  folder: string,
  pattern: RegExp,
  options: { readonly recursive?: boolean } = {},
): Promise<void> {
  const found = await readdir(folder, { withFileTypes: true, ...options }).catch(() => []);
  for (const entry of found) {
    if (pattern.test(entry.name)) {
      await rm(join(entry.parentPath, entry.name), { recursive: true, force: true });
    }
  }
}

function unusable(folder: string, cause: unknown): SourceError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const full = /ENOSPC|EDQUOT/u.test(why);
  const message = full ? 'there is no space left in `stateDir`' : `cannot use ${folder}: ${why}`;
  return new SourceError(message, { retry: full ? 'soon' : 'never', cause });
}

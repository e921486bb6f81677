import { randomUUID } from 'node:crypto';
import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Of those paths, which exist, whatever they are. */
export async function existing(paths: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(paths.map(async (path) => ((await isThere(path)) ? [path] : [])));
  return found.flat();
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Writes files below a folder in the order given, each beside its place first: who is stopped in between leaves whole files
 * behind and no half of one. Never through a link: who writes is root, and the folder may be somebody's clone. Throws
 * what the file system says.
 */
export async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  for (const [path, bytes] of files) {
    signal.throwIfAborted();
    await makeFolders(folder, dirname(path));
    const whole = join(folder, path);
    const part = `${whole}.${randomUUID()}.part`;
    try {
      await writeFile(part, bytes, { flag: 'wx' });
      await rename(part, whole);
    } catch (error) {
      await rm(part, { force: true });
      throw error;
    }
  }
}

/** Each folder on the way is one, and no link to one. */
async function makeFolders(folder: string, path: string): Promise<void> {
  let at = folder;
  for (const part of path.split('/').filter((name) => name !== '' && name !== '.')) {
    at = join(at, part);
    if (!(await isThere(at))) await mkdir(at);
    const entry = await lstat(at);
    if (!entry.isDirectory()) throw new Error(`${at} is no folder: nothing is written through it`);
  }
}

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from '../packages.ts';
import { StageError } from '../run.ts';

/** Made once: the servers take it over each time they start. MySQL's replication takes 32 characters at most. */
export async function makePassword(file: string): Promise<void> {
  if (await exists(file)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${randomBytes(16).toString('hex')}\n`, { mode: 0o600 });
}

/** Throws `StageError` where others can read the file. */
export async function readPassword(file: string): Promise<string> {
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0)
    throw new StageError(`others can read ${file}: it must be of mode 0600`);
  return (await readFile(file, 'utf8')).replace(/\n$/, '');
}

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, constants, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { encrypt } from '../core/sops/encrypt.ts';
import type { SealWanted } from './seal-options.ts';
import { encryptionOf, failed, mistaken, replaceFile, type SealIo } from './seal-file.ts';
import { type OpenFile, openFile } from './sealed-file.ts';

const hangUp = (): void => process.exit(129);

/** In memory, on every Linux of today. */
const MEMORY = '/dev/shm';

/** Runs `understudy edit`; gives the exit code. */
export async function editFile(
  { file, keyFile }: SealWanted,
  io: SealIo,
  signal: AbortSignal,
): Promise<number> {
  const editor = [io.environment['VISUAL'], io.environment['EDITOR'], 'vi'].find(
    (one) => one !== undefined && one !== '',
  );
  const opened = await openFile(file, await readFile(file, { signal }), keyFile);
  if (opened.status === 'failed') return failed('edit', opened.why, io);
  if (opened.status === 'wrong') return mistaken(opened.diagnostics, io);
  const folder = await mkdtemp(join(await place(), 'understudy-edit-'));
  // Whatever ends this process in an orderly way: a signal, too.
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  process.once('SIGHUP', hangUp);
  try {
    const path = join(folder, basename(file));
    return await edited({ file, path, editor: editor ?? 'vi', opened: opened.file }, io, signal);
  } finally {
    clean();
    process.off('exit', clean);
    process.off('SIGHUP', hangUp);
  }
}

async function place(): Promise<string> {
  try {
    await access(MEMORY, constants.W_OK);
    return MEMORY;
  } catch {
    return tmpdir();
  }
}

interface Editing {
  readonly file: string;
  /** In clear. */
  readonly path: string;
  readonly editor: string;
  readonly opened: OpenFile;
}

/** What cannot be encrypted is opened again, until it can or is left as it was. */
async function edited(
  { file, path, editor, opened }: Editing,
  io: SealIo,
  signal: AbortSignal,
): Promise<number> {
  const { sealed, key, clear } = opened;
  await writeFile(path, clear, { mode: 0o600, flag: 'wx' });
  let before = Buffer.from(clear);
  for (;;) {
    const code = await run(editor, path, signal);
    if (code !== 0) return failed('edit', `the editor ended with code ${String(code)}: nothing is written`, io); // prettier-ignore
    const now = await readFile(path);
    if (now.equals(before)) {
      if (before.equals(clear)) io.err('nothing changed\n');
      return before.equals(clear) ? 0 : 3;
    }
    const parts = { key, wrapped: sealed.wrapped, before: sealed };
    const made = encrypt(file, now, sealed.document.format, encryptionOf(parts, io));
    if (made.status === 'ok') {
      await replaceFile(file, made.value);
      return 0;
    }
    mistaken(made.diagnostics, io);
    before = now;
  }
}

/** By a shell, as every program starts an editor: `EDITOR` may hold options. */
async function run(editor: string, path: string, signal: AbortSignal): Promise<number> {
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], {
    stdio: 'inherit',
    signal,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, chmod, constants, mkdtemp, readFile, writeFile } from 'node:fs/promises';
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
  const bytes = await readFile(file, { signal });
  const opened = await openFile(file, bytes, keyFile);
  if (opened.status === 'failed') return failed('edit', opened.why, io);
  if (opened.status === 'wrong') return mistaken(opened.diagnostics, io);
  const folder = await mkdtemp(join(await place(), 'understudy-edit-'));
  // Whatever ends this process in an orderly way: a signal, too.
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  process.once('SIGHUP', hangUp);
  const path = join(folder, basename(file));
  let isKept = false;
  try {
    const editing = { file, bytes, path, editor: editor ?? 'vi', opened: opened.file };
    const ended = await edited(editing, io, signal);
    if (typeof ended === 'number') return ended;
    isKept = true;
    await chmod(path, 0o600);
    return failed('edit', `${ended.why}; what you typed is in ${path}, in clear and for you alone: remove it when you have it`, io); // prettier-ignore
  } finally {
    if (!isKept) clean();
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
  /** As it was opened. */
  readonly bytes: Buffer;
  /** In clear. */
  readonly path: string;
  readonly editor: string;
  readonly opened: OpenFile;
}

/** What was typed and could not be written back. */
interface Unsaved {
  readonly why: string;
}

/** What cannot be encrypted is opened again, until it can or is left as it was. Gives the exit code. */
async function edited(
  { file, bytes, path, editor, opened }: Editing,
  io: SealIo,
  signal: AbortSignal,
): Promise<number | Unsaved> {
  const { sealed, key, clear } = opened;
  await writeFile(path, clear, { mode: 0o600, flag: 'wx' });
  let before = Buffer.from(clear);
  for (;;) {
    const code = await run(editor, path, signal);
    const why = `the editor ended with code ${String(code)}: nothing is written`;
    if (code !== 0 && code < KILLED) return failed('edit', why, io);
    const now = await readFile(path);
    if (code !== 0) return now.equals(clear) ? failed('edit', why, io) : { why };
    if (now.equals(before)) {
      if (!before.equals(clear)) return { why: 'nothing is written' };
      io.err('nothing changed\n');
      return 0;
    }
    const parts = { key, wrapped: sealed.wrapped, before: sealed };
    const made = encrypt(file, now, sealed.document.format, encryptionOf(parts, io));
    if (made.status === 'ok') return writtenBack(file, bytes, made.value);
    mistaken(made.diagnostics, io);
    before = now;
  }
}

/** Over the file as it was opened, and over nothing else: somebody may have changed it while the editor was open. */
async function writtenBack(file: string, bytes: Buffer, text: string): Promise<number | Unsaved> {
  try {
    const now = await readFile(file);
    if (!now.equals(bytes)) return { why: `${file} changed meanwhile: nothing is written` };
    await replaceFile(file, text);
    return 0;
  } catch (error) {
    // What a file system says; its message names the path and nothing of a file.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return { why: error.message };
  }
}

/** From here on a shell's code is that of a signal: nobody meant to drop what was typed. */
const KILLED = 128;

/** By a shell, as every program starts an editor: `EDITOR` may hold options. */
async function run(editor: string, path: string, signal: AbortSignal): Promise<number> {
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', path], {
    stdio: 'inherit',
    signal,
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? KILLED));
  });
}

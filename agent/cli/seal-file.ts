import { randomBytes } from 'node:crypto';
import { rename, rm, stat, writeFile } from 'node:fs/promises';

import type { Diagnostic } from '../core/diagnostic.ts';
import { formatText } from '../core/format.ts';
import type { Encryption } from '../core/sops/encrypt.ts';
import type { Output } from './printer.ts';
import type { SealVerb } from './seal-options.ts';

/** What the verbs take from the process. */
export interface SealIo extends Output {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Wall clock, as ISO 8601. */
  date(): string;
}

/** Says why it did not go; gives the exit code. */
export function failed(verb: SealVerb, why: string, io: SealIo): number {
  io.err(`understudy ${verb}: ${why}\n`);
  return 1;
}

/** Shows what is wrong with a file; gives the exit code. */
export function mistaken(diagnostics: readonly Diagnostic[], io: SealIo): number {
  io.err(formatText(diagnostics, { colour: io.colour }));
  return 3;
}

/** What a file is encrypted with now. */
export function encryptionOf(
  parts: Pick<Encryption, 'key' | 'wrapped' | 'before' | 'rules'>,
  { date }: Pick<SealIo, 'date'>,
): Encryption {
  const modified = `${date().slice(0, 19)}Z`;
  return { ...parts, modified, random: (bytes) => randomBytes(bytes) };
}

/** Writes over a file as a whole or not at all, with the rights that it has. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const { mode } = await stat(file);
  const beside = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(beside, text, { mode: mode & 0o777, flag: 'wx', flush: true });
    await rename(beside, file);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}

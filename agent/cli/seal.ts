import { isUtf8 } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

import { KEY_BYTES } from '../core/sops/cipher.ts';
import { encrypt, formatByName } from '../core/sops/encrypt.ts';
import type { Wrapped } from '../core/sops/metadata.ts';
import { recipientsFor } from './recipients.ts';
import { sealUsage, type SealVerb, type SealWanted, sealWantedOf } from './seal-options.ts';
import { encryptionOf, failed, mistaken, replaceFile, type SealIo } from './seal-file.ts';
import { openFile } from './sealed-file.ts';
import { editFile } from './edit.ts';

/** Runs one of the verbs; gives the exit code. */
export async function sealCommand(
  verb: SealVerb,
  args: readonly string[],
  io: SealIo,
  signal: AbortSignal,
): Promise<number> {
  const wanted = sealWantedOf(verb, args, io.environment);
  if ('wrong' in wanted) {
    io.err(`understudy ${verb}: ${wanted.wrong}; understudy ${verb} --help says more\n`);
    return 2;
  }
  try {
    return await VERBS[verb](wanted, io, signal);
  } catch (error) {
    // What a file system says; its message names the path and nothing of a file.
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return failed(verb, error.message, io);
  }
}

type Run = (wanted: SealWanted, io: SealIo, signal: AbortSignal) => Promise<number>;

const VERBS: Readonly<Record<SealVerb, Run>> = {
  keygen: runKeygen,
  encrypt: runEncrypt,
  decrypt: runDecrypt,
  edit: editFile,
};

async function runKeygen({ file, json }: SealWanted, io: SealIo): Promise<number> {
  const { newIdentity } = await import('../age/age.ts');
  const { key, recipient } = await newIdentity();
  const text = `# created: ${io.date()}\n# public key: ${recipient}\n${key}\n`;
  await writeFile(file, text, { mode: 0o600, flag: 'wx' });
  io.out(json ? `${JSON.stringify({ file, recipient })}\n` : `${recipient}\n`);
  return 0;
}

async function runEncrypt(wanted: SealWanted, io: SealIo, signal: AbortSignal): Promise<number> {
  const { file, output, inPlace } = wanted;
  const format = wanted.format ?? formatByName(file);
  if (format === undefined) {
    return failed(
      'encrypt',
      'INI is not supported: encrypt it as a whole with `--type binary`',
      io,
    );
  }
  const found =
    wanted.recipients.length > 0
      ? { recipients: wanted.recipients, rules: {} }
      : await recipientsFor(file, signal);
  if ('wrong' in found) {
    io.err(`understudy encrypt: ${found.wrong}\n\n${sealUsage.encrypt}`);
    return 2;
  }
  const content = await readFile(file, { signal });
  const key = randomBytes(KEY_BYTES);
  const wrapped = await wrappedFor(found.recipients, key);
  if (typeof wrapped === 'string') return failed('encrypt', wrapped, io);
  const rules = format === 'binary' ? {} : { ...found.rules, ...wanted.rules };
  const made = encrypt(file, content, format, encryptionOf({ key, wrapped, rules }, io));
  if (made.status === 'wrong') return mistaken(made.diagnostics, io);
  if (inPlace) await replaceFile(file, made.value);
  else if (output !== undefined) await writeFile(output, made.value, { flag: 'wx' });
  else io.out(made.value);
  return 0;
}

async function wrappedFor(
  recipients: readonly string[],
  key: Uint8Array,
): Promise<readonly Wrapped[] | string> {
  const { wrap } = await import('../age/age.ts');
  const wrapped: Wrapped[] = [];
  for (const recipient of new Set(recipients)) {
    const isOurs = /^age1(?:pq1)?[a-z0-9]+$/.test(recipient);
    const enc = isOurs ? await wrap(key, recipient).catch(() => undefined) : undefined;
    if (enc === undefined) {
      return `\`${recipient}\` is no age recipient (age1…); plugins and ssh keys are not supported`;
    }
    wrapped.push({ recipient, enc });
  }
  return wrapped;
}

async function runDecrypt(wanted: SealWanted, io: SealIo, signal: AbortSignal): Promise<number> {
  const { file, output, keyFile } = wanted;
  const opened = await openFile(file, await readFile(file, { signal }), keyFile);
  if (opened.status === 'failed') return failed('decrypt', opened.why, io);
  if (opened.status === 'wrong') return mistaken(opened.diagnostics, io);
  const { clear } = opened.file;
  if (output !== undefined) await writeFile(output, clear, { mode: 0o600, flag: 'wx' });
  else if (isUtf8(clear)) io.out(Buffer.from(clear).toString());
  else return failed('decrypt', 'the content is no text: name a file with `--output`', io);
  return 0;
}

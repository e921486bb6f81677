import { createHash } from 'node:crypto';

import type { Diagnostic } from '../diagnostic.ts';
import { pathText } from '../path.ts';
import { type Clear, open, placeOf, seal } from './cipher.ts';
import { openAll, type Or, type Sealed } from './decrypt.ts';
import { dotenvText, readDotenv } from './dotenv.ts';
import type { Wrapped } from './metadata.ts';
import { ruleOf } from './rules.ts';
import { type Edit, edited, type SopsFormat, type SopsRead, type SopsText } from './text.ts';
import { clearOf } from './values.ts';
import { readYaml } from './yaml.ts';

/** How SOPS says what of a file is encrypted. */
export const RULES = ['unencrypted_suffix', 'encrypted_suffix', 'unencrypted_regex', 'encrypted_regex'] as const; // prettier-ignore

/** What a file is encrypted with. */
export interface Encryption {
  readonly key: Uint8Array;
  readonly wrapped: readonly Wrapped[];
  /** `2026-11-30T08:00:00Z` */
  readonly modified: string;
  /** Gives so many bytes that nobody can guess. */
  readonly random: (bytes: number) => Uint8Array;
  /** The file as it was before, under the same key: what did not change keeps its ciphertext, and its rules go on. */
  readonly before?: Sealed;
  /** What of a new file is encrypted; absent: all but what ends in `_unencrypted`. */
  readonly rules?: SealRules;
}

/** At most one rule of what is encrypted, and whether the digest of the file is over that alone. */
export type SealRules = Readonly<Partial<Record<(typeof RULES)[number], string>>> & {
  readonly mac_only_encrypted?: true;
};

/** The version of SOPS whose form is written. */
const VERSION = '3.9.0';

/** Pure. How a file is encrypted, by its name, as `sops` tells. Undefined: INI, which is not supported. */
export function formatByName(file: string): SopsFormat | undefined {
  if (/\.ya?ml$/i.test(file)) return 'yaml';
  if (/\.json$/i.test(file)) return 'json';
  if (/\.env$/i.test(file)) return 'dotenv';
  return /\.ini$/i.test(file) ? undefined : 'binary';
}

/** Pure but for `random`. A file in clear, encrypted as SOPS does. */
export function encrypt(
  file: string,
  content: Uint8Array,
  format: SopsFormat,
  encryption: Encryption,
): Or<string> {
  if (format === 'binary') return { status: 'ok', value: binary(content, encryption) };
  const text = Buffer.from(content).toString();
  const read = readPlain(file, text, format);
  if (read.status === 'wrong') return read;
  const { document } = read;
  if (document.metadata !== undefined) {
    return wrong(document, 'the file has a `sops` of its own: it is encrypted already');
  }
  return sealedText(document, encryption);
}

function readPlain(file: string, text: string, format: SopsFormat): SopsRead {
  // Empty lines do not come back from SOPS; without them what is read is what was written.
  if (format === 'dotenv') return readDotenv(file, text.replaceAll(/\n(?=\n)|^\n+/g, ''));
  return readYaml(file, text, format === 'json' ? 'json' : 'yaml');
}

function wrong({ lines }: SopsText, message: string, start = 0): Or<never> {
  const place = { ...lines.place({ start, end: start + 1 }), quoted: '' };
  const mistake: Diagnostic = { severity: 'error', code: 'encryption-unsupported', message, place };
  return { status: 'wrong', diagnostics: [mistake] };
}

function sealedText(document: SopsText, encryption: Encryption): Or<string> {
  const { format, text, leaves, comments } = document;
  const rules = rulesOf(encryption);
  const rule = ruleOf(rules);
  if (typeof rule === 'object') return wrong(document, rule.refused);
  const sealer = new Sealer(encryption);
  const hash = createHash('sha512');
  const onlyEncrypted = rules.mac_only_encrypted === true;
  if (onlyEncrypted) hash.update(createHash('sha256').update('sops').digest());
  const edits: Edit[] = [];
  for (const { path, range, value, indent } of leaves) {
    const clear = clearOf(value, format === 'json');
    if (clear === undefined) {
      return wrong(document, `\`${pathText(path)}\` is a date or no number: write it in quotes`, range.start); // prettier-ignore
    }
    const isSealed = rule(path);
    if (isSealed || !onlyEncrypted) hash.update(clear.bytes);
    if (!isSealed || value === '') continue;
    const sealed = sealer.seal(clear, placeOf(path));
    // Inside of brackets its own brackets and commas would be read as theirs.
    const isQuoted = format === 'json' || (format === 'yaml' && indent === undefined);
    edits.push({ ...range, text: isQuoted ? JSON.stringify(sealed) : sealed });
  }
  for (const { path, range, value } of comments) {
    if (typeof value !== 'string' || value === '' || !rule(path)) continue;
    const clear: Clear = { type: 'comment', bytes: Buffer.from(value) };
    edits.push({ ...range, text: sealer.seal(clear, placeOf(path)) });
  }
  const mac = macOf(hash.digest('hex'), encryption);
  const body = edited(text, edits);
  const metadata = { ...rules, lastmodified: encryption.modified, mac, version: VERSION };
  return { status: 'ok', value: withMetadata(body, format, encryption.wrapped, metadata) };
}

type Written = Readonly<Record<string, string | boolean>>;

function rulesOf({ before, rules = {} }: Encryption): SealRules {
  const given = before?.metadata ?? rules;
  const kept = RULES.flatMap((key): [string, string][] => {
    const value = given[key];
    return value === undefined || value === '' ? [] : [[key, value]];
  });
  const { mac_only_encrypted: only } = given;
  return {
    ...(kept.length === 0 ? { unencrypted_suffix: '_unencrypted' } : Object.fromEntries(kept)),
    ...((only === true || only === 'true') && { mac_only_encrypted: true }),
  };
}

function macOf(digest: string, { key, modified, random }: Encryption): string {
  return seal({ type: 'str', bytes: Buffer.from(digest.toUpperCase()) }, key, modified, random);
}

/** Seals values; one that was there before keeps its ciphertext, so that Git shows what changed and nothing else. */
class Sealer {
  readonly #encryption: Encryption;
  readonly #known = new Map<string, string>();

  constructor(encryption: Encryption) {
    this.#encryption = encryption;
    const { before, key } = encryption;
    if (before === undefined) return;
    const values = openAll(before, key);
    if (values.status === 'wrong') return;
    for (const [{ path, value }, clear] of values.value) this.#note(clear, placeOf(path), value);
    for (const { path, value } of before.document.comments) {
      const opened = typeof value === 'string' ? open(value, key, placeOf(path)) : undefined;
      if (opened?.status === 'ok') this.#note(opened.clear, placeOf(path), value);
    }
  }

  seal(clear: Clear, place: string): string {
    const { key, random } = this.#encryption;
    return this.#known.get(nameOf(clear, place)) ?? seal(clear, key, place, random);
  }

  #note(clear: Clear, place: string, sealed: unknown): void {
    if (typeof sealed === 'string') this.#known.set(nameOf(clear, place), sealed);
  }
}

function nameOf({ type, bytes }: Clear, place: string): string {
  return `${type} ${place} ${Buffer.from(bytes).toString('base64')}`;
}

function binary(content: Uint8Array, encryption: Encryption): string {
  const clear: Clear = { type: 'str', bytes: content };
  const sealed = content.length === 0 ? '' : new Sealer(encryption).seal(clear, placeOf(['data']));
  const mac = macOf(createHash('sha512').update(content).digest('hex'), encryption);
  const metadata = {
    ...rulesOf(encryption),
    lastmodified: encryption.modified,
    mac,
    version: VERSION,
  };
  const body = `{\n\t"data": ${JSON.stringify(sealed)}\n}\n`;
  return withMetadata(body, 'json', encryption.wrapped, metadata);
}

function withMetadata(
  body: string,
  format: SopsFormat,
  age: readonly Wrapped[],
  rest: Written,
): string {
  switch (format) {
    case 'yaml':
      return `${body}${body === '' || body.endsWith('\n') ? '' : '\n'}${yamlBlock(age, rest)}`;
    case 'dotenv':
      return `${body}${body === '' || body.endsWith('\n') ? '' : '\n'}${dotenvBlock(age, rest)}`;
    case 'json':
    case 'binary':
      return withJson(body, { age, ...rest });
  }
}

function yamlBlock(age: readonly Wrapped[], rest: Written): string {
  const lines = ['sops:', '    age:'];
  for (const { recipient, enc } of age) {
    lines.push(`        - recipient: ${recipient}`, '          enc: |');
    for (const line of enc.trimEnd().split('\n')) lines.push(`            ${line}`);
  }
  for (const [key, value] of sorted(rest)) {
    const isPlain = typeof value === 'boolean' || key === 'mac' || /^[a-z_]+$|^\d+\.\d+\.\d+$/.test(value); // prettier-ignore
    lines.push(`    ${key}: ${isPlain ? String(value) : JSON.stringify(value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function dotenvBlock(age: readonly Wrapped[], rest: Written): string {
  const keys = age.flatMap(({ recipient, enc }, at): [string, string][] => [
    [`age__list_${String(at)}__map_enc`, `${enc.trimEnd()}\n`],
    [`age__list_${String(at)}__map_recipient`, recipient],
  ]);
  const all = sorted(Object.fromEntries<string | boolean>([...keys, ...Object.entries(rest)]));
  return all.map(([key, value]) => `sops_${key}=${dotenvText(String(value))}\n`).join('');
}

function withJson(body: string, metadata: object): string {
  const end = body.lastIndexOf('}');
  const before = body.slice(0, end).trimEnd();
  const comma = before.endsWith('{') ? '' : ',';
  const indent = /^\{\n([ \t]+)"/.exec(body)?.[1] ?? '\t';
  const text = JSON.stringify(metadata, undefined, indent).replaceAll('\n', `\n${indent}`);
  return `${before}${comma}\n${indent}"sops": ${text}\n${body.slice(end)}`;
}

function sorted(rest: Written): [string, string | boolean][] {
  return Object.entries(rest).toSorted(([one], [other]) => (one < other ? -1 : 1));
}

import { createHash } from 'node:crypto';

import type { DiagnosticCode } from '../codes.ts';
import type { Diagnostic } from '../diagnostic.ts';
import type { Range } from '../lines.ts';
import { pathText } from '../path.ts';
import { type Clear, KEY_BYTES, looksSealed, open, placeOf } from './cipher.ts';
import { dotenvText } from './dotenv.ts';
import { isOverEncryptedOnly, Metadata, unsupportedIn, type Wrapped } from './metadata.ts';
import { type Rule, ruleOf } from './rules.ts';
import { openComments } from './sealed-comments.ts';
import { type Edit, edited, type Leaf, type SopsText, startOf } from './text.ts';
import { clearOf, hashed, jsonScalar, yamlScalar } from './values.ts';

/** A file whose form is right: what is left is to open it. */
export interface Sealed {
  readonly document: SopsText;
  readonly metadata: Metadata;
  readonly rule: Rule;
  /** The data key, once for each that may have it. */
  readonly wrapped: readonly Wrapped[];
}

/** What came of a step, or every mistake. */
export type Or<Value> =
  | { readonly status: 'ok'; readonly value: Value }
  | { readonly status: 'wrong'; readonly diagnostics: readonly Diagnostic[] };

/** Where SOPS begins its digest when it is over the encrypted values alone: SHA-256 of `sops`. */
const ONLY_ENCRYPTED = createHash('sha256').update('sops').digest();
const MISTAKES_MAX = 20;

/** Pure. Checks all that can be checked without a key: the form, and that what should be encrypted is. */
export function checkSealed(document: SopsText): Or<Sealed> {
  const at = startOf(document.lines.file);
  const fail = (code: DiagnosticCode, message: string, hint?: string): Or<never> => ({
    status: 'wrong',
    diagnostics: [{ severity: 'error', code, message, place: at, ...(hint && { hint }) }],
  });
  const { data: metadata } = Metadata.safeParse(document.metadata);
  if (metadata === undefined) {
    return fail('encryption-damaged', 'what SOPS writes about the file is not whole');
  }
  const unsupported = unsupportedIn(metadata);
  if (unsupported !== undefined) {
    const hint = 'only age is supported: encrypt the file for age recipients alone';
    return fail(
      'encryption-unsupported',
      `the encrypted file cannot be read: ${unsupported}`,
      hint,
    );
  }
  const rule = ruleOf(metadata);
  if (typeof rule === 'object') {
    return fail('encryption-unsupported', `the encrypted file cannot be read: ${rule.refused}`);
  }
  const bare = document.leaves.filter(
    ({ path, value }) =>
      rule(path) && value !== '' && !(typeof value === 'string' && looksSealed(value)),
  );
  if (bare.length > 0) return { status: 'wrong', diagnostics: bareMistakes(document, bare) };
  return { status: 'ok', value: { document, metadata, rule, wrapped: metadata.age ?? [] } };
}

function bareMistakes({ lines }: SopsText, bare: readonly Leaf[]): readonly Diagnostic[] {
  return bare.slice(0, MISTAKES_MAX).map(({ path, range }) => ({
    severity: 'error',
    code: 'not-encrypted',
    message: `\`${pathText(path)}\` is not encrypted, and has to be by the rules of its file`,
    // Somebody may have written a password there.
    place: { ...lines.place(range, path), quoted: '' },
    hint: 'encrypt the file again; a value that was ever pushed in clear has to be replaced',
  }));
}

/** Pure. The content of a file, byte for byte as far as `sops decrypt` gives the same; see the docs for what differs. */
export function decrypt(sealed: Sealed, key: Uint8Array): Or<Uint8Array> {
  const opened = openAll(sealed, key);
  if (opened.status === 'wrong') return opened;
  const { document, rule } = sealed;
  const values = opened.value;
  if (document.format === 'binary') {
    return { status: 'ok', value: values.values().next().value?.bytes ?? new Uint8Array() };
  }
  const edits: Edit[] = document.cuts.map((cut) => ({ ...cut, text: '' }));
  for (const [leaf, clear] of values) edits.push({ ...leaf.range, text: written(document, leaf, clear) }); // prettier-ignore
  const comments = document.comments.filter(({ path }) => rule(path));
  const { texts, tooMany } = openComments(document, comments, (text, place) => {
    const found = open(text, key, place);
    return found.status === 'ok' ? Buffer.from(found.clear.bytes).toString() : undefined;
  });
  if (tooMany !== undefined) return { status: 'wrong', diagnostics: [strayComments(document, tooMany)] }; // prettier-ignore
  for (const [{ range }, text] of texts) edits.push({ ...range, text });
  return { status: 'ok', value: Buffer.from(edited(document.text, edits)) };
}

function strayComments({ lines }: SopsText, { range, path }: Leaf): Diagnostic {
  return {
    severity: 'error',
    code: 'encryption-damaged',
    message:
      'so many encrypted comments before this one belong to no place in the file that no more are tried',
    place: { ...lines.place(range, path), quoted: '' },
    hint: 'take out the comments that were moved here from other files',
  };
}

function written({ format }: SopsText, { indent }: Leaf, clear: Clear): string {
  if (format === 'dotenv') return dotenvText(Buffer.from(hashed(clear)).toString());
  return format === 'yaml' ? yamlScalar(clear, indent) : jsonScalar(clear);
}

/** Pure. Every encrypted value of the file, opened, once the digest over all of them is right. */
export function openAll(sealed: Sealed, key: Uint8Array): Or<ReadonlyMap<Leaf, Clear>> {
  const { document, metadata, rule } = sealed;
  const { lines, format } = document;
  const values = new Map<Leaf, Clear>();
  const mistakes: Diagnostic[] = [];
  const mistake = (message: string, range: Range, path: readonly string[]): void => {
    const place = { ...lines.place(range, path), quoted: '' };
    mistakes.push({ severity: 'error', code: 'encryption-damaged', message, place });
  };
  if (key.length !== KEY_BYTES) {
    mistake('the data key of the file has not 32 bytes', { start: 0, end: 1 }, []);
    return { status: 'wrong', diagnostics: mistakes };
  }
  const onlyEncrypted = isOverEncryptedOnly(metadata);
  const hash = createHash('sha512');
  if (onlyEncrypted) hash.update(ONLY_ENCRYPTED);
  for (const leaf of document.leaves) {
    const { path, range, value } = leaf;
    if (!rule(path)) {
      const clear = clearOf(value, format === 'json');
      if (clear === undefined)
        mistake(`\`${pathText(path)}\` is a date or no number: write it in quotes and encrypt the file again`, range, path); // prettier-ignore
      else if (!onlyEncrypted) hash.update(clear.bytes);
      continue;
    }
    if (value === '' || typeof value !== 'string') continue;
    const opened = open(value, key, placeOf(path));
    if (opened.status === 'ok') {
      values.set(leaf, opened.clear);
      hash.update(hashed(opened.clear));
    } else mistake(`\`${pathText(path)}\` ${WHY[opened.status]}`, range, path);
  }
  if (mistakes.length > 0) {
    return { status: 'wrong', diagnostics: mistakes.slice(0, MISTAKES_MAX) };
  }
  const why = macProblem(metadata, key, hash.digest('hex'));
  if (why === undefined) return { status: 'ok', value: values };
  mistake(why, { start: 0, end: 1 }, []);
  return { status: 'wrong', diagnostics: mistakes };
}

const WHY = {
  form: 'is damaged: it is not what SOPS writes',
  content: 'is damaged, or was moved here from another key or file',
} as const;

function macProblem({ mac, lastmodified }: Metadata, key: Uint8Array, digest: string) {
  const opened = open(mac, key, lastmodified);
  if (opened.status !== 'ok') {
    return 'the digest (`mac`) of the file is damaged, or is that of another file or time';
  }
  const wanted = Buffer.from(opened.clear.bytes).toString();
  return wanted.toLowerCase() === digest
    ? undefined
    : 'the digest (`mac`) of the file is not that of its values: something was added, taken out, moved or changed by hand';
}

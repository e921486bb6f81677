import type { z } from 'zod';

import { check } from './check.ts';
import { type Diagnostic, type Place, placeOfFile } from './diagnostic.ts';
import { parseYaml } from './parse.ts';
import type { Located } from './parse.ts';
import type { Clears } from './sops/clears.ts';
import { detect } from './sops/detect.ts';
import type { DocumentContent } from './sops/vault.ts';

/** Most bytes of one YAML document; the parser has the same limit. */
const DOCUMENT_BYTES_MAX = 2 ** 20;

/** One document of one file: what could be read of it, and every mistake in it. */
export interface Read<Value> {
  readonly value?: Value;
  /** There when the text is YAML with one document, even where the schema refuses it. */
  readonly located?: Located;
  readonly diagnostics: readonly Diagnostic[];
}

/** How a kind of document is read. */
export interface Reading<Value> {
  readonly schema: z.ZodType<Value>;
  /** Dotted keys that are known but not acted upon: an error each, never ignored. */
  readonly unsupported: readonly string[];
  /** Where keys that begin with `x-` are ignored: `top` where deeper keys are names that people give. */
  readonly extensions?: 'top' | 'everywhere';
  /** What is encrypted in it; absent: nothing. */
  readonly clears?: Clears | undefined;
  /** What values at the top must be, where nobody can open them. */
  readonly given?: Readonly<Record<string, string>>;
}

/** The text of a document, as it lies in Git, and what of it is encrypted. */
export interface DocumentText {
  readonly text: string;
  readonly clears?: Clears;
}

/** Pure. The text of a file, or a diagnostic where it is not UTF-8, encrypted or longer than 1 MiB. */
export function decodeText(
  file: string,
  bytes: Uint8Array,
): { readonly text?: string; readonly diagnostics: readonly Diagnostic[] } {
  const place = placeOfFile(file);
  if (bytes.length > DOCUMENT_BYTES_MAX) {
    const message = `a document may have 1 MiB, this one is longer`;
    return { diagnostics: [{ severity: 'error', code: 'too-large', message, place }] };
  }
  if (detect(file, bytes).status !== 'plain') return { diagnostics: [encrypted(file)] };
  return decoded(file, bytes);
}

/**
 * Pure but for what `open` asks for. The same of a document that may be encrypted. Nothing at all: its key is not there
 * yet.
 */
export function documentText(
  file: string,
  bytes: Uint8Array,
  open: ((path: string, bytes: Uint8Array) => DocumentContent) | undefined,
): { readonly document?: DocumentText; readonly diagnostics: readonly Diagnostic[] } {
  const content =
    open === undefined || bytes.length > DOCUMENT_BYTES_MAX ? undefined : open(file, bytes);
  if (content?.status === 'wrong') return { diagnostics: content.diagnostics };
  if (content?.status === 'pending') return { diagnostics: [] };
  const clears = content?.status === 'read' ? { clears: content.clears } : undefined;
  const { text, diagnostics } = clears ? decoded(file, bytes) : decodeText(file, bytes);
  return text === undefined ? { diagnostics } : { document: { text, ...clears }, diagnostics };
}

function decoded(
  file: string,
  bytes: Uint8Array,
): { readonly text?: string; readonly diagnostics: readonly Diagnostic[] } {
  const place = placeOfFile(file);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), diagnostics: [] };
  } catch {
    const message = 'the file is not text in UTF-8';
    return { diagnostics: [{ severity: 'error', code: 'syntax', message, place }] };
  }
}

/** It holds what reviewers have to see, or what a machine writes. */
function encrypted(file: string): Diagnostic {
  const place = placeOfFile(file);
  const message = 'the document is encrypted, or a value of it is';
  const hint = 'write it in clear: it holds nothing that is secret';
  return { severity: 'error', code: 'encrypted-document', message, place, hint };
}

/** Pure. Reads a file that holds exactly one document. */
export function readDocument<Value>(
  file: string,
  text: string,
  reading: Reading<Value>,
): Read<Value> {
  const { clears, given } = reading;
  const parsed = parseYaml(file, text, { ...(clears && { clears }), ...(given && { given }) });
  const [written, second] = parsed.documents;
  if (written === undefined || written.value === null) {
    if (parsed.diagnostics.length > 0) return { diagnostics: parsed.diagnostics };
    return { diagnostics: [onlyOne(placeOfFile(file), 'the file holds no document')] };
  }
  if (second !== undefined) {
    const message = 'the file holds more than one document, only one is allowed here';
    return { diagnostics: [...parsed.diagnostics, onlyOne(second.place([]), message)] };
  }
  const located = withoutExtensions(written, reading.extensions ?? 'everywhere');
  const checked = check(located, reading.schema);
  const unsupported = unsupportedKeys(located, reading.unsupported);
  return {
    ...(checked.value === undefined ? {} : { value: checked.value }),
    located,
    diagnostics: [...parsed.diagnostics, ...checked.diagnostics, ...unsupported],
  };
}

/** Pure. A file has no document, or more than it may have. */
export function onlyOne(place: Place, message: string): Diagnostic {
  return { severity: 'error', code: 'missing-document', message, place };
}

/** Pure. A document without the keys that begin with `x-`. */
export function withoutExtensions(located: Located, where: 'top' | 'everywhere'): Located {
  return { ...located, value: stripped(located.value, where === 'everywhere' ? Infinity : 1) };
}

function stripped(value: unknown, levels: number): unknown {
  if (levels === 0 || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => stripped(item, levels));
  const kept = Object.entries(value).filter(([key]) => !key.startsWith('x-'));
  return Object.fromEntries(kept.map(([key, field]) => [key, stripped(field, levels - 1)]));
}

function unsupportedKeys(located: Located, keys: readonly string[]): readonly Diagnostic[] {
  return keys
    .map((key) => ({ key, path: key.split('.') }))
    .filter(({ path }) => has(located.value, path))
    .map(({ key, path }) => ({
      severity: 'error',
      code: 'unsupported-key',
      message: `\`${key}\` is not supported by this version yet`,
      place: located.place(path, 'key'),
      hint: 'leave the key out until a version supports it',
    }));
}

function has(value: unknown, path: readonly string[]): boolean {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false;
    at = new Map(Object.entries(at)).get(key);
  }
  return true;
}

import type { z } from 'zod';
import type { DiagnosticCode } from './codes.ts';
import type { Diagnostic } from './diagnostic.ts';
import { byPlace } from './diagnostic.ts';
import type { Finding } from './issues.ts';
import { findingsOf } from './issues.ts';
import { diagnosticsMax } from './limits.ts';
import type { Located } from './parse.ts';
import type { Path } from './path.ts';
import { pathText } from './path.ts';
import { knownKeys } from './schema-at.ts';
import { suggest } from './suggest.ts';

/** How a document is checked. */
export interface CheckOptions {
  /**
   * What to write instead of a key that is known but not supported: such a key becomes `unsupported-key` with that
   * text as its hint. `path` leads to the mapping that has the key. Undefined = the key does not exist at all.
   */
  readonly unsupported?: (path: Path, key: string) => string | undefined;
}

/** The value as the schema gives it, absent where there is any mistake; and every mistake, each at its place. */
export interface Checked<Value> {
  readonly value?: Value;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Pure. Checks a document against a Zod schema (strict objects, no async parts). Schemas word their own mistakes with
 * `error: 'write …'` or `.meta({ expected: 'a …' })`; custom issues may carry `params: { code, hint }`.
 */
export function check<Value>(
  located: Located,
  schema: z.ZodType<Value>,
  options: CheckOptions = {},
): Checked<Value> {
  // An empty message tells "the schema says nothing of its own" from a message of the schema's.
  const result = schema.safeParse(located.value, { error: () => '' });
  if (result.success) return { value: result.data, diagnostics: [] };

  const findings = findingsOf(result.error.issues, schema, located.value);
  const suggestions = suggestKeys(findings, schema, options);
  const explained = new Set(suggestions.values());
  const diagnostics = new Map<string, Diagnostic>();
  for (const finding of findings) {
    // One cause, one diagnostic: a misspelled key is not reported as missing as well.
    if (finding.kind === 'missing' && explained.has(fullName(finding.path, finding.key))) continue;
    const diagnostic = toDiagnostic(finding, located, options, suggestions);
    const { place, code, message } = diagnostic;
    diagnostics.set(`${place?.line} ${place?.column} ${code} ${message}`, diagnostic);
  }
  return { diagnostics: bounded([...diagnostics.values()].toSorted(byPlace)) };
}

/** The full name of each unknown key -> the full name of the key it was most likely meant to be. */
function suggestKeys(
  findings: readonly Finding[],
  schema: z.ZodType,
  { unsupported }: CheckOptions,
): ReadonlyMap<string, string> {
  const suggestions = new Map<string, string>();
  const known = new Map<string, ReadonlySet<string>>();
  for (const finding of findings) {
    if (finding.kind !== 'unknown') continue;
    const { path, key } = finding;
    if (unsupported?.(path, key) !== undefined) continue;
    const where = pathText(path);
    const candidates = known.get(where) ?? knownKeys(schema, path);
    known.set(where, candidates);
    const suggestion = suggest(key, candidates);
    if (suggestion !== undefined) suggestions.set(fullName(path, key), fullName(path, suggestion));
  }
  return suggestions;
}

function toDiagnostic(
  finding: Finding,
  located: Located,
  { unsupported }: CheckOptions,
  suggestions: ReadonlyMap<string, string>,
): Diagnostic {
  const { path } = finding;
  switch (finding.kind) {
    case 'unknown': {
      const place = located.place([...path, finding.key], 'key');
      const key = nameOf(finding.key);
      const instead = unsupported?.(path, finding.key);
      if (instead !== undefined) {
        const message = `key ${key} is not supported`;
        return { ...error('unsupported-key', message, instead), place };
      }
      const meant = suggestions.get(fullName(path, finding.key))?.split('\0').at(-1);
      const hint = meant === undefined ? undefined : `did you mean \`${meant}\`?`;
      return { ...error('unknown-key', `unknown key ${key}`, hint), place };
    }
    case 'missing': {
      const message = `missing key ${nameOf(finding.key)}`;
      return { ...error('missing-key', message, finding.hint), place: located.place(path, 'key') };
    }
    case 'wrong': {
      const place = located.place(path, finding.on);
      return { ...error(finding.code, finding.message, finding.hint), place };
    }
  }
}

function error(code: DiagnosticCode, message: string, hint: string | undefined): Diagnostic {
  return { severity: 'error', code, message, ...(hint !== undefined && { hint }) };
}

function nameOf(key: string): string {
  return `\`${key.length > 60 ? `${key.slice(0, 60)}…` : key}\``;
}

/** Keys hold no NUL: the parser refuses it as written, and a path with an escaped one only misses a suggestion. */
function fullName(path: Path, key: string): string {
  return [...path, key].join('\0');
}

function bounded(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const first = diagnostics.slice(0, diagnosticsMax);
  const [next] = diagnostics.slice(diagnosticsMax);
  if (next === undefined) return first;
  const message = `more than ${diagnosticsMax} mistakes in this file, the others are not shown`;
  const { place } = next;
  return [...first, { ...error('too-large', message, undefined), ...(place && { place }) }];
}

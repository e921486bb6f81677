import type { z } from 'zod';
import type { DiagnosticCode } from './codes.ts';
import { diagnosticCodes } from './codes.ts';
import { expectedWord, oneOf, outOfBounds, wrongType } from './issue-words.ts';
import type { Path } from './path.ts';
import { expectedAt, wantsWhole } from './schema-at.ts';
import { suggest } from './suggest.ts';

type Issue = z.core.$ZodIssue;
type UnionIssue = z.core.$ZodIssueInvalidUnion;

/** A value, or a key that exists, that is not as it must be. */
interface Wrong {
  readonly kind: 'wrong';
  readonly path: Path;
  readonly on: 'key' | 'value';
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
}

/** A mistake in a document, before it has a place. `path` of a key leads to the mapping that it is (not) in. */
export type Finding =
  | { readonly kind: 'unknown'; readonly path: Path; readonly key: string }
  | { readonly kind: 'missing'; readonly path: Path; readonly key: string; readonly hint?: string }
  | Wrong;

/** What all issues of one check have in common. */
interface Context {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
}

/** Pure. The issues of Zod as mistakes in our words; of a union the branch that the author most likely meant. */
export function findingsOf(
  issues: readonly Issue[],
  schema: z.core.$ZodType,
  value: unknown,
): readonly Finding[] {
  return issues.flatMap((issue) => fromIssue(issue, [], { schema, value }));
}

function fromIssue(issue: Issue, base: Path, context: Context): readonly Finding[] {
  const path = [
    ...base,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ];
  const key = path.at(-1);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((unknown) => ({ kind: 'unknown', path, key: unknown }));
  }
  if (issue.code === 'custom') return [fromCustom(issue, path)];
  if (typeof key === 'string' && isAbsent(context.value, path)) {
    const hint = issue.message === '' ? undefined : issue.message;
    return [{ kind: 'missing', path: path.slice(0, -1), key, ...(hint !== undefined && { hint }) }];
  }
  if (issue.code === 'invalid_union') return fromUnion(issue, path, context);
  if (issue.code === 'invalid_key') {
    const own = issue.issues.find(({ message }) => message !== '')?.message;
    const message = `\`${String(key).slice(0, 60)}\` is not allowed as a key here`;
    return [{ ...wrong('wrong-value', path, message, own), on: 'key' }];
  }
  if (issue.code === 'invalid_type') {
    const type =
      wantsWhole(context.schema, path) && issue.expected === 'number' ? 'int' : issue.expected;
    const expected = expectedAt(context.schema, path) ?? expectedWord(type);
    return [
      wrong('wrong-type', path, wrongType(issue.message, expected, valueAt(context.value, path))),
    ];
  }
  return [fromValue(issue, path, context)];
}

/** A value of the right type that is not allowed. */
function fromValue(issue: Issue, path: Path, { schema, value }: Context): Finding {
  const expected = expectedAt(schema, path);
  if (issue.code === 'invalid_value') {
    const message = issue.message === '' ? oneOf(issue.values) : issue.message;
    return wrong('wrong-value', path, message, nearest(valueAt(value, path), issue.values));
  }
  if (issue.message !== '') return wrong('wrong-value', path, issue.message);
  if (issue.code === 'too_small' || issue.code === 'too_big') {
    return wrong('wrong-value', path, outOfBounds(issue));
  }
  if (issue.code === 'not_multiple_of') {
    return wrong('wrong-value', path, `expected a multiple of ${issue.divisor}`);
  }
  if (expected !== undefined) return wrong('wrong-value', path, `expected ${expected}`);
  const form =
    issue.code === 'invalid_format' && issue.format !== 'regex' ? ` (${issue.format})` : '';
  return wrong('wrong-value', path, `the value does not have the expected form${form}`);
}

function fromCustom(issue: z.core.$ZodIssueCustom, path: Path): Finding {
  const params: Readonly<Record<string, unknown>> = issue.params ?? {};
  const { code, hint } = params;
  const message = issue.message === '' ? 'the value is not allowed' : issue.message;
  return wrong(
    isCode(code) ? code : 'wrong-value',
    path,
    message,
    typeof hint === 'string' ? hint : undefined,
  );
}

/**
 * Branches that want another type of value are out. Of the others the one with the least to mend speaks; a wrong
 * discriminator costs more than anything else.
 */
function fromUnion(issue: UnionIssue, path: Path, context: Context): readonly Finding[] {
  const { errors, message } = issue;
  if (errors.length === 0) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options : [];
    const text =
      message === '' && options.length > 0 ? oneOf(options) : message || 'the value is not allowed';
    return [wrong('wrong-value', path, text, nearest(valueAt(context.value, path), options))];
  }
  const fitting = errors.filter((branch) => !branch.some(isWrongRoot));
  const [first, ...others] = fitting;
  if (first === undefined) return [noBranch(issue, path, context)];
  const best = others.reduce((one, other) => (cost(other) < cost(one) ? other : one), first);
  const atRoot = best.every((one) => one.path.length === 0 && one.code !== 'unrecognized_keys');
  if (message !== '' && atRoot) return [wrong('wrong-value', path, message)];
  return best.flatMap((one) => fromIssue(one, path, context));
}

function noBranch(
  { errors, message }: UnionIssue,
  path: Path,
  { schema, value }: Context,
): Finding {
  const roots = errors.flatMap((branch) => branch.filter(isWrongRoot));
  const values = roots.flatMap((root) => (root.code === 'invalid_value' ? root.values : []));
  const found = valueAt(value, path);
  if (values.length > 0 && values.length === roots.length && message === '') {
    return wrong('wrong-value', path, oneOf(values), nearest(found, values));
  }
  const words = roots.map((root) => {
    if (root.code === 'invalid_type') return expectedWord(root.expected);
    return root.code === 'invalid_value'
      ? root.values.map((one) => `\`${String(one)}\``).join(', ')
      : 'another value';
  });
  const expected = expectedAt(schema, path) ?? [...new Set(words)].join(' or ');
  return wrong('wrong-type', path, wrongType(message, expected, found), nearest(found, values));
}

/** The value as a whole is not what the branch wants. */
function isWrongRoot(issue: Issue): boolean {
  return (
    issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value')
  );
}

function cost(branch: readonly Issue[]): number {
  let total = 0;
  for (const issue of branch) {
    if (issue.code === 'unrecognized_keys') total += issue.keys.length;
    else total += issue.code === 'invalid_value' && issue.path.length === 1 ? 1000 : 1;
  }
  return total;
}

function wrong(code: DiagnosticCode, path: Path, message: string, hint?: string): Wrong {
  return { kind: 'wrong', path, on: 'value', code, message, ...(hint !== undefined && { hint }) };
}

function nearest(value: unknown, values: readonly unknown[]): string | undefined {
  const texts = values.filter((one) => typeof one === 'string');
  const close = typeof value === 'string' ? suggest(value, texts) : undefined;
  return close === undefined ? undefined : `did you mean \`${close}\`?`;
}

function isCode(code: unknown): code is DiagnosticCode {
  return typeof code === 'string' && Object.hasOwn(diagnosticCodes, code);
}

/** The mapping is there, its key is not. */
function isAbsent(value: unknown, path: Path): boolean {
  const key = path.at(-1);
  const parent = valueAt(value, path.slice(0, -1));
  return key !== undefined && isMapping(parent) && !Object.hasOwn(parent, key);
}

function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (Array.isArray(at)) at = typeof part === 'number' ? at[part] : undefined;
    else at = isMapping(at) && Object.hasOwn(at, part) ? at[part] : undefined;
  }
  return at;
}

function isMapping(value: unknown): value is Readonly<Record<string | number, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

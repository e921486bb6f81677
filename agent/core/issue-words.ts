import type { z } from 'zod';
import { Float, Timestamp } from './scalars.ts';

const expectedWords: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  bigint: 'a whole number',
  boolean: '`true` or `false`',
  array: 'a list',
  tuple: 'a list',
  object: 'a mapping',
  record: 'a mapping',
  map: 'a mapping',
  null: 'nothing',
  undefined: 'nothing',
  never: 'nothing',
};

const listedMax = 12;

/** Pure. How people name the kind of a value. Never the value. */
export function kindWord(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (value instanceof Float) return 'a number';
  if (value instanceof Timestamp) return 'a date';
  if (typeof value === 'string') return 'a text';
  if (typeof value === 'boolean') return 'a boolean';
  if (typeof value === 'bigint') return 'a number beyond 2^53';
  if (typeof value !== 'number') return 'a mapping';
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '`.nan`' : '`.inf`';
  return Number.isInteger(value) ? 'a number' : 'a number that is not whole';
}

/** Pure. What a schema expected, in our words. */
export function expectedWord(expected: string): string {
  return expectedWords[expected] ?? expected;
}

/**
 * Pure. The sentence for a value of the wrong type. A schema's own message, such as `write a duration such as
 * \`1m30s\`` or `expected a duration`, is completed with what was found.
 */
export function wrongType(own: string, expected: string, value: unknown): string {
  if (own.startsWith('write ')) return `${own}, not ${kindWord(value)}`;
  if (own !== '' && !own.startsWith('expected ')) return own;
  return `${own === '' ? `expected ${expected}` : own}, found ${kindWord(value)}`;
}

/** Pure. The sentence for a value that is not one of a list. */
export function oneOf(values: readonly unknown[]): string {
  const shown = values.slice(0, listedMax).map((value) => `\`${String(value)}\``);
  const more = values.length > listedMax ? ` and ${values.length - listedMax} more` : '';
  return values.length === 1
    ? `expected ${shown.join('')}`
    : `expected one of ${shown.join(', ')}${more}`;
}

/** Pure. The sentence for a number, text or list outside of its bounds. */
export function outOfBounds(issue: z.core.$ZodIssueTooBig | z.core.$ZodIssueTooSmall): string {
  const [limit, word] =
    issue.code === 'too_small'
      ? [issue.minimum, issue.inclusive === false ? 'more than' : 'at least']
      : [issue.maximum, issue.inclusive === false ? 'less than' : 'at most'];
  if (issue.code === 'too_small' && issue.origin === 'string' && limit === 1) {
    return 'expected a text that is not empty';
  }
  const units: Readonly<Record<string, string>> = {
    string: ' characters',
    array: ' items',
    set: ' items',
    map: ' keys',
    object: ' keys',
    record: ' keys',
  };
  return `expected ${word} ${limit}${units[issue.origin] ?? ''}`;
}

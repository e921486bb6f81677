import { createHash } from 'node:crypto';

import { Secret } from './secret.ts';

/**
 * Pure. JSON with sorted keys, so that equal content gives equal text. Secrets go in with their value:
 * the result must be hashed, never shown.
 */
function canonicalJson(value: unknown): string {
  if (value instanceof Secret) return `{"secret":${JSON.stringify(value.reveal())}}`;
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value ?? null);
}

/** Pure. SHA-256 over the canonical JSON of `value`, hex. Absent and `undefined` fields are the same. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

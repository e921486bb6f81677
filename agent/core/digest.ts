import { createHash } from 'node:crypto';

import { Secret } from './secret.ts';

/**
 * Pure. JSON with sorted keys, so that equal content gives equal text. Absent and `undefined` fields are the same.
 * Secrets are written as `secretText` says: without one they stay hidden.
 */
export function canonicalJson(
  value: unknown,
  secretText: (secret: Secret) => string = () => '"[secret]"',
): string {
  if (value instanceof Secret) return secretText(value);
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item, secretText)).join(',')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    let text = '';
    // Without a comparison of ours: by UTF-16 units, as `<` has it.
    for (const key of Object.keys(value).toSorted()) {
      const field: unknown = Reflect.get(value, key);
      if (field === undefined) continue;
      text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(field, secretText)}`;
    }
    return `{${text}}`;
  }
  if (typeof value === 'bigint') return value.toString();
  return JSON.stringify(value ?? null);
}

/** Pure. SHA-256 over the canonical JSON of `value`, hex. Secrets count with their value, which a hash does not show. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value, revealed)).digest('hex');
}

function revealed(secret: Secret): string {
  return `{"secret":${JSON.stringify(secret.reveal())}}`;
}

import { z } from 'zod';

/** Texts by name, as they came: a label may be called `__proto__`, and a record of zod's would drop it. */
export const textMap = z.custom<Record<string, string>>(isTextMap);

function isTextMap(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((one) => typeof one === 'string');
}

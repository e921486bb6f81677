import { z } from 'zod';

/** The schema that this version writes, of roots and of buckets. */
export const SCHEMA = 1;

/** What a blob of the record says; `newer`: only a later version can tell. */
export type Parsed<Value> =
  | { readonly status: 'ok'; readonly value: Value }
  | { readonly status: 'damaged' }
  | { readonly status: 'newer'; readonly schema: number };

/** `stack/blog`: a kind, and a name without spaces or anything that does not print. */
const UNIT_ID = /^[a-z][a-z0-9-]{0,40}\/[^\p{C}\p{Z}]{1,200}$/u;

export const UnitId = z
  .templateLiteral([z.string(), '/', z.string()])
  .refine((id) => UNIT_ID.test(id));

/** Who asks. It is shown to people: nothing in it may move a cursor. */
export const By = z.string().regex(/^\P{C}{1,100}$/u, 'who asks is 1 to 100 characters that print');

const Versioned = z.looseObject({ schema: z.int().min(1) });

/** Pure. Reads what this version or an earlier one wrote. Keys that nobody here knows are kept. */
export function parseVersioned<Value>(json: unknown, shape: z.ZodType<Value>): Parsed<Value> {
  const versioned = Versioned.safeParse(json);
  if (!versioned.success) return { status: 'damaged' };
  const { schema } = versioned.data;
  if (schema > SCHEMA) return { status: 'newer', schema };
  const parsed = shape.safeParse(json);
  return parsed.success ? { status: 'ok', value: parsed.data } : { status: 'damaged' };
}

import { z } from 'zod';

/** What a list call gave, or where it did not have the shape of one. Never "nothing" for something unreadable. */
export type Shaped<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly where: string };

/** Pure. Every row of a list, or where the first wrong one stands. */
export function list<Row>(row: z.ZodType<Row>, json: unknown): Shaped<readonly Row[]> {
  return parsed(z.array(row), json);
}

/** Pure. */
export function parsed<Value>(shape: z.ZodType<Value>, json: unknown): Shaped<Value> {
  const read = shape.safeParse(json);
  return read.success ? { ok: true, value: read.data } : { ok: false, where: whereOf(read.error) };
}

/** Pure. */
export function mapped<From, To>(
  rows: Shaped<readonly From[]>,
  change: (row: From) => To,
): Shaped<readonly To[]> {
  return rows.ok ? { ok: true, value: rows.value.map(change) } : rows;
}

/** Where and what was expected; never the value, which may be anything. */
function whereOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return '';
  const expected = issue.code === 'invalid_type' ? ` (expected ${issue.expected})` : '';
  return `${issue.path.map(String).join('.') || 'its top'}${expected}`;
}

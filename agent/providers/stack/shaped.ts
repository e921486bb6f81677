import type { z } from 'zod';

/** What a list call gave, or where it did not have the shape of one. Never "nothing" for something unreadable. */
export type Shaped<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly where: string };

/**
 * Pure. Reads every row of a list, or says where the first wrong one stands. `read` gives undefined for what is left out. A row
 * that is the same object as before is not read again.
 */
export function listOf<Row, Value extends object>(
  shape: z.ZodType<Row>,
  read: (row: Row) => Shaped<Value | undefined>,
): (json: unknown) => Shaped<readonly Value[]> {
  const known = new WeakMap<object, Value>();
  const rowOf = (json: unknown): Shaped<Value | undefined> => {
    const before = typeof json === 'object' && json !== null ? known.get(json) : undefined;
    if (before !== undefined) return { ok: true, value: before };
    const row = parsed(shape, json);
    const made = row.ok ? read(row.value) : row;
    if (made.ok && made.value !== undefined && typeof json === 'object' && json !== null) {
      known.set(json, made.value);
    }
    return made;
  };
  return (json) => {
    if (!Array.isArray(json)) return { ok: false, where: 'its top (expected array)' };
    const values: Value[] = [];
    for (const [at, item] of json.entries()) {
      const made = rowOf(item);
      if (!made.ok) return { ok: false, where: within(at, made.where) };
      if (made.value !== undefined) values.push(made.value);
    }
    return { ok: true, value: values };
  };
}

/** Pure. As `listOf`, where every row is read and kept. */
export function mapped<Row, Value extends object>(
  shape: z.ZodType<Row>,
  change: (row: Row) => Value,
): (json: unknown) => Shaped<readonly Value[]> {
  return listOf(shape, (row) => ({ ok: true, value: change(row) }));
}

/** Where it is in the whole of which this is one part. */
export function within(part: string | number, where: string): string {
  return where.startsWith(TOP)
    ? `${String(part)}${where.slice(TOP.length)}`
    : `${String(part)}.${where}`;
}

const TOP = 'its top';

/** Pure. */
export function parsed<Value>(shape: z.ZodType<Value>, json: unknown): Shaped<Value> {
  const read = shape.safeParse(json);
  return read.success ? { ok: true, value: read.data } : { ok: false, where: whereOf(read.error) };
}

/** Where and what was expected; never the value, which may be anything. */
function whereOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return '';
  const expected = issue.code === 'invalid_type' ? ` (expected ${issue.expected})` : '';
  return `${issue.path.map(String).join('.') || TOP}${expected}`;
}

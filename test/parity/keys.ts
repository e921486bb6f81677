import { z } from 'zod';

/** Every key that a schema has, as a path; `*` is any name or item. */
export function keysOf(schema: z.core.$ZodType, path: readonly string[] = []): readonly string[][] {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return keysOf(schema.unwrap(), path);
  }
  if (schema instanceof z.ZodUnion) return schema.options.flatMap((one) => keysOf(one, path));
  if (schema instanceof z.ZodArray) return keysOf(schema.element, [...path, '*']);
  if (schema instanceof z.ZodRecord) return keysOf(schema.valueType, [...path, '*']);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([key, value]) => [
    [...path, key],
    ...keysOf(value, [...path, key]),
  ]);
}

/** Whether a document has a value at such a path. */
export function isUsed(value: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, field]) => (key === '*' || key === name) && isUsed(field, rest),
  );
}

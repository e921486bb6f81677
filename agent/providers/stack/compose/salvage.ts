import { z } from 'zod';

import { isMapping } from './variables.ts';

/**
 * Pure. What is left of `value` when everything that its schema refuses is taken out, so that one run tells every
 * mistake of a file and not only the first kind of it. Undefined where nothing is left.
 */
export function salvage(schema: z.core.$ZodType, value: unknown): unknown {
  if (z.safeParse(schema, value).success) return value;
  const rest = salvageParts(schema, value);
  return rest !== undefined && z.safeParse(schema, rest).success ? rest : undefined;
}

function salvageParts(schema: z.core.$ZodType, value: unknown): unknown {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return salvage(schema.unwrap(), value);
  }
  if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) {
      const rest = salvage(option, value);
      if (rest !== undefined) return rest;
    }
    return undefined;
  }
  if (schema instanceof z.ZodArray && Array.isArray(value)) {
    return value.map((item) => salvage(schema.element, item));
  }
  if (!isMapping(value)) return undefined;
  if (schema instanceof z.ZodRecord) return salvageFields(value, () => schema.valueType);
  if (schema instanceof z.ZodObject) {
    const fields = new Map<string, z.core.$ZodType>(Object.entries(schema.shape));
    return salvageFields(value, (key) => fields.get(key));
  }
  return undefined;
}

function salvageFields(
  mapping: Readonly<Record<string, unknown>>,
  schemaOf: (key: string) => z.core.$ZodType | undefined,
): Record<string, unknown> {
  const kept: [string, unknown][] = [];
  for (const [key, field] of Object.entries(mapping)) {
    const schema = schemaOf(key);
    const rest = schema === undefined ? undefined : salvage(schema, field);
    if (rest !== undefined) kept.push([key, rest]);
  }
  return Object.fromEntries(kept);
}

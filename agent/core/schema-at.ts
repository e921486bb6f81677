import { z } from 'zod';
import type { Path } from './path.ts';

type Schema = z.core.$ZodType;

/** Pure. The keys that a mapping at `path` may have by the schema; of every branch, where there are several. */
export function knownKeys(schema: Schema, path: Path): ReadonlySet<string> {
  const keys = new Set<string>();
  for (const one of schemasAt(schema, path)) {
    if (one instanceof z.ZodObject) for (const key of Object.keys(one.shape)) keys.add(key);
    if (one instanceof z.ZodRecord && one.keyType instanceof z.ZodEnum) {
      for (const key of one.keyType.options) keys.add(String(key));
    }
  }
  return keys;
}

/** Pure. Whether every number that may stand at `path` is a whole one. */
export function wantsWhole(schema: Schema, path: Path): boolean {
  const numbers = [...schemasAt(schema, path)].filter((one) => one instanceof z.ZodNumber);
  return numbers.length > 0 && numbers.every(({ isInt }) => isInt);
}

/** Pure. What the schema at `path` says about itself in `.meta({ expected: 'a duration such as …' })`. */
export function expectedAt(schema: Schema, path: Path): string | undefined {
  for (const one of schemasAt(schema, path)) {
    const expected = z.globalRegistry.get(one)?.['expected'];
    if (typeof expected === 'string') return expected;
  }
  return undefined;
}

/** Every schema that a value at `path` goes through, wrappers and branches of unions included. */
function schemasAt(schema: Schema, path: Path): ReadonlySet<Schema> {
  let here = unfold([schema]);
  for (const part of path) here = unfold([...here].flatMap((one) => child(one, part)));
  return here;
}

function unfold(schemas: readonly Schema[]): ReadonlySet<Schema> {
  const all = new Set<Schema>(schemas);
  // A set that grows while it is walked: each schema once, also where a lazy one contains itself.
  for (const schema of all) for (const inner of insides(schema)) all.add(inner);
  return all;
}

function insides(schema: Schema): readonly Schema[] {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNonOptional ||
    schema instanceof z.ZodReadonly ||
    schema instanceof z.ZodCatch ||
    schema instanceof z.ZodLazy
  ) {
    return [schema.unwrap()];
  }
  if (schema instanceof z.ZodPipe) return [schema.in, schema.out];
  if (schema instanceof z.ZodUnion) return schema.options;
  if (schema instanceof z.ZodIntersection) return [schema.def.left, schema.def.right];
  return [];
}

function child(schema: Schema, part: string | number): readonly Schema[] {
  if (schema instanceof z.ZodArray) return [schema.element];
  if (schema instanceof z.ZodRecord) return [schema.valueType];
  if (schema instanceof z.ZodObject) {
    const shape: Readonly<Record<string | number, Schema>> = schema.shape;
    const known = Object.hasOwn(shape, part) ? shape[part] : schema.def.catchall;
    return known === undefined ? [] : [known];
  }
  return [];
}

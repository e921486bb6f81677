import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { Compose } from '../../schemas/compose.ts';
import { readCases } from './folder.ts';
import { judgeCase } from './offline.ts';

const own = join(import.meta.dirname, 'own');
const cases = readCases(own);

describe('the stack files of the project', () => {
  it.each(cases.map((one) => [one.id, one] as const))('%s: as the CLI', (_, one) => {
    expect(judgeCase(own, one)).toEqual({ kind: 'equal', lines: [] });
  });

  it('lie beside what was recorded of them, and nothing else does', () => {
    const listed = cases.flatMap(({ files }) => files);
    const there = readdirSync(join(own, 'files')).filter((name) => name.endsWith('.yml'));
    expect(there.toSorted()).toEqual(listed.toSorted());
    const recorded = ['expected', 'rejected'].flatMap((kind) =>
      readdirSync(join(own, kind)).map((name) => `${kind} ${name}`),
    );
    const wanted = cases.map(
      ({ id, accepted }) => `${accepted ? 'expected' : 'rejected'} ${id}.json`,
    );
    expect(recorded.toSorted()).toEqual(wanted.toSorted());
  });

  it('use every key of the schemas in a file that the CLI takes', () => {
    const documents = cases
      .filter(({ accepted }) => accepted)
      .flatMap(({ files }) => files.map((file) => readFileSync(join(own, 'files', file), 'utf8')))
      .map((text): unknown => parse(text, { merge: true, logLevel: 'silent', uniqueKeys: false }));
    const missing = keysOf(Compose).filter((path) => !documents.some((one) => isUsed(one, path)));
    expect(missing.map((path) => path.join('.'))).toEqual([]);
  });
});

/** Every key that a schema has, as a path; `*` is any name or item. */
function keysOf(schema: z.core.$ZodType, path: readonly string[] = []): readonly string[][] {
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

function isUsed(value: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  if (key === undefined) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(
    ([name, field]) => (key === '*' || key === name) && isUsed(field, rest),
  );
}

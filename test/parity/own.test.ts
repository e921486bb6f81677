import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

import { Compose } from '../../schemas/compose.ts';
import { readCases } from './folder.ts';
import { isUsed, keysOf } from './keys.ts';
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

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { formatText } from '../../../agent/core/format.ts';
import { mysqlFromWire, mysqlToWire } from '../../../agent/providers/mysql/wire.ts';
import { filesOf, small } from '../../fakes/repository.ts';
import { renderRepository } from '../../../agent/core/repository.ts';
import { stackFolders } from '../../../agent/providers/stack/render.ts';
import { readCron } from '../../../agent/render/cron.ts';
import { mysql, render, told } from './rendering.ts';

const golden = join(import.meta.dirname, '../../golden/mysql/documents');

/** A stack that makes a secret. */
const stack = {
  'stacks/blog/compose.yaml':
    'services: {web: {image: x, secrets: [key]}}\nsecrets: {key: {file: key}}\n',
  'stacks/blog/key': 'x',
};

describe('golden files: documents beside what their author sees', () => {
  it.each(['names', 'kinds', 'clashes'])('%s', async (name) => {
    const text = readFileSync(join(golden, `${name}.yaml`), 'utf8');
    const { diagnostics, units } = render({ ...stack, ...mysql(text) });
    expect(units).toEqual([]);
    const words = formatText(diagnostics, { colour: false });
    await expect(words).toMatchFileSnapshot(join(golden, `${name}.txt`));
  });
});

describe('files', () => {
  it.each<[string, string, readonly string[]]>([
    ['mysql/x.yml', 'kind: MySQLDatabase\nname: a\n', ['file-name']],
    ['MySQL/x.yaml', 'kind: MySQLDatabase\nname: a\n', ['file-name']],
    ['mysql/x.yaml', '', ['missing-document']],
    ['mysql/x.yaml', '# nothing\n---\n', ['missing-document']],
    ['mysql/x.yaml', 'kind: [\n', ['syntax']],
    ['mysql/x.yaml', 'kind: MySQLDatabase\nname: a\nname: b\n', ['duplicate-key']],
    [
      'mysql/x.yaml',
      `kind: MySQLDatabase\nname: "${'a'.repeat(300)}"\n`,
      ['wrong-name', 'wrong-value'],
    ],
    ['mysql/x.yaml', `kind: MySQLDatabase\nname: "${'ä'.repeat(60)}"\n`, ['wrong-name']],
    ['mysql/x.yaml', 'x'.repeat(2 ** 20 + 1), ['too-large']],
    ['mysql/readme.md', 'hello', []],
    ['secrets/x.sops.yaml', 'hello: x', []],
    ['ceph/x.yaml', 'kind: CephPool', ['unsupported-key']],
  ])('%s with %#', (path, text, codes) => {
    const { diagnostics } = render({ [path]: text });
    expect(diagnostics.map(({ code }) => code)).toEqual(codes);
    expect(diagnostics.every(({ place }) => place?.file === path)).toBe(true);
  });

  it('are refused as before where no folder of documents is read', () => {
    const files = {
      ...small,
      'mysql/x.yaml': 'kind: MySQLUsr\n',
      'secrets/x.sops.yaml': 'a: b\n',
      'environments/production.yaml': 'kind: Environment\nname: production\nmysql: {default: a}\n',
    };
    const ports = { kind: stackFolders, memo: new Map(), readCron };
    const outcome = renderRepository(filesOf(files), 'production', ports);
    if (outcome.status !== 'rendered') throw new Error('incomplete');
    expect(told(outcome)).toEqual([
      'error[unsupported-key] mysql/x.yaml:1 () a document in `mysql/` is not supported by this version yet',
      'error[unsupported-key] secrets/x.sops.yaml:1 () a SOPS file is not supported by this version yet',
      'error[unsupported-key] environments/production.yaml:3 (mysql) `mysql` is not supported by this version yet = leave the key out until a version supports it',
    ]);
  });
});

describe('any document', () => {
  const texts = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom('%', '*', 'blog', '${A}', '$', '${A', 'a b', 'läden', "it's", '..', '😀'),
  );
  const kinds = fc.constantFrom('MySQLDatabase', 'MySQLRole', 'MySQLUser', 'MySQLUsr');
  const grants = fc.array(
    fc.record(
      {
        privileges: fc.array(fc.oneof(texts, fc.constantFrom('SELECT', 'ALL')), { maxLength: 3 }),
        database: texts,
        table: texts,
        columns: fc.array(texts, { maxLength: 2 }),
        pattern: fc.boolean(),
      },
      { requiredKeys: ['privileges'] },
    ),
    { maxLength: 3 },
  );
  const passwords = fc.oneof(
    fc.record({ generate: fc.constant(true), secret: fc.constantFrom('a', 'b', 'A') }),
    fc.record({ fromFile: texts, key: texts }),
    fc.record({ hash: texts }),
    fc.jsonValue(),
  );
  const documents = fc.record(
    {
      kind: kinds,
      name: texts,
      server: texts,
      hosts: fc.array(texts, { maxLength: 3 }),
      password: passwords,
      privileges: fc.oneof(grants, fc.jsonValue({ maxDepth: 2 })),
      roles: fc.array(texts, { maxLength: 3 }),
      dependsOn: fc.array(texts, { maxLength: 2 }),
      suspend: fc.oneof(fc.boolean(), texts),
    },
    { requiredKeys: ['kind'] },
  );

  /** What is mostly right. */
  const sound = fc.record(
    {
      kind: fc.constant('MySQLUser'),
      name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }),
      password: fc.constant({ hash: '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29' }),
      hosts: fc.constantFrom(['%'], ['10.%', 'app']),
      roles: fc.uniqueArray(fc.constantFrom('a', 'b c', 'ä')),
      privileges: fc.constantFrom([], [{ privileges: ['ALL'], database: 'a b' }]),
      limits: fc.record({ maxQueriesPerHour: fc.nat() }),
    },
    { requiredKeys: ['kind', 'name', 'password'] },
  );
  const repositories = fc.oneof(
    fc.array(documents, { minLength: 1, maxLength: 4 }),
    fc.array(sound, { minLength: 1, maxLength: 2 }),
  );

  it('is rendered or refused at its file, and never throws; what is rendered crosses the pipe', () => {
    let rendered = 0;
    fc.assert(
      fc.property(repositories, (some) => {
        const text = some.map((one) => JSON.stringify(one)).join('\n---\n');
        const { units, diagnostics } = render(mysql(text));
        for (const { place } of diagnostics) expect(place?.file).toBe('mysql/x.yaml');
        for (const { id, spec } of units) {
          if (!('kind' in spec)) continue;
          rendered += 1;
          expect(id).toMatch(/^mysql-[a-z]+\/[A-Za-z0-9_%][A-Za-z0-9._%/-]*$/);
          mysqlFromWire.parse(JSON.parse(JSON.stringify(mysqlToWire(spec))));
        }
      }),
      { numRuns: 400 },
    );
    // Else the property would say nothing of what is right.
    expect(rendered).toBeGreaterThan(10);
  });
});

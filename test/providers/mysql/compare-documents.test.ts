import { describe, expect, it } from 'vitest';

import { compareUnits } from '../../../agent/planning.ts';
import type { Contents } from '../../fakes/repository.ts';
import { mysql, render } from './rendering.ts';

const user = (more: string) => `kind: MySQLUser\nname: blog\n${more}`;
const generated = 'password: {generate: true, secret: blog_db}\n';
const hash = (digit: string) => `password: {hash: "*${digit.repeat(40)}"}\n`;

const unitsOf = (contents: Contents) => {
  const done = render(contents);
  expect(done.diagnostics).toEqual([]);
  return done.units.filter(({ id }) => id.startsWith('mysql-'));
};
const compared = (before: string, after: string) =>
  compareUnits('production', before === '' ? [] : unitsOf(mysql(before)), unitsOf(mysql(after)));

describe('documents of two revisions', () => {
  it('are new with all that is not as usual', () => {
    const written = `${user(generated)}privileges: [{privileges: [select, INSERT], database: blog}, {privileges: [SELECT], database: x_, pattern: true}]\nroles: [readers]\n`;
    const role =
      'kind: MySQLRole\nname: readers\nprivileges: [{privileges: [SHOW VIEW], database: blog, table: posts, grantOption: true}]\n';
    const database = 'kind: MySQLDatabase\nname: blog\n';
    const { units, unchanged } = compared('', [database, role, written].join('---\n'));
    expect(unchanged).toBe(0);
    expect(units).toMatchObject([
      {
        id: 'mysql-database/blog',
        change: 'add',
        wave: 1,
        operations: [
          {
            target: 'database blog',
            verb: 'create',
            fields: [{ path: 'characterSet', desired: 'utf8mb4' }],
          },
        ],
      },
      {
        id: 'mysql-role/readers',
        wave: 2,
        operations: [
          { fields: [{ path: 'privileges.blog.posts', desired: 'SHOW VIEW with grant option' }] },
        ],
      },
      {
        id: 'mysql-user/blog',
        change: 'add',
        wave: 3,
        operations: [
          {
            target: 'account blog',
            fields: [
              { path: 'password', desired: 'generated, 32 characters, in the secret blog_db' },
              { path: 'privileges.blog.*', desired: 'INSERT, SELECT' },
              { path: 'privileges.x_ (pattern).*', desired: 'SELECT' },
              { path: 'roles', desired: 'readers' },
            ],
          },
        ],
      },
    ]);
  });

  it.each<[string, string, string, object]>([
    ['hosts', '', 'hosts: [10.0.0.%]\n', { path: 'hosts', desired: '10.0.0.%' }],
    ['what is required', 'require: ssl\n', '', { path: 'require', observed: 'ssl' }],
    ['a limit', '', 'limits: {maxUserConnections: 3}\n', { path: 'limits.maxUserConnections' }],
    ['a lock', '', 'locked: true\n', { path: 'locked', desired: 'true' }],
    ['rotate', 'rotate: a\n', 'rotate: b\n', { path: 'rotate', observed: 'a', desired: 'b' }],
    [
      'what goes',
      '',
      'deletionPolicy: Delete\nretention: 10d\n',
      { path: 'deletionPolicy', desired: 'Delete' },
    ],
    ['an edge', '', 'suspend: true\n', { path: 'suspend', desired: 'true' }],
  ])('differ in %s', (_what, before, after, field) => {
    const { units } = compared(user(`${generated}${before}`), user(`${generated}${after}`));
    expect(units[0]).toMatchObject({
      id: 'mysql-user/blog',
      change: 'change',
      operations: [{ fields: expect.arrayContaining([expect.objectContaining(field)]) }],
    });
  });

  it('do not differ in the order of what has none', () => {
    const hosts = (list: string) => user(`${generated}hosts: [${list}]\n`);
    expect(compared(hosts('b, a'), hosts('a, b')).units).toEqual([]);
  });

  it('differ in a hash that nobody sees', () => {
    const { units } = compared(user(hash('A')), user(hash('B')));
    const shown = '[secret], as a hash';
    expect(units[0]?.operations[0]?.fields).toEqual([
      { path: 'password', observed: shown, desired: shown },
    ]);
    expect(JSON.stringify(units)).not.toMatch(/[AB]{8}/);
  });

  it('say of one that left that it goes', () => {
    const { units } = compareUnits('production', unitsOf(mysql(user(generated))), []);
    expect(units).toMatchObject([
      { id: 'mysql-user/blog', change: 'keep', notes: [expect.stringContaining('stays')] },
    ]);
  });
});

import { describe, expect, it } from 'vitest';

import { isLike } from '../../../agent/providers/mysql/like.ts';
import { scopeProblem } from '../../../agent/providers/mysql/scope.ts';
import { MySQLDatabase, MySQLRole } from '../../../schemas/mysql.ts';

const database = (name: string) => MySQLDatabase.parse({ kind: 'MySQLDatabase', name });
const role = (...privileges: readonly object[]) =>
  MySQLRole.parse({
    kind: 'MySQLRole',
    name: 'readers',
    privileges: privileges.map((one) => ({ privileges: ['SELECT'], ...one })),
  });

describe('a pattern of names', () => {
  it.each<[string, string, boolean]>([
    ['site_%', 'site_1', true],
    ['site_%', 'siteX1', true],
    [String.raw`site\_%`, 'site_1', true],
    [String.raw`site\_%`, 'siteX1', false],
    ['Site', 'sITE', true],
    ['site', 'site2', false],
    ['a.b', 'axb', false],
    ['%', '', true],
    ['_', '😀', true],
    ['a(b', 'a(b', true],
    [String.raw`a\\b`, String.raw`a\b`, true],
    ['%b%c', 'abxbxc', true],
    ['%b%c', 'abxbx', false],
    ['%%', 'x', true],
    ['a%', 'a', true],
    ['_', '', false],
    [`${'%'.repeat(63)}x`, 'performance_schema', false],
    [`${'%_'.repeat(200)}x`, 'y'.repeat(500), false],
  ])('%s, %s: %s', (pattern, name, covers) => {
    expect(isLike(name, pattern)).toBe(covers);
  });
});

describe('the setting `databases`', () => {
  const scope = [String.raw`site\_%`, 'wiki'];

  it.each([
    [database('site_1')],
    [database('wiki')],
    [role({ database: 'site_7' }, { database: 'wiki', table: 'pages' })],
    [role({ database: String.raw`site\_%`, pattern: true })],
    [role()],
  ])('lets %j through', (spec) => {
    expect(scopeProblem(spec, scope)).toBeUndefined();
  });

  it.each([
    [database('shop'), 'the database `shop`'],
    [role({ database: 'site_1' }, { database: 'shop' }), 'the database `shop`'],
    [role({}), 'everything'],
    [role({ database: 'site%', pattern: true }), 'the pattern `site%`'],
    [role({ database: '%', pattern: true }), 'the pattern `%`'],
  ])('holds %j back', (spec, what) => {
    expect(scopeProblem(spec, scope)).toContain(`${what} is not what`);
    expect(scopeProblem(spec, [])).toBeUndefined();
  });
});

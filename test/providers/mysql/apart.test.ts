import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import { type Account, accountKey } from '../../../agent/providers/mysql/account.ts';
import { apartOf, apartWords } from '../../../agent/providers/mysql/apart.ts';
import { gathered } from '../../../agent/providers/mysql/grants.ts';
import { accountsOf, answered } from './kept.ts';
import { live, NONE } from './live.ts';
import { mariadb1011 } from './servers.ts';

const stored = (text: string) => ({
  plugin: 'mysql_native_password',
  stored: new Secret(`*${text}`),
});
const grants = (...words: readonly string[]) =>
  gathered([
    { level: { on: 'database', stored: 'blog' }, privileges: new Set(words), grantOption: false },
  ]);
const blog: Account = {
  ...live(mariadb1011, { user: 'blog', host: '%', grants: grants('SELECT', 'INSERT'), roles: [] }),
  isRole: 'no',
  authentication: [stored('CANARY')],
};
const role = { user: 'readers', host: '' };
const all = (...accounts: readonly Account[]) =>
  new Map(accounts.map((one) => [accountKey(one), one]));
const words = (written: readonly Account[], there: readonly Account[]): readonly string[] =>
  apartOf(all(...written), all(...there), 'db2:3306').map((one) => {
    return apartWords(`account ${one.account.user}`, one);
  });

describe('an account on another node', () => {
  it.each<[string, Partial<Account>, string]>([
    ['password', { authentication: [stored('OTHER')] }, 'password'],
    ['second password', { authentication: [stored('CANARY'), stored('OTHER')] }, 'password'],
    ['privilege less', { grants: grants('SELECT') }, 'privileges'],
    ['role more', { roles: [...blog.roles, { role, admin: false }] }, 'roles'],
    ['default role', { defaultRoles: [role] }, 'default roles'],
    ['requirement', { require: 'ssl' }, 'requirements'],
    ['limit', { limits: { ...NONE, maxUserConnections: 3 } }, 'limits'],
    ['time for a statement', { maxStatementSeconds: 2 }, 'limits'],
    ['lock', { locked: true }, 'lock'],
    ['password that is over', { expired: true }, 'expiry'],
    ['lifetime', { lifetimeDays: 90 }, 'expiry'],
  ])('is told with another %s, and what that is not', (_what, other, part) => {
    const said = words([blog], [{ ...blog, ...other }]);
    expect(said).toEqual([
      `account blog: on db2:3306 it differs: ${part}: that node is out of step (docs/mysql.md)`,
    ]);
    expect(said.join()).not.toContain('CANARY');
  });

  it('is told where only one of the two has it', () => {
    expect(words([blog], [])).toEqual([expect.stringContaining('on db2:3306 it is not there: ')]);
    expect(words([], [blog])).toEqual([
      expect.stringContaining('on db2:3306 it is there, and not where it is written: '),
    ]);
  });

  it('is told where one of the two lacks our mark', () => {
    const bare = { ...blog, roles: [] };
    expect(words([bare], [blog])).toEqual([expect.stringContaining('it differs: roles: ')]);
  });

  it('is nobody’s matter here without our mark', () => {
    const foreign = { ...blog, roles: [] };
    expect(words([foreign], [])).toEqual([]);
    expect(words([foreign], [{ ...foreign, locked: true }])).toEqual([]);
  });

  it('is the same in whatever order the server gives what it has', () => {
    const one = { ...blog, roles: [...blog.roles, { role, admin: false }] };
    const other = {
      ...one,
      grants: grants('INSERT', 'SELECT'),
      roles: one.roles.toReversed(),
      proxies: [role],
    };
    expect(words([one], [other])).toEqual([]);
  });

  it('is the same as itself, whatever real servers keep', () => {
    for (const name of ['mariadb-10.11', 'mariadb-11.8'] as const) {
      const [one, again] = [accountsOf(answered(name)), accountsOf(answered(name))];
      expect(apartOf(one, again, 'db2:3306')).toEqual([]);
    }
  });
});

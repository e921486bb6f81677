import { describe, expect, it } from 'vitest';

import type { Id } from '../../../../agent/core/kind.ts';
import { type Account, accountKey } from '../../../../agent/providers/mysql/account.ts';
import { gathered, type Level } from '../../../../agent/providers/mysql/grants.ts';
import type { Owned } from '../../../../agent/providers/mysql/observed.ts';
import { purgeOwner } from '../../../../agent/core/taken.ts';
import {
  type DatabaseLook,
  keptInGit,
  linesOf,
  notesOf,
  refusalsOf,
} from '../../../../agent/providers/mysql/purge/judge.ts';
import { seesDatabases, seesSessions } from '../../../../agent/providers/mysql/purge/use.ts';
import type { AccountName } from '../../../../agent/providers/mysql/sql.ts';
import { live } from '../live.ts';
import { mariadb118, mysql97, mysqlExact } from '../servers.ts';

const place = { name: 'a_b', server: 'main' };
const ID: Id = 'mysql-database/a_b';
const LEFT: Owned = { digest: 'aa', leftAt: '2026-01-01T00:00:00.000Z', leftAtS: 9 };
const ground = (...ids: readonly Id[]) => ({ units: new Set(ids), environment: 'production' });

interface Has {
  readonly owned?: readonly (readonly [Id, Owned])[];
  readonly foreign?: readonly (readonly [Id, string])[];
  readonly accounts?: readonly Account[];
  readonly more?: Partial<DatabaseLook> & { readonly there?: readonly string[] };
}
const CHARACTERS = { characterSet: 'utf8mb4', collation: 'x' };

function look({ owned = [[ID, LEFT]], foreign, accounts = [], more = {} }: Has = {}): DatabaseLook {
  return {
    seen: {
      host: 'db1:3306',
      server: mysql97,
      accounts: new Map(accounts.map((one) => [accountKey(one), one])),
      databases: new Map((more.there ?? ['a_b']).map((name) => [name, CHARACTERS])),
      collations: new Map(),
      owned: new Map(owned),
      ...(foreign !== undefined && { foreign: new Map(foreign) }),
      self: { user: 'boss', host: '%' },
      hasTls: true,
    },
    isOldLedger: false,
    sessions: [{ host: 'db1:3306', words: [] }],
    references: [],
    ...more,
  };
}

function holder(user: string, level: Level, other: Partial<Account> = {}): Account {
  const grants = gathered([{ level, privileges: new Set(['SELECT']), grantOption: false }]);
  return live(mysql97, { user, host: '%', grants, roles: [] }, { isRole: 'no', ...other });
}

const taken = purgeOwner('production');
const why = (has: Has, ...units: readonly Id[]) =>
  refusalsOf(place, look(has), { ground: ground(...units), taken });

describe('a database that a person wants gone', () => {
  it('may go when it left, and nothing of the repository or the server uses it', () => {
    expect(why({})).toEqual([]);
    expect(why({}, 'mysql-database/shop', 'mysql-user/blog', 'stack/a_b')).toEqual([]);
  });

  it.each<[string, Has, readonly Id[], string]>([
    ['its document is in the repository', {}, [ID], 'its document is in the repository'],
    [
      'its document names the server',
      {},
      ['mysql-database/main/a_b'],
      'its document is in the repository',
    ],
    [
      'it is the same for servers that take no heed of capitals',
      {},
      ['mysql-database/A_B'],
      '`mysql-database/A_B`',
    ],
    ['no line names it', { owned: [] }, [], 'understudy neither made it nor took it over'],
    [
      'it has not left',
      { owned: [[ID, { digest: 'aa' }]] },
      [],
      'does not say that `mysql-database/a_b` left',
    ],
    [
      'another line of it has not left',
      {
        owned: [
          [ID, LEFT],
          ['mysql-database/main/a_b', { digest: 'aa' }],
        ],
      },
      [],
      'does not say that `mysql-database/main/a_b` left',
    ],
    [
      'it is another environment’s',
      { owned: [], foreign: [[ID, 'staging']] },
      [],
      'it belongs to `staging`',
    ],
    ['the ledger is an old one', { more: { isOldLedger: true } }, [], 'of an earlier version'],
    [
      'sessions use it',
      { more: { sessions: [{ host: 'db2:3306', words: ['blog (2)'] }] } },
      [],
      'sessions use it on db2:3306: blog (2)',
    ],
    [
      'a host does not say',
      { more: { sessions: [{ host: 'db2:3306', why: 'away' }] } },
      [],
      'on db2:3306 is not known: away',
    ],
    ['tables refer to it', { more: { references: ['`shop`'] } }, [], 'tables of `shop` refer'],
    [
      'an account of the repository has rights on it',
      { accounts: [holder('blog', { on: 'database', stored: 'a\\_b' })] },
      ['mysql-user/blog'],
      '`mysql-user/blog` has rights on it (blog@%)',
    ],
    [
      'a role of the repository has rights on a table of it',
      { accounts: [holder('readers', { on: 'table', database: 'a_b', table: 't' })] },
      ['mysql-role/main/readers'],
      '`mysql-role/main/readers` has rights on it',
    ],
  ])('stays while %s', (_, has, units, words) => {
    expect(why(has, ...units)).toEqual([expect.stringContaining(words)]);
  });

  it.each(['mysql', 'understudy', 'information_schema'])('stays where it is `%s`', (name) => {
    const id: Id = `mysql-database/${name}`;
    const own = look({ owned: [[id, LEFT]] });
    const told = refusalsOf({ ...place, name }, own, { ground: ground(), taken });
    expect(told[0]).toContain(`\`${name}\``);
  });

  it('is not taken for gone by one who does not see every database', () => {
    const gone = { more: { there: [] } };
    expect(why(gone)).toEqual([expect.stringContaining('whether it is there is not known')]);
    const boss = holder('boss', { on: 'everything' });
    expect(why({ ...gone, accounts: [boss] })).toEqual([]);
  });

  it('goes on where one who purged died', () => {
    const has = { owned: [], foreign: [[ID, taken]] } as const;
    expect(why(has)).toEqual([]);
    expect(linesOf(place, look(has).seen)).toEqual([ID]);
  });

  it('is not kept by a document of the same name elsewhere', () => {
    expect(keptInGit(place, ground('mysql-database/archive/a_b', 'mysql-user/a_b'))).toBe(
      undefined,
    );
    const accounts = [holder('blog', { on: 'database', stored: 'a\\_b' })];
    expect(why({ accounts }, 'mysql-user/archive/blog')).toEqual([]);
  });

  it('is not used by who has rights on a pattern, and leaves the rights of others', () => {
    const accounts = [
      holder('all', { on: 'database', stored: 'a_b' }),
      holder('some', { on: 'database', stored: 'a%' }),
      holder('gone', { on: 'database', stored: 'a\\_b' }, { locked: true }),
    ];
    expect(why({ accounts }, 'mysql-user/all', 'mysql-user/some')).toEqual([]);
    expect(notesOf(place, look({ accounts }))).toEqual([
      expect.stringMatching(/rights on it stay, .*: gone@%, locked$/),
    ]);
  });
});

/** Whoever looks, with rights on all or on one database, and with roles that count with every login. */
function boss(
  grants: readonly (readonly [string, string])[],
  defaultRoles: readonly AccountName[],
) {
  const levels: Record<string, Level> = { database: { on: 'database', stored: 'a' } };
  const given = (words: readonly (readonly [string, string])[]) =>
    gathered(
      words.map(([on, word]) => ({
        level: levels[on] ?? { on: 'everything' },
        privileges: new Set([word]),
        grantOption: false,
      })),
    );
  const self = { user: 'boss', host: '%' };
  const own = live(mariadb118, { ...self, grants: given(grants), roles: [] }, { defaultRoles });
  const all = given([
    ['everything', 'PROCESS'],
    ['everything', 'SHOW DATABASES'],
  ]);
  const admins = live(mysql97, { user: 'admins', host: '%', grants: all, roles: [] });
  return { self, accounts: new Map([own, admins].map((one) => [accountKey(one), one])) };
}

const ADMINS = [{ user: 'admins', host: '%' }];

it.each([
  ['by itself', [['everything', 'PROCESS']], [], true],
  ['not with rights on one database', [['database', 'PROCESS']], [], false],
  ['not as an administrator alone', [['everything', 'SUPER']], [], false],
  ['by a role that counts with every login', [], ADMINS, true],
] as const)('whoever looks sees the sessions of others %s', (_, grants, defaultRoles, sees) => {
  const { self, accounts } = boss(grants, defaultRoles);
  expect(seesSessions(self, accounts)).toBe(sees);
});

it.each([
  ['by itself', [['everything', 'SHOW DATABASES']], [], [true, true]],
  ['where nothing is revoked of all', [['everything', 'SELECT']], [], [true, false]],
  ['not with rights on one', [['database', 'SELECT']], [], [false, false]],
  ['not as an administrator alone', [['everything', 'SUPER']], [], [false, false]],
  ['by a role that counts with every login', [], ADMINS, [true, true]],
] as const)('whoever looks sees every database %s', (_, grants, defaultRoles, sees) => {
  const { self, accounts } = boss(grants, defaultRoles);
  const seen = [mysql97, mysqlExact].map((server) => seesDatabases(self, accounts, server));
  expect(seen).toEqual(sees);
});

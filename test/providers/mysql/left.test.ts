import { describe, expect, it } from 'vitest';

import type { Id, Operation } from '../../../agent/core/kind.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { type Account, accountKey } from '../../../agent/providers/mysql/account.ts';
import { roleName } from '../../../agent/providers/mysql/diff.ts';
import { expired } from '../../../agent/providers/mysql/expired.ts';
import { hiddenLeft, membersLeft, removeLeft } from '../../../agent/providers/mysql/left.ts';
import { sizeWords } from '../../../agent/core/bytes.ts';
import { type LeftSizes, readLeftSizes } from '../../../agent/providers/mysql/left-sizes.ts';
import type {
  MysqlCall,
  Owned,
  ServerSeen,
  ServerSight,
} from '../../../agent/providers/mysql/observed.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';
import { live, NONE } from './live.ts';
import { mariadb118, mysql97 } from './servers.ts';

const ID: Id = 'mysql-user/blog';
const DAYS_30 = 30 * 86_400;
/** What time it is on the server. */
const NOW_S = 2_000_000_000;
const GOES: Owned = { digest: 'aa', retentionS: DAYS_30 };
const LEFT: Owned = { ...GOES, leftAt: '2026-01-01T00:00:00.000Z', leftAtS: NOW_S - 10 };
const DUE: Owned = { ...LEFT, leftAtS: NOW_S - DAYS_30 };

const login = {
  password: { fresh: { plugin: 'x', stored: new Secret('-') }, keepEarlier: false },
  defaultRoles: [],
  require: 'none' as const,
  limits: NONE,
  locked: false,
};
const accountOf = (server: Server, user: string, host = '%', other: Partial<Account> = {}) =>
  live(server, { user, host, grants: new Map(), roles: [], login }, other);
const roleOf = (server: Server, user: string, other: Partial<Account> = {}) =>
  live(server, { ...roleName(user, server), grants: new Map(), roles: [] }, other);

interface Has {
  readonly owned?: Readonly<Record<Id, Owned>>;
  readonly accounts?: readonly Account[];
  readonly databases?: readonly string[];
  readonly more?: Partial<ServerSeen>;
}

const isId = (text: string): text is Id => text.includes('/');
const seen = (server: Server, has: Has): ServerSeen => ({
  host: 'db1:3306',
  server,
  accounts: new Map((has.accounts ?? []).map((one) => [accountKey(one), one])),
  databases: new Map(
    (has.databases ?? []).map((name) => [name, { characterSet: 'utf8mb4', collation: 'x' }]),
  ),
  collations: new Map(),
  owned: new Map(
    Object.entries(has.owned ?? {}).flatMap(([id, row]) => (isId(id) ? [[id, row] as const] : [])),
  ),
  self: { user: 'understudy', host: '%' },
  hasTls: true,
  ...has.more,
});
const on = (...sights: readonly (readonly [string, ServerSight])[]) => ({
  servers: new Map(sights),
});
const at = (server: Server, has: Has) =>
  on(['main', { status: 'seen', seen: seen(server, has), nowS: NOW_S }]);
const away: ServerSight = { status: 'away', why: 'no host answers' };
const said = (operations: readonly Operation<MysqlCall>[]): readonly string[] =>
  operations.flatMap(({ call }) => (call.op === 'statements' ? call.statements.map(String) : []));
const NOTE = (id: string) =>
  `UPDATE \`understudy\`.\`ledger\` SET left_at = UTC_TIMESTAMP(3) WHERE id = '${id}' AND left_at IS NULL AND owner IS NULL`;
const removed = (id: Id, observed: ReturnType<typeof on>) =>
  removeLeft(id, membersLeft(id, observed), observed);

describe.each([
  ['MySQL', mysql97],
  ['MariaDB', mariadb118],
] as const)('a unit that left, on %s', (_, server) => {
  it('is an account that is locked at each of its hosts before it is noted', () => {
    const accounts = [
      accountOf(server, 'blog'),
      accountOf(server, 'blog', '10.0.0.1', { locked: true }),
      accountOf(server, 'blog2'),
    ];
    const observed = at(server, { owned: { [ID]: GOES }, accounts });
    expect(membersLeft(ID, observed).map(({ target }) => target)).toEqual([
      'account blog@%',
      'account blog@10.0.0.1',
    ]);
    const removal = removed(ID, observed);
    expect(said(removal.operations)).toEqual([
      "ALTER USER IF EXISTS 'blog'@'%' ACCOUNT LOCK",
      "-- ends the sessions of 'blog'@'%'",
      "-- ends the sessions of 'blog'@'10.0.0.1'",
      NOTE(ID),
    ]);
    expect(removal.left).toHaveLength(2);
  });

  it('is over when its line says that it left, and says what stays', () => {
    const accounts = [accountOf(server, 'blog', '%', { locked: true })];
    const stays = 'account blog@% is locked, and dropped 30d after it left';
    const over = { operations: [], left: [], waits: [] };
    const word = server.flavor === 'mysql' ? 'CONNECTION_ADMIN' : 'CONNECTION ADMIN';
    expect(removed(ID, at(server, { owned: { [ID]: LEFT }, accounts }))).toEqual({
      ...over,
      stays: [
        `${stays}; sessions that are open go on until they end: GRANT ${word} ON *.* is missing`,
      ],
    });
    const level = { on: 'everything' } as const;
    const may = { level, privileges: new Set([word]), grantOption: false };
    const self = accountOf(server, 'understudy', '%', { grants: new Map([['', may]]) });
    const ending = at(server, { owned: { [ID]: LEFT }, accounts: [...accounts, self] });
    expect(removed(ID, ending)).toEqual({ ...over, stays: [stays] });
  });

  it('stays where nothing else was asked for, and is noted', () => {
    const observed = (row: Owned) =>
      at(server, { owned: { [ID]: row }, accounts: [accountOf(server, 'blog')] });
    const orphan = { digest: 'aa' };
    expect(membersLeft(ID, observed(orphan))).toEqual([]);
    expect(said(removed(ID, observed(orphan)).operations)).toEqual([NOTE(ID)]);
    expect(removed(ID, observed({ ...orphan, leftAt: 'x', leftAtS: NOW_S - 1 })).stays).toEqual([
      'account blog@% stays',
    ]);
  });

  it.each<[string, Partial<Account>, string]>([
    ['bears no mark', { roles: [], attributes: {} }, 'it does not bear our mark'],
    [
      'is an administrator by now',
      {
        grants: new Map([
          [
            'x',
            {
              level: { on: 'everything' },
              privileges: new Set(['CREATE USER']),
              grantOption: false,
            },
          ],
        ]),
      },
      "it is an administrator's (`CREATE USER` on everything): change it by hand",
    ],
  ])('is left alone where it %s', (_what, other, why) => {
    const observed = (row: Owned, locked = false) =>
      at(server, {
        owned: { [ID]: row },
        accounts: [accountOf(server, 'blog', '%', { ...other, locked })],
      });
    expect(said(removed(ID, observed(GOES)).operations)).toEqual([NOTE(ID)]);
    expect(removed(ID, observed(LEFT)).stays).toEqual([`account blog@% stays: ${why}`]);
    const [line] = expired(observed(DUE, true));
    expect(said(line === undefined ? [] : [line.operation])).toEqual([
      "DELETE FROM `understudy`.`ledger` WHERE id = 'mysql-user/blog' AND owner IS NULL",
    ]);
  });

  it('is never the account that the agent logs in with', () => {
    const owned = { 'mysql-user/understudy': GOES };
    const observed = at(server, { owned, accounts: [accountOf(server, 'understudy', '10.0.0.1')] });
    expect(membersLeft('mysql-user/understudy', observed)).toEqual([]);
  });

  it('goes when its time is over, and its line with it', () => {
    const accounts = [
      accountOf(server, 'blog', '%', { locked: true }),
      accountOf(server, 'blog', '10.0.0.1', { locked: true }),
    ];
    const due = (row: Owned, more: Has = {}) =>
      expired(at(server, { accounts, ...more, owned: { ...more.owned, [ID]: row } }));
    expect(due(DUE)).toMatchObject([
      { unit: ID, operation: { target: 'account blog@%, account blog@10.0.0.1' } },
    ]);
    expect(said(due(DUE).map(({ operation }) => operation)).at(-1)).toBe(
      "DELETE FROM `understudy`.`ledger` WHERE id = 'mysql-user/blog' AND owner IS NULL",
    );
    expect(due({ ...DUE, leftAtS: NOW_S - DAYS_30 + 1 })).toEqual([]);
    expect(due({ digest: 'aa', leftAt: 'x', leftAtS: NOW_S - DAYS_30 })).toEqual([]);
    expect(due({ digest: 'aa', retentionS: 0 })).toEqual([]);
  });

  it('stays where somebody unlocked it, or another unit has the same account', () => {
    const locked = accountOf(server, 'blog', '%', { locked: true });
    const owned = { [ID]: DUE };
    expect(
      expired(at(server, { owned, accounts: [locked, accountOf(server, 'blog', 'h')] })),
    ).toEqual([]);
    const other = { 'mysql-user/main/blog': { digest: 'aa' } };
    expect(expired(at(server, { owned: { ...owned, ...other }, accounts: [locked] }))).toEqual([]);
    const open = accountOf(server, 'blog', '%');
    const shared = at(server, { owned: { [ID]: GOES, ...other }, accounts: [open] });
    // Nor is it locked: the other one opens it.
    expect(membersLeft(ID, shared)).toEqual([]);
    expect(said(removed(ID, shared).operations)).toEqual([expect.stringMatching(/^UPDATE/)]);
    const foreign = new Map<Id, string>([['mysql-user/blog', 'staging']]);
    expect(expired(at(server, { owned, accounts: [locked], more: { foreign } }))).toEqual([]);
    expect(expired(at(server, { owned, accounts: [locked] }))).toHaveLength(1);
  });

  it('is a role that goes when nobody but the agent has it', () => {
    const id: Id = 'mysql-role/readers';
    const owned = { [id]: { digest: 'aa', retentionS: 0, leftAt: 'x', leftAtS: NOW_S - 0 } };
    const has = { roles: [{ role: roleName('readers', server), admin: false }] };
    const self = accountOf(server, 'understudy', '%', has);
    const accounts = [roleOf(server, 'readers'), self];
    const [role, ...others] = expired(at(server, { owned, accounts }));
    expect(others).toEqual([]);
    const name = server.flavor === 'mysql' ? "'readers'@'%'" : '`readers`';
    expect(said(role === undefined ? [] : [role.operation])[0]).toBe(`DROP ROLE IF EXISTS ${name}`);
    const holder = accountOf(server, 'shop', '%', has);
    expect(expired(at(server, { owned, accounts: [...accounts, holder] }))).toEqual([]);
    expect(removed(id, at(server, { owned, accounts })).stays).toEqual([
      'role readers stays until nobody has it',
    ]);
  });
});

describe('a unit that left', () => {
  const owned = { [ID]: GOES };
  const accounts = [accountOf(mysql97, 'blog')];
  const one: ServerSight = { status: 'seen', seen: seen(mysql97, { owned, accounts }) };
  const none: ServerSight = { status: 'seen', seen: seen(mysql97, {}) };

  it('waits while a server that may have it is away', () => {
    expect(hiddenLeft(ID, on(['main', away], ['other', none]))).toBe('main: no host answers');
    // One that was the default server before may have it, too.
    expect(hiddenLeft(ID, on(['main', one], ['other', away]))).toBe('other: no host answers');
    expect(hiddenLeft(ID, on(['main', one], ['other', none]))).toBeUndefined();
    const removal = removeLeft(ID, [], on(['main', one], ['other', away]));
    expect(removal).toMatchObject({ operations: [], waits: ['other: no host answers'] });
    expect(
      hiddenLeft('mysql-user/other/blog', on(['main', away], ['other', none])),
    ).toBeUndefined();
    expect(hiddenLeft('stack/blog', on(['main', away]))).toBeUndefined();
  });

  it('is not over while a server on which something was to go is away', () => {
    const members = membersLeft(ID, on(['main', one]));
    const removal = removeLeft(ID, members, on(['main', away]));
    expect(removal).toEqual({ operations: [], left: members, waits: ['main: no host answers'] });
    // Also where another one has the same unit.
    expect(removeLeft(ID, members, on(['main', away], ['other', one])).left).toEqual(members);
    expect(removeLeft(ID, members, on(['main', away], ['other', one])).operations).toEqual([]);
  });

  it('is an account that others have as a role: locked, and dropped when nobody has it', () => {
    const has = { roles: [{ role: { user: 'blog', host: '%' }, admin: false }] };
    const other = accountOf(mysql97, 'shop', '%', has);
    const granted = (locked: boolean) =>
      accountOf(mysql97, 'blog', '%', { isRole: 'both', locked });
    const open = at(mysql97, { owned, accounts: [granted(false), other] });
    expect(said(removed(ID, open).operations)[0]).toBe(
      "ALTER USER IF EXISTS 'blog'@'%' ACCOUNT LOCK",
    );
    const left = { owned: { [ID]: DUE }, accounts: [granted(true), other] };
    expect(removed(ID, at(mysql97, left)).stays).toEqual([
      expect.stringContaining('30d after it left, when nobody has it as a role any more'),
    ]);
    expect(expired(at(mysql97, left))).toEqual([]);
    const free = accountOf(mysql97, 'blog', '%', { locked: true });
    expect(expired(at(mysql97, { ...left, accounts: [free] }))).toHaveLength(1);
  });

  it('is nothing on a server that the settings name no more', () => {
    const members = membersLeft(ID, on(['main', one]));
    expect(removeLeft(ID, members, on(['other', none])).left).toEqual([]);
  });

  it('loses only what was recorded', () => {
    const later = on([
      'main',
      {
        status: 'seen',
        seen: seen(mysql97, { owned, accounts: [...accounts, accountOf(mysql97, 'blog', 'h')] }),
      },
    ]);
    const { operations } = removeLeft(ID, membersLeft(ID, on(['main', one])), later);
    expect(said(operations)).toEqual([
      "ALTER USER IF EXISTS 'blog'@'%' ACCOUNT LOCK",
      "-- ends the sessions of 'blog'@'%'",
      NOTE(ID),
    ]);
  });

  it('is a database that stays, with its size', () => {
    const id: Id = 'mysql-database/shop';
    const database = (row: Owned, more: Partial<ServerSeen> = {}) =>
      at(mysql97, { owned: { [id]: row }, databases: ['shop'], more });
    // Whatever its line says: there is no code that deletes one.
    expect(membersLeft(id, database(GOES))).toEqual([]);
    expect(expired(database(DUE))).toEqual([]);
    const bytes = new Map<Id, number>([[id, 12_345_678]]);
    expect(removed(id, database(LEFT, { bytes })).stays).toEqual(['database shop stays (12.3 MB)']);
    expect(removed(id, database(LEFT)).stays).toEqual(['database shop stays']);
  });
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1_000, '1.0 kB'],
  [12_345_678, '12.3 MB'],
  [123_456_789_012, '123 GB'],
])('says %d bytes as %s', (bytes, words) => {
  expect(sizeWords(bytes)).toBe(words);
});

describe('the size of a database that left', () => {
  const id: Id = 'mysql-database/shop';
  const having = (row: Owned) => seen(mysql97, { owned: { [id]: row }, databases: ['shop'] });

  it('is asked once, when it just left', async () => {
    const sizes: LeftSizes = new Map();
    let asked = 0;
    const ask = async () => {
      asked += 1;
      return Promise.resolve([{ name: 'shop', bytes: '4096' }]);
    };
    expect(await readLeftSizes(having({ digest: 'aa' }), { sizes, nowS: NOW_S }, ask)).toEqual(
      new Map(),
    );
    expect(
      await readLeftSizes(having({ ...LEFT, leftAtS: NOW_S - 3_601 }), { sizes, nowS: NOW_S }, ask),
    ).toEqual(new Map());
    expect(asked).toBe(0);
    for (const _ of [1, 2]) {
      expect(await readLeftSizes(having(LEFT), { sizes, nowS: NOW_S }, ask)).toEqual(
        new Map([[id, 4096]]),
      );
    }
    expect(asked).toBe(1);
  });

  it('is not asked again where nobody answers', async () => {
    const sizes: LeftSizes = new Map();
    let asked = 0;
    const ask = async () => {
      asked += 1;
      return Promise.resolve([]);
    };
    for (const _ of [1, 2]) {
      expect(await readLeftSizes(having(LEFT), { sizes, nowS: NOW_S }, ask)).toEqual(new Map());
    }
    expect(asked).toBe(1);
  });
});

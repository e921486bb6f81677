import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { digestOf } from '../../../agent/core/digest.ts';
import type { Difference, Id, Operation, Rendered } from '../../../agent/core/kind.ts';
import { type Account, accountKey, MARK } from '../../../agent/providers/mysql/account.ts';
import { type AuthString, cachingHash, nativeHash } from '../../../agent/providers/mysql/hash.ts';
import type { SwarmSecret } from '../../../agent/providers/mysql/generated.ts';
import { gathered, type Grant, type Level } from '../../../agent/providers/mysql/grants.ts';
import { roleName } from '../../../agent/providers/mysql/diff.ts';
import { resolved } from '../../../agent/providers/mysql/privileges.ts';
import { mysqlKind as kindWith } from '../../../agent/providers/mysql/kind.ts';
import type {
  MysqlCall,
  Owned,
  ServerSeen,
  ServerSight,
} from '../../../agent/providers/mysql/observed.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';
import type { MysqlSpec, UserSpec } from '../../../agent/providers/mysql/spec.ts';
import { wantedRole, wantedUser } from '../../../agent/providers/mysql/wanted.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { MySQLDatabase, MySQLRole, MySQLUser, Privilege } from '../../../schemas/mysql.ts';
import { live } from './live.ts';
import { mariadb118, mysql97 } from './servers.ts';

const mysqlKind = kindWith((bytes) => randomBytes(bytes));

type Written = Readonly<Record<string, unknown>>;
const HASH = `*${'A'.repeat(40)}`;
const families = [
  ['MySQL', mysql97],
  ['MariaDB', mariadb118],
] as const;

const unit = (spec: MysqlSpec, name = 'blog', digest = 'd1'): Rendered<MysqlSpec> => ({
  id: `mysql/${name}`,
  spec,
  digest,
  place: { file: 'mysql/blog.yaml', line: 1, column: 1, length: 1, quoted: '' },
  dependsOn: [],
  needs: [],
  gives: [],
});

const database = (more: Written = {}) =>
  unit({
    ...MySQLDatabase.parse({ kind: 'MySQLDatabase', name: 'blog', ...more }),
    server: 'main',
  });
const role = (more: Written = {}) =>
  unit({ ...MySQLRole.parse({ kind: 'MySQLRole', name: 'reader', ...more }), server: 'main' });
const userSpec = (more: Written = {}): UserSpec => {
  const parsed = MySQLUser.parse({
    kind: 'MySQLUser',
    name: 'blog',
    password: { hash: HASH },
    privileges: [{ privileges: ['SELECT'], database: 'blog' }],
    plugin: 'mysql_native_password',
    ...more,
  });
  return { ...parsed, server: 'main', password: { from: 'hash', hash: HASH } };
};
const user = (more: Written = {}) => unit(userSpec(more));

const grantOn = (level: Level, word: string): Grant => ({
  level,
  privileges: new Set([word]),
  grantOption: false,
});

interface Has {
  readonly accounts?: readonly Account[];
  readonly databases?: ServerSeen['databases'];
  readonly owned?: readonly (readonly [Id, string])[];
  readonly hasTls?: boolean;
}

function seen(server: Server, { accounts = [], owned = [], ...has }: Has = {}): ServerSeen {
  return {
    host: 'db1:3306',
    server,
    accounts: new Map(accounts.map((one) => [accountKey(one), one])),
    databases: has.databases ?? new Map(),
    collations: new Map([
      ['utf8mb4', 'utf8mb4_0900_ai_ci'],
      ['latin1', 'latin1_swedish_ci'],
      ['utf8mb3', 'utf8mb3_general_ci'],
    ]),
    owned: new Map(owned.map(([id, digest]) => [id, { digest }])),
    self: { user: 'understudy', host: '%' },
    hasTls: has.hasTls ?? true,
  };
}

const on = (sight: ServerSight) => ({
  servers: new Map([['main', sight]]),
  secrets: new Map<string, SwarmSecret>(),
});
/** What a call says to the server; of one that makes a password nothing is known before. */
const saidBy = ({ call }: Operation<MysqlCall>) =>
  call.op === 'statements' ? call.statements : [];
const at = (server: Server, has: Has = {}) => on({ status: 'seen', seen: seen(server, has) });

const statementsOf = (operations: readonly Operation<MysqlCall>[]): readonly string[] =>
  operations.flatMap((one) => saidBy(one).map(String));

function shown({ operations, blocked, later = [], notes = [] }: Difference<MysqlCall>): Shown {
  return {
    first: statementsOf(operations).filter((text) => !text.includes('`ledger`')),
    claims: statementsOf(operations).filter((text) => text.includes('`ledger`')).length,
    later: statementsOf(later),
    blocked: blocked.map(({ why }) => why),
    notes,
  };
}

interface Shown {
  readonly first: readonly string[];
  readonly claims: number;
  readonly later: readonly string[];
  readonly blocked: readonly string[];
  readonly notes: readonly string[];
}

const nothing: Shown = { first: [], claims: 0, later: [], blocked: [], notes: [] };
const diff = (one: Rendered<MysqlSpec>, observed: ReturnType<typeof on>) =>
  shown(mysqlKind.diff(one, observed));

/** The account that a document asks for, as the server has it. */
function accountsOf(
  server: Server,
  spec: UserSpec,
  other: Partial<Account> = {},
): readonly Account[] {
  const fresh = { plugin: 'mysql_native_password', stored: new Secret(HASH) };
  const asked = wantedUser(spec, { fresh, keepEarlier: false }, { server, hasTls: true });
  if ('refusals' in asked) throw new Error(asked.refusals.join());
  return asked.wanted.map((wanted) => live(server, wanted, other));
}

const ours = { owned: [['mysql/blog', 'd1']] } as const;
const UNMARKED = { roles: [], attributes: {} };
const FOREIGN = 'it is there already and not ours: `adopt: true` takes it over';

describe('a database', () => {
  const utf8 = { characterSet: 'utf8mb4', collation: 'utf8mb4_0900_ai_ci' };
  const has = (rules: typeof utf8, more: Has = ours) =>
    at(mysql97, { databases: new Map([['blog', rules]]), ...more });
  const latin = { characterSet: 'latin1', collation: 'latin1_swedish_ci' };

  it.each<readonly [string, Rendered<MysqlSpec>, ReturnType<typeof on>, Partial<Shown>]>([
    [
      'is made, and noted before',
      database(),
      at(mysql97),
      { claims: 1, first: ["CREATE DATABASE IF NOT EXISTS `blog` CHARACTER SET 'utf8mb4'"] },
    ],
    ['is left where it is as wanted', database(), has(utf8), {}],
    [
      'keeps a collation that nobody named',
      database(),
      has({ ...utf8, collation: 'utf8mb4_bin' }),
      {},
    ],
    [
      'is changed, and what is in it is not',
      database({ collation: 'utf8mb4_bin' }),
      has(utf8),
      { claims: 1, first: ["ALTER DATABASE `blog` CHARACTER SET 'utf8mb4' COLLATE 'utf8mb4_bin'"] },
    ],
    [
      'is known by a collation that MariaDB takes without the character set',
      database({ collation: 'uca1400_ai_ci' }),
      has({ characterSet: 'utf8mb4', collation: 'utf8mb4_uca1400_ai_ci' }),
      {},
    ],
    [
      'gets another character set',
      database(),
      has(latin),
      { claims: 1, first: ["ALTER DATABASE `blog` CHARACTER SET 'utf8mb4'"] },
    ],
    [
      'is known by the old name of its character set',
      database({ characterSet: 'utf8' }),
      has({ characterSet: 'utf8mb3', collation: 'utf8mb3_general_ci' }),
      {},
    ],
    [
      'that is there and not ours is held',
      database(),
      has(utf8, {}),
      { blocked: [`database blog: ${FOREIGN}`] },
    ],
    [
      'is taken over where its document says so',
      database({ adopt: true }),
      has(utf8, {}),
      { claims: 1 },
    ],
    [
      'has no character set that the server does not have',
      database({ characterSet: 'klingon' }),
      at(mysql97),
      { blocked: ['database blog: the server has no character set `klingon`'] },
    ],
    [
      'has no collation of another character set',
      database({ collation: 'latin1_bin' }),
      at(mysql97),
      { blocked: ['database blog: `latin1_bin` is no collation of `utf8mb4`'] },
    ],
    [
      'of the server is not had',
      database({ name: 'mysql' }),
      at(mysql97),
      { blocked: ['database mysql: the database `mysql` belongs to the server'] },
    ],
    [
      'of the agent is not had',
      database({ name: 'understudy' }),
      at(mysql97),
      { blocked: ['database understudy: this database is for the agent itself'] },
    ],
  ])('%s', (_name, one, observed, expected) => {
    expect(diff(one, observed)).toEqual({ ...nothing, ...expected });
  });
});

describe.each(families)('an account on %s', (_name, server) => {
  const spec = userSpec();

  it('is made with what it may do, and noted before', () => {
    const made = diff(user(), at(server));
    expect(made).toMatchObject({ claims: 1, later: [], blocked: [] });
    expect(made.first[0]).toMatch(/^CREATE USER IF NOT EXISTS 'blog'@'%' IDENTIFIED .*<secret>/);
    expect(made.first.at(-1)).toBe("GRANT SELECT ON `blog`.* TO 'blog'@'%'");
  });

  it('is left as it is where it is as wanted', () => {
    expect(diff(user(), at(server, { accounts: accountsOf(server, spec), ...ours }))).toEqual(
      nothing,
    );
  });

  it('is noted anew where its document changed and it did not', () => {
    const observed = at(server, {
      accounts: accountsOf(server, spec),
      owned: [['mysql/blog', 'd0']],
    });
    expect(diff(user(), observed)).toEqual({ ...nothing, claims: 1 });
  });

  it('gets what is missing first, and loses what is too much later', () => {
    const more = userSpec({ privileges: [{ privileges: ['INSERT'], database: 'blog' }] });
    const found = diff(unit(more), at(server, { accounts: accountsOf(server, spec), ...ours }));
    expect(found.first).toEqual(["GRANT INSERT ON `blog`.* TO 'blog'@'%'"]);
    expect(found.later).toHaveLength(1);
    expect(found.later[0]).toMatch(/^REVOKE .*SELECT ON `blog`\.\* FROM 'blog'@'%'/);
  });

  it('goes where its document does not have its host any more, and after the others are there', () => {
    const before = accountsOf(server, userSpec({ hosts: ['%', '10.0.0.1'] }));
    const after = userSpec({ hosts: ['10.0.0.%', '%'] });
    const found = diff(unit(after), at(server, { accounts: before, ...ours }));
    expect(found.first[0]).toContain("CREATE USER IF NOT EXISTS 'blog'@'10.0.0.%'");
    expect(found.later).toEqual([
      "ALTER USER IF EXISTS 'blog'@'10.0.0.1' ACCOUNT LOCK",
      "-- ends the sessions of 'blog'@'10.0.0.1'",
      "DROP USER IF EXISTS 'blog'@'10.0.0.1'",
    ]);
  });

  it('stays locked where its document does not have its host any more, and others have it as a role', () => {
    const [every, here] = accountsOf(server, userSpec({ hosts: ['%', '10.0.0.1'] }));
    if (every === undefined || here === undefined) throw new Error('no account');
    const holder = {
      ...live(server, { user: 'shop', host: '%', grants: new Map(), roles: [] }),
      roles: [{ role: { user: 'blog', host: '10.0.0.1' }, admin: false }],
    };
    const found = (locked: boolean) => {
      const granted = { ...here, isRole: 'both' as const, locked };
      return diff(user(), at(server, { accounts: [every, granted, holder], ...ours }));
    };
    expect(found(false).later).toEqual([
      "ALTER USER IF EXISTS 'blog'@'10.0.0.1' ACCOUNT LOCK",
      "-- ends the sessions of 'blog'@'10.0.0.1'",
    ]);
    expect(found(true)).toMatchObject({
      first: [],
      later: [],
      notes: expect.arrayContaining([
        'account blog@10.0.0.1 is locked until nobody has it as a role any more',
      ]),
    });
  });

  it('of the same name that is not ours is left alone, at whatever host', () => {
    const foreign = accountsOf(server, userSpec({ hosts: ['10.0.0.1'] }), UNMARKED);
    const own = accountsOf(server, spec);
    expect(diff(user(), at(server, { accounts: [...own, ...foreign], ...ours }))).toEqual(nothing);
  });

  it.each([
    ['without a line in the ledger', {}, {}],
    ['without our mark', UNMARKED, ours],
    ['without either', UNMARKED, {}],
  ])(
    'that is there %s is held, and taken over where its document says so',
    (_what, other, owned) => {
      const observed = at(server, { accounts: accountsOf(server, spec, other), ...owned });
      expect(diff(user(), observed)).toEqual({ ...nothing, blocked: [`account blog: ${FOREIGN}`] });
      const adopted = diff(user({ adopt: true }), observed);
      expect(adopted.blocked).toEqual([]);
      expect(adopted.claims).toBe(1);
    },
  );

  it('of an administrator is not touched, whatever its document says', () => {
    const admin = new Map(accountsOf(server, userSpec({ privileges: [] }))[0]?.grants);
    admin.set('x', {
      level: { on: 'everything' },
      privileges: new Set(['SUPER']),
      grantOption: false,
    });
    const accounts = accountsOf(server, spec, { grants: admin });
    const [why = ''] = diff(user({ adopt: true }), at(server, { accounts, ...ours })).blocked;
    expect(why).toMatch(/^account blog: it is an administrator's \(`SUPER` on everything\)/);
  });

  it.each<readonly [string, Written, string]>([
    ['the agent itself', { name: 'understudy' }, 'the agent itself logs in as `understudy`'],
    ['the server', { name: 'root' }, 'the account `root` belongs to the server'],
    [
      'a role that no server keeps',
      { roles: ['😀'] },
      'the role `😀`: a name holds no characters beyond U+FFFF, such as emoji: the server would keep `?`',
    ],
    [
      'the role that marks',
      { roles: [MARK.role] },
      "the role `understudy_managed`: it is the agent's own",
    ],
    [
      'no certificate',
      { require: { subject: 'a\0b' } },
      '`require.subject`: it holds a control character',
    ],
    ['nobody', { hosts: ['a b'] }, 'a host is a name, an address, or one of these with `%` or `_`'],
  ])('of %s is not made', (_what, more, why) => {
    const one = user(more);
    expect(diff(one, at(server)).blocked).toEqual([`account ${one.spec.name}: ${why}`]);
  });

  it.each<readonly [string, Written, RegExp]>([
    ['everything', { privileges: ['ALL'] }, /on everything is for administrators/],
    ['the binlog', { privileges: ['RELOAD'] }, /`RELOAD` on everything/],
    ['accounts', { privileges: ['CREATE USER'] }, /`CREATE USER` on everything/],
    [
      'the grant option',
      { privileges: ['SELECT'], grantOption: true },
      /the grant option on everything/,
    ],
    ['the server', { privileges: ['SELECT'], database: 'mysql' }, /on the database `mysql`/],
    [
      'a table of the server',
      { privileges: ['INSERT'], database: 'MySQL', table: 'user' },
      /on the database `mysql`/,
    ],
    [
      'a pattern',
      { privileges: ['SELECT'], database: 'my%', pattern: true },
      /on the database `mysql`/,
    ],
    [
      'the agent',
      { privileges: ['SELECT'], database: 'understud_', pattern: true },
      /on the database `understudy`/,
    ],
  ])('is not given what reaches %s', (_what, privilege, why) => {
    const [blocked = ''] = diff(user({ privileges: [privilege] }), at(server)).blocked;
    expect(blocked).toMatch(why);
  });

  it.each([
    { privileges: ['SELECT', 'PROCESS'] },
    { privileges: ['ALL'], database: 'my_sql' },
    { privileges: ['ALL'], database: 'my.sql%', pattern: true },
    { privileges: ['SELECT'], database: 'sysop' },
  ])('may be given %j', (privilege) => {
    expect(diff(user({ privileges: [privilege] }), at(server)).blocked).toEqual([]);
  });

  it('is not given a role that may do what it may not, also through another one', () => {
    const roleOf = (
      name: string,
      privileges: readonly Written[],
      roles: readonly string[] = [],
    ) => {
      const { grants } = resolved(
        privileges.map((one) => Privilege.parse(one)),
        server,
      );
      const made = {
        ...roleName(name, server),
        grants,
        roles: roles.map((one) => roleName(one, server)),
      };
      return live(server, made);
    };
    const accounts = [
      roleOf('deep', [{ privileges: ['INSERT'], database: 'mysql', table: 'user' }], ['upper']),
      roleOf('upper', [], ['deep']),
      roleOf('fine', [{ privileges: ['ALL'], database: 'blog' }]),
    ];
    const given = (roles: readonly string[]) =>
      diff(user({ roles }), at(server, { accounts })).blocked;
    expect(given(['fine', 'absent'])).toEqual([]);
    for (const role of ['deep', 'upper']) {
      expect(given(['fine', role])).toEqual([
        "account blog: the role `deep` may do too much: rights on the database `mysql` are for administrators: it is the server's or the agent's own",
      ]);
    }
  });

  it('of the same name that is a role is another unit', () => {
    const only = userSpec({ hosts: ['10.0.0.1'] });
    const named = MySQLRole.parse({ kind: 'MySQLRole', name: 'blog' });
    const asked = wantedRole(named, server);
    const roles = 'wanted' in asked ? asked.wanted.map((wanted) => live(server, wanted)) : [];
    const observed = at(server, { accounts: [...accountsOf(server, only), ...roles], ...ours });
    expect(diff(unit(only), observed)).toEqual(nothing);
  });

  it('that is ours and may do nothing yet is one that we did not come to mark', () => {
    const bare = accountsOf(server, userSpec({ privileges: [] }), UNMARKED);
    const found = diff(user(), at(server, { accounts: bare, ...ours }));
    expect(found.blocked).toEqual([]);
    expect(found.first.at(-1)).toBe("GRANT SELECT ON `blog`.* TO 'blog'@'%'");
    expect(diff(user(), at(server, { accounts: bare })).blocked).toHaveLength(1);
  });

  it.each<readonly [string, Partial<Account>, RegExp]>([
    [
      'writes to everything',
      { grants: gathered([grantOn({ on: 'everything' }, 'UPDATE')]) },
      /`UPDATE` on everything/,
    ],
    [
      'reaches the server',
      { grants: gathered([grantOn({ on: 'database', stored: 'mysql' }, 'UPDATE')]) },
      /database `mysql`/,
    ],
    [
      'has such a role',
      { roles: [{ role: roleName('dba', server), admin: false }] },
      /the role `dba` may do too much/,
    ],
    ['may be somebody else', { proxies: [{ user: 'root', host: '%' }] }, /`PROXY`/],
  ])('that %s is not taken over', (_what, more, why) => {
    const grants = gathered([grantOn({ on: 'everything' }, 'SUPER')]);
    const dba = live(server, { ...roleName('dba', server), grants, roles: [] });
    const accounts = [...accountsOf(server, spec, { ...UNMARKED, ...more }), dba];
    const [blocked = ''] = diff(user({ adopt: true }), at(server, { accounts })).blocked;
    expect(blocked).toMatch(why);
  });

  it('needs TLS only where the server has it', () => {
    const one = user({ require: 'ssl' });
    expect(diff(one, at(server)).blocked).toEqual([]);
    expect(diff(one, at(server, { hasTls: false })).blocked).toEqual([
      'account blog: the server has no TLS, so nobody could log in: leave out `require`',
    ]);
  });
});

describe('a password', () => {
  const of = (password: UserSpec['password'], more: Written = {}) =>
    unit({ ...userSpec({ plugin: undefined, ...more }), password });
  const file = (text: string): UserSpec['password'] => ({
    from: 'file',
    password: new Secret(text),
  });
  const hashed = (text: string) => cachingHash(new Secret(text), (bytes) => randomBytes(bytes));
  const having = (auth: AuthString, more: Partial<Account> = {}, hosts = ['%']) =>
    at(mysql97, {
      ...ours,
      accounts: accountsOf(mysql97, userSpec({ hosts }), { authentication: [auth], ...more }),
    });

  it('that the account has already is neither hashed nor written', () => {
    const one = of(file('old horse battery'));
    const observed = having(hashed('old horse battery'));
    const noted = at(mysql97, {
      accounts: accountsOf(mysql97, userSpec(), { authentication: [hashed('old horse battery')] }),
      owned: [['mysql/blog', digestOf({ ...one.spec, password: { from: 'file' } })]],
    });
    expect(diff(one, noted)).toEqual(nothing);
    expect(diff(one, observed)).toEqual({ ...nothing, claims: 1 });
  });

  it('that is declared is not in what the ledger keeps, not as a part of a digest either', () => {
    const lines = (text: string, digest: string) => {
      const one = { ...of(file(text), { retention: '7d', deletionPolicy: 'Delete' }), digest };
      return statementsOf(mysqlKind.diff(one, at(mysql97)).operations)[0];
    };
    expect(lines('old horse battery', 'd1')).toBe(lines('new horse battery', 'd2'));
    expect(lines('old horse battery', 'd1')).toContain(', NULL, 1, 604800, NULL)');
  });

  it('that is declared or not: another policy is noted anew', () => {
    const one = user({ deletionPolicy: 'Delete' });
    const [account] = accountsOf(mysql97, userSpec());
    if (account === undefined) throw new Error('none');
    expect(diff(one, at(mysql97, { ...ours, accounts: [account] }))).toEqual({
      ...nothing,
      claims: 1,
    });
  });

  it('that is another one is written as one hash, also when it is planned twice, and is in no plan', () => {
    const one = of(file('new horse battery'), { hosts: ['a', 'b'] });
    const observed = having(hashed('old horse battery'), {}, ['a', 'b']);
    const texts = () =>
      mysqlKind
        .diff(one, observed)
        .operations.flatMap(saidBy)
        .flatMap((step) => ('text' in step ? step.text.reveal() : []))
        .filter((text) => text.startsWith('ALTER USER'));
    const [first = '', second = ''] = texts();
    expect(texts()).toEqual([first, second]);
    const hash = /0x[0-9A-F]+/i.exec(first)?.[0] ?? 'none';
    expect(second).toContain(hash);
    const plan = JSON.stringify(mysqlKind.diff(one, observed));
    expect(plan).toContain('<secret>');
    expect([plan.includes(hash), plan.includes('new horse')]).toEqual([false, false]);
  });

  it('of before stays good until nothing uses it', () => {
    const [before, after] = [hashed('old horse battery'), hashed('new horse battery')];
    const changed = diff(of(file('new horse battery')), having(before));
    expect(changed.first.join()).toContain('RETAIN CURRENT PASSWORD');
    const one = of(file('new horse battery'));
    const settled = diff(one, having(after, { retained: before }));
    expect([settled.first, settled.later]).toEqual([
      [],
      ["ALTER USER IF EXISTS 'blog'@'%' DISCARD OLD PASSWORD"],
    ]);
    const native = (text: string) => nativeHash(new Secret(text));
    const stated = at(mariadb118, {
      ...ours,
      accounts: accountsOf(mariadb118, userSpec(), {
        authentication: [native('old horse battery')],
      }),
    });
    expect(diff(of(file('new horse battery')), stated).first.join()).toMatch(/ OR /);
  });

  it('that is hashed otherwise is the same one: nothing of before stays', () => {
    const native = nativeHash(new Secret('old horse battery'));
    const changed = diff(of(file('old horse battery')), having(native));
    expect(changed.blocked).toEqual([]);
    expect(changed.first.join()).toContain('caching_sha2_password');
    expect(changed.first.join()).not.toContain('RETAIN');
  });

  it('goes to a new host as the hash that the others have', () => {
    const auth = hashed('old horse battery');
    const one = of(file('old horse battery'), { hosts: ['%', '10.0.0.1'] });
    const made = mysqlKind.diff(one, having(auth)).operations.flatMap(saidBy);
    const text = made.map((step) => ('text' in step ? step.text.reveal() : '')).join();
    expect(text).toContain(
      Buffer.from(auth.stored.reveal(), 'latin1').toString('hex').toUpperCase(),
    );
  });

  it('of an account that is not ours is not compared with', () => {
    const one = of(file('old horse battery'), { adopt: true });
    const found = diff(one, having(hashed('old horse battery'), UNMARKED));
    expect(found.first.some((text) => text.includes('IDENTIFIED'))).toBe(true);
  });

  it('is a hash as text, or in digits', () => {
    const auth = hashed('old horse battery');
    const hex = `0x${Buffer.from(auth.stored.reveal(), 'latin1').toString('hex')}`;
    for (const hash of [auth.stored.reveal(), hex]) {
      expect(diff(of({ from: 'hash', hash }), having(auth))).toEqual(nothing);
    }
  });

  it('that cannot be said holds one account, and not the agent', () => {
    const one = of({ from: 'hash', hash: 'h€' });
    expect(diff(one, at(mysql97)).blocked).toEqual([
      'account blog: it cannot be said to a server: no bytes, or no byte',
    ]);
  });

  it('is made by one call where there is none, once nothing is in the way', () => {
    const generated = { from: 'generated', secret: 'blog_db', length: 32 } as const;
    const [made, ...others] = mysqlKind.diff(of(generated), at(mysql97)).operations;
    expect([made?.call.op, made?.verb, others]).toEqual(['password', 'create', []]);
    expect(made?.fields[0]).toEqual({
      path: 'password',
      desired: '[secret] (made for the first time)',
    });
    const held = of(generated, { privileges: [{ privileges: ['ALL'] }] });
    expect(mysqlKind.diff(held, at(mysql97))).toMatchObject({ operations: [], blocked: [{}] });
  });

  it.each([
    ['is empty', '', 'a password is empty'],
    ['ends a line', 'x\n', 'a password holds a control character, such as the end of a line'],
  ])('that %s is not written', (_what, text, why) => {
    expect(diff(of(file(text)), at(mysql97)).blocked).toEqual([`account blog: ${why}`]);
  });
});

describe.each(families)('a role on %s', (_name, server) => {
  it('is made, kept, and loses what is too much', () => {
    const privileges = [{ privileges: ['SELECT'], database: 'blog' }];
    const one = role({ privileges });
    expect(diff(one, at(server)).first[0]).toMatch(/^CREATE ROLE IF NOT EXISTS /);
    if (one.spec.kind !== 'MySQLRole') throw new Error('a role');
    const asked = wantedRole(one.spec, server);
    const accounts = 'wanted' in asked ? asked.wanted.map((wanted) => live(server, wanted)) : [];
    expect(diff(one, at(server, { accounts, ...ours }))).toEqual(nothing);
    expect(diff(role(), at(server, { accounts, ...ours })).later).toHaveLength(1);
  });

  it('that marks accounts is not had', () => {
    expect(diff(role({ name: MARK.role }), at(server)).blocked).toHaveLength(1);
  });
});

describe('a server', () => {
  const away: ServerSight = { status: 'away', why: 'db1:3306: it lost its cluster' };
  const unusable: ServerSight = {
    status: 'unusable',
    why: 'the server is MySQL 5.7.1, older than 8.0.21',
  };
  const healthOf = (observed: ReturnType<typeof on>) =>
    mysqlKind.health(database(), observed, {
      baseline: new Set(),
      lost: new Set(),
      answers: new Map(),
      judged: true,
    });

  it.each([
    ['that is away is waited for', on(away), true, 'database blog: db1:3306: it lost its cluster'],
    ['that cannot be used needs a person', on(unusable), false, `database blog: ${unusable.why}`],
    [
      'that nobody named needs a person',
      { ...on(away), servers: new Map<string, ServerSight>() },
      false,
      "database blog: the agent's settings have no `mysql.main`",
    ],
  ])('%s, and nothing is nobody fails for it', (_name, observed, waits, why) => {
    const { operations, blocked } = mysqlKind.diff(database(), observed);
    expect([operations, blocked]).toEqual([[], [{ target: 'database blog', why, waits }]]);
    expect(healthOf(observed).status).toBe('outside');
  });

  it('is the only one where none is named', () => {
    const { spec } = database();
    const { server: _server, ...rest } = spec;
    const one = { ...database(), spec: rest };
    expect(diff(one, at(mysql97)).claims).toBe(1);
    const two = {
      ...at(mysql97),
      servers: new Map([...at(mysql97).servers, ['other', away] as const]),
    };
    expect(diff(one, two).blocked).toEqual([
      'database blog: the agent has several servers: name one with `server`',
    ]);
    expect(healthOf(at(mysql97)).status).toBe('converged');
  });

  it('is told, too, where it was before another one became the default', () => {
    const one: Rendered<MysqlSpec> = { ...user(), id: 'mysql-user/blog' };
    const before = seen(mysql97, { owned: [[one.id, 'd0']] });
    const noted = (old: ServerSeen, id: Id = one.id) => {
      const servers = new Map([
        ...at(mysql97).servers,
        ['old', { status: 'seen', seen: old }] as const,
      ]);
      return mysqlKind.diff({ ...one, id }, { ...at(mysql97), servers }).notes ?? [];
    };
    expect(noted(before)).toEqual([expect.stringContaining('account blog is on `old`, too')]);
    expect(noted(seen(mysql97))).toEqual([]);
    const left = new Map([[one.id, { digest: 'd0', leftAt: '2026-01-01T00:00:00.000Z' }]]);
    expect(noted({ ...before, owned: left })).toEqual([]);
    // Whoever names the server means that one alone.
    expect(noted(before, 'mysql-user/main/blog')).toEqual([]);
  });
});

describe('a release', () => {
  it.each([database(), role(), user({ hosts: ['a', 'b'] })])(
    'is read back, and holds no password',
    (one) => {
      const content = mysqlKind.release(one, at(mysql97), 'wanted');
      expect(JSON.stringify(content)).not.toContain(HASH);
      const release = { digest: 'd1', revision: 'r', at: '', content };
      const again = mysqlKind.restore(one.id, release);
      expect(again?.spec).toMatchObject({
        kind: one.spec.kind,
        name: one.spec.name,
        server: 'main',
      });
      expect(again && mysqlKind.parts(again)).toEqual(mysqlKind.parts(one));
      expect(mysqlKind.restore(one.id, release)).toBe(again);
    },
  );

  it('of another version is not read', () => {
    const release = { digest: 'd1', revision: 'r', at: '', content: { kind: 'MySQLView' } };
    expect(mysqlKind.restore('mysql/x', release)).toBeUndefined();
  });
});

describe('what another one made who shares the server', () => {
  const foreign = new Map<Id, string>([['mysql-user/main/blog', 'staging']]);
  const held = 'belongs to `staging`, another one who writes there';
  const shared = (server: Server, has: Has, more: Partial<ServerSeen> = {}) =>
    on({ status: 'seen', seen: { ...seen(server, has), foreign, ...more } });

  it.each(families)('is left alone, whatever its document says, on %s', (_, server) => {
    const accounts = accountsOf(server, userSpec());
    const { blocked, first, claims } = diff(user({ adopt: true }), shared(server, { accounts }));
    expect([blocked, first, claims]).toEqual([[expect.stringContaining(held)], [], 0]);
    // Of the same name, and something else.
    expect(diff(database(), shared(server, {})).blocked).toEqual([]);
  });

  it('is told from ours by the name under which we write', () => {
    const has = { ...ours, databases: new Map([['blog', { characterSet: 'utf8mb4', collation: 'x' }]]) }; // prettier-ignore
    const claimed = shared(mysql97, has, { owner: 'production' });
    expect(statementsOf(mysqlKind.diff(database(), claimed).operations)).toEqual([
      expect.stringContaining("'production'"),
    ]);
    const owned = new Map<Id, Owned>([['mysql/blog', { digest: 'd1', owner: 'production' }]]);
    expect(diff(database(), shared(mysql97, has, { owner: 'production', owned }))).toEqual(nothing);
  });
});

describe('an account that another node of the cluster keeps otherwise', () => {
  const apart = [
    { node: 'db2:3306', account: { user: 'blog', host: '%' }, isRole: false, is: 'missing' },
    { node: 'db3:3306', account: { user: 'blog', host: '10.%' }, isRole: false, is: 'left' },
    { node: 'db3:3306', account: { user: 'blog', host: '' }, isRole: true, is: 'left' },
    { node: 'db3:3306', account: { user: 'shop', host: '%' }, isRole: false, is: 'missing' },
  ] as const;
  const notes = (has: Has) =>
    mysqlKind.diff(user(), on({ status: 'seen', seen: { ...seen(mariadb118, has), apart } })).notes ?? []; // prettier-ignore

  it('is told of with its own unit, at whatever host, and does not change what is due', () => {
    const owned = [['mysql/blog', 'd1']] as const;
    expect(notes({ owned })).toEqual([
      expect.stringMatching(/^account blog@%: on db2:3306 it is not there: /),
      expect.stringMatching(/^account blog@10\.%: on db3:3306 it is there, and not /),
    ]);
  });

  it('is not told of where the ledger does not say that it is ours', () => {
    expect(notes({})).toEqual([]);
  });
});

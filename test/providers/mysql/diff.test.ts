import { randomBytes } from 'node:crypto';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import type { Account } from '../../../agent/providers/mysql/account.ts';
import { difference, roleName } from '../../../agent/providers/mysql/diff.ts';
import type { Difference, Wanted } from '../../../agent/providers/mysql/diff.ts';
import { cachingHash, nativeHash } from '../../../agent/providers/mysql/hash.ts';
import type { AuthString } from '../../../agent/providers/mysql/hash.ts';
import { resolved } from '../../../agent/providers/mysql/privileges.ts';
import type { Server } from '../../../agent/providers/mysql/server.ts';
import { Privilege } from '../../../schemas/mysql.ts';
import { live, NONE } from './live.ts';
import { mariadb1011, mariadb118, mysql80, mysql97, mysqlExact } from './servers.ts';
import { tokensOf } from './tokens.ts';

type Written = Readonly<Record<string, unknown>>;

const hashed = (server: Server, password: string): AuthString =>
  server.flavor === 'mysql'
    ? cachingHash(new Secret(password), (bytes) => randomBytes(bytes))
    : nativeHash(new Secret(password));

const granted = (server: Server, privileges: readonly Written[]) => {
  const { grants, refusals } = resolved(
    privileges.map((one) => Privilege.parse(one)),
    server,
  );
  expect(refusals).toEqual([]);
  return grants;
};

type Login = NonNullable<Wanted['login']>;

/** An account `u` from anywhere with the password `new`. */
function wanted(
  server: Server,
  privileges: readonly Written[] = [],
  login: Partial<Login> = {},
  password: Partial<Login['password']> = {},
): Wanted & { readonly login: Login } {
  return {
    user: 'u',
    host: '%',
    grants: granted(server, privileges),
    roles: [],
    login: {
      password: {
        password: new Secret('new'),
        fresh: hashed(server, 'new'),
        keepEarlier: false,
        ...password,
      },
      defaultRoles: [],
      require: 'none',
      limits: NONE,
      locked: false,
      ...login,
    },
  };
}

const shown = ({ first, later, refusals, left }: Difference) => ({
  first: first.map(String),
  later: later.map(String),
  refusals,
  left,
});
const nothing = { first: [], later: [], refusals: [], left: [] };
const families = [
  ['MySQL', mysql97],
  ['MariaDB', mariadb118],
] as const;

describe.each(families)('on %s', (_, server) => {
  const site = [
    { privileges: ['ALL'], database: 'site_1', grantOption: true },
    { privileges: ['SELECT'], database: 'd', table: 't', columns: ['c'] },
  ];

  it('nothing is said where nothing differs', () => {
    const roles = [roleName('readers', server)];
    const one: Wanted = {
      ...wanted(server, site, { defaultRoles: roles, require: 'x509', locked: true }),
      roles,
    };
    expect(shown(difference(one, live(server, one), server))).toEqual(nothing);
    const role: Wanted = { ...roleName('r', server), grants: one.grants, roles };
    expect(shown(difference(role, live(server, role), server))).toEqual(nothing);
  });

  it('the same password with another salt is the same', () => {
    const one = wanted(server);
    expect(
      shown(
        difference(one, live(server, one, { authentication: [hashed(server, 'new')] }), server),
      ),
    ).toEqual(nothing);
  });

  it('what is given comes first, what is taken is for later', () => {
    const before = live(
      server,
      wanted(server, [{ privileges: ['SELECT', 'DROP'], database: 'd' }]),
    );
    const { first, later } = shown(
      difference(
        wanted(server, [{ privileges: ['SELECT', 'INSERT'], database: 'd' }]),
        before,
        server,
      ),
    );
    expect(first).toEqual(["GRANT INSERT ON `d`.* TO 'u'@'%'"]);
    expect(later).toEqual([
      server.flavor === 'mysql'
        ? "REVOKE IF EXISTS DROP ON `d`.* FROM 'u'@'%' IGNORE UNKNOWN USER"
        : "REVOKE DROP ON `d`.* FROM 'u'@'%'",
    ]);
  });

  it('the grant option is taken by itself: with a full list it would be everything on every level', () => {
    const all = wanted(server, [{ privileges: ['ALL'], grantOption: true }]);
    const plain = { ...server, dynamic: new Set<string>() };
    const before = live(plain, wanted(plain, [{ privileges: ['ALL'], grantOption: true }]));
    expect(all.grants.size).toBeGreaterThan(0);
    const { later } = shown(difference(wanted(plain), before, plain));
    expect(later).toHaveLength(2);
    expect(later.filter((statement) => /, GRANT OPTION|GRANT OPTION,/.test(statement))).toEqual([]);
  });

  it('columns that lose a privilege with their table get it again at once', () => {
    const columns = { privileges: ['SELECT', 'INSERT'], database: 'd', table: 't', columns: ['c'] };
    const before = live(
      server,
      wanted(server, [columns, { privileges: ['SELECT', 'DROP'], database: 'd', table: 't' }]),
    );
    const { later } = shown(difference(wanted(server, [columns]), before, server));
    expect(later[0]).toContain('DROP, SELECT ON `d`.`t` FROM');
    expect(later[1]).toBe("GRANT SELECT (`c`) ON `d`.`t` TO 'u'@'%'");
  });

  it('a table and its columns are one statement', () => {
    const both = [
      { privileges: ['SELECT'], database: 'd', table: 't', grantOption: true },
      { privileges: ['UPDATE'], database: 'd', table: 't', columns: ['a', 'b'] },
    ];
    expect(
      shown(difference(wanted(server, both), live(server, wanted(server)), server)).first,
    ).toEqual(["GRANT SELECT, UPDATE (`a`), UPDATE (`b`) ON `d`.`t` TO 'u'@'%' WITH GRANT OPTION"]);
  });

  it('needs, limits and lock are one statement in the order that servers take', () => {
    const one = wanted(server, [], {
      require: { subject: "/CN=o'b", cipher: 'c' },
      limits: { ...NONE, maxUserConnections: 5 },
      locked: true,
    });
    const { first, later } = shown(difference(one, live(server, wanted(server)), server));
    expect(first).toEqual([
      "ALTER USER IF EXISTS 'u'@'%' REQUIRE SUBJECT '/CN=o''b' CIPHER 'c' WITH MAX_USER_CONNECTIONS 5 ACCOUNT LOCK",
    ]);
    expect(later).toEqual([]);
    expect(shown(difference(wanted(server), live(server, one), server)).first).toEqual([
      "ALTER USER IF EXISTS 'u'@'%' REQUIRE NONE WITH MAX_USER_CONNECTIONS 0 ACCOUNT UNLOCK",
    ]);
  });

  it('an account does not become a role, nor a role an account', () => {
    const one = wanted(server);
    expect(shown(difference(one, live(server, one, { isRole: 'yes' }), server))).toEqual({
      ...nothing,
      refusals: ['a role has the name of this account'],
    });
    const role: Wanted = { ...roleName('r', server), grants: new Map(), roles: [] };
    expect(difference(one, live(server, one, { isRole: 'both' }), server).refusals).toEqual([
      expect.stringContaining('others have this account as a role'),
    ]);
    expect(shown(difference(role, live(server, role, { isRole: 'no' }), server))).toEqual({
      ...nothing,
      refusals: ['an account has the name of this role'],
    });
  });

  it('default roles are set after their grant, and unset before the roles go', () => {
    const roles = [roleName('r', server)];
    const of = server.flavor === 'mysql' ? "TO 'u'@'%'" : "FOR 'u'@'%'";
    const name = server.flavor === 'mysql' ? "'r'@'%'" : '`r`';
    const one: Wanted = { ...wanted(server, [], { defaultRoles: roles }), roles };
    expect(shown(difference(one, live(server, wanted(server)), server)).first).toEqual([
      `GRANT ${name} TO 'u'@'%'`,
      `SET DEFAULT ROLE ${name} ${of}`,
    ]);
    const { first, later } = shown(difference(wanted(server), live(server, one), server));
    expect(first).toEqual([]);
    expect(later[0]).toBe(`SET DEFAULT ROLE NONE ${of}`);
    expect(later[1]).toContain(`${name} FROM 'u'@'%'`);
  });

  it('no secret is shown, and every statement is about one account', () => {
    const words = fc
      .subarray(['SELECT', 'INSERT', 'DROP', 'INDEX'])
      .filter((some) => some.length > 0);
    const privilege = fc.record({
      privileges: words,
      database: fc.constantFrom('*', 'd', 'site_1'),
      grantOption: fc.boolean(),
    });
    const some = fc.array(privilege, { maxLength: 4 }).map((list) => wanted(server, list));
    fc.assert(
      fc.property(some, fc.option(some), (one, before) => {
        const { first, later } = difference(
          one,
          before === null
            ? undefined
            : live(server, before, { authentication: [hashed(server, 'old')] }),
          server,
        );
        for (const statement of [...first, ...later]) {
          expect(statement.shown).not.toMatch(/\$A\$|\*[0-9A-F]{40}|0x/);
          expect(tokensOf(statement.text.reveal()).filter(({ text }) => text === '@')).toHaveLength(
            /ROLE IF NOT/.test(statement.shown) ? 0 : 1,
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('a new account', () => {
  it('is made on MySQL with all that it needs and the mark, in one statement', () => {
    const one = wanted(mysql97, [], {
      require: 'ssl',
      locked: true,
      limits: { ...NONE, maxQueriesPerHour: 1 },
    });
    expect(shown(difference(one, undefined, mysql97)).first).toEqual([
      `CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED WITH \`caching_sha2_password\` AS <secret> REQUIRE SSL WITH MAX_QUERIES_PER_HOUR 1 ACCOUNT LOCK ATTRIBUTE '{"managedBy":"understudy"}'`,
    ]);
  });

  it('is marked on MariaDB by a role', () => {
    const { first } = shown(difference(wanted(mariadb1011), undefined, mariadb1011));
    expect(first).toEqual([
      "CREATE USER IF NOT EXISTS 'u'@'%' IDENTIFIED VIA `mysql_native_password` USING <secret>",
      'CREATE ROLE IF NOT EXISTS `understudy_managed`',
      "GRANT `understudy_managed` TO 'u'@'%'",
    ]);
  });

  it('is a role without a host on MariaDB', () => {
    const role: Wanted = {
      ...roleName('r', mariadb1011),
      grants: granted(mariadb1011, [{ privileges: ['SELECT'], database: 'd' }]),
      roles: [],
    };
    const { first } = shown(difference(role, undefined, mariadb1011));
    expect([first[0], first.at(-1)]).toEqual([
      'CREATE ROLE IF NOT EXISTS `r`',
      'GRANT SELECT ON `d`.* TO `r`',
    ]);
  });
});

describe('a password on MySQL', () => {
  const old = hashed(mysql97, 'old');
  const statements = (keepEarlier: boolean, other: Partial<Account>, server = mysql97) => {
    const one = wanted(server, [], {}, { keepEarlier });
    return shown(difference(one, live(server, one, other), server));
  };
  const write = "ALTER USER IF EXISTS 'u'@'%' IDENTIFIED WITH `caching_sha2_password` AS <secret>";
  const discard = "ALTER USER IF EXISTS 'u'@'%' DISCARD OLD PASSWORD";

  it('that is another is written, and the earlier one kept where something uses it', () => {
    expect(statements(true, { authentication: [old] })).toEqual({
      ...nothing,
      first: [`${write} RETAIN CURRENT PASSWORD`],
    });
    expect(statements(false, { authentication: [old] })).toEqual({ ...nothing, first: [write] });
  });

  it('is never retained a second time: after a lost answer the earlier one would be lost', () => {
    expect(statements(true, { retained: old })).toEqual(nothing);
    expect(statements(true, { retained: hashed(mysql97, 'new') })).toEqual(nothing);
  });

  it('that was kept beside is discarded later, when nothing uses it', () => {
    expect(statements(false, { retained: old })).toEqual({ ...nothing, later: [discard] });
  });

  it('that must go at once takes the one beside it along', () => {
    expect(
      statements(false, { authentication: [old], retained: hashed(mysql97, 'older') }),
    ).toEqual({ ...nothing, first: [write, discard] });
  });

  it('that is empty is not kept', () => {
    expect(statements(true, { authentication: [{ ...old, stored: new Secret('') }] })).toEqual({
      ...nothing,
      first: [write],
    });
  });

  it('is refused where the earlier one would be lost', () => {
    expect(statements(true, { authentication: [nativeHash(new Secret('new'))] })).toEqual({
      ...nothing,
      refusals: ['the earlier password cannot stay good: it is kept by `mysql_native_password`'],
    });
    expect(statements(true, { authentication: [{ ...old, stored: new Secret('?') }] })).toEqual({
      ...nothing,
      refusals: ['the password is kept in a form that is not compared: it might be the wanted one'],
    });
  });

  it('of which only the hash is declared is compared as text', () => {
    const one = wanted(mysql97);
    const { password: _, ...declared } = one.login.password;
    const onlyHash = { ...one, login: { ...one.login, password: declared } };
    expect(shown(difference(onlyHash, live(mysql97, one), mysql97))).toEqual(nothing);
    expect(
      shown(
        difference(
          onlyHash,
          live(mysql97, one, { authentication: [hashed(mysql97, 'new')] }),
          mysql97,
        ),
      ).first,
    ).toEqual([write]);
  });
});

describe('a password on MariaDB', () => {
  const old = hashed(mariadb118, 'old');
  const statements = (keepEarlier: boolean, other: Partial<Account>) => {
    const one = wanted(mariadb118, [], {}, { keepEarlier });
    return shown(difference(one, live(mariadb118, one, other), mariadb118));
  };
  const only = "ALTER USER IF EXISTS 'u'@'%' IDENTIFIED VIA `mysql_native_password` USING <secret>";

  it('that is another comes before the earlier one', () => {
    const one = wanted(mariadb118, [], {}, { keepEarlier: true });
    const older = hashed(mariadb118, 'older');
    const [statement] = difference(
      one,
      live(mariadb118, one, { authentication: [old, older] }),
      mariadb118,
    ).first;
    const [fresh, ...earlier] = [one.login.password.fresh, old, older].map(
      ({ stored }) => `\`mysql_native_password\` USING '${stored.reveal()}'`,
    );
    // All of them: something may mount each.
    expect(statement?.text.reveal()).toBe(
      `ALTER USER IF EXISTS 'u'@'%' IDENTIFIED VIA ${String(fresh)} OR ${earlier.join(' OR ')}`,
    );
    expect(statements(false, { authentication: [old] })).toEqual({ ...nothing, first: [only] });
  });

  it('stays with the earlier one until nothing uses that', () => {
    const both = [hashed(mariadb118, 'new'), old];
    expect(statements(true, { authentication: both })).toEqual(nothing);
    expect(statements(false, { authentication: both })).toEqual({ ...nothing, later: [only] });
  });

  it('that is good beside a later one is made the first again, and nothing is lost by it', () => {
    const one = wanted(mariadb118, [], {}, { keepEarlier: true });
    const { fresh } = one.login.password;
    const both = live(mariadb118, one, { authentication: [old, fresh] });
    const { first, later } = difference(one, both, mariadb118);
    expect(first.map(({ text }) => text.reveal())).toEqual([
      expect.stringContaining(
        `USING '${fresh.stored.reveal()}' OR \`mysql_native_password\` USING '${old.stored.reveal()}'`,
      ),
    ]);
    expect(later).toEqual([]);
  });

  it('of another plugin is another', () => {
    const { first } = statements(false, {
      authentication: [{ plugin: 'unix_socket', stored: new Secret('') }],
    });
    expect(first).toEqual([only]);
  });
});

describe('where MySQL needs a person', () => {
  it('the grant option on everything stays where there are dynamic privileges', () => {
    const before = live(
      mysql97,
      wanted(mysql97, [
        { privileges: ['SELECT'], grantOption: true },
        { privileges: ['ROLE_ADMIN'] },
      ]),
    );
    const { later, left } = shown(difference(wanted(mysql97), before, mysql97));
    expect(later.filter((statement) => statement.includes('GRANT OPTION'))).toEqual([]);
    expect(later).toHaveLength(2);
    expect(left).toEqual([
      'the grant option on everything is left: MySQL would change that of dynamic privileges in its tables alone',
    ]);
  });

  it('a grant on a database stays where taking it would make an exception', () => {
    const everything = { privileges: ['SELECT'] };
    const before = live(
      mysqlExact,
      wanted(mysqlExact, [
        everything,
        { privileges: ['SELECT'], database: 'd' },
        { privileges: ['DROP'], database: 'e' },
      ]),
    );
    const { later, left } = shown(difference(wanted(mysqlExact, [everything]), before, mysqlExact));
    expect(later).toEqual(["REVOKE IF EXISTS DROP ON `e`.* FROM 'u'@'%' IGNORE UNKNOWN USER"]);
    expect(left).toEqual([
      'a grant on a database is left: to take it would make an exception from the one on everything',
    ]);
  });
});

it('a dynamic privilege loses its grant option by going and coming', () => {
  const before = live(
    mysql97,
    wanted(mysql97, [{ privileges: ['ROLE_ADMIN'], grantOption: true }]),
  );
  expect(
    shown(difference(wanted(mysql97, [{ privileges: ['ROLE_ADMIN'] }]), before, mysql97)).later,
  ).toEqual([
    "REVOKE IF EXISTS ROLE_ADMIN ON *.* FROM 'u'@'%' IGNORE UNKNOWN USER",
    "GRANT ROLE_ADMIN ON *.* TO 'u'@'%'",
  ]);
});

it('an older MySQL does not know the lenient form', () => {
  const before = live(mysql80, wanted(mysql80, [{ privileges: ['SELECT'], database: 'd' }]));
  expect(shown(difference(wanted(mysql80), before, mysql80)).later).toEqual([
    "REVOKE SELECT ON `d`.* FROM 'u'@'%'",
  ]);
});

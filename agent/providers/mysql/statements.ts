import type { Limits, Require } from './account.ts';
import type { Grant, Level, RoutineType } from './grants.ts';
import type { AuthString } from './hash.ts';
import { isFrom } from './server.ts';
import type { Server } from './server.ts';
import {
  account,
  identifier,
  list,
  literal,
  privilege,
  role,
  secretHex,
  secretLiteral,
  sql,
  whole,
  words,
} from './sql.ts';
import type { AccountName, Sql } from './sql.ts';
import { EndSessions } from './sessions.ts';
import type { Step } from './step.ts';
import { privilegesOf } from './words.ts';

// One account a statement: MariaDB carries out half of one that fails. Each may be sent twice.

/** Pure. Who has or gets something: an account, or a role of MariaDB, which has no host. */
export function holder(name: AccountName): Sql {
  return name.host === '' ? role(name.user) : account(name);
}

const ROUTINES: Readonly<Record<RoutineType, Sql>> = {
  FUNCTION: sql`FUNCTION`,
  PROCEDURE: sql`PROCEDURE`,
  LIBRARY: sql`LIBRARY`,
  PACKAGE: sql`PACKAGE`,
  'PACKAGE BODY': sql`PACKAGE BODY`,
};

function target(level: Level): Sql {
  switch (level.on) {
    case 'everything':
    case 'dynamic':
      return sql`*.*`;
    case 'database':
      return sql`${identifier(level.stored)}.*`;
    case 'table':
    case 'column':
      return sql`${identifier(level.database)}.${identifier(level.table)}`;
    case 'routine':
      return sql`${ROUTINES[level.type]} ${identifier(level.database)}.${identifier(level.name)}`;
  }
}

/** What one statement gives or takes: all of one target, with one answer about the grant option. */
export interface Bundle {
  readonly on: Sql;
  readonly privileges: readonly Sql[];
  readonly grantOption: boolean;
}

/** Pure. Grants as few statements: a table with its columns, dynamic privileges together. */
export function bundled(grants: readonly Grant[], server: Server): readonly Bundle[] {
  const groups = Map.groupBy(grants, ({ level, grantOption }) => {
    const own = level.on === 'dynamic' ? String(grantOption) : '';
    return `${level.on === 'dynamic' ? 'dynamic' : ''} ${target(level).shown} ${own}`;
  });
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    return [
      {
        on: target(first.level),
        privileges: group.flatMap((grant) => privilegeWords(grant, server)),
        grantOption: group.some(({ grantOption }) => grantOption),
      },
    ];
  });
}

function privilegeWords({ level, privileges }: Grant, server: Server): readonly Sql[] {
  const known = privilegesOf(level.on, server);
  const sorted = level.on === 'dynamic' ? [level.word] : [...privileges].toSorted();
  return sorted.map((word) => {
    const said = privilege(word, known);
    return level.on === 'column' ? sql`${said} (${identifier(level.column)})` : said;
  });
}

/** Pure. Gives. */
export function grant({ on, privileges, grantOption }: Bundle, to: AccountName): Sql {
  if (privileges.length === 0) return sql`GRANT GRANT OPTION ON ${on} TO ${holder(to)}`;
  const given = sql`GRANT ${list(privileges)} ON ${on} TO ${holder(to)}`;
  return grantOption ? sql`${given} WITH GRANT OPTION` : given;
}

/**
 * Pure. Takes: the grant option by itself, for MySQL carries out a full list with `GRANT OPTION` on `*.*` as `REVOKE ALL
 * PRIVILEGES, GRANT OPTION`, which takes everything on every level. Where there is nothing to take MySQL says nothing;
 * MariaDB refuses with 1141 or 1147, which is as good.
 */
export function revokes(
  { on, privileges, grantOption }: Bundle,
  from: AccountName,
  server: Server,
): readonly Sql[] {
  const taken = [
    ...(grantOption ? [sql`GRANT OPTION`] : []),
    ...(privileges.length === 0 ? [] : [list(privileges)]),
  ];
  return taken.map((what) => lenient(sql`${what} ON ${on} FROM ${holder(from)}`, server));
}

/** Pure. Gives roles: MariaDB takes one a statement. */
export function grantRoles(
  roles: readonly AccountName[],
  to: AccountName,
  server: Server,
): readonly Sql[] {
  return perStatement(roles, server).map(
    (some) => sql`GRANT ${list(some.map(holder))} TO ${holder(to)}`,
  );
}

/** Pure. Takes roles. */
export function revokeRoles(
  roles: readonly AccountName[],
  from: AccountName,
  server: Server,
): readonly Sql[] {
  return perStatement(roles, server).map((some) =>
    lenient(sql`${list(some.map(holder))} FROM ${holder(from)}`, server),
  );
}

function perStatement(
  roles: readonly AccountName[],
  { flavor }: Server,
): readonly (readonly AccountName[])[] {
  if (flavor === 'mariadb') return roles.map((one) => [one]);
  return roles.length === 0 ? [] : [roles];
}

function lenient(what: Sql, server: Server): Sql {
  return isFrom(server, 'mysql', 8, 0, 30)
    ? sql`REVOKE IF EXISTS ${what} IGNORE UNKNOWN USER`
    : sql`REVOKE ${what}`;
}

/** Pure. Those roles count without being asked for, and no others. */
export function setDefaultRoles(
  roles: readonly AccountName[],
  of: AccountName,
  { flavor }: Server,
): Sql {
  const named = roles.length === 0 ? sql`NONE` : list(roles.map(holder));
  return flavor === 'mariadb'
    ? sql`SET DEFAULT ROLE ${named} FOR ${account(of)}`
    : sql`SET DEFAULT ROLE ${named} TO ${account(of)}`;
}

/** Pure. `IDENTIFIED …`: MariaDB takes several, each of which opens the account. */
export function identified(auths: readonly AuthString[], { flavor }: Server): Sql {
  const each = auths.map(({ plugin, stored }) => {
    const by = identifier(plugin);
    if (flavor === 'mysql') return sql`${by} AS ${secretHex(stored)}`;
    return stored.reveal() === '' ? by : sql`${by} USING ${secretLiteral(stored)}`;
  });
  const [first, ...others] = each;
  const all = others.reduce((some, next) => sql`${some} OR ${next}`, first ?? list([]));
  return flavor === 'mysql' ? sql`IDENTIFIED WITH ${all}` : sql`IDENTIFIED VIA ${all}`;
}

/** Pure. `REQUIRE …`. */
export function require(required: Require): Sql {
  if (required === 'none') return sql`REQUIRE NONE`;
  if (required === 'ssl') return sql`REQUIRE SSL`;
  if (required === 'x509') return sql`REQUIRE X509`;
  const { subject, issuer, cipher } = required;
  return words([
    sql`REQUIRE`,
    ...(subject === undefined ? [] : [sql`SUBJECT ${literal(subject)}`]),
    ...(issuer === undefined ? [] : [sql`ISSUER ${literal(issuer)}`]),
    ...(cipher === undefined ? [] : [sql`CIPHER ${literal(cipher)}`]),
  ]);
}

/** Pure. `WITH …`, for the limits that are given. There must be one. */
export function limited(limits: Partial<Limits>): Sql {
  const { maxQueriesPerHour, maxUpdatesPerHour, maxConnectionsPerHour, maxUserConnections } =
    limits;
  const given: readonly (readonly [Sql, number | undefined])[] = [
    [sql`MAX_QUERIES_PER_HOUR`, maxQueriesPerHour],
    [sql`MAX_UPDATES_PER_HOUR`, maxUpdatesPerHour],
    [sql`MAX_CONNECTIONS_PER_HOUR`, maxConnectionsPerHour],
    [sql`MAX_USER_CONNECTIONS`, maxUserConnections],
  ];
  return words([
    sql`WITH`,
    ...given.flatMap(([word, number]) =>
      number === undefined ? [] : [sql`${word} ${whole(number)}`],
    ),
  ]);
}

/**
 * Pure. Takes an account away: locked first, so that nobody comes in while it goes. Sessions that are open go on until they end.
 */
export function dropped(name: AccountName): readonly Step[] {
  return [lock(name), new EndSessions(name), sql`DROP USER IF EXISTS ${account(name)}`];
}

/** Pure. Nobody is let in any more. */
export function lock(name: AccountName): Sql {
  return sql`ALTER USER IF EXISTS ${account(name)} ACCOUNT LOCK`;
}

/** Pure. Takes a role away, and with it what everybody may do by it. */
export function droppedRole(name: AccountName): Sql {
  return sql`DROP ROLE IF EXISTS ${holder(name)}`;
}

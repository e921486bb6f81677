import { isIP } from 'node:net';

import { z } from 'zod';

import { accountKey, type Account, type Accounts, isAccount } from './account.ts';
import type { Row } from './connect.ts';
import { keptHost } from './names.ts';
import type { ServerSeen } from './observed.ts';
import { readRows } from './rows.ts';
import type { Flavor } from './server.ts';
import { account, type AccountName, literal, sql, type Sql, whole } from './sql.ts';

// To lock, to drop and to revoke ends no session. What is in one stays in, with what it could, until it goes by itself.

/**
 * A step among statements: the sessions of an account that lets nobody in any more are ended, on every host of its server. Which
 * those are is asked there. It goes after the lock and before what says that all is done.
 */
export class EndSessions {
  readonly of: AccountName;

  constructor({ user, host }: AccountName) {
    this.of = { user, host };
  }

  toString(): string {
    return `-- ends the sessions of ${String(account(this.of))}`;
  }

  toJSON(): string {
    return this.toString();
  }
}

/** Which sessions with the name of an account are that account's: all of them, those from its own host, or nobody can tell. */
export type Cut = 'all' | 'host' | 'nobody knows';

/** Accounts of one name. */
export type SameName = readonly { readonly host: string; readonly locked: boolean }[];

/**
 * Pure. A server says by which name and from where somebody came, and not by which account. `others`: all that have the name; those
 * that are locked let nobody in who is not in already.
 */
export function cutOf({ host }: Pick<AccountName, 'host'>, others: SameName): Cut {
  const open = others.filter((one) => !one.locked && keptHost(one.host) !== keptHost(host));
  if (open.length === 0) return 'all';
  // Of several that fit a server takes the one that is written without a pattern.
  if (isPattern(host)) return 'nobody knows';
  // One machine may have come by its name, and by its address.
  const exact = open.filter((one) => !isPattern(one.host));
  return exact.some((one) => isAddress(one.host) !== isAddress(host)) ? 'nobody knows' : 'host';
}

function isPattern(host: string): boolean {
  return /[%_/]/.test(host);
}

function isAddress(host: string): boolean {
  return isIP(host) !== 0;
}

/** Pure. All accounts of that name, with `locked`. */
export function sameName(user: string, flavor: Flavor): Sql {
  return flavor === 'mysql'
    ? sql`SELECT Host AS host, account_locked = 'Y' AS locked FROM mysql.user WHERE User = ${literal(user)}`
    : sql`SELECT Host AS host, COALESCE(JSON_VALUE(Priv, '$.account_locked'), 0) AS locked FROM mysql.global_priv WHERE User = ${literal(user)} AND Host <> ''`;
}

/** Pure. MySQL: sessions by the name of their user, from where they came. Needs no more than to read there. */
export function sessionsOf(user: string): Sql {
  return sql`SELECT PROCESSLIST_ID AS id, PROCESSLIST_USER AS who, PROCESSLIST_HOST AS place FROM performance_schema.threads WHERE PROCESSLIST_USER = ${literal(user)}`;
}

/** Pure. */
export function endSession(id: number): Sql {
  return sql`KILL ${whole(id)}`;
}

/** Pure. MariaDB ends them by name, and lets nobody see them without a further privilege. */
export function endByName({ user, host }: AccountName, cut: 'all' | 'host'): Sql {
  return sql`KILL USER ${account({ user, host: cut === 'all' ? '%' : host })}`;
}

const Flag = z.union([z.number(), z.string(), z.boolean()]).transform((value) => Number(value) > 0);
const SameNames = z.array(z.looseObject({ host: z.string(), locked: Flag }));
const Id = z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]);
const Sessions = z.array(
  z.looseObject({ id: Id, who: z.string().nullable(), place: z.string().nullable() }),
);

/** Pure. Throws `UnreadableRows`. */
export function readSameName(rows: readonly Row[]): SameName {
  return readRows(SameNames, rows);
}

/** Pure. Those that the cut is for. Throws `UnreadableRows`. */
export function idsIn(
  rows: readonly Row[],
  { user, host }: AccountName,
  cut: 'all' | 'host',
): readonly number[] {
  return readRows(Sessions, rows)
    .filter(({ who }) => who === user)
    .filter(({ place }) => cut === 'all' || keptHost(place ?? '') === keptHost(host))
    .map(({ id }) => id);
}

const ENDERS: Readonly<Record<Flavor, string>> = {
  mysql: 'CONNECTION_ADMIN',
  mariadb: 'CONNECTION ADMIN',
};

/** Pure. What people should know of the sessions of accounts that are locked or dropped; undefined: they are ended. */
export function sessionsNote(names: readonly AccountName[], seen: ServerSeen): string | undefined {
  const { accounts, server, self } = seen;
  const word = ENDERS[server.flavor];
  if (!mayByLogin(self, accounts, [word, 'SUPER'])) {
    return `sessions that are open go on until they end: GRANT ${word} ON *.* is missing`;
  }
  const going = new Set(names.map((name) => accountKey(name)));
  const unknown = names.filter((name) => {
    const others = [...accounts.values()]
      .filter((one) => one.user === name.user && isAccount(one))
      .map((one) => ({ host: one.host, locked: one.locked || going.has(accountKey(one)) }));
    return cutOf(name, others) === 'nobody knows';
  });
  if (unknown.length === 0) return undefined;
  const who = unknown.map(({ user, host }) => `${user}@${host}`).join(', ');
  return `sessions of ${who} that are open go on until they end: another account has that name, and nobody can tell whose they are`;
}

/** Pure. Whether an account has one of these words on everything: by itself, or by roles that it has with every login. */
export function mayByLogin(
  self: AccountName,
  accounts: Accounts,
  words: readonly string[],
): boolean {
  const own = accounts.get(accountKey(self));
  const roles = (own?.defaultRoles ?? []).flatMap((role) => accounts.get(accountKey(role)) ?? []);
  const all: readonly Account[] = own === undefined ? [] : [own, ...roles];
  return all.some(({ grants }) =>
    [...grants.values()].some(
      ({ level, privileges }) =>
        (level.on === 'everything' || level.on === 'dynamic') &&
        words.some((word) => privileges.has(word)),
    ),
  );
}

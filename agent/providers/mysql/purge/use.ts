import { z } from 'zod';

import type { Account, Accounts } from '../account.ts';
import type { Row } from '../connect.ts';
import type { Level } from '../grants.ts';
import { readRows } from '../rows.ts';
import type { Server } from '../server.ts';
import { mayByLogin } from '../sessions.ts';
import { type AccountName, databaseOf, literal, sql, type Sql } from '../sql.ts';

/** Pure. Sessions of a host that have a database as their default one, but for the one that asks. */
export function sessionsIn(name: string): Sql {
  return sql`SELECT USER AS who, COUNT(*) AS many FROM information_schema.PROCESSLIST WHERE DB = ${literal(name)} AND ID <> CONNECTION_ID() GROUP BY USER ORDER BY USER`;
}

/** Pure. Databases whose tables refer to a table of this one: they would lose what they refer to, or keep it from going halfway. */
export function referencesTo(name: string): Sql {
  return sql`SELECT DISTINCT CONSTRAINT_SCHEMA AS place FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = ${literal(name)} AND CONSTRAINT_SCHEMA <> ${literal(name)} ORDER BY CONSTRAINT_SCHEMA`;
}

const Sessions = z.array(
  z.looseObject({
    who: z.string().nullable(),
    many: z.union([z.number(), z.string().regex(/^\d+$/).transform(Number)]),
  }),
);
const References = z.array(z.looseObject({ place: z.string() }));

/** Pure. `blog (2)`, for each account by its name. Throws `UnreadableRows`. */
export function sessionWords(rows: readonly Row[]): readonly string[] {
  return readRows(Sessions, rows).map(({ who, many }) => `${who ?? 'nobody'} (${String(many)})`);
}

/** Pure. Throws `UnreadableRows`. */
export function referenceWords(rows: readonly Row[]): readonly string[] {
  return readRows(References, rows).map(({ place }) => `\`${place}\``);
}

/** Pure. Whether an account sees the sessions of others: by itself, or by roles that it has with every login. */
export function seesSessions(self: AccountName, accounts: Accounts): boolean {
  return mayByLogin(self, accounts, ['PROCESS']);
}

/**
 * Pure. Whether an account sees every database that there is: one that it does not see is not there then. What is partly revoked hides
 * a database from who may read everything else.
 */
export function seesDatabases(
  self: AccountName,
  accounts: Accounts,
  { partialRevokes }: Pick<Server, 'partialRevokes'>,
): boolean {
  const words = partialRevokes ? ['SHOW DATABASES'] : ['SHOW DATABASES', 'SELECT'];
  return mayByLogin(self, accounts, words);
}

/** Pure. Accounts and roles with rights on this database by its name, or on something in it. A pattern that covers others is no use of it. */
export function holdersOf(
  name: string,
  accounts: Accounts,
  server: Pick<Server, 'partialRevokes'>,
): readonly Account[] {
  return [...accounts.values()].filter(({ grants }) =>
    [...grants.values()].some(({ level }) => isOn(level, name, server)),
  );
}

function isOn(level: Level, name: string, server: Pick<Server, 'partialRevokes'>): boolean {
  if (level.on === 'everything' || level.on === 'dynamic') return false;
  if (level.on !== 'database') return level.database === name;
  return databaseOf(level.stored, server) === name;
}

import { sql } from './sql.ts';
import type { PatternRules, Sql } from './sql.ts';

/** The two families of servers, which speak of accounts in two languages. */
export type Flavor = 'mysql' | 'mariadb';

/** What a server is, as far as accounts are concerned. */
export interface Server extends PatternRules {
  readonly flavor: Flavor;
  /** Major, minor, patch. */
  readonly version: readonly [number, number, number];
  /** MySQL: its dynamic privileges, as it lists them. Components and plugins add some. Empty on MariaDB. */
  readonly dynamic: ReadonlySet<string>;
}

/** The oldest servers whose accounts are understood: with attributes and two passwords, and with `auth_or`. */
const OLDEST = { mysql: [8, 0, 21], mariadb: [10, 11, 0] } as const;
const NAMES: Readonly<Record<Flavor, string>> = { mysql: 'MySQL', mariadb: 'MariaDB' };

/** Pure. What `SELECT VERSION()` says, or why this server is not understood. */
export function parseVersion(
  text: string,
): Pick<Server, 'flavor' | 'version'> | { readonly reason: string } {
  // Old clients took a major version beyond 9 for a mistake, so MariaDB may still say 5.5.5 before its own.
  const found = /^(?:5\.5\.5-)?(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![\d.])/.exec(text);
  if (found === null) return { reason: 'the server does not say which version it is' };
  const version = [Number(found[1]), Number(found[2]), Number(found[3])] as const;
  const flavor = /mariadb/i.test(text) ? 'mariadb' : 'mysql';
  if (isBefore(version, OLDEST[flavor])) {
    const oldest = `${NAMES[flavor]} ${OLDEST[flavor].join('.')}`;
    return { reason: `the server is ${NAMES[flavor]} ${version.join('.')}, older than ${oldest}` };
  }
  return { flavor, version };
}

type Version = readonly [number, number, number];

function isBefore(one: Version, other: Version): boolean {
  const [difference] = one.map((part, index) => part - (other[index] ?? 0)).filter(Boolean);
  return (difference ?? 0) < 0;
}

/** Pure. True for a server of this family from that version on. */
export function isFrom({ flavor, version }: Server, family: Flavor, ...from: Version): boolean {
  return flavor === family && !isBefore(version, from);
}

/** Pure. A family as it is written. */
export function nameOf({ flavor }: Pick<Server, 'flavor'>): string {
  return NAMES[flavor];
}

/** How long a statement may wait for a lock. Seconds; below every deadline, so that the server gives up before us. */
const LOCK_WAIT = sql`3`;

/**
 * What a session begins with, whatever the server is set to: quoting and comparing count on it. Without `NO_AUTO_CREATE_USER`
 * MariaDB makes an account without a password of a grant to one that is gone; MySQL does not know that word, refuses such a
 * grant always, and takes the part for MariaDB as a comment. Without the waits a statement would be carried out after nobody waits for it.
 */
export const session: readonly Sql[] = [
  sql`SET SESSION sql_mode = CONCAT('' /*M!100000 , 'NO_AUTO_CREATE_USER' */), SESSION autocommit = 1, SESSION lock_wait_timeout = ${LOCK_WAIT}, SESSION innodb_lock_wait_timeout = ${LOCK_WAIT}`,
  sql`SET NAMES utf8mb4`,
];

import type { Grants } from './grants.ts';
import type { AuthString } from './hash.ts';
import { keptHost } from './names.ts';
import type { AccountName } from './sql.ts';

/** A role that an account or a role has. */
export interface RoleEdge {
  readonly role: AccountName;
  /** May be passed on. MariaDB gives this to whoever made the role. */
  readonly admin: boolean;
}

/** What a connection must show. */
export type Require =
  | 'none'
  | 'ssl'
  | 'x509'
  | { readonly subject?: string; readonly issuer?: string; readonly cipher?: string };

/** 0 is no limit. MariaDB takes -1 for connections at once: none at all. */
export interface Limits {
  readonly maxQueriesPerHour: number;
  readonly maxUpdatesPerHour: number;
  readonly maxConnectionsPerHour: number;
  readonly maxUserConnections: number;
}

/** What MySQL takes away again from privileges on everything. Reported, never changed. */
export interface Restriction {
  readonly database: string;
  readonly privileges: readonly string[];
}

/** An account or a role as a server keeps it, in one form for both families. */
export interface Account extends AccountName {
  /**
   * `perhaps`: MySQL keeps roles as locked accounts without a password, and so does it what only looks like one. `both`: an account
   * with a password that others have as a role, which MySQL lets any account be.
   */
  readonly isRole: 'yes' | 'no' | 'perhaps' | 'both';
  /** MariaDB has several, each of which opens the account; else one. A role has none. */
  readonly authentication: readonly AuthString[];
  /** MySQL: the earlier password, which counts too. */
  readonly retained?: AuthString;
  readonly grants: Grants;
  readonly roles: readonly RoleEdge[];
  readonly defaultRoles: readonly AccountName[];
  readonly require: Require;
  readonly limits: Limits;
  /** MariaDB: seconds of a statement, 0 is no limit. */
  readonly maxStatementSeconds: number;
  readonly locked: boolean;
  readonly expired: boolean;
  /** Days that a password lasts. */
  readonly lifetimeDays: number | 'default' | 'never';
  /** Accounts as which it may log in. Reported, never changed. */
  readonly proxies: readonly AccountName[];
  readonly restrictions: readonly Restriction[];
  /** MySQL: what it keeps with the account for others. Empty on MariaDB. */
  readonly attributes: Readonly<Record<string, unknown>>;
  /** MariaDB: an older server wrote the privileges on everything, and this one reads more into them. */
  readonly writtenByOlder: boolean;
}

/** Accounts by `accountKey`. */
export type Accounts = ReadonlyMap<string, Account>;

/** Pure. The same text for the same account: users differ by capitals, hosts do not. */
export function accountKey({ user, host }: AccountName): string {
  return JSON.stringify([user, keptHost(host)]);
}

/** What MySQL keeps with an account of ours, and the role that marks one on MariaDB. */
export const MARK = {
  attribute: 'managedBy',
  value: 'understudy',
  role: 'understudy_managed',
} as const;

/** Pure. Whether the account carries our mark. Nothing without it is ever dropped. */
export function isMarked({ attributes, roles }: Account): boolean {
  if (attributes[MARK.attribute] === MARK.value) return true;
  return roles.some(({ role }) => role.user === MARK.role && role.host === '');
}

/** Pure. Whether somebody may log in with it, whatever else it is. */
export function isAccount({ isRole }: Pick<Account, 'isRole'>): boolean {
  return isRole === 'no' || isRole === 'both';
}

/** Pure. Rows by the account that they are about. */
export function byAccount<Row>(
  rows: readonly Row[],
  of: (row: Row) => AccountName,
): ReadonlyMap<string, readonly Row[]> {
  return Map.groupBy(rows, (row) => accountKey(of(row)));
}

import { accountKey, isAccount, isMarked, MARK } from './account.ts';
import type { Account, Limits, Require } from './account.ts';
import { beyond, keyOf } from './grants.ts';
import type { Grant, Grants, Level } from './grants.ts';
import { mariadbPassword, mysqlPassword } from './password-diff.ts';
import type { PasswordStep, WantedPassword } from './password-diff.ts';
import type { Server } from './server.ts';
import { literal, sql, words } from './sql.ts';
import type { AccountName, Sql } from './sql.ts';
import * as say from './statements.ts';

/** An account or a role as it is to be. */
export interface Wanted extends AccountName {
  readonly grants: Grants;
  readonly roles: readonly AccountName[];
  /** Absent for a role. */
  readonly login?: {
    readonly password: WantedPassword;
    readonly defaultRoles: readonly AccountName[];
    readonly require: Require;
    readonly limits: Limits;
    readonly locked: boolean;
  };
}

/** What brings a server to what is wanted. Empty lists where nothing differs. */
export interface Difference {
  /** Makes, gives and changes. In this order. */
  readonly first: readonly Sql[];
  /** Takes away: when `first` is done and nothing needs it. */
  readonly later: readonly Sql[];
  /** Why it cannot become what is wanted. */
  readonly refusals: readonly string[];
  /** What is too much and stays, and why. */
  readonly left: readonly string[];
}

/** Pure. The name of a role: MySQL keeps roles as accounts from anywhere. */
export function roleName(user: string, { flavor }: Server): AccountName {
  return { user, host: flavor === 'mysql' ? '%' : '' };
}

/** Pure. `live` is absent where the server has no such account. Whether it may be touched is for the caller to say. */
export function difference(wanted: Wanted, live: Account | undefined, server: Server): Difference {
  const other = live === undefined ? undefined : otherKind(wanted, live);
  if (other !== undefined) return { first: [], later: [], refusals: [other], left: [] };
  const password = passwordStep(wanted, live, server);
  const missing = beyond(wanted.grants, live?.grants ?? new Map());
  const { taken, surplus, left } = takenAway(live, wanted, server);
  const roles = rolesOf(wanted, live);
  const defaults = defaultRoles(wanted, live, server);
  const given = (grants: readonly Grant[]): readonly Sql[] =>
    say.bundled(grants, server).map((bundle) => say.grant(bundle, wanted));
  return {
    first: [
      ...(live === undefined ? [created(wanted, server)] : []),
      ...marked(wanted, live, server),
      ...(live === undefined ? [] : altered(wanted, live, password, server)),
      ...given(missing),
      ...say.grantRoles(roles.missing, wanted, server),
      ...defaults.set,
    ],
    later: [
      ...say.bundled(taken, server).flatMap((bundle) => say.revokes(bundle, wanted, server)),
      ...given(reGranted(surplus, wanted)),
      ...defaults.none,
      ...say.revokeRoles(roles.surplus, wanted, server),
      ...passwordLater(wanted, password, server),
    ],
    refusals: password.step === 'refused' ? [password.reason] : [],
    left,
  };
}

/** MySQL keeps both in one table, so that a role may have an account's name. */
function otherKind({ login }: Wanted, { isRole }: Account): string | undefined {
  if (login === undefined && isAccount({ isRole })) return 'an account has the name of this role';
  if (login !== undefined && isRole === 'both') {
    return 'others have this account as a role: what it is given they have, too; take it from them first';
  }
  if (login !== undefined && isRole === 'yes') return 'a role has the name of this account';
  return undefined;
}

const MARK_JSON = literal(JSON.stringify({ [MARK.attribute]: MARK.value }));

/** With password, needs, limits, lock and (MySQL) mark at once: nobody sees an account that is half made. */
function created(wanted: Wanted, server: Server): Sql {
  const name = say.holder(wanted);
  if (wanted.login === undefined) return sql`CREATE ROLE IF NOT EXISTS ${name}`;
  const { password, require, limits, locked } = wanted.login;
  return words([
    sql`CREATE USER IF NOT EXISTS ${name}`,
    say.identified([password.fresh], server),
    ...(require === 'none' ? [] : [say.require(require)]),
    ...withLimits(limits, NO_LIMITS),
    ...(locked ? [sql`ACCOUNT LOCK`] : []),
    ...(server.flavor === 'mysql' ? [sql`ATTRIBUTE ${MARK_JSON}`] : []),
  ]);
}

function marked(wanted: Wanted, live: Account | undefined, { flavor }: Server): readonly Sql[] {
  if (live !== undefined && isMarked(live)) return [];
  const to = say.holder(wanted);
  if (flavor === 'mariadb') {
    const role = say.holder({ user: MARK.role, host: '' });
    return [sql`CREATE ROLE IF NOT EXISTS ${role}`, sql`GRANT ${role} TO ${to}`];
  }
  if (live === undefined && wanted.login !== undefined) return [];
  return [sql`ALTER USER IF EXISTS ${to} ATTRIBUTE ${MARK_JSON}`];
}

function passwordStep(wanted: Wanted, live: Account | undefined, { flavor }: Server): PasswordStep {
  if (live === undefined || wanted.login === undefined) return { step: 'none' };
  const { password } = wanted.login;
  return flavor === 'mysql' ? mysqlPassword(password, live) : mariadbPassword(password, live);
}

/** One statement for all that differs, in the only order that MySQL takes. */
function altered(
  wanted: Wanted,
  live: Account,
  password: PasswordStep,
  server: Server,
): readonly Sql[] {
  if (wanted.login === undefined) return [];
  const { require, limits, locked } = wanted.login;
  const clauses = [
    ...passwordFirst(wanted.login.password, password, server),
    ...(isSameRequire(require, live.require) ? [] : [say.require(require)]),
    ...withLimits(limits, live.limits),
    ...(locked === live.locked ? [] : [locked ? sql`ACCOUNT LOCK` : sql`ACCOUNT UNLOCK`]),
  ];
  const name = say.holder(wanted);
  const discard = password.step === 'write' && password.thenDiscard;
  return [
    ...(clauses.length === 0 ? [] : [sql`ALTER USER IF EXISTS ${name} ${words(clauses)}`]),
    ...(discard ? [sql`ALTER USER IF EXISTS ${name} DISCARD OLD PASSWORD`] : []),
  ];
}

function passwordFirst(
  { fresh }: WantedPassword,
  password: PasswordStep,
  server: Server,
): readonly Sql[] {
  if (password.step === 'state' && !password.later) return [say.identified(password.auths, server)];
  if (password.step !== 'write') return [];
  const written = say.identified([fresh], server);
  return [password.retain ? sql`${written} RETAIN CURRENT PASSWORD` : written];
}

function passwordLater(wanted: Wanted, password: PasswordStep, server: Server): readonly Sql[] {
  const name = say.holder(wanted);
  if (password.step === 'discard') return [sql`ALTER USER IF EXISTS ${name} DISCARD OLD PASSWORD`];
  if (password.step !== 'state' || !password.later) return [];
  return [sql`ALTER USER IF EXISTS ${name} ${say.identified(password.auths, server)}`];
}

function isSameRequire(one: Require, other: Require): boolean {
  if (typeof one === 'string' || typeof other === 'string') return one === other;
  return (
    one.subject === other.subject && one.issuer === other.issuer && one.cipher === other.cipher
  );
}

const NO_LIMITS: Limits = {
  maxQueriesPerHour: 0,
  maxUpdatesPerHour: 0,
  maxConnectionsPerHour: 0,
  maxUserConnections: 0,
};

function withLimits(wanted: Limits, live: Limits): readonly Sql[] {
  const changed: Partial<Limits> = {
    ...(wanted.maxQueriesPerHour !== live.maxQueriesPerHour && {
      maxQueriesPerHour: wanted.maxQueriesPerHour,
    }),
    ...(wanted.maxUpdatesPerHour !== live.maxUpdatesPerHour && {
      maxUpdatesPerHour: wanted.maxUpdatesPerHour,
    }),
    ...(wanted.maxConnectionsPerHour !== live.maxConnectionsPerHour && {
      maxConnectionsPerHour: wanted.maxConnectionsPerHour,
    }),
    ...(wanted.maxUserConnections !== live.maxUserConnections && {
      maxUserConnections: wanted.maxUserConnections,
    }),
  };
  return Object.keys(changed).length === 0 ? [] : [say.limited(changed)];
}

interface Taken {
  readonly taken: readonly Grant[];
  readonly surplus: readonly Grant[];
  readonly left: readonly string[];
}

const EXCEPTION =
  'a grant on a database is left: to take it would make an exception from the one on everything';
const DYNAMIC =
  'the grant option on everything is left: MySQL would change that of dynamic privileges in its tables alone';

/**
 * Two things are for a person: with partial revokes on, taking from a database what is given on everything is kept as an
 * exception; and where an account has dynamic privileges, `REVOKE GRANT OPTION ON *.*` leaves tables and memory apart.
 */
function takenAway(live: Account | undefined, wanted: Wanted, server: Server): Taken {
  const surplus = beyond(live?.grants ?? new Map(), wanted.grants);
  const everything = wanted.grants.get(keyOf({ on: 'everything' }))?.privileges ?? new Set();
  const isException = ({ level, privileges }: Grant): boolean =>
    server.partialRevokes && level.on === 'database' && !privileges.isDisjointFrom(everything);
  const hasDynamic = [...(live?.grants.values() ?? [])].some(({ level }) => level.on === 'dynamic');
  const isLeft = ({ level, grantOption }: Grant): boolean =>
    hasDynamic && level.on === 'everything' && grantOption;
  return {
    taken: surplus
      .filter((grant) => !isException(grant))
      .map((grant) => (isLeft(grant) ? { ...grant, grantOption: false } : wholeDynamic(grant))),
    surplus,
    left: [
      ...(surplus.some((grant) => isException(grant)) ? [EXCEPTION] : []),
      ...(surplus.some((grant) => isLeft(grant)) ? [DYNAMIC] : []),
    ],
  };
}

/** The grant option of a dynamic privilege goes only with the privilege, which is then given again. */
function wholeDynamic(grant: Grant): Grant {
  return grant.level.on === 'dynamic' ? { ...grant, grantOption: false } : grant;
}

/**
 * What is wanted and goes with what is taken, so it is given again at once: a dynamic privilege that loses its grant option,
 * and columns of a table that loses the same privilege.
 */
function reGranted(surplus: readonly Grant[], wanted: Wanted): readonly Grant[] {
  return [...wanted.grants.values()].flatMap((grant) => {
    const gone = surplus.find(({ level }) => goesWith(grant.level, level));
    if (gone === undefined) return [];
    if (grant.level.on === 'dynamic') return [grant];
    const privileges = grant.privileges.intersection(gone.privileges);
    return privileges.size === 0 ? [] : [{ ...grant, privileges }];
  });
}

function goesWith(wanted: Level, taken: Level): boolean {
  if (wanted.on === 'dynamic') return taken.on === 'dynamic' && taken.word === wanted.word;
  if (wanted.on !== 'column' || taken.on !== 'table') return false;
  return wanted.database === taken.database && wanted.table === taken.table;
}

function rolesOf(wanted: Wanted, live: Account | undefined) {
  const has = (live?.roles ?? []).map(({ role }) => role).filter(({ user }) => user !== MARK.role);
  return { missing: without(wanted.roles, has), surplus: without(has, wanted.roles) };
}

function without(
  some: readonly AccountName[],
  others: readonly AccountName[],
): readonly AccountName[] {
  const keys = new Set(others.map((name) => accountKey(name)));
  return some.filter((name) => !keys.has(accountKey(name)));
}

function defaultRoles(wanted: Wanted, live: Account | undefined, server: Server) {
  const nothing = { set: [], none: [] };
  if (wanted.login === undefined) return nothing;
  const [roles, has] = [wanted.login.defaultRoles, live?.defaultRoles ?? []];
  if (without(roles, has).length === 0 && without(has, roles).length === 0) return nothing;
  const statement = say.setDefaultRoles(roles, wanted, server);
  return roles.length === 0 ? { set: [], none: [statement] } : { set: [statement], none: [] };
}

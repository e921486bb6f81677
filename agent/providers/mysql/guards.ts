import { accountKey, MARK } from './account.ts';
import type { Account } from './account.ts';
import type { Grant, Grants, Level } from './grants.ts';
import { isLike } from './like.ts';
import { databaseProblem, hostProblem, roleProblem, textProblem, userProblem } from './names.ts';
import type { ServerSeen } from './observed.ts';
import type { Server } from './server.ts';
import type { MysqlSpec, UserSpec } from './spec.ts';
import type { AccountName } from './sql.ts';

// What no document may ask for, whatever rights the agent has: on MariaDB who may make accounts may do everything. Each answer
// is undefined, or a reason in words that stands alone.

/** The agent's own schema on a server. */
export const OWN_SCHEMA = 'understudy';
const SYSTEM = ['mysql', 'sys', 'performance_schema', 'information_schema', OWN_SCHEMA];

/**
 * What may be given on everything: it reads, watches, or keeps others waiting for a moment. Nothing of it writes, makes accounts,
 * reads files of the machine or runs as somebody else.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  'SELECT',
  'SHOW VIEW',
  'SHOW DATABASES',
  'SHOW_ROUTINE',
  'SHOW CREATE ROUTINE',
  'LOCK TABLES',
  'PROCESS',
  'FLUSH_TABLES',
  'REPLICATION CLIENT',
  'REPLICATION SLAVE',
  'BINLOG MONITOR',
  'SLAVE MONITOR',
  'BACKUP_ADMIN',
  'XA_RECOVER_ADMIN',
]);

/** With any of these on everything an account is an administrator's. */
const ADMINISTRATORS: ReadonlySet<string> = new Set([
  'SUPER',
  'CREATE USER',
  'SYSTEM_USER',
  'SET_USER_ID',
  'SET_ANY_DEFINER',
  'SET USER',
  'ROLE_ADMIN',
  'FILE',
  'SHUTDOWN',
]);

/** Pure. Why the name, a host or the kind of thing is not to be had on this server. */
export function nameGuard(spec: MysqlSpec, { server, self }: ServerSeen): string | undefined {
  if (spec.kind === 'MySQLDatabase') {
    if (spec.name.toLowerCase() === OWN_SCHEMA) return 'this database is for the agent itself';
    return databaseProblem(spec.name);
  }
  if (spec.name === MARK.role) return `the role \`${MARK.role}\` is the agent's own`;
  if (spec.kind === 'MySQLRole') return roleProblem(spec.name, server);
  if (spec.name === self.user) return `the agent itself logs in as \`${self.user}\``;
  const problems = [
    userProblem(spec.name, server),
    ...spec.hosts.map((host) => hostProblem(host, server)),
    ...spec.roles.map((name) => wantedRoleProblem(name, server)),
    ...requirementProblems(spec.require),
  ];
  return problems.find((problem) => problem !== undefined);
}

/** The role that marks is given by us alone: whoever asks for it would never be found to have it. */
function wantedRoleProblem(name: string, server: Server): string | undefined {
  const problem = name === MARK.role ? "it is the agent's own" : roleProblem(name, server);
  return problem && `the role \`${name}\`: ${problem}`;
}

function requirementProblems(require: UserSpec['require']): readonly (string | undefined)[] {
  if (typeof require === 'string') return [];
  return Object.entries(require).map(([key, text]) => {
    const problem = textProblem(text);
    return problem && `\`require.${key}\`: ${problem}`;
  });
}

/** Pure. Why these rights are not given by a document. */
export function grantGuard(grants: Grants): string | undefined {
  return [...grants.values()].map(oneGrant).find((problem) => problem !== undefined);
}

function oneGrant({ level, privileges, grantOption }: Grant): string | undefined {
  if (level.on === 'everything' || level.on === 'dynamic') {
    const word = [...privileges].find((one) => !HARMLESS.has(one));
    if (word !== undefined)
      return `\`${word}\` on everything is for administrators: give it by hand`;
    return grantOption ? 'the grant option on everything is for administrators' : undefined;
  }
  const reached = SYSTEM.find((name) => reaches(level, name));
  if (reached === undefined) return undefined;
  return `rights on the database \`${reached}\` are for administrators: it is the server's or the agent's own`;
}

/**
 * Pure. Why these roles are not given: whoever has one may do what it may, through its own roles too. One that is not there yet can
 * only be made by a document.
 */
export function roleGuard(
  roles: readonly AccountName[],
  { accounts }: Pick<ServerSeen, 'accounts'>,
): string | undefined {
  const open = [...roles];
  const known = new Set<string>();
  for (const name of open) {
    const key = accountKey(name);
    const live = known.has(key) ? undefined : accounts.get(key);
    known.add(key);
    if (live === undefined) continue;
    const problem = grantGuard(live.grants);
    if (problem !== undefined) return `the role \`${name.user}\` may do too much: ${problem}`;
    open.push(...live.roles.map(({ role }) => role));
  }
  return undefined;
}

/** Whether a level covers a database: on `db`.* a server takes `%` and `_` for patterns. */
function reaches(level: Exclude<Level, { on: 'everything' | 'dynamic' }>, name: string): boolean {
  if (level.on !== 'database') return level.database.toLowerCase() === name;
  return isLike(name, level.stored);
}

/**
 * Pure. Why an account that is there and does not bear our mark is not taken over: whoever gets its password gets what it may do, and
 * that goes only later.
 */
export function adoptionGuard(account: Account, seen: ServerSeen): string | undefined {
  const roles = account.roles.map(({ role }) => role);
  const problem = grantGuard(account.grants) ?? roleGuard(roles, seen);
  if (problem !== undefined) return `it is not taken over: ${problem}`;
  return account.proxies.length === 0
    ? undefined
    : 'it is not taken over: it may log in as somebody else (`PROXY`)';
}

/** Pure. Why an account that is there is touched by nobody but a person. */
export function accountGuard(
  account: Account,
  { self }: Pick<ServerSeen, 'self'>,
): string | undefined {
  if (isSame(account, self)) return 'the agent itself logs in with it';
  const held = [...account.grants.values()]
    .filter(({ level }) => level.on === 'everything' || level.on === 'dynamic')
    .flatMap(({ privileges }) => [...privileges]);
  const word = held.find((one) => ADMINISTRATORS.has(one));
  return word === undefined
    ? undefined
    : `it is an administrator's (\`${word}\` on everything): change it by hand`;
}

function isSame(one: AccountName, other: AccountName): boolean {
  return accountKey(one) === accountKey(other);
}

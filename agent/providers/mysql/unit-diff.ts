import type { Blocked, Difference, FieldDiff, Operation, Rendered } from '../../core/kind.ts';
import { accountKey, isMarked } from './account.ts';
import { characterProblem, databaseDifference } from './database-diff.ts';
import { difference, type Wanted } from './diff.ts';
import { accountGuard, grantGuard, nameGuard, roleGuard } from './guards.ts';
import { claim } from './ledger.ts';
import type { Random } from './hash.ts';
import type { MysqlCall, ServerSeen, ServerSight } from './observed.ts';
import type { DatabaseSpec, MysqlSpec, RoleSpec, UserSpec } from './spec.ts';
import type { AccountName, Sql } from './sql.ts';
import { dropped } from './statements.ts';
import { passwordOf } from './unit-password.ts';
import { wantedRole, wantedUser, type WantedOnServer } from './wanted.ts';

/** Servers by their names in the agent's settings. */
export interface MysqlObserved {
  readonly servers: ReadonlyMap<string, ServerSight>;
}

type Diff = Difference<MysqlCall>;
const nothing: Diff = { operations: [], blocked: [] };

/** Pure but for `random`, from which salts come. What separates a database, a role or an account from what its document says. */
export function diffUnit(unit: Rendered<MysqlSpec>, observed: MysqlObserved, random: Random): Diff {
  const { spec } = unit;
  const sight = sightOf(spec, observed);
  if (sight.status !== 'seen') {
    return hold(spec, [sight.why], sight.status === 'away');
  }
  const { seen } = sight;
  const problem = nameGuard(spec, seen);
  if (problem !== undefined) return hold(spec, [problem]);
  switch (spec.kind) {
    case 'MySQLDatabase':
      return diffDatabase({ unit, spec, seen });
    case 'MySQLRole':
      return diffHolders({ unit, spec, seen }, wantedRole(spec, seen.server));
    case 'MySQLUser': {
      const password = passwordOf(spec, seen, random);
      if ('why' in password) return hold(spec, [password.why]);
      return diffHolders({ unit, spec, seen }, wantedUser(spec, password, seen));
    }
  }
}

type Unseen = Exclude<ServerSight, { readonly status: 'seen' }>;

const unknown = (why: string): Unseen => ({ status: 'unusable', why });

/** Pure. The server of a unit. Without a name it is the only one that there is. */
export function sightOf({ server }: MysqlSpec, { servers }: MysqlObserved): ServerSight {
  if (server !== undefined) {
    const why = `the agent's settings have no \`mysql.${server}\``;
    return servers.get(server) ?? unknown(why);
  }
  const [only, ...others] = servers.values();
  if (only === undefined)
    return unknown("the agent's settings name no server: `mysql` is not in them");
  return others.length === 0
    ? only
    : unknown('the agent has several servers: name one with `server`');
}

const WORDS = { MySQLDatabase: 'database', MySQLRole: 'role', MySQLUser: 'account' } as const;

/** Pure. What people call the things of a unit: `account blog@%`. On which server is in the unit's id. */
export function targetOf({ kind, name }: MysqlSpec, host?: string): string {
  return `${WORDS[kind]} ${name}${host === undefined ? '' : `@${host}`}`;
}

interface One<Spec extends MysqlSpec> {
  readonly unit: Rendered<MysqlSpec>;
  readonly spec: Spec;
  readonly seen: ServerSeen;
}

function hold(spec: MysqlSpec, whys: readonly string[], waits = false): Diff {
  const target = targetOf(spec);
  const blocked = whys.map((why): Blocked => ({ target, why: `${target}: ${why}`, waits }));
  return { ...nothing, blocked };
}

/** Whether the ledger says that it is ours, and of this very digest. */
function ledgerOf({ unit: { id, digest }, seen }: One<MysqlSpec>) {
  const row = seen.owned.get(id);
  return { isOurs: row !== undefined, isNoted: row?.digest === digest && row.leftAt === undefined };
}

const FOREIGN = 'it is there already and not ours: `adopt: true` takes it over';

function diffDatabase(one: One<DatabaseSpec>): Diff {
  const { unit, spec, seen } = one;
  const problem = characterProblem(spec, seen);
  if (problem !== undefined) return hold(spec, [problem]);
  const live = seen.databases.get(spec.name);
  const { isOurs, isNoted } = ledgerOf(one);
  if (live !== undefined && !isOurs && !spec.adopt) return hold(spec, [FOREIGN]);
  const { statements, changes } = databaseDifference(spec, live);
  if (statements.length === 0 && isNoted) return nothing;
  const said = [claim(unit.id, unit.digest), ...statements];
  return { ...nothing, operations: [operation(spec, { live, said, fields: changes })] };
}

function diffHolders(one: One<RoleSpec | UserSpec>, asked: WantedOnServer): Diff {
  const { spec } = one;
  if ('refusals' in asked) return hold(spec, asked.refusals);
  const guarded = asked.wanted.flatMap(({ grants, roles }) => [
    grantGuard(grants),
    roleGuard(roles, one.seen),
  ]);
  const problem = guarded.find((why) => why !== undefined);
  if (problem !== undefined) return hold(spec, [problem]);
  const parts = asked.wanted.map((wanted) => diffHolder(one, wanted));
  return joined([...parts, leftHosts(one, asked.wanted)]);
}

/** Accounts of ours with the same name at hosts that the document does not have any more: each still lets somebody in. */
function leftHosts(one: One<RoleSpec | UserSpec>, wanted: readonly Wanted[]): Diff {
  const { spec, seen } = one;
  if (spec.kind !== 'MySQLUser' || !ledgerOf(one).isOurs) return nothing;
  const kept = new Set(wanted.map((name) => accountKey(name)));
  const left = [...seen.accounts.values()].filter(
    (live) => live.user === spec.name && isMarked(live) && !kept.has(accountKey(live)),
  );
  if (left.length === 0) return nothing;
  const later = left
    .filter((live) => accountGuard(live, seen) === undefined)
    .map((live): Operation<MysqlCall> => {
      const target = targetOf(spec, live.host);
      const call = callOf(spec, dropped(live));
      const rest = {
        phase: 'remove',
        effect: 'destructive',
        fields: shown(dropped(live)),
      } as const;
      return { target, verb: 'remove', ...rest, call };
    });
  return { ...nothing, later };
}

function joined(parts: readonly Diff[]): Diff {
  const later = parts.flatMap((part) => part.later ?? []);
  const notes = parts.flatMap((part) => part.notes ?? []);
  return {
    operations: parts.flatMap(({ operations }) => operations),
    blocked: parts.flatMap(({ blocked }) => blocked),
    ...(later.length > 0 && { later }),
    ...(notes.length > 0 && { notes }),
  };
}

/** One account, or a role. */
function diffHolder(one: One<RoleSpec | UserSpec>, wanted: Wanted): Diff {
  const { unit, spec, seen } = one;
  const live = seen.accounts.get(accountKey(wanted));
  const { isOurs, isNoted } = ledgerOf(one);
  if (live !== undefined) {
    const guarded = accountGuard(live, seen);
    if (guarded !== undefined) return hold(spec, [guarded]);
    // The line is written before the account: a foreign one of that name may have come in between.
    if (!(isOurs && isMarked(live)) && !spec.adopt) return hold(spec, [FOREIGN]);
  }
  const { first, refusals, left } = difference(wanted, live, seen.server);
  const { later } = difference(withoutEarlier(wanted), live, seen.server);
  if (refusals.length > 0) return hold(spec, refusals);
  const target = targetOf(spec, hostOf(wanted));
  const isDue = first.length > 0 || !isNoted;
  const said = [claim(unit.id, unit.digest), ...first];
  const taken = later.length === 0 ? [] : [takenAway(spec, target, later)];
  return {
    operations: isDue ? [operation(spec, { live, said, fields: shown(first), target })] : [],
    blocked: [],
    ...(taken.length > 0 && { later: taken }),
    ...(left.length > 0 && { notes: left.map((why) => `${target}: ${why}`) }),
  };
}

/** Once nothing uses it, an earlier password goes. */
function withoutEarlier(wanted: Wanted): Wanted {
  const { login } = wanted;
  if (login === undefined) return wanted;
  return { ...wanted, login: { ...login, password: { ...login.password, keepEarlier: false } } };
}

function hostOf({ host, login }: Wanted): AccountName['host'] | undefined {
  return login === undefined ? undefined : host;
}

interface Said {
  readonly live: object | undefined;
  readonly said: readonly Sql[];
  readonly fields: readonly FieldDiff[];
  readonly target?: string;
}

function operation(
  spec: MysqlSpec,
  { live, said, fields, target = targetOf(spec) }: Said,
): Operation<MysqlCall> {
  return {
    target,
    verb: live === undefined ? 'create' : 'update',
    phase: live === undefined ? 'add' : 'change',
    effect: 'none',
    fields,
    call: callOf(spec, said),
  };
}

function takenAway(spec: MysqlSpec, target: string, later: readonly Sql[]): Operation<MysqlCall> {
  const fields = shown(later);
  const call = callOf(spec, later);
  return { target, verb: 'update', phase: 'remove', effect: 'none', fields, call };
}

function callOf({ server }: MysqlSpec, statements: readonly Sql[]): MysqlCall {
  return { op: 'statements', statements, ...(server !== undefined && { server }) };
}

/** The statements themselves say best what changes. Secrets are blanked in them. */
function shown(statements: readonly Sql[]): readonly FieldDiff[] {
  return statements.map((statement) => ({ path: 'sql', desired: String(statement) }));
}

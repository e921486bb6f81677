import type { Rendered } from '../../core/kind.ts';
import { characterProblem, databaseDifference } from './database-diff.ts';
import { diffDelivered } from './delivered-diff.ts';
import { diffGenerated } from './generated-diff.ts';
import { LABELS, type SwarmSecret } from './generated.ts';
import { nameGuard } from './guards.ts';
import { placesOf } from './left-place.ts';
import type { Random } from './hash.ts';
import { diffHolders } from './holder-diff.ts';
import { foreignOwner, ledgerOf, noted } from './noted.ts';
import type { ServerSight } from './observed.ts';
import { Settled } from './settled.ts';
import { scopeProblem } from './scope.ts';
import type { DatabaseSpec, MysqlSpec, UserSpec } from './spec.ts';
import { type Diff, FOREIGN, hold, nothing, type One, operation, targetOf } from './unit-parts.ts';
import { Unquotable } from './sql.ts';
import { passwordOf } from './unit-password.ts';
import { wantedRole } from './wanted.ts';

/** Servers by their names in the agent's settings. */
export interface MysqlObserved {
  readonly servers: ReadonlyMap<string, ServerSight>;
  /** All of the Swarm. */
  readonly secrets: ReadonlyMap<string, SwarmSecret>;
}

/** Pure but for `random`, from which salts come. What separates a database, a role or an account from what its document says. */
export function diffUnit(unit: Rendered<MysqlSpec>, observed: MysqlObserved, random: Random): Diff {
  const { spec } = unit;
  const sight = sightOf(spec, observed);
  if (sight.status !== 'seen') {
    return hold(spec, [sight.why], sight.status === 'away');
  }
  const own = ownSecrets(unit, observed.secrets);
  const difference = settled.of({ unit, seen: sight.seen, own }, () =>
    diffHere({ unit, spec, seen: sight.seen }, own, random),
  );
  const before = placesOf(unit.id, observed).places.filter(
    ({ seen, row }) => seen !== sight.seen && row.leftAt === undefined,
  );
  if (before.length === 0) return difference;
  const names = before.map(({ on }) => `\`${on}\``).join(', ');
  const note = `${targetOf(spec)} is on ${names}, too, where it was before another server became the default: it stays as it is there, and goes with its document`;
  return { ...difference, notes: [...(difference.notes ?? []), note] };
}

function diffHere(
  { unit, spec, seen }: One<MysqlSpec>,
  own: readonly SwarmSecret[],
  random: Random,
): Diff {
  const problem = nameGuard(spec, seen) ?? scopeProblem(spec, seen.scope ?? []);
  if (problem !== undefined) return hold(spec, [problem]);
  const owner = foreignOwner(spec, seen);
  if (owner !== undefined) return hold(spec, [othersWords(owner)]);
  try {
    return diffSeen({ unit, spec, seen }, own, random);
  } catch (error) {
    // What no rule of ours foresaw holds one unit, not the agent.
    if (error instanceof Unquotable)
      return hold(spec, [`it cannot be said to a server: ${error.message}`]);
    throw error;
  }
}

const settled = new Settled();

/** Gathered once for each look: hundreds of accounts ask. */
const gathered = new WeakMap<
  MysqlObserved['secrets'],
  ReadonlyMap<string, readonly SwarmSecret[]>
>();

/** All that were made for a unit. */
function ownSecrets(
  { id }: Rendered<MysqlSpec>,
  secrets: MysqlObserved['secrets'],
): readonly SwarmSecret[] {
  const known = gathered.get(secrets) ?? Map.groupBy(secrets.values(), ownerOf);
  gathered.set(secrets, known);
  return known.get(id) ?? [];
}

/** What bears a stack's mark is the stack's, whatever else its file says. */
function ownerOf({ labels }: SwarmSecret): string {
  return Object.hasOwn(labels, 'com.docker.stack.namespace') ? '' : (labels[LABELS.owner] ?? '');
}

function othersWords(owner: string): string {
  return `the ledger on its server says that it belongs to \`${owner}\`, another one who writes there`;
}

function diffSeen(
  { unit, spec, seen }: One<MysqlSpec>,
  own: readonly SwarmSecret[],
  random: Random,
): Diff {
  switch (spec.kind) {
    case 'MySQLDatabase':
      return diffDatabase({ unit, spec, seen });
    case 'MySQLRole':
      return diffHolders({ unit, spec, seen }, wantedRole(spec, seen.server));
    case 'MySQLUser':
      return diffUser({ unit, spec, seen }, own, random);
  }
}

function diffUser(one: One<UserSpec>, own: readonly SwarmSecret[], random: Random): Diff {
  const { spec, seen } = one;
  const password = passwordOf(spec, seen, random);
  if (password === 'generated') return diffGenerated(one, own);
  if ('why' in password) return hold(spec, [password.why]);
  return diffDelivered(one, password, own);
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

function diffDatabase(one: One<DatabaseSpec>): Diff {
  const { spec, seen } = one;
  const problem = characterProblem(spec, seen);
  if (problem !== undefined) return hold(spec, [problem]);
  const live = seen.databases.get(spec.name);
  const { isOurs, isNoted } = ledgerOf(one);
  if (live !== undefined && !isOurs && !spec.adopt) return hold(spec, [FOREIGN]);
  const { statements, changes } = databaseDifference(spec, live);
  if (statements.length === 0 && isNoted) return nothing;
  const said = [noted(one), ...statements];
  return { ...nothing, operations: [operation(spec, { live, said, fields: changes })] };
}

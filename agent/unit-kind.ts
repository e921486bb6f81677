import type { First } from './core/first.ts';
import type { Difference, Id, Kind, Operation, Rendered } from './core/kind.ts';
import type { CephCall } from './providers/ceph/call.ts';
import type { CephSpec } from './providers/ceph/spec.ts';
import type { CephObserved } from './providers/ceph/unit-diff.ts';
import type { MysqlCall } from './providers/mysql/observed.ts';
import type { MysqlSpec } from './providers/mysql/spec.ts';
import type { MysqlObserved } from './providers/mysql/unit-diff.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { StackSpec } from './providers/stack/spec.ts';
import type { StackCall } from './providers/stack/swarm.ts';
import {
  familyOf,
  isCephSpec,
  isMysqlSpec,
  isStackSpec,
  type UnitSpec,
} from './render/unit-spec.ts';

/** All that one look gives: the Swarm, and the servers and clusters of the agent's settings. */
export type UnitObserved = StackObserved & MysqlObserved & CephObserved;
export type UnitCall = StackCall | MysqlCall | CephCall;

/** Each kind of units by where they live. What is known of servers and clusters is for those who look at them to say. */
export interface Kinds<Servers, Clusters> {
  readonly stacks: Kind<StackSpec, StackObserved, StackCall>;
  readonly servers: Kind<MysqlSpec, Servers, MysqlCall | StackCall>;
  readonly clusters: Kind<CephSpec, Clusters, CephCall | StackCall>;
}

type Whole<Seen> = Kind<UnitSpec, Seen, UnitCall>;

/** Asks the kind of one unit, whichever that is. */
type Ask<Seen> = <Answer>(
  unit: Rendered<UnitSpec>,
  question: <Spec>(kind: Kind<Spec, Seen, UnitCall>, unit: Rendered<Spec>) => Answer,
) => Answer;

const CLEAR: First = { status: 'clear' };

/** Pure. One kind of all units: each is asked of its own. A unit that left the repository is known by its id alone. */
export function unitKind<Servers, Clusters>(
  kinds: Kinds<Servers, Clusters>,
): Whole<StackObserved & Servers & Clusters> {
  type Seen = StackObserved & Servers & Clusters;
  const { stacks, servers, clusters } = kinds;
  const ask: Ask<Seen> = (unit, question) => {
    if (isStack(unit)) return question(stacks, unit);
    if (isOnServer(unit)) return question(servers, unit);
    if (isOnCluster(unit)) return question(clusters, unit);
    throw new Error(`bug: ${unit.id} is of no kind`);
  };
  return {
    kind: 'unit',
    ...onItsWay(ask),
    ...thatLeft<Seen>(ask, (id) => {
      const family = familyOf(id);
      if (family === 'mysql') return servers;
      return family === 'ceph' ? clusters : stacks;
    }),
    absent: (seen) => stacks.absent(seen),
    leftovers: (seen) => [
      ...(servers.leftovers?.(seen) ?? []),
      ...(clusters.leftovers?.(seen) ?? []),
    ],
    sizes: (seen) => ({ ...stacks.sizes(seen), ...servers.sizes(seen), ...clusters.sizes(seen) }),
  };
}

/** How a unit does, and what brings it to what is wanted. */
function onItsWay<Seen>(ask: Ask<Seen>) {
  return {
    diff: (unit, seen, made) => {
      const said = ask(unit, (kind, one) => kind.diff(one, seen, made));
      return isStack(unit) ? said : located(unit, said);
    },
    first: (unit, seen, { operations, answers }) =>
      ask(unit, (kind, one) => kind.first?.(one, seen, { answers, ...(operations && { operations: operations.filter(isOfStack) }) }) ?? CLEAR), // prettier-ignore
    baseline: (unit, seen) => ask(unit, (kind, one) => kind.baseline(one, seen)),
    health: (unit, seen, known) => ask(unit, (kind, one) => kind.health(one, seen, known)),
    givenUp: (unit, seen, known) => ask(unit, (kind, one) => kind.givenUp(one, seen, known)),
    resume: (unit, seen) => ask(unit, (kind, one) => kind.resume(one, seen)),
    times: (unit) => ask(unit, (kind, one) => kind.times(one)),
    rollback: (unit) => ask(unit, (kind, one) => kind.rollback(one)),
  } satisfies Partial<Whole<Seen>>;
}

/** What only a person ends is told with the document that it is about: several may stand in one file. */
function located<Call>({ place }: Rendered<unknown>, said: Difference<Call>): Difference<Call> {
  if (said.blocked.every(({ waits }) => waits)) return said;
  const at = ` (${place.file}:${String(place.line)})`;
  const blocked = said.blocked.map((one) => (one.waits ? one : { ...one, why: one.why + at }));
  return { ...said, blocked };
}

/** What is there of a unit, and how it goes. */
function thatLeft<Seen>(ask: Ask<Seen>, of: (id: Id) => Omit<Whole<Seen>, SpecQuestion>) {
  return {
    isThere: (unit, seen) => ask(unit, (kind, one) => kind.isThere(one, seen)),
    release: (unit, seen, parts) => ask(unit, (kind, one) => kind.release(one, seen, parts)),
    restore: (id, release) => of(id).restore(id, release),
    parts: (unit) => ask(unit, (kind, one) => kind.parts(one)),
    stop: (id, targets, seen) => of(id).stop(id, targets, seen),
    removal: (unit) => ask(unit, (kind, one) => kind.removal(one)),
    makes: (unit) => ask(unit, (kind, one) => kind.makes(one)),
    members: (id, seen) => of(id).members(id, seen),
    remove: (id, members, seen) => of(id).remove(id, members, seen),
    hidden: (id, seen) => of(id).hidden?.(id, seen),
    runs: (id, seen) => of(id).runs(id, seen),
    users: (id, seen) => of(id).users(id, seen),
    spares: (unit, seen) => ask(unit, (kind, one) => kind.spares(one, seen)),
  } satisfies Partial<Whole<Seen>>;
}

/** What only a unit is asked. */
type SpecQuestion =
  | 'diff'
  | 'first'
  | 'baseline'
  | 'health'
  | 'givenUp'
  | 'resume'
  | 'times'
  | 'rollback'
  | 'isThere'
  | 'release'
  | 'parts'
  | 'removal'
  | 'makes'
  | 'spares';

/** Pure. Whether it is on a server or a cluster, and not on the Swarm. */
export function isDocument(
  unit: Rendered<UnitSpec>,
): unit is Rendered<MysqlSpec> | Rendered<CephSpec> {
  return !isStackSpec(unit.spec);
}

/** Pure. */
export function isOnServer(unit: Rendered<UnitSpec>): unit is Rendered<MysqlSpec> {
  return isMysqlSpec(unit.spec);
}

/** Pure. */
export function isOnCluster(unit: Rendered<UnitSpec>): unit is Rendered<CephSpec> {
  return isCephSpec(unit.spec);
}

/** Pure. */
export function isStack(unit: Rendered<UnitSpec>): unit is Rendered<StackSpec> {
  return isStackSpec(unit.spec);
}

/** Pure. */
export function isOfStack(operation: Operation<UnitCall>): operation is Operation<StackCall> {
  const { op } = operation.call;
  return op !== 'statements' && op !== 'password' && op !== 'ceph';
}

import { spareSecrets, whileMounted } from './account-secrets.ts';
import type { First } from './core/first.ts';
import type { Difference, Id, Kind, Operation, Rendered } from './core/kind.ts';
import type { Spare } from './core/member.ts';
import type { MysqlCall } from './providers/mysql/observed.ts';
import type { MysqlSpec } from './providers/mysql/spec.ts';
import type { MysqlObserved } from './providers/mysql/unit-diff.ts';
import type { StackObserved } from './providers/stack/observed.ts';
import type { StackSpec } from './providers/stack/spec.ts';
import type { StackCall } from './providers/stack/swarm.ts';
import { isStackSpec, type UnitSpec } from './render/unit-spec.ts';

/** All that one look gives: the Swarm, and the servers of the agent's settings. */
export type UnitObserved = StackObserved & MysqlObserved;
export type UnitCall = StackCall | MysqlCall;

type StackKind = Kind<StackSpec, StackObserved, StackCall>;
/** `Servers`: what is known of servers, beside the Swarm. */
type ServerKind<Servers> = Kind<MysqlSpec, Servers, MysqlCall>;
type Whole<Servers> = Kind<UnitSpec, StackObserved & Servers, UnitCall>;

const CLEAR: First = { status: 'clear' };

/** Pure. One kind of all units: each is asked of its own. A unit that left the repository is known by its id alone. */
export function unitKind<Servers>(stacks: StackKind, servers: ServerKind<Servers>): Whole<Servers> {
  const sizes: Whole<Servers>['sizes'] = (seen) => ({
    ...stacks.sizes(seen),
    ...servers.sizes(seen),
  });
  return { kind: 'unit', ...onItsWay(stacks, servers), ...thatLeft(stacks, servers), sizes };
}

/** How a unit does, and what brings it to what is wanted. */
function onItsWay<Servers>(stacks: StackKind, servers: ServerKind<Servers>) {
  return {
    diff: (unit, seen, made) =>
      by<Difference<UnitCall>>(
        unit,
        (one) => stacks.diff(one, seen, made),
        (one) => located(one, whileMounted(servers.diff(one, seen, made), one, seen)),
      ),
    first: (unit, seen, { operations, answers }) => {
      const own = operations?.filter(isOfStack);
      const input = { answers, ...(own && { operations: own }) };
      return by<First>(
        unit,
        (one) => stacks.first?.(one, seen, input) ?? CLEAR,
        () => CLEAR,
      );
    },
    baseline: (unit, seen) =>
      by(
        unit,
        (one) => stacks.baseline(one, seen),
        (one) => servers.baseline(one, seen),
      ),
    absent: (seen) => stacks.absent(seen),
    health: (unit, seen, known) =>
      by(
        unit,
        (one) => stacks.health(one, seen, known),
        (one) => servers.health(one, seen, known),
      ),
    givenUp: (unit, seen, known) =>
      by(
        unit,
        (one) => stacks.givenUp(one, seen, known),
        (one) => servers.givenUp(one, seen, known),
      ),
    resume: (unit, seen) =>
      by<readonly Operation<UnitCall>[]>(
        unit,
        (one) => stacks.resume(one, seen),
        (one) => servers.resume(one, seen),
      ),
    times: (unit) =>
      by(
        unit,
        (one) => stacks.times(one),
        (one) => servers.times(one),
      ),
    rollback: (unit) =>
      by(
        unit,
        (one) => stacks.rollback(one),
        (one) => servers.rollback(one),
      ),
  } satisfies Partial<Whole<Servers>>;
}

/** What only a person ends is told with the document that it is about: several may stand in one file. */
function located<Call>({ place }: Rendered<MysqlSpec>, said: Difference<Call>): Difference<Call> {
  if (said.blocked.every(({ waits }) => waits)) return said;
  const at = ` (${place.file}:${String(place.line)})`;
  const blocked = said.blocked.map((one) => (one.waits ? one : { ...one, why: one.why + at }));
  return { ...said, blocked };
}

/** What is there of a unit, and how it goes. */
function thatLeft<Servers>(stacks: StackKind, servers: ServerKind<Servers>) {
  const of = (id: Id) => (id.startsWith('stack/') ? stacks : servers);
  return {
    isThere: (unit, seen) =>
      by(
        unit,
        (one) => stacks.isThere(one, seen),
        (one) => servers.isThere(one, seen),
      ),
    release: (unit, seen, parts) =>
      by(
        unit,
        (one) => stacks.release(one, seen, parts),
        (one) => servers.release(one, seen, parts),
      ),
    restore: (id, release) => of(id).restore(id, release),
    parts: (unit) =>
      by(
        unit,
        (one) => stacks.parts(one),
        (one) => servers.parts(one),
      ),
    stop: (id, targets, seen) => of(id).stop(id, targets, seen),
    removal: (unit) =>
      by(
        unit,
        (one) => stacks.removal(one),
        (one) => servers.removal(one),
      ),
    makes: (unit) =>
      by(
        unit,
        (one) => stacks.makes(one),
        (one) => servers.makes(one),
      ),
    members: (id, seen) => of(id).members(id, seen),
    remove: (id, members, seen) => of(id).remove(id, members, seen),
    hidden: (id, seen) => of(id).hidden?.(id, seen),
    leftovers: (seen) => servers.leftovers?.(seen) ?? [],
    runs: (id, seen) => of(id).runs(id, seen),
    users: (id, seen) => of(id).users(id, seen),
    spares: (unit, seen) =>
      by<readonly Spare<UnitCall>[]>(
        unit,
        (one) => stacks.spares(one, seen),
        (one) => [...servers.spares(one, seen), ...spareSecrets(one, seen)],
      ),
  } satisfies Partial<Whole<Servers>>;
}

/** Pure. What is asked of a unit by what it is. */
export function by<Answer>(
  unit: Rendered<UnitSpec>,
  ofStack: (unit: Rendered<StackSpec>) => Answer,
  ofServer: (unit: Rendered<MysqlSpec>) => Answer,
): Answer {
  if (isDocument(unit)) return ofServer(unit);
  if (isStack(unit)) return ofStack(unit);
  throw new Error(`bug: ${unit.id} is of no kind`);
}

/** Pure. Whether it is on a server and not on the Swarm. */
export function isDocument(unit: Rendered<UnitSpec>): unit is Rendered<MysqlSpec> {
  return !isStackSpec(unit.spec);
}

/** Pure. */
export function isStack(unit: Rendered<UnitSpec>): unit is Rendered<StackSpec> {
  return isStackSpec(unit.spec);
}

/** Pure. */
export function isOfStack(operation: Operation<UnitCall>): operation is Operation<StackCall> {
  return operation.call.op !== 'statements' && operation.call.op !== 'password';
}

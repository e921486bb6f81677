import type { Id, Operation, Rendered } from '../../core/kind.ts';
import type { Member, Removal } from '../../core/member.ts';
import { DIGEST_LABEL } from './names.ts';
import { NAMESPACE, OURS, type StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { ObservedSecret, ObservedService, StackCall, StackNoun, SwarmState } from './swarm.ts';
import { isOver } from './tasks.ts';

/** Services first: the engine removes a network also while tasks of a removed service run on it. */
const NOUNS: readonly StackNoun[] = ['service', 'network', 'config', 'secret'];

interface StackObject extends Member {
  readonly noun: StackNoun;
  readonly name: string;
}

/**
 * Pure. All objects that bear the stack's label, in the order in which they can go. Volumes hold data and are none of
 * them, and neither are secrets that we did not make.
 */
export function stackMembers(id: Id, observed: StackObserved): readonly Member[] {
  return objectsOf(stackOf(id), observed).map(({ target, id: object }) => ({ target, id: object }));
}

/** Pure. Targets of what is removed when it leaves the Compose file: contents of configs and secrets stay for a way back. */
export function stackMakes({ spec }: Rendered<StackSpec>): readonly string[] {
  return [
    ...Object.values(spec.services).map(({ Name }) => `service ${Name}`),
    ...Object.values(spec.networks).map(({ Name }) => `network ${Name}`),
  ];
}

/** Pure. The first service of the stack of which a task still runs, in words. */
export function stackRuns(id: Id, observed: StackObserved): string | undefined {
  return runningTasks(stackMembers(id, observed), observed);
}

/** Pure. Networks, configs and secrets of the stack that services of others use, in words. */
export function stackUsers(id: Id, observed: StackObserved): readonly string[] {
  const stack = stackOf(id);
  const others = observed.state.services.filter(({ spec }) => spec.Labels?.[NAMESPACE] !== stack);
  return objectsOf(stack, observed).flatMap((one) => {
    const user = others.find((service) => uses(service, one));
    return user === undefined ? [] : `${one.target} is in use by service ${user.spec.Name}`;
  });
}

/** Pure. How long the lists are from which an object that is not in them counts as gone. */
export function stackSizes({ state }: StackObserved): Readonly<Record<string, number>> {
  const { services, networks, configs, secrets, nodes } = state;
  const lists = { services, networks, configs, secrets, nodes };
  return Object.fromEntries(Object.entries(lists).map(([name, list]) => [name, list.length]));
}

/**
 * Pure. Of these members what may go now: services; when they are gone and no task of them runs any more, networks,
 * configs and secrets that no other service uses. One that is not the stack's by now is left alone and not waited for.
 */
export function removeMembers(
  id: Id,
  members: readonly Member[],
  observed: StackObserved,
): Removal<StackCall> {
  const stack = stackOf(id);
  const named = new Set(members.map((one) => one.id));
  const there = objectsOf(stack, observed).filter((one) => named.has(one.id));
  const left = there.map(({ target, id: object }) => ({ target, id: object }));
  const services = there.filter(({ noun }) => noun === 'service');
  if (services.length > 0) {
    return { operations: services.map((one) => removal(one, stack)), left, waits: [] };
  }
  const ending = left.length === 0 ? undefined : runningTasks(members, observed);
  if (ending !== undefined) return { operations: [], left, ending, waits: [] };
  const used = there.map((one) => ({ one, user: userOf(one, observed) }));
  return {
    operations: used.flatMap(({ one, user }) => (user === undefined ? removal(one, stack) : [])),
    left,
    waits: used.flatMap(({ one, user }) =>
      user === undefined ? [] : `${one.target} is in use by service ${user}`,
    ),
  };
}

function stackOf(id: Id): string {
  return id.slice(id.indexOf('/') + 1);
}

/** The objects of every stack, gathered once for each look: read for one stack alone, the lists are as long as for all. */
const gathered = new WeakMap<SwarmState, ReadonlyMap<string, readonly StackObject[]>>();

function objectsOf(stack: string, { state }: StackObserved): readonly StackObject[] {
  const known = gathered.get(state);
  const objects = known ?? gather(state);
  if (known === undefined) gathered.set(state, objects);
  return objects.get(stack) ?? [];
}

function gather(state: SwarmState): ReadonlyMap<string, readonly StackObject[]> {
  const lists: Readonly<Record<StackNoun, readonly Labelled[]>> = {
    service: state.services.map(({ id, spec }) => ({
      id,
      name: spec.Name,
      labels: spec.Labels ?? {},
    })),
    network: state.networks.filter(({ scope }) => scope === 'swarm'),
    config: state.configs,
    secret: state.secrets.filter(isMadeHere),
  };
  const stacks = new Map<string, StackObject[]>();
  for (const noun of NOUNS) {
    const own = lists[noun].filter(({ name }) => !name.startsWith(OURS));
    for (const { id, name, labels } of own.toSorted(byName)) {
      const stack = labels[NAMESPACE];
      if (stack === undefined) continue;
      const object = { noun, name, id, target: `${noun} ${name}` };
      const others = stacks.get(stack);
      if (others === undefined) stacks.set(stack, [object]);
      else others.push(object);
    }
  }
  return stacks;
}

/**
 * Nobody can read a secret back. One without our digest is not known to be in any repository, whatever its labels say:
 * its file may call it external. What a plugin holds is lost with no object.
 */
function isMadeHere({ labels, driver }: ObservedSecret): boolean {
  return driver !== undefined || DIGEST_LABEL in labels;
}

function byName(one: Labelled, other: Labelled): number {
  return one.name < other.name ? -1 : 1;
}

interface Labelled {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

function removal({ noun, name, id, target }: StackObject, stack: string): Operation<StackCall> {
  const call: StackCall = { op: `${noun}-remove`, id, name, stack };
  return { target, verb: 'remove', phase: 'remove', effect: 'destructive', fields: [], call };
}

/** Tasks outlive their service for as long as they take to stop. On a node that left the Swarm nobody hears of them. */
function runningTasks(
  members: readonly Member[],
  { tasks, state }: StackObserved,
): string | undefined {
  const nodes = new Set(state.nodes.map(({ id }) => id));
  const running = members.find(({ id }) =>
    (tasks.get(id) ?? []).some(
      (task) => !isOver(task) && (task.nodeId === undefined || nodes.has(task.nodeId)),
    ),
  );
  return running && `tasks of ${running.target} still run`;
}

/** The name of a service that would miss it. */
function userOf(object: StackObject, { state }: StackObserved): string | undefined {
  return state.services.find((service) => uses(service, object))?.spec.Name;
}

function uses({ spec }: ObservedService, { noun, id, name }: StackObject): boolean {
  const { Networks = [], ContainerSpec: container } = spec.TaskTemplate;
  switch (noun) {
    case 'service':
      return false;
    case 'network':
      return Networks.some(({ Target }) => Target === id || Target === name);
    case 'config':
      return (container.Configs ?? []).some(
        ({ ConfigID, ConfigName }) => ConfigID === id || ConfigName === name,
      );
    case 'secret':
      return (container.Secrets ?? []).some(
        ({ SecretID, SecretName }) => SecretID === id || SecretName === name,
      );
  }
}

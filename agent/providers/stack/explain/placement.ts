import { namesInWords } from '../../../core/finding.ts';
import { visible } from '../../../core/visible.ts';
import { unmetBy } from '../constraints.ts';
import type { PortConfig, ServiceSpec } from '../engine-api.ts';
import type { StackObserved } from '../observed.ts';
import type { ObservedNode } from '../swarm.ts';
import { isAbsent, isOver } from '../tasks.ts';
import { type Room, roomOnNodes } from './room.ts';
import { bytesInWords, cpusInWords } from './units.ts';

/** The words of the scheduler (manager/scheduler/filter.go of swarmkit), by what they are about. */
const KINDS = {
  away: /not available for new tasks/,
  resources: /insufficient resources/,
  constraint: /scheduling constraints not satisfied/,
  platform: /unsupported platform/,
  port: /host-mode port already in use/,
  most: /max replicas per node limit/,
} as const;
type Kind = keyof typeof KINDS;

const LENGTH_MAX = 500;

/**
 * Pure. Why no node gets a task, node by node: `error` is what the scheduler says, which counts nodes and names none. Only
 * what it names is explained, in its own words first. What is there may have changed since.
 */
export function placementTrouble(
  error: string,
  spec: ServiceSpec,
  observed: StackObserved,
): string {
  const said = visible(error).slice(0, LENGTH_MAX);
  if (!error.startsWith('no suitable node')) return said;
  const { nodes } = observed.state;
  const there = nodes.filter((node) => !isAbsent(node) && node.availability === 'active');
  const explained: Readonly<Record<Kind, () => readonly string[]>> = {
    away: () => awayInWords(nodes),
    resources: () => resourcesInWords(spec, there, roomOnNodes(observed)),
    constraint: () => constraintsInWords(spec, there),
    platform: () => platformsInWords(spec, there),
    port: () => portsInWords(spec, there, observed),
    most: () => mostInWords(spec),
  };
  const words = Object.entries(KINDS).flatMap(([kind, pattern]) =>
    pattern.test(error) && isKind(kind) ? explained[kind]() : [],
  );
  return words.length === 0 ? said : `${said}: ${words.join('; ')}`.slice(0, 2 * LENGTH_MAX);
}

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(KINDS, kind);
}

function awayInWords(nodes: readonly ObservedNode[]): readonly string[] {
  const away = nodes.filter((node) => isAbsent(node) || node.availability !== 'active');
  const states = Map.groupBy(away, ({ state, availability }) =>
    state === 'ready' ? (availability === 'drain' ? 'drained' : 'paused') : state,
  );
  return [...states].map(([state, those]) => `${named(those)} ${are(those)} ${state}`);
}

function resourcesInWords(
  spec: ServiceSpec,
  there: readonly ObservedNode[],
  room: ReadonlyMap<string, Room>,
): readonly string[] {
  const wanted = spec.TaskTemplate.Resources?.Reservations;
  const rooms = there.flatMap((node) => {
    const left = room.get(node.id);
    return left === undefined ? [] : [{ node, left }];
  });
  const most = (what: keyof Room) =>
    rooms.reduce<(typeof rooms)[number] | undefined>(
      (best, one) => (best === undefined || one.left[what] > best.left[what] ? one : best),
      undefined,
    );
  const [memory, cpus] = [wanted?.MemoryBytes ?? 0, wanted?.NanoCPUs ?? 0];
  const [roomiest, idlest] = [most('memoryBytes'), most('nanoCpus')];
  const words: string[] = [];
  if (roomiest !== undefined && memory > roomiest.left.memoryBytes) {
    words.push(
      `${bytesInWords(memory)} of memory are reserved for a task, and the most that a node has left is ${bytesInWords(Math.max(0, roomiest.left.memoryBytes))} (${roomiest.node.hostname})`,
    );
  }
  if (idlest !== undefined && cpus > idlest.left.nanoCpus) {
    words.push(
      `${cpusInWords(cpus)} are reserved for a task, and the most that a node has left is ${cpusInWords(Math.max(0, idlest.left.nanoCpus))} (${idlest.node.hostname})`,
    );
  }
  if (words.length === 0 && memory > 0 && cpus > 0) {
    const both = `${bytesInWords(memory)} of memory and ${cpusInWords(cpus)}`;
    words.push(`no node that fits otherwise has ${both} left at once`);
  }
  for (const { DiscreteResourceSpec: one } of wanted?.GenericResources ?? []) {
    words.push(`${String(one.Value)} of \`${visible(one.Kind)}\` are wanted`);
  }
  return words;
}

function constraintsInWords(spec: ServiceSpec, there: readonly ObservedNode[]): readonly string[] {
  const constraints = spec.TaskTemplate.Placement.Constraints ?? [];
  const unmet = there.flatMap((node) => {
    const found = unmetBy(node, constraints);
    return found === undefined ? [] : [{ node, ...found }];
  });
  return [...Map.groupBy(unmet, ({ constraint }) => constraint)].map(([constraint, those]) => {
    const values = [...Map.groupBy(those, ({ value }) => value)].map(([value, some]) => {
      const who = named(some.map(({ node }) => node));
      const has = some.length === 1 ? 'has' : 'have';
      if (value === undefined) return 'there is no such attribute';
      return value === '' ? `${who} ${has} none` : `${who} ${has} \`${visible(value)}\``;
    });
    return `\`${visible(constraint)}\`: ${values.join(', ')}`;
  });
}

/** The engine calls one architecture by two names. */
const SAME: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

function platformsInWords(spec: ServiceSpec, there: readonly ObservedNode[]): readonly string[] {
  const wanted = (spec.TaskTemplate.Placement.Platforms ?? []).map(
    ({ OS = '', Architecture = '' }) => `${OS}/${SAME[Architecture] ?? Architecture}`,
  );
  if (wanted.length === 0) return [];
  const have = new Set(
    there.map(
      ({ platform: { os, architecture } }) => `${os}/${SAME[architecture] ?? architecture}`,
    ),
  );
  return [`the image is for ${namesInWords(wanted)}, the nodes are ${namesInWords([...have])}`];
}

function portsInWords(
  spec: ServiceSpec,
  there: readonly ObservedNode[],
  observed: StackObserved,
): readonly string[] {
  return hostPorts(spec).flatMap((port) => {
    const users = observed.state.services.filter(({ spec: other }) =>
      hostPorts(other).some((one) => keyOf(one) === keyOf(port)),
    );
    const taken = users.flatMap((user) => {
      const on = new Set(
        (observed.tasks.get(user.id) ?? [])
          .filter((task) => !isOver(task))
          .map((task) => task.nodeId),
      );
      const nodes = there.filter(({ id }) => on.has(id));
      if (nodes.length === 0) return [];
      const own = user.spec.Name === spec.Name;
      return [`${own ? 'its own tasks' : user.spec.Name} on ${named(nodes)}`];
    });
    const by = taken.length === 0 ? '' : ` by ${namesInWords(taken)}`;
    return taken.length === 0 ? [] : [`the host port ${keyOf(port)} is taken${by}`];
  });
}

function hostPorts({ EndpointSpec: endpoint }: ServiceSpec): readonly PortConfig[] {
  return (endpoint?.Ports ?? []).filter(
    ({ PublishMode, PublishedPort }) => PublishMode === 'host' && (PublishedPort ?? 0) > 0,
  );
}

function keyOf({ PublishedPort, Protocol = 'tcp' }: PortConfig): string {
  return `${String(PublishedPort)}/${Protocol}`;
}

function mostInWords(spec: ServiceSpec): readonly string[] {
  const most = spec.TaskTemplate.Placement.MaxReplicas ?? 0;
  return most === 0
    ? []
    : [`\`max_replicas_per_node\` is ${String(most)}, and every node that fits has as many`];
}

function named(nodes: readonly ObservedNode[]): string {
  return namesInWords(nodes.map(({ hostname, id }) => visible(hostname === '' ? id : hostname)));
}

function are({ length }: readonly unknown[]): string {
  return length === 1 ? 'is' : 'are';
}

import { PLAIN_LABEL } from '../../core/kept-secret.ts';
import type { Secret } from '../../core/secret.ts';
import type { GivenValues } from './given-values.ts';
import { once } from './once.ts';
import type {
  ObservedConfig,
  ObservedNetwork,
  ObservedNode,
  ObservedSecret,
  ObservedService,
  ObservedTask,
  SwarmState,
} from './swarm.ts';

/** On every object of a stack: the name of the stack. */
export const NAMESPACE = 'com.docker.stack.namespace';

/** Names of the agent's own objects begin so: they are no stack's, whatever their labels say. */
export const OURS = 'understudy.';

/** Networks that every Swarm has without their being in the list of networks. */
export const PREDEFINED_NETWORKS: ReadonlySet<string> = new Set([
  'host',
  'bridge',
  'none',
  'default',
]);

/** One observation, indexed once for all stacks of a pass. Names are keyed in lower case, as the engine compares them. */
export interface StackObserved {
  readonly state: SwarmState;
  /** Keys the digests of contents; absent until the head was made. */
  readonly digestKey: Secret | undefined;
  readonly services: ReadonlyMap<string, ObservedService>;
  /** Names of the services that each stack has. */
  readonly serviceNames: ReadonlyMap<string, readonly string[]>;
  readonly networks: ReadonlyMap<string, ObservedNetwork>;
  readonly networkNames: ReadonlyMap<string, string>;
  readonly configs: ReadonlyMap<string, ObservedConfig>;
  readonly secrets: ReadonlyMap<string, ObservedSecret>;
  /** What bears the mark of each stack, but for the agent's own. */
  readonly configsOf: ReadonlyMap<string, readonly ObservedConfig[]>;
  readonly secretsOf: ReadonlyMap<string, readonly ObservedSecret[]>;
  /**
   * Secrets that hold the passwords of accounts, by the plain name that all of a family have in common. They are no stack's, and a
   * stack's own are none of them, whatever labels its file gives them.
   */
  readonly families: ReadonlyMap<string, readonly ObservedSecret[]>;
  /** By plain name, which of its family a server keeps first now. Nothing of a family whose server was not seen. */
  readonly generated: ReadonlyMap<string, string>;
  /** Names of those that still open an account, beside what stands in `generated`. */
  readonly earlier: ReadonlyMap<string, true>;
  /** Every server was seen: what stands in neither opens nothing. */
  readonly serversSeen: boolean;
  /** What other units give to stacks that depend on them, as far as it is known. */
  readonly given: GivenValues;
  /** Secrets that were compared with a content and hold another one: see `disproof`. In memory only. */
  readonly disproved: ReadonlyMap<string, true>;
  readonly tasks: ReadonlyMap<string, readonly ObservedTask[]>;
  /** The most that any node has, used or not. Empty as long as some node does not say what it has. */
  readonly largest: ReadonlyMap<'memoryBytes' | 'nanoCpus', number>;
}

/** Pure. */
export function indexState(
  state: SwarmState,
  digestKey: Secret | undefined,
  disproved: ReadonlySet<string> = new Set(),
): StackObserved {
  return {
    state,
    digestKey,
    ...ofServices(state.services),
    ...ofNetworks(state.networks),
    ...ofConfigs(state.configs),
    ...ofSecrets(state.secrets),
    generated: new Map(),
    earlier: new Map(),
    serversSeen: false,
    given: new Map(),
    disproved: new Map([...disproved].map((one) => [one, true])),
    tasks: tasksByService(state.tasks),
    largest: largestOf(state.nodes),
  };
}

// Each list is indexed once: while nothing in it changes it is the same list from look to look.

const ofServices = once((services: readonly ObservedService[]) => ({
  services: byName(services, ({ spec }) => spec.Name),
  serviceNames: namesByStack(services),
}));

const ofNetworks = once((networks: readonly ObservedNetwork[]) => ({
  // A local network may share its name with one of the Swarm; a service can use the Swarm's only.
  networks: byName(
    networks.filter(({ scope }) => scope === 'swarm'),
    ({ name }) => name,
  ),
  networkNames: new Map(networks.map(({ id, name }) => [id, name])),
}));

const ofConfigs = once((configs: readonly ObservedConfig[]) => ({
  configs: byName(configs, ({ name }) => name),
  configsOf: byStack(configs),
}));

const ofSecrets = once((secrets: readonly ObservedSecret[]) => ({
  secrets: byName(secrets, ({ name }) => name),
  secretsOf: byStack(secrets),
  families: byPlainName(secrets),
}));

const tasksByService = once(
  (tasks: readonly ObservedTask[]): ReadonlyMap<string, readonly ObservedTask[]> =>
    Map.groupBy(tasks, ({ serviceId }) => serviceId),
);

const largestOf = once(
  (nodes: readonly ObservedNode[]): ReadonlyMap<'memoryBytes' | 'nanoCpus', number> => {
    const has = nodes.flatMap(({ resources }) => resources ?? []);
    if (has.length === 0 || has.length < nodes.length) return new Map();
    return new Map([
      ['memoryBytes', Math.max(...has.map(({ memoryBytes }) => memoryBytes))],
      ['nanoCpus', Math.max(...has.map(({ nanoCpus }) => nanoCpus))],
    ]);
  },
);

function namesByStack(
  services: readonly ObservedService[],
): ReadonlyMap<string, readonly string[]> {
  const groups = Map.groupBy(services, ({ spec }) => spec.Labels?.[NAMESPACE]);
  return new Map(
    [...groups].flatMap(([stack, members]): [string, string[]][] =>
      stack === undefined ? [] : [[stack, members.map(({ spec }) => spec.Name)]],
    ),
  );
}

function byName<Item>(
  items: readonly Item[],
  name: (item: Item) => string,
): ReadonlyMap<string, Item> {
  return new Map(items.map((item) => [name(item).toLowerCase(), item]));
}

function byStack<File extends ObservedConfig | ObservedSecret>(
  files: readonly File[],
): ReadonlyMap<string, readonly File[]> {
  const marked = files.filter(({ name, labels }) => NAMESPACE in labels && !name.startsWith(OURS));
  return Map.groupBy(marked, ({ labels }) => labels[NAMESPACE] ?? '');
}

function byPlainName(
  secrets: readonly ObservedSecret[],
): ReadonlyMap<string, readonly ObservedSecret[]> {
  const families = Map.groupBy(secrets, (one) => familyOf(one)?.toLowerCase());
  return new Map(
    [...families].flatMap(([plain, members]): [string, ObservedSecret[]][] =>
      plain === undefined ? [] : [[plain, members]],
    ),
  );
}

/** Pure. The plain name of the family to which a secret belongs; undefined where it holds no password of an account. */
export function familyOf({ labels }: Pick<ObservedSecret, 'labels'>): string | undefined {
  const plain = labels[PLAIN_LABEL];
  return plain === '' || NAMESPACE in labels ? undefined : plain;
}

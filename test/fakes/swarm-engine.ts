import { z } from 'zod';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import type { Clock } from '../../agent/reconcile/ports.ts';
import {
  type FakeAnswer,
  type FakeFile,
  type FakeNetwork,
  type FakeRequest,
  json,
  ok,
  type Raft,
  Refusal,
  refused,
} from './swarm-answers.ts';
import { FakeFiles } from './swarm-files.ts';
import { nodeJson, taskJson } from './swarm-json.ts';
import { FakeNetworks } from './swarm-networks.ts';
import { happen, nextDueMs } from './swarm-orchestrator.ts';
import { isFresh } from './swarm-placement.ts';
import { distribution } from './swarm-registry.ts';
import { FakeServices } from './swarm-services.ts';
import type { Conduct, FakeNode, FakeService, FakeTask, World } from './swarm-world.ts';

export type { FakeAnswer, FakeRequest } from './swarm-answers.ts';

/** A crash loop never rests. */
const STEPS_MAX = 100;

const taskFilters = z.record(
  z.string(),
  z.union([z.array(z.string()), z.record(z.string(), z.boolean())]),
);

/**
 * A manager's engine by the rules of swarmkit, as measured on 20.10.24: version = raft index, compare-and-swap, unique
 * names, immutable data, stored defaults, tasks that start, crash, wait and are replaced. Time moves by `step`, `settle`
 * and `advance`, or follows a clock; there are no timers and no randomness.
 */
export class FakeEngine {
  readonly nodes = new Map<string, FakeNode>();
  readonly tasks = new Map<string, FakeTask>();
  readonly services: Map<string, FakeService>;
  readonly networks: Map<string, FakeNetwork>;
  readonly configs: Map<string, FakeFile>;
  readonly secrets: Map<string, FakeFile>;
  /** Images that no registry has: their tasks are rejected where a node does not have them already. */
  readonly badImages = new Set<string>();
  /** How an image behaves, by its reference as a service has it; those that are not in it are well. */
  readonly images = new Map<string, Conduct>();
  /** Whether the registries answer: while they do not, only images that a node has are run. */
  registryUp = true;
  /** This very engine's, by full id: whether they run. */
  readonly containers = new Map<string, boolean>();
  /** Images that this very engine has. */
  readonly ownImages = new Set<string>();
  /** Absent: all is well. Otherwise what every call answers. */
  trouble: 'no-leader' | 'not-a-manager' | undefined;
  /** Whether tasks move by themselves after every write, or only by `step()`, `settle()` and time. */
  settleAfterWrites = false;
  readonly #stores: {
    readonly services: FakeServices;
    readonly networks: FakeNetworks;
    readonly configs: FakeFiles;
    readonly secrets: FakeFiles;
  };
  readonly #world: World;
  #clock: Clock | undefined;
  #nowMs = 0;
  /** Nothing was written and no time went by since everything that is due had happened. */
  #quiet = false;
  #index = 10;
  #made = 0;

  constructor() {
    const raft: Raft = {
      id: () => this.#id(),
      commit: () => this.#commit(),
      now: () => this.#date(),
    };
    this.#world = this.#makeWorld(raft);
    const services = new FakeServices(this.#world, {
      networkId: (target) => networks.idOf(target),
      has: (kind, id) => this[kind].has(id),
      leaderDies: () => (this.trouble = 'no-leader'),
    });
    this.services = services.all;
    this.addNode({ hostname: 'm1', role: 'manager' });
    const specs = (): ServiceSpec[] => [...this.services.values()].map(({ spec }) => spec);
    const networks = new FakeNetworks(
      raft,
      () => [...this.services.values()],
      () => [...this.tasks.values()],
    );
    const configs = new FakeFiles('configs', raft, specs);
    const secrets = new FakeFiles('secrets', raft, specs);
    this.#stores = { services, networks, configs, secrets };
    this.networks = networks.all;
    this.configs = configs.all;
    this.secrets = secrets.all;
  }

  /** Puts another node into the Swarm: active and ready unless said otherwise. */
  addNode(node: Partial<FakeNode> & { hostname: string }): FakeNode {
    this.catchUp();
    const added: FakeNode = {
      id: this.#id(),
      role: 'worker',
      availability: 'active',
      state: 'ready',
      labels: {},
      address: `10.0.0.${String(this.nodes.size + 1)}`,
      updatedAt: this.#world.now(),
      pulled: new Set(),
      ...node,
    };
    this.nodes.set(added.id, added);
    this.#quiet = false;
    return added;
  }

  /** Changes a node from now on: `down`, `ready` again, `drain`, labels. */
  changeNode(
    hostname: string,
    to: Partial<Pick<FakeNode, 'state' | 'availability' | 'labels'>>,
  ): void {
    this.catchUp();
    const node = [...this.nodes.values()].find((one) => one.hostname === hostname);
    if (node === undefined) throw new Error(`no node ${hostname}`);
    Object.assign(node, to, { updatedAt: this.#world.now() });
    this.#commit();
  }

  /** From now on time is the clock's: whatever is due by then has happened when a call is answered. */
  follow(clock: Clock): void {
    this.#clock = clock;
    this.catchUp();
  }

  /** Lets happen what is due by the clock: before a test changes how an image or a registry behaves. */
  catchUp(): void {
    const behind = Math.max(0, (this.#clock?.nowMs() ?? 0) - this.#nowMs);
    if (this.#clock !== undefined && (behind > 0 || !this.#quiet)) this.advance(behind);
  }

  /** Everything that happens next, however long that takes: one state of each task. True when anything moved. */
  step(): boolean {
    this.#quiet = false;
    while (!happen(this.#world)) {
      const next = nextDueMs(this.#world);
      if (next === Infinity) return false;
      this.#nowMs = next;
    }
    return true;
  }

  /** Steps until nothing moves, or 100 times. */
  settle(): void {
    for (let steps = 0; steps < STEPS_MAX && this.step(); steps += 1);
  }

  /** Lets so much time go by. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    this.#quiet = false;
    for (;;) {
      while (happen(this.#world));
      const next = nextDueMs(this.#world);
      if (next > untilMs) break;
      this.#nowMs = next;
    }
    this.#nowMs = untilMs;
    this.#quiet = true;
  }

  /** Answers one request. */
  handle(request: FakeRequest): FakeAnswer {
    this.catchUp();
    const { method, path } = request;
    // These are the engine's own: a manager that lost its leader answers them as ever.
    if (method === 'GET' && path === '/info') return this.#info(request.node);
    const container = /^\/containers\/([^/]+)\/json$/.exec(path)?.[1];
    if (method === 'GET' && container !== undefined) {
      const Running = this.containers.get(container);
      if (Running !== undefined) return ok({ Id: container, State: { Running } });
      return refused(404, `No such container: ${container}`);
    }
    const image = /^\/distribution\/(.+)\/json$/.exec(path)?.[1];
    if (method === 'GET' && image !== undefined) {
      const name = decodeURIComponent(image);
      return distribution(name, this.#world.conduct(name), this.registryUp);
    }
    const own = /^\/images\/(.+)\/json$/.exec(path)?.[1];
    if (method === 'GET' && own !== undefined) {
      const name = decodeURIComponent(own);
      if (this.ownImages.has(name)) return ok({ Id: `sha256:${'0'.repeat(64)}` });
      return refused(404, `No such image: ${name}`);
    }
    const trouble = this.#troubled();
    if (trouble !== undefined) return trouble;
    try {
      const answer = this.#route(request);
      if (this.settleAfterWrites && method !== 'GET') this.settle();
      return answer;
    } catch (error) {
      if (error instanceof Refusal) return refused(error.status, error.message);
      throw error;
    }
  }

  #troubled(): FakeAnswer | undefined {
    switch (this.trouble) {
      case 'not-a-manager':
        return refused(
          503,
          'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
        );
      case 'no-leader':
        return refused(
          500,
          "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
        );
      case undefined:
        return undefined;
    }
  }

  #info(node: string | undefined): FakeAnswer {
    const [self] = node === undefined ? this.nodes.keys() : [node];
    if (this.trouble === 'not-a-manager') {
      const Swarm = { NodeID: '', LocalNodeState: 'inactive', ControlAvailable: false };
      return ok({ ID: 'engine', Name: 'm1', Swarm });
    }
    const Swarm = {
      NodeID: self,
      LocalNodeState: 'active',
      ControlAvailable: true,
      Cluster: { ID: 'cluster00000000000000000a', Version: { Index: 9 } },
    };
    return ok({ ID: 'engine', Name: 'm1', Swarm });
  }

  #route(request: FakeRequest): FakeAnswer {
    const [, collection = '', id = '', verb = ''] = request.path.split('/');
    const { services, networks, configs, secrets } = this.#stores;
    const reads = id === '' && request.method === 'GET';
    if (collection === 'tasks' && reads) return this.#listTasks(request);
    if (collection === 'nodes' && reads) return ok([...this.nodes.values()].map(nodeJson));
    if (collection === 'services') return services.handle(request, id, verb);
    if (collection === 'networks') return networks.handle(request, id);
    if (collection === 'configs') return configs.handle(request, id, verb);
    if (collection === 'secrets') return secrets.handle(request, id, verb);
    return refused(404, 'page not found');
  }

  #listTasks(request: FakeRequest): FakeAnswer {
    const parsed = taskFilters.safeParse(json(request.query.get('filters') ?? '{}'));
    if (!parsed.success) return refused(400, 'invalid filter');
    const filters = new Map(
      Object.entries(parsed.data).map(([key, value]) => [
        key,
        Array.isArray(value) ? value : Object.keys(value),
      ]),
    );
    const unknown = [...filters.keys()].find(
      (key) => !['_up-to-date', 'desired-state'].includes(key),
    );
    if (unknown !== undefined) return refused(400, `Invalid filter '${unknown}'`);
    const wanted = filters.get('desired-state');
    const fresh = filters.get('_up-to-date')?.includes('true') ?? false;
    return ok(
      [...this.tasks.values()]
        .filter((task) => wanted?.includes(task.desiredState) ?? true)
        .filter((task) => !fresh || isFresh(this.nodes, task, this.services.get(task.serviceId)))
        .map(taskJson),
    );
  }

  #makeWorld(raft: Raft): World {
    // `this` of the getters is the world's own.
    const now = (): number => this.#nowMs;
    const up = (): boolean => this.registryUp;
    const services = (): Map<string, FakeService> => this.services;
    return {
      ...raft,
      get services() {
        return services();
      },
      tasks: this.tasks,
      nodes: this.nodes,
      get nowMs() {
        return now();
      },
      get registryUp() {
        return up();
      },
      conduct: (image) =>
        this.badImages.has(image) ? { pull: 'missing' } : (this.images.get(image) ?? {}),
    };
  }

  #commit(): number {
    this.#quiet = false;
    this.#index += 1;
    return this.#index;
  }

  #id(): string {
    this.#made += 1;
    return `id${this.#made.toString(36).padStart(23, '0')}`;
  }

  /** Time, and the raft index as so many milliseconds: no two commits have the same. */
  #date(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.#nowMs + this.#index).toISOString();
  }
}

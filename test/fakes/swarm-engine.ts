import { z } from 'zod';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import { serviceSpec } from '../../agent/providers/stack/spec-shape.ts';
import { storedSpec } from './swarm-defaults.ts';
import {
  advance,
  type FakeNode,
  type FakeService,
  type FakeTask,
  isFresh,
  orchestrate,
  type World,
} from './swarm-tasks.ts';

/** An answer of the fake. `drop` ends the connection instead, as a dying engine does. */
export type FakeAnswer = { readonly status: number; readonly body: unknown } | 'drop';

/** One request as it came. */
export interface FakeRequest {
  readonly method: string;
  /** Without the version in front and without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
}

interface Stored {
  readonly id: string;
  version: number;
  readonly createdAt: string;
  updatedAt: string;
  readonly name: string;
  labels: Record<string, string>;
  readonly data: string;
  readonly templating?: { Name: string };
}

interface Network {
  readonly id: string;
  readonly name: string;
  readonly scope: string;
  readonly createdAt: string;
  readonly body: Record<string, unknown>;
  readonly labels: Record<string, string>;
  readonly options: Record<string, string>;
  readonly ipam: object;
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const fileBody = z.looseObject({
  Name: z.string(),
  Labels: z.record(z.string(), z.string()).nullish(),
  Data: z.string().optional(),
  Templating: z.looseObject({ Name: z.string() }).exactOptional(),
});
const networkBody = z.looseObject({
  Name: z.string(),
  Driver: z.string().default('bridge'),
  Scope: z.string().default(''),
  Labels: z.record(z.string(), z.string()).nullish(),
  Options: z.record(z.string(), z.string()).nullish(),
  IPAM: z
    .looseObject({
      Driver: z.string().default(''),
      Config: z.array(z.looseObject({ Subnet: z.string().default('') })).nullish(),
    })
    .nullish(),
});

const limits = { configs: 1_024_000, secrets: 512_000 };

/**
 * A manager's engine by the rules of swarmkit, as measured on 20.10.24: version = raft index, compare-and-swap, unique
 * names, immutable data, stored defaults, tasks that move only when told. No timers, no clock, no randomness.
 */
export class FakeEngine {
  readonly services = new Map<string, FakeService>();
  readonly tasks = new Map<string, FakeTask>();
  readonly nodes = new Map<string, FakeNode>();
  readonly networks = new Map<string, Network>();
  readonly configs = new Map<string, Stored>();
  readonly secrets = new Map<string, Stored>();
  /** Images that no node can pull: their tasks are rejected. */
  readonly badImages = new Set<string>();
  /** Absent: all is well. Otherwise what every call answers. */
  trouble: 'no-leader' | 'not-a-manager' | undefined;
  /** Whether tasks move by themselves after every write, or only by `step()` and `settle()`. */
  settleAfterWrites = false;
  #index = 10;
  #made = 0;

  constructor() {
    this.addNode({ hostname: 'm1', role: 'manager' });
    this.#addNetwork('ingress', 'swarm', { Driver: 'overlay', Ingress: true });
    this.#addNetwork('bridge', 'local', { Driver: 'bridge' });
  }

  /** Puts another node into the Swarm: active and ready unless said otherwise. */
  addNode(node: Partial<FakeNode> & { hostname: string }): FakeNode {
    const added: FakeNode = {
      id: this.#id(),
      role: 'worker',
      availability: 'active',
      state: 'ready',
      labels: {},
      address: `10.0.0.${String(this.nodes.size + 1)}`,
      ...node,
    };
    this.nodes.set(added.id, added);
    return added;
  }

  /** Every task one state further. True when anything moved. */
  step(): boolean {
    return advance(this.#world());
  }

  /** Steps until nothing moves, or 100 times: a crash loop never rests. */
  settle(): void {
    for (let steps = 0; steps < 100 && this.step(); steps += 1);
  }

  /** Answers one request. */
  handle(request: FakeRequest): FakeAnswer {
    if (request.method === 'GET' && request.path === '/info') return this.#info();
    if (this.trouble === 'not-a-manager') {
      return refused(
        503,
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      );
    }
    if (this.trouble === 'no-leader') {
      return refused(
        500,
        "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are online. Make sure more than half of the managers are online.",
      );
    }
    try {
      const answer = this.#route(request);
      if (this.settleAfterWrites && request.method !== 'GET') this.settle();
      return answer;
    } catch (error) {
      if (error instanceof Refusal) return refused(error.status, error.message);
      throw error;
    }
  }

  /** Local to the engine: a manager that lost its leader answers as ever. */
  #info(): FakeAnswer {
    const [self] = this.nodes.keys();
    if (this.trouble === 'not-a-manager') {
      const Swarm = { NodeID: '', LocalNodeState: 'inactive', ControlAvailable: false };
      return ok({ ID: 'engine', Swarm });
    }
    const Swarm = {
      NodeID: self,
      LocalNodeState: 'active',
      ControlAvailable: true,
      Cluster: { ID: 'cluster00000000000000000a', Version: { Index: 9 } },
    };
    return ok({ ID: 'engine', Swarm });
  }

  #route(request: FakeRequest): FakeAnswer {
    const [, collection = '', id = '', verb = ''] = request.path.split('/');
    const { method } = request;
    if (collection === 'tasks' && id === '' && method === 'GET') return this.#listTasks(request);
    if (collection === 'nodes' && id === '' && method === 'GET') {
      return ok([...this.nodes.values()].map(nodeJson));
    }
    if (collection === 'services') return this.#service(request, id, verb);
    if (collection === 'networks') return this.#network(request, id);
    if (collection === 'configs' || collection === 'secrets') {
      return this.#file(request, collection, { id, verb });
    }
    return refused(404, 'page not found');
  }

  #service(request: FakeRequest, id: string, verb: string): FakeAnswer {
    const { method } = request;
    if (method === 'GET' && id === '') {
      return ok([...this.services.values()].map(serviceJson));
    }
    if (method === 'POST' && id === 'create') return this.#createService(request);
    const service = this.services.get(id);
    if (service === undefined) throw new Refusal(404, `service ${id} not found`);
    if (method === 'GET') return ok(serviceJson(service));
    if (method === 'POST' && verb === 'update') return this.#updateService(service, request);
    if (method === 'DELETE') {
      this.services.delete(id);
      for (const task of this.tasks.values()) {
        if (task.serviceId === id) task.desiredState = 'remove';
      }
      this.#commit();
      return { status: 200, body: undefined };
    }
    return refused(404, 'page not found');
  }

  #createService(request: FakeRequest): FakeAnswer {
    const spec = this.#spec(request.text);
    const taken = [...this.services.values()].some(
      (one) => one.spec.Name.toLowerCase() === spec.Name.toLowerCase(),
    );
    if (taken) {
      throw new Refusal(
        409,
        `rpc error: code = AlreadyExists desc = name conflicts with an existing object: service ${spec.Name} already exists`,
      );
    }
    this.#checkPorts(spec, undefined);
    const service: FakeService = {
      id: this.#id(),
      version: this.#commit(),
      createdAt: this.#now(),
      updatedAt: this.#now(),
      spec,
    };
    this.services.set(service.id, service);
    orchestrate(this.#world(), service);
    return { status: 201, body: { ID: service.id } };
  }

  #updateService(service: FakeService, request: FakeRequest): FakeAnswer {
    const version = this.#versionOf(request, 'service');
    const placed = 'Placement' in taskTemplateIn(request.text);
    const spec = this.#spec(request.text);
    if (version !== service.version) {
      throw new Refusal(500, 'rpc error: code = Unknown desc = update out of sequence');
    }
    if (spec.Name !== service.spec.Name) {
      throw new Refusal(
        501,
        'rpc error: code = Unimplemented desc = renaming services is not supported',
      );
    }
    if (modeOf(spec) !== modeOf(service.spec)) {
      throw new Refusal(
        501,
        'rpc error: code = Unimplemented desc = service mode change is not allowed',
      );
    }
    if (!placed) {
      // swarmkit's leader panics on this; every next leader resumes the update and panics too.
      this.trouble = 'no-leader';
      return 'drop';
    }
    this.#checkPorts(spec, service.id);
    service.previous = service.spec;
    service.spec = spec;
    service.version = this.#commit();
    service.updatedAt = this.#now();
    delete service.update;
    orchestrate(this.#world(), service);
    return ok({ Warnings: null });
  }

  #spec(text: string): ServiceSpec {
    const parsed = serviceSpec.safeParse(json(text));
    if (!parsed.success) throw new Refusal(400, 'json: cannot unmarshal the body');
    const spec = storedSpec(parsed.data, (target) => this.#networkId(target));
    if (!/^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$/.test(spec.Name) || spec.Name.length > 63) {
      throw invalid('name must be valid as a DNS name component');
    }
    const { Image, Secrets, Configs } = spec.TaskTemplate.ContainerSpec;
    if (Image === '') throw invalid('ContainerSpec: image reference must be provided');
    for (const { SecretID = '', SecretName } of Secrets ?? []) {
      if (!this.secrets.has(SecretID)) throw invalid(`secret not found: ${SecretName}`);
    }
    for (const { ConfigID = '', ConfigName } of Configs ?? []) {
      if (!this.configs.has(ConfigID)) throw invalid(`config not found: ${ConfigName}`);
    }
    return spec;
  }

  #networkId(target: string): string {
    const network =
      this.networks.get(target) ?? [...this.networks.values()].find((one) => one.name === target);
    if (network === undefined) throw new Refusal(500, `network ${target} not found\n`);
    // The predefined ones exist on every node, and services may use them.
    if (network.scope !== 'swarm' && network.name !== 'bridge') {
      throw new Refusal(
        403,
        `The network ${network.name} cannot be used with services. Only networks scoped to the swarm can be used, such as those created with the overlay driver.`,
      );
    }
    return network.id;
  }

  #checkPorts(spec: ServiceSpec, self: string | undefined): void {
    for (const { PublishMode, PublishedPort = 0 } of spec.EndpointSpec?.Ports ?? []) {
      if (PublishMode !== 'ingress' || PublishedPort === 0) continue;
      for (const other of this.services.values()) {
        const clash = other.spec.EndpointSpec?.Ports?.some(
          (port) => port.PublishMode === 'ingress' && port.PublishedPort === PublishedPort,
        );
        if (other.id === self || clash !== true) continue;
        throw invalid(
          `port '${String(PublishedPort)}' is already in use by service '${other.spec.Name}' (${other.id}) as an ingress port`,
        );
      }
    }
  }

  #network(request: FakeRequest, id: string): FakeAnswer {
    const { method } = request;
    if (method === 'GET' && id === '') {
      return ok([...this.networks.values()].map(networkJson));
    }
    if (method === 'POST' && id === 'create') {
      const parsed = networkBody.safeParse(json(request.text));
      if (!parsed.success) throw new Refusal(400, 'json: cannot unmarshal the body');
      const body = parsed.data;
      const lower = body.Name.toLowerCase();
      if ([...this.networks.values()].some((one) => one.name.toLowerCase() === lower)) {
        throw new Refusal(409, `network with name ${body.Name} already exists`);
      }
      const scope = body.Driver === 'overlay' || body.Scope === 'swarm' ? 'swarm' : 'local';
      this.#commit();
      return { status: 201, body: { Id: this.#addNetwork(body.Name, scope, body), Warning: '' } };
    }
    const network = this.networks.get(id);
    if (network === undefined) throw new Refusal(404, `network ${id} not found`);
    if (method === 'GET') return ok(networkJson(network));
    if (method !== 'DELETE') return refused(404, 'page not found');
    const user = [...this.services.values()].find((one) =>
      one.spec.TaskTemplate.Networks?.some(({ Target }) => Target === id),
    );
    if (user !== undefined) {
      throw new Refusal(
        400,
        `rpc error: code = FailedPrecondition desc = network ${id} is in use by service ${user.id}`,
      );
    }
    this.networks.delete(id);
    this.#commit();
    return { status: 204, body: undefined };
  }

  #addNetwork(name: string, scope: string, body: Record<string, unknown>): string {
    const id = this.#id();
    const parsed = networkBody.parse({ Name: name, ...body });
    const labels = parsed.Labels ?? {};
    const number = this.networks.size;
    const vxlan = { 'com.docker.network.driver.overlay.vxlanid_list': String(4096 + number) };
    const options = { ...parsed.Options, ...(parsed.Driver === 'overlay' ? vxlan : {}) };
    const wanted = parsed.IPAM?.Config ?? [];
    const ipam = {
      Driver:
        parsed.IPAM?.Driver === undefined || parsed.IPAM.Driver === ''
          ? 'default'
          : parsed.IPAM.Driver,
      Options: null,
      Config: (wanted.length === 0 ? [{ Subnet: '' }] : wanted).map(({ Subnet }) =>
        subnet(Subnet, number),
      ),
    };
    const createdAt = this.#now();
    this.networks.set(id, { id, name, scope, createdAt, body, labels, options, ipam });
    return id;
  }

  #file(
    request: FakeRequest,
    kind: 'configs' | 'secrets',
    { id, verb }: { id: string; verb: string },
  ): FakeAnswer {
    const one = kind === 'configs' ? 'config' : 'secret';
    const all = this[kind];
    const { method } = request;
    if (method === 'GET' && id === '') {
      return ok([...all.values()].map((file) => fileJson(file, kind)));
    }
    if (method === 'POST' && id === 'create') return this.#createFile(request, kind);
    const file = all.get(id);
    if (file === undefined) throw new Refusal(404, `${one} ${id} not found`);
    if (method === 'GET') return ok(fileJson(file, kind));
    if (method === 'DELETE') {
      this.#checkUnused(file, kind);
      all.delete(id);
      this.#commit();
      return { status: 204, body: undefined };
    }
    if (method === 'POST' && verb === 'update') {
      const version = this.#versionOf(request, one);
      const body = fileBody.safeParse(json(request.text));
      if (!body.success) throw new Refusal(400, 'json: cannot unmarshal the body');
      const { Name, Data, Labels } = body.data;
      if (Name !== file.name || (Data !== undefined && Data !== file.data)) {
        throw invalid('only updates to Labels are allowed');
      }
      if (version !== file.version) {
        throw new Refusal(500, 'rpc error: code = Unknown desc = update out of sequence');
      }
      file.labels = Labels ?? {};
      file.version = this.#commit();
      file.updatedAt = this.#now();
      return { status: 200, body: undefined };
    }
    return refused(404, 'page not found');
  }

  #createFile(request: FakeRequest, kind: 'configs' | 'secrets'): FakeAnswer {
    const one = kind === 'configs' ? 'config' : 'secret';
    const parsed = fileBody.safeParse(json(request.text));
    if (!parsed.success) throw new Refusal(400, 'json: cannot unmarshal the body');
    const { Name, Labels, Data = '', Templating } = parsed.data;
    if (!/^[a-zA-Z0-9](?:[a-zA-Z0-9-_.]*[a-zA-Z0-9])?$/.test(Name) || Name.length > 64) {
      throw invalid(
        'invalid name, only 64 [a-zA-Z0-9-_.] characters allowed, and the start and end character must be [a-zA-Z0-9]',
      );
    }
    const bytes = Buffer.from(Data, 'base64').length;
    if (bytes === 0 || bytes >= limits[kind]) {
      throw invalid(
        `${one} data must be larger than 0 and less than ${String(limits[kind])} bytes`,
      );
    }
    const lower = Name.toLowerCase();
    if ([...this[kind].values()].some((file) => file.name.toLowerCase() === lower)) {
      throw new Refusal(
        409,
        `rpc error: code = AlreadyExists desc = ${one} ${Name} already exists`,
      );
    }
    const id = this.#id();
    this[kind].set(id, {
      id,
      version: this.#commit(),
      createdAt: this.#now(),
      updatedAt: this.#now(),
      name: Name,
      labels: Labels ?? {},
      data: Data,
      ...(Templating === undefined ? {} : { templating: Templating }),
    });
    return { status: 201, body: { ID: id } };
  }

  #checkUnused(file: Stored, kind: 'configs' | 'secrets'): void {
    const users = [...this.services.values()].filter(({ spec }) => {
      const { Configs, Secrets } = spec.TaskTemplate.ContainerSpec;
      return kind === 'configs'
        ? Configs?.some(({ ConfigID }) => ConfigID === file.id)
        : Secrets?.some(({ SecretID }) => SecretID === file.id);
    });
    if (users.length === 0) return;
    const names = users.map(({ spec }) => spec.Name).join(', ');
    const one = kind === 'configs' ? 'config' : 'secret';
    throw invalid(
      `${one} '${file.name}' is in use by the following service${users.length > 1 ? 's' : ''}: ${names}`,
    );
  }

  #listTasks(request: FakeRequest): FakeAnswer {
    const parsed = z
      .record(z.string(), z.union([z.array(z.string()), z.record(z.string(), z.boolean())]))
      .safeParse(json(request.query.get('filters') ?? '{}'));
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
        .filter((task) => !fresh || isFresh(task, this.services.get(task.serviceId)))
        .map(taskJson),
    );
  }

  #versionOf(request: FakeRequest, kind: string): number {
    const text = request.query.get('version') ?? '';
    if (/^\d+$/.test(text)) return Number(text);
    if (kind !== 'service') throw new Refusal(400, `invalid ${kind} version`);
    throw new Refusal(
      400,
      `invalid ${kind} version '${text}': strconv.ParseUint: parsing "${text}": invalid syntax`,
    );
  }

  #world(): World {
    return {
      services: this.services,
      tasks: this.tasks,
      nodes: this.nodes,
      badImages: this.badImages,
      id: () => this.#id(),
      commit: () => this.#commit(),
      now: () => this.#now(),
    };
  }

  #commit(): number {
    this.#index += 1;
    return this.#index;
  }

  #id(): string {
    this.#made += 1;
    return `id${this.#made.toString(36).padStart(23, '0')}`;
  }

  /** The raft index as a time: one millisecond a commit. */
  #now(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.#index).toISOString();
  }
}

function ok(body: unknown): FakeAnswer {
  return { status: 200, body };
}

function refused(status: number, message: string): FakeAnswer {
  return { status, body: { message } };
}

function invalid(message: string): Refusal {
  return new Refusal(400, `rpc error: code = InvalidArgument desc = ${message}`);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal(400, 'invalid JSON');
  }
}

function taskTemplateIn(text: string): object {
  const shape = z.looseObject({ TaskTemplate: z.looseObject({}) });
  const parsed = shape.safeParse(json(text));
  return parsed.success ? parsed.data.TaskTemplate : {};
}

function modeOf({ Mode }: ServiceSpec): string {
  return Object.keys(Mode ?? {})[0] ?? 'Replicated';
}

function serviceJson(service: FakeService): object {
  const { id, version, createdAt, updatedAt, spec, previous, update } = service;
  return {
    ID: id,
    Version: { Index: version },
    CreatedAt: createdAt,
    UpdatedAt: updatedAt,
    Spec: spec,
    PreviousSpec: previous,
    Endpoint: { Spec: spec.EndpointSpec ?? {} },
    UpdateStatus: update,
  };
}

function taskJson(task: FakeTask): object {
  const { error, exitCode } = task;
  const placed = task.nodeId !== undefined && task.state !== 'assigned';
  return {
    ID: task.id,
    Version: { Index: task.version },
    CreatedAt: task.createdAt,
    UpdatedAt: task.timestamp,
    Labels: {},
    Spec: task.template,
    ServiceID: task.serviceId,
    Slot: task.slot,
    NodeID: task.nodeId,
    Status: {
      Timestamp: task.timestamp,
      State: task.state,
      Message: task.message,
      ...(error === undefined ? {} : { Err: error }),
      ...(placed
        ? { ContainerStatus: { ContainerID: `c${task.id}`, PID: 1, ExitCode: exitCode ?? 0 } }
        : {}),
      PortStatus: {},
    },
    DesiredState: task.desiredState,
  };
}

function nodeJson(node: FakeNode): object {
  const manager = { Leader: true, Reachability: 'reachable', Addr: `${node.address}:2377` };
  return {
    ID: node.id,
    Version: { Index: 9 },
    Spec: { Labels: node.labels, Role: node.role, Availability: node.availability },
    Description: {
      Hostname: node.hostname,
      Platform: { Architecture: 'x86_64', OS: 'linux' },
      Resources: { NanoCPUs: 2_000_000_000, MemoryBytes: 4_000_000_000 },
      Engine: { EngineVersion: '20.10.24', Plugins: [] },
    },
    Status: { State: node.state, Addr: node.address },
    ...(node.role === 'manager' ? { ManagerStatus: manager } : {}),
  };
}

/** A subnet as it was asked for, or what the engine allocates; the first address is the gateway. */
function subnet(asked: string, number: number): object {
  const whole = asked === '' ? `10.0.${String(number)}.0/24` : asked;
  return { Subnet: whole, Gateway: whole.replace(/\d+\/.*$/, '1') };
}

function networkJson(network: Network): object {
  const { id, name, scope, createdAt, body, labels, options, ipam } = network;
  return {
    Name: name,
    Id: id,
    Created: createdAt,
    Scope: scope,
    Driver: body['Driver'] ?? 'bridge',
    EnableIPv6: false,
    IPAM: ipam,
    Internal: body['Internal'] ?? false,
    Attachable: body['Attachable'] ?? false,
    Ingress: body['Ingress'] ?? false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
    Containers: null,
    Options: options,
    Labels: labels,
  };
}

function fileJson(file: Stored, kind: 'configs' | 'secrets'): object {
  return {
    ID: file.id,
    Version: { Index: file.version },
    CreatedAt: file.createdAt,
    UpdatedAt: file.updatedAt,
    Spec: {
      Name: file.name,
      Labels: file.labels,
      ...(kind === 'configs' ? { Data: file.data } : {}),
      ...(file.templating === undefined ? {} : { Templating: file.templating }),
    },
  };
}

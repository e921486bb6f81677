import { z } from 'zod';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import { serviceSpec } from '../../agent/providers/stack/spec-shape.ts';
import {
  checkVersion,
  type FakeAnswer,
  type FakeRequest,
  invalid,
  json,
  ok,
  Refusal,
  refused,
  versionOf,
} from './swarm-answers.ts';
import { storedSpec } from './swarm-defaults.ts';
import { serviceJson } from './swarm-json.ts';
import { orchestrate } from './swarm-orchestrator.ts';
import { releaseTasks } from './swarm-tasks.ts';
import type { FakeService, World } from './swarm-world.ts';

/** What services need of the rest of the engine. */
interface Rest {
  networkId(target: string): string;
  has(kind: 'configs' | 'secrets', id: string): boolean;
  leaderDies(): void;
}

const templateShape = z.looseObject({ TaskTemplate: z.looseObject({}) });

/** All services: specs by compare-and-swap, and what follows for their tasks. */
export class FakeServices {
  readonly all = new Map<string, FakeService>();
  readonly #world: World;
  readonly #rest: Rest;

  constructor(world: World, rest: Rest) {
    this.#world = world;
    this.#rest = rest;
  }

  handle(request: FakeRequest, id: string, verb: string): FakeAnswer {
    const { method } = request;
    if (method === 'GET' && id === '') return ok([...this.all.values()].map(serviceJson));
    if (method === 'POST' && id === 'create') return this.#create(request);
    const service = this.all.get(id);
    if (service === undefined) throw new Refusal(404, `service ${id} not found`);
    if (method === 'GET') return ok(serviceJson(service));
    if (method === 'POST' && verb === 'update') return this.#update(service, request);
    if (method !== 'DELETE') return refused(404, 'page not found');
    this.all.delete(id);
    releaseTasks(this.#world, id);
    this.#world.commit();
    return { status: 200, body: undefined };
  }

  #create(request: FakeRequest): FakeAnswer {
    const spec = this.#spec(request.text);
    const lower = spec.Name.toLowerCase();
    if ([...this.all.values()].some((one) => one.spec.Name.toLowerCase() === lower)) {
      throw new Refusal(
        409,
        `rpc error: code = AlreadyExists desc = name conflicts with an existing object: service ${spec.Name} already exists`,
      );
    }
    this.#checkPorts(spec, undefined);
    const service: FakeService = {
      id: this.#world.id(),
      version: this.#world.commit(),
      createdAt: this.#world.now(),
      updatedAt: this.#world.now(),
      spec,
    };
    this.all.set(service.id, service);
    orchestrate(this.#world, service, []);
    return { status: 201, body: { ID: service.id } };
  }

  #update(service: FakeService, request: FakeRequest): FakeAnswer {
    const version = versionOf(request, 'service');
    const template = templateShape.safeParse(json(request.text));
    const placed = template.success && 'Placement' in template.data.TaskTemplate;
    const spec = this.#spec(request.text);
    checkVersion(version, service);
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
      this.#rest.leaderDies();
      return 'drop';
    }
    this.#checkPorts(spec, service.id);
    service.previous = service.spec;
    service.spec = spec;
    service.version = this.#world.commit();
    service.updatedAt = this.#world.now();
    delete service.update;
    delete service.rollout;
    const tasks = [...this.#world.tasks.values()].filter((one) => one.serviceId === service.id);
    orchestrate(this.#world, service, tasks);
    return ok({ Warnings: null });
  }

  #spec(text: string): ServiceSpec {
    const parsed = serviceSpec.safeParse(json(text));
    if (!parsed.success) throw new Refusal(400, 'json: cannot unmarshal the body');
    const spec = storedSpec(parsed.data, (target) => this.#rest.networkId(target));
    if (!/^[a-zA-Z0-9](?:[-_]*[A-Za-z0-9]+)*$/.test(spec.Name) || spec.Name.length > 63) {
      throw invalid('name must be valid as a DNS name component');
    }
    const { Image, Secrets, Configs } = spec.TaskTemplate.ContainerSpec;
    if (Image === '') throw invalid('ContainerSpec: image reference must be provided');
    for (const { SecretID = '', SecretName } of Secrets ?? []) {
      if (!this.#rest.has('secrets', SecretID)) throw invalid(`secret not found: ${SecretName}`);
    }
    for (const { ConfigID = '', ConfigName } of Configs ?? []) {
      if (!this.#rest.has('configs', ConfigID)) throw invalid(`config not found: ${ConfigName}`);
    }
    return spec;
  }

  #checkPorts(spec: ServiceSpec, self: string | undefined): void {
    for (const { PublishMode, PublishedPort = 0 } of spec.EndpointSpec?.Ports ?? []) {
      if (PublishMode !== 'ingress' || PublishedPort === 0) continue;
      for (const other of this.all.values()) {
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
}

function modeOf({ Mode }: ServiceSpec): string {
  return Object.keys(Mode ?? {})[0] ?? 'Replicated';
}

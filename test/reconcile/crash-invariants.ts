import type { Rendered } from '../../agent/core/kind.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import { canonical } from '../../agent/providers/stack/canonical.ts';
import { stackMakes } from '../../agent/providers/stack/remove.ts';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import { NAMESPACE } from '../../agent/providers/stack/observed.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { isBlobName } from '../../agent/record/blob.ts';
import { HEAD_NAME } from '../../agent/record/head.ts';
import type { FakeRequest } from '../fakes/swarm-answers.ts';
import { type FakeService, isLive } from '../fakes/swarm-world.ts';
import type { WholeAgent, Write } from '../fakes/whole-agent.ts';
import { allUnits, badDigests } from './crash-scenarios.ts';

const unitOf = new Map(allUnits.map((unit) => [`${unit.id} ${unit.digest}`, unit]));
const badImages = new Set(
  allUnits
    .filter(({ digest }) => badDigests.has(digest))
    .map(({ spec }) => spec.services['web']?.TaskTemplate.ContainerSpec.Image),
);

interface Labelled {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Names of what is the same site. */
const ONE_SITE = new Set(['blog', 'weblog', 'BLOG']);

/** What must hold at every single write; what does not is kept in words. */
export class Watcher {
  readonly broken: string[] = [];
  /** How often each service was told to run what fails. */
  readonly badlyApplied = new Map<string, number>();
  readonly #world: WholeAgent;

  constructor(world: WholeAgent) {
    this.#world = world;
    world.seen = (write, request) => this.#look(write, request);
  }

  #look(write: Write, request: FakeRequest): void {
    const { method, path } = write;
    const say = (what: string): void => {
      this.broken.push(`write ${String(write.at)}, ${method} ${path}: ${what}`);
    };
    if (this.#world.frozen !== undefined) say('everything is frozen');
    // What the engine takes for the spec before is often the bad one itself (facts/health.md 3).
    if (request.query.has('rollback')) say('the engine is told to go back by itself');
    if (method === 'DELETE') {
      const why = this.#whyNotRemoved(path);
      if (why !== undefined) say(why);
      return;
    }
    const body = JSON.parse(request.text);
    const namespace = body.Labels?.[NAMESPACE];
    if (typeof namespace === 'string' && this.#recordOf(namespace)?.suspended !== undefined) {
      say('its stack is suspended');
    }
    if (body.Name === HEAD_NAME || isBlobName(body.Name)) return;
    const why = path.startsWith('/services/') ? this.#service(path, body) : this.#part(path, body);
    if (why !== undefined) say(why);
  }

  /** Nothing is ever deleted but blobs of the record that nothing points to, and what Git said (facts/safety.md 2, I3). */
  #whyNotRemoved(path: string): string | undefined {
    const id = path.replace(/^\/[a-z]+\//, '');
    const object = this.#objectAt(path, id);
    // An answer that was lost: it is gone already, and ids are never used twice.
    if (object === undefined) return undefined;
    const file = this.#world.engine.configs.get(id);
    if (file === undefined || !isBlobName(file.name)) return this.#whyNotGone(id, object);
    this.#world.engine.configs.delete(id);
    const { notes } = this.#world.record();
    this.#world.engine.configs.set(id, file);
    return notes.length === 0 ? undefined : `the record needs ${file.name}`;
  }

  #objectAt(path: string, id: string): Labelled | undefined {
    const { services, networks, configs, secrets } = this.#world.engine;
    const service = services.get(id);
    if (path.startsWith('/services/')) {
      return service && { name: service.spec.Name, labels: service.spec.Labels ?? {} };
    }
    if (path.startsWith('/networks/')) return networks.get(id);
    return path.startsWith('/configs/') ? configs.get(id) : secrets.get(id);
  }

  /** Of a stack that the record says is taken away, and by its id; and nobody wants it. */
  #whyNotGone(id: string, { name, labels }: Labelled): string | undefined {
    const stack = labels[NAMESPACE];
    const record = this.#recordOf(stack ?? '');
    if (record === undefined) return `${name} is of no stack that is recorded`;
    const { phase, removing = [], releases } = record;
    const file = this.#world.engine.configs.get(id) ?? this.#world.engine.secrets.get(id);
    if (file !== undefined && phase !== 'removing') return this.#whyNeeded(file);
    if (!removing.some((member) => member.id === id)) return `${name} is not noted`;
    const wanted = this.#world.wanted().find(({ spec }) => spec.name === stack);
    if (wanted === undefined) return phase === 'removing' ? undefined : `${name}: phase ${phase}`;
    const parts = [
      ...stackMakes(wanted),
      ...Object.values(wanted.spec.configs).map((one) => one.name),
    ];
    if (parts.some((part) => part.endsWith(name))) return `${name} is wanted`;
    const isHealthy = phase === 'none' && releases[0]?.digest === wanted.digest;
    return isHealthy ? undefined : `${name} goes before the stack is healthy without it`;
  }

  /** Who names a config or secret, of all that may ever come for it; undefined: nobody. */
  #whyNeeded({ id, name }: { readonly id: string; readonly name: string }): string | undefined {
    const { services, tasks } = this.#world.engine;
    const { units } = this.#world.record();
    const places: readonly (readonly [string, unknown])[] = [
      ...[...services.values()].flatMap(({ spec, previous }) => [
        [`service ${spec.Name}`, spec] as const,
        [`the spec of ${spec.Name} before`, previous] as const,
      ]),
      ...[...tasks.values()].filter(isLive).map((one) => [`task ${one.id}`, one.template] as const),
      ...[...units].map(([unit, { releases }]) => [`a release of ${unit}`, releases] as const),
    ];
    const user = places.find(([, place]) => names(place, id) || names(place, name));
    if (user !== undefined) return `${name} is named by ${user[0]}`;
    const busy = [...units].find(([, { phase, suspended }]) => phase !== 'none' || suspended);
    const owner = busy !== undefined && name.startsWith(busy[0].replace('stack/', ''));
    return owner ? `${name} goes while ${busy[0]} is ${busy[1].phase}` : undefined;
  }

  #service(path: string, body: ServiceSpec): string | undefined {
    const { Placement, ContainerSpec } = body.TaskTemplate;
    if (typeof Placement !== 'object') return 'no Placement';
    const stopped = body.Mode?.Replicated?.Replicas === 0;
    if (badImages.has(ContainerSpec.Image) && !stopped) {
      this.badlyApplied.set(body.Name, (this.badlyApplied.get(body.Name) ?? 0) + 1);
    }
    const stack = body.Labels?.[NAMESPACE] ?? '';
    const record = this.#recordOf(stack);
    if (record === undefined) return 'nothing is recorded of its stack';
    if (stopped) {
      const isOurs = record.movedTo !== undefined || record.made.includes(`service ${body.Name}`);
      return isOurs ? undefined : 'stopped, and not ours';
    }
    const twice = this.#whyTwice(stack);
    if (twice !== undefined) return twice;
    const unit = this.#attempted(stack, record);
    if (unit === undefined) return `no attempt is recorded: phase ${record.phase}`;
    const early = this.#whyTooEarly(unit, record);
    if (early !== undefined) return early;
    const wanted = Object.values(unit.spec.services).find(({ Name }) => Name === body.Name);
    const image = wanted?.TaskTemplate.ContainerSpec.Image;
    if (image === ContainerSpec.Image) return undefined;
    return `${ContainerSpec.Image} though the attempt is at ${String(image)} (${path})`;
  }

  /** Both never run at a time: they may have the same data. */
  #whyTwice(stack: string): string | undefined {
    if (!ONE_SITE.has(stack)) return undefined;
    const { services, tasks } = this.#world.engine;
    const other = [...services.values()].find(({ id, spec }) => {
      const owner = spec.Labels?.[NAMESPACE] ?? '';
      const isOther = ONE_SITE.has(owner) && owner !== stack;
      return isOther && [...tasks.values()].some((one) => one.serviceId === id && isLive(one));
    });
    return other && `tasks of ${other.spec.Name} still run`;
  }

  /** What it depends on is at rest, and did not fail with the revision that is applied. */
  #whyTooEarly(unit: Rendered<StackSpec>, { phase, attempt }: UnitRecord): string | undefined {
    if (phase !== 'applying' && phase !== 'verifying') return undefined;
    const { units } = this.#world.record();
    const early = unit.dependsOn.find((on) => {
      const other = units.get(on);
      const failed = other?.quarantine.some(({ revision }) => revision === attempt?.revision);
      return other?.phase !== 'none' || other.releases.length === 0 || failed === true;
    });
    return early === undefined ? undefined : `${early} is not in place`;
  }

  #part(path: string, body: { Name: string; Data?: string; Labels?: Record<string, string> }) {
    const stack = body.Labels?.[NAMESPACE] ?? '';
    const record = this.#recordOf(stack);
    const unit = record && this.#attempted(stack, record);
    if (unit === undefined) return `no attempt is recorded: phase ${String(record?.phase)}`;
    const { configs, secrets } = unit.spec;
    const contents = path.startsWith('/configs/')
      ? Object.values(configs).map(({ data }) => data)
      : path.startsWith('/secrets/')
        ? Object.values(secrets).map(({ data }) => data?.reveal())
        : [body.Data];
    return contents.includes(body.Data) ? undefined : `${body.Name} is not of the attempt`;
  }

  #recordOf(stack: string): UnitRecord | undefined {
    return this.#world.record().units.get(`stack/${stack}`);
  }

  /** What the record says is being tried at this moment. */
  #attempted(stack: string, { attempt }: UnitRecord): Rendered<StackSpec> | undefined {
    return unitOf.get(`stack/${stack} ${attempt?.digest ?? ''}`);
  }
}

/** Whether any value in it is this text: in what a release says the plain name is a key too. */
function names(place: unknown, text: string): boolean {
  if (typeof place !== 'object' || place === null) return place === text;
  return Object.values(place).some((one) => names(one, text));
}

/** What came of it: all that must be the same however often the agent died on the way. Plain data. */
export interface End {
  readonly services: Readonly<Record<string, ServiceEnd>>;
  readonly networks: readonly string[];
  /** Configs and secrets of stacks. */
  readonly files: readonly string[];
  readonly units: Readonly<Record<string, UnitEnd>>;
  readonly settled: string;
  readonly revisions: readonly object[];
  readonly requests: readonly object[];
}

interface ServiceEnd {
  readonly spec: object;
  /** Of its configs and secrets. */
  readonly contents: readonly (string | undefined)[];
  /** Images of the tasks that run or are about to. */
  readonly images: readonly string[];
}

interface UnitEnd {
  readonly phase: string;
  readonly quarantine: readonly string[];
  readonly stuck: string | undefined;
  /** The codes of the failures. */
  readonly why: readonly string[];
  readonly made: readonly string[];
  readonly releases: readonly string[];
}

/** What the Swarm holds now, and what the record says. */
export function endOf(world: WholeAgent): End {
  const { engine } = world;
  const { units, history, requests } = world.record();
  const services = [...engine.services.values()]
    .map((service) => [service.spec.Name, serviceEnd(engine, service)] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return {
    services: Object.fromEntries(services),
    networks: [...engine.networks.values()].map(({ name }) => name).toSorted(),
    files: [...engine.configs.values(), ...engine.secrets.values()]
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('understudy.'))
      .toSorted(),
    units: Object.fromEntries([...units].map(([id, unit]) => [id, unitEnd(unit)])),
    settled: history.settled,
    revisions: history.revisions.map(({ at: _at, units: _units, ...rest }) => rest),
    requests,
  };
}

function serviceEnd(engine: WholeAgent['engine'], { id, spec }: FakeService): ServiceEnd {
  const { Configs = [], Secrets = [] } = spec.TaskTemplate.ContainerSpec;
  const tasks = [...engine.tasks.values()].filter(({ serviceId }) => serviceId === id);
  return {
    spec: canonical(spec, (network) => engine.networks.get(network)?.name ?? network),
    contents: [
      ...Configs.map(({ ConfigID = '' }) => engine.configs.get(ConfigID)?.data),
      ...Secrets.map(({ SecretID = '' }) => engine.secrets.get(SecretID)?.data),
    ],
    images: tasks
      .filter(isLive)
      .map(({ template }) => template.ContainerSpec.Image)
      .toSorted(),
  };
}

function unitEnd({ phase, quarantine, stuck, made, releases }: UnitRecord): UnitEnd {
  return {
    phase,
    quarantine: quarantine.map(({ digest, revision }) => `${revision} ${digest}`),
    stuck: stuck?.digest,
    why: [...quarantine.map(({ code }) => code), ...(stuck === undefined ? [] : [stuck.code])],
    made: made.toSorted(),
    releases: releases.map(({ digest, revision }) => `${revision} ${digest}`),
  };
}

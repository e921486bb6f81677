import type { Place } from '../../core/diagnostic.ts';
import type { Id, Json, Release, Rendered } from '../../core/kind.ts';
import type { ContainerSpec, NetworkCreate, ServiceSpec } from './engine-api.ts';
import { credentialByName } from './credential-config.ts';
import { isVersionOf } from './names.ts';
import { diffNetwork } from './network-diff.ts';
import { OWNER_LABEL } from '../../core/kept-secret.ts';
import { familyOf, NAMESPACE, PREDEFINED_NETWORKS, type StackObserved } from './observed.ts';
import { releaseContent } from './release-shape.ts';
import { unlistedNetworks } from './service-diff.ts';
import type { StackSpec } from './spec.ts';

/** Where a unit stands that no file of the repository holds. */
export const FROM_RECORD: Place = { file: '', line: 1, column: 1, length: 1, quoted: '' };

/**
 * Pure. What is live of a stack, so that it can be brought back: services as they would be sent, networks, configs and
 * secrets by name. No content of a config or secret is in it. The password of an account goes by its plain name: on the way back
 * that is bound to what opens the account then.
 */
export function stackRelease(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  parts: 'wanted' | 'all',
): Json {
  const { spec } = unit;
  const wanted = liveServices(spec, observed);
  const services = parts === 'all' ? [...wanted, ...otherServices(spec, observed)] : wanted;
  const files = (noun: 'Configs' | 'Secrets'): readonly string[] =>
    services.flatMap(([, { TaskTemplate }]) => namesOf(TaskTemplate.ContainerSpec, noun));
  const generated = passwordsIn(services, observed);
  const unlisted = services
    .flatMap(([, { TaskTemplate }]) => TaskTemplate.Networks ?? [])
    .map(({ Target }) => Target)
    .filter((target) => !isNetwork(target, observed) && !PREDEFINED_NETWORKS.has(target));
  return json({
    schema: 1,
    name: spec.name,
    services: Object.fromEntries(services),
    networks: Object.fromEntries(liveNetworks(spec, observed)),
    configs: carried(spec.configs, files('Configs')),
    secrets: carried(spec.secrets, files('Secrets')),
    ...(generated.size > 0 && { generated: Object.fromEntries(generated) }),
    ...(unlisted.length > 0 && { unlisted: [...new Set(unlisted)] }),
    // The checks are of a revision that what was there before us is not.
    health: parts === 'all' ? { ...spec.health, checks: [] } : spec.health,
    rollback: spec.rollback,
    ...(spec.ignore && { ignore: spec.ignore }),
    ...(spec.hidden && { hidden: spec.hidden }),
    ...(spec.veiled && { veiled: spec.veiled }),
  });
}

function liveServices(spec: StackSpec, observed: StackObserved): [string, ServiceSpec][] {
  return Object.entries(spec.services).flatMap(([key, desired]): [string, ServiceSpec][] => {
    const live = observed.services.get(desired.Name.toLowerCase());
    if (live?.spec.Labels?.[NAMESPACE] !== spec.name) return [];
    return [[key, byNames(live.spec, observed, unlistedNetworks(desired, live.spec, observed))]];
  });
}

/** Services of the stack that its file does not have. */
function otherServices(spec: StackSpec, observed: StackObserved): [string, ServiceSpec][] {
  const wanted = new Set(Object.values(spec.services).map(({ Name }) => Name.toLowerCase()));
  const prefix = `${spec.name}_`;
  return (observed.serviceNames.get(spec.name) ?? []).flatMap((name): [string, ServiceSpec][] => {
    const live = observed.services.get(name.toLowerCase());
    if (live === undefined || wanted.has(name.toLowerCase())) return [];
    const short = name.startsWith(prefix) ? name.slice(prefix.length) : name;
    const key = Object.hasOwn(spec.services, short) ? name : short;
    return [[key, byNames(live.spec, observed, new Map())]];
  });
}

/** Ids go: after a name was made anew it stands for another object. */
function byNames(
  live: ServiceSpec,
  observed: StackObserved,
  unlisted: ReadonlyMap<string, string>,
): ServiceSpec {
  const { TaskTemplate: task } = live;
  const { Networks: networks, ContainerSpec: container } = task;
  return {
    ...live,
    TaskTemplate: {
      ...task,
      ...(networks && {
        Networks: networks.map((one) => ({
          ...one,
          Target: observed.networkNames.get(one.Target) ?? unlisted.get(one.Target) ?? one.Target,
        })),
      }),
      ContainerSpec: {
        ...container,
        ...credentialByName(container),
        ...(container.Configs && {
          Configs: container.Configs.map(({ ConfigID: _id, ...one }) => one),
        }),
        ...(container.Secrets && {
          Secrets: container.Secrets.map(({ SecretID: _id, ...one }) => ({
            ...one,
            SecretName: plainOf(one.SecretName, observed) ?? one.SecretName,
          })),
        }),
      },
    },
  };
}

/** Undefined: no password of an account. */
function plainOf(name: string, { secrets }: StackObserved): string | undefined {
  const there = secrets.get(name.toLowerCase());
  return there && familyOf(there);
}

/** Which names of secrets stand for passwords, and whose. */
function passwordsIn(
  services: readonly (readonly [string, ServiceSpec])[],
  observed: StackObserved,
): ReadonlyMap<string, string> {
  const mounted = services
    .flatMap(([, { Name }]) => observed.services.get(Name.toLowerCase()) ?? [])
    .flatMap(({ spec }) => namesOf(spec.TaskTemplate.ContainerSpec, 'Secrets'));
  return new Map(
    mounted.flatMap((name): [string, string][] => {
      const there = observed.secrets.get(name.toLowerCase());
      const plain = there && familyOf(there);
      return plain === undefined ? [] : [[plain, there?.labels[OWNER_LABEL] ?? '']];
    }),
  );
}

/** Networks that the stack made. One that cannot become what the file wants is only needed, not compared again. */
function liveNetworks(spec: StackSpec, observed: StackObserved): [string, NetworkCreate][] {
  return Object.entries(spec.networks).filter(([, body]) => {
    const there = observed.networks.get(body.Name.toLowerCase());
    if (there?.labels[NAMESPACE] !== spec.name) return false;
    return diffNetwork(`network ${body.Name}`, body, there).blocked.length === 0;
  });
}

function isNetwork(name: string, { networks }: StackObserved): boolean {
  return networks.has(name.toLowerCase());
}

function namesOf(container: ContainerSpec, noun: 'Configs' | 'Secrets'): readonly string[] {
  return noun === 'Configs'
    ? (container.Configs ?? []).map(({ ConfigName }) => ConfigName)
    : (container.Secrets ?? []).map(({ SecretName }) => SecretName);
}

/** Under which name each content is mounted, for people. Of two versions at once the later one stands for itself. */
function carried(
  declared: Readonly<Record<string, { readonly name: string }>>,
  mounted: readonly string[],
): Readonly<Record<string, string>> {
  const carriers = new Map<string, string>();
  for (const name of new Set(mounted)) {
    const plain = Object.values(declared).find((one) => isVersionOf(name, one.name))?.name ?? name;
    carriers.set(carriers.has(plain) ? name : plain, name);
  }
  return Object.fromEntries(carriers);
}

/** Plain JSON without what is undefined. */
function json(value: unknown): Json {
  if (Array.isArray(value)) return value.map(json);
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined);
    return Object.fromEntries(entries.map(([key, one]): [string, Json] => [key, json(one)]));
  }
  const plain = typeof value === 'string' || typeof value === 'boolean';
  return plain || typeof value === 'number' ? value : null;
}

/** What was worked out for one unit is kept by the unit: the same release must give the same one. */
const restored = new WeakMap<Release, Rendered<StackSpec> | undefined>();

/**
 * Pure. A release as a unit whose difference brings exactly that release back. Contents are named and not held, so they
 * must still be there. Undefined where the record holds something that this version does not understand.
 */
export function restoreStack(id: Id, release: Release): Rendered<StackSpec> | undefined {
  if (!restored.has(release)) restored.set(release, read(release));
  const unit = restored.get(release);
  return unit?.id === id ? unit : undefined;
}

function read({ content: kept, digest }: Release): Rendered<StackSpec> | undefined {
  const parsed = releaseContent.safeParse(kept);
  if (!parsed.success) return undefined;
  const { unlisted, schema: _schema, ...content } = parsed.data;
  const spec = { ...content, configs: {}, secrets: {} };
  const needs = needsOf(spec, new Set(unlisted));
  return {
    id: `stack/${spec.name}`,
    spec,
    digest,
    place: FROM_RECORD,
    dependsOn: [],
    needs,
    gives: [],
  };
}

/** What must be there because nothing here makes it. Of a network without a name it is known only that it was there. */
function needsOf(
  { services, networks }: StackSpec,
  unlisted: ReadonlySet<string>,
): readonly string[] {
  const made = new Set(Object.values(networks).map(({ Name }) => Name.toLowerCase()));
  const needs = Object.values(services).flatMap(({ TaskTemplate: task }) => [
    ...(task.Networks ?? [])
      .map(({ Target }) => Target)
      .filter((target) => !made.has(target.toLowerCase()) && !unlisted.has(target))
      .filter((target) => !PREDEFINED_NETWORKS.has(target.toLowerCase()))
      .map((target) => `network:${target}`),
    ...namesOf(task.ContainerSpec, 'Configs').map((one) => `config:${one}`),
    ...namesOf(task.ContainerSpec, 'Secrets').map((one) => `secret:${one}`),
  ]);
  return [...new Set(needs)].toSorted();
}

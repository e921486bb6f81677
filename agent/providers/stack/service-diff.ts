import type { Blocked, Operation } from '../../core/kind.ts';
import { canonical, portKey, same } from './canonical.ts';
import type { ContainerSpec, ServiceSpec } from './engine-api.ts';
import { fieldDiffs } from './fields.ts';
import { withoutHidden } from './hidden.ts';
import { PREDEFINED_NETWORKS, type StackObserved } from './observed.ts';
import type { ObservedService, StackCall } from './swarm.ts';

/** One service as the repository wants it, configs and secrets under the names that they carry in the Swarm. */
export interface WantedService {
  /** `services.web` */
  readonly path: string;
  readonly target: string;
  readonly desired: ServiceSpec;
  /** A release: its image is the one that ran, so no other content is as good. */
  readonly exact: boolean;
  /** Variables whose values are shown nowhere. */
  readonly hidden?: readonly string[] | undefined;
}

/**
 * Pure. The update that brings a live service to `desired`, or nothing where the engine would store the same:
 * an update with an equal spec still overwrites PreviousSpec and runs jobs again.
 */
export function diffService(
  wanted: WantedService,
  live: ObservedService,
  observed: StackObserved,
): {
  readonly operations: readonly Operation<StackCall>[];
  readonly blocked: readonly Blocked[];
} {
  const unlisted = unlistedNetworks(wanted.desired, live.spec, observed);
  const name = (target: string): string =>
    observed.networkNames.get(target) ?? unlisted.get(target) ?? target;
  const body = keepLive(wanted, live.spec, name);
  const before = canonical(live.spec, name);
  const after = canonical(body, name);
  if (same(before, after)) return { operations: [], blocked: [] };

  const lost = inexact(live.spec);
  if (lost !== undefined) {
    return { operations: [], blocked: [{ target: wanted.target, why: lost, waits: false }] };
  }
  if (modeOf(body) !== modeOf(live.spec)) {
    const why =
      `the mode of ${wanted.target} cannot change from ${modeOf(live.spec)} to ${modeOf(body)}: ` +
      'give the service another name, or remove it by hand first';
    return { operations: [], blocked: [{ target: wanted.target, why, waits: false }] };
  }
  const restarts =
    !same(before['TaskTemplate'], after['TaskTemplate']) ||
    !same(before['EndpointSpec'], after['EndpointSpec']);
  return {
    operations: [
      {
        target: wanted.target,
        verb: 'update',
        phase: 'change',
        effect: restarts ? 'restart' : 'none',
        fields: withoutHidden(fieldDiffs(wanted.path, before, after), wanted.path, wanted.hidden),
        ...(modeOf(live.spec).endsWith('job') && { reruns: true }),
        call: { op: 'service-update', id: live.id, version: live.version, body },
      },
    ],
    blocked: [],
  };
}

/** A number that JSON did not bring as it is: it could not be sent back, so there would be no way back to this service. */
function inexact({ Name: name, TaskTemplate: { ContainerSpec: one } }: ServiceSpec) {
  const limit = one.Ulimits?.find(({ Soft, Hard }) =>
    [Soft, Hard].some((value) => !Number.isSafeInteger(value)),
  );
  if (limit === undefined) return undefined;
  return `the ulimit ${limit.Name} of ${name} is beyond ${String(Number.MAX_SAFE_INTEGER)}, which could not be brought back: set it lower by hand first`;
}

/**
 * Pure. What must not change by an update that is about something else: the digest the live image was pinned to,
 * its platforms, the force counter, and the order of lists that are equal as sets (reordering restarts tasks).
 */
function keepLive(
  { desired, exact }: WantedService,
  live: ServiceSpec,
  networkName: (target: string) => string,
): ServiceSpec {
  const { TaskTemplate: want, EndpointSpec: endpoint } = desired;
  const { TaskTemplate: have } = live;
  const sameImage = imageOf(desired) === imageOf(live) || (!exact && isPinOf(live, desired));
  return {
    ...desired,
    TaskTemplate: {
      ...want,
      ForceUpdate: have.ForceUpdate ?? 0,
      Placement: {
        ...want.Placement,
        ...(sameImage && have.Placement.Platforms && { Platforms: have.Placement.Platforms }),
      },
      ...(want.Networks && {
        Networks: liveOrder(want.Networks, have.Networks, ({ Target }) => networkName(Target)),
      }),
      ContainerSpec: keepContainer(want.ContainerSpec, have.ContainerSpec, sameImage),
    },
    ...(endpoint?.Ports && {
      EndpointSpec: {
        ...endpoint,
        Ports: liveOrder(endpoint.Ports, live.EndpointSpec?.Ports, portKey),
      },
    }),
  };
}

function keepContainer(
  want: ContainerSpec,
  have: ContainerSpec,
  sameImage: boolean,
): ContainerSpec {
  return {
    ...want,
    Image: sameImage ? have.Image : want.Image,
    // The CLI sends them sorted; `docker service update --env-add` puts one at the end.
    ...(want.Env && { Env: liveOrder(want.Env, have.Env, (one) => one) }),
    ...(want.CapabilityAdd && {
      CapabilityAdd: liveOrder(want.CapabilityAdd, have.CapabilityAdd, (name) => name),
    }),
    ...(want.CapabilityDrop && {
      CapabilityDrop: liveOrder(want.CapabilityDrop, have.CapabilityDrop, (name) => name),
    }),
    ...(want.Ulimits && {
      Ulimits: liveOrder(want.Ulimits, have.Ulimits, ({ Name }) => Name),
    }),
    ...(want.Secrets && {
      Secrets: liveOrder(want.Secrets, have.Secrets, (one) => fileKey(one.SecretName, one)),
    }),
    ...(want.Configs && {
      Configs: liveOrder(want.Configs, have.Configs, (one) => fileKey(one.ConfigName, one)),
    }),
  };
}

function fileKey(
  name: string,
  { File: file }: { readonly File?: { readonly Name: string } },
): string {
  return `${name} ${file?.Name ?? ''}`;
}

/** Whether the file says the same image and names no content, and the live one is it with a digest. */
function isPinOf(live: ServiceSpec, desired: ServiceSpec): boolean {
  const label = 'com.docker.stack.image';
  if (desired.Labels?.[label] !== live.Labels?.[label]) return false;
  return imageOf(live).startsWith(`${imageOf(desired)}@sha256:`);
}

function imageOf({ TaskTemplate: { ContainerSpec: container } }: ServiceSpec): string {
  return container.Image;
}

function liveOrder<Item>(
  desired: readonly Item[],
  live: readonly Item[] | undefined,
  key: (item: Item) => string,
): Item[] {
  const place = new Map(live?.map((item, at) => [key(item), at]));
  const wanted = new Set(desired.map(key));
  // What comes twice has no one place.
  const areSets = place.size === live?.length && wanted.size === desired.length;
  if (!areSets || !same(wanted, new Set(place.keys()))) return [...desired];
  return desired.toSorted((a, b) => (place.get(key(a)) ?? 0) - (place.get(key(b)) ?? 0));
}

/**
 * Pure. Predefined networks (`host`, `bridge`) are stored by id and do not show in the list of networks: ids that nobody
 * lists stand for as many wanted ones, in their order, which is that of the CLI and is kept. Which of the two an id is cannot be seen.
 */
export function unlistedNetworks(
  desired: ServiceSpec,
  live: ServiceSpec,
  observed: StackObserved,
): ReadonlyMap<string, string> {
  const ids = (live.TaskTemplate.Networks ?? [])
    .map(({ Target }) => Target)
    .filter((target) => !observed.networkNames.has(target));
  const names = (desired.TaskTemplate.Networks ?? [])
    .map(({ Target }) => Target)
    // Any other that is not there is about to be made.
    .filter((target) => PREDEFINED_NETWORKS.has(target) && !observed.networks.has(target));
  return ids.length === names.length
    ? new Map(ids.map((id, at) => [id, names[at] ?? '']))
    : new Map();
}

function modeOf(spec: ServiceSpec): string {
  const { Mode: mode } = spec;
  if (mode?.Global !== undefined) return 'global';
  if (mode?.GlobalJob !== undefined) return 'global-job';
  return mode?.ReplicatedJob === undefined ? 'replicated' : 'replicated-job';
}

import { isIP } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

import { credentialByName } from './credential-config.ts';
import type {
  ContainerSpec,
  PortConfig,
  Resources,
  ServiceSpec,
  UpdateConfig,
} from './engine-api.ts';

/**
 * Service specs as they compare: what the engine fills in, drops or reorders stands the same on both sides.
 * Source: seen on engine 20.10.24 over 495 services; the same defaults are in swarmkit `api/defaults`.
 * Sub-messages that restart tasks by their mere presence (`Resources {}`, `Placement {}`, ...) are kept.
 */
export type Canonical = { readonly [key: string]: unknown };

/** Maps whose emptiness means nothing; every empty list means nothing. */
const EMPTY_MAPS = new Set(['Labels', 'Sysctls', 'Options', 'DriverOpts']);

type DnsConfig = NonNullable<ContainerSpec['DNSConfig']>;

const ISOLATIONS = new Set(['process', 'hyperv']);

/** Pure. `networkName` turns what stands in `Networks[].Target` (an id or a name) into a name. */
export function canonical(spec: ServiceSpec, networkName: (target: string) => string): Canonical {
  const { TaskTemplate: task } = spec;
  const { ForceUpdate: _force, Runtime: _runtime, ...template } = task;
  const { Platforms: _platforms, ...placement } = task.Placement;
  return pruneMap({
    ...spec,
    TaskTemplate: {
      ...template,
      ContainerSpec: container(spec),
      Placement: placement,
      Resources: task.Resources && resources(task.Resources),
      RestartPolicy: task.RestartPolicy && {
        Condition: 'any',
        MaxAttempts: 0,
        ...task.RestartPolicy,
      },
      Networks: sorted(
        (task.Networks ?? []).map((one) => ({ ...one, Target: networkName(one.Target) })),
        ({ Target }) => Target,
      ),
    },
    Mode: mode(spec),
    UpdateConfig: spec.UpdateConfig && update(spec.UpdateConfig),
    RollbackConfig: spec.RollbackConfig && update(spec.RollbackConfig),
    EndpointSpec: {
      ...spec.EndpointSpec,
      Mode: spec.EndpointSpec?.Mode ?? 'vip',
      Ports: sorted((spec.EndpointSpec?.Ports ?? []).map(port), portKey),
    },
  });
}

/** The engine keeps no amount of 0. */
function resources({ Reservations: reserved, ...rest }: Resources): object {
  const generic = reserved?.GenericResources?.map(({ DiscreteResourceSpec: one, ...named }) => ({
    ...named,
    // Named resources exist too, in services that are not ours.
    ...(one && { DiscreteResourceSpec: one.Value === 0 ? omit(one, 'Value') : one }),
  }));
  return {
    ...rest,
    ...(reserved && {
      Reservations: { ...reserved, ...(generic && { GenericResources: generic }) },
    }),
  };
}

const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);
const PUBLISH_MODES = new Set(['ingress', 'host']);

/**
 * Pure. As the engine stores it: names are looked up in any case, `tcp` and `ingress` stand for nothing and for what it
 * does not know (moby `daemon/cluster/convert/service.go`).
 */
export function port(one: PortConfig): PortConfig {
  const protocol = one.Protocol?.toLowerCase() ?? '';
  const mode = one.PublishMode?.toLowerCase() ?? '';
  return {
    ...one,
    Protocol: PROTOCOLS.has(protocol) ? protocol : 'tcp',
    PublishMode: PUBLISH_MODES.has(mode) ? mode : 'ingress',
  };
}

/** Pure. What makes two ports the same one. */
export function portKey(one: PortConfig): string {
  const { PublishedPort, TargetPort, Protocol, PublishMode } = port(one);
  return [PublishedPort ?? 0, TargetPort ?? 0, Protocol, PublishMode].join('/');
}

/** Pure. Equal after `canonical`. */
export function same(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}

function container(spec: ServiceSpec): object {
  const { ContainerSpec: one } = spec.TaskTemplate;
  return {
    ...one,
    Isolation: isolation(one),
    Privileges: privileges(one),
    DNSConfig: one.DNSConfig && dns(one.DNSConfig),
    Healthcheck: one.Healthcheck && omit(one.Healthcheck, 'StartInterval'), // since API 1.44
    Mounts: one.Mounts?.map((mount) => {
      const {
        BindOptions: bind,
        VolumeOptions: volume,
        ...rest
      } = omit(omit(mount, 'Consistency'), 'ClusterOptions'); // neither is ever stored
      return {
        ...rest,
        ...(volume && { VolumeOptions: omit(volume, 'Subpath') }), // since API 1.45
        ...(bind !== undefined && Object.keys(bind).length > 0 && { BindOptions: bind }),
      };
    }),
    // Which object carries the content is decided by name; ids follow from it.
    Secrets: sorted(
      one.Secrets?.map((secret) => omit(secret, 'SecretID')) ?? [],
      ({ SecretName, File }) => `${SecretName} ${File?.Name ?? ''}`,
    ),
    Configs: sorted(
      one.Configs?.map((config) => omit(config, 'ConfigID')) ?? [],
      ({ ConfigName, File }) => `${ConfigName} ${File?.Name ?? ''}`,
    ),
  };
}

/** Engine 29 prints addresses anew. An empty part stays: its presence restarts tasks. */
function dns({ Nameservers: servers, ...rest }: DnsConfig): object {
  return { ...rest, ...(servers && { Nameservers: servers.map(address) }) };
}

/** An address as everybody writes it, IPv4 within IPv6 as IPv4; what is none stays as it is. */
function address(written: string): string {
  if (isIP(written) !== 6 || written.includes('%')) return written;
  const host = URL.parse(`http://[${written}]`)?.hostname.slice(1, -1) ?? written;
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host) ?? [];
  if (high === undefined || low === undefined) return host;
  const bytes = [high, low].flatMap((part) => {
    const number = Number.parseInt(part, 16);
    return [number >> 8, number & 0xff];
  });
  return bytes.join('.');
}

/** The engine stores `default` for whatever it does not know. */
function isolation({ Isolation: one = '' }: ContainerSpec): string {
  return ISOLATIONS.has(one.toLowerCase()) ? one.toLowerCase() : 'default';
}

function privileges(container: ContainerSpec): object | undefined {
  const one = credentialByName(container).Privileges ?? container.Privileges;
  if (one === undefined) return undefined;
  const { CredentialSpec: spec, ...rest } = one;
  return withoutNothing({ ...rest, CredentialSpec: spec && withoutNothing({ ...spec }) });
}

function mode({ Mode: one }: ServiceSpec): object {
  if (one?.ReplicatedJob !== undefined) {
    const { MaxConcurrent = 1, TotalCompletions = MaxConcurrent } = one.ReplicatedJob;
    return { ReplicatedJob: { MaxConcurrent, TotalCompletions } };
  }
  if (one?.Global !== undefined || one?.GlobalJob !== undefined) return one;
  return { Replicated: { Replicas: one?.Replicated?.Replicas ?? 1 } };
}

function update(one: UpdateConfig): object {
  return {
    ...one,
    FailureAction:
      one.FailureAction === undefined || one.FailureAction === '' ? 'pause' : one.FailureAction,
    Order: one.Order === '' ? 'stop-first' : one.Order,
    MaxFailureRatio: Math.fround(one.MaxFailureRatio), // stored as a 32-bit float
  };
}

/** null, false and an empty text say nothing in `Privileges`; its presence does. */
function withoutNothing(map: Record<string, unknown>): object {
  return Object.fromEntries(
    Object.entries(map).filter(([, value]) => value !== null && value !== false && value !== ''),
  );
}

function pruneMap(map: object): Canonical {
  const entries = Object.entries(map).flatMap(([key, value]): [string, unknown][] => {
    const pruned = prune(value);
    const empty =
      pruned === undefined ||
      pruned === null ||
      (Array.isArray(pruned) && pruned.length === 0) ||
      (EMPTY_MAPS.has(key) && typeof pruned === 'object' && Object.keys(pruned).length === 0);
    return empty ? [] : [[key, pruned]];
  });
  return Object.fromEntries(entries);
}

function prune(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(prune);
  return typeof value === 'object' && value !== null ? pruneMap(value) : value;
}

function omit<Map extends object, Key extends keyof Map>(map: Map, key: Key): Omit<Map, Key> {
  const { [key]: _omitted, ...rest } = map;
  return rest;
}

function sorted<Item>(items: readonly Item[], key: (item: Item) => string): Item[] {
  return items.toSorted((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
}

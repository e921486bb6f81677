import { z } from 'zod';
import type { ServiceSpec } from './engine-api.ts';
import { driver, driverOf } from './driver-shape.ts';
import { iteration, iterationOf } from './job-shape.ts';
import { mountingSpec, mountsOf } from './mounts.ts';
import { listOf, parsed, type Shaped, within } from './shaped.ts';
import { resources, resourcesOf } from './resource-shape.ts';
import { serviceSpec } from './spec-shape.ts';
import type {
  ObservedConfig,
  ObservedNetwork,
  ObservedNode,
  ObservedSecret,
  ObservedService,
} from './swarm.ts';
import { textMap } from './text-map.ts';

// Absent and null mean the same to the engine; both are read as "nothing".
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const map = textMap.nullish().transform((value) => value ?? {});
const id = z.string().min(1);
const version = z.looseObject({ Index: z.number().int().nonnegative() });

const service = z.looseObject({
  ID: id,
  Version: version,
  Spec: z.looseObject({ Name: id, TaskTemplate: z.looseObject({}) }),
  PreviousSpec: z.looseObject({ TaskTemplate: mountingSpec }).nullish(),
  UpdateStatus: z.looseObject({ State: text, Message: text }).nullish(),
  JobStatus: z.looseObject({ JobIteration: iteration }).nullish(),
});
const network = z.looseObject({
  Id: id,
  Name: z.string(),
  Scope: z.string(),
  Driver: z.string(),
  Internal: z.boolean(),
  Attachable: z.boolean(),
  Labels: map,
  Options: map,
  IPAM: z
    .looseObject({ Driver: text, Config: z.array(z.looseObject({ Subnet: text })).nullish() })
    .nullish(),
});
const templating = z.looseObject({ Name: text }).nullish();
const config = z.looseObject({
  ID: id,
  UpdatedAt: z.string().optional(),
  Version: version,
  Spec: z.looseObject({ Name: id, Labels: map, Data: text, Templating: templating }),
});
const secret = z.looseObject({
  ID: id,
  Version: version,
  Spec: z.looseObject({
    Name: id,
    Labels: map,
    Templating: templating,
    Driver: driver,
  }),
});
const node = z.looseObject({
  ID: id,
  UpdatedAt: z.string().optional(),
  Spec: z.looseObject({
    Role: z.enum(['manager', 'worker']),
    Availability: z.string(),
    Labels: map,
  }),
  Description: z
    .looseObject({
      Hostname: text,
      Platform: z.looseObject({ Architecture: text, OS: text }).nullish(),
      Engine: z.looseObject({ Labels: map }).nullish(),
      Resources: resources,
    })
    .nullish(),
  Status: z.looseObject({ State: z.string(), Addr: text }),
  ManagerStatus: z.looseObject({ Addr: text }).nullish(),
});
/** Pure. Services of containers; those that run a plugin instead cannot be a stack's and are left out. */
export const readServices = listOf(service, (row): Shaped<ObservedService | undefined> => {
  if (row.Spec.TaskTemplate['ContainerSpec'] === undefined) return { ok: true, value: undefined };
  const before = mountsOf(row.PreviousSpec?.TaskTemplate?.ContainerSpec);
  const spec = readSpec(row.Spec);
  if (!spec.ok) return { ok: false, where: within('Spec', spec.where) };
  const { State, Message } = row.UpdateStatus ?? { State: '', Message: '' };
  const value = {
    id: row.ID,
    version: row.Version.Index,
    spec: spec.value,
    ...(State === '' ? {} : { updateState: State }),
    ...(Message === '' ? {} : { updateMessage: Message }),
    ...iterationOf(row.JobStatus?.JobIteration),
    ...(before && { before }),
  };
  return { ok: true, value };
});

/** A spec as it came; only where a null stands against the shape are its nulls taken as absent. */
function readSpec(json: unknown): Shaped<ServiceSpec> {
  const first = parsed(serviceSpec, json);
  return first.ok ? first : parsed(serviceSpec, withoutNulls(json));
}

/** Pure. Networks of every scope. */
export const readNetworks = listOf(network, (row): Shaped<ObservedNetwork> => ({
  ok: true,
  value: {
    id: row.Id,
    name: row.Name,
    scope: row.Scope,
    labels: row.Labels,
    driver: row.Driver,
    internal: row.Internal,
    attachable: row.Attachable,
    options: row.Options,
    ipamDriver: row.IPAM?.Driver ?? '',
    subnets: (row.IPAM?.Config ?? []).map(({ Subnet }) => Subnet).filter((one) => one !== ''),
  },
}));

/** Pure. */
export const readConfigs = listOf(config, (row): Shaped<ObservedConfig> => ({
  ok: true,
  value: observedConfig(row),
}));

function observedConfig(row: z.output<typeof config>): ObservedConfig {
  return {
    id: row.ID,
    version: row.Version.Index,
    name: row.Spec.Name,
    labels: row.Spec.Labels,
    data: row.Spec.Data,
    ...templatingOf(row.Spec),
    ...(row.UpdatedAt !== undefined && { updatedAt: row.UpdatedAt }),
  };
}

/** Pure. The engine never gives a secret's data back. */
export const readSecrets = listOf(secret, (row): Shaped<ObservedSecret> => ({
  ok: true,
  value: {
    id: row.ID,
    version: row.Version.Index,
    name: row.Spec.Name,
    labels: row.Spec.Labels,
    ...templatingOf(row.Spec),
    ...driverOf(row.Spec.Driver),
  },
}));

function templatingOf(spec: { readonly Templating?: z.output<typeof templating> }): {
  readonly templating?: string;
} {
  const name = spec.Templating?.Name ?? '';
  return name === '' ? {} : { templating: name };
}

/** Pure. */
export const readNodes = listOf(node, (row): Shaped<ObservedNode> => ({
  ok: true,
  value: {
    id: row.ID,
    hostname: row.Description?.Hostname ?? '',
    role: row.Spec.Role,
    availability: row.Spec.Availability,
    state: row.Status.State,
    labels: row.Spec.Labels,
    engineLabels: row.Description?.Engine?.Labels ?? {},
    platform: {
      os: row.Description?.Platform?.OS ?? '',
      architecture: row.Description?.Platform?.Architecture ?? '',
    },
    address: addressOf(row.Status.Addr, row.ManagerStatus?.Addr ?? ''),
    ...resourcesOf(row.Description?.Resources),
    ...(row.UpdatedAt !== undefined && { updatedAt: row.UpdatedAt }),
  },
}));

/** A manager that listens everywhere reports 0.0.0.0; what it advertises stands beside its port. */
function addressOf(address: string, advertised: string): string {
  const unspecified = address === '' || address === '0.0.0.0' || address === '::';
  return unspecified && advertised !== '' ? advertised.replace(/:\d+$/, '') : address;
}

/** Pure. One config that was read alone. */
export function readConfig(json: unknown): Shaped<ObservedConfig> {
  const row = parsed(config, json);
  return row.ok ? { ok: true, value: observedConfig(row.value) } : row;
}

const container = z.looseObject({ State: z.looseObject({ Running: z.boolean() }) });

/** Pure. Whether a container runs. */
export function readRunning(json: unknown): Shaped<boolean> {
  const answer = parsed(container, json);
  return answer.ok ? { ok: true, value: answer.value.State.Running } : answer;
}

const checked = z.looseObject({
  State: z.looseObject({
    Health: z.looseObject({ Log: z.array(z.looseObject({ Output: text })).nullish() }).nullish(),
  }),
});

/** Pure. What the last healthcheck of a container wrote; nothing where there was none. */
export function readLastCheck(json: unknown): Shaped<{ readonly output?: string }> {
  const answer = parsed(checked, json);
  if (!answer.ok) return answer;
  const output = answer.value.State.Health?.Log?.at(-1)?.Output ?? '';
  return { ok: true, value: output === '' ? {} : { output } };
}

const made = z.looseObject({ id });
const warned = z.looseObject({ Warnings: z.unknown() });
const info = z.looseObject({
  Name: text.nullish(),
  Swarm: z.looseObject({
    NodeID: text,
    ControlAvailable: z.boolean().nullish(),
    Cluster: z.looseObject({ ID: text }).nullish(),
  }),
});

/** Pure. The id of what was created, as dockerode hands it on. */
export function readMade(json: unknown): Shaped<{ readonly id: string }> {
  const answer = parsed(made, json);
  return answer.ok ? { ok: true, value: { id: answer.value.id } } : answer;
}

/** Pure. Whether this answers an update: of a service with warnings, of a config or secret with nothing. */
export function isUpdated(what: 'service' | 'file', json: unknown): boolean {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false;
  return what === 'file' || warned.safeParse(json).success;
}

/** Which engine this is. `manager` is false on a worker and outside a Swarm: the ids are empty then. */
export interface EngineIdentity {
  readonly manager: boolean;
  readonly swarmId: string;
  readonly nodeId: string;
  /** The host's name. */
  readonly nodeName: string;
}

/** Pure. */
export function readIdentity(json: unknown): Shaped<EngineIdentity> {
  const answer = parsed(info, json);
  if (!answer.ok) return answer;
  const { NodeID: nodeId, ControlAvailable, Cluster } = answer.value.Swarm;
  const swarmId = Cluster?.ID ?? '';
  const manager = ControlAvailable === true && swarmId !== '' && nodeId !== '';
  return { ok: true, value: { manager, swarmId, nodeId, nodeName: answer.value.Name ?? '' } };
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((one) => one !== null).map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]: [string, unknown]) => one !== null)
      .map(([key, one]: [string, unknown]) => [key, withoutNulls(one)]),
  );
}

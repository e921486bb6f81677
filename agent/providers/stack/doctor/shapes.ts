import { z } from 'zod';
import { NAMESPACE } from '../observed.ts';
import { mapped, parsed, type Shaped } from '../shaped.ts';
import { textMap } from '../text-map.ts';
import type {
  SwarmNetwork,
  SwarmNode,
  SwarmService,
  SwarmSettings,
  SwarmTask,
} from './inspection.ts';

// What is not named here is dropped: the answer about the Swarm holds the tokens that let nodes join.
const id = z.string().min(1);
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const count = (usual: number) =>
  z
    .number()
    .nullish()
    .transform((value) => value ?? usual);
/** Milliseconds since 1970. */
const time = z.coerce.date().transform((value) => value.getTime());
const trust = z.object({ TrustRoot: text }).nullish();

/** Nanoseconds in a millisecond. */
const NANO = 1_000_000;

// The engine leaves a setting out that nobody changed on some versions: its own defaults stand for it.
const swarm = z.object({
  ID: id,
  Spec: z.object({
    Orchestration: z.object({ TaskHistoryRetentionLimit: count(5) }).nullish(),
    Raft: z
      .object({
        SnapshotInterval: count(10_000),
        KeepOldSnapshots: count(0),
        LogEntriesForSlowFollowers: count(500),
        ElectionTick: count(10),
        HeartbeatTick: count(1),
      })
      .nullish(),
    Dispatcher: z.object({ HeartbeatPeriod: count(5000 * NANO) }).nullish(),
    CAConfig: z.object({ NodeCertExpiry: count(90 * 86_400_000 * NANO) }).nullish(),
  }),
  TLSInfo: trust,
  RootRotationInProgress: z.boolean().nullish(),
  DefaultAddrPool: z.array(z.string()).nullish(),
  SubnetSize: count(24),
});

const node = z.object({
  ID: id,
  UpdatedAt: time,
  Spec: z.object({ Role: z.enum(['manager', 'worker']), Availability: text }),
  Description: z
    .object({
      Hostname: text,
      Engine: z.object({ EngineVersion: text }).nullish(),
      TLSInfo: trust,
    })
    .nullish(),
  Status: z.object({ State: z.string(), Message: text, Addr: text }),
  ManagerStatus: z.object({ Reachability: text, Addr: text }).nullish(),
});

const network = z.object({
  Id: id,
  Name: z.string(),
  Created: time,
  Scope: z.string(),
  Driver: text,
  Ingress: z.boolean().nullish(),
  IPAM: z.object({ Config: z.array(z.object({ Subnet: text })).nullish() }).nullish(),
  Containers: z.record(z.string(), z.unknown()).nullish(),
  Labels: textMap.nullish(),
});

const attachments = z.array(z.object({ Target: text })).nullish();
const port = z.object({ PublishMode: text });
const service = z.object({
  ID: id,
  CreatedAt: time,
  Spec: z.object({
    Name: id,
    TaskTemplate: z.object({ Networks: attachments }),
    Networks: attachments,
    Mode: z
      .object({
        Replicated: z.object({ Replicas: count(1) }).nullish(),
        Global: z.object({}).nullish(),
        ReplicatedJob: z.object({}).nullish(),
        GlobalJob: z.object({}).nullish(),
      })
      .nullish(),
    EndpointSpec: z.object({ Mode: text, Ports: z.array(port).nullish() }).nullish(),
  }),
  Endpoint: z
    .object({
      VirtualIPs: z.array(z.object({ NetworkID: text, Addr: text })).nullish(),
    })
    .nullish(),
});

const task = z.object({
  ID: id,
  ServiceID: text,
  NodeID: text,
  CreatedAt: time,
  DesiredState: z.string(),
  Status: z.object({ State: z.string(), Err: text }),
  NetworksAttachments: z
    .array(
      z.object({
        Network: z.object({ ID: text }).nullish(),
        Addresses: z.array(z.string()).nullish(),
      }),
    )
    .nullish(),
});

/** Pure. `GET /swarm`, without its tokens. */
export function readSettings(json: unknown): Shaped<SwarmSettings> {
  const answer = parsed(swarm, json);
  if (!answer.ok) return answer;
  const {
    ID,
    Spec: spec,
    TLSInfo,
    RootRotationInProgress,
    DefaultAddrPool,
    SubnetSize,
  } = answer.value;
  const raft = spec.Raft;
  const value = {
    swarmId: ID,
    historyLimit: spec.Orchestration?.TaskHistoryRetentionLimit ?? 5,
    raft: {
      snapshotInterval: raft?.SnapshotInterval ?? 10_000,
      keepOldSnapshots: raft?.KeepOldSnapshots ?? 0,
      slowFollowerEntries: raft?.LogEntriesForSlowFollowers ?? 500,
      electionTick: raft?.ElectionTick ?? 10,
      heartbeatTick: raft?.HeartbeatTick ?? 1,
    },
    heartbeatMs: (spec.Dispatcher?.HeartbeatPeriod ?? 5000 * NANO) / NANO,
    certificateMs: (spec.CAConfig?.NodeCertExpiry ?? 90 * 86_400_000 * NANO) / NANO,
    rootRotates: RootRotationInProgress === true,
    trustRoot: TLSInfo?.TrustRoot ?? '',
    addressPools: DefaultAddrPool ?? [],
    subnetSize: SubnetSize === 0 ? 24 : SubnetSize,
  };
  return { ok: true, value };
}

/** Pure. `GET /nodes`. */
export const readSwarmNodes = mapped(node, (row): SwarmNode => {
  const manager = row.ManagerStatus;
  const own = row.Status.Addr;
  const unspecified = own === '' || own === '0.0.0.0' || own === '::';
  return {
    id: row.ID,
    name: row.Description?.Hostname || row.ID,
    role: row.Spec.Role,
    availability: row.Spec.Availability,
    state: row.Status.State,
    message: row.Status.Message,
    address: unspecified ? (manager?.Addr ?? '').replace(/:\d+$/, '') : own,
    ...(manager && { reachability: manager.Reachability }),
    engineVersion: row.Description?.Engine?.EngineVersion ?? '',
    trustRoot: row.Description?.TLSInfo?.TrustRoot ?? '',
    updatedMs: row.UpdatedAt,
  };
});

/** Pure. `GET /networks`: those of the Swarm, and those of the engine that was asked. */
export const readSwarmNetworks = mapped(network, readNetwork);

/** Pure. `GET /networks/ID`, where the engine also says which of its containers are in it. */
export function readOneNetwork(json: unknown): Shaped<SwarmNetwork> {
  const row = parsed(network, json);
  return row.ok ? { ok: true, value: readNetwork(row.value) } : row;
}

function readNetwork(row: z.output<typeof network>): SwarmNetwork {
  return {
    id: row.Id,
    name: row.Name,
    scope: row.Scope,
    driver: row.Driver,
    isIngress: row.Ingress === true,
    createdMs: row.Created,
    subnets: (row.IPAM?.Config ?? []).map(({ Subnet }) => Subnet).filter((one) => one !== ''),
    stack: row.Labels?.[NAMESPACE] ?? '',
    containers: Object.keys(row.Containers ?? {}).length,
  };
}

/** Pure. `GET /services`. */
export const readSwarmServices = mapped(
  service,
  ({ ID, CreatedAt, Spec: spec, Endpoint }): SwarmService => {
    const { Mode: mode, EndpointSpec: endpoint } = spec;
    const targets = [...(spec.TaskTemplate.Networks ?? []), ...(spec.Networks ?? [])];
    const isJob = Boolean(mode?.ReplicatedJob ?? mode?.GlobalJob);
    return {
      id: ID,
      name: spec.Name,
      mode: isJob ? 'job' : mode?.Global ? 'global' : 'replicated',
      replicas: mode?.Replicated?.Replicas ?? 1,
      networks: [...new Set(targets.map(({ Target }) => Target))].filter((one) => one !== ''),
      hasVip: endpoint?.Mode !== 'dnsrr',
      publishes: (endpoint?.Ports ?? []).some(({ PublishMode }) => PublishMode !== 'host'),
      vips: (Endpoint?.VirtualIPs ?? []).map(({ NetworkID, Addr }) => {
        return { networkId: NetworkID, address: Addr };
      }),
      createdMs: CreatedAt,
    };
  },
);

/** Pure. `GET /tasks`. */
export const readSwarmTasks = mapped(task, (row): SwarmTask => ({
  id: row.ID,
  serviceId: row.ServiceID,
  nodeId: row.NodeID,
  state: row.Status.State,
  desiredState: row.DesiredState,
  error: row.Status.Err,
  createdMs: row.CreatedAt,
  addresses: (row.NetworksAttachments ?? []).flatMap(({ Network, Addresses }) =>
    (Addresses ?? []).map((address) => ({ networkId: Network?.ID ?? '', address })),
  ),
}));

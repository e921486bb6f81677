import type { Place } from '../../agent/core/diagnostic.ts';
import type { Rendered, Seen } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import type { NetworkCreate, ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import { indexState, type StackObserved } from '../../agent/providers/stack/observed.ts';
import type { CheckSpec, HealthSpec, StackSpec } from '../../agent/providers/stack/spec.ts';
import type {
  ObservedNode,
  ObservedService,
  ObservedTask,
  SwarmState,
} from '../../agent/providers/stack/swarm.ts';

/** Builders of plain data for tests of the pure parts: each gives something small and valid, parts can be set. */
export const digestKey = new Secret(Buffer.alloc(32, 7).toString('base64'));

const place: Place = {
  file: 'stacks/blog/compose.yaml',
  line: 1,
  column: 1,
  length: 1,
  quoted: '',
};

/** As the CLI would send it. */
export function service(name: string, parts: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    Name: `blog_${name}`,
    Labels: { 'com.docker.stack.image': 'site:1', 'com.docker.stack.namespace': 'blog' },
    TaskTemplate: {
      ContainerSpec: {
        Image: 'site:1',
        Labels: { 'com.docker.stack.namespace': 'blog' },
        Privileges: { CredentialSpec: null, SELinuxContext: null, NoNewPrivileges: false },
      },
      Resources: {},
      Placement: {},
      Networks: [{ Target: 'blog_default', Aliases: [name] }],
      ForceUpdate: 0,
    },
    Mode: { Replicated: {} },
    EndpointSpec: {},
    ...parts,
  };
}

/** As engine 20.10 gives a service back that was sent so. */
export function stored(sent: ServiceSpec): ServiceSpec {
  const { TaskTemplate: task } = sent;
  return {
    ...sent,
    TaskTemplate: {
      ...task,
      Runtime: 'container',
      ContainerSpec: {
        ...task.ContainerSpec,
        Privileges: { CredentialSpec: null, SELinuxContext: null },
        Isolation: 'default',
      },
      Networks: (task.Networks ?? []).map((one) => ({ ...one, Target: `id-${one.Target}` })),
    },
    Mode:
      sent.Mode?.Replicated === undefined
        ? (sent.Mode ?? {})
        : {
            Replicated: { Replicas: sent.Mode.Replicated.Replicas ?? 1 },
          },
    EndpointSpec: { ...sent.EndpointSpec, Mode: sent.EndpointSpec?.Mode ?? 'vip' },
  };
}

export function network(name: string): NetworkCreate {
  return {
    Name: name,
    CheckDuplicate: true,
    Driver: 'overlay',
    Scope: '',
    IPAM: null,
    Internal: false,
    Attachable: false,
    Ingress: false,
    ConfigOnly: false,
    ConfigFrom: null,
    Options: null,
    Labels: { 'com.docker.stack.namespace': 'blog' },
  };
}

export function unit(spec: Partial<StackSpec> = {}, digest = 'd1'): Rendered<StackSpec> {
  return {
    id: 'stack/blog',
    digest,
    place,
    needs: [],
    gives: [],
    dependsOn: [],
    spec: {
      name: 'blog',
      services: { web: service('web') },
      networks: { default: network('blog_default') },
      configs: {},
      secrets: {},
      health: health(),
      rollback: { mode: 'auto', keep: 3 },
      ...spec,
    },
  };
}

export function live(spec: ServiceSpec, parts: Partial<ObservedService> = {}): ObservedService {
  return { id: `id-${spec.Name}`, version: 10, spec: stored(spec), ...parts };
}

export function node(hostname: string, parts: Partial<ObservedNode> = {}): ObservedNode {
  return {
    id: `id-${hostname}`,
    hostname,
    role: 'worker',
    availability: 'active',
    state: 'ready',
    labels: {},
    engineLabels: {},
    platform: { os: 'linux', architecture: 'x86_64' },
    address: '10.0.0.1',
    ...parts,
  };
}

export function task(id: string, parts: Partial<ObservedTask> = {}): ObservedTask {
  return {
    id,
    serviceId: 'id-blog_web',
    nodeId: 'id-w1',
    createdAt: '2026-01-01T00:00:00Z',
    timestamp: '2026-01-01T00:00:00Z',
    state: 'running',
    desiredState: 'running',
    message: 'started',
    ...parts,
  };
}

/** `fresh` defaults to all tasks. */
export function observed(parts: Partial<SwarmState> = {}): StackObserved {
  const tasks = parts.tasks ?? [];
  return indexState(
    {
      services: [],
      networks: [],
      configs: [],
      secrets: [],
      nodes: [node('w1')],
      tasks,
      freshTaskIds: new Set(tasks.map(({ id }) => id)),
      ...parts,
    },
    digestKey,
  );
}

export const blogNetwork = {
  id: 'id-blog_default',
  name: 'blog_default',
  scope: 'swarm',
  driver: 'overlay',
  internal: false,
  attachable: false,
  labels: { 'com.docker.stack.namespace': 'blog' },
  options: { 'com.docker.network.driver.overlay.vxlanid_list': '4097' },
  ipamDriver: 'default',
  subnets: ['10.0.1.0/24'],
};

/** What is known of an attempt: nothing was there before it, no node went away, nothing was answered. */
export function seen(parts: Partial<Seen> = {}): Seen {
  return { baseline: new Set(), lost: new Set(), answers: new Map(), judged: true, ...parts };
}

/** Five minutes without progress, half a minute well. */
export function health(checks: readonly CheckSpec[] = []): HealthSpec {
  return { timeoutMs: 300_000, stableForMs: 30_000, checks };
}

import type { ServiceSpec, TaskTemplate } from '../../agent/providers/stack/engine-api.ts';

/** What the fake keeps of a service. */
export interface FakeService {
  readonly id: string;
  version: number;
  readonly createdAt: string;
  updatedAt: string;
  spec: ServiceSpec;
  previous?: ServiceSpec;
  update?: { State: string; Message: string; StartedAt: string; CompletedAt?: string };
  /** While `update` goes on. */
  rollout?: Rollout;
}

/** How far an update is. Keys are those of slots. */
export interface Rollout {
  readonly sinceMs: number;
  /** Slots that the updater took on. */
  readonly taken: Set<string>;
  /** When a task of the new spec first ran or ended there: the updater looks no further before it goes on. */
  readonly reached: Map<string, number>;
  readonly failed: Map<string, FakeTask>;
}

/** What the fake keeps of a task. */
export interface FakeTask {
  readonly id: string;
  readonly serviceId: string;
  readonly slot?: number;
  nodeId?: string;
  readonly createdAt: string;
  timestamp: string;
  state: string;
  desiredState: string;
  message: string;
  error?: string;
  exitCode?: number;
  version: number;
  readonly template: TaskTemplate;
  /** The endpoint is part of what makes a task fit its service, though a task does not show it. */
  readonly endpoint: ServiceSpec['EndpointSpec'];
  readonly createdMs: number;
  /** When it came into its state. */
  sinceMs: number;
  /** When its container was started. */
  startedMs?: number;
  /** When it first ran. */
  ranMs?: number;
  /** When it was told to stop. */
  toldMs?: number;
  /** It stays ready until then: the delay of a restart. */
  readonly notBeforeMs: number;
  /** It stays ready until this one is over. */
  readonly after?: FakeTask;
}

/** A node as a test sets it. */
export interface FakeNode {
  readonly id: string;
  hostname: string;
  role: 'manager' | 'worker';
  availability: 'active' | 'pause' | 'drain';
  state: 'ready' | 'down';
  labels: Record<string, string>;
  /** Of its engine: its machine's own. */
  engineLabels?: Readonly<Record<string, string>>;
  address: string;
  /** When the Swarm last wrote it. */
  updatedAt: string;
  /** Images that it has: these run although no registry gives them. */
  readonly pulled: Set<string>;
}

/** How an image behaves; what is left out is well. Milliseconds. */
export interface Conduct {
  /** What the registry says instead of giving it; `open`: it cannot be reached. */
  readonly pull?: 'missing' | 'denied' | 'open';
  /** Its healthcheck is good so long after the start; `Infinity`: never. */
  readonly healthyAfterMs?: number;
  /** It ends so long after the start. */
  readonly endsAfterMs?: number;
  /** 1. With 0 the task is `complete`. */
  readonly exitCode?: number;
  /** What the task says instead of `task: non-zero exit (1)`. */
  readonly error?: string;
  /** From being told to stop to its end. */
  readonly stopsAfterMs?: number;
}

/** What tasks and orchestrator need of the fake. */
export interface World {
  readonly services: Map<string, FakeService>;
  readonly tasks: Map<string, FakeTask>;
  readonly nodes: Map<string, FakeNode>;
  readonly nowMs: number;
  conduct(image: string): Conduct;
  /** Whether the registries answer at all. */
  readonly registryUp: boolean;
  id(): string;
  /** One raft commit: the new index. */
  commit(): number;
  now(): string;
}

const ended = new Set(['complete', 'shutdown', 'failed', 'rejected']);

/** Whether a task will never run again. */
export function isOver({ state }: FakeTask): boolean {
  return ended.has(state);
}

/** Whether a task runs or is about to. */
export function isLive(task: FakeTask): boolean {
  return !isOver(task) && ['ready', 'running', 'complete'].includes(task.desiredState);
}

/** Which place of its service a task fills: a number, or a node of a global service. */
export function keyOf(task: FakeTask): string {
  return task.slot === undefined ? (task.nodeId ?? '') : String(task.slot);
}

/** Whether the service runs to an end. */
export function isJob({ Mode }: ServiceSpec): boolean {
  return Mode?.ReplicatedJob !== undefined || Mode?.GlobalJob !== undefined;
}

/** Whether the service has one task a node. */
export function isGlobal({ Mode }: ServiceSpec): boolean {
  return Mode?.Global !== undefined || Mode?.GlobalJob !== undefined;
}

/** What the API gives in nanoseconds, in milliseconds. */
export function msOf(nanoseconds: number | undefined, otherwise: number): number {
  return nanoseconds === undefined ? otherwise : nanoseconds / 1_000_000;
}

/** Changes a task's state; its status is written to the raft. */
export function become(world: World, task: FakeTask, to: { state: string; message: string }): void {
  Object.assign(task, to, {
    timestamp: world.now(),
    version: world.commit(),
    sinceMs: world.nowMs,
  });
  if (to.state === 'starting') task.startedMs = world.nowMs;
  if (to.state === 'running') task.ranMs ??= world.nowMs;
}

/** Tells a task to stop. */
export function tell(world: World, task: FakeTask, desired: 'shutdown' | 'remove'): void {
  task.desiredState = desired;
  task.toldMs = world.nowMs;
}

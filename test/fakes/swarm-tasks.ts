import { isDeepStrictEqual } from 'node:util';
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
}

/** A node as a test sets it. */
export interface FakeNode {
  readonly id: string;
  hostname: string;
  role: 'manager' | 'worker';
  availability: 'active' | 'pause' | 'drain';
  state: 'ready' | 'down';
  labels: Record<string, string>;
  address: string;
}

/** What the orchestrator needs of the fake. */
export interface World {
  readonly services: Map<string, FakeService>;
  readonly tasks: Map<string, FakeTask>;
  readonly nodes: Map<string, FakeNode>;
  /** Images that no node can pull. */
  readonly badImages: ReadonlySet<string>;
  id(): string;
  /** One raft commit: the new index. */
  commit(): number;
  now(): string;
}

const states = ['new', 'pending', 'assigned', 'preparing', 'starting', 'running'];
/** TaskHistoryRetentionLimit 5: the current task and five older ones of a slot. */
const historyMax = 6;

/** Whether a task fits the current spec of its service: what the engine's `_up-to-date` filter asks. */
export function isFresh(task: FakeTask, service: FakeService | undefined): boolean {
  if (service === undefined) return false;
  const { TaskTemplate: template, EndpointSpec: endpoint } = service.spec;
  return isDeepStrictEqual(task.template, template) && isDeepStrictEqual(task.endpoint, endpoint);
}

/** Every task one state further, then what the orchestrator does about it. True when anything moved. */
export function advance(world: World): boolean {
  let moved = false;
  for (const task of world.tasks.values()) moved = moveTask(world, task) || moved;
  for (const service of world.services.values()) moved = orchestrate(world, service) || moved;
  return moved;
}

function moveTask(world: World, task: FakeTask): boolean {
  const over = ['shutdown', 'complete', 'failed', 'rejected'].includes(task.state);
  if (over) return false;
  if (task.desiredState === 'shutdown' || task.desiredState === 'remove') {
    set(world, task, { state: 'shutdown', message: 'shutdown' });
    if (task.desiredState === 'remove') world.tasks.delete(task.id);
    return true;
  }
  if (task.state === 'running') return false;
  if (task.state === 'pending' && task.nodeId === undefined) return schedule(world, task);
  const { Image } = task.template.ContainerSpec;
  if (task.state === 'preparing' && world.badImages.has(Image)) {
    task.desiredState = 'shutdown';
    task.error = `No such image: ${Image}`;
    set(world, task, { state: 'rejected', message: 'preparing' });
    return true;
  }
  const state = states[states.indexOf(task.state) + 1] ?? 'running';
  set(world, task, { state, message: state === 'running' ? 'started' : state });
  return true;
}

function schedule(world: World, task: FakeTask): boolean {
  const fit = [...world.nodes.values()].filter(
    (node) => node.availability === 'active' && node.state === 'ready',
  );
  const node = fit[(task.slot ?? 1) % Math.max(fit.length, 1)];
  if (node === undefined) {
    const count = world.nodes.size;
    const error = `no suitable node (${String(count)} node${count === 1 ? '' : 's'} not available for new tasks)`;
    if (task.error === error) return false;
    task.error = error;
    set(world, task, { state: 'pending', message: 'pending task scheduling' });
    return true;
  }
  delete task.error;
  task.nodeId = node.id;
  set(world, task, { state: 'assigned', message: 'scheduler assigned task to node' });
  return true;
}

function set(world: World, task: FakeTask, to: { state: string; message: string }): void {
  Object.assign(task, to, { timestamp: world.now(), version: world.commit() });
}

/** Brings the tasks of one service towards its spec: scales, restarts what failed, replaces what does not fit. */
export function orchestrate(world: World, service: FakeService): boolean {
  // First, so that a failure stops the next replacement.
  let moved = noteUpdate(world, service);
  const slots = slotsOf(world, service);
  const live = [...world.tasks.values()].filter(
    (task) => task.serviceId === service.id && task.desiredState === 'running',
  );
  for (const task of live) {
    if (slots.some(({ key }) => key === keyOf(task))) continue;
    task.desiredState = 'remove';
    moved = true;
  }
  const update = service.spec.UpdateConfig;
  const parallel = update?.Parallelism === 0 ? slots.length : (update?.Parallelism ?? 1);
  const rolling = live.filter((task) => isFresh(task, service) && task.state !== 'running').length;
  let free = Math.max(0, parallel - rolling);
  const paused = service.update?.State.endsWith('paused') ?? false;
  for (const { key, slot, nodeId } of slots) {
    const current = live.find((task) => keyOf(task) === key);
    if (current !== undefined && (isFresh(current, service) || paused)) continue;
    if (current !== undefined) {
      if (free === 0) continue;
      free -= 1;
      current.desiredState = 'shutdown';
      begin(world, service);
    }
    newTask(world, service, {
      ...(slot === undefined ? {} : { slot }),
      ...(nodeId === undefined ? {} : { nodeId }),
    });
    moved = true;
  }
  return moved;
}

interface Slot {
  readonly key: string;
  readonly slot?: number;
  readonly nodeId?: string;
}

function slotsOf(world: World, service: FakeService): Slot[] {
  const { Mode } = service.spec;
  if (Mode?.Global !== undefined || Mode?.GlobalJob !== undefined) {
    return [...world.nodes.values()]
      .filter((node) => node.availability === 'active' && node.state === 'ready')
      .map((node) => ({ key: node.id, nodeId: node.id }));
  }
  const count = Mode?.ReplicatedJob?.TotalCompletions ?? Mode?.Replicated?.Replicas ?? 1;
  return Array.from({ length: count }, (_, at) => ({ key: String(at + 1), slot: at + 1 }));
}

function keyOf(task: FakeTask): string {
  return task.slot === undefined ? (task.nodeId ?? '') : String(task.slot);
}

function begin(world: World, service: FakeService): void {
  const { State = '' } = service.update ?? {};
  if (State === 'updating' || State === 'rollback_started') return;
  service.update = {
    State: 'updating',
    Message: 'update in progress',
    StartedAt: world.now(),
  };
  service.version = world.commit();
}

/** The updater's own writes: what it ended as, when it ended, and the spec that a rollback brings back. */
function noteUpdate(world: World, service: FakeService): boolean {
  const { update } = service;
  if (update?.State !== 'updating' && update?.State !== 'rollback_started') return false;
  const mine = [...world.tasks.values()].filter(
    (task) => task.serviceId === service.id && isFresh(task, service),
  );
  const failed = mine.find((task) => task.state === 'failed' || task.state === 'rejected');
  const running = mine.filter((task) => task.state === 'running').length;
  const back = update.State === 'rollback_started';
  const config = back ? service.spec.RollbackConfig : service.spec.UpdateConfig;
  const action = config?.FailureAction ?? 'pause';
  if (failed !== undefined && action === 'pause') {
    update.State = back ? 'rollback_paused' : 'paused';
    update.Message = `${back ? 'rollback' : 'update'} paused due to failure or early termination of task ${failed.id}`;
  } else if (failed !== undefined && action === 'rollback' && !back && service.previous) {
    update.State = 'rollback_started';
    update.Message = `update rolled back due to failure or early termination of task ${failed.id}`;
    service.spec = service.previous;
    delete service.previous;
  } else if (running >= slotsOf(world, service).length) {
    update.State = back ? 'rollback_completed' : 'completed';
    update.Message = `${back ? 'rollback' : 'update'} completed`;
    update.CompletedAt = world.now();
  } else {
    return false;
  }
  service.version = world.commit();
  return true;
}

function newTask(world: World, service: FakeService, at: Omit<Slot, 'key'>): void {
  const task: FakeTask = {
    id: world.id(),
    serviceId: service.id,
    ...(at.slot === undefined ? {} : { slot: at.slot }),
    ...(at.nodeId === undefined ? {} : { nodeId: at.nodeId }),
    createdAt: world.now(),
    timestamp: world.now(),
    state: 'new',
    desiredState: 'running',
    message: 'created',
    version: world.commit(),
    template: structuredClone(service.spec.TaskTemplate),
    endpoint: structuredClone(service.spec.EndpointSpec),
  };
  world.tasks.set(task.id, task);
  const old = [...world.tasks.values()].filter(
    (one) => one.serviceId === service.id && keyOf(one) === keyOf(task),
  );
  for (const one of old.slice(0, Math.max(0, old.length - historyMax))) world.tasks.delete(one.id);
}

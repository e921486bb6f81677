import type { UpdateConfig } from '../../agent/providers/stack/engine-api.ts';
import { isFresh, isLost, meets, takes } from './swarm-placement.ts';
import { dueMs, moveTask } from './swarm-tasks.ts';
import { noteUpdate, updateDueMs } from './swarm-updater.ts';
import {
  type FakeService,
  type FakeTask,
  isGlobal,
  isJob,
  isLive,
  isOver,
  keyOf,
  msOf,
  tell,
  type World,
} from './swarm-world.ts';

/** TaskHistoryRetentionLimit 5: the current task and five older ones of a slot. */
const HISTORY_MAX = 6;
/** Before a failed task is followed by another, where the service does not say. */
const RESTART_DELAY_MS = 5_000;
/** So long a new task waits for the old one to stop; then both run. */
const STOP_PATIENCE_MS = 60_000;

/** Everything that happens at this moment. True when anything moved. */
export function happen(world: World): boolean {
  let moved = false;
  for (const task of world.tasks.values()) moved = moveTask(world, task) || moved;
  const groups = Map.groupBy(world.tasks.values(), ({ serviceId }) => serviceId);
  for (const service of world.services.values()) {
    moved = orchestrate(world, service, groups.get(service.id) ?? []) || moved;
  }
  return moved;
}

/** When something happens next by itself, later than now; `Infinity` where nothing does. */
export function nextDueMs(world: World): number {
  let next = Infinity;
  const note = (ms: number): void => {
    if (ms > world.nowMs) next = Math.min(next, ms);
  };
  for (const task of world.tasks.values()) {
    note(dueMs(world, task));
    if (task.desiredState !== 'ready') continue;
    note(task.notBeforeMs);
    note(task.createdMs + STOP_PATIENCE_MS);
  }
  for (const service of world.services.values()) {
    note(updateDueMs(service, slotsOf(world, service).length));
  }
  return next;
}

/** Brings the tasks of one service towards its spec: scales, restarts what ended, replaces what does not fit. */
export function orchestrate(world: World, service: FakeService, tasks: FakeTask[]): boolean {
  const slots = slotsOf(world, service);
  // First, so that a failure stops the next replacement.
  let moved = noteUpdate(
    world,
    service,
    tasks,
    slots.map(({ key }) => key),
  );
  const wanted = new Set(slots.map(({ key }) => key));
  for (const task of tasks) {
    if (!isLive(task) || wanted.has(keyOf(task)) || keptByPause(world, task)) continue;
    tell(world, task, isGlobal(service.spec) ? 'shutdown' : 'remove');
    moved = true;
  }
  const bySlot = Map.groupBy(
    tasks.filter(({ desiredState }) => desiredState !== 'remove'),
    keyOf,
  );
  const config = service.spec.UpdateConfig;
  let free = freeSlots(world, service, slots.length, config);
  for (const slot of slots) {
    const turn = { world, service, slot, here: bySlot.get(slot.key) ?? [], tasks };
    const done = fill(turn, free > 0);
    if (done === 'replaced') free -= 1;
    moved = done !== 'nothing' || moved;
  }
  return moved;
}

interface Slot {
  readonly key: string;
  readonly slot?: number;
  readonly nodeId?: string;
}

interface Turn {
  readonly world: World;
  readonly service: FakeService;
  readonly slot: Slot;
  /** Tasks of the slot, oldest first, without those that are to vanish. */
  readonly here: readonly FakeTask[];
  /** All of the service. */
  readonly tasks: FakeTask[];
}

function slotsOf(world: World, { spec }: FakeService): Slot[] {
  if (isGlobal(spec)) {
    return [...world.nodes.values()]
      .filter((node) => takes(node) && meets(node, spec))
      .map((node) => ({ key: node.id, nodeId: node.id }));
  }
  const { Mode } = spec;
  const count = Mode?.ReplicatedJob?.TotalCompletions ?? Mode?.Replicated?.Replicas ?? 1;
  return Array.from({ length: count }, (_, at) => ({ key: String(at + 1), slot: at + 1 }));
}

/** A paused node keeps the task of a global service that it has. */
function keptByPause(world: World, task: FakeTask): boolean {
  return task.slot === undefined && world.nodes.get(task.nodeId ?? '')?.availability === 'pause';
}

/** How many more slots the updater may take on now. */
function freeSlots(
  world: World,
  { rollout }: FakeService,
  slots: number,
  config: UpdateConfig | undefined,
): number {
  const atOnce = config?.Parallelism === 0 ? slots : (config?.Parallelism ?? 1);
  const delay = msOf(config?.Delay, 0);
  const busy = [...(rollout?.taken ?? [])].filter((key) => {
    const reachedMs = rollout?.reached.get(key);
    return reachedMs === undefined || reachedMs + delay > world.nowMs;
  });
  return atOnce - busy.length;
}

type Done = 'nothing' | 'moved' | 'replaced';

function fill(turn: Turn, mayReplace: boolean): Done {
  const { world, service, here, slot } = turn;
  const fresh = here.filter((task) => isFresh(world.nodes, task, service));
  const current = fresh.findLast(isLive);
  if (current !== undefined) {
    return isLost(world, current) ? replaceLost(turn, current) : goOn(turn, current);
  }
  const last = here.at(-1);
  if (last === undefined) return newTask(turn, {});
  // A node that has to have its task again: what was told to end there did not fail.
  if (last.slot === undefined && last.toldMs !== undefined) return newTask(turn, { after: last });
  const ended = noteEnd(turn, last, fresh.includes(last));
  if (ended !== 'nothing') return ended === 'waits' ? 'nothing' : ended;
  const paused = service.update?.State.endsWith('paused') ?? false;
  const stale = here.findLast(isLive);
  if (stale !== undefined && isLost(world, stale)) return replaceLost(turn, stale);
  if (stale === undefined && (fresh.includes(last) || paused)) return restart(turn, last);
  if (paused || !mayReplace) return 'nothing';
  service.rollout?.taken.add(slot.key);
  begin(world, service, slot.key);
  if (stale === undefined || service.spec.UpdateConfig?.Order === 'start-first') {
    newTask(turn, {});
  } else {
    tell(world, stale, 'shutdown');
    newTask(turn, { after: stale });
  }
  return 'replaced';
}

/**
 * A task that ended is told so in the same moment, but for one that was still to wait: it shows `rejected` and `ready`
 * until its time to start has come, and only then another follows.
 */
function noteEnd({ world }: Turn, last: FakeTask, fresh: boolean): Done | 'waits' {
  const waited = last.desiredState === 'ready';
  if (!isOver(last) || !(waited || last.desiredState === 'running')) return 'nothing';
  if (waited && fresh && !mayStart(world, last)) return 'waits';
  last.desiredState = 'shutdown';
  return 'moved';
}

/** Starts what waited long enough, and stops what it replaces once it runs. */
function goOn({ world, service, here }: Turn, current: FakeTask): Done {
  let done: Done = 'nothing';
  if (current.desiredState === 'ready' && mayStart(world, current)) {
    current.desiredState = isJob(service.spec) ? 'complete' : 'running';
    done = 'moved';
  }
  if (current.state !== 'running') return done;
  for (const other of here) {
    if (other === current || !isLive(other)) continue;
    tell(world, other, 'shutdown');
    done = 'moved';
  }
  return done;
}

function mayStart(world: World, { after, notBeforeMs, createdMs }: FakeTask): boolean {
  if (world.nowMs < notBeforeMs) return false;
  if (after === undefined || isOver(after) || !world.tasks.has(after.id)) return true;
  const away = world.nodes.get(after.nodeId ?? '')?.state === 'down';
  return away || world.nowMs >= createdMs + STOP_PATIENCE_MS;
}

/** Its copy on a node that is away goes on, for all that anybody knows: nothing waits for it. */
function replaceLost(turn: Turn, lost: FakeTask): Done {
  tell(turn.world, lost, 'shutdown');
  const drained = turn.world.nodes.get(lost.nodeId ?? '')?.availability === 'drain';
  restart(turn, lost, drained ? 0 : undefined);
  return 'moved';
}

/** What follows a task that ended or was lost, by the restart policy. */
function restart(turn: Turn, last: FakeTask, delayMs?: number): Done {
  const { world, service, here } = turn;
  const policy = service.spec.TaskTemplate.RestartPolicy;
  const condition = isJob(service.spec) ? 'on-failure' : (policy?.Condition ?? 'any');
  const done = last.state === 'complete' && condition === 'on-failure';
  const attempts = here.filter(isOver).length;
  const max = policy?.MaxAttempts ?? 0;
  if (condition === 'none' || done || (max > 0 && attempts > max)) return 'nothing';
  const waitMs = delayMs ?? msOf(policy?.Delay, RESTART_DELAY_MS);
  return newTask(turn, {
    notBeforeMs: world.nowMs + waitMs,
    ...(isOver(last) ? {} : { after: last }),
  });
}

/** The updater's first write: only where some slot has to change. */
function begin(world: World, service: FakeService, key: string): void {
  if (service.rollout !== undefined) return;
  const sinceMs = world.nowMs;
  service.rollout = { sinceMs, taken: new Set([key]), reached: new Map(), failed: new Map() };
  service.update = {
    State: 'updating',
    Message: 'update in progress',
    StartedAt: world.now(),
  };
  service.version = world.commit();
}

function newTask(
  { world, service, slot, here, tasks }: Turn,
  { after, notBeforeMs = 0 }: { after?: FakeTask; notBeforeMs?: number },
): Done {
  const waits = after !== undefined || notBeforeMs > world.nowMs;
  const task: FakeTask = {
    id: world.id(),
    serviceId: service.id,
    ...(slot.slot === undefined ? {} : { slot: slot.slot }),
    ...(slot.nodeId === undefined ? {} : { nodeId: slot.nodeId }),
    createdAt: world.now(),
    timestamp: world.now(),
    state: 'new',
    desiredState: waits ? 'ready' : isJob(service.spec) ? 'complete' : 'running',
    message: 'created',
    version: world.commit(),
    template: structuredClone(service.spec.TaskTemplate),
    endpoint: structuredClone(service.spec.EndpointSpec),
    createdMs: world.nowMs,
    sinceMs: world.nowMs,
    notBeforeMs,
    ...(after === undefined ? {} : { after }),
  };
  world.tasks.set(task.id, task);
  tasks.push(task);
  const old = [...here, task];
  for (const one of old.slice(0, Math.max(0, old.length - HISTORY_MAX))) world.tasks.delete(one.id);
  return 'moved';
}

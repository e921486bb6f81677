import { become, type FakeTask, isJob, isOver, tell, type World } from './swarm-world.ts';
import { place } from './swarm-placement.ts';

/** How long a task stays in each state on its way to running, and how long it takes to stop. */
export const STATE_MS = 100;

/** When a task moves by itself next; `Infinity` where it waits for something else. */
export function dueMs(world: World, task: FakeTask): number {
  if (isOver(task)) return task.desiredState === 'remove' ? world.nowMs : Infinity;
  // Nobody hears of a node that is away: its tasks stay as they were last seen.
  if (world.nodes.get(task.nodeId ?? '')?.state === 'down') return Infinity;
  const conduct = world.conduct(task.template.ContainerSpec.Image);
  const { toldMs, startedMs = Infinity, sinceMs } = task;
  if (toldMs !== undefined) {
    return toldMs + (task.startedMs === undefined ? 0 : (conduct.stopsAfterMs ?? STATE_MS));
  }
  const endMs = startedMs + (conduct.endsAfterMs ?? Infinity);
  switch (task.state) {
    case 'ready':
      return task.desiredState === 'ready' ? Infinity : world.nowMs;
    case 'starting':
      return Math.min(endMs, startedMs + (conduct.healthyAfterMs ?? STATE_MS));
    case 'running':
      return isJobTask(world, task) ? Math.min(endMs, sinceMs + STATE_MS) : endMs;
    default:
      return sinceMs + STATE_MS;
  }
}

/** One state further where it is time. True when anything changed. */
export function moveTask(world: World, task: FakeTask): boolean {
  // Tried again and again: a node may have come.
  if (task.state === 'pending' && task.nodeId === undefined && task.toldMs === undefined) {
    return dueMs(world, task) <= world.nowMs && schedule(world, task);
  }
  if (dueMs(world, task) > world.nowMs) return false;
  if (task.toldMs !== undefined) {
    if (!isOver(task)) become(world, task, { state: 'shutdown', message: 'shutdown' });
    if (task.desiredState === 'remove') world.tasks.delete(task.id);
    return true;
  }
  const conduct = world.conduct(task.template.ContainerSpec.Image);
  const { startedMs } = task;
  if (startedMs !== undefined && startedMs + (conduct.endsAfterMs ?? Infinity) <= world.nowMs) {
    return end(world, task, conduct);
  }
  if (task.state === 'running') return end(world, task, { exitCode: 0 });
  return task.state === 'preparing' ? prepare(world, task) : goOn(world, task);
}

function goOn(world: World, task: FakeTask): boolean {
  const next = { new: 'pending', pending: 'assigned', assigned: 'preparing', ready: 'starting' };
  const state = new Map(Object.entries(next)).get(task.state) ?? 'running';
  become(world, task, { state, message: state === 'running' ? 'started' : state });
  return true;
}

/** Pulls the image. The registry is asked first, though the node may have the image. */
function prepare(world: World, task: FakeTask): boolean {
  const { Image } = task.template.ContainerSpec;
  const node = world.nodes.get(task.nodeId ?? '');
  const pulled = world.registryUp && world.conduct(Image).pull === undefined;
  if (pulled) node?.pulled.add(Image);
  if (node?.pulled.has(Image) !== true) {
    task.error = `No such image: ${Image}`;
    become(world, task, { state: 'rejected', message: 'preparing' });
    return true;
  }
  const state = task.desiredState === 'ready' ? 'ready' : 'starting';
  become(world, task, { state, message: state });
  return true;
}

function end(
  world: World,
  task: FakeTask,
  { exitCode = 1, error }: { exitCode?: number; error?: string },
): boolean {
  const well = exitCode === 0 && error === undefined;
  task.exitCode = exitCode;
  if (!well) task.error = error ?? `task: non-zero exit (${String(exitCode)})`;
  become(world, task, {
    state: well ? 'complete' : 'failed',
    message: well ? 'finished' : 'started',
  });
  return true;
}

function schedule(world: World, task: FakeTask): boolean {
  const node = place(world, task);
  if (typeof node === 'string') {
    if (task.error === node) return false;
    task.error = node;
    become(world, task, { state: 'pending', message: 'pending task scheduling' });
    return true;
  }
  delete task.error;
  task.nodeId = node.id;
  become(world, task, { state: 'assigned', message: 'scheduler assigned task to node' });
  return true;
}

function isJobTask(world: World, task: FakeTask): boolean {
  const spec = world.services.get(task.serviceId)?.spec;
  return spec !== undefined && isJob(spec);
}

/** Lets go of all tasks of a service that is gone. */
export function releaseTasks(world: World, serviceId: string): void {
  for (const task of world.tasks.values()) {
    if (task.serviceId === serviceId) tell(world, task, 'remove');
  }
}

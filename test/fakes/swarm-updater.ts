import { isFresh } from './swarm-placement.ts';
import { type FakeService, type FakeTask, isOver, keyOf, msOf, type World } from './swarm-world.ts';

/** How long after its start the end of a task counts against an update, where the service does not say. */
const MONITOR_MS = 5_000;

/** The updater's own writes: what it ended as, when it ended, and the spec that a rollback brings back. */
export function noteUpdate(
  world: World,
  service: FakeService,
  tasks: readonly FakeTask[],
  slots: readonly string[],
): boolean {
  const { update, rollout } = service;
  if (update === undefined || rollout === undefined) return false;
  const back = update.State === 'rollback_started';
  const config = back ? service.spec.RollbackConfig : service.spec.UpdateConfig;
  const monitorMs = msOf(config?.Monitor, MONITOR_MS);
  const fresh = tasks.filter((task) => isFresh(world.nodes, task, service));
  for (const task of fresh) {
    const key = keyOf(task);
    // What ended before this update says nothing about it, though it may have had the same spec.
    const mine = task.createdMs >= rollout.sinceMs;
    const over = mine && isOver(task) && task.desiredState !== 'ready';
    const reached = task.state === 'running' || over;
    if (reached && !rollout.reached.has(key)) rollout.reached.set(key, world.nowMs);
    const early = task.ranMs === undefined || task.sinceMs - task.ranMs <= monitorMs;
    if (over && early && !rollout.failed.has(key)) rollout.failed.set(key, task);
  }
  const [failed] = rollout.failed.values();
  const share = rollout.failed.size / Math.max(slots.length, 1);
  const action = config?.FailureAction ?? 'pause';
  if (failed !== undefined && action !== 'continue' && share > (config?.MaxFailureRatio ?? 0)) {
    return giveUp(world, service, { failed, rollBack: action === 'rollback' && !back });
  }
  const lastMs = slots.reduce(
    (last, key) => Math.max(last, rollout.reached.get(key) ?? Infinity),
    0,
  );
  const dirty = tasks.some((task) => isStale(world, task, service));
  if (dirty || world.nowMs < lastMs + monitorMs) return false;
  write(world, service, { State: back ? 'rollback_completed' : 'completed', failed: undefined });
  return true;
}

/** When a quiet update counts as completed; `Infinity` while one of its slots is open. */
export function updateDueMs(service: FakeService, slots: number): number {
  const { rollout, update, spec } = service;
  if (rollout === undefined) return Infinity;
  const config = update?.State === 'rollback_started' ? spec.RollbackConfig : spec.UpdateConfig;
  const reached = [...rollout.reached.values()];
  const last = Math.max(0, ...reached);
  // Before all are through: when the next one may be taken on.
  if (reached.length < slots) return last + msOf(config?.Delay, 0);
  return last + msOf(config?.Monitor, MONITOR_MS);
}

/** A task of an older spec that nobody has told to stop. */
function isStale(world: World, task: FakeTask, service: FakeService): boolean {
  return !isOver(task) && task.toldMs === undefined && !isFresh(world.nodes, task, service);
}

function giveUp(
  world: World,
  service: FakeService,
  { failed, rollBack }: { failed: FakeTask; rollBack: boolean },
): boolean {
  const { previous, update } = service;
  if (rollBack && previous !== undefined) {
    write(world, service, { State: 'rollback_started', failed });
    service.spec = previous;
    delete service.previous;
    const sinceMs = world.nowMs;
    service.rollout = { sinceMs, taken: new Set(), reached: new Map(), failed: new Map() };
    return true;
  }
  const back = update?.State === 'rollback_started';
  write(world, service, { State: back ? 'rollback_paused' : 'paused', failed });
  return true;
}

const words = new Map([
  ['rollback_started', 'update rolled back'],
  ['rollback_paused', 'rollback paused'],
  ['paused', 'update paused'],
  ['completed', 'update completed'],
  ['rollback_completed', 'rollback completed'],
]);

function write(
  world: World,
  service: FakeService,
  { State, failed }: { State: string; failed: FakeTask | undefined },
): void {
  const why =
    failed === undefined ? '' : ` due to failure or early termination of task ${failed.id}`;
  const StartedAt = service.update?.StartedAt ?? world.now();
  const CompletedAt = State.endsWith('completed') ? { CompletedAt: world.now() } : {};
  const Message = `${words.get(State) ?? State}${why}`;
  service.update = { State, Message, StartedAt, ...CompletedAt };
  service.version = world.commit();
  delete service.rollout;
}

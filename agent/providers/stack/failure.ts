import type { Failure, Seen } from '../../core/kind.ts';
import { visible } from '../../core/visible.ts';
import type { ServiceSpec } from './engine-api.ts';
import { fullNetwork } from './explain/addresses.ts';
import { brokeOffWaiting, endInWords, lacksAddress } from './explain/ended.ts';
import type { Speaker } from './last-lines.ts';
import type { StackObserved } from './observed.ts';
import type { ObservedNode, ObservedTask } from './swarm.ts';
import { type ServiceTasks, slotOf } from './tasks.ts';

/** So many failed tasks of one service are a certain failure: the engine alone would go on for ever. */
const FAILURES_MAX = 3;

/** The engine gives no error where an unhealthy container ends with 0 on SIGTERM. */
const ENDED = {
  checked: 'its healthcheck failed',
  unchecked: 'it ended by itself, or a healthcheck of its image failed',
};

/** What is said of a task by the code of its failure. */
const HAPPENED: Readonly<Record<string, string>> = {
  'cannot-start': 'a task could not start',
  crashed: 'a task crashed',
  unhealthy: 'a healthcheck failed',
  'image-missing': 'an image was missing',
};

/** A certain failure of one service. */
export interface ServiceFailure extends Failure, Speaker {
  /** What the engine runs it from. */
  readonly image: string;
  /** A node is about to get the image again. */
  readonly trying: boolean;
}

/**
 * Pure. Whether a service failed for certain. Only tasks of the current spec count that were not there before, on nodes
 * that are there and were all the time: what dies with its node says nothing about the commit.
 */
export function failureOf(
  tasks: ServiceTasks,
  observed: StackObserved,
  seen: Seen,
): ServiceFailure | undefined {
  const { key, live, all, fresh, wanted, job } = tasks;
  const bad = badTasks(tasks, observed, seen).filter((task) => fresh.includes(task));
  const [first] = bad;
  if (first === undefined || live === undefined) return undefined;
  const image = live.spec.TaskTemplate.ContainerSpec.Image;
  const code = codeOf(first, tasks);
  const failure = {
    code,
    evidence: describe(first, bad.length, tasks, observed),
    image,
    spec: live.spec,
    ...ranAs(first, code),
    trying: fresh.some(({ state }) => ['assigned', 'accepted', 'preparing'].includes(state)),
  };
  // Of all tasks: which of them are fresh was read a moment apart, and may miss the newest.
  const alive = all.some(({ desiredState }) => ['running', 'ready'].includes(desiredState));
  const none = !alive && !job && wanted > 0;
  const paused = isPaused(tasks, seen);
  if (!paused && !none && bad.length < FAILURES_MAX) return undefined;
  if (code === 'image-missing') return { ...failure, why: `${key}: no node could get ${image}` };
  if (paused) {
    const why = `${key}: ${HAPPENED[code] ?? 'a task failed'}, and the engine stopped the update`;
    return { ...failure, why };
  }
  const why =
    bad.length >= FAILURES_MAX
      ? `${String(bad.length)} tasks failed`
      : 'its tasks ended and the restart policy starts no other';
  return { ...failure, why: `${key}: ${why}` };
}

/**
 * Pure. The failure of a service whose spec the engine took back, or whose update it stopped. What failed is not of the
 * spec that is there now where the engine went back by itself; what crashes of the spec that is there is old trouble.
 */
export function engineGaveUp(
  tasks: ServiceTasks,
  observed: StackObserved,
  seen: Seen,
): ServiceFailure | undefined {
  const { key, live, spec } = tasks;
  const { updateState = '', updateMessage = '' } = live ?? {};
  const wentBack = updateState.startsWith('rollback_');
  if (!wentBack && updateState !== 'paused') return undefined;
  const named = namedTask(updateMessage);
  if (named !== undefined && seen.baseline.has(named)) return undefined;
  const bad = badTasks(tasks, observed, seen).filter(
    ({ id }) => !wentBack || id === named || !observed.state.freshTaskIds.has(id),
  );
  const first = bad.find(({ id }) => id === named) ?? bad[0];
  if (first === undefined) return undefined;
  // A lacking image stays the matter of the health, which asks the registry first.
  const other = named !== undefined && first.id !== named;
  if (!wentBack && (other || lacksImage(first))) return undefined;
  const did = wentBack ? 'rolled the update back' : 'stopped the update';
  const cause = codeOf(first, tasks);
  return {
    code: wentBack && cause !== 'image-missing' ? 'engine-rolled-back' : cause,
    why: `${key}: ${HAPPENED[cause] ?? 'a task failed'}, and the engine ${did}`,
    evidence: describe(first, bad.length, tasks, observed),
    image: spec.TaskTemplate.ContainerSpec.Image,
    spec,
    ...ranAs(first, cause),
    trying: false,
  };
}

/**
 * Pure. Failed tasks that count, the oldest first. One that only lacked its image does not where a later one in its place got
 * it: the registry was away for a while.
 */
export function badTasks(
  { all, job }: ServiceTasks,
  observed: StackObserved,
  { baseline, lost }: Seen,
): readonly ObservedTask[] {
  const counted = all
    .filter(
      (task) => !baseline.has(task.id) && isBad(task, job) && nodeWasThere(task, observed, lost),
    )
    .toSorted(byAge);
  // Where the engine went back by itself, the later task has the image of before, which says nothing of this one's.
  const { freshTaskIds } = observed.state;
  const sameSpec = ({ id }: ObservedTask): readonly ObservedTask[] =>
    all.filter((other) => freshTaskIds.has(other.id) === freshTaskIds.has(id));
  return counted.filter((task) => !lacksImage(task) || !gotImageLater(task, sameSpec(task)));
}

/** An unhealthy container that ends with 0 on SIGTERM shows as `complete`: for a service that is a failure too. */
function isBad(task: ObservedTask, job: boolean): boolean {
  const { state } = task;
  if (brokeOffWaiting(task)) return false;
  return state === 'failed' || state === 'rejected' || (state === 'complete' && !job);
}

function nodeWasThere(
  task: ObservedTask,
  { state }: StackObserved,
  lost: ReadonlySet<string>,
): boolean {
  if (task.nodeId === undefined) return true;
  const node = state.nodes.find(({ id }) => id === task.nodeId);
  return node?.state === 'ready' && !lost.has(node.id) && !diedWithNode(task, node);
}

/**
 * A node that is ready now may have been away while nobody looked, the agent's own most of all. An engine that starts again
 * kills what ran on it, and the Swarm writes the node when it comes back. It also writes it for other reasons (networks that
 * are attached), so only a kill counts as such.
 */
function diedWithNode(task: ObservedTask, { updatedAt }: ObservedNode): boolean {
  const killed = task.exitCode === 137 && task.error?.includes('unhealthy') !== true;
  if (!killed || updatedAt === undefined) return false;
  return task.createdAt < updatedAt;
}

/** The engine says no more, whatever the registry answered (facts: a refused connection and 401 look alike). */
function lacksImage({ state, error }: ObservedTask): boolean {
  return state === 'rejected' && /no such image/i.test(error ?? '');
}

/**
 * Pure. Whether the places that an update took on still lack its image. To make the engine go on with it then would stop
 * what still runs of before.
 */
export function waitsForImage({ all, fresh }: ServiceTasks): boolean {
  return fresh.some((task) => lacksImage(task) && !gotImageLater(task, all));
}

function gotImageLater(task: ObservedTask, others: readonly ObservedTask[]): boolean {
  return others.some(
    (other) =>
      slotOf(other) === slotOf(task) &&
      byAge(task, other) < 0 &&
      ['ready', 'starting', 'running', 'complete', 'failed'].includes(other.state),
  );
}

function byAge(one: ObservedTask, other: ObservedTask): number {
  return one.createdAt < other.createdAt ? -1 : one.createdAt > other.createdAt ? 1 : 0;
}

/** What was paused for a task from before was paused before. */
function isPaused({ live }: ServiceTasks, { baseline }: Seen): boolean {
  const { updateState = '', updateMessage = '' } = live ?? {};
  const named = namedTask(updateMessage);
  return updateState.endsWith('paused') && (named === undefined || !baseline.has(named));
}

/** `update paused due to failure or early termination of task <id>` */
function namedTask(message: string): string | undefined {
  return /early termination of task (\S+)$/.exec(message)?.[1];
}

/** Pure. What may have said something: a task that was rejected, or whose container did not start, wrote nothing. */
export function ranAs(
  { id, state, error = '', container }: ObservedTask,
  code: string,
): Pick<ServiceFailure, 'task' | 'container'> {
  const started = state !== 'rejected' && !error.includes('starting container failed');
  if (!started) return {};
  return { task: id, ...(code === 'unhealthy' && container !== undefined && { container }) };
}

/** Pure. */
export function codeOf(task: ObservedTask, { spec }: ServiceTasks): string {
  const { state, error = '' } = task;
  if (lacksImage(task)) return 'image-missing';
  if (state === 'rejected' || error.includes('starting container failed')) return 'cannot-start';
  if (error.includes('unhealthy')) return 'unhealthy';
  const endedWell = state === 'complete' && (task.exitCode ?? 0) === 0;
  return endedWell && hasCheck(spec) ? 'unhealthy' : 'crashed';
}

/** Pure. A failed task, and how often that was, in one line. */
export function describe(
  task: ObservedTask,
  count: number,
  tasks: ServiceTasks,
  observed: StackObserved,
): string {
  const { spec } = tasks;
  const node = observed.state.nodes.find(({ id }) => id === task.nodeId)?.hostname;
  const parts = [
    node === undefined ? task.state : `${task.state} on ${node}`,
    task.state === 'complete' ? ended(spec) : bounded(task.error ?? task.message),
    saysExit(task) ? undefined : `exit code ${String(task.exitCode)}`,
    endInWords(task, spec),
    lacksAddress(task) ? fullNetwork(tasks, observed) : undefined,
    count > 1 ? `${String(count)} times` : undefined,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** What a container's program may have put into the engine's words. Characters. */
const SAID_MAX = 300;

function bounded(said: string): string {
  const shown = visible(said);
  return shown.length > SAID_MAX ? `${shown.slice(0, SAID_MAX)}…` : shown;
}

function ended(spec: ServiceSpec): string {
  return hasCheck(spec) ? ENDED.checked : ENDED.unchecked;
}

function hasCheck({ TaskTemplate: { ContainerSpec: container } }: ServiceSpec): boolean {
  return (container.Healthcheck?.Test?.[0] ?? 'NONE') !== 'NONE';
}

/** A task that never started has no exit code, although the engine shows 0; most errors hold the code already. */
function saysExit({ state, exitCode, error }: ObservedTask): boolean {
  return (
    exitCode === undefined || state === 'rejected' || error?.includes('non-zero exit') === true
  );
}

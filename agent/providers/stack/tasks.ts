import { meets } from './constraints.ts';
import type { ServiceSpec } from './engine-api.ts';
import { ignoredOf, withLive } from './ignore.ts';
import type { StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { ObservedNode, ObservedService, ObservedTask } from './swarm.ts';

/** What the tasks of one service show. */
export interface ServiceTasks {
  /** Compose key. */
  readonly key: string;
  readonly spec: ServiceSpec;
  readonly live: ObservedService | undefined;
  /** Of every spec, with the history. */
  readonly all: readonly ObservedTask[];
  /** Those that fit the current spec: the engine's own answer (`_up-to-date`), with the history too. */
  readonly fresh: readonly ObservedTask[];
  readonly job: boolean;
  readonly wanted: number;
  /** Fresh ones that run; of a job those that have completed, of a global one on nodes that count. */
  readonly running: readonly ObservedTask[];
  /** How many of an older spec still run. */
  readonly old: number;
}

/** Pure. The tasks of all services of a stack; wanted is what is live where that is left to others. */
export function stackTasks(spec: StackSpec, observed: StackObserved): readonly ServiceTasks[] {
  return Object.entries(spec.services).map(([key, written]) => {
    const live = observed.services.get(written.Name.toLowerCase());
    const ignored = ignoredOf(spec, key);
    const isLeft = live !== undefined && ignored !== undefined;
    return serviceTasks(key, isLeft ? withLive(written, live.spec, ignored) : written, observed);
  });
}

/** Pure. */
export function serviceTasks(
  key: string,
  spec: ServiceSpec,
  observed: StackObserved,
): ServiceTasks {
  const live = observed.services.get(spec.Name.toLowerCase());
  const all = live === undefined ? [] : (observed.tasks.get(live.id) ?? []);
  const job = isJob(spec);
  const fresh = all.filter(
    (task) => observed.state.freshTaskIds.has(task.id) && (!job || isOfThisRun(task, live)),
  );
  const nodes = fittingNodes(spec, observed);
  return {
    key,
    spec,
    live,
    all,
    fresh,
    job,
    wanted: wantedTasks(spec, nodes),
    running: fresh.filter((task) => (job ? hasCompleted(task, spec, nodes) : runs(task, nodes))),
    old: job ? 0 : all.filter((task) => isOldAndRuns(task, observed, nodes)).length,
  };
}

/** Pure. Everything wanted runs, nothing else of the service does. */
export function isSettled({ wanted, running, old }: ServiceTasks): boolean {
  return running.length === wanted && old === 0;
}

/** Pure. Nothing of the task runs or will run. */
export function isOver({ state }: ObservedTask): boolean {
  return ['complete', 'shutdown', 'failed', 'rejected', 'orphaned', 'remove'].includes(state);
}

/** Pure. The place in the service that one task after another takes: a slot, or of a global service a node. */
export function slotOf({ id, slot, nodeId }: ObservedTask): string {
  return slot === undefined ? `node ${nodeId ?? id}` : `slot ${String(slot)}`;
}

/** Pure. A node that cannot run anything now. One that is paused runs what it has. */
export function isAbsent({ state, availability }: ObservedNode): boolean {
  return state !== 'ready' || availability === 'drain';
}

/** An update runs a job again, also where its template stays: what earlier runs completed fits, and does not count. */
function isOfThisRun(task: ObservedTask, live: ObservedService | undefined): boolean {
  const [current, own] = [live?.jobIteration, task.jobIteration];
  return current === undefined || own === undefined || own === current;
}

/**
 * What a job completed stays so, also where its node went away. A global job is wanted once on each node that counts, so
 * it counts there only: what it completed on a node before that was drained is one too many ever after.
 */
function hasCompleted(
  { state, nodeId }: ObservedTask,
  spec: ServiceSpec,
  nodes: ReadonlySet<string>,
): boolean {
  if (state !== 'complete') return false;
  return !isGlobal(spec) || (nodeId !== undefined && nodes.has(nodeId));
}

/** `running` of a task on a node that is away is only a memory. */
function runs(task: ObservedTask, nodes: ReadonlySet<string>): boolean {
  return (
    task.desiredState === 'running' &&
    task.state === 'running' &&
    task.nodeId !== undefined &&
    nodes.has(task.nodeId)
  );
}

/** A task of an older spec, on a node that counts: of the others nobody knows, or Swarm leaves them as they are. */
function isOldAndRuns(
  task: ObservedTask,
  { state }: StackObserved,
  nodes: ReadonlySet<string>,
): boolean {
  if (state.freshTaskIds.has(task.id) && task.desiredState === 'running') return false;
  if (isOver(task) || task.desiredState === 'ready') return false;
  return task.nodeId !== undefined && nodes.has(task.nodeId);
}

function isJob({ Mode: mode }: ServiceSpec): boolean {
  return mode?.ReplicatedJob !== undefined || mode?.GlobalJob !== undefined;
}

/**
 * Ids of the nodes whose tasks count. Of a global service: those that are there, take tasks and fit. A paused node keeps
 * the task that it has, of whatever spec, so it says nothing. Of others: all that are there.
 */
function fittingNodes(spec: ServiceSpec, { state }: StackObserved): ReadonlySet<string> {
  const constraints = spec.TaskTemplate.Placement.Constraints ?? [];
  const fitting = state.nodes.filter(
    (node) =>
      node.state === 'ready' &&
      (!isGlobal(spec) || (node.availability === 'active' && meets(node, constraints))),
  );
  return new Set(fitting.map(({ id }) => id));
}

function isGlobal({ Mode: mode }: ServiceSpec): boolean {
  return mode?.Global !== undefined || mode?.GlobalJob !== undefined;
}

/** Replicas, completions of a job, or for a global service one on each fitting node. */
function wantedTasks(spec: ServiceSpec, nodes: ReadonlySet<string>): number {
  if (isGlobal(spec)) return nodes.size;
  const { Mode: mode } = spec;
  const job = mode?.ReplicatedJob;
  if (job !== undefined) return job.TotalCompletions ?? job.MaxConcurrent ?? 1;
  return mode?.Replicated?.Replicas ?? 1;
}

import type { Health, Rendered } from '../../core/kind.ts';
import type { ServiceSpec } from './engine-api.ts';
import { meets } from './constraints.ts';
import type { StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { ObservedService, ObservedTask } from './swarm.ts';

/** So many failed tasks of one service are a certain failure: the engine alone would go on for ever. */
const FAILURES_MAX = 3;

/** The engine gives no error where an unhealthy container ends with 0 on SIGTERM. */
const ENDED = 'its healthcheck failed and it was told to end, or it ended by itself';

/** What one service shows: how many tasks are wanted and run, and what goes against it. */
interface ServiceHealth {
  readonly key: string;
  readonly wanted: number;
  readonly running: number;
  /** Ids of the tasks that run, sorted. */
  readonly members: readonly string[];
  /** Tasks of an older spec that still run. */
  readonly old: number;
  readonly waiting: string | undefined;
  readonly failure: { readonly why: string; readonly evidence: string } | undefined;
}

/**
 * Pure. How a stack does, from its tasks. Which tasks belong to the current spec is the engine's own answer
 * (`_up-to-date`); `UpdateStatus` alone is not health: it says `completed` while all replicas crash.
 */
export function stackHealth(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
  baseline: ReadonlySet<string>,
): Health {
  const services = Object.entries(unit.spec.services).map(([key, spec]) =>
    serviceHealth(key, spec, observed, baseline),
  );
  const summary = services
    .map(({ key, running, wanted }) => `${key} ${String(running)}/${String(wanted)}`)
    .join(', ');
  const bad = services.find(({ failure }) => failure !== undefined);
  if (bad?.failure !== undefined) {
    const why = `${bad.key}: ${bad.failure.why}`;
    return { status: 'failing', code: 'unhealthy', why, evidence: bad.failure.evidence, summary };
  }
  if (services.every(({ running, wanted, old }) => running === wanted && old === 0)) {
    const members = services.flatMap((one) => one.members).join(' ');
    return { status: 'converged', members, summary };
  }
  const waiting = services.flatMap(({ key, waiting: why }) =>
    why === undefined ? [] : `${key}: ${why}`,
  );
  return {
    status: 'progressing',
    progress: services.reduce((sum, { running }) => sum + running, 0),
    summary: [summary, ...waiting].join('; '),
  };
}

/** Pure. Ids of all tasks that the stack's services have now. */
export function stackTaskIds(
  unit: Rendered<StackSpec>,
  observed: StackObserved,
): readonly string[] {
  return Object.values(unit.spec.services).flatMap(({ Name }) => {
    const live = observed.services.get(Name.toLowerCase());
    return live === undefined ? [] : (observed.tasks.get(live.id) ?? []).map(({ id }) => id);
  });
}

function serviceHealth(
  key: string,
  spec: ServiceSpec,
  observed: StackObserved,
  baseline: ReadonlySet<string>,
): ServiceHealth {
  const live = observed.services.get(spec.Name.toLowerCase());
  const all = live === undefined ? [] : (observed.tasks.get(live.id) ?? []);
  const fresh = all.filter(({ id }) => observed.state.freshTaskIds.has(id));
  const job = isJob(spec);
  const nodes = fittingNodes(spec, observed);
  const here = fresh.filter((task) => (job ? task.state === 'complete' : runs(task, nodes)));
  const wanted = wantedTasks(spec, nodes);
  const waiting = fresh.find(({ state, error }) => state === 'pending' && error !== undefined);
  return {
    key,
    wanted,
    running: here.length,
    members: here.map(({ id }) => id).toSorted(),
    old: job ? 0 : all.filter((task) => isOldAndRuns(task, observed, nodes)).length,
    waiting: waiting?.error,
    failure: live && failureOf({ live, all, fresh, wanted, job }, observed, baseline),
  };
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
  const ended = ['complete', 'shutdown', 'failed', 'rejected', 'orphaned', 'remove'];
  if (state.freshTaskIds.has(task.id) && task.desiredState === 'running') return false;
  if (ended.includes(task.state) || task.desiredState === 'ready') return false;
  return task.nodeId !== undefined && nodes.has(task.nodeId);
}

interface Seen {
  readonly live: ObservedService;
  readonly all: readonly ObservedTask[];
  readonly fresh: readonly ObservedTask[];
  readonly wanted: number;
  readonly job: boolean;
}

function failureOf(
  seen: Seen,
  observed: StackObserved,
  baseline: ReadonlySet<string>,
): ServiceHealth['failure'] {
  const { live, all, fresh, wanted, job } = seen;
  const bad = all
    .filter((task) => !baseline.has(task.id) && isBad(task, job) && nodeIsThere(task, observed))
    .toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  const first = bad[0];
  if (first === undefined) return undefined;
  const evidence = describe(first, bad.length, observed);

  if (live.updateState === 'paused' || live.updateState?.startsWith('rollback_') === true) {
    return {
      why: `the engine ended the update: ${live.updateMessage ?? live.updateState}`,
      evidence,
    };
  }
  if (bad.length >= FAILURES_MAX) return { why: `${String(bad.length)} tasks failed`, evidence };
  const alive = fresh.some(
    ({ desiredState }) => desiredState === 'running' || desiredState === 'ready',
  );
  if (!alive && !job && wanted > 0) {
    return { why: 'its tasks ended and the restart policy starts no other', evidence };
  }
  return undefined;
}

/** An unhealthy container that ends with 0 on SIGTERM shows as `complete`: for a service that is a failure too. */
function isBad({ state }: ObservedTask, job: boolean): boolean {
  return state === 'failed' || state === 'rejected' || (state === 'complete' && !job);
}

function nodeIsThere(task: ObservedTask, { state }: StackObserved): boolean {
  return (
    task.nodeId === undefined ||
    state.nodes.some(({ id, state: node }) => id === task.nodeId && node === 'ready')
  );
}

function describe(task: ObservedTask, count: number, { state }: StackObserved): string {
  const node = state.nodes.find(({ id }) => id === task.nodeId)?.hostname;
  const parts = [
    node === undefined ? task.state : `${task.state} on ${node}`,
    task.state === 'complete' ? ENDED : (task.error ?? task.message),
    saysExit(task) ? undefined : `exit code ${String(task.exitCode)}`,
    count > 1 ? `${String(count)} times` : undefined,
  ];
  return parts.filter((part) => part !== undefined && part !== '').join(', ');
}

/** A task that never started has no exit code, although the engine shows 0; most errors hold the code already. */
function saysExit({ state, exitCode, error }: ObservedTask): boolean {
  return (
    exitCode === undefined || state === 'rejected' || error?.includes('non-zero exit') === true
  );
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

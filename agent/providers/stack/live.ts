import type { Id, Release, Rendered } from '../../core/kind.ts';
import type { Live, LiveService, TaskError } from '../../core/live.ts';
import { visible } from '../../core/visible.ts';
import { stackHealth, stackTaskIds } from './health.ts';
import { endInWords } from './explain/ended.ts';
import { waitingInWords } from './explain/waiting.ts';
import type { StackObserved } from './observed.ts';
import { restoreStack } from './release.ts';
import type { StackSpec } from './spec.ts';
import type { ObservedTask } from './swarm.ts';
import { isSettled, serviceTasks, type ServiceTasks } from './tasks.ts';

/** So many errors are shown of one service, and so much of each. */
const ERRORS_MAX = 3;
const ERROR_LENGTH_MAX = 300;

/**
 * Pure. What runs of a stack, without what the repository says: by the healthy release that should run, where there is one,
 * and by what the engine holds. Undefined where the unit is no stack.
 */
export function stackLive(
  id: Id,
  release: Release | undefined,
  observed: StackObserved,
): Live | undefined {
  if (!id.startsWith('stack/')) return undefined;
  const unit = release && restoreStack(id, release);
  const all = tasksOf(id.slice('stack/'.length), unit, observed);
  const services = all.map((tasks) => serviceOf(tasks, observed));
  if (unit !== undefined) {
    const { status, summary } = stackHealth(unit, observed, {
      // What failed before anybody looked is no news.
      baseline: new Set(stackTaskIds(unit, observed)),
      lost: new Set(),
      answers: new Map(),
      judged: false,
    });
    return { converged: status === 'converged', summary, services };
  }
  const isKnown = release === undefined && all.length > 0;
  return {
    converged: isKnown ? all.every(isSettled) : undefined,
    summary: inWords(all, observed),
    services,
  };
}

/** Of the services that are there, and of those that the release has. */
function tasksOf(
  stack: string,
  unit: Rendered<StackSpec> | undefined,
  observed: StackObserved,
): readonly ServiceTasks[] {
  const specs = new Map(
    Object.values(unit?.spec.services ?? {}).map((spec) => [spec.Name.toLowerCase(), spec]),
  );
  for (const name of observed.serviceNames.get(stack) ?? []) {
    const live = observed.services.get(name.toLowerCase());
    if (live !== undefined) specs.set(name.toLowerCase(), live.spec);
  }
  return [...specs.values()]
    .map((spec) => serviceTasks(shortName(spec.Name, stack), spec, observed))
    .toSorted((one, other) => (one.key < other.key ? -1 : 1));
}

function shortName(name: string, stack: string): string {
  return name.startsWith(`${stack}_`) ? name.slice(stack.length + 1) : name;
}

function serviceOf(tasks: ServiceTasks, observed: StackObserved): LiveService {
  const { key, running, wanted, all } = tasks;
  const errors = all
    .filter(({ error }) => error !== undefined && error !== '')
    .toSorted((one, other) => (one.timestamp < other.timestamp ? 1 : -1))
    .slice(0, ERRORS_MAX)
    .map((task) => errorOf(task, tasks, observed));
  const waits = waitingInWords(tasks, observed);
  return { name: key, running: running.length, wanted, ...(waits && { waits }), errors };
}

function errorOf(
  task: ObservedTask,
  { spec }: ServiceTasks,
  { state: { nodes } }: StackObserved,
): TaskError {
  const { timestamp: at, state, error = '', nodeId } = task;
  const node = nodes.find(({ id }) => id === nodeId);
  const text = visible(error).slice(0, ERROR_LENGTH_MAX);
  const means = state === 'pending' ? undefined : endInWords(task, spec);
  return {
    at,
    state,
    error: text,
    ...(means && { means: visible(means) }),
    ...(node && { node: node.hostname }),
  };
}

/** Counted, and then what is waited for: what is merely slow looks like trouble otherwise. */
function inWords(all: readonly ServiceTasks[], observed: StackObserved): string {
  const counted = all
    .map(({ key, running, wanted }) => `${key} ${String(running.length)}/${String(wanted)}`)
    .join(', ');
  const waits = all.flatMap((tasks) => {
    const words = isSettled(tasks) ? undefined : waitingInWords(tasks, observed);
    return words === undefined ? [] : [`${tasks.key}: ${words}`];
  });
  return [counted, ...waits].join('; ');
}

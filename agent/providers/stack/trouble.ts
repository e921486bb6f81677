import type { Seen } from '../../core/kind.ts';
import type { ServiceSpec } from './engine-api.ts';
import { addressTrouble } from './explain/addresses.ts';
import { placementTrouble } from './explain/placement.ts';
import { waitingInWords } from './explain/waiting.ts';
import { badTasks, codeOf, describe, ranAs } from './failure.ts';
import { answerFor } from './image-question.ts';
import type { Speaker } from './last-lines.ts';
import type { StackObserved } from './observed.ts';
import { isOver, type ServiceTasks } from './tasks.ts';

/** What goes against a service so far, certain or not. */
export interface Trouble {
  readonly words: string;
  /** What ran of it and may have said why, and of what spec it was. Absent: nothing did. */
  readonly speaker?: Speaker;
  /** A node could not get it. */
  readonly image?: string;
}

/** Pure. Why a task cannot be placed, or the first that failed. */
export function troubleOf(
  tasks: ServiceTasks,
  observed: StackObserved,
  seen: Seen,
): Trouble | undefined {
  const spec = specOf(tasks);
  const waiting = tasks.fresh.find(({ state, error }) => state === 'pending' && error);
  if (waiting?.error !== undefined) {
    return { words: placementTrouble(waiting.error, spec, observed) };
  }
  const bad = badTasks(tasks, observed, seen);
  // What failed of another spec may hold a secret that nobody here knows, so its log is left alone.
  const fresh = bad.find((task) => tasks.fresh.includes(task));
  const first = fresh ?? bad[0];
  if (first === undefined) {
    const words = addressTrouble(tasks, observed);
    return words === undefined ? undefined : { words };
  }
  const code = codeOf(first, tasks);
  const words = describe(first, bad.length, tasks, observed);
  if (fresh === undefined) return { words };
  if (code !== 'image-missing') return { words, speaker: { ...ranAs(first, code), spec } };
  const image = spec.TaskTemplate.ContainerSpec.Image;
  const answer = answerFor(image, seen);
  const said = answer?.status === 'bad' ? `; the registry of ${image}: ${answer.detail}` : '';
  return { words: `${words}${said}`, image };
}

/** Pure. The same for a service that takes too long and of which nothing failed: what it waits for. */
export function delayOf(tasks: ServiceTasks, observed: StackObserved): Trouble | undefined {
  const words = waitingInWords(tasks, observed) ?? oldInWords(tasks, observed);
  if (words === undefined) return undefined;
  const starts = tasks.fresh.find(
    ({ state, desiredState }) => state === 'starting' && desiredState !== 'shutdown',
  );
  if (starts === undefined) return { words };
  const { id: task, container } = starts;
  const speaker = { task, ...(container !== undefined && { container }), spec: specOf(tasks) };
  return { words, speaker };
}

function oldInWords(
  { all, fresh, old }: ServiceTasks,
  { state: { nodes } }: StackObserved,
): string | undefined {
  if (old === 0) return undefined;
  const still = all.find((task) => !fresh.includes(task) && !isOver(task));
  const node = nodes.find(({ id }) => id === still?.nodeId)?.hostname;
  return `a task of before${node === undefined ? '' : ` on ${node}`} has not ended yet`;
}

function specOf({ live, spec }: ServiceTasks): ServiceSpec {
  return live?.spec ?? spec;
}

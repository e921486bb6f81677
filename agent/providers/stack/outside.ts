import type { Seen } from '../../core/kind.ts';
import type { StackObserved } from './observed.ts';
import type { ObservedNode, ObservedTask } from './swarm.ts';
import { isAbsent, type ServiceTasks, slotOf } from './tasks.ts';

/** Pure. Ids of the nodes that cannot run anything now. */
export function absentNodes({ state }: StackObserved): readonly string[] {
  return state.nodes.filter(isAbsent).map(({ id }) => id);
}

/**
 * Pure. Why a stack cannot get on for a node that went away since the attempt began and is still away: the newest task of
 * some place in it runs there, or waits for a node. Undefined where no such node is to blame.
 */
export function lostNodeCause(
  services: readonly ServiceTasks[],
  { state }: StackObserved,
  { lost }: Seen,
): string | undefined {
  const gone = state.nodes.filter((node) => lost.has(node.id) && isAbsent(node));
  if (gone.length === 0) return undefined;
  const newest = services
    .filter(({ running, wanted }) => running.length < wanted)
    .flatMap(({ fresh }) => newestOfSlots(fresh));
  const there = gone.find(({ id }) => newest.some(({ nodeId }) => nodeId === id));
  const blamed = there ?? (newest.some(isUnplaced) ? gone[0] : undefined);
  return blamed && inWords(blamed);
}

function newestOfSlots(tasks: readonly ObservedTask[]): readonly ObservedTask[] {
  const slots = new Map<string, ObservedTask>();
  for (const task of tasks) {
    const other = slots.get(slotOf(task));
    if (other === undefined || other.createdAt <= task.createdAt) slots.set(slotOf(task), task);
  }
  return [...slots.values()];
}

function isUnplaced({ state }: ObservedTask): boolean {
  return state === 'pending';
}

function inWords({ id, hostname, state, availability }: ObservedNode): string {
  const name = `node ${hostname === '' ? id : hostname}`;
  if (state === 'ready') return `${name} is ${availability === 'drain' ? 'drained' : availability}`;
  return state === 'down' ? `${name} is down` : `${name} is not ready (${state})`;
}

import type { StackObserved } from '../observed.ts';
import type { ObservedTask } from '../swarm.ts';
import { isOver, type ServiceTasks } from '../tasks.ts';
import { addressTrouble } from './addresses.ts';
import { placementTrouble } from './placement.ts';

/** What a task waits for in each state in which it does not run yet, on its way in this order. */
const WAITS: Readonly<Record<string, string>> = {
  new: 'waits for its addresses',
  pending: 'waits for a node',
  assigned: 'waits until its node takes it',
  accepted: 'waits for its node',
  preparing: 'is made ready: its image is pulled, its networks are joined',
  ready: 'waits until it may start',
  starting: 'starts',
};

/** Pure. What those tasks of a service wait for that do not run yet, in one line for people; undefined: none does. */
export function waitingInWords(tasks: ServiceTasks, observed: StackObserved): string | undefined {
  const waiting = tasks.fresh.filter(
    (task) => !isOver(task) && task.state !== 'running' && task.desiredState !== 'shutdown',
  );
  const spec = tasks.live?.spec ?? tasks.spec;
  const unplaced = waiting.find(({ state, error }) => state === 'pending' && error);
  if (unplaced?.error !== undefined) return placementTrouble(unplaced.error, spec, observed);
  const address = addressTrouble(tasks, observed);
  if (address !== undefined) return address;
  const [first] = waiting.toSorted((one, other) => (one.createdAt < other.createdAt ? -1 : 1));
  return first && oneInWords(first, tasks, observed);
}

function oneInWords(
  { state, nodeId }: ObservedTask,
  { spec }: ServiceTasks,
  { state: { nodes } }: StackObserved,
): string | undefined {
  const waits = WAITS[state];
  if (waits === undefined) return undefined;
  const node = nodes.find(({ id }) => id === nodeId)?.hostname;
  const on = node === undefined ? '' : ` on ${node}`;
  const check = spec.TaskTemplate.ContainerSpec.Healthcheck?.Test?.[0] ?? 'NONE';
  const healthy =
    state === 'starting' && check !== 'NONE' ? ': its healthcheck is not good yet' : '';
  return `a task${on} ${waits}${healthy}`;
}

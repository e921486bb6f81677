import type { StackObserved } from '../observed.ts';
import type { ObservedNode } from '../swarm.ts';
import { isOver } from '../tasks.ts';

/** What a node has left for new tasks. */
export interface Room {
  readonly memoryBytes: number;
  readonly nanoCpus: number;
}

/**
 * Pure. What is left on each node that says what it has: less what the tasks on it reserve, as the scheduler counts. What
 * they really use counts for nobody. By the spec that their service has now.
 */
export function roomOnNodes(observed: StackObserved): ReadonlyMap<string, Room> {
  const { nodes, services, tasks } = observed.state;
  const reserved = new Map(
    services.map(({ id, spec }) => [id, spec.TaskTemplate.Resources?.Reservations]),
  );
  const room = new Map<string, { memoryBytes: number; nanoCpus: number }>(
    nodes.flatMap(({ id, resources }: ObservedNode) =>
      resources === undefined ? [] : [[id, { ...resources }]],
    ),
  );
  for (const task of tasks) {
    const left = task.nodeId === undefined || isOver(task) ? undefined : room.get(task.nodeId);
    const taken = reserved.get(task.serviceId);
    if (left === undefined || taken === undefined) continue;
    left.memoryBytes -= taken.MemoryBytes ?? 0;
    left.nanoCpus -= taken.NanoCPUs ?? 0;
  }
  return room;
}

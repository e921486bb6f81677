import type { Inspection, SwarmNetwork, SwarmService, SwarmTask } from './inspection.ts';

/** How the addresses of a network are used. */
export interface AddressUse {
  /** What is given away now: addresses of services, of tasks, and of the load balancer of each node with such a task. */
  readonly used: number;
  /** What is taken when everything runs that is wanted. */
  readonly wanted: number;
  readonly services: number;
  readonly tasks: number;
  readonly balancers: number;
}

const OVER = new Set(['complete', 'shutdown', 'failed', 'rejected', 'orphaned', 'remove']);

/** Pure. Whether nothing of the task runs or will run. */
export function isEnded({ state }: SwarmTask): boolean {
  return OVER.has(state);
}

/** Pure. The services of a network; the ingress network is that of all that publish a port on every node. */
export function servicesOn(
  { id, isIngress }: SwarmNetwork,
  { services }: Inspection,
): readonly SwarmService[] {
  return services.filter(({ networks, publishes }) =>
    isIngress ? publishes : networks.includes(id),
  );
}

/**
 * Pure. Every service with a VIP takes one address, every task one, and every node one for its load balancer as soon as a
 * task of the network is on it; of the ingress network every node has one. Containers that somebody attached by hand are
 * not counted: the engine says of its own only.
 */
export function addressUse(network: SwarmNetwork, inspection: Inspection): AddressUse {
  const { id, isIngress } = network;
  const { nodes } = inspection;
  const on = servicesOn(network, inspection);
  const live = inspection.tasks.filter(
    (task) => !isEnded(task) && task.addresses.some(({ networkId }) => networkId === id),
  );
  const services = on.filter(({ vips }) => vips.some(({ networkId }) => networkId === id)).length;
  const placed = new Set(live.flatMap(({ nodeId }) => (nodeId === '' ? [] : [nodeId])));
  const balancers = isIngress ? nodes.length : placed.size;
  const wantedTasks = on.reduce((sum, one) => sum + tasksWanted(one, nodes.length), 0);
  const wanted =
    on.filter(({ hasVip }) => hasVip).length +
    wantedTasks +
    (isIngress ? nodes.length : Math.min(nodes.length, wantedTasks));
  return {
    used: services + live.length + balancers,
    wanted,
    services,
    tasks: live.length,
    balancers,
  };
}

/** Pure. A job is counted by what runs of it. */
export function tasksWanted({ mode, replicas }: SwarmService, nodes: number): number {
  if (mode === 'job') return 0;
  return mode === 'global' ? nodes : replicas;
}

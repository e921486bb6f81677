import type { NetworkCreate, ServiceSpec } from '../engine-api.ts';
import { addressesNeeded, roomIn } from '../subnet.ts';
import type { Notes } from './notes.ts';

/** How many nodes a Swarm has is not known here. So many are taken: most have more, and none is warned of in vain. */
const NODES = 3;

/**
 * Networks of the stack whose written subnet has fewer addresses than its own services take, an update that starts first
 * included. What other stacks have in it is not known here.
 */
export function noteSmallSubnets(
  networks: Readonly<Record<string, NetworkCreate>>,
  services: Readonly<Record<string, ServiceSpec>>,
  notes: Notes,
): void {
  for (const [key, { Name: name, IPAM: ipam }] of Object.entries(networks)) {
    const subnets = (ipam?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []);
    const room = roomIn(subnets);
    const on = Object.values(services).filter(({ TaskTemplate: { Networks: attached } }) =>
      (attached ?? []).some(({ Target }) => Target === name),
    );
    const wanted = wantedBy(on);
    if (room === 0 || wanted <= room) continue;
    const message = `the subnet has ${String(room)} addresses to give, and the services of this stack take ${String(wanted)} on ${String(NODES)} nodes: one for each service, task and node, and for each task that an update starts first`;
    const hint = 'write a larger subnet, or leave it out: a network cannot be changed later';
    notes.warn('small-subnet', ['networks', key, 'ipam', 'config', 0, 'subnet'], message, hint);
  }
}

function wantedBy(services: readonly ServiceSpec[]): number {
  const vips = services.filter(({ EndpointSpec: endpoint }) => endpoint?.Mode !== 'dnsrr').length;
  const tasks = services.reduce((sum, one) => sum + tasksOf(one), 0);
  const started = services.reduce((sum, one) => sum + startedFirst(one), 0);
  return addressesNeeded({ vips, tasks, nodes: NODES }) + started;
}

function tasksOf({ Mode: mode }: ServiceSpec): number {
  if (mode?.Global !== undefined || mode?.GlobalJob !== undefined) return NODES;
  const job = mode?.ReplicatedJob;
  return job === undefined ? (mode?.Replicated?.Replicas ?? 1) : (job.MaxConcurrent ?? 1);
}

/** So many tasks run beside those that they replace. A parallelism of 0 means all at once. */
function startedFirst(service: ServiceSpec): number {
  const { UpdateConfig: update } = service;
  if (update?.Order !== 'start-first') return 0;
  const tasks = tasksOf(service);
  return update.Parallelism === 0 ? tasks : Math.min(update.Parallelism, tasks);
}

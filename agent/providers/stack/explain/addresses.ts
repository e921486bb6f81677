import { namesInWords } from '../../../core/finding.ts';
import type { StackObserved } from '../observed.ts';
import { addressesNeeded, roomIn } from '../subnet.ts';
import type { ObservedNetwork, ObservedService } from '../swarm.ts';
import { isOver, type ServiceTasks } from '../tasks.ts';

/**
 * Pure. Why a task stays in `new`, of which the engine says nothing: a network of its service has no subnet, or less room
 * than its services want. Undefined where neither is so: then it waits for its turn.
 */
export function addressTrouble(tasks: ServiceTasks, observed: StackObserved): string | undefined {
  return tasks.fresh.some(({ state }) => state === 'new')
    ? fullNetwork(tasks, observed)
    : undefined;
}

/** Pure. The first network of a service that cannot give it what it wants, in words. */
export function fullNetwork({ live }: ServiceTasks, observed: StackObserved): string | undefined {
  if (live === undefined) return undefined;
  for (const network of networksOf(live, observed)) {
    if (network.driver === '') {
      return `the Swarm could not give the network ${network.name} a subnet: another network has its range, or the address pool is used up`;
    }
    const room = roomIn(network.subnets);
    const wanted = addressesWanted(network, observed);
    if (room > 0 && wanted > room) {
      return `the network ${network.name} (${namesInWords(network.subnets)}) has room for ${String(room)} addresses, and its services want ${String(wanted)}`;
    }
  }
  return undefined;
}

function networksOf(
  { spec }: ObservedService,
  { state }: StackObserved,
): readonly ObservedNetwork[] {
  const targets = new Set((spec.TaskTemplate.Networks ?? []).map(({ Target }) => Target));
  return state.networks.filter(({ id, name, scope }) => {
    return scope === 'swarm' && (targets.has(id) || targets.has(name));
  });
}

/** By what the services of the network want, and of what has no fixed number by what is there. */
function addressesWanted(network: ObservedNetwork, observed: StackObserved): number {
  const { services, nodes } = observed.state;
  const on = services.filter(({ spec }) =>
    (spec.TaskTemplate.Networks ?? []).some(({ Target }) => {
      return Target === network.id || Target === network.name;
    }),
  );
  const tasks = on.reduce((sum, one) => {
    const there = (observed.tasks.get(one.id) ?? []).filter((task) => !isOver(task)).length;
    return sum + Math.max(there, one.spec.Mode?.Replicated?.Replicas ?? 0);
  }, 0);
  const vips = on.filter(({ spec }) => spec.EndpointSpec?.Mode !== 'dnsrr').length;
  return addressesNeeded({ vips, tasks, nodes: nodes.length });
}

import { type Finding, namesInWords } from '../../../core/finding.ts';
import { roomIn } from '../subnet.ts';
import { addressUse, isEnded, servicesOn } from './addresses.ts';
import type { Inspection, SwarmNetwork } from './inspection.ts';

/** A network is made before the services that use it: so young a one says nothing. */
const SETTLED_MS = 10 * 60_000;
/** From so much of a subnet on, the next update may find no address. */
const NEARLY_FULL = 0.8;

/** Pure. Networks that nobody uses, that have no subnet, that are full, and those that are gone and still used. */
export function networkFindings(inspection: Inspection, nowMs: number): readonly Finding[] {
  const ofSwarm = inspection.networks.filter(({ scope }) => scope === 'swarm');
  return [
    ...ofSwarm.flatMap((network) =>
      network.driver === ''
        ? [withoutSubnet(network, inspection)]
        : [...unused(network, inspection, nowMs), ...fullness(network, inspection)],
    ),
    ...missing(inspection),
  ];
}

function unused(network: SwarmNetwork, inspection: Inspection, nowMs: number): readonly Finding[] {
  const { id, name, isIngress, createdMs, stack, containers } = network;
  if (isIngress || containers > 0 || servicesOn(network, inspection).length > 0) return [];
  const attached = inspection.tasks.some(
    (task) => !isEnded(task) && task.addresses.some(({ networkId }) => networkId === id),
  );
  if (attached) return [];
  const isYoung = nowMs - createdMs < SETTLED_MS;
  const of = stack === '' ? 'and no stack' : `although it bears the name of the stack ${stack}`;
  return [
    {
      severity: isYoung ? 'note' : 'warning',
      code: 'network-unused',
      what: `no service and no container of this engine is in it, ${of}`,
      where: `network ${name}`,
      why: isYoung
        ? 'it is a few minutes old: what uses it may still come'
        : 'it keeps its subnet, and engines may remember it after the Swarm forgot it: such a one stands in the way of a restart',
      advice: `if nothing on another node is attached by hand (docker network inspect there shows its own containers), remove it`,
      command: `docker network rm ${id}`,
    },
  ];
}

/** Seen: a subnet that another network has. The engine takes the order, and then cannot carry it out. */
function withoutSubnet(network: SwarmNetwork, inspection: Inspection): Finding {
  const on = servicesOn(network, inspection).map(({ name }) => name);
  return {
    severity: on.length > 0 ? 'critical' : 'warning',
    code: 'network-without-subnet',
    what: 'the Swarm could not give it a subnet',
    where: `network ${network.name}`,
    why:
      on.length > 0
        ? `tasks of ${namesInWords(on)} stay in \`new\` and no error says why`
        : 'what is put into it will stay in `new`, and no error will say why',
    advice:
      "most often another network has the range that it asked for, or the address pool is used up; the leader's engine log says which (`Failed allocation for network`): make it anew with a free subnet",
    command: `docker network rm ${network.id}`,
  };
}

function fullness(network: SwarmNetwork, inspection: Inspection): readonly Finding[] {
  const room = roomIn(network.subnets);
  if (room === 0) return [];
  const use = addressUse(network, inspection);
  const most = Math.max(use.used, use.wanted);
  if (most < room * NEARLY_FULL) return [];
  const isFull = use.used >= room || use.wanted > room;
  const subnet = network.subnets.join(', ');
  const parts = `asked for: ${String(use.services)} of services, ${String(use.tasks)} of tasks, ${String(use.balancers)} of load balancers, one a node`;
  return [
    {
      severity: isFull ? 'critical' : 'warning',
      code: isFull ? 'subnet-full' : 'subnet-nearly-full',
      what: `${String(Math.min(use.used, room))} of ${String(room)} addresses of ${subnet} are used, ${String(use.wanted)} are wanted`,
      where: `network ${network.name}`,
      why: `${parts}; ${isFull ? 'what finds no address stays in `new`, or is rejected by its node, again and again' : 'an update that starts new tasks first needs one more for each of them'}`,
      advice:
        'a network cannot be changed: give its services another one with a larger subnet (`ipam` in the Compose file), or `endpoint_mode: dnsrr` to services that need no VIP',
      command: `docker network inspect --verbose ${network.id}`,
    },
  ];
}

/** What a service or a live task names, and nobody has: the stale network of the long incident. */
function missing({ networks, services, tasks }: Inspection): readonly Finding[] {
  const there = new Set(networks.map(({ id }) => id));
  const names = new Map(services.map(({ id, name }) => [id, name]));
  const users = new Map<string, Set<string>>();
  const note = (networkId: string, user: string): void => {
    if (networkId === '' || there.has(networkId)) return;
    users.set(networkId, (users.get(networkId) ?? new Set()).add(user));
  };
  for (const { name, networks: targets } of services) {
    for (const id of targets) if (/^[0-9a-z]{25}$/.test(id)) note(id, `service ${name}`);
  }
  for (const task of tasks) {
    if (isEnded(task) || task.desiredState === 'remove') continue;
    const user = `a task of ${names.get(task.serviceId) ?? 'a service that is gone'}`;
    for (const { networkId } of task.addresses) note(networkId, user);
  }
  return [...users].map(([id, who]) => ({
    severity: 'critical',
    code: 'network-missing',
    what: `${namesInWords([...who])} uses it and the Swarm does not have it any more`,
    where: `network ${id}`,
    why: 'engines keep a copy of it until the last container is gone, and one that restarts cannot join it again',
    advice:
      'make the network anew by deploying the stack that has it, then let the service start again',
    ...(/^[0-9a-z]{25}$/.test(id) && {
      command: `docker network inspect ${id}`,
    }),
  }));
}

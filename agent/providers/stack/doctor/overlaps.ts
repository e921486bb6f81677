import type { Finding } from '../../../core/finding.ts';
import { addressNumber, holds, overlap, type Subnet, subnetOf } from '../subnet.ts';
import { servicesOn } from './addresses.ts';
import type { Inspection, SwarmNetwork } from './inspection.ts';

/** So many subnets may come from the pool beyond those that are there before a node's own address is among them. */
const POOL_NEAR = 256;

/** Pure. Overlay networks whose range something else has: another network, a bridge of the engine that was asked, a node. */
export function overlapFindings(inspection: Inspection): readonly Finding[] {
  const ranges = inspection.networks.flatMap((network) =>
    network.subnets.flatMap((cidr) => {
      const subnet = subnetOf(cidr);
      return subnet === undefined ? [] : [{ network, cidr, subnet }];
    }),
  );
  const overlays = ranges.filter(({ network }) => network.scope === 'swarm');
  return [
    ...overlays.flatMap((one, at) => [
      ...overlays.slice(at + 1).flatMap((other) => between(one, other, inspection)),
      ...ranges
        .filter(({ network }) => network.scope !== 'swarm')
        .flatMap((other) => between(one, other, inspection)),
      ...overNodes(one, inspection),
    ]),
    ...poolNearNodes(inspection, overlays.length),
  ];
}

interface Range {
  readonly network: SwarmNetwork;
  readonly cidr: string;
  readonly subnet: Subnet;
}

function between(one: Range, other: Range, inspection: Inspection): readonly Finding[] {
  if (one.network.id === other.network.id || !overlap(one.subnet, other.subnet)) return [];
  const isLocal = other.network.scope !== 'swarm';
  const what = isLocal
    ? `${one.cidr} overlaps ${other.cidr} of the network ${other.network.name} on node ${inspection.engine.name}`
    : `${one.cidr} overlaps ${other.cidr} of the network ${other.network.name}`;
  return [
    overlapping([one, other], inspection, {
      what,
      why: isLocal
        ? 'every container of an overlay is in `docker_gwbridge` too, and two routes to one range lead one of them astray'
        : 'a container in both reaches one of them only, and after a restart the Swarm may refuse one of them',
    }),
  ];
}

function overNodes(range: Range, inspection: Inspection): readonly Finding[] {
  const inside = inspection.nodes.filter(({ address }) => {
    const number = addressNumber(address);
    return number !== undefined && holds(range.subnet, number);
  });
  if (inside.length === 0) return [];
  const named = inside.map(({ name, address }) => `${name} (${address})`).join(', ');
  return [
    overlapping([range], inspection, {
      what: `${range.cidr} holds the addresses of nodes: ${named}`,
      why: 'containers of the network reach its own addresses in place of the hosts and of what else is in their subnet',
    }),
  ];
}

function overlapping(
  [range, other]: readonly [Range, Range?],
  inspection: Inspection,
  said: { readonly what: string; readonly why: string },
): Finding {
  const { network } = range;
  const isUsed = [range, other].some(
    (one) => one !== undefined && servicesOn(one.network, inspection).length > 0,
  );
  return {
    severity: isUsed ? 'critical' : 'warning',
    code: 'subnet-overlap',
    where: `network ${network.name}`,
    ...said,
    advice:
      'give it a subnet that nobody has (`ipam` in the Compose file): that makes it anew, so its services must leave it first',
    command: `docker network inspect ${network.id}`,
  };
}

/** The pool gives subnets away from its start on. A node's address far behind in it is no danger for years. */
function poolNearNodes({ settings, nodes }: Inspection, networks: number): readonly Finding[] {
  const { addressPools, subnetSize } = settings;
  return addressPools.flatMap((cidr): readonly Finding[] => {
    const pool = subnetOf(cidr);
    if (pool === undefined) return [];
    const near = nodes.filter(({ address }) => {
      const number = addressNumber(address);
      if (number === undefined || !holds(pool, number)) return false;
      return Math.floor((number - pool.first) / 2 ** (32 - subnetSize)) < networks + POOL_NEAR;
    });
    if (near.length === 0) return [];
    const named = near.map(({ name, address }) => `${name} (${address})`).join(', ');
    return [
      {
        severity: 'warning',
        code: 'pool-over-nodes',
        what: `the address pool ${cidr} reaches the addresses of nodes soon: ${named}`,
        where: 'the Swarm',
        why: 'one of the next networks that ask for no subnet gets the range of the hosts',
        advice:
          'the pool can be chosen only when a Swarm is made (`docker swarm init --default-addr-pool`): until then give every network a subnet of its own in its Compose file',
      },
    ];
  });
}

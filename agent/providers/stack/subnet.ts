/** A range of IPv4 addresses as numbers, ends included. */
export interface Subnet {
  readonly first: number;
  readonly last: number;
}

/** Network, broadcast and gateway: an overlay gives these to nobody. */
const RESERVED = 3;

/** Pure. Undefined for what is no IPv4 subnet: IPv6 is not counted by anybody here. */
export function subnetOf(cidr: string): Subnet | undefined {
  const [, address = '', bits = ''] = /^([\d.]+)\/(\d{1,2})$/.exec(cidr) ?? [];
  const number = addressNumber(address);
  if (number === undefined || bits === '' || Number(bits) > 32) return undefined;
  const size = 2 ** (32 - Number(bits));
  const first = number - (number % size);
  return { first, last: first + size - 1 };
}

/** Pure. Of an address, with or without the length of its prefix. */
export function addressNumber(text: string): number | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/\d{1,2})?$/.exec(text);
  if (match === null) return undefined;
  const parts = match.slice(1, 5).map(Number);
  if (parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

/** Pure. */
export function overlap(one: Subnet, other: Subnet): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/** Pure. */
export function holds({ first, last }: Subnet, address: number): boolean {
  return address >= first && address <= last;
}

/** Pure. How many addresses an overlay network with these subnets has to give. */
export function roomIn(subnets: readonly string[]): number {
  return subnets
    .flatMap((cidr) => subnetOf(cidr) ?? [])
    .reduce((sum, { first, last }) => sum + Math.max(0, last - first + 1 - RESERVED), 0);
}

/** Pure. One for each VIP, each task, and the load balancer of each node with a task: `nodes` is how many may have one. */
export function addressesNeeded({
  vips,
  tasks,
  nodes,
}: {
  readonly vips: number;
  readonly tasks: number;
  readonly nodes: number;
}): number {
  return vips + tasks + Math.min(nodes, tasks);
}

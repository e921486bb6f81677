import { BlockList, SocketAddress, isIP } from 'node:net';

/** An address as it is compared: an IPv4 address inside an IPv6 one is the IPv4 address. */
export interface Address {
  readonly family: 'ipv4' | 'ipv6';
  readonly text: string;
}

/** Which addresses may be reached. */
export interface AddressRules {
  /** Pure. `nodes`: addresses of this Swarm's nodes, which may be reached as well. */
  isAllowed(address: string, nodes: readonly string[]): boolean;
}

/** What IANA's registries of special-purpose addresses (RFC 6890 and later) take out of public unicast. */
const SPECIAL_IPV4 = [
  '0.0.0.0/8', // this host
  '10.0.0.0/8',
  '100.64.0.0/10', // shared with the carrier
  '127.0.0.0/8',
  '169.254.0.0/16', // link-local: metadata services
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16',
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
];

/** Public unicast is 2000::/3; the first three networks are all the rest. */
const SPECIAL_IPV6 = [
  '::/3', // unspecified, loopback, IPv4 inside IPv6
  '4000::/2',
  '8000::/1', // unique-local, link-local, multicast
  '2001::/23', // Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4 carries any IPv4 address
  '3fff::/20', // documentation
];

const MAPPED_BITS = 96;
const special = networksOf([...SPECIAL_IPV4, ...SPECIAL_IPV6]);

/** Pure. `allow`: networks such as `10.0.0.0/8` beside public unicast; one that cannot be read allows nothing. */
export function addressRules(allow: readonly string[]): AddressRules {
  const allowed = networksOf(allow);
  return {
    isAllowed(text, nodes) {
      const address = parseAddress(text);
      if (address === undefined) return false;
      if (!holds(special, address) || holds(allowed, address)) return true;
      return nodes.some((node) => isSame(parseAddress(node), address));
    },
  };
}

/** Pure. Undefined where the text is no address. A zone (`%eth0`) is left out. */
export function parseAddress(text: string): Address | undefined {
  const bare = text.replace(/%.*$/, '');
  const version = isIP(bare);
  if (version === 0) return undefined;
  if (version === 4) return { family: 'ipv4', text: bare };
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address) ?? [];
  return mapped === undefined
    ? { family: 'ipv6', text: address }
    : { family: 'ipv4', text: mapped };
}

function isSame(one: Address | undefined, other: Address): boolean {
  return one?.family === other.family && one.text === other.text;
}

/** One list a family: in a common one `::/3` would hold every IPv4 address too. */
type Networks = Readonly<Record<Address['family'], BlockList>>;

function networksOf(written: readonly string[]): Networks {
  const networks = { ipv4: new BlockList(), ipv6: new BlockList() };
  for (const text of written) {
    const [, network = '', digits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
    const address = parseAddress(network);
    if (address === undefined) continue;
    const { family } = address;
    const isMapped = family === 'ipv4' && isIP(network) === 6;
    const bits = Number(digits) - (isMapped ? MAPPED_BITS : 0);
    if (bits < 0 || bits > (family === 'ipv4' ? 32 : 128)) continue;
    networks[family].addSubnet(address.text, bits, family);
  }
  return networks;
}

function holds(networks: Networks, { family, text }: Address): boolean {
  return networks[family].check(text, family);
}

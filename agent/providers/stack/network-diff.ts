import { BlockList, isIP } from 'node:net';

import type { Blocked } from '../../core/kind.ts';
import type { NetworkCreate } from './engine-api.ts';
import type { ObservedNetwork } from './swarm.ts';

/** What the engine puts into the options of every overlay network by itself (seen on 20.10). */
const ENGINE_OPTIONS = new Set(['com.docker.network.driver.overlay.vxlanid_list']);

const TEXT_LENGTH_MAX = 200;

/**
 * Pure. What separates a network that is there from the wanted one. The engine cannot change networks: what the file states
 * and is otherwise there is `blocked`; what does no harm (labels, options that the file says nothing about) is a note.
 */
export function diffNetwork(
  target: string,
  body: NetworkCreate,
  there: ObservedNetwork,
): { readonly blocked: readonly Blocked[]; readonly notes: readonly string[] } {
  const fields = [
    ...flag('internal', there.internal, body.Internal),
    ...flag('attachable', there.attachable, body.Attachable),
    ...(isAllocated(there) ? settings(body, there) : []),
  ];
  const why = `${target} cannot be changed, and ${fields.join(', and ')}: give it another \`name\``;
  const odd = [
    ...(isAllocated(there) && body.Options === null
      ? pairs('driver_opts', ownOptions(there.options), {})
      : []),
    ...pairs('labels', there.labels, body.Labels),
  ];
  return {
    blocked: fields.length === 0 ? [] : [{ target, why, waits: false }],
    notes: odd.map((field) => `${target} cannot be changed, and stays as it is: ${field}`),
  };
}

/** Until the Swarm's allocator has seen a new network, the engine gives neither driver nor options nor subnets. */
function isAllocated({ driver }: ObservedNetwork): boolean {
  return driver !== '';
}

function settings(body: NetworkCreate, there: ObservedNetwork): readonly string[] {
  const ipam = body.IPAM?.Driver ?? '';
  return [
    ...differs('driver', there.driver, body.Driver),
    ...(body.Options === null ? [] : pairs('driver_opts', ownOptions(there.options), body.Options)),
    ...(ipam === '' || there.ipamDriver === ''
      ? []
      : differs('ipam.driver', there.ipamDriver, ipam)),
    ...subnets(body, there.subnets),
  ];
}

/** Pure. Options without what the engine filled in. */
export function ownOptions(
  options: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(options).filter(([key]) => !ENGINE_OPTIONS.has(key)));
}

function subnets(body: NetworkCreate, there: readonly string[]): readonly string[] {
  const configs = body.IPAM?.Config ?? [];
  const wanted = configs.map(({ Subnet }) => Subnet ?? '').filter((subnet) => subnet !== '');
  if (wanted.length === 0 || there.length === 0) return [];
  const found = wanted.every((one) => there.some((other) => sameSubnet(one, other)));
  // A config without a subnet gets one from the engine.
  if (found && there.length === configs.length) return [];
  return differs('ipam.config', there.toSorted().join(' '), wanted.toSorted().join(' '));
}

/** Engines since 29 call `10.7.0.9/24` by its network, `10.7.0.0/24`; earlier ones give back what they were sent. */
function sameSubnet(one: string, other: string): boolean {
  const [address = '', prefix = ''] = one.split('/');
  const [otherAddress = '', otherPrefix = ''] = other.split('/');
  const family = isIP(address);
  const bits = Number(prefix);
  if (prefix !== otherPrefix || family === 0 || isIP(otherAddress) !== family) return one === other;
  if (!/^\d{1,3}$/.test(prefix) || bits > (family === 4 ? 32 : 128)) return one === other;
  const type = family === 4 ? 'ipv4' : 'ipv6';
  const list = new BlockList();
  list.addSubnet(address, bits, type);
  return list.check(otherAddress, type);
}

function flag(field: string, there: boolean, wanted: boolean): readonly string[] {
  return differs(field, String(there), String(wanted));
}

function pairs(
  field: string,
  there: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): readonly string[] {
  const keys = [...new Set([...Object.keys(there), ...Object.keys(wanted)])].toSorted();
  return keys.flatMap((key) => differs(`${field}.${key}`, there[key], wanted[key]));
}

function differs(
  field: string,
  there: string | undefined,
  wanted: string | undefined,
): readonly string[] {
  return there === wanted ? [] : [`\`${field}\` is ${shown(there)}, not ${shown(wanted)}`];
}

function shown(value: string | undefined): string {
  if (value === undefined) return 'unset';
  if (value === '') return 'empty';
  return `\`${value.length > TEXT_LENGTH_MAX ? `${value.slice(0, TEXT_LENGTH_MAX)}…` : value}\``;
}

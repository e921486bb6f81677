import type { Service } from '../../../../schemas/compose-service.ts';
import { bytewise } from './names.ts';

/** Pure. An item of a list as `host:address`: of both separators `=` is tried first. Undefined: it has no address. */
export function listedHost(item: string): string | undefined {
  if (item.includes('=')) return item.replace('=', ':');
  return item.includes(':') ? item : undefined;
}

/** Pure. An entry of a mapping as `host:address`. Undefined: it has no address. */
export function mappedHost(host: string, address: string | null): string | undefined {
  return address === null ? undefined : `${host}:${address}`;
}

/** Pure. `host:address` cut as the Docker CLI cuts it; an IPv6 address may stand in brackets. */
export function hostPair(text: string): readonly [host: string, address: string] {
  const at = text.indexOf(':');
  const address = text.slice(at + 1);
  return [text.slice(0, at), /^\[.+\]$/s.test(address) ? address.slice(1, -1) : address];
}

/**
 * Pure. `extra_hosts` as the engine takes them, `1.2.3.4 host`: in the order of a list, a mapping sorted. Absent where
 * there are none. `resolved`: a list of merged files, `host:address` already.
 */
export function convertHosts(
  written: Service['extra_hosts'],
  resolved: boolean,
): string[] | undefined {
  const texts = Array.isArray(written)
    ? written.map((item) => (resolved ? item : listedHost(item)))
    : Object.entries(written ?? {})
        .map(([host, address]) => mappedHost(host, address) ?? '')
        .toSorted(bytewise);
  const hosts = texts.flatMap((text): string[] => {
    if (text === undefined || text === '') return [];
    const [host, address] = hostPair(text);
    return [`${address} ${host}`];
  });
  return hosts.length === 0 ? undefined : hosts;
}

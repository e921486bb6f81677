import { posix } from 'node:path';

import { suggest } from '../../../core/suggest.ts';

/** Compares as Go does: by bytes of UTF-8, not by UTF-16 units. */
export function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Longest name of a service or network the engine takes: it becomes a DNS label. */
export const DNS_NAME_MAX = 63;
/** Longest name of a config or secret. */
export const FILE_NAME_MAX = 64;

/** Pure. What is wrong with the name of a service or network, by the engine's rule; undefined if nothing is. */
export function dnsNameProblem(name: string): string | undefined {
  if (!/^[a-zA-Z0-9](?:[-_a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name)) {
    return `the name \`${name}\` must consist of letters, digits, \`-\` and \`_\`, and begin and end with a letter or digit`;
  }
  return tooLong(name, DNS_NAME_MAX);
}

/** Pure. As `dnsNameProblem`, for configs and secrets. */
export function fileNameProblem(name: string): string | undefined {
  if (!/^[a-zA-Z0-9](?:[-_.a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(name)) {
    return `the name \`${name}\` must consist of letters, digits, \`-\`, \`_\` and \`.\`, and begin and end with a letter or digit`;
  }
  return tooLong(name, FILE_NAME_MAX);
}

function tooLong(name: string, max: number): string | undefined {
  if (name.length <= max) return undefined;
  return `the name \`${name}\` has ${String(name.length)} characters, the engine takes ${String(max)}`;
}

/** Pure. True for a key that Compose takes as the name of a service, network, volume, config or secret. */
export function isComposeKey(key: string): boolean {
  return /^[a-zA-Z0-9._-]+$/.test(key);
}

/**
 * Pure. A path of the repository from the folder of a file in it; undefined where it leads out of the repository. An
 * absolute one is only inside where the nodes have the repository, at `checkout`.
 */
export function pathInside(folder: string, path: string, checkout = ''): string | undefined {
  if (path.startsWith('/')) {
    const top = `${cleanPath(checkout)}/`;
    const clean = cleanPath(path);
    return checkout !== '' && clean.startsWith(top) ? clean.slice(top.length) : undefined;
  }
  const joined = posix.normalize(posix.join(folder, path));
  return joined === '..' || joined.startsWith('../') ? undefined : joined;
}

/** Pure. An absolute path of a node without `.`, `..`, doubled or trailing slashes. */
export function cleanPath(path: string): string {
  const clean = posix.normalize(path.replace(/^\/+/, '/'));
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean;
}

/** Most names to look through for a similar one: comparing all with all would be the work of a hostile file. */
const CANDIDATES_MAX = 200;

/** Pure. The name that was most likely meant, if there is one and there are not too many. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  return suggest(name, Iterator.from(candidates).take(CANDIDATES_MAX));
}

import { normalizeImage } from '../core/image.ts';

/** Where the manifest of a tag is asked for. */
export interface TagAddress {
  /** As people name it, with the port: `docker.io`. */
  readonly host: string;
  /** `https://registry-1.docker.io` */
  readonly origin: string;
  /** `library/ghost` */
  readonly repository: string;
  readonly tag: string;
}

const HUB = 'docker.io';
/** Where Docker Hub answers. */
const HUB_HOST = 'registry-1.docker.io';

/**
 * Pure. The address of an image in the familiar form with a tag; undefined where it has none. Plain http for this machine
 * and for the hosts of `insecure` only.
 */
export function tagAddress(image: string, insecure: ReadonlySet<string>): TagAddress | undefined {
  const read = normalizeImage(image);
  if ('problem' in read || read.pinned || read.registry === undefined) return undefined;
  const { familiar, registry: host } = read;
  const at = familiar.lastIndexOf(':');
  const [named, tag] = [familiar.slice(0, at), familiar.slice(at + 1)];
  if (host === HUB) {
    const repository = named.includes('/') ? named : `library/${named}`;
    return { host, origin: `https://${HUB_HOST}`, repository, tag };
  }
  const scheme = isLoopback(host) || insecure.has(host.toLowerCase()) ? 'http' : 'https';
  return { host, origin: `${scheme}://${host}`, repository: named.slice(host.length + 1), tag };
}

/** Pure. Whether a host with or without a port is this machine: nobody is on the way. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name);
}

import { posix } from 'node:path';

import type { AllowRules } from '../../../core/surroundings.ts';
import { cleanPath } from './names.ts';

const SOCKETS = ['/var/run/docker.sock', '/run/docker.sock'];

/** Why a path of a node may not be mounted, and what to do. */
export interface Refusal {
  readonly message: string;
  readonly hint: string;
}

/**
 * Pure. The path of a node that a bind means: a leading `~` is the policy's `home`, a relative path begins at the folder of
 * the Compose file in its `checkout`. Where the policy says neither, the path stays as it is written.
 */
export function hostPath(source: string, folder: string, { checkout, home }: AllowRules): string {
  if (source.startsWith('~')) return home === '' ? source : `${home}${source.slice(1)}`;
  if (source.startsWith('/') || checkout === '' || isWindowsPath(source)) return source;
  return cleanPath(posix.join('/', checkout, folder, source));
}

function isWindowsPath(path: string): boolean {
  return /^(?:[a-zA-Z]:[\\/]|\\\\)/.test(path);
}

/**
 * Pure. Judges a path of a node that a stack wants to mount, whichever way it asks. Paths are compared with `..`
 * resolved; symbolic links of a node cannot be known here, so an allowed folder must not hold foreign ones.
 */
export function judgeBind(source: string, allow: AllowRules): Refusal | undefined {
  // No node of the Swarm that runs Linux has such a path; one that runs Windows may.
  if (isWindowsPath(source) && allow.unworkable && allow.binds.includes('/')) return undefined;
  if (!source.startsWith('/')) {
    return {
      message: `\`${source}\` is relative to a folder that does not exist on the nodes`,
      hint: 'write an absolute path that the policy allows, or put the file into `configs`; if the nodes have the folder, say where with `policy.allow.checkout` (or `home`)',
    };
  }
  if (source.includes('{{')) {
    return {
      message: 'a host path with a template could become any path',
      hint: 'write the path without `{{`',
    };
  }
  const path = cleanPath(source);
  const isSocket = SOCKETS.includes(path);
  if (!allow.dockerSocket && SOCKETS.some((socket) => isUnder(socket, path))) {
    return {
      message: isSocket
        ? 'the Docker socket makes a service root on the whole Swarm'
        : `\`${path}\` holds the Docker socket, which makes a service root on the whole Swarm`,
      hint: 'set `policy.allow.dockerSocket: true` in the environment if it must be',
    };
  }
  if (isSocket || allow.binds.some((prefix) => isUnder(path, cleanPath(prefix)))) return undefined;
  return {
    message: `the policy does not allow \`${path}\` of the nodes to be mounted`,
    hint: 'use a volume, or add a prefix of the path to `policy.allow.binds` in the environment',
  };
}

const TEMPLATE: Refusal = {
  message: '`type` or `o` with a template could become the options of any mount',
  hint: 'write them without `{{`',
};

/** File systems of other machines, and memory: nothing of the node itself can be named with them. */
const foreignTypes = new Set(['nfs', 'nfs4', 'cifs', 'smb3', 'tmpfs', 'ceph']);
const localFlags = new Set(['bind', 'rbind', 'remount', 'move']);

/**
 * Pure. Judges the options of a volume of the `local` driver: they are those of `mount`, so that `o: bind` with a
 * `device` is a host path under another name.
 */
export function judgeVolumeOptions(
  options: Readonly<Record<string, string>>,
  allow: AllowRules,
): Refusal | undefined {
  const known = new Map(Object.entries(options).map(([key, value]) => [key.toLowerCase(), value]));
  if (known.size === 0) return undefined;
  // The engine expands templates in the values: `o: {{ "bind" }}` would be a bind.
  if (['type', 'o'].some((key) => known.get(key)?.includes('{{') === true)) {
    return judgeBind('/', allow) && TEMPLATE;
  }
  const flags = (known.get('o') ?? '').split(',').map((flag) => flag.trim().toLowerCase());
  const isForeign = foreignTypes.has((known.get('type') ?? '').trim().toLowerCase());
  if (isForeign && !flags.some((flag) => localFlags.has(flag))) return undefined;
  const device = known.get('device');
  if (device === undefined || device === '') {
    // Without a device nothing is mounted, unless a file system takes its parts from `o` (overlay).
    return known.has('type') ? judgeBind('/', allow) : undefined;
  }
  if (flags.some((flag) => /(?:^|=|:)\//.test(flag))) return judgeBind('/', allow);
  return judgeBind(device, allow);
}

function isUnder(path: string, folder: string): boolean {
  return path === folder || folder === '/' || path.startsWith(`${folder}/`);
}

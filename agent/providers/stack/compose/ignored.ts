import { Compose } from '../../../../schemas/compose.ts';
import type { Path } from '../../../core/parse.ts';
import { knownKeys } from '../../../core/schema-at.ts';
import { suggest } from '../../../core/suggest.ts';
import { fits } from './casts.ts';
import { noteDuplicates } from './labels.ts';
import type { Notes } from './notes.ts';
import { isMapping } from './variables.ts';

const LEAVE_OUT = 'leave it out';
const address = 'Swarm gives addresses itself: reach the service by its name';

/** Keys that Docker reads and drops, by the mapping that they stand in, and what to do instead. */
const ignored: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  [
    'services.*',
    {
      build: 'Swarm builds nothing: build and push the image, and write `image`',
      cgroup_parent: LEAVE_OUT,
      cgroupns_mode: LEAVE_OUT,
      container_name: 'Swarm names its tasks itself: others reach this service by its service name',
      depends_on: 'Swarm starts services in any order: let the program wait and try again',
      devices: 'use `generic_resources`, or a bind that the policy allows',
      domainname: LEAVE_OUT,
      expose: 'services of one network reach every port of each other: leave it out',
      external_links: 'put both services on one network instead',
      ipc: LEAVE_OUT,
      links: 'services of one network reach each other by name: leave it out',
      mac_address: LEAVE_OUT,
      network_mode:
        'use `networks`; for the network of the node an external network with `name: host`',
      pid: LEAVE_OUT,
      privileged: 'Swarm runs no privileged services: the container runs without',
      security_opt: 'the container runs with the options of the engine: leave it out',
      shm_size: 'mount a `tmpfs` volume at `/dev/shm` instead',
      tmpfs: 'use the long form of `volumes` with `type: tmpfs`',
      userns_mode: LEAVE_OUT,
    },
  ],
  ['services.*.networks.*', { ipv4_address: address, ipv6_address: address }],
];
const ignoredBy = ignored.map(([pattern, hints]) => ({
  parts: pattern.split('.'),
  hints: new Map(Object.entries(hints)),
}));

/** Mappings in which Docker takes any key, known or not, with what to do about some. */
const loose: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  ['services.*.configs.*', {}],
  ['services.*.secrets.*', {}],
  [
    'services.*.volumes.*.bind',
    { create_host_path: 'Swarm creates no folders on nodes: make the folder before' },
  ],
  ['services.*.volumes.*.volume', { labels: 'set `labels` on the volume at the top level' }],
  ['services.*.volumes.*.tmpfs', {}],
  ['configs.*.external', {}],
  ['secrets.*.external', {}],
];
const looseBy = loose.map(([pattern, hints]) => ({
  parts: pattern.split('.'),
  hints: new Map(Object.entries(hints)),
}));

/**
 * The document without the keys that Docker drops whatever they say; a warning for each of them, and for those that it
 * drops but wants well-formed. Nothing that runs depends on them.
 */
export function leaveOut(value: unknown, notes: Notes): unknown {
  const walk = (part: unknown, path: Path): unknown => {
    if (Array.isArray(part)) return part.map((item, index) => walk(item, [...path, index]));
    if (!isMapping(part)) return part;
    noteIgnored(part, path, notes);
    const isDropped = droppedFrom(path, notes);
    const fields = Object.entries(part).filter(([key]) => !isDropped(key));
    return Object.fromEntries(fields.map(([key, field]) => [key, walk(field, [...path, key])]));
  };
  return walk(value, []);
}

function noteIgnored(mapping: Readonly<Record<string, unknown>>, path: Path, notes: Notes): void {
  const hints = ignoredBy.find(({ parts }) => fits(path, parts))?.hints;
  if (hints === undefined) return;
  for (const [key, value] of Object.entries(mapping)) {
    const hint = hints.get(key);
    if (hint === undefined) continue;
    const at = [...path, key];
    noteDuplicates(value, at, notes);
    for (const [inner, list] of Object.entries(isMapping(value) ? value : {})) {
      noteDuplicates(list, [...at, inner], notes);
    }
    notes.warnAtKey('ignored-key', at, `\`${key}\` has no effect in Swarm`, hint);
  }
}

/** What is asked of each key of the mapping at `path`. */
function droppedFrom(path: Path, notes: Notes): (key: string) => boolean {
  const hints = looseBy.find(({ parts }) => fits(path, parts))?.hints;
  if (hints === undefined) return () => false;
  const known = knownKeys(Compose, path);
  return (key) => {
    if (known.has(key)) return false;
    const at = [...path, key];
    const meant = hints.has(key) ? undefined : suggest(key, known);
    if (meant !== undefined) {
      // Docker drops it too, but somebody counts on it: a secret with `mod` is readable to everyone.
      const hint = `did you mean \`${meant}\`?`;
      notes.unworkableKey('unknown-key', at, `unknown key \`${key}\``, hint);
      return true;
    }
    notes.warnAtKey('ignored-key', at, `Docker drops \`${key}\` here`, hints.get(key) ?? LEAVE_OUT);
    return true;
  };
}

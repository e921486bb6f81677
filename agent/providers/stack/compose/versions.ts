import type { Path } from '../../../core/parse.ts';
import type { Notes } from './notes.ts';
import { isMapping } from './variables.ts';

/** The newest 3.x that Compose files can name; it is also what a file without `version` means. */
export const NEWEST = 13;

/** Which 3.x a key came with: seen with CLI 28.2.2. A pattern that ends in `{}` means the long form of an item. */
const since: readonly (readonly [string, number])[] = [
  ['secrets', 1],
  ['services.*.secrets', 1],
  ['services.*.ports.*.{}', 2],
  ['services.*.volumes.*.{}', 2],
  ['services.*.build.cache_from', 2],
  ['services.*.deploy.endpoint_mode', 2],
  ['networks.*.attachable', 2],
  ['configs', 3],
  ['services.*.configs', 3],
  ['services.*.build.labels', 3],
  ['services.*.credential_spec', 3],
  ['services.*.deploy.placement.preferences', 3],
  ['services.*.deploy.update_config.order', 4],
  ['services.*.healthcheck.start_period', 4],
  ['services.*.build.target', 4],
  ['services.*.build.network', 4],
  ['volumes.*.name', 4],
  ['networks.*.name', 5],
  ['secrets.*.name', 5],
  ['configs.*.name', 5],
  ['services.*.deploy.resources.reservations.generic_resources', 5],
  ['services.*.build.shm_size', 5],
  ['services.*.isolation', 5],
  ['services.*.volumes.*.tmpfs', 6],
  ['services.*.init', 7],
  ['services.*.deploy.rollback_config', 7],
  ['services.*.credential_spec.config', 8],
  ['services.*.deploy.placement.max_replicas_per_node', 8],
  ['secrets.*.driver', 8],
  ['secrets.*.driver_opts', 8],
  ['secrets.*.template_driver', 8],
  ['configs.*.template_driver', 8],
  ['services.*.deploy.resources.limits.pids', 9],
  ['services.*.cgroupns_mode', 9],
  ['services.*.build.extra_hosts', 9],
  ['services.*.healthcheck.start_interval', 12],
  ['services.*.networks.*.driver_opts', 13],
  ['services.*.oom_score_adj', 13],
];

const sinceBy = since.map(([pattern, needed]) => ({ parts: pattern.split('.'), needed }));

/** Where keys that begin with `x-` may stand, and since which 3.x. */
const extensions: readonly (readonly [string, number])[] = [
  ['', 4],
  ['services.*', 7],
  ['networks.*', 7],
  ['volumes.*', 7],
  ['configs.*', 7],
  ['secrets.*', 7],
];

/** Keys of `build` before any key could stand there, and since which 3.x that is so. */
const BUILD_OPEN = 11;
const buildKeys = 'context dockerfile args cache_from labels target network shm_size extra_hosts';

/** Notes a `version` that is none, and keys that came later than the version that the file asks for. */
export function noteVersion(written: unknown, value: unknown, notes: Notes): void {
  // As the CLI reads it: before variables are replaced.
  const minor = minorOf(isMapping(written) ? written['version'] : undefined);
  if (minor === undefined) {
    notes.error(
      'wrong-value',
      ['version'],
      'this is not a version of Compose files for Swarm',
      'leave `version` out, or write `"3.8"`',
    );
    return;
  }
  const late: Late = (path, needed) => {
    const key = String(path.findLast((part) => typeof part === 'string'));
    const message = `\`${key}\` needs version 3.${String(needed)}, the file asks for 3.${String(minor)}`;
    notes.errorAtKey('conflict', path, message, 'leave `version` out');
  };
  for (const { parts, needed } of sinceBy) {
    if (needed <= minor) continue;
    for (const path of matches(value, parts)) late(path, needed);
  }
  noteExtensions(written, minor, late);
  if (BUILD_OPEN > minor) noteBuildKeys(value, late);
}

type Late = (path: Path, needed: number) => void;

/** As they are written: they are gone from what is checked. */
function noteExtensions(written: unknown, minor: number, late: Late): void {
  for (const [pattern, needed] of extensions) {
    if (needed <= minor) continue;
    const parts = pattern === '' ? [] : pattern.split('.');
    for (const path of matches(written, [...parts, '*'])) {
      if (String(path.at(-1)).startsWith('x-')) late(path, needed);
    }
  }
}

function noteBuildKeys(value: unknown, late: Late): void {
  const known = buildKeys.split(' ');
  for (const path of matches(value, ['services', '*', 'build', '*'])) {
    if (!known.includes(String(path.at(-1)))) late(path, BUILD_OPEN);
  }
}

/** A version that is not text is the schema's to refuse. */
function minorOf(version: unknown): number | undefined {
  if (typeof version !== 'string' || version === '' || version === '3') return NEWEST;
  const minor = /^3\.(\d|1[0-3])$/.exec(version)?.[1];
  return minor === undefined ? undefined : Number(minor);
}

function matches(value: unknown, parts: readonly string[], path: Path = []): Path[] {
  const [part, ...rest] = parts;
  if (part === undefined) return [path];
  if (part === '{}') return isMapping(value) ? [path] : [];
  if (Array.isArray(value)) {
    return part === '*'
      ? value.flatMap((item, index) => matches(item, rest, [...path, index]))
      : [];
  }
  if (!isMapping(value)) return [];
  const fields = Object.entries(value).filter(([key]) => part === '*' || part === key);
  return fields.flatMap(([key, field]) => matches(field, rest, [...path, key]));
}

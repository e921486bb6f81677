import type { Path } from '../../../core/parse.ts';
import { Float, Timestamp, goText } from '../../../core/scalars.ts';
import { fits } from './casts.ts';
import { isMapping } from './variables.ts';

/** Where Compose prints numbers and dates as text. */
const textMaps = [
  'services.*.environment.*',
  'services.*.labels.*',
  'services.*.build.args.*',
  'services.*.build.labels.*',
  'services.*.build.extra_hosts.*',
  'services.*.deploy.labels.*',
  'services.*.sysctls.*',
  'services.*.extra_hosts.*',
  'services.*.logging.options.*',
  'services.*.networks.*.driver_opts.*',
  'networks.*.driver_opts.*',
  'networks.*.labels.*',
  'volumes.*.driver_opts.*',
  'volumes.*.labels.*',
  'configs.*.labels.*',
  'secrets.*.driver_opts.*',
  'secrets.*.labels.*',
].map((pattern) => pattern.split('.'));

/** Where `x-` keys may stand: they are for people and other tools. */
const extensible = ['', 'services.*', 'networks.*', 'volumes.*', 'configs.*', 'secrets.*'].map(
  (pattern) => (pattern === '' ? [] : pattern.split('.')),
);

/**
 * Pure. The document without its `x-` keys, numbers and dates as the schema takes them: as text where
 * Compose prints them, else as plain numbers.
 */
export function settle(value: unknown): unknown {
  const walk = (part: unknown, path: Path): unknown => {
    if (Array.isArray(part)) return part.map((item, index) => walk(item, [...path, index]));
    if (isMapping(part))
      return Object.fromEntries(
        fieldsOf(part, path).map(([key, field]) => [key, walk(field, [...path, key])]),
      );
    if (typeof part === 'boolean' || typeof part === 'string') return part;
    // Items of a list stay what they are: `- 5` is no text.
    if (typeof path.at(-1) === 'string' && textMaps.some((pattern) => fits(path, pattern)))
      return goText(part) ?? part;
    if (part instanceof Float) return part.value;
    if (part instanceof Timestamp) return {};
    return part;
  };
  return walk(value, []);
}

function fieldsOf(
  mapping: Readonly<Record<string, unknown>>,
  path: Path,
): readonly (readonly [string, unknown])[] {
  if (!extensible.some((pattern) => fits(path, pattern))) return Object.entries(mapping);
  // It begins like one and is none.
  const own = fits(path, ['volumes', '*']) ? 'x-cluster-spec' : undefined;
  return Object.entries(mapping).filter(([key]) => !key.startsWith('x-') || key === own);
}

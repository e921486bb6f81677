import type { FieldDiff } from '../../core/kind.ts';
import type { CephSpec } from './spec.ts';

// What documents say, line by line, in the words of their keys: for plans that look at no cluster.

/** Sizes, by where they stand; 0 and nothing are no limit. */
const SIZES = new Set([
  'targetSizeBytes',
  'quotas.maxSize',
  'parameters.compression_min_blob_size',
  'parameters.compression_max_blob_size',
  'maxFileSize',
  'quota',
  'size',
]);

/** What a document says that leaves a key out. Such a line is not worth one. */
const USUAL: Readonly<Record<string, string>> = {
  adopt: 'false',
  deletionPolicy: 'Orphan',
  'erasureCoded.algorithm': 'jerasure',
  'erasureCoded.overwrites': 'false',
  allowDataMovement: 'false',
  type: 'replicated',
  root: 'default',
  failureDomain: 'host',
  mode: '0755',
  uid: '0',
  gid: '0',
  namespaceIsolated: 'false',
  format: 'key',
};

/** Pure. What two versions of a document say differently; of a new one all that is not as usual. */
export function documentFields(
  before: CephSpec | undefined,
  after: CephSpec,
): readonly FieldDiff[] {
  const was = before === undefined ? new Map<string, string>() : linesOf(before);
  const is = linesOf(after);
  const paths = [...new Set([...was.keys(), ...is.keys()])].toSorted();
  return paths.flatMap((path): readonly FieldDiff[] => {
    const [observed, desired] = [was.get(path), is.get(path)];
    if (observed === desired) return [];
    const sides = {
      ...(observed !== undefined && { observed }),
      ...(desired !== undefined && { desired }),
    };
    return [{ path, ...sides }];
  });
}

function linesOf({ kind: _kind, name: _name, ...rest }: CephSpec): ReadonlyMap<string, string> {
  return new Map(linesBelow('', rest).filter(([path, text]) => USUAL[path] !== text));
}

function linesBelow(path: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return [[path, value.map(itemText).join(', ')]];
  if (typeof value !== 'object' || value === null) return [[path, scalarText(path, value)]];
  const below = path === '' ? '' : `${path}.`;
  return Object.entries(value).flatMap(([key, inner]) => linesBelow(`${below}${key}`, inner));
}

/** The name of a pool, or a subvolume with what may be done there. */
function itemText(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item);
  return Object.values(item).join(' ');
}

function scalarText(path: string, value: unknown): string {
  if (typeof value !== 'number') return String(value);
  if (path === 'mode') return value.toString(8).padStart(4, '0');
  return SIZES.has(path) ? sizeText(value) : String(value);
}

const UNITS = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

/** As documents write it: by the largest unit that leaves nothing over. */
function sizeText(bytes: number): string {
  let rest = bytes;
  let unit = 0;
  while (rest > 0 && rest % 1024 === 0 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${String(rest)}${UNITS[unit] ?? ''}`;
}

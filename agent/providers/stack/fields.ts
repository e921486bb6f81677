import type { FieldDiff } from '../../core/kind.ts';
import { type Canonical, same } from './canonical.ts';

const TEXT_LENGTH_MAX = 200;

/** Pure. The leaves in which two canonical specs differ, with the path people know; values are cut at 200 characters. */
export function fieldDiffs(
  path: string,
  observed: Canonical,
  desired: Canonical,
): readonly FieldDiff[] {
  const keys = [...new Set([...Object.keys(observed), ...Object.keys(desired)])].toSorted();
  return keys.flatMap((key) => {
    const [before, after] = [valueOf(observed, key), valueOf(desired, key)];
    if (same(before, after)) return [];
    const at = `${path}.${key}`;
    if (isMap(before) && isMap(after)) return fieldDiffs(at, before, after);
    return [
      {
        path: at,
        ...(before === undefined ? {} : { observed: text(before) }),
        ...(after === undefined ? {} : { desired: text(after) }),
      },
    ];
  });
}

/** A label may be called `valueOf`: what every object has is not in the spec. */
function valueOf(spec: Canonical, key: string): unknown {
  return Object.hasOwn(spec, key) ? spec[key] : undefined;
}

function isMap(value: unknown): value is Canonical {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  const whole = typeof value === 'string' ? value : JSON.stringify(value);
  return whole.length > TEXT_LENGTH_MAX ? `${whole.slice(0, TEXT_LENGTH_MAX)}…` : whole;
}

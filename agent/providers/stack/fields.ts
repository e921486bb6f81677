import type { FieldDiff } from '../../core/kind.ts';
import { looksSecret, maskLine } from '../../core/path.ts';
import { type Canonical, same } from './canonical.ts';
import { keyedLists } from './keyed-lists.ts';

const TEXT_LENGTH_MAX = 200;

/**
 * Pure. The leaves in which two canonical specs differ, with the path people know; values are cut at 200 characters, and
 * what looks like a secret is `[secret]`. Lists whose items have names, such as variables, are compared item by item.
 */
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
    const items = keyedLists(key, before, after);
    if (items !== undefined) return fieldDiffs(at, items.before, items.after);
    return [
      {
        path: at,
        ...(before === undefined ? {} : { observed: text(key, before) }),
        ...(after === undefined ? {} : { desired: text(key, after) }),
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

function text(key: string, value: unknown): string {
  if (looksSecret(key) && typeof value === 'string') return '[secret]';
  const whole = maskLine(typeof value === 'string' ? value : JSON.stringify(value));
  return whole.length > TEXT_LENGTH_MAX ? `${whole.slice(0, TEXT_LENGTH_MAX)}…` : whole;
}

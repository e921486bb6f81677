import { sizeWords } from '../../core/bytes.ts';
import {
  goes,
  holders,
  isHeldAsRole,
  ownHolders,
  type Place,
  whyKept,
  wordsOf,
} from './left-place.ts';
import { sessionsNote } from './sessions.ts';

/** Pure. What of a unit that left is there still, for people: said once. */
export function staysOf(place: Place): readonly string[] {
  const { what, name, id, seen, row } = place;
  if (what === 'database') {
    const size = seen.bytes?.get(id);
    const words = size === undefined ? '' : ` (${sizeWords(size)})`;
    return seen.databases.has(name) ? [`database ${name} stays${words}`] : [];
  }
  return holders(place).map((one) => {
    const words = wordsOf(place, one);
    if (!goes(place)) return `${words} stays`;
    const kept = whyKept(one, seen);
    if (kept !== undefined) return `${words} stays: ${kept}`;
    if (what === 'role') return `${words} stays until nobody has it`;
    if (!one.locked) return `${words} stays: somebody unlocked it`;
    const held = isHeldAsRole(one, seen);
    const goesOn = sessionsNote(ownHolders(place), seen);
    const late = held ? ', when nobody has it as a role any more' : '';
    const locked = `${words} is locked, and dropped ${spanWords(row.retentionS ?? 0)} after it left${late}`;
    return goesOn === undefined ? locked : `${locked}; ${goesOn}`;
  });
}

const SPANS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** The largest unit in which it is whole. */
function spanWords(seconds: number): string {
  const [unit, length] = SPANS.find(([, one]) => seconds % one === 0 && seconds >= one) ?? ['s', 1];
  return `${String(seconds / length)}${unit}`;
}

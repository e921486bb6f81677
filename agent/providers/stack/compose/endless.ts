import type { Path } from '../../../core/parse.ts';
import { Float } from '../../../core/scalars.ts';
import type { Notes } from './notes.ts';
import { isMapping } from './variables.ts';

/** Notes `.inf` and `.nan`, wherever they stand: the Docker CLI turns files into JSON, which has no such numbers. */
export function noteEndless(value: unknown, notes: Notes, path: Path = []): void {
  if (value instanceof Float) {
    if (Number.isFinite(value.value)) return;
    notes.breakAt('wrong-value', path, 'Compose has no such number', 'write it in quotes');
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) noteEndless(item, notes, [...path, index]);
  } else if (isMapping(value)) {
    for (const [key, field] of Object.entries(value)) noteEndless(field, notes, [...path, key]);
  }
}

import type { Path } from '../../../core/parse.ts';
import type { Notes } from './notes.ts';
import { parseGoDuration } from './units.ts';

const MILLISECOND_NS = 1_000_000;

/** Nanoseconds of a duration; undefined where it is absent or wrong, which is noted. */
export function readDuration(
  text: string | undefined,
  path: Path,
  notes: Notes,
  rule: 'not negative' | 'hardly negative' | '0 or at least 1ms',
): number | undefined {
  if (text === undefined) return undefined;
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) {
    notes.error(
      'wrong-value',
      path,
      'this is not a duration',
      'write it with units, such as `10s`, `1m30s` or `500ms`',
    );
  } else if (nanoseconds < 0) {
    // Of some the engine takes anything.
    const how = rule === 'hardly negative' ? 'unworkable' : 'error';
    notes[how]('wrong-value', path, 'a duration cannot be negative here');
  } else if (rule === '0 or at least 1ms' && nanoseconds > 0 && nanoseconds < MILLISECOND_NS) {
    notes.error('wrong-value', path, 'the engine takes 0 or at least `1ms` here');
  }
  return nanoseconds;
}

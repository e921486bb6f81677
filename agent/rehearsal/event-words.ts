import { valueAt } from './json.ts';

/** Pure. A field of a line as text; lists of words with commas. */
export function shown(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value) && value.every((one) => typeof one === 'string'))
    return value.join(', ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Pure. How many units a brake holds, and the first of them by name. */
export function heldUnits(value: unknown): string {
  const count = valueAt(value, 'count');
  if (typeof count !== 'number') return '';
  const first = valueAt(value, 'first');
  const named = Array.isArray(first) ? first.length : 0;
  const more = count > named ? ', ...' : '';
  return `${count} units held as they were (${shown(first)}${more})`;
}

/** Pure. What happens to a unit that failed. */
export function nextStep(id: string, next: string): string {
  switch (next) {
    case 'rolling back':
      return 'it goes back to its last healthy release';
    case 'stopping':
      return 'it was never healthy: what it started is stopped';
    case 'stuck':
      return `it stays as it is until another commit, or understudy rollback or retry ${id}`;
    case 'left as it is':
      return `nothing of it goes back: it waits for another commit, or understudy retry ${id}`;
    default:
      return '';
  }
}

/** Pure. Milliseconds as they are. */
export function milliseconds(ms: unknown): string {
  return typeof ms === 'number' ? `${Math.round(ms)} ms` : 'some time';
}

/** Pure. Milliseconds as seconds. */
export function seconds(ms: unknown): string {
  return typeof ms === 'number' ? `${(ms / 1000).toFixed(1)} s` : 'some time';
}

import { columnsOf, visible } from '../core/visible.ts';

/** Between columns. */
const GAP = 2;
/** The last column is never cut shorter than this. */
const LAST_MIN = 20;

/**
 * Pure. Lines of a table: each column as wide as its widest cell, the last one cut at `columns` of the terminal. Cells are
 * made visible first, so that no text of others moves a cursor.
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  columns: number,
): readonly string[] {
  const cells = rows.map((row) => row.map(visible));
  const count = Math.max(0, ...cells.map(({ length }) => length));
  const widths = Array.from({ length: Math.max(0, count - 1) }, (_, at) =>
    Math.max(0, ...cells.map((row) => columnsOf(row[at] ?? ''))),
  );
  const before = widths.reduce((sum, width) => sum + width + GAP, 0);
  const room = Math.max(LAST_MIN, columns - before);
  return cells.map((row) =>
    [...widths.map((width, at) => padded(row[at] ?? '', width)), cut(row[count - 1] ?? '', room)]
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columnsOf(text)));
}

/** Pure. A text of so many columns at most, with an ellipsis where some of it is left out. */
export function cut(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += columnsOf(character);
    if (used > columns - 1) break;
    kept += character;
  }
  return `${kept.trimEnd()}…`;
}

/** Pure. How long ago something was, for people: `12s`, `5m`, `3h`, `9d`. Of clocks that disagree: `0s`. */
export function ageOf(iso: string | undefined, date: string): string {
  const ms = iso === undefined ? Number.NaN : Date.parse(date) - Date.parse(iso);
  if (Number.isNaN(ms)) return '-';
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 120) return `${String(seconds)}s`;
  if (seconds < 7_200) return `${String(Math.floor(seconds / 60))}m`;
  if (seconds < 172_800) return `${String(Math.floor(seconds / 3_600))}h`;
  return `${String(Math.floor(seconds / 86_400))}d`;
}

/** Pure. A commit for people. */
export function shortRevision(revision: string): string {
  return revision === '' ? '-' : revision.slice(0, 7);
}

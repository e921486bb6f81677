import { parseLine, textAt } from './json.ts';

/** Something that became known of an agent, with the time that gives it its place. */
export interface Placed {
  readonly host: string;
  /** ISO 8601 in UTC, so that texts are in the order of time. */
  readonly at: string;
  /** What it wrote; undefined: it ended. */
  readonly line: string | undefined;
}

/**
 * Pure. The lines of one log with their times. A line without a time, or with one before that of the line above it (the
 * clock was set back), has the time of that line: what one agent says stays in order.
 */
export function placed(
  host: string,
  lines: readonly (string | undefined)[],
  after: string,
): readonly Placed[] {
  let at = after;
  return lines.map((line) => {
    const own = line === undefined ? undefined : textAt(parseLine(line), 'time');
    if (own !== undefined && own > at) at = own;
    return { host, at, line };
  });
}

/**
 * Pure. Of two looks at all logs, one after the other, what can be told: all of the earlier look, and of the later one what
 * is not after it. What is read after both was written after the earlier look, so nothing can come before it any more.
 */
export function merged(
  earlier: readonly Placed[],
  later: readonly Placed[],
): { readonly due: readonly Placed[]; readonly kept: readonly Placed[] } {
  const until = earlier.reduce((most, { at }) => (at > most ? at : most), '');
  const due = [...earlier, ...later.filter(({ at }) => at <= until)];
  const kept = later.filter(({ at }) => at > until);
  return { due: due.toSorted((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)), kept };
}

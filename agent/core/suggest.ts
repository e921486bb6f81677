const wordMax = 64;

/**
 * Pure. The candidate that `word` was most likely meant to be: it differs in case or separators only, or by at most
 * two letters and less than half of the shorter one. Undefined where nothing is close, or two are equally close.
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > wordMax) return undefined;
  let best: string | undefined;
  let bestDistance = Infinity;
  let tied = false;
  for (const candidate of candidates) {
    if (candidate === word || candidate.length > wordMax) continue;
    const away = plain(candidate) === plain(word) ? 0 : distance(word, candidate);
    if (away >= 3 || away * 2 >= Math.min(word.length, candidate.length)) continue;
    tied = away === bestDistance;
    if (away < bestDistance) [best, bestDistance] = [candidate, away];
  }
  return tied ? undefined : best;
}

/** Without what people mix up between `stopGracePeriod`, `stop-grace-period` and `stop_grace_period`. */
function plain(word: string): string {
  return word.replaceAll(/[-_]/gu, '').toLowerCase();
}

/** How many letters were added, left out, changed or swapped with their neighbour; 3 where it is more than that. */
function distance(from: string, to: string): number {
  if (Math.abs(from.length - to.length) >= 3) return 3;
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const next = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped =
        row > 1 &&
        column > 1 &&
        from[row - 1] === to[column - 2] &&
        from[row - 2] === to[column - 1];
      next.push(
        Math.min(
          at(last, column) + 1,
          at(next, column - 1) + 1,
          at(last, column - 1) + (same ? 0 : 1),
          swapped ? at(beforeLast, column - 2) + 1 : Infinity,
        ),
      );
    }
    [beforeLast, last] = [last, next];
  }
  return Math.min(3, at(last, to.length));
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

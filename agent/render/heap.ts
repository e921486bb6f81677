/**
 * Gives back all that nothing points to, as V8 does only before it gives up for want of memory. Some tenths of a second in
 * which nothing else runs. Nothing without `--expose-gc`.
 */
export function compactHeap(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Gives back what the last moments left behind. Some milliseconds. */
export function sweepHeap(): void {
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
}

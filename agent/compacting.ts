import type { Clock, Reporter } from './reconcile/ports.ts';

/** So long nothing was told. Milliseconds. */
const QUIET_MS = 20_000;

/** What gives memory back. */
export interface Memory {
  /** All that can be: some tenths of a second. */
  compact(): void;
  /** What the last moments left behind: some milliseconds. */
  sweep(): void;
}

/** A reporter that keeps the memory small while it has nothing to tell. */
export interface CompactingReporter extends Reporter {
  /** A pass ended. While nothing happens the lists that it read are most of what is new. */
  passed(): void;
  close(): void;
}

/**
 * A reporter that also has memory given back once nothing was told for a while. What a change of many stacks leaves behind
 * is a fifth of what the agent takes, and V8 keeps it for as long as nobody else seems to be short of it.
 */
export function compacting(
  reporter: Reporter,
  clock: Pick<Clock, 'after'>,
  memory: Memory,
): CompactingReporter {
  let cancel: (() => void) | undefined;
  let isQuiet = false;
  return {
    tell: (told) => {
      cancel?.();
      isQuiet = false;
      cancel = clock.after(QUIET_MS, () => {
        isQuiet = true;
        memory.compact();
      });
      reporter.tell(told);
    },
    passed: () => {
      if (isQuiet) memory.sweep();
    },
    close: () => cancel?.(),
  };
}

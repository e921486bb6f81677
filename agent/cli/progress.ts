import type { Clock } from '../reconcile/ports.ts';

/** What progress is written with. */
export interface ProgressIo {
  err(text: string): void;
  readonly clock: Clock;
  /** Whether somebody watches the error output: a terminal. */
  readonly progress: boolean;
}

/** From when on it is said what is waited for, and how often it is said again. Milliseconds. */
const FIRST_MS = 2_000;
const NEXT_MS = 10_000;

/** Does the work, and says on a terminal what it is where that takes longer than two seconds. */
export async function withProgress<Value>(
  io: ProgressIo,
  what: string,
  work: () => Promise<Value>,
): Promise<Value> {
  const { clock } = io;
  if (!io.progress) return work();
  const sinceMs = clock.nowMs();
  let cancel: (() => void) | undefined;
  const say = (): void => {
    const seconds = Math.round((clock.nowMs() - sinceMs) / 1000);
    io.err(`${what} ... ${String(seconds)} s\n`);
    cancel = clock.after(NEXT_MS, say);
  };
  cancel = clock.after(FIRST_MS, say);
  try {
    return await work();
  } finally {
    cancel?.();
  }
}

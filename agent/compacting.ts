import type { Clock, Reporter } from './reconcile/ports.ts';

/** So long nothing was told. Milliseconds. */
const QUIET_MS = 20_000;

/**
 * A reporter that also has memory given back once nothing was told for a while. What a change of many stacks leaves behind
 * is a fifth of what the agent takes, and V8 keeps it for as long as nobody else seems to be short of it. `close` ends it.
 */
export function compacting(
  reporter: Reporter,
  clock: Pick<Clock, 'after'>,
  compact: () => void,
): Reporter & { readonly close: () => void } {
  let cancel: (() => void) | undefined;
  return {
    tell: (told) => {
      cancel?.();
      cancel = clock.after(QUIET_MS, compact);
      reporter.tell(told);
    },
    close: () => cancel?.(),
  };
}

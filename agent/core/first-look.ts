import type { Difference, Failure, Health } from './kind.ts';
import type { Look } from './look.ts';
import type { Forward } from './step-forward.ts';
import type { Watch } from './watch.ts';

/** So long an answer is waited for at most: what nobody answers is no reason against the calls. Milliseconds. */
export const FIRST_WAIT_MS = 30_000;

/** Whether the first calls of an attempt may begin. */
export type FirstLook =
  | { readonly status: 'clear'; readonly watch: Watch }
  | { readonly status: 'asking'; readonly watch: Watch; readonly health: Health }
  | { readonly status: 'failing'; readonly failure: Failure };

/**
 * Pure. Before anything of an attempt is called, the outside is asked once whether it has what the attempt needs. What it
 * certainly does not have is a failure while nothing has been touched; everything else is found out by trying.
 */
export function firstLook<Spec, Observed, Call>(
  { kind, observed, answers, nowMs }: Look<Spec, Observed, Call>,
  { unit, watch }: Pick<Forward<Spec>, 'unit' | 'watch'>,
  { operations, blocked }: Difference<Call>,
): FirstLook {
  // Nothing is due as long as something blocks it, and the answer would be old by then.
  if (kind.first === undefined || watch.first === 'over' || blocked.length > 0) {
    return { status: 'clear', watch };
  }
  const sinceMs = watch.first?.sinceMs ?? nowMs;
  const found = kind.first(unit, observed, { operations, answers });
  if (found.status === 'failing') return found;
  if (found.status === 'clear' || nowMs - sinceMs >= FIRST_WAIT_MS) {
    return { status: 'clear', watch: { ...watch, first: 'over' } };
  }
  const { asks, why: summary } = found;
  const health: Health = { status: 'progressing', progress: 0, summary, asks };
  return { status: 'asking', watch: { ...watch, first: { sinceMs } }, health };
}

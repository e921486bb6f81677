import type { Id } from './kind.ts';
import type { Watch } from './watch.ts';

/**
 * So much of the time between two looks counts at most, for or against a unit. While one is under way a look follows
 * within two seconds (`UNDER_WAY_MS` of view.ts), and reading a large Swarm takes another: what is longer is a call that
 * hung, or a process that stood still, and says nothing of any unit. Half of the six seconds that one call may hang.
 */
export const GAP_COUNTS_MS = 3_000;

/** The time between two looks at the Swarm, by our own monotonic clock. */
export interface Gap {
  readonly fromMs: number;
  readonly nowMs: number;
  /** It was tried to look in between, or to record, in vain: none of it counts. */
  readonly blind: boolean;
}

/** Pure. The watches with as much of a gap as counts; of a unit that was not to move none does. */
export function afterGap(watches: ReadonlyMap<Id, Watch>, gap: Gap): ReadonlyMap<Id, Watch> {
  return new Map([...watches].map(([id, watch]) => [id, moved(watch, gap)]));
}

function moved(watch: Watch, { fromMs, nowMs, blind }: Gap): Watch {
  const { stands = false, ...rest } = watch;
  const countsMs = blind || stands ? 0 : GAP_COUNTS_MS;
  const surplusMs = nowMs - fromMs - countsMs;
  if (surplusMs <= 0) return rest;
  // What was noted within the gap, after a call, moves only as far as what counts of the time since then.
  const later = (atMs: number): number =>
    Math.min(atMs + surplusMs, Math.max(atMs, nowMs - countsMs));
  return {
    ...rest,
    lookedAtMs: later(rest.lookedAtMs),
    progressAtMs: later(rest.progressAtMs),
    membersSinceMs: later(rest.membersSinceMs),
    ...(rest.refusedSinceMs !== undefined && { refusedSinceMs: later(rest.refusedSinceMs) }),
  };
}

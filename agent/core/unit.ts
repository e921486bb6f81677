import type { Health, HealthTimes } from './kind.ts';

/** Why a digest is given up: a slug, a sentence, and what was seen. */
export interface Failure {
  readonly code: string;
  readonly why: string;
  readonly evidence: string;
}

/** How a unit's last look ended, for one digest. */
export type Verdict =
  | { readonly status: 'healthy'; readonly digest: string }
  | ({ readonly status: 'failed'; readonly digest: string } & Failure);

/**
 * What the agent remembers of one unit between passes. Milliseconds of our own monotonic clock.
 * `none`: nothing is under way. `applying`: calls are due. `verifying`: calls are done, health is open.
 */
export interface UnitState {
  readonly phase: 'none' | 'applying' | 'verifying';
  /** What is or was applied. */
  readonly digest: string;
  readonly verdict?: Verdict;
  /** When this attempt began. */
  readonly attemptAtMs: number;
  readonly baseline: readonly string[];
  readonly progress: number;
  readonly progressAtMs: number;
  /** What runs, and since when it is the same. */
  readonly members?: string;
  readonly membersSinceMs: number;
  /** Rounds of calls in this attempt that ended open or out of sequence, why the last one did, and when to try again. */
  readonly tries: number;
  readonly trouble?: string;
  readonly retryAtMs: number;
  /** Rounds of calls in this attempt that were all ok. */
  readonly rounds: number;
}

/** Pure. A new attempt at `digest`: earlier failures and waits do not count against it. */
export function newAttempt(digest: string, baseline: readonly string[], nowMs: number): UnitState {
  return {
    phase: 'applying',
    digest,
    attemptAtMs: nowMs,
    baseline,
    progress: 0,
    progressAtMs: nowMs,
    membersSinceMs: nowMs,
    tries: 0,
    retryAtMs: nowMs,
    rounds: 0,
  };
}

/** Pure. All calls are done: the clock of health starts. */
export function verifying(state: UnitState, nowMs: number): UnitState {
  const { members: _members, ...rest } = state;
  return { ...rest, phase: 'verifying', progress: 0, progressAtMs: nowMs, membersSinceMs: nowMs };
}

/** Pure. A certain failure of this digest: it stays as it is until the digest changes. */
export function failed(state: UnitState, { code, why, evidence }: Failure): UnitState {
  const { digest } = state;
  // What ran so far says nothing about a recovery: that starts to count anew.
  return {
    ...withoutMembers(state),
    phase: 'none',
    verdict: { status: 'failed', digest, code, why, evidence },
  };
}

/** Pure. A call that ended open, or met a newer version: read again and try later, doubling up to five minutes. */
export function postponed(
  state: UnitState,
  trouble: string,
  firstWaitMs: number,
  nowMs: number,
): UnitState {
  const retryAtMs = nowMs + doubled(firstWaitMs, state.tries);
  return { ...state, phase: 'applying', tries: state.tries + 1, trouble, retryAtMs };
}

/** Rounds that may all be ok and still leave a difference. */
const ROUNDS_MAX = 3;

/** Pure. All calls of a round were ok. The next look finds no difference; where it does, the next round waits. */
export function called(state: UnitState, nowMs: number): UnitState {
  const rounds = state.rounds + 1;
  return { ...state, rounds, retryAtMs: nowMs + (rounds > 1 ? doubled(1_000, rounds) : 0) };
}

/** Pure. Calls that change nothing would be repeated for ever: the engine stores something else than it is sent. */
export function isFutile(state: UnitState): boolean {
  return state.phase === 'applying' && state.rounds >= ROUNDS_MAX;
}

/** Pure. Time in which nothing could be seen counts neither for nor against a unit. */
export function shifted(state: UnitState, blindMs: number): UnitState {
  const { progressAtMs, membersSinceMs } = state;
  return {
    ...state,
    progressAtMs: progressAtMs + blindMs,
    membersSinceMs: membersSinceMs + blindMs,
  };
}

function doubled(firstMs: number, times: number): number {
  return Math.min(firstMs * 2 ** Math.min(times, 20), 300_000);
}

/**
 * Pure. One look at a unit that verifies (or that failed and may have recovered by itself).
 * Converged and unchanged for `stableForMs` is healthy; a certain failure, or no progress for `timeoutMs`, is failed.
 */
export function judge(
  state: UnitState,
  health: Health,
  times: HealthTimes,
  nowMs: number,
): UnitState {
  switch (health.status) {
    case 'failing':
      return failed(state, health);
    case 'progressing': {
      const next = progressed(withoutMembers(state), health.progress, nowMs);
      return nowMs - next.progressAtMs >= times.timeoutMs
        ? failed(state, timeout(times.timeoutMs, health.summary))
        : next;
    }
    case 'converged': {
      const same = state.members === health.members;
      // To have converged is the most progress there is; to do so again and again is none.
      const next = {
        ...progressed(state, Number.MAX_SAFE_INTEGER, nowMs),
        members: health.members,
        membersSinceMs: same ? state.membersSinceMs : nowMs,
      };
      if (same && nowMs - next.membersSinceMs >= times.stableForMs) {
        return { ...next, phase: 'none', verdict: { status: 'healthy', digest: state.digest } };
      }
      const restless = times.timeoutMs + times.stableForMs;
      return !same && nowMs - next.progressAtMs >= restless
        ? failed(state, timeout(restless, `${health.summary}, but its tasks do not stay`))
        : next;
    }
  }
}

/**
 * Pure. One look at a failed unit that nobody touches. `health` must not count failures that were there already: the
 * engine keeps them in its history. Healthy again when the same tasks stayed for `stableForMs`, at least two looks long.
 */
export function recovered(
  state: UnitState,
  health: Health,
  { stableForMs }: HealthTimes,
  nowMs: number,
): UnitState {
  if (health.status !== 'converged') return withoutMembers(state);
  const { members } = health;
  if (state.members !== members) return { ...state, members, membersSinceMs: nowMs };
  const settled = nowMs - state.membersSinceMs >= stableForMs;
  return settled ? { ...state, verdict: { status: 'healthy', digest: state.digest } } : state;
}

function withoutMembers(state: UnitState): UnitState {
  const { members: _members, ...rest } = state;
  return rest;
}

function progressed(state: UnitState, progress: number, nowMs: number): UnitState {
  return progress > state.progress ? { ...state, progress, progressAtMs: nowMs } : state;
}

function timeout(ms: number, evidence: string): Failure {
  return { code: 'timeout', why: `no progress for ${String(Math.round(ms / 1000))} s`, evidence };
}

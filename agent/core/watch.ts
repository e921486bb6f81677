import type { Asked, Failure, Health, HealthTimes, Late } from './kind.ts';

/**
 * What is remembered of one unit's attempt in memory only: a new leader, or the agent started again, begins it anew.
 * Milliseconds of our own monotonic clock.
 */
export interface Watch {
  /** Of which attempt, in which direction: another one starts anew. */
  readonly of: string;
  readonly sinceMs: number;
  /** The last look: time in which nothing counts is added to the clocks from here. */
  readonly lookedAtMs: number;
  readonly progress: number;
  readonly progressAtMs: number;
  /** What runs, and since when it is the same. */
  readonly members?: string;
  readonly membersSinceMs: number;
  /** Rounds of calls that ended open or out of sequence, why the last one did, and when to try again. */
  readonly tries: number;
  readonly trouble?: string;
  /** Why the engine refused a correction for good, until one goes well. */
  readonly refused?: string;
  readonly retryAtMs: number;
  /** Since when the engine refuses a call again and again, for a reason that could pass. */
  readonly refusedSinceMs?: number;
  /** Rounds of calls that were all ok, since nothing differed. */
  readonly rounds: number;
  /** Since when an answer is waited for before its first call, or that nothing is asked any more. */
  readonly first?: { readonly sinceMs: number } | 'over';
  /** At the last look a unit that it depends on was not well: what failed since then is not judged. */
  readonly outage?: true;
  /** Nodes that went away since it began. */
  readonly lost: readonly string[];
  /** Since when a verdict that is due waits for what is read for it. */
  readonly readingSinceMs?: number;
  /** The cause outside that holds it up, since when, and whether that is long by now. */
  readonly outside?: { readonly why: string; readonly sinceMs: number; readonly long: boolean };
  /** When rounds went well, the newest last: of a settled unit each is a correction of drift. */
  readonly calledAtMs: readonly number[];
  /** When a change by hand was corrected of what verifies or goes back, the newest last. */
  readonly correctedAtMs: readonly number[];
  /** Such a correction was the last thing that was due: the next look without a difference starts the clock anew. */
  readonly correcting?: true;
  /** At the last look the unit was not to move, by somebody's will: the time since then does not count. */
  readonly stands?: true;
}

/** Pure. Nothing was seen yet. */
export function newWatch(of: string, nowMs: number): Watch {
  return {
    of,
    sinceMs: nowMs,
    lookedAtMs: nowMs,
    progress: 0,
    progressAtMs: nowMs,
    membersSinceMs: nowMs,
    tries: 0,
    retryAtMs: nowMs,
    rounds: 0,
    lost: [],
    calledAtMs: [],
    correctedAtMs: [],
  };
}

/** Pure. All calls are done and had their effect: the clock of health starts. */
export function startClock(watch: Watch, nowMs: number): Watch {
  const { trouble: _trouble, correcting: _correcting, ...rest } = withoutMembers(watch);
  const since = { progressAtMs: nowMs, membersSinceMs: nowMs, lookedAtMs: nowMs };
  return { ...rest, ...since, progress: 0, rounds: 0 };
}

/** Why a round of calls is tried again. */
export interface Trouble {
  readonly why: string;
  /** The engine said no; else nobody knows, or it could not be asked. */
  readonly refused: boolean;
}

/** Pure. A call that ended open, or met a newer version: read again and try later, doubling up to five minutes. */
export function postponed(
  watch: Watch,
  { why, refused }: Trouble,
  firstWaitMs: number,
  nowMs: number,
): Watch {
  const retryAtMs = nowMs + doubled(firstWaitMs, watch.tries);
  const refusedSinceMs = watch.refusedSinceMs ?? nowMs;
  const tried = { ...watch, tries: watch.tries + 1, trouble: why, retryAtMs };
  return refused ? { ...tried, refusedSinceMs } : tried;
}

/** Pure. The failure of calls that were refused for so long: what could have passed did not. */
export function refusedTooLong(
  { refusedSinceMs, trouble = '' }: Watch,
  { timeoutMs }: HealthTimes,
  nowMs: number,
): Failure | undefined {
  if (refusedSinceMs === undefined || nowMs - refusedSinceMs < timeoutMs) return undefined;
  const why = `the engine refused it for ${String(Math.round(timeoutMs / 1000))} s`;
  return { code: 'refused', why, evidence: trouble };
}

/** Rounds that may all be ok and still leave a difference. */
const ROUNDS_MAX = 3;

/** Pure. All calls of a round were ok. The next look finds no difference; where it does, the next round waits. */
export function called(watch: Watch, nowMs: number): Watch {
  const { trouble: _trouble, refused: _refused, refusedSinceMs: _since, ...rest } = watch;
  const rounds = watch.rounds + 1;
  return {
    ...rest,
    tries: 0,
    rounds,
    retryAtMs: nowMs + (rounds > 1 ? doubled(1_000, rounds) : 0),
    calledAtMs: [...watch.calledAtMs, nowMs].slice(-ROUNDS_MAX),
  };
}

/** Pure. A settled unit is as it should be: how hard it was to bring it there does not count for what comes later. */
export function atPeace(watch: Watch): Watch {
  if (watch.rounds === 0 && watch.tries === 0) return watch;
  const { trouble: _trouble, refusedSinceMs: _since, ...rest } = watch;
  return { ...rest, rounds: 0, tries: 0 };
}

/** Pure. Calls that change nothing would be repeated for ever: the engine stores something else than it is sent. */
export function isFutile({ rounds }: Watch): boolean {
  return rounds >= ROUNDS_MAX;
}

/** Pure. Time that counts neither for nor against a unit. */
export function shifted(watch: Watch, blindMs: number): Watch {
  return {
    ...watch,
    lookedAtMs: watch.lookedAtMs + blindMs,
    progressAtMs: watch.progressAtMs + blindMs,
    membersSinceMs: watch.membersSinceMs + blindMs,
    ...(watch.refusedSinceMs !== undefined && { refusedSinceMs: watch.refusedSinceMs + blindMs }),
    ...(watch.readingSinceMs !== undefined && { readingSinceMs: watch.readingSinceMs + blindMs }),
  };
}

/** Pure. Nodes that are away now and were not when the attempt began stay noted, also when they come back. */
export function lostNodes(
  watch: Watch,
  absent: readonly string[],
  before: readonly string[],
): Watch {
  const lost = absent.filter((node) => !before.includes(node) && !watch.lost.includes(node));
  return lost.length === 0 ? watch : { ...watch, lost: [...watch.lost, ...lost] };
}

function doubled(firstMs: number, times: number): number {
  return Math.min(firstMs * 2 ** Math.min(times, 20), 300_000);
}

/** What one look decided, if anything. */
export interface Judgement {
  readonly watch: Watch;
  readonly verdict: 'healthy' | 'open' | Failure;
  /** A verdict is due, and waits a moment for these. */
  readonly asks?: readonly Asked[];
}

/**
 * Pure. One look at a unit that verifies. Converged and unchanged for `stableForMs` is healthy; a certain failure, or no
 * progress for `timeoutMs`, is failed, once what is read for it was read; while a cause outside holds it up the clock stands.
 */
export function judge(before: Watch, health: Health, times: HealthTimes, nowMs: number): Judgement {
  if (health.status === 'outside') return outside(before, health.why, nowMs);
  const { outside: _outside, readingSinceMs, ...inside } = before;
  const watch = { ...inside, lookedAtMs: nowMs };
  const reads: Reads = { nowMs, sinceMs: readingSinceMs };
  switch (health.status) {
    case 'failing': {
      const { code, why, evidence, reading } = health;
      const late = nowMs - watch.progressAtMs >= times.timeoutMs;
      const open = reading === true && (!late || isReading(reads));
      return open ? waits(watch, reads) : { watch, verdict: { code, why, evidence } };
    }
    case 'progressing': {
      const next = progressed(withoutMembers(watch), health.progress, nowMs);
      if (nowMs - next.progressAtMs < times.timeoutMs) return { watch: next, verdict: 'open' };
      return overdue(next, { ms: times.timeoutMs, summary: health.summary, ...health.late }, reads);
    }
    case 'converged':
      return converged(watch, health, times, reads);
  }
}

function converged(
  watch: Watch,
  health: Extract<Health, { status: 'converged' }>,
  times: HealthTimes,
  reads: Reads,
): Judgement {
  const { nowMs } = reads;
  const same = watch.members === health.members;
  // To have converged is the most progress there is; to do so again and again is none.
  const next = {
    ...progressed(watch, Number.MAX_SAFE_INTEGER, nowMs),
    members: health.members,
    membersSinceMs: same ? watch.membersSinceMs : nowMs,
  };
  if (same && nowMs - next.membersSinceMs >= times.stableForMs) {
    return { watch: next, verdict: 'healthy' };
  }
  const restless = times.timeoutMs + times.stableForMs;
  // What was due already is so at the next look too, or it would be put off again and again.
  const isDue = !same || reads.sinceMs !== undefined;
  if (!isDue || nowMs - next.progressAtMs < restless) return { watch: next, verdict: 'open' };
  const { summary, late } = health;
  return overdue(next, { ms: restless, why: ': its tasks do not stay', summary, ...late }, reads);
}

/** So long a verdict that is due waits for what is read, which has a shorter deadline of its own. Milliseconds. */
const READ_MS = 5_000;

/** Since when a verdict waits. Absent: it did not so far. */
interface Reads {
  readonly nowMs: number;
  readonly sinceMs: number | undefined;
}

function isReading({ nowMs, sinceMs = nowMs }: Reads): boolean {
  return nowMs - sinceMs < READ_MS;
}

function waits(watch: Watch, { nowMs, sinceMs = nowMs }: Reads): Judgement {
  return { watch: { ...watch, readingSinceMs: sinceMs }, verdict: 'open' };
}

/** Time is over: the failure, or what is read for it first. */
function overdue(
  watch: Watch,
  late: Partial<Late> & { readonly ms: number; readonly why?: string; readonly summary: string },
  reads: Reads,
): Judgement {
  const { ms, why: more = '', summary, evidence = summary, asks = [], reading } = late;
  if (reading === true && isReading(reads)) return { ...waits(watch, reads), asks };
  const why = `no progress for ${String(Math.round(ms / 1000))} s${more}`;
  return { watch, verdict: { code: 'timeout', why, evidence } };
}

/** Pure. The health, with what is to be asked for a verdict that is due. */
export function asking(health: Health, { asks = [] }: Judgement): Health {
  return asks.length === 0 ? health : { ...health, asks: [...(health.asks ?? []), ...asks] };
}

/** After so long people are told that waiting may not help. */
const OUTSIDE_LONG_MS = 900_000;

/** The clocks move on with the time, so that none of it counts. */
function outside(watch: Watch, why: string, nowMs: number): Judgement {
  const stood = shifted(watch, nowMs - watch.lookedAtMs);
  const sinceMs = watch.outside?.sinceMs ?? nowMs;
  const long = nowMs - sinceMs >= OUTSIDE_LONG_MS;
  return { watch: { ...stood, outside: { why, sinceMs, long } }, verdict: 'open' };
}

function withoutMembers(watch: Watch): Watch {
  const { members: _members, ...rest } = watch;
  return rest;
}

function progressed(watch: Watch, progress: number, nowMs: number): Watch {
  return progress > watch.progress ? { ...watch, progress, progressAtMs: nowMs } : watch;
}

import type { Clock } from '../../reconcile/ports.ts';
import type { ClusterSight, Wanted } from './observed.ts';

/** So long a pass waits for a look. Milliseconds. */
export const WAIT_MS = 2_000;
/** A cluster that is away is looked at again after that, doubled with each time, up to this. Milliseconds. */
const AGAIN_MS = 5_000;
const AGAIN_MAX_MS = 60_000;
/** So long nothing is written before a cluster that takes long is looked at for the next pass. Milliseconds. */
const QUIET_MS = 500;

const CLOSED: ClusterSight = { status: 'away', why: 'the agent ends' };

interface Look {
  readonly about: string;
  readonly beganMs: number;
  readonly stop: AbortController;
  /** What came of it, once it is over; or how it broke, for whoever asks next. */
  outcome?: Outcome;
}
type Outcome = ClusterSight | { readonly status: 'broken'; readonly error: unknown };

export interface LookPorts {
  readonly clock: Clock;
  /** One look. Rejects with the signal's reason and for nothing else. */
  readonly look: (wanted: Wanted, signal: AbortSignal) => Promise<ClusterSight>;
  /** So long it is waited for. Milliseconds. */
  readonly waitMs: number;
  /** Is told that the cluster was seen after all, by a look that a pass had waited for in vain. */
  readonly seenLate?: (() => void) | undefined;
}

/**
 * Looks at one cluster, beside the passes where that takes long: a pass waits for a moment, and the next one has what came of the
 * look, or none: what nobody took by then is forgotten. Nothing counts that was read before a write of ours.
 */
export class LookBeside {
  readonly #ports: LookPorts;
  #running: { readonly look: Look; readonly over: Promise<void> } | undefined;
  /** Over, later than a pass waited for it; nobody had it yet. */
  #late: Look | undefined;
  #writing = 0;
  #isClosed = false;
  /** Why it was away the last time; undefined: it was not. */
  #why: string | undefined;
  #failures = 0;
  #notBeforeMs = 0;
  /** A pass waited for it, and went on without it. */
  #missed: Look | undefined;
  /** What the last look was to find, where that took longer than a pass waits. */
  #slow: Wanted | undefined;
  #cancelQuiet: () => void = () => undefined;

  constructor(ports: LookPorts) {
    this.#ports = ports;
  }

  /** Whether a look is under way. */
  get isLooking(): boolean {
    return this.#running !== undefined;
  }

  /** What is known of it now, after at most `waitMs`. Rejects with the signal's reason. */
  async ask(wanted: Wanted, signal: AbortSignal): Promise<ClusterSight> {
    signal.throwIfAborted();
    if (this.#isClosed) return CLOSED;
    const about = aboutOf(wanted);
    const late = this.#late;
    this.#late = undefined;
    if (late?.outcome !== undefined && counts(late, about)) {
      // It took long: the next pass is to have it, too.
      if (late.outcome.status === 'seen') this.#begin(wanted, about);
      return sightOf(late.outcome);
    }
    return await this.#wait(wanted, about, signal);
  }

  async #wait(wanted: Wanted, about: string, signal: AbortSignal): Promise<ClusterSight> {
    const { clock, waitMs } = this.#ports;
    const untilMs = clock.nowMs() + waitMs;
    this.#missed = undefined;
    for (;;) {
      if (this.#isClosed) return CLOSED;
      const now = clock.nowMs();
      const isSoon = this.#running === undefined && now < this.#notBeforeMs;
      if (isSoon || now >= untilMs) {
        this.#missed = this.#running?.look;
        return { status: 'away', why: this.#why ?? slow(waitMs) };
      }
      const { look, over } = this.#running ?? this.#begin(wanted, about);
      await unlessLate(over, { clock, ms: untilMs - now, signal });
      if (look.outcome === undefined) continue;
      if (this.#late === look) this.#late = undefined;
      if (counts(look, about)) return sightOf(look.outcome);
    }
  }

  #begin(wanted: Wanted, about: string): { readonly look: Look; readonly over: Promise<void> } {
    const beganMs = this.#ports.clock.nowMs();
    const look: Look = { about, beganMs, stop: new AbortController() };
    const running = { look, over: this.#run(look, wanted) };
    this.#running = running;
    return running;
  }

  /** Never rejects. */
  async #run(look: Look, wanted: Wanted): Promise<void> {
    try {
      look.outcome = await this.#ports.look(wanted, look.stop.signal);
    } catch (error) {
      look.outcome = { status: 'broken', error };
    }
    if (this.#running?.look === look) this.#running = undefined;
    if (look.stop.signal.aborted) return;
    const nowMs = this.#ports.clock.nowMs();
    this.#note(look.outcome, nowMs);
    // One that was quick is made again instead.
    const isLate = nowMs - look.beganMs >= this.#ports.waitMs;
    if (isLate) this.#late = look;
    const isSeen = look.outcome.status === 'seen';
    this.#slow = isLate && isSeen ? wanted : undefined;
    // Of one that nobody waited for a pass is told when it comes.
    const isMissed = this.#missed === look;
    if (isMissed) this.#missed = undefined;
    if (isMissed && isLate && isSeen) this.#ports.seenLate?.();
  }

  #note(outcome: Outcome, nowMs: number): void {
    if (outcome.status !== 'away') {
      this.#why = undefined;
      this.#failures = 0;
      return;
    }
    this.#why = outcome.why;
    this.#notBeforeMs = nowMs + Math.min(AGAIN_MAX_MS, AGAIN_MS * 2 ** this.#failures);
    this.#failures += 1;
  }

  /** Something is written: what was or is being read does not count, nor what is read until the function that it gives is called. */
  writing(): () => void {
    this.#writing += 1;
    this.#forget();
    return () => {
      this.#writing -= 1;
      this.#forget();
      const { clock } = this.#ports;
      this.#cancelQuiet = clock.after(QUIET_MS, () => this.#lookAfterWrites());
    };
  }

  /** The next pass is to have what takes long. */
  #lookAfterWrites(): void {
    const wanted = this.#slow;
    if (wanted === undefined || this.#running !== undefined || this.isWriting) return;
    this.#begin(wanted, aboutOf(wanted));
  }

  /** Whether something is being written. */
  get isWriting(): boolean {
    return this.#writing > 0;
  }

  close(): void {
    this.#isClosed = true;
    this.#forget();
  }

  #forget(): void {
    this.#cancelQuiet();
    this.#late = undefined;
    this.#running?.look.stop.abort();
    this.#running = undefined;
  }
}

function slow(waitMs: number): string {
  return `it takes longer than ${waitMs / 1000} s to look at it: what is found comes later`;
}

/** Pure. Whether it is about the same, and nothing was written since it began. */
function counts({ about, stop }: Look, wanted: string): boolean {
  return about === wanted && !stop.signal.aborted;
}

/** Throws what the look threw: a bug of ours. */
function sightOf(outcome: Outcome): ClusterSight {
  if (outcome.status === 'broken') throw outcome.error;
  return outcome;
}

/** Pure. What a look is to find; in the order in which it was asked for. */
function aboutOf({ clients, places }: Wanted): string {
  return JSON.stringify([[...clients], places]);
}

/** Until then, or for so long. Rejects with the signal's reason. */
async function unlessLate(
  over: Promise<void>,
  {
    clock,
    ms,
    signal,
  }: { readonly clock: Clock; readonly ms: number; readonly signal: AbortSignal },
): Promise<void> {
  const end = Promise.withResolvers<undefined>();
  const cancel = clock.after(ms, () => end.resolve(undefined));
  const stop = (): void => {
    end.reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    await Promise.race([over, end.promise]);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
}

import type { Clock } from '../reconcile/ports.ts';

/** On a busy machine a child waits for a processor; so many times its deadline it may take in all. */
const WALL_FACTOR = 6;
/** A look at what was used is a reading of /proc. */
const LOOK_MS_MIN = 250;

/** Milliseconds that may pass on the clock until a child's time is over for certain. */
export function wallMsOf(deadlineMs: number): number {
  return WALL_FACTOR * deadlineMs;
}

/** What a budget is made of. Milliseconds. */
export interface BudgetParts {
  readonly clock: Clock;
  readonly deadlineMs: number;
  /** How long the child was on processors; undefined: nobody knows, and the clock alone counts. */
  readonly used: () => Promise<number | undefined>;
  /** Called once, when the time is over. */
  readonly spent: () => void;
}

/**
 * A child's time, which counts down only while it runs: by the processors' time, so that a good revision is not refused for
 * what else the machine does, and by the clock for one that does nothing at all.
 */
export class Budget {
  readonly #parts: BudgetParts;
  #wallMs = 0;
  #startedMs = 0;
  #cancel: (() => void) | undefined;

  constructor(parts: BudgetParts) {
    this.#parts = parts;
  }

  run(): void {
    this.#startedMs = this.#parts.clock.nowMs();
    this.#arm(this.#parts.deadlineMs - this.#wallMs);
  }

  stop(): void {
    if (this.#cancel === undefined) return;
    this.#cancel();
    this.#cancel = undefined;
    this.#wallMs += this.#parts.clock.nowMs() - this.#startedMs;
  }

  #arm(ms: number): void {
    this.#cancel = this.#parts.clock.after(Math.max(0, ms), () => void this.#look());
  }

  async #look(): Promise<void> {
    const armed = this.#cancel;
    const { clock, deadlineMs, used, spent } = this.#parts;
    const usedMs = await used();
    // Stopped, or over, while it was asked for.
    if (this.#cancel !== armed) return;
    const wallMs = this.#wallMs + clock.nowMs() - this.#startedMs;
    const leftMs =
      usedMs === undefined ? 0 : Math.min(deadlineMs - usedMs, wallMsOf(deadlineMs) - wallMs);
    if (leftMs <= 0) spent();
    else this.#arm(Math.max(leftMs, LOOK_MS_MIN));
  }
}

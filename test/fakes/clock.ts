import type { Instant } from '../../agent/core/lease.ts';
import type { Clock } from '../../agent/reconcile/ports.ts';

interface Timer {
  readonly atMs: number;
  readonly order: number;
  readonly callback: () => void;
}

/** Virtual time: moves only when told to, and runs due timers in order. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  /** What the wall clock was set forward by, and how long the machine slept. Milliseconds. */
  setForwardMs = 0;
  sleptMs = 0;
  readonly #timers = new Set<Timer>();

  nowMs(): number {
    return this.#nowMs;
  }

  instant(): Instant {
    const bootMs = this.#nowMs + this.sleptMs;
    return { monotonicMs: this.#nowMs, bootMs, wallMs: bootMs + this.setForwardMs };
  }

  /** As far from a fixed day as the virtual time. */
  date(): string {
    return new Date(Date.UTC(2026, 0, 1) + this.#nowMs).toISOString();
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const cancel = this.after(ms, resolve);
      signal.addEventListener(
        'abort',
        () => {
          cancel();
          reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        },
        { once: true },
      );
    });
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order++, callback };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  /** How long until the next timer, undefined where there is none. */
  get nextMs(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.atMs - this.#nowMs;
  }

  /** Lets pending promises run, then moves on by `ms`, timer by timer. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await this.settle();
    for (let timer = this.#next(); timer !== undefined && timer.atMs <= untilMs;) {
      this.#timers.delete(timer);
      this.#nowMs = Math.max(this.#nowMs, timer.atMs);
      timer.callback();
      await this.settle();
      timer = this.#next();
    }
    this.#nowMs = untilMs;
  }

  /** Enough turns of the loop for promise chains that use no real input or output. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn += 1) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  #next(): Timer | undefined {
    return [...this.#timers].toSorted((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }
}

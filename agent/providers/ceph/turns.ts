import type { Clock } from '../../reconcile/ports.ts';

/** What came of waiting for a turn. */
export type Turn = 'yours' | 'full' | 'late';

/** Lets a number of works run at the same time, and a number of them wait, in the order in which they come. */
export class Turns {
  readonly #clock: Clock;
  readonly #waitingMax: number;
  readonly #waiting = new Set<() => void>();
  #free: number;

  constructor(clock: Clock, limits: { readonly atOnce: number; readonly waitingMax: number }) {
    this.#clock = clock;
    this.#free = limits.atOnce;
    this.#waitingMax = limits.waitingMax;
  }

  /** Whoever gets one gives it back. Milliseconds. Rejects with the signal's reason. */
  async take(deadlineMs: number, signal: AbortSignal): Promise<Turn> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return 'yours';
    }
    if (this.#waiting.size >= this.#waitingMax) return 'full';
    return await new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        this.#waiting.delete(go);
        cancel();
        signal.removeEventListener('abort', stop);
        act();
      };
      const go = (): void => settle(() => resolve('yours'));
      const stop = (): void => {
        settle(() => reject(signal.reason instanceof Error ? signal.reason : new Error('aborted')));
      };
      const cancel = this.#clock.after(deadlineMs, () => settle(() => resolve('late')));
      signal.addEventListener('abort', stop, { once: true });
      this.#waiting.add(go);
    });
  }

  give(): void {
    const [next] = this.#waiting;
    // Handed on: nobody who comes later is quicker.
    if (next === undefined) this.#free += 1;
    else next();
  }
}

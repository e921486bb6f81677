import type { Clock } from './ports.ts';

/** Says "look now" from anywhere to one waiting loop. A ring that comes while nobody waits is kept, once. */
export class Wake {
  readonly #clock: Clock;
  #rung = false;
  #wakeUp: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wakeUp?.();
  }

  /** Resolves after `ms`, at a ring, or when aborted. Never rejects: the caller asks the signal. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          cancel();
          signal.removeEventListener('abort', end);
          resolve();
        };
        const cancel = this.#clock.after(ms, end);
        this.#wakeUp = end;
        signal.addEventListener('abort', end);
      });
      this.#wakeUp = undefined;
    }
    this.#rung = false;
  }
}

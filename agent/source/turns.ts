import { SourceError } from '../reconcile/ports.ts';

/** Callers of one source at a time. */
const WAITING_MAX = 8;

/** What runs for one source: one look at a time, and an end that waits for everything under way. */
export class Turns {
  readonly #closing: AbortController;
  readonly #running = new Set<Promise<unknown>>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(closing: AbortController) {
    this.#closing = closing;
  }

  /** The caller's signal, or the end of the source. */
  either(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.#closing.signal]);
  }

  /** One at a time: two fetches into one mirror would stand in each other's way. Throws `SourceError` where too many wait. */
  async inTurn<T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    const both = this.either(signal);
    both.throwIfAborted();
    if (this.#waiting >= WAITING_MAX) {
      throw new SourceError('too many ask for a revision at once', { retry: 'soon' });
    }
    this.#waiting += 1;
    const turn = this.#turn.then(async () => {
      both.throwIfAborted();
      return work(both);
    });
    this.#turn = turn.catch(() => undefined);
    try {
      return await this.beside(turn);
    } finally {
      this.#waiting -= 1;
    }
  }

  /** Work that needs no turn, and that `close` waits for all the same. */
  async beside<T>(work: Promise<T>): Promise<T> {
    this.#running.add(work);
    try {
      return await work;
    } finally {
      this.#running.delete(work);
    }
  }

  /** Ends everything under way and waits for it. */
  async close(): Promise<void> {
    this.#closing.abort(new SourceError('the source is closed', { retry: 'never' }));
    await Promise.allSettled(this.#running);
  }
}

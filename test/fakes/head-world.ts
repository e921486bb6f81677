import type { CallOutcome } from '../../agent/core/kind.ts';
import type { HeadKeeper, HeadState, Labels } from '../../agent/reconcile/lease-ports.ts';
import type { Clock } from '../../agent/reconcile/ports.ts';
import type { VirtualClock } from './clock.ts';

/** What becomes of one exchange of an agent with the head. Milliseconds. */
export interface Weather {
  /** Until it is carried out. */
  readonly latencyMs: number;
  /** `lost`: it never arrives; `unanswered`: carried out, nobody hears; `late`: carried out after the deadline; `twice`: repeated. */
  readonly fate: 'well' | 'lost' | 'unanswered' | 'late' | 'twice';
}

/** The client gives up after so long. */
const DEADLINE_MS = 6_000;

/** The head of a Swarm that several agents reach, each in its own weather. */
export class HeadWorld {
  head: HeadState | undefined = { id: 'head', version: 1, labels: {} };
  /** Every write that was accepted. */
  readonly accepted: { readonly who: string; readonly atMs: number; readonly labels: Labels }[] =
    [];
  writes = 0;
  readonly #clock: VirtualClock;
  #index = 1;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** The head as the process `who` reaches it. `weather` is asked before each exchange. */
  keeper(
    who: string,
    process: ProcessClock,
    weather: (what: 'read' | 'write') => Weather,
  ): HeadKeeper {
    const exchange = <Value>(
      what: 'read' | 'write',
      carryOut: () => CallOutcome<Value>,
      signal: AbortSignal,
    ): Promise<CallOutcome<Value>> =>
      this.#exchange({ process, ...weather(what) }, carryOut, signal);
    return {
      read: (signal) => exchange('read', () => ({ status: 'ok', value: this.head }), signal),
      make: (signal) => exchange('write', () => this.#make(), signal),
      swap: (seen, labels, signal) =>
        exchange('write', () => this.#swap(who, seen, labels), signal),
    };
  }

  #exchange<Value>(
    { process, latencyMs, fate }: Weather & { readonly process: ProcessClock },
    carryOut: () => CallOutcome<Value>,
    signal: AbortSignal,
  ): Promise<CallOutcome<Value>> {
    signal.throwIfAborted();
    return new Promise((resolve) => {
      const open = { status: 'unknown', why: 'no answer in time', cause: 'unreachable' } as const;
      process.after(DEADLINE_MS, () => resolve(open));
      signal.addEventListener('abort', () => resolve(open), { once: true });
      if (fate === 'lost') return;
      const arriveMs = fate === 'late' ? DEADLINE_MS + latencyMs : latencyMs;
      this.#clock.after(arriveMs, () => {
        if (fate === 'twice') carryOut();
        const outcome = carryOut();
        if (fate === 'well' || fate === 'twice') process.after(1, () => resolve(outcome));
      });
    });
  }

  #make(): CallOutcome<unknown> {
    if (this.head !== undefined) return taken;
    this.#index += 1;
    this.head = { id: `head${String(this.#index)}`, version: this.#index, labels: {} };
    return done;
  }

  #swap(who: string, seen: Pick<HeadState, 'id' | 'version'>, labels: Labels) {
    this.writes += 1;
    if (this.head?.id !== seen.id || this.head.version !== seen.version) return overtaken;
    this.#index = Math.max(this.#index, seen.version) + 1;
    this.head = { id: seen.id, version: this.#index, labels };
    this.accepted.push({ who, atMs: this.#clock.nowMs(), labels });
    return done;
  }
}

/** The clock of one process, which can be stopped: its timers wait until it goes on, time does not. */
export class ProcessClock implements Clock {
  readonly #clock: VirtualClock;
  #waiting: (() => void)[] | undefined;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  stop(): void {
    this.#waiting ??= [];
  }

  goOn(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const callback of waiting) callback();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  instant() {
    return this.#clock.instant();
  }

  date(): string {
    return this.#clock.date();
  }

  after(ms: number, callback: () => void): () => void {
    let cancelled = false;
    const cancel = this.#clock.after(ms, () => {
      const run = (): void => {
        if (!cancelled) callback();
      };
      if (this.#waiting === undefined) run();
      else this.#waiting.push(run);
    });
    return () => {
      cancelled = true;
      cancel();
    };
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const end = (): void => {
        cancel();
        reject(new Error('aborted'));
      };
      const cancel = this.after(ms, () => {
        signal.removeEventListener('abort', end);
        resolve();
      });
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

const done: CallOutcome<unknown> = { status: 'ok', value: {} };

const taken: CallOutcome<unknown> = {
  status: 'refused',
  why: 'config already exists',
  retry: 'after-replan',
  cause: 'name-taken',
};

const overtaken: CallOutcome<unknown> = {
  status: 'refused',
  why: 'update out of sequence',
  retry: 'after-replan',
  cause: 'out-of-sequence',
};

import type { Desired } from './pass.ts';
import type { Clock } from './ports.ts';
import type { Wake } from './wake.ts';

/** So long a new leader waits for the repository before its first pass. Milliseconds. */
const ASK_MS = 2_000;

/** What a follower tells and a leader reads. */
export interface NewestPorts {
  readonly clock: Clock;
  /** Of the passes. */
  readonly wake: Wake;
  /** Of whoever follows the repository. */
  readonly sourceWake: Wake;
}

/** The newest valid revision that is known, and when the repository last said that it is the newest. */
export class Newest<Spec> {
  readonly #ports: NewestPorts;
  #desired: Desired<Spec> | undefined;
  #confirmedAtMs = -Infinity;

  constructor(ports: NewestPorts) {
    this.#ports = ports;
  }

  get desired(): Desired<Spec> | undefined {
    return this.#desired;
  }

  publish(newest: Desired<Spec>): void {
    this.#desired = newest;
    this.#ports.wake.ring();
  }

  confirm(revision: string): void {
    this.#confirmedAtMs = this.#ports.clock.nowMs();
    const desired = this.#desired;
    if (desired?.revision !== revision || !desired.remembered) return;
    this.publish({ ...desired, remembered: false });
  }

  /**
   * Who led before may have seen a newer revision than we did: until the repository answers, what we have is only
   * remembered, and is acted upon only where it is what the record saw last.
   */
  async askAnew(signal: AbortSignal): Promise<void> {
    const { clock, wake, sourceWake } = this.#ports;
    if (this.#desired === undefined || this.#confirmedAtMs >= clock.nowMs()) return;
    this.#desired = { ...this.#desired, remembered: true };
    sourceWake.ring();
    await wake.wait(ASK_MS, signal);
  }
}

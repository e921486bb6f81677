import type { CallOutcome } from '../core/kind.ts';
import type { Instant, Lease } from '../core/lease.ts';
import type { HeadKeeper, HeadState, Labels } from '../reconcile/lease-ports.ts';
import type { Clock } from '../reconcile/ports.ts';
import { type LeaseRead, readLease, withLease } from './label.ts';

/** Who steps up. */
export interface Candidate {
  /** Node and process, to tell on that node whether it is dead. */
  readonly holder: string;
  /** Host name of the node, for people. */
  readonly node: string;
  readonly version: string;
}

/** The head as it was read, or as it is after our own write. */
export interface Reading {
  /** Undefined where there is no head. */
  readonly labels: Labels | undefined;
  readonly lease: LeaseRead;
  readonly isOurs: boolean;
  /** Of a lease that is ours: when the write that made it was about to be sent. */
  readonly from: Instant | undefined;
}

/** What is written: other labels, if any, and the lease. Without a term it is the next one. */
export interface Draft {
  readonly labels?: Labels;
  readonly lease: { readonly term?: number; readonly ttlMs: number };
}

/** What the register works with. */
export interface RegisterPorts {
  readonly head: HeadKeeper;
  readonly clock: Clock;
  candidate(signal: AbortSignal): Promise<CallOutcome<Candidate>>;
  nonce(): string;
}

/** Somebody else may write the head in between so often. */
const TRIES = 4;
/** So many of our own writes that did not get through are remembered. */
const SENT_MAX = 500;

/**
 * The labels of the head as a register that is compared and swapped. Every write of ours carries a nonce and a number, so
 * that what it came to can be read where the answer was lost, or says no because the engine itself repeated the call
 * (facts/safety.md 1.1).
 */
export class HeadRegister {
  readonly #ports: RegisterPorts;
  #candidate: Candidate | undefined;
  #nonce: string;
  #past = '';
  #seq = 0;
  #termMax = 0;
  /** When each of our writes was about to be sent. */
  readonly #sent = new Map<number, Instant>();
  /** The last of them that the head showed. */
  #accepted = 0;
  /** A manager that lost touch may answer with what was before. */
  #oldest: Pick<HeadState, 'id' | 'version'> = { id: '', version: 0 };

  constructor(ports: RegisterPorts) {
    this.#ports = ports;
    this.#nonce = ports.nonce();
  }

  /** Whether it is what this process held before it renounced: nobody acts under that any more. */
  isPast({ nonce }: Lease): boolean {
    return nonce === this.#past;
  }

  /** What this process holds counts no more; it may take the lease anew. */
  renounce(): void {
    this.#past = this.#nonce;
    this.#nonce = this.#ports.nonce();
    this.#sent.clear();
  }

  /** Whether a write of ours may be in the head, or come yet. */
  get isSent(): boolean {
    return this.#sent.size > 0;
  }

  /** A time below `ms`, of this process. */
  spread(ms: number): number {
    return Buffer.from(this.#nonce).reduce((sum, byte) => (sum * 31 + byte) % ms, 7);
  }

  async read(signal: AbortSignal): Promise<CallOutcome<Reading>> {
    const read = await this.#read(signal);
    return read.status === 'ok' ? { status: 'ok', value: this.#reading(read.value) } : read;
  }

  /**
   * Reads, asks `draft` what to write on that, and swaps. Of `draft` false says that we may not (`held-back`), undefined that
   * the labels are not what the change was made for (`out-of-sequence`).
   */
  async write(
    draft: (reading: Reading) => Draft | false | undefined,
    signal: AbortSignal,
  ): Promise<CallOutcome<Reading>> {
    const candidate = await this.#who(signal);
    if (candidate.status !== 'ok') return candidate;
    for (let tries = 0; tries < TRIES; tries += 1) {
      const head = await this.#readOrMake(signal);
      if (head.status !== 'ok') return head;
      const wanted = draft(this.#reading(head.value));
      if (wanted === false) return heldBack;
      if (wanted === undefined) return overtaken;
      const written = await this.#swap(head.value, wanted, candidate.value, signal);
      if (written !== 'again') return written;
    }
    return overtaken;
  }

  async #swap(
    head: HeadState,
    { labels = head.labels, lease }: Draft,
    candidate: Candidate,
    signal: AbortSignal,
  ): Promise<CallOutcome<Reading> | 'again'> {
    const from = this.#ports.clock.instant();
    const seq = this.#next(from);
    const { term = this.#termMax + 1, ttlMs } = lease;
    const next = withLease(labels, { ...candidate, nonce: this.#nonce, term, seq, ttlMs });
    const swapped = await this.#ports.head.swap(head, next, signal);
    if (swapped.status === 'ok') {
      this.#oldest = { id: head.id, version: head.version + 1 };
      return { status: 'ok', value: this.#reading({ ...head, labels: next }) };
    }
    const isOpen = swapped.status === 'unknown';
    if (!isOpen && swapped.cause !== 'out-of-sequence') return swapped;
    const back = await this.#read(signal);
    if (back.status !== 'ok') return isOpen ? swapped : back;
    const reading = this.#reading(back.value);
    const { lease: found } = reading;
    if (found.status === 'there' && found.lease.nonce === this.#nonce && found.lease.seq === seq) {
      return { status: 'ok', value: reading };
    }
    // Nobody knows yet whether it comes through: whoever looks next will see.
    return isOpen ? swapped : 'again';
  }

  async #who(signal: AbortSignal): Promise<CallOutcome<Candidate>> {
    if (this.#candidate !== undefined) return { status: 'ok', value: this.#candidate };
    const found = await this.#ports.candidate(signal);
    if (found.status === 'ok') this.#candidate = found.value;
    return found;
  }

  async #readOrMake(signal: AbortSignal): Promise<CallOutcome<HeadState>> {
    const { head } = this.#ports;
    for (const tries of [1, 2]) {
      const read = await this.#read(signal);
      if (read.status !== 'ok') return read;
      if (read.value !== undefined) return { status: 'ok', value: read.value };
      if (tries === 2) break;
      const made = await head.make(signal);
      if (made.status !== 'ok' && made.cause !== 'name-taken') return made;
    }
    return { status: 'unknown', why: 'the head was made and cannot be read' };
  }

  async #read(signal: AbortSignal): Promise<CallOutcome<HeadState | undefined>> {
    const read = await this.#ports.head.read(signal);
    if (read.status !== 'ok' || read.value === undefined) return read;
    const { id, version } = read.value;
    if (id === this.#oldest.id && version < this.#oldest.version) {
      return { status: 'unknown', why: 'the Swarm answered with an older state' };
    }
    this.#oldest = { id, version };
    return read;
  }

  #reading(head: HeadState | undefined): Reading {
    const lease = readLease(head?.labels ?? {});
    if (lease.status === 'there') this.#termMax = Math.max(this.#termMax, lease.lease.term);
    const isOurs = lease.status === 'there' && lease.lease.nonce === this.#nonce;
    if (isOurs) this.#accept(lease.lease.seq);
    const from = isOurs ? this.#sent.get(lease.lease.seq) : undefined;
    return { labels: head?.labels, lease, isOurs, from };
  }

  #next(from: Instant): number {
    this.#seq += 1;
    this.#sent.set(this.#seq, from);
    const [oldest, next] = this.#sent.keys();
    const least = oldest === this.#accepted ? next : oldest;
    if (this.#sent.size > SENT_MAX && least !== undefined) this.#sent.delete(least);
    return this.#seq;
  }

  /** What we sent before it cannot come through any more. */
  #accept(seq: number): void {
    this.#accepted = seq;
    for (const old of this.#sent.keys()) if (old < seq) this.#sent.delete(old);
  }
}

const heldBack: CallOutcome<never> = {
  status: 'refused',
  why: 'this agent does not lead',
  retry: 'after-replan',
  cause: 'held-back',
};

const overtaken: CallOutcome<never> = {
  status: 'refused',
  why: 'the record changed since it was read',
  retry: 'after-replan',
  cause: 'out-of-sequence',
};

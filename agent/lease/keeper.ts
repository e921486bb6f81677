import type { CallOutcome } from '../core/kind.ts';
import {
  type Grant,
  LEASE_MARGIN_MS,
  mayTake,
  passed,
  type SeenLease,
  timeLeft,
} from '../core/lease.ts';
import type { Labels, LeaseKeeper, Reign } from '../reconcile/lease-ports.ts';
import type { LeasePorts } from './ports.ts';
import { type Draft, HeadRegister, type Reading } from './register.ts';

/** Between two looks at the head. Milliseconds. */
const LOOK_MS = 1_000;
/** Who did not get the lease looks away for up to so long, each agent for another time. Milliseconds. */
const SPREAD_MS = 400;
/** Nothing is removed so soon after a take-over: who was cut off may still send what it had begun. Milliseconds. */
const NO_REMOVALS_MS = 30_000;
/** What cannot be given back in so long just ends. Milliseconds. */
const RELEASE_MS = 2_000;

/**
 * Opens the lease in the labels of the head, which the raft compares and swaps. It promises that of two agents only one finds
 * its writes of the head accepted, and that a holder sends nothing that could still run when another may have taken over.
 * It does not promise that a call which had left a process before that was stopped does not arrive later.
 */
export function openLease(ports: LeasePorts): LeaseKeeper {
  return new HeadLease(ports);
}

class HeadLease implements LeaseKeeper {
  readonly #ports: LeasePorts;
  readonly #register: HeadRegister;
  #seen: SeenLease = { status: 'none', sinceMs: 0 };
  #grant: Grant | undefined;
  #reign: (Reign & { readonly stop: AbortController }) | undefined;
  #load: 'working' | 'idle' = 'working';
  #busy: Promise<unknown> = Promise.resolve();
  #notBeforeMs = 0;
  #trouble: string | undefined;
  #following = '';

  constructor(ports: LeasePorts) {
    this.#ports = ports;
    this.#register = new HeadRegister(ports);
  }

  reign(): Reign | undefined {
    return this.#reign;
  }

  expect(load: 'working' | 'idle'): void {
    this.#load = load;
  }

  refusal(deadlineMs: number): string | undefined {
    const { clock, times } = this.#ports;
    if (this.#reign === undefined || this.#grant === undefined) return 'this agent does not lead';
    const left = timeLeft(this.#grant, clock.instant(), times.stopBeforeMs);
    if (!left.agree) {
      this.#end(CLOCKS);
      return CLOCKS;
    }
    const isEnough = left.ms >= deadlineMs + LEASE_MARGIN_MS;
    return isEnough ? undefined : 'what is left of the lease is too short for another call';
  }

  relabel(
    change: (labels: Labels) => Labels | undefined,
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>> {
    return this.#alone(async () => this.#write(change, signal));
  }

  async keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#alone(async () => this.#look(signal));
        await this.#ports.clock.sleep(LOOK_MS, signal);
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }

  async release(): Promise<void> {
    const { clock } = this.#ports;
    const reign = this.#reign;
    // What took the lease may have got through, and nobody heard of it.
    if (reign === undefined && !this.#register.isSent) return;
    const limit = new AbortController();
    const cancel = clock.after(RELEASE_MS, () => limit.abort(new Error('too late')));
    try {
      const given = await this.#alone(async () => {
        return this.#register.write(givenBack, limit.signal);
      });
      if (given.status === 'ok' && reign !== undefined) {
        this.#ports.tell({ event: 'lease released', term: reign.term });
      }
    } catch (error) {
      if (!limit.signal.aborted) throw error;
    } finally {
      cancel();
      this.#reign = undefined;
      reign?.stop.abort(new Error('the lease was given back'));
    }
  }

  /** One of our own reads and writes the head at a time: each write builds on what it read. */
  #alone<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = this.#busy.then(work, work);
    this.#busy = turn.catch(() => undefined);
    return turn;
  }

  /** Notes who leads, and renews or takes the lease where that is due. */
  async #look(signal: AbortSignal): Promise<void> {
    const { clock, times } = this.#ports;
    this.#trustClocks();
    const read = await this.#register.read(signal);
    if (read.status !== 'ok') return this.#wait(read.why);
    this.#note(read.value);
    if (read.value.labels !== undefined) this.#ports.read(read.value.labels);
    if (this.#reign !== undefined) {
      const renewed = this.#isDue() ? await this.#write((labels) => labels, signal) : read;
      if (renewed.status === 'ok') this.#going();
      else this.#wait(renewed.why);
      return;
    }
    const nowMs = clock.nowMs();
    if (nowMs >= this.#notBeforeMs) {
      if (mayTake(this.#seen, times, nowMs)) return this.#take(undefined, signal);
      const free = await this.#freeHolder(signal);
      if (free !== undefined) return this.#take(free, signal);
    }
    this.#follow();
  }

  /** The nonce of a holder that certainly does not act any more: it is dead, or was this process itself. */
  async #freeHolder(signal: AbortSignal): Promise<string | undefined> {
    if (this.#seen.status !== 'there') return undefined;
    const { lease } = this.#seen;
    const isFree = this.#register.isPast(lease) || (await this.#ports.isDead(lease.holder, signal));
    return isFree ? lease.nonce : undefined;
  }

  async #take(free: string | undefined, signal: AbortSignal): Promise<void> {
    const { clock, times } = this.#ports;
    const before = this.#seen;
    const taken = await this.#register.write((head) => {
      this.#note(head);
      const seen = this.#seen;
      const isFree = seen.status === 'there' && seen.lease.nonce === free;
      const mayNow = isFree || mayTake(seen, times, clock.nowMs());
      // What is ours began just now, by a write whose answer was lost.
      return mayNow && !head.isOurs && { lease: { ttlMs: times.working.ttlMs } };
    }, signal);
    if (taken.status === 'ok') return this.#begin(taken.value, before);
    this.#notBeforeMs = clock.nowMs() + this.#register.spread(SPREAD_MS);
    if (taken.cause !== 'out-of-sequence' && taken.cause !== 'held-back') this.#wait(taken.why);
  }

  /** Changes the head while we lead; in the same write the lease is renewed. */
  async #write(
    change: (labels: Labels) => Labels | undefined,
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>> {
    this.#trustClocks();
    const { ttlMs } = this.#ports.times[this.#load];
    const written = await this.#register.write((head) => {
      this.#note(head);
      const reign = this.#reign;
      if (reign === undefined || head.labels === undefined) return false;
      const labels = change(head.labels);
      return labels && { labels, lease: { term: reign.term, ttlMs } };
    }, signal);
    if (written.status === 'ok') this.#note(written.value);
    return written;
  }

  /** What one reading says of who leads. */
  #note(reading: Reading): void {
    const { lease, from } = reading;
    if (reading.isOurs && lease.status === 'there') {
      if (from !== undefined) this.#grant = { from, ttlMs: lease.lease.ttlMs };
      // A write whose answer was lost came through after all.
      if (this.#reign === undefined && lease.lease.ttlMs > 0) this.#begin(reading, this.#seen);
      return;
    }
    const found = lease.status === 'none' ? { status: this.#noneOrGone() } : lease;
    const isSame = JSON.stringify(found) === JSON.stringify(withoutSince(this.#seen));
    if (!isSame) this.#seen = { ...found, sinceMs: this.#ports.clock.nowMs() };
    if (this.#reign === undefined) return;
    this.#end(lease.status === 'there' ? `${lease.lease.node} leads now` : 'the lease is gone');
  }

  /** Where a lease was removed, only the one who held it until now knows that nobody acts under it. */
  #noneOrGone(): 'none' | 'gone' {
    if (this.#reign !== undefined) return this.#isSpent() ? 'gone' : 'none';
    return this.#seen.status === 'none' ? 'none' : 'gone';
  }

  #isSpent(): boolean {
    const { clock, times } = this.#ports;
    const grant = this.#grant;
    return grant === undefined || timeLeft(grant, clock.instant(), times.stopBeforeMs).ms < 0;
  }

  /** A machine that slept, or whose clock was set, cannot tell how long it held what it holds. */
  #trustClocks(): void {
    const { clock, times } = this.#ports;
    if (this.#reign === undefined || this.#grant === undefined) return;
    if (!timeLeft(this.#grant, clock.instant(), times.stopBeforeMs).agree) this.#end(CLOCKS);
  }

  #isDue(): boolean {
    const { clock, times } = this.#ports;
    if (this.#grant === undefined) return true;
    const { working, idle } = times;
    const granted = this.#grant.ttlMs === idle.ttlMs ? idle : working;
    const everyMs = Math.min(granted.renewMs, times[this.#load].renewMs);
    return passed(this.#grant.from, clock.instant()).ms >= everyMs;
  }

  #begin({ lease, from }: Reading, before: SeenLease): void {
    if (lease.status !== 'there' || this.#reign !== undefined || from === undefined) return;
    const { clock } = this.#ports;
    const { term, ttlMs } = lease.lease;
    const nowMs = clock.nowMs();
    const held = before.status === 'there' && before.lease.ttlMs > 0 ? before : undefined;
    const stop = new AbortController();
    const removalsFromMs = held === undefined ? nowMs : nowMs + NO_REMOVALS_MS;
    this.#grant = { from, ttlMs };
    this.#load = 'working';
    this.#reign = { term, signal: stop.signal, removalsFromMs, stop };
    this.#following = '';
    this.#going();
    const gone = held && { from: held.lease.node, ms: nowMs - held.sinceMs };
    this.#ports.tell({ event: 'lease acquired', term, ...gone });
    this.#ports.changed();
  }

  #end(why: string): void {
    const reign = this.#reign;
    if (reign === undefined) return;
    this.#reign = undefined;
    this.#grant = undefined;
    this.#register.renounce();
    this.#ports.tell({ event: 'lease lost', term: reign.term, why });
    reign.stop.abort(new Error(`the lease is lost: ${why}`));
    this.#ports.changed();
  }

  #wait(why: string): void {
    // As long as the lease lasts, the passes tell.
    if (!this.#isSpent() || this.#trouble === why) return;
    this.#trouble = why;
    this.#ports.tell({ event: 'waiting', of: 'swarm', why });
  }

  #going(): void {
    if (this.#trouble !== undefined) this.#ports.tell({ event: 'going on', of: 'swarm' });
    this.#trouble = undefined;
  }

  #follow(): void {
    const seen = this.#seen;
    if (seen.status === 'newer') {
      const schema = String(seen.schema);
      return this.#wait(
        `the lease is of a newer version (schema ${schema}): this agent cannot lead`,
      );
    }
    this.#going();
    if (seen.status !== 'there' || seen.lease.nonce === this.#following) return;
    const { nonce, node, term } = seen.lease;
    this.#following = nonce;
    this.#ports.tell({ event: 'following', leader: node, term });
  }
}

const CLOCKS = 'the clocks of this machine do not agree: it slept, or one of them was set';

/** What gives the lease back, where it is ours. */
function givenBack({ isOurs, lease }: Reading): Draft | false {
  if (!isOurs || lease.status !== 'there') return false;
  return { lease: { term: lease.lease.term, ttlMs: 0 } };
}

function withoutSince(seen: SeenLease): object {
  const { sinceMs: _since, ...rest } = seen;
  return rest;
}

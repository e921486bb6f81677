/** What the head says of who may act. Times of its own say nothing to others: they count from when they saw it change. */
export interface Lease {
  /** Node and process, to tell whether a holder on one's own node is dead. */
  readonly holder: string;
  /** Host name of the node, for people. */
  readonly node: string;
  /** Fresh for each time that a process steps up: who wrote it is told by this, never by the node. */
  readonly nonce: string;
  /** Grows with every change of holder. */
  readonly term: number;
  /** Grows with every write of one holder. */
  readonly seq: number;
  /** How long it lasts from before it was sent; 0: it was given back. */
  readonly ttlMs: number;
  readonly version: string;
  readonly schema: number;
}

/** How a lease is kept while units are under way, or while none is. Milliseconds. */
export interface LeasePace {
  readonly ttlMs: number;
  readonly renewMs: number;
  /** So long others see no change before they take over. */
  readonly takeoverMs: number;
}

/** The times of all agents of one Swarm; they may differ a little from agent to agent. */
export interface LeaseTimes {
  readonly working: LeasePace;
  readonly idle: LeasePace;
  /** A holder sends nothing more so long before its lease ends. */
  readonly stopBeforeMs: number;
}

/** DESIGN 8, measured against the raft's own recovery of 12 to 19 s (facts/swarm.md). */
export const leaseTimes: LeaseTimes = {
  working: { ttlMs: 15_000, renewMs: 3_000, takeoverMs: 19_000 },
  idle: { ttlMs: 30_000, renewMs: 10_000, takeoverMs: 38_000 },
  stopBeforeMs: 3_000,
};

/** How long a call to the Swarm may take, at the most: what the lease is built on. Milliseconds. */
export const SWARM_CALL_MS = 6_000;

/** How long a statement for a MySQL or MariaDB server may take, with what is asked right before it. Milliseconds. */
export const MYSQL_CALL_MS = 5_000;

/** Between the end of a call's deadline and the moment from which nothing is sent. Milliseconds. */
export const LEASE_MARGIN_MS = 1_000;

/** Three clocks of one machine at one moment. Milliseconds. */
export interface Instant {
  /** Does not count while the machine sleeps. */
  readonly monotonicMs: number;
  /** Since the machine started, its sleep included. */
  readonly bootMs: number;
  readonly wallMs: number;
}

/** Clocks that differ by so much in what has passed cannot be trusted. Milliseconds. */
const APART_MS = 2_000;

/** Pure. What has passed by the clock that saw most of it; `agree`: the three tell the same. */
export function passed(
  from: Instant,
  to: Instant,
): { readonly ms: number; readonly agree: boolean } {
  const each = [
    to.monotonicMs - from.monotonicMs,
    to.bootMs - from.bootMs,
    to.wallMs - from.wallMs,
  ];
  const ms = Math.max(...each);
  return { ms, agree: ms - Math.min(...each) < APART_MS };
}

/** What a holder got with its last write that went through. */
export interface Grant {
  /** Before it was sent: from here the others may count later, never earlier. */
  readonly from: Instant;
  readonly ttlMs: number;
}

/** Pure. How long calls may still run under this grant; below 0: nothing may. `agree` false: stand down. */
export function timeLeft(
  { from, ttlMs }: Grant,
  now: Instant,
  stopBeforeMs: number,
): { readonly ms: number; readonly agree: boolean } {
  const { ms, agree } = passed(from, now);
  return { ms: ttlMs - stopBeforeMs - ms, agree };
}

/** The lease as it was read last, by whoever does not hold it. */
export type SeenLease = {
  /** When we first read it as it is, by our own monotonic clock: outages count too, the next write decides. */
  readonly sinceMs: number;
} & (
  | { readonly status: 'none' }
  /** There was one, and somebody removed it: its holder may not know yet. */
  | { readonly status: 'gone' }
  /** Somebody wrote what nobody can read; it counts as a lease of the longest kind. */
  | { readonly status: 'damaged' }
  /** Of a later version: this one does not lead. */
  | { readonly status: 'newer'; readonly schema: number }
  | { readonly status: 'there'; readonly lease: Lease }
);

/** Pure. Whether one who does not hold the lease may try to take it now. The write decides: it must find what was read. */
export function mayTake(seen: SeenLease, times: LeaseTimes, nowMs: number): boolean {
  switch (seen.status) {
    case 'none':
      return true;
    case 'newer':
      return false;
    case 'gone':
    case 'damaged':
      return nowMs - seen.sinceMs >= times.idle.takeoverMs;
    case 'there':
      return seen.lease.ttlMs === 0 || nowMs - seen.sinceMs >= takeoverMs(seen.lease, times);
  }
}

/** Longer than the lease by a fifth at least, also where its holder is set to other times than we are. */
function takeoverMs({ ttlMs }: Lease, { working, idle }: LeaseTimes): number {
  const ours = ttlMs <= working.ttlMs ? working.takeoverMs : idle.takeoverMs;
  return Math.max(ours, ttlMs * 1.2);
}

/**
 * Pure. What is wrong with times, by the setting that should be another; undefined where they fit. Between two renewals
 * the longest call must still find room, or an agent that does everything right could not act.
 */
export function leaseProblem(
  times: LeaseTimes,
  longestCallMs: number,
): { readonly key: readonly string[]; readonly why: string; readonly hint: string } | undefined {
  for (const name of ['working', 'idle'] as const) {
    const { ttlMs, renewMs, takeoverMs: takeover } = times[name];
    const needMs = times.stopBeforeMs + renewMs + longestCallMs + LEASE_MARGIN_MS;
    if (ttlMs < needMs) {
      const why = `a lease of ${seconds(ttlMs)} is too short: \`stopBefore\`, \`renew\`, the longest call (${seconds(longestCallMs)}) and ${seconds(LEASE_MARGIN_MS)} must fit into it`;
      return { key: [name, 'ttl'], why, hint: `write \`${seconds(needMs)}\` or more` };
    }
    if (takeover < ttlMs * 1.2) {
      const why = `others would take over after ${seconds(takeover)}, too early for a lease of ${seconds(ttlMs)}`;
      const hint = `write \`${seconds(Math.ceil((ttlMs * 1.2) / 1000) * 1000)}\` or more`;
      return { key: [name, 'takeover'], why, hint };
    }
  }
  return undefined;
}

function seconds(ms: number): string {
  return ms % 1000 === 0 ? `${String(ms / 1000)}s` : `${String(ms)}ms`;
}

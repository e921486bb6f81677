import { parseLine } from '../../agent/rehearsal/json.ts';
import type { Seen } from './proxy.ts';

/** The Config object whose labels hold the lease. */
const HEAD = 'understudy.head';
const LEASE = 'understudy.lease';

/** What of a request matters to who may have sent it. */
export type Sent = Pick<Seen, 'method' | 'path' | 'url' | 'mutating' | 'atMs'> &
  Partial<Pick<Seen, 'name' | 'labels' | 'answeredAtMs' | 'status' | 'message' | 'fault'>>;

/** One request of one agent, as its proxy saw it. */
export interface Entry extends Sent {
  /** Name of the host that the proxy stands on. */
  readonly host: string;
  /** Names the process: an agent that is started again is another one. */
  readonly agent: string;
}

/** Who held the lease, by what the head's accepted writes say. Milliseconds of the proxies' clock. */
export interface Tenure {
  readonly agent: string;
  readonly term: number;
  readonly nonce: string;
  /** When the engine had said yes to its first write. */
  readonly fromMs: number;
  /** When somebody else's first write was answered, or the release; undefined: it holds it still. */
  readonly untilMs: number | undefined;
}

/** What `oneActor` found. */
export interface Verdict {
  readonly tenures: readonly Tenure[];
  /** Sentences; empty as it should be. */
  readonly violations: readonly string[];
}

interface Lease {
  readonly term: number;
  readonly nonce: string;
  readonly seq: number;
}

interface HeadWrite {
  readonly entry: Entry;
  /** That was read: it grows with every write that the raft takes. */
  readonly version: number;
  /** Undefined: the write says that nobody holds it. */
  readonly lease: Lease | undefined;
  readonly answeredAtMs: number;
}

/** Pure. Who held the lease when, and every call that was sent by somebody who did not. */
export function oneActor(ledger: readonly Entry[]): Verdict {
  const heads = headWrites(ledger);
  const accepted = heads.filter((one) => answerTo(one, heads) === 'accepted');
  const open = heads.filter((one) => answerTo(one, heads) === 'unknown');
  const acts = ledger.filter((entry) => entry.mutating && !isHead(entry));
  return {
    tenures: tenuresOf(accepted),
    violations: [
      ...termViolations(accepted),
      ...acts.flatMap((entry) => actViolation(entry, accepted, open) ?? []),
    ],
  };
}

/** Pure. Writes without those to the head that changed nothing in it but the lease. */
export function withoutRenewals<T extends Sent>(writes: readonly T[]): readonly T[] {
  let rest = '';
  return writes.filter((one) => {
    if (!isHead(one) || one.labels === undefined) return true;
    const { [LEASE]: _lease, ...others } = one.labels;
    const now = JSON.stringify(Object.entries(others).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const same = now === (rest || '[]') && one.path.endsWith('/update');
    if (isAccepted(one)) rest = now;
    return !same;
  });
}

/** Pure. */
function isHead({ method, path, name }: Sent): boolean {
  return method === 'POST' && name === HEAD && /\/configs\/([^/]+\/update|create)$/.test(path);
}

function isAccepted({ status }: Sent): boolean {
  return status === 200 || status === 201;
}

/** In the order of the raft. */
function headWrites(ledger: readonly Entry[]): readonly HeadWrite[] {
  return ledger
    .filter(isHead)
    .map((entry) => ({
      entry,
      version: Number(new URL(entry.url, 'http://docker').searchParams.get('version') ?? 0),
      lease: leaseIn(entry),
      answeredAtMs: entry.answeredAtMs ?? Infinity,
    }))
    .toSorted((a, b) => a.version - b.version || a.answeredAtMs - b.answeredAtMs);
}

function leaseIn({ labels }: Sent): Lease | undefined {
  const text = labels?.[LEASE];
  if (text === undefined) return undefined;
  const lease = parseLine(text);
  if (typeof lease !== 'object' || lease === null) return undefined;
  const { term, nonce, seq, ttlMs } = { term: 0, nonce: '', seq: 0, ttlMs: 1, ...lease };
  return nonce === '' || ttlMs <= 0 ? undefined : { term, nonce, seq };
}

/**
 * What became of a write. One that the proxy dropped never came there. An answer that says `out of sequence` is a refusal,
 * unless its sender goes on with that very lease: then the engine asked the raft twice, and it was taken the first time.
 */
function answerTo(write: HeadWrite, all: readonly HeadWrite[]): 'accepted' | 'refused' | 'unknown' {
  const { entry, lease } = write;
  if (isAccepted(entry)) return 'accepted';
  if (entry.fault === 'drop-request') return 'refused';
  const refused =
    entry.message?.includes('out of sequence') === true ||
    Math.floor((entry.status ?? 0) / 100) === 4;
  if (!refused) return 'unknown';
  const next = all.find((one) => isAccepted(one.entry) && one.version > write.version);
  const goesOn =
    next?.entry.agent === entry.agent &&
    next.lease?.nonce === lease?.nonce &&
    next.lease?.term === lease?.term &&
    (next.lease?.seq ?? 0) > (lease?.seq ?? 0);
  return goesOn ? 'unknown' : 'refused';
}

function tenuresOf(accepted: readonly HeadWrite[]): readonly Tenure[] {
  const tenures: Tenure[] = [];
  let holds: Lease | undefined;
  for (const { entry, lease, answeredAtMs } of accepted) {
    if (lease?.nonce === holds?.nonce && lease?.term === holds?.term) continue;
    const last = tenures.pop();
    if (last !== undefined) tenures.push({ ...last, untilMs: last.untilMs ?? answeredAtMs });
    if (lease !== undefined) {
      const { term, nonce } = lease;
      tenures.push({ agent: entry.agent, term, nonce, fromMs: answeredAtMs, untilMs: undefined });
    }
    holds = lease;
  }
  return tenures;
}

function termViolations(accepted: readonly HeadWrite[]): readonly string[] {
  const found: string[] = [];
  const nonceOf = new Map<number, string>();
  const agentOf = new Map<string, string>();
  let highest = 0;
  for (const { entry, lease } of accepted) {
    if (lease === undefined) continue;
    const { term, nonce } = lease;
    if (term < highest) found.push(`${entry.agent} wrote term ${term} after term ${highest}`);
    highest = Math.max(highest, term);
    const holder = nonceOf.get(term) ?? nonce;
    if (holder !== nonce) found.push(`term ${term} is held by ${holder} and by ${nonce}`);
    nonceOf.set(term, holder);
    const owner = agentOf.get(nonce) ?? entry.agent;
    if (owner !== entry.agent) found.push(`${entry.agent} wrote the lease of ${owner}`);
    agentOf.set(nonce, owner);
  }
  return [...new Set(found)];
}

/** Nobody may act on a lease whose write was not answered; who cannot know that it lost it is not to blame. */
function actViolation(
  entry: Entry,
  accepted: readonly HeadWrite[],
  open: readonly HeadWrite[],
): string | undefined {
  const { agent, atMs } = entry;
  const head = accepted.findLast(({ answeredAtMs }) => answeredAtMs <= atMs);
  const own = [...accepted, ...open].filter(
    (one) => one.entry.agent === agent && one.entry.atMs <= atMs,
  );
  if (head?.lease !== undefined && own.some(({ lease }) => lease?.nonce === head.lease?.nonce))
    return undefined;
  // Its own write may have been taken although no answer says so: it can have read that back.
  const taken = open.some(
    ({ entry: write, lease, version }) =>
      write.agent === agent &&
      lease !== undefined &&
      write.atMs <= atMs &&
      version > (head?.version ?? -1),
  );
  if (taken) return undefined;
  const holder =
    head?.lease === undefined ? 'nobody' : `${head.entry.agent}, term ${head.lease.term}`;
  return `${agent} sent ${entry.method} ${entry.path} while the lease was held by ${holder}`;
}

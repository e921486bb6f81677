import type { CallCause, CallOutcome } from '../../core/kind.ts';

/** How one exchange with the engine ended, before anybody says what it means. */
export type Reply =
  | { readonly kind: 'answer'; readonly status: number; readonly text: string }
  /** No whole answer. `code` is the operating system's, as in `ECONNRESET`. */
  | { readonly kind: 'failed'; readonly how: Failure; readonly code?: string };

/** Why there is no whole answer. */
export type Failure =
  'deadline' | 'aborted' | 'truncated' | 'too-large' | 'connection' | 'queue-full';

/** An outcome that is not `ok`. */
export type NotOk = Exclude<CallOutcome<never>, { readonly status: 'ok' }>;

interface Rule {
  /** Absent: whatever the status. */
  readonly http?: number;
  readonly text: RegExp;
  readonly outcome: 'after-replan' | 'never' | 'unknown';
  readonly cause?: CallCause;
}

const LOCAL_NETWORK = /^network \S+ not found$/;

/**
 * Swarm's status codes come from gRPC codes and most conflicts are a plain 500, so the text decides. The contract
 * suite holds these texts against a real engine. The first rule that fits wins.
 */
const rules: readonly Rule[] = [
  { text: /update out of sequence/, outcome: 'after-replan', cause: 'out-of-sequence' },
  { text: /raft message is too large/, outcome: 'never' },
  {
    // Also while locked or with expired certificates: this engine is no use, another one may be.
    text: /not a swarm manager|swarm is encrypted|swarm certificates have expired/i,
    outcome: 'after-replan',
    cause: 'not-a-manager',
  },
  {
    // Not "refused": what was proposed before the leader was lost may still be committed.
    text: /does not have a leader|no elected (cluster )?leader|lost leader status|context deadline exceeded/,
    outcome: 'unknown',
    cause: 'no-leader',
  },
  // 409 may also be the answer to our own call that swarm's raft proxy repeated: reading again tells.
  {
    http: 409,
    text: /name conflicts with an existing object|already exists/,
    outcome: 'after-replan',
    cause: 'name-taken',
  },
  // Looked up before anything is proposed, so nothing was written (seen: 500, not 404).
  { http: 500, text: LOCAL_NETWORK, outcome: 'after-replan' },
  { http: 404, text: /page not found/, outcome: 'never' },
  { http: 400, text: /\b(config|secret|network|service)\b.* not found/, outcome: 'after-replan' },
  // To content that is not what the object holds, and to another spelling of its name.
  {
    http: 400,
    text: /only updates to labels are allowed/i,
    outcome: 'never',
    cause: 'other-content',
  },
  // Something that is removed or changed in the same revision may hold it for a moment more.
  { http: 400, text: /is (already )?in use by/, outcome: 'after-replan' },
];

/** Statuses without a rule. Everything else below 500 is refused for good, everything above is open. */
const byStatus: Readonly<Record<number, Rule['outcome']>> = {
  404: 'after-replan',
  408: 'unknown',
  409: 'after-replan',
  425: 'after-replan',
  429: 'after-replan',
  501: 'never',
};

/** Pure. The JSON of a good answer; else whether the call was refused, or nobody knows. */
export function classify(reply: Reply): CallOutcome<object> {
  if (reply.kind === 'failed') return broken(reply);
  if (reply.status < 200 || reply.status > 299) return refusal(reply.status, reply.text);
  // What answers with nothing is good so; where something is expected, its shape does not fit.
  if (reply.text === '') return { status: 'ok', value: {} };
  const value = objectIn(reply.text);
  // A good status with a bad body is what a dying engine or a proxy gives: the call may have been carried out.
  if (value === undefined) return { status: 'unknown', why: 'the answer is not JSON' };
  return { status: 'ok', value };
}

/** Pure. As `classify`, of a delete: what is gone already needs no deleting. */
export function classifyRemoval(reply: Reply): CallOutcome<object> {
  const outcome = classify(reply);
  if (reply.kind !== 'answer' || outcome.status !== 'refused') return outcome;
  // An engine that still has a network locally says 500 (seen).
  const missing = reply.status === 404 || LOCAL_NETWORK.test(outcome.why);
  const gone = missing && outcome.retry === 'after-replan';
  return gone ? { status: 'ok', value: {} } : outcome;
}

function broken(reply: Extract<Reply, { kind: 'failed' }>): NotOk {
  switch (reply.how) {
    case 'queue-full':
      return { status: 'refused', why: 'too many calls are waiting', retry: 'after-replan' };
    case 'aborted':
      return { status: 'unknown', why: 'stopped while waiting for the answer' };
    case 'too-large':
      return { status: 'unknown', why: 'the answer is larger than allowed' };
    case 'deadline':
      return { status: 'unknown', why: 'no answer in time', cause: 'unreachable' };
    case 'truncated':
      return { status: 'unknown', why: 'the answer was cut off', cause: 'unreachable' };
    case 'connection':
      return {
        status: 'unknown',
        why: `the connection failed${reply.code === undefined ? '' : ` (${reply.code})`}`,
        cause: 'unreachable',
      };
  }
}

function refusal(status: number, text: string): NotOk {
  const message = messageIn(text);
  const rule = rules.find(
    (one) => (one.http === undefined || one.http === status) && one.text.test(message),
  );
  const outcome = rule?.outcome ?? byStatus[status] ?? (isRefusal(status) ? 'never' : 'unknown');
  const why = message === '' ? `HTTP status ${String(status)}` : message;
  const cause = rule?.cause === undefined ? {} : { cause: rule.cause };
  return outcome === 'unknown'
    ? { status: 'unknown', why, ...cause }
    : { status: 'refused', why, retry: outcome, ...cause };
}

function isRefusal(status: number): boolean {
  return status >= 400 && status < 500;
}

/** The longest engine message that is passed on. Characters. */
const messageMax = 300;

/** Pure. What the engine said, fit for one line: no control characters, no gRPC frame, at most `max` characters. */
export function messageIn(text: string, max = messageMax): string {
  const value = objectIn(text.slice(0, 65_536));
  const said = value !== undefined && 'message' in value ? value.message : text;
  return (typeof said === 'string' ? said : '')
    .slice(0, 4_096)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
    .replace(/^rpc error: code = \w+ desc = /, '')
    .trim()
    .slice(0, max);
}

function objectIn(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

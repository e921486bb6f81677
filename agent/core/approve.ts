import type { Id } from './kind.ts';
import type { Request } from './unit.ts';
import type { UnitEvent } from './unit-event.ts';

/** Operations that a person released. */
export interface Approval {
  readonly digest: string;
  readonly by: string;
  /** They were carried out, or are others by now: it releases nothing any more. */
  readonly spent?: true;
}

/** A request that names nothing that is held. */
export interface Unapproved {
  readonly event: 'approval refused';
  readonly digest: string;
  readonly by: string;
  readonly why: string;
}

/** So many are remembered, for whoever asked. */
const APPROVALS_MAX = 20;

/** Pure. How people are told what to write. */
export function approveWith(digest: string): string {
  return `approve with \`understudy approve ${digest.slice(0, 12)}\``;
}

/** Pure. Digests that release something. */
export function liveApprovals(approved: readonly Approval[]): ReadonlySet<string> {
  return new Set(approved.flatMap(({ digest, spent }) => (spent === true ? [] : [digest])));
}

/**
 * Pure. What people approve of what is open now, and what becomes of what they approved before: what is not open any more
 * was carried out or has changed. `open`: digests of what is held or waits, with the units that it concerns.
 */
export function answerApprovals(
  approved: readonly Approval[],
  open: ReadonlyMap<string, readonly Id[]>,
  requests: readonly Request[],
): {
  readonly approved: readonly Approval[];
  readonly events: readonly UnitEvent[];
  readonly refused: readonly Unapproved[];
  /** Something is released that was not. */
  readonly news: boolean;
} {
  let next = approved.map((one) =>
    one.spent === true || open.has(one.digest) ? one : { ...one, spent: true as const },
  );
  const events: UnitEvent[] = [];
  const refused: Unapproved[] = [];
  let news = false;
  for (const request of requests) {
    if (request.verb !== 'approve') continue;
    const { digest: named, by, verb } = request;
    const [digest, ...others] = [...open.keys()].filter((one) => one.startsWith(named));
    if (digest === undefined || others.length > 0) {
      const why = 'nothing that is held has this digest: it changed, or is done';
      refused.push({ event: 'approval refused', digest: named, by, why });
      continue;
    }
    events.push(
      ...(open.get(digest) ?? []).map((id) => ({ event: 'request taken' as const, id, verb, by })),
    );
    if (liveApprovals(next).has(digest)) continue;
    next = [{ digest, by }, ...next.filter((one) => one.digest !== digest)];
    news = true;
  }
  const isSame = next.length === approved.length && next.every((one, at) => one === approved[at]);
  return { approved: isSame ? approved : next.slice(0, APPROVALS_MAX), events, refused, news };
}

import type { Approval } from '../core/approve.ts';
import type { Id } from '../core/kind.ts';
import type { RemovalPolicy } from '../core/removal.ts';

/** A unit that may not begin, and the digest that it would begin. */
export interface Waiting {
  readonly id: Id;
  readonly digest: string;
}

/** How one revision ended. */
export interface RevisionRecord {
  readonly commit: string;
  /** `superseded`: a newer one came before it ended. */
  readonly outcome: 'healthy' | 'failed' | 'rolled-back' | 'superseded';
  /** Units that it changed. */
  readonly units: number;
  readonly failed: readonly Id[];
  /** Units that stay at an earlier release for what an earlier revision brought, or because a person said so. */
  readonly quarantined: readonly Id[];
  /** Units that waited for one that failed or was taken back by hand, with what they wanted; absent: none. */
  readonly waiting?: readonly Waiting[];
  /** So many units were held by the brake as they were; absent: none. */
  readonly held?: number;
  /** Units that are suspended with something under way or due: it ended without them. Absent: none. */
  readonly suspended?: readonly Id[];
  /** For people, ISO 8601. */
  readonly at: string;
}

/** What the record says beside the units. */
export interface History {
  /** The newest valid revision that was looked at; empty before the first. */
  readonly seen: string;
  /** The newest one of which nothing was under way any more. */
  readonly settled: string;
  /** Newest first, 50 at most. */
  readonly revisions: readonly RevisionRecord[];
  /** What people released, newest first. */
  readonly approved?: readonly Approval[];
  /** A revision that does not descend from the one before it, as long as what left with it is still there and no unit's own record says so. */
  readonly rewound?: string;
  /** More units left at once than may go, as long as any of them is still there. */
  readonly overLimit?: true;
  /** `policy.removals` of the newest revision of which nothing is under way any more; absent: the defaults. */
  readonly removals?: RemovalPolicy;
}

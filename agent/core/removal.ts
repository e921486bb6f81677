import { digestOf } from './digest.ts';
import type { Id } from './kind.ts';
import type { Member } from './member.ts';

/** How much a revision may remove without a person. */
export interface RemovalPolicy {
  /** Units. */
  readonly max: number;
  /** Percent of the recorded units; at least one unit, unless it is 0. */
  readonly share: number;
}

/** What `policy.removals` says where nobody wrote it. */
export const defaultRemovals: RemovalPolicy = { max: 5, share: 20 };

/** What the removals of one step are judged by, beside the units. */
export interface Removals {
  readonly policy: RemovalPolicy;
  /** Why nothing at all may be removed now; it passes by itself. */
  readonly off?: string;
  /** What left the repository did so with a revision that does not descend from the one before. */
  readonly rewound: boolean;
  /** More left at once than may go, and some of it is still there: what is added later changes nothing in that. */
  readonly overLimit?: boolean;
}

/** A unit that left the repository and of which nothing is under way. */
export interface Leaving {
  readonly id: Id;
  readonly members: readonly Member[];
  /** Its own file said `removal: hold`. */
  readonly hold: boolean;
}

/** Where the other units stand. */
export interface Others {
  /** All units that are recorded. */
  readonly recorded: number;
  /** Units that left as well and are not among the leaving ones: something of them is under way. */
  readonly going: number;
  /** Why a unit that stays is not settled; undefined: all are. */
  readonly restless: string | undefined;
  /** What of a unit that stays failed: it may be what takes a leaving one's place, or need it still. */
  readonly failed: string | undefined;
  /** Digests that a person released. */
  readonly approved: ReadonlySet<string>;
}

/** Whether a unit may be removed now. `waits`: not yet. `held`: only a person helps, by naming the digest. */
export type Verdict =
  | { readonly status: 'open'; readonly digest?: string }
  | { readonly status: 'waits'; readonly why: string; readonly digest?: string }
  | { readonly status: 'held'; readonly why: string; readonly digest: string };

/** Pure. Stops what a mistake in the repository, or a repository that is not the one it was, could remove. */
export function judgeRemovals(
  leaving: readonly Leaving[],
  removals: Removals,
  others: Others,
): ReadonlyMap<Id, Verdict> {
  const waits = removals.off ?? others.restless;
  const groups = groupsOf(leaving, removals, others);
  return new Map(
    leaving.map((unit): [Id, Verdict] => {
      const group = groups.find(({ units }) => units.includes(unit));
      const digest = group && digestOfRemoval(group.units);
      if (group !== undefined && digest !== undefined && !others.approved.has(digest)) {
        return [unit.id, { status: 'held', why: group.why, digest }];
      }
      const known = digest === undefined ? {} : { digest };
      if (waits !== undefined) return [unit.id, { status: 'waits', why: waits, ...known }];
      return [unit.id, { status: 'open', ...known }];
    }),
  );
}

/** Pure. What both allow: a revision cannot allow itself more than what was in force before it. */
export function stricter(one: RemovalPolicy, other: RemovalPolicy): RemovalPolicy {
  return { max: Math.min(one.max, other.max), share: Math.min(one.share, other.share) };
}

/** Pure. So many units may go at once. */
export function limitOf({ max, share }: RemovalPolicy, recorded: number): number {
  if (max === 0 || share === 0) return 0;
  return Math.min(max, Math.max(1, Math.floor((recorded * share) / 100)));
}

interface Group {
  readonly units: readonly Leaving[];
  readonly why: string;
}

/** What is released together: all of them, where the whole of it is doubtful; else each that wants it so. */
function groupsOf(
  leaving: readonly Leaving[],
  { policy, rewound, overLimit = false }: Removals,
  { recorded, going, failed }: Others,
): readonly Group[] {
  const limit = limitOf(policy, recorded);
  const count = leaving.length + going;
  if (rewound) {
    const why = 'it left the repository with a revision that does not descend from the one before';
    return [{ units: leaving, why }];
  }
  if (count > limit) {
    const why = `${String(count)} of ${String(recorded)} units left the repository, ${String(limit)} may go at once (\`policy.removals\`)`;
    return [{ units: leaving, why }];
  }
  if (overLimit) {
    const why = 'more units left the repository at once than may go (`policy.removals`)';
    return [{ units: leaving, why }];
  }
  if (failed !== undefined) {
    return [{ units: leaving, why: `${failed}, and may need what left` }];
  }
  return leaving
    .filter(({ hold }) => hold)
    .map((unit) => ({ units: [unit], why: 'its `stack.yaml` said `removal: hold`' }));
}

/** Pure. Names what would be removed and nothing else: it changes when that does. Hex. */
function digestOfRemoval(units: readonly Leaving[]): string {
  const remove = units
    .map(({ id, members }) => ({ id, objects: members.map((one) => one.id).toSorted() }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return digestOf({ remove });
}

/** Shrinking by more than this, in percent, is more likely a list that is not whole. */
const SHRUNK_PERCENT = 30;

/** Pure. The name of a list that is much shorter than it was. */
export function shrunkList(
  before: Readonly<Record<string, number>> | undefined,
  after: Readonly<Record<string, number>>,
): string | undefined {
  const shrunk = Object.entries(before ?? {}).find(
    ([list, was]) => (after[list] ?? 0) * 100 < was * (100 - SHRUNK_PERCENT),
  );
  return shrunk?.[0];
}

import { approveWith } from './approve.ts';
import { digestOf } from './digest.ts';
import type { Difference, Id, Kind, Shrink } from './kind.ts';

/** What people released, and what there is to release. */
interface Releases {
  /** Digests that release something. */
  readonly approvals: ReadonlySet<string>;
  /** Is told of each digest that releases something, or has and is not carried out. */
  readonly open: (digest: string, id: Id) => void;
}

/**
 * Pure but for what it tells. The same kind, of which nothing is called that gives something up for good before a person released exactly
 * that: its difference is blocked until then.
 */
export function heldShrinks<Spec, Observed, Call>(
  kind: Kind<Spec, Observed, Call>,
  releases: Releases,
): Kind<Spec, Observed, Call> {
  return {
    ...kind,
    diff: (unit, observed, made) => held(unit.id, kind.diff(unit, observed, made), releases),
  };
}

function held<Call>(
  id: Id,
  difference: Difference<Call>,
  { approvals, open }: Releases,
): Difference<Call> {
  const { operations, blocked, shrinks = [] } = difference;
  const [first] = operations;
  if (first === undefined || shrinks.length === 0) return difference;
  const digest = digestOfShrinks(id, first.target, shrinks);
  open(digest, id);
  if (approvals.has(digest)) return difference;
  const words = shrinks.map(({ what, why: because }) => `${what} ${because}`).join('; ');
  const why = `${first.target}: ${words}; ${approveWith(digest)}`;
  return { ...difference, blocked: [...blocked, { target: first.target, why, waits: false }] };
}

/** Names what would be given up, from what to what. Not what else is done, which needs nobody, and not why, which may change each time. Hex. */
function digestOfShrinks(id: Id, target: string, shrinks: readonly Shrink[]): string {
  return digestOf({ shrink: id, target, what: shrinks.map(({ what }) => what) });
}

import type { Operation, Rendered } from './kind.ts';
import type { Look, Moved, Standing } from './look.ts';
import { isFutile } from './watch.ts';

const REWOUND = 'the revision does not descend from the one before';

/**
 * Pure. A unit at rest that is as the repository wants it but for what it has too much: that goes now, unless one that
 * depends on it may still need it. Nobody fights over it: what is given by hand again only goes again.
 */
export function takeAway<Spec, Observed, Call>(
  { removalsOff, windows, nowMs, rewound, leaving }: Look<Spec, Observed, Call>,
  { unit, record, neededBy, watch }: Standing<Spec> & { readonly unit: Rendered<Spec> },
  moved: Moved<Call>,
  later: readonly Operation<Call>[],
): Moved<Call> {
  const waits = nowMs < watch.retryAtMs || isFutile(watch);
  const why =
    removalsOff ??
    (rewound === true ? REWOUND : undefined) ??
    (leaving === true ? 'a unit that left the repository may need it' : undefined) ??
    (neededBy && `${neededBy.id}, which depends on it, is not settled`) ??
    windows?.shut(unit.id)?.why ??
    (waits ? (watch.refused ?? watch.trouble ?? 'it did not go at once') : undefined);
  const standing = { ...moved, record, watch };
  if (why === undefined) return { ...standing, operations: later };
  const targets = [...new Set(later.map(({ target }) => target))].join(', ');
  const notes = [...(moved.notes ?? []), `${targets} has more than is wanted, which stays: ${why}`];
  return { ...standing, notes, ...(neededBy?.underWay === true && { soon: true as const }) };
}

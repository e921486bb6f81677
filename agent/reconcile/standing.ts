import type { UnitView } from '../core/view.ts';
import type { History, Standing } from './history.ts';

/** Of a reason in the record. Characters. */
const WHY_MAX = 300;

/**
 * Pure. The history with how units stand whose own record does not tell: the repository is needed to know, and whoever reads
 * the record has none. It changes when what people are told of a unit changes.
 */
export function withStanding(history: History, views: readonly UnitView[]): History {
  const standing = views
    .flatMap((view) => standingOf(view) ?? [])
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  return { ...history, standing };
}

function standingOf({
  id,
  quarantined,
  held = '',
  gate,
  leftOut,
  blocked,
  notes,
}: UnitView): Standing | undefined {
  const why = held.slice(0, WHY_MAX);
  const suspended = gate === 'suspended' && ({ suspended: true } as const);
  if (quarantined) return { id, sync: 'quarantined', why, ...suspended };
  if (gate === 'suspended') {
    const differs = leftOut === true || blocked.length > 0 || notes.length > 0;
    return { id, sync: differs ? 'out-of-sync' : 'in-sync', why, ...suspended };
  }
  return why === '' ? undefined : { id, sync: 'out-of-sync', why };
}

import type { Failure, Id } from './kind.ts';
import { type Look, type Moved, unmoved } from './look.ts';
import { goBack } from './step-back.ts';
import { goOnRemoving, type Left } from './step-remove.ts';
import { directionOf, watchOf } from './step-rest.ts';
import { settled, type UnitRecord } from './unit.ts';
import { lostNodes, type Watch } from './watch.ts';

interface LeftInput {
  /** What the repository has. */
  readonly wanted: ReadonlySet<Id>;
  readonly watches: ReadonlyMap<Id, Watch>;
  readonly refusals: ReadonlyMap<Id, Failure>;
}

/** Pure. Units that left the repository: those of which something is under way, moved on, and the others. */
export function leftOf<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  units: ReadonlyMap<Id, UnitRecord>,
  { wanted, watches, refusals }: LeftInput,
): { readonly busy: ReadonlyMap<Id, Moved<Call>>; readonly resting: readonly Left[] } {
  const busy = new Map<Id, Moved<Call>>();
  const resting: Left[] = [];
  for (const [id, record] of units) {
    if (wanted.has(id)) continue;
    const { phase } = record;
    const of = directionOf(record);
    const before = watches.get(id);
    const watch = watchOf(before, of, look.nowMs);
    const refusal = before?.of === of ? refusals.get(id) : undefined;
    if (phase === 'none' || phase === 'stuck') resting.push({ id, record, watch });
    else if (phase === 'removing') busy.set(id, goOnRemoving(look, { id, record, watch }, refusal));
    else busy.set(id, leave(look, { id, record, watch }, refusal));
  }
  return { busy, resting };
}

/** A unit that left the repository while something was under way: it is brought to rest first. */
function leave<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record, watch: started }: Left,
  refusal: Failure | undefined,
): Moved<Call> {
  const { attempt, phase } = record;
  if (attempt === undefined || phase === 'applying' || phase === 'verifying') {
    return unmoved(settled(record), started);
  }
  const watch = lostNodes(started, look.absent, attempt.absent);
  return goBack(look, id, { unit: undefined, record, watch, refusal }, attempt);
}

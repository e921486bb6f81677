import type { Failure, Id } from './kind.ts';
import { type Look, type Moved, unmoved } from './look.ts';
import type { Moves } from './moves.ts';
import { goBack } from './step-back.ts';
import { bringBack, makePlace } from './step-move.ts';
import { goOnRemoving, type Left } from './step-remove.ts';
import { directionOf, watchOf } from './step-rest.ts';
import { gateOf, type Gate, stand, withLost } from './step-stand.ts';
import { settled, type UnitRecord } from './unit.ts';
import { lostNodes, type Watch } from './watch.ts';

interface LeftInput<Spec, Observed, Call> {
  /** What the repository has. */
  readonly wanted: ReadonlySet<Id>;
  readonly watches: ReadonlyMap<Id, Watch>;
  readonly refusals: ReadonlyMap<Id, Failure>;
  readonly moves: Moves<Spec, Observed, Call>;
}

/** Pure. Units that left the repository: those of which something is under way or that may not move, and the others. */
export function leftOf<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  units: ReadonlyMap<Id, UnitRecord>,
  { wanted, watches, refusals, moves }: LeftInput<Spec, Observed, Call>,
): {
  readonly busy: ReadonlyMap<Id, Moved<Call>>;
  readonly resting: readonly Left[];
  /** How many of the busy ones have no successor: what is removed at once is counted. */
  readonly going: number;
} {
  const busy = new Map<Id, Moved<Call>>();
  const resting: Left[] = [];
  for (const [id, record] of units) {
    if (wanted.has(id)) continue;
    const { phase } = record;
    const of = directionOf(record);
    const before = watches.get(id);
    const watch = watchOf(before, of, look.nowMs);
    const refusal = before?.of === of ? refusals.get(id) : undefined;
    const gate = gateOf(look.frozen, undefined, record);
    if (gate !== undefined) busy.set(id, standStill(look, { id, record, watch }, gate));
    else if (phase === 'none' || phase === 'stuck') {
      const left = { id, record, watch };
      const moved = moveOn(look, left, { units, moves }, refusal);
      if (moved === undefined) resting.push(left);
      else busy.set(id, moved);
    } else if (phase === 'removing')
      busy.set(id, goOnRemoving(look, { id, record, watch }, refusal));
    else busy.set(id, onItsWay(leave(look, { id, record, watch }, refusal)));
  }
  const going = [...busy.keys()].filter((id) => moves.successorOf(id) === undefined).length;
  return { busy, resting, going };
}

/** What another unit takes the place of, or did not take in the end; undefined: there is none. */
function moveOn<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  left: Left,
  among: {
    readonly units: ReadonlyMap<Id, UnitRecord>;
    readonly moves: Moves<Spec, Observed, Call>;
  },
  refusal: Failure | undefined,
): Moved<Call> | undefined {
  const successor = among.moves.successorOf(left.id);
  if (successor !== undefined) return makePlace(look, left, successor, refusal);
  const { movedTo } = left.record;
  // Where the other one is there it may run, and both never do.
  if (movedTo === undefined || among.units.has(movedTo)) return undefined;
  return bringBack(look, left, movedTo);
}

/** It is not to move: nothing of it goes, what went already stays away, and its clocks stand. */
function standStill<Spec, Observed, Call>(
  look: Look<Spec, Observed, Call>,
  { id, record, watch: started }: Left,
  gate: Gate,
): Moved<Call> {
  if (record.attempt !== undefined) {
    const watch = withLost(look, started, record);
    return stand(look, id, { unit: undefined, record, watch }, gate);
  }
  const watch: Watch = { ...started, stands: true };
  const held = `its removal waits: ${gate.why}`;
  return { ...unmoved(record, watch), gate: gate.of, held };
}

/** What has come to rest in this look goes with the next one. */
function onItsWay<Call>(moved: Moved<Call>): Moved<Call> {
  const { phase } = moved.record ?? {};
  return phase === 'none' || phase === 'stuck' ? { ...moved, soon: true } : moved;
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

import type { Failure, Id, Kind, Rendered } from './kind.ts';
import type { Look, Moved, Wait } from './look.ts';
import { asksFirst, type Beginning, firstOfMove, type MoveFirst } from './move-first.ts';
import { type Among, moveWaits } from './move-turn.ts';
import { fail } from './step-forward.ts';
import {
  applying,
  isInPlace,
  isQuarantined,
  MAKING_PLACE,
  settled,
  unknownUnit,
  type UnitRecord,
} from './unit.ts';
import { newWatch, type Watch } from './watch.ts';

/**
 * How far the one is that takes another's place. `ready`: it would begin now. `under-way`: it is tried, or goes back.
 * `ending`: it failed and does not stand still yet. `failed`: it failed, and what is wanted is not tried again. `stuck`: a
 * person decides. `taken`: it is in place. `in-the-way`: only things of the other keep it from beginning. `waits`: something else does.
 */
export type Stage =
  'ready' | 'under-way' | 'ending' | 'failed' | 'stuck' | 'taken' | 'in-the-way' | 'waits';

/** The one that takes a unit's place. */
export interface Successor {
  readonly id: Id;
  readonly stage: Stage;
}

/** What moves are seen by. */
interface MovesInput<Spec> {
  readonly desired: readonly Rendered<Spec>[];
  readonly units: ReadonlyMap<Id, UnitRecord>;
  readonly watches: ReadonlyMap<Id, Watch>;
}

/**
 * Units that take the place of others in one step: the other one makes place first, so that both never run at a time.
 * Successors are followed before it is asked how far they are.
 */
export class Moves<Spec, Observed, Call> {
  readonly #look: Look<Spec, Observed, Call>;
  readonly #units: ReadonlyMap<Id, UnitRecord>;
  readonly #watches: ReadonlyMap<Id, Watch>;
  /** Successors, each with the one that it follows. */
  readonly #from: ReadonlyMap<Id, Id>;
  readonly #among: Among<Spec>;
  readonly #successors = new Map<Id, Successor>();

  constructor(look: Look<Spec, Observed, Call>, { desired, units, watches }: MovesInput<Spec>) {
    this.#look = look;
    this.#units = units;
    this.#watches = watches;
    this.#from = movesOf(desired, units);
    this.#among = { desired, units, from: this.#from };
  }

  /** Those that left and have a successor. */
  successorOf(id: Id): Successor | undefined {
    return this.#successors.get(id);
  }

  /** The step of a unit that may be a successor: it begins nothing before the other one has made place. */
  follow(unit: Rendered<Spec>, known: UnitRecord | undefined, stepped: Moved<Call>): Moved<Call> {
    const on = this.#from.get(unit.id);
    if (on === undefined || this.#look.frozen !== undefined) return stepped;
    const isBeginning = begins(known, stepped);
    const wait = isBeginning ? moveWaits(this.#look, unit, this.#among) : undefined;
    if (wait !== undefined) {
      this.#successors.set(on, { id: unit.id, stage: 'waits' });
      return standsBack(known, stepped, wait);
    }
    const why = isBeginning ? this.#whyNoPlace(on, unit.id) : undefined;
    const successor = { unit, known, on, watch: this.#watches.get(unit.id) };
    const first = why === undefined ? undefined : firstOfMove(this.#look, successor);
    const isStopped = this.#units.get(on)?.movedTo === unit.id;
    if (first?.waits !== undefined && !isStopped) return this.#asks(successor, first);
    const moved = why === undefined ? stepped : this.#await(successor, why, first);
    const isReady = why !== undefined && moved.held !== undefined;
    const stage = isReady ? 'ready' : stageOf(this.#look, unit, { moved, on });
    if (stage === 'in-the-way') return this.#beforeRemoval(successor, moved);
    this.#successors.set(on, { id: unit.id, stage });
    return moved;
  }

  #asks(successor: Beginning<Spec>, first: MoveFirst): Moved<Call> {
    this.#successors.set(successor.on, { id: successor.unit.id, stage: 'waits' });
    return asksFirst(successor, first);
  }

  /** The other one is removed first, and does not come back: so what this one needs is asked for before that, too. */
  #beforeRemoval(successor: Beginning<Spec>, moved: Moved<Call>): Moved<Call> {
    const { unit, known, on } = successor;
    const first = firstOfMove(this.#look, successor);
    const isGoing = this.#units.get(on)?.phase === 'removing';
    if (first.waits !== undefined && !isGoing) return this.#asks(successor, first);
    if (first.failure !== undefined && !isGoing) {
      const failed = this.#failed(unit, known, first.failure);
      this.#successors.set(on, { id: unit.id, stage: stageOf(this.#look, unit, { moved: failed, on }) }); // prettier-ignore
      return failed;
    }
    this.#successors.set(on, { id: unit.id, stage: 'in-the-way' });
    return { ...moved, watch: first.watch, asks: first.asks };
  }

  #whyNoPlace(on: Id, successor: Id): string | undefined {
    const { kind, observed } = this.#look;
    const record = this.#units.get(on);
    if (record === undefined) return undefined;
    if (record.suspended !== undefined) return 'it is suspended';
    if (record.phase === 'removing') {
      const { operations, ending } = kind.remove(on, record.removing ?? [], observed);
      return operations.length > 0 || ending !== undefined ? 'it is being removed' : undefined;
    }
    if (record.phase !== 'none' || record.movedTo !== successor) return 'it is still there';
    if (stopsOf(this.#look, on).length > 0) return 'its services are not stopped';
    return kind.runs(on, observed);
  }

  /** Nothing of it runs, so there is nothing for a person to decide, whatever its mode is: the other one comes back. */
  #neverBegan(failed: Moved<Call>): Moved<Call> {
    const { record } = failed;
    return record?.phase === 'stuck' ? { ...failed, record: settled(record) } : failed;
  }

  /** It waits, but not for ever: then it has failed, and the other one comes back. */
  #await({ unit, known, on }: Beginning<Spec>, why: string, first?: MoveFirst): Moved<Call> {
    const { kind, nowMs } = this.#look;
    const since = this.#watches.get(on);
    const isStopping = since?.of === MAKING_PLACE && this.#units.get(on)?.movedTo === unit.id;
    if (isStopping && nowMs - since.membersSinceMs >= kind.times(unit).timeoutMs) {
      return this.#failed(unit, known, {
        code: 'no-place',
        why: `${on}, whose place it takes, does not stand still`,
        evidence: why,
      });
    }
    // How that goes on is told only where it takes long.
    const isLong = isStopping && nowMs - since.sinceMs >= TOLD_MS;
    const detail = isLong || this.#units.get(on)?.suspended !== undefined ? `: ${why}` : '';
    const held = `waits for ${on}, whose place it takes, to stand still${detail}`;
    const { watch, asks } = first ?? { watch: newWatch('none', nowMs), asks: [] };
    return { record: known, watch, operations: [], events: [], held, asks, soon: true };
  }

  /** It has failed, and nothing of it began. */
  #failed(unit: Rendered<Spec>, known: UnitRecord | undefined, failure: Failure): Moved<Call> {
    const { nowMs, revision, absent } = this.#look;
    const attempt = { digest: unit.digest, revision, baseline: [], absent };
    const record = applying(known ?? unknownUnit, attempt, []);
    const watch = newWatch('none', nowMs);
    return this.#neverBegan(fail(this.#look, { unit, record, watch, refusal: undefined }, failure));
  }
}

/** It stands where it stood, and begins nothing. */
function standsBack<Call>(
  known: UnitRecord | undefined,
  stepped: Moved<Call>,
  wait: Wait,
): Moved<Call> {
  const { health: _health, ...rest } = stepped;
  return { ...rest, record: known, operations: [], events: [], wait, held: wait.why };
}

/** What ends by itself is told only when it takes longer than this. Milliseconds. */
const TOLD_MS = 60_000;

/** Pure. What is still to be stopped of a unit, whoever made it. */
export function stopsOf<Spec, Observed, Call>(
  { kind, observed }: Pick<Look<Spec, Observed, Call>, 'kind' | 'observed'>,
  id: Id,
): ReturnType<Kind<Spec, Observed, Call>['stop']> {
  const targets = kind.members(id, observed).map(({ target }) => target);
  return kind.stop(id, targets, observed);
}

/**
 * Pure. Who takes whose place: as the file says, or the other way round where the repository went back to what was there
 * before. Only what is recorded and left the repository can be followed.
 */
export function movesOf<Spec>(
  desired: readonly Rendered<Spec>[],
  units: ReadonlyMap<Id, Pick<UnitRecord, 'movedFrom'>>,
): ReadonlyMap<Id, Id> {
  const wanted = new Set(desired.map(({ id }) => id));
  const hasLeft = (id: Id): boolean => units.has(id) && !wanted.has(id);
  const declared = desired.flatMap(({ id, movedFrom }): [Id, Id][] =>
    movedFrom !== undefined && hasLeft(movedFrom) ? [[id, movedFrom]] : [],
  );
  const followed = new Set(declared.map(([, on]) => on));
  const back = [...units].flatMap(([on, { movedFrom: id }]): [Id, Id][] =>
    id !== undefined && wanted.has(id) && hasLeft(on) && !followed.has(on) ? [[id, on]] : [],
  );
  return new Map([...back, ...declared]);
}

/** Whether more of it would run after this step than what ran before. */
function begins<Call>(known: UnitRecord | undefined, { record }: Moved<Call>): boolean {
  if (known?.movedTo !== undefined && record?.movedTo === undefined) return true;
  if (record?.phase !== 'applying' && record?.phase !== 'verifying') return false;
  const isForward = known?.phase === 'applying' || known?.phase === 'verifying';
  return !isForward || known.attempt?.digest !== record.attempt?.digest;
}

function stageOf<Spec, Observed, Call>(
  { kind, observed }: Look<Spec, Observed, Call>,
  { id, digest }: Rendered<Spec>,
  { moved, on }: { readonly moved: Moved<Call>; readonly on: Id },
): Stage {
  const { record, blocked = [], operations } = moved;
  switch (record?.phase) {
    case 'applying':
    case 'verifying':
    case 'rolling-back':
    case 'reverting':
      return 'under-way';
    case 'stuck':
      return 'stuck';
    case 'removing':
      return 'waits';
    case 'none':
    case undefined:
      break;
  }
  if (record !== undefined && isQuarantined(record, digest)) {
    const isDown = operations.length === 0 && kind.runs(id, observed) === undefined;
    return isDown || record.releases.length > 0 ? 'failed' : 'ending';
  }
  // One that made place itself is not in place, although its release is what is wanted.
  const isBack = record?.movedTo === undefined;
  if (isBack && isInPlace(record, digest)) return 'taken';
  const isInTheWay = blocked.length > 0 && blocked.every(({ owner }) => owner === on);
  return isInTheWay ? 'in-the-way' : 'waits';
}

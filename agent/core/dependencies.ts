import { type Return, returnOf } from './dependants.ts';
import { type Edges, edgesOf, inOrder } from './edges.ts';
import type { Id, Rendered } from './kind.ts';
import type { Moved, Wait } from './look.ts';
import { type Dependant, neededBy } from './needed.ts';
import { outageOf } from './outage.ts';
import { isQuarantined, type UnitRecord, wasHealthy } from './unit.ts';

/** A unit that is not in place. */
interface Obstacle {
  readonly id: Id;
  /** Completes `stack/db, which ...`. */
  readonly why: string;
  /** Nothing of it is under way: see `Wait`. */
  readonly ended?: Wait['ended'];
  /** It is the rest of the revision, and so is what depends on it. */
  readonly gate?: 'rollout';
}

/** So many obstacles are remembered of a unit, and so many are named. */
const OBSTACLES_MAX = 8;
const NAMED_MAX = 3;

/**
 * The gate of dependencies in one step. A unit may begin only when all that it depends on, through others too, is at
 * rest and as the repository wants it. Units are noted in `order`, so that what this very step changed counts.
 */
export class Dependencies<Spec> {
  /** Each unit after those that it depends on. */
  readonly order: readonly Rendered<Spec>[];
  readonly #edges: Edges;
  readonly #needed: ReadonlyMap<Id, Dependant>;
  readonly #obstacles = new Map<Id, readonly Obstacle[]>();
  readonly #returns = new Map<Id, readonly Return[]>();
  readonly #outages = new Map<Id, Wait>();

  /** `records`: as they are before the step. */
  constructor(units: readonly Rendered<Spec>[], records: ReadonlyMap<Id, UnitRecord>) {
    this.#edges = edgesOf(units);
    const byId = new Map(units.map((unit) => [unit.id, unit]));
    this.order = inOrder(this.#edges).flatMap((id) => byId.get(id) ?? []);
    this.#needed = neededBy(this.order, this.#edges, records);
  }

  /** Why the unit may not begin now; undefined where it may. */
  waitOf(id: Id): Wait | undefined {
    const obstacles = this.#before(id);
    if (obstacles.length === 0) return undefined;
    const { ended, gate } = obstacles[0] ?? {};
    return {
      why: inWords(obstacles),
      ...(ended !== undefined && { ended }),
      ...(gate !== undefined && { gate }),
    };
  }

  /** These units and all that they depend on, through others too. */
  withBelow(ids: readonly Id[]): ReadonlySet<Id> {
    const found = new Set(ids);
    for (const id of found) for (const on of this.#edges.get(id) ?? []) found.add(on);
    return found;
  }

  /** Which of those that it depends on, through others too, is not well; undefined where all are. */
  outageOf(id: Id): Wait | undefined {
    const outages = (this.#edges.get(id) ?? []).flatMap((on) => this.#outages.get(on) ?? []);
    // As long as one of them may end by itself, it is waited for.
    return outages.find(({ ended }) => ended === undefined) ?? outages[0];
  }

  /** Those that it depends on and that went back in this step. */
  returnsOf(id: Id): readonly Return[] {
    const returns = (this.#edges.get(id) ?? []).flatMap((on) => this.#returns.get(on) ?? []);
    return [...new Set(returns)];
  }

  /** One that depends on it, is not settled, and may need what it is to lose. */
  neededBy(id: Id): Dependant | undefined {
    return this.#needed.get(id);
  }

  /** Where the unit stands after this step. */
  note<Call>(unit: Rendered<Spec>, moved: Moved<Call>): void {
    const back = returnOf(unit, moved);
    const returns = [...this.returnsOf(unit.id), ...(back === undefined ? [] : [back])];
    if (returns.length > 0) this.#returns.set(unit.id, returns);
    // The cause, not what suffers from it.
    const outage = this.outageOf(unit.id) ?? outageOf(unit, moved);
    if (outage !== undefined) this.#outages.set(unit.id, outage);
    const own = obstacleOf(unit, moved);
    this.#obstacles.set(unit.id, own === undefined ? this.#before(unit.id) : [own]);
  }

  /** Those that end it first: what else it waits for does not count then. */
  #before(id: Id): readonly Obstacle[] {
    const known = new Map<Id, Obstacle>();
    for (const on of this.#edges.get(id) ?? []) {
      const obstacles = this.#obstacles.get(on) ?? [{ id: on, why: 'waits for it' }];
      for (const one of obstacles) known.set(one.id, one);
    }
    const sorted = [...known.values()].toSorted((one, other) => rank(one) - rank(other));
    return sorted.slice(0, OBSTACLES_MAX);
  }
}

/** Pure. What came to rest in this step and may not begin what is wanted waits from this step on. */
export function waiting<Spec, Call>(
  { digest }: Rendered<Spec>,
  moved: Moved<Call>,
  wait: Wait | undefined,
): Moved<Call> {
  const { record } = moved;
  if (wait === undefined || moved.wait !== undefined || record?.phase !== 'none') return moved;
  const isWanted = record.releases[0]?.digest !== digest && !isQuarantined(record, digest);
  return isWanted ? { ...moved, wait, held: moved.held ?? wait.why } : moved;
}

function rank({ ended }: Obstacle): number {
  return ended === undefined ? 2 : ended === 'by-hand' ? 1 : 0;
}

function inWords(obstacles: readonly Obstacle[]): string {
  const named = obstacles.slice(0, NAMED_MAX).map(({ id, why }) => `${id}, which ${why}`);
  const more = obstacles.length > NAMED_MAX ? '; and for others' : '';
  return `waits for ${named.join('; for ')}${more}`;
}

/** Pure. What of the unit itself is not in place. One that only waits is in nobody's way: what it waits for is. */
function obstacleOf<Spec, Call>(
  { id, digest }: Rendered<Spec>,
  { record, held, partsHeld, wait, operations }: Moved<Call>,
): Obstacle | undefined {
  // What is under way and waits all the same cannot get on.
  if (wait !== undefined && record?.attempt !== undefined) return undefined;
  switch (record?.phase) {
    case 'applying':
    case 'verifying':
      return { id, why: record.phase === 'applying' ? 'is being applied' : 'is verifying' };
    case 'rolling-back':
    case 'reverting':
      return { id, why: 'goes back to its last healthy release' };
    case 'stuck':
      return { id, why: 'is stuck', ended: 'failed' };
    case 'removing':
      return { id, why: 'is being removed' };
    case 'none':
    case undefined:
      break;
  }
  const failure = record?.quarantine.find((one) => one.digest === digest);
  if (failure?.code === 'manual') return { id, why: 'was rolled back by hand', ended: 'by-hand' };
  if (failure !== undefined) return { id, why: 'failed', ended: 'failed' };
  if (wait !== undefined) return wait.gate === undefined ? undefined : gated(id, wait);
  if (held !== undefined && partsHeld !== true) return { id, why: 'is held' };
  if (record?.releases[0]?.digest !== digest) return { id, why: 'is not deployed yet' };
  if (operations.length > 0) return { id, why: 'is put right' };
  return wasHealthy(record) ? undefined : { id, why: 'was never healthy' };
}

/** Nothing that it depends on holds it up, so it is in the way itself. */
function gated(id: Id, { gate, ended }: Wait): Obstacle {
  if (ended === undefined || gate !== 'rollout') {
    return { id, why: gate === 'window' ? 'waits for its window' : 'waits for its turn' };
  }
  return { id, why: 'the rollout holds', ended, gate };
}

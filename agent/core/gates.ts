import type { Return } from './dependants.ts';
import { Dependencies } from './dependencies.ts';
import type { Id, Rendered } from './kind.ts';
import type { Moved, Wait } from './look.ts';
import type { Dependant } from './needed.ts';
import { Rollout, type RolloutInput } from './rollout.ts';
import { turn } from './step-turn.ts';
import type { UnitRecord } from './unit.ts';
import type { Windows } from './windows.ts';

interface GatesInput<Spec> extends RolloutInput<Spec> {
  readonly windows: Windows;
  /** Units of which a person asks for another try in this step: no window is in the way of that. */
  readonly retried: ReadonlySet<Id>;
}

/**
 * What may keep a unit from beginning, in one step: what it depends on, the brake of the revision, its windows, and last
 * whether there is a place for it, so that what waits for something else takes none.
 */
export class Gates<Spec> {
  /** Canaries and what they depend on first; else each unit after those that it depends on. */
  readonly order: readonly Rendered<Spec>[];
  readonly #dependencies: Dependencies<Spec>;
  readonly #first: ReadonlySet<Id>;
  /** Units under way, and all that they depend on. */
  readonly #below: ReadonlySet<Id>;
  readonly #rollout: Rollout<Spec>;
  readonly #input: GatesInput<Spec>;

  constructor(input: GatesInput<Spec>) {
    this.#input = input;
    const dependencies = new Dependencies(input.desired, input.units);
    this.#dependencies = dependencies;
    this.#rollout = new Rollout(input);
    this.#first = dependencies.withBelow(this.#rollout.open);
    const isUnderWay = ({ id }: Rendered<Spec>): boolean =>
      input.units.get(id)?.attempt !== undefined;
    this.#below = dependencies.withBelow(input.desired.filter(isUnderWay).map(({ id }) => id));
    const isFirst = ({ id }: Rendered<Spec>): boolean => this.#first.has(id);
    const { order } = dependencies;
    this.order =
      this.#first.size === 0
        ? order
        : [...order.filter(isFirst), ...order.filter((unit) => !isFirst(unit))];
  }

  /** The brake, as far as units were noted. */
  get rollout(): Rollout<Spec> {
    return this.#rollout;
  }

  /** How soon looking again can matter to what was held up here. */
  get wakeMs(): number {
    return Math.min(this.#input.windows.wakeMs, this.#rollout.wakeMs);
  }

  /** Why the unit may not begin now; undefined where it may, or has nothing to begin. */
  waitOf(unit: Rendered<Spec>, record: UnitRecord | undefined): Wait | undefined {
    const { id } = unit;
    const wait = this.#dependencies.waitOf(id);
    if (wait !== undefined || !isDue(unit, record)) return wait;
    const held = this.#rollout.holdOf(this.#first.has(id));
    if (held !== undefined) return held;
    const shut = this.#input.retried.has(id) ? undefined : this.#input.windows.shut(id);
    if (shut !== undefined) return { why: shut.why, gate: 'window' };
    // Those that hold the places may wait for this very one to be well.
    return this.#below.has(id) ? undefined : this.#rollout.turnOf(unit, record);
  }

  /** Which of those that the unit depends on is not well. */
  outageOf(id: Id): Wait | undefined {
    return this.#dependencies.outageOf(id);
  }

  /** One that may still need what the unit is to lose. */
  neededBy(id: Id): Dependant | undefined {
    return this.#dependencies.neededBy(id);
  }

  /** Those that the unit depends on and that went back in this step. */
  returnsOf(id: Id): readonly Return[] {
    return this.#dependencies.returnsOf(id);
  }

  /** Where the unit stands after this step, and stood before it. */
  note<Call>(unit: Rendered<Spec>, before: UnitRecord | undefined, moved: Moved<Call>): void {
    this.#dependencies.note(unit, moved);
    this.#rollout.note(unit, before, moved);
  }
}

/** Another digest than the one that is in place or under way, and none that failed. */
function isDue<Spec>({ digest }: Rendered<Spec>, record: UnitRecord | undefined): boolean {
  if (record === undefined || record.phase === 'removing') return true;
  return turn(record, digest) === 'begin';
}

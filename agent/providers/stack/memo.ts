import type { Difference, Rendered } from '../../core/kind.ts';
import type { Lookups } from './lookups.ts';
import type { StackObserved } from './observed.ts';
import type { StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';

/** A comparison, and all that it looked up beside the unit. */
interface Compared {
  readonly difference: Difference<StackCall>;
  readonly lookups: Lookups;
}

/** What was worked out about one unit and holds until its inputs change. Never decides anything: all of it can be lost. */
export class UnitMemo {
  readonly #key: string;
  readonly #digests = new Map<string, string>();
  readonly #equal = new Map<string, string>();
  #nothing: (Compared & { readonly made: string }) | undefined;

  constructor(key: string) {
    this.#key = key;
  }

  /** Whether the digests in it were made with this key. */
  fits(key: string): boolean {
    return this.#key === key;
  }

  /** The digest of one config or secret of the unit, made once. */
  digest(target: string, make: () => string): string {
    const known = this.#digests.get(target);
    if (known !== undefined) return known;
    const made = make();
    this.#digests.set(target, made);
    return made;
  }

  /** Nothing to do, with what it says beside, where this was compared before and all that was looked up then is the same. */
  nothing(made: readonly string[], observed: StackObserved): Difference<StackCall> | undefined {
    const known = this.#nothing;
    if (known === undefined || known.made !== made.join('\n')) return undefined;
    return known.lookups.holdIn(observed) ? known.difference : undefined;
  }

  /** Keeps how nothing differed; the last one counts. */
  noteNothing(made: readonly string[], { difference, lookups }: Compared): void {
    this.#nothing = { made: made.join('\n'), difference, lookups };
  }

  /** Whether `target` was compared with this and was equal. `seen` stands for all that the comparison reads. */
  wasEqual(target: string, seen: string): boolean {
    return this.#equal.get(target) === seen;
  }

  /** Keeps with what it was equal; the last one counts. */
  noteEqual(target: string, seen: string): void {
    this.#equal.set(target, seen);
  }
}

/** The same object comes from pass to pass while its revision stands, and takes its memo along when it goes. */
const memos = new WeakMap<Rendered<StackSpec>, UnitMemo>();

/** The memo of a unit, empty at first and whenever the key of the digests is another one. */
export function memoOf(unit: Rendered<StackSpec>, key: string): UnitMemo {
  const known = memos.get(unit);
  if (known?.fits(key) === true) return known;
  const made = new UnitMemo(key);
  memos.set(unit, made);
  return made;
}

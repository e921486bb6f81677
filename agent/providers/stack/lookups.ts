import type { StackObserved } from './observed.ts';

/** What is looked up by name. */
type Index = Exclude<keyof StackObserved, 'state' | 'digestKey'>;

interface Lookup {
  readonly index: Index;
  readonly key: string;
  readonly found: unknown;
}

/**
 * What was looked up in one observation, and found or not found there. Whatever is worked out from a unit and from nothing but
 * these holds in every later observation in which they are found the same: objects of lists that did not change are the
 * same ones (`SameLists`), so this is told without comparing what they hold.
 */
export class Lookups {
  readonly #made: Lookup[] = [];
  #isPartial = false;

  /** The same observation, with all that is looked up in it noted here. */
  of(observed: StackObserved): StackObserved {
    const noted = <Value>(index: Index, map: ReadonlyMap<string, Value>) =>
      new NotedMap(map, this.#note(index), this.#spoil);
    const { state, digestKey } = observed;
    const spoil = this.#spoil;
    return {
      // Who takes all of it looks nothing up.
      get state() {
        spoil();
        return state;
      },
      digestKey,
      services: noted('services', observed.services),
      serviceNames: noted('serviceNames', observed.serviceNames),
      networks: noted('networks', observed.networks),
      networkNames: noted('networkNames', observed.networkNames),
      configs: noted('configs', observed.configs),
      configsOf: noted('configsOf', observed.configsOf),
      secrets: noted('secrets', observed.secrets),
      secretsOf: noted('secretsOf', observed.secretsOf),
      disproved: noted('disproved', observed.disproved),
      tasks: noted('tasks', observed.tasks),
    };
  }

  /** Whether all of it is found the same here. False where not all that was read was looked up. */
  holdIn(observed: StackObserved): boolean {
    if (this.#isPartial) return false;
    return this.#made.every(({ index, key, found }) => isSame(observed[index].get(key), found));
  }

  readonly #spoil = (): void => {
    this.#isPartial = true;
  };

  #note(index: Index): (key: string, found: unknown) => void {
    return (key, found) => void this.#made.push({ index, key, found });
  }
}

/** A list that was gathered anew of the same objects is the same. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!Array.isArray(one) || !Array.isArray(other)) return false;
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

class NotedMap<Value> implements ReadonlyMap<string, Value> {
  readonly #map: ReadonlyMap<string, Value>;
  readonly #note: (key: string, found: Value | undefined) => void;
  readonly #spoil: () => void;

  constructor(
    map: ReadonlyMap<string, Value>,
    note: (key: string, found: Value | undefined) => void,
    spoil: () => void,
  ) {
    this.#map = map;
    this.#note = note;
    this.#spoil = spoil;
  }

  get(key: string): Value | undefined {
    const found = this.#map.get(key);
    this.#note(key, found);
    return found;
  }

  has(key: string): boolean {
    this.get(key);
    return this.#map.has(key);
  }

  get size(): number {
    return this.#all().size;
  }

  forEach(each: (value: Value, key: string, map: ReadonlyMap<string, Value>) => void): void {
    for (const [key, value] of this.#all()) each(value, key, this);
  }

  entries(): MapIterator<[string, Value]> {
    return this.#all().entries();
  }

  keys(): MapIterator<string> {
    return this.#all().keys();
  }

  values(): MapIterator<Value> {
    return this.#all().values();
  }

  [Symbol.iterator](): MapIterator<[string, Value]> {
    return this.entries();
  }

  #all(): ReadonlyMap<string, Value> {
    this.#spoil();
    return this.#map;
  }
}

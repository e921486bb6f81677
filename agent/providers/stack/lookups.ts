import type { StackObserved } from './observed.ts';

/** What is looked up by name. */
type Index = Exclude<keyof StackObserved, 'state' | 'digestKey' | 'serversSeen'>;

/** All that was looked up in one index. */
interface Lookup {
  readonly index: Index;
  readonly map: object;
  readonly found: Map<string, unknown>;
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
    const noted = <Key extends string, Value>(index: Index, map: ReadonlyMap<Key, Value>) => {
      const found = new Map<string, Value | undefined>();
      this.#made.push({ index, map, found });
      return new NotedMap(map, found, this.#spoil);
    };
    // Of what nothing needs, and of no stack.
    const { state, digestKey, serversSeen } = observed;
    const spoil = this.#spoil;
    return {
      // Who takes all of it looks nothing up.
      get state() {
        spoil();
        return state;
      },
      digestKey,
      serversSeen,
      services: noted('services', observed.services),
      serviceNames: noted('serviceNames', observed.serviceNames),
      networks: noted('networks', observed.networks),
      networkNames: noted('networkNames', observed.networkNames),
      configs: noted('configs', observed.configs),
      configsOf: noted('configsOf', observed.configsOf),
      secrets: noted('secrets', observed.secrets),
      secretsOf: noted('secretsOf', observed.secretsOf),
      families: noted('families', observed.families),
      generated: noted('generated', observed.generated),
      earlier: noted('earlier', observed.earlier),
      given: noted('given', observed.given),
      disproved: noted('disproved', observed.disproved),
      tasks: noted('tasks', observed.tasks),
      largest: noted('largest', observed.largest),
    };
  }

  /** Whether all of it is found the same here. False where not all that was read was looked up. */
  holdIn(observed: StackObserved): boolean {
    return !this.#isPartial && this.#made.every((lookup) => holds(lookup, observed[lookup.index]));
  }

  readonly #spoil = (): void => {
    this.#isPartial = true;
  };
}

function holds({ map, found }: Lookup, now: Pick<ReadonlyMap<string, unknown>, 'get'>): boolean {
  // The index of a list that did not change is the same one.
  if (now === map) return true;
  for (const [key, value] of found) if (!isSame(now.get(key), value)) return false;
  return true;
}

/** A list that was gathered anew of the same objects is the same. */
function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!Array.isArray(one) || !Array.isArray(other)) return false;
  return one.length === other.length && one.every((item, at) => item === other[at]);
}

class NotedMap<Key extends string, Value> implements ReadonlyMap<Key, Value> {
  readonly #map: ReadonlyMap<Key, Value>;
  readonly #found: Map<string, Value | undefined>;
  readonly #spoil: () => void;

  constructor(
    map: ReadonlyMap<Key, Value>,
    found: Map<string, Value | undefined>,
    spoil: () => void,
  ) {
    this.#map = map;
    this.#found = found;
    this.#spoil = spoil;
  }

  get(key: Key): Value | undefined {
    const found = this.#map.get(key);
    this.#found.set(key, found);
    return found;
  }

  has(key: Key): boolean {
    this.get(key);
    return this.#map.has(key);
  }

  get size(): number {
    return this.#all().size;
  }

  forEach(each: (value: Value, key: Key, map: ReadonlyMap<Key, Value>) => void): void {
    for (const [key, value] of this.#all()) each(value, key, this);
  }

  entries(): MapIterator<[Key, Value]> {
    return this.#all().entries();
  }

  keys(): MapIterator<Key> {
    return this.#all().keys();
  }

  values(): MapIterator<Value> {
    return this.#all().values();
  }

  [Symbol.iterator](): MapIterator<[Key, Value]> {
    return this.entries();
  }

  #all(): ReadonlyMap<Key, Value> {
    this.#spoil();
    return this.#map;
  }
}

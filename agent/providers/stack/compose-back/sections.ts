import { isComposeKey } from '../compose/names.ts';
import type { Tree } from './tree.ts';

/** One section of the top level, to which entries come while the services that use them are written. */
export class Section {
  readonly #keys = new Map<string, string>();
  readonly #entries = new Map<string, Tree>();

  /**
   * The key of an entry, which is made the first time. `id` tells entries apart. `wanted`: keys that would be good, the
   * first one free is taken.
   */
  use(id: string, wanted: readonly string[], entry: (key: string) => Tree): string {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    const key = this.#free(wanted);
    this.#keys.set(id, key);
    this.#entries.set(key, entry(key));
    return key;
  }

  /** Whether something has come that is told apart by this. */
  has(id: string): boolean {
    return this.#keys.has(id);
  }

  #free(wanted: readonly string[]): string {
    const good = wanted.filter((key) => isComposeKey(key) && !/^\.+$/.test(key));
    const free = good.find((key) => !this.#entries.has(key));
    if (free !== undefined) return free;
    const stem = (wanted[0] ?? '').replaceAll(/[^a-zA-Z0-9_-]+/g, '-').replaceAll(/^-+|-+$/g, '');
    for (let number = 1; ; number += 1) {
      const key = `${stem === '' ? 'it' : stem}${number === 1 ? '' : `-${String(number)}`}`;
      if (!this.#entries.has(key)) return key;
    }
  }

  /** By key, in the order of the keys. */
  entries(): Map<string, Tree> {
    return new Map([...this.#entries].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Pure. Keys for something that is called so in the Swarm: without the stack's name before it, else whole. */
export function keysFor(name: string, stack: string): readonly string[] {
  const start = `${stack}_`;
  return name.startsWith(start) && name.length > start.length
    ? [name.slice(start.length), name]
    : [name];
}

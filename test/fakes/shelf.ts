import type { CallOutcome } from '../../agent/core/kind.ts';
import type { HeadKeeper, Labels } from '../../agent/reconcile/lease-ports.ts';
import type { Shelf, ShelfKeeper } from '../../agent/reconcile/ports.ts';

/**
 * What goes wrong with one write. `name-taken`: somebody else wrote the same a moment before. `crash-before`,
 * `crash-after`: the caller never learns anything, because it dies there.
 */
export type ShelfFault =
  'refuse' | 'unknown-done' | 'unknown-not-done' | 'name-taken' | 'crash-before' | 'crash-after';

/** What a dying process sees of its last write. */
export class Crash extends Error {}

const DATA_BYTES_MAX = 1_023_999;

/** The head and the blobs of one Swarm in memory, with the rules of the engine for Config objects. */
export class FakeShelf {
  head: Shelf['head'] | undefined = { id: 'head', version: 11, labels: {} };
  readonly blobs = new Map<string, { readonly id: string; readonly data: string }>();
  /** Every write that was tried: `put NAME`, `swap`, `remove NAME`. */
  readonly writes: string[] = [];
  readonly #faults = new Map<number, ShelfFault>();
  #index = 11;

  /** The write after `skip` others fails so. */
  failAfter(skip: number, fault: ShelfFault): void {
    this.#faults.set(this.writes.length + skip, fault);
  }

  /** As one list call gives it: later writes do not show. */
  look(): Shelf | undefined {
    return this.head && { head: this.head, blobs: new Map(this.blobs) };
  }

  /** Sets labels as somebody else would; undefined removes one. */
  relabel(labels: Readonly<Record<string, string | undefined>>): void {
    if (this.head === undefined) throw new Error('there is no head');
    const all = Object.entries({ ...this.head.labels, ...labels });
    const kept = all.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]));
    this.head = { ...this.head, version: ++this.#index, labels: Object.fromEntries(kept) };
  }

  /** Writes that were tried since the last call. */
  takeWrites(): string[] {
    const taken = this.writes.slice(this.#taken);
    this.#taken = this.writes.length;
    return taken;
  }
  #taken = 0;

  /** A keeper for observations of any shape; `pick` finds what `look()` gave in one. */
  keeper<Observed>(pick: (observed: Observed) => Shelf | undefined): ShelfKeeper<Observed> {
    return {
      look: pick,
      put: async (name, data) => this.#write(`put ${name}`, () => this.#put(name, data)),
      relabel: async (change) => this.#write('swap', () => this.#relabel(change)),
      remove: async ({ id, name }) =>
        this.#write(`remove ${name}`, () => {
          for (const [known, blob] of this.blobs) if (blob.id === id) this.blobs.delete(known);
          return done;
        }),
    };
  }

  /** The head alone, as the lease is kept by it. */
  headKeeper(): HeadKeeper {
    return {
      read: async () => {
        await turn();
        return { status: 'ok', value: this.head };
      },
      make: async () => {
        await turn();
        if (this.head !== undefined) return nameTaken;
        this.head = { id: `id${++this.#index}`, version: this.#index, labels: {} };
        return done;
      },
      swap: async (seen, labels) => this.#write('swap', () => this.#swap(seen, labels)),
    };
  }

  async #write(what: string, carryOut: () => CallOutcome<unknown>): Promise<CallOutcome<unknown>> {
    const fault = this.#faults.get(this.writes.length);
    this.writes.push(what);
    await turn();
    switch (fault) {
      case undefined:
        return carryOut();
      case 'refuse':
        return { status: 'refused', why: 'refused by the test', retry: 'never' };
      case 'unknown-done':
        carryOut();
        return { status: 'unknown', why: 'no answer' };
      case 'unknown-not-done':
        return { status: 'unknown', why: 'no answer' };
      case 'name-taken':
        carryOut();
        return nameTaken;
      case 'crash-before':
        throw new Crash(what);
      case 'crash-after':
        carryOut();
        throw new Crash(what);
    }
  }

  #put(name: string, data: string): CallOutcome<unknown> {
    const bytes = Buffer.byteLength(data, 'base64');
    if (bytes < 1 || bytes > DATA_BYTES_MAX) {
      return { status: 'refused', why: 'config data must be larger than 0', retry: 'never' };
    }
    if (this.blobs.has(name)) return nameTaken;
    this.blobs.set(name, { id: `id${++this.#index}`, data });
    return done;
  }

  #relabel(change: (labels: Labels) => Labels | undefined): CallOutcome<unknown> {
    if (this.head === undefined) {
      return { status: 'refused', why: 'not found', retry: 'after-replan' };
    }
    const labels = change(this.head.labels);
    return labels === undefined ? overtaken : this.#swap(this.head, labels);
  }

  #swap(seen: { readonly id: string; readonly version: number }, labels: Labels) {
    if (this.head?.id !== seen.id || this.head.version !== seen.version) return overtaken;
    this.head = { id: seen.id, version: ++this.#index, labels };
    return done;
  }
}

async function turn(): Promise<void> {
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
}

const overtaken: CallOutcome<unknown> = {
  status: 'refused',
  why: 'update out of sequence',
  retry: 'after-replan',
  cause: 'out-of-sequence',
};

const done: CallOutcome<unknown> = { status: 'ok', value: {} };

const nameTaken: CallOutcome<unknown> = {
  status: 'refused',
  why: 'config already exists',
  retry: 'after-replan',
  cause: 'name-taken',
};

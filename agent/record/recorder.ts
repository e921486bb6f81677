import type { CallOutcome } from '../core/kind.ts';
import type { Clock, Loaded, Next, Recorder, Shelf, ShelfKeeper } from '../reconcile/ports.ts';
import type { Blob } from './blob.ts';
import type { Limits } from './budget.ts';
import { draft } from './draft.ts';
import type { Labels } from '../reconcile/lease-ports.ts';
import { readFreeze } from './freeze.ts';
import { isSamePointer, pointTo } from './head.ts';
import { loadedFrom } from './read.ts';
import { blobsOf, isWhole, type Reading, readShelf } from './reading.ts';
import { withoutRequests } from './requests.ts';
import { isOf, type Owner } from './root.ts';
import { Unreferenced } from './unreferenced.ts';

/** Whose record it is, and how large it may become. */
export interface RecorderOptions extends Owner {
  readonly clock: Clock;
  /** All blobs together, as they are stored. */
  readonly bytesMax?: number;
}

const BYTES_MAX = 1.5 * 1024 * 1024;
/** Below the 1,023,999 bytes that the engine takes. */
const BLOB_BYTES_MAX = 900_000;
const PUTS_AT_ONCE = 4;
const REMOVALS_MAX = 64;

/** A recorder on what a provider keeps: `keeper` says how that is read and written. */
export function openRecorder<Observed>(
  keeper: ShelfKeeper<Observed>,
  options: RecorderOptions,
): Recorder<Observed> {
  return new ShelfRecorder(keeper, options);
}

/** What one write consists of. */
interface Plan {
  readonly puts: readonly Blob[];
  readonly reading: Reading;
  readonly requests: Loaded['requests'];
  readonly calls: boolean;
}

class ShelfRecorder<Observed> implements Recorder<Observed> {
  readonly #keeper: ShelfKeeper<Observed>;
  readonly #clock: Clock;
  readonly #owner: Owner;
  readonly #limits: Limits;
  readonly #unreferenced = new Unreferenced();
  /** What was read and written last: two, because a write of unknown outcome may turn out either way. */
  #known: readonly Reading[] = [];
  /** The head cannot be older than this any more. */
  #oldest: Pick<Shelf['head'], 'id' | 'version'> = { id: '', version: 0 };

  constructor(keeper: ShelfKeeper<Observed>, options: RecorderOptions) {
    const { clock, bytesMax = BYTES_MAX, ...owner } = options;
    this.#keeper = keeper;
    this.#clock = clock;
    this.#owner = owner;
    this.#limits = { bytesMax, blobBytesMax: BLOB_BYTES_MAX };
  }

  load(observed: Observed): CallOutcome<Loaded> {
    const shelf = this.#keeper.look(observed);
    const current = this.#read(shelf);
    if (current.status !== 'ok') return current;
    const loaded = loadedFrom(shelf, current.value);
    const { root } = current.value;
    const moved = movedFrom(root?.repository, this.#owner.repository);
    const elsewhere = root !== undefined && !isOf(root, this.#owner);
    const freeze = readFreeze(shelf?.head.labels ?? {}, this.#clock.date());
    const notes = [...loaded.notes, ...moved];
    const rest = { ...(freeze && { freeze }), ...(elsewhere && { elsewhere: true as const }) };
    return { status: 'ok', value: { ...loaded, notes, ...rest } };
  }

  async save(
    observed: Observed,
    loaded: Loaded,
    next: Next,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly notes: readonly string[] }>> {
    const shelf = this.#keeper.look(observed);
    const current = this.#read(shelf);
    if (current.status !== 'ok') return current;
    const before = current.value;
    if (loaded.units !== before.units) return again('the record changed since it was read');
    const drafted = draft(before, next, { shelf, owner: this.#owner, limits: this.#limits });
    if (drafted.status === 'refused') return { ...drafted, retry: 'never' };

    const { puts = [], reading = before, notes = [] } = drafted.value ?? {};
    const { calls = false } = next;
    const plan = { puts, reading, requests: loaded.requests, calls };
    const written = await this.#write(shelf, plan, signal);
    return written.status === 'ok' ? { status: 'ok', value: { notes } } : written;
  }

  async collect(
    observed: Observed,
    signal: AbortSignal,
  ): Promise<CallOutcome<{ readonly removed: number }>> {
    const shelf = this.#keeper.look(observed);
    const current = this.#read(shelf);
    if (current.status !== 'ok') return current;
    const { complete, root } = current.value;
    let removed = 0;
    if (shelf === undefined || root === undefined || !complete || !isWhole(shelf, current.value)) {
      return { status: 'ok', value: { removed } };
    }
    let refused: CallOutcome<never> | undefined;
    for (const name of this.#unreferenced.due(this.#clock.nowMs()).slice(0, REMOVALS_MAX)) {
      const blob = shelf.blobs.get(name);
      if (blob === undefined) continue;
      if (signal.aborted) break;
      const outcome = await this.#keeper.remove({ id: blob.id, name }, signal);
      if (outcome.status === 'unknown') return outcome;
      this.#unreferenced.forget([name]);
      if (outcome.status === 'refused') refused ??= outcome;
      else removed += 1;
    }
    return refused ?? { status: 'ok', value: { removed } };
  }

  /** The record that this agent may act on. */
  #read(shelf: Shelf | undefined): CallOutcome<Reading> {
    if (shelf !== undefined && !this.#isNew(shelf.head)) {
      return { status: 'unknown', why: 'the Swarm answered with an older state' };
    }
    const reading = readShelf(shelf, this.#known);
    this.#remember(reading);
    const { refusal, root } = reading;
    const why = refusal ?? belongsTo(root?.environment, this.#owner.environment);
    if (why !== undefined) return { status: 'refused', why, retry: 'never' };
    if (shelf !== undefined && root !== undefined) {
      this.#unreferenced.see(shelf, blobsOf(reading), this.#clock.nowMs());
    }
    return { status: 'ok', value: reading };
  }

  /** Blobs first, then the root over them, then the label that points to it: what breaks off leaves the old record. */
  async #write(
    shelf: Shelf | undefined,
    next: Plan,
    signal: AbortSignal,
  ): Promise<CallOutcome<unknown>> {
    const { puts, reading, requests, calls } = next;
    if (shelf === undefined) {
      return reading.name === '' ? { status: 'ok', value: {} } : again('there is no head yet');
    }
    // Whatever comes of this write, it may point to these from now on.
    this.#unreferenced.forget(blobsOf(reading));
    const put = await this.#put(puts, signal);
    if (put.status !== 'ok') return put;
    this.#remember(reading);
    const { head } = shelf;
    const relabelled = (labels: Labels): Labels => {
      const rest = withoutRequests(labels, { seen: head.labels, taken: requests });
      return reading.name === '' ? rest : pointTo(rest, reading.name);
    };
    // Where calls follow, this write is what shows that nobody else leads by now.
    if (!calls && relabelled(head.labels) === head.labels) return { status: 'ok', value: {} };
    if (signal.aborted) return stopped;
    const swapped = await this.#keeper.relabel(
      (labels) => (isSamePointer(labels, head.labels) ? relabelled(labels) : undefined),
      signal,
    );
    const changed = swapped.status === 'ok' || swapped.cause === 'out-of-sequence';
    if (changed) this.#oldest = { id: head.id, version: head.version + 1 };
    return swapped;
  }

  /** The root, which is last, only after everything that it names. */
  async #put(blobs: readonly Blob[], signal: AbortSignal): Promise<CallOutcome<unknown>> {
    const root = blobs.filter(({ name }) => name.startsWith('understudy.r.'));
    const buckets = blobs.filter((blob) => !root.includes(blob));
    const stored = await this.#putAll(buckets, signal);
    return stored.status === 'ok' ? this.#putAll(root, signal) : stored;
  }

  async #putAll(blobs: readonly Blob[], signal: AbortSignal): Promise<CallOutcome<unknown>> {
    let worst: CallOutcome<unknown> = { status: 'ok', value: {} };
    const queue = blobs.values(); // shared: each worker takes the next blob from it
    const worker = async (): Promise<void> => {
      for (const { name, data } of queue) {
        if (signal.aborted) worst = stopped;
        if (worst.status !== 'ok') return;
        const outcome = await this.#keeper.put(name, data, signal);
        // The name says what is in it, so one that is there already is this one.
        const done = outcome.status === 'ok' || outcome.cause === 'name-taken';
        if (!done) worst = outcome;
      }
    };
    await Promise.all(Array.from({ length: PUTS_AT_ONCE }, worker));
    return worst;
  }

  #remember(reading: Reading): void {
    const others = this.#known.filter(({ name }) => name !== reading.name);
    this.#known = [reading, ...others].slice(0, 2);
  }

  /** A manager that lost touch may answer with what was before our own write. */
  #isNew({ id, version }: Shelf['head']): boolean {
    if (id === this.#oldest.id && version < this.#oldest.version) return false;
    this.#oldest = { id, version };
    return true;
  }
}

const stopped: CallOutcome<never> = { status: 'unknown', why: 'stopped' };

function again(why: string): CallOutcome<never> {
  return { status: 'refused', why, retry: 'after-replan' };
}

/** Two agents with different settings must not take turns on one Swarm. */
function belongsTo(recorded: string | undefined, environment: string): string | undefined {
  if (recorded === undefined || recorded === environment) return undefined;
  return (
    `the record of this Swarm is of environment \`${recorded}\`, this agent is set to \`${environment}\`: ` +
    'correct `environment` in its settings'
  );
}

function movedFrom(recorded: string | undefined, repository: string): readonly string[] {
  if (recorded === undefined || recorded === repository) return [];
  return [`the record is of repository ${recorded}; from now on ${repository} is followed`];
}

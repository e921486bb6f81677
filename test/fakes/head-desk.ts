import type { Id } from '../../agent/core/kind.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import { indexState, type StackObserved } from '../../agent/providers/stack/observed.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import { swarmShelf } from '../../agent/providers/stack/shelf.ts';
import type { History } from '../../agent/reconcile/history.ts';
import type { HeadKeeper } from '../../agent/reconcile/lease-ports.ts';
import type { Recorder } from '../../agent/reconcile/ports.ts';
import { HEAD_NAME, headFormat } from '../../agent/record/head.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import { VirtualClock } from './clock.ts';
import { aloneOn } from './lease.ts';
import type { FakeEngine } from './swarm-engine.ts';
import { directSwarm } from './swarm-modem.ts';

const { signal } = new AbortController();

/** What an agent writes on a fake engine, with the real recorder: for tests of those who read it. */
export class HeadDesk {
  readonly #engine: FakeEngine;
  readonly #recorder: Recorder<StackObserved>;
  readonly #head: HeadKeeper;

  constructor(engine: FakeEngine) {
    this.#engine = engine;
    const swarm = directSwarm(engine);
    const head = swarmHead(
      swarm,
      headFormat((bytes) => Buffer.alloc(bytes, 7)),
    );
    this.#head = head;
    const owner = { environment: 'production', repository: 'ssh://git@git.example/infra' };
    const shelf = swarmShelf(swarm, HEAD_NAME, aloneOn(head));
    this.#recorder = openRecorder(shelf, { ...owner, clock: new VirtualClock() });
  }

  /** Writes this record, on a head that is made first where there is none, and takes what is asked. */
  async write(units: ReadonlyMap<Id, UnitRecord>, history: History): Promise<void> {
    await this.#head.make(signal);
    const state = await directSwarm(this.#engine).observe(signal);
    if (state.status !== 'ok') throw new Error(state.why);
    const observed = indexState(state.value, undefined);
    const loaded = this.#recorder.load(observed);
    if (loaded.status !== 'ok') throw new Error(loaded.why);
    const saved = await this.#recorder.save(observed, loaded.value, { units, history }, signal);
    if (saved.status !== 'ok') throw new Error(saved.why);
  }

  /** Sets labels of the head beside those that it has. */
  async label(labels: Readonly<Record<string, string>>): Promise<void> {
    const read = await this.#head.read(signal);
    if (read.status !== 'ok' || read.value === undefined) throw new Error('there is no head');
    const swapped = await this.#head.swap(read.value, { ...read.value.labels, ...labels }, signal);
    if (swapped.status !== 'ok') throw new Error(swapped.why);
  }

  /** The labels of the head now. */
  async labels(): Promise<Readonly<Record<string, string>>> {
    const read = await this.#head.read(signal);
    return read.status === 'ok' ? (read.value?.labels ?? {}) : {};
  }
}

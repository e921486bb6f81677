import type { Freeze } from '../../agent/core/freeze.ts';
import type { Id, Rendered } from '../../agent/core/kind.ts';
import type { RepositorySettings } from '../../agent/core/repository-settings.ts';
import type { Request } from '../../agent/core/unit.ts';
import type { StackObserved } from '../../agent/providers/stack/observed.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import { imageAnswer } from '../../agent/providers/stack/image-answer.ts';
import { stackKind, stackProvider } from '../../agent/providers/stack/provider.ts';
import { swarmShelf } from '../../agent/providers/stack/shelf.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import type { StackCall, Swarm } from '../../agent/providers/stack/swarm.ts';
import { logAnswer } from '../../agent/providers/stack/log-answer.ts';
import { openProber } from '../../agent/probes/prober.ts';
import { AtRest } from '../../agent/reconcile/at-rest.ts';
import {
  type Desired,
  type Memory,
  nothingKnown,
  pass,
  type PassPorts,
} from '../../agent/reconcile/pass.ts';
import type { HeadKeeper } from '../../agent/reconcile/lease-ports.ts';
import type { AgentEvent, Loaded, Shelf } from '../../agent/reconcile/ports.ts';
import { FREEZE_LABEL, freezeLabel, readFreeze } from '../../agent/record/freeze.ts';
import { HEAD_NAME, headFormat } from '../../agent/record/head.ts';
import { HeadWatch } from '../../agent/record/head-watch.ts';
import { readRecord } from '../../agent/record/read.ts';
import { blobsOf, readShelf } from '../../agent/record/reading.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import { requestLabel } from '../../agent/record/requests.ts';
import { VirtualClock } from './clock.ts';
import { aloneOn, reignFrom } from './lease.ts';
import { quietLooks } from './looks.ts';
import type { FakeAnswer, FakeRequest } from './swarm-answers.ts';
import { FakeEngine } from './swarm-engine.ts';
import { directSwarm, type FakeExchange, type Fate } from './swarm-modem.ts';

/** What goes wrong with one write, and how the agent that sends it fares. */
export interface Fault {
  /**
   * Beside what the modem knows, what a raft does: `late`, nobody hears of it and it is carried out some seconds later;
   * `twice`, the engine's own proxy repeats it, and the answer is that of the repetition (facts/safety.md 1.1).
   */
  readonly fate: Fate | 'late' | 'twice';
  /** The agent is killed: before anything comes back to it, or when it has the answer and goes on. Absent: it lives. */
  readonly kill?: 'at-once' | 'when-answered';
  /** How long nobody runs after that; milliseconds. */
  readonly downMs?: number;
}

/** One write of an agent, as it was sent. */
export interface Write {
  /** Counted from 1. */
  readonly at: number;
  readonly atMs: number;
  /** Which agent sent it: each start is another one. */
  readonly life: number;
  readonly method: string;
  readonly path: string;
  readonly fault: Fault | undefined;
  /** Absent where it never arrived. */
  text?: string;
  answer?: FakeAnswer;
}

const SETTINGS = {
  intervalMs: 60_000,
  retryIntervalMs: 10_000,
  removals: { max: 5, share: 50 },
};
/** A write that is late comes after so long; milliseconds. */
const LATE_MS = 3_500;
/** Between the last pass of a story and a look at what came of it; milliseconds. */
const CALM_MS = 5_000;
/** Nothing here takes longer to come to rest; milliseconds of virtual time. */
const PATIENCE_MS = 3 * 3_600_000;

/** The fake engine, which lets somebody see each request before it is carried out. */
class WatchedEngine extends FakeEngine {
  seen: (request: FakeRequest) => void = () => undefined;
  answered: (request: FakeRequest, answer: FakeAnswer) => void = () => undefined;
  fault: Fault | undefined;
  /** Paths of all questions about images. */
  readonly asked: string[] = [];
  /** Carries a request out later. */
  postpone: (carryOut: () => void) => void = () => undefined;

  override handle(request: FakeRequest): FakeAnswer {
    const { fault } = this;
    this.fault = undefined;
    if (request.method !== 'GET') this.seen(request);
    if (/^\/(?:distribution|images)\//.test(request.path)) this.asked.push(request.path);
    if (fault?.fate === 'late') {
      this.postpone(() => super.handle(request));
      return 'drop';
    }
    if (fault?.fate === 'twice') super.handle(request);
    const answer = super.handle(request);
    if (request.method !== 'GET') this.answered(request, answer);
    return answer;
  }
}

/** One life of the agent: all that is gone when it is killed. */
interface Life {
  readonly number: number;
  readonly stop: AbortController;
  readonly ports: PassPorts<StackSpec, StackObserved, StackCall>;
  readonly swarm: Swarm & { close(): void };
  readonly head: HeadKeeper;
  /** As the loop tells it the labels of the head. */
  readonly headWatch: HeadWatch;
  memory: Memory;
  /** Of the revision that it follows: its own objects, as if it had rendered them. */
  desired: Desired<StackSpec> | undefined;
  /** It dies at its next exchange. */
  doomed: boolean;
}

/** What a revision holds. */
export interface Revision {
  readonly name: string;
  readonly units: readonly Rendered<StackSpec>[];
}

/**
 * A Swarm under virtual time with the whole agent on it: the real passes, record, client, provider and prober. The agent
 * may be killed at any of its writes; then another one is started that knows only what is in the Swarm.
 */
export class WholeAgent {
  readonly clock = new VirtualClock();
  readonly engine = new WatchedEngine();
  readonly writes: Write[] = [];
  readonly events: AgentEvent[] = [];
  /** Is asked before each write; `at` counts them from 1. */
  faultOf: (write: Pick<Write, 'at' | 'method' | 'path'>) => Fault | undefined = () => undefined;
  /** Is told of each write before it is carried out. */
  seen: (write: Write, request: FakeRequest) => void = () => undefined;
  /** What the repository says of how its units change. */
  rules: Pick<RepositorySettings, 'rollout' | 'windows'> = {};
  /** Revisions that do not descend from any other. */
  readonly rewinds = new Set<string>();
  /** Decides in each pass, also where nothing changed. */
  forgetful = false;
  lives = 0;
  passes = 0;
  /** Requests that read and nothing else, by path without query. */
  readonly reads: string[] = [];
  #life: Life | undefined;
  #revision: Revision | undefined;
  #rung = false;
  #read: { readonly objects: string; readonly record: Loaded } | undefined;
  #startAtMs = 0;
  /** Writes that are still to arrive. */
  #late = 0;
  #requests = 0;
  /** It is not the agent that writes now. */
  #byPerson = false;
  #freezeAt: { isMeant: (write: Write) => boolean; freeze: Freeze } | undefined;

  constructor() {
    this.engine.follow(this.clock);
    this.engine.seen = (request) => {
      const write = this.writes.at(-1);
      if (this.#byPerson || write === undefined) return;
      write.text = request.text;
      this.seen(write, request);
      const planned = this.#freezeAt;
      if (planned?.isMeant(write) !== true) return;
      this.#freezeAt = undefined;
      this.freeze(planned.freeze);
    };
    this.engine.answered = (_request, answer) => {
      const write = this.writes.at(-1);
      if (!this.#byPerson && write !== undefined) write.answer = answer;
    };
    this.engine.postpone = (carryOut) => {
      this.#late += 1;
      this.clock.after(LATE_MS, () => {
        this.#late -= 1;
        carryOut();
      });
    };
  }

  /** The repository moves on. */
  commit(revision: Revision): void {
    this.#revision = revision;
    if (this.#life !== undefined) this.#life.desired = this.#desired();
    this.#rung = true;
  }

  /** A person asks, by a label of the head as the CLI writes it. */
  ask(request: Request): void {
    const label = requestLabel(request, (this.#requests++).toString(16).padStart(8, '0'));
    if (label.status === 'refused') throw new Error('nobody can ask');
    this.#relabel({ [label.key]: label.value });
  }

  /** A person freezes everything, or ends that; the agent that lives hears of it at once. */
  freeze(freeze: Freeze | undefined): void {
    const label = freeze && freezeLabel(freeze);
    if (label?.status === 'refused') throw new Error(label.why);
    this.#relabel({ [FREEZE_LABEL]: label?.value });
    this.#life?.headWatch.heard(this.#head().labels);
  }

  /** A person freezes everything while the agent makes the first call of which this is so. */
  freezeAt(isMeant: (write: Write) => boolean, freeze: Freeze): void {
    this.#freezeAt = { isMeant, freeze };
  }

  /** The freeze in force, by the labels of the head. */
  get frozen(): Freeze | undefined {
    const head = [...this.engine.configs.values()].find(({ name }) => name === HEAD_NAME);
    return readFreeze(head?.labels ?? {}, this.clock.date());
  }

  #head() {
    const head = [...this.engine.configs.values()].find(({ name }) => name === HEAD_NAME);
    if (head === undefined) throw new Error('there is no head');
    return head;
  }

  #relabel(labels: Readonly<Record<string, string | undefined>>): void {
    const head = this.#head();
    const all = Object.entries({ ...head.labels, ...labels });
    const Labels = Object.fromEntries(all.filter(([, value]) => value !== undefined));
    this.#byPerson = true;
    const answer = this.engine.handle({
      method: 'POST',
      path: `/configs/${head.id}/update`,
      query: new URLSearchParams({ version: String(head.version) }),
      text: JSON.stringify({ Name: head.name, Labels }),
    });
    this.#byPerson = false;
    if (answer === 'drop' || answer.status !== 200) throw new Error('the label was not taken');
    this.#rung = true;
  }

  /** Lets the agent go on until the record says so. */
  async until(isReached: (record: Loaded) => boolean): Promise<void> {
    const untilMs = this.clock.nowMs() + PATIENCE_MS;
    while (!isReached(this.record())) {
      if (this.clock.nowMs() >= untilMs) throw this.#stuck();
      const wakeMs = await this.#pass();
      if (!isReached(this.record())) await this.#wait(wakeMs);
    }
  }

  /** Lets the agent go on until nothing is under way, and no write either. */
  async rest(): Promise<void> {
    const untilMs = this.clock.nowMs() + PATIENCE_MS;
    while (this.clock.nowMs() < untilMs) {
      const before = this.writes.length;
      const wakeMs = await this.#pass();
      const quiet = wakeMs >= SETTINGS.intervalMs && this.writes.length === before;
      if (quiet && this.#life !== undefined && this.#isSettled()) {
        // What was told to stop does so.
        await this.clock.advance(CALM_MS);
        this.engine.catchUp();
        return;
      }
      await this.#wait(wakeMs);
    }
    throw this.#stuck();
  }

  #stuck(): Error {
    const last = this.events.slice(-12).map((event) => JSON.stringify(event));
    return new Error(`it does not get there:\n${last.join('\n')}`);
  }

  /** One more pass; gives the writes that it made. */
  async passOnce(): Promise<readonly Write[]> {
    const before = this.writes.length;
    await this.#pass();
    return this.writes.slice(before);
  }

  /** The agent is killed between two passes. */
  kill(): void {
    this.#end();
  }

  /** What the record in the Swarm says now, read from nothing but the Swarm; once for the same objects. */
  record(): Loaded {
    const files = [...this.engine.configs.values()];
    const objects = files
      .flatMap(({ id, name, version }) =>
        name.startsWith('understudy.') ? [`${id} ${String(version)}`] : [],
      )
      .join();
    if (this.#read?.objects === objects) return this.#read.record;
    const read = readRecord(this.#shelf());
    if (read.status !== 'ok') throw new Error(`the record cannot be read: ${read.why}`);
    this.#read = { objects, record: read.value };
    return read.value;
  }

  /** What the repository has now. */
  wanted(): readonly Rendered<StackSpec>[] {
    return this.#revision?.units ?? [];
  }

  /** Names of the blobs that the head points to. */
  blobs(): readonly string[] {
    return [...blobsOf(readShelf(this.#shelf(), []))];
  }

  #shelf(): Shelf | undefined {
    const files = [...this.engine.configs.values()];
    const head = files.find(({ name }) => name === HEAD_NAME);
    const ours = files.filter(({ name }) => name.startsWith('understudy.') && name !== HEAD_NAME);
    return head && { head, blobs: new Map(ours.map((file) => [file.name, file])) };
  }

  #isSettled(): boolean {
    if (this.#late > 0 || this.engine.trouble !== undefined) return false;
    const { units } = this.record();
    if ([...units.values()].some(({ phase }) => phase === 'removing')) return false;
    const phases = (this.#revision?.units ?? []).map(({ id }: { id: Id }) => units.get(id)?.phase);
    return phases.every((phase) => phase === 'none' || phase === 'stuck');
  }

  /** One pass of the agent that lives now, or of the next one; gives when another can matter. */
  async #pass(): Promise<number> {
    if (this.#life === undefined) {
      const waitMs = this.#startAtMs - this.clock.nowMs();
      if (waitMs > 0) return waitMs;
    }
    const life = (this.#life ??= this.#start());
    const { desired, stop } = life;
    if (desired === undefined) return SETTINGS.intervalMs;
    this.passes += 1;
    this.#rung = false;
    try {
      if (!(await this.#hasHead(life))) return 0;
      const { memory, wakeMs } = await pass(life.ports, desired, life.memory, stop.signal);
      life.memory = memory;
      if (life.doomed) stop.abort(new Error('killed'));
      if (!stop.signal.aborted) return wakeMs;
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    }
    this.#end();
    return 0;
  }

  /** Makes the head where there is none, as whoever would lead does. */
  async #hasHead({ head, stop }: Life): Promise<boolean> {
    const read = await head.read(stop.signal);
    if (read.status !== 'ok' || read.value !== undefined) return true;
    await head.make(stop.signal);
    return false;
  }

  /** As the loop waits: until the time is over, or something says that looking can matter. */
  async #wait(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    for (;;) {
      const leftMs = untilMs - this.clock.nowMs();
      if (leftMs <= 0 || (this.#rung && this.#life !== undefined)) return;
      await this.clock.advance(Math.min(leftMs, this.clock.nextMs ?? leftMs));
    }
  }

  #end(): void {
    const life = this.#life;
    if (life === undefined) return;
    life.stop.abort(new Error('killed'));
    life.ports.prober.close();
    life.swarm.close();
    this.#life = undefined;
  }

  #desired(): Desired<StackSpec> | undefined {
    const revision = this.#revision;
    if (revision === undefined) return undefined;
    return {
      revision: revision.name,
      units: revision.units.map((unit) => ({ ...unit })),
      settings: { ...SETTINGS, ...this.rules },
      seenAtMs: this.clock.nowMs(),
      remembered: false,
    };
  }

  #start(): Life {
    this.lives += 1;
    const { clock } = this;
    const stop = new AbortController();
    const number = this.lives;
    const swarm = directSwarm(this.engine, (exchange) => this.#fate(life, exchange));
    const head = headFormat((bytes) => Buffer.alloc(bytes, 7));
    const keeper = swarmHead(swarm, head);
    const owner = { environment: 'test', repository: 'ssh://git@host/x' };
    const headWatch = new HeadWatch(clock);
    const provider = stackProvider(swarm, head);
    const atRest = this.forgetful ? { isSame: () => false } : provider;
    const reign = reignFrom(0);
    const life: Life = {
      number,
      stop,
      swarm,
      head: keeper,
      headWatch,
      memory: nothingKnown,
      desired: this.#desired(),
      doomed: false,
      ports: {
        kind: stackKind,
        provider,
        atRest: new AtRest<StackSpec, StackObserved>(atRest),
        recorder: openRecorder(swarmShelf(swarm, head.name, aloneOn(keeper)), { ...owner, clock }),
        lease: { expect: () => undefined, reign: () => reign },
        prober: openProber({
          clock,
          image: (image, ended) => imageAnswer(swarm, image, ended),
          log: (question, ended) => logAnswer(swarm, question, ended),
          allow: [],
          answered: () => (this.#rung = true),
        }),
        clock,
        source: { descends: async (_earlier, later) => !this.rewinds.has(later) },
        reporter: { tell: (event) => void this.events.push(event) },
        guard: headWatch,
        looks: quietLooks(clock),
        atOnce: 16,
      },
    };
    return life;
  }

  #fate(life: Life, { method, path, mutating }: FakeExchange): Fate {
    if (life.doomed) {
      life.stop.abort(new Error('killed'));
      return 'lost';
    }
    if (!mutating) {
      this.reads.push(path);
      return 'answered';
    }
    const at = this.writes.length + 1;
    const fault = this.faultOf({ at, method, path });
    this.writes.push({ at, atMs: this.clock.nowMs(), life: life.number, method, path, fault });
    if (fault === undefined) return 'answered';
    if (fault.kill !== undefined) this.#startAtMs = this.clock.nowMs() + (fault.downMs ?? 0);
    if (fault.kill === 'at-once') life.stop.abort(new Error('killed'));
    if (fault.kill === 'when-answered') life.doomed = true;
    const { fate } = fault;
    if (fate === 'late' || fate === 'twice') this.engine.fault = fault;
    return fate === 'late' || fate === 'twice' ? 'answered' : fate;
  }
}

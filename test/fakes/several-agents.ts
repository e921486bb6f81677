import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import { leaseTimes } from '../../agent/core/lease.ts';
import type { RepositorySettings } from '../../agent/core/repository-settings.ts';
import { openLease } from '../../agent/lease/keeper.ts';
import { readLease } from '../../agent/lease/label.ts';
import { logAnswer } from '../../agent/providers/stack/log-answer.ts';
import { openProber } from '../../agent/probes/prober.ts';
import { guardedSwarm } from '../../agent/providers/stack/guarded.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import { imageAnswer } from '../../agent/providers/stack/image-answer.ts';
import { stackKind, stackProvider } from '../../agent/providers/stack/provider.ts';
import { swarmShelf } from '../../agent/providers/stack/shelf.ts';
import { run } from '../../agent/reconcile/loop.ts';
import { Looks } from '../../agent/reconcile/looks.ts';
import type { AgentEvent, Clock, Loaded } from '../../agent/reconcile/ports.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import { HEAD_NAME, headFormat } from '../../agent/record/head.ts';
import { HeadWatch } from '../../agent/record/head-watch.ts';
import { readRecord } from '../../agent/record/read.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import { readRequests } from '../../agent/record/requests.ts';
import { VirtualClock } from './clock.ts';
import { ProcessClock } from './head-world.ts';
import { FakeEngine } from './swarm-engine.ts';
import { directSwarm, type Fate } from './swarm-modem.ts';
import type { Revision } from './whole-agent.ts';

/** One process of the whole agent on one manager. */
export interface Member {
  readonly node: string;
  readonly clock: ProcessClock;
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  /** What becomes of its exchanges with the engine. */
  fate: () => Fate;
}

const SETTINGS = {
  intervalMs: 60_000,
  retryIntervalMs: 10_000,
  removals: { max: 5, share: 50 },
};

/**
 * A Swarm under virtual time with a whole agent on each manager: the real loop, lease, passes, record, client and prober. Each
 * of them may be killed, stopped for a while or cut off.
 */
export class SeveralAgents {
  readonly time = new VirtualClock();
  readonly engine = new FakeEngine();
  readonly events: (AgentEvent & { readonly node: string })[] = [];
  /** Writes that came from one who did not lead: there must be none. */
  readonly astray: string[] = [];
  writes = 0;
  /** What the repository says of how its units change. */
  rules: Pick<RepositorySettings, 'rollout' | 'windows'> = {};
  readonly members = new Map<string, Member>();
  /** What the repository does when a node asks it: it may take its time, fail, or have a revision with mistakes. */
  git: (clock: Clock, signal: AbortSignal) => Promise<readonly Diagnostic[]> = async () => [];
  /** When each node asked the repository. Milliseconds. */
  readonly asked: { readonly node: string; readonly atMs: number }[] = [];
  #revision: Revision | undefined;
  #started = 0;

  constructor() {
    this.engine.follow(this.time);
  }

  /** The repository moves on; each agent sees it when it asks. */
  commit(revision: Revision): void {
    this.#revision = revision;
  }

  /** What the record in the Swarm says now. */
  record(): Loaded {
    const files = [...this.engine.configs.values()];
    const head = files.find(({ name }) => name === HEAD_NAME);
    const blobs = new Map(files.filter((one) => one !== head).map((file) => [file.name, file]));
    const read = readRecord(head && { head, blobs });
    if (read.status !== 'ok') throw new Error(`the record cannot be read: ${read.why}`);
    return read.value;
  }

  /** The process that holds the lease, by what the head says. */
  holder(): string | undefined {
    const head = [...this.engine.configs.values()].find(({ name }) => name === HEAD_NAME);
    const read = readLease(head?.labels ?? {});
    return read.status === 'there' && read.lease.ttlMs > 0 ? read.lease.holder : undefined;
  }

  /** Nothing of the process goes on. */
  kill(node: string): void {
    const member = this.members.get(node);
    if (member === undefined) return;
    member.fate = () => 'lost';
    member.clock.stop();
    member.stop.abort();
    this.members.delete(node);
  }

  /** Ends all of them and gives what is left a moment. */
  async close(): Promise<void> {
    for (const { clock, stop } of this.members.values()) {
      clock.goOn();
      stop.abort();
    }
    await this.time.advance(10_000);
    await Promise.allSettled([...this.members.values()].map(({ ended }) => ended));
  }

  /** Starts the agent of a manager, as a process that was never there before. */
  start(node: string): Member {
    this.#started += 1;
    const process = `${node}/${String(this.#started)}`;
    const clock = new ProcessClock(this.time);
    const stop = new AbortController();
    const swarm = directSwarm(this.engine, ({ method, path, mutating }) => {
      const fate = member.fate();
      const isLate = lease.refusal(0) !== undefined;
      if (mutating && fate !== 'lost') this.#see(process, `${method} ${path}`, isLate);
      return fate;
    });
    const head = headFormat((bytes) => Buffer.alloc(bytes, 7));
    const [wake, sourceWake] = [new Wake(clock), new Wake(clock)];
    const tell = (event: AgentEvent): void => void this.events.push({ ...event, node });
    const headWatch = new HeadWatch(clock);
    const looks = new Looks({ wake, sourceWake });
    const lease = openLease({
      head: swarmHead(swarm, head),
      clock,
      times: leaseTimes,
      candidate: async () => ({ status: 'ok', value: { holder: process, node, version: '1' } }),
      isDead: async () => false,
      nonce: () => `a nonce of the process ${process}, ${String(this.#nonces++)}`,
      read: (labels) => {
        looks.heard(readRequests(labels).requests);
        if (headWatch.heard(labels)) wake.ring();
      },
      tell,
      changed: () => wake.ring(),
    });
    const guard = {
      refusal: (ms: number) =>
        stop.signal.aborted ? 'stopping' : (lease.refusal(ms) ?? headWatch.refusal()),
    };
    const guarded = guardedSwarm(swarm, guard);
    const owner = { environment: 'test', repository: 'ssh://git@host/x', clock };
    const ended = run(
      {
        kind: stackKind,
        provider: stackProvider(guarded, head),
        recorder: openRecorder(swarmShelf(guarded, head.name, lease), owner),
        prober: openProber({
          clock,
          image: (image, signal) => imageAnswer(swarm, image, signal),
          log: (question, signal) => logAnswer(swarm, question, signal),
          allow: [],
          answered: () => wake.ring(),
        }),
        lease,
        guard,
        clock,
        reporter: { tell },
        atOnce: 16,
        wake,
        sourceWake,
        looks,
        source: {
          newest: async (signal) => {
            this.asked.push({ node, atMs: this.time.nowMs() });
            const diagnostics = await this.git(clock, signal);
            const { name = '' } = this.#revision ?? {};
            return snapshotOf(diagnostics.length > 0 ? `${name} with mistakes` : name, diagnostics);
          },
          at: async () => undefined,
          descends: async () => true,
          close: async () => undefined,
        },
        renderer: {
          render: async ({ diagnostics }) => {
            const units = (this.#revision?.units ?? []).map((unit) => ({ ...unit }));
            const isBad = diagnostics.length > 0;
            const settings = { ...SETTINGS, ...this.rules };
            return { units: isBad ? [] : units, diagnostics, settings };
          },
          close: async () => undefined,
        },
      },
      stop.signal,
    );
    const member: Member = { node, clock, stop, ended, fate: () => 'answered' };
    this.members.set(node, member);
    return member;
  }
  #nonces = 0;

  /** Of every write but those of the head, which decide by themselves: the sender leads. */
  #see(process: string, what: string, isLate: boolean): void {
    this.writes += 1;
    const head = [...this.engine.configs.values()].find(({ name }) => name === HEAD_NAME);
    // Before anybody led, all try to make the head.
    const isNew = readLease(head?.labels ?? {}).status === 'none';
    if (isNew || what === `POST /configs/${head?.id ?? ''}/update`) return;
    const holder = this.holder();
    if (holder !== process || isLate)
      this.astray.push(`${process}: ${what}, and ${holder ?? 'nobody'} leads`);
  }
}

function snapshotOf(revision: string, diagnostics: readonly Diagnostic[]) {
  const read = async (): Promise<Map<string, Buffer>> => new Map();
  return { revision, subject: revision, entries: [], diagnostics, read };
}

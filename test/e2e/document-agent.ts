import { randomBytes } from 'node:crypto';

import { childProcesses } from '../../agent/child-processes.ts';
import { linesOf } from '../../agent/cli/plan-words.ts';
import { systemClock } from '../../agent/clock.ts';
import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import type { Id, Rendered } from '../../agent/core/kind.ts';
import { planNow } from '../../agent/core/plan-now.ts';
import { step } from '../../agent/core/step.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import { kindsWith } from '../../agent/kinds.ts';
import { noClusters, noServers } from '../../agent/nowhere.ts';
import { type Clusters, openClusters } from '../../agent/providers/ceph/clusters.ts';
import type { Servers } from '../../agent/providers/mysql/servers.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import { stackProvider } from '../../agent/providers/stack/provider.ts';
import { swarmShelf } from '../../agent/providers/stack/shelf.ts';
import type { Guard } from '../../agent/reconcile/lease-ports.ts';
import { AtRest } from '../../agent/reconcile/at-rest.ts';
import { nothingKnown, pass, type PassPorts } from '../../agent/reconcile/pass.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { headFormat } from '../../agent/record/head.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import type { UnitSpec } from '../../agent/render/unit-spec.ts';
import { unitKind, type UnitCall, type UnitObserved } from '../../agent/unit-kind.ts';
import { unitWords } from '../../agent/unit-words.ts';
import { unitProvider } from '../../agent/unit-provider.ts';
import type { CephClusterSettings } from '../../schemas/settings.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { aloneOn, reignFrom } from '../fakes/lease.ts';
import { quietLooks } from '../fakes/looks.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm } from '../fakes/swarm-modem.ts';
import { quietProber, straightLine } from '../fakes/world.ts';

const SETTINGS = {
  intervalMs: 60_000,
  retryIntervalMs: 10_000,
  removals: { max: 5, share: 50 },
};
const PASSES_MAX = 150;
/** Events that a failed test shows. */
const SHOWN = 30;

/** What came of rendering a repository. */
interface Rendering {
  readonly units: readonly Rendered<UnitSpec>[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Real places beside the Swarm; absent: the settings name none. */
interface Places {
  readonly servers?: Servers;
  readonly clusters?: Clusters;
}

/**
 * The agent on real servers and clusters: its own passes, record, kinds and clients, with the Swarm in memory, where nothing but the
 * record, stacks, passwords and keys are. Its clock is a virtual one, that of those clients the machine's.
 */
export class DocumentAgent {
  readonly events: AgentEvent[] = [];
  readonly engine: FakeEngine;
  readonly clock: VirtualClock;
  readonly #places: Places;
  readonly #ports: PassPorts<UnitSpec, UnitObserved, UnitCall>;
  readonly #makeHead: () => Promise<unknown>;
  #memory = nothingKnown;
  #wakeMs = 0;
  #desired: { readonly revision: string; readonly units: readonly Rendered<UnitSpec>[] } = {
    revision: '',
    units: [],
  };

  /** `after`: another process of the same agent, which finds what that one left in the Swarm. */
  constructor(places: Places, after?: DocumentAgent) {
    this.#places = places;
    this.engine = after?.engine ?? new FakeEngine();
    this.clock = after?.clock ?? new VirtualClock();
    const { clock } = this;
    const random = (bytes: number): Uint8Array => randomBytes(bytes);
    const guard = { refusal: () => undefined };
    if (after === undefined) this.engine.follow(clock);
    const swarm = directSwarm(this.engine);
    const head = headFormat((bytes) => Buffer.alloc(bytes, 7));
    const keeper = swarmHead(swarm, head);
    this.#makeHead = async () => await keeper.make(signal());
    const reign = reignFrom(0);
    const provider = unitProvider(stackProvider(swarm, head), {
      servers: places.servers ?? noServers,
      names: places.servers === undefined ? [] : ['main'],
      clusters: places.clusters ?? noClusters,
      owner: 'test',
      random,
    });
    this.#ports = {
      kind: unitKind(kindsWith(random)),
      provider,
      atRest: new AtRest<UnitSpec, UnitObserved>(provider),
      recorder: openRecorder(swarmShelf(swarm, head.name, aloneOn(keeper)), {
        environment: 'test',
        repository: 'ssh://git@host/x',
        clock,
      }),
      lease: { expect: () => undefined, reign: () => reign },
      prober: quietProber,
      clock,
      source: straightLine,
      reporter: { tell: (event) => void this.events.push(event) },
      guard,
      looks: quietLooks(clock),
      atOnce: 16,
    };
  }

  /** What the repository has from now on. Throws where there is a mistake in it. */
  async have(revision: string, { units, diagnostics }: Rendering): Promise<void> {
    if (this.#desired.revision === '') await this.#makeHead();
    const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
    if (mistakes.length > 0) throw new Error(mistakes.map(({ message }) => message).join());
    this.#desired = { revision, units };
  }

  /** One pass, when the one before said that it can matter. Gives what was told meanwhile. */
  async pass(): Promise<readonly AgentEvent[]> {
    const from = this.events.length;
    await this.clock.advance(this.#wakeMs);
    const desired = { ...this.#desired, settings: SETTINGS, seenAtMs: 0, remembered: false };
    const passed = await pass(this.#ports, desired, this.#memory, signal());
    this.#memory = passed.memory;
    this.#wakeMs = passed.wakeMs;
    return this.events.slice(from);
  }

  /** Passes until something is told, of which this is so; gives it. */
  async until(isIt: (event: AgentEvent) => boolean): Promise<AgentEvent> {
    for (let passes = 0; passes < PASSES_MAX; passes += 1) {
      const found = (await this.pass()).find(isIt);
      if (found !== undefined) return found;
    }
    throw new Error(`it was not told; instead:\n${this.told()}`);
  }

  /** Passes until the newest revision is healthy. */
  async healthy(): Promise<void> {
    const { revision } = this.#desired;
    await this.until((told) => told.event === 'revision healthy' && told.revision === revision);
  }

  /** How the record has its units. */
  async units(): Promise<ReadonlyMap<Id, UnitRecord>> {
    return (await this.#look()).units;
  }

  /** What the differences of its units say for people, by a look of its own. */
  async notes(): Promise<readonly string[]> {
    const { observed } = await this.#look();
    return this.#desired.units.flatMap((unit) => this.#ports.kind.diff(unit, observed).notes ?? []);
  }

  /** What a plan says of its units, as people read it. */
  async plan(): Promise<readonly string[]> {
    const { observed, units } = await this.#look();
    const { kind, clock } = this.#ports;
    const stepped = step({
      kind,
      desired: this.#desired.units,
      revision: this.#desired.revision,
      observed,
      units,
      requests: [],
      removals: { policy: SETTINGS.removals, rewound: false },
      watches: new Map(),
      refusals: new Map(),
      answers: new Map(),
      nowMs: clock.nowMs(),
      date: clock.date(),
      intervalMs: SETTINGS.intervalMs,
      verifyMs: 1_000,
    });
    const now = { environment: 'test', desired: this.#desired.units, observed, units, notes: [] };
    const plan = planNow(kind, unitWords, stepped, now);
    return plan.units.flatMap((unit) => linesOf(unit).map(({ text }) => text));
  }

  async #look() {
    const observed = await this.#ports.provider.observe(signal(), {
      units: this.#desired.units,
      settings: SETTINGS,
    });
    if (observed.status !== 'ok') throw new Error(observed.why);
    const loaded = this.#ports.recorder.load(observed.value);
    if (loaded.status !== 'ok') throw new Error(loaded.why);
    return { observed: observed.value, units: loaded.value.units };
  }

  /** Names of what was told. */
  names(): readonly string[] {
    return this.events.map(({ event }) => event);
  }

  close(): void {
    this.#places.servers?.close();
    this.#places.clusters?.close();
  }

  /** What tasks find in the newest secret of that name. */
  secret(plain: string): string {
    const all = [...this.engine.secrets.values()];
    const found = all.findLast(({ name }) => name === plain || name.startsWith(`${plain}-`));
    return Buffer.from(found?.data ?? '', 'base64').toString('utf8');
  }

  /** For a test that failed. */
  told(): string {
    return `${this.events
      .slice(-SHOWN)
      .map((event) => JSON.stringify(event))
      .join('\n')}\n`;
  }
}

/** What an agent on a real cluster is opened with. */
interface OnCluster {
  readonly settings: CephClusterSettings;
  /** Whether it may write; absent: it may. */
  readonly guard?: Guard;
  /** Milliseconds. */
  readonly calmMs?: number;
}

/** An agent on a real cluster. `after`: another process of the same one. */
export function agentOnCluster({ settings, guard, calmMs }: OnCluster, after?: DocumentAgent) {
  const ports = {
    clock: systemClock,
    guard: guard ?? { refusal: () => undefined },
    processes: childProcesses,
    owner: 'test',
    ...(calmMs !== undefined && { calmMs }),
  };
  return new DocumentAgent({ clusters: openClusters({ main: settings }, ports) }, after);
}

function signal(): AbortSignal {
  return AbortSignal.timeout(120_000);
}

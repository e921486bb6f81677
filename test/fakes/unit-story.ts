import { randomBytes } from 'node:crypto';

import { collect, type SpareSince, without } from '../../agent/core/collect.ts';
import type { Answer, CallOutcome, Id, Rendered } from '../../agent/core/kind.ts';
import { step, type Step, type StepInput } from '../../agent/core/step.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import type { UnitEvent } from '../../agent/core/unit-event.ts';
import { called, type Watch } from '../../agent/core/watch.ts';
import { kindsWith } from '../../agent/kinds.ts';
import { noClusters } from '../../agent/nowhere.ts';
import type { Servers } from '../../agent/providers/mysql/servers.ts';
import { stackProvider } from '../../agent/providers/stack/provider.ts';
import type { UnitSpec } from '../../agent/render/unit-spec.ts';
import { unitKind, type UnitCall, type UnitObserved } from '../../agent/unit-kind.ts';
import { unitProvider } from '../../agent/unit-provider.ts';
import { digestKey } from './stack.ts';
import { FakeEngine } from './swarm-engine.ts';
import { directSwarm } from './swarm-modem.ts';

const random = (bytes: number): Uint8Array => randomBytes(bytes);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** The head is none of this story's matter. */
const head = {
  name: 'understudy.head',
  parse: () => ({ status: 'there', digestKey }) as const,
  make: () => '',
};

/**
 * Stacks on a fake Swarm and accounts on the servers that it is given, under virtual time: the real kinds, provider and steps of
 * one agent. Everything that a look decides is carried out.
 */
export class UnitStory {
  readonly engine: FakeEngine;
  readonly events: UnitEvent[] = [];
  /** All calls: `mysql-user/blog password`. */
  readonly calls: string[] = [];
  /** Targets of what was collected. */
  readonly collected: string[] = [];
  /** The answers of servers and of the Swarm that were no `ok`. */
  readonly failures: CallOutcome<unknown>[] = [];
  desired: readonly Rendered<UnitSpec>[] = [];
  units: ReadonlyMap<Id, UnitRecord> = new Map();
  readonly #servers: Pick<Servers, 'observe' | 'call'>;
  readonly #names: readonly string[];
  #watches: ReadonlyMap<Id, Watch> = new Map();
  #since: SpareSince = new Map();
  #nowMs = 0;
  readonly #kind = unitKind(kindsWith(random));

  /** `after`: another agent, of which this one knows what is in the record. */
  constructor(
    servers: Pick<Servers, 'observe' | 'call'>,
    names: readonly string[],
    after?: UnitStory,
  ) {
    this.#servers = servers;
    this.#names = names;
    this.engine = after?.engine ?? new FakeEngine();
    this.units = after?.units ?? this.units;
    this.desired = after?.desired ?? this.desired;
  }

  get #provider() {
    const swarm = stackProvider(directSwarm(this.engine), head);
    return unitProvider(swarm, {
      servers: this.#servers,
      names: this.#names,
      clusters: noClusters,
      owner: 'test',
      random,
    });
  }

  readonly #signal = (): AbortSignal => AbortSignal.timeout(MINUTE);

  async observed(): Promise<UnitObserved> {
    const seen = await this.#provider.observe(this.#signal());
    if (seen.status !== 'ok') throw new Error(seen.why);
    return seen.value;
  }

  /** One look after so many seconds. */
  async look(seconds = 5): Promise<Step<UnitCall>> {
    this.engine.advance(seconds * SECOND);
    this.#nowMs += seconds * SECOND;
    const provider = this.#provider;
    const observed = await this.observed();
    const asked = step(this.#input(observed, new Map()));
    const open: Answer = { status: 'open', detail: '', inARow: 1, wasGood: false };
    const input = this.#input(observed, new Map(asked.asks.map(({ name }) => [name, open])));
    const next = step(input);
    this.units = next.units;
    this.events.push(...next.events);
    const watches = new Map(next.watches);
    for (const { id, operations } of next.work) {
      const watch = watches.get(id);
      if (watch !== undefined) watches.set(id, called(watch, this.#nowMs));
      const caller = provider.caller(observed);
      for (const { call } of operations) {
        this.calls.push(`${id} ${call.op}`);
        const outcome = await caller.call(call, this.#signal());
        if (outcome.status !== 'ok') this.failures.push(outcome);
      }
    }
    this.#watches = watches;
    await this.#collect(next, input);
    return next;
  }

  /** Looks until nothing is called and nothing is under way any more: what goes last goes after that was seen once. */
  async rest(): Promise<void> {
    let quiet = 0;
    for (let looks = 0; looks < 60; looks += 1) {
      const { work } = await this.look();
      const records = [...this.units.values()];
      const isOver = records.every(({ phase }) => phase === 'none' || phase === 'stuck');
      const isQuiet = work.length === 0 && isOver && records.length === this.desired.length;
      quiet = isQuiet ? quiet + 1 : 0;
      if (quiet === 2) return;
    }
    throw new Error(`it does not come to rest: ${this.calls.join(', ')}`);
  }

  /** Time goes by. */
  async wait(minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) await this.look(60);
  }

  /** Names of the secrets that a service mounts. */
  mounts(service: string): readonly string[] {
    const found = [...this.engine.services.values()].find(({ spec }) => spec.Name === service);
    const { Secrets = [] } = found?.spec.TaskTemplate.ContainerSpec ?? {};
    return Secrets.map(({ SecretName }) => SecretName);
  }

  image(service: string): string {
    const found = [...this.engine.services.values()].find(({ spec }) => spec.Name === service);
    return found?.spec.TaskTemplate.ContainerSpec.Image ?? 'none';
  }

  /** Names of all secrets of the Swarm. */
  secrets(): readonly string[] {
    return [...this.engine.secrets.values()].map(({ name }) => name).toSorted();
  }

  /** What tasks find in a secret. */
  valueOf(name: string): string {
    const found = [...this.engine.secrets.values()].find((one) => one.name === name);
    return Buffer.from(found?.data ?? '', 'base64').toString('utf8');
  }

  async #collect(
    next: Step<UnitCall>,
    input: StepInput<UnitSpec, UnitObserved, UnitCall>,
  ): Promise<void> {
    const { due, since } = collect(next, input, this.#since);
    this.#since = without(since, due);
    const caller = this.#provider.caller(input.observed);
    for (const { operation } of due) {
      const outcome = await caller.call(operation.call, this.#signal());
      if (outcome.status === 'ok') this.collected.push(operation.target);
      else this.failures.push(outcome);
    }
  }

  #input(
    observed: UnitObserved,
    answers: ReadonlyMap<string, Answer>,
  ): StepInput<UnitSpec, UnitObserved, UnitCall> {
    return {
      kind: this.#kind,
      desired: this.desired,
      revision: `r of ${this.desired.map(({ digest }) => digest.slice(0, 8)).join(' ')}`,
      observed,
      units: this.units,
      watches: this.#watches,
      refusals: new Map(),
      answers,
      requests: [],
      removals: { policy: { max: 5, share: 20 }, rewound: false },
      nowMs: this.#nowMs,
      date: '2026-01-01T00:00:00Z',
      intervalMs: 60_000,
      verifyMs: 1_000,
    };
  }
}

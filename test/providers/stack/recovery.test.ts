import { describe, expect, it } from 'vitest';

import type { Answer, Id, Rendered } from '../../../agent/core/kind.ts';
import { step, type Step } from '../../../agent/core/step.ts';
import type { UnitRecord } from '../../../agent/core/unit.ts';
import type { UnitEvent } from '../../../agent/core/unit-event.ts';
import { called, type Watch } from '../../../agent/core/watch.ts';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { stackKind } from '../../../agent/providers/stack/provider.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import type {
  ObservedNode,
  ObservedService,
  ObservedTask,
  StackCall,
} from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, live, node, observed, service, task, unit } from '../../fakes/stack.ts';

/** A stack on a Swarm whose tasks the test sets, and the decisions of one agent about it. */
class Story {
  services: readonly ObservedService[];
  tasks: readonly ObservedTask[] = [task('a')];
  /** Ids of the tasks that fit the current spec. */
  fresh: readonly string[] = ['a'];
  nodes: readonly ObservedNode[] = [node('w1'), node('w2')];
  desired: Rendered<StackSpec>;
  readonly events: UnitEvent[] = [];
  #units: ReadonlyMap<Id, UnitRecord> = new Map();
  #watches: ReadonlyMap<Id, Watch> = new Map();
  #nowMs = 0;

  constructor(desired: Rendered<StackSpec>) {
    this.desired = desired;
    this.services = Object.values(desired.spec.services).map((spec) => live(spec));
  }

  get record(): UnitRecord | undefined {
    return this.#units.get('stack/blog');
  }

  get watch(): Watch | undefined {
    return this.#watches.get('stack/blog');
  }

  /** One look after so many seconds; what it calls is carried out. Logs that it asks for cannot be read. */
  look(seconds: number): Step<StackCall> {
    this.#nowMs += seconds * 1000;
    const { asks } = this.#step(new Map());
    const unread: Answer = { status: 'open', detail: '', inARow: 1, wasGood: false };
    const result = this.#step(new Map(asks.map(({ name }) => [name, unread])));
    this.#units = result.units;
    const worked = new Set(result.work.map(({ id }) => id));
    // All calls of this story go well.
    this.#watches = new Map(
      [...result.watches].map(([id, watch]) => [
        id,
        worked.has(id) ? called(watch, this.#nowMs) : watch,
      ]),
    );
    this.events.push(...result.events);
    for (const { operations } of result.work) {
      for (const { call } of operations) this.#carryOut(call);
    }
    return result;
  }

  #step(answers: ReadonlyMap<string, Answer>): Step<StackCall> {
    return step({
      kind: stackKind,
      desired: [this.desired],
      revision: `r of ${this.desired.digest}`,
      observed: observed({
        services: this.services,
        networks: [blogNetwork],
        tasks: this.tasks,
        freshTaskIds: new Set(this.fresh),
        nodes: this.nodes,
      }),
      units: this.#units,
      watches: this.#watches,
      refusals: new Map(),
      answers,
      requests: [],
      nowMs: this.#nowMs,
      date: '2026-01-01T00:00:00Z',
      intervalMs: 60_000,
      verifyMs: 1_000,
    });
  }

  #carryOut(call: StackCall): void {
    if (call.op === 'service-create') this.services = [...this.services, live(call.body)];
    if (call.op !== 'service-update') return;
    this.services = this.services.map((one) =>
      one.id === call.id ? { id: one.id, version: one.version + 1, spec: withIds(call.body) } : one,
    );
  }
}

function withIds(spec: ServiceSpec): ServiceSpec {
  const { TaskTemplate: template } = spec;
  const Networks = (template.Networks ?? []).map((one) => ({ ...one, Target: 'id-blog_default' }));
  return { ...spec, TaskTemplate: { ...template, Networks } };
}

const withEnv = (value: string, name = 'web'): ServiceSpec => {
  const web = service(name);
  const { TaskTemplate: template } = web;
  const ContainerSpec = { ...template.ContainerSpec, Env: [`V=${value}`] };
  return { ...web, TaskTemplate: { ...template, ContainerSpec } };
};
const version = (value: string, more: StackSpec['services'] = {}) =>
  unit({ services: { web: withEnv(value), ...more } }, `d${value}`);
const crashed = (prefix: string, parts: Partial<ObservedTask> = {}) =>
  ['1', '2', '3'].map((id) =>
    task(`${prefix}${id}`, {
      state: 'failed',
      desiredState: 'shutdown',
      error: 'task: non-zero exit (1)',
      ...parts,
    }),
  );
const envOf = ({ services }: Story): unknown =>
  services[0]?.spec.TaskTemplate.ContainerSpec.Env?.[0];

/** Version 1 runs and is recorded; version 2 was just sent. */
function updated(second: Rendered<StackSpec> = version('2')): Story {
  const story = new Story(version('1'));
  story.look(0);
  story.desired = second;
  story.look(1);
  expect(envOf(story)).toBe('V=2');
  expect(story.record?.phase).toBe('applying');
  return story;
}

describe('a stack whose new version crashes', () => {
  it('goes back to what ran before, and stays there', () => {
    const story = updated();
    story.tasks = [task('a', { desiredState: 'shutdown', state: 'shutdown' }), ...crashed('x')];
    story.fresh = ['x1', 'x2', 'x3'];
    story.look(2);
    expect(story.record).toMatchObject({
      phase: 'rolling-back',
      quarantine: [{ digest: 'd2', code: 'crashed', evidence: expect.stringContaining('on w1') }],
    });
    story.look(0);
    expect(envOf(story)).toBe('V=1');

    story.tasks = [...story.tasks, task('b')];
    story.fresh = ['b'];
    story.look(2);
    expect(story.record?.phase).toBe('reverting');
    story.look(31);
    expect(story.record).toMatchObject({ phase: 'none', releases: [{ digest: 'd1' }] });
    expect(story.look(60).work).toEqual([]);
    expect(story.events.map(({ event }) => event)).toEqual([
      'unit adopted',
      'unit failed',
      'unit rolled back',
    ]);
  });

  it('goes back also when the engine went back by itself, and calls nothing for it', () => {
    const story = updated();
    const [web] = story.services;
    if (web === undefined) throw new Error('there is a service');
    const updateMessage = 'update rolled back due to failure or early termination of task x1';
    story.services = [
      { ...live(withEnv('1')), version: 12, updateState: 'rollback_started', updateMessage },
    ];
    story.tasks = [...crashed('x').slice(0, 1), task('a')];
    story.look(2);
    expect(story.record?.quarantine).toMatchObject([{ digest: 'd2', code: 'engine-rolled-back' }]);
    expect(story.look(0).work).toEqual([]);
    story.look(31);
    expect(story.record?.phase).toBe('none');
  });

  it('brings what it made to a standstill', () => {
    const story = updated(version('2', { api: withEnv('2', 'api') }));
    expect(story.services).toHaveLength(2);
    story.tasks = [task('a'), ...crashed('x', { serviceId: 'id-blog_api' })];
    story.fresh = ['a', 'x1', 'x2', 'x3'];
    story.look(2);
    story.look(0);
    expect(envOf(story)).toBe('V=1');
    expect(story.services[1]?.spec.Mode).toEqual({ Replicated: { Replicas: 0 } });
    story.tasks = [task('a')];
    story.look(2);
    story.look(31);
    expect(story.record?.phase).toBe('none');
    expect(story.look(60).work).toEqual([]);
  });
});

describe('a stack whose node goes away while it is updated', () => {
  it('waits, goes on when the node is back, and is healthy', () => {
    const story = updated();
    story.tasks = [task('b', { nodeId: 'id-w2', slot: 1, state: 'starting' })];
    story.fresh = ['b'];
    story.look(2);
    story.nodes = [node('w1'), node('w2', { state: 'down' })];
    story.look(200);
    story.look(200);
    expect(story.watch?.outside?.why).toBe('node w2 is down');
    expect(story.record?.phase).toBe('verifying');

    // The engine takes the task that died with the node for a failure and stops.
    const updateMessage = 'update paused due to failure or early termination of task b';
    story.services = story.services.map((one) => ({
      ...one,
      updateState: 'paused',
      updateMessage,
    }));
    story.nodes = [node('w1'), node('w2')];
    story.tasks = [task('b', { nodeId: 'id-w2', slot: 1, state: 'failed', exitCode: 137 })];
    const [resumed] = story.look(2).work;
    expect(resumed?.operations).toMatchObject([{ call: { op: 'service-update' }, fields: [] }]);

    story.tasks = [...story.tasks, task('c', { slot: 1 })];
    story.fresh = ['b', 'c'];
    story.look(2);
    story.look(31);
    expect(story.record).toMatchObject({ phase: 'none', quarantine: [] });
    expect(story.record?.releases.map(({ digest }) => digest)).toEqual(['d2', 'd1']);
  });
});

it('does not hold old failures against a stack that is healthy by now', () => {
  const story = new Story(version('1'));
  story.tasks = [...crashed('x'), task('a')];
  story.fresh = ['x1', 'x2', 'x3', 'a'];
  story.look(0);
  expect(story.events.map(({ event }) => event)).toEqual(['unit adopted']);
  expect(story.look(60).work).toEqual([]);
  expect(story.record?.phase).toBe('none');
});

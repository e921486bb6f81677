import { describe, expect, it } from 'vitest';

import { HEAD_NAME } from '../../agent/record/head.ts';
import type { CallOutcome, Rendered } from '../../agent/core/kind.ts';
import type { Spare } from '../../agent/core/member.ts';
import { collectSpares } from '../../agent/reconcile/collect.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { type Fault, WholeAgent } from '../fakes/whole-agent.ts';
import { Watcher } from './crash-invariants.ts';
import { follow, revision, stackOf } from './crash-scenarios.ts';

/** One version of the stack: its image, its page and its key are of this number. */
const version = (n: number): Rendered<StackSpec> => stackOf('blog', { image: `site:${String(n)}` });
const MINUTE_MS = 60_000;

async function after(world: WholeAgent, minutes: number): Promise<void> {
  const untilMs = world.clock.nowMs() + minutes * MINUTE_MS;
  await world.until(() => world.clock.nowMs() >= untilMs);
}

/** Names of the stack's configs and secrets that are there. */
function files({ engine }: WholeAgent): readonly string[] {
  return [...engine.configs.values(), ...engine.secrets.values()]
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('understudy.'))
    .toSorted();
}

/** What the service mounts now. */
function mounted({ engine }: WholeAgent): readonly string[] {
  const [web] = engine.services.values();
  const { Configs = [], Secrets = [] } = web?.spec.TaskTemplate.ContainerSpec ?? {};
  return [
    ...Configs.map(({ ConfigName }) => ConfigName),
    ...Secrets.map(({ SecretName }) => SecretName),
  ].toSorted();
}

const rotated = (count: number) =>
  Array.from({ length: count }, (_, at) => revision(`r${String(at + 1)}`, version(at + 1)));

/** The stack after so many versions; gives what was mounted at each. */
async function rotate(world: WholeAgent, count: number): Promise<readonly (readonly string[])[]> {
  const seen: (readonly string[])[] = [];
  for (const one of rotated(count)) {
    await follow(world, one);
    seen.push(mounted(world));
  }
  return seen;
}

/** Those of the record's own blobs cannot be told apart from those of configs. */
const deletes = ({ writes }: WholeAgent) =>
  writes.filter(({ method, path }) => method === 'DELETE' && path.startsWith('/secrets/'));
const told = ({ events }: WholeAgent) =>
  events.filter(({ event }) => event === 'contents collected');

describe('earlier contents', () => {
  it('are one service update each, and stay as long as a release names them', async () => {
    const world = new WholeAgent();
    const seen = await rotate(world, 3);
    const updates = world.writes.filter(({ path }) => /^\/services\/.*\/update$/.test(path));
    expect(updates).toHaveLength(2);
    expect(new Set(seen.flat()).size).toBe(6);
    await after(world, 60);
    expect(files(world)).toEqual(seen.flat().toSorted());
    expect(told(world)).toEqual([]);
  });

  it('go ten minutes after the last release that named them, told in one line', async () => {
    const world = new WholeAgent();
    const watcher = new Watcher(world);
    const seen = await rotate(world, 5);
    expect(files(world)).toHaveLength(10);
    const from = world.writes.length;
    await after(world, 9);
    expect(files(world)).toHaveLength(10);
    await after(world, 3);
    expect(files(world)).toEqual(seen.slice(2).flat().toSorted());
    expect(told(world)).toEqual([
      {
        event: 'contents collected',
        count: 4,
        targets: [
          'config blog_page',
          expect.stringMatching(/^config blog_page-[0-9a-f]{8}$/),
          'secret blog_key',
          expect.stringMatching(/^secret blog_key-[0-9a-f]{8}$/),
        ],
      },
    ]);
    const heads = world.writes.slice(from).filter(({ text = '' }) => text.includes(HEAD_NAME));
    expect(heads).toHaveLength(1);
    expect(watcher.broken).toEqual([]);
    await after(world, 60);
    expect(await world.passOnce()).toEqual([]);
  });

  it('are collected without touching the service, and the plain name is not used for others', async () => {
    const world = new WholeAgent();
    await rotate(world, 5);
    const [web] = world.engine.services.values();
    const before = web?.version;
    await after(world, 12);
    world.kill();
    expect(await world.passOnce()).toEqual([]);
    expect([...world.engine.services.values()][0]?.version).toBe(before);
    await follow(world, revision('r6', version(6)));
    expect(mounted(world)).toEqual([
      expect.stringMatching(/^blog_key-[0-9a-f]{8}$/),
      expect.stringMatching(/^blog_page-[0-9a-f]{8}$/),
    ]);
    expect(files(world)).not.toContain('blog_page');
  });

  it('of two rotations ago come back by a rollback, after others were collected too', async () => {
    const world = new WholeAgent();
    const seen = await rotate(world, 5);
    await after(world, 12);
    world.ask({ verb: 'rollback', id: 'stack/blog', by: 'me', release: 'r3' });
    await world.rest();
    expect(mounted(world)).toEqual(seen[2]);
    const [web] = world.engine.services.values();
    const [page] = web?.spec.TaskTemplate.ContainerSpec.Configs ?? [];
    const data = world.engine.configs.get(page?.ConfigID ?? '')?.data ?? '';
    expect(Buffer.from(data, 'base64').toString()).toBe('the page of site:3');
    expect(web?.spec.TaskTemplate.ContainerSpec.Image).toBe('site:3');
  });

  it('of a version that failed go once the repository wants another one', async () => {
    const world = new WholeAgent();
    world.engine.images.set('site:crash', { endsAfterMs: 100 });
    await follow(world, revision('r1', version(1)));
    await follow(world, revision('r2', stackOf('blog', { image: 'site:crash' })));
    await after(world, 15);
    expect(files(world)).toHaveLength(4);
    await follow(world, revision('r3', version(3)));
    // The engine's own way back leads to the failed one or to the first: all that is named stays.
    await follow(world, revision('r4', version(4)));
    await after(world, 15);
    expect(files(world)).toHaveLength(6);
  });

  it('are not looked at while the stack is suspended or everything is frozen', async () => {
    const world = new WholeAgent();
    await rotate(world, 5);
    world.ask({ verb: 'suspend', id: 'stack/blog', by: 'me' });
    await after(world, 30);
    expect(files(world)).toHaveLength(10);
    world.freeze({ by: 'me', why: 'x' });
    world.ask({ verb: 'resume', id: 'stack/blog', by: 'me' });
    await after(world, 30);
    expect(files(world)).toHaveLength(10);
    world.freeze(undefined);
    await after(world, 9);
    expect(files(world)).toHaveLength(10);
    await after(world, 3);
    expect(files(world)).toHaveLength(6);
  });

  it('stay where no answer comes, and are asked for again ten minutes later', async () => {
    const world = new WholeAgent();
    await rotate(world, 5);
    world.faultOf = ({ method }) => (method === 'DELETE' ? { fate: 'lost' } : undefined);
    await after(world, 12);
    expect(files(world)).toHaveLength(10);
    expect(told(world).at(-1)).toMatchObject({
      count: 0,
      why: expect.stringContaining(' stays: '),
    });
    const attempts = deletes(world).length;
    await after(world, 5);
    expect(deletes(world)).toHaveLength(attempts);
    world.faultOf = () => undefined;
    await after(world, 60);
    expect(files(world)).toHaveLength(6);
  });
});

describe('what one round makes of the answers', () => {
  const spare = (name: string): Spare<string> => ({
    id: name,
    need: `config:${name}`,
    operation: {
      target: `config ${name}`,
      verb: 'remove',
      phase: 'remove',
      effect: 'destructive',
      fields: [],
      call: name,
    },
  });
  type Outcome = CallOutcome<{ readonly id: string }>;
  const ok: Outcome = { status: 'ok', value: { id: 'x' } };
  const inUse: Outcome = { status: 'refused', why: 'is in use by x', retry: 'after-replan' };
  const never: Outcome = { status: 'refused', why: 'no', retry: 'never' };
  const unknown: Outcome = { status: 'unknown', why: 'no answer' };
  const one = (count: number, targets: readonly string[], why?: string) => [
    { event: 'contents collected', count, targets, ...(why !== undefined && { why }) },
  ];

  it.each<readonly [string, readonly Outcome[], number, readonly object[]]>([
    ['all gone', [ok, ok], 2, one(2, ['config 0', 'config 1'])],
    ['one in use: it stays, and nobody is told', [inUse, ok], 2, one(1, ['config 1'])],
    ['all in use', [inUse, inUse], 2, []],
    ['one refused for good', [never, ok], 2, one(1, ['config 1'], 'config 0 stays: no')],
    ['no answer: it is the last', [unknown, ok], 1, one(0, [], 'config 0 stays: no answer')],
  ])('%s', async (_what, outcomes, calls, told) => {
    const events: AgentEvent[] = [];
    const asked: string[] = [];
    const ports = {
      caller: () => ({
        call: async (call: string) => {
          asked.push(call);
          return outcomes[Number(call)] ?? ok;
        },
      }),
      reporter: { tell: (event: AgentEvent) => void events.push(event) },
      guard: { refusal: () => undefined },
      clock: { nowMs: () => 0 },
    };
    const due = outcomes.map((_, at) => spare(String(at)));
    await collectSpares(due, ports, new AbortController().signal);
    expect([asked.length, events]).toEqual([calls, told]);
    asked.length = 0;
    const shut = { ...ports, guard: { refusal: () => 'the lease is over' } };
    await collectSpares(due, shut, new AbortController().signal);
    expect(asked).toEqual([]);
  });

  it('tells what is left of a unit that left as a change of that unit', async () => {
    const unit = 'mysql-user/blog' as const;
    const told = async (outcome: CallOutcome<{ readonly id: string }>) => {
      const events: AgentEvent[] = [];
      const ports = {
        caller: () => ({ call: async () => outcome }),
        reporter: { tell: (event: AgentEvent) => void events.push(event) },
        guard: { refusal: () => undefined },
        clock: { nowMs: () => 0 },
      };
      await collectSpares([{ ...spare('0'), unit }], ports, new AbortController().signal);
      return events;
    };
    const whole = { id: unit, target: 'config 0' };
    expect(await told(ok)).toEqual([
      { ...whole, event: 'change applied', verb: 'remove', fields: [], destructive: true, ms: 0 },
    ]);
    expect(await told(inUse)).toEqual([]);
    expect(await told(never)).toEqual([
      { ...whole, event: 'change failed', status: 'refused', why: 'no' },
    ]);
  });

  it('names ten at most', async () => {
    const events: AgentEvent[] = [];
    const ports = {
      caller: () => ({ call: async () => ok }),
      reporter: { tell: (event: AgentEvent) => void events.push(event) },
      guard: { refusal: () => undefined },
      clock: { nowMs: () => 0 },
    };
    const due = Array.from({ length: 64 }, (_, at) => spare(String(at)));
    await collectSpares(due, ports, new AbortController().signal);
    expect(events).toMatchObject([{ count: 64, targets: { length: 10 } }]);
  });
});

describe('an agent that dies while it collects', () => {
  const faults: readonly Fault[] = [
    { fate: 'lost', kill: 'at-once', downMs: 0 },
    { fate: 'unanswered', kill: 'at-once', downMs: 19_000 },
    { fate: 'answered', kill: 'when-answered', downMs: 2_000 },
    { fate: 'late', kill: 'at-once', downMs: 1_000 },
    { fate: 'twice' },
    { fate: 'unanswered' },
  ];

  it.each(faults.map((fault) => [JSON.stringify(fault), fault] as const))(
    '%s: at each of its writes, leaves exactly what is needed',
    async (_what, fault) => {
      // The head, which shows that nobody else leads; then the config and the secret.
      for (const at of [0, 1, 2]) {
        const world = new WholeAgent();
        const watcher = new Watcher(world);
        const seen = await rotate(world, 4);
        let first = Infinity;
        world.faultOf = (write) => {
          const isHead = write.path.endsWith('/update');
          if (isHead && first === Infinity) first = write.at;
          return write.at === first + at ? fault : undefined;
        };
        await after(world, 25);
        expect([at, first < Infinity, watcher.broken]).toEqual([at, true, []]);
        expect([at, files(world)]).toEqual([at, seen.slice(1).flat().toSorted()]);
        expect([at, await world.passOnce()]).toEqual([at, []]);
      }
    },
  );
});

import { beforeEach, describe, expect, it } from 'vitest';

import { type Desired, type Memory, nothingKnown, pass } from '../../agent/reconcile/pass.ts';
import type { Guard } from '../../agent/reconcile/lease-ports.ts';
import type { Recorder } from '../../agent/reconcile/ports.ts';
import { FREEZE_LABEL, freezeLabel } from '../../agent/record/freeze.ts';
import { readRecord } from '../../agent/record/read.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { reignFrom } from '../fakes/lease.ts';
import { quietLooks } from '../fakes/looks.ts';
import { Crash } from '../fakes/shelf.ts';
import {
  alwaysDecided,
  listeningReporter,
  quietProber,
  straightLine,
  World,
  worldKind,
  worldProvider,
  worldRecorder,
  worldUnit,
} from '../fakes/world.ts';

const signal = new AbortController().signal;
const settings = { intervalMs: 60_000, retryIntervalMs: 10_000, removals: { max: 5, share: 20 } };

let world: World;
let clock: VirtualClock;
let reporter: ReturnType<typeof listeningReporter>;
let memory: Memory;
let recorder: Recorder<World>;
/** How much the passes expect to be under way. */
let loads: string[];
/** Why no call may be made. */
let refusal: () => string | undefined;
const guard: Guard = { refusal: () => refusal() };

beforeEach(() => {
  refusal = () => undefined;
  world = new World();
  clock = new VirtualClock();
  reporter = listeningReporter();
  loads = [];
  startAgent();
});

/** Another agent, or the same one started again: only what is in the Swarm is left. */
function startAgent(): void {
  memory = nothingKnown;
  recorder = worldRecorder(world, clock);
}

const desired = (...texts: string[]): Desired<string> => ({
  revision: texts.join('+'),
  units: texts.map((text, n) => worldUnit(`s${String(n)}`, text)),
  settings,
  seenAtMs: 0,
  remembered: false,
});

async function passOnce(wanted: Desired<string>, atOnce = 4, stop = signal): Promise<number> {
  const provider = worldProvider(world);
  const ports = {
    kind: worldKind,
    provider,
    recorder,
    prober: quietProber,
    clock,
    reporter,
    guard,
    looks: quietLooks(clock),
    source: straightLine,
    atRest: alwaysDecided,
  };
  const lease = { expect: (load: string) => void loads.push(load), reign: () => reignFrom(0) };
  const result = await pass({ ...ports, lease, atOnce }, wanted, memory, stop);
  memory = result.memory;
  return result.wakeMs;
}

/** Passes until nothing is under way, with time going on as it would. */
async function settle(wanted: Desired<string>): Promise<void> {
  for (let n = 0; n < 40; n += 1) {
    const wakeMs = await passOnce(wanted);
    if (wakeMs >= settings.intervalMs) return;
    await clock.advance(wakeMs);
  }
  throw new Error(`it never settles:\n${JSON.stringify(reporter.events.slice(-10), null, 1)}`);
}

/** One look after another for so long, as while something is under way. */
async function watch(wanted: Desired<string>, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    await clock.advance(1_000);
    await passOnce(wanted);
  }
}

describe('a revision that takes a stack out', () => {
  const order = () =>
    reporter
      .names()
      .filter((name) => /^(unit (removing|removed|rolled back)|revision .*)$/.test(name));

  it.each<[string, () => Promise<unknown>]>([
    ['is applied', () => passOnce(desired('v1', 'w2'))],
    [
      'verifies',
      async () => {
        await passOnce(desired('v1', 'w2'));
        await passOnce(desired('v1', 'w2'));
      },
    ],
  ])('has not ended before that is gone, also where that %s', async (_, begin) => {
    await settle(desired('v1', 'v2'));
    await begin();
    reporter.events.length = 0;
    expect(await passOnce(desired('v1'))).toBeLessThanOrEqual(1_000);
    expect(order()).toEqual([]);
    await settle(desired('v1'));
    expect(order()).toEqual(['unit removing', 'unit removed', 'revision healthy']);
  });

  it('has not ended before that is gone, also where that goes back', async () => {
    await settle(desired('v1', 'v2'));
    world.broken.add('bad');
    for (let n = 0; n < 3; n += 1) await passOnce(desired('v1', 'bad'));
    reporter.events.length = 0;
    await passOnce(desired('v1'));
    expect(order()).toEqual([]);
    await settle(desired('v1'));
    expect(order()).toEqual([
      'unit rolled back',
      'unit removing',
      'unit removed',
      'revision healthy',
    ]);
  });
});

describe('a pass', () => {
  it('applies, is followed at once, verifies, and then writes nothing more', async () => {
    expect(await passOnce(desired('v1'))).toBe(0);
    expect(world.calls).toEqual(['stack/s0=v1']);
    expect(await passOnce(desired('v1'))).toBe(1_000);
    await watch(desired('v1'), 4_000);
    await clock.advance(1_000);
    expect(await passOnce(desired('v1'))).toBe(60_000);
    expect(reporter.names()).toEqual([
      'change applied',
      'unit verifying',
      'unit healthy',
      'revision healthy',
    ]);
    await passOnce(desired('v1'));
    expect(world.calls).toHaveLength(1);
    expect(reporter.events).toHaveLength(4);
    expect([loads[0], loads[1], ...loads.slice(-2)]).toEqual([
      'working',
      'working',
      'idle',
      'idle',
    ]);
  });

  it('does nothing where it cannot see, waits longer each time, and says so once', async () => {
    for (let n = 0; n < 3; n += 1) world.views.push({ status: 'unknown', why: 'no leader' });
    expect([
      await passOnce(desired('v1')),
      await passOnce(desired('v1')),
      await passOnce(desired('v1')),
    ]).toEqual([1_000, 2_000, 4_000]);
    expect(world.calls).toEqual([]);
    await passOnce(desired('v1'));
    expect(reporter.names()).toEqual(['waiting', 'going on', 'change applied']);
    expect(world.calls).toHaveLength(1);
  });

  it('keeps calls bounded, and a unit that fails holds up no other', async () => {
    world.answers.push({ status: 'refused', why: 'no', retry: 'never' });
    const many = desired(...Array.from({ length: 20 }, (_, n) => `v${String(n)}`));
    await passOnce(many, 4);
    expect(world.mostUnderWay).toBe(4);
    expect(world.calls).toHaveLength(20);
    expect(world.running.size).toBe(19);
  });

  it('does not repeat what was refused for good, until the digest changes', async () => {
    world.answers.push({ status: 'refused', why: 'bad mount', retry: 'never' });
    await settle(desired('v1'));
    expect(world.calls).toEqual(['stack/s0=v1']);
    expect(reporter.events.at(-3)).toMatchObject({
      event: 'unit failed',
      code: 'refused',
      next: 'stopping',
    });
    await settle(desired('v2'));
    expect(world.calls).toEqual(['stack/s0=v1', 'stack/s0=v2']);
  });

  it.each([
    { status: 'unknown', why: 'EOF' } as const,
    { status: 'refused', why: 'update out of sequence', retry: 'after-replan' } as const,
  ])('reads again and tries later after $why', async (answer) => {
    world.answers.push(answer);
    await passOnce(desired('v1'));
    expect(await passOnce(desired('v1'))).toBeGreaterThan(0);
    expect(world.calls).toHaveLength(1);
    await clock.advance(1_000);
    await passOnce(desired('v1'));
    expect(world.running.get('stack/s0')).toBe('v1');
  });

  it('tells what a unit waits for when trying again did not help', async () => {
    for (let n = 0; n < 10; n += 1) {
      world.answers.push({ status: 'unknown', why: 'no answer' });
    }
    for (let n = 0; n < 6; n += 1) {
      await passOnce(desired('v1'));
      await clock.advance(60_000);
    }
    expect(reporter.events).toContainEqual({
      event: 'unit held',
      id: 'stack/s0',
      why: 'stack/s0: no answer',
    });
  });

  it.each([
    ['again and again is given up after the timeout', 'port taken', undefined, true],
    ['because it has no leader is not', 'no leader', 'no-leader', false],
  ] as const)('what the engine refuses %s', async (_what, why, cause, failed) => {
    for (let n = 0; n < 12; n += 1) {
      const refusal = { status: 'refused', why, retry: 'after-replan' } as const;
      world.answers.push(cause === undefined ? refusal : { ...refusal, cause });
    }
    await watch(desired('v1'), 62_000);
    expect(reporter.names().includes('unit failed')).toBe(failed);
  });

  it('takes a failed unit back, and its revision is never healthy', async () => {
    await settle(desired('v1'));
    world.broken.add('v2');
    await settle(desired('v2'));
    expect(world.calls).toEqual(['stack/s0=v1', 'stack/s0=v2', 'stack/s0=v1']);
    expect(reporter.events.slice(-2)).toMatchObject([
      { event: 'unit rolled back', revision: 'v1' },
      { event: 'revision failed', failed: ['stack/s0'], rolledBack: ['stack/s0'], units: 1 },
    ]);
    const told = reporter.events.length;
    await clock.advance(600_000);
    await settle(desired('v2'));
    expect(reporter.events).toHaveLength(told);
    expect(world.calls).toHaveLength(3);
    await settle(desired('v3'));
    expect(world.running.get('stack/s0')).toBe('v3');
  });

  it('records the attempt before its calls, and calls nothing that could not be recorded', async () => {
    world.shelf.failAfter(2, 'refuse');
    expect(await passOnce(desired('v1'))).toBeGreaterThan(0);
    expect(world.calls).toEqual([]);
    expect(reporter.names()).toEqual(['waiting']);
    await settle(desired('v1'));
    expect(world.running.get('stack/s0')).toBe('v1');
  });

  it.each(['unknown-done', 'unknown-not-done'] as const)(
    'tells what a write of unknown outcome recorded, once: %s',
    async (fault) => {
      await settle(desired('v1'));
      world.broken.add('v2');
      await passOnce(desired('v2'));
      expect(reporter.names()).not.toContain('unit failed');
      // Bucket, root, and the pointer to it.
      world.shelf.failAfter(2, fault);
      await settle(desired('v2'));
      expect(reporter.names().filter((name) => name === 'unit failed')).toHaveLength(1);
      expect(reporter.names()).toContain('waiting');
      expect(world.calls).toEqual(['stack/s0=v1', 'stack/s0=v2', 'stack/s0=v1']);
    },
  );

  it('goes on where a request came between reading and writing, and takes it the next time', async () => {
    world.between = () => world.shelf.relabel({ 'understudy.request.0123abcd': 'not JSON' });
    expect(await passOnce(desired('v1'))).toBe(0);
    expect(world.calls).toEqual(['stack/s0=v1']);
    expect(world.shelf.head?.labels).toHaveProperty('understudy.request.0123abcd');
    await settle(desired('v1'));
    expect(world.running.get('stack/s0')).toBe('v1');
    expect(world.shelf.head?.labels).not.toHaveProperty('understudy.request.0123abcd');
  });

  it('removes what left the repository, and then it is out of the record', async () => {
    await settle(desired('v1', 'v2'));
    await settle(desired('v1'));
    expect([...world.running.keys()]).toEqual(['stack/s0']);
    expect(world.calls.slice(2)).toEqual(['remove stack/s1']);
    expect(reporter.names().slice(-4)).toEqual([
      'unit removing',
      'change applied',
      'unit removed',
      'revision healthy',
    ]);
    world.seen = world.shelf.look();
    const loaded = recorder.load(world);
    expect(loaded.status === 'ok' && [...loaded.value.units.keys()]).toEqual(['stack/s0']);
  });

  it('tells when a healthy unit loses tasks, and when they are back, and writes nothing', async () => {
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    await watch(desired('v1'), 5_000);
    world.unsettled = true;
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    world.unsettled = false;
    await passOnce(desired('v1'));
    expect(reporter.events.slice(-2)).toEqual([
      { event: 'unit degraded', id: 'stack/s0', tasks: '0/1' },
      { event: 'unit recovered', id: 'stack/s0', tasks: '1/1' },
    ]);
    expect(world.calls).toHaveLength(1);
  });

  it('tells once what differs and is left as it is, and holds nothing up for it', async () => {
    world.notes.push('network front: a label differs');
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    await watch(desired('v1'), 5_000);
    expect(reporter.names().filter((name) => name === 'unit notes')).toHaveLength(1);
    expect(reporter.names().at(-1)).toBe('revision healthy');
  });

  it('starts no call after an abort', async () => {
    await passOnce(desired('v1'), 4, AbortSignal.abort()).catch(() => undefined);
    expect(world.calls).toEqual([]);
  });
});

describe('the time between two looks', () => {
  const v1 = desired('v1');
  /** In which nothing could be read at the first look. */
  async function blind(ms: number): Promise<void> {
    world.views.push({ status: 'unknown', why: 'no leader' });
    await clock.advance(1_000);
    await passOnce(v1);
    await clock.advance(ms);
  }
  /** In which the pass's own calls, to other units, get no answer one after another. */
  async function hanging(ms: number): Promise<void> {
    const others = Array.from({ length: ms / 6_000 }, (_, n) => `x${String(n)}`);
    world.answers.push(...others.map(() => ({ status: 'unknown', why: 'no answer' }) as const));
    world.during = () => clock.advance(6_000);
    await passOnce(desired('v1', ...others), 1);
    world.during = undefined;
  }
  const gaps: readonly (readonly [string, number, () => Promise<void>])[] = [
    ['in which nothing could be seen', 0, () => blind(600_000)],
    ['that calls hung', 3_000, () => hanging(600_000)],
    ['that the process stood still', 3_000, () => clock.advance(600_000)],
    [
      'with all of it at once',
      3_000,
      async () => {
        await hanging(60_000);
        await clock.advance(600_000);
        await passOnce(v1);
        await blind(600_000);
      },
    ],
  ];

  it.each(gaps)('%s does not fail a unit: %d ms of it count', async (_what, countsMs, gap) => {
    await passOnce(v1);
    await passOnce(v1);
    world.unsettled = true;
    await gap();
    await passOnce(v1);
    expect(reporter.names()).not.toContain('unit failed');
    await watch(v1, 59_000 - countsMs);
    expect(reporter.names()).not.toContain('unit failed');
    await watch(v1, 1_000);
    expect(reporter.names()).toContain('unit failed');
  });

  it.each(gaps)('%s does not make a unit healthy: %d ms of it count', async (_, countsMs, gap) => {
    await passOnce(v1);
    await passOnce(v1);
    await gap();
    await passOnce(v1);
    expect(reporter.names()).not.toContain('unit healthy');
    await watch(v1, 4_000 - countsMs);
    expect(reporter.names()).not.toContain('unit healthy');
    await watch(v1, 1_000);
    expect(reporter.names()).toContain('unit healthy');
  });

  it.each(gaps)('%s is no time in which the engine refused something', async (_, _counts, gap) => {
    const refusal = { status: 'refused', why: 'port taken', retry: 'after-replan' } as const;
    world.answers.push(refusal);
    await passOnce(v1);
    await gap();
    world.answers.push(refusal);
    await passOnce(v1);
    await passOnce(v1);
    expect(reporter.names()).not.toContain('unit failed');
  });
});

describe('a guard', () => {
  it('is asked before every single call, and stops the rest of a unit without blaming it', async () => {
    let calls = 0;
    refusal = () => (calls++ < 2 ? undefined : 'not now');
    await passOnce(desired('v1', 'v2', 'v3', 'v4'), 1);
    expect(world.calls).toEqual(['stack/s0=v1', 'stack/s1=v2']);
    await passOnce(desired('v1', 'v2', 'v3', 'v4'));
    expect(reporter.names()).not.toContain('unit failed');
    refusal = () => undefined;
    await settle(desired('v1', 'v2', 'v3', 'v4'));
    expect(world.running.size).toBe(4);
  });

  it('that refuses for longer than a timeout fails nothing', async () => {
    refusal = () => 'not now';
    await passOnce(desired('v1'));
    await watch(desired('v1'), 120_000);
    expect([world.calls, reporter.names()]).toEqual([[], ['unit held']]);
    refusal = () => undefined;
    await settle(desired('v1'));
    expect(reporter.names().at(-1)).toBe('revision healthy');
  });

  it('keeps old blobs from being collected', async () => {
    await settle(desired('v1'));
    refusal = () => 'not now';
    await clock.advance(700_000);
    world.shelf.takeWrites();
    await passOnce(desired('v1'));
    expect(world.shelf.takeWrites()).toEqual([]);
    refusal = () => undefined;
    await passOnce(desired('v1'));
    expect(world.shelf.takeWrites()).toContainEqual(expect.stringMatching(/^remove /));
  });
});

describe('a freeze', () => {
  const freeze = (until?: string): void => {
    const label = freezeLabel({ by: 'root@m1', why: 'ill', ...(until !== undefined && { until }) });
    if (label.status === 'refused') throw new Error(label.why);
    world.shelf.relabel({ [FREEZE_LABEL]: label.value });
  };
  const retry = { 'understudy.request.0123abcd': '{"verb":"retry","id":"stack/s0","by":"root"}' };

  it('calls, records, collects and takes nothing, and tells what it holds', async () => {
    await settle(desired('v1'));
    freeze();
    world.shelf.relabel(retry);
    world.shelf.takeWrites();
    for (let n = 0; n < 20; n += 1) {
      expect(await passOnce(desired('v2', 'w2'))).toBe(60_000);
      await clock.advance(60_000);
    }
    expect([world.calls, world.shelf.takeWrites()]).toEqual([['stack/s0=v1'], []]);
    expect(world.shelf.head?.labels).toMatchObject(retry);
    const why = 'frozen by root@m1 until understudy unfreeze: ill';
    expect(reporter.events.slice(4)).toEqual([
      { event: 'frozen', by: 'root@m1', why: 'ill' },
      { event: 'unit held', id: 'stack/s0', why },
      { event: 'unit held', id: 'stack/s1', why },
    ]);
    world.shelf.relabel({ [FREEZE_LABEL]: undefined });
    await settle(desired('v2', 'w2'));
    expect(reporter.events[7]).toEqual({ event: 'unfrozen', was: why });
    expect(reporter.names()).toContain('request refused');
    expect([...world.running.values()]).toEqual(['v2', 'w2']);
  });

  it.each([
    ['for a unit', false, 'unit healthy'],
    ['against a unit', true, 'unit failed'],
  ] as const)('counts no time %s', async (_what, unsettled, event) => {
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    await watch(desired('v1'), 1_000);
    world.unsettled = unsettled;
    freeze();
    await watch(desired('v1'), 90_000);
    world.shelf.relabel({ [FREEZE_LABEL]: undefined });
    await watch(desired('v1'), 3_000);
    expect(reporter.names()).not.toContain(event);
    await watch(desired('v1'), unsettled ? 60_000 : 2_000);
    expect(reporter.names()).toContain(event);
  });

  it('ends by itself at its time, and not before', async () => {
    freeze('2026-01-01T00:00:30.000Z');
    expect(await passOnce(desired('v1'))).toBe(30_000);
    await clock.advance(29_999);
    expect(await passOnce(desired('v1'))).toBe(1);
    expect(world.calls).toEqual([]);
    await clock.advance(1);
    await passOnce(desired('v1'));
    expect(world.calls).toEqual(['stack/s0=v1']);
  });

  it('does not lose what the engine refused before it', async () => {
    world.answers.push({ status: 'refused', why: 'bad mount', retry: 'never' });
    await passOnce(desired('v1'));
    freeze();
    await passOnce(desired('v1'));
    world.shelf.relabel({ [FREEZE_LABEL]: undefined });
    await passOnce(desired('v1'));
    expect(reporter.names()).toContain('unit failed');
    expect(world.calls).toHaveLength(1);
  });
});

describe('a suspended unit', () => {
  const ask = (verb: string): void => {
    const text = JSON.stringify({ verb, id: 'stack/s0', by: 'root' });
    world.shelf.relabel({ 'understudy.request.0123abcd': text });
  };

  it('stands in the middle of a verification, and goes on where it was', async () => {
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    world.unsettled = true;
    await watch(desired('v1'), 50_000);
    ask('suspend');
    await passOnce(desired('v1'));
    await watch(desired('v1'), 100_000);
    await clock.advance(3_600_000);
    await passOnce(desired('v1'));
    expect(reporter.names()).not.toContain('unit failed');
    ask('resume');
    await watch(desired('v1'), 8_000);
    expect(reporter.names()).not.toContain('unit failed');
    await watch(desired('v1'), 5_000);
    expect(reporter.names()).toContain('unit failed');
  });

  it('lets its neighbours go on and its revision end', async () => {
    await settle(desired('v1', 'w1'));
    ask('suspend');
    await settle(desired('v2', 'w2'));
    expect([...world.running.values()]).toEqual(['v1', 'w2']);
    expect(reporter.events.at(-1)).toMatchObject({
      event: 'revision healthy',
      suspended: ['stack/s0'],
    });
    ask('resume');
    await settle(desired('v2', 'w2'));
    expect([...world.running.values()]).toEqual(['v2', 'w2']);
    expect(reporter.events.at(-1)).toMatchObject({ event: 'revision healthy', suspended: [] });
  });
});

describe('how units stand', () => {
  const standing = (): unknown => {
    const read = readRecord(world.shelf.look());
    return read.status === 'ok' ? read.value.history.standing : read;
  };

  it('is in the record from the write on that it changed with, and is not written again', async () => {
    await settle(desired('v1', 'w1'));
    expect(standing()).toEqual([]);
    world.broken.add('v2');
    await settle(desired('v2', 'w1'));
    expect(standing()).toEqual([{ id: 'stack/s0', sync: 'quarantined', why: '' }]);
    const text = JSON.stringify({ verb: 'suspend', id: 'stack/s1', by: 'root' });
    world.shelf.relabel({ 'understudy.request.0123abcd': text });
    await settle(desired('v2', 'w2'));
    const suspended = { why: 'suspended by root', suspended: true };
    expect(standing()).toEqual([
      { id: 'stack/s0', sync: 'quarantined', why: '' },
      { id: 'stack/s1', sync: 'out-of-sync', ...suspended },
    ]);
    world.shelf.takeWrites();
    await clock.advance(60_000);
    await settle(desired('v2', 'w2'));
    expect(world.shelf.takeWrites()).toEqual([]);
    await settle(desired('v3', 'w1'));
    expect(standing()).toEqual([{ id: 'stack/s1', sync: 'in-sync', ...suspended }]);
  });
});

describe('an agent that dies at any write and is started again', () => {
  const story = async (): Promise<void> => {
    await settle(desired('v1', 'w1'));
    await settle(desired('v2', 'w2'));
    await settle(desired('v3', 'w2'));
  };
  const outcome = (): unknown => ({
    running: [...world.running],
    failed: [...world.broken].filter((text) => world.calls.includes(`stack/s0=${text}`)),
  });

  it('ends where it would have ended, without trying a failed digest again', async () => {
    world.broken.add('v2');
    await story();
    const expected = outcome();
    const writes = world.shelf.writes.length;
    expect(writes).toBeGreaterThan(20);
    for (let at = 0; at < writes; at += 1) {
      for (const fault of ['crash-before', 'crash-after'] as const) {
        world = new World();
        world.broken.add('v2');
        reporter = listeningReporter();
        startAgent();
        world.shelf.failAfter(at, fault);
        await story().catch(async (error: unknown) => {
          if (!(error instanceof Crash)) throw error;
          startAgent();
          await story();
        });
        expect(outcome(), `${fault} write ${String(at)}`).toEqual(expected);
        const tried = world.calls.filter((call) => call === 'stack/s0=v2');
        expect(tried.length, `${fault} write ${String(at)}`).toBeLessThanOrEqual(2);
        const before = world.shelf.writes.length;
        await settle(desired('v3', 'w2'));
        expect(world.shelf.writes).toHaveLength(before);
      }
    }
  }, 60_000);
});

import { beforeEach, describe, expect, it } from 'vitest';

import { type Desired, type Memory, nothingKnown, pass } from '../../agent/reconcile/pass.ts';
import type { Recorder } from '../../agent/reconcile/ports.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { Crash } from '../fakes/shelf.ts';
import {
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

beforeEach(() => {
  world = new World();
  clock = new VirtualClock();
  reporter = listeningReporter();
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
  const ports = { kind: worldKind, provider, recorder, prober: quietProber, clock, reporter };
  const result = await pass({ ...ports, source: straightLine, atOnce }, wanted, memory, stop);
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

describe('a pass', () => {
  it('applies, is followed at once, verifies, and then writes nothing more', async () => {
    expect(await passOnce(desired('v1'))).toBe(0);
    expect(world.calls).toEqual(['stack/s0=v1']);
    expect(await passOnce(desired('v1'))).toBe(1_000);
    await clock.advance(5_000);
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
  });

  it('makes the head before anything else, and looks again', async () => {
    world.ready = false;
    expect(await passOnce(desired('v1'))).toBe(0);
    expect(world.calls).toEqual(['head']);
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
    for (let n = 0; n < 8; n += 1) {
      await passOnce(desired('v1'));
      await clock.advance(20_000);
    }
    expect(reporter.names().includes('unit failed')).toBe(failed);
  });

  it('does not count the time in which nothing could be seen', async () => {
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    world.unsettled = true;
    await clock.advance(1_000);
    await passOnce(desired('v1'));
    world.views.push({ status: 'unknown', why: 'no leader' });
    await clock.advance(1_000);
    await passOnce(desired('v1'));
    await clock.advance(600_000);
    await passOnce(desired('v1'));
    expect(reporter.names()).not.toContain('unit failed');
    await clock.advance(59_000);
    await passOnce(desired('v1'));
    expect(reporter.names()).toContain('unit failed');
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

  it('looks again at once where a request came between reading and writing', async () => {
    world.between = () => world.shelf.relabel({ 'understudy.request.0123abcd': 'not JSON' });
    expect(await passOnce(desired('v1'))).toBe(0);
    expect(world.calls).toEqual([]);
    expect(reporter.names()).toEqual([]);
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
    await clock.advance(5_000);
    await passOnce(desired('v1'));
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
    await clock.advance(5_000);
    await passOnce(desired('v1'));
    expect(reporter.names().filter((name) => name === 'unit notes')).toHaveLength(1);
    expect(reporter.names().at(-1)).toBe('revision healthy');
  });

  it('starts no call after an abort', async () => {
    await passOnce(desired('v1'), 4, AbortSignal.abort()).catch(() => undefined);
    expect(world.calls).toEqual([]);
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
  });
});

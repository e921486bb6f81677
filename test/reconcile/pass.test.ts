import { beforeEach, describe, expect, it } from 'vitest';

import { type Desired, type Memory, nothingKnown, pass } from '../../agent/reconcile/pass.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { listeningReporter, World, worldKind, worldProvider, worldUnit } from '../fakes/world.ts';

const signal = new AbortController().signal;
const settings = { intervalMs: 60_000, retryIntervalMs: 10_000 };

let world: World;
let clock: VirtualClock;
let reporter: ReturnType<typeof listeningReporter>;
let memory: Memory;

beforeEach(() => {
  world = new World();
  clock = new VirtualClock();
  reporter = listeningReporter();
  memory = nothingKnown;
});

const desired = (...texts: string[]): Desired<string> => ({
  revision: texts.join('+'),
  units: texts.map((text, n) => worldUnit(`s${String(n)}`, text)),
  settings,
  seenAtMs: 0,
});

async function passOnce(wanted: Desired<string>, atOnce = 4): Promise<number> {
  const ports = { kind: worldKind, provider: worldProvider(world), clock, reporter, atOnce };
  const result = await pass(ports, wanted, memory, signal);
  memory = result.memory;
  return result.wakeMs;
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
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    expect(world.calls).toHaveLength(1);
    expect(reporter.events.at(-2)).toMatchObject({ event: 'unit failed', code: 'refused' });
    await passOnce(desired('v2'));
    expect(world.calls).toHaveLength(2);
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
      world.answers.push({ status: 'refused', why: 'port taken', retry: 'after-replan' });
    }
    for (let n = 0; n < 6; n += 1) {
      await passOnce(desired('v1'));
      await clock.advance(60_000);
    }
    expect(reporter.events).toContainEqual({
      event: 'unit held',
      id: 'stack/s0',
      why: 'stack/s0: port taken',
    });
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

  it('shows a failed unit as failed, and its revision as never healthy', async () => {
    world.broken.add('v1');
    await passOnce(desired('v1'));
    await passOnce(desired('v1'));
    expect(reporter.events.slice(-2)).toMatchObject([
      { event: 'unit failed', why: 'it crashes' },
      { event: 'revision failed', failed: ['stack/s0'], units: 1 },
    ]);
    await clock.advance(600_000);
    await passOnce(desired('v1'));
    expect(world.calls).toHaveLength(1);
    expect(reporter.names()).not.toContain('revision healthy');
    expect(reporter.names().filter((name) => name === 'revision failed')).toHaveLength(1);
    world.broken.clear();
    await passOnce(desired('v1'));
    await clock.advance(5_000);
    await passOnce(desired('v1'));
    expect(world.calls).toHaveLength(1);
    expect(reporter.names().at(-1)).toBe('revision healthy');
  });

  it('leaves alone what left the repository', async () => {
    await passOnce(desired('v1', 'v2'));
    await passOnce(desired('v1'));
    expect([...world.running.keys()]).toEqual(['stack/s0', 'stack/s1']);
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
    const aborted = AbortSignal.abort();
    const ports = { kind: worldKind, provider: worldProvider(world), clock, reporter, atOnce: 4 };
    await pass(ports, desired('v1'), memory, aborted);
    expect(world.calls).toEqual([]);
  });
});

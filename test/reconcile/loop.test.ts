import { beforeEach, describe, expect, it } from 'vitest';

import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { run } from '../../agent/reconcile/loop.ts';
import { SourceError } from '../../agent/reconcile/ports.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import { FREEZE_LABEL, freezeLabel } from '../../agent/record/freeze.ts';
import { Looks } from '../../agent/reconcile/looks.ts';
import { HeadWatch } from '../../agent/record/head-watch.ts';
import { readRecord } from '../../agent/record/read.ts';
import { readRequests } from '../../agent/record/requests.ts';
import { VirtualClock } from '../fakes/clock.ts';
import type { FakeShelf } from '../fakes/shelf.ts';
import { leaseOf } from '../fakes/lease.ts';
import {
  listeningReporter,
  quietProber,
  World,
  worldKind,
  worldProvider,
  worldRecorder,
  worldUnit,
} from '../fakes/world.ts';

const settings = { intervalMs: 60_000, retryIntervalMs: 10_000, removals: { max: 5, share: 20 } };

let world: World;
let clock: VirtualClock;
let reporter: ReturnType<typeof listeningReporter>;
let sourceWake: Wake;
let stop: AbortController;
let asked: number;
/** What the leases told. */
let leases: string[];
/** What the branch's tip is: a text, an invalid one (`!`), or a failure. */
let tip: string | SourceError;
/** What was fetched before a restart. */
let mirrored: string | undefined;
/** Names of the units of a revision; absent: as the revision says. */
let names: readonly string[] | undefined;
/** So many renders fail because files cannot be read. */
let unreadable: number;
/** What the renderer opens files with. */
let key = 'right';
/** How long the Swarm takes to be read. */
let readMs: number;
/** How long passes took, as it was told. */
let passes: number[];

beforeEach(() => {
  world = new World();
  clock = new VirtualClock();
  reporter = listeningReporter();
  sourceWake = new Wake(clock);
  stop = new AbortController();
  asked = 0;
  leases = [];
  tip = 'v1';
  unreadable = 0;
  key = 'right';
  readMs = 0;
  passes = [];
  names = undefined;
  mirrored = undefined;
});

const snapshot = (revision: string): Snapshot => ({
  revision,
  subject: `make it ${revision}`,
  entries: [],
  diagnostics: [],
  read: async () => new Map(),
});

const retry = { 'understudy.request.0123abcd': '{"verb":"retry","id":"stack/s0","by":"root"}' };
const wrong: Diagnostic = { severity: 'error', code: 'syntax', message: 'not YAML' };

function askToLook(nonce: string): void {
  const request = JSON.stringify({ verb: 'reconcile', by: 'root@m1', nonce });
  world.shelf.relabel({ [`understudy.request.${nonce}`]: request });
}

function recordOf(shelf: FakeShelf) {
  const read = readRecord(shelf.look());
  if (read.status !== 'ok') throw new Error(read.why);
  return read.value;
}

function start(): Promise<void> {
  const wake = new Wake(clock);
  const headWatch = new HeadWatch(clock);
  const looks = new Looks({ wake, sourceWake });
  const lease = leaseOf('m1', world.shelf.headKeeper(), clock, {
    tell: (event) => void leases.push(event.event),
    read: (labels) => {
      looks.heard(readRequests(labels).requests);
      if (headWatch.heard(labels)) wake.ring();
    },
    changed: () => wake.ring(),
  });
  const provider = worldProvider(world);
  return run(
    {
      kind: worldKind,
      provider: {
        ...provider,
        observe: async (signal) => {
          if (readMs > 0) await clock.sleep(readMs, signal);
          return provider.observe(signal);
        },
      },
      passed: (ms) => void passes.push(ms),
      clock,
      reporter,
      atOnce: 4,
      sourceWake,
      looks,
      wake,
      lease,
      guard: headWatch,
      recorder: worldRecorder(world, clock, lease),
      prober: quietProber,
      source: {
        at: async (revision) => (revision === mirrored ? snapshot(revision) : undefined),
        newest: async () => {
          asked += 1;
          if (tip instanceof SourceError) throw tip;
          return snapshot(tip);
        },
        descends: async () => true,
        close: async () => {},
      },
      renderer: {
        inputs: async () => key,
        render: async ({ revision }) => {
          if (key !== 'right') return { units: [], diagnostics: [wrong], settings };
          if (unreadable-- > 0) throw new SourceError('a read timed out', { retry: 'soon' });
          // `v1w1`: two units.
          const texts = revision.match(/../g) ?? [];
          const units = names
            ? names.map((name) => worldUnit(name, revision))
            : texts.map((text, at) => worldUnit(`s${String(at)}`, text));
          return revision.startsWith('!')
            ? { units: [], diagnostics: [wrong], settings }
            : { units, diagnostics: [], settings };
        },
        close: async () => {},
      },
    },
    stop.signal,
  );
}

describe('the loop', () => {
  it('follows the branch: applies, verifies, and asks again after the interval', async () => {
    const running = start();
    await clock.advance(10_000);
    expect(reporter.names()).toEqual([
      'revision seen',
      'change applied',
      'unit verifying',
      'unit healthy',
      'revision healthy',
    ]);
    expect(asked).toBe(1);
    tip = 'v2';
    await clock.advance(60_000);
    expect(world.running.get('stack/s0')).toBe('v2');
    expect(asked).toBe(2);
    stop.abort();
    await running;
  });

  it('renders the same revision again once the key is another one, and only then', async () => {
    key = 'none';
    const running = start();
    await clock.advance(130_000);
    expect(reporter.names()).toEqual(['revision seen', 'revision invalid']);
    key = 'right';
    await clock.advance(70_000);
    expect(world.running.get('stack/s0')).toBe(tip);
    expect(reporter.names().filter((name) => name.startsWith('revision'))).toEqual([
      'revision seen',
      'revision invalid',
      'revision healthy',
    ]);
    stop.abort();
    await running;
  });

  it('tells how long each pass took, and nothing of the time between', async () => {
    readMs = 30;
    const running = start();
    await clock.advance(60_000);
    expect(passes.length).toBeGreaterThan(2);
    expect(new Set(passes)).toEqual(new Set([30]));
    stop.abort();
    await running;
  });

  it('looks at once when somebody rings', async () => {
    const running = start();
    await clock.advance(10_000);
    tip = 'v2';
    sourceWake.ring();
    await clock.advance(10);
    expect(world.running.get('stack/s0')).toBe('v2');
    stop.abort();
    await running;
  });

  it('looks at once when somebody asks for it, and answers in the write that takes the request', async () => {
    const running = start();
    await clock.advance(10_000);
    tip = 'v2';
    const before = asked;
    askToLook('0000000a');
    await clock.advance(3_000);
    expect(asked).toBe(before + 1);
    expect(world.running.get('stack/s0')).toBe('v2');
    expect(world.shelf.head?.labels).not.toHaveProperty(['understudy.request.0000000a']);
    const answer = { status: 'valid', revision: 'v2' };
    expect(reporter.events).toContainEqual({ event: 'reconcile taken', by: 'root@m1', ...answer });
    expect(recordOf(world.shelf).history.looked).toEqual([
      { nonce: '0000000a', by: 'root@m1', ...answer },
    ]);
    stop.abort();
    await running;
  });

  it('answers one who asks also where the newest revision is invalid, or cannot be had', async () => {
    const running = start();
    await clock.advance(10_000);
    tip = '!';
    askToLook('0000000a');
    await clock.advance(3_000);
    tip = new SourceError('host unreachable', { retry: 'soon' });
    askToLook('0000000b');
    await clock.advance(3_000);
    expect(recordOf(world.shelf).history.looked).toEqual([
      { nonce: '0000000b', by: 'root@m1', status: 'unreadable', why: 'host unreachable' },
      { nonce: '0000000a', by: 'root@m1', status: 'invalid', revision: '!' },
    ]);
    stop.abort();
    await running;
  });

  it('keeps the last valid revision while a newer one is invalid, and still corrects drift', async () => {
    const running = start();
    await clock.advance(10_000);
    tip = '!';
    sourceWake.ring();
    await clock.advance(10);
    expect(reporter.names()).toContain('revision invalid');
    world.running.set('stack/s0', 'by hand');
    await clock.advance(60_000);
    expect(world.running.get('stack/s0')).toBe('v1');
    stop.abort();
    await running;
  });

  it.each<[string, string | SourceError]>([
    ['the newest revision is invalid', '!'],
    ['the repository cannot be read', new SourceError('host unreachable', { retry: 'soon' })],
  ])('removes nothing while %s, and goes on with it after that', async (why, trouble) => {
    tip = 'v1w1';
    const running = start();
    await clock.advance(10_000);
    tip = 'v1';
    world.unsettled = true;
    world.answers.push({ status: 'unknown', why: 'no answer' });
    sourceWake.ring();
    await clock.advance(10);
    // The one call so far went unanswered; from here on it is not known what the repository wants.
    expect(world.calls.slice(2)).toEqual(['remove stack/s1']);
    tip = trouble;
    sourceWake.ring();
    await clock.advance(30_000);
    expect(world.calls.slice(2)).toEqual(['remove stack/s1']);
    expect(reporter.events).toContainEqual({
      event: 'unit held',
      id: 'stack/s1',
      why: `its removal waits: ${why}`,
    });
    tip = 'v1';
    sourceWake.ring();
    await clock.advance(70_000);
    expect([...world.running.keys()]).toEqual(['stack/s0']);
    stop.abort();
    await running;
  });

  it('waits longer each time while the source fails, says it once, and goes on', async () => {
    tip = new SourceError('host unreachable', { retry: 'soon' });
    const running = start();
    await clock.advance(10_000 + 20_000 + 39_999);
    expect(asked).toBe(3);
    tip = 'v1';
    await clock.advance(1);
    expect(reporter.names().slice(0, 3)).toEqual(['waiting', 'revision seen', 'going on']);
    stop.abort();
    await running;
  });

  it('goes on with what was fetched last when it is started anew while the repository is away', async () => {
    const before = start();
    await clock.advance(10);
    expect(reporter.names()).toContain('unit verifying');
    stop.abort();
    await before;
    stop = new AbortController();
    tip = new SourceError('host unreachable', { retry: 'soon' });
    mirrored = 'v1';
    const running = start();
    await clock.advance(10_000);
    expect(reporter.names()).toContain('unit healthy');
    stop.abort();
    await running;
  });

  it('goes on with the last valid revision when it is started anew while the newest is invalid', async () => {
    const before = start();
    await clock.advance(10);
    tip = '!';
    stop.abort();
    await before;
    stop = new AbortController();
    mirrored = 'v1';
    const running = start();
    await clock.advance(10_000);
    expect(reporter.names()).toContain('revision invalid');
    expect(reporter.names()).toContain('unit healthy');
    stop.abort();
    await running;
  });

  it('does not act on what was fetched last where another revision was seen since', async () => {
    const before = start();
    await clock.advance(10_000);
    stop.abort();
    await before;
    stop = new AbortController();
    tip = new SourceError('host unreachable', { retry: 'soon' });
    mirrored = 'v0';
    const running = start();
    await clock.advance(30_000);
    expect(world.running.get('stack/s0')).toBe('v1');
    stop.abort();
    await running;
  });

  it('looks within a second when a person asks for something', async () => {
    const running = start();
    await clock.advance(10_000);
    const { observations } = world;
    world.shelf.relabel(retry);
    await clock.advance(1_000);
    expect(world.observations).toBe(observations + 1);
    expect(reporter.names().at(-1)).toBe('request refused');
    stop.abort();
    await running;
  });

  it('stops in the middle of its calls within a second when somebody freezes, and hears of the end', async () => {
    world.during = () => clock.sleep(600, new AbortController().signal);
    names = Array.from({ length: 40 }, (_, n) => `s${String(n)}`);
    const running = start();
    await clock.advance(700);
    const label = freezeLabel({ by: 'root@m1', why: 'ill' });
    world.shelf.relabel({ [FREEZE_LABEL]: label.status === 'ok' ? label.value : '' });
    await clock.advance(2_000);
    const { length } = world.calls;
    expect(length).toBeLessThan(13);
    world.shelf.relabel(retry);
    await clock.advance(3_000);
    const { observations } = world;
    await clock.advance(30_000);
    // What is asked is not taken meanwhile, and nobody looks for it again and again.
    expect([world.calls.length, world.observations]).toEqual([length, observations]);
    expect(reporter.names()).toContain('frozen');
    world.shelf.relabel({ [FREEZE_LABEL]: undefined });
    await clock.advance(30_000);
    expect(world.running.size).toBe(40);
    expect(reporter.names()).toContain('unfrozen');
    stop.abort();
    await running;
  });

  it('looks at a revision again whose files could not be read', async () => {
    unreadable = 1;
    const running = start();
    await clock.advance(20_000);
    expect(world.running.get('stack/s0')).toBe('v1');
    expect(reporter.names().filter((name) => name === 'revision seen')).toHaveLength(1);
    stop.abort();
    await running;
  });

  it('asks at the usual pace for what waiting does not help, and tells another reason', async () => {
    tip = new SourceError('the branch is not there', { retry: 'never' });
    const running = start();
    await clock.advance(59_999);
    expect(asked).toBe(1);
    tip = new SourceError('host key changed', { retry: 'never' });
    await clock.advance(1);
    expect(reporter.events.map((event) => 'why' in event && event.why)).toEqual([
      'the branch is not there',
      'host key changed',
    ]);
    stop.abort();
    await running;
  });

  it('ends with the error when there is a bug, and stops the other parts', async () => {
    Object.defineProperty(world, 'views', {
      get: () => {
        throw new TypeError('a bug');
      },
    });
    const [ended] = await Promise.allSettled([start()]);
    expect(ended).toMatchObject({ status: 'rejected', reason: new TypeError('a bug') });
    expect(clock.nextMs).toBeUndefined();
  });

  it('holds no timer and no listener after it ended', async () => {
    const running = start();
    await clock.advance(1_000);
    stop.abort();
    await running;
    expect(clock.nextMs).toBeUndefined();
  });
});

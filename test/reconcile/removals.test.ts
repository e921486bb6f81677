import { beforeEach, describe, expect, it } from 'vitest';

import { requestLabel } from '../../agent/record/requests.ts';
import { type Desired, type Memory, nothingKnown, pass } from '../../agent/reconcile/pass.ts';
import type { History } from '../../agent/reconcile/history.ts';
import type { Recorder } from '../../agent/reconcile/ports.ts';
import type { Owner } from '../../agent/record/root.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { reignFrom } from '../fakes/lease.ts';
import { quietLooks } from '../fakes/looks.ts';
import {
  alwaysDecided,
  listeningReporter,
  quietProber,
  World,
  worldKind,
  worldProvider,
  worldRecorder,
  worldUnit,
} from '../fakes/world.ts';

const place = { branch: 'main', path: '.' };
const { signal } = new AbortController();
const settings = { intervalMs: 60_000, retryIntervalMs: 10_000, removals: { max: 5, share: 50 } };

let world: World;
let clock: VirtualClock;
let reporter: ReturnType<typeof listeningReporter>;
let memory: Memory;
let recorder: Recorder<World>;
/** `later earlier`: which revision descends from which. */
let lineage: Set<string>;
let questions: number;
let removalsFromMs: number;

beforeEach(() => {
  world = new World();
  clock = new VirtualClock();
  reporter = listeningReporter();
  lineage = new Set(['r2 r1', 'r3 r2', 'r3 r1']);
  questions = 0;
  removalsFromMs = 0;
  startAgent();
});

/** A Swarm and an agent of their own: the same things happen in it. */
function startAgain(): void {
  world = new World();
  startAgent();
}

/** Another agent, or the same one started again: only what is in the Swarm is left. */
function startAgent(): void {
  memory = nothingKnown;
  recorder = worldRecorder(world, clock, undefined, place);
}

function desired(
  revision: string,
  names: readonly string[],
  parts: Partial<Desired<string>> = {},
): Desired<string> {
  const units = names.map((name) => worldUnit(name, 'v1'));
  return { revision, units, settings, seenAtMs: 0, remembered: false, ...parts };
}

async function passOnce(wanted: Desired<string>): Promise<number> {
  const result = await pass(
    {
      kind: worldKind,
      provider: worldProvider(world),
      recorder,
      prober: quietProber,
      clock,
      reporter,
      source: {
        descends: async (earlier, later) => {
          questions += 1;
          return lineage.has(`${later} ${earlier}`);
        },
      },
      atOnce: 4,
      lease: { expect: () => undefined, reign: () => reignFrom(removalsFromMs) },
      guard: { refusal: () => undefined },
      looks: quietLooks(clock),
      atRest: alwaysDecided,
    },
    wanted,
    memory,
    signal,
  );
  memory = result.memory;
  return result.wakeMs;
}

async function settle(wanted: Desired<string>): Promise<void> {
  for (let n = 0; n < 40; n += 1) {
    const wakeMs = await passOnce(wanted);
    if (wakeMs >= settings.intervalMs) return;
    await clock.advance(wakeMs);
  }
  throw new Error(`it never settles:\n${JSON.stringify(reporter.events.slice(-10), null, 1)}`);
}

function history(): History {
  world.seen = world.shelf.look();
  const loaded = recorder.load(world);
  if (loaded.status !== 'ok') throw new Error(loaded.why);
  return loaded.value.history;
}

const removals = (): readonly string[] => world.calls.filter((call) => call.startsWith('remove'));
const lastHeld = (): string =>
  reporter.events.flatMap((one) => (one.event === 'unit held' ? [one.why] : [])).at(-1) ?? '';

function approve(): void {
  const digest = /approve ([0-9a-f]{12})/.exec(lastHeld())?.[1] ?? '';
  const label = requestLabel({ verb: 'approve', digest, by: 'root@m1' }, '0123abcd');
  if (label.status !== 'ok') throw new Error(label.why);
  world.shelf.relabel({ [label.key]: label.value });
}

const three = ['a', 'b', 'c'];

describe('what left the repository', () => {
  beforeEach(() => settle(desired('r1', three)));

  it('goes with a revision that descends from the last one, which is asked once', async () => {
    await settle(desired('r2', ['a', 'b']));
    expect(removals()).toEqual(['remove stack/c']);
    expect(questions).toBe(1);
    await settle(desired('r2', ['a', 'b']));
    expect([questions, history().rewound]).toEqual([1, undefined]);
  });

  it('is held after a rewind, over restarts and later commits, until somebody approves', async () => {
    await settle(desired('r0', ['a', 'b']));
    expect([removals(), history().rewound]).toEqual([[], 'r0']);
    expect(lastHeld()).toContain('does not descend from the one before');
    startAgent();
    await settle(desired('r0', ['a', 'b']));
    lineage.add('r4 r0');
    await settle(desired('r4', ['a', 'b']));
    expect([removals(), history().rewound]).toEqual([[], 'r0']);
    approve();
    await settle(desired('r4', ['a', 'b']));
    expect(removals()).toEqual(['remove stack/c']);
    expect(history()).toMatchObject({ approved: [{ by: 'root@m1', spent: true }] });
    await settle(desired('r4', ['a', 'b']));
    expect(history().rewound).toBeUndefined();
  });

  it('is nobody’s matter any more when it comes back after a rewind', async () => {
    await settle(desired('r0', ['a', 'b']));
    lineage.add('r4 r0');
    await settle(desired('r4', three));
    expect([removals(), history().rewound]).toEqual([[], undefined]);
    lineage.add('r5 r4');
    await settle(desired('r5', ['a', 'b']));
    expect(removals()).toEqual(['remove stack/c']);
  });

  it.each<[string, Partial<Desired<string>>, string]>([
    ['Git cannot be read', { behind: 'the repository cannot be read' }, 'the repository cannot'],
    ['the newest is invalid', { behind: 'the newest revision is invalid' }, 'newest revision'],
  ])('stays while %s, and goes after it', async (_what, parts, why) => {
    const wanted = desired('r2', ['a', 'b'], parts);
    expect(await passOnce(wanted)).toBe(5_000);
    expect([removals(), lastHeld()]).toEqual([[], expect.stringContaining(why)]);
    await settle(desired('r2', ['a', 'b']));
    expect(removals()).toEqual(['remove stack/c']);
  });

  it('stays while this is only what was fetched last', async () => {
    await passOnce(desired('r2', ['a', 'b'], { behind: 'x' }));
    startAgent();
    await passOnce(desired('r2', ['a', 'b'], { remembered: true }));
    expect([removals(), lastHeld()]).toEqual([[], expect.stringContaining('cannot be read')]);
  });

  it('stays in a pass in which a list is much shorter than before, and goes in the next', async () => {
    world.others = 10;
    await passOnce(desired('r1', three));
    world.others = 5;
    await passOnce(desired('r2', ['a', 'b']));
    expect([removals(), lastHeld()]).toEqual([[], expect.stringContaining('list of units')]);
    await passOnce(desired('r2', ['a', 'b']));
    expect(removals()).toEqual(['remove stack/c']);
  });

  it('stays while this process may not remove anything, which is looked at again when it may', async () => {
    removalsFromMs = clock.nowMs() + 7_000;
    expect(await passOnce(desired('r2', ['a', 'b']))).toBe(5_000);
    await clock.advance(5_000);
    expect(await passOnce(desired('r2', ['a', 'b']))).toBe(2_000);
    expect(removals()).toEqual([]);
    await clock.advance(2_000);
    await settle(desired('r2', ['a', 'b']));
    expect(removals()).toEqual(['remove stack/c']);
  });

  it('stays above the limit of the repository, and nothing is written for it', async () => {
    await settle(desired('r2', ['a']));
    const before = world.shelf.takeWrites().length;
    expect(before).toBeGreaterThan(0);
    await passOnce(desired('r2', ['a']));
    expect([removals(), world.shelf.takeWrites()]).toEqual([[], []]);
    expect(lastHeld()).toContain('2 of 3 units left the repository, 1 may go at once');
    approve();
    await settle(desired('r2', ['a']));
    expect(removals().toSorted()).toEqual(['remove stack/b', 'remove stack/c']);
  });

  it('stays so though more units come, or the limit is raised, and goes as ever once it is back', async () => {
    await settle(desired('r2', ['a']));
    expect(history().overLimit).toBe(true);
    startAgent();
    lineage.add('r3 r2').add('r4 r3').add('r5 r4');
    await settle(desired('r3', ['a', 'd', 'e', 'f', 'g']));
    const open = { settings: { ...settings, removals: { max: 9, share: 100 } } };
    await settle(desired('r3', ['a', 'd', 'e', 'f', 'g'], open));
    expect([removals(), history().overLimit]).toEqual([[], true]);
    await settle(desired('r4', [...three, 'd', 'e', 'f', 'g']));
    expect(history().overLimit).toBeUndefined();
    await settle(desired('r5', ['a', 'd', 'e', 'f', 'g']));
    expect(removals().toSorted()).toEqual(['remove stack/b', 'remove stack/c']);
  });

  it('is judged by what was in force before, where that allows less', async () => {
    const open = { settings: { ...settings, removals: { max: 9, share: 100 } } };
    await settle(desired('r2', ['a'], open));
    expect([removals(), lastHeld()]).toEqual([[], expect.stringContaining('1 may go at once')]);
    expect(history().removals).toEqual({ max: 9, share: 100 });
    await settle(desired('r2', ['a'], open));
    expect(removals()).toEqual([]);
  });

  it('is judged by what is in force now, where that allows less', async () => {
    const shut = { settings: { ...settings, removals: { max: 0, share: 50 } } };
    await settle(desired('r2', ['a', 'b'], shut));
    expect([removals(), lastHeld()]).toEqual([[], expect.stringContaining('0 may go at once')]);
  });

  it.each<[string, Partial<Owner>]>([
    ['another branch', { branch: 'next' }],
    ['another folder', { path: 'infra' }],
    ['another repository', { repository: 'ssh://git@host/y' }],
  ])('is held where %s is followed, though it is the same revision', async (_what, parts) => {
    recorder = worldRecorder(world, clock, undefined, { ...place, ...parts });
    lineage.add('r1 r1');
    await settle(desired('r1', ['a', 'b']));
    expect([removals(), history().rewound]).toEqual([[], 'r1']);
    expect(lastHeld()).toContain('does not descend from the one before');
    lineage.add('r2 r1');
    await settle(desired('r2', ['a', 'b']));
    expect(removals()).toEqual([]);
  });

  it('is not removed by an approval of something else, and that is said', async () => {
    await settle(desired('r2', ['a']));
    const label = requestLabel(
      { verb: 'approve', digest: 'ffffffffffff', by: 'root@m1' },
      '0123abcd',
    );
    if (label.status !== 'ok') throw new Error(label.why);
    world.shelf.relabel({ [label.key]: label.value });
    await settle(desired('r2', ['a']));
    expect(removals()).toEqual([]);
    expect(reporter.events).toContainEqual(
      expect.objectContaining({ event: 'approval refused', digest: 'ffffffffffff' }),
    );
  });

  it('is told as removed also where nobody answered to the write that says so', async () => {
    await passOnce(desired('r2', ['a', 'b']));
    world.shelf.takeWrites();
    await passOnce(desired('r2', ['a', 'b']));
    // As many writes as it takes, the pointer last.
    const writes = world.shelf.takeWrites().length;
    startAgain();
    await settle(desired('r1', three));
    await passOnce(desired('r2', ['a', 'b']));
    const before = reporter.names().filter((name) => name === 'unit removed').length;
    world.shelf.failAfter(writes - 1, 'unknown-done');
    await passOnce(desired('r2', ['a', 'b']));
    expect(reporter.names()).toContain('waiting');
    expect(reporter.names().filter((name) => name === 'unit removed')).toHaveLength(before);
    await settle(desired('r2', ['a', 'b']));
    expect(reporter.names().filter((name) => name === 'unit removed')).toHaveLength(before + 1);
  });
});

describe('what left a unit', () => {
  /** What the unit a has beside what it is called by: see `worldKind`. */
  const wanted = (revision: string, text: string): Desired<string> => ({
    ...desired(revision, []),
    units: [worldUnit('a', text)],
  });

  beforeEach(() => settle(wanted('r1', 'v1 +side')));

  it('goes with a revision that descends from the last one', async () => {
    await settle(wanted('r2', 'v2'));
    expect(removals()).toEqual(['remove stack/a+side']);
    expect([questions, history().rewound]).toEqual([1, undefined]);
  });

  it('is held with one that does not, over restarts and later commits, until somebody approves', async () => {
    world.unsettled = true;
    for (let n = 0; n < 3; n += 1) await passOnce(wanted('r0', 'v2'));
    // Not healthy without it yet: only the history can say how it left.
    expect(history().rewound).toBe('r0');
    startAgent();
    lineage.add('r4 r0');
    await passOnce(wanted('r4', 'v3'));
    world.unsettled = false;
    await settle(wanted('r4', 'v3'));
    expect([removals(), history().rewound]).toEqual([[], undefined]);
    startAgent();
    await settle(wanted('r4', 'v3'));
    expect(removals()).toEqual([]);
    approve();
    await settle(wanted('r4', 'v3'));
    expect(removals()).toEqual(['remove stack/a+side']);
  });

  it('asks nobody where nothing of it left', async () => {
    await settle(wanted('r0', 'v2 +side'));
    expect([questions, history().rewound]).toEqual([0, undefined]);
  });
});

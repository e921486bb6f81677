import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { leaseTimes, SWARM_CALL_MS } from '../../agent/core/lease.ts';
import { readLease } from '../../agent/lease/label.ts';
import type { LeasePorts } from '../../agent/lease/ports.ts';
import type { LeaseKeeper, Reign } from '../../agent/reconcile/lease-ports.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { HeadWorld, ProcessClock, type Weather } from '../fakes/head-world.ts';
import { leaseOf } from '../fakes/lease.ts';

/** One process that would lead. */
interface Process {
  readonly who: string;
  readonly lease: LeaseKeeper;
  readonly clock: ProcessClock;
  readonly stop: AbortController;
  readonly told: string[];
  weather: (what: 'read' | 'write') => Weather;
}

const fine: Weather = { latencyMs: 5, fate: 'well' };
const away: Weather = { latencyMs: 0, fate: 'lost' };
const { signal } = new AbortController();

let time: VirtualClock;
let world: HeadWorld;
let all: Process[];
/** Holders of whom somebody on their own node knows that they are dead. */
let dead: Set<string>;

beforeEach(() => {
  time = new VirtualClock();
  world = new HeadWorld(time);
  all = [];
  dead = new Set();
});

afterEach(async () => {
  for (const { stop, clock } of all) {
    clock.goOn();
    stop.abort();
  }
  await time.advance(10_000);
});

function start(who: string, rest: Partial<LeasePorts> = {}): Process {
  const clock = new ProcessClock(time);
  const told: string[] = [];
  const process: Process = {
    who,
    clock,
    told,
    stop: new AbortController(),
    weather: () => fine,
    lease: leaseOf(
      who,
      world.keeper(who, clock, (what) => process.weather(what)),
      clock,
      {
        isDead: async (holder) => dead.has(holder),
        tell: (event) => told.push(event.event),
        ...rest,
      },
    ),
  };
  all.push(process);
  void process.lease.keep(process.stop.signal);
  return process;
}

/** The process dies: nothing of it goes on. */
function kill({ clock, stop }: Process): void {
  clock.stop();
  stop.abort();
}

const leading = (): string[] =>
  all.filter(({ lease }) => lease.refusal(SWARM_CALL_MS) === undefined).map(({ who }) => who);
const written = () => {
  const read = readLease(world.head?.labels ?? {});
  return read.status === 'there' ? read.lease : undefined;
};

describe('the lease', () => {
  it('is taken at once where nobody holds it, also where there is no head yet', async () => {
    world.head = undefined;
    const one = start('m1');
    await time.advance(100);
    expect(leading()).toEqual(['m1']);
    expect(one.lease.reign()).toMatchObject({ term: 1 });
    expect(one.told).toEqual(['lease acquired']);
  });

  it('is held by one of three, and the others know by whom', async () => {
    const three = ['m1', 'm2', 'm3'].map((who) => start(who));
    await time.advance(3_000);
    expect(leading()).toHaveLength(1);
    const first = three.map(({ told }) => told[0]);
    expect(first.filter((event) => event === 'lease acquired')).toHaveLength(1);
    expect(first.filter((event) => event === 'following')).toHaveLength(2);
  });

  it('is renewed as often as what is under way asks for, and not oftener', async () => {
    const { lease } = start('m1');
    await time.advance(500);
    const renewals = async (ms: number): Promise<number> => {
      const before = world.accepted.length;
      await time.advance(ms);
      return world.accepted.length - before;
    };
    expect(await renewals(60_000)).toBeGreaterThanOrEqual(15);
    lease.expect('idle');
    await time.advance(15_000);
    const idle = await renewals(600_000);
    expect(idle).toBeGreaterThanOrEqual(50);
    expect(idle).toBeLessThanOrEqual(60);
    expect(written()).toMatchObject({ ttlMs: 30_000, term: 1 });
    lease.expect('working');
    await time.advance(12_000);
    expect(written()).toMatchObject({ ttlMs: 15_000 });
  });

  it.each([
    ['working', 19_000],
    ['idle', 38_000],
  ] as const)('passes on when its holder dies while it is %s', async (load, takeoverMs) => {
    const one = start('m1');
    await time.advance(100);
    one.lease.expect(load);
    start('m2');
    await time.advance(30_000);
    kill(one);
    await time.advance(takeoverMs - 10_500);
    expect(all[1]?.lease.reign()).toBeUndefined();
    await time.advance(12_500);
    expect(all[1]?.lease.reign()).toMatchObject({ term: 2 });
  });

  it('passes on at once when it is given back, with nothing to wait for', async () => {
    const one = start('m1');
    await time.advance(100);
    const two = start('m2');
    await time.advance(2_000);
    one.stop.abort();
    const released = one.lease.release();
    await time.advance(1_100);
    await released;
    expect(one.told).toEqual(['lease acquired', 'lease released']);
    expect(leading()).toEqual(['m2']);
    const reign = two.lease.reign();
    expect(reign?.removalsFromMs).toBeLessThanOrEqual(time.nowMs());
  });

  it('passes on at once where the new one is told that the holder is dead', async () => {
    const one = start('m1');
    await time.advance(100);
    const two = start('m2');
    await time.advance(2_000);
    kill(one);
    dead.add(written()?.holder ?? '');
    await time.advance(1_100);
    expect(leading()).toContain('m2');
    // Who was killed may have sent something: nothing is removed at once.
    expect(two.lease.reign()?.removalsFromMs).toBeGreaterThan(time.nowMs() + 20_000);
  });

  it('is not acted upon any more before another may take it, and is lost then', async () => {
    const one = start('m1');
    const two = start('m2');
    await time.advance(5_000);
    const [holder, other] = one.lease.reign() === undefined ? [two, one] : [one, two];
    const reign: Reign | undefined = holder.lease.reign();
    holder.weather = () => away;
    await time.advance(12_000);
    expect(leading()).toEqual([]);
    expect(reign?.signal.aborted).toBe(false);
    await time.advance(10_000);
    expect(leading()).toEqual([other.who]);
    holder.weather = () => fine;
    await time.advance(8_000);
    expect(reign?.signal.aborted).toBe(true);
    expect(holder.told).toContain('lease lost');
    expect(leading()).toEqual([other.who]);
  });

  it.each(['lost', 'unanswered'] as const)(
    'is not longer held for renewals that were %s, whatever can still be read',
    async (fate) => {
      const one = start('m1');
      await time.advance(500);
      let reads = 0;
      one.weather = (what) => {
        if (what === 'write') return { latencyMs: 5, fate };
        // Before a write it is read, and what came of it cannot be read back.
        return reads++ % 2 === 0 ? fine : away;
      };
      await time.advance(12_500);
      expect(leading()).toEqual([]);
    },
  );

  it('goes on in the same term where it ended and nobody took it', async () => {
    const one = start('m1');
    await time.advance(500);
    const reign = one.lease.reign();
    one.weather = () => away;
    await time.advance(120_000);
    expect(leading()).toEqual([]);
    one.weather = () => fine;
    await time.advance(8_000);
    expect(leading()).toEqual(['m1']);
    expect(one.lease.reign()).toBe(reign);
    expect(one.told).toEqual(['lease acquired', 'waiting', 'going on']);
  });

  it('is taken after an outage of all by one of them, at the first answer', async () => {
    const three = ['m1', 'm2', 'm3'].map((who) => start(who));
    await time.advance(5_000);
    for (const one of three) one.weather = () => away;
    const holder = three.find(({ lease }) => lease.reign() !== undefined);
    if (holder !== undefined) kill(holder);
    await time.advance(60_000);
    for (const one of three) one.weather = () => fine;
    await time.advance(8_000);
    expect(leading()).toHaveLength(1);
    expect(written()?.term).toBe(2);
  });

  it.each([
    ['slept', (clock: VirtualClock) => void (clock.sleptMs += 60_000)],
    ['had its clock set', (clock: VirtualClock) => void (clock.setForwardMs += 5_000)],
  ])('is taken anew by a machine that %s', async (_what, happen) => {
    const one = start('m1');
    await time.advance(2_000);
    const reign = one.lease.reign();
    happen(time);
    // Also where nobody asks whether anything may be sent.
    await time.advance(3_000);
    expect(reign?.signal.aborted).toBe(true);
    expect(one.lease.reign()).toMatchObject({ term: 2 });
    expect(one.told).toEqual(['lease acquired', 'lease lost', 'lease acquired']);
    expect(leading()).toEqual(['m1']);
  });

  it('is not acted upon from the moment at which the machine woke up', async () => {
    start('m1');
    await time.advance(2_000);
    time.sleptMs += 60_000;
    expect(leading()).toEqual([]);
  });

  it.each<[string, () => void]>([
    ['label', () => (world.head = { id: 'head', version: 999, labels: {} })],
    ['head', () => (world.head = undefined)],
  ])(
    'whose %s somebody removed is taken by its holder, and not by another before',
    async (_what, remove) => {
      const one = start('m1');
      await time.advance(500);
      const two = start('m2');
      await time.advance(2_000);
      remove();
      // The other one looks first.
      one.clock.stop();
      await time.advance(1_500);
      expect(two.lease.reign()).toBeUndefined();
      one.clock.goOn();
      await time.advance(3_000);
      expect(leading()).toEqual(['m1']);
      expect(two.told).not.toContain('lease acquired');
    },
  );

  it('is its holder’s own for however many renewals do not get through', async () => {
    const one = start('m1');
    await time.advance(500);
    const reign = one.lease.reign();
    one.weather = (what) => (what === 'write' ? away : fine);
    await time.advance(600_000);
    one.weather = () => fine;
    await time.advance(10_000);
    expect(one.lease.reign()).toBe(reign);
    expect(one.told).toEqual(['lease acquired', 'waiting', 'going on']);
    expect(leading()).toEqual(['m1']);
  });

  it('is given back also where nobody heard that it was taken', async () => {
    const one = start('m1');
    one.weather = (what) => (what === 'write' ? { latencyMs: 5, fate: 'unanswered' } : fine);
    await time.advance(100);
    one.stop.abort();
    one.weather = () => fine;
    const released = one.lease.release();
    await time.advance(100);
    await released;
    expect(written()).toMatchObject({ ttlMs: 0 });
  });

  it.each(['unanswered', 'late', 'twice'] as const)(
    'is known to be held where the write that took it was %s',
    async (fate) => {
      let writes = 0;
      const weather = (what: 'read' | 'write'): Weather =>
        what === 'write' && writes++ === 0 ? { latencyMs: 5, fate } : fine;
      const one = start('m1');
      one.weather = weather;
      await time.advance(20_000);
      expect(leading()).toEqual(['m1']);
      expect(one.told.filter((event) => event === 'lease acquired')).toHaveLength(1);
      expect(written()?.term).toBe(fate === 'late' ? one.lease.reign()?.term : 1);
    },
  );

  it('is not led by this version where a newer one wrote it', async () => {
    world.head = {
      id: 'head',
      version: 7,
      labels: { 'understudy.lease': JSON.stringify({ schema: 2 }) },
    };
    const one = start('m1');
    await time.advance(600_000);
    expect(one.lease.reign()).toBeUndefined();
    expect(one.told).toEqual(['waiting']);
    expect(world.writes).toBe(0);
  });

  it('is taken anew where somebody removed the head, or wrote nonsense', async () => {
    const one = start('m1');
    await time.advance(2_000);
    world.head = undefined;
    await time.advance(3_000);
    expect(leading()).toEqual(['m1']);
    expect(one.lease.reign()).toMatchObject({ term: 2 });
    world.head = { id: 'head9', version: 99, labels: { 'understudy.lease': 'mine' } };
    await time.advance(30_000);
    expect(leading()).toEqual([]);
    await time.advance(15_000);
    expect(leading()).toEqual(['m1']);
    expect(one.lease.reign()).toMatchObject({ term: 3 });
  });
});

describe('a write of the head under the lease', () => {
  const count = (labels: Readonly<Record<string, string>>) => ({
    ...labels,
    n: String(Number(labels['n'] ?? '0') + 1),
  });

  it('keeps what others write in between, and is a renewal', async () => {
    const { lease } = start('m1');
    await time.advance(500);
    const before = written()?.seq ?? 0;
    const other = { ...world.head, labels: { ...world.head?.labels, theirs: 'x' } };
    let times = 0;
    const write = lease.relabel((labels) => {
      times += 1;
      if (times === 1) world.head = { id: 'head', version: 50, labels: other.labels };
      return count(labels);
    }, signal);
    await time.advance(1_000);
    expect(await write).toMatchObject({ status: 'ok' });
    expect(world.head?.labels).toMatchObject({ theirs: 'x', n: '1' });
    expect(times).toBe(2);
    expect(written()?.seq).toBeGreaterThan(before);
  });

  it('is refused where the labels are not what it was made for', async () => {
    const { lease } = start('m1');
    await time.advance(500);
    const write = lease.relabel(() => undefined, signal);
    await time.advance(100);
    expect(await write).toMatchObject({ status: 'refused', cause: 'out-of-sequence' });
  });

  it('is held back from whoever does not lead', async () => {
    start('m1');
    await time.advance(500);
    const two = start('m2');
    await time.advance(500);
    const write = two.lease.relabel(count, signal);
    await time.advance(100);
    expect(await write).toMatchObject({ status: 'refused', cause: 'held-back' });
    expect(world.head?.labels).not.toHaveProperty('n');
  });

  it('is held back from one who was stopped while another took over', async () => {
    const one = start('m1');
    await time.advance(500);
    const two = start('m2');
    await time.advance(2_000);
    one.clock.stop();
    await time.advance(25_000);
    expect(two.lease.reign()).toMatchObject({ term: 2 });
    one.clock.goOn();
    const write = one.lease.relabel(count, signal);
    expect(one.lease.refusal(0)).toBeDefined();
    await time.advance(3_000);
    expect(await write).toMatchObject({ status: 'refused', cause: 'held-back' });
    expect(leading()).toEqual(['m2']);
  });

  it.each(['unanswered', 'twice'] as const)(
    'is known to be done once where it was %s',
    async (fate) => {
      const one = start('m1');
      await time.advance(500);
      let writes = 0;
      one.weather = (what) => (what === 'write' && writes++ === 0 ? { latencyMs: 5, fate } : fine);
      const write = one.lease.relabel(count, signal);
      await time.advance(10_000);
      expect(await write).toMatchObject({ status: 'ok' });
      expect(world.head?.labels).toMatchObject({ n: '1' });
    },
  );

  it('is not known to be done where it was late, and is not done twice', async () => {
    const one = start('m1');
    await time.advance(500);
    let writes = 0;
    one.weather = (what) =>
      what === 'write' && writes++ === 0 ? { latencyMs: 900, fate: 'late' } : fine;
    const write = one.lease.relabel(count, signal);
    await time.advance(10_000);
    expect(await write).toMatchObject({ status: 'unknown' });
    expect(Number(world.head?.labels['n'] ?? 0)).toBeLessThanOrEqual(1);
    expect(leading()).toEqual(['m1']);
  });
});

const fates = fc.constantFrom<Weather['fate']>(
  'well',
  'well',
  'lost',
  'unanswered',
  'late',
  'twice',
);
const weather: fc.Arbitrary<Weather> = fc.record({
  latencyMs: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 5_500 })),
  fate: fates,
});
/** What happens to one process from a moment on. Milliseconds. */
const event = fc.record({
  atMs: fc.integer({ min: 0, max: 180_000 }),
  forMs: fc.integer({ min: 1_000, max: 60_000 }),
  who: fc.nat(2),
  what: fc.oneof(
    fc.constant({ do: 'stop' as const }),
    fc.constant({ do: 'kill' as const }),
    fc.constant({ do: 'cut' as const }),
    fc.record({ do: fc.constant('weather' as const), each: fc.array(weather, { minLength: 1 }) }),
    fc.record({
      do: fc.constant('expect' as const),
      load: fc.constantFrom('working' as const, 'idle' as const),
    }),
  ),
});

/** Calls that one made, with the time in which each may still run. */
interface Call {
  readonly who: string;
  readonly fromMs: number;
  readonly untilMs: number;
}

type Event = typeof event extends fc.Arbitrary<infer Value> ? Value : never;

async function play(events: readonly Event[]): Promise<readonly Call[]> {
  const calls: Call[] = [];
  const processes = ['m1', 'm2', 'm3'].map((who) => start(who));
  /** Each calls whenever it may, as long as a call can take. */
  const act = (process: Process): void => {
    process.clock.after(500, () => act(process));
    if (process.lease.refusal(SWARM_CALL_MS) !== undefined) return;
    const fromMs = time.nowMs();
    // A process that was killed and the one in its place are two.
    const who = `${process.who} ${String(all.indexOf(process))}`;
    calls.push({ who, fromMs, untilMs: fromMs + SWARM_CALL_MS });
  };
  for (const process of processes) act(process);
  for (const { atMs, forMs, who, what } of events) {
    const process = processes[who];
    if (process === undefined) continue;
    time.after(atMs, () => {
      switch (what.do) {
        case 'stop':
          process.clock.stop();
          time.after(forMs, () => process.clock.goOn());
          return;
        case 'kill': {
          kill(process);
          // Another one is started in its place.
          time.after(forMs, () => {
            const next = start(process.who);
            processes[who] = next;
            act(next);
          });
          return;
        }
        case 'cut':
          process.weather = () => away;
          time.after(forMs, () => (process.weather = () => fine));
          return;
        case 'weather': {
          let turn = 0;
          process.weather = () => what.each[turn++ % what.each.length] ?? fine;
          time.after(forMs, () => (process.weather = () => fine));
          return;
        }
        case 'expect':
          process.lease.expect(what.load);
      }
    });
  }
  await time.advance(250_000);
  return calls;
}

describe('several who would lead, in any weather', () => {
  it('never two act at the same time, terms only grow, and in the end one acts', async () => {
    await fc.assert(
      fc
        .asyncProperty(fc.array(event, { maxLength: 8 }), async (events) => {
          const calls = await play(events);
          const late = calls.filter(({ fromMs }) => fromMs > 245_000);
          expect(new Set(late.map(({ who }) => who)).size).toBe(1);
          for (const [index, { who, fromMs }] of calls.entries()) {
            const others = calls
              .slice(0, index)
              .filter((one) => one.who !== who && one.untilMs > fromMs);
            expect(others).toEqual([]);
          }
          const terms = world.accepted.map(({ who, labels }) => {
            const read = readLease(labels);
            return read.status === 'there' ? { who, ...read.lease } : undefined;
          });
          for (const [index, lease] of terms.entries()) {
            const before = terms[index - 1];
            if (lease === undefined || before === undefined) continue;
            const isSame = lease.nonce === before.nonce;
            expect(isSame ? lease.term === before.term : lease.term > before.term).toBe(true);
          }
        })
        .beforeEach(() => {
          time = new VirtualClock();
          world = new HeadWorld(time);
          all = [];
        })
        .afterEach(async () => {
          for (const { stop, clock } of all) {
            clock.goOn();
            stop.abort();
          }
          await time.advance(10_000);
        }),
      { numRuns: process.env['UNDERSTUDY_CRASH_POINTS'] === 'all' ? 1_000 : 40 },
    );
  }, 600_000);
});

it('the usual times are those of the design', () => {
  expect(leaseTimes.working).toEqual({ ttlMs: 15_000, renewMs: 3_000, takeoverMs: 19_000 });
});

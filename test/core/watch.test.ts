import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Health, Late } from '../../agent/core/kind.ts';
import {
  asking,
  called,
  isFutile,
  judge,
  lostNodes,
  newWatch,
  postponed,
  shifted,
  startClock,
  type Watch,
} from '../../agent/core/watch.ts';

const times = { timeoutMs: 60_000, stableForMs: 10_000 };
const start = newWatch('to d1', 0);

const well = (members = 'a'): Health => ({ status: 'converged', members, summary: 'web 1/1' });
const slow = (progress = 0): Health => ({ status: 'progressing', progress, summary: 'web 0/1' });
const bad: Health = { status: 'failing', code: 'c', why: 'w', evidence: 'e', summary: 's' };
const away: Health = { status: 'outside', why: 'node n1 is down', summary: 'web 0/1' };

type Look = readonly [atMs: number, health: Health];

/** What each look said: `open`, `healthy`, or the code of a failure. */
function verdicts(looks: readonly Look[], from: Watch = start): readonly string[] {
  let watch = from;
  return looks.map(([atMs, health]) => {
    const judged = judge(watch, health, times, atMs);
    watch = judged.watch;
    return typeof judged.verdict === 'string' ? judged.verdict : judged.verdict.code;
  });
}

describe('a verdict', () => {
  it.each<[string, readonly Look[], readonly string[]]>([
    [
      'is healthy once it was stable for long enough',
      [
        [1_000, well()],
        [10_999, well()],
        [11_000, well()],
      ],
      ['open', 'open', 'healthy'],
    ],
    ['is never healthy at the first look, however late that is', [[9_000_000, well()]], ['open']],
    [
      'waits anew after a restart of a task',
      [
        [0, well('a')],
        [9_000, well('b')],
        [18_999, well('b')],
        [19_000, well('b')],
      ],
      ['open', 'open', 'open', 'healthy'],
    ],
    [
      'waits anew after a moment in which something was missing',
      [
        [0, well()],
        [5_000, slow(1)],
        [6_000, well()],
        [15_999, well()],
        [16_000, well()],
      ],
      ['open', 'open', 'open', 'open', 'healthy'],
    ],
    ['is a failure at once where that is certain', [[1, bad]], ['c']],
    [
      'waits while more evidence is read, but not for ever',
      [
        [1, { ...bad, reading: true }],
        [59_999, { ...bad, reading: true }],
        [60_000, { ...bad, reading: true }],
      ],
      ['open', 'open', 'c'],
    ],
    [
      'is a failure after too long without progress',
      [
        [59_999, slow()],
        [60_000, slow()],
      ],
      ['open', 'timeout'],
    ],
    [
      'waits on while there is progress',
      [
        [59_999, slow(1)],
        [119_998, slow(1)],
        [119_999, slow(1)],
      ],
      ['open', 'open', 'timeout'],
    ],
    [
      'counts no progress that was there before',
      [
        [10_000, slow(2)],
        [40_000, slow(1)],
        [69_999, slow(2)],
        [70_000, slow(2)],
      ],
      ['open', 'open', 'open', 'timeout'],
    ],
    [
      'is a failure where it converges again and again and never stays',
      [
        [10_000, well('a')],
        [40_000, slow(1)],
        [69_999, well('b')],
        [70_000, slow(1)],
      ],
      ['open', 'open', 'open', 'timeout'],
    ],
    [
      'is a failure where its tasks are never the same ones',
      [
        [0, well('a')],
        [30_000, well('b')],
        [69_999, well('c')],
        [70_000, well('d')],
      ],
      ['open', 'open', 'open', 'timeout'],
    ],
    [
      'lets a task that came late be stable first',
      [
        [0, well('a')],
        [69_999, well('b')],
        [75_000, well('b')],
        [79_999, well('b')],
      ],
      ['open', 'open', 'open', 'healthy'],
    ],
    [
      'does not count the time of a cause outside',
      [
        [50_000, slow()],
        [60_000, away],
        [5_000_000, away],
        [5_009_999, slow()],
        [5_010_000, slow()],
      ],
      ['open', 'open', 'open', 'open', 'timeout'],
    ],
    [
      'does not count it as being stable either',
      [
        [0, well()],
        [1_000, away],
        [900_000, away],
        [909_999, well()],
        [910_000, well()],
      ],
      ['open', 'open', 'open', 'open', 'healthy'],
    ],
  ])('%s', (_name, looks, expected) => {
    expect(verdicts(looks)).toEqual(expected);
  });

  const ask = { name: 'log of x', question: { ask: 'log', task: 'x', everyMs: 1, timeoutMs: 1 } } as const; // prettier-ignore
  const unread = { evidence: 'so far', asks: [ask], reading: true } as const;
  const read = { evidence: 'with lines', asks: [ask] } as const;
  const slowWith = (late: Late, progress = 0): Health => ({
    status: 'progressing',
    progress,
    summary: 'web 0/1',
    late,
  });
  const wellWith = (late: Late): Health => ({
    status: 'converged',
    members: 'b',
    summary: 'web 1/1',
    late,
  });
  const badWith: Health = { ...bad, reading: true };
  it.each<[string, readonly Look[], readonly string[]]>([
    [
      'for want of progress waits for what is read, a moment',
      [
        [59_999, slowWith(unread)],
        [60_000, slowWith(unread)],
        [64_999, slowWith(unread)],
        [65_000, slowWith(unread)],
      ],
      ['open', 'open asks', 'open asks', 'so far'],
    ],
    [
      'has what was read as soon as all of it was, and asks no more',
      [
        [60_000, slowWith(unread)],
        [60_001, slowWith(read)],
      ],
      ['open asks', 'with lines'],
    ],
    [
      'is read for from when it is found to be due, however late that is',
      [
        [900_000, slowWith(unread)],
        [904_999, slowWith(unread)],
      ],
      ['open asks', 'open asks'],
    ],
    [
      'asks for nothing any more once there is progress, and anew when that ends',
      [
        [60_000, slowWith(unread)],
        [60_001, slowWith(unread, 1)],
        [120_001, slowWith(unread, 1)],
        [125_000, slowWith(unread, 1)],
        [125_001, slowWith(unread, 1)],
      ],
      ['open asks', 'open', 'open asks', 'open asks', 'so far'],
    ],
    [
      'that its tasks do not stay is put off by none of them that stays for a moment',
      [
        [0, well('a')],
        [70_000, wellWith(unread)],
        [70_001, wellWith(read)],
      ],
      ['open', 'open asks', 'with lines'],
    ],
    [
      'that becomes certain while it is read for keeps to the same moment',
      [
        [60_000, slowWith(unread)],
        [64_999, badWith],
        [65_000, badWith],
      ],
      ['open asks', 'open', 'e'],
    ],
    [
      'that is certain shortly before the time is over has its moment too',
      [
        [59_000, badWith],
        [60_000, badWith],
        [64_000, badWith],
      ],
      ['open', 'open', 'e'],
    ],
    [
      'waits no longer for what is read than its time where a cause outside came between',
      [
        [60_000, slowWith(unread)],
        [61_000, away],
        [500_000, away],
        [504_999, slowWith(unread)],
        [505_000, slowWith(unread)],
      ],
      ['open asks', 'open', 'open', 'open asks', 'so far'],
    ],
  ])('%s', (_name, looks, expected) => {
    let watch = start;
    const told = looks.map(([atMs, health]) => {
      const judged = judge(watch, health, times, atMs);
      watch = judged.watch;
      const { verdict, asks } = judged;
      if (typeof verdict !== 'string') return verdict.evidence;
      expect(asking(health, judged).asks).toEqual(asks);
      return asks === undefined ? verdict : `${verdict} asks`;
    });
    expect(told).toEqual(expected);
  });

  it('adds what is read for it to what is asked anyway', () => {
    const health: Health = { ...slowWith(unread), asks: [{ ...ask, name: 'other' }] };
    const judged = judge(start, health, times, 60_000);
    expect(asking(health, judged).asks?.map(({ name }) => name)).toEqual(['other', 'log of x']);
  });

  it('says what was seen', () => {
    expect(judge(start, slow(), times, 60_000).verdict).toEqual({
      code: 'timeout',
      why: 'no progress for 60 s',
      evidence: 'web 0/1',
    });
    const { verdict } = judge({ ...start, members: 'z', progress: 1e99 }, well(), times, 70_000);
    expect(verdict).toEqual({
      code: 'timeout',
      why: 'no progress for 70 s: its tasks do not stay',
      evidence: 'web 1/1',
    });
  });

  it('is long in coming after 15 minutes of a cause outside, also where the cause changes', () => {
    const first = judge(start, away, times, 1_000).watch;
    const other = judge(first, { ...away, why: 'no leader' }, times, 900_999).watch;
    expect(other.outside).toEqual({ why: 'no leader', sinceMs: 1_000, long: false });
    const long = judge(other, away, times, 901_000).watch;
    expect(long.outside).toMatchObject({ sinceMs: 1_000, long: true });
    expect(judge(long, slow(), times, 901_001).watch.outside).toBeUndefined();
  });

  const health = fc.oneof(
    fc.constantFrom('a', 'b').map(well),
    fc.integer({ min: 0, max: 3 }).map(slow),
    fc.constant(away),
  );
  const looks = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), health), {
    maxLength: 60,
    size: 'max',
  });

  it('is healthy only where the same tasks ran at every look of `stableForMs`', () => {
    fc.assert(
      fc.property(looks, (seen) => {
        let watch = start;
        let nowMs = 0;
        let since: { readonly members: string; readonly ms: number } | undefined;
        for (const [ms, one] of seen) {
          nowMs += ms;
          const before = since;
          if (one.status === 'converged' && since?.members === one.members) {
            since = { ...since, ms: since.ms + ms };
          } else if (one.status !== 'outside') {
            since = one.status === 'converged' ? { members: one.members, ms: 0 } : undefined;
          }
          const judged = judge(watch, one, times, nowMs);
          const stable = since !== undefined && since !== before && since.ms >= times.stableForMs;
          expect(judged.verdict === 'healthy').toBe(stable);
          watch = judged.watch;
        }
      }),
    );
  });

  it('comes: whatever is seen, as long as no cause is outside', () => {
    const inside = fc.array(
      health.filter(({ status }) => status !== 'outside'),
      { minLength: 400, maxLength: 400 },
    );
    fc.assert(
      fc.property(inside, (seen) => {
        const all = verdicts(seen.map((one, at): Look => [at * 1_000, one]));
        // 3 steps of progress, then convergence, each of them `timeoutMs` late, and a last one to be stable.
        expect(all.slice(0, 321).some((verdict) => verdict !== 'open')).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('is the same where nothing could be seen for a while', () => {
    fc.assert(
      fc.property(looks, fc.nat(59), fc.integer({ min: 0, max: 1e7 }), (seen, blindAt, blindMs) => {
        let atMs = 0;
        const timed = seen.map(([ms, one]): Look => [(atMs += ms), one]);
        const watched = timed
          .slice(0, blindAt)
          .reduce((watch, [nowMs, one]) => judge(watch, one, times, nowMs).watch, start);
        const rest = timed.slice(blindAt);
        const later = rest.map(([ms, one]): Look => [ms + blindMs, one]);
        expect(verdicts(later, shifted(watched, blindMs))).toEqual(verdicts(rest, watched));
      }),
    );
  });
});

describe('a call', () => {
  it('that ended open is tried again later and later, and after five minutes at the latest', () => {
    let watch = start;
    const waits = Array.from({ length: 30 }, () => {
      watch = postponed(watch, { why: 'no answer', refused: false }, 1_000, 7);
      return watch.retryAtMs - 7;
    });
    expect(waits.slice(0, 10)).toEqual([
      1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000,
    ]);
    expect(new Set(waits.slice(10))).toEqual(new Set([300_000]));
    expect(watch).toMatchObject({ tries: 30, trouble: 'no answer', rounds: 0 });
  });

  it('that went well ends the trouble before it', () => {
    const watch = called(
      postponed({ ...start, refused: 'r' }, { why: 'no answer', refused: true }, 1_000, 0),
      5,
    );
    expect(watch).toMatchObject({ tries: 0, rounds: 1, retryAtMs: 5, calledAtMs: [5] });
    expect(watch.trouble).toBeUndefined();
    expect(watch.refused).toBeUndefined();
  });

  it('that goes well again and again is made at once, then later, and is futile in the end', () => {
    let watch = start;
    const rounds = [0, 1, 2].map(() => {
      watch = called(watch, 0);
      return [watch.retryAtMs, isFutile(watch)];
    });
    expect(rounds).toEqual([
      [0, false],
      [4_000, false],
      [8_000, true],
    ]);
  });

  it('begins the clock of health, which knows nothing of what was before', () => {
    const before = {
      ...postponed(start, { why: 'x', refused: false }, 1, 0),
      members: 'a',
      progress: 9,
    };
    const { trouble, members, ...clock } = startClock(before, 50_000);
    expect([trouble, members]).toEqual([undefined, undefined]);
    expect(clock).toMatchObject({
      sinceMs: 0,
      progress: 0,
      progressAtMs: 50_000,
      membersSinceMs: 50_000,
      lookedAtMs: 50_000,
    });
  });
});

describe('lost nodes', () => {
  it.each<[string, readonly string[], readonly string[], readonly string[], readonly string[]]>([
    ['are those that went away', [], ['n1'], [], ['n1']],
    ['are not those that were away before', [], ['n1', 'n2'], ['n1'], ['n2']],
    ['stay noted when they come back', ['n1'], [], [], ['n1']],
    ['are noted once', ['n1'], ['n1', 'n2'], [], ['n1', 'n2']],
  ])('%s', (_name, lost, absent, before, expected) => {
    expect(lostNodes({ ...start, lost }, absent, before).lost).toEqual(expected);
  });

  it('leave the watch as it is where none is new', () => {
    expect(lostNodes(start, ['n1'], ['n1'])).toBe(start);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  type Instant,
  type Lease,
  leaseProblem,
  leaseTimes,
  type LeaseTimes,
  mayTake,
  passed,
  type SeenLease,
  SWARM_CALL_MS,
  timeLeft,
} from '../../agent/core/lease.ts';

const lease = (ttlMs: number): Lease => ({
  holder: 'n1/p',
  node: 'm1',
  nonce: '0123456789abcdef',
  term: 3,
  seq: 8,
  ttlMs,
  version: '1',
  schema: 1,
});
const there = (ttlMs: number): SeenLease => ({
  status: 'there',
  sinceMs: 1_000,
  lease: lease(ttlMs),
});
const at = (monotonicMs: number, bootMs = monotonicMs, wallMs = monotonicMs): Instant => ({
  monotonicMs,
  bootMs,
  wallMs,
});

describe('whether the lease may be taken', () => {
  it.each<[string, SeenLease, number, boolean]>([
    ['where there is none', { status: 'none', sinceMs: 1_000 }, 1_000, true],
    ['where it was given back', there(0), 1_000, true],
    ['of one who works, a moment too early', there(15_000), 19_999, false],
    ['of one who works', there(15_000), 20_000, true],
    ['of one who idles, as if he worked', there(30_000), 20_000, false],
    ['of one who idles, a moment too early', there(30_000), 38_999, false],
    ['of one who idles', there(30_000), 39_000, true],
    ['of one with longer times than ours, before it ended', there(60_000), 61_000, false],
    ['of one with longer times than ours', there(60_000), 73_000, true],
    ['that nobody can read, too early', { status: 'damaged', sinceMs: 1_000 }, 38_999, false],
    ['that nobody can read', { status: 'damaged', sinceMs: 1_000 }, 39_000, true],
    ['of a newer version', { status: 'newer', sinceMs: 1_000, schema: 2 }, 9_999_999, false],
  ])('%s', (_what, seen, nowMs, expected) => {
    expect(mayTake(seen, leaseTimes, nowMs)).toBe(expected);
  });

  it('only after the holder has stopped acting, whatever the times and whoever is late to see it', () => {
    const pace = fc.record({
      ttlMs: fc.integer({ min: 1_000, max: 120_000 }),
      renewMs: fc.integer({ min: 500, max: 30_000 }),
      takeoverMs: fc.integer({ min: 1_000, max: 200_000 }),
    });
    const times = fc.record({
      working: pace,
      idle: pace,
      stopBeforeMs: fc.integer({ min: 500, max: 10_000 }),
    });
    fc.assert(
      fc.property(
        times,
        fc.constantFrom('working' as const, 'idle' as const),
        fc.nat(5_000),
        fc.nat(300_000),
        (set: LeaseTimes, load, lateMs, waitMs) => {
          fc.pre(leaseProblem(set, SWARM_CALL_MS) === undefined);
          const { ttlMs } = set[load];
          // Sent at 0, seen at `lateMs`, judged `waitMs` after that: the clocks count the same.
          const seen: SeenLease = { status: 'there', sinceMs: lateMs, lease: lease(ttlMs) };
          const nowMs = lateMs + waitMs;
          const left = timeLeft({ from: at(0), ttlMs }, at(nowMs), set.stopBeforeMs);
          return !mayTake(seen, set, nowMs) || left.ms < 0;
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('what has passed', () => {
  it.each<[string, Instant, { ms: number; agree: boolean }]>([
    ['by all clocks', at(5_000), { ms: 4_000, agree: true }],
    ['with a small step of the wall clock', at(5_000, 5_000, 6_500), { ms: 5_500, agree: true }],
    ['while the machine slept', at(5_000, 65_000, 65_000), { ms: 64_000, agree: false }],
    [
      'while the wall clock was set forward',
      at(5_000, 5_000, 9_000_000),
      { ms: 8_999_000, agree: false },
    ],
    ['while it was set back', at(5_000, 5_000, -90_000), { ms: 4_000, agree: false }],
    ['with two seconds between them', at(5_000, 7_000, 5_000), { ms: 6_000, agree: false }],
  ])('%s', (_what, now, expected) => {
    expect(passed(at(1_000), now)).toEqual(expected);
  });
});

describe('times of a lease', () => {
  const { working, idle } = leaseTimes;

  it('that nobody set leave room for the longest call between two renewals', () => {
    expect(leaseProblem(leaseTimes, SWARM_CALL_MS)).toBeUndefined();
    // Of all that is planned: a subvolume may take 8 s (DESIGN 8).
    expect(leaseProblem(leaseTimes, 8_000)).toBeUndefined();
  });

  it.each<[string, Partial<LeaseTimes>, readonly string[]]>([
    ['too short for its renewals', { working: { ...working, ttlMs: 12_999 } }, ['working', 'ttl']],
    ['renewed too seldom', { idle: { ...idle, renewMs: 20_001 } }, ['idle', 'ttl']],
    ['that ends early by too much', { stopBeforeMs: 5_001 }, ['working', 'ttl']],
    [
      'taken over too early',
      { working: { ...working, takeoverMs: 17_999 } },
      ['working', 'takeover'],
    ],
  ])('are refused: %s', (_what, change, key) => {
    expect(leaseProblem({ ...leaseTimes, ...change }, SWARM_CALL_MS)).toMatchObject({ key });
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { afterGap, GAP_COUNTS_MS, type Gap } from '../../agent/core/gap.ts';
import type { Health, Id } from '../../agent/core/kind.ts';
import { judge, newWatch, postponed, type Watch } from '../../agent/core/watch.ts';

const ID: Id = 'stack/blog';
const times = { timeoutMs: 60_000, stableForMs: 10_000 };
const slow: Health = { status: 'progressing', progress: 0, summary: 'web 0/1' };
const well: Health = { status: 'converged', members: 'a', summary: 'web 1/1' };
const away: Health = { status: 'outside', why: 'node n1 is down', summary: 'web 0/1' };

function after(watch: Watch, gap: Gap): Watch {
  const found = afterGap(new Map([[ID, watch]]), gap).get(ID);
  if (found === undefined) throw new Error('the watch is gone');
  return found;
}

/** How old what a watch says is at that time. */
function ages({ progressAtMs, membersSinceMs, lookedAtMs, refusedSinceMs }: Watch, nowMs: number) {
  const refusedMs = refusedSinceMs === undefined ? undefined : nowMs - refusedSinceMs;
  return [nowMs - progressAtMs, nowMs - membersSinceMs, nowMs - lookedAtMs, refusedMs];
}

const refused = { why: 'port taken', refused: true };

describe('a gap between two looks', () => {
  const start = { ...newWatch('to d1', 0), refusedSinceMs: 0 };
  it.each<[string, Partial<Gap>, Partial<Watch>, number]>([
    ['counts where it is as short as usual', { nowMs: 12_000 }, {}, 12_000],
    ['counts up to the bound', { nowMs: 13_000 }, {}, 13_000],
    ['counts no more than the bound', { nowMs: 13_001 }, {}, 13_000],
    ['counts no more than the bound, however long it is', { nowMs: 9_000_000 }, {}, 13_000],
    ['does not count where nothing could be seen', { nowMs: 11_000, blind: true }, {}, 10_000],
    ['does not count for a unit that stands', { nowMs: 900_000 }, { stands: true }, 10_000],
  ])('%s', (_name, gap, watch, ageMs) => {
    const whole = { fromMs: 10_000, nowMs: 10_000, blind: false, ...gap };
    const result = after({ ...start, ...watch }, whole);
    expect(ages(result, whole.nowMs)).toEqual([ageMs, ageMs, ageMs, ageMs]);
    expect(result.stands).toBeUndefined();
  });

  it('counts what a call in it began no further back than that', () => {
    const early = postponed(newWatch('to d1', 0), refused, 1_000, 10_500);
    const late = postponed(newWatch('to d1', 0), refused, 1_000, 69_000);
    const gap = { fromMs: 10_000, nowMs: 70_000, blind: false };
    expect([early, late].map((watch) => ages(after(watch, gap), 70_000)[3])).toEqual([
      GAP_COUNTS_MS,
      1_000,
    ]);
  });

  it('neither changes nor forgets when to try again, since when it goes on, and what was seen', () => {
    const before = { ...postponed(newWatch('to d1', 5), refused, 1_000, 7), members: 'a' };
    const { progressAtMs, membersSinceMs, lookedAtMs, refusedSinceMs, ...kept } = before;
    const result = after(before, { fromMs: 7, nowMs: 500_000, blind: false });
    expect(result).toMatchObject(kept);
    expect([progressAtMs, membersSinceMs, lookedAtMs, refusedSinceMs]).toEqual([5, 5, 5, 7]);
  });

  const anyGap = fc.record({
    ms: fc.integer({ min: 0, max: 400_000 }),
    blind: fc.boolean(),
    stands: fc.boolean(),
    health: fc.constantFrom(slow, well, away),
  });

  it('counts so that a verdict needs as many looks as if all of them were close together', () => {
    fc.assert(
      fc.property(fc.array(anyGap, { maxLength: 60, size: 'max' }), (gaps) => {
        let real = newWatch('to d1', 0);
        let ideal = newWatch('to d1', 0);
        let nowMs = 0;
        let idealMs = 0;
        for (const { ms, blind, stands, health } of gaps) {
          const fromMs = nowMs;
          nowMs += ms;
          idealMs += blind || stands ? 0 : Math.min(ms, GAP_COUNTS_MS);
          const before: Watch = stands ? { ...real, stands } : real;
          const one = judge(after(before, { fromMs, nowMs, blind }), health, times, nowMs);
          const other = judge(ideal, health, times, idealMs);
          expect(one.verdict).toEqual(other.verdict);
          real = one.watch;
          ideal = other.watch;
        }
      }),
    );
  });
});

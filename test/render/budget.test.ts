import { describe, expect, it } from 'vitest';

import { Budget, wallMsOf } from '../../agent/render/budget.ts';
import { VirtualClock } from '../fakes/clock.ts';

const deadlineMs = 10_000;

function budget(usedMs: () => number | undefined) {
  const clock = new VirtualClock();
  const ends: number[] = [];
  const made = new Budget({
    clock,
    deadlineMs,
    used: async () => usedMs(),
    spent: () => ends.push(clock.nowMs()),
  });
  const beganMs = clock.nowMs();
  return { clock, made, endedMs: () => ends.map((ms) => ms - beganMs) };
}

describe('the time of a child', () => {
  it('ends at its deadline where it works all the time', async () => {
    const { clock, made, endedMs } = budget(() => clock.nowMs());
    made.run();
    await clock.advance(60_000);
    expect(endedMs()).toEqual([deadlineMs]);
  });

  it('lasts longer where others have the processors, until it used so much itself', async () => {
    let usedMs = 0;
    const { clock, made, endedMs } = budget(() => usedMs);
    made.run();
    for (let second = 0; second < 40; second += 1) {
      usedMs += 300;
      await clock.advance(1_000);
    }
    const [endMs = 0] = endedMs();
    expect(endMs).toBeGreaterThan(30_000);
    expect(endMs).toBeLessThan(37_000);
  });

  it('ends all the same where it does nothing', async () => {
    const { clock, made, endedMs } = budget(() => 0);
    made.run();
    await clock.advance(3_600_000);
    expect(endedMs()).toEqual([wallMsOf(deadlineMs)]);
  });

  it('is that of the clock where nobody knows what it used', async () => {
    const { clock, made, endedMs } = budget(() => undefined);
    made.run();
    await clock.advance(3_600_000);
    expect(endedMs()).toEqual([deadlineMs]);
  });

  it('stands still while it is stopped', async () => {
    const { clock, made, endedMs } = budget(() => undefined);
    made.run();
    await clock.advance(9_000);
    made.stop();
    await clock.advance(3_600_000);
    expect(endedMs()).toEqual([]);
    made.run();
    await clock.advance(999);
    expect(endedMs()).toEqual([]);
    await clock.advance(1);
    expect(endedMs()).toEqual([3_600_000 + deadlineMs]);
  });
});

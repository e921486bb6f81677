import { describe, expect, it } from 'vitest';

import { LookBeside, WAIT_MS } from '../../../agent/providers/ceph/look-beside.ts';
import type { ClusterSight, Wanted } from '../../../agent/providers/ceph/observed.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import { empty } from './model.ts';

const away = (why: string): ClusterSight => ({ status: 'away', why });
const seen = (fsid: string): ClusterSight => ({ status: 'seen', seen: { ...empty, fsid } });
const wantedOf = (...clients: readonly string[]): Wanted => ({ clients: new Set(clients), places: [] }); // prettier-ignore
const LATE = 'it takes longer than 2 s to look at it: what is found comes later';

/** Looks that take so long each, and then give the next of these; the last one again and again. */
function looking(tookMs: number, ...outcomes: readonly ClusterSight[]) {
  const clock = new VirtualClock();
  const began: number[] = [];
  let took = tookMs;
  const late: number[] = [];
  const looks = new LookBeside({
    clock,
    waitMs: WAIT_MS,
    seenLate: () => void late.push(clock.nowMs()),
    look: async (_, signal) => {
      const at = began.length;
      began.push(clock.nowMs());
      await clock.sleep(took, signal);
      return outcomes[at] ?? outcomes.at(-1) ?? away('nothing was said');
    },
  });
  const ask = (wanted = wantedOf(), signal = new AbortController().signal) => looks.ask(wanted, signal); // prettier-ignore
  /** Asks, and lets so much time go by before it says what came of it. */
  const after = async (ms: number, wanted = wantedOf()): Promise<string> => {
    let said = 'still waits';
    void ask(wanted).then((sight) => {
      said = sight.status === 'seen' ? sight.seen.fsid : `${sight.status}: ${sight.why}`;
    });
    await clock.advance(ms);
    return said;
  };
  const takes = (ms: number): void => {
    took = ms;
  };
  return { clock, began, late, looks, ask, after, takes };
}

describe('a look', () => {
  it('that is quick is waited for, and made each time', async () => {
    const { after, began } = looking(20, seen('a'), seen('b'));
    expect(await after(20)).toBe('a');
    expect(await after(20)).toBe('b');
    expect(began).toEqual([0, 20]);
  });

  it('is not waited for longer than two seconds, and what came of it is there the next time', async () => {
    const { after, began } = looking(3_000, seen('a'));
    expect(await after(2_000)).toBe(`away: ${LATE}`);
    // The next pass comes while it is under way, and waits for the same one.
    expect(await after(1_000)).toBe('a');
    expect(began).toEqual([0]);
    expect(await looking(2_001, seen('a')).after(1_999)).toBe('still waits');
  });

  it('of which the outcome is had once is followed by another one, beside the pass', async () => {
    const slow = looking(3_000, seen('a'), seen('b'), seen('c'));
    expect(await slow.after(10_000)).toBe(`away: ${LATE}`);
    expect(await slow.after(0)).toBe('a');
    expect(slow.began).toEqual([0, 10_000]);
    await slow.clock.advance(10_000);
    expect(await slow.after(0)).toBe('b');
  });

  it('that a pass waited for in vain wakes another one when it is over, and no other does', async () => {
    const slow = looking(3_000, seen('a'));
    await slow.after(10_000);
    expect(slow.late).toEqual([3_000]);
    // The next one is made beside the pass.
    for (let pass = 0; pass < 3; pass += 1) expect(await slow.after(10_000)).toBe('a');
    expect(slow.late).toEqual([3_000]);
    // Somebody waits for it again, and has it.
    const waited = looking(3_000, seen('a'));
    await waited.after(2_000);
    expect(await waited.after(1_000)).toBe('a');
    expect(waited.late).toEqual([]);
    const quick = looking(20, seen('a'));
    await quick.after(20);
    const gone = looking(14_000, away('no quorum'));
    await gone.after(20_000);
    expect([quick.late, gone.late]).toEqual([[], []]);
  });

  it('that was late is made anew once it is quick again', async () => {
    const { after, takes, clock, began } = looking(3_000, seen('a'), seen('b'), seen('c'));
    await after(10_000);
    takes(20);
    expect(await after(0)).toBe('a');
    await clock.advance(10_000);
    expect(await after(20)).toBe('c');
    expect(began).toEqual([0, 10_000, 20_000]);
  });

  it('counts after a long interval, and after many short ones', async () => {
    const long = looking(3_000, seen('a'));
    await long.after(300_000);
    expect(await long.after(0)).toBe('a');
    // Each pass waits for the same look.
    const short = looking(14_000, seen('a'));
    for (let pass = 0; pass < 6; pass += 1) expect(await short.after(2_000)).toBe(`away: ${LATE}`);
    expect(await short.after(2_000)).toBe('a');
    expect(short.began).toEqual([0]);
  });

  it('that was made for other units does not count', async () => {
    const { after, began } = looking(3_000, seen('a'), seen('b'));
    await after(10_000);
    expect(await after(2_000, wantedOf('client.x'))).toBe(`away: ${LATE}`);
    expect(began).toEqual([0, 10_000]);
  });

  it('ends the wait of who stops, and goes on', async () => {
    const { ask, clock, after, began } = looking(3_000, seen('a'));
    const stop = new AbortController();
    const answer = ask(wantedOf(), stop.signal).catch((error: unknown) => String(error));
    await clock.advance(500);
    stop.abort(new Error('stop'));
    expect(await answer).toBe('Error: stop');
    await clock.advance(5_000);
    expect(await after(0)).toBe('a');
    expect(began).toEqual([0, 5_500]);
  });

  it('that throws is told to whoever asks', async () => {
    const clock = new VirtualClock();
    const looks = new LookBeside({
      clock,
      waitMs: WAIT_MS,
      look: async () => await Promise.reject(new Error('a bug')),
    });
    await expect(looks.ask(wantedOf(), new AbortController().signal)).rejects.toThrow('a bug');
    expect(looks.isLooking).toBe(false);
  });
});

describe('what was read before a write of ours', () => {
  it('does not count, whether it is over or not', async () => {
    const over = looking(3_000, seen('a'), seen('b'));
    await over.after(10_000);
    over.looks.writing()();
    expect(await over.after(2_000)).toBe(`away: ${LATE}`);
    expect(over.began).toEqual([0, 10_000]);
    const under = looking(1_500, seen('a'), seen('b'));
    const asked = under.ask();
    await under.clock.advance(1_000);
    under.looks.writing()();
    expect(under.looks.isLooking).toBe(false);
    await under.clock.advance(1_000);
    expect(await asked).toEqual(away(LATE));
    expect(under.began).toEqual([0, 1_000]);
  });

  it('is read again for the next pass where that takes long, once nothing more is written', async () => {
    const { after, looks, clock, began } = looking(3_000, seen('a'), seen('b'), seen('c'));
    await after(10_000);
    looks.writing()();
    await clock.advance(400);
    const written = looks.writing();
    await clock.advance(1_000);
    written();
    await clock.advance(10_000);
    expect(began).toEqual([0, 11_900]);
    expect(await after(0)).toBe('b');
    // What was begun with that does not count: something is written once more, and the agent ends.
    looks.writing()();
    looks.close();
    await clock.advance(10_000);
    expect(began).toHaveLength(3);
  });

  it('is not read again where a look is quick, or nobody answers', async () => {
    for (const { after, looks, clock, began } of [
      looking(20, seen('a')),
      looking(5_000, away('x')),
    ]) {
      await after(10_000);
      looks.writing()();
      await clock.advance(10_000);
      expect(began).toEqual([0]);
    }
  });

  it('does not count where it began while that was under way', async () => {
    const { ask, after, looks, clock, began } = looking(1_500, seen('a'), seen('b'));
    const written = looks.writing();
    const asked = ask();
    await clock.advance(1_000);
    written();
    await clock.advance(1_000);
    // What was left of the wait was not enough for another one.
    expect(await asked).toEqual(away(LATE));
    expect(began).toEqual([0, 1_000]);
    expect(await after(500)).toBe('b');
  });
});

describe('a cluster that is away', () => {
  it('is looked at ever more rarely, and says why it is away', async () => {
    const { after, began, clock } = looking(5_000, away('no quorum'));
    expect(await after(2_000)).toBe(`away: ${LATE}`);
    await clock.advance(8_000);
    for (let pass = 0; pass < 40; pass += 1) expect(await after(10_000)).toBe('away: no quorum');
    const gaps = began.slice(1).map((ms, at) => ms - (began[at] ?? 0));
    expect(gaps).toEqual([20_000, 20_000, 30_000, 50_000, 70_000, 70_000, 70_000, 70_000]);
  });

  it('takes no time of a pass until it is looked at again', async () => {
    const { after, began } = looking(20, away('refused'), seen('a'));
    expect(await after(20)).toBe('away: refused');
    expect(await after(0)).toBe('away: refused');
    expect(await after(5_000)).toBe('away: refused');
    expect(began).toHaveLength(1);
    expect(await after(20)).toBe('a');
  });

  it('is looked at as before once it is back', async () => {
    const { after, clock } = looking(20, away('x'), away('y'), seen('a'), away('z'), seen('b'));
    for (const ms of [5_000, 10_000, 20]) {
      await after(20);
      await clock.advance(ms);
    }
    expect(await after(20)).toBe('away: z');
    await clock.advance(5_000);
    expect(await after(20)).toBe('b');
  });
});

it('is not looked at any more once it is closed', async () => {
  const { after, looks, began } = looking(3_000, seen('a'));
  await after(10_000);
  looks.close();
  expect(await after(0)).toBe('away: the agent ends');
  expect(began).toEqual([0]);
});

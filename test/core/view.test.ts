import { describe, expect, it } from 'vitest';

import type { Health } from '../../agent/core/kind.ts';
import type { Moved } from '../../agent/core/look.ts';
import { type Phase, type UnitRecord, unknownUnit } from '../../agent/core/unit.ts';
import { viewOf, waitingEvents, wakeOf } from '../../agent/core/view.ts';
import { newWatch, type Watch } from '../../agent/core/watch.ts';
import { unitOf } from '../fakes/unit-world.ts';

const at = '2026-11-20T10:00:00.000Z';
const unit = unitOf('d2', { web: 'good 2' });
const health: Health = { status: 'converged', members: 'a', summary: 'web 1/1' };
const release = (digest: string) => ({ digest, revision: 'r', at, content: null });
const entry = { digest: 'd2', revision: 'r', code: 'c', why: 'w', evidence: 'e', at };

function moved(
  record: UnitRecord | undefined,
  rest: Partial<Moved<string>> = {},
  watch: Partial<Watch> = {},
): Moved<string> {
  return {
    record,
    watch: { ...newWatch('x', 1_000), ...watch },
    operations: [],
    events: [],
    ...rest,
  };
}

const inPlace: UnitRecord = { ...unknownUnit, releases: [release('d2'), release('d1')] };
const before: UnitRecord = { ...unknownUnit, releases: [release('d1'), release('d2')] };
const failed: UnitRecord = { ...before, quarantine: [entry] };
const inPhase = (phase: Phase): UnitRecord => ({ ...before, phase });
const operation = {
  target: 'service web',
  verb: 'update',
  phase: 'change',
  effect: 'restart',
  fields: [],
  call: 'x',
} as const;

describe('a view', () => {
  it.each<[string, Moved<string>, { readonly pending: boolean; readonly quarantined?: boolean }]>([
    ['of what is in place is not pending', moved(inPlace), { pending: false }],
    ['of what is in place and drifts is not', moved(inPlace, { held: 'h' }), { pending: false }],
    ['of a digest that waits to begin is', moved(before, { held: 'h' }), { pending: true }],
    [
      'of a digest that waits for a unit that is under way is',
      moved(before, { held: 'h', wait: { why: 'h' } }),
      { pending: true },
    ],
    [
      'of a digest that waits for a unit that failed is not',
      moved(before, { held: 'h', wait: { why: 'h', ended: 'failed' } }),
      { pending: false },
    ],
    [
      'of a first deploy that waits for a unit that failed is not',
      moved(undefined, { held: 'h', wait: { why: 'h', ended: 'failed' } }),
      { pending: false },
    ],
    ['of a digest that failed is not', moved(failed), { pending: false, quarantined: true }],
    ['of what nobody knows is', moved(undefined, { held: 'h' }), { pending: true }],
    [
      'of what was there before us and is not well is not',
      moved(undefined, { health }),
      { pending: false },
    ],
    ['of what is applied is', moved(inPhase('applying')), { pending: true }],
    ['of what verifies is', moved(inPhase('verifying')), { pending: true }],
    ['of what goes back is', moved(inPhase('rolling-back')), { pending: true }],
    [
      'of what reverts after a failure is',
      moved({ ...failed, phase: 'reverting' }),
      { pending: true, quarantined: true },
    ],
    ['of what is stuck is not', moved(inPhase('stuck')), { pending: false }],
  ])('%s', (_name, from, expected) => {
    expect(viewOf(unit, from)).toMatchObject({ quarantined: false, ...expected });
  });

  it('says all that people may want to know', () => {
    const blocked = [{ target: 'x', why: 'no net', waits: true }];
    const rest = { held: 'h', blocked, notes: ['n'], health };
    expect(viewOf(unit, moved(inPhase('applying'), rest))).toEqual({
      id: 'stack/blog',
      digest: 'd2',
      phase: 'applying',
      pending: true,
      quarantined: false,
      ...rest,
    });
  });

  it('says what calls wait for after the fourth of them, unless something else is to be said', () => {
    const held = [3, 4].map((tries) => {
      return viewOf(unit, moved(inPhase('applying'), {}, { tries, trouble: 'no answer' })).held;
    });
    expect(held).toEqual([undefined, 'no answer']);
    const both = moved(inPhase('applying'), { held: 'no net' }, { tries: 4, trouble: 'no answer' });
    expect(viewOf(unit, both).held).toBe('no net');
  });
});

describe('the next look', () => {
  const pace = { nowMs: 1_000, intervalMs: 60_000, verifyMs: 900 };
  const late = { retryAtMs: 800_000 };
  it.each<[string, Moved<string>, number]>([
    ['follows calls at once', moved(inPhase('verifying'), { operations: [operation] }), 0],
    ['is soon where something is held', moved(inPlace, { held: 'h' }), 5_000],
    ['is at the pace of health while it verifies', moved(inPhase('verifying')), 900],
    ['is at the pace of health while it reverts', moved(inPhase('reverting')), 900],
    ['is at once where calls are due', moved(inPhase('rolling-back')), 0],
    ['waits for the next try', moved(inPhase('applying'), {}, { retryAtMs: 2_500 }), 1_500],
    ['is soon before a late try: its clocks go on', moved(inPhase('applying'), {}, late), 2_000],
    ['is soon where something under way is held', moved(inPhase('applying'), { held: 'h' }), 2_000],
    [
      'is at leisure where what is removed is held',
      moved({ ...inPlace, phase: 'removing', removing: [] }, { held: 'h' }),
      5_000,
    ],
    ['waits for the next try of a correction', moved(inPlace, {}, { retryAtMs: 8_000 }), 7_000],
    ['is never later than the interval', moved(inPlace, {}, late), 60_000],
    ['is at leisure where all is well', moved(inPlace), 60_000],
    ['is at leisure where a person is needed', moved(inPhase('stuck')), 60_000],
    ['is at leisure where nothing is known', moved(undefined), 60_000],
  ])('%s', (_name, from, expected) => {
    expect(wakeOf(from, pace)).toBe(expected);
  });

  it('is not soon for what waits for another unit: that one is looked at', () => {
    const wait = { why: 'w' };
    expect(wakeOf(moved(before, { held: 'w', wait }), pace)).toBe(pace.intervalMs);
    expect(wakeOf(moved(before, { held: 'w; fought over', wait }), pace)).toBe(5_000);
  });

  it('is not later where something is held than without', () => {
    const short = { ...pace, intervalMs: 2_000 };
    expect(wakeOf(moved(inPlace, { held: 'h' }), short)).toBe(2_000);
  });
});

describe('a cause outside', () => {
  const id = unit.id;
  const watch = newWatch('to d2', 0);
  const out = (why: string, long = false): Watch => ({
    ...watch,
    outside: { why, sinceMs: 0, long },
  });
  const other = { ...out('x'), of: 'back d1' };
  it.each<[string, Watch | undefined, Watch, readonly object[]]>([
    [
      'is told when it begins',
      watch,
      out('x'),
      [{ event: 'unit waiting', id, why: 'x', long: false }],
    ],
    [
      'is told at first sight',
      undefined,
      out('x'),
      [{ event: 'unit waiting', id, why: 'x', long: false }],
    ],
    ['is told once', out('x'), out('x'), []],
    [
      'is told when it is another',
      out('x'),
      out('y'),
      [{ event: 'unit waiting', id, why: 'y', long: false }],
    ],
    [
      'is told when it lasts',
      out('x'),
      out('x', true),
      [{ event: 'unit waiting', id, why: 'x', long: true }],
    ],
    ['is told when it is over', out('x', true), watch, [{ event: 'unit going on', id }]],
    [
      'is told anew on another way',
      other,
      out('x'),
      [{ event: 'unit waiting', id, why: 'x', long: false }],
    ],
    ['is over with the way that it held up', other, watch, []],
    ['that is none is not told', watch, watch, []],
  ])('%s', (_name, was, is, expected) => {
    expect(waitingEvents(id, was, is)).toEqual(expected);
  });
});

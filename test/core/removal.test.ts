import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  judgeRemovals,
  type Leaving,
  limitOf,
  type Others,
  type Removals,
  shrunkList,
} from '../../agent/core/removal.ts';

const leaving = (name: string, parts: Partial<Leaving> = {}): Leaving => ({
  id: `stack/${name}`,
  members: [{ target: `service ${name}_web`, id: `id of ${name}` }],
  hold: false,
  ...parts,
});
const [a, b, c] = [leaving('a'), leaving('b'), leaving('c')];
const guarded = leaving('guarded', { hold: true });

const usual: Removals = { policy: { max: 5, share: 20 }, rewound: false };
const settled: Others = {
  recorded: 20,
  going: 0,
  restless: undefined,
  failed: undefined,
  approved: new Set(),
};

/** `a open`, `b held`. */
function judged(
  units: readonly Leaving[],
  removals: Partial<Removals> = {},
  others: Partial<Others> = {},
): readonly string[] {
  const verdicts = judgeRemovals(units, { ...usual, ...removals }, { ...settled, ...others });
  return [...verdicts].map(([id, { status }]) => `${id.slice('stack/'.length)} ${status}`);
}

function digestOf(units: readonly Leaving[], removals: Partial<Removals> = {}): string | undefined {
  const verdicts = judgeRemovals(units, { ...usual, ...removals }, settled);
  return [...verdicts.values()].map(({ digest }) => digest).at(-1);
}

describe('what left the repository', () => {
  it.each<[string, readonly string[], Parameters<typeof judged>]>([
    ['goes', ['a open'], [[a]]],
    ['goes together within the limit', ['a open', 'b open', 'c open'], [[a, b, c]]],
    ['waits while nothing may be removed', ['a waits'], [[a], { off: 'not now' }]],
    [
      'is held while another one that stays failed',
      ['a held', 'b held'],
      [[a, b], {}, { failed: 'stack/x failed' }],
    ],
    ['waits while another unit changes', ['a waits'], [[a], {}, { restless: 'stack/x' }]],
    [
      'is held, all of it, above the number',
      ['a held', 'b held'],
      [[a, b], { policy: { max: 1, share: 100 } }],
    ],
    [
      'is held, all of it, above the share',
      ['a held', 'b held', 'c held'],
      [[a, b, c], {}, { recorded: 10 }],
    ],
    ['is one at least, whatever the share', ['a open'], [[a], {}, { recorded: 2 }]],
    ['is none where the share is none', ['a held'], [[a], { policy: { max: 5, share: 0 } }]],
    ['is none where the number is none', ['a held'], [[a], { policy: { max: 0, share: 20 } }]],
    [
      'counts with what is being removed',
      ['a held', 'b held'],
      [[a, b], { policy: { max: 3, share: 100 } }, { going: 2 }],
    ],
    [
      'is held, all of it, as long as what was above the limit is still there',
      ['a held', 'b held'],
      [[a, b], { overLimit: true }],
    ],
    ['is held, all of it, after a rewind', ['a held', 'b held'], [[a, b], { rewound: true }]],
    [
      'is held alone where its own file said so',
      ['a open', 'guarded held', 'b open'],
      [[a, guarded, b]],
    ],
    [
      'is held before anything that passes by itself',
      ['guarded held'],
      [[guarded], { off: 'not now' }],
    ],
  ])('%s', (_rule, expected, args) => {
    expect(judged(...args)).toEqual(expected);
  });

  it('goes once it is approved, and still waits for what passes by itself', () => {
    const approved = new Set([digestOf([a, b], { rewound: true }) ?? '']);
    expect(judged([a, b], { rewound: true }, { approved })).toEqual(['a open', 'b open']);
    expect(judged([b, a], { rewound: true }, { approved })).toEqual(['b open', 'a open']);
    expect(judged([a, b], { rewound: true, off: 'no' }, { approved })).toEqual([
      'a waits',
      'b waits',
    ]);
  });

  it.each<[string, readonly Leaving[]]>([
    ['one more unit', [a, b, c]],
    ['one unit less', [a]],
    ['another object', [a, leaving('b', { members: [{ target: 'service b_web', id: 'new' }] })]],
    ['an object less', [a, leaving('b', { members: [] })]],
  ])('is not approved with %s', (_change, units) => {
    const approved = new Set([digestOf([a, b], { rewound: true }) ?? '']);
    const verdicts = judged(units, { rewound: true }, { approved });
    expect(verdicts.filter((one) => !one.endsWith(' held'))).toEqual([]);
  });
});

const anyLeaving = fc
  .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 30 })
  .chain((numbers) =>
    fc.tuple(...numbers.map((n) => fc.boolean().map((hold) => leaving(`s${String(n)}`, { hold })))),
  );
const anyRemovals = fc.record({
  policy: fc.record({ max: fc.integer({ min: 0, max: 20 }), share: fc.integer({ max: 100 }) }),
  rewound: fc.boolean(),
});

describe('the limit', () => {
  it('is never passed without a person, and what a rewind or a file holds never goes', () => {
    fc.assert(
      fc.property(
        anyLeaving,
        anyRemovals,
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 0, max: 60 }),
        fc.option(fc.constant('not now'), { nil: undefined }),
        (units, removals, going, staying, off) => {
          const recorded = units.length + going + staying;
          const verdicts = judgeRemovals(
            units,
            { ...removals, ...(off !== undefined && { off }) },
            { ...settled, recorded, going },
          );
          const open = units.filter(({ id }) => verdicts.get(id)?.status === 'open');
          if (open.length === 0) return;
          expect(open.length + going).toBeLessThanOrEqual(limitOf(removals.policy, recorded));
          expect([removals.rewound, off, open.some(({ hold }) => hold)]).toEqual([
            false,
            undefined,
            false,
          ]);
        },
      ),
    );
  });

  it('opens for exactly the units of an approved digest', () => {
    fc.assert(
      fc.property(anyLeaving, anyRemovals, (units, removals) => {
        const first = judgeRemovals(units, removals, settled);
        const [digest] = [...first.values()].flatMap((one) =>
          one.status === 'held' ? [one.digest] : [],
        );
        if (digest === undefined) return;
        const approved = new Set([digest]);
        const second = judgeRemovals(units, removals, { ...settled, approved });
        for (const [id, verdict] of second) {
          const was = first.get(id);
          const opened = was?.status === 'held' && was.digest === digest;
          expect(verdict.status).toBe(opened ? 'open' : was?.status);
        }
      }),
    );
  });
});

describe('a list', () => {
  it.each([
    [100, 71, undefined],
    [100, 70, undefined],
    [100, 69, 'services'],
    [3, 2, 'services'],
    [1, 0, 'services'],
    [0, 0, undefined],
    [5, 9, undefined],
  ])('of %i that has %i now: %s', (before, after, expected) => {
    expect(shrunkList({ services: before }, { services: after })).toBe(expected);
  });

  it('is not judged by a process that has not seen it before', () => {
    expect(shrunkList(undefined, { services: 0 })).toBeUndefined();
  });
});

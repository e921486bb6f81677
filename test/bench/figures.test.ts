import { describe, expect, it } from 'vitest';

import { type Figure, isMet, median, shown, tableOf } from './figures.ts';

describe('median', () => {
  it.each`
    values             | middle
    ${[7]}             | ${7}
    ${[9, 1, 5]}       | ${5}
    ${[10, 2, 4, 100]} | ${7}
  `('of $values is $middle', ({ values, middle }) => expect(median(values)).toBe(middle));

  it('of nothing is an error: a figure that was not measured is no figure', () => {
    expect(() => median([])).toThrow('of nothing');
  });
});

describe('a budget', () => {
  const figure = (value: number, of: 'value' | 'slower' | 'faster', limit: number): Figure => ({
    what: 'a pass',
    value,
    unit: 'ms',
    beside: { what: 'the loop', value: 1_000 },
    budget: { of, limit },
  });
  it.each`
    value    | of          | limit    | met
    ${10}    | ${'value'}  | ${10}    | ${true}
    ${11}    | ${'value'}  | ${10}    | ${false}
    ${0}     | ${'value'}  | ${0}     | ${true}
    ${1}     | ${'value'}  | ${0}     | ${false}
    ${2_000} | ${'slower'} | ${2}     | ${true}
    ${2_001} | ${'slower'} | ${2}     | ${false}
    ${125}   | ${'faster'} | ${8}     | ${true}
    ${126}   | ${'faster'} | ${8}     | ${false}
    ${0}     | ${'faster'} | ${1_000} | ${true}
  `('of $of $limit is met by $value: $met', ({ value, of, limit, met }) =>
    expect(isMet(figure(value, of, limit))).toBe(met),
  );

  it('is neither met nor missed where nothing was measured to hold the value against', () => {
    const { beside: _beside, ...alone } = figure(10, 'faster', 8);
    expect(isMet(alone)).toBeUndefined();
    expect(tableOf([alone])).not.toMatch(/yes|NO/);
  });
});

it.each`
  value            | unit         | text
  ${999.4}         | ${'ms'}      | ${'999 ms'}
  ${1_000}         | ${'ms'}      | ${'1.00 s'}
  ${150 * 2 ** 20} | ${'bytes'}   | ${'150 MiB'}
  ${0.256}         | ${'percent'} | ${'0.26 %'}
  ${0}             | ${'count'}   | ${'0'}
`('$value of $unit is shown as $text', ({ value, unit, text }) =>
  expect(shown(value, unit)).toBe(text),
);

it('prints a line a figure, with columns that stand below each other', () => {
  const table = tableOf([
    {
      what: 'first deploy of 650 stacks',
      value: 4_000,
      unit: 'ms',
      beside: { what: 'loop', value: 40_000 },
      budget: { of: 'faster', limit: 8 },
    },
    {
      what: 'pass with nothing to do',
      value: 300,
      unit: 'ms',
      beside: { what: 'raw reads', value: 100 },
      budget: { of: 'slower', limit: 2 },
    },
    {
      what: 'change of 650 stacks',
      value: 500,
      unit: 'ms',
      beside: { what: 'loop', value: 9_000 },
    },
    { what: 'writes of such passes', value: 0, unit: 'count', budget: { of: 'value', limit: 0 } },
    { what: 'memory of the agent alone', value: 2 ** 27, unit: 'bytes' },
  ]);
  expect(table).toBe(
    [
      'what                        value    beside            ratio          budget         met',
      'first deploy of 650 stacks  4.00 s   loop 40.00 s      10.0 x faster  >= 8 x faster  yes',
      'pass with nothing to do     300 ms   raw reads 100 ms  3.0 x          <= 2 x         NO',
      'change of 650 stacks        500 ms   loop 9.00 s       18.0 x faster',
      'writes of such passes       0                                         0              yes',
      'memory of the agent alone   128 MiB',
      '',
    ].join('\n'),
  );
});

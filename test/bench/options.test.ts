import { expect, it } from 'vitest';

import { parseBench, PARTS } from './options.ts';

it('measures everything with 650 stacks unless something else is said', () => {
  expect(parseBench([])).toMatchObject({
    stacks: 650,
    sample: 40,
    parts: new Set(PARTS),
    json: false,
    strict: false,
    stage: { name: 'usb', subnet: '10.213.93.0/24', managers: 1, workers: 0 },
  });
});

it('takes a number of stacks and a list of parts', () => {
  const wanted = parseBench(['--stacks', '3', '--only', 'no-op, plan', '--strict', '--json']);
  const parts = new Set(['no-op', 'plan']);
  expect(wanted).toMatchObject({ stacks: 3, parts, strict: true, json: true });
});

it.each`
  args                      | why
  ${['--stacks', '0']}      | ${'--stacks is a number from 1 to 5000'}
  ${['--stacks', '5001']}   | ${'--stacks is a number from 1 to 5000'}
  ${['--stacks', 'many']}   | ${'--stacks is a number from 1 to 5000'}
  ${['--sample', '0']}      | ${'--sample is a number from 1 to 650'}
  ${['--only', 'no-op,zz']} | ${'--only knows no `zz`: no-op, one, all, plan, idle, loop'}
  ${['--fast']}             | ${/--fast/}
`('refuses $args', ({ args, why }) => expect(parseBench(args)).toMatch(why));

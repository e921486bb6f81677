import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, denyAll, input } from './inputs.ts';

const many = (count: number, line: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => line(index)).join('');

/** Files made to take long or to fill the memory; the test's own deadline is the bound. */
it.each([
  [
    'a text of unclosed variables',
    `services: {a: {image: x, command: "${'${a-'.repeat(240_000)}"}}`,
  ],
  ['a text of variables', `services: {a: {image: x, command: "${'$a '.repeat(300_000)}"}}`],
  ['a text of backslashes', `services: {a: {image: x, command: '${'\\'.repeat(1_000_001)}'}}`],
  [
    'port ranges in many services',
    `services:\n${many(2500, (index) => `  s${index}: {image: x, ports: [1-4000]}\n`)}`,
  ],
  ['bad ports', `services: {a: {image: x, ports: [${many(9000, (index) => `"${index}:x",`)}]}}`],
  [
    'undeclared volumes',
    `services: {a: {image: x, volumes: [${many(3000, (index) => `"volume-number-${index}:/v${index}",`)}]}}\nvolumes: {${many(3000, (index) => `volume-numbers-${index}: ,`)}}`,
  ],
  [
    'undefined variables',
    `services: {a: {image: x, environment: [${many(9000, (index) => `"A${index}=$A${index}",`)}]}}`,
  ],
  ['a long image', `services: {a: {image: "${'a-'.repeat(500_000)}"}}`],
  ['a long registry', `services: {a: {image: "${'a.'.repeat(500_000)}/"}}`],
  ['a long duration', `services: {a: {image: x, stop_grace_period: "${'1s'.repeat(500_000)}"}}`],
  [
    'a long size',
    `services: {a: {image: x, deploy: {resources: {limits: {memory: "${'1'.repeat(1_000_000)}", cpus: "${'1'.repeat(10_000)}"}}}}}`,
  ],
  [
    'a long constraint',
    `services: {a: {image: x, deploy: {placement: {constraints: ["${' a'.repeat(400_000)}"]}}}}`,
  ],
  ['a long name', `services: {${'a-'.repeat(500)}: {image: x}}`],
  [
    'wrong types everywhere',
    `services: {${many(1500, (index) => `s${index}: {image: [], ports: {}, deploy: []},`)}}`,
  ],
])('%s', (_, text) => {
  const { result, diagnostics } = renderCompose(
    input(text, { allow: { ...denyAll, undefinedVariables: false } }),
  );
  expect(result).toBeUndefined();
  expect(diagnostics.length).toBeGreaterThan(0);
  expect(diagnostics.length).toBeLessThan(250);
  // It was this code that refused, not the parser before it.
  expect(diagnostics.map(({ message }) => message).join()).not.toContain('list items in one file');
});

it('renders a stack as large as the limits allow', () => {
  const text = `services:\n${many(1500, (index) => `  s${index}: {image: x, environment: {A: 1}, volumes: ["data:/d"]}\n`)}volumes: {data: }\n`;
  const { result, diagnostics } = renderCompose(input(text, { allow: allowAll }));
  expect(diagnostics).toEqual([]);
  expect(Object.keys(result?.services ?? {})).toHaveLength(1500);
});

describe('variables that make much of little', () => {
  const value = 'x'.repeat(1000);
  it.each([
    ['in one text', `services: {a: {image: x, command: "${'$A'.repeat(300_000)}"}}`],
    [
      'in many',
      `services: {a: {image: x, environment: [${many(9_000, (index) => `"A${index}=$A",`)}]}}`,
    ],
    [
      'through aliases',
      `x-a: &a "${'$A'.repeat(900)}"\nservices: {a: {image: x, command: [${many(9, () => '*a,')}]}}`,
    ],
  ])('%s', (_, text) => {
    const { result, diagnostics } = renderCompose(input(text, { variables: { A: value } }));
    expect(result).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { severity: 'error', code: 'too-large', place: { line: expect.any(Number) } },
    ]);
  });
});

it('never throws at odd lists of two files', () => {
  const item = fc.oneof(
    fc.constantFrom('', '=', '=x', '==', ':', ':x', 'a', 'a=', 'a=b=c', '__proto__=x', 'a:b'),
    fc.string({ maxLength: 5 }),
  );
  const list = fc.array(item, { maxLength: 3 });
  const either = fc.oneof(list, fc.dictionary(item, item, { maxKeys: 3 }));
  const keys = 'environment labels sysctls extra_hosts dns cap_add networks ports volumes configs';
  const pairs = keys.split(' ').map((key): [string, fc.Arbitrary<unknown>] => [key, either]);
  const service = fc.record(
    { ...Object.fromEntries(pairs), deploy: fc.record({ labels: either }) },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(service, service, (one, other) => {
      const text = (web: object) => JSON.stringify({ services: { web } });
      const over = [{ file: 'stacks/blog/over.yaml', text: text(other) }];
      const given = input(text({ image: 'x', ...one }), { allow: allowAll, over });
      const { result, diagnostics } = renderCompose(given);
      const isWrong = diagnostics.some(({ severity }) => severity === 'error');
      expect(result === undefined).toBe(isWrong);
    }),
    { numRuns: 500 },
  );
});

describe('two files that are made to be merged', () => {
  it.each([
    [
      'port ranges in many services',
      `services:\n${many(1500, (index) => `  s${index}: {image: x, ports: [1-4000]}\n`)}`,
    ],
    [
      'port ranges in one',
      `services: {a: {image: x, ports: [${many(5000, (index) => `"${index}:1-4000",`)}]}}`,
    ],
    [
      'ports without a number',
      `services: {a: {image: x, ports: [${many(300, (index) => `${1 + index},`)}]}}`,
    ],
    [
      'bad volumes',
      `services: {a: {image: x, volumes: [${many(3000, (index) => `"a:b:c:${index}",`)}]}}`,
    ],
    [
      'a service called `constructor`',
      'services: {constructor: {image: x, labels: {constructor: a}}, toString: {image: 5}}',
    ],
  ])('%s', (_, text) => {
    const given = input(text);
    const { diagnostics } = renderCompose({ ...given, over: [{ file: 'over', text }] });
    expect(diagnostics.length).toBeGreaterThan(0);
    expect(diagnostics.length).toBeLessThan(250);
  });
});

import { expect, it } from 'vitest';

import { readEnvFile } from '../../../../agent/providers/stack/compose/env-file.ts';

const read = (text: string) => readEnvFile('a.env', Buffer.from(text));

it.each([
  ['A=1', [['A', '1']]],
  [
    'A=1\nB=2\n',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  ['\ufeffA=1', [['A', '1']]],
  [
    'A=1\r\nB=2\r\n',
    [
      ['A', '1'],
      ['B', '2'],
    ],
  ],
  ['  A=1', [['A', '1']]],
  ['A=1  ', [['A', '1  ']]],
  ['A="q"', [['A', '"q"']]],
  ['A=$B', [['A', '$B']]],
  ['A=b=c', [['A', 'b=c']]],
  ['A=', [['A', '']]],
  ['A', [['A', undefined]]],
  ['# c\n\n  # c\nA=1 # not', [['A', '1 # not']]],
  [
    'A=1\nA=2',
    [
      ['A', '1'],
      ['A', '2'],
    ],
  ],
  ['', []],
])('%j', (text, pairs) => {
  const { lines, diagnostics } = read(text);
  expect(lines.map(({ key, value }) => [key, value])).toEqual(pairs);
  expect(diagnostics).toEqual([]);
});

it.each([
  ['export A=1', 'the name of a variable must not contain white space', 1],
  ['A=1\nB =2', 'the name of a variable must not contain white space', 2],
  ['=1', 'there is no name before `=`', 1],
  [`A=${'x'.repeat(65_536)}`, 'the line is longer than 65,535 bytes', 1],
])('refuses %j', (text, message, line) => {
  const [first] = read(text).diagnostics;
  expect(first).toMatchObject({ code: 'syntax', message, place: { file: 'a.env', line } });
});

it('refuses what is not UTF-8', () => {
  expect(readEnvFile('a.env', Uint8Array.of(65, 61, 0xff)).diagnostics).toHaveLength(1);
});

it('quotes no values: they are passwords', () => {
  const { diagnostics } = read('MY KEY=hunter2');
  expect(diagnostics).toHaveLength(1);
  expect(JSON.stringify(diagnostics)).not.toContain('hunter2');
});

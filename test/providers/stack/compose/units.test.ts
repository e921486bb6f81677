import { describe, expect, it } from 'vitest';

import {
  parseBytes,
  parseCpus,
  parseGoDuration,
} from '../../../../agent/providers/stack/compose/units.ts';

describe('durations', () => {
  it.each([
    ['0', 0],
    ['+0', 0],
    ['-0', 0],
    ['0s', 0],
    ['1ns', 1],
    ['1us', 1_000],
    ['1\u00b5s', 1_000],
    ['1\u03bcs', 1_000],
    ['500ms', 500_000_000],
    ['1.5s', 1_500_000_000],
    ['.5s', 500_000_000],
    ['1.s', 1_000_000_000],
    ['1m30s', 90_000_000_000],
    ['2h', 7_200_000_000_000],
    ['1h1m1s', 3_661_000_000_000],
    ['-5s', -5_000_000_000],
    ['0.1ns', 0],
    ['200h', 720_000_000_000_000],
  ])('%s', (text, nanoseconds) => expect(parseGoDuration(text)).toBe(nanoseconds));

  it.each([
    '',
    '5',
    '1d',
    's',
    '.s',
    '1 s',
    '1s ',
    '1S',
    '1.2.3s',
    '9999999h',
    '1e3s',
    '--1s',
    '5sm',
  ])('refuses %j', (text) => expect(parseGoDuration(text)).toBeUndefined());
});

describe('sizes', () => {
  it.each([
    ['0', 0],
    ['1024', 1024],
    ['10b', 10],
    ['10B', 10],
    ['1k', 1024],
    ['1kb', 1024],
    ['1KiB', 1024],
    ['64M', 67_108_864],
    ['1.5g', 1_610_612_736],
    ['0.1k', 102],
    ['1 GB', 1_073_741_824],
    ['1t', 2 ** 40],
    ['1p', 2 ** 50],
    ['.5k', 512],
    ['1.', 1],
  ])('%s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));

  it.each(['', '100Mi', '1E', '10x', '-1', ' 1', '1 ', '1  k', '1k ', '1kbb', 'k', '8192p', '1bi'])(
    'refuses %j',
    (text) => expect(parseBytes(text)).toBeUndefined(),
  );
});

describe('CPUs', () => {
  it.each([
    ['', 0],
    ['0', 0],
    ['0.5', 500_000_000],
    ['.5', 500_000_000],
    ['1.', 1_000_000_000],
    ['1/4', 250_000_000],
    ['1e-2', 10_000_000],
    ['+2', 2_000_000_000],
    ['0x2', 2_000_000_000],
    ['1_0', 10_000_000_000],
    ['010', 10_000_000_000],
    ['-1', -1_000_000_000],
    ['0.000000001', 1],
  ])('%s', (text, nanos) => expect(parseCpus(text)).toBe(nanos));

  it.each(['1/3', '0.0000000001'])('%s is too precise', (text) =>
    expect(parseCpus(text)).toBe('too precise'),
  );

  it.each(['x', '1/0', '1 ', '.', '1e', '1/2/3', '0x', '_1', '1e999', '9999999999999'])(
    '%j is no number',
    (text) => expect(parseCpus(text)).toBe('not a number'),
  );
});

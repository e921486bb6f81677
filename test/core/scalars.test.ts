import { describe, expect, it } from 'vitest';
import { Float, goText, resolvePlain, resolveTagged, Timestamp } from '../../agent/core/scalars.ts';

const float = (value: number): Float => new Float(value);
const time = (text: string): Timestamp => new Timestamp(text);

describe('plain scalars mean what they mean to Docker', () => {
  it.each([
    // null and booleans
    ['', null],
    ['~', null],
    ['null', null],
    ['Null', null],
    ['NULL', null],
    ['nUll', 'nUll'],
    ['true', true],
    ['True', true],
    ['TRUE', true],
    ['tRUE', 'tRUE'],
    ['false', false],
    ['False', false],
    ['FALSE', false],
    ['yes', 'yes'],
    ['no', 'no'],
    ['on', 'on'],
    ['off', 'off'],
    ['y', 'y'],
    ['n', 'n'],
    // infinite
    ['.nan', float(NaN)],
    ['.NaN', float(NaN)],
    ['.NAN', float(NaN)],
    ['.inf', float(Infinity)],
    ['.Inf', float(Infinity)],
    ['.INF', float(Infinity)],
    ['+.inf', float(Infinity)],
    ['-.inf', float(-Infinity)],
    ['nan', 'nan'],
    ['inf', 'inf'],
    // times
    ['2020-01-01', time('2020-01-01 00:00:00 +0000 UTC')],
    ['2020-1-2', time('2020-01-02 00:00:00 +0000 UTC')],
    ['2020-01-02 10:11:12', time('2020-01-02 10:11:12 +0000 UTC')],
    ['2020-01-02T10:11:12Z', time('2020-01-02 10:11:12 +0000 UTC')],
    ['2020-01-02t10:11:12Z', time('2020-01-02 10:11:12 +0000 UTC')],
    ['2020-01-02T10:11:12.5+02:00', time('2020-01-02 10:11:12.5 +0200 +0200')],
    ['2020-01-02T10:11:12.500-05:30', time('2020-01-02 10:11:12.5 -0530 -0530')],
    ['2020-01-02T10:11:12.1234567899Z', time('2020-01-02 10:11:12.123456789 +0000 UTC')],
    ['2020-2-29', time('2020-02-29 00:00:00 +0000 UTC')],
    ['2021-02-29', '2021-02-29'],
    ['1900-02-29', '1900-02-29'],
    ['2020-13-01', '2020-13-01'],
    ['2020-00-01', '2020-00-01'],
    ['2020-01-32', '2020-01-32'],
    ['2020-01-02T24:00:00Z', '2020-01-02T24:00:00Z'],
    ['2020-01-02T10:11:12', '2020-01-02T10:11:12'],
    ['2020-01-02 10:11:12Z', '2020-01-02 10:11:12Z'],
    ['2020-01-02T10:11:12+25:00', '2020-01-02T10:11:12+25:00'],
    ['20-01-02', '20-01-02'],
    // integers
    ['0', 0],
    ['-0', 0],
    ['00', 0],
    ['+5', 5],
    ['-5', -5],
    ['0440', 288],
    ['-0440', -288],
    ['0o440', 288],
    ['0O440', 288],
    ['0444', 292],
    ['0x1F', 31],
    ['-0x1f', -31],
    ['0b101', 5],
    ['1_000', 1000],
    ['9007199254740991', 9007199254740991],
    ['9007199254740993', 9007199254740993n],
    ['-9223372036854775808', -9223372036854775808n],
    ['-9223372036854775809', float(-(2 ** 63))],
    ['12345678901234567890', 12345678901234567890n],
    ['18446744073709551615', 18446744073709551615n],
    ['18446744073709551616', float(2 ** 64)],
    ['0xffffffffffffffff', 18446744073709551615n],
    ['0x1ffffffffffffffff', '0x1ffffffffffffffff'],
    ['089', float(89)],
    ['08.5', float(8.5)],
    // floats
    ['1.10', float(1.1)],
    ['5.', float(5)],
    ['.5', float(0.5)],
    ['-.5', float(-0.5)],
    ['1e3', float(1000)],
    ['1E+3', float(1000)],
    ['1.5e-7', float(1.5e-7)],
    ['1e400', '1e400'],
    ['-1e400', '-1e400'],
    ['1e-400', float(0)],
    ['0x1p4', '0x1p4'],
    ['.', '.'],
    ['..5', '..5'],
    ['+', '+'],
    ['-', '-'],
    ['1_0.5', float(10.5)],
    // texts
    ['22:22', '22:22'],
    ['1.2.3', '1.2.3'],
    ['1,000', '1,000'],
    ['0b12', '0b12'],
    ['0x', '0x'],
    ['1e', '1e'],
    ['5m', '5m'],
    ['<<', '<<'],
    ['nginx:1.29', 'nginx:1.29'],
  ])('%s', (text, value) => {
    expect(resolvePlain(text)).toEqual(value);
  });

  it('reads a number of a million digits without converting it', () => {
    expect(resolvePlain('9'.repeat(1_000_000))).toBe('9'.repeat(1_000_000));
  });
});

describe('tags', () => {
  it.each([
    ['5', 'str', '5'],
    ['', 'str', ''],
    ['aGk=', 'binary', 'hi'],
    ['aG k=', 'binary', undefined],
    ['aGk', 'binary', undefined],
    ['/w==', 'binary', undefined],
    ['7', 'int', 7],
    ['0x10', 'int', 16],
    ['7.5', 'int', undefined],
    ['x', 'int', undefined],
    ['3', 'float', float(3)],
    ['3.5', 'float', float(3.5)],
    ['.inf', 'float', float(Infinity)],
    ['-.inf', 'float', float(-Infinity)],
    ['true', 'bool', true],
    ['yes', 'bool', undefined],
    ['', 'null', null],
    ['x', 'null', undefined],
    ['2020-01-01', 'timestamp', time('2020-01-01 00:00:00 +0000 UTC')],
    ['today', 'timestamp', undefined],
  ] as const)('%s as !!%s', (text, tag, value) => {
    expect(resolveTagged(text, tag)).toEqual(value);
  });
});

describe('numbers in the place of a text are printed as Go does', () => {
  it.each([
    ['1.10', '1.1'],
    ['3.10', '3.1'],
    ['1.0', '1'],
    ['1e3', '1000'],
    ['100000.0', '100000'],
    ['100000.5', '100000.5'],
    ['123456.5', '123456.5'],
    ['1000000.0', '1e+06'],
    ['1234567.0', '1.234567e+06'],
    ['12345678.5', '1.23456785e+07'],
    ['0.00001', '1e-05'],
    ['0.0001', '0.0001'],
    ['1e-7', '1e-07'],
    ['1e21', '1e+21'],
    ['1e100', '1e+100'],
    ['123456789012345678901234567890', '1.2345678901234568e+29'],
    ['12345678901234567890', '12345678901234567890'],
    ['-0', '0'],
    ['-0.0', '-0'],
    ['0.30000000000000004', '0.30000000000000004'],
    ['0440', '288'],
    ['0x1F', '31'],
    ['.nan', 'NaN'],
    ['.inf', '+Inf'],
    ['-.inf', '-Inf'],
    ['true', 'true'],
    ['2020-01-01', '2020-01-01 00:00:00 +0000 UTC'],
    ['text', 'text'],
  ])('%s -> %s', (text, printed) => {
    expect(goText(resolvePlain(text))).toBe(printed);
  });

  it.each([[null], [undefined], [[]], [{}]])('nothing for %j', (value) => {
    expect(goText(value)).toBeUndefined();
  });

  it('a plain number that is not an integer is printed as a float', () => {
    expect(goText(1e21)).toBe('1e+21');
    expect(goText(0.5)).toBe('0.5');
  });
});

import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import {
  DURATION_MS_MAX,
  Percent,
  RepositoryPath,
  Size,
  TimeZone,
  isInside,
  parseDuration,
  parseSize,
  positiveDuration,
} from '../../schemas/common.ts';

it.each([
  ['0s', 0],
  ['250ms', 250],
  ['30s', 30_000],
  ['1m30s', 90_000],
  ['5m', 300_000],
  ['1h5ms', 3_600_005],
  ['12h', 43_200_000],
  ['30d', 2_592_000_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['3650d', DURATION_MS_MAX],
  ['3651d', undefined],
  ['', undefined],
  ['5', undefined],
  ['5 s', undefined],
  ['-5s', undefined],
  ['+5s', undefined],
  ['1.5h', undefined],
  ['5S', undefined],
  ['5sec', undefined],
  ['1s1m', undefined],
  ['1m1m', undefined],
  ['1e3s', undefined],
  ['1_000s', undefined],
  ['٣s', undefined],
  ['5s\n', undefined],
])('duration %j is %s ms', (text, ms) => expect(parseDuration(text)).toBe(ms));

it.each([
  ['0', 0],
  ['1024', 1024],
  ['1Ki', 1024],
  ['512Mi', 536_870_912],
  ['10Gi', 10_737_418_240],
  ['1Ti', 2 ** 40],
  ['7Pi', 7 * 2 ** 50],
  ['8Pi', undefined],
  ['9999999999999999', undefined],
  ['1.5Gi', undefined],
  ['10G', undefined],
  ['10gi', undefined],
  ['-1', undefined],
  ['', undefined],
  ['Gi', undefined],
])('size %j is %s bytes', (text, bytes) => expect(parseSize(text)).toBe(bytes));

it.each([
  [0, true],
  [5, true],
  ['5Ki', true],
  [-1, false],
  [1.5, false],
  [2 ** 60, false],
  [Number.NaN, false],
])('a written size %j is taken: %s', (written, fine) =>
  expect(Size.safeParse(written).success).toBe(fine),
);

it.each([
  ['0%', 0],
  ['20%', 20],
  ['100%', 100],
  ['101%', undefined],
  ['20', undefined],
  ['-1%', undefined],
  ['2.5%', undefined],
])('percent %j is %s', (text, percent) => expect(Percent.safeParse(text).data).toBe(percent));

it('an interval of nothing is refused', () => {
  expect(positiveDuration().safeParse('999ms').success).toBe(false);
  expect(positiveDuration().safeParse('1s').data).toBe(1000);
});

it.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Etc/GMT+1', true],
  ['Mars/Olympus', false],
  ['', false],
])('time zone %j is one: %s', (name, fine) => expect(TimeZone.safeParse(name).success).toBe(fine));

it.each(['../x', '/x', 'a/../b', './a', 'a//b', 'a/', '', 'a\\b', 'a\0b', 'a\nb', '..', '.'])(
  'the path %j leads nowhere in the repository',
  (path) => expect(RepositoryPath.safeParse(path).success).toBe(false),
);

it('a path inside never leaves the folder it is joined to', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '.', '/', '\\', '-') }), (path) => {
      if (!isInside(path)) return;
      expect(new URL(path, 'file:///top/').pathname.startsWith('/top/')).toBe(true);
    }),
  );
});

it('durations and sizes never throw and never give what is not a whole number', () => {
  const written = fc.oneof(fc.string(), fc.stringMatching(/^\d{1,20}(s|m|h|d|Ki|Gi|Pi)$/));
  const wrong = fc.sample(written, 2000).filter((text) => {
    const parsed = [parseDuration(text), parseSize(text)];
    return parsed.some((number) => number !== undefined && !Number.isSafeInteger(number));
  });
  expect(wrong).toEqual([]);
});

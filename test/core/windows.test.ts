import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CronFields } from '../../agent/core/cron.ts';
import { type WindowRule, Windows } from '../../agent/core/windows.ts';
import { civilDay, dayNumber } from '../../agent/core/zone.ts';
import { readCron } from '../../agent/render/cron.ts';

const HOUR_MS = 3_600_000;

function rule(cron: string, parts: Partial<WindowRule> = {}): WindowRule {
  const fields = readCron(cron);
  if (fields === undefined) throw new Error(`no cron: ${cron}`);
  const usual = { durationMs: 3 * HOUR_MS, timeZone: 'Europe/Berlin', stacks: ['*'] };
  return { cron: fields, ...usual, ...parts };
}

const at = (rules: readonly WindowRule[], date: string): Windows =>
  new Windows(rules, Date.parse(date));

const shutAt = (one: WindowRule, date: string): string =>
  at([one], date).shut('stack/blog')?.why ?? 'open';

describe('a window', () => {
  it.each`
    why                                             | cron             | date                      | is
    ${'opens at its minute'}                        | ${'0 2 * * *'}   | ${'2026-11-30T01:00:00Z'} | ${'open'}
    ${'is shut a moment before'}                    | ${'0 2 * * *'}   | ${'2026-11-30T00:59:59Z'} | ${'window: opens 2026-11-30 02:00 (Europe/Berlin)'}
    ${'is open to its last moment'}                 | ${'0 2 * * *'}   | ${'2026-11-30T03:59:59Z'} | ${'open'}
    ${'is shut after its duration'}                 | ${'0 2 * * *'}   | ${'2026-11-30T04:00:00Z'} | ${'window: opens 2026-12-01 02:00 (Europe/Berlin)'}
    ${'goes over midnight'}                         | ${'0 23 * * 5'}  | ${'2026-11-28T00:30:00Z'} | ${'open'}
    ${'knows the days of the week'}                 | ${'0 2 * * 1-5'} | ${'2026-11-28T02:00:00Z'} | ${'window: opens 2026-11-30 02:00 (Europe/Berlin)'}
    ${'needs the day of the month and of the week'} | ${'0 2 13 * 5'}  | ${'2026-11-29T02:00:00Z'} | ${'window: opens 2027-08-13 02:00 (Europe/Berlin)'}
    ${'waits for a leap year'}                      | ${'0 0 29 2 *'}  | ${'2026-11-29T02:00:00Z'} | ${'window: opens 2028-02-29 00:00 (Europe/Berlin)'}
    ${'opens when clocks go over its hour'}         | ${'30 2 * * *'}  | ${'2027-03-28T01:00:00Z'} | ${'open'}
    ${'does not open before clocks go over it'}     | ${'30 2 * * *'}  | ${'2027-03-28T00:59:00Z'} | ${'window: opens 2027-03-28 03:00 (Europe/Berlin)'}
    ${'opens the first time that clocks show it'}   | ${'30 2 * * *'}  | ${'2027-10-31T00:30:00Z'} | ${'open'}
    ${'opens the second time that clocks show it'}  | ${'30 2 * * *'}  | ${'2027-10-31T04:29:00Z'} | ${'open'}
    ${'ends after the second time'}                 | ${'30 2 * * *'}  | ${'2027-10-31T04:30:00Z'} | ${'window: opens 2027-11-01 02:30 (Europe/Berlin)'}
  `('$why', ({ cron, date, is }) => expect(shutAt(rule(cron), date)).toBe(is));

  it('is always open where it opens again before it ends', () => {
    const often = rule('0 * * * *', { durationMs: HOUR_MS });
    for (let minute = 0; minute < 180; minute += 1) {
      const date = new Date(Date.UTC(2027, 9, 30, 23, minute)).toISOString();
      expect(shutAt(often, date)).toBe('open');
    }
  });

  it('opens on a day that comes back after midnight', () => {
    const zone = { timeZone: 'America/St_Johns', durationMs: 60_000 };
    // Clocks go from 00:01 back to 23:01.
    const often = rule('*/5 0,23 * * *', zone);
    expect(shutAt(often, '2010-11-07T02:35:30Z')).toBe('open');
    expect(shutAt(often, '2010-11-07T02:36:00Z')).toContain('2010-11-06 23:10');
  });

  it('may last for days', () => {
    const weekend = rule('0 18 * * 5', { durationMs: 60 * HOUR_MS, timeZone: 'UTC' });
    expect(shutAt(weekend, '2026-11-30T05:59:00Z')).toBe('open');
    expect(shutAt(weekend, '2026-11-30T06:00:00Z')).toContain('2026-12-04 18:00');
  });

  it('is for the stacks that it names, and whoever none names may always change', () => {
    const windows = at([rule('0 2 * * *', { stacks: ['ghost-*', 'db'] })], '2026-11-30T12:00:00Z');
    expect(windows.shut('stack/ghost-12')).toBeDefined();
    expect(windows.shut('stack/db')).toBeDefined();
    expect(windows.shut('stack/db2')).toBeUndefined();
    expect(windows.shut('stack/my-ghost-1')).toBeUndefined();
  });

  it('opens what any of several opens, and the soonest is told', () => {
    const rules = [rule('0 2 * * *'), rule('0 20 * * *', { stacks: ['b*'] })];
    const windows = at(rules, '2026-11-30T12:00:00Z');
    expect(windows.wakeMs).toBe(Infinity);
    expect(windows.shut('stack/shop')).toMatchObject({ inMs: 13 * HOUR_MS });
    expect(windows.shut('stack/blog')).toMatchObject({ inMs: 7 * HOUR_MS });
    expect(windows.wakeMs).toBe(7 * HOUR_MS);
    expect(at(rules, '2026-11-30T20:00:00Z').shut('stack/blog')).toBeUndefined();
  });

  it('says the same as long as it stays shut', () => {
    const one = rule('0 2 * * *');
    const lines = Array.from({ length: 50 }, (_, hour) =>
      shutAt(one, new Date(Date.UTC(2026, 10, 30, 4, 0, 17 * hour)).toISOString()),
    );
    expect(new Set(lines).size).toBe(1);
  });
});

/** What clocks show, minute by minute, as another part of the runtime says it. */
function shownFrom(timeZone: string, from: number, minutes: number): readonly number[] {
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });
  return Array.from({ length: minutes }, (_, minute) => {
    const text = format.format((from + minute) * 60_000);
    return Date.parse(`${text.replace(' ', 'T')}Z`) / 60_000;
  });
}

function fits(cron: CronFields, shown: number): boolean {
  const date = new Date(shown * 60_000);
  return (
    cron.minutes.includes(date.getUTCMinutes()) &&
    cron.hours.includes(date.getUTCHours()) &&
    cron.days.includes(date.getUTCDate()) &&
    cron.months.includes(date.getUTCMonth() + 1) &&
    cron.weekdays.includes(date.getUTCDay())
  );
}

/** Every minute at which the window begins, by looking at every minute, and at those that clocks leave out. */
function beginningsIn(cron: CronFields, shown: readonly number[]): readonly number[] {
  return shown.flatMap((now, minute) => {
    const before = shown[minute - 1] ?? now - 1;
    const isThere = fits(cron, now);
    const leftOut = Array.from({ length: Math.max(0, now - before - 1) }, (_, n) => before + 1 + n);
    return isThere || leftOut.some((one) => fits(cron, one)) ? [minute] : [];
  });
}

const DAYS = 3;
/** Clocks are set forward and back: by an hour, by half of one, at midnight, and not at all. */
const scenes = [
  ['Europe/Berlin', '2027-03-27'],
  ['Europe/Berlin', '2027-10-30'],
  ['Australia/Lord_Howe', '2027-04-03'],
  ['Australia/Lord_Howe', '2027-10-02'],
  ['America/Santiago', '2027-04-02'],
  ['America/Santiago', '2027-09-04'],
  // A minute after midnight, back into the day before.
  ['America/St_Johns', '2010-11-06'],
  ['Asia/Kathmandu', '2027-10-30'],
] as const;
const tables = scenes.map(([timeZone, day]) => {
  const from = Date.parse(`${day}T00:00:00Z`) / 60_000;
  return { timeZone, from, shown: shownFrom(timeZone, from, DAYS * 1_440) };
});

const some = (max: number, min = 0): fc.Arbitrary<readonly number[]> =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 });
const all = (max: number, min = 0): readonly number[] =>
  Array.from({ length: max - min + 1 }, (_, at) => at + min);

describe('whether a window is open, and when the next one opens', () => {
  it('is what looking at every minute says, also where clocks are set', () => {
    for (const { shown } of tables.slice(0, 7)) {
      const steps = new Set(shown.map((now, minute) => now - (shown[minute - 1] ?? now - 1)));
      expect(steps.size).toBe(2);
    }
    fc.assert(
      fc.property(
        fc.constantFrom(...tables),
        fc.record({
          minutes: fc.oneof(some(59), fc.constant(all(59))),
          hours: fc.oneof(some(23), some(3), fc.constant(all(23))),
          days: fc.constant(all(31, 1)),
          months: fc.constant(all(12, 1)),
          weekdays: fc.oneof(some(6), fc.constant(all(6))),
        }),
        fc.integer({ min: 1, max: 1_440 }),
        fc.array(fc.tuple(fc.nat(1_439), fc.nat(59_999)), { minLength: 1, maxLength: 6 }),
        ({ timeZone, from, shown }, cron, minutes, moments) => {
          const begins = beginningsIn(cron, shown);
          const one = { cron, durationMs: minutes * 60_000, timeZone, stacks: ['*'] };
          for (const [minute, ms] of moments) {
            // The day before is for what began then.
            const now = 1_440 + minute;
            const wallMs = (from + now) * 60_000 + ms;
            const isOpen = begins.some((begin) => begin <= now && begin > now - minutes);
            const next = begins.find((begin) => begin > now);
            const shut = new Windows([one], wallMs).shut('stack/x');
            expect(shut === undefined).toBe(isOpen);
            if (shut === undefined || next === undefined) continue;
            expect(shut.inMs).toBe((from + next) * 60_000 - wallMs);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('the calendar', () => {
  it('is the one of the runtime', () => {
    fc.assert(
      fc.property(fc.integer({ min: -200_000, max: 200_000 }), (number) => {
        const day = civilDay(number);
        const date = new Date(number * 86_400_000);
        expect(day).toEqual({
          year: date.getUTCFullYear(),
          month: date.getUTCMonth() + 1,
          day: date.getUTCDate(),
        });
        expect(dayNumber(day)).toBe(number);
      }),
    );
  });
});

describe('a cron expression', () => {
  it.each([
    '0 2 * *',
    '0 0 2 * * *',
    '@daily',
    '0 2 31 2 *',
    '0 2 L * *',
    '0 2 * * 5L',
    '0 2 * * 1#2',
    '0 2 15W * *',
    '60 2 * * *',
    '0-9999999999 * * * *',
    'sometimes',
  ])('%s is refused', (expression) => expect(readCron(expression)).toBeUndefined());

  it('is numbers afterwards, whatever it was written with', () => {
    expect(readCron('*/20 1-3,22 1 jan,mar mon-fri')).toEqual({
      minutes: [0, 20, 40],
      hours: [1, 2, 3, 22],
      days: [1],
      months: [1, 3],
      weekdays: [1, 2, 3, 4, 5],
    });
    expect(readCron('0 2 * * 7')?.weekdays).toEqual([0]);
  });
});

import { civilDay, DAY_MINUTES, momentsOf, type Zone } from './zone.ts';

/** When something begins: all that a cron expression of five fields allows, as plain numbers. */
export interface CronFields {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  /** From 1. */
  readonly months: readonly number[];
  /** From 0, which is Sunday. A day must be among `days` and among these. */
  readonly weekdays: readonly number[];
}

/** 29 February on one day of the week is at most 40 years away. */
const DAYS_MAX = 41 * 366;

/** Pure. The last beginning at or before `now`, not much more than `reach` ago. All in minutes since 1970. */
export function lastBeginning(
  cron: CronFields,
  zone: Zone,
  now: number,
  reach: number,
): number | undefined {
  const from = Math.floor(zone.shown(now) / DAY_MINUTES) + 1;
  const days = Math.min(DAYS_MAX, Math.ceil(reach / DAY_MINUTES) + 4);
  for (let day = from; day >= from - days; day -= 1) {
    if (!fitsDay(cron, day)) continue;
    let last: number | undefined;
    for (const at of beginningsAround(cron, zone, day, -1)) {
      if (at <= now && (last === undefined || at > last)) last = at;
    }
    if (last !== undefined) return last;
  }
  return undefined;
}

/** Pure. The next beginning after `now`; undefined where none is near. */
export function nextBeginning(cron: CronFields, zone: Zone, now: number): number | undefined {
  const from = Math.floor(zone.shown(now) / DAY_MINUTES) - 1;
  for (let day = from; day <= from + DAYS_MAX; day += 1) {
    if (!fitsDay(cron, day)) continue;
    let next: number | undefined;
    for (const at of beginningsAround(cron, zone, day, 1)) {
      if (at > now && (next === undefined || at < next)) next = at;
    }
    if (next !== undefined) return next;
  }
  return undefined;
}

function fitsDay({ days, months, weekdays }: CronFields, number: number): boolean {
  // 1970 began on a Thursday.
  if (!weekdays.includes((((number + 4) % 7) + 7) % 7)) return false;
  const { month, day } = civilDay(number);
  return months.includes(month) && days.includes(day);
}

/**
 * Those of a day and of the one beside it: where clocks are set back over midnight, the end of one day may come after the
 * beginning of the next.
 */
function* beginningsAround(
  cron: CronFields,
  zone: Zone,
  first: number,
  beside: 1 | -1,
): Generator<number> {
  for (const day of [first, first + beside]) {
    if (!fitsDay(cron, day)) continue;
    const shift = zone.shiftAround(day);
    for (const hour of cron.hours) {
      for (const minute of cron.minutes) {
        yield* momentsOf(day * DAY_MINUTES + hour * 60 + minute, shift);
      }
    }
  }
}

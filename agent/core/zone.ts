/** A day of the calendar. `month` counts from 1. */
export interface CivilDay {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Minutes of a day. */
export const DAY_MINUTES = 1_440;
const YEARS_DAYS = 146_097;

/** Pure. Days since 1970-01-01, by the Gregorian calendar: a year begins in March, so that the leap day is its last one. */
export function dayNumber({ year, month, day }: CivilDay): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const ofEra = shifted - era * 400;
  const ofYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const days = ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear;
  return era * YEARS_DAYS + days - 719_468;
}

/** Pure. The other way round. */
export function civilDay(number: number): CivilDay {
  const from = number + 719_468;
  const era = Math.floor(from / YEARS_DAYS);
  const days = from - era * YEARS_DAYS;
  const leaps = Math.floor(days / 1_460) - Math.floor(days / 36_524) + Math.floor(days / 146_096);
  const ofEra = Math.floor((days - leaps) / 365);
  const ofYear = days - (365 * ofEra + Math.floor(ofEra / 4) - Math.floor(ofEra / 100));
  const part = Math.floor((5 * ofYear + 2) / 153);
  const month = part < 10 ? part + 3 : part - 9;
  const year = ofEra + era * 400 + (month <= 2 ? 1 : 0);
  return { year, month, day: ofYear - Math.floor((153 * part + 2) / 5) + 1 };
}

/** How clocks on the wall stand around one day: minutes before UTC, until a minute since 1970 and from then on. */
export interface Shift {
  readonly before: number;
  readonly after: number;
  /** The first minute of `after`. */
  readonly at: number;
}

/** No clock is further from UTC than this. Minutes. */
const OFFSET_MAX = 960;

/** Clocks on the wall in one time zone, by what the runtime knows of it. All times are minutes since 1970 in UTC. */
export class Zone {
  readonly #format: Intl.DateTimeFormat;

  /** Throws `RangeError` where there is no such zone. */
  constructor(name: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  /** What the clock shows: as if it were a time in UTC. */
  shown(minute: number): number {
    const parts = new Map(
      this.#format.formatToParts(minute * 60_000).map(({ type, value }) => [type, Number(value)]),
    );
    const { year = 0, month = 0, day = 0, hour = 0, minute: of = 0 } = Object.fromEntries(parts);
    return dayNumber({ year, month, day }) * DAY_MINUTES + hour * 60 + of;
  }

  /** How clocks stand around a day that they show. More than one shift within four days is taken for one. */
  shiftAround(day: number): Shift {
    const from = day * DAY_MINUTES - OFFSET_MAX;
    const to = (day + 1) * DAY_MINUTES + OFFSET_MAX;
    const before = this.#offset(from);
    const after = this.#offset(to);
    return { before, after, at: before === after ? to : this.#firstWith(after, from, to) };
  }

  #firstWith(offset: number, start: number, end: number): number {
    let [from, to] = [start, end];
    while (to - from > 1) {
      const middle = Math.floor((from + to) / 2);
      if (this.#offset(middle) === offset) to = middle;
      else from = middle;
    }
    return to;
  }

  #offset(minute: number): number {
    return this.shown(minute) - minute;
  }
}

/**
 * Pure. When a clock shows this: once, or twice where it is set back. What it never shows, because it is set forward, counts
 * as the moment at which it is.
 */
export function momentsOf(shown: number, { before, after, at }: Shift): readonly number[] {
  if (before === after) return [shown - before];
  const moments: number[] = [];
  if (shown - before < at) moments.push(shown - before);
  if (shown - after >= at) moments.push(shown - after);
  return moments.length === 0 ? [at] : moments;
}

import { parse, validate } from 'node-cron';

import type { CronFields } from '../core/cron.ts';

/**
 * Pure. What an expression of five fields allows (a minute is the smallest step), as node-cron reads it: numbers, names,
 * lists, ranges and steps. Undefined where it cannot be read, would never come (31 February), or names a day by its place
 * in the month (`L`, `15W`, `5L`, `1#2`).
 */
export function readCron(expression: string): CronFields | undefined {
  // A long number would be written out before it is found to be too large.
  if (expression.trim().split(/\s+/).length !== 5 || /\d{4}/.test(expression)) return undefined;
  if (!validate(expression)) return undefined;
  const { minute, hour, dayOfMonth, month, dayOfWeek } = parse(expression);
  const days = numbers(dayOfMonth);
  const weekdays = numbers(dayOfWeek);
  if (days === undefined || weekdays === undefined) return undefined;
  return { minutes: minute, hours: hour, days, months: month, weekdays };
}

function numbers(field: readonly (number | string)[]): readonly number[] | undefined {
  const found = field.filter((one) => typeof one === 'number');
  return found.length === field.length ? found : undefined;
}

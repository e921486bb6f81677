import { validate } from 'node-cron';

/** Pure. True for an expression that node-cron can follow, of five fields: a minute is the smallest step. */
export function isCron(expression: string): boolean {
  return expression.trim().split(/\s+/).length === 5 && validate(expression);
}

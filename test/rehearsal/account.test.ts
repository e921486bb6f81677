import { describe, expect, it } from 'vitest';
import { accountOf, lastAccount, outcomeOf, seenIn } from '../../agent/rehearsal/account.ts';

const line = (msg: string, fields: object): string =>
  JSON.stringify({ level: 30, time: '2026-01-01T00:00:00Z', ...fields, msg });

describe('outcomeOf', () => {
  it.each([
    ['revision healthy', { revision: 'a', status: 'healthy' }],
    ['revision invalid', { revision: 'a', status: 'failed' }],
    ['revision failed', { revision: 'a', status: 'failed' }],
    ['revision seen', undefined],
    ['unit failed', undefined],
    ['unit healthy', undefined],
    ['change failed', undefined],
  ])('%s', (msg, outcome) => expect(outcomeOf(line(msg, { revision: 'a' }))).toEqual(outcome));
});

describe('seenIn', () => {
  it('gives the revision of that event only', () => {
    expect(seenIn(line('revision seen', { revision: 'a' }))).toBe('a');
    expect(seenIn(line('revision healthy', { revision: 'a' }))).toBeUndefined();
    expect(seenIn('{"half":')).toBeUndefined();
  });
});

describe('accountOf', () => {
  const started = line('agent started', {});
  const seen = (revision: string): string => line('revision seen', { revision });
  const healthy = (revision: string): string => line('revision healthy', { revision });
  const failed = (revision: string): string => line('revision failed', { revision });
  const unit = line('unit failed', { id: 'stack/a' });
  const other = line('change applied', { id: 'stack/a' });

  it.each([
    ['nothing', [], undefined, []],
    ['an older revision that is healthy', [started, seen('a'), healthy('a')], undefined, []],
    ['one that is not done', [started, seen('b'), unit], undefined, []],
    [
      'one that is healthy',
      [started, seen('a'), healthy('a'), seen('b'), other, healthy('b')],
      'healthy',
      [seen('b'), healthy('b')],
    ],
    [
      'one that failed, and why',
      [seen('b'), other, unit, failed('b'), other],
      'failed',
      [seen('b'), unit, failed('b')],
    ],
    [
      'one that recovered',
      [seen('b'), unit, failed('b'), healthy('b')],
      'healthy',
      [seen('b'), healthy('b')],
    ],
    ['an agent that began anew', [seen('b'), healthy('b'), started], undefined, []],
    ['an agent that went back', [seen('b'), failed('b'), seen('a'), seen('b')], undefined, []],
    ['one that was left for another', [seen('b'), healthy('b'), seen('c')], undefined, []],
    [
      'lines that are no events',
      [seen('b'), 'Error: boom', healthy('b')],
      'healthy',
      [seen('b'), healthy('b')],
    ],
  ])('%s', (_, log, status, lines) => {
    const account = accountOf(log, 'b');
    expect(account.outcome?.status).toBe(status);
    expect(account.lines).toEqual(lines);
  });
});

describe('lastAccount', () => {
  const at = (second: number, msg: string): string =>
    line(msg, { revision: 'b', time: `2026-01-01T00:00:0${second}Z` });
  const account = (second: number, msg: string) =>
    accountOf([at(0, 'revision seen'), at(second, msg)], 'b');

  it.each([
    ['no agent', [], undefined],
    ['agents that say nothing of it', [account(1, 'unit failed')], undefined],
    [
      'one that leads, and one that follows',
      [account(2, 'following'), account(1, 'revision healthy')],
      'healthy',
    ],
    [
      'one that led before, and one that leads now',
      [account(3, 'revision failed'), account(2, 'revision healthy')],
      'failed',
    ],
    [
      'the same in another order',
      [account(1, 'revision failed'), account(2, 'revision healthy')],
      'healthy',
    ],
  ])('%s', (_, accounts, status) => expect(lastAccount(accounts)?.outcome?.status).toBe(status));
});

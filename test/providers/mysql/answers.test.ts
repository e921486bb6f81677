import { expect, it } from 'vitest';
import { notConnected, outcomeOf, troubleIn } from '../../../agent/providers/mysql/answers.ts';

it.each([
  ['a login that is not let in', { errno: 1045, sqlState: '28000', code: 'ER_ACCESS_DENIED_ERROR' }, 'refused', 'after-replan', 'unreachable'], // prettier-ignore
  ['a missing privilege', { errno: 1227, sqlState: '42000' }, 'refused', 'never', undefined],
  ['words that are none', { errno: 1064, sqlState: '42000' }, 'refused', 'never', undefined],
  ['an account that is there', { errno: 1396, sqlState: 'HY000' }, 'refused', 'after-replan', undefined], // prettier-ignore
  ['a grant that is gone, of a class that is wrong', { errno: 1141, sqlState: '42000' }, 'refused', 'after-replan', undefined], // prettier-ignore
  ['a node without its cluster', { errno: 1047, sqlState: '08S01' }, 'refused', 'after-replan', 'no-leader'], // prettier-ignore
  ['a lock, and perhaps a lost majority', { errno: 1205, sqlState: 'HY000' }, 'unknown', undefined, undefined], // prettier-ignore
  ['a server that stops', { errno: 1053, sqlState: '08S01' }, 'unknown', undefined, 'unreachable'],
  ['a number that nobody knows', { errno: 1999, sqlState: 'HY000' }, 'unknown', undefined, undefined], // prettier-ignore
  ['a server that only reads', { errno: 1290, sqlState: 'HY000', sqlMessage: 'is running with the --super-read-only option' }, 'refused', 'after-replan', 'no-leader'], // prettier-ignore
  ['passwords that are checked, under the same number', { errno: 1290, sqlState: 'HY000', sqlMessage: 'is running with the --strict-password-validation option' }, 'refused', 'never', undefined], // prettier-ignore
  ['a connection that broke', { errno: -104, code: 'ECONNRESET' }, 'unknown', undefined, 'unreachable'], // prettier-ignore
  ['no error at all', undefined, 'unknown', undefined, 'unreachable'],
])('takes %s for what it is', (_, error, status, retry, cause) => {
  const { why, ...rest } = outcomeOf(troubleIn(error));
  expect(rest).toEqual({ status, ...(retry && { retry }), ...(cause && { cause }) });
  expect(why).not.toBe('');
});

it('says number and name, and nothing of the text', () => {
  const sql = "CREATE USER 'x'@'%' IDENTIFIED BY 'canary'";
  const error = Object.assign(new Error(`near ${sql}`), {
    errno: 1064,
    sqlState: '42000',
    code: 'ER_PARSE_ERROR',
    sqlMessage: `near ${sql}`,
    sql,
  });
  expect(outcomeOf(troubleIn(error)).why).toBe(
    'the server refused it (error 1064, ER_PARSE_ERROR)',
  );
});

it.each(['canary text', "x'y", 'A'.repeat(70)])('takes no name that could be text: %s', (code) => {
  expect(outcomeOf(troubleIn({ code })).why).toBe('the connection failed');
});

it('knows that nothing was done where no connection came about', () => {
  const lost = troubleIn({ code: 'PROTOCOL_CONNECTION_LOST' });
  expect(notConnected(lost)).toEqual({
    status: 'refused',
    why: 'the connection failed (PROTOCOL_CONNECTION_LOST)',
    retry: 'after-replan',
    cause: 'unreachable',
  });
});

it('says the same of a server that does not answer, whoever stopped waiting', () => {
  const { why } = outcomeOf(troubleIn({ code: 'ETIMEDOUT', errno: -110 }));
  expect(why).toBe('no answer in time');
});

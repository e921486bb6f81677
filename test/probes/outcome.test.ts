import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { orLate, outcome, troubleOf } from '../../agent/probes/outcome.ts';

function failure(code: string): Error {
  return Object.assign(new Error('a sentence of a library'), { code });
}

describe('why it failed', () => {
  it.each([
    ['ECONNREFUSED', 'connection refused'],
    ['ECONNRESET', 'the connection was closed before the answer was there'],
    ['EHOSTUNREACH', 'the host cannot be reached'],
    ['HPE_INVALID_CONSTANT', 'this is not an HTTP answer'],
    ['HPE_HEADER_OVERFLOW', 'the head of the answer is too large'],
    ['CERT_HAS_EXPIRED', 'certificate has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'certificate is for another name'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate is self-signed'],
    ['CERT_REVOKED', 'certificate is not trusted (CERT_REVOKED)'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'this is not a TLS connection'],
    ['ENEW', 'the connection failed (ENEW)'],
    ['toString', 'the connection failed (S)'],
    ['', 'the connection failed'],
  ])('%s: %s', (code, words) => expect(troubleOf(failure(code))).toBe(words));

  it('of several addresses the first one says why', () => {
    const all = [failure('ECONNREFUSED'), failure('EHOSTUNREACH')];
    expect(troubleOf(new AggregateError(all))).toBe('connection refused');
    expect(troubleOf(new AggregateError([]))).toBe('the connection failed');
  });
});

it('a detail is one short line that a terminal shows as it is, whatever was said', () => {
  expect(outcome('bad', 'HTTP status 500')).toEqual({ status: 'bad', detail: 'HTTP status 500' });
  expect(outcome('bad', 'x'.repeat(200)).detail).toHaveLength(200);
  expect(outcome('bad', 'x'.repeat(201)).detail).toBe(`${'x'.repeat(199)}…`);
  const odd = fc.string({
    unit: fc.constantFrom('a', '\n', '\u001b', '\u202e', '\0', '\ud83d', 'ü'),
  });
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), odd), (said) => {
      const { detail } = outcome('open', said);
      expect(detail.length).toBeLessThanOrEqual(200);
      expect(detail).not.toMatch(/[\p{Cc}\p{Surrogate}\u202a-\u202e\u2066-\u2069]/u);
    }),
  );
});

describe('what cannot be stopped', () => {
  const signal = new AbortController().signal;

  it('gives what it gives while there is time', async () => {
    expect(await orLate(Promise.resolve('came'), () => 'late', signal)).toBe('came');
    await expect(orLate(Promise.reject(new Error('no')), () => 'late', signal)).rejects.toThrow(
      'no',
    );
  });

  it('is left behind when the time is over, and what it gives or throws then is dropped', async () => {
    const over = new AbortController();
    const slow = Promise.withResolvers<string>();
    const settled = orLate(slow.promise, () => 'late', over.signal);
    over.abort();
    expect(await settled).toBe('late');
    slow.reject(new Error('much later'));
    expect(await orLate(new Promise(() => undefined), () => 'late', over.signal)).toBe('late');
  });
});

import { describe, expect, it } from 'vitest';

import { readLease, withLease } from '../../agent/lease/label.ts';

const lease = {
  holder: 'n1/p',
  node: 'm1',
  nonce: '0123456789abcdef',
  term: 3,
  seq: 8,
  ttlMs: 15_000,
  version: '0.1.0',
};

describe('the label of the lease', () => {
  it('is read as it was written, and leaves the others alone', () => {
    const labels = withLease({ 'understudy.record': '{}' }, lease);
    expect(labels['understudy.record']).toBe('{}');
    expect(readLease(labels)).toEqual({ status: 'there', lease: { ...lease, schema: 1 } });
  });

  it('keeps what a later version of the same schema adds', () => {
    const text = JSON.stringify({ ...lease, schema: 1, url: 'http://10.0.0.1:7070' });
    expect(readLease({ 'understudy.lease': text })).toMatchObject({ status: 'there' });
  });

  it.each([
    ['none', {}, 'none'],
    ['no JSON', { 'understudy.lease': 'held by me' }, 'damaged'],
    ['a list', { 'understudy.lease': '[]' }, 'damaged'],
    ['no nonce', { 'understudy.lease': '{"schema":1,"term":3}' }, 'damaged'],
    [
      'a term that is none',
      { 'understudy.lease': JSON.stringify({ ...lease, schema: 1, term: 0 }) },
      'damaged',
    ],
    [
      'a lease for ever',
      { 'understudy.lease': JSON.stringify({ ...lease, schema: 1, ttlMs: 1e9 }) },
      'damaged',
    ],
    ['another schema', { 'understudy.lease': '{"schema":2,"epoch":7}' }, 'newer'],
  ])('with %s is %3$s', (_what, labels, status) => {
    expect(readLease(labels)).toMatchObject({ status });
  });
});

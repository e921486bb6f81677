import { describe, expect, it } from 'vitest';

import { headFormat, parseHead } from '../../agent/record/head.ts';

const format = headFormat((bytes) => new Uint8Array(bytes).fill(5));
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('the head', () => {
  it('reads back what it wrote, and does not print its key', () => {
    const head = parseHead(format.make('swarm-1'));
    expect(head.status).toBe('there');
    expect(head.status === 'there' && head.digestKey.reveal()).toBe(
      Buffer.alloc(32, 5).toString('base64'),
    );
    expect(JSON.stringify(head)).not.toContain(Buffer.alloc(32, 5).toString('base64'));
  });

  it('is missing where there is no config', () => {
    expect(parseHead(undefined)).toEqual({ status: 'missing' });
  });

  it.each([
    ['not JSON', base64('{')],
    ['of a newer schema', base64('{"schema":2,"digestKey":"AAAA"}')],
    ['without a key', base64('{"schema":1}')],
    ['with a short key', base64('{"schema":1,"digestKey":"AAAA"}')],
    ['empty', ''],
  ])('is damaged, never made anew, when it is %s', (_what, data) => {
    expect(parseHead(data).status).toBe('damaged');
  });
});

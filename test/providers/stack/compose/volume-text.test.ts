import { expect, it } from 'vitest';

import { parseVolume } from '../../../../agent/providers/stack/compose/volume-text.ts';

it.each([
  ['/a', { type: 'volume', target: '/a' }],
  ['/', { type: 'volume', target: '/' }],
  ['/data', { type: 'volume', target: '/data' }],
  ['data:/data', { type: 'volume', source: 'data', target: '/data' }],
  ['data:/data:ro', { type: 'volume', source: 'data', target: '/data', read_only: true }],
  ['data:/data:rw', { type: 'volume', source: 'data', target: '/data', read_only: false }],
  [
    'data:/data:ro,nocopy',
    { type: 'volume', source: 'data', target: '/data', read_only: true, volume: { nocopy: true } },
  ],
  ['/srv:/srv', { type: 'bind', source: '/srv', target: '/srv' }],
  ['./a:/b', { type: 'bind', source: './a', target: '/b' }],
  ['~/a:/b', { type: 'bind', source: '~/a', target: '/b' }],
  [
    '/a:/b:rslave,ro',
    { type: 'bind', source: '/a', target: '/b', bind: { propagation: 'rslave' }, read_only: true },
  ],
])('%s', (text, volume) => expect(parseVolume(text)).toEqual({ volume, ignored: [] }));

it('tells options that have no effect', () => {
  expect(parseVolume('data:/d:z,cached')).toHaveProperty('ignored', ['z', 'cached']);
});

it.each(['', 'aa::b', ':/data', 'data:/data:', 'aa:b1:c1:d1', 'aa:/b:ro:x'])('refuses %j', (text) =>
  expect(parseVolume(text)).toHaveProperty('problem'),
);

// As seen with CLI 28.2.2.
it.each([
  ['v:/data', { type: 'volume', target: 'v:/data' }],
  ['v:/data:ro', { type: 'bind', source: 'v:/data', target: 'ro' }],
  ['C:/x:/y', { type: 'bind', source: 'C:/x', target: '/y' }],
])('reads one letter before a colon as a drive: %s', (text, volume) =>
  expect(parseVolume(text)).toEqual({ volume, ignored: [], drive: true }),
);

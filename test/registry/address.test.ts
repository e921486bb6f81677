import { describe, expect, it } from 'vitest';

import { isLoopback, tagAddress } from '../../agent/registry/address.ts';

const insecure = new Set(['10.0.0.5:5000']);

describe('the address of a tag', () => {
  it.each([
    ['ghost:5.130', 'https://registry-1.docker.io', 'library/ghost', '5.130'],
    ['owner/name:1', 'https://registry-1.docker.io', 'owner/name', '1'],
    ['ghcr.io/a/b:latest', 'https://ghcr.io', 'a/b', 'latest'],
    ['ghcr.io:8443/a/b:1', 'https://ghcr.io:8443', 'a/b', '1'],
    ['localhost:5000/a:1', 'http://localhost:5000', 'a', '1'],
    ['127.0.0.1:5000/a:1', 'http://127.0.0.1:5000', 'a', '1'],
    ['10.0.0.5:5000/a:1', 'http://10.0.0.5:5000', 'a', '1'],
    ['10.0.0.6:5000/a:1', 'https://10.0.0.6:5000', 'a', '1'],
  ])('%s', (image, origin, repository, tag) => {
    expect(tagAddress(image, insecure)).toMatchObject({ origin, repository, tag });
  });

  it.each([`ghost@sha256:${'0'.repeat(64)}`, `ghost:1@sha256:${'0'.repeat(64)}`, 'a'.repeat(64)])(
    'there is none for %s',
    (image) => {
      expect(tagAddress(image, insecure)).toBeUndefined();
    },
  );

  it.each(['127.0.0.1.example.org', '127.example.org', 'localhost.example.org', '10.0.0.1'])(
    '%s is not this machine',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

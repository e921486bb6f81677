import { describe, expect, it } from 'vitest';

import { tokenUrl } from '../../agent/registry/authorization.ts';
import { challengeOf } from '../../agent/registry/challenge.ts';

describe('what a 401 asks for', () => {
  it.each([
    [
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/ghost:pull"',
      {
        scheme: 'bearer',
        realm: 'https://auth.docker.io/token',
        service: 'registry.docker.io',
        scope: 'repository:library/ghost:pull',
      },
    ],
    ['bearer realm="https://a/t"', { scheme: 'bearer', realm: 'https://a/t' }],
    ['Bearer realm="https://a/t", Basic realm="b"', { scheme: 'bearer', realm: 'https://a/t' }],
    ['Basic realm="b", Bearer realm="https://a/t"', { scheme: 'bearer', realm: 'https://a/t' }],
    ['Basic realm="Registry, Bearer of news"', { scheme: 'basic' }],
    ['Bearer realm="https://a/\\"t"', { scheme: 'bearer', realm: 'https://a/"t' }],
    ['Negotiate', undefined],
    ['Bearer service="x"', undefined],
    [null, undefined],
  ])('%s', (header, challenge) => {
    expect(challengeOf(header)).toEqual(challenge);
  });
});

describe('who is asked for a token', () => {
  const of = (origin: string, realm: string): string | undefined =>
    tokenUrl(
      { host: 'h', origin, repository: 'a/b', tag: '1' },
      { scheme: 'bearer', realm, service: 's' },
    )?.href;

  it('is any server over https that a registry over https names', () => {
    expect(of('https://registry-1.docker.io', 'https://auth.docker.io/token')).toBe(
      'https://auth.docker.io/token?service=s&scope=repository%3Aa%2Fb%3Apull',
    );
  });

  it('is the registry itself where that is in plain http', () => {
    expect(of('http://10.0.0.5:5000', 'http://10.0.0.5:5000/token')).toBeDefined();
  });

  it.each([
    ['https://registry.example.org', 'http://registry.example.org/token'],
    ['http://10.0.0.5:5000', 'http://10.0.0.6:5000/token'],
    ['http://10.0.0.5:5000', 'http://10.0.0.5:5001/token'],
    ['http://10.0.0.5:5000', 'https://evil.example.org/token'],
    ['https://registry.example.org', 'https://user:word@auth.example.org/token'],
    ['https://registry.example.org', 'file:///etc/passwd'],
    ['https://registry.example.org', '/token'],
  ])('is not, for %s, %s', (origin, realm) => {
    expect(of(origin, realm)).toBeUndefined();
  });
});

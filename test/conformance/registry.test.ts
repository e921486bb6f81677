import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { Secret } from '../../agent/core/secret.ts';
import { type LoginFound, openRegistries, type TagFound } from '../../agent/registry/registries.ts';
import { SmallRegistry } from './registry-support.ts';

const { signal } = new AbortController();
const basic = `Basic ${Buffer.from('ann:canary').toString('base64')}`;
const ann = { username: 'ann', password: new Secret('canary') };

let registry: SmallRegistry;
let slept: number[];

beforeEach(async () => {
  registry = await SmallRegistry.open();
  registry.manifests.set('site:1', '{"index": 1}');
  slept = [];
});
afterEach(() => registry.close());

const digestOf = (image: string, login?: LoginFound): Promise<TagFound> =>
  openRegistries({
    clock: { ...systemClock, sleep: async (ms) => void slept.push(ms) },
    login: async () => login,
    insecure: new Set(),
  }).digestOf(`${registry.host}/${image}`, signal);

const found = (): TagFound => ({ status: 'found', digest: registry.digestOf('site:1') });

describe('the digest of a tag', () => {
  it('is that of the index, with one request and no body', async () => {
    expect(await digestOf('site:1')).toEqual(found());
    expect(registry.seen).toEqual(['HEAD /v2/site/manifests/1']);
  });

  it('is made from the body where the registry does not say it', async () => {
    registry.digestHeader = 'none';
    expect(await digestOf('site:1')).toEqual(found());
    expect(registry.seen).toEqual(['HEAD /v2/site/manifests/1', 'GET /v2/site/manifests/1']);
  });

  it('is made from the body where the registry knows no HEAD', async () => {
    registry.before = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      response.writeHead(405).end();
      return true;
    };
    expect(await digestOf('site:1')).toEqual(found());
  });

  it('is none where it has another form, or is not that of the body', async () => {
    registry.digestHeader = 'strange';
    expect(await digestOf('site:1')).toMatchObject({ code: 'registry-unreachable' });
    registry.digestHeader = 'wrong';
    registry.before = ({ method }, response) => {
      if (method !== 'HEAD') return false;
      response.writeHead(405).end();
      return true;
    };
    expect(await digestOf('site:1')).toMatchObject({ code: 'registry-unreachable' });
  });

  it.each([
    ['site:2', 'no tag `2` of `site`'],
    ['sites:1', 'no image `sites`'],
  ])('is not there for %s', async (image, words) => {
    const failed = await digestOf(image);
    expect(failed).toMatchObject({
      code: 'registry-missing',
      message: `\`${registry.host}\` has ${words}`,
    });
  });

  it('is not there in an answer without an end', async () => {
    registry.before = ({ method }, response) => {
      response.writeHead(method === 'HEAD' ? 405 : 200).end('x'.repeat(5 * 2 ** 20));
      return true;
    };
    expect(await digestOf('site:1')).toMatchObject({
      code: 'registry-unreachable',
      message: expect.stringContaining('too large'),
    });
  });

  it('is not there where nobody listens', async () => {
    registry.close();
    expect(await digestOf('site:1')).toMatchObject({
      code: 'registry-unreachable',
      message: `\`${registry.host}\` cannot be asked: connection refused`,
    });
  });
});

describe('a login', () => {
  it('is sent when it is asked for, and not before', async () => {
    registry.accepted.add(basic);
    registry.challenge = 'Basic realm="here"';
    expect(await digestOf('site:1', ann)).toEqual(found());
    const path = '/v2/site/manifests/1';
    expect(registry.seen).toEqual([`HEAD ${path}`, `HEAD ${path} ${basic}`]);
  });

  it('is given for a token, and the token for the rest', async () => {
    registry.accepted.add('Bearer abc');
    registry.tokens.set(basic, 'abc');
    registry.challenge = `Bearer realm="http://${registry.host}/token",service="r"`;
    expect(await digestOf('site:1', ann)).toEqual(found());
    expect(registry.seen[1]).toBe(`GET /token?service=r&scope=repository%3Asite%3Apull ${basic}`);
  });

  it('is not needed where everybody gets a token', async () => {
    registry.accepted.add('Bearer abc');
    registry.tokens.set('', 'abc');
    registry.challenge = `Bearer realm="http://${registry.host}/token",service="r"`;
    expect(await digestOf('site:1')).toEqual(found());
  });

  it.each([
    ['that is missing', undefined, 'wants a login'],
    ['that is wrong', { ...ann, username: 'bob' }, 'refuses the login'],
    ['that cannot be read', { why: 'the helper is gone' }, 'the helper is gone'],
  ])('%s is told as such', async (_, login, words) => {
    registry.accepted.add(basic);
    registry.challenge = 'Basic realm="here"';
    const failed = await digestOf('site:1', login);
    expect(failed).toMatchObject({
      code: 'registry-denied',
      message: expect.stringContaining(words),
    });
    expect(JSON.stringify(failed)).not.toContain('canary');
  });

  it('goes to no token server but itself where it is in plain http', async () => {
    const other = await SmallRegistry.open();
    registry.accepted.add('Bearer abc');
    registry.challenge = `Bearer realm="http://${other.host}/token"`;
    expect(await digestOf('site:1', ann)).toMatchObject({ code: 'registry-unreachable' });
    expect(other.seen).toEqual([]);
    other.close();
  });

  it('does not go with a redirect to another host, nor is it given to that one', async () => {
    const other = await SmallRegistry.open();
    other.manifests.set('site:1', '{"index": 1}');
    registry.accepted.add(basic);
    registry.challenge = 'Basic realm="here"';
    registry.before = ({ url, headers }, response) => {
      if (headers.authorization === undefined) return false;
      response.writeHead(307, { location: `http://${other.host}${url ?? ''}` }).end();
      return true;
    };
    expect(await digestOf('site:1', ann)).toEqual(found());
    expect(other.seen).toEqual(['HEAD /v2/site/manifests/1']);
    other.accepted.add(basic);
    other.challenge = 'Basic realm="there"';
    expect(await digestOf('site:1', ann)).toMatchObject({ code: 'registry-denied' });
    expect(other.seen.join()).not.toContain(basic);
    other.close();
  });

  it('is not for who asks at the end of a redirect', async () => {
    const other = await SmallRegistry.open();
    other.accepted.add(basic);
    other.challenge = 'Basic realm="there"';
    registry.before = ({ url }, response) => {
      response.writeHead(307, { location: `http://${other.host}${url ?? ''}` }).end();
      return true;
    };
    expect(await digestOf('site:1', ann)).toMatchObject({ code: 'registry-denied' });
    expect([...registry.seen, ...other.seen].join()).not.toContain('Basic');
    other.close();
  });

  it('is not led around for ever', async () => {
    registry.before = ({ url }, response) => {
      response.writeHead(307, { location: url }).end();
      return true;
    };
    expect(await digestOf('site:1')).toMatchObject({ code: 'registry-unreachable' });
    expect(registry.seen.length).toBeLessThan(10);
  });
});

describe('a registry that is busy', () => {
  const busy = (times: number, status: number, headers: Record<string, string> = {}): void => {
    let left = times;
    registry.before = (_request, response) => {
      left -= 1;
      if (left < 0) return false;
      response.writeHead(status, headers).end();
      return true;
    };
  };

  it('is asked again, after the time that it wants', async () => {
    busy(2, 429, { 'retry-after': '7' });
    expect(await digestOf('site:1')).toEqual(found());
    expect(slept).toEqual([7_000, 7_000]);
  });

  it('is asked again a little later where it does not say when', async () => {
    busy(2, 503);
    expect(await digestOf('site:1')).toEqual(found());
    expect(slept).toEqual([1_000, 2_000]);
  });

  it('is not waited for an hour', async () => {
    busy(1, 429, { 'retry-after': '3600' });
    expect(await digestOf('site:1')).toMatchObject({ code: 'registry-limit' });
    expect(slept).toEqual([]);
  });

  it.each([
    [429, 'registry-limit'],
    [500, 'registry-unreachable'],
  ])('with %s for good is told', async (status, code) => {
    busy(100, status);
    expect(await digestOf('site:1')).toMatchObject({ code });
    expect(registry.seen).toHaveLength(3);
  });
});

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { lockCommand } from '../../agent/cli/lock.ts';
import { systemClock } from '../../agent/clock.ts';
import { lockIo } from '../../agent/locking.ts';
import { SmallRegistry } from './registry-support.ts';

const { signal } = new AbortController();
let top = '';
let folder = '';
let registry: SmallRegistry;

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-lock-'));
});
afterAll(async () => rm(top, { recursive: true, force: true }));
beforeEach(async () => {
  registry = await SmallRegistry.open();
  for (const tag of ['1', '2', 'latest']) registry.manifests.set(`site:${tag}`, `{"is": "${tag}"}`);
  folder = await mkdtemp(join(top, 'case-'));
  await write('understudy.yaml', 'version: 1\n');
  for (const [name, tag] of [
    ['production', '1'],
    ['stage', '2'],
  ] as const) {
    await environment(name, `variables: {REGISTRY: '${registry.host}', TAG: '${tag}'}`);
  }
  await stack('blog', '${REGISTRY}/site:${TAG}');
});
afterEach(() => registry.close());

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}
const environment = (name: string, more: string): Promise<void> =>
  write(`environments/${name}.yaml`, `kind: Environment\nname: ${name}\n${more}\n`);
const stack = (name: string, image: string): Promise<void> =>
  write(`stacks/${name}/compose.yaml`, `services:\n  web:\n    image: ${image}\n`);
const text = (): Promise<string> => readFile(join(folder, 'images.lock.yaml'), 'utf8');
const line = (tag: string): string =>
  `  '${registry.host}/site:${tag}': '${registry.digestOf(`site:${tag}`)}'\n`;

async function lock(...args: readonly string[]) {
  const said = { out: '', err: '' };
  const output = {
    out: (more: string) => void (said.out += more),
    err: (more: string) => void (said.err += more),
    colour: false,
  };
  const environment = { PATH: process.env['PATH'], DOCKER_CONFIG: join(folder, '.docker-config') };
  const io = lockIo(output, environment, false);
  const code = await lockCommand([folder, ...args], { ...io, clock: systemClock }, signal);
  return { code, ...said };
}

describe('understudy lock', () => {
  it('writes the digests of all environments, sorted, and asks nobody the second time', async () => {
    const first = await lock();
    expect(first).toMatchObject({ code: 0, err: '' });
    expect(await text()).toBe(`version: 1\nimages:\n${line('1')}${line('2')}`);
    expect(first.out).toContain(`+ ${registry.host}/site:1  ${registry.digestOf('site:1')}`);
    const seen = registry.seen.length;
    const before = await stat(join(folder, 'images.lock.yaml'));
    expect(await lock()).toMatchObject({
      code: 0,
      out: 'images.lock.yaml is as it was: 2 images\n',
    });
    expect((await stat(join(folder, 'images.lock.yaml'))).ino).toBe(before.ino);
    expect(registry.seen).toHaveLength(seen);
    expect(await readdir(folder)).not.toContainEqual(expect.stringContaining('.part'));
  });

  it('also where the policy requires what is not there yet', async () => {
    await write('understudy.yaml', 'version: 1\npolicy: {images: {lock: required}}\n');
    expect(await lock()).toMatchObject({ code: 0 });
    expect(await text()).toContain(line('1'));
  });

  it('keeps what is there, adds what is new and drops what nobody uses', async () => {
    const kept = `  '${registry.host}/site:1': 'sha256:${'a'.repeat(64)}'\n`;
    await write(
      'images.lock.yaml',
      `version: 1\nimages:\n${kept}  'old:1': 'sha256:${'b'.repeat(64)}'\n`,
    );
    const done = await lock();
    expect(done.out).toContain('- old:1');
    expect(await text()).toBe(`version: 1\nimages:\n${kept}${line('2')}`);
  });

  it('asks anew for those that are named, and for all', async () => {
    const old = (tag: string): string =>
      `  '${registry.host}/site:${tag}': 'sha256:${'a'.repeat(64)}'\n`;
    await write('images.lock.yaml', `version: 1\nimages:\n${old('1')}${old('2')}`);
    expect((await lock('--update', `${registry.host}/site:2`)).out).toContain('~ ');
    expect(await text()).toBe(`version: 1\nimages:\n${old('1')}${line('2')}`);
    await lock('--update');
    expect(await text()).toBe(`version: 1\nimages:\n${line('1')}${line('2')}`);
  });

  it('drops nothing where one environment is looked at', async () => {
    await write('images.lock.yaml', `version: 1\nimages:\n${line('2')}`);
    await lock('--environment', 'production');
    expect(await text()).toBe(`version: 1\nimages:\n${line('1')}${line('2')}`);
    expect(registry.seen).toEqual(['HEAD /v2/site/manifests/1']);
  });

  it('leaves an environment alone that follows the tags, and images with a digest', async () => {
    await environment(
      'stage',
      `variables: {REGISTRY: '${registry.host}', TAG: '2'}\npolicy: {images: {lock: 'off'}}`,
    );
    await stack('pinned', `a:1@sha256:${'c'.repeat(64)}`);
    await lock();
    expect(await text()).toBe(`version: 1\nimages:\n${line('1')}`);
  });

  it('tells what is missing and unused, and asks and writes nothing, with --check', async () => {
    await write(
      'images.lock.yaml',
      `version: 1\nimages:\n${line('1')}  'old:1': 'sha256:${'b'.repeat(64)}'\n`,
    );
    const before = await text();
    expect(await lock('--check')).toEqual({
      code: 4,
      err: '',
      out: `missing  ${registry.host}/site:2  stacks/blog/compose.yaml:3\nunused   old:1\nrun \`understudy lock\`\n`,
    });
    expect(JSON.parse((await lock('--check', '--json')).out)).toEqual({
      complete: false,
      missing: [`${registry.host}/site:2`],
      unused: ['old:1'],
    });
    expect(await text()).toBe(before);
    expect(registry.seen).toEqual([]);
    await lock();
    expect(await lock('--check')).toMatchObject({ code: 0 });
  });

  it('writes what it found, and tells the rest with its line', async () => {
    await stack('other', '${REGISTRY}/site:none');
    const done = await lock();
    expect(done.code).toBe(1);
    expect(done.err).toContain('error[registry-missing]');
    expect(done.err).toContain('stacks/other/compose.yaml:3');
    expect(await text()).toBe(`version: 1\nimages:\n${line('1')}${line('2')}`);
    const { failed } = JSON.parse((await lock('--json')).out);
    expect(failed).toMatchObject([
      { image: `${registry.host}/site:none`, code: 'registry-missing' },
    ]);
  });

  it('asks nobody for a repository that is invalid, or an image from where none may come', async () => {
    await write('understudy.yaml', 'version: 1\npolicy: {images: {registries: [docker.io]}}\n');
    const refused = await lock();
    expect(refused.code).toBe(3);
    expect(refused.err).toContain('error[not-allowed]');
    expect(registry.seen).toEqual([]);
    expect(await readdir(folder)).not.toContain('images.lock.yaml');
  });

  it.each([
    [['--check', '--update'], '`--check` asks nothing'],
    [['site:1'], 'images belong to `--update`'],
    [['--update', 'Site:1'], '`Site:1`'],
    [['--update', 'sight:1'], 'no stack has the image `sight:1`'],
    [['--insecure-registry', 'http://a'], '`http://a`'],
  ])('does not know what %j means', async (args, words) => {
    const { code, err } = await lock(...args);
    expect(code).toBe(2);
    expect(err).toContain(words);
  });
});

describe('the logins of the Docker CLI', () => {
  const basic = (user: string): string =>
    `Basic ${Buffer.from(`${user}:canary:1`).toString('base64')}`;
  const config = (content: object): Promise<void> =>
    write('.docker-config/config.json', JSON.stringify(content));
  const auth = Buffer.from('ann:canary:1').toString('base64');

  beforeEach(() => {
    registry.accepted.add(basic('ann'));
    registry.challenge = 'Basic realm="here"';
  });

  it('are taken from `auths`, also under an address', async () => {
    await config({ auths: { [registry.host]: { auth } } });
    expect(await lock('--environment', 'production')).toMatchObject({ code: 0 });
    await config({ auths: { [`https://${registry.host}/v1/`]: { auth } } });
    expect(await lock('--environment', 'stage')).toMatchObject({ code: 0 });
  });

  it('of another host stay here', async () => {
    await config({ auths: { 'docker.io': { auth }, [`${registry.host}.example.org`]: { auth } } });
    const done = await lock();
    expect(done.code).toBe(1);
    expect(done.err).toContain('wants a login');
    expect(registry.seen.join()).not.toContain('Basic');
  });

  it.each([
    ['credHelpers', () => ({ credHelpers: { [registry.host]: 'test' } })],
    ['credsStore', () => ({ credsStore: 'test', auths: { [registry.host]: {} } })],
  ])('are asked of a helper that %s names', async (_, content) => {
    await config(content());
    const bin = join(folder, '.docker-config');
    const helper = join(bin, 'docker-credential-test');
    const path = process.env['PATH'] ?? '';
    await writeFile(
      helper,
      `#!/bin/sh\n[ "$1" = get ] || exit 2\nread host\n[ "$host" = '${registry.host}' ] || { echo credentials not found; exit 1; }\necho '{"Username":"ann","Secret":"canary:1"}'\n`,
    );
    await chmod(helper, 0o755);
    process.env['PATH'] = `${bin}:${path}`;
    try {
      expect(await lock()).toMatchObject({ code: 0 });
      await writeFile(helper, '#!/bin/sh\necho credentials not found in native keychain; exit 1\n');
      expect((await lock('--update')).err).toContain('wants a login');
      await writeFile(helper, '#!/bin/sh\necho canary; exit 3\n');
      const failed = await lock('--update');
      expect(failed.err).toContain('docker-credential-test failed (3)');
      expect(failed.err + failed.out).not.toContain('canary');
    } finally {
      process.env['PATH'] = path;
    }
  });

  it.each([
    ['a token of another kind', { identitytoken: 'canary' }, 'identity token'],
    ['a login that is wrong', { auth: Buffer.from('bob:canary:1').toString('base64') }, 'refuses'],
  ])('%s is told', async (_, login, words) => {
    await config({ auths: { [registry.host]: login } });
    const { code, err, out } = await lock();
    expect(code).toBe(1);
    expect(err).toContain(words);
    expect(err + out).not.toContain('canary');
  });

  it('in a file that cannot be read end it before anybody is asked', async () => {
    await write('.docker-config/config.json', '{"auths": "canary');
    const { code, err } = await lock();
    expect([code, err]).toEqual([1, expect.stringContaining('config.json is not what')]);
    expect(err).not.toContain('canary');
    expect(registry.seen).toEqual([]);
  });
});

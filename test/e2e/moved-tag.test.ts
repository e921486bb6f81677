import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { projectFolder } from '../../agent/rehearsal/plan.ts';
import type { LogLine } from './agent-log.ts';
import {
  account,
  privateHost,
  type PrivateRegistry,
  startPrivateRegistry,
} from './private-registry.ts';
import { Scene } from './scene.ts';

/**
 * A tag that is moved in the registry, and a registry that asks for a login, on real engines. One story, told in order: each
 * test starts from where the one before ended.
 */
let scene: Scene;
let registry: PrivateRegistry;
/** Holds the agent's password and a person's logins. */
let folder: string;
const subnet = '10.213.97.0/24';
const passwordFile = (): string => join(folder, 'password');

const TYPE = 'application/vnd.docker.distribution.manifest.v2+json';
const ports = { pinned: 8091, floating: 8092 };
const bad = "NEVER_HEALTHY: '1'";

/** Two stacks of one service on the worker, by the tag of their own. */
const both = (environment: string): Record<string, string> =>
  Object.assign(
    {},
    ...Object.entries(ports).map(([stack, port]) => files(stack, port, environment)),
  );

const files = (stack: string, port: number, environment: string): Record<string, string> => ({
  [`stacks/${stack}/compose.yaml`]: `
services:
  web:
    image: '\${REGISTRY}/site:${stack}'
    environment: {${environment}}
    stop_grace_period: 1s
    ports: [{target: 8080, published: ${String(port)}, mode: host}]
    healthcheck: {test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/cgi-bin/health"], interval: 1s, timeout: 10s, retries: 2, start_period: 5s}
    deploy:
      endpoint_mode: dnsrr
      placement: {constraints: [node.role == worker]}
      restart_policy: {condition: any, delay: 1s}
      update_config: {order: stop-first, monitor: 2s}
`,
  [`stacks/${stack}/stack.yaml`]: 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
});

const lock = (digest: string): Record<string, string> => ({
  'images.lock.yaml': `version: 1\nimages:\n  '${image('pinned')}': '${digest}'\n`,
});

beforeAll(async () => {
  const small = { managers: 1, workers: 1 };
  folder = await mkdtemp(join(tmpdir(), 'understudy-logins-'));
  const login = { username: account.username, passwordFile: passwordFile() };
  await writeFile(passwordFile(), `${account.password}\n`);
  const settings = { registries: { [privateHost(subnet)]: login } };
  scene = await Scene.raise({ name: 'uso', subnet, ...small }, settings);
  registry = await startPrivateRegistry(scene.stage, folder);
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await registry?.stop();
  await scene?.lower();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

const of =
  (stack: string) =>
  ({ id }: LogLine): boolean =>
    id === `stack/${stack}`;
const revision =
  (commit: string) =>
  (line: LogLine): boolean =>
    line['revision'] === commit;
const image = (tag: string): string => `${scene.stage.registry}/site:${tag}`;

async function ask(tag: string, more: RequestInit = {}): Promise<Response> {
  const answer = await fetch(`http://${scene.stage.registry}/v2/site/manifests/${tag}`, {
    headers: { accept: TYPE, 'content-type': TYPE },
    signal: AbortSignal.timeout(30_000),
    ...more,
  });
  expect(answer.ok).toBe(true);
  return answer;
}

async function digestOf(tag: string): Promise<string> {
  return (await ask(tag)).headers.get('docker-content-digest') ?? '';
}

async function moveTags(to: string): Promise<void> {
  const body = await (await ask(to)).text();
  for (const tag of Object.keys(ports)) await ask(tag, { method: 'PUT', body });
}

/** The image of the task that runs, and what its page says. */
async function running(stack: keyof typeof ports): Promise<readonly string[]> {
  const filter = ['--filter', 'desired-state=running'];
  const format = ['--no-trunc', '--format', '{{.Image}}'];
  const shown = await scene.docker('service', 'ps', `${stack}_web`, ...filter, ...format);
  const address = scene.stage.hosts.find(({ role }) => role === 'worker')?.address ?? '';
  const page = await fetch(`http://${address}:${String(ports[stack])}/`, {
    signal: AbortSignal.timeout(30_000),
  });
  const text = await page.text();
  return [shown.trim(), /This is (site \d)/.exec(text)?.[1] ?? text];
}

function sorted(ids: unknown): unknown {
  return Array.isArray(ids) ? ids.map(String).toSorted() : ids;
}

describe('a tag that is moved in the registry', () => {
  it('is sent with the digest that the lock has, else as it is', async () => {
    const one = await digestOf('1');
    await moveTags('1');
    const first = await scene.push('by tag and by digest', {
      'understudy.yaml': 'version: 1\ninterval: 1s\n',
      'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
      ...both(''),
      ...lock(one),
    });
    await scene.startAgent();
    await scene.log.until('revision healthy', revision(first));
    expect(await running('pinned')).toEqual([`${image('pinned')}@${one}`, 'site 1']);
    expect(await running('floating')).toEqual([image('floating'), 'site 1']);
  });

  it('comes back by that digest, else as what it is by then', async () => {
    const one = await digestOf('1');
    const before = await scene.spec('pinned_web');
    await moveTags('2');
    const commit = await scene.push('break both', both(bad));
    const ended = await scene.log.until('revision failed', revision(commit));
    const ids = ['stack/floating', 'stack/pinned'];
    expect([ended['failed'], ended['rolledBack']].map(sorted)).toEqual([ids, ids]);
    expect(await scene.spec('pinned_web')).toEqual(before);
    expect(await running('pinned')).toEqual([`${image('pinned')}@${one}`, 'site 1']);
    expect(await running('floating')).toEqual([image('floating'), 'site 2']);
  });

  it('is deployed by a commit to the lock, and by nothing else', async () => {
    const two = await digestOf('2');
    const mended = await scene.push('mend both', both(''));
    await scene.log.until('revision healthy', revision(mended));
    const tasks = await scene.runningTasks('floating_web');
    const commit = await scene.push('the lock', lock(two));
    expect(await scene.log.until('unit healthy', of('pinned'))).toMatchObject({ revision: commit });
    expect(await running('pinned')).toEqual([`${image('pinned')}@${two}`, 'site 2']);
    expect(await scene.runningTasks('floating_web')).toEqual(tasks);
  });

  it('goes back from a digest that the registry does not have', async () => {
    const before = await scene.spec('pinned_web');
    const commit = await scene.push('no such content', lock(`sha256:${'0'.repeat(64)}`));
    const code = 'image-missing';
    expect(await scene.log.until('unit failed', of('pinned'))).toMatchObject({ code });
    const ended = await scene.log.until('revision failed', revision(commit));
    expect([ended['failed'], ended['rolledBack']]).toEqual([['stack/pinned'], ['stack/pinned']]);
    expect(await scene.spec('pinned_web')).toEqual(before);
    expect(await scene.quietPasses(2)).toEqual([]);
  });
});

describe('a registry that asks for a login', () => {
  const ofSecret = of('secret');
  const secretImage = (tag: string): string => `${registry.host}/site:${tag}`;
  const secret = (tag: string, environment = ''): Record<string, string> => {
    const made = files('secret', 8093, environment);
    const compose = made['stacks/secret/compose.yaml'] ?? '';
    const text = compose.replace("'${REGISTRY}/site:secret'", `'${secretImage(tag)}'`);
    return { ...made, 'stacks/secret/compose.yaml': text };
  };

  /** Beside what is pushed; nothing is committed. */
  async function save(saved: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(saved)) {
      await mkdir(dirname(join(scene.copy.folder, path)), { recursive: true });
      await writeFile(join(scene.copy.folder, path), text);
    }
  }

  /** The command as a person runs it, with what `docker login` would have written. */
  async function lockWith(password?: string): Promise<{ code: unknown; said: string }> {
    const auth = Buffer.from(`${account.username}:${password ?? ''}`).toString('base64');
    const auths = password === undefined ? {} : { [registry.host]: { auth } };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
    const insecure = [registry.host, scene.stage.registry].flatMap((host) => ['--insecure-registry', host]); // prettier-ignore
    const bin = join(projectFolder, 'agent', 'bin.mjs');
    const args = [bin, 'lock', scene.copy.folder, '--update', ...insecure];
    const env = { PATH: process.env['PATH'], DOCKER_CONFIG: folder };
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (piece: Buffer) => (said += piece.toString()));
    }
    const [code] = await once(child, 'close');
    return { code, said };
  }

  it('is asked for digests with the logins of the CLI', async () => {
    await save(secret('none'));
    expect(await lockWith()).toMatchObject({
      code: 1,
      said: expect.stringMatching(/error\[registry-denied\].*wants a login/),
    });
    expect(await lockWith('wrong')).toMatchObject({
      code: 1,
      said: expect.stringMatching(/error\[registry-denied\].*refuses the login/),
    });
    expect(await lockWith(account.password)).toMatchObject({
      code: 1,
      said: expect.stringMatching(/error\[registry-missing\].*no tag `none`/),
    });
    await save(secret('1'));
    expect(await lockWith(account.password)).toMatchObject({ code: 0 });
    const [text, one] = [await scene.read('images.lock.yaml'), await digestOf('1')];
    expect(text).toContain(`'${secretImage('1')}': '${one}'`);
    expect(text).toContain(`'${image('floating')}': '${await digestOf('floating')}'`);
  });

  it('gives a worker its image with the login of the agent', async () => {
    const commit = await scene.push('a private image', {});
    await scene.log.until('revision healthy', revision(commit));
    const shown = await scene.docker('service', 'ps', 'secret_web', '--no-trunc', '--filter', 'desired-state=running', '--format', '{{.Image}} {{.Node}}'); // prettier-ignore
    expect(shown.trim()).toBe(`${secretImage('1')}@${await digestOf('1')} w1`);
  });

  it.each([
    ['a tag that is not there', 'gone', account.password, 'image-missing'],
    ['an image that the login may not have', '2', 'wrong', 'image-denied'],
  ])('fails for %s before its service is touched', async (_, tag, password, code) => {
    await writeFile(passwordFile(), password);
    const before = await scene.versioned('secret_web');
    const commit = await scene.push(`tag ${tag}`, secret(tag));
    const failed = await scene.log.until('unit failed', (line) => ofSecret(line) && line['revision'] === commit); // prettier-ignore
    expect(failed).toMatchObject({ code, evidence: expect.stringContaining('nothing was called') });
    await scene.log.until('revision failed', revision(commit));
    expect(await scene.versioned('secret_web')).toBe(before);
  });

  it('takes a new password from its file with the next change', async () => {
    await writeFile(passwordFile(), account.password);
    const commit = await scene.push('once more', secret('2', "AGAIN: '1'"));
    await scene.log.until('revision healthy', revision(commit));
    expect(await scene.quietPasses(2)).toEqual([]);
  });
});

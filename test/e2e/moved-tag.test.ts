import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { LogLine } from './agent-log.ts';
import { Scene } from './scene.ts';

/** A tag that is moved in the registry, on real engines. One story, told in order: each test starts from where the one before ended. */
let scene: Scene;

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
  scene = await Scene.raise({ name: 'uso', subnet: '10.213.97.0/24', ...small });
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene?.lower();
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

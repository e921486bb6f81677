import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { LogLine } from './agent-log.ts';
import { quickLease, Scene } from './scene.ts';

/**
 * Stacks that leave the repository, on real engines. One story, told in order: each test starts from where the one before
 * ended.
 */
const never = new AbortController().signal;
let scene: Scene;

/** Every kind of thing that a stack can hold. */
const files = (stack: string, image = 'site:1', extra = ''): Record<string, string> => ({
  [`stacks/${stack}/compose.yaml`]: `
services:
  web:
    image: '\${REGISTRY}/${image}'
    environment: {NAME: ${stack}, IGNORE_TERM: '1'}
    configs: [{source: page, target: /www/index.html}]
    secrets: [key]
    volumes: ['data:/data']
    networks: [inner]
    stop_grace_period: 3s
    deploy: {update_config: {monitor: 2s}}
${extra}networks: {inner: {driver: overlay}}
volumes: {data: {}}
configs: {page: {file: page.html}}
secrets: {key: {file: key.txt}}
`,
  [`stacks/${stack}/page.html`]: `page of ${stack}\n`,
  [`stacks/${stack}/key.txt`]: `key of ${stack}\n`,
  [`stacks/${stack}/stack.yaml`]: 'kind: Stack\nhealth: {stableFor: 2s, timeout: 60s}\n',
});

beforeAll(async () => {
  const small = { managers: 1, workers: 1 };
  scene = await Scene.raise({ name: 'usm', subnet: '10.213.84.0/24', ...small }, quickLease);
  await scene.push('three stacks', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    ...Object.assign({}, ...['blog', 'shop', 'news'].map((stack) => files(stack))),
  });
  await scene.startAgent();
  await scene.log.until('revision healthy');
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
/** But for configs and secrets: see `Scene.writes`. */
const deletes = (from: number): string[] =>
  scene
    .writes(from)
    .filter(({ method }) => method === 'DELETE')
    .map(({ path }) => path.split('/')[2] ?? '');

/** Names of all objects of a stack; `volume` on any host. */
async function objects(stack: string): Promise<readonly string[]> {
  const lists = ['service', 'network', 'config', 'secret'].map(async (noun) => {
    const names = await scene.docker(noun, 'ls', '--format', '{{.Name}}');
    return names
      .split('\n')
      .flatMap((name) => (name.startsWith(`${stack}_`) ? `${noun} ${name}` : []));
  });
  return (await Promise.all(lists)).flat();
}

async function volumes(stack: string): Promise<number> {
  const found = scene.stage.hosts.map(async ({ name }) => {
    const names = await scene.stage.docker(['volume', 'ls', '--quiet'], never, name);
    return names.split('\n').filter((one) => one === `${stack}_data`).length;
  });
  return (await Promise.all(found)).reduce((sum, one) => sum + one, 0);
}

/** Commits and pushes that these stacks are not there any more. */
async function pushWithout(...stacks: readonly string[]): Promise<string> {
  for (const stack of stacks) await scene.remove(`stacks/${stack}`);
  return scene.push(`without ${stacks.join(', ')}`, {});
}

/** The next lines that say why these stacks are held, and the digest in them. */
async function held(...stacks: readonly string[]): Promise<string> {
  const open = new Set(stacks.map((stack) => `stack/${stack}`));
  const digests = new Set<string>();
  while (open.size > 0) {
    const line = await scene.log.until('unit held', ({ id }) => open.has(String(id)));
    open.delete(String(line['id']));
    digests.add(/understudy approve ([0-9a-f]{12})/.exec(String(line['why']))?.[1] ?? 'none');
  }
  expect([...digests]).toEqual([expect.stringMatching(/^[0-9a-f]{12}$/)]);
  return [...digests][0] ?? '';
}

describe('a stack that leaves the repository', () => {
  it('goes with its network, config and secret; its volume stays, and the others run on', async () => {
    const tasks = await Promise.all(['blog', 'shop'].map((stack) => scene.tasks(`${stack}_web`)));
    expect(await objects('news')).toHaveLength(4);
    const from = scene.proxy.seen.length;
    const commit = await pushWithout('news');
    expect(await scene.log.until('unit removing', of('news'))).toMatchObject({
      targets: ['service news_web', 'network news_inner', 'config news_page', 'secret news_key'],
    });
    await scene.log.until('unit removed', of('news'));
    await scene.log.until('revision healthy', revision(commit));
    expect(await objects('news')).toEqual([]);
    expect(deletes(from)).toEqual(['services', 'networks']);
    expect(await volumes('news')).toBeGreaterThan(0);
    expect(await Promise.all(['blog', 'shop'].map((stack) => scene.tasks(`${stack}_web`)))).toEqual(
      tasks,
    );
    expect(await scene.quietAfterRemoval(3)).toEqual([]);
  });

  it('is deployed again where it comes back while it is removed', async () => {
    const before = await scene.push('news again', files('news'));
    await scene.log.until('revision healthy', revision(before));
    await pushWithout('news');
    await scene.log.until('unit removing', of('news'));
    const commit = await scene.push('news after all', files('news'));
    await scene.log.until('unit healthy', of('news'));
    await scene.log.until('revision healthy', revision(commit));
    expect(await objects('news')).toHaveLength(4);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });

  it('goes also where the agent is killed on the way', async () => {
    const commit = await pushWithout('news');
    await scene.log.until('unit removing', of('news'));
    await scene.killAgent();
    await scene.log.until('unit removed', of('news'));
    await scene.log.until('revision healthy', revision(commit));
    expect(await objects('news')).toEqual([]);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });
});

describe('more than the limit', () => {
  it('is held whole, with one digest, and goes when a person approves it', async () => {
    const before = await scene.push('four', { ...files('a'), ...files('b') });
    await scene.log.until('revision healthy', revision(before));
    const from = scene.proxy.seen.length;
    await pushWithout('a', 'b', 'shop');
    const digest = await held('a', 'b', 'shop');
    expect(await scene.quietPasses(3)).toEqual([]);
    await expect(understudy('approve', 'ffffffffffff')).rejects.toMatchObject({
      evidence: expect.stringContaining('approval refused'),
    });
    expect(deletes(from)).toEqual([]);
    expect(await understudy('approve', digest)).toContain('taken');
    const open = new Set(['stack/a', 'stack/b', 'stack/shop']);
    while (open.size > 0) {
      const line = await scene.log.until('unit removed', ({ id }) => open.has(String(id)));
      open.delete(String(line['id']));
    }
    for (const stack of ['a', 'b', 'shop']) expect(await objects(stack)).toEqual([]);
    expect(await objects('blog')).toHaveLength(4);
    await expect(understudy('approve', digest)).rejects.toMatchObject({
      evidence: expect.stringContaining('approved before'),
    });
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });
});

describe('a branch that is not what it was', () => {
  it('removes nothing where it is emptied, also for an agent that is started then', async () => {
    const from = scene.proxy.seen.length;
    await pushWithout('blog');
    await scene.log.until('revision invalid');
    await scene.killAgent();
    await scene.log.until('revision invalid');
    expect(await objects('blog')).toHaveLength(4);
    const commit = await scene.push('blog is back', files('blog'));
    await scene.log.until('revision healthy', revision(commit));
    expect(deletes(from)).toEqual([]);
  });

  it('removes nothing after a rewind until a person approves it', async () => {
    const before = await scene.push('news once more', files('news'));
    await scene.log.until('revision healthy', revision(before));
    await scene.copy.git(['reset', '--quiet', '--hard', 'HEAD~1'], never);
    await scene.copy.git(['push', '--quiet', '--force', 'origin', 'HEAD:main'], never);
    const first = await held('news');
    await scene.push('goes on from there', { 'README.md': 'x\n' });
    await scene.killAgent();
    expect(await held('news')).toBe(first);
    expect(await objects('news')).toHaveLength(4);
    await understudy('approve', first);
    await scene.log.until('unit removed', of('news'));
    expect(await objects('news')).toEqual([]);
  });
});

describe('a stack that was there before and differs', () => {
  it('is left as it is until a person approves what would change', async () => {
    await scene.docker(
      'service',
      'create',
      '--detach',
      '--name=old_web',
      '--label=com.docker.stack.namespace=old',
      `${scene.stage.registry}/site:1`,
    );
    const spec = await scene.spec('old_web');
    const commit = await scene.push('take it over', files('old', 'site:2'));
    const digest = await held('old');
    expect(await scene.quietPasses(2)).toEqual([]);
    expect(await scene.spec('old_web')).toEqual(spec);
    await understudy('approve', digest);
    await scene.log.until('unit healthy', of('old'));
    await scene.log.until('revision healthy', revision(commit));
    expect(await objects('old')).toHaveLength(4);
  });
});

const extra = `  extra:\n    image: '\${REGISTRY}/site:1'\n    networks: [outer]\n    stop_grace_period: 1s\n`;
/** The blog with another service, on a network of its own. */
const wide = files('blog', 'site:1', extra);
const blogFile = 'stacks/blog/compose.yaml';
const withOuter = (wide[blogFile] ?? '').replace(
  'networks: {inner:',
  'networks: {outer: {driver: overlay}, inner:',
);

describe('what leaves a Compose file', () => {
  it('goes once the stack is healthy without it, and not before', async () => {
    const first = await scene.push('an extra service', { ...wide, [blogFile]: withOuter });
    await scene.log.until('revision healthy', revision(first));
    expect(await objects('blog')).toHaveLength(6);
    const from = scene.proxy.seen.length;
    await scene.push('without, but bad', files('blog', 'site:none'));
    await scene.log.until('unit rolled back', of('blog'));
    expect([await objects('blog'), deletes(from)]).toEqual([expect.any(Array), []]);
    expect(await objects('blog')).toHaveLength(6);
    await scene.push('without', files('blog'));
    await scene.log.until('unit healthy', of('blog'));
    const gone = await scene.log.until(
      'change applied',
      (line) => line['target'] === 'network blog_outer',
    );
    expect(gone).toMatchObject({ verb: 'remove', destructive: true });
    expect(await objects('blog')).toEqual([
      'service blog_web',
      'network blog_inner',
      'config blog_page',
      'secret blog_key',
    ]);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });
});

describe('what leaves a Compose file with a rewind', () => {
  it('stays until a person approves it, also for an agent that is started then', async () => {
    const commit = await scene.push('an extra service again', { ...wide, [blogFile]: withOuter });
    await scene.log.until('revision healthy', revision(commit));
    const from = scene.proxy.seen.length;
    await scene.copy.git(['reset', '--quiet', '--hard', 'HEAD~1'], never);
    await scene.copy.git(['push', '--quiet', '--force', 'origin', 'HEAD:main'], never);
    await scene.log.until('unit healthy', of('blog'));
    const digest = await held('blog');
    await scene.push('goes on from there once more', { 'README.md': 'y\n' });
    await scene.killAgent();
    expect(await held('blog')).toBe(digest);
    expect(await scene.quietPasses(2)).toEqual([]);
    expect([await objects('blog'), deletes(from)]).toEqual([expect.any(Array), []]);
    expect(await objects('blog')).toHaveLength(6);
    await understudy('approve', digest);
    await scene.log.until(
      'change applied',
      ({ target, verb }) => target === 'network blog_outer' && verb === 'remove',
    );
    expect(await objects('blog')).toHaveLength(4);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });
});

/** A stack with a port and a volume of a name of its own; it takes the place of another one. */
function press(stack: string, image: string, from?: string): Record<string, string> {
  const all = files(stack, image, "    ports: ['9100:8080']\n");
  const compose = all[`stacks/${stack}/compose.yaml`] ?? '';
  const rules = all[`stacks/${stack}/stack.yaml`] ?? '';
  return {
    ...all,
    [`stacks/${stack}/compose.yaml`]: compose.replace('{data: {}}', '{data: {name: press_data}}'),
    [`stacks/${stack}/stack.yaml`]: `${rules}${from === undefined ? '' : `movedFrom: ${from}\n`}`,
  };
}

describe('a stack whose folder is renamed', () => {
  const running = async (service: string): Promise<readonly string[]> => {
    const states = await scene.docker('service', 'ps', '--format', '{{.CurrentState}}', service);
    return states.split('\n').filter((state) => state.startsWith('Running'));
  };

  it('is not stopped for a name under which its image is missing', async () => {
    const before = await scene.push('press', press('press', 'site:1'));
    await scene.log.until('revision healthy', revision(before));
    const tasks = await scene.tasks('press_web');
    await scene.remove('stacks/press');
    const commit = await scene.push('a bad rename', press('gazette', 'site:none', 'press'));
    await scene.log.until('unit failed', of('gazette'));
    await scene.log.until('revision failed', revision(commit));
    expect([await scene.tasks('press_web'), await objects('gazette')]).toEqual([tasks, []]);
    expect(await objects('press')).toHaveLength(4);
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('runs again under its old name where it fails under the new one', async () => {
    const bad = press('gazette', 'site:1', 'press');
    const file = 'stacks/gazette/compose.yaml';
    const broken = (bad[file] ?? '').replace(
      "ports: ['9100",
      "entrypoint: [/none]\n    ports: ['9100",
    );
    const commit = await scene.push('another bad rename', { ...bad, [file]: broken });
    await scene.log.until('unit making place', of('press'));
    await scene.log.until('unit failed', of('gazette'));
    await scene.log.until('unit coming back', of('press'));
    await scene.log.until('unit rolled back', of('press'));
    await scene.log.until('revision failed', revision(commit));
    expect([await running('press_web'), await running('gazette_web')]).toEqual([
      [expect.any(String)],
      [],
    ]);
    expect(await objects('press')).toHaveLength(4);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });

  it('takes the place, the port and the volume of the old one, also where the agent is killed', async () => {
    const from = scene.proxy.seen.length;
    const commit = await scene.push('a good rename', press('gazette', 'site:1', 'press'));
    await scene.log.until('unit making place', of('press'));
    await scene.killAgent();
    await scene.log.until('unit healthy', of('gazette'));
    await scene.log.until('unit removed', of('press'));
    await scene.log.until('revision healthy', revision(commit));
    expect(await objects('press')).toEqual([]);
    expect(await objects('gazette')).toHaveLength(4);
    expect(await running('gazette_web')).toHaveLength(1);
    expect(JSON.stringify(await scene.spec('gazette_web'))).toContain('"Source":"press_data"');
    // Never a service of the new one before the old one stood still.
    expect(deletes(from)).toEqual(['services', 'networks']);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });

  it('goes back where the rename is reverted', async () => {
    await scene.remove('stacks/gazette');
    const commit = await scene.push('under its old name', press('press', 'site:1'));
    await scene.log.until('unit making place', of('gazette'));
    await scene.log.until('unit healthy', of('press'));
    await scene.log.until('unit removed', of('gazette'));
    await scene.log.until('revision healthy', revision(commit));
    expect([await objects('gazette'), await running('press_web')]).toEqual([
      [],
      [expect.any(String)],
    ]);
    expect(await scene.quietAfterRemoval(2)).toEqual([]);
  });
});

/** The command line, as on a manager. */
async function understudy(...args: readonly string[]): Promise<string> {
  return scene.understudy(args);
}

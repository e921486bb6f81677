import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { LogLine } from './agent-log.ts';
import { quickLease, Scene } from './scene.ts';

/**
 * Commits that fail, on real engines: each is taken back to exactly what ran before, and holds up nobody. One story, told
 * in order: each test starts from where the one before ended.
 */
let scene: Scene;

/** What a stack of this story may differ in. */
interface Site {
  readonly image?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly constraint?: string;
  readonly page?: string;
  readonly action?: 'pause' | 'continue' | 'rollback';
  readonly monitor?: string;
  readonly healthcheck?: boolean;
  /** Times in a row that its healthcheck may fail. */
  readonly retries?: number;
  /** Before the engine tries again. */
  readonly delay?: string;
  readonly port?: number;
  readonly replicas?: number;
  readonly health?: string;
}

const HEALTH = '{stableFor: 3s, timeout: 60s}';

function files(stack: string, site: Site = {}): Record<string, string> {
  const { image = 'site:1', environment = {}, constraint, page = 'page one', port } = site;
  const { action = 'pause', monitor = '2s', healthcheck = true, replicas = 1 } = site;
  const { health = HEALTH, retries = 2, delay = '1s' } = site;
  const check = `{test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/cgi-bin/health"], interval: 1s, timeout: 10s, retries: ${String(retries)}, start_period: 5s}`;
  return {
    [`stacks/${stack}/compose.yaml`]: `
services:
  web:
    image: '\${REGISTRY}/${image}'
    environment: ${JSON.stringify({ NAME: stack, ...environment })}
    configs: [{source: page, target: /www/index.html}]
    secrets: [key]
    stop_grace_period: 1s
${healthcheck ? `    healthcheck: ${check}\n` : ''}${port === undefined ? '' : `    ports: [{target: 8080, published: ${String(port)}, mode: host}]\n`}    deploy:
      replicas: ${String(replicas)}
      endpoint_mode: dnsrr
      restart_policy: {condition: any, delay: ${delay}}
      update_config: {order: stop-first, monitor: ${monitor}, failure_action: ${action}}
      ${constraint === undefined ? 'labels: {free: "yes"}' : `placement: {constraints: ['${constraint}']}`}
configs: {page: {file: page.html}}
secrets: {key: {file: key.txt}}
`,
    [`stacks/${stack}/page.html`]: `${page}\n`,
    [`stacks/${stack}/key.txt`]: `key of ${page}\n`,
    [`stacks/${stack}/stack.yaml`]: `kind: Stack\nhealth: ${health}\n`,
  };
}

const probed = (timeout: string): string =>
  `{stableFor: 3s, timeout: ${timeout}, checks: [{name: front page, interval: 1s, http: {service: web, port: 8090, contains: page one}}]}`;

/** It ends long before it is stable, also where a busy machine tells of it late. */
const unchecked: Site = { healthcheck: false, health: '{stableFor: 20s}' };
/** The engine goes on whatever happens, so only the time is over. */
const short: Site = { action: 'continue', health: '{stableFor: 3s, timeout: 35s}' };
/** The engine watches long enough to see what ends at once, also on a busy machine. */
const takenBack: Site = { action: 'rollback', monitor: '10s' };

/**
 * Stack, how it is while it is well, and what a commit breaks. A time that is to pass without progress is longer than a busy
 * machine takes to place a task or to run it: the last progress is what the evidence is about.
 */
const broken: readonly (readonly [string, Site, Site, string])[] = [
  ['image', {}, { image: 'site:none' }, 'image-missing'],
  ['check', { replicas: 2 }, { replicas: 2, environment: { NEVER_HEALTHY: '1' } }, 'unhealthy'],
  ['crash', unchecked, { ...unchecked, environment: { EXIT_AFTER: '10' } }, 'crashed'],
  [
    'nowhere',
    {},
    { health: '{stableFor: 3s, timeout: 20s}', constraint: 'node.hostname == nowhere' },
    'timeout',
  ],
  [
    'probe',
    { port: 8090, health: probed('60s') },
    { port: 8090, health: probed('30s'), page: 'something else' },
    'timeout',
  ],
  [
    'engine',
    takenBack,
    { ...takenBack, environment: { EXIT_AFTER: '0', EXIT_CODE: '3' } },
    'engine-rolled-back',
  ],
  [
    'once',
    {},
    {
      ...short,
      healthcheck: false,
      delay: '90s',
      environment: { EXIT_AFTER: '0', EXIT_CODE: '3' },
    },
    'timeout',
  ],
  [
    'patient',
    {},
    {
      ...short,
      constraint: 'node.hostname == m1',
      retries: 99,
      environment: { NEVER_HEALTHY: '1' },
    },
    'timeout',
  ],
];
const stacks = broken.map(([stack]) => stack);

beforeAll(async () => {
  scene = await Scene.raise({ name: 'usr', subnet: '10.213.83.0/24' }, quickLease);
  await scene.push('all is well', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    ...files('good'),
    ...Object.assign({}, ...broken.map(([stack, well]) => files(stack, well))),
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
const specs = (names: readonly string[]): Promise<unknown[]> =>
  Promise.all(names.map((name) => scene.spec(`${name}_web`)));
/** Lines since a mark. */
const mark = (): (() => readonly LogLine[]) => {
  const from = scene.log.read.length;
  return () => scene.log.read.slice(from);
};
const told = (lines: readonly LogLine[], msg: string, stack: string): LogLine | undefined =>
  lines.find((line) => line.msg === msg && of(stack)(line));

describe('a commit that breaks eight stacks and changes a ninth', () => {
  it('is taken back where it fails, to exactly what ran, while the others go on', async () => {
    const before = await specs(stacks);
    const tasks = await Promise.all(stacks.map((stack) => scene.tasks(`${stack}_web`)));
    const since = mark();
    const pushedAt = Date.now();
    const commit = await scene.push('break eight', {
      ...files('good', { image: 'site:2', page: 'page two' }),
      ...Object.assign(
        {},
        ...broken.map(([stack, , bad]) => files(stack, { page: 'page two', ...bad })),
      ),
    });
    const ended = await scene.log.until('revision failed', revision(commit));
    const ids = stacks.map((stack) => `stack/${stack}`).toSorted();
    expect([ended['failed'], ended['rolledBack']].map(sorted)).toEqual([ids, ids]);
    const lines = since();
    for (const [stack, , , code] of broken) {
      expect(told(lines, 'unit failed', stack)).toMatchObject({ code, next: 'rolling back' });
      expect(told(lines, 'unit rolled back', stack)).toBeDefined();
    }
    expect(told(lines, 'unit healthy', 'good')).toBeDefined();
    expect(told(lines, 'unit failed', 'engine')?.['why']).toContain('rolled');
    // The task is dead by then, and on whichever node.
    expect(told(lines, 'unit failed', 'crash')?.['evidence']).toContain('ends, as EXIT_AFTER says');
    expect(told(lines, 'unit failed', 'nowhere')?.['evidence']).toMatch(
      /no suitable node \(.*\): `node\.hostname == nowhere`: .*m1.* ha/,
    );
    expect(told(lines, 'unit failed', 'probe')?.['evidence']).toContain('front page');
    expect(told(lines, 'unit failed', 'once')?.['evidence']).toMatch(
      /failed on .*\(3\); its last lines: .*ends, as EXIT_AFTER says$/,
    );
    // The agent runs beside that task, so what its check said is there too.
    expect(told(lines, 'unit failed', 'patient')?.['evidence']).toMatch(
      /a task on m1 starts: its healthcheck is not good yet; its healthcheck said: .*500.*; its last lines: .*sick/,
    );
    expect(await specs(stacks)).toEqual(before);
    await figures(lines, pushedAt, tasks);
  });

  it('is not tried again, and nothing at all is written any more', async () => {
    expect(await scene.quietPasses(3)).toEqual([]);
  });

  it('brings back by hand what was changed by hand, measured against what is healthy', async () => {
    await scene.docker('service', 'scale', '--detach', 'image_web=0');
    await scene.log.until('change applied', of('image'));
    await scene.log.until('unit recovered', of('image'));
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('holds up no later commit', async () => {
    const commit = await scene.push('mend one', files('image', { image: 'site:2' }));
    await scene.log.until('unit healthy', of('image'));
    const ended = await scene.log.until('revision healthy', revision(commit));
    expect(sorted(ended['quarantined'])).toEqual(
      stacks
        .filter((stack) => stack !== 'image')
        .map((stack) => `stack/${stack}`)
        .toSorted(),
    );
  });
});

describe('a digest that failed', () => {
  it('is not tried again when it comes back after a revert', async () => {
    const from = scene.proxy.seen.length;
    const bad = files('image', { page: 'page two', image: 'site:none' });
    const commit = await scene.push('break it again', bad);
    // What is wanted does not run, so the commit is not healthy; the healthy release is there already.
    const ended = await scene.log.until('revision failed', revision(commit));
    expect(ended).toMatchObject({ failed: ['stack/image'], rolledBack: ['stack/image'] });
    expect(scene.writes(from)).toEqual([]);
  });

  it('is tried once more when a person says so', async () => {
    const before = await scene.spec('image_web');
    const since = mark();
    const said = await understudy('retry', 'stack/image');
    expect(said).toContain('stack/image');
    await scene.log.until('request taken', of('image'));
    await scene.log.until('unit failed', of('image'));
    await scene.log.until('unit rolled back', of('image'));
    expect(await scene.spec('image_web')).toEqual(before);
    expect(await scene.quietPasses(3)).toEqual([]);
    expect(since().filter(({ msg }) => msg === 'unit failed')).toHaveLength(1);
    await expect(understudy('retry', 'stack/good')).rejects.toMatchObject({
      evidence: expect.stringContaining('stack/good is not quarantined'),
    });
  });
});

describe('a stack that was never healthy', () => {
  it('is stopped, and nothing of it is removed', async () => {
    const commit = await scene.push('a new one', files('fresh', { image: 'site:broken' }));
    expect(await scene.log.until('unit failed', of('fresh'))).toMatchObject({ next: 'stopping' });
    await scene.log.until('unit stopped', of('fresh'));
    const ended = await scene.log.until('revision failed', revision(commit));
    expect(ended).toMatchObject({ failed: ['stack/fresh'], rolledBack: [] });
    expect(await scene.spec('fresh_web')).toMatchObject({ Mode: { Replicated: { Replicas: 0 } } });
    expect(await scene.quietPasses(2)).toEqual([]);
  });

  it('runs with the next good commit', async () => {
    await scene.push('mended', files('fresh'));
    await scene.log.until('unit healthy', of('fresh'));
    expect(await scene.runningTasks('fresh_web')).toHaveLength(1);
  });
});

describe('a newer commit', () => {
  it('takes the place of one that is still verified, which is neither healthy nor failed', async () => {
    const since = mark();
    const nowhere = { constraint: 'node.hostname == elsewhere' };
    await scene.push('waits for a node', files('good', nowhere));
    await scene.log.until('unit verifying', of('good'));
    const commit = await scene.push('a better one', files('good', { page: 'page three' }));
    await scene.log.until('unit superseded', of('good'));
    expect(await scene.log.until('unit healthy', of('good'))).toMatchObject({ revision: commit });
    expect(told(since(), 'unit failed', 'good')).toBeUndefined();
  });

  it('goes back at once where it is what was healthy before', async () => {
    const good = files('good', { page: 'page three' });
    await scene.push('waits again', files('good', { constraint: 'node.hostname == elsewhere' }));
    await scene.log.until('unit verifying', of('good'));
    const commit = await scene.push('taken back by a person', good);
    await scene.log.until('unit rolled back', of('good'));
    expect(await scene.log.until('revision healthy', revision(commit))).not.toMatchObject({
      quarantined: expect.arrayContaining(['stack/good']),
    });
  });

  it('takes the place of a rollback that is under way', async () => {
    const since = mark();
    await scene.push('breaks', files('check', { replicas: 2, image: 'site:broken' }));
    await scene.log.until('unit failed', of('check'));
    const commit = await scene.push('mends', files('check', { replicas: 2, image: 'site:2' }));
    expect(await scene.log.until('unit healthy', of('check'))).toMatchObject({ revision: commit });
    expect(told(since(), 'unit rolled back', 'check')).toBeUndefined();
    expect(await scene.quietPasses(2)).toEqual([]);
  });
});

describe('an agent that is killed and started again', () => {
  it.each(['unit verifying', 'unit failed', 'rollback'])(
    'goes on where it was: at %s',
    async (at) => {
      const before = await scene.spec('good_web');
      const bad = files('good', { page: at, environment: { NEVER_HEALTHY: '1' } });
      const commit = await scene.push(`dies at ${at}`, bad);
      if (at === 'rollback') {
        await scene.log.until(
          'unit verifying',
          (line) => of('good')(line) && line['rollback'] === true,
        );
      } else {
        await scene.log.until(at, of('good'));
      }
      await scene.killAgent();
      const since = mark();
      await scene.log.until('unit rolled back', of('good'));
      const ended = await scene.log.until('revision failed', revision(commit));
      expect(ended['rolledBack']).toEqual(['stack/good']);
      expect(await scene.spec('good_web')).toEqual(before);
      const failures = since().filter(({ msg }) => msg === 'unit failed');
      expect(failures).toHaveLength(at === 'unit verifying' ? 1 : 0);
      expect(await scene.quietPasses(2)).toEqual([]);
    },
  );
});

describe('an outage', () => {
  it('of the raft burns no attempt', async () => {
    const since = mark();
    const health = '{stableFor: 15s, timeout: 30s}';
    const commit = await scene.push('good', files('good', { page: 'page four', health }));
    await scene.log.until('unit verifying', of('good'));
    for (const host of ['m2', 'm3']) await scene.signalEngine(host, 'SIGSTOP');
    try {
      await scene.log.until('waiting', (line) => line['of'] === 'swarm');
      // With what went before and what comes after, longer than the stack may take without progress.
      await sleep(15_000);
    } finally {
      for (const host of ['m2', 'm3']) await scene.signalEngine(host, 'SIGCONT');
    }
    await scene.log.until('going on', (line) => line['of'] === 'swarm');
    expect(await scene.log.until('unit healthy', of('good'))).toMatchObject({ revision: commit });
    expect(since().filter(({ msg }) => msg === 'unit failed')).toEqual([]);
  });

  it('of a node burns no attempt', async () => {
    // Longer than the Swarm takes to miss a node.
    const health = '{stableFor: 5s, timeout: 40s}';
    const onWorker = { constraint: 'node.role == worker', health };
    await scene.push('to the worker', files('good', { page: 'page five', ...onWorker }));
    await scene.log.until('unit healthy', of('good'));
    const since = mark();
    const commit = await scene.push('another', files('good', { page: 'page six', ...onWorker }));
    await scene.log.until('change applied', of('good'));
    await scene.link('w1', 'down');
    try {
      await scene.log.until('unit waiting', of('good'));
      // Longer than the stack may take without progress.
      await sleep(45_000);
    } finally {
      await scene.link('w1', 'up');
    }
    expect(await scene.log.until('unit healthy', of('good'))).toMatchObject({ revision: commit });
    expect(since().filter(({ msg }) => msg === 'unit failed')).toEqual([]);
  });
});

function sorted(ids: unknown): unknown {
  return Array.isArray(ids) ? ids.map(String).toSorted() : ids;
}

/** The command line, as on a manager. */
async function understudy(...args: readonly string[]): Promise<string> {
  return scene.understudy(args);
}

/** For people who ask: seconds from the push to the verdict and to healthy again, and the tasks that it cost. */
async function figures(
  lines: readonly LogLine[],
  pushedAt: number,
  before: readonly (readonly string[])[],
): Promise<void> {
  if (process.env['UNDERSTUDY_FIGURES'] === undefined) return;
  const seconds = (line: LogLine | undefined): string =>
    ((Date.parse(String(line?.['time'])) - pushedAt) / 1000).toFixed(1);
  for (const [n, stack] of stacks.entries()) {
    const verdict = seconds(told(lines, 'unit failed', stack));
    const back = seconds(told(lines, 'unit rolled back', stack));
    const now = await scene.tasks(`${stack}_web`);
    const made = now.filter((id) => before[n]?.includes(id) !== true).length;
    process.stderr.write(
      `${stack}: verdict ${verdict} s, healthy ${back} s, ${String(made)} new tasks known\n`,
    );
  }
}

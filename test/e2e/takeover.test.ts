import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { Entry } from '../faults/ledger.ts';
import type { Seen } from '../faults/proxy.ts';
import type { LogLine } from './agent-log.ts';
import type { SceneAgent } from './scene-agent.ts';
import { Scene } from './scene.ts';

/**
 * One of the agents of three managers acts, whatever happens to it, and the next one goes on where it was. One story, told in
 * order: each test starts from where the one before ended. After each of them nobody acted beside the leader, the commit
 * ended as it should, and one more pass changes nothing.
 */
const never = new AbortController().signal;
let scene: Scene;

interface Site {
  readonly page?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A stack whose page and environment are what a commit changes; its secret makes one more call of each change. */
function files(stack: string, { page = 'page one', environment = {} }: Site = {}) {
  const check =
    '{test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/cgi-bin/health"], interval: 1s, timeout: 10s, retries: 2, start_period: 5s}';
  return {
    [`stacks/${stack}/compose.yaml`]: `
services:
  web:
    image: '\${REGISTRY}/site:1'
    environment: ${JSON.stringify({ NAME: stack, ...environment })}
    configs: [{source: page, target: /www/index.html}]
    secrets: [key]
    stop_grace_period: 1s
    healthcheck: ${check}
    deploy:
      replicas: 2
      endpoint_mode: dnsrr
      restart_policy: {condition: any, delay: 1s}
      update_config: {monitor: 2s}
configs: {page: {file: page.html}}
secrets: {key: {file: key.txt}}
`,
    [`stacks/${stack}/page.html`]: `${page}\n`,
    [`stacks/${stack}/key.txt`]: `key of ${page}\n`,
    [`stacks/${stack}/stack.yaml`]: 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
  };
}

/** One copy, on the nodes that bear the label. */
const roaming = {
  'stacks/roam/compose.yaml':
    "services: {web: {image: '${REGISTRY}/site:1', stop_grace_period: 1s, deploy: {endpoint_mode: dnsrr, placement: {constraints: [node.labels.home == yes]}}}}\n",
  'stacks/roam/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s, timeout: 60s}\n',
};

beforeAll(async () => {
  scene = await Scene.raise({ name: 'usl', subnet: '10.213.86.0/24' });
  await scene.docker('node', 'update', '--label-add', 'home=yes', 'w1');
  const commit = await scene.push('all is well', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    ...files('blog'),
    ...files('shop'),
    ...roaming,
  });
  await scene.startAgents();
  await scene.told.until('revision healthy', of(commit));
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene?.lower();
});

const of =
  (commit: string) =>
  (line: LogLine): boolean =>
    line['revision'] === commit;
const onStack =
  (stack: string) =>
  ({ id }: LogLine): boolean =>
    id === `stack/${stack}`;

/** Who leads now, by what the engines took. */
function leader(): SceneAgent {
  const last = scene.verdict().tenures.at(-1);
  if (last === undefined) throw new Error('nobody leads');
  return scene.on(last.agent.split('#')[0]);
}

const term = (): number => scene.verdict().tenures.at(-1)?.term ?? 0;

/** The next one leads. Gives what it said. */
async function next(after: number): Promise<LogLine> {
  return scene.told.until('lease acquired', (line) => Number(line['term']) > after);
}

/** Nobody acted who did not lead, and one more pass changes nothing. */
const well = { changes: [], violations: [] };

/** What is so when the Swarm is whole again. */
async function outcome(): Promise<unknown> {
  await scene.faults.whole();
  const changes = await scene.quietPasses(2);
  return { changes, violations: scene.verdict().violations };
}

const noFigures = process.env['UNDERSTUDY_FIGURES'] === undefined;

/** For people who ask: how long the raft was away, and when the next one led. Milliseconds after the fault. */
async function measured(what: string, asked: string, fault: () => Promise<void>): Promise<void> {
  const from = Date.now();
  const before = term();
  const watch = noFigures ? undefined : watchRaft(asked);
  await fault();
  const line = await next(before);
  if (watch === undefined) return;
  const raft = await watch();
  const after = Date.parse(String(line['time'])) - from;
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  process.stderr.write(
    `${what}: ${line.host} led after ${seconds(after)} s, the raft of ${asked} answered nothing for ${seconds(raft)} s until then\n`,
  );
}

/** Asks a manager again and again; gives the time in which the raft answered nothing. */
function watchRaft(asked: string): () => Promise<number> {
  let away = 0;
  const over = new AbortController();
  const watching = (async (): Promise<void> => {
    for (let before = Date.now(); !over.signal.aborted;) {
      const answers = await scene.faults.answers(asked);
      if (answers) await new Promise((resolve) => void setTimeout(resolve, 100));
      else away += Date.now() - before;
      before = Date.now();
    }
  })();
  return async () => {
    over.abort();
    await watching;
    return away;
  };
}

/** Another manager than this one. */
function beside({ host }: SceneAgent): string {
  return scene.faults.managers.find((name) => name !== host) ?? '';
}

/** Waits until the proxy of an agent did this to a request that came after. */
async function faulted({ proxy }: SceneAgent, from: number): Promise<void> {
  const there = async (): Promise<boolean> =>
    proxy.seen.slice(from).some(({ fault }) => fault !== undefined);
  await waitUntil('the fault came', { deadlineMs: 120_000, everyMs: 5 }, there, never);
}

/** The pointer to the record that a write to the head brings. */
const recordIn = ({ labels }: Pick<Entry, 'labels'>): string | undefined =>
  labels?.['understudy.record'];

/** Whether a write to the head moves the record, and does not only renew the lease. */
function movesRecord(request: Seen): boolean {
  if (request.name !== 'understudy.head' || !request.path.endsWith('/update')) return false;
  const taken = scene
    .ledger()
    .filter(
      ({ name, status, path }) =>
        name === 'understudy.head' && status === 200 && path.endsWith('/update'),
    );
  const last = taken.at(-1);
  return last === undefined || recordIn(last) !== recordIn(request);
}

const isService = ({ path }: Seen): boolean => /\/services\/[^/]+\/update$/.test(path);

describe('the first of them', () => {
  it('leads, and the others follow', async () => {
    const { tenures } = scene.verdict();
    expect(tenures).toHaveLength(1);
    const followers = [...scene.agents.values()].filter((one) => one !== leader());
    for (const agent of followers) {
      await agent.log.until('following', (line) => line['leader'] === leader().host);
      expect(
        scene
          .ledger()
          .filter(({ host, name }) => host === agent.host && name !== 'understudy.head'),
      ).toEqual([]);
    }
    expect(await outcome()).toEqual(well);
  });
});

describe('the process of the leader', () => {
  let dead: SceneAgent;

  beforeEach(() => {
    dead = leader();
  });

  afterEach(async () => {
    if (!(await dead.process.isAlive())) await dead.start();
  });

  it('is killed before the attempt is recorded', async () => {
    const from = dead.proxy.seen.length;
    const repair = dead.proxy.break({ match: movesRecord, fault: { do: 'drop-request' } });
    const commit = await scene.push('before the record', files('blog', { page: 'page two' }));
    await faulted(dead, from);
    await measured('killed before the record', beside(dead), () => dead.kill());
    repair();
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  it('is killed in the middle of the calls, the last of which comes late', async () => {
    const from = dead.proxy.seen.length;
    const repair = dead.proxy.break({
      match: isService,
      nth: 1,
      fault: { do: 'delay-request' },
    });
    const commit = await scene.push('between the calls', {
      ...files('blog', { page: 'page three' }),
      ...files('shop', { page: 'page three' }),
    });
    await faulted(dead, from);
    await measured('killed between the calls', beside(dead), () => dead.kill());
    dead.proxy.release();
    repair();
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  it('is killed while it verifies', async () => {
    const commit = await scene.push('verifying', files('blog', { page: 'page four' }));
    await scene.told.until('unit verifying', onStack('blog'));
    await measured('killed while it verifies', beside(dead), () => dead.kill());
    await scene.told.until('unit healthy', onStack('blog'));
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  it('is killed while it rolls back', async () => {
    const before = await scene.spec('blog_web');
    const bad = files('blog', { page: 'page five', environment: { NEVER_HEALTHY: '1' } });
    const commit = await scene.push('rolling back', bad);
    await scene.told.until(
      'unit verifying',
      (line) => onStack('blog')(line) && line['rollback'] === true,
    );
    await measured('killed while it rolls back', beside(dead), () => dead.kill());
    const ended = await scene.told.until('revision failed', of(commit));
    expect(ended).toMatchObject({ failed: ['stack/blog'], rolledBack: ['stack/blog'] });
    expect(await scene.spec('blog_web')).toEqual(before);
    expect(await outcome()).toEqual(well);
    const mended = await scene.push('mended', files('blog', { page: 'page six' }));
    await scene.told.until('revision healthy', of(mended));
  });

  it('is killed and started again at once', async () => {
    const before = term();
    await measured('killed and started again', beside(dead), () => dead.restart());
    const commit = await scene.push('again', files('blog', { page: 'page seven' }));
    await scene.told.until('revision healthy', of(commit));
    expect(term()).toBeGreaterThan(before);
    expect(await outcome()).toEqual(well);
  });

  it('is asked to end', async () => {
    await measured('asked to end', beside(dead), () => dead.stop());
    expect(leader()).not.toBe(dead);
    const commit = await scene.push('after the end', files('blog', { page: 'page eight' }));
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  it('stands still past its lease, between two calls, and goes on', async () => {
    const from = dead.proxy.seen.length;
    const repair = dead.proxy.break({ match: isService, nth: 1, fault: { do: 'delay-reply' } });
    const commit = await scene.push('stands still', {
      ...files('blog', { page: 'page nine' }),
      ...files('shop', { page: 'page nine' }),
    });
    await faulted(dead, from);
    await measured('stands still', beside(dead), async () => dead.pause());
    expect(leader()).not.toBe(dead);
    const resumed = dead.proxy.seen.length;
    dead.continue();
    dead.proxy.release();
    repair();
    await dead.log.until('lease lost');
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
    // It was between two calls: what comes after is neither.
    const sent = dead.proxy.seen.slice(resumed).filter(({ mutating }) => mutating);
    expect(sent.filter(({ name }) => name !== 'understudy.head')).toEqual([]);
  });
});

describe('the host of the leader', () => {
  it('loses its engine', async () => {
    const old = leader();
    const asked = beside(old);
    const commit = await scene.push('no engine', files('blog', { page: 'page ten' }));
    await scene.told.until('unit verifying', onStack('blog'));
    await raftOf(old, asked);
    await measured('engine killed', asked, () => scene.faults.killEngine(old.host));
    expect(leader()).not.toBe(old);
    await scene.faults.startEngine(old.host);
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  it('is cut off', async () => {
    const old = leader();
    const asked = beside(old);
    const commit = await scene.push('cut off', files('blog', { page: 'page eleven' }));
    await scene.told.until('unit verifying', onStack('blog'));
    await raftOf(old, asked);
    try {
      await measured('cut off', asked, () => scene.faults.link(old.host, 'down'));
      expect(leader()).not.toBe(old);
    } finally {
      await scene.faults.link(old.host, 'up');
    }
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  // Before the demotion: a manager that was promoted a moment ago and loses its engine may not find its raft again.
  it('is one of all managers whose engines begin anew', async () => {
    const { managers } = scene.faults;
    const commit = await scene.push('all engines', files('blog', { page: 'page thirteen' }));
    await scene.told.until('unit verifying', onStack('blog'));
    await Promise.all(managers.map((host) => scene.faults.killEngine(host)));
    await Promise.all(managers.map((host) => scene.faults.startEngine(host)));
    await scene.told.until('revision healthy', of(commit));
    expect(await outcome()).toEqual(well);
  });

  it('is a manager no longer', async () => {
    const old = leader();
    const asked = beside(old);
    await raftOf(old, asked);
    try {
      await measured('demoted', asked, () => scene.faults.role(old.host, 'worker'));
      expect(leader()).not.toBe(old);
      const commit = await scene.push('demoted', files('blog', { page: 'page twelve' }));
      await scene.told.until('revision healthy', of(commit));
    } finally {
      await scene.faults.role(old.host, 'manager');
    }
    expect(await outcome()).toEqual(well);
  });
});

describe('a worker', () => {
  it('that is cut off goes on running its copy beside the one that takes its place, and nobody writes', async () => {
    await scene.docker('node', 'update', '--label-add', 'home=yes', 'm2');
    expect(await running('roam_web')).toEqual(['w1']);
    const from = performance.timeOrigin + performance.now();
    await scene.faults.link('w1', 'down');
    try {
      const both = async (): Promise<boolean> => (await running('roam_web')).length === 2;
      await waitUntil('another copy runs', { deadlineMs: 180_000, everyMs: 250 }, both, never);
      expect(await running('roam_web')).toEqual(['m2', 'w1']);
    } finally {
      await scene.faults.link('w1', 'up');
    }
    const one = async (): Promise<boolean> => (await running('roam_web')).length === 1;
    await waitUntil('one copy runs', { deadlineMs: 180_000, everyMs: 250 }, one, never);
    expect(await outcome()).toEqual(well);
    expect(scene.changes(from)).toEqual([]);
  });
});

/** The hosts on which a copy runs, as each engine itself says. */
async function running(service: string): Promise<readonly string[]> {
  const where = await scene.faults.containers(service);
  return [...where].filter(([, ids]) => ids !== undefined && ids.length > 0).map(([host]) => host);
}

async function raftOf(old: SceneAgent, asked: string): Promise<void> {
  if (noFigures) return;
  const raft = await scene.faults.raftLeader(asked);
  process.stderr.write(`${old.host} leads, and ${raft ?? 'nobody'} leads the raft\n`);
}

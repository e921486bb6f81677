import { readFile } from 'node:fs/promises';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { waitUntil } from '../../agent/rehearsal/run.ts';
import { Scene } from './scene.ts';

/**
 * What tests of several agents stand on: an agent a manager, each behind a proxy of its own, and faults of whole hosts. One
 * story, told in order. Who of the agents acts is not looked at here.
 */
const never = new AbortController().signal;
let scene: Scene;

beforeAll(async () => {
  scene = await Scene.raise({ name: 'ush', subnet: '10.213.82.0/24' });
  await scene.push('first', {
    'understudy.yaml': 'version: 1\ninterval: 1s\n',
    'environments/rehearsal.yaml': `kind: Environment\nname: rehearsal\nvariables:\n  REGISTRY: ${scene.stage.registry}\n`,
    'stacks/everywhere/compose.yaml':
      "services: {web: {image: '${REGISTRY}/site:1', deploy: {mode: global, endpoint_mode: dnsrr}}}\n",
    'stacks/everywhere/stack.yaml': 'kind: Stack\nhealth: {stableFor: 3s}\n',
  });
  await scene.startAgents();
  await scene.told.until('revision healthy');
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(scene.evidence());
});

afterAll(async () => {
  await scene?.lower();
});

const web = 'everywhere_web';
const copies = async (): Promise<Readonly<Record<string, number | undefined>>> => {
  const where = await scene.faults.containers(web);
  return Object.fromEntries([...where].map(([host, ids]) => [host, ids?.length]));
};
const everywhere = { m1: 1, m2: 1, m3: 1, w1: 1 };
const until = async (
  what: string,
  ready: () => Promise<boolean>,
  deadlineMs = 120_000,
): Promise<void> => waitUntil(what, { deadlineMs, everyMs: 100 }, ready, never);
// A copy that outlived its task does not count: the Swarm ends it and starts another.
const runsEverywhere = async (): Promise<void> =>
  until('a copy everywhere', async () => {
    const placed = await scene.faults.placed('m1', web);
    const ids = [...(await scene.faults.containers(web)).values()].map((one) => one ?? []);
    const same = ids.flat().toSorted().join() === placed.toSorted().join();
    return same && ids.every(({ length }) => length === 1);
  });

describe('an agent a manager', () => {
  it('reaches its own engine through its own proxy, and all that they write stands in one ledger', async () => {
    for (const [host, { proxy, process: agent }] of scene.agents) {
      expect(agent.host).toBe(host);
      expect(proxy.seen.length).toBeGreaterThan(0);
    }
    const ledger = scene.ledger();
    expect(ledger[0]).toMatchObject({ path: expect.stringContaining('/configs/create') });
    const ats = ledger.map(({ atMs }) => atMs);
    expect(ats).toEqual(ats.toSorted((a, b) => a - b));
    expect(ledger.every(({ answeredAtMs = 0, atMs }) => answeredAtMs >= atMs)).toBe(true);
    const updates = ledger.filter(({ path }) => path.endsWith('/update'));
    expect(new Set(updates.map(({ name }) => name))).toEqual(new Set(['understudy.head']));
    // Renewals of the lease come before and between what moves the record.
    expect(updates.flatMap(({ labels = {} }) => Object.keys(labels))).toContain(
      'understudy.record',
    );
  });

  it('is killed, stands still, goes on and is started again alone', async () => {
    const agent = scene.on('m2');
    const first = agent.process.pid;
    await agent.restart();
    await agent.log.until('agent started');
    expect(agent.process.pid).not.toBe(first);
    agent.pause();
    const stat = async (): Promise<string> =>
      readFile(`/proc/${String(agent.process.pid)}/stat`, 'utf8');
    await until('it stands still', async () => / T /.test(await stat()));
    agent.continue();
    await until('it goes on', async () => !/ T /.test(await stat()));
    await agent.stop();
    expect(await agent.process.isAlive()).toBe(false);
    await agent.start();
    await agent.log.until('revision seen');
    expect(await scene.on('m1').process.isAlive()).toBe(true);
  });
});

describe('a host', () => {
  it('loses its engine, whose copies go on, and has it back', async () => {
    await runsEverywhere();
    const before = await scene.faults.containers(web);
    await scene.faults.killEngine('m3');
    await until('m3 is missed', async () =>
      (await scene.faults.nodes('m1')).includes('m3 manager not well'),
    );
    expect(await copies()).toEqual({ ...everywhere, m3: undefined });
    await scene.faults.startEngine('m3');
    await scene.faults.whole();
    await runsEverywhere();
    // An engine that begins anew ends what ran before it, and the Swarm starts another copy.
    expect((await scene.faults.containers(web)).get('m3')).not.toEqual(before.get('m3'));
  });

  it('has an engine that hangs and goes on', async () => {
    await scene.faults.signalEngine('m3', 'SIGSTOP');
    try {
      // The signal takes its moment to reach every thread.
      await until('m3 answers no more', async () => !(await scene.faults.answers('m3')));
      // At once, but where m3 led the raft.
      await until('m1 answers', async () => scene.faults.answers('m1'));
      expect(await scene.faults.answers('m3')).toBe(false);
    } finally {
      await scene.faults.signalEngine('m3', 'SIGCONT');
    }
    await until('it answers', async () => scene.faults.answers('m3'));
    await scene.faults.whole();
  });

  it('is cut off, goes on running its copy, and comes back', async () => {
    await runsEverywhere();
    const before = await scene.faults.containers(web);
    await scene.faults.link('w1', 'down');
    try {
      await until('w1 is missed', async () =>
        (await scene.faults.nodes('m1')).includes('w1 worker not well'),
      );
      expect(await scene.faults.containers(web)).toEqual(before);
    } finally {
      await scene.faults.link('w1', 'up');
    }
    await scene.faults.whole();
  });

  // Before the demotion: a manager that was promoted a moment ago and loses its engine may not find its raft again.
  it('is one of all managers that lose their engines at once', async () => {
    const { managers } = scene.faults;
    await runsEverywhere();
    await Promise.all(managers.map((host) => scene.faults.killEngine(host)));
    expect(await copies()).toEqual({ m1: undefined, m2: undefined, m3: undefined, w1: 1 });
    await Promise.all(managers.map((host) => scene.faults.startEngine(host)));
    await scene.faults.whole();
    await runsEverywhere();
    expect(managers).toContain(await scene.faults.raftLeader('m1'));
  });

  it('is a manager no longer, and again', async () => {
    await scene.faults.role('m3', 'worker');
    await until('m3 is a worker', async () =>
      (await scene.faults.nodes('m1')).includes('m3 worker well'),
    );
    await until('m3 answers no manager', async () => !(await scene.faults.answers('m3')));
    await scene.faults.role('m3', 'manager');
    await scene.faults.whole();
    expect(await scene.faults.nodes('m1')).toContain('m3 manager well');
  });
});

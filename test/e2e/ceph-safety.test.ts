import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import type { CephPrograms } from '../../agent/rehearsal/ceph/programs.ts';
import type { CephClusterSettings } from '../../schemas/settings.ts';
import type { Contents } from '../fakes/repository.ts';
import { ceph, render } from '../providers/ceph/rendering.ts';
import { accessTo, cephPrograms, done, raised, removed } from './ceph.ts';
import { agentOnCluster, type DocumentAgent } from './document-agent.ts';

const WAIT_MS = 60_000;
const PAUSE_MS = 200;

let programs: CephPrograms;
let cluster: Cluster;
let settings: CephClusterSettings;
let agent: DocumentAgent;

// With every right, and where Ceph's own guard is open: what keeps data is the agent's doing alone.
beforeAll(async () => {
  programs = await cephPrograms();
  cluster = await raised(programs, { monitors: 3, filesystem: 'cephfs' });
  settings = await accessTo(programs, cluster, ['mon', 'allow *', 'mgr', 'allow *']);
  const open = { who: 'mon', name: 'mon_allow_pool_delete', value: 'true' };
  await done(cluster, 'mon', 'config set', open);
  agent = agentOn();
});
afterAll(async () => {
  agent.close();
  await removed(cluster);
});

const agentOn = (after?: DocumentAgent): DocumentAgent =>
  agentOnCluster({ settings, calmMs: 0 }, after);

const pool = (more = '', name = 'keep'): string =>
  `kind: CephPool\nname: ${name}\napplication: rbd\nreplicated: {size: 2, minSize: 1}\n${more}`;
const group = 'kind: CephSubvolumeGroup\nname: sites\nfilesystem: cephfs\n';
const subvolume = (name: string): string =>
  `kind: CephSubvolume\nname: ${name}\nfilesystem: cephfs\ngroup: sites\n`;
const stack = (image: string): Contents => ({
  'stacks/blog/compose.yaml': `services: {web: {image: "${image}", deploy: {replicas: 0}}}\n`,
});

/** Passes, each some time after the one before, until something is told of which this is so. */
async function eventually(isIt: (event: AgentEvent) => boolean): Promise<AgentEvent> {
  const untilMs = performance.now() + WAIT_MS;
  while (performance.now() < untilMs) {
    const found = (await agent.pass()).find(isIt);
    if (found !== undefined) return found;
    await sleep(PAUSE_MS);
  }
  throw new Error(`it was not told; instead:\n${agent.told()}`);
}

const isHealthy =
  (revision: string) =>
  (event: AgentEvent): boolean =>
    event.event === 'revision healthy' && event.revision === revision;
const isHeld =
  (id: string, why: RegExp) =>
  (event: AgentEvent): boolean =>
    event.event === 'unit held' && event.id === id && why.test(event.why);

const SCRIPT = `
import rados, sys
cluster = rados.Rados(conffile=sys.argv[1], name="client.admin")
cluster.connect()
io = cluster.open_ioctx("keep")
if sys.argv[2] == "write":
    io.write_full("what nobody may lose", b"x" * 4096)
print(len(io.read("what nobody may lose")))
`;

/** The object in the pool, as somebody finds it who uses the pool. Bytes. */
function stored(verb: 'write' | 'read'): string {
  const { confFile } = cluster.plan;
  return execFileSync(programs.python, ['-c', SCRIPT, confFile, verb], { encoding: 'utf8' }).trim();
}

async function poolId(): Promise<unknown> {
  const answer = Object(await done(cluster, 'mon', 'osd dump'));
  const pools: unknown[] = answer.pools;
  return pools.map((one) => Object(one)).find(({ pool_name: name }) => name === 'keep')?.pool;
}

describe('a pool with data', { timeout: 120_000 }, () => {
  let id: unknown;

  it('is there', async () => {
    await agent.have('v1', render({ ...ceph(pool(), group, subvolume('a')), ...stack('site:1') }));
    await agent.healthy();
    expect(stored('write')).toBe('4096');
    id = await poolId();
    expect(id).toEqual(expect.any(Number));
  });

  const others = [group, subvolume('a')];
  it.each<[string, Contents]>([
    ['has no document any more', ceph(...others)],
    ['has another name', ceph(pool('', 'other'), ...others)],
    ['is of another type', ceph('kind: CephPool\nname: keep\napplication: rbd\nerasureCoded: {dataChunks: 2, codingChunks: 1}\n', ...others)], // prettier-ignore
    ['has fewer copies', ceph('kind: CephPool\nname: keep\napplication: rbd\nreplicated: {size: 1}\n', ...others)], // prettier-ignore
    ['is another application’s', ceph(pool().replace('rbd', 'rgw'), ...others)],
    ['left with the whole folder', {}],
    ['came back', ceph(pool(), ...others)],
  ])('stays when it %s', async (how, contents) => {
    await agent.have(`v ${how}`, render({ ...contents, ...stack('site:1') }));
    for (let passes = 0; passes < 12; passes += 1) await agent.pass();
    expect([await poolId(), stored('read')]).toEqual([id, '4096']);
  });

  it('cannot be asked to go: its document may not say so', () => {
    const { diagnostics, units } = render(ceph(pool('deletionPolicy: Delete\n')));
    expect(units).toEqual([]);
    expect(diagnostics).toMatchObject([{ code: 'wrong-value' }]);
  });

  it('stays when somebody forges its mark, and it has no document', async () => {
    const key = 'understudy/ceph-pool/keep';
    const val = JSON.stringify({ owner: 'test', policy: 'Delete' });
    await done(cluster, 'mon', 'config-key set', { key, val });
    await agent.have('forged', render({ ...ceph(...others), ...stack('site:1') }));
    for (let passes = 0; passes < 12; passes += 1) await agent.pass();
    expect([await poolId(), stored('read')]).toEqual([id, '4096']);
  });

  it('stays for another agent that finds all of that', async () => {
    agent.close();
    agent = agentOn(agent);
    await agent.have('rewound', render({ ...ceph(...others), ...stack('site:1') }));
    for (let passes = 0; passes < 12; passes += 1) await agent.pass();
    expect([await poolId(), stored('read')]).toEqual([id, '4096']);
    expect(agent.told()).not.toMatch(/"verb":"remove"/);
  });
});

describe('an agent that is killed between two commands', { timeout: 120_000 }, () => {
  it.each([1, 3, 5, 7, 9, 11, 13, 15])(
    'leaves what the next one completes: after %i questions whether it may',
    async (most) => {
      const name = `half${String(most)}`;
      let sent = 0;
      const guard = {
        refusal: (ms: number) => {
          // Before each command, and early as well, so that no process starts in vain.
          if (ms > 0) sent += 1;
          return sent > most ? 'it was killed' : undefined;
        },
      };
      const contents = { ...ceph(pool('quotas: {maxSize: 1Gi}\n', name)), ...stack('site:1') };
      const first = agentOnCluster({ settings, guard, calmMs: 0 }, agent);
      await first.have(name, render(contents));
      for (let passes = 0; passes < 4; passes += 1) await first.pass();
      first.close();
      expect(sent).toBeGreaterThan(most);
      agent.close();
      agent = agentOn(first);
      await agent.have(name, render(contents));
      await agent.healthy();
      const all = Object(await done(cluster, 'mon', 'osd pool get', { pool: name, var: 'all' }));
      expect(all).toMatchObject({ nodelete: true, size: 2, min_size: 1 });
      const { pools } = Object(await done(cluster, 'mon', 'osd dump'));
      expect(pools).toContainEqual(
        expect.objectContaining({ pool_name: name, quota_max_bytes: 2 ** 30 }),
      );
      expect(await done(cluster, 'mon', 'osd pool application get', { pool: name })).toEqual({
        rbd: {},
      });
    },
  );
});

describe('a cluster in trouble', { timeout: 240_000 }, () => {
  const whole = (more = '', image = 'site:1', ...sites: readonly string[]) =>
    render({
      ...ceph(pool(more), group, subvolume('a'), ...sites.map(subvolume)),
      ...stack(image),
    });

  it('lets data move only once it is well', async () => {
    await agent.have('calm', whole());
    await eventually(isHealthy('calm'));
    await cluster.signal('osd.2', 'SIGKILL');
    const health = async () => Object(await done(cluster, 'mon', 'health')).status;
    await expect.poll(health, { timeout: WAIT_MS }).not.toBe('HEALTH_OK');
    await agent.have('moved', whole('failureDomain: osd\n'));
    await eventually(isHeld('ceph-pool/keep', /would move, which waits until the cluster is healthy \(HEALTH_WARN: .*OSD_DOWN/)); // prettier-ignore
    await cluster.start('osd.2');
    await eventually(isHealthy('moved'));
    expect(Object(await done(cluster, 'mon', 'osd pool get', { pool: 'keep', var: 'crush_rule' }))).toMatchObject({ crush_rule: 'keep_osd' }); // prettier-ignore
  });

  it('is changed as ever while one monitor of three is lost', async () => {
    await cluster.signal('mon.c', 'SIGKILL');
    await agent.have('two', whole('failureDomain: osd\n', 'site:1', 'b'));
    expect(await eventually(isHealthy('two'))).toMatchObject({ units: 5 });
  });

  it('holds its own units without a quorum, and nothing else', async () => {
    await cluster.signal('mon.b', 'SIGKILL');
    await agent.have('one', whole('failureDomain: osd\n', 'site:2', 'b', 'c'));
    await eventually(isHeld('ceph-subvolume/cephfs/sites/c', /no quorum/));
    await eventually((event) => event.event === 'unit healthy' && event.id === 'stack/blog');
    await cluster.start('mon.b');
    await cluster.start('mon.c');
    await eventually(isHealthy('one'));
    const listed = await done(cluster, 'mgr', 'fs subvolume ls', { vol_name: 'cephfs', group_name: 'sites' }); // prettier-ignore
    expect(Object(listed).map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(['a', 'b', 'c'])); // prettier-ignore
  });
});

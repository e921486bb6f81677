import { readdirSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import type { CephPrograms } from '../../agent/rehearsal/ceph/programs.ts';
import { lowerStage } from '../../agent/rehearsal/lower.ts';
import { raiseNetwork } from '../../agent/rehearsal/network.ts';
import { fetchTools } from '../../agent/rehearsal/packages.ts';
import { planStage } from '../../agent/rehearsal/plan.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import { cephPrograms, done, raised, removed, tried } from './ceph.ts';

let programs: CephPrograms;
beforeAll(async () => {
  programs = await cephPrograms();
});

const signal = (): AbortSignal => AbortSignal.timeout(120_000);

describe('a cluster of Ceph on loopback', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await raised(programs, { monitors: 3, filesystem: 'cephfs' });
  });
  afterAll(async () => await removed(cluster));

  const status = async () => await done(cluster, 'mon', 'status');
  const untilUp = async (osds: number) =>
    await waitUntil(
      `${osds} stores are up`,
      { deadlineMs: 60_000 },
      async () => Object(await status()).osdmap.num_up_osds === osds,
      signal(),
    );

  it('is healthy, with all data where it should be', async () => {
    expect(await status()).toMatchObject({
      health: { status: 'HEALTH_OK' },
      quorum: [0, 1, 2],
      osdmap: { num_osds: 3, num_up_osds: 3, num_in_osds: 3 },
      mgrmap: { available: true },
      fsmap: { up: 1, by_rank: [{ status: 'up:active' }] },
      pgmap: { num_pools: 2, pgs_by_state: [{ state_name: 'active+clean' }] },
    });
  });

  it('has three hosts for the rules that place data', async () => {
    expect(await done(cluster, 'mon', 'osd tree')).toMatchObject({
      nodes: expect.arrayContaining([
        expect.objectContaining({ type: 'host', name: 'host0', children: [0] }),
        expect.objectContaining({ type: 'host', name: 'host1', children: [1] }),
        expect.objectContaining({ type: 'host', name: 'host2', children: [2] }),
      ]),
    });
  });

  it('lets what a person would ask for be done', async () => {
    await done(cluster, 'mgr', 'fs subvolume create', { vol_name: 'cephfs', sub_name: 'one' });
    expect(await done(cluster, 'mgr', 'fs subvolume ls', { vol_name: 'cephfs' })).toEqual([
      { name: 'one' },
    ]);
    const key = { entity: 'client.site-one', caps: ['mon', 'allow r'] };
    expect(await done(cluster, 'mon', 'auth get-or-create', key)).toMatchObject([
      { entity: 'client.site-one', key: expect.stringMatching(/^AQ.{38}$/) },
    ]);
    expect(
      await tried(cluster, 'mon', 'osd pool get', { pool: 'none', var: 'size' }),
    ).toMatchObject({ code: -2, error: "unrecognized pool 'none'" });
  });

  it('keeps its keys to itself', () => {
    const { folder } = cluster.plan;
    const keyrings = readdirSync(folder).filter((name) => name.endsWith('.keyring'));
    expect(keyrings.toSorted()).toEqual(
      ['admin', 'mds.a', 'mgr.x', 'mon.a', 'mon.b', 'mon.c', 'osd.0', 'osd.1', 'osd.2'].map(
        (name) => `${name}.keyring`,
      ),
    );
    expect(keyrings.map((name) => statSync(`${folder}/${name}`).mode & 0o777)).toEqual(
      keyrings.map(() => 0o600),
    );
  });

  it('goes on without a daemon that was killed, and is whole when it is started again', async () => {
    await cluster.signal('osd.2', 'SIGKILL');
    await untilUp(2);
    await done(cluster, 'mon', 'osd pool create', { pool: 'meanwhile' });
    await cluster.start('osd.2');
    await untilUp(3);
    const application = { pool: 'meanwhile', app: 'rbd' };
    await done(cluster, 'mon', 'osd pool application enable', application);
    await cluster.untilHealthy(signal());
    expect(await status()).toMatchObject({ pgmap: { num_pools: 3 } });
  });

  it('has no daemon of another name', async () => {
    await expect(cluster.start('osd.3')).rejects.toThrow('the cluster has no daemon `osd.3`');
  });
});

describe('a cluster of Ceph in a network of a stage', () => {
  const plan = planStage({ name: 'usz', subnet: '10.213.89.0/24', managers: 1, workers: 0 });
  const [host] = plan.hosts;
  if (host === undefined) throw new Error('the stage has no host');
  const print = { line: () => undefined, plain: () => undefined, error: () => undefined };
  const lower = async () => await lowerStage({ name: 'usz', subnet: plan.subnet }, print);

  let cluster: Cluster | undefined;
  beforeAll(async () => {
    await lower();
    const tools = await fetchTools(plan.packages, () => undefined, signal());
    await raiseNetwork(plan, tools, signal());
    const { address, namespace } = host;
    cluster = await raised(programs, { monitors: 1, address, namespace, ports: [3300] });
  });
  afterAll(async () => {
    if (cluster !== undefined) await removed(cluster);
    await lower();
  });

  it('is healthy at an address of the stage', async () => {
    if (cluster === undefined) throw new Error('no cluster');
    expect(await done(cluster, 'mon', 'status')).toMatchObject({
      health: { status: 'HEALTH_OK' },
      osdmap: { num_up_osds: 3 },
    });
    expect(await done(cluster, 'mon', 'mon dump')).toMatchObject({
      mons: [{ name: 'a', public_addrs: { addrvec: [{ addr: `${host.address}:3300` }] } }],
    });
    expect(await done(cluster, 'mon', 'osd dump')).toMatchObject({
      osds: [0, 1, 2].map((osd) => ({
        osd,
        public_addr: expect.stringMatching(`^${host.address}:`),
      })),
    });
  });
});

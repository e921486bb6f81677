import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

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

  /** As people type it on a stage. */
  const typed = (...words: readonly string[]) => {
    const script = join(import.meta.dirname, '../../agent/rehearsal/ceph/command.py');
    const args = ['-B', script, cluster.plan.confFile, ...words];
    const { status: code, stdout, stderr } = spawnSync(programs.python, args, { encoding: 'utf8' });
    return { code, out: stdout.trim(), error: stderr.trim() };
  };
  const fine = (...words: readonly string[]): unknown => {
    const { code, out, error } = typed(...words);
    expect({ code, words, error: code === 0 ? '' : error }).toEqual({ code: 0, words, error: '' });
    return out === '' ? undefined : JSON.parse(out);
  };

  it('takes numbers, yes and no, and several values, as people type them', () => {
    fine('osd', 'pool', 'create', 'pool=typed', 'pg_num=16', 'pg_num_min=8', 'target_size_ratio=0.25', 'autoscale_mode=off', 'bulk=true'); // prettier-ignore
    expect(fine('osd', 'pool', 'get', 'pool=typed', 'var=all')).toMatchObject({ pg_num: 16, pg_num_min: 8, target_size_ratio: 0.25, bulk: true }); // prettier-ignore
    fine('osd', 'erasure-code-profile', 'set', 'name=typed', 'profile=k=2', 'profile=m=1');
    expect(fine('osd', 'erasure-code-profile', 'get', 'name=typed')).toMatchObject({ k: '2', m: '1' }); // prettier-ignore
    fine('fs', 'subvolume', 'create', 'vol_name=cephfs', 'sub_name=typed', 'size=1048576', 'uid=7');
    expect(fine('fs', 'subvolume', 'info', 'vol_name=cephfs', 'sub_name=typed')).toMatchObject({ bytes_quota: 1048576, uid: 7 }); // prettier-ignore
    fine('auth', 'get-or-create', 'entity=client.typed', 'caps=mon', 'caps=allow r, allow command "osd pool set"'); // prettier-ignore
    expect(fine('auth', 'get', 'entity=client.typed')).toMatchObject([{ caps: { mon: 'allow r, allow command "osd pool set"' } }]); // prettier-ignore
    // The manager daemon answers it, though its name does not say so.
    expect(fine('osd', 'df')).toMatchObject({ nodes: [{ id: 0 }, { id: 1 }, { id: 2 }] });
  });

  it.each([
    [['osd', 'pool', 'create', 'pool=x', 'pg_num=many'], 22, '`pg_num` of `osd pool create` is a whole number, and not `many`'], // prettier-ignore
    [['osd', 'pool', 'create', 'pool=x', 'target_size_ratio=much'], 22, '`target_size_ratio` of `osd pool create` is a number, and not `much`'], // prettier-ignore
    [['osd', 'pool', 'create', 'pool=x', 'bulk=yes'], 22, '`bulk` of `osd pool create` is true or false, and not `yes`'], // prettier-ignore
    [['osd', 'pool', 'create', 'pool=x', 'pool=y'], 22, '`pool` of `osd pool create` has one value'], // prettier-ignore
    [['fs', 'get', 'name=cephfs'], 22, '`fs get` takes no `name`; it takes fs_name'],
    [['fs', 'subvolumegroup', 'get'], 22, 'Ceph has no command `fs subvolumegroup get`'],
    [['mon', 'feature'], 22, 'Ceph has no command `mon feature`; it has mon feature ls, mon feature set'], // prettier-ignore
    [[], 22, 'name a command, such as `status` or `fs subvolume ls vol_name=cephfs`'],
    [['--within=soon', 'status'], 22, '`--within` is a number of seconds, and not `soon`'],
    [['osd', 'pool', 'get', 'pool=none', 'var=size'], 2, "unrecognized pool 'none'"],
  ])('says what is wrong with %j', (words, code, error) => {
    expect(typed(...words)).toEqual({ code, out: '', error });
  });

  it('tells people when it does not answer', async () => {
    await cluster.signal('mgr.x', 'SIGSTOP');
    try {
      expect(typed('--within=1', 'fs', 'subvolume', 'ls', 'vol_name=cephfs')).toEqual({
        code: 110,
        out: '',
        error: 'Ceph did not answer `fs subvolume ls` within 1 s; it may be carried out all the same', // prettier-ignore
      });
    } finally {
      await cluster.signal('mgr.x', 'SIGCONT');
    }
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

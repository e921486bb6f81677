import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childProcesses } from '../../agent/child-processes.ts';
import { systemClock } from '../../agent/clock.ts';
import { Secret } from '../../agent/core/secret.ts';
import type { Answer, Way } from '../../agent/providers/ceph/answers.ts';
import { KnownDetails } from '../../agent/providers/ceph/details.ts';
import { type Ceph, type CephCommand, openCeph } from '../../agent/providers/ceph/driver.ts';
import {
  type ClusterSeen,
  type ClusterSight,
  NO_GROUP,
  type Wanted,
} from '../../agent/providers/ceph/observed.ts';
import type { Processes, Running } from '../../agent/providers/ceph/ports.ts';
import { readCluster } from '../../agent/providers/ceph/read-cluster.ts';
import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import { KEY_BYTES, makeKey } from '../../agent/rehearsal/ceph/keyring.ts';
import { cephPrograms, done, raised, removed } from './ceph.ts';
import { everythingOf } from './database.ts';

let cluster: Cluster;
let folder: string;
let python: string;
/** As the agent comes in: it may read, and no more than that. */
let way: Way;
let ceph: Ceph;

const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const nothing: Wanted = { clients: new Set(), places: [] };

beforeAll(async () => {
  const programs = await cephPrograms();
  ({ python } = programs);
  folder = mkdtempSync(join(tmpdir(), 'understudy-way-'));
  cluster = await raised(programs, { monitors: 3, filesystem: 'cephfs' });
  // Seconds. So that who is killed is missed before the deadline of a command is over.
  const grace = { who: 'mon', name: 'mon_mgr_beacon_grace', value: '4' };
  await done(cluster, 'mon', 'config set', grace);
  way = await wayOf('client.understudy', [
    'mon',
    'allow r, allow command "auth ls", allow command "config-key dump" with key prefix understudy/',
    'mgr',
    'allow module volumes rw',
  ]);
  ceph = opened();
});
afterAll(async () => {
  ceph.close();
  await removed(cluster);
  rmSync(folder, { recursive: true });
});

/** Makes a client and a keyring for it. */
async function wayOf(client: string, caps: readonly string[]): Promise<Way> {
  const answer = await done(cluster, 'mon', 'auth get-or-create', { entity: client, caps });
  return { ...withKeyring(client, Object(answer)[0].key), client };
}

function withKeyring(client: string, key: string): Way {
  const keyringFile = join(folder, `${client}.keyring`);
  writeFileSync(keyringFile, `[${client}]\n\tkey = ${key}\n`, { mode: 0o600 });
  return { confFile: cluster.plan.confFile, keyringFile, client, python };
}

function opened(other: Partial<Way> = {}): Ceph {
  return openCeph({ ...way, ...other }, { clock: systemClock, processes: childProcesses });
}

async function look(wanted: Wanted = nothing, through: Ceph = ceph): Promise<ClusterSight> {
  const details = new KnownDetails(() => systemClock.nowMs());
  return await readCluster({ ceph: through, clock: systemClock, details }, wanted, signal());
}

async function seen(wanted: Wanted = nothing): Promise<ClusterSeen> {
  const sight = await look(wanted);
  if (sight.status !== 'seen') throw new Error(sight.why);
  return sight.seen;
}

/** A group of the file system, with one of its subvolumes; undefined where it is not to be had. */
async function groupOf(group: string, subvolume: string) {
  const places = [{ filesystem: 'cephfs', group, subvolume }];
  const sight = (await seen({ clients: new Set(), places })).volumes.get('cephfs');
  return sight?.status === 'seen' ? sight.groups.get(group) : undefined;
}

const said = (outcome: Answer | ClusterSight): string =>
  outcome.status === 'ok' || outcome.status === 'seen'
    ? outcome.status
    : `${outcome.status}: ${outcome.why}`;

const list = (group: string): CephCommand => ({
  to: 'mgr',
  words: { prefix: 'fs subvolume ls', vol_name: 'cephfs', group_name: group },
});

describe('a look at a cluster', () => {
  it('gives what it is, and how it does', async () => {
    expect(await seen()).toMatchObject({
      fsid: cluster.plan.identities.fsid,
      release: { version: [16, 2, 15], name: 'pacific' },
      health: { status: 'HEALTH_OK', checks: new Map() },
      daemons: {
        monitors: { total: 3, inQuorum: 3 },
        osds: { total: 3, up: 3, in: 3 },
        managerAvailable: true,
      },
      placement: new Map([['active+clean', 16]]),
      volumes: new Map(),
      marks: new Map(),
    });
  });

  it('asks for clients only where somebody wants them', async () => {
    expect((await seen()).clients).toBeUndefined();
  });

  it('gives codes of what is wrong', async () => {
    await done(cluster, 'mon', 'osd set', { key: 'noout' });
    await done(cluster, 'mon', 'health mute', { code: 'OSDMAP_FLAGS', ttl: '1h' });
    expect((await seen()).health.checks.get('OSDMAP_FLAGS')).toEqual({
      severity: 'HEALTH_WARN',
      summary: 'noout flag(s) set',
      muted: true,
    });
    await done(cluster, 'mon', 'health unmute', { code: 'OSDMAP_FLAGS' });
    await done(cluster, 'mon', 'osd unset', { key: 'noout' });
  });

  it('sees a pool with everything that was set', async () => {
    const pool = 'rep';
    const set = async (name: string, val: string) =>
      await done(cluster, 'mon', 'osd pool set', { pool, var: name, val });
    const rule = { name: 'by-device', root: 'default', type: 'osd', class: 'hdd' };
    await done(cluster, 'mon', 'osd crush rule create-replicated', rule);
    await done(cluster, 'mon', 'osd pool create', { pool, pg_num: 4, size: 2, rule: rule.name, autoscale_mode: 'off' }); // prettier-ignore
    await set('min_size', '2');
    await set('compression_mode', 'aggressive');
    await set('compression_required_ratio', '.7');
    await set('nodelete', '1');
    const quota = { pool, field: 'max_bytes', val: '10737418240' };
    await done(cluster, 'mon', 'osd pool set-quota', quota);
    await done(cluster, 'mon', 'osd pool application enable', { pool, app: 'rbd' });
    const note = { pool, app: 'rbd', key: 'by', value: 'me' };
    await done(cluster, 'mon', 'osd pool application set', note);

    const { pools, rules } = await seen();
    const { usage: _, id: __, ...found } = pools.get(pool) ?? {};
    expect(found).toEqual({
      type: 'replicated',
      size: 2,
      minSize: 2,
      rule: 'by-device',
      pgNum: 4,
      pgAutoscaleMode: 'off',
      flags: new Set(['hashpspool', 'nodelete']),
      fastRead: false,
      quota: { maxBytes: 10_737_418_240, maxObjects: 0 },
      options: new Map<string, unknown>([
        ['compression_mode', 'aggressive'],
        ['compression_required_ratio', 0.7],
      ]),
      applications: new Map([['rbd', new Map([['by', 'me']])]]),
    });
    expect(rules.get('by-device')).toMatchObject({
      type: 'replicated',
      simple: { root: 'default', failureDomain: 'osd', deviceClass: 'hdd' },
    });
  });

  it('sees a pool with erasure codes, and what it was made of', async () => {
    const profile = ['k=2', 'm=1', 'crush-failure-domain=host'];
    await done(cluster, 'mon', 'osd erasure-code-profile set', { name: 'ec21', profile });
    await done(cluster, 'mon', 'osd pool create', { pool: 'ec', pool_type: 'erasure', pg_num: 4, erasure_code_profile: 'ec21' }); // prettier-ignore
    const overwrites = { pool: 'ec', var: 'allow_ec_overwrites', val: 'true' };
    await done(cluster, 'mon', 'osd pool set', overwrites);
    const { pools, rules, profiles } = await seen();
    expect(pools.get('ec')).toMatchObject({
      type: 'erasure',
      size: 3,
      minSize: 2,
      rule: 'ec',
      profile: 'ec21',
      flags: new Set(['hashpspool', 'ec_overwrites']),
      applications: new Map(),
    });
    expect(rules.get('ec')).toMatchObject({
      type: 'erasure',
      simple: { root: 'default', failureDomain: 'host' },
    });
    expect(Object.fromEntries(profiles.get('ec21') ?? [])).toMatchObject({
      k: '2',
      m: '1',
      'crush-failure-domain': 'host',
    });
  });

  it('counts where copies can lie', async () => {
    const { crush } = await seen();
    expect(crush.deviceClasses).toEqual(new Set(['hdd']));
    expect(crush.types.has('rack')).toBe(true);
    const below = new Map([
      ['osd', 3],
      ['host', 3],
    ]);
    expect(crush.below.get('default')).toEqual(below);
    expect(crush.below.get('default~hdd')).toEqual(below);
  });

  it('sees a file system and its settings', async () => {
    const set = async (name: string, val: string) =>
      await done(cluster, 'mon', 'fs set', { fs_name: 'cephfs', var: name, val });
    await done(cluster, 'mon', 'fs add_data_pool', { fs_name: 'cephfs', pool: 'ec' });
    const before = (await seen()).filesystems.get('cephfs');
    expect(before).toMatchObject({
      metadataPool: 'cephfs.meta',
      dataPools: ['cephfs.data', 'ec'],
      maxMds: 1,
      active: 1,
      allowStandbyReplay: false,
      maxFileSizeBytes: 2 ** 40,
    });
    await set('max_file_size', String(2 ** 42));
    await set('allow_standby_replay', 'true');
    await set('standby_count_wanted', '0');
    expect((await seen()).filesystems.get('cephfs')).toEqual({
      ...before,
      allowStandbyReplay: true,
      maxFileSizeBytes: 2 ** 42,
      standbyCountWanted: 0,
    });
    await set('allow_standby_replay', 'false');
  });

  it('sees groups and subvolumes, as far as they are asked for', async () => {
    const make = async (what: string, words: object) =>
      await done(cluster, 'mgr', `fs ${what} create`, { vol_name: 'cephfs', ...words });
    await make('subvolumegroup', { group_name: 'sites', mode: '711' });
    await make('subvolumegroup', { group_name: 'others' });
    const own = { group_name: 'sites', sub_name: 'blog' };
    await make('subvolume', { ...own, size: 2 ** 30, uid: 1000, gid: 1001, mode: '750', namespace_isolated: true }); // prettier-ignore
    await make('subvolume', { ...own, sub_name: 'shop' });
    await make('subvolume', { sub_name: 'alone' });
    const places = [
      { filesystem: 'cephfs', group: 'sites', subvolume: 'blog' },
      { filesystem: 'cephfs', group: 'sites', subvolume: 'gone' },
      { filesystem: 'cephfs', group: 'nobody', subvolume: 'x' },
      { filesystem: 'cephfs', group: NO_GROUP, subvolume: 'alone' },
      { filesystem: 'another' },
    ];
    const { volumes } = await seen({ clients: new Set(), places });
    const uuid = '[0-9a-f-]{36}';
    const folderOf = (uid: number, gid: number, mode: number) => {
      return { uid, gid, mode, dataPool: 'cephfs.data', usedBytes: 0 };
    };
    expect(volumes).toEqual(
      new Map([
        [
          'cephfs',
          {
            status: 'seen',
            groups: new Map<string, unknown>([
              ['others', {}],
              [
                'sites',
                {
                  details: { ...folderOf(0, 0, 0o711), usedBytes: expect.any(Number) },
                  subvolumes: new Map<string, unknown>([
                    [
                      'blog',
                      {
                        ...folderOf(1000, 1001, 0o750),
                        state: 'complete',
                        quotaBytes: 2 ** 30,
                        path: expect.stringMatching(`^/volumes/sites/blog/${uuid}$`),
                        namespace: 'fsvolumens_blog',
                      },
                    ],
                    ['shop', undefined],
                  ]),
                },
              ],
              [
                NO_GROUP,
                {
                  subvolumes: new Map([
                    [
                      'alone',
                      {
                        ...folderOf(0, 0, 0o755),
                        state: 'complete',
                        path: expect.stringMatching(`^/volumes/_nogroup/alone/${uuid}$`),
                      },
                    ],
                  ]),
                },
              ],
            ]),
          },
        ],
      ]),
    );
  });

  it('sees a subvolume of which only snapshots are left', async () => {
    const own = { vol_name: 'cephfs', group_name: 'sites', sub_name: 'shop' };
    await done(cluster, 'mgr', 'fs subvolume snapshot create', { ...own, snap_name: 'one' });
    await done(cluster, 'mgr', 'fs subvolume rm', { ...own, retain_snapshots: true });
    const subvolumes = (await groupOf('sites', 'shop'))?.subvolumes;
    expect(subvolumes).toEqual(
      new Map<string, unknown>([
        ['blog', undefined],
        ['shop', { state: 'other', called: 'snapshot-retained' }],
      ]),
    );
  });

  it('sees clients with their caps as they were written, and shows no key of them', async () => {
    const entity = 'client.site-blog';
    const caps = ['mon', 'allow  r', 'osd', 'allow rw tag cephfs data=cephfs'];
    const answer = await done(cluster, 'mon', 'auth get-or-create', { entity, caps });
    const { key } = Object(answer)[0];
    const { clients } = await seen({ clients: new Set([entity]), places: [] });
    expect(clients?.get(entity)?.caps).toEqual(
      new Map([
        ['mon', 'allow  r'],
        ['osd', 'allow rw tag cephfs data=cephfs'],
      ]),
    );
    expect(clients?.get(entity)?.key?.reveal()).toBe(key);
    // Keys of those that nobody declares are not kept.
    expect(clients?.get('client.admin')?.key).toBeUndefined();
    expect([...(clients?.keys() ?? [])].filter((name) => !name.startsWith('client.'))).toEqual([]);
    expect(everythingOf(clients)).not.toMatch(/AQ[A-Za-z0-9+/]{20}/);
  });

  it('sees marks of ours, and nothing else that lies beside them', async () => {
    await done(cluster, 'mon', 'config-key set', { key: 'understudy/ceph-pool/rep', val: '{"a":1}' }); // prettier-ignore
    await done(cluster, 'mon', 'config-key set', { key: 'others/x', val: 'y' });
    expect((await seen()).marks).toEqual(new Map([['ceph-pool/rep', '{"a":1}']]));
  });

  it('says which caps are missing', async () => {
    const own = await wayOf('client.little', ['mon', 'allow r']);
    const little = opened(own);
    expect(said(await look(nothing, little))).toBe(
      'unusable: `config-key dump`: the key lacks caps for it (errno 13): access denied: mon \'allow command "config-key dump" with key prefix understudy/\' is missing',
    );
    little.close();
  });
});

describe('the way to a cluster', () => {
  it('answers many questions, each with its own answer', async () => {
    const asked = Array.from({ length: 60 }, (_, at) => `nobody-${at}`);
    const answers = await Promise.all(asked.map((group) => ceph.call(list(group), signal())));
    expect(answers.map(said)).toEqual(
      asked.map(
        (group) =>
          `refused: something that it needs is not there (errno 2): subvolume group '${group}' does not exist`,
      ),
    );
  });

  it('gives Ceph what it is given, keys too, and shows nothing of it', async () => {
    const admin = opened({ keyringFile: cluster.plan.adminKeyring, client: 'client.admin' });
    const key = makeKey(randomBytes(KEY_BYTES), 1_796_072_356);
    const call = async (...lines: readonly string[]) => {
      const input = new Secret(`[client.canary]\n${lines.map((line) => `\t${line}\n`).join('')}`);
      const words = { prefix: 'auth import' };
      return await admin.call({ to: 'mon', words, input }, signal());
    };
    const caps = 'caps mon = "allow r"';
    const answers = [
      await call(`key = ${key}`),
      await call(`key = ${key.slice(0, -6)}`, caps),
      await call(`key = ${key}`, caps),
    ];
    expect(answers.map(({ status }) => status)).toEqual(['refused', 'refused', 'ok']);
    const { clients } = await seen({ clients: new Set(['client.canary']), places: [] });
    expect(clients?.get('client.canary')?.key?.reveal()).toBe(key);
    expect(everythingOf([answers, admin])).not.toContain(key.slice(12, 30));
    admin.close();
  });

  const keyOf = (): string => /key = (\S+)/.exec(readFileSync(way.keyringFile, 'utf8'))?.[1] ?? '';

  it.each<[string, () => Partial<Way>, string]>([
    [
      'a wrong key',
      () => {
        // Another key of the same form: its last bytes are others.
        const key = `${keyOf().slice(0, -6)}${keyOf().slice(-6, -2) === 'AAAA' ? 'BBBB' : 'AAAA'}==`;
        const keyringFile = join(folder, 'wrong.keyring');
        writeFileSync(keyringFile, `[client.understudy]\n\tkey = ${key}\n`);
        return { keyringFile };
      },
      'the monitors of Ceph do not let `client.understudy` in: the key in `<folder>/wrong.keyring` is not the one that they know (errno 13)',
    ],
    [
      'a key that is none',
      () => {
        const keyringFile = join(folder, 'none.keyring');
        writeFileSync(keyringFile, '[client.understudy]\n\tkey = abc\n');
        return { keyringFile };
      },
      'the key of `client.understudy` in `<folder>/none.keyring` cannot be used (errno 5)',
    ],
    [
      'a client that nobody knows',
      () => withKeyring('client.nobody', keyOf()),
      'the monitors of Ceph do not let `client.nobody` in: the key in `<folder>/client.nobody.keyring` is not the one that they know (errno 13)',
    ],
    [
      'no keyring',
      () => ({ keyringFile: '/nonexistent/keyring' }),
      'the keyring of Ceph, `/nonexistent/keyring`, is not there',
    ],
    [
      'no configuration',
      () => ({ confFile: '/nonexistent/ceph.conf' }),
      'the configuration of Ceph, `/nonexistent/ceph.conf`, is not there',
    ],
    [
      'a configuration that is none',
      () => {
        const confFile = join(folder, 'junk.conf');
        writeFileSync(confFile, '[global\n');
        return { confFile };
      },
      'the configuration of Ceph, `<folder>/junk.conf`, cannot be understood (errno 22)',
    ],
    [
      'no Python',
      () => ({ python: '/nonexistent/python3' }),
      '`/nonexistent/python3` cannot be started (ENOENT): the settings name the Python that speaks to Ceph',
    ],
    [
      'a Python without the module',
      () => {
        const python = join(folder, 'python');
        const lines = ['#!/bin/sh', `exec ${way.python} -I -S "$@"`, ''];
        writeFileSync(python, lines.join('\n'), { mode: 0o755 });
        return { python };
      },
      '`<folder>/python` has no module `rados`: install python3-rados, or name another Python in the settings',
    ],
  ])('says at once what only a person helps with: %s', async (_, wrong, why) => {
    const own = opened(wrong());
    const sight = await look(nothing, own);
    expect(said(sight).replaceAll(folder, '<folder>')).toBe(`unusable: ${why}`);
    own.close();
  });

  it('goes on after its process was lost', async () => {
    const started: Running[] = [];
    const processes: Processes = {
      start: (command, heard) => {
        const running = childProcesses.start(command, heard);
        started.push(running);
        return running;
      },
    };
    const own = openCeph(way, { clock: systemClock, processes });
    const call = async () => await own.call(list('sites'), signal());
    expect(said(await call())).toBe('ok');
    started[0]?.kill();
    expect(said(await call())).toBe('unknown: what speaks to Ceph ended (SIGKILL)');
    expect(said(await call())).toBe('ok');
    expect(started).toHaveLength(2);
    own.close();
  });

  it('ends with the pipe of its parent, whatever is under way', async () => {
    const program = fileURLToPath(new URL('../../agent/providers/ceph/bridge.py', import.meta.url));
    const bridge = spawn(way.python, ['-B', program], { stdio: ['pipe', 'pipe', 'inherit'] });
    const { confFile: conf, keyringFile: keyring, client } = way;
    bridge.stdin.write(`${JSON.stringify({ conf, keyring, client, connectS: 4 })}\n`);
    const [first] = await once(bridge.stdout, 'data');
    expect(JSON.parse(String(first))).toEqual({ fsid: cluster.plan.identities.fsid });
    await cluster.signal('mgr.x', 'SIGSTOP');
    bridge.stdin.end(
      `${JSON.stringify({ id: 1, to: 'mgr', command: { prefix: 'fs volume ls' } })}\n`,
    );
    const [code] = await once(bridge, 'exit');
    await cluster.signal('mgr.x', 'SIGCONT');
    expect(code).toBe(0);
  });

  it('is closed for good', async () => {
    const own = opened();
    own.close();
    expect(said(await own.call(list('sites'), signal()))).toBe(
      'refused: the way to Ceph is closed',
    );
  });
});

// The last, because they take daemons away.
describe('a cluster with daemons that are gone', () => {
  it('leaves a command that was not answered unknown, to be read again', async () => {
    const own = { vol_name: 'cephfs', group_name: 'sites', sub_name: 'late' };
    // It stands still: a command that reaches it is carried out once it goes on.
    await cluster.signal('mds.a', 'SIGSTOP');
    const [late, beside] = await Promise.all([
      ceph.call({ to: 'mgr', words: { prefix: 'fs subvolume create', ...own } }, signal()),
      ceph.call(list('sites'), signal()),
    ]);
    expect(said(late)).toBe('unknown: the manager daemon of Ceph did not answer within 8 s');
    expect(beside.status).toBe('unknown');
    // Monitors are asked by another process, with the next breath.
    expect((await seen()).pools.has('rep')).toBe(true);
    await cluster.signal('mds.a', 'SIGCONT');
    await expect
      .poll(async () => (await groupOf('sites', 'late'))?.subvolumes?.get('late'), {
        timeout: 30_000,
      })
      .toMatchObject({ path: expect.stringMatching('^/volumes/sites/late/') });
  });

  it('asks nobody for parts of a file system that is down', async () => {
    const places = [{ filesystem: 'cephfs', group: 'sites' }];
    await done(cluster, 'mon', 'fs fail', { fs_name: 'cephfs' });
    const { volumes, health } = await seen({ clients: new Set(), places });
    const why = 'the file system `cephfs` has no active metadata daemon';
    expect(volumes).toEqual(new Map([['cephfs', { status: 'away', why }]]));
    expect(health.status).toBe('HEALTH_ERR');
    const joinable = { fs_name: 'cephfs', var: 'joinable', val: 'true' };
    await done(cluster, 'mon', 'fs set', joinable);
    await expect
      .poll(async () => (await seen()).filesystems.get('cephfs')?.active, { timeout: 30_000 })
      .toBe(1);
  });

  it('says that there is no manager daemon, and reads all the rest', async () => {
    const places = [{ filesystem: 'cephfs', group: 'sites' }];
    await cluster.signal('mgr.x', 'SIGKILL');
    // Monitors do not know it yet.
    expect(said(await ceph.call(list('sites'), signal()))).toBe(
      'unknown: the manager daemon of Ceph did not answer within 8 s',
    );
    const { volumes, clients } = await seen({ clients: new Set(['client.site-blog']), places });
    const why = 'Ceph has no active manager daemon';
    expect(volumes).toEqual(new Map([['cephfs', { status: 'away', why }]]));
    expect(clients?.has('client.site-blog')).toBe(true);
    await cluster.start('mgr.x');
    await expect
      .poll(async () => (await groupOf('sites', 'blog'))?.subvolumes?.has('blog'), {
        timeout: 30_000,
      })
      .toBe(true);
  });

  it('says that monitors are not reached or have no quorum, and goes on when they have one', async () => {
    const another = opened();
    expect(said(await look())).toBe('seen');
    await cluster.signal('mon.b', 'SIGKILL');
    await cluster.signal('mon.c', 'SIGKILL');
    // The one that is left answers by itself for a while.
    const without = async (through: Ceph) =>
      await expect
        .poll(async () => said(await look(nothing, through)), { timeout: 30_000 })
        .toMatch(/^away: .* within [45] s: they are not reached, or they have no quorum$/);
    const confFile = join(folder, 'away.conf');
    writeFileSync(confFile, '[global]\nmon_host = [v2:127.0.0.1:1]\n');
    const away = opened({ confFile });
    const [sight] = await Promise.all([look(nothing, away), without(ceph), without(another)]);
    // Nobody listens there at all.
    expect(said(sight)).toBe(
      'away: no monitor of Ceph let us in within 4 s: they are not reached, or they have no quorum',
    );
    for (const one of [away, another]) one.close();
    await cluster.start('mon.b');
    await expect.poll(async () => said(await look()), { timeout: 30_000 }).toBe('seen');
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { childProcesses } from '../../agent/child-processes.ts';
import { systemClock } from '../../agent/clock.ts';
import type { Difference, Id, Rendered } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import type { Way } from '../../agent/providers/ceph/answers.ts';
import { capsRisk } from '../../agent/providers/ceph/caps-risk.ts';
import type { CephCall } from '../../agent/providers/ceph/call.ts';
import { type Clusters, openClusters } from '../../agent/providers/ceph/clusters.ts';
import { openCeph } from '../../agent/providers/ceph/driver.ts';
import { cephKind } from '../../agent/providers/ceph/kind.ts';
import { thingKey, thingOf } from '../../agent/providers/ceph/named.ts';
import type { ClusterSeen } from '../../agent/providers/ceph/observed.ts';
import type { CommandWords } from '../../agent/providers/ceph/protocol.ts';
import type { CephSpec } from '../../agent/providers/ceph/spec.ts';
import type { CephObserved } from '../../agent/providers/ceph/unit-diff.ts';
import type { Cluster } from '../../agent/rehearsal/ceph/cluster.ts';
import { agentCaps } from '../../agent/providers/ceph/agent-caps.ts';
import { cephUnit } from '../providers/ceph/units.ts';
import { cephPrograms, done, raised, removed, tried } from './ceph.ts';

let cluster: Cluster;
let clusters: Clusters;
let folder: string;
let way: Way;

beforeAll(async () => {
  const programs = await cephPrograms();
  folder = mkdtempSync(join(tmpdir(), 'understudy-change-'));
  cluster = await raised(programs, { monitors: 1, filesystem: 'cephfs' });
  const caps = agentCaps('client.site-*');
  const entity = 'client.understudy';
  const answer = await done(cluster, 'mon', 'auth get-or-create', { entity, caps });
  const keyringFile = join(folder, 'keyring');
  writeFileSync(keyringFile, `[${entity}]\n\tkey = ${Object(answer)[0].key}\n`, { mode: 0o600 });
  const { confFile } = cluster.plan;
  const { python } = programs;
  way = { confFile, keyringFile, client: entity, python };
  const ports = { clock: systemClock, processes: childProcesses };
  const settings = { main: { ...way, clientPattern: 'client.site-*' } };
  clusters = openClusters(settings, {
    ...ports,
    owner: 'test',
    // Each test looks at what came of the one before.
    calmMs: 0,
    guard: { refusal: () => undefined },
  });
});
afterAll(async () => {
  clusters.close();
  await removed(cluster);
  rmSync(folder, { recursive: true });
});

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

async function observe(...ids: readonly Id[]): Promise<CephObserved> {
  const seen = await clusters.observe(ids, signal());
  return { clusters: seen, owner: 'test', dataMovement: 'always' };
}

async function look(...ids: readonly Id[]): Promise<ClusterSeen> {
  const sight = (await observe(...ids)).clusters.get('main')?.sight;
  if (sight?.status !== 'seen') throw new Error(sight?.why ?? 'no cluster');
  return sight.seen;
}

async function differs(unit: Rendered<CephSpec>): Promise<Difference<CephCall>> {
  return cephKind.diff(unit, await observe(unit.id));
}

/** Carries out what separates it, and says what is left then. */
async function apply(unit: Rendered<CephSpec>) {
  const { operations, blocked } = await differs(unit);
  expect(blocked).toEqual([]);
  const outcomes: unknown[] = [];
  for (const { call } of operations) outcomes.push(await clusters.call(call, signal()));
  const ok = { status: 'ok', value: { id: 'main' } };
  expect(outcomes).toEqual(operations.map(() => ok));
  return await differs(unit);
}

const NOTHING = { operations: [], blocked: [] };
const whys = ({ blocked }: Difference<CephCall>): readonly string[] =>
  blocked.map(({ why }) => why);

describe('a pool', () => {
  const whole = {
    application: 'rbd',
    replicated: { size: 3, minSize: 1 },
    failureDomain: 'host',
    deviceClass: 'hdd',
    pgAutoscaleMode: 'off',
    pgNum: 16,
    pgNumMin: 4,
    pgNumMax: 64,
    bulk: true,
    targetSizeRatio: 0.1,
    quotas: { maxSize: '10Gi', maxObjects: 1000 },
    parameters: {
      compression_mode: 'passive',
      compression_algorithm: 'zstd',
      compression_required_ratio: 0.7,
      compression_min_blob_size: '8Ki',
      compression_max_blob_size: '64Ki',
      recovery_priority: 0,
    },
  };

  it('is made with everything that its document says', async () => {
    expect(await apply(cephUnit('CephPool', 'rep', whole))).toEqual(NOTHING);
    const { pools, rules } = await look();
    expect(pools.get('rep')).toMatchObject({ size: 3, minSize: 1, rule: 'rep_host_hdd' });
    expect(pools.get('rep')?.flags).toContain('nodelete');
    expect(rules.get('rep_host_hdd')?.simple).toEqual({
      root: 'default',
      failureDomain: 'host',
      deviceClass: 'hdd',
    });
  });

  it('is changed where it differs', async () => {
    const other = {
      ...whole,
      failureDomain: 'osd',
      pgNum: 32,
      bulk: false,
      targetSizeRatio: 0,
      quotas: { maxSize: 0, maxObjects: 0 },
      parameters: { compression_mode: 'none', recovery_priority: -3 },
    };
    const unit = cephUnit('CephPool', 'rep', other);
    expect((await differs(unit)).operations).toMatchObject([{ effect: 'moves-data' }]);
    expect(await apply(unit)).toEqual(NOTHING);
    expect((await look()).pools.get('rep')).toMatchObject({
      rule: 'rep_osd_hdd',
      pgNum: 32,
      minSize: 1,
      quota: { maxBytes: 0, maxObjects: 0 },
    });
  });

  it('has as few copies as its document says, and keeps them', async () => {
    const one = cephUnit('CephPool', 'one', { application: 'rbd', replicated: { size: 1 } });
    expect(await apply(one)).toEqual(NOTHING);
    const two = cephUnit('CephPool', 'one', {
      application: 'rbd',
      replicated: { size: 2, minSize: 1 },
    });
    expect(await apply(two)).toEqual(NOTHING);
    expect(whys(await differs(one))).toEqual([
      'pool one: size 2 -> 1 keeps no second copy: the agent does not do that; a person does, with `ceph osd pool set one size 1 --yes-i-really-mean-it`',
    ]);
  });

  it('of chunks is made, and takes overwrites', async () => {
    const coded = (more: object = {}) =>
      cephUnit('CephPool', 'ec', {
        application: 'rbd',
        erasureCoded: { dataChunks: 2, codingChunks: 1, overwrites: true },
        ...more,
      });
    expect(await apply(coded())).toEqual(NOTHING);
    const { pools } = await look();
    expect(pools.get('ec')).toMatchObject({
      profile: 'ec_host_2_1_jerasure_profile',
      rule: 'ec_host',
      size: 3,
    });
    expect(await apply(coded({ failureDomain: 'osd' }))).toEqual(NOTHING);
    expect((await look()).pools.get('ec')).toMatchObject({
      profile: 'ec_host_2_1_jerasure_profile',
      rule: 'ec_osd',
    });
    const larger = { erasureCoded: { dataChunks: 3, codingChunks: 1, overwrites: true } };
    expect(whys(await differs(coded(larger)))).toEqual([
      'pool ec: it is made with `k=2` and not `3`, and that never changes: make a pool of another name, copy what is in this one, and use that',
    ]);
  });

  it('is completed wherever somebody died on the way', async () => {
    const words = { ...whole, failureDomain: 'osd' };
    const unitOf = (cut: number) => cephUnit('CephPool', `cut-${String(cut)}`, words);
    const length = (await differs(unitOf(0))).operations.flatMap(({ call }) => call.steps).length;
    expect(length).toBeGreaterThan(10);
    for (let cut = 1; cut < length; cut += 1) {
      const { operations } = await differs(unitOf(cut));
      for (const { call } of operations) {
        const steps = call.steps.slice(0, cut);
        expect(await clusters.call({ ...call, steps }, signal())).toMatchObject({ status: 'ok' });
      }
      expect(await apply(unitOf(cut))).toEqual(NOTHING);
    }
  });

  it.each([
    ['low', { pgNumMin: 1, pgNumMax: 4 }, { pgNumMin: 2, pgNumMax: 2 }],
    ['high', { pgNumMin: 32, targetSizeBytes: '1Gi' }, { pgNumMin: 64, targetSizeRatio: 0.5 }],
    ['fixed', { pgAutoscaleMode: 'off', pgNum: 4, pgNumMin: 4 }, { pgAutoscaleMode: 'off', pgNum: 64, pgNumMin: 16, pgNumMax: 64 }], // prettier-ignore
    ['down', { pgAutoscaleMode: 'off', pgNum: 64, pgNumMin: 32 }, { pgAutoscaleMode: 'off', pgNum: 16, pgNumMin: 8, pgNumMax: 16 }], // prettier-ignore
  ])('has bounds for its placement groups: %s', async (name, first, second) => {
    const common = { application: 'rbd', replicated: {}, targetSizeRatio: 0 };
    expect(await apply(cephUnit('CephPool', name, { ...common, ...first }))).toEqual(NOTHING);
    expect(await apply(cephUnit('CephPool', name, { ...common, ...second }))).toEqual(NOTHING);
  });

  it('moves no data while the cluster is not well', async () => {
    await done(cluster, 'mon', 'osd set', { key: 'noout' });
    const observed = await observe();
    const unit = cephUnit('CephPool', 'rep', whole);
    const { blocked } = cephKind.diff(unit, { ...observed, dataMovement: 'healthy' });
    await done(cluster, 'mon', 'osd unset', { key: 'noout' });
    expect(blocked).toMatchObject([
      { waits: true, why: expect.stringMatching('^pool rep: at most .* would move, .*OSDMAP_FLAGS') }, // prettier-ignore
    ]);
  });

  it('of somebody else is left alone until it is given to us', async () => {
    const words = { pool: 'foreign', pool_type: 'replicated', size: 3 };
    await done(cluster, 'mon', 'osd pool create', words);
    const pool = (more: object = {}) =>
      cephUnit('CephPool', 'foreign', { application: 'rbd', replicated: {}, ...more });
    expect(whys(await differs(pool()))).toEqual([
      'pool foreign: it is there already and not ours: `adopt: true` takes it over',
    ]);
    expect(await apply(pool({ adopt: true }))).toEqual(NOTHING);
    expect((await look()).marks.get('ceph-pool/foreign')).toContain('"owner":"test"');
  });

  it('that somebody makes in between is not changed, and not claimed', async () => {
    const unit = cephUnit('CephPool', 'raced', { application: 'rbd', replicated: {} });
    const { operations } = await differs(unit);
    const words = { pool: 'raced', pool_type: 'replicated', size: 2 };
    await done(cluster, 'mon', 'osd pool create', words);
    const late = async (skipped: number) => {
      for (const { call } of operations) {
        const steps = call.steps.slice(skipped);
        return await clusters.call({ ...call, steps }, signal());
      }
      return undefined;
    };
    const sequence = { status: 'refused', cause: 'out-of-sequence' };
    expect(await late(0)).toMatchObject(sequence);
    // The same after the question whether it is there.
    expect(await late(1)).toMatchObject(sequence);
    const { marks, pools } = await look();
    expect(marks.has('ceph-pool/raced')).toBe(false);
    expect(pools.get('raced')?.applications).toEqual(new Map());
  });

  it('cannot be deleted with the key of the agent, nor by somebody who did not ask twice', async () => {
    const words = { pool: 'rep', pool2: 'rep', yes_i_really_really_mean_it: true };
    const own = openCeph(way, { clock: systemClock, processes: childProcesses });
    const answer = await own.call({ to: 'mon', words: { prefix: 'osd pool delete', ...words } }, signal()); // prettier-ignore
    own.close();
    expect(answer).toMatchObject({ status: 'refused', errno: 13 });
    const asked = await tried(cluster, 'mon', 'osd pool delete', words);
    expect(asked).toMatchObject({ code: -1, error: expect.stringContaining('nodelete') });
  });
});

describe('parts of file systems', () => {
  it.each([
    ['fs subvolume rm', { vol_name: 'cephfs', sub_name: 'x' }],
    ['fs subvolumegroup rm', { vol_name: 'cephfs', group_name: 'x' }],
    ['fs volume rm', { vol_name: 'cephfs' }],
  ])('cannot be removed with the key of the agent: %s', async (prefix, words) => {
    const own = openCeph(way, { clock: systemClock, processes: childProcesses });
    const answer = await own.call({ to: 'mgr', words: { prefix, ...words } }, signal());
    own.close();
    expect(answer).toMatchObject({ status: 'refused', errno: 13 });
  });
});

describe('a rule', () => {
  it('is made, stays as it is, and goes', async () => {
    const rule = (more: object = {}) =>
      cephUnit('CephCrushRule', 'by-osd', {
        failureDomain: 'osd',
        deletionPolicy: 'Delete',
        ...more,
      });
    expect(await apply(rule())).toEqual(NOTHING);
    expect(whys(await differs(rule({ failureDomain: 'host' })))).toEqual([
      'rule by-osd: it places data by `osd` below `default`, and rules do not change: give it another name, and name that one in the pool',
    ]);
    await leaves(rule());
    expect((await look()).rules.has('by-osd')).toBe(false);
  });

  it('for chunks is made from a profile', async () => {
    const unit = cephUnit('CephCrushRule', 'chunks', {
      type: 'erasure',
      erasureProfile: 'ec_host_2_1_jerasure_profile',
    });
    expect(await apply(unit)).toEqual(NOTHING);
  });
});

/** Its document is gone: it is removed in as many passes as that takes. */
async function leaves({ id }: Rendered<CephSpec>): Promise<readonly string[]> {
  const members = cephKind.members(id, await observe(id));
  for (let pass = 0; pass < 3; pass += 1) {
    const removal = cephKind.remove(id, members, await observe(id));
    if (removal.left.length === 0) return removal.stays ?? [];
    for (const { call } of removal.operations) {
      expect(await clusters.call(call, signal())).toMatchObject({ status: 'ok' });
    }
  }
  throw new Error(`${id} does not go`);
}

describe('a file system and what is in it', () => {
  const pool = (name: string) =>
    cephUnit('CephPool', name, { application: 'cephfs', replicated: {} });

  it('is made on pools of its own, and gets more', async () => {
    for (const name of ['fs.meta', 'fs.data', 'fs.more']) {
      expect(await apply(pool(name))).toEqual(NOTHING);
    }
    const filesystem = (more: object = {}) =>
      cephUnit('CephFilesystem', 'files', {
        metadataPool: 'fs.meta',
        dataPools: ['fs.data'],
        ...more,
      });
    expect(await apply(filesystem())).toEqual(NOTHING);
    const more = {
      dataPools: ['fs.data', 'fs.more'],
      standbyCountWanted: 0,
      allowStandbyReplay: true,
      maxFileSize: '2Ti',
      activeCount: 2,
    };
    expect(await apply(filesystem(more))).toEqual(NOTHING);
    for (const name of ['fs.meta', 'fs.data', 'fs.more']) {
      // What a file system does to its pools is no difference of theirs.
      expect(await differs(pool(name))).toEqual(NOTHING);
    }
    expect(whys(await differs(filesystem()))).toEqual([
      'file system files: files may lie in `fs.more`, and would be lost with it: move them and take it away by hand, or name it in `dataPools`',
    ]);
  });

  const group = (more: object = {}) =>
    cephUnit('CephSubvolumeGroup', 'sites', { filesystem: 'cephfs', mode: '0711', ...more });
  const subvolume = (more: object = {}) =>
    cephUnit('CephSubvolume', 'blog', {
      filesystem: 'cephfs',
      group: 'sites',
      mode: '0750',
      uid: 1000,
      gid: 1001,
      size: '1Gi',
      ...more,
    });

  it('has groups, with a limit that changes', async () => {
    expect(await apply(group({ quota: '5Gi' }))).toEqual(NOTHING);
    expect(await apply(group({ quota: '4Gi' }))).toEqual(NOTHING);
    expect(await apply(group())).toEqual(NOTHING);
    expect(whys(await differs(group({ mode: '0755', uid: 5 })))).toEqual([
      'group cephfs/sites: it has mode 0711 and not 0755, uid 0 and not 5: Ceph has no command for that, so change it where it is mounted, or in the document',
    ]);
  });

  it('has subvolumes, with a limit that changes', async () => {
    expect(await apply(subvolume())).toEqual(NOTHING);
    expect(await apply(subvolume({ size: '2Gi' }))).toEqual(NOTHING);
    const alone = { filesystem: 'cephfs', dataPool: 'cephfs.data', namespaceIsolated: true };
    const unit = cephUnit('CephSubvolume', 'alone', alone);
    expect(await apply(unit)).toEqual(NOTHING);
  });

  it('takes a bit that a subvolume inherited for no difference', async () => {
    const parent = cephUnit('CephSubvolumeGroup', 'shared', { filesystem: 'cephfs', mode: '2755' });
    expect(await apply(parent)).toEqual(NOTHING);
    const unit = cephUnit('CephSubvolume', 'x', { filesystem: 'cephfs', group: 'shared' });
    expect(await apply(unit)).toEqual(NOTHING);
    const sight = (await look(unit.id)).volumes.get('cephfs');
    const group = sight?.status === 'seen' ? sight.groups.get('shared') : undefined;
    expect(group?.subvolumes?.get('x')).toMatchObject({ mode: 0o2755 });
  });

  it('keeps a subvolume whose document goes, and says how much it holds', async () => {
    const unit = subvolume({ size: '2Gi' });
    expect(await leaves(unit)).toEqual(['subvolume cephfs/sites/blog stays (0 B)']);
    expect(await differs(unit)).toEqual(NOTHING);
    expect(await leaves(pool('fs.more'))).toEqual(['pool fs.more stays (0 B)']);
  });
});

describe('a client', () => {
  const id = thingKey(thingOf(cephUnit('CephSubvolume', 'blog', { filesystem: 'cephfs', group: 'sites' }).spec)); // prettier-ignore
  const client = (more: object = {}) =>
    cephUnit('CephClient', 'site-blog', {
      subvolumes: [{ id }],
      secret: 'blog_ceph',
      deletionPolicy: 'Delete',
      ...more,
    });

  it('may use its subvolumes and no others, and keeps its key', async () => {
    expect(await apply(client())).toEqual(NOTHING);
    const keyOf = async () =>
      (await look('ceph-client/site-blog')).clients?.get('client.site-blog')?.key?.reveal();
    const key = await keyOf();
    expect(key).toMatch(/^AQ/);
    expect(await apply(client({ subvolumes: [{ id, access: 'ro' }] }))).toEqual(NOTHING);
    const { clients } = await look('ceph-client/x');
    expect(clients?.get('client.site-blog')?.caps).toEqual(
      new Map([
        ['mds', 'allow r fsname=cephfs path=/volumes/sites/blog'],
        ['mon', 'allow r fsname=cephfs'],
        ['osd', 'allow r tag cephfs data=cephfs'],
      ]),
    );
    expect(await keyOf()).toBe(key);
  });

  it('whose caps are no caps is refused in words', async () => {
    const wrong = cephUnit('CephClient', 'site-wrong', {
      caps: { mon: 'alow r' },
      secret: 'wrong',
    });
    const { operations } = await differs(wrong);
    const outcomes = await Promise.all(
      operations.map(async ({ call }) => await clusters.call(call, signal())),
    );
    expect(outcomes).toMatchObject([
      { status: 'refused', retry: 'never', why: expect.stringContaining('`auth get-or-create`: Ceph does not take it (errno 22)') }, // prettier-ignore
    ]);
  });

  it('keeps its key where another cluster became the default one', async () => {
    const unit = client();
    const before = { ...unit, id: 'ceph-client/main/site-blog' as const };
    const keyOf = async () => (await look(unit.id)).clients?.get('client.site-blog')?.key?.reveal();
    const key = await keyOf();
    expect(await apply(before)).toEqual(NOTHING);
    expect(await leaves(before)).toEqual([]);
    expect(await keyOf()).toBe(key);
    expect((await look()).marks.has(before.id)).toBe(false);
    expect(await differs(unit)).toEqual(NOTHING);
  });

  it('goes with its document where that says so', async () => {
    expect(await leaves(client())).toEqual([]);
    const { clients, marks } = await look('ceph-client/x');
    expect(clients?.has('client.site-blog')).toBe(false);
    expect(marks.has('ceph-client/site-blog')).toBe(false);
  });
});

describe('a manager daemon that hangs', () => {
  const group = cephUnit('CephSubvolumeGroup', 'sites', { filesystem: 'cephfs' });
  const pool = cephUnit('CephPool', 'beside', { application: 'rbd', replicated: {} });
  const both = async (): Promise<CephObserved> => await observe(group.id, pool.id);

  it('holds what it has to tell of, and neither the rest nor what is written', async () => {
    const before = (await both()).clusters.get('main')?.sight;
    expect(before?.status).toBe('seen');
    expect((await both()).clusters.get('main')?.sight).toBe(before);
    await cluster.signal('mgr.x', 'SIGSTOP');
    try {
      // The first pass has nothing yet.
      expect((await both()).clusters.get('main')?.sight.status).toBe('away');
      await expect
        .poll(async () => whys(cephKind.diff(group, await both())), {
          timeout: 60_000,
          interval: 500,
        })
        .toEqual(['group cephfs/sites: the manager daemon of Ceph did not answer within 8 s']);
      let made: unknown;
      await expect
        .poll(
          async () => {
            const { operations } = cephKind.diff(pool, await both());
            for (const { call } of operations) made = await clusters.call(call, signal());
            return made;
          },
          { timeout: 60_000, interval: 500 },
        )
        .toEqual({ status: 'ok', value: { id: 'main' } });
    } finally {
      await cluster.signal('mgr.x', 'SIGCONT');
    }
    await expect
      .poll(async () => whys(cephKind.diff(group, await both())), {
        timeout: 60_000,
        interval: 500,
      })
      .not.toContain('group cephfs/sites: the manager daemon of Ceph did not answer within 8 s');
    await expect
      .poll(async () => cephKind.diff(pool, await both()), { timeout: 60_000, interval: 500 })
      .toEqual(NOTHING);
  });
});

describe('caps that amount to all rights', () => {
  const everything = ['mon', 'allow *'];
  const admin = 'client.admin';
  let made = 0;

  /** What a key with these caps may do: write keys, read those of others. */
  async function reach(mon: string): Promise<readonly string[]> {
    made += 1;
    const entity = `client.tried-${made}`;
    const answer = await done(cluster, 'mon', 'auth get-or-create', { entity, caps: ['mon', mon] });
    const keyringFile = join(folder, entity);
    writeFileSync(keyringFile, `[${entity}]\n\tkey = ${Object(answer)[0].key}\n`, { mode: 0o600 });
    const ports = { clock: systemClock, processes: childProcesses };
    const own = openCeph({ ...way, keyringFile, client: entity }, ports);
    const may = async (words: CommandWords): Promise<boolean> =>
      (await own.call({ to: 'mon', words }, signal())).status === 'ok';
    const key = 'AQDe0yRnAAAAABAAmmVXVSGzVGmYkDSGzE3fyA==';
    const ring = new Secret(`[client.evil]\n\tkey = ${key}\n\tcaps mon = "allow *"\n`);
    const imported = await own.call({ to: 'mon', words: { prefix: 'auth import' }, input: ring }, signal()); // prettier-ignore
    const commands: readonly CommandWords[] = [
      { prefix: 'auth add', entity: `client.site-a${made}`, caps: everything },
      { prefix: 'auth get-or-create', entity: `client.site-b${made}`, caps: everything },
      { prefix: 'auth get-or-create-key', entity: `client.site-c${made}`, caps: everything },
      { prefix: 'auth caps', entity: 'client.site-victim', caps: everything },
      ...['get', 'get-key', 'print-key', 'print_key', 'export'].map((verb) => ({
        prefix: `auth ${verb}`,
        entity: admin,
      })),
      { prefix: 'auth ls' },
      { prefix: 'auth list' },
    ];
    const reached = imported.status === 'ok' ? ['import'] : [];
    for (const words of commands) {
      if (await may(words)) reached.push(words.prefix.slice('auth '.length));
    }
    own.close();
    return reached;
  }

  beforeAll(async () => {
    const victim = { entity: 'client.site-victim', caps: ['mon', 'allow r'] };
    await done(cluster, 'mon', 'auth get-or-create', victim);
  });

  it.each([
    'allow *',
    'allow all',
    'allow rwx',
    'allow rwx network 127.0.0.0/8',
    'allow rwx fsname=cephfs',
    'allow rx',
    'allow service auth rwx',
    'allow service=auth rwx',
    'allow service "auth" *',
    'allow service auth all',
    'allow service auth rx',
    'profile role-definer',
    'allow profile role-definer',
    'profile mgr',
    ...['add', 'caps', 'get-or-create', 'get-or-create-key', 'import'].map(
      (one) => `allow command "auth ${one}"`,
    ),
    ...['get', 'get-key', 'print-key', 'print_key', 'export', 'ls', 'list'].map(
      (one) => `allow command "auth ${one}"`,
    ),
    "allow command='auth caps'",
    'allow command "auth caps" with entity prefix client.site-',
  ])('%s', async (mon) => {
    expect(await reach(mon)).not.toEqual([]);
    expect(capsRisk('mon', mon)).toBeDefined();
  });

  it.each([
    'allow r',
    'allow rw',
    'allow wx',
    'allow r fsname=cephfs',
    'allow service auth rw',
    'allow service osd rwx',
    'allow service mon rwx',
    'profile admin',
    'profile osd',
    'profile rbd',
    ...['get', 'rm'].map((one) => `allow command "auth ${one}" with entity prefix client.site-`),
  ])('%s: none of them', async (mon) => {
    expect(await reach(mon)).toEqual([]);
    expect(capsRisk('mon', mon)).toBeUndefined();
  });

  it('are also those that limit whose caps, and which', async () => {
    const limits = 'with entity prefix client.site- caps_mon="allow r"';
    const entity = 'client.limited';
    const mon = `allow r, allow command "auth caps" ${limits}`;
    const answer = await done(cluster, 'mon', 'auth get-or-create', { entity, caps: ['mon', mon] });
    const keyringFile = join(folder, entity);
    writeFileSync(keyringFile, `[${entity}]\n\tkey = ${Object(answer)[0].key}\n`, { mode: 0o600 });
    const own = openCeph({ ...way, keyringFile, client: entity }, { clock: systemClock, processes: childProcesses }); // prettier-ignore
    const set = async (caps: readonly string[], of = 'client.site-victim') =>
      await own.call({ to: 'mon', words: { prefix: 'auth caps', entity: of, caps } }, signal());
    expect(await set(everything)).toMatchObject({ errno: 13 });
    expect(await set(['mon', 'allow r'], 'client.admin')).toMatchObject({ errno: 13 });
    // Who names a service twice has the last one judged, and gets the first.
    expect(await set([...everything, 'mon', 'allow r'])).toMatchObject({ status: 'ok' });
    own.close();
    const victim = await done(cluster, 'mon', 'auth get', { entity: 'client.site-victim' });
    expect(Object(victim)[0].caps).toEqual({ mon: 'allow *' });
  });
});

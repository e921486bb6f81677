import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { shownCommand } from '../../../agent/providers/ceph/commands.ts';
import { cephKind } from '../../../agent/providers/ceph/kind.ts';
import type {
  ClusterSeen,
  ObservedGroup,
  ObservedPool,
  ObservedSubvolume,
} from '../../../agent/providers/ceph/observed.ts';
import type { CephObserved } from '../../../agent/providers/ceph/unit-diff.ts';
import { after, applied, empty, observed, stepsOf } from './model.ts';
import { cephUnit } from './units.ts';

const NOTHING = { operations: [], blocked: [] };
type Written = Readonly<Record<string, unknown>>;

const pool = (more: Written = {}) =>
  cephUnit('CephPool', 'rep', { application: 'rbd', replicated: {}, ...more });
const coded = (more: Written = {}) =>
  cephUnit('CephPool', 'ec', {
    application: 'rbd',
    erasureCoded: { dataChunks: 2, codingChunks: 1 },
    ...more,
  });
const rule = (more: Written = {}) => cephUnit('CephCrushRule', 'fast', more);
const filesPool = (name: string) =>
  cephUnit('CephPool', name, { application: 'cephfs', replicated: {} });
const filesystem = (more: Written = {}) =>
  cephUnit('CephFilesystem', 'cephfs', { metadataPool: 'meta', dataPools: ['data'], ...more });
const group = (more: Written = {}) =>
  cephUnit('CephSubvolumeGroup', 'sites', { filesystem: 'cephfs', ...more });
const subvolume = (more: Written = {}) =>
  cephUnit('CephSubvolume', 'blog', { filesystem: 'cephfs', group: 'sites', ...more });
const client = (more: Written = {}, name = 'site-blog') =>
  cephUnit('CephClient', name, {
    subvolumes: [{ id: 'ceph-subvolume/cephfs/sites/blog' }],
    secret: 'blog',
    ...more,
  });

/** With a file system and a group. */
const withFiles = [
  filesPool('meta'),
  filesPool('data'),
  filesPool('more'),
  filesystem(),
  group(),
].reduce(applied, empty);

const diff = (
  unit: ReturnType<typeof cephUnit>,
  seen: ClusterSeen,
  more: Partial<CephObserved> = {},
) => cephKind.diff(unit, observed(seen, more));
const shown = (unit: ReturnType<typeof cephUnit>, seen: ClusterSeen) =>
  stepsOf(diff(unit, seen)).map((step) => ('check' in step ? `? ${step.check}` : shownCommand(step))); // prettier-ignore
const whys = (
  unit: ReturnType<typeof cephUnit>,
  seen: ClusterSeen,
  more: Partial<CephObserved> = {},
) => diff(unit, seen, more).blocked.map(({ why, waits }) => `${why}${waits ? ' (waits)' : ''}`);

/** The same pool with something else about it. */
function withPool(seen: ClusterSeen, name: string, more: Partial<ObservedPool>): ClusterSeen {
  const one = seen.pools.get(name);
  if (one === undefined) throw new Error(`no pool ${name}`);
  return { ...seen, pools: new Map([...seen.pools, [name, { ...one, ...more }]]) };
}

const usage = { storedBytes: 4e9, objects: 1000, usedBytes: 12e9, availableBytes: 1e12 };
const ill: ClusterSeen['health'] = {
  status: 'HEALTH_WARN',
  checks: new Map([['OSD_DOWN', { severity: 'HEALTH_WARN', summary: '1 down', muted: false }]]),
};

describe('what is said to a cluster', () => {
  it('makes a pool with all that its command takes, then the rest, and how few copies last', () => {
    const unit = pool({
      failureDomain: 'osd',
      deviceClass: 'hdd',
      pgNumMin: 4,
      bulk: true,
      replicated: { size: 3, minSize: 1 },
      quotas: { maxSize: '1Gi' },
      parameters: { compression_mode: 'force' },
    });
    expect(shown(unit, empty)).toEqual([
      '? absent',
      'config-key set key=understudy/ceph-pool/rep val="{\\"owner\\":\\"test\\",\\"policy\\":\\"Orphan\\",\\"minSize\\":1}"',
      'osd crush rule create-replicated name=rep_osd_hdd root=default type=osd class=hdd',
      'osd pool create pool=rep pool_type=replicated rule=rep_osd_hdd autoscale_mode=on size=3 pg_num_min=4 bulk=true',
      '? pool',
      'osd pool set pool=rep var=nodelete val=true',
      'osd pool set-quota pool=rep field=max_bytes val=1073741824',
      'osd pool set pool=rep var=compression_mode val=force',
      'osd pool application enable pool=rep app=rbd',
      'osd pool set pool=rep var=min_size val=1',
    ]);
  });

  it('makes a profile and a rule of it for a pool of chunks', () => {
    const steps = shown(coded(), empty).filter((one) => /profile|rule|create/.test(one));
    expect(steps).toEqual([
      'osd erasure-code-profile set name=ec_host_2_1_jerasure_profile profile="k=2 m=1 plugin=jerasure crush-root=default crush-failure-domain=host"',
      'osd crush rule create-erasure name=ec_host profile=ec_host_2_1_jerasure_profile',
      'osd pool create pool=ec pool_type=erasure rule=ec_host autoscale_mode=on erasure_code_profile=ec_host_2_1_jerasure_profile',
    ]);
  });

  it('raises how few copies are enough once they are all there, and not with their number', () => {
    const seen = applied(empty, pool({ replicated: { size: 2, minSize: 1 } }));
    const more = pool({ replicated: { size: 3, minSize: 2 } });
    expect(shown(more, seen).slice(1)).toEqual([
      'osd pool set pool=rep var=size val=3',
      'osd pool set pool=rep var=min_size val=1',
    ]);
    const grown = applied(seen, more);
    const placement = new Map([
      ['active+clean', 30],
      ['active+undersized', 3],
    ]);
    expect(whys(more, { ...grown, placement })).toEqual([
      'pool rep: min_size 1 is raised when all copies are there, which waits until the cluster is healthy (placement groups are active+undersized) (waits)',
    ]);
    expect(shown(more, grown)).toEqual(['osd pool set pool=rep var=min_size val=2']);
  });

  it('raises it to what monitors give, where only their number is declared', () => {
    const seen = applied(empty, pool({ replicated: { size: 3, minSize: 1 } }));
    expect(shown(pool({ replicated: { size: 3 } }), seen).at(-1)).toBe(
      'osd pool set pool=rep var=min_size val=2',
    );
    const more = withPool(seen, 'rep', { minSize: 3 });
    expect(shown(pool({ replicated: { size: 3 } }), more).join()).not.toContain('min_size val');
    expect(shown(pool({ replicated: {} }), seen).join()).not.toContain('min_size val');
  });

  it('gives a client its folders in all its file systems', () => {
    const unit = client({
      subvolumes: [
        { id: 'ceph-subvolume/cephfs/sites/blog', access: 'ro' },
        { id: 'ceph-subvolume/cephfs/_nogroup/all' },
        { id: 'ceph-subvolume/old/sites/blog', access: 'ro' },
      ],
    });
    expect(shown(unit, empty).at(-1)).toBe(
      'auth get-or-create entity=client.site-blog caps="mon allow r fsname=cephfs, allow r fsname=old mds allow r fsname=cephfs path=/volumes/sites/blog, allow rw fsname=cephfs path=/volumes/_nogroup/all, allow r fsname=old path=/volumes/sites/blog osd allow rw tag cephfs data=cephfs, allow r tag cephfs data=old"',
    );
  });

  it('has no word in any source file that deletes what holds data', () => {
    const folder = new URL('../../../agent/providers/ceph/', import.meta.url);
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(?:ts|py)$/.test(name)); // prettier-ignore
    expect(files.length).toBeGreaterThan(20);
    const deletes =
      /osd pool (?:delete|rm)\b|\bfs (?:volume )?rm\b|\bfs subvolume(?:group)? rm\b|rm_data_pool|\bosd pool rename\b|\bfs fail\b|\bfs reset\b|erasure-code-profile rm/;
    const found = files.filter((name) => deletes.test(readFileSync(new URL(name, folder), 'utf8')));
    // The one warns of keys that may; the other is a person's, and no agent has it (test/tidy.test.ts).
    expect(found).toEqual(['doctor/caps-excess.ts', 'purge/delete.ts']);
  });
});

describe('what is no difference', () => {
  it.each<[string, Partial<ObservedPool>]>([
    ['what the autoscaler moves', { pgNum: 128 }],
    ['flags that Ceph sets', { flags: new Set(['nodelete', 'selfmanaged_snaps']) }],
    ['what is not declared', { options: new Map([['pg_autoscale_bias', 4]]) }],
    ['applications beside ours', { applications: new Map([['rbd', new Map()], ['x', new Map()]]) }], // prettier-ignore
    ['usage', { usage }],
  ])('is %s', (_, more) => {
    expect(diff(pool(), withPool(applied(empty, pool()), 'rep', more))).toEqual(NOTHING);
  });

  it('is a ratio with fewer digits, and blanks in caps', () => {
    const unit = pool({ targetSizeRatio: 0.1 });
    const short = new Map([['target_size_ratio', 0.100000001]]);
    expect(diff(unit, withPool(applied(empty, unit), 'rep', { options: short }))).toEqual(NOTHING);
    const seen = applied(empty, client({ subvolumes: undefined, caps: { mon: 'allow r' } }));
    const spaced = client({ subvolumes: undefined, caps: { mon: ' allow   r ' } });
    expect(diff(spaced, seen)).toEqual(NOTHING);
  });
});

describe('what is not done', () => {
  const rep = applied(empty, pool());
  const ec = applied(empty, coded());
  const foreign = { ...rep, marks: new Map() };
  const folders = applied(withFiles, subvolume({ size: '1Gi' }));

  it.each<[string, ReturnType<typeof cephUnit>, ClusterSeen, readonly string[]]>([
    ['a foreign pool', pool(), foreign, ['pool rep: it is there already and not ours: `adopt: true` takes it over']],
    ['a pool of another environment', pool({ adopt: true }), { ...rep, marks: new Map([['ceph-pool/rep', '{"owner":"other","policy":"Orphan"}']]) }, ['pool rep: the cluster says that it belongs to `other`, another one who writes there']],
    ['a pool of another environment, by another id', pool(), { ...empty, marks: new Map([['ceph-pool/main/rep', '{"owner":"other","policy":"Orphan"}']]) }, ['pool rep: the cluster says that it belongs to `other`, another one who writes there']],
    ['a mark that nobody understands', pool({ adopt: true }), { ...rep, marks: new Map([['ceph-pool/rep', 'x']]) }, ['pool rep: what the cluster keeps about whose it is is not understood (`ceph config-key dump understudy/ceph-pool` shows it)']],
    ['another type', cephUnit('CephPool', 'ec', { application: 'rbd', replicated: {} }), ec, ['pool ec: it is erasure coded, and that never changes: make a pool of another name, copy what is in this one, and use that']],
    ['another algorithm', coded({ erasureCoded: { dataChunks: 2, codingChunks: 1, algorithm: 'isa' } }), ec, ['pool ec: it is made with `plugin=jerasure` and not `isa`, and that never changes: make a pool of another name, copy what is in this one, and use that']],
    ['another application', pool({ application: 'cephfs' }), rep, ['pool rep: `rbd` uses it, and not `cephfs`']],
    ['one copy alone', pool({ replicated: { size: 1 } }), rep, ['pool rep: size 3 -> 1 keeps no second copy: the agent does not do that; a person does, with `ceph osd pool set rep size 1 --yes-i-really-mean-it`']],
    ['a type that there is none of', pool({ failureDomain: 'room' }), empty, ['pool rep: there is no type `room` to lie apart by: there are `host`, `osd`, `rack`, `root`']],
    ['too few places', pool({ failureDomain: 'rack' }), empty, ['pool rep: below `default` there are 0 of type `rack`, and 3 are needed']],
    ['too few places with devices', pool({ deviceClass: 'ssd' }), empty, ['pool rep: below `default` there are 1 of type `host` with devices of class `ssd`, and 3 are needed']],
    ['more copies than places', pool({ replicated: { size: 4 } }), rep, ['pool rep: below `default` there are 3 of type `host`, and 4 are needed']],
    ['more chunks than places', coded({ erasureCoded: { dataChunks: 2, codingChunks: 2 } }), empty, ['pool ec: below `default` there are 3 of type `host`, and 4 are needed']],
    ['devices that there are none of', pool({ deviceClass: 'nvme' }), empty, ['pool rep: there is no device of class `nvme`: there are `hdd`, `ssd`']],
    ['a bucket that there is none of', pool({ crushRoot: 'cold' }), empty, ['pool rep: there is no bucket `cold` to begin with']],
    ['more placement groups than it may have', pool({ pgAutoscaleMode: 'off', pgNum: 16 }), applied(empty, pool({ pgNumMax: 4 })), ['pool rep: 16 placement groups are beyond `pgNumMax`, which is 4: write another one']],
    ['fewer placement groups than it may have', pool({ pgAutoscaleMode: 'off', pgNum: 16, pgNumMin: 32 }), empty, ['pool rep: 16 placement groups are beyond `pgNumMin`, which is 32: write another one']],
    ['a rule that is not there yet', pool({ crushRule: 'fast' }), empty, ['pool rep: there is no rule `fast` yet (waits)']],
    ['a rule for others', pool({ crushRule: 'ec_host' }), ec, ['pool rep: the rule `ec_host` is for erasure pools']],
    ['a changed rule', rule({ failureDomain: 'osd' }), applied(empty, rule()), ['rule fast: it places data by `host` below `default`, and rules do not change: give it another name, and name that one in the pool']],
    ['a rule without its profile', rule({ type: 'erasure', erasureProfile: 'p' }), empty, ['rule fast: there is no profile `p` yet (waits)']],
    ['a file system without pools', filesystem(), empty, ['file system cephfs: there is no pool `meta` yet (waits)', 'file system cephfs: there is no pool `data` yet (waits)']],
    ['other metadata', filesystem({ metadataPool: 'more' }), withFiles, ['file system cephfs: its metadata lies in `meta`, and that never changes: make a file system of another name, and copy the files']],
    ['a pool of another file system', cephUnit('CephFilesystem', 'two', { metadataPool: 'more', dataPools: ['data'] }), withFiles, ['file system two: the pool `data` is of the file system `cephfs`']],
    ['a group without its file system', group(), empty, ['group cephfs/sites: there is no file system `cephfs` yet (waits)']],
    ['a subvolume without its group', subvolume({ group: 'x' }), withFiles, ['subvolume cephfs/x/blog: there is no group `x` yet (waits)']],
    ['another mode', subvolume({ size: '1Gi', mode: '0700' }), folders, ['subvolume cephfs/sites/blog: it has mode 0755 and not 0700: Ceph has no command for that, so change it where it is mounted, or in the document']],
    ['a namespace', subvolume({ namespaceIsolated: true }), folders, ['subvolume cephfs/sites/blog: it does not have a namespace of its own, and that never changes: make another one, and copy the files']],
    ['another data pool', subvolume({ size: '1Gi', dataPool: 'more' }), folders, ['subvolume cephfs/sites/blog: its files lie in `data`: with another pool they would lie in both, so make another one, and copy the files']],
    ['a client beside the pattern', client({}, 'mail'), empty, ["client client.mail: the agent's settings let it touch `client.site-*` alone (`clientPattern`)"]],
    ['the client of the agent', client({}, 'understudy'), empty, ['client client.understudy: the agent itself comes by that name']],
    ['a subvolume of another cluster', client({ subvolumes: [{ id: 'ceph-subvolume/far/cephfs/sites/blog' }] }), empty, ['client client.site-blog: `ceph-subvolume/far/cephfs/sites/blog` is in another cluster']],
  ])('is %s', (_, unit, seen, reasons) => {
    expect(whys(unit, seen)).toEqual(reasons);
    expect(diff(unit, seen).operations).toEqual([]);
  }); // prettier-ignore
});

describe('what a person releases first', () => {
  const rep = applied(empty, pool());
  const full = withPool(rep, 'rep', { usage });

  it.each<[string, ReturnType<typeof cephUnit>, ClusterSeen, readonly string[], readonly string[]]>([
    ['fewer copies', pool({ replicated: { size: 2 } }), rep, ['size 3 -> 2 gives up copies', 'min_size 2 -> 1 lets it be written with fewer copies'], ['osd pool set pool=rep var=size val=2']],
    ['fewer copies, and as many to write', pool({ replicated: { size: 2, minSize: 2 } }), rep, ['size 3 -> 2 gives up copies'], ['config-key set key=understudy/ceph-pool/rep val="{\\"owner\\":\\"test\\",\\"policy\\":\\"Orphan\\",\\"minSize\\":2}"', 'osd pool set pool=rep var=size val=2']],
    ['writes with fewer copies', pool({ replicated: { size: 3, minSize: 1 } }), rep, ['min_size 2 -> 1 lets it be written with fewer copies'], ['config-key set key=understudy/ceph-pool/rep val="{\\"owner\\":\\"test\\",\\"policy\\":\\"Orphan\\",\\"minSize\\":1}"', 'osd pool set pool=rep var=min_size val=1']],
    ['a quota below what is stored', pool({ quotas: { maxSize: '1Gi', maxObjects: 10 } }), full, ['a quota in bytes, 0 -> 1073741824 is less than the 4.0 GB that are stored: nobody could write', 'a quota in objects, 0 -> 10 is less than the 1000 that are stored: nobody could write'], ['osd pool set-quota pool=rep field=max_bytes val=1073741824', 'osd pool set-quota pool=rep field=max_objects val=10']],
  ])('is %s', (_, unit, seen, reasons, commands) => {
    const { blocked, shrinks = [] } = diff(unit, seen);
    expect([blocked, shrinks.map(({ what, why }) => `${what} ${why}`)]).toEqual([[], reasons]);
    expect(shown(unit, seen)).toEqual(commands);
  }); // prettier-ignore

  it('is a limit below what a subvolume holds', () => {
    const folders = applied(withFiles, subvolume({ size: '1Gi' }));
    const sight = folders.volumes.get('cephfs');
    const blog = sight?.status === 'seen' ? sight.groups.get('sites')?.subvolumes?.get('blog') : undefined; // prettier-ignore
    if (sight?.status !== 'seen' || blog?.state !== 'complete') throw new Error('not made');
    const subvolumes = new Map([['blog', { ...blog, usedBytes: 9e8 }]]);
    const groups = new Map([['sites', { subvolumes }]]);
    const seen = {
      ...folders,
      volumes: new Map([['cephfs', { status: 'seen' as const, groups }]]),
    };
    const unit = subvolume({ size: '512Mi' });
    expect(diff(unit, seen).shrinks).toEqual([
      {
        what: 'size 1073741824 -> 536870912 bytes',
        why: 'is less than the 900 MB that it holds: nobody could write',
      },
    ]);
    expect(shown(unit, seen)).toEqual([
      'fs subvolume resize vol_name=cephfs sub_name=blog group_name=sites new_size=536870912',
    ]);
    // Of what nobody released Ceph itself keeps a limit that is too small.
    expect(diff(subvolume({ size: '900Mi' }), seen).shrinks).toBeUndefined();
    expect(shown(subvolume({ size: '900Mi' }), seen)[0]).toMatch(/no_shrink=true$/);
  });

  it('is nothing where it grows, or is given back what it had', () => {
    expect(diff(pool({ replicated: { size: 4 } }), rep).shrinks).toBeUndefined();
    const bigger = pool({ quotas: { maxSize: '8Gi' } });
    expect(diff(bigger, full).shrinks).toBeUndefined();
    expect(diff(pool({ quotas: { maxSize: 0 } }), full).shrinks).toBeUndefined();
  });
});

describe('a folder', () => {
  const live = { mode: 0o755, uid: 0, gid: 0, dataPool: 'data', usedBytes: 0 };
  const withBlog = (more: object): ClusterSeen => {
    const blog: ObservedSubvolume = { ...live, state: 'complete', path: '/p', ...more };
    const groups = new Map([['sites', { details: live, subvolumes: new Map([['blog', blog]]) }]]);
    const volumes = new Map([['cephfs', { status: 'seen' as const, groups }]]);
    return { ...applied(withFiles, subvolume()), volumes };
  };

  it.each([
    ['0755', 0o755, true],
    ['0755', 0o2755, true],
    ['2755', 0o2755, true],
    ['2755', 0o755, false],
    ['0755', 0o1755, false],
    ['0750', 0o2755, false],
  ])('of mode %s that has %o is the same: %s', (mode, now, isSame) => {
    expect(whys(subvolume({ mode }), withBlog({ mode: now })).length === 0).toBe(isSame);
  });

  it('of which snapshots are left waits for a person, and one that is copied for Ceph', () => {
    const of = (called: string) => whys(subvolume(), withBlog({ state: 'other', called }));
    expect(of('snapshot-retained')).toEqual([
      'subvolume cephfs/sites/blog: it was removed, and its snapshots are left: remove those by hand, or give it another name',
    ]);
    expect(of('pending')).toEqual([
      'subvolume cephfs/sites/blog: Ceph says that it is `pending` (waits)',
    ]);
  });

  it('that Ceph does not tell of is held alone', () => {
    expect(whys(subvolume(), withBlog({ state: 'unread', why: 'bad layout' }))).toEqual([
      'subvolume cephfs/sites/blog: bad layout',
    ]);
    const groups = new Map([['sites', { unread: 'bad list' }]]);
    const volumes = new Map([['cephfs', { status: 'seen' as const, groups }]]);
    expect(whys(subvolume(), { ...withFiles, volumes })).toEqual(['subvolume cephfs/sites/blog: bad list']); // prettier-ignore
    expect(whys(group(), { ...withFiles, volumes })).toEqual(['group cephfs/sites: bad list']);
  });
});

describe('caps', () => {
  it.each([
    ['allow r  fsname=a', 'allow r fsname=a', true],
    ['allow rw path="/a  b"', 'allow  rw path="/a  b"', true],
    ['allow rw path="/a  b"', 'allow rw path="/a b"', false],
    ["allow rw path='/a  b'", "allow rw path='/a b'", false],
    ['allow rw path="/it\'s  x"', 'allow rw path="/it\'s x"', false],
  ])('%j and %j are the same: %s', (wanted, now, isSame) => {
    const declared = client({ subvolumes: undefined, caps: { mon: wanted } });
    const seen = applied(empty, declared);
    const clients = new Map([['client.site-blog', { caps: new Map([['mon', now]]) }]]);
    expect(diff(declared, { ...seen, clients }).operations.length === 0).toBe(isSame);
  });
});

describe('what somebody made since the look', () => {
  it.each([
    ['a rule', rule(), empty],
    ['a file system', filesystem(), [filesPool('meta'), filesPool('data')].reduce(applied, empty)],
    ['a client', client(), empty],
    ['a group', group(), { ...withFiles, volumes: new Map([['cephfs', { status: 'seen' as const, groups: new Map() }]]) }], // prettier-ignore
  ])('is not claimed: %s', (_, unit, seen) => {
    const without = { ...seen, marks: new Map() };
    expect(shown(unit, without).slice(0, 2)).toEqual([
      '? absent',
      expect.stringMatching(/^config-key set/),
    ]);
  });

  it('is no file system on pools that somebody else made', () => {
    const seen = [filesPool('meta'), filesPool('data')].reduce(applied, empty);
    const marks = new Map([
      ...seen.marks,
      ['ceph-pool/data', '{"owner":"other","policy":"Orphan"}'],
    ]);
    expect(whys(filesystem(), { ...seen, marks })).toEqual([
      'file system cephfs: the pool `data`: the cluster says that it belongs to `other`, another one who writes there',
    ]);
  });
});

describe('a profile that is left over', () => {
  const profile = (more: readonly (readonly [string, string])[]) => {
    const usual = [['k', '2'], ['m', '1'], ['plugin', 'jerasure'], ['crush-root', 'default'], ['crush-failure-domain', 'host']] as const; // prettier-ignore
    return {
      ...empty,
      profiles: new Map([['ec_host_2_1_jerasure_profile', new Map([...usual, ...more])]]),
    };
  };

  it('is used where it says the same, and never where it is for other devices', () => {
    expect(shown(coded(), profile([])).join()).not.toContain('erasure-code-profile');
    expect(whys(coded(), profile([['crush-device-class', 'hdd']]))).toEqual([
      expect.stringContaining('`crush-device-class=hdd` and not ``'),
    ]);
  });

  it('of other numbers is in nobody’s way', () => {
    const profiles = new Map([['ec_profile', new Map([['k', '4']])]]);
    expect(shown(coded(), { ...empty, profiles }).join()).toContain(
      'name=ec_host_2_1_jerasure_profile',
    );
  });
});

describe('what is not written', () => {
  const usual = applied(empty, pool());

  it.each([
    ['an autoscaler that is off', { pgAutoscaleMode: 'off' as const }],
    ['other copies', { size: 2, minSize: 2 }],
    ['quotas', { quota: { maxBytes: 10, maxObjects: 10 } }],
    ['that it is large', { flags: new Set(['nodelete', 'bulk']) }],
  ])('is left as it is: %s', (_, more) => {
    expect(diff(pool({ replicated: {} }), withPool(usual, 'rep', more))).toEqual(NOTHING);
  });

  it('is left as it is: how a file system is served', () => {
    const seen = applied(
      [filesPool('meta'), filesPool('data')].reduce(applied, empty),
      filesystem(),
    );
    const [[name, live] = ['', undefined]] = [...seen.filesystems];
    const other = {
      maxMds: 3,
      standbyCountWanted: 0,
      allowStandbyReplay: true,
      maxFileSizeBytes: 5,
    };
    const filesystems = new Map(live === undefined ? [] : [[name, { ...live, ...other }]]);
    expect(diff(filesystem(), { ...seen, filesystems })).toEqual(NOTHING);
  });
});

describe('a change that moves data', () => {
  it('waits while something moves, healthy or not', () => {
    const placement = new Map([
      ['active+clean+scrubbing+deep', 1],
      ['active+remapped+backfilling', 2],
    ]);
    expect(whys(moved, { ...seen, placement })).toEqual([
      'pool rep: at most 12.0 GB would move, which waits until the cluster is healthy (placement groups are active+remapped+backfilling) (waits)',
    ]);
    const scrubbed = new Map([['active+clean+scrubbing+deep', 1]]);
    expect(whys(moved, { ...seen, placement: scrubbed })).toEqual([]);
  });

  it.each([[pool({ bulk: true })], [pool({ targetSizeRatio: 0.5 })], [pool({ pgNumMin: 1 })]])(
    'is also what lets the autoscaler move them, where there are any',
    (unit) => {
      expect(diff(unit, seen).operations).toMatchObject([{ effect: 'moves-data' }]);
      const none = { ...usage, storedBytes: 0, usedBytes: 0, objects: 0 };
      expect(diff(unit, withPool(seen, 'rep', { usage: none })).operations).toMatchObject([{ effect: 'none' }]); // prettier-ignore
    },
  );

  const seen = withPool(applied(empty, pool()), 'rep', { usage });
  const moved = pool({ failureDomain: 'osd' });

  it('says at most how much', () => {
    expect(diff(moved, seen).operations).toMatchObject([
      { effect: 'moves-data', fields: [{ path: 'crush_rule', observed: 'rep_host', desired: 'rep_osd' }, { path: 'moves', desired: 'at most 12.0 GB' }] }, // prettier-ignore
    ]);
    const two = applied(empty, pool({ replicated: { size: 2, minSize: 2 } }));
    const three = pool({ replicated: { size: 3, minSize: 2 } });
    const grown = diff(three, withPool(two, 'rep', { usage }));
    expect(grown.operations[0]?.fields.at(-1)).toEqual({ path: 'moves', desired: 'at most 4.0 GB' }); // prettier-ignore
  });

  it.each<[ReturnType<typeof cephUnit>, CephObserved['dataMovement'], readonly string[]]>([
    [moved, 'healthy', ['pool rep: at most 12.0 GB would move, which waits until the cluster is healthy (HEALTH_WARN: OSD_DOWN) (waits)']], // prettier-ignore
    [moved, 'never', ['pool rep: at most 12.0 GB would move, and `policy.ceph.dataMovement` is `never`']], // prettier-ignore
    [moved, 'always', []],
    [pool({ failureDomain: 'osd', allowDataMovement: true }), 'healthy', []],
    [pool({ quotas: { maxSize: '1Ti' } }), 'healthy', []],
  ])('is held while the cluster is not well, as the policy says', (unit, dataMovement, reasons) => {
    expect(whys(unit, { ...seen, health: ill }, { dataMovement })).toEqual(reasons);
  });
});

describe('whoever dies between two commands', () => {
  const flag = fc.boolean();
  const option = <Value>(one: fc.Arbitrary<Value>) => fc.option(one, { nil: undefined });
  const common = {
    failureDomain: option(fc.constantFrom('host', 'osd')),
    deviceClass: option(fc.constant('hdd')),
    bulk: flag,
    targetSizeRatio: option(fc.constantFrom(0, 0.1, 2)),
    quotas: fc.record({ maxObjects: fc.nat(5), maxSize: fc.nat(5) }),
    bounds: fc.constantFrom({}, { pgNumMin: 4 }, { pgNumMax: 64 }, { pgNumMin: 8, pgNumMax: 8 }, { pgNumMin: 32 }, { pgNumMax: 4 }), // prettier-ignore
    parameters: fc.record({
      compression_mode: option(fc.constantFrom('none', 'force')),
      recovery_priority: option(fc.integer({ min: -2, max: 2 })),
    }),
    pgs: option(fc.constantFrom(8, 16)),
  };
  // A number and bounds together are refused where they do not fit.
  const withPgs = ({
    pgs,
    bounds,
    ...rest
  }: {
    readonly pgs: number | undefined;
    readonly bounds: object;
  }) => ({
    // prettier-ignore
    ...rest,
    ...(pgs === undefined ? bounds : { pgNum: pgs, pgAutoscaleMode: 'off' }),
  });
  const documents = fc.oneof(
    fc
      .record({
        ...common,
        size: fc.integer({ min: 1, max: 3 }),
        min: fc.integer({ min: 1, max: 3 }),
      })
      .map(({ size, min, ...rest }) =>
        pool({ ...withPgs(rest), replicated: { size, minSize: Math.min(size, min) } }),
      ),
    fc
      .record({ ...common, overwrites: flag })
      .map(({ overwrites, ...rest }) =>
        coded({ ...withPgs(rest), erasureCoded: { dataChunks: 2, codingChunks: 1, overwrites } }),
      ),
    fc
      .record({ activeCount: fc.integer({ min: 1, max: 2 }), more: flag, allowStandbyReplay: flag })
      .map(({ more, ...rest }) =>
        filesystem({ ...rest, dataPools: more ? ['data', 'more'] : ['data'] }),
      ),
    fc.record({ size: fc.nat(3), namespaceIsolated: flag }).map(subvolume),
    fc.record({ quota: fc.nat(3) }).map((more) => group(more)),
    fc
      .record({
        access: fc.constantFrom('rw', 'ro'),
        deletionPolicy: fc.constantFrom('Orphan', 'Delete'),
      }) // prettier-ignore
      .map(({ access, ...rest }) =>
        client({ ...rest, subvolumes: [{ id: 'ceph-subvolume/cephfs/sites/blog', access }] }),
      ),
  );
  /** Copies come before what waits for them: two passes. */
  const settled = (seen: ClusterSeen, unit: ReturnType<typeof cephUnit>): ClusterSeen =>
    applied(applied(seen, unit), unit);
  const bare = [filesPool('meta'), filesPool('data'), filesPool('more')].reduce(applied, empty);

  it('leaves what the next pass completes, and then nothing differs', () => {
    const changed = { count: 0 };
    fc.assert(
      fc.property(documents, documents, flag, fc.nat(12), (wanted, earlier, isNew, cut) => {
        const ground = wanted.id.startsWith('ceph-filesystem/') ? bare : withFiles;
        const hasEarlier = !isNew && earlier.id === wanted.id && !wanted.id.startsWith('ceph-subvolume-group'); // prettier-ignore
        const before = hasEarlier ? applied(ground, earlier) : ground;
        const difference = diff(wanted, before);
        // What would take safety away: only what is there already can have it.
        if (hasEarlier && difference.blocked.length > 0) return;
        const steps = stepsOf(difference);
        changed.count += steps.length;
        const whole = settled(steps.reduce(after, before), wanted);
        const dead = steps.slice(0, cut).reduce(after, before);
        expect(settled(dead, wanted)).toEqual(whole);
        expect(diff(wanted, whole)).toMatchObject(NOTHING);
      }),
      { numRuns: 1000 },
    );
    expect(changed.count).toBeGreaterThan(1000);
  });
});

describe('what leaves the repository', () => {
  const gone = (unit: ReturnType<typeof cephUnit>, seen: ClusterSeen, more = observed(seen)) =>
    cephKind.remove(unit.id, cephKind.members(unit.id, more), more);
  const stepsIn = (unit: ReturnType<typeof cephUnit>, seen: ClusterSeen) =>
    gone(unit, seen).operations.flatMap(({ call }) => call.steps.map((one) => ('check' in one ? one.check : shownCommand(one)))); // prettier-ignore

  it('stays where it holds data, and is told with its size', () => {
    const seen = withPool(applied(withFiles, subvolume()), 'data', { usage });
    const said = [filesPool('data'), filesystem(), group(), subvolume()].map((unit) => gone(unit, seen)); // prettier-ignore
    expect(said.flatMap(({ stays = [] }) => stays)).toEqual([
      'pool data stays (4.0 GB)',
      'file system cephfs stays (4.0 GB)',
      'group cephfs/sites stays (0 B)',
      'subvolume cephfs/sites/blog stays (0 B)',
    ]);
    expect(said.flatMap(({ operations, left }) => [...operations, ...left])).toEqual([]);
  });

  it('stays whatever the mark of a pool says', () => {
    const marks = new Map([['ceph-pool/rep', '{"owner":"test","policy":"Delete"}']]);
    expect(stepsIn(pool(), { ...applied(empty, pool()), marks })).toEqual([]);
  });

  it('goes where it holds none and its document said so, its mark last', () => {
    const unit = client({ deletionPolicy: 'Delete' });
    const seen = applied(empty, unit);
    const steps = ['auth rm entity=client.site-blog', 'config-key rm key=understudy/ceph-client/site-blog']; // prettier-ignore
    expect(stepsIn(unit, seen)).toEqual(steps);
    // Somebody died in between.
    expect(stepsIn(unit, { ...seen, clients: new Map() })).toEqual(steps.slice(1));
    expect(gone(unit, { ...seen, clients: new Map(), marks: new Map() }).left).toEqual([]);
    expect(gone(client(), applied(empty, client())).stays).toEqual(['client client.site-blog stays']); // prettier-ignore
  });

  it('stays where another unit of ours is about it: the default cluster is another one now', () => {
    const unit = client({ deletionPolicy: 'Delete' });
    const named = { ...unit, id: 'ceph-client/main/site-blog' as const };
    const before = applied(empty, named);
    // The unit of now takes it over without being told to, and keeps its key.
    const seen = applied(before, unit);
    expect(stepsOf(diff(unit, before))).toMatchObject([{ key: 'understudy/ceph-client/site-blog' }]); // prettier-ignore
    expect([...seen.marks.keys()]).toEqual([named.id, unit.id]);
    expect(cephKind.members(named.id, observed(seen))).toEqual([]);
    expect(stepsIn(named, seen)).toEqual(['config-key rm key=understudy/ceph-client/main/site-blog']); // prettier-ignore
    // What was to go when only one had a mark does not go either.
    const members = cephKind.members(named.id, observed(before));
    expect(members).toHaveLength(1);
    const late = cephKind.remove(named.id, members, observed(seen));
    expect(stepsOf({ ...NOTHING, operations: late.operations })).toEqual([
      { prefix: 'config-key rm', key: 'understudy/ceph-client/main/site-blog' },
    ]);
    // It is nobody's to be told of, and over with its mark.
    const after = { ...seen, marks: new Map([...seen.marks].filter(([id]) => id === unit.id)) };
    expect(gone(named, after)).toEqual({ operations: [], left: [], waits: [] });
    expect(stepsIn(unit, after)).toHaveLength(2);
  });

  it.each(['{"owner":"other","policy":"Delete"}', 'what is this'])(
    'is not taken over by the mark of somebody else: %s',
    (text) => {
      const seen = applied(empty, client());
      const marks = new Map([['ceph-client/main/site-blog', text]]);
      expect(whys(client(), { ...seen, marks })).toHaveLength(1);
    },
  );

  it('waits while a pool uses a rule', () => {
    const unit = rule({ deletionPolicy: 'Delete' });
    const seen = [unit, pool({ crushRule: 'fast' })].reduce(applied, empty);
    expect(gone(unit, seen)).toMatchObject({
      operations: [],
      left: [{ target: 'rule fast' }],
      waits: ['rule fast stays: the pool `rep` uses it'],
    });
    const free = applied(empty, unit);
    expect(stepsIn(unit, free)).toEqual(['osd crush rule rm name=fast', 'config-key rm key=understudy/ceph-crush-rule/fast']); // prettier-ignore
  });

  it('leaves no mark of what was never made, and keeps one of what nobody saw', () => {
    const made = applied(withFiles, subvolume());
    const { marks } = made;
    expect(stepsIn(subvolume(), { ...withFiles, marks })).toEqual(['config-key rm key=understudy/ceph-subvolume/cephfs/sites/blog']); // prettier-ignore
    expect(gone(subvolume(), { ...withFiles, marks }).left).toHaveLength(1);
    expect(stepsIn(subvolume(), { ...made, volumes: new Map() })).toEqual([]);
    expect(stepsIn(pool(), { ...applied(empty, pool()), pools: new Map() })).toEqual(['config-key rm key=understudy/ceph-pool/rep']); // prettier-ignore
  });

  const unmarked = ['config-key rm key=understudy/ceph-subvolume/cephfs/sites/blog'];
  it.each<[string, ObservedGroup | undefined, readonly string[]]>([
    ['of a group that is not there', undefined, unmarked],
    ['of a group that was not looked into', {}, []],
    ['of a group without it', { subvolumes: new Map() }, unmarked],
    ['that Ceph cannot read', { subvolumes: new Map([['blog', { state: 'unread', why: 'x' }]]) }, []], // prettier-ignore
  ])('is gone only where a list says so: a subvolume %s', (_, sites, steps) => {
    const { marks } = applied(withFiles, subvolume());
    const groups = new Map(sites && [['sites', sites]]);
    const volumes = new Map([['cephfs', { status: 'seen' as const, groups }]]);
    expect(stepsIn(subvolume(), { ...withFiles, marks, volumes })).toEqual(steps);
  });

  it('is not known to be gone where it is in no group and nobody asked for those', () => {
    const unit = subvolume({ group: undefined });
    const marks = new Map([['ceph-subvolume/cephfs/_nogroup/blog', '{"owner":"test","policy":"Orphan"}']]); // prettier-ignore
    expect(stepsIn(unit, { ...withFiles, marks })).toEqual([]);
  });

  it('is left alone where the mark is of another environment', () => {
    const unit = client({ deletionPolicy: 'Delete' });
    const seen = applied(empty, unit);
    const other = observed(seen, { owner: 'other' });
    expect(cephKind.members(unit.id, other)).toEqual([]);
    expect(gone(unit, seen, other)).toEqual({ operations: [], left: [], waits: [] });
  });

  it('is hidden while its cluster is away', () => {
    const sight = { status: 'away' as const, why: 'no quorum' };
    const clients = { self: 'client.understudy', pattern: 'client.site-*' };
    const away = { ...observed(empty), clusters: new Map([['main', { sight, clients }]]) };
    expect(cephKind.hidden?.(pool().id, away)).toBe('main: no quorum');
    expect(gone(pool(), empty, away)).toMatchObject({ operations: [], waits: ['main: no quorum'] });
    expect(cephKind.diff(pool(), away).blocked).toEqual([
      { target: 'pool rep', why: 'pool rep: no quorum', waits: true },
    ]);
    const { clients: _clients, ...unasked } = applied(empty, client());
    expect(cephKind.hidden?.(client().id, observed(unasked))).toBe('main: its clients were not looked at'); // prettier-ignore
    const clientsUnread = { why: 'caps are missing' };
    expect(cephKind.hidden?.(client().id, observed({ ...unasked, clientsUnread }))).toBe('main: caps are missing'); // prettier-ignore
    expect(whys(client(), { ...unasked, clientsUnread })).toEqual(['client client.site-blog: caps are missing']); // prettier-ignore
    expect(whys(client(), { ...unasked, clientsUnread: { ...clientsUnread, waits: true } })).toEqual(['client client.site-blog: caps are missing (waits)']); // prettier-ignore
    expect(diff(pool(), { ...unasked, clientsUnread }).operations).toHaveLength(1);
  });
});

describe('the kind', () => {
  it('says how a unit does by whether it can be asked', () => {
    const seen = { baseline: new Set<string>(), lost: new Set<string>(), answers: new Map(), judged: true }; // prettier-ignore
    const healthOf = (unit: ReturnType<typeof cephUnit>, cluster: ClusterSeen) => cephKind.health(unit, observed(cluster), seen); // prettier-ignore
    expect(healthOf(pool(), empty)).toMatchObject({ status: 'converged', members: empty.fsid });
    const sight = { status: 'away' as const, why: 'no metadata daemon' };
    const down = { ...withFiles, volumes: new Map([['cephfs', sight]]) };
    expect(healthOf(group(), down)).toMatchObject({ status: 'outside', why: 'no metadata daemon' });
    expect(healthOf(pool(), down)).toMatchObject({ status: 'converged' });
  });

  it.each([pool(), coded(), rule(), filesystem(), group(), subvolume(), client()])(
    'knows a unit by its release: $id',
    (unit) => {
      const content = cephKind.release(unit, observed(empty), 'all');
      const release = { digest: 'd1', revision: 'r', at: '2026-01-01T00:00:00Z', content };
      const restored = cephKind.restore(unit.id, release);
      expect(restored).toBe(cephKind.restore(unit.id, release));
      expect(restored && cephKind.parts(restored)).toEqual(cephKind.parts(unit));
    },
  );
});

import { describe, expect, it } from 'vitest';

import type { Id } from '../../../../agent/core/kind.ts';
import { factsOf } from '../../../../agent/providers/ceph/purge/facts.ts';
import {
  identityOf,
  keptInGit,
  notesOf,
  presenceOf,
  refusalsOf,
  type ThingLook,
} from '../../../../agent/providers/ceph/purge/judge.ts';
import { type PurgePlace, purgeThingBy } from '../../../../agent/providers/ceph/purge/thing.ts';
import { usersAbove, usersOf } from '../../../../agent/providers/ceph/purge/users.ts';
import type { ClusterSeen, VolumesSight } from '../../../../agent/providers/ceph/observed.ts';
import { applied, empty } from '../model.ts';
import { cephUnit } from '../units.ts';

const ENVIRONMENT = 'test';
const PURGE = 'understudy purge of test';
const DOWN = `${PURGE}, taken down`;

const files = [
  cephUnit('CephPool', 'meta', { application: 'cephfs', replicated: {} }),
  cephUnit('CephPool', 'data', { application: 'cephfs', replicated: {} }),
  cephUnit('CephPool', 'disks', { application: 'rbd', replicated: {} }),
  cephUnit('CephFilesystem', 'files', { metadataPool: 'meta', dataPools: ['data'] }),
  cephUnit('CephSubvolumeGroup', 'sites', { filesystem: 'files' }),
  cephUnit('CephSubvolume', 'blog', { filesystem: 'files', group: 'sites' }),
].reduce(applied, empty);

function placeOf(id: Id): PurgePlace {
  const thing = purgeThingBy(id);
  if (thing === undefined) throw new Error(`${id} is nothing`);
  return { ...thing, cluster: thing.cluster ?? 'main' };
}

const lookOf = (seen: ClusterSeen, more: Partial<ThingLook> = {}): ThingLook => ({
  seen,
  snapshots: [],
  isJoinable: true,
  ...more,
});
const groundOf = (...ids: readonly Id[]) => ({ units: new Set(ids), environment: ENVIRONMENT });

const refusals = (id: Id, look: ThingLook, ...units: readonly Id[]): readonly string[] =>
  refusalsOf(placeOf(id), look, groundOf(...units));

const marked = (id: string, text: string, seen = files): ClusterSeen => ({
  ...seen,
  marks: new Map([...seen.marks, [id, text]]),
});
const owned = (id: string, owner: string, seen = files): ClusterSeen =>
  marked(id, JSON.stringify({ owner, policy: 'Orphan' }), seen);
const without = (id: string): ClusterSeen => ({
  ...files,
  marks: new Map([...files.marks].filter(([one]) => one !== id)),
});
/** Without what is noted in the file system. */
const unnoted = (id: string): ClusterSeen => ({
  ...files,
  marks: new Map([...files.marks].filter(([one]) => !one.startsWith(id))),
});
const volumes = (sight: VolumesSight, base = files): ClusterSeen => ({
  ...base,
  volumes: new Map([['files', sight]]),
});
const inside = (
  groups: readonly (readonly [string, readonly string[]])[],
  base = files,
): ClusterSeen =>
  volumes(
    {
      status: 'seen',
      groups: new Map(
        groups.map(([name, all]) => [
          name,
          { subvolumes: new Map(all.map((one) => [one, undefined])) },
        ]),
      ),
    },
    base,
  );
const away = volumes({ status: 'away', why: 'no daemon' });

const POOL: Id = 'ceph-pool/disks';
const SYSTEM: Id = 'ceph-filesystem/files';
const GROUP: Id = 'ceph-subvolume-group/files/sites';
const SUBVOLUME: Id = 'ceph-subvolume/files/sites/blog';

describe('what an id names', () => {
  it.each<[Id, object | undefined]>([
    [POOL, { what: 'ceph-pool', names: ['disks'] }],
    ['ceph-pool/other/disks', { what: 'ceph-pool', names: ['disks'], cluster: 'other' }],
    [SUBVOLUME, { what: 'ceph-subvolume', names: ['files', 'sites', 'blog'] }],
    ['ceph-client/site-blog', undefined],
    ['ceph-crush-rule/fast', undefined],
    ['ceph-subvolume/files/blog', undefined],
    ['ceph-pool/../disks', undefined],
  ])('%s', (id, thing) => {
    expect(purgeThingBy(id)).toEqual(thing);
  });
});

describe('what the repository has', () => {
  it.each<[Id, Id, RegExp | undefined]>([
    [POOL, 'ceph-pool/disks', /document is in the repository/],
    [POOL, 'ceph-pool/main/disks', /document is in the repository/],
    [POOL, 'ceph-pool/other/disks', undefined],
    [POOL, 'ceph-pool/disk', undefined],
    [POOL, 'ceph-filesystem/disks', undefined],
    [SYSTEM, GROUP, /`ceph-subvolume-group\/files\/sites` is in it/],
    [SYSTEM, SUBVOLUME, /is in it/],
    [SYSTEM, 'ceph-subvolume-group/old/sites', undefined],
    [GROUP, SUBVOLUME, /is in it/],
    [GROUP, 'ceph-subvolume/files/other/blog', undefined],
    [SUBVOLUME, GROUP, undefined],
  ])('keeps %s for %s: %s', (id, unit, why) => {
    const kept = keptInGit(placeOf(id), groundOf('stack/blog', unit));
    expect(kept ?? '').toMatch(why ?? /^$/);
  });
});

describe('what stays', () => {
  it.each<[string, Id, ThingLook, readonly RegExp[]]>([
    ['nothing, where all is well', POOL, lookOf(files, { poolsMayGo: true }), []],
    ['nothing, where monitors do not tell', POOL, lookOf(files), []],
    ['a pool that monitors keep', POOL, lookOf(files, { poolsMayGo: false }), [/no pool be deleted/]], // prettier-ignore
    ['a pool of a file system', 'ceph-pool/data', lookOf(files), [/`files` lies in it/]],
    ['what was never ours', POOL, lookOf(without(POOL)), [/neither made it nor took it over/]],
    ['what is another’s', POOL, lookOf(owned(POOL, 'staging')), [/belongs to `staging`/]],
    ['what is another’s by another id', POOL, lookOf(owned('ceph-pool/main/disks', 'staging')), [/belongs to `staging`/]], // prettier-ignore
    ['what has a mark that nobody reads', POOL, lookOf(marked(POOL, '{"owner":3}')), [/is not understood/]], // prettier-ignore
    ['nothing, where an earlier purge died', POOL, lookOf(owned(POOL, PURGE)), []],
    ['a file system with groups', SYSTEM, lookOf(inside([['sites', []], ['more', []]])), [/groups in it: `sites`, `more`$/]], // prettier-ignore
    ['a file system with a folder in no group', SYSTEM, lookOf(inside([['_nogroup', ['x']]])), [/subvolumes in it: `x`$/]], // prettier-ignore
    [
      'nothing of a file system that is empty',
      SYSTEM,
      lookOf(inside([['_nogroup', []]], unnoted('ceph-subvolume'))),
      [],
    ],
    ['a file system in which something is noted', SYSTEM, lookOf(inside([['_nogroup', []]])), [/`ceph-subvolume-group\/files\/sites` is noted in it: purge that first/, /`ceph-subvolume\/files\/sites\/blog` is noted/]], // prettier-ignore
    ['a group in which something is noted', GROUP, lookOf(inside([['sites', []]])), [/`ceph-subvolume\/files\/sites\/blog` is noted in it/]], // prettier-ignore
    ['a file system that nobody looks into', SYSTEM, lookOf(away), [/not known: no daemon/]],
    ['one that somebody took down', SYSTEM, lookOf(away, { isJoinable: false }), [/not known/]],
    ['one that an earlier purge looked into, and did not take down', SYSTEM, lookOf(owned(SYSTEM, PURGE, away)), [/not known/]], // prettier-ignore
    ['one that a purge had begun with, and somebody else took down', SYSTEM, lookOf(owned(SYSTEM, PURGE, away), { isJoinable: false }), [/not known/]], // prettier-ignore
    ['nothing of one that an earlier purge took down', SYSTEM, lookOf(owned(SYSTEM, DOWN, away), { isJoinable: false }), []], // prettier-ignore
    ['a group with many subvolumes', GROUP, lookOf(inside([['sites', ['a', 'b', 'c', 'd', 'e', 'f', 'g']]])), [/`e` and 2 more$/]], // prettier-ignore
    [
      'nothing of a group that is empty',
      GROUP,
      lookOf(inside([['sites', []]], unnoted('ceph-subvolume/'))),
      [],
    ],
    ['a group that nobody looks into', GROUP, lookOf(away), [/whether it is there is not known/]],
    ['nothing of a subvolume', SUBVOLUME, lookOf(files), []],
    ['a subvolume with snapshots', SUBVOLUME, lookOf(files, { snapshots: ['monday'] }), [/snapshots in it: `monday`$/]], // prettier-ignore
    ['a subvolume that is in nobody’s list', SUBVOLUME, lookOf(volumes({ status: 'seen', groups: new Map([['sites', {}]]) })), [/not known: the subvolumes are not listed/]], // prettier-ignore
    ['a subvolume of which only the name is known', SUBVOLUME, lookOf(inside([['sites', ['blog']]])), [/did not say more/]], // prettier-ignore
    ['a subvolume that is made from another', SUBVOLUME, lookOf(volumes({ status: 'seen', groups: new Map([['sites', { subvolumes: new Map([['blog', { state: 'other', called: 'pending' }]]) }]]) })), [/it is `pending`/]], // prettier-ignore
    ['a subvolume that Ceph cannot read', SUBVOLUME, lookOf(volumes({ status: 'seen', groups: new Map([['sites', { subvolumes: new Map([['blog', { state: 'unread', why: 'broken' }]]) }]]) })), [/not known: broken/]], // prettier-ignore
  ])('is %s', (_, id, look, whys) => {
    const told = refusals(id, look);
    expect(told).toHaveLength(whys.length);
    for (const [at, why] of whys.entries()) expect(told[at]).toMatch(why);
  });

  it('is what a client of the repository has rights on, and what nobody knows the clients of', () => {
    const unit = cephUnit('CephClient', 'site-blog', {
      subvolumes: [{ id: 'ceph-subvolume/files/sites/blog' }],
      secret: 'blog',
    });
    const seen = applied(files, unit);
    const look = lookOf(seen);
    expect(refusals(SUBVOLUME, look, unit.id)).toEqual([`\`${unit.id}\` has rights on it`]);
    expect(refusals(SUBVOLUME, look, 'ceph-client/other/site-blog')).toEqual([]);
    expect(notesOf(placeOf(SUBVOLUME), look)[0]).toContain('rights on it stay');
    const { clients: _clients, ...rest } = seen;
    const unread = lookOf({ ...rest, clientsUnread: { why: 'auth ls is missing' } });
    expect(refusals(SUBVOLUME, unread)).toEqual([
      'who has rights on it is not known: auth ls is missing',
    ]);
  });
});

describe('who knows it by another name', () => {
  it.each<[string, Id, Id]>([
    ['of the cluster', POOL, 'ceph-pool/spare/disks'],
    ['of what is in it', SYSTEM, 'ceph-subvolume/spare/files/sites/blog'],
  ])('%s keeps it', (_, id, other) => {
    const seen = owned(other, ENVIRONMENT);
    expect(refusals(id, lookOf(seen), other)[0]).toContain(`as \`${other}\`, and that document`);
  });
});

describe('which one it is', () => {
  it('tells from another one by the same name', () => {
    const pool = files.pools.get('disks');
    if (pool === undefined) throw new Error('not made');
    const other = { ...files, pools: new Map([...files.pools, ['disks', { ...pool, id: 77 }]]) };
    expect(identityOf(placeOf(POOL), other)).not.toBe(identityOf(placeOf(POOL), files));
    expect(identityOf(placeOf(SUBVOLUME), files)).toContain('/volumes/sites/blog/uuid');
    const again = { ...files, fsid: 'another' };
    for (const id of [POOL, SYSTEM, GROUP, SUBVOLUME]) {
      expect(identityOf(placeOf(id), again)).not.toBe(identityOf(placeOf(id), files));
    }
  });
});

describe('whether it is there', () => {
  const gone = { ...empty, filesystems: files.filesystems };
  it.each<[Id, ClusterSeen, unknown]>([
    [POOL, files, 'there'],
    [POOL, empty, 'gone'],
    [SYSTEM, files, 'there'],
    [SYSTEM, empty, 'gone'],
    [GROUP, empty, 'gone'],
    [GROUP, { ...gone, volumes: new Map() }, { unknown: 'it was not looked at' }],
    [GROUP, inside([]), 'gone'],
    [GROUP, volumes({ status: 'seen', groups: new Map([['sites', { unread: 'busy' }]]) }), { unknown: 'busy' }], // prettier-ignore
    [SUBVOLUME, files, 'there'],
    [SUBVOLUME, inside([['sites', ['other']]]), 'gone'],
  ])('%s', (id, seen, presence) => {
    expect(presenceOf(placeOf(id), seen)).toEqual(presence);
  });
});

describe('whose caps name it', () => {
  const clients = (caps: Readonly<Record<string, string>>) =>
    new Map([['client.x', { caps: new Map(Object.entries(caps)) }]]);
  it.each<[Id, Readonly<Record<string, string>>, boolean]>([
    [POOL, { osd: 'allow rwx pool=disks' }, true],
    [POOL, { osd: 'profile rbd pool disks' }, true],
    [POOL, { osd: 'allow r pool=other, profile rbd pool="disks"' }, true],
    [POOL, { osd: 'allow rwx pool=disks2' }, false],
    [POOL, { mon: 'allow *', osd: 'allow *' }, false],
    [SYSTEM, { mon: 'allow r fsname=files' }, true],
    [SYSTEM, { osd: 'allow rw tag cephfs data=files' }, true],
    [SYSTEM, { osd: 'allow rw tag cephfs data=file' }, false],
    [SUBVOLUME, { mds: 'allow rw fsname=files path=/volumes/sites/blog' }, true],
    [SUBVOLUME, { mds: 'allow rw path=/volumes/sites/blog/7f1c' }, true],
    [SUBVOLUME, { mds: 'allow rw fsname=old path=/volumes/sites/blog' }, false],
    [SUBVOLUME, { mds: 'allow rw path=/volumes/sites/blog2' }, false],
    [GROUP, { mds: 'allow rw path=/volumes/sites/blog' }, true],
    [GROUP, { mds: 'allow rw path=/volumes/sites' }, true],
    [GROUP, { mds: 'allow rw path=/volumes' }, false],
    [POOL, { osd: 'allow rw pool=disks; allow r pool=other' }, true],
    [SUBVOLUME, { mds: 'allow rw fsname=files "path=/volumes/sites/blog"' }, true],
    [SUBVOLUME, { mds: 'allow rw path="/volumes/sites/blog"' }, true],
    [SUBVOLUME, { osd: 'allow rw tag cephfs data=files' }, false],
  ])('%s: %j', (id, caps, isUser) => {
    expect(usersOf(placeOf(id), clients(caps))).toEqual(isUser ? ['client.x'] : []);
  });

  it.each<[Id, Readonly<Record<string, string>>, boolean]>([
    [SUBVOLUME, { mds: 'allow rw path=/volumes/sites' }, true],
    [SUBVOLUME, { mds: 'allow rw fsname=files' }, true],
    [SUBVOLUME, { mds: 'allow rw fsname=old path=/' }, false],
    [SUBVOLUME, { mds: 'allow rw path=/volumes/sites/blog' }, false],
    [SUBVOLUME, { mds: 'allow *' }, false],
    [GROUP, { mds: 'allow r path=/' }, true],
    [SYSTEM, { mds: 'allow rw path=/x' }, true],
    [POOL, { mds: 'allow rw' }, false],
  ])('or reaches %s from above: %j', (id, caps, isAbove) => {
    expect(usersAbove(placeOf(id), clients(caps))).toEqual(isAbove ? ['client.x'] : []);
  });
});

describe('what is known of it', () => {
  it('is what pools hold, and where a folder lies', () => {
    const usage = { storedBytes: 4096, objects: 1, usedBytes: 8192, availableBytes: 1e9 };
    const pools = new Map([...files.pools].map(([name, one]) => [name, { ...one, usage }]));
    const seen = { ...files, pools };
    expect(factsOf(placeOf(POOL), seen).map(({ key, value }) => [key, value])).toEqual([
      ['bytes', 4096],
      ['objects', 1],
      ['applications', 'rbd'],
    ]);
    expect(factsOf(placeOf(SYSTEM), seen).map(({ label }) => label)).toEqual([
      'size of meta',
      'objects of meta',
      'size of data',
      'objects of data',
    ]);
    expect(factsOf(placeOf(SUBVOLUME), seen).map(({ value }) => value)).toEqual([
      0,
      '/volumes/sites/blog/uuid',
    ]);
    expect(factsOf(placeOf(GROUP), seen)).toEqual([
      { key: 'bytes', value: 0, label: 'size', words: '0 B' },
    ]);
  });
});

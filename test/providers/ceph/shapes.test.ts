import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readAnswer } from '../../../agent/providers/ceph/asking.ts';
import {
  crushIn,
  filesystemsIn,
  poolsIn,
  profilesIn,
  rulesIn,
} from '../../../agent/providers/ceph/maps.ts';
import {
  AuthLs,
  CrushDump,
  Df,
  FsDump,
  GroupInfo,
  OsdDump,
  Status,
  SubvolumeInfo,
} from '../../../agent/providers/ceph/shapes.ts';
import {
  clientsIn,
  daemonsIn,
  folderIn,
  healthIn,
  marksIn,
  placementIn,
  releaseIn,
  subvolumeIn,
} from '../../../agent/providers/ceph/states.ts';
import * as raw from './raw.ts';

const osd = OsdDump.parse(raw.osdDump);
const crush = CrushDump.parse(raw.crushDump);

it('reads pools, their rules and their profiles by name', () => {
  const pools = poolsIn(osd, crush, Df.parse(raw.df));
  expect(pools.get('rep')).toEqual({
    id: 1,
    type: 'replicated',
    size: 3,
    minSize: 2,
    rule: 'replicated_rule',
    // Where it goes, not where it is.
    pgNum: 8,
    pgAutoscaleMode: 'on',
    // That it was made a moment ago is nothing that anybody set.
    flags: new Set(['hashpspool', 'nodelete']),
    fastRead: false,
    quota: { maxBytes: 1024, maxObjects: 0 },
    options: new Map<string, unknown>([
      ['pg_num_min', 16],
      ['target_size_ratio', 0.10000000149011612],
      ['compression_mode', 'passive'],
    ]),
    applications: new Map([['rbd', new Map([['by', 'me']])]]),
    usage: { storedBytes: 25, objects: 4, usedBytes: 24_576, availableBytes: 4e9 },
  });
  // Not reported yet: no usage.
  expect(pools.get('ec')).toMatchObject({ type: 'erasure', profile: 'ec21', rule: 'ec' });
  expect(pools.get('ec')?.usage).toBeUndefined();
  expect(profilesIn(osd).get('ec21')?.get('k')).toBe('2');
});

describe('a rule', () => {
  it('is read where one line made it', () => {
    expect(rulesIn(crush)).toEqual(
      new Map<string, unknown>([
        [
          'replicated_rule',
          { id: 0, type: 'replicated', simple: { root: 'default', failureDomain: 'host' } },
        ],
        [
          'ec',
          {
            id: 9,
            type: 'erasure',
            simple: { root: 'default', failureDomain: 'rack', deviceClass: 'ssd' },
          },
        ],
      ]),
    );
  });

  const take = { op: 'take', item_name: 'default' };
  const emit = { op: 'emit' };
  const simpleOf = (steps: readonly object[]) => {
    const rules = [{ rule_id: 0, rule_name: 'r', type: 1, steps }];
    return rulesIn(CrushDump.parse({ ...raw.crushDump, rules })).get('r')?.simple;
  };

  it.each([
    ['has two levels', [take, { op: 'choose_firstn', num: 2, type: 'rack' }, { op: 'chooseleaf_firstn', num: 2, type: 'host' }, emit]], // prettier-ignore
    ['takes two roots', [take, { op: 'chooseleaf_firstn', num: 0, type: 'host' }, emit, take, emit]], // prettier-ignore
    ['places a fixed number', [take, { op: 'chooseleaf_firstn', num: 1, type: 'host' }, emit]],
    ['stops at hosts', [take, { op: 'choose_firstn', num: 0, type: 'host' }, emit]],
    ['does what nobody knows yet', [take, { op: 'choosemsr', num: 0, type: 'host' }, emit]],
    ['is empty', []],
  ])('is no simple one where it %s', (_, steps) => {
    expect(simpleOf(steps)).toBeUndefined();
  });

  it.each(['choose_firstn', 'chooseleaf_firstn', 'choose_indep'])(
    'places copies on devices by `%s`',
    (op) => {
      const simple = { root: 'default', failureDomain: 'osd' };
      expect(simpleOf([take, { op, num: 0, type: 'osd' }, emit])).toEqual(simple);
    },
  );
});

it('counts only what holds a device, at any depth, and once', () => {
  const { below, types, deviceClasses } = crushIn(crush);
  expect(Object.fromEntries(below.get('default') ?? [])).toEqual({ osd: 3, host: 2, rack: 1 });
  expect(Object.fromEntries(below.get('default~hdd') ?? [])).toEqual({ osd: 1, host: 1 });
  expect(below.get('empty')).toEqual(new Map());
  expect([...types]).toEqual(['osd', 'host', 'rack', 'root']);
  expect([...deviceClasses]).toEqual(['hdd', 'ssd']);
});

it('comes to an end where buckets lie in each other', () => {
  const buckets = [
    { id: -1, name: 'a', type_name: 'root', items: [{ id: -2 }, { id: -2 }] },
    { id: -2, name: 'b', type_name: 'host', items: [{ id: -1 }, { id: 0 }] },
  ];
  const { below } = crushIn(CrushDump.parse({ ...raw.crushDump, buckets }));
  expect(Object.fromEntries(below.get('a') ?? [])).toEqual({ osd: 1, host: 1 });
});

it('reads a file system with the names of its pools, the first of which is the default', () => {
  const read = (flags: number) => {
    const [one] = raw.fsDump.filesystems;
    const filesystems = [{ ...one, mdsmap: { ...one?.mdsmap, flags } }];
    return filesystemsIn(FsDump.parse({ filesystems }), osd).get('cephfs');
  };
  expect(read(18)).toEqual({
    id: 1,
    metadataPool: 'rep',
    // A pool that was removed meanwhile has no name.
    dataPools: ['ec', '7'],
    maxMds: 2,
    active: 1,
    standbyCountWanted: 1,
    allowStandbyReplay: false,
    maxFileSizeBytes: 2 ** 40,
  });
  expect(read(18 + 32)?.allowStandbyReplay).toBe(true);
});

it('reads how a cluster does', () => {
  const status = Status.parse(raw.status);
  expect(healthIn(status)).toEqual({
    status: 'HEALTH_WARN',
    checks: new Map([
      ['OSD_DOWN', { severity: 'HEALTH_WARN', summary: '1 osds down', muted: false }],
    ]),
  });
  expect(daemonsIn(status)).toEqual({
    monitors: { total: 3, inQuorum: 2 },
    osds: { total: 3, up: 2, in: 3 },
    managerAvailable: false,
  });
  expect(placementIn(status)).toEqual(new Map([['active+clean', 15]]));
});

const version = (number: string, name: string): string =>
  `ceph version ${number} (618f440892089921c3e944a991122ddc44e60516) ${name} (stable)`;

it.each<[string, Record<string, number>, unknown]>([
  ['of all', { [version('16.2.15', 'pacific')]: 3 }, { version: [16, 2, 15], name: 'pacific' }],
  [
    'of the oldest while they are upgraded',
    { [version('19.2.3', 'squid')]: 1, [version('18.2.10', 'reef')]: 2 },
    { version: [18, 2, 10], name: 'reef' },
  ],
  [
    'of a build between two releases',
    { [version('20.1.0-123-gabc', 'tentacle')]: 3 },
    { version: [20, 1, 0], name: 'tentacle' },
  ],
  [
    'too old',
    { [version('15.2.17', 'octopus')]: 3, [version('16.2.15', 'pacific')]: 1 },
    { reason: 'a monitor is Ceph 15.2.17 (octopus), older than 16 (pacific)' },
  ],
  ['of nobody', {}, { reason: 'the monitors of Ceph do not say which version they are' }],
  ['unsaid', { x: 1 }, { reason: 'the monitors of Ceph do not say which version they are' }],
])('reads the release %s', (_, mon, expected) => {
  expect(releaseIn({ mon })).toEqual(expected);
});

it('keeps keys of clients to itself, and leaves daemons out', () => {
  const key = 'AQCg5A1rAAAAABAABV7vm3gd7q2ouyVYT3DNBg==';
  const auth_dump = ['client.a', 'client.b', 'osd.0'].map((entity) => ({
    entity,
    key,
    caps: { mon: 'allow  r' },
  }));
  const clients = clientsIn(AuthLs.parse({ auth_dump }), new Set(['client.a']));
  expect([...clients.keys()]).toEqual(['client.a', 'client.b']);
  expect(clients.get('client.a')?.caps).toEqual(new Map([['mon', 'allow  r']]));
  expect(clients.get('client.a')?.key?.reveal()).toBe(key);
  // Nobody declares that one.
  expect(clients.get('client.b')).toEqual({ caps: new Map([['mon', 'allow  r']]) });
  expect(inspect(clients, { depth: Infinity, showHidden: true })).not.toContain(key);
});

it('reads marks by what follows the prefix', () => {
  expect(marksIn({ 'understudy/ceph-pool/a': '{}', 'other/x': 'y' })).toEqual(
    new Map([['ceph-pool/a', '{}']]),
  );
});

describe('a folder', () => {
  const details = { mode: 0o2755, uid: 2, gid: 1, dataPool: 'cephfs.data', usedBytes: 5 };

  it('has a quota or none', () => {
    expect(folderIn(GroupInfo.parse(raw.folder))).toEqual(details);
    const limited = GroupInfo.parse({ ...raw.folder, bytes_quota: 0 });
    expect(folderIn(limited)).toEqual({ ...details, quotaBytes: 0 });
  });

  const complete = { ...raw.folder, state: 'complete', path: '/p', pool_namespace: '' };

  it.each([
    ['complete', complete, { ...details, state: 'complete', path: '/p' }],
    [
      'in a namespace of its own',
      { ...complete, pool_namespace: 'n' },
      { ...details, state: 'complete', path: '/p', namespace: 'n' },
    ],
    [
      'only a snapshot',
      { state: 'snapshot-retained', type: 'subvolume' },
      { state: 'other', called: 'snapshot-retained' },
    ],
  ])('of a subvolume is %s', (_, info, expected) => {
    expect(subvolumeIn(SubvolumeInfo.parse(info))).toEqual(expected);
  });

  it('of a complete subvolume has a path', () => {
    const { path: _, ...pathless } = complete;
    expect(SubvolumeInfo.safeParse(pathless).success).toBe(false);
  });
});

it.each([
  ['no JSON', 'x', ': it is no JSON'],
  ['another thing', '[]', ''],
  ['a part that is another', '{"a":{"b c":1}}', ', at a.*'],
])('tells of an answer that is %s where that is, and never what', (_, text, at) => {
  const shape = z.object({ a: z.record(z.string(), z.string()) });
  expect(readAnswer(text, shape)).toEqual({ at });
});

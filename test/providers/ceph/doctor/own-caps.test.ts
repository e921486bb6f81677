import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { agentCaps } from '../../../../agent/providers/ceph/agent-caps.ts';
import { judgeCluster } from '../../../../agent/providers/ceph/doctor/cluster-findings.ts';
import {
  anywayCommand,
  capsCommand,
  createCommand,
  judgeKey,
} from '../../../../agent/providers/ceph/doctor/own-caps.ts';
import { readGrant } from '../../../../agent/providers/ceph/grants.ts';
import { applied, empty } from '../model.ts';
import { cephUnit } from '../units.ts';

const pattern = 'client.site-*';
const [, mon = '', , mgr = ''] = agentCaps(pattern);
const key = (caps: Readonly<Record<string, string>>) => ({
  where: 'cluster main',
  client: 'client.understudy',
  pattern,
  caps: new Map(Object.entries(caps)),
});
const found = (caps: Readonly<Record<string, string>>) =>
  judgeKey(key(caps)).map(({ code, what }) => `${code}: ${what}`);

describe('the key of an agent', () => {
  it('has nothing to be said of it with what people are told to give it', () => {
    expect(found({ mon, mgr })).toEqual([]);
    expect(capsCommand(key({}))).toBe(`ceph auth caps client.understudy mon '${mon}' mgr '${mgr}'`);
  });

  it('is made by the same where the client is not there, or may not be', () => {
    const all = `client.understudy mon '${mon}' mgr '${mgr}'`;
    expect(createCommand(key({}))).toBe(`ceph auth get-or-create ${all}`);
    // With caps it would be refused for one that is there and has others.
    expect(anywayCommand(key({}))).toBe(`ceph auth get-or-create client.understudy && ceph auth caps ${all}`); // prettier-ignore
  });

  const lacks = (what: string) => `ceph-right-missing: the agent's key may not ${what}`;
  const more = (what: string) =>
    `ceph-rights-too-many: the agent's key has more than an agent needs: ${what}`;
  const unclear = (what: string) =>
    `ceph-rights-unclear: caps of the agent's key are not understood: ${what}`;
  const OF_MARKS = '`config-key dump`, `config-key set`, `config-key rm`';
  const OF_AUTH = '`auth ls`, `auth get`, `auth get-or-create`, `auth caps`, `auth rm`';
  const OF_CLIENTS = '`auth get`, `auth get-or-create`, `auth caps`, `auth rm`';
  const OF_MANAGER = '`fs subvolumegroup ls`, `fs subvolumegroup info`, `fs subvolumegroup create`, `fs subvolumegroup resize`, `fs subvolume ls`, `fs subvolume info`, `fs subvolume create`, `fs subvolume resize`'; // prettier-ignore
  const LOG = 'change a file system (`allow service log rw`)';

  it.each([
    ['a command', mon.replace('allow command "fs set", ', ''), mgr, '`fs set`'],
    ['marks', mon.replaceAll('understudy/', 'other/'), mgr, OF_MARKS],
    ['its clients', mon.replaceAll('client.site-', 'client.site-a'), mgr, OF_CLIENTS],
    ['the manager daemon', mon, 'allow module balancer r', OF_MANAGER],
    ['what changes parts of file systems', mon, 'allow r', '`fs subvolumegroup create`, `fs subvolumegroup resize`, `fs subvolume create`, `fs subvolume resize`'], // prettier-ignore
    ['a change of file systems', mon.replace(', allow service log rw', ''), mgr, LOG],
  ])('lacks %s', (_, ofMonitors, ofManager, said) => {
    expect(found({ mon: ofMonitors, mgr: ofManager })).toContain(lacks(said));
  });

  it.each([
    ['allow *', []],
    ['allow all', []],
    ['allow rwx', [OF_MARKS]],
    ['allow rw', [`${OF_AUTH}, ${OF_MARKS}`]],
    ['allow rw, allow service config-key rw, allow service auth rwx', []],
    ['allow rw, allow x, allow service=config-key rw', []],
    ['profile read-write, allow service log rw, allow service auth rwx, allow service config-key rw', []], // prettier-ignore
    ['allow r, allow service osd w, allow service fs rw, allow service mds rw, profile role-definer, allow service config-key rw', []], // prettier-ignore
    ['profile mgr', []],
    [mon.replaceAll('"', "'"), []],
    [mon.replaceAll('command ', 'command=').replaceAll(', ', ' ;  '), []],
    [mon.replaceAll(' with entity prefix client.site-', ' with entity prefix client.'), []],
    [mon.replaceAll(' with entity prefix client.site-', ' with entity regex "client\\.site-.*"'), []], // prettier-ignore
    [mon.replace('dump" with key prefix ', 'dump" with key='), []],
    [mon.replaceAll('prefix client.site-', 'prefix client.site- caps_mon="allow r"'), []],
  ])('is not told to lack what %s gives', (ofMonitors, said) => {
    const all = found({ mon: ofMonitors, mgr }).filter((one) => one.startsWith('ceph-right-missing')); // prettier-ignore
    expect(all).toEqual(said.map(lacks));
  });

  it.each([
    ['allow *', 'do everything'],
    ['allow all', 'do everything'],
    ['allow rwx', 'write keys and caps, delete what holds data, change settings'],
    ['allow rw', 'delete what holds data, change settings'],
    ['allow rw fsname=cephfs', 'delete what holds data, change settings'],
    ['allow rx', 'read the keys of all'],
    ['allow service osd rw', 'delete what holds data'],
    ['allow service mds w', 'delete what holds data'],
    ['allow service "config" rw', 'change settings'],
    ['allow service mon *', 'change settings'],
    ['allow service auth rwx', 'write keys and caps'],
    ['allow service auth rx', 'read the keys of all'],
    ['allow service config-key r', 'reach what others store beside the settings, also their secrets'], // prettier-ignore
    ['profile mgr', 'write keys and caps, delete what holds data, change settings'],
    ['allow profile role-definer', 'write keys and caps'],
    ['profile read-write', 'delete what holds data'],
    ['profile bootstrap-osd', 'make keys of daemons'],
    ['profile rbd', 'do what no agent does'],
    ['allow command "config set"', 'change settings'],
    ['allow command "osd pool delete"', 'delete what holds data'],
    ['allow command "osd pool rm" with pool prefix x', 'delete what holds data'],
    ['allow command "osd purge"', 'delete what holds data'],
    ['allow command "osd destroy"', 'delete what holds data'],
    ['allow command "fs rm"', 'delete what holds data'],
    ['allow command "auth import"', 'write keys and caps'],
    ['allow command "auth add" with entity prefix client.site-', 'write keys and caps'],
    ['allow command "auth get-or-create"', 'write keys and caps'],
    ['allow command "auth caps" with entity prefix client.', 'write keys and caps'],
    ['allow command "auth caps" with entity prefix client. entity prefix client.site-', 'write keys and caps'], // prettier-ignore
    ['allow command "auth rm" with caps_mon="allow r"', 'write keys and caps'],
    ['allow command "auth get"', 'read the keys of all'],
    ['allow command "auth export"', 'read the keys of all'],
    ['allow command "fs authorize"', 'write keys and caps'],
    ['allow command "config-key set"', 'reach what others store beside the settings, also their secrets'], // prettier-ignore
    ['allow command "config-key get" with key prefix understudy/', 'reach what others store beside the settings, also their secrets'], // prettier-ignore
    ['allow command "osd set"', 'do what no agent does'],
    ['allow command "of another release"', 'do what no agent does'],
  ])('has too much of a monitor with %s', (grant, lets) => {
    const said = [more(`mon \`${grant}\` (${lets})`)];
    expect(found({ mon: `${mon}, ${grant}`, mgr })).toEqual(said);
  });

  it.each([
    'allow r network 10.0.0.0/8',
    'allow r fsname=cephfs',
    'allow service osd r',
    'allow service log rwx',
    'profile read-only',
    'profile fs-client',
    'allow command "osd df"',
    'allow command=status',
    'allow command "config get"',
    'allow command "auth rm" with entity=client.site-blog',
    'allow command "auth caps" with entity prefix client.site-a caps_mon="allow r, allow x"',
  ])('has nothing too much of a monitor with %s', (grant) => {
    expect(found({ mon: `${mon}, ${grant}`, mgr })).toEqual([]);
  });

  it.each([
    ['allow *', 'do everything'],
    ['allow rw', 'delete what holds data'],
    ['allow module volumes rw', 'delete what holds data'],
    ['allow module dashboard rw', 'do what no agent does'],
    ['allow command "fs volume rm"', 'delete what holds data'],
    ['allow command "fs subvolume rm"', 'delete what holds data'],
    ['allow command "fs subvolumegroup rm"', 'delete what holds data'],
    ['allow command "osd purge"', 'delete what holds data'],
    ['allow command "fs subvolume authorize"', 'do what no agent does'],
    ['profile rbd pool=p', 'delete what holds data'],
    ['profile read-write', 'delete what holds data'],
  ])('has too much of the manager daemon with %s', (grant, lets) => {
    const said = [more(`mgr \`${grant}\` (${lets})`)];
    expect(found({ mon, mgr: `${mgr}, ${grant}` })).toEqual(said);
  });

  it('has nothing too much of the manager daemon with what reads', () => {
    const reads = 'allow r, allow module pg_autoscaler r, profile read-only, allow command "fs volume ls"'; // prettier-ignore
    expect(found({ mon, mgr: `${mgr}, ${reads}` })).toEqual([]);
  });

  it.each([
    ['osd', 'allow *', 'do everything'],
    ['osd', 'allow rwx pool=data', 'read and change data'],
    ['osd', 'allow rw tag cephfs data=cephfs', 'read and change data'],
    ['osd', 'profile rbd pool=p', 'read and change data'],
    ['osd', 'allow r class-write', 'read and change data'],
    ['osd', 'allow class-read class-write', 'read and change data'],
    ['osd', 'allow x', 'read and change data'],
    ['mds', 'allow *', 'do everything'],
    ['mds', 'allow rw path=/volumes', 'read and change data'],
    ['mds', 'allow rwps', 'read and change data'],
  ])('has too much of those who keep data with %s: %s', (service, grant, lets) => {
    expect(found({ mon, mgr, [service]: grant })).toEqual([
      more(`${service} \`${grant}\` (${lets})`),
    ]);
    expect(
      found({
        mon,
        mgr,
        osd: 'allow r pool=data, allow r tag cephfs data=cephfs, profile rbd-read-only pool=p',
        mds: 'allow r fsname=cephfs path="/a b"',
      }),
    ).toEqual([]);
  });

  it.each([
    ['mon', 'alow r'],
    ['mon', 'allow xr'],
    ['mon', 'allow'],
    ['mon', 'allow module volumes rw'],
    ['mon', 'allow service nobody r'],
    ['mon', 'profile nobody'],
    ['mon', 'allow command "osd pool set" with what'],
    ['mon', 'allow command "auth caps" with entity regex ".*"'],
    ['mgr', 'allow most'],
    ['mgr', 'profile nobody'],
    ['mon', 'profile fs-client of somebody'],
    ['osd', 'permit r'],
    ['osd', 'allow r quickly'],
    ['osd', 'allow read'],
    ['mds', 'allow'],
    ['mds', 'allow quickly'],
    ['cellar', 'allow r'],
  ])('is not understood with %s %s', (service, grant) => {
    const before = { mon, mgr }[service];
    const text = before === undefined ? grant : `${before}, ${grant}`;
    expect(found({ mon, mgr, [service]: text })).toEqual([unclear(`${service} \`${grant}\``)]);
  });

  it('is told of each thing once, with the command that mends all', () => {
    const all = judgeKey(key({ mon: 'allow rw, alow', mgr: 'allow *', osd: 'allow *' }));
    expect(all.map(({ code, command }) => [code, command])).toEqual(
      ['ceph-right-missing', 'ceph-rights-too-many', 'ceph-rights-unclear'].map((code) => [code, capsCommand(key({}))]), // prettier-ignore
    );
  });

  it('has nothing to be said of it, whatever clients it is for', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^client\.[a-z][a-z0-9._-]{0,9}\*?$/), (one) => {
        const [, ofMonitors = '', , ofManager = ''] = agentCaps(one);
        const caps = new Map([['mon', ofMonitors], ['mgr', ofManager]]); // prettier-ignore
        expect(judgeKey({ ...key({}), pattern: one, caps })).toEqual([]);
      }),
    );
  });

  it('is never fine with a grant that no grammar takes', () => {
    const grant = fc.stringMatching(/^[a-z]{1,8}( [a-z"=*-]{1,8}){0,4}$/);
    fc.assert(
      fc.property(grant, (one) => {
        const isKnown = readGrant(one) !== undefined;
        const said = found({ mon: `${mon}, ${one}`, mgr });
        expect(isKnown || said.some((line) => line.startsWith('ceph-rights-unclear'))).toBe(true);
      }),
    );
  });
});

describe('a cluster', () => {
  const pool = cephUnit('CephPool', 'rep', {
    application: 'rbd',
    replicated: { size: 2, minSize: 1 },
  });
  const client = cephUnit('CephClient', 'site-blog', { secret: 's', caps: { mon: 'allow *' } });
  const seen = [pool, client].reduce(applied, empty);
  const codes = (owner: string, more: object = {}) =>
    judgeCluster('cluster main', { ...seen, ...more }, owner).map(({ code, severity }) => `${severity} ${code}`); // prettier-ignore

  it('is judged by what is ours in it', () => {
    expect(codes('test')).toEqual(['note ceph-pool-few-copies', 'warning ceph-client-all-rights']);
    expect(codes('other')).toEqual([]);
    const open = [...seen.pools].map(
      ([name, one]) => [name, { ...one, flags: new Set() }] as const,
    );
    expect(codes('test', { pools: new Map(open) })).toContain('warning ceph-pool-open');
  });

  const coded = cephUnit('CephPool', 'ec', {
    application: 'rbd',
    erasureCoded: { dataChunks: 2, codingChunks: 1 },
  });
  const written = (size: number, minSize: number, more: object = {}) => {
    const ec = applied(empty, coded);
    const pools = [...ec.pools].map(([name, one]) => [name, { ...one, size, minSize }] as const);
    return judgeCluster('cluster main', { ...ec, pools: new Map(pools), ...more }, 'test');
  };

  it.each([
    ['one coding chunk', 1, 2, 'make a pool with `codingChunks: 2` and copy what is in this one: chunks never change', undefined], // prettier-ignore
    ['two', 2, 2, 'let `min_size` be one more than the data chunks, as Ceph makes such pools', 'ceph osd pool set ec min_size 3'], // prettier-ignore
    ['two, and fewer than can be read', 2, 1, 'let `min_size` be one more than the data chunks, as Ceph makes such pools', 'ceph osd pool set ec min_size 3'], // prettier-ignore
  ])(
    'has erasure coded pools with no chunk to spare: %s',
    (_, chunks, minSize, advice, command) => {
      // prettier-ignore
      const found = written(2 + chunks, minSize);
      expect(found).toMatchObject([{ severity: 'note', code: 'ceph-pool-few-copies', advice }]);
      expect(found[0]?.command).toBe(command);
    },
  );

  it('has nothing to be said of erasure coded pools with one to spare, or of which nothing is known', () => {
    expect(written(4, 3)).toEqual([]);
    expect(written(3, 3)).toEqual([]);
    expect(written(3, 2, { profiles: new Map() })).toEqual([]);
  });

  it('is judged by its health', () => {
    const check = (severity: 'HEALTH_WARN' | 'HEALTH_ERR', muted = false) => ({ severity, summary: 's', muted }); // prettier-ignore
    const checks = new Map([['A', check('HEALTH_ERR')], ['B', check('HEALTH_WARN')], ['C', check('HEALTH_ERR', true)]]); // prettier-ignore
    const health = { status: 'HEALTH_ERR' as const, checks };
    expect(codes('other', { health })).toEqual(['critical ceph-health', 'warning ceph-health']);
  });
});

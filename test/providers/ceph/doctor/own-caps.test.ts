import { describe, expect, it } from 'vitest';

import { agentCaps } from '../../../../agent/providers/ceph/agent-caps.ts';
import { judgeCluster } from '../../../../agent/providers/ceph/doctor/cluster-findings.ts';
import { capsCommand, judgeKey } from '../../../../agent/providers/ceph/doctor/own-caps.ts';
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

  it.each([
    ['a command', mon.replace('allow command "fs set", ', ''), mgr, ['ceph-right-missing: the agent\'s key may not `fs set`']], // prettier-ignore
    ['marks', mon.replaceAll('understudy/', 'other/'), mgr, ['ceph-right-missing: the agent\'s key may not `config-key dump`, `config-key set`, `config-key rm`']], // prettier-ignore
    ['its clients', mon.replaceAll('client.site-', 'client.site-a'), mgr, ['ceph-right-missing: the agent\'s key may not `auth get`, `auth get-or-create`, `auth caps`, `auth rm`']], // prettier-ignore
    ['the manager daemon', mon, 'allow r', ['ceph-right-missing: the agent\'s key may not `fs subvolumegroup ls`, `fs subvolumegroup info`, `fs subvolumegroup create`, `fs subvolumegroup resize`, `fs subvolume ls`, `fs subvolume info`, `fs subvolume create`, `fs subvolume resize`']], // prettier-ignore
    ['a whole module', mon, 'allow module volumes rw', ['ceph-rights-too-many: the agent\'s key may delete what holds data: `allow module volumes rw`']], // prettier-ignore
    ['wider limits', mon.replaceAll(' with entity prefix client.site-', ''), mgr, []],
    ['all', 'allow *', 'allow *', ['ceph-rights-too-many: the agent\'s key may delete what holds data: `allow *`, `allow *`']], // prettier-ignore
    ['a deletion', `${mon}, allow command "osd pool delete"`, mgr, ['ceph-rights-too-many: the agent\'s key may delete what holds data: `allow command "osd pool delete"`']], // prettier-ignore
  ])('is judged by %s', (_, ofMonitors, ofManager, said) => {
    expect(found({ mon: ofMonitors, mgr: ofManager })).toEqual(said);
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

  it('is judged by its health', () => {
    const check = (severity: 'HEALTH_WARN' | 'HEALTH_ERR', muted = false) => ({ severity, summary: 's', muted }); // prettier-ignore
    const checks = new Map([['A', check('HEALTH_ERR')], ['B', check('HEALTH_WARN')], ['C', check('HEALTH_ERR', true)]]); // prettier-ignore
    const health = { status: 'HEALTH_ERR' as const, checks };
    expect(codes('other', { health })).toEqual(['critical ceph-health', 'warning ceph-health']);
  });
});

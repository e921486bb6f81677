import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import type { ClusterSeen, ObservedPool } from '../../../agent/providers/ceph/observed.ts';
import { isSameSeen } from '../../../agent/providers/ceph/same-seen.ts';
import { applied, empty } from './model.ts';
import { cephUnit } from './units.ts';

const usage = { storedBytes: 4e9, objects: 50_000, usedBytes: 12e9, availableBytes: 1e12 };
const made = [
  cephUnit('CephPool', 'meta', { application: 'cephfs', replicated: {} }),
  cephUnit('CephPool', 'data', { application: 'cephfs', replicated: {} }),
  cephUnit('CephFilesystem', 'cephfs', { metadataPool: 'meta', dataPools: ['data'] }),
  cephUnit('CephSubvolumeGroup', 'sites', { filesystem: 'cephfs' }),
  cephUnit('CephSubvolume', 'blog', { filesystem: 'cephfs', group: 'sites' }),
  cephUnit('CephClient', 'site-blog', { caps: { mon: 'allow r' }, secret: 'blog' }),
].reduce(applied, empty);
const check = { severity: 'HEALTH_WARN', summary: '1 down', muted: false } as const;

/** With this of what is measured and shown. */
function seenWith({
  pool = {},
  states = ['active+clean'],
  summary = check.summary,
  muted = check.muted,
  key = 'key',
}: {
  readonly pool?: Partial<typeof usage>;
  readonly states?: readonly string[];
  readonly summary?: string;
  readonly muted?: boolean;
  readonly key?: string;
} = {}): ClusterSeen {
  const data = { ...poolIn(made), usage: { ...usage, ...pool } };
  const caps = new Map([['mon', 'allow r']]);
  return {
    ...structuredClone({ ...made, clients: undefined }),
    pools: new Map([...made.pools, ['data', data]]),
    health: {
      status: 'HEALTH_WARN',
      checks: new Map([['OSD_DOWN', { ...check, summary, muted }]]),
    },
    placement: new Map(states.map((state, at) => [state, at + 1])),
    clients: new Map([['client.site-blog', { caps, key: new Secret(key) }]]),
  };
}

function poolIn({ pools }: ClusterSeen): ObservedPool {
  const pool = pools.get('data');
  if (pool === undefined) throw new Error('not made');
  return pool;
}

const before = seenWith();

describe('a look is the same', () => {
  it.each<[string, Parameters<typeof seenWith>[0]]>([
    ['when it is made once more', {}],
    ['while somebody writes a little', { pool: { storedBytes: 4.03e9, objects: 50_400 } }],
    ['while a disk fills a little', { pool: { availableBytes: 0.995e12 } }],
    ['while groups are scrubbed', { states: ['active+clean', 'active+clean+scrubbing+deep', 'active+clean+snaptrim_wait'] }], // prettier-ignore
    ['while health counts', { summary: '2 down' }],
  ])('%s', (_, more) => {
    expect(isSameSeen(before, seenWith(more))).toBe(true);
  });

  it('as the one that is kept, not as the one before', () => {
    const looks = [1.005, 1.01, 1.015].map((by) => seenWith({ pool: { storedBytes: 4e9 * by } }));
    expect(looks.map((now) => isSameSeen(before, now))).toEqual([true, true, false]);
  });
});

describe('a look is another one', () => {
  const pools = (more: Partial<ObservedPool>): ClusterSeen => ({
    ...before,
    pools: new Map([...before.pools, ['data', { ...poolIn(before), ...more }]]),
  });

  it.each<[string, ClusterSeen]>([
    ['when much was written', seenWith({ pool: { storedBytes: 4.1e9 } })],
    ['when a pool is empty', seenWith({ pool: { objects: 0 } })],
    ['when groups move', seenWith({ states: ['active+clean', 'active+remapped+backfilling'] })],
    ['when health has another state', { ...before, health: { ...before.health, status: 'HEALTH_OK' } }], // prettier-ignore
    ['when health has another code', { ...before, health: { ...before.health, checks: new Map([['OSD_FULL', check]]) } }], // prettier-ignore
    ['when a check is muted', seenWith({ muted: true })],
    ['when a key is another one', seenWith({ key: 'other' })],
    ['when a key is not known', { ...before, clients: new Map([['client.site-blog', { caps: new Map([['mon', 'allow r']]) }]]) }], // prettier-ignore
    ['when clients were not read', { ...before, clientsUnread: { why: 'x' } }],
    ['when there is one more mark', { ...before, marks: new Map([...before.marks, ['ceph-pool/x', '']]) }], // prettier-ignore
    ['when a mark says something else', { ...before, marks: new Map([...before.marks, ['ceph-pool/data', '']]) }], // prettier-ignore
    ['when a pool has another size', pools({ size: 2 })],
    ['when a pool has another flag', pools({ flags: new Set(['hashpspool']) })],
    ['when a limit is a little higher', pools({ quota: { maxBytes: 1, maxObjects: 0 } })],
    ['when a file system is gone', { ...before, filesystems: new Map() }],
    ['when groups were not looked at', { ...before, volumes: new Map() }],
    ['when a monitor is missing', { ...before, daemons: { ...before.daemons, monitors: { total: 3, inQuorum: 2 } } }], // prettier-ignore
  ])('%s', (_, now) => {
    expect(isSameSeen(before, now)).toBe(false);
    expect(isSameSeen(now, before)).toBe(false);
  });

  it('whatever else of it is another', () => {
    // Each field of a look, replaced by nothing.
    const fields = Object.keys(before).filter((name) => name !== 'placement');
    expect(fields.length).toBeGreaterThan(11);
    for (const name of fields) {
      expect([name, isSameSeen(before, { ...before, [name]: undefined })]).toEqual([name, false]);
    }
  });
});

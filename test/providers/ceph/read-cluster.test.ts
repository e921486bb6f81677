import { describe, expect, it } from 'vitest';
import { Secret } from '../../../agent/core/secret.ts';
import { type Answer, refusedBy, unreachable } from '../../../agent/providers/ceph/answers.ts';
import { KnownDetails } from '../../../agent/providers/ceph/details.ts';
import type { Ceph } from '../../../agent/providers/ceph/driver.ts';
import {
  type ClusterSight,
  NO_GROUP,
  type Wanted,
} from '../../../agent/providers/ceph/observed.ts';
import type { CommandWords } from '../../../agent/providers/ceph/protocol.ts';
import { readCluster } from '../../../agent/providers/ceph/read-cluster.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import * as raw from './raw.ts';

const ok = (value: unknown): Answer => ({
  status: 'ok',
  value: new Secret(JSON.stringify(value)),
});
const { filesystem, active } = raw;

/** A cluster at the driver's port, which answers as usual but for what a test says. */
function clusterOf(other: Readonly<Record<string, Answer>> = {}) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  /** How long each answer takes. Milliseconds. */
  let slowMs = 0;
  const answer = (words: CommandWords): Answer => {
    const all = Object.values(words).join(' ');
    asked.push(all);
    if (!(words.prefix in raw.usual)) throw new Error(`nobody expected ${all}`);
    return other[all] ?? other[words.prefix] ?? ok(raw.usual[words.prefix]);
  };
  const ceph: Ceph = {
    call: async ({ words }) => {
      const given = answer(words);
      if (slowMs > 0) await clock.advance(slowMs);
      return given;
    },
    close: () => undefined,
  };
  const look = async (wanted: Partial<Wanted> = {}): Promise<ClusterSight> => {
    const all = { clients: new Set<string>(), places: [], ...wanted };
    const details = new KnownDetails(() => clock.nowMs());
    return await readCluster({ ceph, clock, details }, all, new AbortController().signal);
  };
  const slow = (ms: number): void => {
    slowMs = ms;
  };
  return { asked, look, slow };
}

const volumesOf = (sight: ClusterSight) =>
  sight.status === 'seen' ? Object.fromEntries(sight.seen.volumes) : sight;

describe('a look', () => {
  it('asks a few questions, and no key where nobody wants clients', async () => {
    const { asked, look } = clusterOf();
    expect((await look()).status).toBe('seen');
    expect(asked).toEqual(
      ['status', 'versions', 'osd dump', 'osd crush dump', 'fs dump', 'df', 'config-key dump understudy/'], // prettier-ignore
    );
    await look({ clients: new Set(['client.a']) });
    expect(asked.filter((one) => one === 'auth ls')).toHaveLength(1);
  });

  it('asks nothing more where nobody answers', async () => {
    const { asked, look } = clusterOf({ status: unreachable('nobody is there') });
    expect(await look()).toEqual({ status: 'away', why: 'nobody is there' });
    expect(asked).toEqual(['status']);
  });

  it.each<[string, Answer, ClusterSight['status'], string]>([
    ['is away where a question hangs', { status: 'unknown', why: 'it hangs' }, 'away', 'it hangs'],
    [
      'is unusable where only a person helps',
      { ...unreachable('no key'), needsPerson: true },
      'unusable',
      'no key',
    ],
    [
      'says which caps are missing',
      refusedBy('mon', 13, 'access denied'),
      'unusable',
      "`df`: the key lacks caps for it (errno 13): access denied: mon 'allow r' is missing",
    ],
    [
      'is unusable where Ceph does not know the question',
      refusedBy('mon', 22, 'command not known'),
      'unusable',
      '`df`: Ceph does not take it (errno 22): command not known',
    ],
    [
      'is away where Ceph is busy',
      refusedBy('mon', 11, ''),
      'away',
      '`df`: Ceph is busy (errno 11)',
    ],
    [
      'is unusable where the answer is another',
      ok({ pools: [{ name: 3 }] }),
      'unusable',
      'what Ceph answers to `df` is not understood, at pools.0.name',
    ],
  ])('%s', async (_, answer, status, why) => {
    expect(await clusterOf({ df: answer }).look()).toEqual({ status, why });
  });

  it('sees all the rest where clients may not be seen', async () => {
    const wanted = { clients: new Set(['client.a']) };
    const denied = await clusterOf({ 'auth ls': refusedBy('mon', 13, '') }).look(wanted);
    expect(denied).toMatchObject({ status: 'seen', seen: { clientsUnread: { why: expect.stringContaining('"auth ls"') } } }); // prettier-ignore
    expect(denied.status === 'seen' && denied.seen.clients).toBeUndefined();
    expect(denied.status === 'seen' && denied.seen.clientsUnread?.waits).toBeUndefined();
    const busy = await clusterOf({ 'auth ls': refusedBy('mon', 11, '') }).look(wanted);
    expect(busy).toMatchObject({ seen: { clientsUnread: { waits: true } } });
  });

  it('is unusable where the release is too old to be asked more', async () => {
    const versions = ok({ mon: { 'ceph version 14.2.1 (x) nautilus (stable)': 1 } });
    const { asked, look } = clusterOf({ versions });
    expect(await look()).toEqual({
      status: 'unusable',
      why: 'a monitor is Ceph 14.2.1 (nautilus), older than 16 (pacific)',
    });
    expect(asked).toEqual(['status', 'versions']);
  });

  it('comes to an end where every answer takes long', async () => {
    const { look, slow } = clusterOf();
    slow(4_900);
    const places = ['a', 'b'].map((subvolume) => ({
      filesystem: 'one',
      group: 'sites',
      subvolume,
    }));
    expect(volumesOf(await look({ places }))).toEqual({
      one: { status: 'away', why: 'reading it takes too long' },
    });
  });
});

describe('parts of file systems', () => {
  const one = { filesystem: 'one' };
  const two = { filesystem: 'two' };
  const details = { mode: 0o2755, uid: 2, gid: 1, dataPool: 'cephfs.data', usedBytes: 5 };

  it('are looked at no further than they are asked for', async () => {
    const { asked, look } = clusterOf();
    const places = [one, { ...two, group: 'sites', subvolume: 'b' }, { filesystem: 'three' }];
    expect(volumesOf(await look({ places }))).toEqual({
      one: { status: 'seen', groups: new Map([['sites', {}]]) },
      two: {
        status: 'seen',
        groups: new Map([
          [
            'sites',
            {
              details,
              subvolumes: new Map<string, unknown>([
                ['a', undefined],
                ['b', { ...details, state: 'complete', path: '/p' }],
              ]),
            },
          ],
        ]),
      },
    });
    expect(asked.slice(7)).toEqual([
      'fs subvolumegroup ls one',
      'fs subvolumegroup ls two',
      'fs subvolume ls two sites',
      'fs subvolumegroup info two sites',
      'fs subvolume info two sites b',
    ]);
  });

  it('are never asked for by the name of the group of those in none', async () => {
    const { asked, look } = clusterOf();
    await look({ places: [{ ...one, group: NO_GROUP, subvolume: 'a' }] });
    expect(asked.slice(8)).toEqual(['fs subvolume ls one', 'fs subvolume info one a']);
  });

  it('may be gone since they were listed', async () => {
    const absent = refusedBy('mgr', 2, 'gone');
    const places = [{ ...one, group: 'sites', subvolume: 'a' }];
    const without = async (question: string) =>
      volumesOf(await clusterOf({ [question]: absent }).look({ places }));
    expect(await without('fs subvolume info')).toEqual({
      one: {
        status: 'seen',
        groups: new Map([['sites', { details, subvolumes: new Map([['b', undefined]]) }]]),
      },
    });
    const empty = { one: { status: 'seen', groups: new Map() } };
    expect(await without('fs subvolume ls')).toEqual(empty);
    expect(await without('fs subvolumegroup ls')).toEqual(empty);
  });

  const broken = '`fs subvolume info`: Ceph could not carry it out (errno 5): bad layout';

  it.each<[string, Answer, string]>([
    ['that Ceph cannot read', refusedBy('mgr', 5, 'bad layout'), broken],
    ['of which it says what is not understood', ok({ state: 3 }), 'what Ceph answers to `fs subvolume info` is not understood'], // prettier-ignore
  ])('say nothing about others: a subvolume %s', async (_, answer, why) => {
    const places = ['a', 'b'].map((subvolume) => ({ ...one, group: 'sites', subvolume }));
    const { look } = clusterOf({ 'fs subvolume info one sites a': answer });
    const complete = { ...details, state: 'complete', path: '/p' };
    const a = { state: 'unread', why };
    const subvolumes = new Map<string, unknown>([['a', a], ['b', complete]]); // prettier-ignore
    expect(volumesOf(await look({ places }))).toEqual({
      one: { status: 'seen', groups: new Map([['sites', { details, subvolumes }]]) },
    });
  });

  it('say nothing about others: a group', async () => {
    const places = ['sites', 'more'].map((group) => ({ ...one, group }));
    const groups = ok([{ name: 'sites' }, { name: 'more' }]);
    const answers = { 'fs subvolumegroup ls': groups, 'fs subvolume ls one sites': refusedBy('mgr', 5, 'x') }; // prettier-ignore
    const sight = volumesOf(await clusterOf(answers).look({ places }));
    const unread = '`fs subvolume ls`: Ceph could not carry it out (errno 5): x';
    expect(sight).toMatchObject({ one: { status: 'seen' } });
    expect(Object(sight).one.groups.get('sites')).toEqual({ unread });
    expect(Object(sight).one.groups.get('more')).toMatchObject({ details });
    const info = { ...answers, 'fs subvolume ls one sites': ok([]), 'fs subvolumegroup info one sites': refusedBy('mgr', 5, 'x') }; // prettier-ignore
    const without = volumesOf(await clusterOf(info).look({ places }));
    expect(Object(without).one.groups.get('sites')).toEqual({
      unread: '`fs subvolumegroup info`: Ceph could not carry it out (errno 5): x',
      subvolumes: new Map(),
    });
  });

  it('are all unknown where caps are missing or nobody answers', async () => {
    const places = [{ ...one, group: 'sites', subvolume: 'a' }];
    const sightOf = async (answer: Answer) => volumesOf(await clusterOf({ 'fs subvolume info': answer }).look({ places })); // prettier-ignore
    expect(await sightOf(refusedBy('mgr', 13, ''))).toMatchObject({ one: { status: 'unusable' } });
    expect(await sightOf({ status: 'unknown', why: 'it hangs' })).toMatchObject({ one: { status: 'away' } }); // prettier-ignore
  });

  it('are not asked for where nobody would answer', async () => {
    const filesystems = [filesystem('one', {}), filesystem('two', active)];
    const { look } = clusterOf({ 'fs dump': ok({ filesystems }) });
    expect(volumesOf(await look({ places: [one, two] }))).toEqual({
      one: { status: 'away', why: 'the file system `one` has no active metadata daemon' },
      two: { status: 'seen', groups: new Map([['sites', {}]]) },
    });
    const { asked, look: without } = clusterOf({ status: ok(raw.status) });
    expect(volumesOf(await without({ places: [one] }))).toEqual({
      one: { status: 'away', why: 'Ceph has no active manager daemon' },
    });
    expect(asked).toHaveLength(7);
  });

  it('are not asked for any more after one question hung', async () => {
    const lost: Answer = { status: 'unknown', why: 'it hangs' };
    const { asked, look } = clusterOf({ 'fs subvolumegroup ls one': lost });
    const away = { status: 'away', why: 'it hangs' };
    expect(volumesOf(await look({ places: [one, two] }))).toEqual({ one: away, two: away });
    expect(asked.filter((words) => words.startsWith('fs subvolume'))).toHaveLength(1);
  });

  it('hide nothing else where the key may not see them', async () => {
    const denied = refusedBy('mgr', 13, 'access denied');
    const sight = await clusterOf({ 'fs subvolumegroup ls': denied }).look({ places: [one] });
    const why =
      "`fs subvolumegroup ls`: the key lacks caps for it (errno 13): access denied: mgr 'allow module volumes r' is missing";
    expect(volumesOf(sight)).toEqual({ one: { status: 'unusable', why } });
  });
});

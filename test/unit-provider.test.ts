import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import type { CallOutcome } from '../agent/core/kind.ts';
import { defaultSettings } from '../agent/core/repository-settings.ts';
import type { ClusterSight } from '../agent/providers/ceph/observed.ts';
import type { ObservedCluster } from '../agent/providers/ceph/unit-diff.ts';
import type { ServerSeen, ServerSight } from '../agent/providers/mysql/observed.ts';
import type { StackObserved } from '../agent/providers/stack/observed.ts';
import type { UnitCall } from '../agent/unit-kind.ts';
import { unitProvider } from '../agent/unit-provider.ts';
import { observed } from './fakes/stack.ts';
import { empty as noPools } from './providers/ceph/model.ts';
import { cephUnit } from './providers/ceph/units.ts';

const signal = new AbortController().signal;
const away = { status: 'away', why: 'no host answers' } as const;
const swarm = observed();
const empty = new Map();
/** No cluster. */
const noneThere = { clusters: empty, owner: 'test', dataMovement: 'healthy' } as const;
const seen: ServerSeen = {
  host: 'db1:3306',
  server: { flavor: 'mariadb', version: [10, 11, 0], dynamic: new Set(), partialRevokes: false },
  accounts: empty,
  databases: empty,
  collations: empty,
  owned: empty,
  scope: [],
  self: { user: 'understudy', host: '%' },
  hasTls: true,
  bytes: empty,
};

function world(seen: CallOutcome<StackObserved>) {
  const calls: string[] = [];
  const asked: string[] = [];
  const took = (where: string) => async (call: UnitCall) => {
    calls.push(`${where}: ${call.op}`);
    return Promise.resolve({ status: 'ok', value: { id: where } } as const);
  };
  const provider = unitProvider(
    {
      observe: async () => Promise.resolve(seen),
      isSame: (before, now) => before.state === now.state,
      caller: () => ({ call: took('swarm') }),
    },
    {
      servers: {
        observe: async (names) => Promise.resolve(new Map(names.map((name) => [name, away]))),
        call: took('servers'),
      },
      names: ['main', 'other'],
      clusters: {
        observe: async (ids) => {
          asked.push(...ids);
          return Promise.resolve(noneThere.clusters);
        },
        call: took('clusters'),
      },
      owner: 'test',
      random: (bytes) => randomBytes(bytes),
    },
  );
  return { provider, calls, asked };
}

describe('the Swarm and the servers', () => {
  it('are one world, of which a server that is away is a part', async () => {
    const { provider } = world({ status: 'ok', value: swarm });
    const seen = await provider.observe(signal);
    const servers = new Map([
      ['main', away],
      ['other', away],
    ]);
    expect(seen).toEqual({ status: 'ok', value: { ...swarm, servers, ...noneThere } });
  });

  it('are not seen where the Swarm is not', async () => {
    const unseen = { status: 'unknown', why: 'no leader', cause: 'no-leader' } as const;
    const { provider } = world(unseen);
    expect(await provider.observe(signal)).toEqual(unseen);
  });

  it.each<[what: string, later: ReadonlyMap<string, ServerSight>, same: boolean]>([
    ['was seen as it was', new Map([['main', { status: 'seen', seen }]]), true],
    ['was seen otherwise', new Map([['main', { status: 'seen', seen: { ...seen } }]]), false],
    ['is away', new Map([['main', away]]), false],
    ['is not asked', new Map(), false],
  ])('show nothing new only where a server %s', (_what, servers, same) => {
    const { provider } = world({ status: 'ok', value: swarm });
    const before = {
      ...swarm,
      ...noneThere,
      servers: new Map([['main', { status: 'seen', seen } as const]]),
    };
    expect(provider.isSame(before, { ...before, servers })).toBe(same);
  });

  const rules = { self: 'client.understudy', pattern: 'client.site-*' };
  const clusterWith = (sight: ClusterSight) => new Map([['main', { sight, clients: rules }]]);
  it.each<[what: string, later: ReadonlyMap<string, ObservedCluster>, same: boolean]>([
    ['was seen as it was', clusterWith({ status: 'seen', seen: noPools }), true],
    ['was seen otherwise', clusterWith({ status: 'seen', seen: { ...noPools } }), false],
    ['is away', clusterWith(away), false],
    ['is not asked', new Map(), false],
  ])('show nothing new only where a cluster %s', (_what, clusters, same) => {
    const { provider } = world({ status: 'ok', value: swarm });
    const seenOnce = clusterWith({ status: 'seen', seen: noPools });
    const before = { ...swarm, ...noneThere, servers: new Map(), clusters: seenOnce };
    expect(provider.isSame(before, { ...before, clusters })).toBe(same);
  });

  it('ask clusters for what the repository has', async () => {
    const { provider, asked } = world({ status: 'ok', value: swarm });
    const [one, two] = [cephUnit('CephPool', 'rep', { application: 'rbd', replicated: {} }), cephUnit('CephCrushRule', 'fast')]; // prettier-ignore
    const { value } = Object(
      await provider.observe(signal, {
        units: [one, two],
        settings: { ...defaultSettings, dataMovement: 'never' },
      }),
    );
    expect(asked).toEqual(['ceph-pool/rep', 'ceph-crush-rule/fast']);
    expect(value).toMatchObject({ owner: 'test', dataMovement: 'never' });
  });

  it('show something new as long as a server is away', () => {
    const { provider } = world({ status: 'ok', value: swarm });
    const both = { ...swarm, ...noneThere, servers: new Map([['main', away]]) };
    expect(provider.isSame(both, both)).toBe(false);
  });

  it('get each its own calls', async () => {
    const { provider, calls } = world({ status: 'ok', value: swarm });
    const caller = provider.caller({ ...swarm, ...noneThere, servers: new Map() });
    await caller.call({ op: 'statements', statements: [] }, signal);
    await caller.call({ op: 'secret-remove', id: 'x', name: 'x', stack: 'blog' }, signal);
    await caller.call({ op: 'ceph', steps: [] }, signal);
    expect(calls).toEqual(['servers: statements', 'swarm: secret-remove', 'clusters: ceph']);
  });
});

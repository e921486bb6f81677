import { describe, expect, it } from 'vitest';

import { currentKeys, withKeys } from '../agent/client-keys.ts';
import { keptSecretName } from '../agent/core/kept-secret.ts';
import { Secret } from '../agent/core/secret.ts';
import { cephKind } from '../agent/providers/ceph/kind.ts';
import type { ClusterSeen } from '../agent/providers/ceph/observed.ts';
import type { CephObserved } from '../agent/providers/ceph/unit-diff.ts';
import type { StackObserved } from '../agent/providers/stack/observed.ts';
import type { ObservedSecret } from '../agent/providers/stack/swarm.ts';
import { observed } from './fakes/stack.ts';
import { applied, empty, observed as onCluster } from './providers/ceph/model.ts';
import { cephUnit } from './providers/ceph/units.ts';

const kind = withKeys(cephKind);
const client = (format: 'key' | 'keyring' = 'key') =>
  cephUnit('CephClient', 'site-blog', { secret: 'blog_ceph', format, caps: { mon: 'allow r' } });

/** The cluster with the client, and this key. */
function withKey(key: string): ClusterSeen {
  const seen = applied(empty, client());
  const live = seen.clients?.get('client.site-blog');
  if (live === undefined) throw new Error('there is no client');
  return { ...seen, clients: new Map([['client.site-blog', { ...live, key: new Secret(key) }]]) };
}

type Seen = StackObserved & CephObserved;

/** As the provider has it. */
function seenWith(secrets: readonly ObservedSecret[], cluster: ClusterSeen): Seen {
  const swarm = { ...observed({ secrets: [...secrets] }), ...onCluster(cluster) };
  return { ...swarm, generated: currentKeys(swarm, swarm.clusters) };
}

/** The secret that is made now, if any. */
function made(
  unit: ReturnType<typeof client>,
  seen: Seen,
  version = 1,
): ObservedSecret | undefined {
  const [operation] = kind.diff(unit, seen).operations;
  if (operation?.call.op !== 'secret-create') return undefined;
  const { name, labels } = operation.call;
  return { id: name, version, name, labels };
}

function contentIn(unit: ReturnType<typeof client>, seen: Seen): string {
  const [operation] = kind.diff(unit, seen).operations;
  const data = operation?.call.op === 'secret-create' ? operation.call.data?.reveal() : undefined;
  return Buffer.from(data ?? '', 'base64').toString('utf8');
}

const first = made(client(), seenWith([], withKey('one')));
const secrets = first === undefined ? [] : [first];

describe('the secret with the key of a client', () => {
  it('is made of what the cluster has, and never told', () => {
    const seen = seenWith([], withKey('one'));
    expect(contentIn(client(), seen)).toBe('one');
    expect(contentIn(client('keyring'), seen)).toBe('[client.site-blog]\n\tkey = one\n');
    expect(first?.name).toBe('blog_ceph');
    expect(JSON.stringify(kind.diff(client(), seen))).not.toMatch(/"one"|b25l/);
  });

  it('is left as it is while it holds that', () => {
    const seen = seenWith(secrets, withKey('one'));
    expect([...seen.generated]).toEqual([['blog_ceph', 'blog_ceph']]);
    expect(kind.diff(client(), seen)).toEqual({ operations: [], blocked: [] });
  });

  it('is made again where it is lost, and anew where the client has another key', () => {
    expect(made(client(), seenWith([], withKey('one')))?.name).toBe('blog_ceph');
    const other = seenWith(secrets, withKey('two'));
    expect([...other.generated]).toEqual([]);
    expect(made(client(), other)?.name).toMatch(/^blog_ceph-[0-9a-f]{8}$/);
    expect(contentIn(client(), other)).toBe('two');
  });

  it('is nobody’s who is not seen', () => {
    const sight = { status: 'away', why: 'x' } as const;
    const away = { clusters: new Map([['main', { sight, clients: { self: '', pattern: '' } }]]) };
    const seen = seenWith(secrets, withKey('one'));
    expect([...currentKeys(seen, away.clusters)]).toEqual([]);
    const { blocked, operations } = kind.diff(client(), { ...seen, ...away });
    expect([blocked.length, operations]).toEqual([1, []]);
  });

  it('is made under a free name when the format goes there and back, and those of before stay until nobody uses them', () => {
    const all = [...secrets];
    for (const [at, format] of (['keyring', 'key', 'keyring', 'key'] as const).entries()) {
      const next = made(client(format), seenWith(all, withKey('one')), at + 2);
      expect(all.map(({ name }) => name)).not.toContain(next?.name);
      if (next !== undefined) all.push(next);
      const seen = seenWith(all, withKey('one'));
      expect(seen.generated.get('blog_ceph')).toBe(next?.name);
      expect(kind.diff(client(format), seen).operations).toEqual([]);
    }
    expect(all).toHaveLength(5);
    const spare = kind.spares(client(), seenWith(all, withKey('two'))).map(({ id }) => id);
    expect(spare).toEqual([]);
    const last = made(client(), seenWith(all, withKey('two')), 9);
    const now = [...all, ...(last === undefined ? [] : [last])];
    expect(kind.spares(client(), seenWith(now, withKey('two'))).map(({ id }) => id)).toEqual(all.map(({ id }) => id)); // prettier-ignore
  });

  it('has a name that the Swarm takes, however long the plain one is', () => {
    const plain = 'x'.repeat(64);
    const taken = [{ name: plain }, { name: `${'x'.repeat(55)}-01234567` }];
    expect(keptSecretName(plain, '0123456789abcdef'.repeat(4), taken)).toBe(`${'x'.repeat(55)}-12345678`); // prettier-ignore
  });
});

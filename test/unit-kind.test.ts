import { randomBytes } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import type { Rendered } from '../agent/core/kind.ts';
import type { MysqlSpec } from '../agent/providers/mysql/spec.ts';
import { mysqlKind as kindWith } from '../agent/providers/mysql/kind.ts';
import { cephKind } from '../agent/providers/ceph/kind.ts';
import { stackKind } from '../agent/providers/stack/provider.ts';
import { kindsWith } from '../agent/kinds.ts';
import { unitKind, type UnitObserved } from '../agent/unit-kind.ts';
import { MySQLDatabase } from '../schemas/mysql.ts';
import { empty as noPools } from './providers/ceph/model.ts';
import { cephUnit } from './providers/ceph/units.ts';
import { blogNetwork, live, node, observed, seen, service, task, unit } from './fakes/stack.ts';

const mysqlKind = kindWith((bytes) => randomBytes(bytes));
const both = unitKind(kindsWith((bytes) => randomBytes(bytes)));
const stack = unit({ services: { web: service('blog_web') } });
const database: Rendered<MysqlSpec> = {
  id: 'mysql-database/blog',
  spec: MySQLDatabase.parse({ kind: 'MySQLDatabase', name: 'blog' }),
  digest: 'd1',
  place: stack.place,
  dependsOn: [],
  needs: [],
  gives: [],
};

const away = new Map([['default', { status: 'away', why: 'no host answers' } as const]]);
const pool = cephUnit('CephPool', 'rep', { application: 'rbd', replicated: {} });
const noClusters = { clusters: new Map(), owner: 'test', dataMovement: 'healthy' } as const;
const worlds: readonly (readonly [string, UnitObserved])[] = [
  ['nothing', { ...observed(), servers: new Map(), ...noClusters }],
  [
    'much',
    {
      ...observed({
        services: [live(service('blog_web'))],
        networks: [blogNetwork],
        tasks: [task('t1')],
        nodes: [node('w1'), node('w2', { state: 'down' })],
      }),
      servers: away,
      ...noClusters,
      clusters: new Map([
        [
          'main',
          {
            sight: { status: 'seen', seen: noPools } as const,
            clients: { self: 'client.understudy', pattern: 'client.site-*' },
          },
        ],
      ]),
    },
  ],
];

describe.each(worlds)('where %s is there', (_name, world) => {
  const input = { operations: [], answers: new Map() };

  it('a stack is looked at as a stack', () => {
    expect(both.diff(stack, world)).toEqual(stackKind.diff(stack, world));
    expect(both.first?.(stack, world, input)).toEqual(stackKind.first?.(stack, world, input));
    expect(both.baseline(stack, world)).toEqual(stackKind.baseline(stack, world));
    expect(both.absent(world)).toEqual(stackKind.absent(world));
    expect(both.health(stack, world, seen())).toEqual(stackKind.health(stack, world, seen()));
    expect(both.givenUp(stack, world, seen())).toEqual(stackKind.givenUp(stack, world, seen()));
    expect(both.resume(stack, world)).toEqual(stackKind.resume(stack, world));
    expect(both.isThere(stack, world)).toBe(stackKind.isThere(stack, world));
    expect(both.spares(stack, world)).toEqual(stackKind.spares(stack, world));
    const content = both.release(stack, world, 'wanted');
    expect(content).toEqual(stackKind.release(stack, world, 'wanted'));
    const release = { digest: 'd1', revision: 'r', at: '', content };
    expect(both.restore(stack.id, release)?.spec).toMatchObject({ name: 'blog' });
  });

  it('its parts are those of a stack', () => {
    expect(both.parts(stack)).toEqual(stackKind.parts(stack));
    expect(both.makes(stack)).toEqual(stackKind.makes(stack));
    expect([both.times(stack), both.rollback(stack), both.removal(stack)]).toEqual([
      stackKind.times(stack),
      stackKind.rollback(stack),
      stackKind.removal(stack),
    ]);
    const members = stackKind.members(stack.id, world);
    expect(both.members(stack.id, world)).toEqual(members);
    expect(both.remove(stack.id, members, world)).toEqual(
      stackKind.remove(stack.id, members, world),
    );
    const parts = stackKind.parts(stack);
    expect(both.stop(stack.id, parts, world)).toEqual(stackKind.stop(stack.id, parts, world));
    expect(both.runs(stack.id, world)).toEqual(stackKind.runs(stack.id, world));
    expect(both.users(stack.id, world)).toEqual(stackKind.users(stack.id, world));
  });

  it('a database is looked at by its server', () => {
    const { blocked, ...rest } = mysqlKind.diff(database, world);
    const at = ` (${stack.place.file}:${String(stack.place.line)})`;
    const told = blocked.map((one) => ({ ...one, why: one.waits ? one.why : `${one.why}${at}` }));
    expect(blocked).toHaveLength(1);
    expect(both.diff(database, world)).toEqual({ ...rest, blocked: told });
    expect(both.first?.(database, world, input)).toEqual({ status: 'clear' });
    expect(both.health(database, world, seen())).toEqual(mysqlKind.health(database, world, seen()));
    expect(both.rollback(database).mode).toBe('forward');
    expect(both.members(database.id, world)).toEqual([]);
    const content = both.release(database, world, 'wanted');
    const release = { digest: 'd1', revision: 'r', at: '', content };
    expect(both.restore(database.id, release)?.spec).toMatchObject({ kind: 'MySQLDatabase' });
  });
});

it('a pool is looked at by its cluster', () => {
  const [nothing, much] = worlds.map(([, world]) => both.diff(pool, world));
  expect(nothing?.blocked[0]?.why).toMatch(/settings name no cluster.*\(ceph\/x\.yaml:1\)$/);
  expect(much).toMatchObject({ blocked: [], operations: [{ target: 'pool rep', verb: 'create' }] });
  for (const [, world] of worlds) {
    expect(both.health(pool, world, seen())).toEqual(cephKind.health(pool, world, seen()));
    const content = both.release(pool, world, 'wanted');
    const release = { digest: 'd1', revision: 'r', at: '', content };
    expect(both.restore(pool.id, release)?.spec).toMatchObject({ kind: 'CephPool', name: 'rep' });
    expect(both.members(pool.id, world)).toEqual([]);
  }
  expect(both.rollback(pool).mode).toBe('forward');
});

it('what only a person ends is told with its document, and what ends by itself without', () => {
  const [nothing, much] = worlds.map(([, world]) => both.diff(database, world).blocked[0]?.why);
  expect(nothing).toMatch(/settings have no `mysql.default` \(stacks\/blog\/compose\.yaml:\d+\)$/);
  expect(much).toMatch(/no host answers$/);
});

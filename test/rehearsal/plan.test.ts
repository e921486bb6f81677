import { describe, expect, it } from 'vitest';
import {
  endsOf,
  namespacesOf,
  overlaps,
  planStage,
  possibleNamespacesOf,
  StageOptionError,
} from '../../agent/rehearsal/plan.ts';

describe('planStage', () => {
  it('names everything by one prefix', () => {
    const plan = planStage({});
    expect(namespacesOf(plan)).toEqual([
      'us-switch',
      'us-depot',
      'us-m1',
      'us-m2',
      'us-m3',
      'us-w1',
    ]);
    expect(plan.hosts.map(({ name, address, role }) => `${name} ${address} ${role}`)).toEqual([
      'm1 10.213.77.11 manager',
      'm2 10.213.77.12 manager',
      'm3 10.213.77.13 manager',
      'w1 10.213.77.21 worker',
    ]);
    expect(plan).toMatchObject({
      folder: '/var/lib/understudy-rehearsal/us',
      gateway: '10.213.77.1',
      link: 'us0',
      registry: '10.213.77.2:5000',
      repositoryUrl: 'ssh://git@10.213.77.2/infra.git',
      cgroup: '/understudy-us',
    });
    expect(plan.hosts[0]?.socket).toBe('/var/lib/understudy-rehearsal/us/m1/docker.sock');
  });

  it('lets two stages share nothing but the packages', () => {
    const one = planStage({});
    const other = planStage({ name: 'ust', subnet: '10.213.78.0/24' });
    const names = (plan: typeof one): readonly string[] => [
      ...namespacesOf(plan),
      plan.link,
      plan.cgroup,
      plan.folder,
      plan.registry,
      plan.gateway,
      ...plan.hosts.flatMap((host) => [host.address, host.socket, host.folder]),
    ];
    expect(names(one).filter((name) => names(other).includes(name))).toEqual([]);
    expect(one.packages).toBe(other.packages);
  });

  it.each([
    ['single', ['db1 10.213.77.31 us-db1']],
    ['group', ['db1 10.213.77.31 us-db1', 'db2 10.213.77.32 us-db2', 'db3 10.213.77.33 us-db3']],
    [undefined, []],
  ] as const)('gives the database servers of `%s` hosts of their own', (mysql, expected) => {
    const plan = planStage({ ...(mysql && { mysql }) });
    const seen = plan.databases.map(
      ({ name, address, namespace }) => `${name} ${address} ${namespace}`,
    );
    expect(seen).toEqual(expected);
    for (const { namespace } of plan.databases) expect(namespacesOf(plan)).toContain(namespace);
  });

  it('gives a router an address and a namespace that nothing else has', () => {
    const plan = planStage({ workers: 3, mysql: 'group', router: true, ceph: true });
    expect(plan.router).toEqual({
      address: '10.213.77.36',
      namespace: 'us-router',
      folder: '/var/lib/understudy-rehearsal/us/router',
    });
    const ends = endsOf(plan);
    expect(new Set(ends.map(({ address }) => address)).size).toBe(ends.length);
    expect(namespacesOf(plan)).toContain('us-router');
  });

  it.each(['single', 'galera', undefined] as const)('has no router before `%s`', (mysql) =>
    expect(planStage({ mysql, router: true })).not.toHaveProperty('router'),
  );

  it('knows what to remove of hosts, servers, a router and a cluster that nobody speaks of', () => {
    const most = planStage({ managers: 5, workers: 4, mysql: 'group', router: true, ceph: true });
    expect(possibleNamespacesOf(planStage({}))).toEqual(namespacesOf(most));
  });

  it('takes packages in a folder with blanks and quotes', () =>
    expect(planStage({ packages: "/srv/it's mine" }).packages).toBe("/srv/it's mine"));

  it.each([
    ['a name with a capital', { name: 'Us' }],
    ['a name too long for a link', { name: 'abcdefg' }],
    ['a name that is an option', { name: '-m' }],
    ['an engine that is a path', { engine: '../sid' }],
    ['an engine that is an option', { engine: '-o' }],
    ['a path as a name', { name: '../x' }],
    ['another prefix length', { subnet: '10.0.0.0/16' }],
    ['a number over 255', { subnet: '10.0.256.0/24' }],
    ['a host as a subnet', { subnet: '10.0.0.1/24' }],
    ['a folder that is a whole tree', { folder: '/var' }],
    ['the root', { folder: '/' }],
    ['a folder in /run, which engines do not see', { folder: '/run/a/b' }],
    ['a folder whose sockets would be too long', { folder: `/var/${'x'.repeat(60)}` }],
    ['a folder that a shell would split', { folder: '/var/a b' }],
    ['packages that a list of folders would split', { packages: '/srv/a:b' }],
    ['packages that no setting can quote', { packages: '/srv/a"b' }],
    ['an even number of managers', { managers: 2 }],
    ['too many workers', { workers: 5 }],
    ['half a worker', { workers: 0.5 }],
  ])('refuses %s', (_, options) => expect(() => planStage(options)).toThrow(StageOptionError));
});

describe('overlaps', () => {
  it.each([
    ['10.213.77.0/24', '10.213.77.0/24', true],
    ['10.213.0.0/16', '10.213.77.0/24', true],
    ['10.213.77.128/25', '10.213.77.0/24', true],
    ['10.213.77.9', '10.213.77.0/24', true],
    ['0.0.0.0/0', '10.213.77.0/24', true],
    ['10.213.78.0/24', '10.213.77.0/24', false],
    ['10.213.76.0/24', '10.213.77.0/24', false],
    ['255.255.255.255', '10.213.77.0/24', false],
    ['fe80::/64', '10.213.77.0/24', false],
    ['nonsense', '10.213.77.0/24', false],
  ])('%s and %s: %s', (left, right, expected) => {
    expect(overlaps(left, right)).toBe(expected);
    expect(overlaps(right, left)).toBe(expected);
  });
});

import { expect, it } from 'vitest';
import { confText } from '../../../agent/rehearsal/ceph/conf.ts';
import { daemonsOf, planCluster } from '../../../agent/rehearsal/ceph/plan.ts';

const identities = { fsid: 'f', stores: ['u0', 'u1', 'u2'] };
const options = { folder: '/tmp/c', address: '10.0.0.5', ports: [3300, 3301, 3302] };
const plan = planCluster({ ...options, filesystem: 'cephfs' }, identities);

it('starts monitors before all that asks them', () => {
  expect(daemonsOf(plan).map(({ name }) => name)).toEqual(
    ['mon.a', 'mon.b', 'mon.c', 'mgr.x', 'osd.0', 'osd.1', 'osd.2', 'mds.a'], // prettier-ignore
  );
});

it('has no daemon for a file system where there is none', () => {
  const names = daemonsOf(planCluster({ ...options, ports: [1] }, identities));
  expect(names.map(({ name }) => name)).toEqual(['mon.a', 'mgr.x', 'osd.0', 'osd.1', 'osd.2']);
});

it.each([
  ['two monitors, which agree on nothing alone', { ports: [1, 2] }, 'a cluster has 1 or 3'],
  ['one port for two', { ports: [1, 1, 2] }, 'each monitor needs a port of its own'],
  ['a path that the file would take apart', { folder: '/tmp/a b' }, "the folder's path must hold"],
  ['a path that is none from the top', { folder: 'tmp' }, "the folder's path must hold"],
  ['a path that no socket has', { folder: `/${'a'.repeat(90)}` }, 'too long for a socket'],
  ['a name with a blank', { filesystem: 'a b' }, '`a b` is no name of a file system'],
])('refuses %s', (_, wrong, said) => {
  expect(() => planCluster({ ...options, ...wrong }, identities)).toThrow(said);
});

const conf = confText(plan, '/lib/x');

it('says where all monitors are, and where what Ceph opens by itself lies', () => {
  expect(conf).toContain('mon_host = [v2:10.0.0.5:3300],[v2:10.0.0.5:3301],[v2:10.0.0.5:3302]\n');
  expect(conf).toContain('mon_initial_members = a,b,c\n');
  expect(conf).toContain('erasure_code_dir = /lib/x/ceph/erasure-code\n');
});

it('puts each store on a host of its own', () => {
  expect(conf.match(/^crush_location = .*$/gm)).toEqual([
    'crush_location = root=default host=host0',
    'crush_location = root=default host=host1',
    'crush_location = root=default host=host2',
  ]);
});

it('leaves it to the running cluster whether pools may be deleted', () => {
  expect(conf).not.toContain('mon_allow_pool_delete');
});

import { expect, it } from 'vitest';
import { selectCeph } from '../../../agent/rehearsal/ceph/programs.ts';
import { isReady } from '../../../agent/rehearsal/ceph/status.ts';

const ready = {
  health: { status: 'HEALTH_OK' },
  osdmap: { num_osds: 3, num_up_osds: 3 },
  mgrmap: { available: true },
  pgmap: { num_pools: 2, pgs_by_state: [{ state_name: 'active+clean', count: 16 }] },
};

it.each([
  ['as it should be', {}, true],
  ['with a warning', { health: { status: 'HEALTH_WARN' } }, false],
  ['with a store down', { osdmap: { num_osds: 3, num_up_osds: 2 } }, false],
  ['without a manager daemon', { mgrmap: { available: false } }, false],
  ['with nothing reported yet', { pgmap: { num_pools: 0, pgs_by_state: [] } }, false],
  [
    'with data on the way',
    { pgmap: { num_pools: 2, pgs_by_state: [{ state_name: 'peering', count: 1 }] } },
    false,
  ],
])('says of a cluster %s whether it is ready', (_, other, expected) => {
  const text = JSON.stringify({ ...ready, ...other });
  expect(isReady(text, { osds: 3, pools: 2 })).toBe(expected);
});

it.each([
  ['a library', 'librados2', true],
  ['the C library, which must fit the machine', 'libc6', false],
  ['the one library that is called otherwise', 'zlib1g', true],
  ['Python', 'python3.11-minimal', true],
  ['what the command of Ceph loads', 'python3-ceph-argparse', true],
  ['a gateway that nobody starts', 'librgw2', false],
  ['a framework for web pages', 'python3-pecan', false],
  ['perl as a library', 'libperl5.36', false],
  ['a program for disks', 'lvm2', false],
])('unpacks or leaves %s', (_, name, kept) => {
  expect(selectCeph([name]).includes(name)).toBe(kept);
});

import { describe, expect, it } from 'vitest';

import { capsRisk } from '../../../agent/providers/ceph/caps-risk.ts';

const ADMIN = 'give itself all rights: it may write keys';
const READER = 'be anybody: it may read the keys of all, also of `client.admin`';

// test/e2e/ceph-change.test.ts says of a real cluster what such keys may do.

describe('caps of a monitor', () => {
  it.each([
    ['allow *', 'do everything at `mon`'],
    ['allow all', 'do everything at `mon`'],
    ['allow  rwx', 'do everything at `mon`'],
    ['allow rwx network 10.0.0.0/8', 'do everything at `mon`'],
    ['allow rwx fsname=cephfs', 'do everything at `mon`'],
    ['allow rx', READER],
    ['allow service auth rwx', ADMIN],
    ['allow service=auth rwx', ADMIN],
    ['allow service "auth" *', ADMIN],
    ['allow service auth all', ADMIN],
    ['allow service auth rx', READER],
    ['profile role-definer', ADMIN],
    ['allow profile role-definer', ADMIN],
    ['profile mgr', ADMIN],
    ['allow command "auth caps"', ADMIN],
    ["allow command='auth caps'", ADMIN],
    ['allow command "auth add"', ADMIN],
    ['allow command "auth import"', ADMIN],
    ['allow command "auth get-or-create"', ADMIN],
    ['allow command "auth get-or-create-key"', ADMIN],
    ['allow command "auth caps" with entity prefix client.site-', ADMIN],
    ['allow command "auth caps" with entity prefix client.site- caps_mon="allow r, allow x"', ADMIN], // prettier-ignore
    ['allow command "auth get"', READER],
    ['allow command "auth export"', READER],
    ['allow command "auth print-key"', READER],
    ['allow command "auth ls"', READER],
  ])('%s: all', (caps, why) => {
    expect(capsRisk('mon', caps)?.why).toBe(why);
    expect(capsRisk('mon', `allow r, ${caps}`)?.why).toBe(why);
    expect(capsRisk('mon', `allow r; ${caps};`)?.why).toBe(why);
  });

  it.each([
    'allow r',
    'allow rw',
    'allow wx',
    'allow r fsname=cephfs',
    'allow service auth rw',
    'allow service osd rwx',
    'allow service mon rwx',
    'allow command "auth get" with entity prefix client.site-',
    'allow command "auth rm" with entity prefix client.site-',
    'allow command "osd pool create"',
    'allow command "config-key get" with key prefix "x, allow rwx"',
    'profile rbd',
    'profile admin',
    'profile osd',
  ])('%s: not all', (caps) => {
    expect(capsRisk('mon', caps)).toBeUndefined();
  });
});

describe('caps of other services', () => {
  it.each([
    ['osd', 'allow *', true],
    ['osd', 'allow all pool=blog', true],
    ['osd', 'allow rwx', true],
    ['mgr', 'allow r, allow  *', true],
    ['mds', 'allow *', true],
    ['osd', 'allow rwx pool=blog', false],
    ['osd', 'allow rw tag cephfs data=cephfs', false],
    ['mds', 'allow rw fsname=cephfs path="/volumes/allow *"', false],
    ['mgr', 'profile mgr', false],
  ])('%s %s', (service, caps, isAll) => {
    expect(capsRisk(service, caps) !== undefined).toBe(isAll);
  });
});

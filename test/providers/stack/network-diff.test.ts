import { describe, expect, it } from 'vitest';

import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { NetworkCreate } from '../../../agent/providers/stack/engine-api.ts';
import type { ObservedNetwork } from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, live, network, observed, service, unit } from '../../fakes/stack.ts';

const labels = { 'com.docker.stack.namespace': 'blog' };
const vxlan = { 'com.docker.network.driver.overlay.vxlanid_list': '4097' };
const ipam = (...subnets: string[]): Partial<NetworkCreate> => ({
  IPAM: { Driver: '', Options: null, Config: subnets.map((Subnet) => ({ Subnet })) },
});

/** What a stack says that wants this network while that one is there. */
function compare(wanted: Partial<NetworkCreate>, there: Partial<ObservedNetwork>) {
  return diffStack(
    unit({ networks: { default: { ...network('blog_default'), ...wanted } } }),
    observed({ services: [live(service('web'))], networks: [{ ...blogNetwork, ...there }] }),
  );
}

describe('a network that is there', () => {
  it.each<[string, Partial<NetworkCreate>, Partial<ObservedNetwork>]>([
    ['what the engine filled in', {}, {}],
    ['an IPAM driver that the file does not state', ipam('10.0.1.0/24'), {}],
    [
      'an IPAM driver that is the one',
      { IPAM: { Driver: 'default', Options: null, Config: [] } },
      {},
    ],
    ['an address of the subnet', ipam('10.0.1.9/24'), {}],
    ['an address of an IPv6 subnet', ipam('FD00:0::9/64'), { subnets: ['fd00::/64'] }],
    [
      'subnets in another order',
      ipam('10.8.0.0/24', '10.0.1.0/24'),
      { subnets: ['10.0.1.0/24', '10.8.0.0/24'] },
    ],
    [
      'options that are the same',
      { Options: { encrypted: '' } },
      { options: { ...vxlan, encrypted: '' } },
    ],
    ['stated options that are none', { Options: {} }, {}],
    [
      'a network that the allocator has not seen yet',
      { ...ipam('10.9.0.0/24'), Options: { encrypted: '' } },
      { driver: '', options: {}, ipamDriver: '', subnets: [] },
    ],
  ])('is left alone for %s', (_what, wanted, there) => {
    expect(compare(wanted, there)).toEqual({ operations: [], blocked: [] });
  });

  it.each<[string, Partial<NetworkCreate>, Partial<ObservedNetwork>, string]>([
    ['driver', { Driver: 'weave' }, {}, '`driver` is `overlay`, not `weave`'],
    ['internal', { Internal: true }, {}, '`internal` is `false`, not `true`'],
    ['attachable', {}, { attachable: true }, '`attachable` is `true`, not `false`'],
    [
      'an option',
      { Options: { mtu: '1400' } },
      { options: { ...vxlan, mtu: '1500' } },
      '`driver_opts.mtu` is `1500`, not `1400`',
    ],
    [
      'an option that is missing',
      { Options: { encrypted: '' } },
      {},
      '`driver_opts.encrypted` is unset, not empty',
    ],
    [
      'an option beside the stated ones',
      { Options: { mtu: '1400' } },
      { options: { ...vxlan, mtu: '1400', encrypted: '' } },
      '`driver_opts.encrypted` is empty, not unset',
    ],
    [
      'the IPAM driver',
      { IPAM: { Driver: 'dhcp', Options: null, Config: [] } },
      {},
      '`ipam.driver` is `default`, not `dhcp`',
    ],
    ['the subnet', ipam('10.99.0.0/24'), {}, '`ipam.config` is `10.0.1.0/24`, not `10.99.0.0/24`'],
    [
      'the size of the subnet',
      ipam('10.0.1.0/25'),
      {},
      '`ipam.config` is `10.0.1.0/24`, not `10.0.1.0/25`',
    ],
    [
      'a subnet that is too many',
      ipam('10.0.1.0/24'),
      { subnets: ['10.0.1.0/24', '10.8.0.0/24'] },
      '`ipam.config` is `10.0.1.0/24 10.8.0.0/24`, not `10.0.1.0/24`',
    ],
  ])('holds the stack for %s', (_what, wanted, there, text) => {
    const { operations, blocked, notes } = compare(wanted, there);
    expect([operations, notes]).toEqual([[], undefined]);
    expect(blocked).toEqual([
      {
        target: 'network blog_default',
        why: `network blog_default cannot be changed, and ${text}: give it another \`name\``,
        waits: false,
      },
    ]);
  });

  it('names all that differs', () => {
    const { blocked } = compare({ Internal: true, ...ipam('10.99.0.0/24') }, { attachable: true });
    expect(blocked.map(({ why }) => why.match(/`[a-z.]+` is/g))).toEqual([
      ['`internal` is', '`attachable` is', '`ipam.config` is'],
    ]);
  });

  it.each<[string, Partial<NetworkCreate>, Partial<ObservedNetwork>, string]>([
    [
      'a label',
      { Labels: { ...labels, team: 'a' } },
      { labels: { ...labels, team: 'b' } },
      '`labels.team` is `b`, not `a`',
    ],
    [
      'an option that the file says nothing about',
      {},
      { options: { ...vxlan, encrypted: '' } },
      '`driver_opts.encrypted` is empty, not unset',
    ],
  ])('shows %s and holds nothing', (_what, wanted, there, text) => {
    expect(compare(wanted, there)).toEqual({
      operations: [],
      blocked: [],
      notes: [`network blog_default cannot be changed, and stays as it is: ${text}`],
    });
  });
});

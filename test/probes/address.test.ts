import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { addressRules, parseAddress } from '../../agent/probes/address.ts';

const nothing = addressRules([]);

describe('an address that nobody allowed', () => {
  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
    '169.253.255.255',
    '169.255.0.0',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '198.17.255.255',
    '198.20.0.0',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2600::1',
    '2a00:1450:4001::1',
    '3ffe::1',
    '::ffff:8.8.8.8',
    '::ffff:808:808',
  ])('%s is public and may be reached', (address) =>
    expect(nothing.isAllowed(address, [])).toBe(true),
  );

  it.each([
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'this network'],
    ['10.0.0.1', 'private'],
    ['100.64.0.1', 'shared with the carrier'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.255', 'loopback'],
    ['169.254.169.254', 'the metadata service'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.0.0.8', 'protocols'],
    ['192.0.2.1', 'documentation'],
    ['192.168.1.1', 'private'],
    ['198.18.0.1', 'benchmarks'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.250', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'broadcast'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::127.0.0.1', 'IPv4-compatible'],
    ['::ffff:127.0.0.1', 'mapped loopback'],
    ['::ffff:7f00:1', 'mapped loopback'],
    ['0:0:0:0:0:FFFF:10.0.0.1', 'mapped private'],
    ['::ffff:169.254.169.254', 'mapped link-local'],
    ['::ffff:0.0.0.0', 'mapped unspecified'],
    ['64:ff9b::10.0.0.1', 'translated private'],
    ['100::1', 'discarded'],
    ['2001::1', 'Teredo'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4 of loopback'],
    ['3fff::1', 'documentation'],
    ['4000::1', 'not given out'],
    ['fc00::1', 'unique-local'],
    ['fd12:3456::1', 'unique-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local with a zone'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['ffff::1', 'multicast'],
    ['', 'no address'],
    ['example.org', 'no address'],
    ['1.2.3', 'no address'],
    ['010.1.1.1', 'no address'],
    ['[2600::1]', 'no address'],
  ])('%s may not: %s', (address) => expect(nothing.isAllowed(address, [])).toBe(false));
});

describe('what is allowed beside', () => {
  it.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/8', '11.0.0.1', true],
    ['10.0.0.0/8', '127.0.0.1', false],
    ['10.20.0.0/16', '10.21.0.1', false],
    ['10.20.30.40/16', '10.20.0.1', true],
    ['10.0.0.1/32', '10.0.0.1', true],
    ['10.0.0.1/32', '10.0.0.2', false],
    ['0.0.0.0/0', '192.168.0.1', true],
    ['0.0.0.0/0', 'fd00::1', false],
    ['::/0', 'fd00::1', true],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.0.0.1', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', true],
    ['::ffff:10.0.0.0/104', '192.168.2.3', false],
    ['fd00::/8', 'fd12::1', true],
    ['fd12::/16', 'fd13::1', false],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/33', '10.0.0.1', false],
    ['10.0.0.0', '10.0.0.1', false],
    ['::ffff:10.0.0.0/8', '10.0.0.1', false],
    ['all', '10.0.0.1', false],
  ])('%s: %s may be reached: %s', (network, address, expected) =>
    expect(addressRules([network]).isAllowed(address, [])).toBe(expected),
  );

  it.each([
    [['10.0.0.1'], '10.0.0.1', true],
    [['10.0.0.1'], '10.0.0.2', false],
    [['10.0.0.1'], '::ffff:10.0.0.1', true],
    [['FD00:0:0::1'], 'fd00::1', true],
    [['127.0.0.1'], '127.0.0.2', false],
    [['m1', ''], '10.0.0.1', false],
  ])('of the nodes %j: %s may be reached: %s', (nodes, address, expected) =>
    expect(nothing.isAllowed(address, nodes)).toBe(expected),
  );

  it('a network holds exactly the addresses that begin with its bits', () => {
    const number = fc.bigInt({ min: 0n, max: 2n ** 32n - 1n });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 0, max: 32 }), (one, other, bits) => {
        const rules = addressRules([`${dotted(one)}/${String(bits)}`]);
        const rest = 32n - BigInt(bits);
        // Beside the number that was drawn one that shares all bits but, perhaps, the last of the network.
        for (const number of [other, one ^ (rest < 32n ? 1n << rest : 0n), one]) {
          const inside = one >> rest === number >> rest;
          const text = dotted(number);
          expect(rules.isAllowed(text, [])).toBe(inside || nothing.isAllowed(text, []));
        }
      }),
    );
  });

  it('how an address is written changes nothing', () => {
    const part = fc.constantFrom(0, 1, 0xfe80, 0xfd00, 0xffff, 0x2001, 0x7f00, 0x0db8, 0x2600);
    fc.assert(
      fc.property(fc.array(part, { minLength: 8, maxLength: 8 }), (parts) => {
        const short = parts.map((value) => value.toString(16)).join(':');
        const long = parts.map((value) => value.toString(16).padStart(4, '0').toUpperCase());
        expect(parseAddress(long.join(':'))).toEqual(parseAddress(short));
        expect(parseAddress(parseAddress(short)?.text ?? '')).toEqual(parseAddress(short));
        const rules = addressRules(['fd00::/16']);
        expect(rules.isAllowed(long.join(':'), [])).toBe(rules.isAllowed(short, []));
      }),
    );
  });
});

function dotted(number: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => String((number >> shift) & 255n)).join('.');
}

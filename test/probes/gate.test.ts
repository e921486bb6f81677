import type { LookupAddress } from 'node:dns';
import { describe, expect, it } from 'vitest';

import { connectOptions, openGate, type Lookup, type Passed } from '../../agent/probes/gate.ts';

const signal = new AbortController().signal;

function addresses(...texts: string[]): LookupAddress[] {
  return texts.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

function failing(code: string): Lookup {
  return async () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code }));
}

function told(passed: Passed): string {
  if (passed.status === 'held') return `${passed.outcome.status}: ${passed.outcome.detail}`;
  return passed.addresses.map(({ address }) => address).join(' ');
}

const decides = "`network.allow` of the agent's settings decides";

describe('where a question may go', () => {
  it.each<[string, string, readonly string[], string]>([
    ['a public address', '8.8.8.8', [], '8.8.8.8'],
    ['a public IPv6 address', '2600::1', [], '2600::1'],
    ['a private one', '10.0.0.1', [], `bad: 10.0.0.1 is not allowed: ${decides}`],
    ['a node', '10.0.0.1', ['10.0.0.1'], '10.0.0.1'],
    ['an allowed network', '10.9.0.1', [], '10.9.0.1'],
    ['a public name', 'example.org', [], '8.8.8.8 2600::1'],
    [
      'a name that leads inside',
      'inside.example.org',
      [],
      `bad: inside.example.org is 169.254.169.254, which is not allowed: ${decides}`,
    ],
    ['a name that leads outside too', 'both.example.org', [], '8.8.4.4'],
    ['a name of a node', 'inside.example.org', ['10.0.0.1'], '10.0.0.1'],
    [
      'a name without addresses',
      'empty.example.org',
      [],
      'bad: there is no host empty.example.org',
    ],
    [
      'a number that is an address',
      '2130706433',
      [],
      `bad: 2130706433 is 127.0.0.1, which is not allowed: ${decides}`,
    ],
    [
      'a name with many addresses',
      'many.example.org',
      [],
      Array.from({ length: 8 }, (_, index) => `1.1.1.${index}`).join(' '),
    ],
  ])('%s', async (_, host, nodes, expected) => {
    const names: Record<string, LookupAddress[]> = {
      'example.org': addresses('8.8.8.8', '2600::1'),
      'inside.example.org': addresses('169.254.169.254', '10.0.0.1'),
      'both.example.org': addresses('127.0.0.1', '::ffff:127.0.0.1', '8.8.4.4'),
      'many.example.org': addresses(
        ...Array.from({ length: 20 }, (_one, index) => `1.1.1.${index}`),
      ),
      '2130706433': addresses('127.0.0.1'),
    };
    const gate = openGate(['10.9.0.0/16'], async (name) => Promise.resolve(names[name] ?? []));
    expect(told(await gate.pass(host, nodes, signal))).toBe(expected);
  });

  it.each([
    ['ENOTFOUND', 'bad: there is no host x.org'],
    ['ENODATA', 'bad: there is no host x.org'],
    ['EAI_AGAIN', 'open: the name server does not say where x.org is'],
  ])('a name that cannot be looked up, %s', async (code, expected) => {
    const gate = openGate([], failing(code));
    expect(told(await gate.pass('x.org', [], signal))).toBe(expected);
  });

  it('an address is not looked up', async () => {
    const gate = openGate([], failing('ENOTFOUND'));
    expect(told(await gate.pass('8.8.8.8', [], signal))).toBe('8.8.8.8');
  });

  it('a name server that says nothing is left behind, and not asked again meanwhile', async () => {
    const asked: string[] = [];
    const slow = Promise.withResolvers<LookupAddress[]>();
    const gate = openGate([], async (name) => {
      asked.push(name);
      return slow.promise;
    });
    const over = new AbortController();
    const first = gate.pass('x.org', [], over.signal);
    over.abort();
    expect(told(await first)).toBe('open: the name server does not say where x.org is');
    const second = gate.pass('x.org', [], signal);
    expect(asked).toEqual(['x.org']);
    slow.resolve(addresses('8.8.8.8'));
    expect(told(await second)).toBe('8.8.8.8');
    await gate.pass('x.org', [], signal);
    expect(asked).toEqual(['x.org', 'x.org']);
  });

  it('a lookup that throws at once is asked again the next time', async () => {
    let calls = 0;
    const gate = openGate([], () => {
      calls += 1;
      throw new Error('no');
    });
    await gate.pass('x.org', [], signal);
    await gate.pass('x.org', [], signal);
    expect(calls).toBe(2);
  });
});

describe('a connection', () => {
  it('is told the checked addresses, whatever name it asks for', () => {
    const { lookup } = connectOptions(addresses('8.8.8.8', '2600::1'), 3000);
    const told: unknown[] = [];
    lookup('evil.example.org', { all: true }, (...args) => told.push(args));
    lookup('evil.example.org', { all: false }, (...args) => told.push(args));
    expect(told).toEqual([
      [null, addresses('8.8.8.8', '2600::1')],
      [null, '8.8.8.8', 4],
    ]);
  });

  it.each([
    [1, 3000, 3000],
    [2, 3000, 1500],
    [8, 1000, 250],
  ])('tries each of %i addresses for its share of %i ms: %i', (count, timeoutMs, expected) => {
    const some = addresses(...Array.from({ length: count }, (_, index) => `1.1.1.${index}`));
    expect(connectOptions(some, timeoutMs).autoSelectFamilyAttemptTimeout).toBe(expected);
  });
});

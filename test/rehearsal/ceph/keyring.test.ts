import { expect, it } from 'vitest';
import { capsOf, keyringText, makeKey } from '../../../agent/rehearsal/ceph/keyring.ts';

const key = makeKey(new Uint8Array(16).fill(0xab), 0x01020304);

it('writes a key as Ceph does', () => {
  expect(Buffer.from(key, 'base64').toString('hex')).toBe(
    ['0100', '04030201', '00000000', '1000', 'ab'.repeat(16)].join(''),
  );
  // What of it never changes is what people know keys by.
  expect(makeKey(new Uint8Array(16), 1_796_072_356)).toMatch(/^AQ.{36}==$/);
});

it('makes no key of another length', () => {
  expect(() => makeKey(new Uint8Array(15), 0)).toThrow('a key has 16 bytes');
});

it('writes a keyring', () => {
  const mds = { name: 'mds.a', key, caps: capsOf('mds.a') };
  expect(keyringText([{ name: 'mon.', key }, mds])).toBe(
    [
      '[mon.]',
      `\tkey = ${key}`,
      '[mds.a]',
      `\tkey = ${key}`,
      '\tcaps mon = "allow profile mds"',
      '\tcaps mgr = "allow profile mds"',
      '\tcaps osd = "allow *"',
      '\tcaps mds = "allow *"',
      '',
    ].join('\n'),
  );
});

it.each(['client.x]\n[client.admin', 'client', 'client.a b', ''])(
  'writes no name that could be more than a name: %j',
  (name) => {
    expect(() => keyringText([{ name, key }])).toThrow('is no name of a Ceph entity');
  },
);

it.each([
  ['mon', 'allow "*"'],
  ['mon', 'allow\n[client.admin]'],
  ['mon', ''],
  ['m n', 'allow r'],
])('writes no caps that could be more than a word: %s %j', (service, text) => {
  const entity = { name: 'client.a', key, caps: { [service]: text } };
  expect(() => keyringText([entity])).toThrow('are more than a word');
});

it('gives nobody caps whose kind it does not know', () => {
  expect(() => capsOf('rgw.a')).toThrow('`rgw.a` is no name of a Ceph entity');
});

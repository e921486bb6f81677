import { decryptSops } from 'sops-age';
import { describe, expect, it } from 'vitest';

import { newIdentity, unwrap, wrap, identityOf } from '../../../agent/age/age.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { dataKey, sealedText } from './sops.ts';

/** An implementation that shares nothing with this one but the library for age. It does not look at digests. */
async function theirs(file: string, clear: string, sopsFileType: 'yaml' | 'json' | 'env') {
  const { key, recipient } = await newIdentity();
  const wrapped = [{ recipient, enc: await wrap(dataKey, recipient) }];
  const text = sealedText(file, clear, { wrapped });
  return decryptSops(text, { secretKey: key, fileType: sopsFileType });
}

describe('what is encrypted here is opened by another implementation', () => {
  it('as YAML', async () => {
    const text = 'a: one\nn: 3\nf: 0.5\nb: true\nlist:\n    - x: "y: z"\npem: |\n    1\n    2\n';
    expect(await theirs('a.yaml', text, 'yaml')).toEqual({
      a: 'one',
      n: 3,
      f: 0.5,
      b: true,
      list: [{ x: 'y: z' }],
      pem: '1\n2\n',
    });
  });

  it('as JSON', async () => {
    const value = { a: 'é"\n', list: [1, 0.5, true], deep: { x: '<y>' } };
    expect(await theirs('a.json', JSON.stringify(value), 'json')).toEqual(value);
  });

  it('as an env file', async () => {
    expect(await theirs('a.env', 'A=1\nB=x y\n', 'env')).toEqual({ A: '1', B: 'x y' });
  });
});

describe('age', () => {
  it('opens for whom it is, and tells others from damage', async () => {
    const [mine, other] = await Promise.all([newIdentity(), newIdentity()]);
    const enc = await wrap(dataKey, mine.recipient);
    const identity = await identityOf(new Secret(mine.key));
    expect(await unwrap(enc, identity)).toEqual({ status: 'ok', content: new Uint8Array(dataKey) });
    const others = await identityOf(new Secret(other.key));
    expect(await unwrap(enc, others)).toEqual({ status: 'not-for-us' });
    for (const damaged of [
      enc.replace('AGE', 'EGA'),
      enc.slice(0, 100),
      `${enc.slice(0, 60)}!${enc.slice(61)}`,
      '',
    ]) {
      expect(await unwrap(damaged, identity)).toEqual({ status: 'damaged' });
    }
  });

  it.each([
    'AGE-PLUGIN-YUBIKEY-1QGQC3',
    'AGE-PLUGIN-../../x',
    'AGE-SECRET-KEY-1QQ',
    'ssh-ed25519 AAAA',
    '',
  ])('takes no other identity: %s', async (text) => {
    await expect(identityOf(new Secret(text))).rejects.toThrow('this is not an age identity');
  });

  it.each(['age1yubikey1qqq', 'ssh-ed25519 AAAA', 'age1qqq', ''])(
    'takes no other recipient: %s',
    async (text) => {
      await expect(wrap(dataKey, text)).rejects.toThrow(
        /^unrecognized recipient|^invalid|recipient|checksum/i,
      );
    },
  );
});

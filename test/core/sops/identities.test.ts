import { describe, expect, it } from 'vitest';

import { isBech32, readIdentities } from '../../../agent/core/sops/identities.ts';
import { newIdentity } from '../../../agent/age/age.ts';

const good = 'AGE-SECRET-KEY-1QXRVEJH9S4NQU0FPD6V79ESZQ8S6PXH3L8V40EVPTHFH6KNKD4DQ7SKC4P';

describe('a key file', () => {
  it('holds an identity a line, with comments, in either case', () => {
    const read = readIdentities(`# who\r\n\n${good}\r\n  ${good.toLowerCase()}\n`);
    expect(read).toMatchObject({ status: 'ok', identities: [{}, {}] });
    expect(JSON.stringify(read)).not.toContain(good);
  });

  it.each`
    text                                                                | why
    ${''}                                                               | ${'it holds no age identity'}
    ${'# nothing\n'}                                                    | ${'it holds no age identity'}
    ${`${good}\nAGE-PLUGIN-YUBIKEY-1QQQ`}                               | ${'line 2 is for a plugin, and no plugin is run'}
    ${'AGE-PLUGIN-../../x'}                                             | ${'line 1 is for a plugin, and no plugin is run'}
    ${'age1je6kjhzuhdjy3fqptpttxjh5k8q46vygzlgtpuq3030c947pc5tqz9dqvr'} | ${'line 1 is a recipient, not an identity'}
    ${'-----BEGIN OPENSSH PRIVATE KEY-----'}                            | ${'line 1 is no age identity (`AGE-SECRET-KEY-1…`)'}
    ${'-----BEGIN AGE ENCRYPTED FILE-----'}                             | ${'it is encrypted with a passphrase: nobody is there to type it'}
    ${good.slice(0, -1)}                                                | ${'line 1 is no age identity (`AGE-SECRET-KEY-1…`)'}
    ${good.replace('QXR', 'QXS')}                                       | ${'line 1 is no age identity (`AGE-SECRET-KEY-1…`)'}
    ${`${good}\n`.repeat(101)}                                          | ${'it holds more than 100 identities'}
  `('is refused: $why', ({ text, why }) => {
    expect(readIdentities(text)).toEqual({ status: 'refused', why });
  });

  it('is whole by its checksum, whoever made it', async () => {
    const { key, recipient } = await newIdentity();
    expect([isBech32(key), isBech32(recipient)]).toEqual([true, true]);
    expect(isBech32(`${key}Q`)).toBe(false);
    expect(isBech32(key.replace('AGE', 'age'))).toBe(false);
  });
});

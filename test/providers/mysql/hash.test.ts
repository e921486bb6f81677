import { randomBytes } from 'node:crypto';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import {
  CACHING,
  NATIVE,
  cachingHash,
  compared,
  generatedPassword,
  nativeHash,
  passwordProblem,
} from '../../../agent/providers/mysql/hash.ts';
import { sha256Crypt } from '../../../agent/providers/mysql/sha256-crypt.ts';

const secret = (text: string): Secret => new Secret(text);
const bytes = (hex: string): Secret => new Secret(Buffer.from(hex, 'hex').toString('latin1'));
const random = (count: number): Uint8Array => randomBytes(count);

describe('sha256-crypt', () => {
  it.each([
    ['Hello world!', 5000, 'saltstring', '5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    ['Hello world!', 10_000, 'saltstringsaltst', '3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
    [
      'This is just a test',
      5000,
      'toolongsaltstrin',
      'Un/5jzAHMgOGZ5.mWJpuVolil07guHPvOW8mGRcvxa5',
    ],
    [
      'a very much longer text to encrypt.  This one even stretches over morethan one line.',
      1400,
      'anotherlongsalts',
      'Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1',
    ],
    [
      'we have a short salt string but not a short password',
      77_777,
      'short',
      'JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/',
    ],
    [
      'the minimum number is still observed',
      1000,
      'roundstoolow',
      'yfvwcWrQ8l/K0DAWyuPMDNHpIVlTQebY9l/gL972bIC',
    ],
  ])('gives what its specification prints for %j', (password, rounds, salt, digest) => {
    expect(sha256Crypt(Buffer.from(password), Buffer.from(salt), rounds)).toBe(digest);
  });
});

/** As MySQL 9.7.4 kept them for these passwords. */
const kept = [
  [
    'Grüße 1',
    '244124303041240C74585D2D1668777D634B7B16084B75490D1A48336867634879474E62446B6978594B61636152656C33433444706B656E634452784A484F65565850594341',
  ],
  [
    'second one',
    '2441243030412478327D0E391D40284B5852170F01667311600315723648764A6C715354782F376745462F4B6E4F7A41334C377A4A65517769434F5450765234774646326741',
  ],
  [
    'correct horse',
    '2441243030412443011C5D2114082E014E7054492E397F192A5D7F79446A7A6564546F44455A56633062714E4E2E346777772F6559565877304C7A76483378675A65632F6439',
  ],
  [
    'x',
    '24412430304124013E75232001095F0C0719693830037E681716294B6A6B58757735464F4652675342336A2E5A4B55394979365559624A2F4D6B7A384F714A4B4A5966534F44',
  ],
] as const;

describe('caching_sha2_password', () => {
  it.each(kept)('knows %j again as a server kept it', (password, hex) => {
    const auth = { plugin: CACHING, stored: bytes(hex) };
    expect(compared(auth, secret(password))).toBe('same');
    expect(compared(auth, secret(`${password} `))).toBe('other');
  });

  it('makes what it knows again, each time another', () => {
    const one = cachingHash(secret('p'), random);
    const other = cachingHash(secret('p'), random);
    expect(one.stored.reveal()).not.toBe(other.stored.reveal());
    for (const auth of [one, other]) {
      expect(auth.stored.reveal()).toHaveLength(70);
      expect(auth.stored.reveal()).toMatch(/^\$A\$005\$/);
      expect(compared(auth, secret('p'))).toBe('same');
      expect(compared(auth, secret('q'))).toBe('other');
    }
  });

  it('has salts as servers make them', () => {
    fc.assert(
      fc.property(fc.infiniteStream(fc.nat(255)), (stream) => {
        const auth = cachingHash(secret('p'), (count) => Uint8Array.from(stream.take(count)));
        const salt = [...Buffer.from(auth.stored.reveal().slice(7, 27), 'latin1')];
        expect(salt).toHaveLength(20);
        expect(salt.filter((byte) => byte === 0 || byte === 0x24 || byte > 0x7f)).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['a salt that is cut', '$A$005$short'],
    ['no rounds', `$A$000$${'s'.repeat(20)}${'d'.repeat(43)}`],
    ['so many rounds that everything would wait', `$A$FFF$${'s'.repeat(20)}${'d'.repeat(43)}`],
    ['another form', `$B$005$${'s'.repeat(20)}${'d'.repeat(43)}`],
    ['a hash of the other plugin', `*${'A'.repeat(40)}`],
  ])('does not judge %s', (_, text) => {
    expect(compared({ plugin: CACHING, stored: secret(text) }, secret('p'))).toBe('unknown');
  });
});

describe('mysql_native_password', () => {
  it('is what MariaDB 10.11 kept', () => {
    expect(nativeHash(secret('Grüße 1')).stored.reveal()).toBe(
      '*C50E6885A51EC15FD6823FE483BEC8D1971F3F59',
    );
  });

  it('is known again, in small letters too', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (one, other) => {
        const auth = nativeHash(secret(one));
        expect(compared(auth, secret(one))).toBe('same');
        const small = { ...auth, stored: secret(auth.stored.reveal().toLowerCase()) };
        expect(compared(small, secret(one))).toBe('same');
        expect(compared(auth, secret(other))).toBe(one === other ? 'same' : 'other');
      }),
    );
  });

  it('does not judge another form', () => {
    expect(compared({ plugin: NATIVE, stored: secret('invalid') }, secret('p'))).toBe('unknown');
  });
});

describe.each([NATIVE, CACHING])('with %s', (plugin) => {
  it('an account without a password has the empty one and no other', () => {
    expect(compared({ plugin, stored: secret('') }, secret(''))).toBe('same');
    expect(compared({ plugin, stored: secret('') }, secret('p'))).toBe('other');
    expect(
      compared(
        plugin === NATIVE ? nativeHash(secret('p')) : cachingHash(secret('p'), random),
        secret(''),
      ),
    ).toBe('other');
  });
});

it.each(['ed25519', 'unix_socket', 'sha256_password', ''])('does not judge %j', (plugin) => {
  expect(compared({ plugin, stored: secret('') }, secret(''))).toBe('unknown');
});

describe('a generated password', () => {
  it('has letters and digits alone, as many as asked for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128 }), (length) => {
        expect(generatedPassword(length, random).reveal()).toMatch(
          new RegExp(`^[A-Za-z0-9]{${String(length)}}$`),
        );
      }),
    );
  });

  it('has each character equally often where each byte comes equally often', () => {
    const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const counts = new Map<string, number>();
    // 248 of the 256 bytes count, so as many characters come from one draw; what is missing comes from none.
    for (const character of generatedPassword(248, () => all).reveal()) {
      counts.set(character, (counts.get(character) ?? 0) + 1);
    }
    expect(counts.size).toBe(62);
    expect(new Set(counts.values())).toEqual(new Set([4]));
  });

  it('ends where the source of random bytes does not give any that count', () => {
    expect(() => generatedPassword(8, (count) => new Uint8Array(count).fill(255))).toThrow(
      'again and again',
    );
  });
});

describe('a password', () => {
  it.each([
    ['', 'a password is empty'],
    ['line\n', 'a password holds a control character, such as the end of a line'],
    ['a\0b', 'a password holds a control character, such as the end of a line'],
    ['\uD800', 'a password holds half a character'],
    ['ü'.repeat(128), 'a password has at most 255 bytes'],
    ['a'.repeat(255), undefined],
    ["'; DROP USER root; -- 😀", undefined],
  ])('%j: %s', (text, reason) => {
    expect(passwordProblem(secret(text))).toBe(reason);
  });
});

import { createHash, hash, timingSafeEqual } from 'node:crypto';

import { Secret } from '../../core/secret.ts';
import { sha256Crypt } from './sha256-crypt.ts';

// What a server keeps in place of a password, made and compared here: a password in clear would go into MariaDB's binlog.
// A hash is a secret too. Bytes are one character each (latin1), because salts hold any control character.

export const NATIVE = 'mysql_native_password';
export const CACHING = 'caching_sha2_password';

/** `$A$`, the rounds in thousands as three hexadecimal digits, `$`, the salt, the digest. */
const CACHING_FORM = /^\$A\$([0-9A-Fa-f]{3})\$([\0-\x7F]{20})([./0-9A-Za-z]{43})$/s;
const SALT_BYTES = 20;
const ROUNDS_UNIT = 1000;
/** What MySQL 8.x uses and every later one takes. */
const ROUNDS = 5000;
/** Beyond this comparing would stop everything else for a second: such a hash is not compared. */
const ROUNDS_MAX = 100_000;

/** Bytes from outside: as many as asked for, each as likely as any other. */
export type Random = (bytes: number) => Uint8Array;

/** A password as a plugin keeps it. */
export interface AuthString {
  readonly plugin: string;
  readonly stored: Secret;
}

/** Pure. What MariaDB keeps, and MySQL until 8.x: it has no salt. */
export function nativeHash(password: Secret): AuthString {
  return { plugin: NATIVE, stored: new Secret(nativeText(password)) };
}

function nativeText(password: Secret): string {
  const once = createHash('sha1').update(password.reveal(), 'utf8').digest();
  return `*${createHash('sha1').update(once).digest('hex').toUpperCase()}`;
}

/** What MySQL keeps. Takes some milliseconds. Pure but for `random`, which gives the salt. */
export function cachingHash(password: Secret, random: Random): AuthString {
  const salt = drawn(random, SALT_BYTES, isSaltByte);
  const rounds = (ROUNDS / ROUNDS_UNIT).toString(16).toUpperCase().padStart(3, '0');
  const digest = sha256Crypt(Buffer.from(password.reveal(), 'utf8'), salt, ROUNDS);
  const stored = `$A$${rounds}$${Buffer.from(salt).toString('latin1')}${digest}`;
  return { plugin: CACHING, stored: new Secret(stored) };
}

/** Servers make no others: no NUL, no `$`, seven bits. */
function isSaltByte(byte: number): boolean {
  return byte < 0x80 && byte !== 0 && byte !== 0x24;
}

/** Draws of random bytes in a row without what is wanted: something is wrong with the source. */
const DRAWS_MAX = 100;

/** `count` bytes that are wanted; the others are drawn again, so that no byte is likelier than another. */
function drawn(random: Random, count: number, isWanted: (byte: number) => boolean): Uint8Array {
  const wanted: number[] = [];
  for (let draws = 0; wanted.length < count; draws += 1) {
    if (draws === DRAWS_MAX)
      throw new Error('the source of random bytes gives the same again and again');
    wanted.push(...[...random(count)].filter(isWanted));
  }
  return Uint8Array.from(wanted.slice(0, count));
}

/** Letters and digits alone: safe in files of variables, addresses, PHP and YAML. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Bytes below this fall on every character equally often. */
const FAIR = 256 - (256 % ALPHABET.length);

/** A password of `length` characters. Pure but for `random`. */
export function generatedPassword(length: number, random: Random): Secret {
  const bytes = drawn(random, length, (byte) => byte < FAIR);
  return new Secret(Array.from(bytes, (byte) => ALPHABET[byte % ALPHABET.length]).join(''));
}

/** `unknown`: of a plugin that is not understood here, or not in the form of its plugin. */
export type Verdict = 'same' | 'other' | 'unknown';

/** Pure. Whether an account's password is this one. No login is tried: that would count as a failed one. */
export function compared({ plugin, stored }: AuthString, password: Secret): Verdict {
  if (plugin !== NATIVE && plugin !== CACHING) return 'unknown';
  const kept = stored.reveal();
  if (kept === '' || password.reveal() === '') return verdict(kept, password.reveal());
  return plugin === NATIVE ? comparedNative(kept, password) : comparedCaching(kept, password);
}

function comparedNative(kept: string, password: Secret): Verdict {
  if (!/^\*[0-9A-Fa-f]{40}$/.test(kept)) return 'unknown';
  return verdict(kept.toUpperCase(), nativeText(password));
}

function comparedCaching(kept: string, password: Secret): Verdict {
  const [, thousands = '', salt = '', digest = ''] = CACHING_FORM.exec(kept) ?? [];
  const rounds = Number.parseInt(thousands, 16) * ROUNDS_UNIT;
  if (!(rounds > 0 && rounds <= ROUNDS_MAX)) return 'unknown';
  const key = Buffer.from(password.reveal(), 'utf8');
  return verdict(digest, sha256Crypt(key, Buffer.from(salt, 'latin1'), rounds));
}

function verdict(one: string, other: string): Verdict {
  const [first, second] = [Buffer.from(one, 'latin1'), Buffer.from(other, 'latin1')];
  return first.length === second.length && timingSafeEqual(first, second) ? 'same' : 'other';
}

/** Pure. Tells what servers keep for two passwords apart, and gives none of them away. Hex. */
export function authDigest({ plugin, stored }: AuthString): string {
  // As `digestOf` would have it, which takes longer than is good for thousands in each look.
  const kept = `{"secret":${JSON.stringify(stored.reveal())}}`;
  return hash('sha256', `{"plugin":${JSON.stringify(plugin)},"stored":${kept}}`);
}

/** Longest password that MySQL takes, in bytes; MariaDB has no limit, and one rule is enough. */
const PASSWORD_BYTES_MAX = 255;

/** Pure. Why this cannot be a password, without a word of it. */
export function passwordProblem(password: Secret): string | undefined {
  const text = password.reveal();
  if (text === '') return 'a password is empty';
  if (/\p{Cc}/u.test(text))
    return 'a password holds a control character, such as the end of a line';
  if (!text.isWellFormed()) return 'a password holds half a character';
  if (Buffer.byteLength(text, 'utf8') <= PASSWORD_BYTES_MAX) return undefined;
  return `a password has at most ${String(PASSWORD_BYTES_MAX)} bytes`;
}

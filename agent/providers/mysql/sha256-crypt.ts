import { createHash } from 'node:crypto';

// sha256-crypt as its specification describes it (Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", 0.6), but for
// the length of the salt: the specification cuts it at 16 bytes, MySQL has 20. Packages cut, so this is our own.

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const BLOCK = 32;

/** Which bytes of the last digest make the next four characters, the highest bits first: step 22 of the specification. */
const GROUPS = [
  [0, 10, 20],
  [21, 1, 11],
  [12, 22, 2],
  [3, 13, 23],
  [24, 4, 14],
  [15, 25, 5],
  [6, 16, 26],
  [27, 7, 17],
  [18, 28, 8],
  [9, 19, 29],
] as const;

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** `block` again and again, `length` bytes of it. */
function repeated(block: Uint8Array, length: number): Buffer {
  return Buffer.alloc(length, block);
}

/** Steps 1 to 12: the key into the salt and the key again, chosen by the bits of its length. */
function firstDigest(key: Uint8Array, salt: Uint8Array): Buffer {
  const alternate = sha256(key, salt, key);
  const parts: Uint8Array[] = [key, salt, repeated(alternate, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? alternate : key);
  return sha256(...parts);
}

/** Pure. The 43 characters of the digest alone. Work grows with `rounds`: 5000 take some milliseconds. */
export function sha256Crypt(key: Uint8Array, salt: Uint8Array, rounds: number): string {
  let digest = firstDigest(key, salt);
  const keys = repeated(sha256(...Array.from({ length: key.length }, () => key)), key.length);
  const saltTimes = 16 + (digest[0] ?? 0);
  const salts = repeated(sha256(...Array.from({ length: saltTimes }, () => salt)), salt.length);
  for (let round = 0; round < rounds; round += 1) {
    const odd = round % 2 === 1;
    const parts = [odd ? keys : digest];
    if (round % 3 !== 0) parts.push(salts);
    if (round % 7 !== 0) parts.push(keys);
    parts.push(odd ? digest : keys);
    digest = sha256(...parts);
  }
  return encoded(digest);
}

/** Step 22: six bits a character, the lowest first. */
function encoded(digest: Uint8Array): string {
  const at = (index: number): number => digest[index] ?? 0;
  const groups = GROUPS.map(([high, middle, low]) =>
    characters((at(high) << 16) | (at(middle) << 8) | at(low), 4),
  );
  return [...groups, characters((at(BLOCK - 1) << 8) | at(BLOCK - 2), 3)].join('');
}

function characters(bits: number, count: number): string {
  return Array.from({ length: count }, (_, index) => ALPHABET[(bits >> (6 * index)) & 63]).join('');
}

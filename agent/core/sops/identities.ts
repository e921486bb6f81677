import { Secret } from '../secret.ts';

/** What a key file holds, or why it cannot be used. Neither says anything of the keys. */
export type Identities =
  | { readonly status: 'ok'; readonly identities: readonly Secret[] }
  | { readonly status: 'refused'; readonly why: string };

const IDENTITIES_MAX = 100;

/** Pure. The text of a key file as `age-keygen` writes it: an identity a line, `#` comments. */
export function readIdentities(text: string): Identities {
  const identities: Secret[] = [];
  if (/^(?:age-encryption\.org|-----BEGIN AGE)/.test(text)) {
    return refused('it is encrypted with a passphrase: nobody is there to type it');
  }
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const written = line.trim();
    if (written === '' || written.startsWith('#')) continue;
    const at = `line ${String(index + 1)}`;
    if (/^AGE-PLUGIN-/i.test(written))
      return refused(`${at} is for a plugin, and no plugin is run`);
    if (/^AGE1/i.test(written)) return refused(`${at} is a recipient, not an identity`);
    if (!/^AGE-SECRET-KEY-(?:PQ-)?1/i.test(written) || !isBech32(written)) {
      return refused(`${at} is no age identity (\`AGE-SECRET-KEY-1…\`)`);
    }
    identities.push(new Secret(written));
  }
  if (identities.length === 0) return refused('it holds no age identity');
  if (identities.length > IDENTITIES_MAX) return refused('it holds more than 100 identities');
  return { status: 'ok', identities };
}

function refused(why: string): Identities {
  return { status: 'refused', why };
}

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** Pure. Whether a text is whole by its checksum (BIP 173): a key that was cut or mistyped is not. */
export function isBech32(written: string): boolean {
  const text = written.toLowerCase();
  if (text !== written && written !== written.toUpperCase()) return false;
  const at = text.lastIndexOf('1');
  const prefix = Buffer.from(text.slice(0, at));
  const data = Array.from(text.slice(at + 1), (letter) => ALPHABET.indexOf(letter));
  if (at < 1 || data.length < 6 || data.includes(-1)) return false;
  const words = [...prefix.map((one) => one >> 5), 0, ...prefix.map((one) => one & 31)];
  return [...words, ...data].reduce(checksum, 1) === 1;
}

function checksum(sum: number, word: number): number {
  const top = sum >> 25;
  const next = ((sum & 0x1ffffff) << 5) ^ word;
  return GENERATOR.reduce((value, one, bit) => ((top >> bit) & 1 ? value ^ one : value), next);
}

import { createCipheriv, createDecipheriv } from 'node:crypto';

/** What kind of value a ciphertext holds, as SOPS writes it at its end. */
export type SopsType = 'str' | 'int' | 'float' | 'bool' | 'bytes' | 'comment' | 'time';

/** One value in clear. */
export interface Clear {
  readonly type: SopsType;
  readonly bytes: Uint8Array;
}

/** What came of opening a value. `form`: it is no ciphertext as SOPS writes them. `content`: the data key does not open it here. */
export type Opened =
  { readonly status: 'ok'; readonly clear: Clear } | { readonly status: 'form' | 'content' };

const TYPES = new Set<string>(['str', 'int', 'float', 'bool', 'bytes', 'comment', 'time']);
const BASE64 = '(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?';
const sealedForm = new RegExp(
  `^ENC\\[AES256_GCM,data:(${BASE64}),iv:(${BASE64}),tag:(${BASE64}),type:([a-z0-9]+)\\]$`,
);
const ALGORITHM = 'aes-256-gcm';
const NONCE_BYTES = 32;
const TAG_BYTES = 16;
/** Of a data key. */
export const KEY_BYTES = 32;

/** Pure. Whether a value is, or was meant to be, a ciphertext of SOPS. */
export function looksSealed(text: string): boolean {
  return text.startsWith('ENC[AES256_GCM,');
}

/** Pure. Opens one value. `place`: the additional data, by which SOPS ties a value to its key. */
export function open(sealed: string, key: Uint8Array, place: string): Opened {
  const [, data, nonce, tag, type] = sealedForm.exec(sealed) ?? [];
  if (data === undefined || nonce === undefined || tag === undefined) return { status: 'form' };
  const [nonceBytes, tagBytes] = [Buffer.from(nonce, 'base64'), Buffer.from(tag, 'base64')];
  const known = typeOf(type);
  if (nonceBytes.length === 0 || tagBytes.length !== TAG_BYTES || known === undefined) {
    return { status: 'form' };
  }
  const decipher = createDecipheriv(ALGORITHM, key, nonceBytes, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(tagBytes);
  decipher.setAAD(Buffer.from(place));
  try {
    const bytes = Buffer.concat([decipher.update(Buffer.from(data, 'base64')), decipher.final()]);
    return { status: 'ok', clear: { type: known, bytes } };
  } catch {
    return { status: 'content' };
  }
}

/** Pure. What SOPS ties a value to. */
export function placeOf(path: readonly string[]): string {
  return `${path.join(':')}:`;
}

/** Pure but for `random`, which gives so many bytes that nobody can guess. */
export function seal(
  { type, bytes }: Clear,
  key: Uint8Array,
  place: string,
  random: (bytes: number) => Uint8Array,
): string {
  const nonce = Buffer.from(random(NONCE_BYTES));
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(place));
  const data = Buffer.concat([cipher.update(bytes), cipher.final()]);
  const words = [data, nonce, cipher.getAuthTag()].map((part) => part.toString('base64'));
  return `ENC[AES256_GCM,data:${words[0] ?? ''},iv:${words[1] ?? ''},tag:${words[2] ?? ''},type:${type}]`;
}

function typeOf(text: string | undefined): SopsType | undefined {
  // Older versions tell Go's integers apart by their size.
  if (text === 'int64') return 'int';
  return text !== undefined && isType(text) ? text : undefined;
}

function isType(text: string): text is SopsType {
  return TYPES.has(text);
}

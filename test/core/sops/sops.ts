import { randomBytes } from 'node:crypto';

import { checkSealed, decrypt, type Sealed } from '../../../agent/core/sops/decrypt.ts';
import { detect } from '../../../agent/core/sops/detect.ts';
import { encrypt, type Encryption, formatByName } from '../../../agent/core/sops/encrypt.ts';

/** A data key that everybody knows. */
export const dataKey = Buffer.alloc(32, 7);

/** As somebody wrote it for one holder, who is nobody. */
export const encryption: Encryption = {
  key: dataKey,
  wrapped: [
    {
      recipient: 'age1nobody',
      enc: '-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n-----END AGE ENCRYPTED FILE-----\n',
    },
  ],
  modified: '2026-11-30T08:00:00Z',
  random: (bytes) => randomBytes(bytes),
};

/** The file in clear, encrypted. Throws with what is wrong. */
export function sealedText(
  file: string,
  content: string | Uint8Array,
  more: Partial<Encryption> = {},
): string {
  const format = formatByName(file);
  if (format === undefined) throw new Error('no format');
  const made = encrypt(file, Buffer.from(content), format, { ...encryption, ...more });
  if (made.status === 'wrong') throw new Error(JSON.stringify(made.diagnostics));
  return made.value;
}

/** What is read of an encrypted file without a key; or the codes and messages of what is wrong. */
export function checked(file: string, text: string): Sealed | readonly string[] {
  const found = detect(file, Buffer.from(text));
  if (found.status === 'plain') return ['plain'];
  const sealed = found.status === 'sops' ? checkSealed(found.document) : found;
  if (sealed.status === 'ok') return sealed.value;
  return sealed.diagnostics.map(
    ({ code, message, place }) => `${code} ${place?.line ?? 0}:${place?.column ?? 0} ${message}`,
  );
}

/** The file in clear, or what is wrong with it. */
export function opened(
  file: string,
  text: string,
  key: Uint8Array = dataKey,
): string | readonly string[] {
  const sealed = checked(file, text);
  if (!('document' in sealed)) return sealed;
  const clear = decrypt(sealed, key);
  if (clear.status === 'ok') return Buffer.from(clear.value).toString();
  return clear.diagnostics.map(
    ({ code, message, place }) => `${code} ${place?.line ?? 0}:${place?.column ?? 0} ${message}`,
  );
}

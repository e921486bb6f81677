import { type Diagnostic, placeOfFile } from '../core/diagnostic.ts';
import { decrypt, type Sealed } from '../core/sops/decrypt.ts';
import { detect } from '../core/sops/detect.ts';
import { checkSealed } from '../core/sops/decrypt.ts';
import { keyFile } from '../age/key-file.ts';

/** An encrypted file, opened. */
export interface OpenFile {
  readonly sealed: Sealed;
  readonly key: Uint8Array;
  readonly clear: Uint8Array;
}

/** What came of opening a file: `why` for people, or the mistakes of the file. */
export type FileOpened =
  | { readonly status: 'ok'; readonly file: OpenFile }
  | { readonly status: 'failed'; readonly why: string }
  | { readonly status: 'wrong'; readonly diagnostics: readonly Diagnostic[] };

/** Opens a file by the key file; no part of the key or the content is in what it says. */
export async function openFile(
  name: string,
  bytes: Uint8Array,
  keyPath: string | undefined,
): Promise<FileOpened> {
  const found = detect(name, bytes);
  if (found.status === 'wrong') return found;
  if (found.status === 'plain') return { status: 'failed', why: `${name} is not encrypted` };
  const checked = checkSealed(found.document);
  if (checked.status === 'wrong') return checked;
  const sealed = checked.value;
  if (keyPath === undefined) {
    const why = 'no key: name its file with `--age-key-file`, or in UNDERSTUDY_AGE_KEY_FILE';
    return { status: 'failed', why };
  }
  const keys = await keyFile(keyPath).read();
  if (keys.status === 'unreadable') return { status: 'failed', why: keys.why };
  // Only here: loading it takes longer than all the rest.
  const { identityOf, unwrap } = await import('../age/age.ts');
  for (const secret of keys.identities) {
    const identity = await identityOf(secret);
    for (const { recipient, enc } of sealed.wrapped) {
      if (recipient !== identity.recipient) continue;
      const key = await unwrap(enc, identity);
      if (key.status !== 'ok') continue;
      const clear = decrypt(sealed, key.content);
      if (clear.status === 'wrong') return clear;
      return { status: 'ok', file: { sealed, key: key.content, clear: clear.value } };
    }
  }
  const recipients = sealed.wrapped.map(({ recipient }) => recipient.replace(/[^\w-]/g, ''));
  const message = `no key of ${keyPath} opens the file, which is encrypted for ${recipients.join(', ')}`;
  const place = placeOfFile(name);
  const mistake = { severity: 'error' as const, code: 'encrypted-for-others' as const, message };
  return { status: 'wrong', diagnostics: [{ ...mistake, place }] };
}

import {
  armor,
  Decrypter,
  Encrypter,
  generateX25519Identity,
  identityToRecipient,
} from 'age-encryption';

import type { Secret } from '../core/secret.ts';

/** One age identity with the recipient that belongs to it. */
export interface Identity {
  /** `age1…`, which everybody may know. */
  readonly recipient: string;
  readonly decrypter: Decrypter;
}

/** What came of opening an age file. */
export type Unwrapped =
  | { readonly status: 'ok'; readonly content: Uint8Array }
  | { readonly status: 'damaged' | 'not-for-us' };

/** Pure. The identity behind one `AGE-SECRET-KEY-1…`. Throws where it is none; the message holds nothing of it. */
export async function identityOf(key: Secret): Promise<Identity> {
  try {
    const decrypter = new Decrypter();
    decrypter.addIdentity(key.reveal());
    return { recipient: await identityToRecipient(key.reveal()), decrypter };
  } catch {
    throw new Error('this is not an age identity');
  }
}

/** Opens an armored age file. It is small: the data key of one file. */
export async function unwrap(enc: string, { decrypter }: Identity): Promise<Unwrapped> {
  let file: Uint8Array;
  try {
    file = armor.decode(enc);
  } catch {
    return { status: 'damaged' };
  }
  try {
    return { status: 'ok', content: await decrypter.decrypt(file) };
  } catch (error) {
    // The library has no other word for it.
    const isOthers = error instanceof Error && error.message.startsWith('no identity matched');
    return { status: isOthers ? 'not-for-us' : 'damaged' };
  }
}

/** An armored age file that the holder of the recipient's identity opens. Throws where it is no recipient. */
export async function wrap(content: Uint8Array, recipient: string): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(content));
}

/** A new identity: the key, and who it is. */
export async function newIdentity(): Promise<{ readonly key: string; readonly recipient: string }> {
  const key = await generateX25519Identity();
  return { key, recipient: await identityToRecipient(key) };
}

import { z } from 'zod';

const Text = z.string();
const Keys = z.array(z.unknown()).nullish();

/** What SOPS writes about a file, as far as it matters here. Everything else in it is left alone. */
export const Metadata = z.looseObject({
  age: z
    .array(z.looseObject({ recipient: Text.max(2_000), enc: Text.max(8_000) }))
    .max(100)
    .nullish(),
  pgp: Keys,
  kms: Keys,
  gcp_kms: Keys,
  azure_kv: Keys,
  hc_vault: Keys,
  key_groups: Keys,
  shamir_threshold: z.union([z.number(), Text]).nullish(),
  lastmodified: Text,
  mac: Text,
  unencrypted_suffix: Text.exactOptional(),
  encrypted_suffix: Text.exactOptional(),
  unencrypted_regex: Text.exactOptional(),
  encrypted_regex: Text.exactOptional(),
  unencrypted_comment_regex: Text.exactOptional(),
  encrypted_comment_regex: Text.exactOptional(),
  mac_only_encrypted: z.union([z.boolean(), Text]).nullish(),
  version: Text.exactOptional(),
});
export type Metadata = z.output<typeof Metadata>;

/** The data key, encrypted for one holder of an age identity. */
export interface Wrapped {
  /** `age1…` */
  readonly recipient: string;
  /** An armored age file. */
  readonly enc: string;
}

/** Pure. Whether a value called `sops` is what SOPS writes, whole or damaged, and not somebody's own key of that name. */
export function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const own = ['mac', 'lastmodified', 'age', 'pgp', 'kms', 'key_groups', 'encrypted_regex'];
  return own.filter((key) => Object.hasOwn(value, key)).length >= 2;
}

/** Pure. Whether the digest is over the encrypted values alone. */
export function isOverEncryptedOnly({ mac_only_encrypted: only }: Metadata): boolean {
  return only === true || only === 'true';
}

/** Pure. What a file asks for that this program does not do. */
export function unsupportedIn(metadata: Metadata): string | undefined {
  const { key_groups: groups, age } = metadata;
  if ((groups ?? []).length > 0) return 'its key is split over key groups';
  if (
    (metadata.unencrypted_comment_regex ?? '') !== '' ||
    (metadata.encrypted_comment_regex ?? '') !== ''
  ) {
    return 'comments say which of its values are encrypted';
  }
  if ((age ?? []).length === 0) return 'it is not encrypted for age';
  return undefined;
}

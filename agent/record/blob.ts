import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { canonicalJson } from '../core/digest.ts';

/** `r`: a root. `b`: a bucket of units. */
export type BlobLetter = 'r' | 'b';

/** One immutable Config object of the record. */
export interface Blob {
  /** Names the stored bytes: equal names, equal content. */
  readonly name: string;
  /** base64 */
  readonly data: string;
  /** Stored, as base64 decodes to. */
  readonly bytes: number;
  /** As JSON. */
  readonly inflatedBytes: number;
}

/** What a blob holds, not yet parsed; or why it cannot be had. */
export type Unpacked =
  | { readonly status: 'ok'; readonly json: unknown; readonly bytes: number }
  | { readonly status: 'damaged'; readonly why: string };

/** The engine takes 1 to 1,023,999 bytes as a config (facts/swarm.md). */
const STORED_BYTES_MAX = 1_023_999;
/** A blob that inflates to more is not read, and not written. */
export const INFLATED_BYTES_MAX = 32 * 1024 * 1024;

const BLOB_NAME = /^understudy\.[rb]\.[0-9a-f]{40}$/;

/** Pure. Whether a config of this name is a blob of the record. */
export function isBlobName(name: string): boolean {
  return BLOB_NAME.test(name);
}

/** Pure. The first 40 hex digits of SHA-256, behind the letter: 53 of the 64 characters that a name may have. */
function nameOf(letter: string, stored: Uint8Array): string {
  const hex = createHash('sha256').update(stored).digest('hex').slice(0, 40);
  return `understudy.${letter}.${hex}`;
}

/** Pure. The same content gives the same blob: sorted keys, and a gzip header without a time. */
export function packBlob(letter: BlobLetter, content: unknown): Blob {
  const json = Buffer.from(canonicalJson(content));
  const stored = gzipSync(json, { level: 6 });
  return {
    name: nameOf(letter, stored),
    data: stored.toString('base64'),
    bytes: stored.length,
    inflatedBytes: json.length,
  };
}

/** Pure. What was stored under `name`, checked against that name. `data` is base64. */
export function unpackBlob(name: string, data: string): Unpacked {
  if (data.length > Math.ceil(STORED_BYTES_MAX / 3) * 4) return damaged(name, 'is too large');
  const stored = Buffer.from(data, 'base64');
  if (nameOf(name.slice('understudy.'.length)[0] ?? '', stored) !== name) {
    return damaged(name, 'does not hold what its name says');
  }
  try {
    const text = gunzipSync(stored, { maxOutputLength: INFLATED_BYTES_MAX }).toString('utf8');
    return { status: 'ok', json: JSON.parse(text), bytes: stored.length };
  } catch {
    return damaged(name, 'cannot be unpacked');
  }
}

function damaged(name: string, why: string): Unpacked {
  return { status: 'damaged', why: `config ${name} ${why}` };
}

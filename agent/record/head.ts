import { z } from 'zod';

import { Secret } from '../core/secret.ts';
import type { Head, HeadFormat } from '../reconcile/ports.ts';

/** The Config object whose labels will be the lease and the pointer to the record. Its data never changes. */
const HEAD_NAME = 'understudy.head';

const HeadData = z.object({
  schema: z.literal(1),
  /** 32 bytes, base64: keys the digests of contents, so that a digest reveals nothing of a weak secret. */
  digestKey: z.base64(),
});

/** Pure. `data` is base64 as the engine gives it; undefined where there is no such config. */
export function parseHead(data: string | undefined): Head {
  if (data === undefined) return { status: 'missing' };
  try {
    const json: unknown = JSON.parse(Buffer.from(data, 'base64').toString('utf8'));
    const head = HeadData.safeParse(json);
    if (!head.success) {
      return { status: 'damaged', why: `config ${HEAD_NAME} is not one that this version made` };
    }
    if (Buffer.from(head.data.digestKey, 'base64').length !== 32) {
      return { status: 'damaged', why: `config ${HEAD_NAME} holds no key of 32 bytes` };
    }
    return { status: 'there', digestKey: new Secret(head.data.digestKey) };
  } catch {
    return { status: 'damaged', why: `config ${HEAD_NAME} is not JSON` };
  }
}

/** The head as this version writes and reads it. `random` gives so many fresh random bytes. */
export function headFormat(random: (bytes: number) => Uint8Array): HeadFormat {
  return {
    name: HEAD_NAME,
    parse: parseHead,
    make: (swarm) => {
      const digestKey = Buffer.from(random(32)).toString('base64');
      return Buffer.from(JSON.stringify({ schema: 1, swarm, digestKey })).toString('base64');
    },
  };
}

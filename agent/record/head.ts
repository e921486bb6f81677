import { z } from 'zod';

import { Secret } from '../core/secret.ts';
import type { Head, HeadFormat } from '../reconcile/ports.ts';
import { readJson } from './json.ts';

/** The Config object whose labels are the pointer to the record and what people ask for. Its data never changes. */
export const HEAD_NAME = 'understudy.head';

/** Labels of the head that begin so are what people ask for. */
export const REQUEST_PREFIX = 'understudy.request.';

const HeadData = z.object({
  schema: z.literal(1),
  /** 32 bytes, base64: keys the digests of contents, so that a digest reveals nothing of a weak secret. */
  digestKey: z.base64(),
});

/** The label of the head that names the root. */
const RECORD_LABEL = 'understudy.record';

const Pointer = z.looseObject({ root: z.string().regex(/^understudy\.r\.[0-9a-f]{40}$/) });

/** Labels of a Config object. */
export type Labels = Readonly<Record<string, string>>;

/** Where the head says that the record is. */
export type Pointing =
  | { readonly status: 'nowhere' }
  | { readonly status: 'damaged'; readonly why: string }
  | { readonly status: 'root'; readonly name: string };

/** Pure. */
export function readPointer(labels: Labels): Pointing {
  const text = labels[RECORD_LABEL];
  if (text === undefined) return { status: 'nowhere' };
  const pointer = Pointer.safeParse(readJson(text));
  if (pointer.success) return { status: 'root', name: pointer.data.root };
  return { status: 'damaged', why: `label ${RECORD_LABEL} of config ${HEAD_NAME} names no root` };
}

/** Pure. The labels with the record at `root`, the same object where it is there; what else they say is kept. */
export function pointTo(labels: Labels, root: string): Labels {
  const before = Pointer.safeParse(readJson(labels[RECORD_LABEL] ?? ''));
  if (before.data?.root === root) return labels;
  const pointer = { ...before.data, root };
  return { ...labels, [RECORD_LABEL]: JSON.stringify(pointer) };
}

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

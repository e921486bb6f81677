import { z } from 'zod';

import { canonicalJson } from '../core/digest.ts';
import type { Request } from '../core/unit.ts';
import { type Labels, REQUEST_PREFIX } from './head.ts';
import { readJson } from './json.ts';
import { UnitId } from './shapes.ts';

const KEY = /^understudy\.request\.[0-9a-f]{8}$/;

/** They are shown to people: nothing in them may move a cursor. */
const By = z.string().regex(/^\P{C}{1,100}$/u, 'who asks is 1 to 100 characters that print');
const Release = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'a release is named by the first characters of its digest or revision');
const Digest = z
  .string()
  .regex(/^[0-9a-f]{8,64}$/, 'what is held is named by the first 8 or more digits of its digest');
const RequestContent: z.ZodType<Request> = z.discriminatedUnion('verb', [
  z.object({ verb: z.literal('retry'), id: UnitId, by: By }),
  z.object({
    verb: z.literal('rollback'),
    id: UnitId,
    by: By,
    release: z.exactOptional(Release),
  }),
  z.object({ verb: z.literal('approve'), digest: Digest, by: By }),
]);

/** What the labels of the head ask for. */
export interface Asking {
  readonly requests: readonly Request[];
  /** Labels that ask for nothing this version understands. */
  readonly damaged: readonly string[];
}

interface RequestLabel {
  readonly key: string;
  readonly request: Request | undefined;
}

/** Pure. In the order of the keys, so that everybody reads the same. */
function requestLabels(labels: Labels): readonly RequestLabel[] {
  return Object.keys(labels)
    .filter((key) => key.startsWith(REQUEST_PREFIX))
    .toSorted()
    .map((key) => {
      const parsed = RequestContent.safeParse(readJson(labels[key] ?? ''));
      return { key, request: KEY.test(key) && parsed.success ? parsed.data : undefined };
    });
}

/** Pure. */
export function readRequests(labels: Labels): Asking {
  const all = requestLabels(labels);
  return {
    requests: all.flatMap(({ request }) => (request === undefined ? [] : [request])),
    damaged: all.flatMap(({ key, request }) => (request === undefined ? [key] : [])),
  };
}

/** Pure. The labels without these requests and without damaged ones; other requests stay. */
export function withoutRequests(labels: Labels, taken: readonly Request[]): Labels {
  const texts = new Set(taken.map((request) => canonicalJson(request)));
  const gone = requestLabels(labels)
    .filter(({ request }) => request === undefined || texts.has(canonicalJson(request)))
    .map(({ key }) => key);
  if (gone.length === 0) return labels;
  const keys = new Set(gone);
  return Object.fromEntries(Object.entries(labels).filter(([key]) => !keys.has(key)));
}

/**
 * Pure. The label that asks for `request`, for whoever reaches the Swarm; `random` is 8 fresh hex digits. `refused` where
 * the agent would not understand it.
 */
export function requestLabel(
  request: Request,
  random: string,
):
  | { readonly status: 'ok'; readonly key: string; readonly value: string }
  | { readonly status: 'refused'; readonly why: string } {
  const key = `${REQUEST_PREFIX}${random}`;
  const parsed = RequestContent.safeParse(request);
  if (!parsed.success || !KEY.test(key)) {
    const why = parsed.error?.issues[0]?.message ?? 'a request has 8 hex digits';
    return { status: 'refused', why };
  }
  return { status: 'ok', key, value: canonicalJson(parsed.data) };
}

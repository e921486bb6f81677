import { z } from 'zod';

import { canonicalJson } from '../core/digest.ts';
import type { Request } from '../core/unit.ts';
import type { Labels } from '../reconcile/lease-ports.ts';
import { REQUEST_PREFIX } from './head.ts';
import { readJson } from '../core/json.ts';
import { By, UnitId } from './shapes.ts';

const KEY = /^understudy\.request\.[0-9a-f]{8}$/;

const Release = z
  .string()
  .regex(/^[\w.-]{1,64}$/, 'a release is named by the first characters of its digest or revision');
const Digest = z.string().regex(/^[\w.-]{1,64}$/, 'a digest is 1 to 64 letters and digits');
const HeldDigest = z
  .string()
  .regex(/^[0-9a-f]{8,64}$/, 'what is held is named by the first 8 or more digits of its digest');
const RequestContent: z.ZodType<Request> = z.discriminatedUnion('verb', [
  z.object({
    verb: z.literal('retry'),
    id: UnitId,
    by: By,
    digest: z.exactOptional(Digest),
  }),
  z.object({
    verb: z.literal('rollback'),
    id: UnitId,
    by: By,
    release: z.exactOptional(Release),
    digest: z.exactOptional(Digest),
  }),
  z.object({ verb: z.enum(['suspend', 'resume']), id: UnitId, by: By }),
  z.object({ verb: z.literal('approve'), digest: HeldDigest, by: By }),
  z.object({
    verb: z.literal('reconcile'),
    by: By,
    nonce: z.string().regex(/^[0-9a-f]{8}$/),
    full: z.exactOptional(z.literal(true)),
  }),
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

/**
 * Pure. Whether a pass should look at what is asked, also at what nobody understands. To look at the repository is asked for
 * once: whoever does it says when it is done, which may take a while. `before`: the labels as they were read before.
 */
export function isAsked(labels: Labels, before: Labels): boolean {
  return requestLabels(labels).some(
    ({ key, request }) => request?.verb !== 'reconcile' || labels[key] !== before[key],
  );
}

/**
 * Pure. The labels without these requests and without damaged ones, as far as `seen` had them: what came since stays, because
 * nobody looked at it.
 */
export function withoutRequests(
  labels: Labels,
  { seen, taken }: { readonly seen: Labels; readonly taken: readonly Request[] },
): Labels {
  const texts = new Set(taken.map((request) => canonicalJson(request)));
  const gone = requestLabels(seen)
    .filter(({ request }) => request === undefined || texts.has(canonicalJson(request)))
    .map(({ key }) => key)
    .filter((key) => labels[key] === seen[key]);
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

import { z } from 'zod';

import { TimeZone } from '../../schemas/common.ts';
import { diagnosticCodes } from '../core/codes.ts';
import type { DiagnosticCode } from '../core/codes.ts';
import { unitFromWire } from './unit-spec.ts';

/**
 * What the agent and its renderer say to each other: one JSON text a line, over pipes. One render at a time:
 * `begin`, lists in pieces, `start`; then the child asks (`need`) and is answered (`contents` ..., `blobs`) until `done`.
 */

/** Longest line either side takes, in bytes: a unit with a few configs of the largest size. */
export const LINE_BYTES_MAX = 8 * 2 ** 20;

/** The word by which the renderer's process is told that there will be keys. The keys themselves come through the pipe. */
export const WITH_KEYS = 'with-keys';

/** How many list items go into one line. */
export const ITEMS_A_LINE = 500;

/** Contents go into one line until it has so many characters. One that is larger goes alone: even then it fits. */
export const CONTENTS_A_LINE = 256 * 2 ** 10;

const count = z.number().int().nonnegative();

/** What the agent sends. */
export const ToChild = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('begin'),
    environment: z.string(),
    timeLimitMs: z.number(),
    /** Where images stand is wanted too. */
    images: z.literal(true).exactOptional(),
  }),
  /** The age identities of this agent, one text each; `locked`: nobody needs to have the key of an encrypted file. */
  z.strictObject({
    type: z.literal('keys'),
    identities: z.array(z.string()).max(100),
    locked: z.boolean(),
  }),
  z.strictObject({
    type: z.literal('entries'),
    entries: z.array(z.tuple([z.string(), z.string(), count])),
  }),
  /** Digests of units that the agent has already: their content is left out. */
  z.strictObject({ type: z.literal('known'), digests: z.array(z.string()) }),
  z.strictObject({ type: z.literal('start') }),
  /** Blobs with what they hold, in base64. */
  z.strictObject({
    type: z.literal('contents'),
    contents: z.array(z.tuple([z.string(), z.string()])),
  }),
  z.strictObject({ type: z.literal('blobs') }),
  /** Between two renders: what they left behind is given back. There is no answer. */
  z.strictObject({ type: z.literal('compact') }),
]);
export type ToChild = z.output<typeof ToChild>;

const place = z.strictObject({
  file: z.string(),
  line: count,
  column: count,
  length: count,
  quoted: z.string(),
  quotedFrom: count.exactOptional(),
  path: z.string().exactOptional(),
});

const diagnostic = z.strictObject({
  severity: z.enum(['error', 'warning']),
  code: z.custom<DiagnosticCode>(
    (code) => typeof code === 'string' && Object.hasOwn(diagnosticCodes, code),
  ),
  message: z.string(),
  place: place.exactOptional(),
  hint: z.string().exactOptional(),
});

const id = z.templateLiteral([z.string(), '/', z.string()]);
const texts = z.array(z.string());
const numbers = z.array(count).readonly();

const rollout = z.strictObject({
  atOnce: count.min(1),
  maxFailures: count.min(1),
  pauseMs: count,
  canary: z.array(id).readonly(),
  onFailure: z.enum(['pause', 'rollback']),
});

const window = z.strictObject({
  cron: z.strictObject({
    minutes: numbers,
    hours: numbers,
    days: numbers,
    months: numbers,
    weekdays: numbers,
  }),
  durationMs: count,
  timeZone: TimeZone,
  stacks: texts.readonly(),
});

/** What the child answers. */
export const FromChild = z.discriminatedUnion('type', [
  /** Once, before it reads anything: its program is loaded, and it is not root (any more). */
  z.strictObject({ type: z.literal('ready') }),
  z.strictObject({ type: z.literal('need'), blobs: texts }),
  /** The file that is being rendered now: the last one said is where a crash happened. */
  z.strictObject({ type: z.literal('at'), file: z.string() }),
  z.strictObject({
    type: z.literal('unit'),
    id,
    digest: z.string().regex(/^[0-9a-f]{64}$/),
    place,
    dependsOn: z.array(id),
    needs: texts,
    gives: texts,
    suspended: z.literal(true).exactOptional(),
    movedFrom: id.exactOptional(),
    locked: count.exactOptional(),
    closed: z.literal(true).exactOptional(),
    spec: unitFromWire.exactOptional(),
  }),
  z.strictObject({
    type: z.literal('images'),
    images: z.array(z.strictObject({ image: z.string(), place })),
  }),
  z.strictObject({ type: z.literal('diagnostics'), diagnostics: z.array(diagnostic) }),
  z.strictObject({
    type: z.literal('done'),
    settings: z.strictObject({
      intervalMs: z.number(),
      retryIntervalMs: z.number(),
      removals: z.strictObject({ max: count, share: count }),
      rollout: rollout.exactOptional(),
      windows: z.array(window).readonly().exactOptional(),
      dataMovement: z.enum(['never', 'healthy', 'always']).exactOptional(),
    }),
    work: z.strictObject({ rendered: count, kept: count }),
  }),
]);
export type FromChild = z.output<typeof FromChild>;

/** What the child says of a render. */
export type Reply = Exclude<FromChild, { type: 'ready' }>;

/** Pure. Parts of a list, each short enough for a line. */
export function* pieces<Item>(items: readonly Item[]): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += ITEMS_A_LINE) {
    yield items.slice(from, from + ITEMS_A_LINE);
  }
}

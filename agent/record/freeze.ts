import { z } from 'zod';

import type { Freeze } from '../core/freeze.ts';
import { canonicalJson } from '../core/digest.ts';
import type { Labels } from '../reconcile/lease-ports.ts';
import { HEAD_NAME } from './head.ts';
import { readJson } from '../core/json.ts';
import { By } from './shapes.ts';

/** The label of the head that holds everything: one write of whoever reaches the Swarm, no agent needed. */
export const FREEZE_LABEL = 'understudy.freeze';

/** With or without seconds: people write it by hand too. */
const Time = z.union([
  z.iso.datetime({ offset: true }),
  z.iso.datetime({ offset: true, precision: -1 }),
]);

const FreezeContent = z.looseObject({
  by: By,
  why: z.string().regex(/^\P{C}{1,300}$/u, 'why is one line of 1 to 300 characters that print'),
  until: z.exactOptional(Time),
});

/**
 * Pure. The freeze that is in force at this time, ISO 8601 of the wall clock: the only decision that reads it, because its
 * end was said in that clock by a person. What cannot be read is a freeze without end: somebody meant one.
 */
export function readFreeze(labels: Labels, date: string): Freeze | undefined {
  const text = labels[FREEZE_LABEL];
  if (text === undefined) return undefined;
  const content = FreezeContent.safeParse(readJson(text));
  if (!content.success) {
    const why = `label ${FREEZE_LABEL} of config ${HEAD_NAME} cannot be read, which is taken as a freeze`;
    return { by: 'somebody', why };
  }
  const { by, why, until } = content.data;
  if (until === undefined) return { by, why };
  const leftMs = Date.parse(until) - Date.parse(date);
  const inUtc = new Date(until).toISOString();
  return leftMs > 0 ? { by, why, until: inUtc, leftMs } : undefined;
}

/** Pure. The label that freezes everything; `refused` where an agent would not understand it as it is meant. */
export function freezeLabel({
  by,
  why,
  until,
}: Freeze):
  | { readonly status: 'ok'; readonly value: string }
  | { readonly status: 'refused'; readonly why: string } {
  const content = FreezeContent.safeParse({ by, why, ...(until !== undefined && { until }) });
  if (content.success) return { status: 'ok', value: canonicalJson(content.data) };
  return { status: 'refused', why: content.error.issues[0]?.message ?? 'it cannot be read' };
}

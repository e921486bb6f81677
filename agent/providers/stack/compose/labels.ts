import type { z } from 'zod';

import type { ListOrMap } from '../../../../schemas/compose-common.ts';
import type { Path } from '../../../core/parse.ts';
import type { Notes } from './notes.ts';

/** The label that makes an engine's resource part of a stack. */
export const NAMESPACE_LABEL = 'com.docker.stack.namespace';
/** The label that keeps the image as the file writes it. */
export const IMAGE_LABEL = 'com.docker.stack.image';

/** Pure. `KEY=VALUE` split at the first `=`; undefined as value where there is none. */
export function splitPair(item: string): [string, string | undefined] {
  const at = item.indexOf('=');
  return at < 0 ? [item, undefined] : [item.slice(0, at), item.slice(at + 1)];
}

/** Pure. Labels of either form, with the stack's own laid over them. */
export function convertLabels(
  labels: z.output<typeof ListOrMap> | undefined,
  own: Readonly<Record<string, string>>,
): Record<string, string> {
  const pairs = Array.isArray(labels) ? labels.map(splitPair) : Object.entries(labels ?? {});
  return Object.fromEntries([
    ...pairs.map(([key, value]): [string, string] => [key, value ?? '']),
    ...Object.entries(own),
  ]);
}

/** Notes items of a list that are there twice: Compose refuses them. */
export function noteDuplicates(list: unknown, path: Path, notes: Notes): void {
  if (!Array.isArray(list)) return;
  const seen = new Set<string>();
  for (const [index, item] of list.entries()) {
    const text = JSON.stringify(item);
    if (text === undefined) continue;
    if (seen.has(text)) notes.error('conflict', [...path, index], 'this item is listed twice');
    seen.add(text);
  }
}

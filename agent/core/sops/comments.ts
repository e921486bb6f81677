import type { CST } from 'yaml';

import type { Leaf } from './text.ts';
import type { Container } from './yaml.ts';

/**
 * Pure. The comments of a YAML text, with the mapping that SOPS most likely counts each one to. `containers`: in the order of
 * the text.
 */
export function commentsOf(
  text: string,
  tokens: readonly CST.Token[],
  containers: readonly Container[],
): readonly Leaf[] {
  const found: Leaf[] = [];
  let keys: Keys | undefined;
  for (const { offset, source } of commentTokens(tokens)) {
    keys ??= new Keys(text, containers);
    const path = pathAt(text, offset, keys);
    const range = { start: offset + 1, end: offset + source.length };
    found.push({ path, range, value: source.slice(1) });
  }
  return found;
}

interface Comment {
  readonly offset: number;
  readonly source: string;
}

function* commentTokens(part: unknown): Generator<Comment> {
  if (Array.isArray(part)) {
    for (const item of part) yield* commentTokens(item);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  if ('type' in part && part.type === 'comment' && 'offset' in part && 'source' in part) {
    const { offset, source } = part;
    if (typeof offset === 'number' && typeof source === 'string') yield { offset, source };
    return;
  }
  for (const value of Object.values(part)) {
    if (typeof value === 'object') yield* commentTokens(value);
  }
}

/** Alone in a line: that of the next key in the same column; else that of the key before it. */
function pathAt(text: string, offset: number, keys: Keys): readonly string[] {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const column = offset - from;
  const alone = text.slice(from, offset).trim() === '';
  const before = keys.all[lastBefore(keys.all, offset)];
  if (!alone) return before?.path ?? [];
  const after = keys.all[lastBefore(keys.all, offset) + 1];
  if (after?.column === column) return after.path;
  const inColumn = keys.inColumn.get(column) ?? [];
  return (inColumn[lastBefore(inColumn, offset)] ?? before)?.path ?? [];
}

/** A key of a mapping and where it stands in its line. */
interface Key {
  readonly at: number;
  readonly column: number;
  readonly path: readonly string[];
}

/** The keys of a text in its order, each looked at once: a comment looks at a few of them only. */
class Keys {
  readonly all: readonly Key[];
  readonly inColumn: ReadonlyMap<number, readonly Key[]>;

  constructor(text: string, containers: readonly Container[]) {
    let line = 0;
    let next = text.indexOf('\n');
    this.all = containers.map(({ keyAt: at, path }) => {
      while (next !== -1 && next < at) {
        line = next + 1;
        next = text.indexOf('\n', line);
      }
      return { at, column: at - line, path };
    });
    this.inColumn = Map.groupBy(this.all, ({ column }) => column);
  }
}

/** Where in the list the last key before an offset is; -1: none is. */
function lastBefore(keys: readonly Key[], offset: number): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle]?.at ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

import type { CST } from 'yaml';

import type { Leaf } from './text.ts';
import type { Container } from './yaml.ts';

/** Pure. The comments of a YAML text, with the mapping that SOPS most likely counts each one to. */
export function commentsOf(
  text: string,
  tokens: readonly CST.Token[],
  containers: readonly Container[],
): readonly Leaf[] {
  const found: Leaf[] = [];
  for (const { offset, source } of commentTokens(tokens)) {
    const path = pathAt(text, offset, containers);
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
function pathAt(text: string, offset: number, containers: readonly Container[]): readonly string[] {
  const from = text.lastIndexOf('\n', offset - 1) + 1;
  const column = offset - from;
  const alone = text.slice(from, offset).trim() === '';
  const columnOf = ({ keyAt }: Container): number => keyAt - text.lastIndexOf('\n', keyAt - 1) - 1;
  const before = containers.findLast(({ keyAt }) => keyAt < offset);
  if (!alone) return before?.path ?? [];
  const after = containers.find(({ keyAt }) => keyAt > offset);
  if (after !== undefined && columnOf(after) === column) return after.path;
  const beside = containers.findLast((one) => one.keyAt < offset && columnOf(one) === column);
  return beside?.path ?? before?.path ?? [];
}

import { Float, Timestamp } from './scalars.ts';
import type { Tree } from './tree.ts';

/**
 * Pure. The plain data of a tree. Every alias becomes a copy of its own, so that nobody who walks or changes the
 * data meets a part twice; the size was checked before.
 */
export function treeValue(tree: Tree, exact: boolean): unknown {
  if (tree.kind === 'list') return tree.items.map((item) => treeValue(item, exact));
  if (tree.kind === 'mapping') {
    const mapping = emptyMapping();
    for (const { key, value } of tree.entries.values()) mapping[key] = treeValue(value, exact);
    return mapping;
  }
  if (!exact && tree.value instanceof Float) return tree.value.value;
  if (!exact && tree.value instanceof Timestamp) return tree.text;
  return tree.value;
}

/** Without a prototype, so that a key such as `constructor` is absent unless it is written. */
function emptyMapping(): Record<string, unknown> {
  const mapping: Record<string, unknown> = { __proto__: null };
  return mapping;
}

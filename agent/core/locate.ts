import type { Place } from './diagnostic.ts';
import type { Lines, Range } from './lines.ts';
import type { Path } from './path.ts';
import type { Tree } from './tree.ts';

interface Found {
  readonly tree: Tree;
  /** How much of the path exists. */
  readonly path: Path;
  /** The key that leads to the last part, absent at the top and for items of lists. */
  readonly keyRange?: Range;
}

/** Pure. Where the part at `path` stands, or the nearest part that exists. */
export function findPlace(lines: Lines, tree: Tree, path: Path, on: 'key' | 'value'): Place {
  const found = walk(tree, path);
  return lines.place(rangeFor(found, on, lines), found.path);
}

/** Pure. The text of the scalar at `path`; undefined where there is none. */
export function findText(tree: Tree, path: Path): string | undefined {
  const found = walk(tree, path);
  return found.path.length === path.length && found.tree.kind === 'scalar'
    ? found.tree.text
    : undefined;
}

function walk(tree: Tree, path: Path): Found {
  let found: Found = { tree, path: [] };
  for (const part of path) {
    const next = step(found.tree, part);
    if (next === undefined) return found;
    found = { ...next, path: path.slice(0, found.path.length + 1) };
  }
  return found;
}

function step(tree: Tree, part: string | number): Omit<Found, 'path'> | undefined {
  if (tree.kind === 'mapping') {
    const entry = tree.entries.get(String(part));
    return entry === undefined ? undefined : { tree: entry.value, keyRange: entry.keyRange };
  }
  if (tree.kind === 'list') {
    const item = typeof part === 'number' ? tree.items[part] : undefined;
    return item === undefined ? undefined : { tree: item };
  }
  return undefined;
}

/** A value that is not written, or that takes several lines, is shown at its key. */
function rangeFor({ tree, keyRange }: Found, on: 'key' | 'value', lines: Lines): Range {
  if (keyRange === undefined) return tree.range;
  if (on === 'key') return keyRange;
  const { start, end } = tree.range;
  const block = tree.kind !== 'scalar' && !tree.flow;
  const empty = start === end;
  const elsewhere = block && lines.lineOf(start) !== lines.lineOf(keyRange.start);
  return empty || elsewhere ? keyRange : tree.range;
}

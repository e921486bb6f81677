import type { Located, Path } from '../../../core/parse.ts';
import { isMapping } from './variables.ts';

/** Where a part is written. */
export interface Origin {
  readonly located: Located;
  readonly path: Path;
}

/** A value together with where it is written: what several files become one value by. */
export type Part = { readonly from: Origin } & (
  | { readonly kind: 'map'; readonly fields: ReadonlyMap<string, Part> }
  | { readonly kind: 'list'; readonly items: readonly Part[] }
  | { readonly kind: 'scalar'; readonly value: unknown }
);

/** Pure. `value` as it stands in its file, at `path`. */
export function partOf(value: unknown, located: Located, path: Path = []): Part {
  return build(value, path, (at) => ({ located, path: at }));
}

/** Pure. A value that is not written so but comes from what is written at `from`, all of it. */
export function partFrom(value: unknown, from: Origin): Part {
  return build(value, [], () => from);
}

function build(value: unknown, path: Path, origin: (path: Path) => Origin): Part {
  const from = origin(path);
  if (Array.isArray(value)) {
    const items = value.map((item, index) => build(item, [...path, index], origin));
    return { kind: 'list', from, items };
  }
  if (!isMapping(value)) return { kind: 'scalar', from, value };
  const fields = Object.entries(value).map(([key, field]): [string, Part] => [
    key,
    build(field, [...path, key], origin),
  ]);
  return { kind: 'map', from, fields: new Map(fields) };
}

/** Pure. The plain value. */
export function valueOf(part: Part): unknown {
  switch (part.kind) {
    case 'map':
      return Object.fromEntries([...part.fields].map(([key, field]) => [key, valueOf(field)]));
    case 'list':
      return part.items.map(valueOf);
    case 'scalar':
      return part.value;
  }
}

/** Pure. The field of a mapping; undefined where there is none. */
export function fieldOf(part: Part | undefined, key: string): Part | undefined {
  return part?.kind === 'map' ? part.fields.get(key) : undefined;
}

/** Pure. The items of a list; none of anything else. */
export function itemsOf(part: Part | undefined): readonly Part[] {
  return part?.kind === 'list' ? part.items : [];
}

/** Pure. The whole as if it were one document: a place is that of the file in which the part really stands. */
export function locatedOf(whole: Part): Located {
  return {
    file: whole.from.located.file,
    value: valueOf(whole),
    place: (path, on) => {
      const { from, rest } = deepest(whole, path);
      return from.located.place([...from.path, ...rest], on);
    },
    text: (path) => {
      const { from, rest } = deepest(whole, path);
      return from.located.text([...from.path, ...rest]);
    },
  };
}

/** The innermost part on the path that exists, and what of the path is left. */
function deepest(whole: Part, path: Path): { readonly from: Origin; readonly rest: Path } {
  let part = whole;
  for (const [index, key] of path.entries()) {
    const next = typeof key === 'number' ? itemsOf(part)[key] : fieldOf(part, key);
    if (next === undefined) return { from: part.from, rest: path.slice(index) };
    part = next;
  }
  return { from: part.from, rest: [] };
}

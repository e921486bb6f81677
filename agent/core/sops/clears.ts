import type { Path } from '../path.ts';
import { resolvePlain } from '../scalars.ts';
import type { Entry, ScalarTree, Tree } from '../tree.ts';
import type { Clear } from './cipher.ts';
import type { Leaf } from './text.ts';
import { yamlScalar } from './values.ts';

/** The encrypted values of a document, as they are read in place of what stands in its text. */
export interface Clears {
  /** By the offset at which the ciphertext begins. */
  readonly values: ReadonlyMap<number, ClearScalar>;
  /** Nobody has the key here: each ciphertext stands for itself. */
  readonly locked: boolean;
  /** All that was decrypted, as text: what must not be shown. */
  readonly words: readonly string[];
}

type ClearScalar = Pick<ScalarTree, 'value' | 'text'>;

const KEY = 'sops';

/** Pure. What was opened, for reading. */
export function clearsOf(opened: ReadonlyMap<Leaf, Clear>): Clears {
  const values = new Map<number, ClearScalar>();
  const words = new Set<string>();
  for (const [{ range }, clear] of opened) {
    const scalar = scalarOf(clear);
    values.set(range.start, scalar);
    words.add(Buffer.from(clear.bytes).toString()).add(scalar.text);
  }
  return { values, locked: false, words: [...words] };
}

/** Pure. What stays closed, for reading. */
export function standInsOf(sealed: readonly Leaf[]): Clears {
  const values = sealed.flatMap(({ range, value }): [number, ClearScalar][] =>
    typeof value === 'string' ? [[range.start, { value, text: value }]] : [],
  );
  return { values: new Map(values), locked: true, words: [] };
}

/** As `sops decrypt` would write it and Docker read it. */
function scalarOf(clear: Clear): ClearScalar {
  const text = Buffer.from(clear.bytes).toString();
  switch (clear.type) {
    case 'str':
    case 'bytes':
    case 'comment':
      return { value: text, text };
    case 'int':
    case 'float':
    case 'bool':
    case 'time': {
      const written = yamlScalar(clear, undefined);
      return { value: resolvePlain(written), text: written };
    }
  }
}

/** A document with its values, and where the encrypted ones stand. */
export interface Uncovered {
  readonly tree: Tree;
  readonly sealed: readonly Path[];
}

/**
 * Pure. The document with its encrypted values, without what SOPS wrote about it. `given`: what a value at the top must be
 * anyway, for documents that stay closed. All ranges are those of the file as it lies in Git: so lines are right, and what
 * is quoted is ciphertext.
 */
export function uncovered(
  tree: Tree,
  { values, locked }: Clears,
  given: Readonly<Record<string, string>> = {},
): Uncovered {
  const sealed: Path[] = [];
  const walk = (part: Tree, path: Path): Tree => {
    if (part.kind === 'list') {
      return { ...part, items: part.items.map((item, index) => walk(item, [...path, index])) };
    }
    if (part.kind === 'mapping') {
      const entries = [...part.entries].flatMap(([key, entry]): [string, Entry][] =>
        path.length === 0 && key === KEY && entry.value.kind === 'mapping'
          ? []
          : [[key, { ...entry, value: walk(entry.value, [...path, key]) }]],
      );
      return { ...part, entries: new Map(entries) };
    }
    const clear = part.range.end > part.range.start ? values.get(part.range.start) : undefined;
    if (clear === undefined) return part;
    const key = String(path[0]);
    const known = locked && path.length === 1 && Object.hasOwn(given, key) ? given[key] : undefined;
    if (known === undefined) sealed.push(path);
    return { ...part, ...(known === undefined ? clear : { value: known, text: known }) };
  };
  return { tree: walk(tree, []), sealed };
}

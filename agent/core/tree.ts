import type { Range } from './lines.ts';
import type { ScalarValue } from './scalars.ts';

/** One key of a mapping with its value. */
export interface Entry {
  readonly key: string;
  readonly keyRange: Range;
  readonly value: Tree;
}

/** How large a part is once every alias is replaced by a copy. */
export interface Size {
  /** Keys of mappings and items of lists, all levels. */
  readonly entries: number;
  /** Levels of mappings and lists. */
  readonly depth: number;
  /** UTF-16 units of all keys and scalars. */
  readonly characters: number;
}

/** A scalar: what it means and, as `text`, what was written (quotes and escapes undone, plain ones as they are). */
export interface ScalarTree {
  readonly kind: 'scalar';
  readonly range: Range;
  readonly size: Size;
  readonly value: ScalarValue;
  readonly text: string;
}

/** A mapping with its merges carried out: what is written in it wins over what is merged. */
export interface MappingTree {
  readonly kind: 'mapping';
  readonly range: Range;
  readonly size: Size;
  readonly flow: boolean;
  readonly entries: ReadonlyMap<string, Entry>;
}

/** A list. */
export interface ListTree {
  readonly kind: 'list';
  readonly range: Range;
  readonly size: Size;
  readonly flow: boolean;
  readonly items: readonly Tree[];
}

/**
 * One YAML document without its library: aliases are replaced by what they name, so the same part may occur more
 * than once, but never inside itself.
 */
export type Tree = ScalarTree | MappingTree | ListTree;

import type { Diagnostic, Place } from '../diagnostic.ts';
import type { Lines, Range } from '../lines.ts';
import type { ScalarValue } from '../scalars.ts';

/** How a file is written. `binary`: JSON around content that is anything. */
export type SopsFormat = 'yaml' | 'json' | 'dotenv' | 'binary';

/** One value or comment of a file, and where it stands in its text. */
export interface Leaf {
  /** Keys from the top; positions in lists are no part of it. */
  readonly path: readonly string[];
  readonly range: Range;
  readonly value: ScalarValue;
  /** Of the lines of a block in YAML; absent where none can stand. */
  readonly indent?: number;
}

/** A file as a list of values. */
export interface SopsText {
  readonly format: SopsFormat;
  readonly text: string;
  readonly lines: Lines;
  /** In the order of the file. */
  readonly leaves: readonly Leaf[];
  /** The `#` is no part of them. Their path is that of the mapping they stand in, as well as that can be seen. */
  readonly comments: readonly Leaf[];
  /** What SOPS wrote about the file; undefined: nothing. */
  readonly metadata: unknown;
  /** Where that stands: left out of what is decrypted. */
  readonly cuts: readonly Range[];
}

/** A text that was read, or what is wrong with it. */
export type SopsRead =
  | { readonly status: 'read'; readonly document: SopsText }
  | { readonly status: 'wrong'; readonly diagnostics: readonly Diagnostic[] };

/** Pure. The beginning of a file, for what concerns all of it. */
export function startOf(file: string): Place {
  return { file, line: 1, column: 1, length: 1, quoted: '' };
}

/** A piece of the text and what stands there instead. */
export interface Edit extends Range {
  readonly text: string;
}

/** Pure. The text with its edits made; of two that overlap the first counts. */
export function edited(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end, text: instead } of edits.toSorted((a, b) => a.start - b.start)) {
    if (start < at) continue;
    parts.push(text.slice(at, start), instead);
    at = end;
  }
  return [...parts, text.slice(at)].join('');
}

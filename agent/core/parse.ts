import type { CST } from 'yaml';
import { Composer } from 'yaml';
import { TreeBuilder } from './build.ts';
import type { Diagnostic, Place } from './diagnostic.ts';
import type { Limits } from './limits.ts';
import { defaultLimits } from './limits.ts';
import { Lines } from './lines.ts';
import { findPlace, findText } from './locate.ts';
import { Notes } from './notes.ts';
import type { Path } from './path.ts';
import { type Clears, uncovered } from './sops/clears.ts';
import { syntaxMessage } from './syntax.ts';
import { readTokens } from './tokens.ts';
import type { Tree } from './tree.ts';
import { treeValue } from './value.ts';

export type { Limits } from './limits.ts';
export type { Path } from './path.ts';

/** One YAML document: its value, and where each part of it stands in the file. */
export interface Located {
  readonly file: string;
  /**
   * Plain data: null, booleans, numbers, bigint beyond 2^53, texts, arrays, and mappings without a prototype.
   * Aliases and merges are replaced by copies. With `exact` also `Float` and `Timestamp`.
   */
  readonly value: unknown;
  /**
   * The place of the value (or key) at `path`; where the path does not exist, of the nearest part that does. A
   * mapping or list that takes several lines is shown at its key.
   */
  place(path: Path, on?: 'key' | 'value'): Place;
  /** What a scalar says before it is read as a number or date: `1.10` stays `1.10`. Undefined for anything else. */
  text(path: Path): string | undefined;
  /** Where values stand that are encrypted in the file. Absent: it is in clear. */
  readonly sealed?: readonly Path[];
}

/** How a file is read. */
export interface ParseOptions {
  /** For Compose: floats are `Float`, dates `Timestamp`, so that `goText` can print them as Docker does. */
  readonly exact?: boolean;
  /** Tags that are not standard ones are dropped. Default: they are mistakes. */
  readonly anyTag?: boolean;
  readonly limits?: Partial<Limits>;
  /** What is encrypted in it; absent: nothing. */
  readonly clears?: Clears;
  /** What values at the top must be, where nobody can open them. */
  readonly given?: Readonly<Record<string, string>>;
}

/** The documents of a file, none where it has a mistake. A file without any document has none and no mistake. */
export interface Parsed {
  readonly documents: readonly Located[];
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Pure. Reads YAML as Docker's parser does (go-yaml v3), within limits, for hostile text too. Any mistake gives no
 * documents at all: half of a file would ask for half of the services.
 */
export function parseYaml(file: string, text: string, options: ParseOptions = {}): Parsed {
  const { trees, lines, diagnostics } = parseTrees(file, text, options);
  const exact = options.exact === true;
  const { clears, given } = options;
  const documents = trees.map((tree) => {
    if (clears === undefined) return locate(lines, tree, exact);
    const { tree: whole, sealed } = uncovered(tree, clears, given);
    return { ...locate(lines, whole, exact), sealed };
  });
  return { documents, diagnostics };
}

/** What a text is made of: its documents, and the tokens that they were read from. */
export interface ParsedTrees {
  readonly trees: readonly Tree[];
  readonly tokens: readonly CST.Token[];
  readonly lines: Lines;
  readonly diagnostics: readonly Diagnostic[];
}

/** Pure. As `parseYaml`, for one who needs to know where each part of the text stands. */
export function parseTrees(file: string, text: string, options: ParseOptions = {}): ParsedTrees {
  const limits = { ...defaultLimits, ...options.limits };
  const lines = new Lines(file, text);
  const read = readTokens(lines, text, limits);
  if (read.status === 'refused') {
    return { trees: [], tokens: [], lines, diagnostics: [read.diagnostic] };
  }

  const notes = new Notes(lines);
  const trees = compose(
    read.tokens,
    { end: text.length, anyTag: options.anyTag === true },
    notes,
    limits,
  );
  if (notes.any) return { trees: [], tokens: [], lines, diagnostics: notes.list() };
  return { trees, tokens: read.tokens, lines, diagnostics: [] };
}

/** Pure. The beginning of a file, for what is wrong with the file as a whole. */
export function startOf(file: string, text: string): Place {
  return new Lines(file, text).place({ start: 0, end: 1 });
}

/** One syntax error a file: what follows the first is most often its consequence. */
function compose(
  tokens: readonly CST.Token[],
  { end, anyTag }: { readonly end: number; readonly anyTag: boolean },
  notes: Notes,
  limits: Limits,
): readonly Tree[] {
  const composer = new Composer({
    schema: 'failsafe',
    resolveKnownTags: false,
    uniqueKeys: false, // the library compares every key with every other; TreeBuilder checks with a map
    prettyErrors: false,
    logLevel: 'silent',
  });
  const documents = [...composer.compose(tokens, false, end)];
  // What is wrong outside of any document is kept apart by the library, and easily lost.
  const [first] = [...documents, composer.streamInfo()]
    .flatMap(({ errors, warnings }) => [
      ...errors,
      // Tags are judged by TreeBuilder, which knows which ones are standard.
      ...warnings.filter(({ code }) => code !== 'TAG_RESOLVE_FAILED'),
    ])
    .toSorted((one, other) => one.pos[0] - other.pos[0]);
  if (first !== undefined) {
    const { message, hint } = syntaxMessage(first.code, first.message);
    notes.error('syntax', { start: first.pos[0], end: first.pos[1] }, message, hint);
    return [];
  }
  return documents.map((document) => {
    const [start] = document.range;
    return new TreeBuilder(notes, limits, anyTag).build(document.contents, { start, end: start });
  });
}

function locate(lines: Lines, tree: Tree, exact: boolean): Located {
  return {
    file: lines.file,
    value: treeValue(tree, exact),
    place: (path, on = 'value') => findPlace(lines, tree, path, on),
    text: (path) => findText(tree, path),
  };
}

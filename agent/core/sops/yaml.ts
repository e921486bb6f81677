import type { Diagnostic } from '../diagnostic.ts';
import { defaultLimits } from '../limits.ts';
import type { Lines, Range } from '../lines.ts';
import { parseTrees } from '../parse.ts';
import type { MappingTree, Tree } from '../tree.ts';
import { treeValue } from '../value.ts';
import { commentsOf } from './comments.ts';
import type { Leaf, SopsRead } from './text.ts';

/** A file in base64, in JSON. */
const CHARACTERS_MAX = 4 * 2 ** 20;
const INDENT = 4;
const KEY = 'sops';

/** Pure. Reads YAML, or JSON, which is nearly a part of it. Go's own types, as SOPS sees them. */
export function readYaml(file: string, text: string, format: 'yaml' | 'json'): SopsRead {
  // A tab indents in JSON only. As many spaces, so that every place stays what it was.
  const spaced = format === 'json' ? text.replaceAll(/^[ \t]+/gm, (tabs) => ' '.repeat(tabs.length)) : text; // prettier-ignore
  const limits = {
    ...defaultLimits,
    charactersMax: CHARACTERS_MAX,
    expandedCharactersMax: CHARACTERS_MAX,
  };
  const { trees, tokens, lines, diagnostics } = parseTrees(file, spaced, { limits });
  if (diagnostics.length > 0) return { status: 'wrong', diagnostics: diagnostics.map(unquoted) };
  const reader = new LeafReader(lines, spaced);
  for (const tree of trees) {
    if (tree.kind === 'mapping') reader.document(tree, format);
    else if (tree.kind === 'list' || tree.value !== null) reader.notMapping(tree.range);
  }
  const { leaves, containers, metadata, cuts, mistakes } = reader;
  if (mistakes.length > 0) return { status: 'wrong', diagnostics: mistakes };
  const outside = ({ start }: Range): boolean =>
    !cuts.some((cut) => cut.start <= start && start < cut.end);
  const comments =
    format === 'json'
      ? []
      : commentsOf(spaced, tokens, containers).filter(({ range }) => outside(range));
  return { status: 'read', document: { format, text, lines, leaves, comments, metadata, cuts } };
}

/** Lines of such files may hold what nobody should see. */
function unquoted(diagnostic: Diagnostic): Diagnostic {
  const { place } = diagnostic;
  return place === undefined ? diagnostic : { ...diagnostic, place: { ...place, quoted: '' } };
}

/** One key of a mapping, for comments that stand beside it. */
export interface Container {
  readonly path: readonly string[];
  readonly keyAt: number;
  readonly end: number;
}

class LeafReader {
  readonly leaves: Leaf[] = [];
  readonly containers: Container[] = [];
  readonly cuts: Range[] = [];
  readonly mistakes: Diagnostic[] = [];
  metadata: unknown;
  readonly #lines: Lines;
  readonly #text: string;
  #last = -1;

  constructor(lines: Lines, text: string) {
    this.#lines = lines;
    this.#text = text;
  }

  document(tree: MappingTree, format: 'yaml' | 'json'): void {
    const entries = [...tree.entries.values()];
    for (const [index, { key, keyRange, value }] of entries.entries()) {
      if (key !== KEY || value.kind !== 'mapping') {
        this.#containerOf([], keyRange, value);
        this.#walk(value, [key], { parent: keyRange, flow: tree.flow });
        continue;
      }
      this.metadata = treeValue(value, false);
      const before = entries[index - 1]?.value.range.end;
      const cut = format === 'yaml' && !tree.flow ? this.#lineCut(keyRange, value) : undefined;
      this.cuts.push(cut ?? this.#flowCut(keyRange, value, before));
    }
  }

  notMapping(range: Range): void {
    this.#mistake(range, 'only a mapping can be encrypted, not a list or a single value');
  }

  #walk(tree: Tree, path: readonly string[], at: { parent: Range; flow: boolean }): void {
    if (tree.range.start < this.#last) {
      if (this.mistakes.length === 0) {
        this.#mistake(at.parent, 'an alias or a merge cannot stand in an encrypted file');
      }
      return;
    }
    if (tree.kind === 'list') {
      for (const item of tree.items) {
        this.#walk(item, path, { parent: item.range, flow: at.flow || tree.flow });
      }
      return;
    }
    if (tree.kind === 'mapping') {
      for (const { key, keyRange, value } of tree.entries.values()) {
        this.#containerOf(path, keyRange, value);
        this.#walk(value, [...path, key], { parent: keyRange, flow: at.flow || tree.flow });
      }
      return;
    }
    this.#last = tree.range.end;
    if (tree.value === null) return;
    const indent = at.flow ? {} : { indent: this.#indentAt(at.parent, tree.range) };
    this.leaves.push({ path, range: this.#trimmed(tree.range), value: tree.value, ...indent });
  }

  #containerOf(path: readonly string[], key: Range, value: Tree): void {
    this.containers.push({ path, keyAt: key.start, end: value.range.end });
  }

  /** A block ends behind its last line break: that stays. */
  #trimmed({ start, end }: Range): Range {
    let at = end;
    while (at > start && this.#text[at - 1] === '\n') at -= 1;
    return { start, end: at };
  }

  #indentAt(parent: Range, { start }: Range): number {
    const from = this.#lineStart(parent.start === start ? start : parent.start);
    if (parent.start !== start) return parent.start - from + INDENT;
    const dash = /^ */.exec(this.#text.slice(from, start))?.[0].length ?? 0;
    return dash + INDENT;
  }

  #lineStart(offset: number): number {
    return this.#text.lastIndexOf('\n', offset - 1) + 1;
  }

  #lineCut(key: Range, value: Tree): Range {
    const { end } = this.#trimmed(value.range);
    const next = this.#text.indexOf('\n', end);
    return { start: this.#lineStart(key.start), end: next === -1 ? this.#text.length : next + 1 };
  }

  #flowCut(key: Range, value: Tree, before: number | undefined): Range {
    if (before !== undefined) return { start: before, end: value.range.end };
    const { end } = value.range;
    const comma = /^\s*,\s*/.exec(this.#text.slice(end))?.[0];
    if (comma !== undefined) return { start: key.start, end: end + comma.length };
    // Nothing else is in it.
    const { length } = this.#text.slice(0, key.start).trimEnd();
    const more = /^\s*(?=\})/.exec(this.#text.slice(end))?.[0].length ?? 0;
    return { start: length, end: end + more };
  }

  #mistake(range: Range, message: string): void {
    const place = { ...this.#lines.place(range), quoted: '' };
    this.mistakes.push({ severity: 'error', code: 'encryption-unsupported', message, place });
  }
}

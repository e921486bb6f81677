import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Limits } from './limits.ts';
import type { Range } from './lines.ts';
import type { Notes } from './notes.ts';
import type { ScalarTag } from './scalars.ts';
import { resolvePlain, resolveTagged } from './scalars.ts';
import type { Entry, ListTree, MappingTree, ScalarTree, Size, Tree } from './tree.ts';

const tagPrefix = 'tag:yaml.org,2002:';
const scalarTags = new Map<string, ScalarTag>(
  (['null', 'bool', 'int', 'float', 'timestamp', 'str', 'binary'] as const).map((tag) => [
    tagPrefix + tag,
    tag,
  ]),
);

interface WrittenPair {
  readonly key: unknown;
  readonly value: unknown;
}

/**
 * Turns a document of the library into a tree: scalars by Compose's rules, aliases and merges carried out, keys
 * checked. Mistakes go to `notes`; the tree counts only where there are none.
 */
export class TreeBuilder {
  readonly #notes: Notes;
  readonly #limits: Limits;
  readonly #anyTag: boolean;
  /** What each anchor stands for, as far as the text is read; `undefined` while that part is still being read. */
  readonly #anchors = new Map<string, Tree | undefined>();
  /** Entries copied by merges so far: bounded, because a chain of merges copies with the square of its length. */
  #merged = 0;
  #over = false;

  /** `anyTag`: a tag that is not a standard one says nothing, as in go-yaml. */
  constructor(notes: Notes, limits: Limits, anyTag = false) {
    this.#anyTag = anyTag;
    this.#notes = notes;
    this.#limits = limits;
  }

  /** `at` is where a value that is not written at all would stand. */
  build(node: unknown, at: Range): Tree {
    const range = rangeOf(node, at);
    if (isAlias(node)) return this.#alias(node.source, range);
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) return nothing(at);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, undefined);
    const tree = isMap(node)
      ? this.#mapping(node.items, range, node.flow === true)
      : isSeq(node)
        ? this.#list(node.items, range, node.flow === true)
        : this.#scalar(node, range);
    if (isMap(node)) this.#checkTag(node.tag, 'map', range);
    if (isSeq(node)) this.#checkTag(node.tag, 'seq', range);
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, tree);
    return tree;
  }

  #alias(name: string, range: Range): Tree {
    const target = this.#anchors.get(name);
    if (target !== undefined) return target;
    if (this.#anchors.has(name)) {
      const message = `alias \`*${shown(name)}\` stands inside of the part that it names`;
      this.#notes.error('alias-loop', range, message);
    } else {
      const message = `alias \`*${shown(name)}\` has no anchor before it`;
      const hint = `the anchor is written as \`&${shown(name)}\`, in the same document`;
      this.#notes.error('unknown-anchor', range, message, hint);
    }
    return nothing(range);
  }

  #mapping(pairs: readonly WrittenPair[], range: Range, flow: boolean): MappingTree {
    const entries = new Map<string, Entry>();
    const written = new Map<string, Range>();
    const merges: { tree: Tree; range: Range; node: unknown }[] = [];
    for (const pair of pairs) {
      const keyRange = rangeOf(pair.key, range);
      const key = this.#key(pair.key, keyRange);
      const value = this.build(pair.value, keyRange);
      if (key === undefined) continue;
      const first = written.get(key);
      if (first !== undefined) {
        const line = this.#notes.lines.lineOf(first.start);
        const message = `key \`${shown(key)}\` is already written in line ${line}`;
        this.#notes.error('duplicate-key', keyRange, message);
        continue;
      }
      written.set(key, keyRange);
      if (isMergeKey(pair.key)) {
        merges.push({ tree: value, range: rangeOf(pair.value, keyRange), node: pair.value });
      } else {
        entries.set(key, { key, keyRange, value });
      }
    }
    for (const { tree, range: at, node } of merges) this.#merge(entries, tree, at, isAlias(node));
    const size = sizeOf([...entries.values()].map(({ key, value }) => [key.length, value.size]));
    this.#checkSize(size, range);
    return { kind: 'mapping', range, size, flow, entries };
  }

  /** As go-yaml: one mapping, or a list of mappings of which the first wins; an alias of a list is neither. */
  #merge(into: Map<string, Entry>, tree: Tree, at: Range, aliased: boolean): void {
    const sources = tree.kind === 'list' && !aliased ? tree.items : [tree];
    for (const source of sources) {
      if (source.kind !== 'mapping') {
        const message = '`<<` merges a mapping or a list of mappings, nothing else';
        const hint = 'write `<<: *name`, and `&name` at a mapping before it';
        this.#notes.error('merge', at, message, hint);
        return;
      }
      for (const entry of source.entries.values()) {
        this.#merged += 1;
        if (this.#merged > this.#limits.entriesMax) return this.#tooLarge(at);
        if (!into.has(entry.key)) into.set(entry.key, entry);
      }
    }
  }

  #list(nodes: readonly unknown[], range: Range, flow: boolean): ListTree {
    const items = nodes.map((node) => this.build(node, rangeOf(node, range)));
    const size = sizeOf(items.map((item) => [0, item.size]));
    this.#checkSize(size, range);
    return { kind: 'list', range, size, flow, items };
  }

  #scalar(node: { value: unknown; type?: string; tag?: string }, range: Range): ScalarTree {
    const text = typeof node.value === 'string' ? node.value : '';
    const size = { entries: 0, depth: 0, characters: text.length };
    if (node.tag === undefined) {
      const value = node.type === 'PLAIN' ? resolvePlain(text) : text;
      return { kind: 'scalar', range, size, value, text };
    }
    const tag = scalarTags.get(node.tag);
    const value = tag === undefined ? undefined : resolveTagged(text, tag);
    if (tag === undefined) this.#unknownTag(node.tag, range);
    else if (value === undefined) {
      this.#notes.error('wrong-value', range, `the value does not fit its tag \`!!${tag}\``);
    }
    return { kind: 'scalar', range, size, value: value ?? text, text };
  }

  /** The text of a key, undefined where it is none. Docker knows texts only: `1:` and `true:` stop its parser. */
  #key(node: unknown, range: Range): string | undefined {
    if (isMergeKey(node)) return '<<';
    const tree = this.build(node, range);
    if (tree.kind !== 'scalar') {
      this.#notes.error('key-type', range, `a ${tree.kind} cannot be a key`);
      return undefined;
    }
    const key = tree.text;
    if (typeof tree.value !== 'string') {
      const hint = key === '' ? undefined : `write it in quotes: \`"${shown(key)}"\``;
      this.#notes.error(
        'key-type',
        range,
        key === '' ? 'a key is missing before the `:`' : `key \`${shown(key)}\` is not a text`,
        hint,
      );
      return undefined;
    }
    if (key === '__proto__') {
      this.#notes.error('key-type', range, 'key `__proto__` is not allowed');
      return undefined;
    }
    return tree.value;
  }

  #checkTag(tag: string | undefined, expected: 'map' | 'seq', range: Range): void {
    if (tag !== undefined && tag !== tagPrefix + expected) this.#unknownTag(tag, range);
  }

  #unknownTag(tag: string, range: Range): void {
    if (this.#anyTag) return;
    const name = tag.startsWith(tagPrefix) ? `!!${tag.slice(tagPrefix.length)}` : tag;
    const hint = 'leave the tag out; a value in quotes is a text';
    this.#notes.error('unknown-tag', range, `tag \`${shown(name)}\` is not supported here`, hint);
  }

  #checkSize(size: Size, range: Range): void {
    const { depthMax, entriesMax, expandedCharactersMax } = this.#limits;
    if (
      size.depth > depthMax ||
      size.entries > entriesMax ||
      size.characters > expandedCharactersMax
    ) {
      this.#tooLarge(range);
    }
  }

  /** Once a file: whatever contains a part that is too large is too large as well. */
  #tooLarge(range: Range): void {
    if (this.#over) return;
    this.#over = true;
    const { depthMax, entriesMax, expandedCharactersMax } = this.#limits;
    this.#notes.error(
      'too-large',
      range,
      `too large with every alias replaced by what it names: the limits are ${depthMax} levels, ` +
        `${entriesMax} keys and list items, ${expandedCharactersMax} characters`,
    );
  }
}

function sizeOf(parts: readonly (readonly [keyCharacters: number, size: Size])[]): Size {
  let entries = parts.length;
  let depth = 0;
  let characters = 0;
  for (const [keyCharacters, size] of parts) {
    entries += size.entries;
    depth = Math.max(depth, size.depth);
    characters += keyCharacters + size.characters;
  }
  return { entries, depth: depth + 1, characters };
}

function nothing(range: Range): ScalarTree {
  const size = { entries: 0, depth: 0, characters: 0 };
  return {
    kind: 'scalar',
    range: { start: range.end, end: range.end },
    size,
    value: null,
    text: '',
  };
}

/** A quoted `"<<"` is an ordinary key. */
function isMergeKey(node: unknown): boolean {
  return (
    isScalar(node) &&
    node.value === '<<' &&
    node.type === 'PLAIN' &&
    (node.tag === undefined || node.tag === `${tagPrefix}merge`)
  );
}

function rangeOf(node: unknown, otherwise: Range): Range {
  if (!isAlias(node) && !isMap(node) && !isSeq(node) && !isScalar(node)) return otherwise;
  const [start, end] = node.range ?? [otherwise.start, otherwise.end];
  return { start, end };
}

/** A name of the file's as a message may hold it. */
function shown(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

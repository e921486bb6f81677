import { Document, Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml';

import { Octal, type Tree } from './tree.ts';

/** Means the same to every reader of YAML without quotes, unless it is one of their words. */
const PLAIN = /^(?:\.\/)?[A-Za-z/][A-Za-z0-9_./@=-]*(?::[A-Za-z0-9_./@=-]+)*$/;
/** Durations and sizes. */
const AMOUNT = /^(?:\d+(?:h|m|s|ms|us|ns))+$|^\d+[KMG]$/;
/** A list of words up to so many characters stands on one line. */
const LINE_LENGTH_MAX = 80;

/**
 * Pure. A Compose file. Every `$` of a value is doubled: a file's variables are replaced, and nothing here is one.
 * `comment`: lines for its beginning.
 */
export function composeText(tree: Tree, comment: readonly string[]): string {
  // The older version: what it takes for something else than text is quoted too, so that every CLI reads the same.
  const document = new Document(nodeOf(tree), { version: '1.1' });
  const text = document.toString(style).replaceAll(HIDDEN, escaped);
  const lines = comment.map((line) => `# ${line}`.trimEnd().replaceAll(HIDDEN, escaped));
  return [...lines, text].join('\n');
}

const style = {
  lineWidth: 0,
  nullStr: '',
  flowCollectionPadding: false,
  singleQuote: true,
} as const;

/** What a terminal or an editor would not show; it stands in double quotes only, where an escape says the same. */
const HIDDEN =
  /[\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function nodeOf(tree: Tree): Scalar | YAMLMap | YAMLSeq {
  if (tree instanceof Octal) return octal(tree);
  if (typeof tree === 'string') return quoted(tree.replaceAll('$', '$$$$'));
  if (typeof tree !== 'object' || tree === null) return new Scalar(tree);
  if (tree instanceof Map) return mapping(tree);
  return sequence([...tree.values()].filter((item) => item !== undefined));
}

function octal({ value }: Octal): Scalar {
  const scalar = new Scalar(value);
  scalar.format = 'OCT';
  return scalar;
}

function mapping(tree: ReadonlyMap<string, Tree>): YAMLMap {
  const map = new YAMLMap();
  map.flow = tree.size === 0;
  // Keys are not looked through for variables.
  for (const [key, value] of tree) map.items.push(new Pair(quoted(key), nodeOf(value)));
  return map;
}

function sequence(items: readonly Tree[]): YAMLSeq {
  const list = new YAMLSeq();
  list.items = items.map(nodeOf);
  const words = items.filter((item) => typeof item === 'string');
  const length = words.reduce((sum, word) => sum + word.length + 4, 0);
  list.flow =
    words.length === items.length &&
    length <= LINE_LENGTH_MAX &&
    !words.some((word) => word.includes('\n'));
  return list;
}

function quoted(text: string): Scalar {
  const scalar = new Scalar(text);
  scalar.type = PLAIN.test(text) || AMOUNT.test(text) ? 'PLAIN' : typeOf(text);
  return scalar;
}

/** Printable without escapes, wherever it is read. */
const SHOWN = /^[\u0020-\u007e\u00c0-\u024f]*$/;

function typeOf(text: string): 'BLOCK_LITERAL' | 'QUOTE_DOUBLE' | 'QUOTE_SINGLE' {
  const lines = text.split('\n');
  const isShown = lines.every((line) => SHOWN.test(line));
  if (lines.length === 1) return isShown && !text.includes("'") ? 'QUOTE_SINGLE' : 'QUOTE_DOUBLE';
  const isBlock =
    isShown &&
    /^[^\s#%-]/.test(text) &&
    !text.endsWith('\n\n') &&
    !lines.some((line) => line.endsWith(' '));
  return isBlock ? 'BLOCK_LITERAL' : 'QUOTE_DOUBLE';
}

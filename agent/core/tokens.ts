import type { CST } from 'yaml';
import { Lexer, Parser } from 'yaml';
import type { Diagnostic } from './diagnostic.ts';
import type { Limits } from './limits.ts';
import type { Lines } from './lines.ts';

/** What the YAML parser may see, or why it may not. */
export type Tokens =
  | { readonly status: 'read'; readonly tokens: readonly CST.Token[] }
  | { readonly status: 'refused'; readonly diagnostic: Diagnostic };

// Control characters, halves of surrogate pairs, and the line breaks that only YAML 1.1 knows: Docker's parser ends
// a line at them, ours does not, so such a text would mean two things. Some are also marks between lexer and parser.
const forbidden =
  // oxlint-disable-next-line no-control-regex
  /[\0-\x08\v\f\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]|\r(?!\n)|(?<!^)\ufeff|\p{Surrogate}/u;

/** Lexemes that begin a key's value, a list item, a flow collection or a document. Anchors and tags count as well. */
const entryStarts = new Set(['-', ':', '?', ',', '[', '{', '---']);
const quotes = new Set(['"', "'"]);
const marks = new Set(['&', '!']);

/**
 * Pure. The concrete syntax of a text, with depth and number of entries bounded while it is read: the library's
 * composer recurses, and a deep text makes it abort the process (its regular expressions no longer compile).
 */
export function readTokens(lines: Lines, text: string, limits: Limits): Tokens {
  if (text.length > limits.charactersMax) {
    const message = `the file has ${text.length} characters, the limit is ${limits.charactersMax}`;
    return tooLarge(lines, 0, message);
  }
  const control = forbidden.exec(text);
  if (control !== null) return refuseCharacter(lines, control.index, control[0]);

  const parser = new Parser();
  const tokens: CST.Token[] = [];
  let entries = 0;
  let before = '';
  for (const lexeme of new Lexer().lex(text)) {
    const offset = parser.offset;
    const first = lexeme.charAt(0);
    if (before !== '\x1f' && quotes.has(first) && !isClosed(lexeme)) {
      return refuseOpenQuote(lines, offset);
    }
    before = lexeme;
    for (const token of parser.next(lexeme)) {
      if (token.type === 'directive') return refuseDirective(lines, token.offset, token.source);
      tokens.push(token);
      // Refused anyway, and a million of them take the composer minutes.
      if (token.type === 'error') return { status: 'read', tokens };
    }
    // The stack also holds the document and a scalar that is being read.
    if (parser.stack.length > limits.depthMax + 2) {
      return tooLarge(lines, offset, `more than ${limits.depthMax} levels of nesting`);
    }
    if (entryStarts.has(lexeme) || marks.has(first)) entries += 1;
    if (entries > limits.entriesMax) {
      return tooLarge(
        lines,
        offset,
        `more than ${limits.entriesMax} keys and list items in one file`,
      );
    }
  }
  for (const token of parser.end()) tokens.push(token);
  return { status: 'read', tokens };
}

/**
 * The library notices a missing quote at the end of the file only, and not at all where the file is cut behind an
 * escaped one: `"a\\"` and `'a''` would be read as complete.
 */
function isClosed(lexeme: string): boolean {
  if (lexeme.startsWith("'")) return (lexeme.split("'").length - 1) % 2 === 0;
  let escapes = 0;
  while (lexeme.at(-2 - escapes) === '\\') escapes += 1;
  return lexeme.length > 1 && lexeme.endsWith('"') && escapes % 2 === 0;
}

function refuseOpenQuote(lines: Lines, offset: number): Tokens {
  const message = 'the quotation mark that is opened here is not closed';
  const place = lines.place({ start: offset, end: offset + 1 });
  return { status: 'refused', diagnostic: { severity: 'error', code: 'syntax', message, place } };
}

function tooLarge(lines: Lines, offset: number, message: string): Tokens {
  const place = lines.place({ start: offset, end: offset + 1 });
  return {
    status: 'refused',
    diagnostic: { severity: 'error', code: 'too-large', message, place },
  };
}

function refuseDirective(lines: Lines, offset: number, source: string): Tokens {
  return {
    status: 'refused',
    diagnostic: {
      severity: 'error',
      code: 'directive',
      message: 'YAML directives are not supported',
      place: lines.place({ start: offset, end: offset + source.length }),
      hint: 'leave the line that begins with `%` out',
    },
  };
}

function refuseCharacter(lines: Lines, offset: number, character: string): Tokens {
  const name = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return {
    status: 'refused',
    diagnostic: {
      severity: 'error',
      code: 'syntax',
      message: `the character U+${name} is not allowed in a YAML file`,
      place: lines.place({ start: offset, end: offset + 1 }),
      hint: 'write it as an escape in double quotes, or leave it out',
    },
  };
}

import type { Place } from './diagnostic.ts';
import type { Path } from './path.ts';
import { looksSecret, maskLine, pathText } from './path.ts';

const quotedMax = 200;
const quotedBefore = 80;

/** A piece of a text, as offsets in UTF-16 units; `end` is behind its last one. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** The lines of one file: turns offsets into places. Lines end with a line feed, with or without a carriage return. */
export class Lines {
  readonly file: string;
  readonly #text: string;
  readonly #starts: readonly number[];

  constructor(file: string, text: string) {
    this.file = file;
    this.#text = text;
    const starts = [0];
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1))
      starts.push(at + 1);
    this.#starts = starts;
  }

  /** The number of the line that holds `offset`, from 1. */
  lineOf(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  }

  /** The place of a range, cut at the end of its first line. The line is quoted without what looks like a secret. */
  place(range: Range, path: Path = []): Place {
    const offset = Math.max(0, Math.min(range.start, this.#text.length));
    const line = this.lineOf(offset);
    const start = this.#starts[line - 1] ?? 0;
    const written = this.#lineText(line);
    const from = Math.min(offset - start, written.length);
    const to = Math.max(from, Math.min(range.end - start, written.length));
    const secret = path.some((part) => typeof part === 'string' && looksSecret(part));
    const shown =
      secret && to > from
        ? `${written.slice(0, from)}[secret]${written.slice(to)}`
        : maskLine(written);
    const cut = shown.length > quotedMax ? Math.max(0, from - quotedBefore) : 0;
    return {
      file: this.file,
      line,
      column: from + 1,
      length: Math.max(1, to - from),
      quoted: shown.slice(cut, cut + quotedMax),
      ...(cut > 0 && { quotedFrom: cut + 1 }),
      ...(path.length > 0 && { path: pathText(path) }),
    };
  }

  #lineText(line: number): string {
    const start = this.#starts[line - 1] ?? 0;
    const next = this.#starts[line];
    const end = next === undefined ? this.#text.length : next - 1;
    const text = this.#text.slice(start, end);
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  }
}

/** A word, a number or a mark; or what stood between quotes, as the server would read it. */
export type Token =
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'name'; readonly text: string }
  | { readonly type: 'bytes'; readonly text: string };

const ESCAPES: Readonly<Record<string, string>> = {
  '0': '\0',
  b: '\b',
  n: '\n',
  r: '\r',
  t: '\t',
  Z: '\x1a',
};

/**
 * Reads a statement as a server with `sql_mode = ''` does, from the manual's description of literals and names and
 * not from the code under test. A comment is an error: no statement of ours has one.
 */
export function tokensOf(statement: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const between = (quote: string, escapes: boolean): string => {
    let read = '';
    for (at += 1; ; at += 1) {
      const next = statement[at];
      if (next === undefined) throw new Error('a quote is open');
      if (next === '\\' && escapes) {
        at += 1;
        const escaped = statement[at] ?? '';
        read += ESCAPES[escaped] ?? escaped;
      } else if (next !== quote) read += next;
      else if (statement[at + 1] === quote) {
        at += 1;
        read += quote;
      } else {
        at += 1;
        return read;
      }
    }
  };
  while (at < statement.length) {
    const rest = statement.slice(at);
    const start = rest[0] ?? '';
    const [bytes] = /^0x[0-9A-F]+/.exec(rest) ?? [];
    const [word] = /^[A-Za-z0-9_]+/.exec(rest) ?? [];
    if (start === "'" || start === '"') tokens.push({ type: 'text', text: between(start, true) });
    else if (start === '`') tokens.push({ type: 'name', text: between('`', false) });
    else if (/^(?:#|--|\/\*)/.test(rest)) throw new Error('a comment');
    else if (bytes !== undefined) {
      at += bytes.length;
      tokens.push({ type: 'bytes', text: Buffer.from(bytes.slice(2), 'hex').toString('latin1') });
    } else if (word !== undefined) {
      at += word.length;
      tokens.push({ type: 'word', text: word });
    } else {
      at += 1;
      if (/\S/.test(start)) tokens.push({ type: 'word', text: start });
    }
  }
  return tokens;
}

/** A command line cut into words, or why it cannot be. */
export type Words =
  | { readonly words: readonly string[] }
  | { readonly problem: 'unclosed quote' | 'nothing after the last backslash' };

/**
 * Pure. Cuts a command line into words as the Docker CLI does: quotes, backslashes, and `#` at the start of a word
 * drops the rest of the line. No variables, no globs: there is no shell.
 */
export function splitWords(text: string): Words {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (quote === "'" || (quote === '"' && char !== '\\')) {
      if (char === quote) quote = '';
      else word = (word ?? '') + char;
    } else if (char === '\\') {
      at += 1;
      if (at >= text.length) return { problem: 'nothing after the last backslash' };
      word = (word ?? '') + text.charAt(at);
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '#' && word === undefined) {
      const end = text.indexOf('\n', at);
      at = end < 0 ? text.length : end;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (quote !== '') return { problem: 'unclosed quote' };
  if (word !== undefined) words.push(word);
  return { words };
}

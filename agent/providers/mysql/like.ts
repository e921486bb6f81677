/** Pure. Which whole names a pattern of a server covers: `%` any text, `_` one character, `\` takes the next one as it is. Capitals do not count. */
export function likePattern(pattern: string): RegExp {
  const source = pattern.replaceAll(/\\(.)|%|_|[.*+?^${}()|[\]]/g, (found, escaped) => {
    if (found === '%') return '.*';
    if (found === '_') return '.';
    return `\\u{${codeOf(typeof escaped === 'string' ? escaped : found)}}`;
  });
  return new RegExp(`^${source}$`, 'iu');
}

function codeOf(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16);
}

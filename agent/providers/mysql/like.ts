/**
 * Pure. Whether a pattern of a server covers a whole name: `%` stands for any text, `_` for one character, and `\` takes the next one
 * as it is. Capitals do not count. Takes as many steps as both are long, multiplied: patterns come from repositories, and a regular
 * expression would try all ways to share a text among many `%`.
 */
export function isLike(name: string, pattern: string): boolean {
  const text = Array.from(name.toLowerCase());
  const parts = partsOf(pattern.toLowerCase());
  let [at, part] = [0, 0];
  /** Where the last `%` stands, and what it covers so far ends. */
  let [any, from] = [-1, 0];
  while (at < text.length) {
    const wanted = parts[part];
    if (wanted === ANY) {
      [any, from] = [part, at];
      part += 1;
    } else if (wanted !== undefined && (wanted === ONE || wanted === text[at])) {
      at += 1;
      part += 1;
    } else if (any >= 0) {
      from += 1;
      [at, part] = [from, any + 1];
    } else return false;
  }
  return parts.slice(part).every((rest) => rest === ANY);
}

const ANY = Symbol('any text');
const ONE = Symbol('one character');

function partsOf(pattern: string): readonly (string | typeof ANY | typeof ONE)[] {
  const parts: (string | typeof ANY | typeof ONE)[] = [];
  const characters = Array.from(pattern);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    if (character === '%') parts.push(ANY);
    else if (character === '_') parts.push(ONE);
    else if (character === '\\' && at + 1 < characters.length) {
      at += 1;
      parts.push(characters[at] ?? '');
    } else parts.push(character);
  }
  return parts;
}

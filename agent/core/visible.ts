const tabColumns = 4;

// Controls, and what changes the direction or order in which a terminal shows text.
const hidden =
  /[\p{Cc}\p{Surrogate}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/u;
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;
const combining = /[\p{Mn}\p{Me}]/u;

/** Pure. A text that a terminal shows as it is: control characters are written as escapes, never passed on. */
export function visible(text: string): string {
  return Array.from(text, visibleCharacter).join('');
}

/** Pure. A quoted line for a terminal: as `visible`, with tabs as spaces. */
export function visibleLine(line: string): string {
  return Array.from(line, (character) =>
    character === '\t' ? ' '.repeat(tabColumns) : visibleCharacter(character),
  ).join('');
}

/** Pure. How many columns of a terminal the line takes as `visibleLine` writes it. */
export function columnsOf(line: string): number {
  let columns = 0;
  for (const character of line) {
    if (character === '\t') columns += tabColumns;
    else if (hidden.test(character)) columns += visibleCharacter(character).length;
    else if (!combining.test(character)) columns += wide.test(character) ? 2 : 1;
  }
  return columns;
}

function visibleCharacter(character: string): string {
  if (!hidden.test(character)) return character;
  if (character === '\n') return '\\n';
  if (character === '\t') return '\\t';
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`;
}

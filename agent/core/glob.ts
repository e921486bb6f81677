/**
 * Pure. Whether a pattern, in which `*` stands for anything, is the whole of a text. In proportion to the product of both
 * lengths, whatever the pattern is: it comes from the repository.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  // Where the last `*` stands, and how far what it stands for reaches.
  let star = -1;
  let reach = 0;
  while (from < text.length) {
    if (pattern[at] === '*') {
      star = at;
      reach = from;
      at += 1;
    } else if (pattern[at] === text[from]) {
      at += 1;
      from += 1;
    } else if (star >= 0) {
      at = star + 1;
      reach += 1;
      from = reach;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

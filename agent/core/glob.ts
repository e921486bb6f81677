/**
 * Pure. Whether a name fits a pattern in which `*` stands for anything, also for nothing. Each part between two stars is
 * looked for once, from left to right: no pattern takes longer than its length times that of the name.
 */
export function globFits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return name === pattern;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= end;
}

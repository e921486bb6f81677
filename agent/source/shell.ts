/** Pure. One word for a POSIX shell, whatever it holds. */
export function quoteForShell(word: string): string {
  return /^[A-Za-z0-9/._=-]+$/u.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Pure. A text as one word of a POSIX shell, quoted only where it must be. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/**
 * Pure. A shell script as a command: its values come as `$1`, `$2` and so on, so that nothing in them is read as a part
 * of the script.
 */
export function shellScript(
  lines: readonly string[],
  values: readonly string[],
): readonly string[] {
  return ['sh', '-c', lines.join(' && '), 'sh', ...values];
}

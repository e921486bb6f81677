const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Pure. Bytes in steps of a thousand: `12.3 MB`. */
export function sizeWords(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** step;
  const digits = step === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[step] ?? ''}`;
}

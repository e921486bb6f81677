const SECOND_NS = 1_000_000_000n;
const parts = [
  ['h', 3600n * SECOND_NS],
  ['m', 60n * SECOND_NS],
  ['s', SECOND_NS],
  ['ms', 1_000_000n],
  ['us', 1_000n],
  ['ns', 1n],
] as const;

/** Pure. `1m30s` of nanoseconds; undefined where the number is absent. */
export function durationText(nanoseconds: number | undefined): string | undefined {
  if (nanoseconds === undefined) return undefined;
  if (nanoseconds === 0) return '0s';
  let rest = BigInt(Math.trunc(Math.abs(nanoseconds)));
  let text = nanoseconds < 0 ? '-' : '';
  for (const [unit, length] of parts) {
    if (rest < length) continue;
    text += `${String(rest / length)}${unit}`;
    rest %= length;
  }
  return text;
}

/** Pure. `512M` of bytes, by the largest power of 1024 that leaves nothing over. */
export function bytesText(bytes: number | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  for (const [power, unit] of [
    [3, 'G'],
    [2, 'M'],
    [1, 'K'],
  ] as const) {
    const length = 1024 ** power;
    if (bytes >= length && bytes % length === 0) return `${String(bytes / length)}${unit}`;
  }
  return String(bytes);
}

/** Pure. `0.5` of billionths of a CPU. */
export function cpusText(nanos: number | undefined): string | undefined {
  if (nanos === undefined) return undefined;
  const digits = String(Math.abs(nanos)).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  const whole = `${nanos < 0 ? '-' : ''}${digits.slice(0, -9)}`;
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

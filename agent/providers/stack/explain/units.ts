/** Bytes in a GiB and in a MiB. */
const GIB = 2 ** 30;
const MIB = 2 ** 20;
const NANO = 1_000_000_000;

/** Pure. `1.5 GiB`, `300 MiB`, `20 bytes`. */
export function bytesInWords(bytes: number): string {
  if (bytes >= GIB) return `${rounded(bytes / GIB)} GiB`;
  return bytes >= MIB ? `${rounded(bytes / MIB)} MiB` : `${String(bytes)} bytes`;
}

/** Pure. `0.5 CPUs`. */
export function cpusInWords(nanoCpus: number): string {
  return `${String(Math.round((nanoCpus / NANO) * 100) / 100)} CPUs`;
}

function rounded(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Nothing may be called anywhere, by somebody's will. */
export interface Freeze {
  readonly by: string;
  readonly why: string;
  /** ISO 8601; absent: until somebody ends it. */
  readonly until?: string;
  /** So much of it was left when it was read, by the wall clock of whoever read it. */
  readonly leftMs?: number;
}

/** Pure. A freeze in one line, for people. */
export function frozenLine({ by, why, until }: Freeze): string {
  const end = until === undefined ? 'understudy unfreeze' : minuteOf(until);
  return `frozen by ${by} until ${end}: ${why}`;
}

/** Pure. A time in UTC, for people: `2026-11-20 18:00 UTC`. */
export function minuteOf(iso: string): string {
  return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

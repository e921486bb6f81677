import type { Id } from '../core/kind.ts';
import type { Doomed } from '../core/purge.ts';

/** How it ended. `shown`: nothing was to be deleted. */
export interface PurgeEnd {
  readonly status: 'gone' | 'shown' | 'refused' | 'unknown';
  readonly code: 0 | 1 | 2 | 3 | 6;
  readonly why?: string;
  /** As it was seen last; absent: it was not looked at. */
  readonly doomed?: Doomed;
}

/** Pure. What would go, before anybody is asked. */
export function doomedLines(
  what: string,
  { host, facts, isThere, notes }: Doomed,
  from: readonly string[],
): readonly string[] {
  const rows: readonly (readonly [string, string])[] = [
    ['at', host],
    ...facts.map(({ label, words }) => [label, words] as const),
    ['not in', from.join('; ')],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    isThere ? what : `${what}: it is gone already, and a note of it is left`,
    ...rows.map(([label, words]) => `  ${label.padEnd(width)}  ${words}`),
    ...notes.map((note) => `  note: ${note}`),
  ];
}

/** Pure. The stable shape of `--json`. */
export function purgeJson(id: Id, what: string | undefined, end: PurgeEnd): object {
  const { status, why, doomed } = end;
  return {
    id,
    ...(what !== undefined && { what }),
    status,
    ...(why !== undefined && { why }),
    ...(doomed !== undefined && {
      host: doomed.host,
      isThere: doomed.isThere,
      facts: Object.fromEntries(doomed.facts.map(({ key, value }) => [key, value])),
      refusals: doomed.refusals,
      notes: doomed.notes,
    }),
  };
}

import type { Late, Seen } from '../../core/kind.ts';
import { heard, type Speaker } from './last-lines.ts';
import type { StackSpec } from './spec.ts';

/** Why one service of a stack does not get on, as far as anybody knows. */
export interface Delay {
  /** Compose key. */
  readonly key: string;
  /** Absent: what the whole stack is told with says it. */
  readonly words?: string;
  readonly speaker?: Speaker;
}

/**
 * Pure. What is told of a stack that takes too long: what holds each service up, and the last lines of the first that can say
 * something, which are read only when that verdict is due. Absent where there is no more to say than `summary`.
 */
export function lateBy(
  delays: readonly Delay[],
  {
    summary,
    seen,
    spec,
  }: { readonly summary: string; readonly seen: Seen; readonly spec: StackSpec },
): { readonly late?: Late } {
  if (seen.logs !== true || delays.length === 0) return {};
  const one = delays.find(({ speaker }) => (speaker?.task ?? speaker?.container) !== undefined);
  const { asks, said } = one?.speaker ? heard(one.speaker, seen, spec) : { asks: [], said: [] };
  // The lines last: nobody knows where they end.
  const others = delays.filter((delay) => delay !== one).map((delay) => inWords(delay, []));
  const told = one === undefined ? undefined : inWords(one, said ?? []);
  const evidence = [summary, ...others, told].filter((part) => part !== undefined).join('; ');
  return { late: { evidence, asks, ...(said === undefined && { reading: true }) } };
}

function inWords({ key, words }: Delay, said: readonly string[]): string | undefined {
  const parts = words === undefined ? said : [words, ...said];
  return parts.length === 0 ? undefined : `${key}: ${parts.join('; ')}`;
}

import type { Asked, Failure, Id, Rendered } from './kind.ts';
import { FIRST_WAIT_MS } from './first-look.ts';
import type { Look, Moved } from './look.ts';
import { watchOf } from './step-rest.ts';
import type { UnitRecord } from './unit.ts';
import type { Watch } from './watch.ts';

/** A unit that would begin, and the other one that still has its place. */
export interface Beginning<Spec> {
  readonly unit: Rendered<Spec>;
  readonly known: UnitRecord | undefined;
  readonly on: Id;
  readonly watch: Watch | undefined;
}

/** What a successor asks before its first call. The watch is of that digest's asking. */
export interface MoveFirst {
  readonly watch: Watch;
  readonly asks: readonly Asked[];
  /** What is waited for. */
  readonly waits?: string;
  /** What it certainly cannot have. */
  readonly failure?: Failure;
}

/**
 * Pure. Whether a successor could begin is asked before the other one is stopped for it, and waited for as long as before any
 * first call. What was answered is kept by asking on, until it begins and looks at that once more.
 */
export function firstOfMove<Spec, Observed, Call>(
  { kind, observed, answers, nowMs }: Look<Spec, Observed, Call>,
  { unit, watch: before }: Pick<Beginning<Spec>, 'unit' | 'watch'>,
): MoveFirst {
  const watch = watchOf(before, `asks for ${unit.digest}`, nowMs);
  const first = kind.first?.(unit, observed, { answers });
  if (first === undefined) return { watch, asks: [] };
  if (first.status === 'failing') return { watch, asks: [], failure: first.failure };
  const { asks = [] } = first;
  const isWaiting = first.status === 'asking' && nowMs - watch.sinceMs < FIRST_WAIT_MS;
  return { watch, asks, ...(isWaiting && { waits: first.why }) };
}

/** Pure. It asks before the other one is stopped. What a person released of that stays so. */
export function asksFirst<Call>(
  { known, on }: Pick<Beginning<unknown>, 'known' | 'on'>,
  { watch, asks, waits = '' }: MoveFirst,
): Moved<Call> {
  const held = `${waits}, before anything is done to ${on}, whose place it takes`;
  return { record: known, watch, operations: [], events: [], held, asks, undecided: true, soon: true }; // prettier-ignore
}

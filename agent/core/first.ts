import type { Answer, Asked, Failure, Operation } from './kind.ts';

/** What a kind says before the first call. `asking`: what must be known to say more. `asks`: its answers are forgotten once it is asked no more. */
export type First =
  | { readonly status: 'clear'; readonly asks?: readonly Asked[] }
  | { readonly status: 'asking'; readonly why: string; readonly asks: readonly Asked[] }
  | { readonly status: 'failing'; readonly failure: Failure };

/** From what it says so. */
export interface FirstInput<Call> {
  /** All that is due. Absent: all that the unit has, whatever is in its way now. */
  readonly operations?: readonly Operation<Call>[];
  readonly answers: ReadonlyMap<string, Answer>;
}

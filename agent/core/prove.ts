import type { Difference, Operation } from './kind.ts';
import { type Look, type Moved, unmoved } from './look.ts';
import type { Watch } from './watch.ts';

/**
 * Pure. What is there and nobody recorded is compared as far as only a call can, before anybody says whether it differs.
 * Undefined where nothing is left to find out. No change of what runs, so nothing but a freeze or a suspension keeps it back.
 */
export function findOut<Call>(
  { nowMs }: Pick<Look<unknown, unknown, Call>, 'nowMs'>,
  { operations }: Difference<Call>,
  watch: Watch,
): Moved<Call> | undefined {
  const proofs = operations.filter(({ proves }) => proves === true);
  if (proofs.length === 0) return undefined;
  const due = nowMs >= watch.retryAtMs ? proofs : [];
  return { ...unmoved<Call>(undefined, watch), operations: due, undecided: true };
}

/** Pure. What would be done, as far as it is known without a call, and what is not known, in words. */
export function withoutProofs<Call>(operations: readonly Operation<Call>[]): {
  readonly known: readonly Operation<Call>[];
  readonly notes: readonly string[];
} {
  const open = operations.filter(({ proves }) => proves === true);
  return {
    known: operations.filter(({ proves }) => proves !== true),
    notes: open.map(
      ({ target }) =>
        `whether the content of ${target} is that of the file is not known before the agent has compared it: if it is not, what uses it restarts`,
    ),
  };
}

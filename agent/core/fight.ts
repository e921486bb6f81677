import { approveWith } from './approve.ts';
import { digestOf } from './digest.ts';
import type { Id, Operation } from './kind.ts';
import type { Moved } from './look.ts';

/** Drift is corrected so often in so long a time; then somebody else wants it otherwise, and nobody wins by haste. */
const CORRECTIONS_MAX = 2;
const CORRECTIONS_MS = 600_000;

/** A difference that was corrected too often. */
export interface Fight {
  /** Names the corrections, not what somebody makes of them each time. Hex. */
  readonly approval: string;
  /** Why it is not corrected now; absent where a person released it. */
  readonly held?: string;
}

/** Pure. A difference that was corrected so often lately, at these times, that a person or time has to say so once more. */
export function foughtOver<Call>(
  { nowMs, approvals }: { readonly nowMs: number; readonly approvals: ReadonlySet<string> },
  id: Id,
  correctedAtMs: readonly number[],
  operations: readonly Operation<Call>[],
): Fight | undefined {
  const recent = correctedAtMs.filter((atMs) => nowMs - atMs < CORRECTIONS_MS);
  if (recent.length < CORRECTIONS_MAX || operations.length === 0) return undefined;
  const corrections = operations.map(({ target, verb, fields }) => ({
    target,
    verb,
    fields: fields.map(({ path, desired }) => ({
      path,
      ...(desired !== undefined && { desired }),
    })),
  }));
  const approval = digestOf({ fight: id, corrections });
  return approvals.has(approval) ? { approval } : { approval, held: fight(operations, approval) };
}

/** Pure. What is judged was changed by hand, and that is corrected now: when that was is remembered. */
export function remembered<Call>(moved: Moved<Call>, nowMs: number): Moved<Call> {
  const { watch, operations } = moved;
  if (operations.length === 0) return moved;
  const correctedAtMs = [...watch.correctedAtMs, nowMs].slice(-CORRECTIONS_MAX);
  return { ...moved, watch: { ...watch, correctedAtMs, correcting: true } };
}

/** Tools leave their marks in labels: those say best who it is, so they come first. Never what they say: it may change each time. */
const LABEL = /\.labels\./i;
const PATHS_SHOWN = 5;

function fight<Call>(operations: readonly Operation<Call>[], approval: string): string {
  const paths = operations.flatMap(({ target, fields }) =>
    fields.length === 0 ? [target] : fields.map(({ path }) => path),
  );
  const labels = paths.filter((path) => LABEL.test(path));
  const others = paths.filter((path) => !LABEL.test(path));
  const what = [...labels, ...others].slice(0, PATHS_SHOWN).join(', ');
  const until = `it is changed back in ten minutes, by another commit, or now: ${approveWith(approval)}`;
  return `fought over: somebody changes ${what} again and again; ${until}`;
}

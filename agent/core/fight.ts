import type { Operation } from './kind.ts';
import type { Moved } from './look.ts';

/** Drift is corrected so often in so long a time; then somebody else wants it otherwise, and nobody wins by haste. */
const CORRECTIONS_MAX = 2;
const CORRECTIONS_MS = 600_000;

/** Pure. Why a difference is not corrected now: it was so often lately, at these times. Undefined where it may be. */
export function foughtOver<Call>(
  correctedAtMs: readonly number[],
  operations: readonly Operation<Call>[],
  nowMs: number,
): string | undefined {
  const recent = correctedAtMs.filter((atMs) => nowMs - atMs < CORRECTIONS_MS);
  return recent.length < CORRECTIONS_MAX ? undefined : fight(operations);
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

function fight<Call>(operations: readonly Operation<Call>[]): string {
  const paths = operations.flatMap(({ target, fields }) =>
    fields.length === 0 ? [target] : fields.map(({ path }) => path),
  );
  const labels = paths.filter((path) => LABEL.test(path));
  const others = paths.filter((path) => !LABEL.test(path));
  const what = [...labels, ...others].slice(0, PATHS_SHOWN).join(', ');
  return `fought over: somebody changes ${what} again and again; it is changed back in ten minutes, or by another commit`;
}

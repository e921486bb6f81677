import type { First } from '../../core/first.ts';
import type { CallOutcome, Difference, Failure, FieldDiff, Health, Late } from '../../core/kind.ts';
import { fieldOnly } from './compose-paths.ts';
import type { StackSpec } from './spec.ts';
import type { StackCall } from './swarm.ts';

/**
 * A stack is veiled where a value from an encrypted document stands in it elsewhere than in variables of its services: which
 * words a part of it could be in is not to be known, so everything that shows a value of the stack is put out of sight, here.
 * Names stay, and fields: they are in clear.
 */
type MaybeVeiled = Pick<StackSpec, 'veiled'>;

const SECRET = '[secret]';
const WHY = 'values of the stack are encrypted, so what was said is not shown';

/** Pure. The same differences without a value. */
export function veiledFields(
  { veiled }: MaybeVeiled,
  fields: readonly FieldDiff[],
): readonly FieldDiff[] {
  if (veiled !== true) return fields;
  const byPath = new Map<string, FieldDiff>();
  for (const { path: whole, observed, desired } of fields) {
    const path = fieldOnly(whole);
    byPath.set(path, {
      ...byPath.get(path),
      path,
      ...(observed !== undefined && { observed: SECRET }),
      ...(desired !== undefined && { desired: SECRET }),
    });
  }
  return [...byPath.values()];
}

/** Pure. What differs of a stack, without a value; what the engine says to its calls is not shown either. */
export function veiledDifference(
  spec: MaybeVeiled,
  difference: Difference<StackCall>,
): Difference<StackCall> {
  if (spec.veiled !== true) return difference;
  const { operations, blocked } = difference;
  return {
    ...difference,
    operations: operations.map((one) => ({
      ...one,
      fields: veiledFields(spec, one.fields),
      call: { ...one.call, veiled: true },
    })),
    // That of a missing or a foreign thing names names only.
    blocked: blocked.map((one) =>
      one.waits || one.owner !== undefined ? one : { ...one, why: `${one.target}: ${WHY}` },
    ),
  };
}

/** Pure. What is said of it beside, where that tells values. */
export function veiledNotes({ veiled }: MaybeVeiled, notes: readonly string[]): readonly string[] {
  return veiled === true && notes.length > 0 ? [`there is more to note; ${WHY}`] : notes;
}

/** Pure. What the engine said to a call. */
export function veiledOutcome<Value>(
  { veiled }: Pick<StackCall, 'veiled'>,
  outcome: CallOutcome<Value>,
): CallOutcome<Value> {
  if (veiled !== true || outcome.status === 'ok') return outcome;
  return { ...outcome, why: `the engine did not take it; ${WHY}` };
}

/**
 * Pure. How a stack does: images, commands and addresses stand in evidence. Built anew, so that nothing comes along that is
 * not thought of here.
 */
export function veiledHealth({ veiled }: MaybeVeiled, health: Health): Health {
  if (veiled !== true) return health;
  // Counts by service stand first.
  const [summary = ''] = /^[^ ,;]+ \d+\/\d+(?:, [^ ,;]+ \d+\/\d+)*/.exec(health.summary) ?? [];
  const shown = { summary, ...(health.asks && { asks: health.asks }) };
  switch (health.status) {
    case 'converged': {
      const { status, members, late } = health;
      return { ...shown, status, members, ...veiledLate(late) };
    }
    case 'progressing': {
      const { status, progress, late } = health;
      return { ...shown, status, progress, ...veiledLate(late) };
    }
    case 'failing': {
      const { status, reading } = health;
      return { ...shown, status, ...veiledFailure(health), ...(reading && { reading }) };
    }
    case 'outside':
      return { ...shown, status: health.status, why: `it waits; ${WHY}` };
  }
}

function veiledLate(late: Late | undefined): { readonly late?: Late } {
  if (late === undefined) return {};
  const { asks, reading } = late;
  return { late: { evidence: WHY, asks, ...(reading && { reading }) } };
}

/** Pure. Whether its images are to be had. */
export function veiledFirst({ veiled }: MaybeVeiled, first: First): First {
  if (veiled !== true || first.status === 'clear') return first;
  return first.status === 'asking'
    ? { ...first, why: 'the registry is asked for its images' }
    : { ...first, failure: veiledFailure(first.failure) };
}

function veiledFailure({ code }: Failure): Failure {
  return { code, why: `it failed (${code})`, evidence: WHY };
}

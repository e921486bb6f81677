import type { Id, Rendered } from '../../core/kind.ts';
import { standInFor } from '../../core/outputs.ts';
import type { StackSpec } from './spec.ts';
import { stackFromWire, stackToWire } from './wire.ts';

/** By unit, what it gives to those that depend on it. */
export type GivenValues = ReadonlyMap<Id, string>;

/** A stack with its values, or the units whose values nobody knows yet. */
export type WithValues =
  | { readonly status: 'whole'; readonly unit: Rendered<StackSpec> }
  | { readonly status: 'lacking'; readonly units: readonly Id[] };

interface Kept {
  readonly values: readonly (string | undefined)[];
  readonly outcome: WithValues;
}

/** A unit is the same object as long as the repository has it: so is what comes of it. */
const kept = new WeakMap<Rendered<StackSpec>, Kept>();

/** Pure. A stack with what other units give in place of what stands for it. The same object for the same values. */
export function withValues(unit: Rendered<StackSpec>, given: GivenValues): WithValues {
  const { outputs } = unit.spec;
  if (outputs === undefined) return { status: 'whole', unit };
  const values = outputs.map((id) => given.get(id));
  const known = kept.get(unit);
  if (known?.values.every((value, at) => value === values[at]) === true) return known.outcome;
  const outcome = completed(unit, outputs, given);
  kept.set(unit, { values, outcome });
  return outcome;
}

/** Pure. A stack with names in place of values: for one who compares what is written, and knows none. */
export function withNamedValues(unit: Rendered<StackSpec>): Rendered<StackSpec> {
  const names = new Map((unit.spec.outputs ?? []).map((id) => [id, `{${id}}`]));
  const whole = withValues(unit, names);
  return whole.status === 'whole' ? whole.unit : unit;
}

function completed(
  unit: Rendered<StackSpec>,
  outputs: readonly Id[],
  given: GivenValues,
): WithValues {
  const pairs: (readonly [standIn: string, value: string])[] = [];
  const lacking: Id[] = [];
  for (const id of outputs) {
    const value = given.get(id);
    if (value === undefined) lacking.push(id);
    else pairs.push([standInFor(id), value]);
  }
  if (lacking.length > 0) return { status: 'lacking', units: lacking };
  const replace = (text: string): string =>
    pairs.reduce((whole, [standIn, value]) => whole.replaceAll(standIn, () => value), text);
  return { status: 'whole', unit: { ...unit, spec: replacedIn(unit.spec, replace) } };
}

type Replace = (text: string) => string;

/** No content has variables in it. */
function replacedIn({ outputs: _outputs, ...own }: StackSpec, replace: Replace): StackSpec {
  return stackFromWire.parse(everyText(stackToWire(own), replace));
}

function everyText(value: unknown, replace: Replace): unknown {
  if (typeof value === 'string') return replace(value);
  if (Array.isArray(value)) return value.map((item) => everyText(item, replace));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, everyText(field, replace)]),
  );
}

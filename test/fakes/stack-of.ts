import type { Rendered } from '../../agent/core/kind.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { isStackSpec, type UnitSpec } from '../../agent/render/unit-spec.ts';

/** What a unit says that is a stack; undefined of any other. */
export function stackOf(unit: Rendered<UnitSpec> | undefined): StackSpec | undefined {
  return unit !== undefined && isStackSpec(unit.spec) ? unit.spec : undefined;
}

import type { FieldDiff, Operation, Rendered } from '../../core/kind.ts';
import type { PlannedOperation } from '../../core/plan.ts';
import type { CephSpec } from './spec.ts';
import { targetOf } from './unit-parts.ts';

/** How the plan of what is in a cluster reads. */
export const cephWords = {
  /** What a document says of the unit and not of the thing in the cluster. */
  beside(before: Rendered<unknown>, after: Rendered<unknown>): readonly FieldDiff[] {
    return [
      ...changed(
        'dependsOn',
        before.dependsOn.toSorted().join(', '),
        after.dependsOn.toSorted().join(', '),
      ),
      ...changed('suspend', String(before.suspended ?? ''), String(after.suspended ?? '')),
    ];
  },
  left({ spec }: Rendered<CephSpec>): readonly string[] {
    const thing = targetOf(spec);
    return [
      spec.deletionPolicy === 'Orphan'
        ? `${thing} stays in its cluster: nothing is removed`
        : `${thing} goes: \`deletionPolicy: Delete\``,
    ];
  },
  operation({ target, verb, effect, fields }: Operation<unknown>): PlannedOperation {
    return { target, verb, effect, fields };
  },
};

function changed(path: string, observed: string, desired: string): readonly FieldDiff[] {
  if (observed === desired) return [];
  return [{ path, ...(observed !== '' && { observed }), ...(desired !== '' && { desired }) }];
}

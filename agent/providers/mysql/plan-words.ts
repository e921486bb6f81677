import type { FieldDiff, Operation, Rendered } from '../../core/kind.ts';
import type { PlannedOperation } from '../../core/plan.ts';
import type { MysqlSpec } from './spec.ts';
import { targetOf } from './unit-parts.ts';

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** How the plan of databases, roles and accounts reads. */
export const mysqlWords = {
  /** What a document says of the unit and not of the thing on the server. */
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
  left({ spec }: Rendered<MysqlSpec>): readonly string[] {
    const thing = targetOf(spec);
    if (spec.deletionPolicy === 'Orphan')
      return [`${thing} stays on its server: nothing is removed`];
    if (spec.kind !== 'MySQLUser') return [`${thing} goes: \`deletionPolicy: Delete\``];
    const isShort = spec.retention < 2 * DAY_MS;
    const after = isShort
      ? `${String(Math.ceil(spec.retention / HOUR_MS))} hours`
      : `${String(Math.round(spec.retention / DAY_MS))} days`;
    return [`${thing} is locked, and goes after ${after}: \`deletionPolicy: Delete\``];
  },
  operation({ target, verb, effect, fields }: Operation<unknown>): PlannedOperation {
    return { target, verb, effect, fields };
  },
};

function changed(path: string, observed: string, desired: string): readonly FieldDiff[] {
  if (observed === desired) return [];
  return [{ path, ...(observed !== '' && { observed }), ...(desired !== '' && { desired }) }];
}

import type { PlanWords } from './core/plan.ts';
import { cephWords } from './providers/ceph/plan-words.ts';
import { mysqlWords } from './providers/mysql/plan-words.ts';
import { stackWords } from './providers/stack/plan-words.ts';
import type { UnitSpec } from './render/unit-spec.ts';
import { isOfStack, isOnCluster, isOnServer, isStack, type UnitCall } from './unit-kind.ts';

/** How the plan of all units reads. */
export const unitWords: PlanWords<UnitSpec, UnitCall> = {
  beside: (before, after) => {
    if (isStack(before) && isStack(after)) return stackWords.beside(before, after);
    return isOnCluster(after) ? cephWords.beside(before, after) : mysqlWords.beside(before, after);
  },
  left: (unit) => {
    if (isOnServer(unit)) return mysqlWords.left(unit);
    return isOnCluster(unit) ? cephWords.left(unit) : [];
  },
  operation: (operation, unit) => {
    if (isOfStack(operation)) {
      return stackWords.operation(
        operation,
        unit !== undefined && isStack(unit) ? unit : undefined,
      );
    }
    const words = operation.call.op === 'ceph' ? cephWords : mysqlWords;
    return words.operation(operation);
  },
};

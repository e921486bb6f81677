import type { PlanWords } from './core/plan.ts';
import { mysqlWords } from './providers/mysql/plan-words.ts';
import { stackWords } from './providers/stack/plan-words.ts';
import type { UnitSpec } from './render/unit-spec.ts';
import { isDocument, isOfStack, isStack, type UnitCall } from './unit-kind.ts';

/** How the plan of all units reads. */
export const unitWords: PlanWords<UnitSpec, UnitCall> = {
  beside: (before, after) => {
    if (isStack(before) && isStack(after)) return stackWords.beside(before, after);
    return mysqlWords.beside(before, after);
  },
  left: (unit) => (isDocument(unit) ? mysqlWords.left(unit) : []),
  operation: (operation, unit) => {
    if (!isOfStack(operation)) return mysqlWords.operation(operation);
    return stackWords.operation(operation, unit !== undefined && isStack(unit) ? unit : undefined);
  },
};

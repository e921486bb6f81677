import { posix } from 'node:path';

import type { Diagnostic } from '../../../core/diagnostic.ts';
import type { FieldDiff } from '../../../core/kind.ts';
import { diffStack } from '../diff.ts';
import type { StackObserved } from '../observed.ts';
import { renderStack } from '../render.ts';
import type { WrittenBack } from './write-back.ts';

/** One thing in which the files that were written and the Swarm still differ. */
export interface Left {
  /** `service blog_web` */
  readonly target: string;
  /** What an agent would do about it: `update`, or `nothing` where it cannot. */
  readonly would: 'create' | 'update' | 'remove' | 'nothing';
  /** Tasks would be replaced. */
  readonly restarts: boolean;
  readonly fields: readonly FieldDiff[];
  /** Why nothing can be done. */
  readonly why?: string;
}

/** What comes of the files. With a mistake in them nothing was compared. */
export interface Proof {
  readonly mistakes: readonly Diagnostic[];
  readonly left: readonly Left[];
  readonly notes: readonly string[];
}

/** Pure. Renders what was written as an agent would, and compares it with the Swarm from which it comes. */
export function prove(stack: string, written: WrittenBack, observed: StackObserved): Proof {
  const folder = `stacks/${stack}`;
  const { rendered, diagnostics } = renderStack({
    name: stack,
    folder,
    surroundings: { environment: 'adopted', variables: {}, allow: written.allow, stack: {} },
    read: (path) => written.files.get(posix.relative(folder, path)),
  });
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  if (rendered === undefined) return { mistakes, left: [], notes: [] };
  const { operations, blocked, notes = [] } = diffStack(rendered, observed);
  return {
    mistakes,
    left: [
      ...operations.map(({ target, verb, effect, fields }) => {
        return { target, would: verb, restarts: effect === 'restart', fields };
      }),
      ...blocked.map(({ target, why }) => {
        return { target, would: 'nothing' as const, restarts: false, fields: [], why };
      }),
    ],
    notes,
  };
}

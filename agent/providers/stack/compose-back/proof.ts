import { posix } from 'node:path';

import type { Diagnostic } from '../../../core/diagnostic.ts';
import type { Blocked } from '../../../core/kind.ts';
import type { PlannedOperation } from '../../../core/plan.ts';
import { diffStack } from '../diff.ts';
import type { StackObserved } from '../observed.ts';
import { stackWords } from '../plan-words.ts';
import { renderStack } from '../render.ts';
import { writeBack, type WrittenBack } from './write-back.ts';

/** What comes of the files that were written. With a mistake in them nothing is compared. */
export interface Proof {
  readonly mistakes: readonly Diagnostic[];
  /** What an agent would do so that the Swarm becomes what the files say: ideally nothing. */
  readonly changes: readonly PlannedOperation[];
  /** What differs, and nobody can change. */
  readonly blocked: readonly Blocked[];
  readonly notes: readonly string[];
}

/** Pure. A stack as files, and what comes of them. */
export function adoptStack(
  stack: string,
  observed: StackObserved,
): { readonly written: WrittenBack; readonly proof: Proof } {
  const written = writeBack(stack, observed);
  const proof = prove(stack, written, observed);
  if (proof.mistakes.length === 0) return { written, proof };
  // Engines run some that can hardly work, which is refused unless the policy says otherwise.
  const wide = writeBack(stack, observed, { unworkable: true });
  const second = prove(stack, wide, observed);
  return second.mistakes.length === 0 ? { written: wide, proof: second } : { written, proof };
}

/** Pure. Renders what was written as an agent would, and compares it with the Swarm from which it comes. */
function prove(stack: string, written: WrittenBack, observed: StackObserved): Proof {
  const folder = `stacks/${stack}`;
  const { rendered, diagnostics } = renderStack({
    name: stack,
    folder,
    surroundings: { environment: 'adopted', variables: {}, allow: written.allow, stack: {} },
    read: (path) => written.files.get(posix.relative(folder, path)),
  });
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error');
  if (rendered === undefined) return { mistakes, changes: [], blocked: [], notes: [] };
  const { operations, blocked, notes = [] } = diffStack(rendered, observed);
  const changes = operations.map((one) => stackWords.operation(one, rendered));
  return { mistakes, changes, blocked, notes };
}

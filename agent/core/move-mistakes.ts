import type { Diagnostic } from './diagnostic.ts';
import type { Folder } from './edge-mistakes.ts';
import type { Dependency } from './folder-kind.ts';
import type { Id } from './kind.ts';

/**
 * Pure. Units that cannot take the place that they ask for: another one of the repository has it, or asks for it too. That
 * the one whose place it is was never there is no mistake: the key may stay when the move is over.
 */
export function moveMistakes<Spec>(folders: readonly Folder<Spec>[]): readonly Diagnostic[] {
  const ids = new Set(folders.map(({ id }) => id));
  const takenBy = new Map<Id, Id>();
  return folders.flatMap(({ id, output: { movedFrom } }) => {
    if (movedFrom === undefined) return [];
    const first = takenBy.get(movedFrom.on);
    takenBy.set(movedFrom.on, first ?? id);
    return mistakeOf(id, movedFrom, { ids, first }) ?? [];
  });
}

function mistakeOf(
  id: Id,
  { on, place }: Dependency,
  { ids, first }: { readonly ids: ReadonlySet<Id>; readonly first: Id | undefined },
): Diagnostic | undefined {
  const mistake = { severity: 'error', code: 'moved-from', place } as const;
  if (on === id) {
    const hint = 'write the name that the folder had before, or leave `movedFrom` out';
    return { ...mistake, message: 'a stack cannot take its own place', hint };
  }
  if (ids.has(on)) {
    const hint = 'remove its folder, or leave `movedFrom` out';
    return { ...mistake, message: `\`${on}\` is still in the repository`, hint };
  }
  if (first === undefined) return undefined;
  const message = `\`${first}\` takes the place of \`${on}\` already`;
  return { ...mistake, message, hint: 'only one stack can take the place of another' };
}

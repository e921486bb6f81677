import type { Diagnostic } from './diagnostic.ts';
import type { FolderOutput } from './folder-kind.ts';

/** Pure. State of a unit that has one copy only, and that another unit writes too: two copies of it in effect. */
export function sharedState<Spec>(outputs: readonly FolderOutput<Spec>[]): readonly Diagnostic[] {
  const writers = new Map<string, string[]>();
  for (const { rendered, state = [] } of outputs) {
    if (rendered === undefined) continue;
    for (const name of state) writers.set(name, [...(writers.get(name) ?? []), rendered.id]);
  }
  return outputs.flatMap(({ rendered, single, state = [] }): readonly Diagnostic[] => {
    if (rendered === undefined || single === undefined) return [];
    return state.flatMap((name): readonly Diagnostic[] => {
      const other = writers.get(name)?.find((id) => id !== rendered.id);
      if (other === undefined) return [];
      const message = `the ${name} of this stack, which has \`instances: single\`, is also written by \`${other}\``;
      const hint = 'mount it read-only there, or give each of them its own';
      return [{ severity: 'error', code: 'conflict', message, place: single, hint }];
    });
  });
}

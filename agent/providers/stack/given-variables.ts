import type { Diagnostic } from '../../core/diagnostic.ts';
import type { Dependency, FolderInput } from '../../core/folder-kind.ts';
import type { Id } from '../../core/kind.ts';
import { standInFor } from '../../core/outputs.ts';

/** What a stack has of the units that it depends on. */
export interface GivenVariables {
  /** All variables of the stack: those of the environment, and what stands for the values that are given. */
  readonly variables: Readonly<Record<string, string>>;
  /** Units whose values it may name, in the order of `dependsOn`. */
  readonly units: readonly Id[];
  readonly diagnostics: readonly Diagnostic[];
}

/** Pure but for what `outputs` notes. A variable has one value: nobody's is taken in place of another's. */
export function givenVariables(
  { surroundings: { variables: defined, environment }, outputs }: FolderInput,
  depends: readonly Dependency[],
): GivenVariables {
  const variables = new Map<string, string>();
  const givers = new Map<string, Id>();
  const diagnostics: Diagnostic[] = [];
  for (const { on, place } of depends) {
    const name = outputs?.variableOf(on);
    if (name === undefined) continue;
    const other = givers.get(name);
    if (other === on) continue;
    if (other !== undefined || Object.hasOwn(defined, name)) {
      const source =
        other === undefined ? `environments/${environment}.yaml has` : `\`${other}\` gives`;
      const message = `\`${on}\` gives the variable \`${name}\`, and ${source} it as well`;
      const hint = `write another name as \`output\` of \`${on}\``;
      diagnostics.push({ severity: 'error', code: 'name-conflict', message, place, hint });
      continue;
    }
    givers.set(name, on);
    variables.set(name, standInFor(on));
  }
  if (variables.size === 0) return { variables: defined, units: [], diagnostics };
  const all = { ...defined, ...Object.fromEntries(variables) };
  return { variables: all, units: [...givers.values()], diagnostics };
}

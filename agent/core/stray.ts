import { type Diagnostic, placeOfFile } from './diagnostic.ts';
import type { Folder } from './edge-mistakes.ts';
import type { Layout } from './layout.ts';
import { suggest } from './suggest.ts';

/** Pure. Compose files of a stack that look as if they were for an environment and are read in none. */
export function strayFiles<Spec>(
  { stacks, environments }: Layout,
  folders: readonly Folder<Spec>[],
): readonly Diagnostic[] {
  return folders.flatMap(({ folder, output }) => {
    const name = folder.slice(folder.indexOf('/') + 1);
    const read = new Set(output.files);
    return (stacks.get(name) ?? []).flatMap((file): readonly Diagnostic[] => {
      const [, environment, ending] = /^compose\.([^/]+)\.(ya?ml)$/.exec(file) ?? [];
      const path = `${folder}/${file}`;
      if (environment === undefined || read.has(path)) return [];
      if (ending === 'yml') return [misnamed(path, `rename it to \`compose.${environment}.yaml\``)];
      return environments.has(environment) ? [] : [unknown(path, environment, environments.keys())];
    });
  });
}

function misnamed(file: string, hint: string): Diagnostic {
  const place = placeOfFile(file);
  return { severity: 'error', code: 'file-name', message: 'this file is not read', place, hint };
}

function unknown(file: string, environment: string, names: Iterable<string>): Diagnostic {
  const meant = suggest(environment, names);
  return {
    severity: 'error',
    code: 'undefined-environment',
    message: `no environment is called \`${environment}\`, so this file is not read`,
    place: placeOfFile(file),
    hint:
      meant === undefined
        ? `write \`environments/${environment}.yaml\`, or name the file in \`files\` of stack.yaml`
        : `did you mean \`compose.${meant}.yaml\`?`,
  };
}

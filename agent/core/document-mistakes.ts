import type { Diagnostic } from './diagnostic.ts';
import type { FileOutput } from './document-file.ts';
import type { DocumentFolder, SoundDocument } from './document-kind.ts';
import { FileLimits } from './document-limits.ts';
import type { Id } from './kind.ts';

/** A file of documents, by its path. */
interface PlacedFile<Spec> {
  readonly path: string;
  readonly output: FileOutput<Spec>;
}

/** Pure. What folders find wrong with their documents together, as much of it a file as of anything else. */
export function mistakesTogether<Spec>(
  folders: readonly DocumentFolder<Spec>[],
  files: readonly PlacedFile<Spec>[],
): readonly Diagnostic[] {
  return folders.flatMap((one) => {
    const inside = files.filter(({ path }) => path.startsWith(`${one.folder}/`));
    return limited(one.mistakes?.(soundIn(inside)) ?? []);
  });
}

/** Of two documents of one unit the first: the second one is a mistake already. */
function soundIn<Spec>(files: readonly PlacedFile<Spec>[]): readonly SoundDocument<Spec>[] {
  const seen = new Set<Id>();
  return files.flatMap(({ output }) =>
    output.units.flatMap(({ id, place, places, output: { rendered } }) => {
      if (rendered === undefined || seen.has(id)) return [];
      seen.add(id);
      return [{ id, spec: rendered.spec, place, places }];
    }),
  );
}

function limited(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const limits = new Map<string, FileLimits>();
  return diagnostics.flatMap((one) => {
    const file = one.place?.file ?? '';
    const limit = limits.get(file) ?? new FileLimits();
    limits.set(file, limit);
    return limit.take([one]);
  });
}

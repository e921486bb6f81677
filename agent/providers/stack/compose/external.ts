import type { Path } from '../../../core/parse.ts';
import { isExternal } from './context.ts';
import type { Notes } from './notes.ts';

interface Entry {
  readonly name?: string | undefined;
  readonly external?: boolean | { readonly name?: string | undefined } | undefined;
}

/** Notes both forms of an external name at once, and keys that an external thing ignores. */
export function checkExternal(
  entry: Entry,
  ignored: readonly string[],
  path: Path,
  notes: Notes,
): void {
  const { external } = entry;
  if (!isExternal(external)) return;
  if (typeof external === 'object' && external.name !== undefined && entry.name !== undefined) {
    notes.error(
      'conflict',
      [...path, 'external'],
      '`external.name` and `name` are the same thing: leave one out',
    );
  }
  for (const [key, value] of Object.entries(entry)) {
    if (!ignored.includes(key) || value === undefined) continue;
    notes.warn(
      'ignored-key',
      [...path, key],
      `\`${key}\` has no effect: what is external is not made here`,
    );
  }
}

import { documentText } from './document.ts';
import type { Layout } from './layout.ts';
import { contentOf, type FolderPorts, type Shelf } from './render-folders.ts';
import type { DocumentContent } from './sops/vault.ts';
import { type EnvironmentReading, readEnvironment, type ReadEnvironment } from './surroundings.ts';

/** All Environments of a repository by name. */
export interface Environments {
  readonly read: ReadonlyMap<string, ReadEnvironment>;
  /** A data key is missing. */
  readonly isPending: boolean;
}

/**
 * Pure but for the vault. Reads every Environment. Those of others may be encrypted for others: of what is encrypted in
 * them the form is checked, and their own agents open it.
 */
export function readEnvironments(
  shelf: Shelf,
  { environments }: Pick<Layout, 'environments'>,
  own: string,
  { vault, ...reading }: Pick<FolderPorts<unknown>, 'vault'> & EnvironmentReading,
): Environments {
  let isPending = false;
  const read = [...environments].map(([name, file]): [string, ReadEnvironment] => {
    const open = (path: string, bytes: Uint8Array): DocumentContent => {
      const blob = shelf.files.get(path)?.blob ?? '';
      const content = vault?.openDocument({ path, blob, bytes }, name !== own);
      isPending ||= content?.status === 'pending';
      return content ?? { status: 'plain' };
    };
    const bytes = contentOf(shelf, file);
    if (bytes === undefined) return [name, { diagnostics: [] }];
    const { document, diagnostics } = documentText(file, bytes, vault && open);
    if (document === undefined) return [name, { diagnostics }];
    return [name, readEnvironment(file, document, reading)];
  });
  return { read: new Map(read), isPending };
}

import type { Environment } from '../../schemas/environment.ts';
import type { Repository } from '../../schemas/repository.ts';
import { canaryMistakes } from './change-rules.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { Read } from './document.ts';
import type { DocumentSurroundings } from './document-kind.ts';
import type { Files } from './folder-kind.ts';
import type { Id } from './kind.ts';
import type { Layout } from './layout.ts';
import {
  type DocumentPorts,
  fits,
  renderDocuments,
  type RenderedDocuments,
} from './render-documents.ts';
import type { FolderPorts, Shelf } from './render-folders.ts';
import { patternsOf } from './selection.ts';
import { serversOf } from './servers.ts';
import type { Found, ReadEnvironment } from './surroundings.ts';

/** What rendering documents beside folders needs. */
export interface DataPorts<Spec> extends Pick<FolderPorts<unknown>, 'vault' | 'begin'> {
  /** Absent: no folder of documents is read. */
  readonly documents?: DocumentPorts<Spec>;
}

/** What the documents are rendered with, as far as the revision says. */
interface Around {
  readonly environment: string;
  readonly document: ReadEnvironment;
  /** Undefined: no unit can be judged. */
  readonly found: Found | undefined;
}

const NOTHING: RenderedDocuments<never> = {
  outputs: [],
  leftOut: [],
  diagnostics: [],
  isPending: false,
};

/** Pure. The folders of documents that are read, which are keys of Environments too. */
export function dataFolders({ documents }: DataPorts<unknown>): readonly string[] {
  return (documents?.folders ?? []).map(({ folder }) => folder);
}

/** Pure but for the memo and the vault. All documents of the repository, none where none are read. */
export function renderData<Spec>(
  shelf: Shelf,
  { documents: paths }: Layout,
  { environment, document, found }: Around,
  { documents, vault, begin }: DataPorts<Spec>,
): RenderedDocuments<Spec> {
  if (documents === undefined || found === undefined) return NOTHING;
  const { variables, sealed } = found.surroundings;
  const around = (folder: string): DocumentSurroundings => ({
    environment,
    variables,
    ...(sealed && { sealed }),
    servers: serversOf(document, folder),
    ...patternsOf(document),
  });
  const ports = { ...documents, ...(vault && { vault }), ...(begin && { begin }) };
  return renderDocuments(shelf, paths, around, ports);
}

/** Pure. Paths of documents that are not known by what they were rendered from. */
export function changedDocuments<Spec>(
  { documents: paths }: Layout,
  files: Files,
  { documents }: DataPorts<Spec>,
): readonly string[] {
  return paths.filter((path) => {
    const kept = documents?.memo.get(path);
    return kept === undefined || !fits(kept, files);
  });
}

/** Pure. Whether a unit is a document of a folder that is read. */
export function isDataId({ documents }: DataPorts<unknown>, id: Id): boolean {
  return (documents?.folders ?? []).some(({ kinds }) =>
    kinds.some(({ unit }) => id.startsWith(`${unit}/`)),
  );
}

/**
 * Pure. Canaries among the documents that the repository does not have. Only what this environment says is looked at, and
 * what all say: with other default servers the same documents have other ids.
 */
export function dataCanaryMistakes<Spec>(
  reads: readonly (Read<Repository> | Read<Environment> | undefined)[],
  { outputs, leftOut }: RenderedDocuments<Spec>,
  ports: DataPorts<Spec>,
): readonly Diagnostic[] {
  const ids = new Set([...outputs.map(({ id }) => id), ...leftOut]);
  const given = reads.filter((read) => read !== undefined);
  return canaryMistakes(given, ids, (on) => isDataId(ports, on));
}

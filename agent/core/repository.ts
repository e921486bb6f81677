import type { ImagesLock } from '../../schemas/images-lock.ts';
import type { Repository } from '../../schemas/repository.ts';
import { canaryMistakes, type ReadCron, rolloutOf, windowsOf } from './change-rules.ts';
import { clashes } from './clashes.ts';
import { sharedState } from './shared-state.ts';
import { type Diagnostic, placeOfFile } from './diagnostic.ts';
import { decodeText } from './document.ts';
import type { Read } from './document.ts';
import { readEnvironments } from './environment-files.ts';
import {
  changedDocuments,
  dataCanaryMistakes,
  dataFolders,
  type DataPorts,
  isDataId,
  renderData,
} from './data-documents.ts';
import { fits } from './folder-kind.ts';
import type { Files } from './folder-kind.ts';
import { edgeMistakes } from './edge-mistakes.ts';
import { pinsOf, readImagesLock } from './images-lock.ts';
import type { LockFile } from './image-rules.ts';
import type { Id, Rendered } from './kind.ts';
import { moveMistakes } from './move-mistakes.ts';
import { IMAGES_LOCK, layOut } from './layout.ts';
import type { Layout } from './layout.ts';
import { CONTENT_BYTES_MAX, contentOf, renderAll } from './render-folders.ts';
import type { FolderPorts, Given, Shelf, UnitOutput } from './render-folders.ts';
import { outputsOf } from './outputs.ts';
import { redactor } from './redact.ts';
import { rotationsOf } from './rotations.ts';
import { defaultSettings, type RepositorySettings } from './repository-settings.ts';
import type { RenderedDocuments } from './render-documents.ts';
import { type Others, selectStacks } from './selection.ts';
import { strayFiles } from './stray.ts';
import { dataMovementOf, readRepository, removalsOf, surroundingsOf } from './surroundings.ts';
import type { Found, ReadEnvironment } from './surroundings.ts';

/** What rendering a repository needs besides its files. `Data`: what units are that are documents. */
export interface RepositoryPorts<Spec, Data = never> extends FolderPorts<Spec>, DataPorts<Data> {
  readonly readCron: ReadCron;
}

/** A repository, rendered; or the blobs without which it cannot be. None of them: the vault waits for data keys. */
export type RepositoryOutcome<Spec> =
  | { readonly status: 'incomplete'; readonly blobs: readonly string[] }
  | {
      readonly status: 'rendered';
      /** Empty with any error among the diagnostics. */
      readonly units: readonly Rendered<Spec>[];
      readonly diagnostics: readonly Diagnostic[];
      readonly settings: RepositorySettings;
      /** How many units were rendered now, and how many taken from the memo. */
      readonly work: { readonly rendered: number; readonly kept: number };
    };

/** Pure but for the memos. Turns the files of a revision into the units of one environment. */
export function renderRepository<Spec, Data = never>(
  files: Files,
  environment: string,
  ports: RepositoryPorts<Spec, Data>,
): RepositoryOutcome<Spec | Data> {
  const layout = layOut([...files.keys()], dataFolders(ports));
  const missing = new Set(likelyMissing(files, layout, ports));
  if (missing.size > 0) return { status: 'incomplete', blobs: [...missing] };
  const documents = readDocuments({ files, missing }, layout, environment, ports);
  const found = surroundingsOf(
    environment,
    documents.repository,
    documents.environment,
    lockFile(documents),
  );
  const shelf = { files, missing, pins: pinsOf(documents.lock) };
  const around = { environment, document: documents.environment, found };
  const data = renderData(shelf, layout, around, ports);
  const names = [...layout.stacks.keys()];
  const selection = selectStacks(environment, names, documents.environment, othersOf(data));
  const { stacks } = selection;
  const leftOut = [...selection.leftOut].map((name): Id => `${ports.kind.kind}/${name}`);
  const isKnown = missing.size === 0 && !data.isPending;
  const given = isKnown ? givenBy(data.outputs) : undefined;
  const folders = found === undefined ? [] : renderAll({ ...shelf, given }, stacks, found, ports);
  const outputs: readonly UnitOutput<Spec | Data>[] = [...folders, ...data.outputs];
  const isPending = documents.isPending || data.isPending || folders.some((one) => one.isPending);
  if (missing.size > 0 || isPending) {
    return { status: 'incomplete', blobs: [...missing] };
  }
  for (const name of ports.memo.keys()) if (!stacks.has(name)) ports.memo.delete(name);

  const told = [
    ...layout.diagnostics,
    ...documents.diagnostics,
    ...selection.diagnostics,
    ...strayFiles(layout, folders),
    ...data.diagnostics,
    ...dataCanaryMistakes([documents.repository, documents.environment], data, ports),
    ...outputs.flatMap(({ output }) => hidden(output.diagnostics, found)),
    ...clashes(outputs.map(({ output }) => output)),
    ...sharedState(outputs.map(({ output }) => output)),
    ...edgeMistakes(outputs, { environment, ids: new Set([...leftOut, ...data.leftOut]) }),
    ...moveMistakes(outputs),
  ];
  const diagnostics = told.map(redactor(secretWords(found, outputs)));
  const invalid = diagnostics.some(({ severity }) => severity === 'error');
  const rendered = outputs.filter(({ isNew }) => isNew).length;
  return {
    status: 'rendered',
    units: invalid ? [] : outputs.flatMap(({ output }) => output.rendered ?? []),
    diagnostics,
    settings: settingsOf(documents, ports.readCron),
    work: { rendered, kept: outputs.length - rendered },
  };
}

function givenBy(outputs: readonly UnitOutput<unknown>[]): Given {
  return { rotations: rotationsOf(outputs), outputs: outputsOf(outputs) };
}

function settingsOf(
  { repository, environment }: Documents,
  readCron: ReadCron,
): RepositorySettings {
  const value = repository?.value;
  const dataMovement = dataMovementOf(repository, environment);
  return {
    intervalMs: value?.interval ?? defaultSettings.intervalMs,
    retryIntervalMs: value?.retryInterval ?? defaultSettings.retryIntervalMs,
    removals: removalsOf(repository, environment),
    rollout: rolloutOf(repository, environment),
    windows: windowsOf(environment, readCron),
    ...(dataMovement && { dataMovement }),
  };
}

/** What patterns of an environment speak of beside its stacks. */
function othersOf<Data>({ outputs, leftOut }: RenderedDocuments<Data>): Others {
  return { ids: [...outputs.map(({ id }) => id), ...leftOut], chosen: outputs.length };
}

/** Files of a stack's folder up to this size are asked for together with its Compose file. */
const LIKELY_BYTES_MAX = 64 * 2 ** 10;

const DOCUMENT_NAMES = new Set(['understudy.yaml', 'compose.yaml', 'stack.yaml', IMAGES_LOCK]);

function isDocument(path: string): boolean {
  return (
    path.startsWith('environments/') ||
    !path.startsWith('stacks/') ||
    DOCUMENT_NAMES.has(path.slice(path.lastIndexOf('/') + 1))
  );
}

/**
 * What is certainly or very likely needed and not here: asked for at once, so that most revisions are rendered in one
 * go. Anything else is found out by rendering.
 */
function* likelyMissing<Spec, Data>(
  files: Files,
  layout: Layout,
  ports: RepositoryPorts<Spec, Data>,
): Generator<string> {
  const paths = [...layout.environments.values(), ...changedDocuments(layout, files, ports)];
  for (const path of [layout.repository, layout.lock]) if (path !== undefined) paths.push(path);
  for (const [name, inside] of layout.stacks) {
    const kept = ports.memo.get(name);
    if (kept === undefined || !fits(kept, files)) {
      paths.push(...inside.map((file) => `stacks/${name}/${file}`));
    }
  }
  for (const path of paths) {
    const file = files.get(path);
    const sizeMax = isDocument(path) ? CONTENT_BYTES_MAX : LIKELY_BYTES_MAX;
    if (file !== undefined && file.sizeBytes <= sizeMax && file.bytes() === undefined) {
      yield file.blob;
    }
  }
}

/** All that was decrypted and may not be said. */
function* secretWords<Spec>(
  found: Found | undefined,
  outputs: readonly UnitOutput<Spec>[],
): Generator<string> {
  const { variables = {}, sealed } = found?.surroundings ?? {};
  if (sealed?.locked === false) for (const name of sealed.names) yield variables[name] ?? '';
  for (const { output } of outputs) yield* output.words ?? [];
}

interface Documents {
  readonly repository?: Read<Repository>;
  readonly lock?: Read<ImagesLock>;
  readonly environment: ReadEnvironment;
  /** A data key is missing. */
  readonly isPending: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

function readDocuments<Data>(
  shelf: Shelf,
  layout: Layout,
  environment: string,
  ports: Pick<RepositoryPorts<unknown, Data>, 'vault' | 'readCron' | 'documents'>,
): Documents {
  const diagnostics: Diagnostic[] = [];
  const repository =
    layout.repository === undefined
      ? undefined
      : readFile(shelf, layout.repository, (file, text) => readRepository(file, text));
  if (repository === undefined) {
    const hint = 'write `understudy.yaml` with `version: 1`';
    diagnostics.push(
      absent('missing-file', '`understudy.yaml` is missing', 'understudy.yaml', hint),
    );
  }
  const { read: environments, isPending } = readEnvironments(shelf, layout, environment, {
    ...ports,
    supported: dataFolders(ports),
  });
  if (!environments.has(environment)) {
    const names = [...environments.keys()].map((name) => `\`${name}\``).join(', ');
    const hint = names === '' ? 'there is no environment at all' : `there is ${names}`;
    const message = `the repository has no environment \`${environment}\``;
    const file = `environments/${environment}.yaml`;
    diagnostics.push(absent('missing-document', message, file, hint));
  }
  const isEmpty = layout.stacks.size + layout.documents.length === 0;
  if (isEmpty && layout.diagnostics.length === 0) {
    const hint = 'write `stacks/NAME/compose.yaml`';
    diagnostics.push(absent('missing-document', 'the repository has no stack', 'stacks', hint));
  }
  const ids = new Set([...layout.stacks.keys()].map((name): Id => `stack/${name}`));
  const lock = layout.lock === undefined ? undefined : readFile(shelf, layout.lock, readImagesLock);
  const reads = [...(repository === undefined ? [] : [repository]), ...environments.values()];
  return {
    ...(repository === undefined ? {} : { repository }),
    ...(lock === undefined ? {} : { lock }),
    environment: environments.get(environment) ?? { diagnostics: [] },
    isPending,
    diagnostics: [
      ...diagnostics,
      ...(repository?.diagnostics ?? []),
      ...(lock?.diagnostics ?? []),
      ...[...environments.values()].flatMap((read) => read.diagnostics),
      ...canaryMistakes(reads, ids, (on) => !isDataId(ports, on)),
    ],
  };
}

function lockFile({ lock }: Documents): LockFile {
  if (lock === undefined) return 'none';
  return lock.diagnostics.some(({ severity }) => severity === 'error') ? 'broken' : 'read';
}

function absent(
  code: 'missing-file' | 'missing-document',
  message: string,
  file: string,
  hint: string,
): Diagnostic {
  return { severity: 'error', code, message, place: placeOfFile(file), hint };
}

function readFile<Value>(
  shelf: Shelf,
  path: string,
  read: (file: string, text: string) => Read<Value>,
): Read<Value> {
  const bytes = contentOf(shelf, path);
  if (bytes === undefined) return { diagnostics: [] };
  const { text, diagnostics } = decodeText(path, bytes);
  return text === undefined ? { diagnostics } : read(path, text);
}

/** Without what only follows from a policy that could not be read. */
function hidden(diagnostics: readonly Diagnostic[], found?: Found): readonly Diagnostic[] {
  if (found?.policyKnown !== false) return diagnostics;
  return diagnostics.filter(({ code }) => code !== 'not-allowed' && code !== 'unpinned-image');
}

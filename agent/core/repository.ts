import type { Environment } from '../../schemas/environment.ts';
import type { ImagesLock } from '../../schemas/images-lock.ts';
import type { Repository } from '../../schemas/repository.ts';
import { canaryMistakes, type ReadCron, rolloutOf, windowsOf } from './change-rules.ts';
import { clashes } from './clashes.ts';
import { sharedState } from './shared-state.ts';
import { type Diagnostic, placeOfFile } from './diagnostic.ts';
import { decodeText } from './document.ts';
import type { Read } from './document.ts';
import { fits } from './folder-kind.ts';
import type { Files, Memo } from './folder-kind.ts';
import { edgeMistakes } from './edge-mistakes.ts';
import { pinsOf, readImagesLock } from './images-lock.ts';
import type { LockFile } from './image-rules.ts';
import type { Id, Rendered } from './kind.ts';
import { moveMistakes } from './move-mistakes.ts';
import { layOut } from './layout.ts';
import type { Layout } from './layout.ts';
import { CONTENT_BYTES_MAX, contentOf, renderAll } from './render-folders.ts';
import type { FolderPorts, Shelf } from './render-folders.ts';
import { defaultSettings, type RepositorySettings } from './repository-settings.ts';
import { selectStacks } from './selection.ts';
import { strayFiles } from './stray.ts';
import { readEnvironment, readRepository, removalsOf, surroundingsOf } from './surroundings.ts';
import type { Found } from './surroundings.ts';

/** What rendering a repository needs besides its files. */
export interface RepositoryPorts<Spec> extends FolderPorts<Spec> {
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

/** Pure but for the memo. Turns the files of a revision into the units of one environment. */
export function renderRepository<Spec>(
  files: Files,
  environment: string,
  ports: RepositoryPorts<Spec>,
): RepositoryOutcome<Spec> {
  const layout = layOut([...files.keys()]);
  const missing = new Set(likelyMissing(files, layout, ports.memo));
  if (missing.size > 0) return { status: 'incomplete', blobs: [...missing] };
  const documents = readDocuments({ files, missing }, layout, environment, ports.readCron);
  const found = surroundingsOf(
    environment,
    documents.repository,
    documents.environment,
    lockFile(documents),
  );
  const names = [...layout.stacks.keys()];
  const selection = selectStacks(environment, names, documents.environment);
  const { stacks } = selection;
  const shelf = { files, missing, pins: pinsOf(documents.lock) };
  const outputs = found === undefined ? [] : renderAll(shelf, stacks, found, ports);
  if (missing.size > 0 || outputs.some(({ isPending }) => isPending)) {
    return { status: 'incomplete', blobs: [...missing] };
  }
  for (const name of ports.memo.keys()) if (!stacks.has(name)) ports.memo.delete(name);

  const diagnostics = [
    ...layout.diagnostics,
    ...documents.diagnostics,
    ...selection.diagnostics,
    ...strayFiles(layout, outputs),
    ...outputs.flatMap(({ output }) => hidden(output.diagnostics, found)),
    ...clashes(outputs.map(({ output }) => output)),
    ...sharedState(outputs.map(({ output }) => output)),
    ...edgeMistakes(outputs, {
      environment,
      ids: new Set([...selection.leftOut].map((name): Id => `${ports.kind.kind}/${name}`)),
    }),
    ...moveMistakes(outputs),
  ];
  const invalid = diagnostics.some(({ severity }) => severity === 'error');
  const value = documents.repository?.value;
  const rendered = outputs.filter(({ isNew }) => isNew).length;
  return {
    status: 'rendered',
    units: invalid ? [] : outputs.flatMap(({ output }) => output.rendered ?? []),
    diagnostics,
    settings: {
      intervalMs: value?.interval ?? defaultSettings.intervalMs,
      retryIntervalMs: value?.retryInterval ?? defaultSettings.retryIntervalMs,
      removals: removalsOf(documents.repository, documents.environment),
      rollout: rolloutOf(documents.repository, documents.environment),
      windows: windowsOf(documents.environment, ports.readCron),
    },
    work: { rendered, kept: outputs.length - rendered },
  };
}

/** Files of a stack's folder up to this size are asked for together with its Compose file. */
const LIKELY_BYTES_MAX = 64 * 2 ** 10;

/**
 * What is certainly or very likely needed and not here: asked for at once, so that most revisions are rendered in one
 * go. Anything else is found out by rendering.
 */
function* likelyMissing<Spec>(files: Files, layout: Layout, memo: Memo<Spec>): Generator<string> {
  const paths = [...layout.environments.values()];
  for (const path of [layout.repository, layout.lock]) if (path !== undefined) paths.push(path);
  for (const [name, inside] of layout.stacks) {
    const kept = memo.get(name);
    if (kept === undefined || !fits(kept, files)) {
      paths.push(...inside.map((file) => `stacks/${name}/${file}`));
    }
  }
  for (const path of paths) {
    const file = files.get(path);
    const document =
      /(?:^|\/)(?:understudy|compose|stack|images\.lock)\.yaml$|^environments\//.test(path);
    const sizeMax = document ? CONTENT_BYTES_MAX : LIKELY_BYTES_MAX;
    if (file !== undefined && file.sizeBytes <= sizeMax && file.bytes() === undefined) {
      yield file.blob;
    }
  }
}

interface Documents {
  readonly repository?: Read<Repository>;
  readonly lock?: Read<ImagesLock>;
  readonly environment: Read<Environment>;
  readonly diagnostics: readonly Diagnostic[];
}

function readDocuments(
  shelf: Shelf,
  layout: Layout,
  environment: string,
  readCron: ReadCron,
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
  const environments = new Map(
    [...layout.environments].map(([name, path]) => [
      name,
      readFile(shelf, path, (file, text) => readEnvironment(file, text, readCron)),
    ]),
  );
  if (!environments.has(environment)) {
    const names = [...environments.keys()].map((name) => `\`${name}\``).join(', ');
    const hint = names === '' ? 'there is no environment at all' : `there is ${names}`;
    const message = `the repository has no environment \`${environment}\``;
    const file = `environments/${environment}.yaml`;
    diagnostics.push(absent('missing-document', message, file, hint));
  }
  if (layout.stacks.size === 0 && layout.diagnostics.length === 0) {
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
    diagnostics: [
      ...diagnostics,
      ...(repository?.diagnostics ?? []),
      ...(lock?.diagnostics ?? []),
      ...[...environments.values()].flatMap((read) => read.diagnostics),
      ...canaryMistakes(reads, ids),
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

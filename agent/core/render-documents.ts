import type { Diagnostic, Place } from './diagnostic.ts';
import { digestOf } from './digest.ts';
import { type FileOutput, type DocumentUnit, renderFile } from './document-file.ts';
import { namesIn } from './document-id.ts';
import { mistakesTogether } from './document-mistakes.ts';
import type { DocumentFolder, DocumentSurroundings, OpenedFile } from './document-kind.ts';
import type { Files } from './folder-kind.ts';
import type { Id } from './kind.ts';
import { contentOf, type FolderPorts, type Shelf, type UnitOutput } from './render-folders.ts';
import { suggest } from './suggest.ts';

/** What one file was rendered from, and what came out. */
export interface KeptFile<Spec> {
  readonly surroundings: string;
  /** Every path that was asked for with the blob it had; undefined = there was no such file. */
  readonly asked: ReadonlyMap<string, string | undefined>;
  readonly output: FileOutput<Spec>;
}

/** Results of earlier renderings by path, so that a file is read again only when something of it is another. */
export type DocumentMemo<Spec> = Map<string, KeptFile<Spec>>;

/** What rendering documents needs besides files. */
export interface DocumentPorts<Spec> {
  readonly folders: readonly DocumentFolder<Spec>[];
  /** Changed in place. One environment has one. */
  readonly memo: DocumentMemo<Spec>;
}

/** What became of all documents. */
export interface RenderedDocuments<Spec> {
  readonly outputs: readonly UnitOutput<Spec>[];
  readonly leftOut: readonly Id[];
  readonly diagnostics: readonly Diagnostic[];
  /** A data key is missing. */
  readonly isPending: boolean;
}

/** What documents are rendered with, by folder. */
export type SurroundingsOf = (folder: string) => DocumentSurroundings;

type Ports = Pick<FolderPorts<unknown>, 'vault' | 'begin'>;

/** Pure but for the memo and the vault. Renders every file whose inputs changed, and looks at all documents together. */
export function renderDocuments<Spec>(
  shelf: Shelf,
  paths: readonly string[],
  around: SurroundingsOf,
  { folders, memo, ...ports }: DocumentPorts<Spec> & Ports,
): RenderedDocuments<Spec> {
  const there = new Set(paths);
  for (const path of memo.keys()) if (!there.has(path)) memo.delete(path);
  let isPending = false;
  const files = folders.flatMap((folder) => {
    const surroundings = around(folder.folder);
    const digest = digestOf(surroundings);
    const inside = paths.filter((path) => path.startsWith(`${folder.folder}/`));
    return inside.map((path) => {
      const kept = memo.get(path);
      if (kept?.surroundings === digest && fits(kept, shelf.files)) {
        return { path, output: kept.output, isNew: false };
      }
      const asking = new Asking(shelf, ports);
      ports.begin?.(path);
      const bytes = asking.read(path) ?? new Uint8Array();
      const open = (other: string): OpenedFile | undefined => asking.open(other);
      const output = renderFile({ path, bytes, folder, surroundings, open });
      const { asked } = asking;
      isPending ||= asking.isPending;
      if (asking.isComplete) memo.set(path, { surroundings: digest, asked, output });
      return { path, output, isNew: true };
    });
  });
  const { outputs, diagnostics } = relate(files);
  const together = mistakesTogether(folders, files);
  const told = [...diagnostics, ...together];
  return {
    outputs,
    diagnostics: told,
    leftOut: files.flatMap(({ output }) => output.leftOut),
    isPending,
  };
}

/** Pure. Whether every file that went into a result is still the same. */
export function fits<Spec>({ asked }: KeptFile<Spec>, files: Files): boolean {
  for (const [path, blob] of asked) if (files.get(path)?.blob !== blob) return false;
  return true;
}

/** The files that one file of documents asks for. */
class Asking {
  readonly asked = new Map<string, string | undefined>();
  readonly #missing = new Set<string>();
  readonly #shelf: Shelf;
  readonly #ports: Ports;
  isPending = false;

  constructor(shelf: Shelf, ports: Ports) {
    this.#shelf = shelf;
    this.#ports = ports;
  }

  read(path: string): Uint8Array | undefined {
    const { files, missing } = this.#shelf;
    this.asked.set(path, files.get(path)?.blob);
    const bytes = contentOf({ files, missing: this.#missing }, path);
    for (const blob of this.#missing) missing.add(blob);
    return bytes;
  }

  open(path: string): OpenedFile | undefined {
    const bytes = this.read(path);
    if (bytes === undefined) return undefined;
    const blob = this.#shelf.files.get(path)?.blob ?? '';
    const content = this.#ports.vault?.openDocument({ path, blob, bytes }) ?? { status: 'plain' };
    this.isPending ||= content.status === 'pending';
    return { bytes, content };
  }

  get isComplete(): boolean {
    return this.#missing.size === 0 && !this.isPending;
  }
}

interface RenderedFile<Spec> {
  readonly path: string;
  readonly output: FileOutput<Spec>;
  readonly isNew: boolean;
}

/** Pure. All documents beside each other: one a unit, and each knows which of what it counts on is made here. */
function relate<Spec>(
  files: readonly RenderedFile<Spec>[],
): Pick<RenderedDocuments<Spec>, 'outputs' | 'diagnostics'> {
  const first = new Map<Id, Place>();
  const made = new Set(files.flatMap(({ output }) => output.units.flatMap(({ gives }) => gives)));
  const diagnostics = files.flatMap(({ output }) => output.diagnostics);
  const isNews = newsFilter();
  const nowhereYet = new Set<string>();
  const outputs = files.flatMap(({ path, output, isNew }) =>
    output.units.flatMap((unit): readonly UnitOutput<Spec>[] => {
      const before = first.get(unit.id);
      if (before !== undefined) {
        diagnostics.push(twice(unit, before));
        return [];
      }
      first.set(unit.id, unit.place);
      const related = { ...unit.output, ...withNeeds(unit, made, nowhereYet) };
      const told = { diagnostics: related.diagnostics.filter(isNews) };
      const whole = { ...related, ...told };
      return [{ id: unit.id, folder: path, output: whole, isNew, isPending: false }];
    }),
  );
  return { outputs, diagnostics };
}

/** Several documents may name a file that something is wrong with: that is said once. */
function newsFilter(): (diagnostic: Diagnostic) => boolean {
  const told = new Set<string>();
  return ({ code, message, place }) => {
    const key = JSON.stringify([code, message, place?.file, place?.line, place?.column]);
    const isNew = !told.has(key);
    told.add(key);
    return isNew;
  };
}

function twice<Spec>({ id, place }: DocumentUnit<Spec>, before: Place): Diagnostic {
  return {
    severity: 'error',
    code: 'name-conflict',
    message: `\`${id}\` has two documents, the other one is at ${before.file}:${String(before.line)}`,
    place,
    hint: 'write all of it in one document',
  };
}

function withNeeds<Spec>(
  { output, wants }: DocumentUnit<Spec>,
  made: ReadonlySet<string>,
  nowhereYet: Set<string>,
): Partial<Pick<UnitOutput<Spec>['output'], 'rendered' | 'diagnostics'>> {
  const needs = [...new Set(wants.map(({ on }) => on).filter((on) => made.has(on)))];
  const { rendered, diagnostics } = output;
  const told = wants.flatMap(({ on, place, named }): readonly Diagnostic[] => {
    // Once is enough: hundreds of accounts may have it.
    if (named === undefined || made.has(on) || nowhereYet.has(on)) return [];
    nowhereYet.add(on);
    return [nowhere(on, { named, place }, made)];
  });
  return {
    ...(rendered && needs.length > 0 && { rendered: { ...rendered, needs } }),
    ...(told.length > 0 && { diagnostics: [...diagnostics, ...told] }),
  };
}

/** No error: it may be there already, made by a person. */
function nowhere(
  on: string,
  { named, place }: { readonly named: string; readonly place: Place },
  made: ReadonlySet<string>,
): Diagnostic {
  const what = on.slice(0, on.indexOf(':') + 1);
  const alike = [...made].filter((one) => one.startsWith(what)).map(namesIn);
  const meant = suggest(namesIn(on), alike);
  return {
    severity: 'warning',
    code: 'undefined-unit',
    message: `the repository does not declare the ${named}`,
    place,
    hint:
      meant === undefined
        ? 'write a document for it, unless somebody else has made it'
        : `did you mean \`${meant}\`?`,
  };
}

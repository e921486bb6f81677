import { type Diagnostic, type Place, placeOfFile } from './diagnostic.ts';
import { digestOf } from './digest.ts';
import { decodeText, onlyOne, withoutExtensions } from './document.ts';
import { documentId, type Named, thingOf } from './document-id.ts';
import type {
  CheckedDocument,
  DocumentFolder,
  DocumentInput,
  DocumentKind,
  DocumentSurroundings,
  OpenedFile,
  Want,
} from './document-kind.ts';
import { FileLimits } from './document-limits.ts';
import { DocumentVariables } from './document-variables.ts';
import type { FolderOutput } from './folder-kind.ts';
import type { Id, Rendered } from './kind.ts';
import { type Located, parseYaml } from './parse.ts';
import { fitsAny } from './selection.ts';
import { meantServer } from './servers.ts';
import { suggest } from './suggest.ts';

/** A document as a unit, whether or not it could be rendered. */
export interface DocumentUnit<Spec> {
  readonly id: Id;
  readonly place: Place;
  /** Also where something else of it is wrong. */
  readonly gives: readonly string[];
  readonly wants: readonly Want[];
  readonly places: ReadonlyMap<string, Place>;
  readonly output: FolderOutput<Spec>;
}

/** What became of a file of documents. */
export interface FileOutput<Spec> {
  readonly units: readonly DocumentUnit<Spec>[];
  /** Units of the repository that the environment does not have. */
  readonly leftOut: readonly Id[];
  /** Of the file, and of documents without an id. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a file of documents is rendered from. */
export interface FileInput<Spec> {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly folder: DocumentFolder<Spec>;
  readonly surroundings: DocumentSurroundings;
  readonly open: (path: string) => OpenedFile | undefined;
}

/** Pure but for what `open` asks for. Every document of one file as a unit. */
export function renderFile<Spec>(input: FileInput<Spec>): FileOutput<Spec> {
  const { path, bytes, surroundings } = input;
  const nothing = { units: [], leftOut: [] };
  const { text, diagnostics: unreadable } = decodeText(path, bytes);
  if (text === undefined) return { ...nothing, diagnostics: unreadable };
  const { documents, diagnostics } = parseYaml(path, text);
  if (diagnostics.length > 0) return { ...nothing, diagnostics };
  const written = documents.filter(({ value }) => value !== null);
  if (written.length === 0) {
    return { ...nothing, diagnostics: [onlyOne(placeOfFile(path), 'the file holds no document')] };
  }
  const variables = new DocumentVariables(surroundings);
  const outcomes = written.map((one) =>
    renderOne(withoutExtensions(one, 'everywhere'), variables, input),
  );
  const limits = new FileLimits();
  return {
    diagnostics: limits.take(outcomes.flatMap(({ diagnostics: own = [] }) => own)),
    units: outcomes.flatMap(({ unit }) => (unit === undefined ? [] : [shown(unit, limits)])),
    leftOut: outcomes.flatMap(({ leftOut }) => leftOut ?? []),
  };
}

function shown<Spec>(unit: DocumentUnit<Spec>, limits: FileLimits): DocumentUnit<Spec> {
  const { output } = unit;
  if (output.diagnostics.length === 0) return unit;
  return { ...unit, output: { ...output, diagnostics: limits.take(output.diagnostics) } };
}

interface Outcome<Spec> {
  readonly unit?: DocumentUnit<Spec>;
  readonly leftOut?: Id;
  readonly diagnostics?: readonly Diagnostic[];
}

function renderOne<Spec>(
  written: Located,
  variables: DocumentVariables,
  input: FileInput<Spec>,
): Outcome<Spec> {
  const kind = kindOf(written, input.folder);
  if ('code' in kind) return { diagnostics: [kind] };
  const { located, diagnostics: ofVariables } = variables.replace(written);
  const isBroken = brokenBy(ofVariables);
  const found = identify(located, kind, input, isBroken);
  const { id, named, server } = found;
  if (id !== undefined && !isChosen(id, input.surroundings)) return { leftOut: id };

  const canRender = id !== undefined && !ofVariables.some(isError);
  const withFiles: DocumentInput = {
    located,
    ...(server !== undefined && { server }),
    ...(named !== undefined && { named }),
    open: input.open,
  };
  const checked = kind.read(located, canRender ? withFiles : undefined);
  const diagnostics = [
    ...ofVariables,
    ...found.diagnostics,
    ...checked.diagnostics.filter((one) => !isBroken(one.place?.path)),
    ...(checked.result?.diagnostics ?? []),
  ];
  if (id === undefined) return { diagnostics };
  const own = kind.makes === undefined ? [] : [thingOf(kind.makes, found.name)];
  return { unit: unitOf({ id, located, own }, checked, diagnostics) };
}

/** Which kind of the folder it is, or what is wrong with `kind`. */
function kindOf<Spec>(
  located: Located,
  { folder, kinds }: DocumentFolder<Spec>,
): DocumentKind<Spec> | Diagnostic {
  const { value } = located;
  const mistake = { severity: 'error', place: located.place(['kind']) } as const;
  const names = kinds.map(({ kind }) => kind);
  const all = `kinds of \`${folder}/\`: ${names.map((name) => `\`${name}\``).join(', ')}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = 'this is no document: write a mapping with `kind` and `name`';
    return { ...mistake, code: 'wrong-type', message, hint: all };
  }
  const kind = textAt(value, 'kind');
  if (kind === undefined) {
    if (Object.hasOwn(value, 'kind')) {
      return { ...mistake, code: 'wrong-type', message: 'write `kind` as text', hint: all };
    }
    return { ...mistake, code: 'missing-key', message: 'missing key `kind`', hint: all };
  }
  const found = kinds.find((one) => one.kind === kind);
  if (found !== undefined) return found;
  const meant = suggest(kind, names);
  const message = `there is no kind \`${kind.slice(0, 60)}\` in \`${folder}/\``;
  const hint = meant === undefined ? all : `did you mean \`${meant}\`?`;
  return { ...mistake, code: 'wrong-value', message, hint };
}

type IsBroken = (path: string | undefined) => boolean;

/** Where variables did not give a value: what else is wrong with it there follows from that. */
function brokenBy(diagnostics: readonly Diagnostic[]): IsBroken {
  const paths = new Set(diagnostics.filter(isError).map(({ place }) => place?.path));
  return (path) => path !== undefined && paths.has(path);
}

interface Identity {
  /** Undefined where it cannot be known. */
  readonly id?: Id;
  readonly name: Named;
  /** The server as the settings name it, and as it stands in the id. */
  readonly server?: string;
  readonly named?: string;
  readonly diagnostics: readonly Diagnostic[];
}

function identify<Spec>(
  located: Located,
  { unit, within = [] }: DocumentKind<Spec>,
  { folder: { folder, serverKey }, surroundings }: FileInput<Spec>,
  isBroken: IsBroken,
): Identity {
  const { environment, servers } = surroundings;
  const name = textAt(located.value, 'name') ?? '';
  const lies = within.flatMap(({ key, otherwise = '' }): readonly string[] => {
    const outer = has(located.value, key) ? textAt(located.value, key) : otherwise;
    return outer === undefined || outer === '' || isBroken(key) ? [] : [outer];
  });
  const isLost = lies.length < within.length;
  const unknown = { name: { name }, diagnostics: [] };
  const written = has(located.value, serverKey);
  const server = written ? textAt(located.value, serverKey) : 'default';
  const isUnnamed = name === '' || server === undefined || isLost;
  if (isUnnamed || isBroken('name') || isBroken(serverKey)) return unknown;
  const meant = meantServer(server, servers, {
    environment,
    key: folder,
    word: serverKey,
  });
  if (meant.status === 'wrong') {
    const place = located.place([written ? serverKey : 'name'], 'value');
    return { ...unknown, diagnostics: [{ severity: 'error', ...meant.mistake, place }] };
  }
  const isNamed = meant.named && meant.server !== undefined;
  const whole = {
    name,
    ...(lies.length > 0 && { within: lies }),
    ...(isNamed && { server: meant.server }),
  };
  const id = documentId(unit, whole);
  const where = {
    name: whole,
    ...(meant.server !== undefined && { server: meant.server }),
    ...(isNamed && { named: meant.server }),
  };
  if (id !== undefined) return { ...where, id, diagnostics: [] };
  const message = 'the name is too long to be a part of an id, or holds half a character';
  const place = located.place(['name'], 'value');
  return { ...where, diagnostics: [{ severity: 'error', code: 'wrong-name', message, place }] };
}

function isChosen(id: Id, { include, exclude }: DocumentSurroundings): boolean {
  return fitsAny(include, id) && !fitsAny(exclude, id);
}

interface Known {
  readonly id: Id;
  readonly located: Located;
  /** What it gives under its own name. */
  readonly own: readonly string[];
}

function unitOf<Spec>(
  { id, located, own }: Known,
  { common, result }: CheckedDocument<Spec>,
  diagnostics: readonly Diagnostic[],
): DocumentUnit<Spec> {
  const place = located.place(['name'], 'value');
  const written = (common?.dependsOn ?? []).map((on, index) => {
    return { on, place: located.place(['dependsOn', index], 'value') };
  });
  const depends = [...written, ...(result?.depends ?? [])];
  const gives = [...own, ...(result?.gives ?? [])];
  const claims = result?.claims ?? [];
  const rendered: Rendered<Spec> | undefined =
    result?.spec === undefined || diagnostics.some(isError)
      ? undefined
      : {
          id,
          spec: result.spec,
          digest: digestOf(result.closed === true ? [result.spec, 'closed'] : result.spec),
          place,
          dependsOn: [...new Set(depends.map(({ on }) => on))],
          needs: [],
          gives,
          ...(common?.suspend === true && { suspended: true as const }),
          ...(result.closed === true && { locked: 1, closed: true as const }),
        };
  return {
    id,
    place,
    gives,
    wants: result?.wants ?? [],
    places: result?.places ?? new Map(),
    output: {
      ...(rendered && { rendered }),
      claims: claims.map(({ name }) => name),
      claimedAt: new Map(claims.map(({ name, place: at }) => [name, at])),
      depends,
      ...(result?.rotations && { rotations: result.rotations }),
      ...(result?.variable !== undefined && { variable: result.variable }),
      files: [],
      diagnostics,
      ...(result?.words && { words: result.words }),
    },
  };
}

function isError({ severity }: Diagnostic): boolean {
  return severity === 'error';
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function has(value: unknown, key: string): value is Readonly<Record<string, unknown>> {
  return isMapping(value) && Object.hasOwn(value, key);
}

function textAt(value: unknown, key: string): string | undefined {
  const field = has(value, key) ? value[key] : undefined;
  return typeof field === 'string' ? field : undefined;
}

import { Compose } from '../../../../schemas/compose.ts';
import { check } from '../../../core/check.ts';
import type { Diagnostic } from '../../../core/diagnostic.ts';
import { parseYaml, startOf } from '../../../core/parse.ts';
import type { Located, Path } from '../../../core/parse.ts';
import type { ReplacedValue } from '../sealed-files.ts';
import { noteHosts, noteOptionDuplicates } from './container.ts';
import { resolveEnvironment } from './environment.ts';
import { noteEndless } from './endless.ts';
import { leaveOut } from './ignored.ts';
import { noteUnmergeable } from './merge-lists.ts';
import { hostsPart } from './merge-options.ts';
import { noteNameless } from './nameless.ts';
import { Notes } from './notes.ts';
import type { Part } from './parts.ts';
import { fieldOf, partFrom, partOf } from './parts.ts';
import type { ComposeFile, ComposeInput } from './render.ts';
import { salvage } from './salvage.ts';
import { settle } from './settle.ts';
import { unsupported } from './unsupported.ts';
import { replaceVariables } from './variables.ts';
import { noteVersion } from './versions.ts';

/** One Compose file with its variables replaced, checked by itself. */
export interface Loaded {
  readonly located: Located;
  readonly notes: Notes;
  /** As it is written, mistakes included. */
  readonly written: unknown;
  /** What its schema takes of it. */
  readonly compose: Compose | undefined;
  /** The schema takes all of it. */
  readonly whole: boolean;
}

/**
 * The file, or why there is nothing in it that could be looked at. Mistakes in it go to its notes, which are those of the
 * files before it.
 */
export function loadFile(
  { file, text, clears }: ComposeFile,
  {
    variables,
    environment,
    outputs,
    allow,
    sealed,
  }: Pick<ComposeInput, 'variables' | 'environment' | 'outputs' | 'allow' | 'sealed'>,
  before: Notes | undefined,
): Loaded | { readonly diagnostics: readonly Diagnostic[] } {
  const parsed = parseYaml(file, text, {
    exact: true,
    anyTag: allow.unworkable,
    ...(clears && { clears }),
  });
  const [located, second] = parsed.documents;
  if (located === undefined || located.value === null) {
    if (parsed.diagnostics.length > 0) return { diagnostics: parsed.diagnostics };
    return { diagnostics: [empty(file, text)] };
  }
  const notes = before?.within(located) ?? Notes.of(located, allow);
  notes.add(...parsed.diagnostics);
  if (second !== undefined) {
    // The CLI drops what follows in silence: half of a file would ask for half of the services.
    const place = second.place([]);
    const message = 'a Compose file holds one document, here is a second one';
    const hint = 'remove the `---` between them';
    const severity = allow.moreDocuments ? 'warning' : 'error';
    notes.add({ severity, code: 'conflict', message, place, hint });
  }
  const source = {
    variables,
    environment,
    ...(outputs && { outputs }),
    undefinedVariables: allow.undefinedVariables,
    took: (names: readonly string[], path: Path, values: ReplacedValue): void =>
      sealed?.took(names, path, located, values),
  };
  const settled = settle(replaceVariables(located.value, source, notes));
  sealed?.inCompose(located, (path) => valueIn(settled, path));
  noteEndless(located.value, notes);
  noteVersion(located.value, settled, notes);
  const written = leaveOut(settled, notes);
  noteNameless(written, notes);
  const checked = check({ ...located, value: written }, Compose, { unsupported });
  notes.add(...checked.diagnostics);
  const compose = checked.value ?? Compose.safeParse(salvage(Compose, written)).data;
  return { located, notes, written, compose, whole: checked.value !== undefined };
}

function valueIn(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = new Map(Object.entries(at)).get(String(part));
  }
  return at;
}

function empty(file: string, text: string): Diagnostic {
  const message = 'the file holds no stack';
  return { severity: 'error', code: 'missing-document', message, place: startOf(file, text) };
}

/**
 * The file as it is merged with others: what the schema takes, the environment of each service as one mapping in
 * which `env_file` and variables have done their part, and its `extra_hosts` as a list.
 */
export function partToMerge(
  { located, notes, compose }: Loaded,
  context: Omit<Parameters<typeof resolveEnvironment>[2], 'notes'>,
): Part {
  const whole = partOf(compose ?? {}, located);
  const services = fieldOf(whole, 'services');
  if (whole.kind !== 'map' || services?.kind !== 'map') return whole;
  const fields = new Map(services.fields);
  for (const [name, service] of Object.entries(compose?.services ?? {})) {
    const part = fields.get(name);
    if (part?.kind !== 'map') continue;
    const path = ['services', name];
    noteOptionDuplicates(service, path, notes);
    noteHosts(service, path, notes);
    const values = resolveEnvironment(service, path, { ...context, notes });
    const own = new Map(part.fields);
    own.delete('env_file');
    const hosts = fieldOf(part, 'extra_hosts');
    if (hosts !== undefined) own.set('extra_hosts', hostsPart(hosts));
    for (const name of values.keys()) {
      const { from } = fieldOf(part, 'environment') ?? part;
      noteUnmergeable(name, from, notes);
    }
    if (values.size > 0) own.set('environment', environment(values, part));
    fields.set(name, { ...part, fields: own });
  }
  return { ...whole, fields: new Map([...whole.fields, ['services', { ...services, fields }]]) };
}

function environment(values: ReadonlyMap<string, string | undefined>, service: Part): Part {
  const written = fieldOf(service, 'environment');
  const from = (written ?? fieldOf(service, 'env_file') ?? service).from;
  const fields = [...values].map(([key, value]): [string, Part] => [
    key,
    partFrom(value ?? null, (fieldOf(written, key) ?? { from }).from),
  ]);
  return { kind: 'map', from, fields: new Map(fields) };
}

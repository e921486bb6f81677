import { posix } from 'node:path';

import { Compose } from '../../../../schemas/compose.ts';
import type { Diagnostic } from '../../../core/diagnostic.ts';
import type { DocumentText } from '../../../core/document.ts';
import type { Outputs } from '../../../core/outputs.ts';
import type { AllowRules } from '../../../core/surroundings.ts';
import type { SealedFiles } from '../sealed-files.ts';
import type { ConfigSpec, SecretSpec } from '../spec.ts';
import type { NetworkCreate, ServiceSpec } from '../engine-api.ts';
import { noteMissingImages } from './missing-image.ts';
import { contextOf, convertStack, type ImageInput } from './convert.ts';
import type { Loaded } from './load.ts';
import { loadFile, partToMerge } from './load.ts';
import { mergeCompose } from './merge.ts';
import type { Notes } from './notes.ts';
import { locatedOf, valueOf } from './parts.ts';
import { noteSecondCopies } from './single.ts';
import { noteSmallSubnets } from './small-subnets.ts';
import { isMapping } from './variables.ts';

/** A Compose file of the repository. */
export interface ComposeFile extends DocumentText {
  /** Its path: `stacks/blog/compose.yaml`. */
  readonly file: string;
}

/** Everything that a stack is made of: nothing else is looked at. */
export interface ComposeInput extends ComposeFile, ImageInput {
  /** The stack's name. */
  readonly stack: string;
  /** Further files, each merged over those before it. Their paths begin at the first file, too. */
  readonly over?: readonly ComposeFile[];
  /** The only source for `${...}`. */
  readonly variables: Readonly<Record<string, string>>;
  /** Whose they are; absent: nobody's in particular. */
  readonly environment?: string;
  /** Who gives variables; absent: nobody. */
  readonly outputs?: Pick<Outputs, 'giverOf'>;
  /** A file of the repository by its normalised path; nothing else exists. */
  readonly read: (path: string) => Uint8Array | undefined;
  /** What is encrypted; absent: nothing. */
  readonly sealed?: SealedFiles;
  readonly allow: AllowRules;
  /** No service of it may ever run twice. */
  readonly single?: boolean;
  /** The stack whose place it takes. */
  readonly movedFrom?: string;
}

/** A stack as Swarm objects, keyed as in the file. */
export interface ComposeResult {
  readonly services: Record<string, ServiceSpec>;
  readonly networks: Record<string, NetworkCreate>;
  readonly configs: Record<string, ConfigSpec>;
  readonly secrets: Record<string, SecretSpec>;
  /** What must exist beforehand, by Swarm name: `network:proxy`, `secret:x`, `config:y`. Sorted. */
  readonly needs: readonly string[];
}

/** The stack, unless anything is wrong with it, and everything there is to say about it. */
export interface RenderedCompose {
  readonly result?: ComposeResult;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Pure. Turns Compose files into what `docker stack deploy` would send for them. All mistakes are told at once; with any
 * of them there is no result.
 */
export function renderCompose(input: ComposeInput): RenderedCompose {
  const files: Loaded[] = [];
  const unreadable: Diagnostic[] = [];
  for (const file of [input, ...(input.over ?? [])]) {
    const loaded = loadFile(file, input, files[0]?.notes);
    if ('diagnostics' in loaded) unreadable.push(...loaded.diagnostics);
    else files.push(loaded);
  }
  const result = unreadable.length === 0 ? renderFiles(files, input) : undefined;
  const diagnostics = [...unreadable, ...(files[0]?.notes.all() ?? [])];
  const isWrong = diagnostics.some(({ severity }) => severity === 'error');
  return isWrong || result === undefined ? { diagnostics } : { result, diagnostics };
}

/** Mistakes go to the notes of the files. */
function renderFiles(files: readonly Loaded[], input: ComposeInput): ComposeResult | undefined {
  const [first, ...others] = files;
  if (first === undefined) return undefined;
  const folder = posix.dirname(input.file);
  if (others.length > 0) return renderMerged(first, others, { ...input, folder });
  const { written, compose, whole, notes } = first;
  noteMissingImages(written, notes);
  if (compose === undefined) return undefined;
  if (whole && !input.allow.emptyStacks) noteEmptiness(compose, notes);
  const context = contextOf(compose, written, { ...input, folder, notes });
  return checked(convertStack(compose, context), input, notes);
}

function renderMerged(
  first: Loaded,
  others: readonly Loaded[],
  input: ComposeInput & { readonly folder: string },
): ComposeResult | undefined {
  const files = [first, ...others];
  const parts = files.map((file) => partToMerge(file, input));
  const merged = parts.reduce((base, over) => mergeCompose(base, over, first.notes));
  const notes = first.notes.within(locatedOf(merged));
  noteMissingImages({ services: servicesOf(files) }, notes);
  if (!input.allow.emptyStacks) for (const file of others) noteNothing(file);
  // The schema took every part of it; if it did not take the whole, an empty result would ask for a removal.
  const { data: compose, error } = Compose.safeParse(valueOf(merged));
  if (compose === undefined) {
    const message = 'these files are right one by one, but not what they are together';
    notes.error('conflict', error.issues[0]?.path.map(partOfPath) ?? [], message);
    return undefined;
  }
  const isWhole = files.every(({ whole }) => whole);
  if (isWhole && !input.allow.emptyStacks) noteEmptiness(compose, notes);
  const context = { ...input, notes, resolved: true } as const;
  const result = convertStack(compose, contextOf(compose, sectionsOf(files), context));
  return checked(result, input, notes);
}

function checked(result: ComposeResult, { single }: ComposeInput, notes: Notes): ComposeResult {
  if (single === true) noteSecondCopies(result.services, notes);
  noteSmallSubnets(result.networks, result.services, notes);
  return result;
}

function partOfPath(part: PropertyKey): string | number {
  return typeof part === 'symbol' ? String(part) : part;
}

/** Every entry that any of the files declares. A section that is no mapping may declare anything. */
function sectionsOf(files: readonly Loaded[]): unknown {
  const sections = ['networks', 'volumes', 'configs', 'secrets'].map(
    (section): [string, unknown] => {
      const written = files.flatMap((file) => {
        const value = isMapping(file.written) ? file.written[section] : undefined;
        return value === undefined ? [] : [value];
      });
      const strange = written.find((value) => !isMapping(value));
      const entries = written.filter(isMapping).flatMap((value) => Object.entries(value));
      if (written.length === 0) return [section, undefined];
      return [section, strange ?? Object.fromEntries(entries)];
    },
  );
  return Object.fromEntries(sections);
}

/** Every service with the keys that any of the files gives it. */
function servicesOf(files: readonly Loaded[]): unknown {
  const services = new Map<string, unknown>();
  for (const { written } of files) {
    const own = isMapping(written) ? written['services'] : undefined;
    for (const [name, service] of Object.entries(isMapping(own) ? own : {})) {
      const before = services.get(name);
      const both = isMapping(before) && isMapping(service);
      services.set(name, both ? withoutEmptyImage(before, service) : (before ?? service));
    }
  }
  return Object.fromEntries(services);
}

function withoutEmptyImage(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { image } = after;
  return {
    ...before,
    ...after,
    image: image === undefined || image === '' ? before['image'] : image,
  };
}

/** A file cut off after its first lines must not pass as a stack that wants nothing. */
function noteEmptiness({ services, configs, secrets }: Compose, notes: Notes): void {
  if (services !== undefined || configs !== undefined || secrets !== undefined) return;
  const hint = 'to remove a stack, remove its folder';
  notes.error('missing-key', [], 'the stack has no `services`', hint);
}

/** As little may a further file that was cut off pass for one that changes nothing. */
function noteNothing({ compose, whole, notes }: Loaded): void {
  if (compose === undefined || !whole) return;
  const { version: _version, ...sections } = compose;
  if (Object.values(sections).some((section) => section !== undefined)) return;
  notes.error('missing-key', [], 'the file has nothing but a version', 'remove the file');
}

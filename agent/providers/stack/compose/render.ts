import { posix } from 'node:path';

import { Compose } from '../../../../schemas/compose.ts';
import { check } from '../../../core/check.ts';
import type { Diagnostic } from '../../../core/diagnostic.ts';
import { parseYaml, startOf } from '../../../core/parse.ts';
import type { Located } from '../../../core/parse.ts';
import type { AllowRules } from '../../../core/surroundings.ts';
import type { ConfigSpec, SecretSpec } from '../spec.ts';
import type { NetworkCreate, ServiceSpec } from '../engine-api.ts';
import { noteMissingImages } from './missing-image.ts';
import { contextOf, convertStack } from './convert.ts';
import { Notes } from './notes.ts';
import { salvage } from './salvage.ts';
import { settle } from './settle.ts';
import { unsupported } from './unsupported.ts';
import { replaceVariables } from './variables.ts';
import { noteVersion } from './versions.ts';

/** Everything that a stack is made of: nothing else is looked at. */
export interface ComposeInput {
  /** The stack's name. */
  readonly stack: string;
  /** The Compose file's path in the repository: `stacks/blog/compose.yaml`. */
  readonly file: string;
  readonly text: string;
  /** The only source for `${...}`. */
  readonly variables: Readonly<Record<string, string>>;
  /** A file of the repository by its normalised path; nothing else exists. */
  readonly read: (path: string) => Uint8Array | undefined;
  readonly allow: AllowRules;
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
 * Pure. Turns a Compose file into what `docker stack deploy` would send for it. All mistakes are told at once; with any
 * of them there is no result.
 */
export function renderCompose(input: ComposeInput): RenderedCompose {
  const parsed = parseYaml(input.file, input.text, { exact: true });
  const [document, second] = parsed.documents;
  if (document === undefined || document.value === null) {
    if (parsed.diagnostics.length > 0) return { diagnostics: parsed.diagnostics };
    return { diagnostics: [missing(input, 'the file holds no stack')] };
  }
  const notes = new Notes(document);
  notes.add(...parsed.diagnostics);
  if (second !== undefined) {
    // The CLI drops what follows in silence: half of a file would ask for half of the services.
    const place = second.place([]);
    const message = 'a Compose file holds one document, here is a second one';
    notes.add({
      severity: 'error',
      code: 'conflict',
      message,
      place,
      hint: 'remove the `---` between them',
    });
  }
  const result = renderDocument(document, input, notes);
  const diagnostics = notes.all();
  const isWrong = diagnostics.some(({ severity }) => severity === 'error');
  return isWrong || result === undefined ? { diagnostics } : { result, diagnostics };
}

function renderDocument(
  document: Located,
  input: ComposeInput,
  notes: Notes,
): ComposeResult | undefined {
  const { variables, allow } = input;
  const source = { variables, undefinedVariables: allow.undefinedVariables };
  const value = settle(replaceVariables(document.value, source, notes));
  noteVersion(document.value, value, notes);
  noteMissingImages(value, notes);
  const checked = check({ ...document, value }, Compose, { unsupported });
  notes.add(...checked.diagnostics);
  if (checked.value !== undefined) noteEmptiness(checked.value, notes);
  const compose = checked.value ?? Compose.safeParse(salvage(Compose, value)).data;
  if (compose === undefined) return undefined;
  const folder = posix.dirname(input.file);
  return convertStack(compose, contextOf(compose, value, { ...input, folder, notes }));
}

/** A file cut off after its first lines must not pass as a stack that wants nothing. */
function noteEmptiness({ services, configs, secrets }: Compose, notes: Notes): void {
  if (services !== undefined || configs !== undefined || secrets !== undefined) return;
  const hint = 'to remove a stack, remove its folder';
  notes.error('missing-key', [], 'the stack has no `services`', hint);
}

function missing(input: ComposeInput, message: string): Diagnostic {
  const place = startOf(input.file, input.text);
  return { severity: 'error', code: 'missing-document', message, place };
}

import { posix } from 'node:path';

import type { Service } from '../../../../schemas/compose-service.ts';
import type { Diagnostic } from '../../../core/diagnostic.ts';
import type { Path } from '../../../core/parse.ts';
import type { Context } from './context.ts';
import { readEnvFile } from './env-file.ts';
import { noteDuplicates, splitPair } from './labels.ts';
import { bytewise, pathInside } from './names.ts';
import { definedHow } from './variables.ts';

/** What is looked at for the environment of a service. */
type Inputs = Pick<
  Context,
  'folder' | 'variables' | 'environment' | 'outputs' | 'read' | 'sealed' | 'allow' | 'notes'
>;

/** `KEY=VALUE`, sorted by bytes. */
export function convertEnvironment(
  service: Service,
  path: Path,
  context: Context,
): string[] | undefined {
  const values =
    context.resolved === true
      ? new Map(pairsOf(service).map(([, key, value]) => [key, value]))
      : resolveEnvironment(service, path, context);
  if (values.size === 0) return undefined;
  return [...values]
    .map(([key, value]) => (value === undefined ? key : `${key}=${value}`))
    .toSorted(bytewise);
}

/**
 * `environment` over `env_file`. A name without a value takes the environment's variable of that name; so does, as in
 * the CLI, one whose value is empty.
 */
export function resolveEnvironment(
  service: Service,
  path: Path,
  context: Inputs,
): ReadonlyMap<string, string | undefined> {
  const values = new Map<string, string | undefined>(fromFiles(service, path, context));
  noteDuplicates(service.environment, [...path, 'environment'], context.notes);
  for (const [at, key, value] of pairsOf(service)) {
    values.set(key, filledIn(key, value, [...path, 'environment', at], context));
    if (value === undefined || value === '') context.sealed?.tookValue(key, String(path[1]));
  }
  return values;
}

/** Where in `environment` each variable stands, its name and its value. */
function pairsOf({ environment }: Service): [string | number, string, string | undefined][] {
  return Array.isArray(environment)
    ? environment.map((item, index): [string | number, string, string | undefined] => [
        index,
        ...splitPair(item),
      ])
    : Object.entries(environment ?? {}).map(
        ([key, value]): [string | number, string, string | undefined] => [
          key,
          key,
          value ?? undefined,
        ],
      );
}

function filledIn(
  key: string,
  value: string | undefined,
  path: Path,
  context: Inputs,
): string | undefined {
  if (value !== undefined && value !== '') return value;
  const { variables, notes } = context;
  const variable = Object.hasOwn(variables, key) ? variables[key] : undefined;
  if (variable !== undefined) {
    if (value === '' && variable !== '') {
      notes.warn(
        'interpolation',
        path,
        `\`${key}\` is empty here and takes the value of the variable \`${key}\``,
      );
    }
    return variable;
  }
  if (value === undefined && !notes.isFull) noteUndefined(key, path, context);
  return value;
}

function noteUndefined(key: string, path: Path, context: Inputs): void {
  const { allow, notes } = context;
  const message = `\`${key}\` has no value, and no variable is called so`;
  const { undefinedVariables } = allow;
  if (undefinedVariables) notes.warn('undefined-variable', path, message);
  else notes.error('undefined-variable', path, message, definedHow(key, context));
}

function fromFiles(service: Service, path: Path, context: Inputs): Map<string, string> {
  const values = new Map<string, string>();
  const written = service.env_file;
  if (written === undefined) return values;
  const isList = Array.isArray(written);
  noteDuplicates(written, [...path, 'env_file'], context.notes);
  for (const [index, name] of (isList ? written : [written]).entries()) {
    const at = [...path, 'env_file', ...(isList ? [index] : [])];
    for (const [key, value] of fromFile(name, at, context)) values.set(key, value);
  }
  return values;
}

function fromFile(name: string, path: Path, context: Inputs): Map<string, string> {
  const values = new Map<string, string>();
  const file = findFile(name, path, context, 'lines');
  if (file === undefined) return values;
  const { variables, allow, notes, sealed } = context;
  const { lines, diagnostics } = readEnvFile(file.path, file.bytes);
  notes.add(...(file.isOpened ? diagnostics.map(withoutQuote) : diagnostics));
  for (const { key, value, place } of lines) {
    if (file.isOpened) sealed?.hide(String(path[1]), key);
    const variable = Object.hasOwn(variables, key) ? variables[key] : undefined;
    if (value !== undefined && value !== '') values.set(key, value);
    else if (variable !== undefined) {
      values.set(key, variable);
      sealed?.tookValue(key, String(path[1]));
    } else if (value !== undefined) values.set(key, value);
    else if (!notes.isFull) {
      notes.add({
        severity: allow.undefinedVariables ? 'warning' : 'error',
        code: 'undefined-variable',
        // Without a `=` it need not be a name.
        message: file.isOpened
          ? 'a line of the encrypted file has no `=`, and no variable is called so'
          : `\`${key}\` has no value, and no variable is called so`,
        place: file.isOpened ? { ...place, quoted: '' } : place,
        hint: file.isOpened ? 'write `KEY=VALUE`' : definedHow(key, context),
      });
    }
  }
  return values;
}

/** Of what was decrypted no line is shown. */
function withoutQuote(diagnostic: Diagnostic): Diagnostic {
  const { place } = diagnostic;
  return place === undefined ? diagnostic : { ...diagnostic, place: { ...place, quoted: '' } };
}

/** A file of the repository that a Compose file names. */
export interface FoundFile {
  readonly path: string;
  /** Decrypted, where that was needed and could be done. */
  readonly bytes: Uint8Array;
  /** It was encrypted, and what is in `bytes` was opened or is as much as is in clear. */
  readonly isOpened: boolean;
  /** It is encrypted still; `bytes` says nothing about its size or form. */
  readonly isLocked: boolean;
}

/** A file of the repository that the Compose file names, or a diagnostic at that place. `as`: what it is read as. */
export function findFile(
  name: string,
  path: Path,
  context: Pick<Context, 'folder' | 'read' | 'sealed' | 'allow' | 'notes'>,
  as: 'lines' | 'content',
): FoundFile | undefined {
  const inside = pathInside(context.folder, name, context.allow.checkout);
  if (inside === undefined) {
    const message = 'the path leads out of the repository';
    context.notes.error(
      'path-outside',
      path,
      message,
      `write it relative to \`${context.folder}/\``,
    );
    return undefined;
  }
  const bytes = context.read(inside);
  if (bytes === undefined) {
    context.notes.error(
      'missing-file',
      path,
      `there is no file \`${posix.normalize(inside)}\` in the repository`,
    );
    return undefined;
  }
  const content = context.sealed?.open(inside, bytes) ?? { status: 'plain', bytes };
  switch (content.status) {
    case 'plain':
    case 'opened':
      return { path: inside, bytes: content.bytes, isOpened: content.status === 'opened', isLocked: false }; // prettier-ignore
    case 'locked': {
      const known = as === 'lines' ? (content.lines ?? new Uint8Array()) : content.bytes;
      return { path: inside, bytes: known, isOpened: true, isLocked: true };
    }
    case 'wrong':
      context.notes.add(...content.diagnostics);
      return undefined;
    case 'pending':
      return undefined;
  }
}

import type { FileObject, SecretObject } from '../../../../schemas/compose.ts';
import type { Service } from '../../../../schemas/compose-service.ts';
import type { Path } from '../../../core/parse.ts';
import type { FileTarget } from '../engine-api.ts';
import type { SecretDriver } from '../spec.ts';
import type { Context, Declared } from './context.ts';
import { isExternal, swarmName } from './context.ts';
import { findFile } from './environment.ts';
import { checkExternal } from './external.ts';
import { NAMESPACE_LABEL, convertLabels } from './labels.ts';
import { bytewise, fileNameProblem, nearest } from './names.ts';

/** Configs and secrets are the same thing twice. */
export type FileKind = 'config' | 'secret';

/** What the engine takes as content: at least one byte, and at most this many. */
const BYTES_MAX: Readonly<Record<FileKind, number>> = { config: 1_023_999, secret: 511_999 };
const MODE_DEFAULT = 0o444;

/** One config or secret that the stack makes. */
export type FileContent = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly templating?: string;
} & (
  | { readonly bytes: Uint8Array }
  /** Of a secret only. */
  | { readonly driver: SecretDriver }
);

/** One config or secret in a container. */
export interface FileUse {
  readonly key: string;
  readonly name: string;
  readonly file: FileTarget;
}

/** `configs` or `secrets` of a service, sorted by name, then by target. */
export function convertFileUses(
  kind: FileKind,
  service: Service,
  path: Path,
  context: Context,
): FileUse[] {
  const section = `${kind}s` as const;
  const uses: FileUse[] = [];
  const targets = new Set<string>();
  for (const [index, written] of (service[section] ?? []).entries()) {
    if (written === undefined) continue;
    const at = [...path, section, index];
    const long = typeof written === 'string' ? { source: written } : written;
    const { source = '', mode = MODE_DEFAULT } = long;
    if (source === '') {
      context.notes.error('missing-key', at, `the ${kind} has no \`source\``);
      continue;
    }
    const declared = context[section].entries.get(source);
    if (declared === undefined) noteUndefined(kind, source, [...at, 'source'], context);
    if (mode < 0 || mode >= 2 ** 32)
      context.notes.error(
        'wrong-value',
        [...at, 'mode'],
        'this is not a file mode',
        'write octal digits such as `0440`',
      );
    const target = orElse(long.target, source);
    if (targets.has(target))
      context.notes.error('conflict', at, `another ${kind} has the target \`${target}\` already`);
    targets.add(target);
    uses.push({
      key: source,
      name: swarmName(source, declared, context.stack),
      file: {
        Name: target,
        UID: orElse(long.uid, '0'),
        GID: orElse(long.gid, '0'),
        Mode: Math.trunc(mode),
      },
    });
  }
  return uses.toSorted((a, b) => bytewise(a.name, b.name) || bytewise(a.file.Name, b.file.Name));
}

function orElse(text: string | undefined, otherwise: string): string {
  return text === undefined || text === '' ? otherwise : text;
}

/** Notes that `source` is not declared; `path`: where it is named. */
export function noteUndefined(kind: FileKind, source: string, path: Path, context: Context): void {
  const section = `${kind}s` as const;
  if (context.notes.isFull || context[section].has(source)) return;
  const near = nearest(source, context[section].entries.keys());
  context.notes.error(
    `undefined-${kind}`,
    path,
    `the ${kind} \`${source}\` is not declared`,
    near === undefined
      ? `add \`${source}\` to \`${section}\` at the top level`
      : `did you mean \`${near}\`?`,
  );
}

/** All configs or secrets that the stack makes, used or not. */
export function convertFiles(kind: FileKind, context: Context): Record<string, FileContent> {
  const section = `${kind}s` as const;
  const declared: Declared<SecretObject> = context[section];
  const contents: [string, FileContent][] = [];
  for (const [key, entry] of declared.entries) {
    if (entry === null) continue;
    const path = [section, key];
    const ignored = ['file', 'labels', 'template_driver', 'driver', 'driver_opts'];
    checkExternal(entry, ignored, path, context.notes);
    if (isExternal(entry.external)) continue;
    const content = convertFile(kind, key, entry, context);
    if (content !== undefined) contents.push([key, content]);
  }
  return Object.fromEntries(contents);
}

function convertFile(
  kind: FileKind,
  key: string,
  entry: SecretObject,
  context: Context,
): FileContent | undefined {
  const { notes, stack } = context;
  const path = [`${kind}s`, key];
  const name = swarmName(key, entry, stack);
  const problem = fileNameProblem(name);
  if (problem !== undefined)
    notes.errorAtKey('wrong-name', entry.name === undefined ? path : [...path, 'name'], problem);
  const driver = orElse(entry.template_driver, '');
  if (driver !== '' && driver !== 'golang') {
    notes.unworkable(
      'wrong-value',
      [...path, 'template_driver'],
      'there is no such template driver',
      'write `golang`',
    );
  }
  const labels = convertLabels(entry.labels, { [NAMESPACE_LABEL]: stack });
  const head = { name, labels, ...(driver === '' ? {} : { templating: driver }) };
  const plugin = convertDriver(key, entry, context);
  if (plugin !== undefined) return { ...head, driver: plugin };
  const bytes = bytesOf(kind, key, entry, context);
  return bytes === undefined ? undefined : { ...head, bytes };
}

/** The plugin that has the content of a secret. */
function convertDriver(
  key: string,
  entry: SecretObject,
  { notes, allow }: Context,
): SecretDriver | undefined {
  const path = ['secrets', key];
  const { driver: name = '', driver_opts: options = {}, file = '' } = entry;
  if (name === '') {
    if (entry.driver_opts !== undefined) {
      const message = '`driver_opts` have no effect without `driver`';
      notes.warn('ignored-key', [...path, 'driver_opts'], message);
    }
    return undefined;
  }
  if (file !== '') {
    const message = 'the content comes from `driver` or from `file`, not from both';
    notes.errorAtKey('conflict', [...path, 'file'], message);
  }
  if (!allow.plugins) {
    notes.error(
      'not-allowed',
      [...path, 'driver'],
      `the policy does not allow the secret driver \`${name}\``,
      'set `policy.allow.plugins: true` in the environment, or use `file` or `external`',
    );
  }
  return { name, ...(Object.keys(options).length > 0 && { options }) };
}

/** What the file of a config or secret holds. */
function bytesOf(
  kind: FileKind,
  key: string,
  entry: FileObject,
  context: Context,
): Uint8Array | undefined {
  const { notes } = context;
  const path = [`${kind}s`, key];
  if (entry.file === undefined || entry.file === '') {
    notes.errorAtKey(
      'missing-key',
      path,
      `the ${kind} \`${key}\` has no \`file\``,
      'write `file`, or `external: true` if it exists already',
    );
    return undefined;
  }
  const file = findFile(entry.file, [...path, 'file'], context, 'content');
  if (file === undefined) return undefined;
  const { bytes, isOpened, isLocked } = file;
  if (kind === 'config' && isOpened) {
    const message = `the config \`${key}\` is encrypted here, and whoever may read the Swarm can read it there`;
    notes.warn('encrypted-config', [...path, 'file'], message, 'make it a secret');
  }
  if (isLocked) return bytes;
  if (bytes.length === 0 || bytes.length > BYTES_MAX[kind]) {
    const message = `a ${kind} holds 1 to ${String(BYTES_MAX[kind])} bytes, this file has ${String(bytes.length)}`;
    notes.error(bytes.length === 0 ? 'wrong-value' : 'too-large', [...path, 'file'], message);
  }
  return bytes;
}

import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

/** A stack file (or several, to be merged) and what the Docker CLI did with it. */
export interface Case {
  readonly id: string;
  readonly files: readonly string[];
  readonly accepted: boolean;
  /** `cli`, `engine` or, for a file that needs another one before it, `overlay-file`. */
  readonly rejectedBy: string;
}

/** What a stack file was given: nothing else exists for it. */
export interface Given {
  /** The stack's name. */
  readonly stack: string;
  readonly texts: readonly { readonly file: string; readonly text: string }[];
  readonly variables: Readonly<Record<string, string>>;
  readonly stubs: ReadonlyMap<string, Uint8Array>;
}

/** Where the cases lie for the conversion. */
export const CHECKOUT = '/parity';

/** The cases lay two folders deep, so that `../../x` is still a path of theirs. */
export const DEEP = 'p/q';

/** The cases of a folder laid out as test/parity/own/README.md says. Throws where it is not. */
export function readCases(folder: string): readonly Case[] {
  const manifest = join(folder, 'manifest.tsv');
  if (!existsSync(manifest)) throw new Error(`${folder} has no manifest.tsv`);
  const [header = '', ...rows] = readFileSync(manifest, 'utf8').trim().split('\n');
  const names = header.split('\t');
  for (const needed of ['id', 'files', 'accepted']) {
    if (!names.includes(needed)) throw new Error(`${manifest} has no column \`${needed}\``);
  }
  return rows.map((row) => {
    const field = new Map(row.split('\t').map((value, index) => [names[index], value]));
    return {
      id: field.get('id') ?? '',
      files: (field.get('files') ?? '').split(','),
      accepted: field.get('accepted') === 'yes',
      rejectedBy: field.get('rejected_by') ?? '',
    };
  });
}

/** What lies beside the case in its folder. */
export function readGiven(folder: string, { id, files }: Case): Given {
  return {
    stack: `s${id}`,
    texts: files.map((file) => ({
      file: `${DEEP}/${file}`,
      text: readFileSync(join(folder, 'files', file), 'utf8'),
    })),
    variables: readVariables(join(folder, 'files', `${id}.env`)),
    stubs: readStubs(join(folder, 'files', `${id}.d`)),
  };
}

/** Files beside a stack file; `@up1/x` is `../x`. */
export function readStubs(folder: string): ReadonlyMap<string, Uint8Array> {
  const stubs = new Map<string, Uint8Array>();
  if (!existsSync(folder)) return stubs;
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    const full = join(folder, entry);
    if (statSync(full).isDirectory()) continue;
    const [, up = '0', rest = entry] = /^@up(\d)\/(.*)$/.exec(entry) ?? [];
    stubs.set(posix.join(DEEP, '../'.repeat(Number(up)), rest), readFileSync(full));
  }
  return stubs;
}

/** `KEY=VALUE` lines; none where there is no file. */
export function readVariables(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  const pairs = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => /^([^#=\s][^=]*)=(.*)$/.exec(line))
    .filter((found) => found !== null)
    .map(([, key = '', value = '']): [string, string] => [key, value]);
  return Object.fromEntries(pairs);
}

/** Bodies by kind of object. */
export interface Bodies {
  readonly services: readonly Readonly<Record<string, unknown>>[];
  readonly networks: readonly Readonly<Record<string, unknown>>[];
  readonly configs: readonly Readonly<Record<string, unknown>>[];
  readonly secrets: readonly Readonly<Record<string, unknown>>[];
}

/** What the CLI sent, with configs and secrets by name alone. */
export function expectedRequests(folder: string, id: string): Bodies {
  const { requests } = JSON.parse(
    readFileSync(join(folder, 'expected', `${id}.json`), 'utf8'),
    (key, value) => {
      if (key === 'SecretID' || key === 'ConfigID') return undefined;
      return key === 'Config' && typeof value === 'string' ? value.replace(/^config:/, '') : value;
    },
  );
  return requests;
}

/** What the CLI wrote to its second channel. */
export function expectedMessages(folder: string, { id, accepted }: Case): string {
  const file = join(folder, accepted ? 'expected' : 'rejected', `${id}.json`);
  return String(JSON.parse(readFileSync(file, 'utf8')).stderr ?? '');
}

/** A path of the case as it is where the case lies. */
function placed(path: string): string {
  return posix.join(CHECKOUT, DEEP, path.replace(/^@DIR@/, '.'));
}

/** What the engine gave back, with the ids that it would give networks and the subnets that it allocated left open. */
export function expectedStored(folder: string, id: string) {
  const { stored } = JSON.parse(
    readFileSync(join(folder, 'expected', `${id}.json`), 'utf8'),
    (key, value) => {
      if (typeof value === 'string' && value.startsWith('@DIR@')) return placed(value);
      if (key === 'Target' && typeof value === 'string') return value.replace(/^net:/, 'net-');
      return key === 'Config' && typeof value === 'string' ? [{ Subnet: '10.0.9.0/24' }] : value;
    },
  );
  for (const network of stored.networks) network.Id = `net-${network.Name}`;
  return stored;
}

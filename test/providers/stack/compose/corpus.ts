import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';

import { allowAll } from './inputs.ts';
import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import type { ComposeResult } from '../../../../agent/providers/stack/compose/render.ts';

/** Stack files of the real world with what the Docker CLI made of them; not part of the project. */
export const corpus = join(import.meta.dirname, '../../../../../shared/corpus');
export const isThere = existsSync(join(corpus, 'manifest.tsv'));

export interface Case {
  readonly id: string;
  readonly files: readonly string[];
  readonly accepted: boolean;
  readonly rejectedBy: string;
}

export function readCases(): readonly Case[] {
  if (!isThere) return [];
  const [header = '', ...rows] = readFileSync(join(corpus, 'manifest.tsv'), 'utf8')
    .trim()
    .split('\n');
  const names = header.split('\t');
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

/** Renders a case as the CLI was run on it: in a folder two levels deep, with the variables of its `.env`. */
export function renderCase({ id, files }: Case, change: (text: string) => string = (text) => text) {
  const stubs = new Map<string, Uint8Array>();
  const folder = join(corpus, 'files', `${id}.d`);
  if (existsSync(folder)) {
    for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const full = join(folder, entry);
      if (statSync(full).isDirectory()) continue;
      const up = /^@up(\d)\/(.*)$/.exec(entry);
      const path =
        up === null ? `p/q/${entry}` : posix.join('p/q', '../'.repeat(Number(up[1])), up[2] ?? '');
      stubs.set(path, readFileSync(full));
    }
  }
  const [first, ...over] = files.map((file) => ({
    file: `p/q/${file}`,
    text: change(readFileSync(join(corpus, 'files', file), 'utf8')),
  }));
  if (first === undefined) throw new Error('a case without a file');
  return renderCompose({
    stack: `s${id}`,
    ...first,
    over,
    variables: readVariables(join(corpus, 'files', `${id}.env`)),
    read: (path) => stubs.get(path),
    allow: allowAll,
  });
}

function readVariables(file: string): Record<string, string> {
  if (!existsSync(file)) return {};
  const pairs = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => /^([^#=\s][^=]*)=(.*)$/.exec(line))
    .filter((found) => found !== null)
    .map(([, key = '', value = '']): [string, string] => [key, value]);
  return Object.fromEntries(pairs);
}

const byName = (a: { Name: string }, b: { Name: string }) => (a.Name < b.Name ? -1 : 1);

/** The bodies of the requests that our result stands for. */
export function requestsOf(result: ComposeResult) {
  const files = (
    specs: Record<
      string,
      {
        name: string;
        labels: Readonly<Record<string, string>>;
        data?: string | { reveal(): string };
        driver?: { name: string; options?: Readonly<Record<string, string>> };
        templating?: string;
      }
    >,
  ) =>
    Object.values(specs)
      .map(({ name, labels, data, driver, templating }) => ({
        Name: name,
        Labels: labels,
        ...(data !== undefined && { Data: typeof data === 'string' ? data : data.reveal() }),
        ...(driver && { Driver: { Name: driver.name, Options: driver.options } }),
        ...(templating === undefined ? {} : { Templating: { Name: templating } }),
      }))
      .toSorted(byName);
  return {
    services: Object.values(result.services).toSorted(byName),
    networks: Object.values(result.networks)
      .map(({ CheckDuplicate: _duplicate, ...body }) => body)
      .toSorted(byName),
    configs: files(result.configs),
    secrets: files(result.secrets),
  };
}

/** What the CLI sent, with configs and secrets by name alone. */
export function expectedRequests(id: string) {
  const { requests } = JSON.parse(
    readFileSync(join(corpus, 'expected', `${id}.json`), 'utf8'),
    (key, value) => (key === 'SecretID' || key === 'ConfigID' ? undefined : value),
  );
  return requests;
}

/** What the engine gave back, with the ids that it would give networks and the subnets that it allocated left open. */
export function expectedStored(id: string) {
  const { stored } = JSON.parse(
    readFileSync(join(corpus, 'expected', `${id}.json`), 'utf8'),
    (key, value) => {
      if (key === 'Target' && typeof value === 'string') return value.replace(/^net:/, 'net-');
      return key === 'Config' && typeof value === 'string' ? [{ Subnet: '10.0.9.0/24' }] : value;
    },
  );
  for (const network of stored.networks) network.Id = `net-${network.Name}`;
  return stored;
}

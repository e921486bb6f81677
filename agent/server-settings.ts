import { z } from 'zod';

import { Name } from '../schemas/common.ts';
import { CephClusterSettings, MysqlServerSettings } from '../schemas/settings.ts';
import { check } from './core/check.ts';
import { readDocument } from './core/document.ts';
import { readSmallFile } from './small-file.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/** Only what is looked at: the rest of the settings may be wrong, or of another version. */
const Servers = z.looseObject({ mysql: z.record(Name, MysqlServerSettings).default({}) });
const Clusters = z.looseObject({
  environment: Name,
  ceph: z.record(Name, CephClusterSettings).default({}),
});

interface Failed {
  readonly status: 'failed';
  readonly why: string;
}

/** The servers that a settings file names, by their names there. */
export type ServerSettings =
  { readonly status: 'ok'; readonly mysql: Readonly<Record<string, MysqlServerSettings>> } | Failed;

/** Reads nothing but the servers of the agent's settings. Without any it has failed. */
export async function readServerSettings(path: string): Promise<ServerSettings> {
  const read = await readPart(path, Servers);
  if ('why' in read) return read;
  const { mysql } = read.value;
  if (Object.keys(mysql).length > 0) return { status: 'ok', mysql };
  return { status: 'failed', why: `${path} names no server: it has no \`mysql\`` };
}

/** The clusters that a settings file names, by their names there, and the environment of its agent. */
export type ClusterSettings =
  | {
      readonly status: 'ok';
      readonly environment: string;
      readonly ceph: Readonly<Record<string, CephClusterSettings>>;
    }
  | Failed;

/** The same of clusters. */
export async function readClusterSettings(path: string): Promise<ClusterSettings> {
  const read = await readPart(path, Clusters);
  if ('why' in read) return read;
  const { ceph, environment } = read.value;
  if (Object.keys(ceph).length > 0) return { status: 'ok', ceph, environment };
  return { status: 'failed', why: `${path} names no cluster: it has no \`ceph\`` };
}

async function readPart<Part>(
  path: string,
  part: z.ZodType<Part>,
): Promise<{ readonly value: Part } | Failed> {
  const file = await readSmallFile(path, FILE_BYTES_MAX);
  if (file.text === undefined) return { status: 'failed', why: `${path}: ${file.why}` };
  const { located } = readDocument(path, file.text, {
    schema: z.looseObject({}),
    unsupported: [],
  });
  const checked = located && check(located, part);
  if (checked?.value !== undefined) return { value: checked.value };
  const [mistake] = checked?.diagnostics ?? [];
  return { status: 'failed', why: `${path}: ${mistake?.message ?? 'it is no YAML document'}` };
}

import { z } from 'zod';

import { Name } from '../schemas/common.ts';
import { MysqlServerSettings } from '../schemas/settings.ts';
import { check } from './core/check.ts';
import { readDocument } from './core/document.ts';
import { readSmallFile } from './small-file.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/** Only what is looked at: the rest of the settings may be wrong, or of another version. */
const Servers = z.looseObject({ mysql: z.record(Name, MysqlServerSettings).default({}) });

/** The servers that a settings file names, by their names there. */
export type ServerSettings =
  | { readonly status: 'ok'; readonly mysql: Readonly<Record<string, MysqlServerSettings>> }
  | { readonly status: 'failed'; readonly why: string };

/** Reads nothing but the servers of the agent's settings. Without any it has failed. */
export async function readServerSettings(path: string): Promise<ServerSettings> {
  const file = await readSmallFile(path, FILE_BYTES_MAX);
  if (file.text === undefined) return { status: 'failed', why: `${path}: ${file.why}` };
  const { located } = readDocument(path, file.text, {
    schema: z.looseObject({}),
    unsupported: [],
  });
  const checked = located && check(located, Servers);
  if (checked?.value === undefined) {
    const [mistake] = checked?.diagnostics ?? [];
    return { status: 'failed', why: `${path}: ${mistake?.message ?? 'it is no YAML document'}` };
  }
  const { mysql } = checked.value;
  if (Object.keys(mysql).length === 0) {
    return { status: 'failed', why: `${path} names no server: it has no \`mysql\`` };
  }
  return { status: 'ok', mysql };
}

import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Doing } from '../packages.ts';
import type { StagePlan } from '../plan.ts';
import { StageError } from '../run.ts';
import { shellWord } from '../shell.ts';
import { type MysqlAccess, mysqlAccess } from './access.ts';
import { asRoot, type Client, fetchClient } from './client.ts';
import { raiseGalera } from './galera.ts';
import { raiseGroup } from './group.ts';
import { makePassword } from './password.ts';
import { fetchPrograms } from './programs.ts';
import { type MysqlTools, type Servers, startDatabase } from './start.ts';

/** Makes sure that servers and client are unpacked. Nothing where the stage has none. Throws `StageError`. */
export async function fetchMysqlTools(
  plan: StagePlan,
  doing: Doing,
  signal: AbortSignal,
): Promise<MysqlTools | undefined> {
  const access = mysqlAccess(plan);
  if (access === undefined) return undefined;
  return {
    programs: await fetchPrograms(
      plan.packages,
      access.shape === 'galera' ? 'galera' : access.flavor,
      doing,
      signal,
    ),
    client: await fetchClient(plan.packages, doing, signal),
  };
}

const raisers = {
  single: async (servers: Servers, signal: AbortSignal): Promise<void> => {
    for (const one of servers.plan.databases)
      await startDatabase(servers, one, { options: [] }, signal);
  },
  group: raiseGroup,
  galera: raiseGalera,
} as const;

/** Starts the database servers that do not run; what they hold stays. Throws `StageError`. */
export async function raiseMysql(
  plan: StagePlan,
  tools: MysqlTools | undefined,
  signal: AbortSignal,
): Promise<void> {
  const access = mysqlAccess(plan);
  if (access === undefined || tools === undefined) return;
  await makePassword(access.passwordFile);
  const servers = { plan, tools, access };
  await raisers[access.shape](servers, signal);
  await writeClientScript(plan, access, tools.client);
}

/** The database servers of a stage that stands. */
export interface StageMysql extends MysqlAccess {
  /** Runs SQL as root; gives the rows, a line each, with tabs between. Default: the first server. Throws `StageError`. */
  sql(text: string, signal: AbortSignal, server?: string): Promise<string>;
}

/** Pure. */
export function mysqlOf(plan: StagePlan, tools: MysqlTools | undefined): StageMysql | undefined {
  const access = mysqlAccess(plan);
  if (access === undefined || tools === undefined) return undefined;
  return {
    ...access,
    sql: async (text, signal, name = access.servers[0]?.name) => {
      const server = access.servers.find((one) => one.name === name);
      if (server === undefined)
        throw new StageError(`the stage has no database server \`${String(name)}\``);
      return await asRoot(tools.client, server.socket, text, signal);
    },
  };
}

/** A prompt as root, for people: `<folder>/mysql`, and with a name first that of another server. */
async function writeClientScript(
  plan: StagePlan,
  { servers }: MysqlAccess,
  client: Client,
): Promise<void> {
  const [first] = servers;
  if (first === undefined) throw new StageError('a stage with databases needs a server');
  const path = join(plan.folder, 'mysql');
  const lines = [
    '#!/bin/sh',
    '# SQL as root on this stage. STAGE_HOST=db2 asks another server.',
    `exec ${client.command.map(shellWord).join(' ')} --user=root --socket=${shellWord(plan.folder)}/\${STAGE_HOST:-${first.name}}/socket "$@"`,
    '',
  ];
  await writeFile(path, lines.join('\n'));
  await chmod(path, 0o755);
}

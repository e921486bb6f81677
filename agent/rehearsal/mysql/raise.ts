import { randomBytes } from 'node:crypto';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inNamespace } from '../engines.ts';
import { type Doing, exists } from '../packages.ts';
import { markOf, type StagePlan } from '../plan.ts';
import { identify, isAlive, kill, readPidFile, writePidFile } from '../processes.ts';
import { plainEnvironment, run, startDetached, StageError } from '../run.ts';
import { shellWord } from '../shell.ts';
import { type MysqlAccess, mysqlAccess, type MysqlServer } from './access.ts';
import { type Client, fetchClient } from './client.ts';
import { leastGrants } from './least.ts';
import { fetchPrograms, type Programs } from './programs.ts';
import { prepareServer, untilOpen } from './server.ts';
import { type DatabasePlan, databasePort } from './shape.ts';

/** What the database servers of a stage run on. */
export interface MysqlTools {
  readonly programs: Programs;
  readonly client: Client;
}

/** Makes sure that servers and client are unpacked. Nothing where the stage has none. Throws `StageError`. */
export async function fetchMysqlTools(
  plan: StagePlan,
  doing: Doing,
  signal: AbortSignal,
): Promise<MysqlTools | undefined> {
  const access = mysqlAccess(plan);
  if (access === undefined) return undefined;
  return {
    programs: await fetchPrograms(plan.packages, access.flavor, doing, signal),
    client: await fetchClient(plan.packages, doing, signal),
  };
}

/** Starts the database servers that do not run; what they hold stays. Throws `StageError`. */
export async function raiseMysql(
  plan: StagePlan,
  tools: MysqlTools | undefined,
  signal: AbortSignal,
): Promise<void> {
  const access = mysqlAccess(plan);
  if (access === undefined || tools === undefined) return;
  await makePassword(access.passwordFile);
  for (const one of plan.databases) await startDatabase({ plan, tools, access }, one, signal);
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
  const named = (name: string | undefined): MysqlServer => {
    const { servers } = access;
    const found = name === undefined ? servers[0] : servers.find((one) => one.name === name);
    if (found === undefined) throw new StageError(`the stage has no database server \`${name}\``);
    return found;
  };
  return {
    ...access,
    sql: async (text, signal, server) => {
      const shown = ['--batch', '--raw', '--skip-column-names'];
      const command = [...tools.client.command, '--user=root', `--socket=${named(server).socket}`];
      return await run([...command, ...shown], { input: text }, signal);
    },
  };
}

/** Made once: the servers take it over each time they start. */
async function makePassword(file: string): Promise<void> {
  if (await exists(file)) return;
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${randomBytes(24).toString('hex')}\n`, { mode: 0o600 });
}

async function startDatabase(
  of: { readonly plan: StagePlan; readonly tools: MysqlTools; readonly access: MysqlAccess },
  { name, address, namespace, folder }: DatabasePlan,
  signal: AbortSignal,
): Promise<void> {
  const { plan, tools, access } = of;
  const pidFile = join(plan.folder, 'pids', name);
  if ((await readPidFile(pidFile)) !== undefined) return;
  const { user, passwordFile, databases } = access;
  const grants = leastGrants(access.flavor, databases);
  const own = { folder, address, port: databasePort, user, passwordFile, grants };
  const prepared = await prepareServer(tools.programs, own, signal);
  try {
    const command = inNamespace(namespace, prepared.command);
    const env = { ...plainEnvironment, ...markOf(plan) };
    const pid = await startDetached(command, { env, log: prepared.log });
    await writePidFile(pidFile, pid);
    const started = await identify(pid);
    const ended = async (): Promise<boolean> => started === undefined || !(await isAlive(started));
    await untilOpen(prepared, ended, signal).catch(async (cause: unknown) => {
      // One that is open to nobody would count as running the next time.
      if (started !== undefined) await kill(started, 'SIGKILL');
      throw cause;
    });
  } finally {
    await prepared.tidy();
  }
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

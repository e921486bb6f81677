import { join } from 'node:path';
import { inNamespace } from '../engines.ts';
import { markOf, type StagePlan } from '../plan.ts';
import { identify, isAlive, kill, readPidFile, writePidFile } from '../processes.ts';
import { plainEnvironment, startDetached } from '../run.ts';
import type { MysqlAccess } from './access.ts';
import type { Client } from './client.ts';
import { leastGrants } from './least.ts';
import type { Programs } from './programs.ts';
import { prepareServer, untilOpen } from './server.ts';
import { type DatabasePlan, databasePort } from './shape.ts';

/** What the database servers of a stage run on. */
export interface MysqlTools {
  readonly programs: Programs;
  readonly client: Client;
}

/** All that one needs to start them. */
export interface Servers {
  readonly plan: StagePlan;
  readonly tools: MysqlTools;
  readonly access: MysqlAccess;
}

/** What is another one at each start. */
export interface Starting {
  readonly options: readonly string[];
  /** A folder with programs that the server calls, looked at first. */
  readonly path?: string;
}

/** A server that is killed loses nothing that it said was done; a machine that loses its power may. */
export const KEEPS_COMMITS = '--innodb-flush-log-at-trx-commit=2';

/** Whether it runs now. */
export async function isRunning(plan: StagePlan, { name }: DatabasePlan): Promise<boolean> {
  return (await readPidFile(pidFile(plan, name))) !== undefined;
}

/** Starts a server unless it runs, and waits until it lets people in. What it holds stays. Throws `StageError`. */
export async function startDatabase(
  { plan, tools, access }: Servers,
  one: DatabasePlan,
  { options, path }: Starting,
  signal: AbortSignal,
): Promise<void> {
  if (await isRunning(plan, one)) return;
  const { folder, address } = one;
  const { user, passwordFile, databases } = access;
  const grants = leastGrants(access.flavor, databases);
  const all = [KEEPS_COMMITS, ...options];
  const own = { folder, address, port: databasePort, user, passwordFile, grants, options: all };
  const prepared = await prepareServer(tools.programs, own, signal);
  try {
    const command = inNamespace(one.namespace, prepared.command);
    const { PATH: usual = '' } = plainEnvironment;
    const programs = path === undefined ? usual : `${path}:${usual}`;
    const env = { ...plainEnvironment, PATH: programs, ...markOf(plan) };
    const pid = await startDetached(command, { env, log: prepared.log });
    await writePidFile(pidFile(plan, one.name), pid);
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

function pidFile(plan: StagePlan, name: string): string {
  return join(plan.folder, 'pids', name);
}

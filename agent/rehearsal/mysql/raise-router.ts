import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inNamespace } from '../engines.ts';
import type { Doing } from '../packages.ts';
import { markOf, type StagePlan } from '../plan.ts';
import { identify, isAlive, kill, readPidFile, waitGone, writePidFile } from '../processes.ts';
import { lastLines, plainEnvironment, startDetached, StageError, waitUntil } from '../run.ts';
import { asRoot, type Client } from './client.ts';
import { fetchRouter, routerCommand, routerConfiguration, routerFiles } from './router.ts';
import { type RouterPlace, routerPort } from './router-place.ts';
import { greets } from './server.ts';
import { type DatabasePlan, databasePort } from './shape.ts';

/** What a Router needs to be started: the root of its programs, and a way to ask the group. */
export interface RouterTools {
  readonly root: string;
  readonly client: Client;
}

/** Makes sure that MySQL Router is unpacked; gives its root. Nothing where the stage has none. Throws `StageError`. */
export async function fetchStageRouter(
  plan: StagePlan,
  doing: Doing,
  signal: AbortSignal,
): Promise<string | undefined> {
  return plan.router === undefined ? undefined : await fetchRouter(plan.packages, doing, signal);
}

/**
 * Has the Router of a stage lead to the primary of the group, which must be whole: it is started where it does not run, and anew where it lets
 * nobody through or another server has become the primary. It outlives this process. Nothing where the stage has none. Throws `StageError`.
 */
export async function raiseRouter(
  plan: StagePlan,
  { root, client }: RouterTools,
  signal: AbortSignal,
): Promise<void> {
  const { router } = plan;
  if (router === undefined) return;
  const { address, folder } = router;
  const order = primaryFirst(plan.databases, await primaryOf(plan, client, signal));
  const hosts = order.map((one) => `${one.address}:${databasePort}`);
  const wanted = routerConfiguration({ address, port: routerPort }, hosts);
  const { configuration } = routerFiles(folder);
  const running = await readPidFile(pidFile(plan));
  if (running !== undefined) {
    const same = (await readFile(configuration, 'utf8').catch(() => '')) === wanted;
    if (same && (await greets(address, routerPort, signal))) return;
    // Ended before the file says otherwise: whoever comes after a crash takes what the file says for what runs.
    await kill(running, 'SIGKILL');
    const left = await waitGone([running], 10_000);
    if (left.length > 0) throw new StageError(`the router does not end (process ${running.pid})`);
  }
  await mkdir(folder, { recursive: true });
  await writeFile(configuration, wanted);
  await start(plan, router, root, signal);
}

async function start(
  plan: StagePlan,
  { address, namespace, folder }: RouterPlace,
  root: string,
  signal: AbortSignal,
): Promise<void> {
  const { log } = routerFiles(folder);
  const command = inNamespace(namespace, routerCommand(root, folder));
  const env = { ...plainEnvironment, ...markOf(plan) };
  const pid = await startDetached(command, { env, log });
  await writePidFile(pidFile(plan), pid);
  const started = await identify(pid);
  const evidence = async (): Promise<string> =>
    lastLines(await readFile(log, 'utf8').catch(() => ''), 12);
  await waitUntil(
    `the router lets people through on ${address}:${routerPort}`,
    { deadlineMs: 30_000, evidence },
    async () => {
      if (started === undefined || !(await isAlive(started))) {
        throw new StageError('the router ended while it started', { evidence: await evidence() });
      }
      return await greets(address, routerPort, signal);
    },
    signal,
  );
}

/** The address of the primary that the members agree on. Throws `StageError` where there is none. */
async function primaryOf(plan: StagePlan, client: Client, signal: AbortSignal): Promise<string> {
  let primary = '';
  await waitUntil(
    'the group has a primary',
    { deadlineMs: 60_000, everyMs: 200 },
    async () => {
      const asked = plan.databases.map(async ({ folder }) =>
        (await asRoot(client, join(folder, 'socket'), PRIMARY, signal)).trim(),
      );
      const said = new Set(await Promise.all(asked));
      primary = said.size === 1 ? ([...said][0] ?? '') : '';
      return primary !== '';
    },
    signal,
  );
  return primary;
}

const PRIMARY =
  "SELECT MEMBER_HOST FROM performance_schema.replication_group_members WHERE MEMBER_ROLE = 'PRIMARY' AND MEMBER_STATE = 'ONLINE'";

/** Pure. The others stay in the order in which the group chooses among them. */
export function primaryFirst(
  databases: readonly DatabasePlan[],
  primary: string,
): readonly DatabasePlan[] {
  const leads = ({ address }: DatabasePlan): boolean => address === primary;
  return [...databases.filter(leads), ...databases.filter((one) => !leads(one))];
}

function pidFile(plan: StagePlan): string {
  return join(plan.folder, 'pids', 'router');
}

import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../packages.ts';
import type { StagePlan } from '../plan.ts';
import { run, StageError, waitUntil } from '../run.ts';
import { asRoot } from './client.ts';
import { serverOptions } from './options.ts';
import { type DatabasePlan, databasePort } from './shape.ts';
import { isRunning, type Servers, startDatabase } from './start.ts';

/** How one node becomes a copy of another. */
const COPY = 'stage';

/** One node of a cluster among the others. */
export interface NodePlace {
  readonly cluster: string;
  readonly name: string;
  /** Where the others reach it: an address, with a port where that is not the usual one. */
  readonly address: string;
  /** The same of all nodes. */
  readonly all: readonly string[];
  /** More for the library of Galera, as `name=value`. */
  readonly provider?: readonly string[];
}

/** Pure. What makes a MariaDB server a node. `base`: where its programs lie. */
export function nodeOptions(
  { cluster, name, address, all, provider = [] }: NodePlace,
  base: string,
): readonly string[] {
  return [
    '--wsrep-on=ON',
    `--wsrep-provider=${join(base, 'lib/galera/libgalera_smm.so')}`,
    `--wsrep-cluster-name=${cluster}`,
    `--wsrep-cluster-address=gcomm://${all.join(',')}`,
    `--wsrep-node-name=${name}`,
    `--wsrep-node-address=${address}`,
    `--wsrep-sst-method=${COPY}`,
    `--wsrep-provider-options=${['gcache.size=32M', ...provider].join(';')}`,
    '--binlog-format=ROW',
    '--innodb-autoinc-lock-mode=2',
  ];
}

/** What begins a cluster, with the one node that has it. */
export const BEGIN_CLUSTER = '--wsrep-new-cluster';

/** Pure. What makes a MariaDB server of the stage a node of the cluster. */
export function galeraOptions(plan: StagePlan, one: DatabasePlan, base: string): readonly string[] {
  const { name, address } = one;
  const all = plan.databases.map((other) => other.address);
  return nodeOptions({ cluster: plan.name, name, address, all }, base);
}

/** Starts the nodes that do not run, in the order in which they know the most. Throws `StageError`. */
export async function raiseGalera(servers: Servers, signal: AbortSignal): Promise<void> {
  const { plan, tools } = servers;
  const path = await layScript(join(plan.folder, 'galera'));
  const running = await Promise.all(plan.databases.map(async (one) => await isRunning(plan, one)));
  const missing = plan.databases.filter((_, at) => running[at] !== true);
  const nodes = await mostFirst(servers, missing, signal);
  for (const [at, { one, position }] of nodes.entries()) {
    const begins = at === 0 && !running.includes(true);
    const options = [
      ...galeraOptions(plan, one, tools.programs.base),
      ...(position === undefined ? [] : [`--wsrep-start-position=${position}`]),
      ...(begins ? [BEGIN_CLUSTER] : []),
    ];
    if (begins && position !== undefined) await allowBeginning(one);
    await startDatabase(servers, one, { options, path }, signal);
  }
  await waitUntil(
    `the ${plan.databases.length} nodes of the cluster are in step`,
    { deadlineMs: 60_000, everyMs: 200 },
    async () => {
      const states = plan.databases.map(async (one) => {
        const socket = join(one.folder, 'socket');
        return (await asRoot(tools.client, socket, STATE, signal)).trim();
      });
      return (await Promise.all(states)).every((state) => state === `${plan.databases.length},ON`);
    },
    signal,
  );
}

/** Puts what nodes call to copy one another into a folder, where they look for it; gives that folder. */
export async function layScript(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const name = `wsrep_sst_${COPY}`;
  await cp(new URL(`./${name}`, import.meta.url), join(folder, name));
  return folder;
}

interface Node {
  readonly one: DatabasePlan;
  /** Absent: it was never in a cluster. */
  readonly position: string | undefined;
}

async function mostFirst(
  servers: Servers,
  all: readonly DatabasePlan[],
  signal: AbortSignal,
): Promise<readonly Node[]> {
  const nodes: Node[] = [];
  for (const one of all) nodes.push({ one, position: await positionOf(servers, one, signal) });
  const count = ({ position = ':-1' }: Node): number => Number(position.split(':')[1]);
  return nodes.toSorted((a, b) => count(b) - count(a));
}

const STATE =
  "SELECT GROUP_CONCAT(VARIABLE_VALUE ORDER BY VARIABLE_NAME) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_size', 'wsrep_ready')";
const STATE_FILE = 'grastate.dat';

/** `history:number` of the last change that a node has. Its file does not say it after a crash; then its storage does. */
async function positionOf(
  { plan, tools }: Servers,
  one: DatabasePlan,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { folder, address, name } = one;
  const file = join(folder, 'data', STATE_FILE);
  if (!(await exists(file))) return undefined;
  const text = await readFile(file, 'utf8');
  const id = /^uuid:\s+(\S+)/m.exec(text)?.[1];
  const number = /^seqno:\s+(\d+)/m.exec(text)?.[1];
  if (id !== undefined && number !== undefined) return `${id}:${number}`;
  const own = [...galeraOptions(plan, one, tools.programs.base), '--wsrep-recover'];
  const options = serverOptions(tools.programs, { folder, address, port: databasePort }, own);
  const look = ['setpriv', '--pdeathsig', 'KILL', ...tools.programs.command, ...options];
  // It says it in its log, which it writes to standard error.
  const said = await run(['sh', '-c', 'exec "$@" 2>&1', 'sh', ...look], {}, signal);
  const found = /Recovered position:? (\S+:\d+)/.exec(said)?.[1];
  if (found !== undefined) return found;
  throw new StageError(`what the database server ${name} holds is not known: --fresh builds anew`);
}

/** A node that did not end last does not begin a cluster by itself: here it is the one that knows the most. */
async function allowBeginning({ folder }: DatabasePlan): Promise<void> {
  const file = join(folder, 'data', STATE_FILE);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^safe_to_bootstrap:.*$/m, 'safe_to_bootstrap: 1'));
}

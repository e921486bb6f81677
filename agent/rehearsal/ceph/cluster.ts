import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../packages.ts';
import { lastLines, StageError, waitUntil } from '../run.ts';
import { allDone, type Answered, type Asked, askCluster } from './ask.ts';
import { Daemons } from './daemon.ts';
import { makeMonitors, makeStores } from './make.ts';
import { type ClusterOptions, type ClusterPlan, daemonsOf, OSDS, planCluster } from './plan.ts';
import type { CephPrograms } from './programs.ts';
import { isReady, type Readiness } from './status.ts';

/** A running cluster, its daemons our children: they end with us, whatever becomes of us, unless they are to last. */
export interface Cluster {
  readonly plan: ClusterPlan;
  /** As the administrator, whatever the answers are. Throws `StageError` where it is not let in. */
  ask(commands: readonly Asked[], signal: AbortSignal): Promise<readonly Answered[]>;
  /** Waits until it is healthy and all data is where it should be. Throws `StageError`. */
  untilHealthy(signal: AbortSignal): Promise<void>;
  /** Starts a daemon such as `osd.0` that does not run; does not wait for it. */
  start(name: string): Promise<void>;
  /** `SIGKILL`: as a lost machine. `SIGTERM`: in order. `SIGSTOP`: it stands still until `SIGCONT`. */
  signal(name: string, signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>;
  /** Ends all daemons at once. The folder stays. */
  end(): Promise<void>;
}

/** Makes a cluster in an empty folder and waits until it is healthy. Throws `StageError`; then no daemon of it runs. */
export async function raiseCluster(
  programs: CephPrograms,
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<Cluster> {
  const stores = Array.from({ length: OSDS }, () => randomUUID());
  const plan = planCluster(options, { fsid: randomUUID(), stores });
  if (await exists(plan.confFile)) {
    throw new StageError(`there is a cluster already in ${plan.folder}`);
  }
  const daemons = new Daemons(programs, plan);
  const cluster = clusterOf(programs, plan, daemons);
  try {
    await makeMonitors(programs, plan, signal);
    for (const one of plan.monitors) await daemons.start(one);
    await daemons.start(plan.manager);
    // The monitors agree while the stores are made.
    await Promise.all([makeStores(programs, plan, signal), prepare(cluster, daemons, signal)]);
    for (const one of daemonsOf(plan)) await daemons.start(one);
    if (plan.filesystem !== undefined) await makeFilesystem(cluster, plan.filesystem, signal);
    await untilReady(cluster, daemons, signal);
    return cluster;
  } catch (cause) {
    await daemons.end();
    throw cause;
  }
}

/**
 * Starts those daemons of a cluster that do not run any more, of one whose daemons outlive who started them, and waits until it is healthy where there
 * was one. Throws `StageError`.
 */
export async function resumeCluster(
  programs: CephPrograms,
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<void> {
  // What was drawn by chance is in its files.
  const plan = planCluster(options, { fsid: '', stores: Array.from({ length: OSDS }, () => '') });
  const daemons = new Daemons(programs, plan);
  let started = 0;
  for (const one of daemonsOf(plan)) if (await daemons.startAgain(one)) started += 1;
  if (started > 0) await untilReady(clusterOf(programs, plan, daemons), daemons, signal);
}

function clusterOf(programs: CephPrograms, plan: ClusterPlan, daemons: Daemons): Cluster {
  const planOf = (name: string) => {
    const found = daemonsOf(plan).find((one) => one.name === name);
    if (found === undefined) throw new StageError(`the cluster has no daemon \`${name}\``);
    return found;
  };
  const cluster: Cluster = {
    plan,
    ask: async (commands, signal) => await askCluster(programs, plan, commands, signal),
    untilHealthy: async (signal) => await untilReady(cluster, daemons, signal),
    start: async (name) => await daemons.start(planOf(name)),
    signal: async (name, what) => await daemons.signal(planOf(name).name, what),
    end: async () => await daemons.end(),
  };
  return cluster;
}

/** Pure. Who there will be, and what nobody wants. Monitors take all of it twice. */
function firstCommands({ osds }: ClusterPlan): readonly Asked[] {
  const stores = osds.map(({ id, uuid }) => ({ prefix: 'osd new', uuid, id: Number(id) }));
  const settings = [
    ['mon', 'mon_allow_pool_delete', 'true'],
    // It would make a pool of its own.
    ['mgr', 'mgr/devicehealth/enable_monitoring', 'false'],
    ['mgr', 'mgr/telemetry/enabled', 'false'],
    // Seconds until a lost manager daemon is missed; in a young cluster nobody would miss it for two minutes.
    ['mon', 'mon_mgr_beacon_grace', '10'],
    ['mon', 'mon_mgr_mkfs_grace', '0'],
    // Options of the manager daemon are known to nobody before it runs: so by force.
  ].map(([who, name, value]) => ({ prefix: 'config set', who, name, value, force: true }));
  return [...stores, ...settings].map((command) => ({ to: 'mon', command }));
}

/** Waits until the monitors agree, and tells them the first things. */
async function prepare(cluster: Cluster, daemons: Daemons, signal: AbortSignal): Promise<void> {
  const commands = firstCommands(cluster.plan);
  await waitUntil(
    'the monitors of Ceph agree',
    { deadlineMs: 60_000, everyMs: 100, evidence: async () => await evidenceOf(cluster.plan) },
    async () => {
      await daemons.check();
      const answers = await cluster.ask(commands, signal).catch(notIn);
      if (answers === undefined) return false;
      allDone(commands, answers);
      return true;
    },
    signal,
  );
}

function notIn(cause: unknown): undefined {
  if (!(cause instanceof StageError)) throw cause;
  return undefined;
}

async function makeFilesystem(cluster: Cluster, name: string, signal: AbortSignal): Promise<void> {
  const [metadata, data] = [`${name}.meta`, `${name}.data`];
  const commands: readonly Asked[] = [
    { prefix: 'osd pool create', pool: metadata },
    { prefix: 'osd pool create', pool: data },
    { prefix: 'fs new', fs_name: name, metadata, data },
  ].map((command) => ({ to: 'mon', command }));
  allDone(commands, await cluster.ask(commands, signal));
}

/** All daemons are there, and what is written is where it should be; so are the commands for parts of a file system. */
async function untilReady(cluster: Cluster, daemons: Daemons, signal: AbortSignal): Promise<void> {
  const { filesystem, osds } = cluster.plan;
  const wanted: Readiness = { osds: osds.length, pools: filesystem === undefined ? 0 : 2 };
  const status: Asked = { to: 'mon', command: { prefix: 'status' } };
  const subvolumes: readonly Asked[] =
    filesystem === undefined
      ? []
      : [{ to: 'mgr', command: { prefix: 'fs subvolume ls', vol_name: filesystem } }];
  let last = '';
  await waitUntil(
    'the Ceph cluster is healthy',
    {
      deadlineMs: 90_000,
      everyMs: 150,
      evidence: async () => `${last}\n${await evidenceOf(cluster.plan)}`,
    },
    async () => {
      await daemons.check();
      const [seen] = (await cluster.ask([status], signal).catch(notIn)) ?? [];
      last = seen?.out ?? 'no answer';
      if (seen?.code !== 0 || !isReady(seen.out, wanted)) return false;
      const answers = (await cluster.ask(subvolumes, signal).catch(notIn)) ?? [];
      return answers.length === subvolumes.length && answers.every(({ code }) => code === 0);
    },
    signal,
  );
}

async function evidenceOf({ folder }: ClusterPlan): Promise<string> {
  const text = await readFile(join(folder, 'cluster.log'), 'utf8').catch(() => '');
  return lastLines(text, 12);
}

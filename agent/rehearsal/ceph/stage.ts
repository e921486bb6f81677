import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Doing } from '../packages.ts';
import { markOf, type StagePlan } from '../plan.ts';
import { StageError } from '../run.ts';
import { shellWord } from '../shell.ts';
import { allDone, type Asked } from './ask.ts';
import { type Cluster, raiseCluster, resumeCluster } from './cluster.ts';
import type { ClusterOptions } from './plan.ts';
import { agentCaps } from '../../providers/ceph/agent-caps.ts';
import { CLIENT, CLIENTS } from './agent-key.ts';
import type { CephPlace } from './place.ts';
import { type CephPrograms, fetchCeph } from './programs.ts';

/** Of the monitors, all at one address. */
const PORTS = [3300, 3301, 3302];
const FILESYSTEM = 'cephfs';

/** Makes sure that Ceph is unpacked. Nothing where the stage has none. Throws `StageError`. */
export async function fetchStageCeph(
  plan: StagePlan,
  doing: Doing,
  signal: AbortSignal,
): Promise<CephPrograms | undefined> {
  return plan.ceph === undefined ? undefined : await fetchCeph(plan.packages, doing, signal);
}

/**
 * Makes a cluster of three monitors, three stores and a file system, which outlives this process, with a key for the agents and a command line for
 * people. Throws `StageError`.
 */
export async function raiseStageCeph(
  plan: StagePlan,
  programs: CephPrograms,
  signal: AbortSignal,
): Promise<void> {
  if (plan.ceph === undefined) return;
  const { folder } = plan.ceph;
  await mkdir(folder, { recursive: true });
  const cluster = await raiseCluster(programs, optionsOf(plan, plan.ceph), signal);
  try {
    const keyring = await makeKey(cluster, signal);
    const files = filesIn(folder);
    await writeFile(files.keyring, keyring, { mode: 0o600 });
    await writeScript(files.python, [`exec ${shellWord(programs.python)} "$@"`]);
    await writeScript(join(plan.folder, 'ceph'), [
      '# A command of Ceph on this stage, as its administrator: ./ceph osd pool ls, ./ceph auth get entity=client.site-blog',
      `exec ${shellWord(programs.python)} -B ${shellWord(join(import.meta.dirname, 'command.py'))} ${shellWord(cluster.plan.confFile)} "$@"`,
    ]);
  } catch (cause) {
    await cluster.end();
    throw cause;
  }
}

/** Starts again what of the cluster died, of a stage that stands. Nothing where it has none. Throws `StageError`. */
export async function resumeStageCeph(
  plan: StagePlan,
  programs: CephPrograms | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (plan.ceph === undefined || programs === undefined) return;
  await resumeCluster(programs, optionsOf(plan, plan.ceph), signal);
}

/** Pure. */
function optionsOf(plan: StagePlan, { folder, address, namespace }: CephPlace): ClusterOptions {
  const where = { folder: join(folder, 'c'), address, namespace, ports: PORTS };
  const lasting = { mark: markOf(plan), pids: join(plan.folder, 'pids') };
  return { ...where, filesystem: FILESYSTEM, lasting };
}

async function makeKey(cluster: Cluster, signal: AbortSignal): Promise<string> {
  const made = { prefix: 'auth get-or-create', entity: CLIENT, caps: agentCaps(CLIENTS) };
  const commands: readonly Asked[] = [{ to: 'mon', command: made }];
  const answers = await cluster.ask(commands, signal);
  allDone(commands, answers);
  const key = /"key": ?"([^"]+)"/.exec(answers[0]?.out ?? '')?.[1];
  if (key === undefined) throw new StageError('Ceph gave the agents no key');
  return `[${CLIENT}]\n\tkey = ${key}\n`;
}

async function writeScript(path: string, lines: readonly string[]): Promise<void> {
  await writeFile(path, ['#!/bin/sh', ...lines, ''].join('\n'));
  await chmod(path, 0o755);
}

/** Pure. What agents of the stage are set to. Nothing where it has no cluster. */
export function cephSettings({ ceph }: StagePlan): Readonly<Record<string, unknown>> {
  if (ceph === undefined) return {};
  const { keyring: keyringFile, python } = filesIn(ceph.folder);
  const confFile = join(ceph.folder, 'c', 'ceph.conf');
  const keys = { client: CLIENT, clientPattern: CLIENTS };
  return { ceph: { main: { confFile, keyringFile, ...keys, python } } };
}

function filesIn(folder: string) {
  return { keyring: join(folder, 'understudy.keyring'), python: join(folder, 'python') } as const;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Printer } from '../../agent/cli/printer.ts';
import type { Way } from '../../agent/providers/ceph/answers.ts';
import { type Cluster, raiseCluster } from '../../agent/rehearsal/ceph/cluster.ts';
import { fetchCeph } from '../../agent/rehearsal/ceph/programs.ts';
import { usualPackages } from '../../agent/rehearsal/plan.ts';
import { freePort } from '../e2e/ssh-server.ts';

/** A real cluster beside the engine, of one monitor, three stores and a file system. */
export interface BenchCluster {
  /** As the agent reaches it. */
  readonly way: Way;
  /** As its administrator does. */
  readonly adminConf: string;
  end(): Promise<void>;
}

/** Its daemons are our children, and end with us. */
export async function raiseBenchCluster(
  folder: string,
  packages: string | undefined,
  print: Printer,
  signal: AbortSignal,
): Promise<BenchCluster> {
  const told = (text: string): void => print.line(text);
  const programs = await fetchCeph(packages ?? usualPackages, told, signal);
  await mkdir(folder, { recursive: true });
  const options = { address: '127.0.0.1', ports: [await freePort()], filesystem: 'cephfs' };
  const cluster = await raiseCluster(programs, { folder: join(folder, 'c'), ...options }, signal);
  const client = 'client.understudy';
  const keyringFile = join(folder, 'keyring');
  const key = await keyFor(cluster, client, signal);
  await writeFile(keyringFile, `[${client}]\n\tkey = ${key}\n`, { mode: 0o600 });
  print.line('a cluster of Ceph is there');
  const { confFile: adminConf } = cluster.plan;
  const way = { confFile: adminConf, keyringFile, client, python: programs.python };
  return { way, adminConf, end: async () => await cluster.end() };
}

async function keyFor(cluster: Cluster, entity: string, signal: AbortSignal): Promise<string> {
  const caps = ['mon', 'allow *', 'mgr', 'allow *'];
  const command = { to: 'mon', command: { prefix: 'auth get-or-create', entity, caps } } as const;
  const group = { prefix: 'fs subvolumegroup create', vol_name: 'cephfs', group_name: 'sites' };
  const [made, grouped] = await cluster.ask([command, { to: 'mgr', command: group }], signal);
  if (made?.code !== 0 || grouped?.code !== 0) throw new Error(`${made?.error} ${grouped?.error}`);
  const answer: unknown = JSON.parse(made.out);
  const [first] = Array.isArray(answer) ? answer : [];
  return String(Object(first).key);
}

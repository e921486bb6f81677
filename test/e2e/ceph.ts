import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Answered } from '../../agent/rehearsal/ceph/ask.ts';
import { type Cluster, raiseCluster } from '../../agent/rehearsal/ceph/cluster.ts';
import type { ClusterOptions } from '../../agent/rehearsal/ceph/plan.ts';
import { type CephPrograms, fetchCeph } from '../../agent/rehearsal/ceph/programs.ts';
import { usualPackages } from '../../agent/rehearsal/plan.ts';
import type { CephClusterSettings } from '../../schemas/settings.ts';
import { freePort } from './ssh-server.ts';

/** Real Ceph clusters for tests. */

const within = (): AbortSignal => AbortSignal.timeout(500_000);

export async function cephPrograms(): Promise<CephPrograms> {
  return await fetchCeph(usualPackages, () => undefined, within());
}

/** On loopback unless told otherwise, in a folder of its own. */
export async function raised(
  programs: CephPrograms,
  { monitors, ...more }: Partial<ClusterOptions> & { readonly monitors: 1 | 3 },
): Promise<Cluster> {
  const folder = join(mkdtempSync(join(tmpdir(), 'understudy-ceph-')), 'c');
  const ports: number[] = [];
  while (ports.length < monitors) ports.push(await freePort());
  return await raiseCluster(programs, { folder, address: '127.0.0.1', ports, ...more }, within());
}

/** As a client with these caps reaches it, with a keyring beside the cluster. */
export async function accessTo(
  { python }: CephPrograms,
  cluster: Cluster,
  caps: readonly string[],
): Promise<CephClusterSettings> {
  const client = 'client.understudy';
  const answer = await done(cluster, 'mon', 'auth get-or-create', { entity: client, caps });
  const { confFile, folder } = cluster.plan;
  const keyringFile = join(dirname(folder), 'keyring');
  const [first] = Array.isArray(answer) ? answer : [];
  writeFileSync(keyringFile, `[${client}]\n\tkey = ${Object(first).key}\n`, { mode: 0o600 });
  return { confFile, keyringFile, client, python, clientPattern: 'client.site-*' };
}

export async function removed(cluster: Cluster): Promise<void> {
  await cluster.end();
  rmSync(dirname(cluster.plan.folder), { recursive: true });
}

type Arguments = Readonly<Record<string, unknown>> & {
  /** What `-i` gives to Ceph's own program. */
  readonly input?: string;
};

/** One command as the administrator, whatever it answers. */
export async function tried(
  cluster: Cluster,
  to: 'mon' | 'mgr',
  prefix: string,
  { input, ...words }: Arguments = {},
): Promise<Answered> {
  const command = { to, command: { prefix, ...words }, ...(input !== undefined && { input }) };
  const [answer] = await cluster.ask([command], within());
  if (answer === undefined) throw new Error(`no answer to ${prefix}`);
  return answer;
}

/** The same, which must be carried out; gives what it answers. */
export async function done(
  ...[cluster, to, prefix, words]: Parameters<typeof tried>
): Promise<unknown> {
  const { code, out, error } = await tried(cluster, to, prefix, words);
  if (code !== 0) throw new Error(`${prefix}: ${code} ${error}`);
  return out.trim() === '' ? undefined : JSON.parse(out);
}

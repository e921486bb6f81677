import { randomBytes } from 'node:crypto';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.ts';
import { confText, managerModules } from './conf.ts';
import { capsOf, type Entity, KEY_BYTES, keyringText, makeKey } from './keyring.ts';
import { type ClusterPlan, type DaemonPlan, daemonsOf, monitorAddress } from './plan.ts';
import type { CephPrograms } from './programs.ts';

/** Writes what the daemons read, and the monitors' stores. Throws `StageError`. */
export async function makeMonitors(
  programs: CephPrograms,
  plan: ClusterPlan,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(plan.folder, { recursive: true, mode: 0o700 });
  for (const { data } of daemonsOf(plan)) await mkdir(data, { mode: 0o700 });
  await writeFile(plan.confFile, confText(plan, programs.libraries));
  await mkdir(plan.modules);
  for (const name of managerModules) {
    await symlink(join(programs.root, 'usr/share/ceph/mgr', name), join(plan.modules, name));
  }
  await writeKeyrings(plan);
  await makeMap(programs, plan, signal);
  const make = async ({ id }: DaemonPlan): Promise<void> => {
    const words = ['--mkfs', '-i', id, '--monmap', plan.monmap, '--keyring', plan.firstKeyring];
    await work(programs, ['ceph-mon', '-c', plan.confFile, ...words], signal);
  };
  await Promise.all(plan.monitors.map(make));
  // It holds all keys, and nobody reads it again.
  await rm(plan.firstKeyring);
}

/** Makes the stores for data: takes longer than all else. Throws `StageError`. */
export async function makeStores(
  programs: CephPrograms,
  plan: ClusterPlan,
  signal: AbortSignal,
): Promise<void> {
  const make = async ({ id, uuid }: ClusterPlan['osds'][number]): Promise<void> => {
    const words = ['--mkfs', '-i', id, '--osd-uuid', uuid, '--monmap', plan.monmap];
    await work(programs, ['ceph-osd', '-c', plan.confFile, ...words], signal);
  };
  await Promise.all(plan.osds.map(make));
}

async function makeMap(
  programs: CephPrograms,
  plan: ClusterPlan,
  signal: AbortSignal,
): Promise<void> {
  const words = ['--create', '--fsid', plan.identities.fsid, '--enable-all-features'];
  const members = plan.monitors.flatMap(({ id, port }) => [
    '--addv',
    id,
    monitorAddress(plan, port),
  ]);
  const release = ['--set-min-mon-release', '16'];
  await work(programs, ['monmaptool', ...words, ...release, ...members, plan.monmap], signal);
}

async function work(
  { command }: CephPrograms,
  [program, ...words]: readonly [Parameters<CephPrograms['command']>[0], ...string[]],
  signal: AbortSignal,
): Promise<void> {
  const all = ['setpriv', '--pdeathsig', 'KILL', ...command(program), ...words];
  await run(all, { deadlineMs: 60_000 }, signal);
}

async function writeKeyrings(plan: ClusterPlan): Promise<void> {
  const bornS = Date.now() / 1000;
  const born = (name: string): Entity => ({
    name,
    key: makeKey(randomBytes(KEY_BYTES), bornS),
    caps: capsOf(name),
  });
  const monitors = born('mon.');
  const admin = born('client.admin');
  const others = daemonsOf(plan)
    .filter(({ kind }) => kind !== 'mon')
    .map((daemon) => ({ daemon, entity: born(daemon.name) }));
  const entities = [monitors, admin, ...others.map(({ entity }) => entity)];
  await write(plan.firstKeyring, entities);
  await write(plan.adminKeyring, [{ name: admin.name, key: admin.key }]);
  for (const { keyring } of plan.monitors) await write(keyring, [monitors]);
  for (const { daemon, entity } of others) {
    await write(daemon.keyring, [{ name: entity.name, key: entity.key }]);
  }
}

async function write(path: string, entities: readonly Entity[]): Promise<void> {
  await writeFile(path, keyringText(entities), { mode: 0o600 });
}

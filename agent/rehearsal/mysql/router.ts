import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, type Doing, exists } from '../packages.ts';
import { shellScript } from '../shell.ts';
import { fetchSuite, type SuitePackages } from '../suite.ts';
import { selectLibraries, slimShare } from './unpacked.ts';

const source: SuitePackages = {
  suite: 'sid',
  wanted: ['mysql-router'],
  choose: selectLibraries,
  title: 'the Router of MySQL',
};

/** Makes sure that MySQL Router is unpacked in the cache folder; gives the root that it runs in. Throws `StageError`. */
export async function fetchRouter(
  packages: string,
  doing: Doing,
  signal: AbortSignal,
): Promise<string> {
  const key = await cacheKey({ wanted: source.wanted, optional: [] });
  const root = join(packages, `${source.suite}-router-${key}`);
  await fetchSuite({ packages, root }, source, finish, { doing, signal });
  return root;
}

/** What a package of its own makes on a whole system, and where folders of the machine are to be seen. */
async function finish(unpacked: string): Promise<void> {
  await slimShare(unpacked);
  for (const name of ['bin', 'lib', 'lib64']) {
    const path = join(unpacked, name);
    if (!(await exists(path))) await symlink(`usr/${name}`, path);
  }
  for (const name of ['proc', SEEN]) await mkdir(join(unpacked, name), { recursive: true });
}

/** Where a Router sees its own folder. */
const SEEN = 'mnt';
const CONFIGURATION = 'router.conf';

/** Pure. What a Router keeps in its folder. */
export function routerFiles(folder: string) {
  return { configuration: join(folder, CONFIGURATION), log: join(folder, 'mysqlrouter.log') };
}

/**
 * Pure. Runs a Router whose folder holds its configuration. It looks for what belongs to it by the path of its program, and needs a newer C library
 * than the machine has: so it has its own root, in a mount namespace of its own.
 */
export function routerCommand(root: string, folder: string): readonly string[] {
  const lines = [
    'mount --make-rprivate /',
    'mount --bind /proc "$1/proc"',
    `mount --bind "$2" "$1/${SEEN}"`,
    `exec chroot "$1" /usr/bin/mysqlrouter -c /${SEEN}/${CONFIGURATION}`,
  ];
  return ['unshare', '--mount', ...shellScript(lines, [root, folder])];
}

/**
 * Pure. A Router without metadata knows no roles: it leads to the first of `hosts` that it reaches, whatever that is. One that it did not
 * reach it forgets until it is started again; where none is left its port is closed.
 */
export function routerConfiguration(
  { address, port }: { readonly address: string; readonly port: number },
  hosts: readonly string[],
): string {
  const folders = ['logging', 'runtime', 'data', 'config'];
  return [
    '[DEFAULT]',
    ...folders.map((name) => `${name}_folder=/${SEEN}`),
    '[routing:all]',
    `bind_address=${address}`,
    `bind_port=${port}`,
    `destinations=${hosts.join(',')}`,
    'routing_strategy=next-available',
    'protocol=classic',
    '',
  ].join('\n');
}

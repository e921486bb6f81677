import { join } from 'node:path';
import { cacheKey, type Doing } from '../packages.ts';
import { run } from '../run.ts';
import { fetchSuite, type SuitePackages } from '../suite.ts';
import { loadingIn, selectLibraries, slimShare } from './unpacked.ts';

/** The command line of MariaDB, which speaks with both families. */
export interface Client {
  /** Starts it; its options follow. */
  readonly command: readonly string[];
  /** Absolute paths of all that it needs: the program, its loader, libraries and the plugin for MySQL's accounts. */
  readonly program: string;
  readonly loader: string;
  readonly libraries: readonly string[];
  readonly plugin: string;
}

const source: SuitePackages = {
  suite: 'bookworm',
  wanted: ['mariadb-client-core'],
  choose: selectLibraries,
  title: 'the command line of MariaDB',
};

/** Makes sure that it is unpacked in the cache folder. Throws `StageError`. */
export async function fetchClient(
  packages: string,
  doing: Doing,
  signal: AbortSignal,
): Promise<Client> {
  const key = await cacheKey({ wanted: source.wanted, optional: [] });
  const root = join(packages, `${source.suite}-client-${key}`);
  await fetchSuite({ packages, root }, source, slimShare, { doing, signal });
  const { loader, command } = await loadingIn(root, source.title);
  const program = join(root, 'usr/bin/mariadb');
  const plugins = join(root, 'usr/lib', machineIn(loader), 'libmariadb3/plugin');
  const listed = await run([...command, '--list', program], {}, signal);
  return {
    command: [...command, program, '--no-defaults', `--plugin-dir=${plugins}`],
    program,
    loader,
    libraries: librariesIn(listed),
    plugin: join(plugins, 'caching_sha2_password.so'),
  };
}

/** Pure. The libraries in what the loader lists, without itself: ` => PATH (0xADDRESS)`; the project's own path may hold blanks. */
export function librariesIn(listed: string): readonly string[] {
  return [...listed.matchAll(/ => (\/.+) \(0x[0-9a-f]+\)$/gm)]
    .map(([, path = '']) => path)
    .filter((path) => !/\/ld-linux-[^/]*$/.test(path));
}

/** Runs SQL as root; gives the rows, a line each, with tabs between. Throws `StageError`. */
export async function asRoot(
  client: Client,
  socket: string,
  text: string,
  signal: AbortSignal,
): Promise<string> {
  const login = ['--user=root', `--socket=${socket}`];
  const rows = ['--batch', '--raw', '--skip-column-names'];
  // A statement that fails is not repeated: it may hold a password.
  const command = [...client.command, ...login, ...rows, '--skip-print-query-on-error'];
  return await run(command, { input: text }, signal);
}

/** Pure. `x86_64-linux-gnu`, as the folder of the loader is called. */
function machineIn(loader: string): string {
  return loader.split('/').at(-2) ?? '';
}

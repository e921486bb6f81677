import { appendFile, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey, type Doing } from '../packages.ts';
import { run, StageError } from '../run.ts';
import { fetchSuite, type SuitePackages } from '../suite.ts';
import { bootstrapOrder, initializeOptions } from './options.ts';
import { loadingIn, selectLibraries, slimShare } from './unpacked.ts';

/** The two servers: MySQL 9.7 and MariaDB 10.11. */
export type Flavor = 'mysql' | 'mariadb';

/** A server as it lies unpacked. It runs with its own loader and libraries, so neither the machine nor the folder's place matters. */
export interface Programs {
  readonly flavor: Flavor;
  /** Starts the server; its options follow. */
  readonly command: readonly string[];
  /** Absolute path of `usr` in it. */
  readonly base: string;
  /** A data directory as it is before the first start. To be copied, never used itself. */
  readonly data: string;
}

/** What is unpacked together. */
export type Unpacked = Flavor | 'galera';

const sources: Readonly<Record<Unpacked, SuitePackages>> = {
  // No other suite has MySQL, and no other one will: it left the stable releases.
  mysql: {
    suite: 'sid',
    wanted: ['mysql-server-core'],
    choose: selectLibraries,
    title: 'MySQL of sid',
  },
  mariadb: {
    suite: 'bookworm',
    wanted: ['mariadb-server-core'],
    choose: selectLibraries,
    title: 'MariaDB of bookworm',
  },
  galera: {
    suite: 'bookworm',
    wanted: ['mariadb-server-core', 'galera-4'],
    choose: selectLibraries,
    title: 'MariaDB with Galera of bookworm',
  },
};

/**
 * Makes sure that a server is unpacked in the cache folder, with a data directory made by itself. Nothing is installed. Throws
 * `StageError`.
 */
export async function fetchPrograms(
  packages: string,
  what: Unpacked,
  doing: Doing,
  signal: AbortSignal,
): Promise<Programs> {
  const source = sources[what];
  const flavor = what === 'mysql' ? 'mysql' : 'mariadb';
  const key = await cacheKey({ wanted: [...source.wanted, 'data 1'], optional: [] });
  const root = join(packages, `${source.suite}-${what}-${key}`);
  const finish = async (unpacked: string): Promise<void> => {
    await slim(unpacked);
    doing(`making an empty data directory of ${flavor}`);
    await makeData(await programsIn(unpacked, flavor), signal);
  };
  await fetchSuite({ packages, root }, source, finish, { doing, signal });
  return await programsIn(root, flavor);
}

async function programsIn(root: string, flavor: Flavor): Promise<Programs> {
  const { command } = await loadingIn(root, flavor);
  const server = join(root, 'usr/sbin', flavor === 'mysql' ? 'mysqld' : 'mariadbd');
  return {
    flavor,
    command: [...command, server],
    base: join(root, 'usr'),
    data: join(root, 'data'),
  };
}

/** Leaves what a server never opens. */
async function slim(root: string): Promise<void> {
  await slimShare(root);
  await rm(join(root, 'usr/bin'), { recursive: true, force: true });
}

/** A server makes its data directory; here, in the folder that is not in its place yet. */
async function makeData(programs: Programs, signal: AbortSignal): Promise<void> {
  const { flavor, base, data } = programs;
  await mkdir(data, { recursive: true, mode: 0o700 });
  const log = `${data}.log`;
  const command = ['setpriv', '--pdeathsig', 'KILL', ...programs.command];
  const input = flavor === 'mysql' ? '' : await bootstrapText(base);
  try {
    await run(
      [...command, ...initializeOptions(programs, log)],
      { input, deadlineMs: 180_000 },
      signal,
    );
  } catch (cause) {
    signal.throwIfAborted();
    const said = cause instanceof StageError ? cause.evidence : String(cause);
    await appendFile(log, said);
    const evidence = (await readFile(log, 'utf8')).split('\n').slice(-12).join('\n');
    throw new StageError(`${flavor} could not make a data directory`, { evidence, cause });
  }
  await rm(log, { force: true });
  // The server's identity: each copy makes its own.
  await rm(join(data, 'auto.cnf'), { force: true });
}

async function bootstrapText(base: string): Promise<string> {
  const folder = join(base, 'share/mysql');
  const parts = await Promise.all(
    bootstrapOrder.map(async (name) => await readFile(join(folder, name), 'utf8')),
  );
  // Root comes in through the socket, as the machine's root, and not at all by a password.
  const start = "create database if not exists mysql;\nuse mysql;\nset @auth_root_socket='root';\n";
  return [start, ...parts].join('\n');
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { selectLibraries } from '../../agent/rehearsal/mysql/unpacked.ts';
import { cacheKey } from '../../agent/rehearsal/packages.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { plainEnvironment, waitUntil } from '../../agent/rehearsal/run.ts';
import { shellScript } from '../../agent/rehearsal/shell.ts';
import { fetchSuite, type SuitePackages } from '../../agent/rehearsal/suite.ts';
import { freePort } from './ssh-server.ts';

const within = (): AbortSignal => AbortSignal.timeout(400_000);
const source: SuitePackages = {
  suite: 'sid',
  wanted: ['mysql-router'],
  choose: selectLibraries,
  title: 'the Router of MySQL',
};

/** MySQL Router without metadata: it leads to the first server in its list that lets people in, whatever its role. */
export class DatabaseRouter {
  /** As settings write it. */
  readonly host: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.host = `127.0.0.1:${String(port)}`;
  }

  /** `hosts`: in this order. Without `first` a next connection takes the next one. */
  static async to(hosts: readonly string[]): Promise<DatabaseRouter> {
    const root = await fetchRouter();
    const folder = await mkdtemp(join(tmpdir(), 'understudy-router-'));
    const port = await freePort();
    writeFileSync(join(folder, 'router.conf'), configuration(hosts, port));
    // It looks for its own folder by the path of its program, and needs a newer C library than the machine has.
    const lines = [
      'mount --make-rprivate /',
      'mount --bind /proc "$1/proc"',
      'mount --bind "$2" "$1/mnt"',
      'exec chroot "$1" /usr/bin/mysqlrouter -c /mnt/router.conf',
    ];
    const command = ['setpriv', '--pdeathsig', 'KILL', 'unshare', '--mount'];
    const [file = '', ...args] = [...command, ...shellScript(lines, [root, folder])];
    const child = spawn(file, args, { env: plainEnvironment, cwd: '/', stdio: 'ignore' });
    await once(child, 'spawn');
    const router = new DatabaseRouter(child, folder, port);
    await waitUntil(
      'the router listens',
      { deadlineMs: 20_000, everyMs: 50 },
      async () => await isOpen(port),
      within(),
    );
    return router;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true });
  }
}

async function fetchRouter(): Promise<string> {
  const packages = join(projectFolder, '.rehearsal', 'packages');
  const root = join(
    packages,
    `sid-router-${await cacheKey({ wanted: ['mysql-router'], optional: [] })}`,
  );
  const finish = async (unpacked: string): Promise<void> => {
    // What a package of its own makes of them on a whole system.
    for (const name of ['bin', 'lib', 'lib64']) {
      if (!existsSync(join(unpacked, name))) symlinkSync(`usr/${name}`, join(unpacked, name));
    }
    for (const name of ['proc', 'mnt']) mkdirSync(join(unpacked, name), { recursive: true });
    return Promise.resolve();
  };
  const say = (): undefined => undefined;
  await fetchSuite({ packages, root }, source, finish, { doing: say, signal: within() });
  return root;
}

function configuration(hosts: readonly string[], port: number): string {
  const folders = ['logging', 'runtime', 'data', 'config'].map((name) => `${name}_folder=/mnt`);
  return [
    '[DEFAULT]',
    ...folders,
    '[routing:all]',
    'bind_address=127.0.0.1',
    `bind_port=${String(port)}`,
    `destinations=${hosts.join(',')}`,
    'routing_strategy=first-available',
    'protocol=classic',
    '',
  ].join('\n');
}

async function isOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('data', () => settle(true));
    socket.once('error', () => settle(false)).once('close', () => settle(false));
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  fetchRouter,
  routerCommand,
  routerConfiguration,
  routerFiles,
} from '../../agent/rehearsal/mysql/router.ts';
import { greets } from '../../agent/rehearsal/mysql/server.ts';
import { usualPackages } from '../../agent/rehearsal/plan.ts';
import { plainEnvironment, waitUntil } from '../../agent/rehearsal/run.ts';
import { freePort } from './ssh-server.ts';

const within = (): AbortSignal => AbortSignal.timeout(400_000);
const address = '127.0.0.1';

/** The Router of a stage as our child, before servers of a test: it leads to the first that lets people in, whatever its role. */
export class DatabaseRouter {
  /** As settings write it. */
  readonly host: string;
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string, port: number) {
    this.#child = child;
    this.#folder = folder;
    this.host = `${address}:${String(port)}`;
  }

  /** `hosts`: in this order. */
  static async to(hosts: readonly string[]): Promise<DatabaseRouter> {
    const root = await fetchRouter(usualPackages, () => {}, within());
    const folder = await mkdtemp(join(tmpdir(), 'understudy-router-'));
    const port = await freePort();
    writeFileSync(routerFiles(folder).configuration, routerConfiguration({ address, port }, hosts));
    const bound = ['setpriv', '--pdeathsig', 'KILL', ...routerCommand(root, folder)];
    const [file = '', ...args] = bound;
    const child = spawn(file, args, { env: plainEnvironment, cwd: '/', stdio: 'ignore' });
    await once(child, 'spawn');
    const router = new DatabaseRouter(child, folder, port);
    await waitUntil(
      'the router listens',
      { deadlineMs: 20_000, everyMs: 50 },
      async () => await greets(address, port, within()),
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

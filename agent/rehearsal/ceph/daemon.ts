import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inNamespace } from '../engines.ts';
import { readPidFile, writePidFile } from '../processes.ts';
import { lastLines, plainEnvironment, StageError } from '../run.ts';
import type { ClusterPlan, DaemonPlan, Lasting } from './plan.ts';
import type { CephPrograms } from './programs.ts';

/** Until a daemon that was told to end is ended. Milliseconds. */
const END_MS = 10_000;

/** The daemons of one cluster, our children: they end with us, whatever becomes of us, unless they are to last. */
export class Daemons {
  readonly #programs: CephPrograms;
  readonly #plan: ClusterPlan;
  readonly #running = new Map<string, ChildProcess>();

  constructor(programs: CephPrograms, plan: ClusterPlan) {
    this.#programs = programs;
    this.#plan = plan;
  }

  /** Starts one unless it runs; does not wait for it. Throws `StageError`. */
  async start({ name, kind, id }: DaemonPlan): Promise<void> {
    if (this.runs(name)) return;
    const { command } = this.#programs;
    const { confFile, namespace, folder, lasting } = this.#plan;
    const words = [...command(`ceph-${kind}`), '-f', '-i', id, '-c', confFile];
    const bound = lasting === undefined ? ['setpriv', '--pdeathsig', 'KILL', ...words] : words;
    const [file = '', ...args] = namespace === undefined ? bound : inNamespace(namespace, bound);
    const output = openSync(this.#output(name), 'a', 0o600);
    try {
      const child = spawn(file, args, {
        env: { ...plainEnvironment, ...lasting?.mark },
        detached: lasting !== undefined,
        cwd: folder,
        stdio: ['ignore', output, output],
      });
      await once(child, 'spawn');
      if (lasting !== undefined && child.pid !== undefined) {
        child.unref();
        await writePidFile(pidFile(lasting, name), child.pid);
      }
      this.#running.set(name, child);
    } finally {
      closeSync(output);
    }
  }

  /** Starts one that outlives who starts it, unless it runs, whoever started it. Whether it was started. Throws `StageError`. */
  async startAgain(daemon: DaemonPlan): Promise<boolean> {
    const { lasting } = this.#plan;
    if (lasting === undefined) throw new StageError('daemons that end with us are started by us');
    if ((await readPidFile(pidFile(lasting, daemon.name))) !== undefined) return false;
    await this.start(daemon);
    return true;
  }

  runs(name: string): boolean {
    const child = this.#running.get(name);
    return child !== undefined && !hasEnded(child);
  }

  /** Ends one: `SIGKILL` as a lost machine would, `SIGSTOP` leaves it there without an answer. */
  async signal(name: string, signal: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const child = this.#running.get(name);
    if (child === undefined) throw new StageError(`${name} was never started`);
    if (hasEnded(child)) return;
    const ended = once(child, 'exit');
    // The number is still its own: Node has not been told that it ended.
    child.kill(signal);
    if (signal === 'SIGSTOP' || signal === 'SIGCONT') return;
    const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await ended;
    clearTimeout(timer);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#running.keys()].map((name) => this.signal(name, 'SIGKILL')));
  }

  /** Throws `StageError` where one ended by itself, with what it said last. */
  async check(): Promise<void> {
    for (const [name, child] of this.#running) {
      if (!hasEnded(child)) continue;
      const said = await readFile(this.#output(name), 'utf8').catch(() => '');
      throw new StageError(`${name} ended while the cluster started`, {
        evidence: lastLines(said, 12),
      });
    }
  }

  #output(name: string): string {
    return join(this.#plan.folder, `${name}.out`);
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function pidFile({ pids }: Lasting, name: string): string {
  return join(pids, `ceph-${name}`);
}

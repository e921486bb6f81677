import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { agentFlags, allocatorEnvironment } from '../../agent/flags.mjs';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { lastLines, plainEnvironment } from '../../agent/rehearsal/run.ts';
import type { Ask, Said } from './agent-words.ts';

/** What an agent of the bench is started with. */
export interface AgentPlace {
  /** For its state and its log. */
  readonly folder: string;
  /** Its settings, as they would stand in its file. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** More variables of its environment. */
  readonly env: Readonly<Record<string, string>>;
}

type Pass = Extract<Said, { said: 'passed' }>;
type Event = Extract<Said, { said: 'event' }>;

/** Longer than anything that the bench waits for. */
const PATIENCE_MS = 240_000;
const STOP_MS = 10_000;

/** A real agent in a process of its own. */
export class BenchAgent {
  readonly #child: ChildProcess;
  readonly #log: string;
  readonly #said: Said[] = [];
  readonly #waiting = new Set<() => void>();
  /** How much of what was said the waits have read. */
  #read = 0;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    child.on('message', (said: Said) => {
      this.#said.push(said);
      for (const wake of this.#waiting) wake();
    });
    child.on('exit', () => {
      for (const wake of this.#waiting) wake();
    });
  }

  static start({ folder, settings, env }: AgentPlace): BenchAgent {
    const log = join(folder, 'agent.log');
    const out = openSync(log, 'a');
    // As agent/bin.mjs does it.
    const cache = { NODE_COMPILE_CACHE: join(projectFolder, 'node_modules/.cache/understudy') };
    const child = fork(
      fileURLToPath(new URL('agent-child.ts', import.meta.url)),
      [JSON.stringify(settings)],
      {
        cwd: projectFolder,
        env: { ...plainEnvironment, ...allocatorEnvironment, ...cache, HOME: folder, ...env },
        execArgv: [...agentFlags, `--import=${join(projectFolder, 'agent/unused.mjs')}`],
        stdio: ['ignore', out, out, 'ipc'],
      },
    );
    closeSync(out);
    return new BenchAgent(child, log);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the agent did not start');
    return this.#child.pid;
  }

  ask(ask: Ask): void {
    if (this.#child.connected) this.#child.send(ask);
  }

  /** A revision ends well. */
  async healthy(revision: string, signal: AbortSignal): Promise<Event> {
    const fits = (said: Said): boolean =>
      said.said === 'event' && said.event === 'revision healthy' && said.revision === revision;
    const found = await this.#next(fits, `the end of revision ${revision}`, signal);
    if (found.said !== 'event') throw new Error('another word');
    return found;
  }

  /** So many passes that end from now on. */
  async passes(count: number, signal: AbortSignal): Promise<readonly Pass[]> {
    this.#read = this.#said.length;
    const passes: Pass[] = [];
    while (passes.length < count) {
      const said = await this.#next((one) => one.said === 'passed', 'a pass', signal);
      if (said.said === 'passed') passes.push(said);
    }
    return passes;
  }

  async endProfile(file: string, signal: AbortSignal): Promise<void> {
    this.ask({ ask: 'end-profile', file });
    await this.#next((said) => said.said === 'profiled', 'the profile', signal);
  }

  /** Asks it to end, and ends it where it does not. */
  async stop(): Promise<void> {
    if (this.#hasEnded()) return;
    this.ask({ ask: 'stop' });
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    await once(this.#child, 'exit');
    clearTimeout(late);
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async #next(fits: (said: Said) => boolean, what: string, signal: AbortSignal): Promise<Said> {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
    for (;;) {
      while (this.#read < this.#said.length) {
        const said = this.#said[this.#read];
        this.#read += 1;
        if (said !== undefined && fits(said)) return said;
        if (said?.said === 'event' && /^revision (failed|invalid)$/.test(said.event)) {
          throw new Error(`${said.event}\n${await this.#evidence()}`);
        }
      }
      signal.throwIfAborted();
      if (this.#hasEnded() || limit.aborted) {
        const end = limit.aborted ? 'did not come in time' : 'did not come: the agent ended';
        throw new Error(`${what} ${end}\n${await this.#evidence()}`);
      }
      await this.#news(limit);
    }
  }

  async #news(limit: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        limit.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      limit.addEventListener('abort', wake);
    });
  }

  async #evidence(): Promise<string> {
    return lastLines(await readFile(this.#log, 'utf8').catch(() => ''), 12);
  }
}

import type { StageAgent } from '../../agent/rehearsal/agent-process.ts';
import { logSize } from '../../agent/rehearsal/log-file.ts';
import { waitUntil } from '../../agent/rehearsal/run.ts';
import type { Stage } from '../../agent/rehearsal/stage.ts';
import type { Entry } from '../faults/ledger.ts';
import type { FaultProxy } from '../faults/proxy.ts';
import { AgentLog } from './agent-log.ts';

const never = new AbortController().signal;

/** The agent of one manager, which reaches the engine of its host through a proxy that counts and breaks. */
export class SceneAgent {
  readonly host: string;
  readonly proxy: FaultProxy;
  readonly #stage: Stage;
  readonly #settings: Readonly<Record<string, unknown>>;
  /** When each of its processes was started, by the proxies' clock. */
  readonly #starts: number[] = [];
  #process: StageAgent | undefined;
  #log: AgentLog | undefined;

  constructor(
    host: string,
    of: {
      readonly proxy: FaultProxy;
      readonly stage: Stage;
      readonly settings: Readonly<Record<string, unknown>>;
    },
  ) {
    this.host = host;
    this.proxy = of.proxy;
    this.#stage = of.stage;
    this.#settings = of.settings;
  }

  /** The process that was started last. */
  get process(): StageAgent {
    if (this.#process === undefined) throw new Error(`no agent was started on ${this.host}`);
    return this.#process;
  }

  /** What this process wrote. */
  get log(): AgentLog {
    if (this.#log === undefined) throw new Error(`no agent was started on ${this.host}`);
    return this.#log;
  }

  /** The log, where a process was started. */
  opened(): readonly AgentLog[] {
    return this.#log === undefined ? [] : [this.#log];
  }

  async start(): Promise<void> {
    await this.#log?.close();
    this.#starts.push(performance.timeOrigin + performance.now());
    const settings = { ...this.#settings, docker: { socket: this.proxy.socket } };
    const agent = await this.#stage.startAgent({ host: this.host, settings });
    this.#process = agent;
    this.#log = new AgentLog([{ ...agent, offset: await logSize(agent.log) }]);
  }

  /** Asks it to end, as a service manager does, and waits for that. */
  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    this.#signal('SIGKILL');
    const gone = async (): Promise<boolean> => !(await this.process.isAlive());
    await waitUntil(`the agent of ${this.host} is gone`, { deadlineMs: 60_000 }, gone, never);
    this.proxy.hangUp();
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** It stands still, and does not know that it did when it goes on. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  continue(): void {
    this.#signal('SIGCONT');
  }

  async close(): Promise<void> {
    await this.#log?.close();
    // One that stands still hears no request to end.
    if (this.#process !== undefined && (await this.#process.isAlive())) this.continue();
    await this.stop();
    await this.proxy.close();
  }

  /** All that it sent, each with the process that sent it. */
  ledger(): readonly Entry[] {
    return this.proxy.seen.map((seen) => {
      const run = this.#starts.filter((startedAt) => startedAt <= seen.atMs).length;
      return { ...seen, host: this.host, agent: `${this.host}#${String(run)}` };
    });
  }

  #signal(name: NodeJS.Signals): void {
    process.kill(this.process.pid, name);
  }
}

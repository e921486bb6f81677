import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { createPrinter } from '../../agent/cli/printer.ts';
import { logSize, type StageAgent } from '../../agent/rehearsal/agent-process.ts';
import type { StageOptions } from '../../agent/rehearsal/plan.ts';
import { readPidFile } from '../../agent/rehearsal/processes.ts';
import { run, waitUntil } from '../../agent/rehearsal/run.ts';
import { lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';
import type { WorkingCopy } from '../../agent/rehearsal/working-copy.ts';
import { type FaultProxy, type Seen, startProxy } from '../faults/proxy.ts';
import { AgentLog } from './agent-log.ts';

const never = new AbortController().signal;

/** Real engines, a Git server, and one agent that reaches its engine through a proxy which counts. */
export class Scene {
  readonly stage: Stage;
  readonly copy: WorkingCopy;
  readonly proxy: FaultProxy;
  /** For what a test makes beside; it goes with the scene. */
  readonly folder: string;
  readonly #options: StageOptions;
  readonly #said: string[];
  agent!: StageAgent;
  log!: AgentLog;

  private constructor(
    stage: Stage,
    copy: WorkingCopy,
    proxy: FaultProxy,
    rest: { folder: string; options: StageOptions; said: string[] },
  ) {
    this.stage = stage;
    this.copy = copy;
    this.proxy = proxy;
    this.folder = rest.folder;
    this.#options = rest.options;
    this.#said = rest.said;
  }

  /** Raises the stage; no agent runs yet and nothing is pushed. */
  static async raise(options: StageOptions): Promise<Scene> {
    const said: string[] = [];
    const stage = await raiseStage(options, printer(said), never);
    const folder = await mkdtemp(join(tmpdir(), 'understudy-e2e-'));
    const copy = await stage.workingCopy(join(folder, 'infra'), undefined, never);
    const [host] = stage.hosts;
    if (host === undefined) throw new Error('no manager');
    const proxy = await startProxy(host.socket, join(folder, 'proxy.sock'));
    return new Scene(stage, copy, proxy, { folder, options, said });
  }

  async startAgent(): Promise<void> {
    this.agent = await this.stage.startAgent({
      settings: { docker: { socket: this.proxy.socket } },
    });
    this.log = new AgentLog(this.agent, await logSize(this.agent.log));
  }

  /** Ends the agent as a crash does and starts another. */
  async killAgent(): Promise<void> {
    process.kill(this.agent.pid, 'SIGKILL');
    await this.log.close();
    this.proxy.hangUp();
    await this.startAgent();
  }

  /** What was said and read, for a test that failed. */
  evidence(): string {
    return `${this.#said.join('')}${this.log.read.map((line) => JSON.stringify(line)).join('\n')}\n`;
  }

  async lower(): Promise<void> {
    await this.log?.close();
    await this.agent?.stop();
    await this.proxy.close();
    const left = await lowerStage(this.#options, printer(this.#said));
    await rm(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  }

  docker(...args: string[]): Promise<string> {
    return this.stage.docker(args, never);
  }

  /** Commits and pushes these files beside what is there; gives the revision. */
  async push(message: string, files: Readonly<Record<string, string>>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.copy.folder, path)), { recursive: true });
      await writeFile(join(this.copy.folder, path), text);
    }
    return this.copy.commitAndPush(message, never);
  }

  async read(path: string): Promise<string> {
    return readFile(join(this.copy.folder, path), 'utf8');
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.copy.folder, path), { recursive: true });
  }

  /** Writes to what is the user's: the record and its head are ours. */
  writes(from = 0): Seen[] {
    return this.allWrites(from).filter(({ name = '' }) => !name.startsWith('understudy.'));
  }

  /** All writes, but for blobs of the record that go when nothing points to them for ten minutes. */
  allWrites(from = 0): Seen[] {
    return this.proxy.seen
      .slice(from)
      .filter(({ mutating, method, path }) => mutating && !isCollection(method, path));
  }

  /** Nothing at all is written over so many passes; every pass lists the services once. */
  async quietPasses(count: number): Promise<Seen[]> {
    const from = this.proxy.seen.length;
    const passes = (): number =>
      this.proxy.seen.slice(from).filter(({ path }) => path.endsWith('/services')).length;
    await waitUntil(
      `${String(count)} passes`,
      { deadlineMs: 60_000 },
      async () => passes() >= count,
      never,
    );
    return this.allWrites(from);
  }

  /** The spec of a service as the engine holds it. */
  async spec(service: string): Promise<unknown> {
    const text = await this.docker('service', 'inspect', service, '--format', '{{json .Spec}}');
    const spec: unknown = JSON.parse(text);
    return spec;
  }

  /** Ids of all tasks of a service that the engine still knows. */
  async tasks(service: string): Promise<readonly string[]> {
    const text = await this.docker('service', 'ps', '--no-trunc', '--quiet', service);
    return text.trim().split('\n');
  }

  /** Ids of the tasks of a service that should run. */
  async runningTasks(service: string): Promise<readonly string[]> {
    const filter = ['--filter', 'desired-state=running'];
    const text = await this.docker('service', 'ps', '--no-trunc', '--quiet', service, ...filter);
    return text.trim().split('\n').toSorted();
  }

  /** A host's engine is stopped or goes on, as a machine that hangs. */
  async signalEngine(host: string, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    const engine = await readPidFile(join(this.stage.folder, 'pids', host));
    if (engine === undefined) throw new Error(`no engine on ${host}`);
    process.kill(engine.pid, signal);
  }

  /** A host's link to everything else goes down or up. */
  async link(host: string, state: 'up' | 'down'): Promise<void> {
    const { hosts, switchNamespace } = this.stage.plan;
    const namespace = hosts.find(({ name }) => name === host)?.namespace ?? '';
    const command = ['ip', '-n', switchNamespace, 'link', 'set', namespace, state];
    await run(command, { env: this.stage.tools.env }, never);
  }
}

/** A delete names an id: those of blobs and those of a stack cannot be told apart here. */
function isCollection(method: string, path: string): boolean {
  return method === 'DELETE' && path.includes('/configs/');
}

function printer(said: string[]): ReturnType<typeof createPrinter> {
  const say = (text: string): void => void said.push(text);
  return createPrinter({ out: say, err: say, colour: false }, () => performance.now());
}

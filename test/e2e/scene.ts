import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { createPrinter } from '../../agent/cli/printer.ts';
import { agentHosts, agentPlaces, type StageAgent } from '../../agent/rehearsal/agent-process.ts';
import { projectFolder, type StageOptions } from '../../agent/rehearsal/plan.ts';
import { run, waitUntil } from '../../agent/rehearsal/run.ts';
import { lowerStage, raiseStage, type Stage } from '../../agent/rehearsal/stage.ts';
import type { WorkingCopy } from '../../agent/rehearsal/working-copy.ts';
import { type Entry, oneActor, type Verdict, withoutRenewals } from '../faults/ledger.ts';
import { type FaultProxy, type Seen, startProxy } from '../faults/proxy.ts';
import { AgentLog } from './agent-log.ts';
import { SceneAgent } from './scene-agent.ts';
import { StageFaults } from './stage-faults.ts';

const never = new AbortController().signal;

/** Settings of agents that are soon followed where they are killed while nothing is under way: as soon as where something is. */
export const quickLease = { lease: { idle: { ttl: '15s', renew: '3s', takeover: '19s' } } };

/** Real engines, a Git server, and an agent a manager that reaches its engine through a proxy which counts. */
export class Scene {
  readonly stage: Stage;
  readonly copy: WorkingCopy;
  readonly faults: StageFaults;
  /** By the name of the host. */
  readonly agents: ReadonlyMap<string, SceneAgent>;
  /** What all agents write, in the order of time; goes on when one of them ends. */
  readonly told: AgentLog;
  /** For what a test makes beside; it goes with the scene. */
  readonly folder: string;
  readonly #options: StageOptions;
  readonly #said: string[];

  private constructor(
    stage: Stage,
    copy: WorkingCopy,
    agents: ReadonlyMap<string, SceneAgent>,
    rest: { folder: string; options: StageOptions; said: string[] },
  ) {
    this.stage = stage;
    this.copy = copy;
    this.agents = agents;
    this.faults = new StageFaults(stage);
    const sources = [...agents.keys()].map((host) => ({
      host,
      log: agentPlaces(stage.plan, host).log,
      offset: 0,
      isAlive: async () => Promise.resolve(true),
    }));
    this.told = new AgentLog(sources);
    this.folder = rest.folder;
    this.#options = rest.options;
    this.#said = rest.said;
  }

  /** Raises the stage; no agent runs yet and nothing is pushed. `settings`: top-level keys that replace those of the stage. */
  static async raise(
    options: StageOptions,
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<Scene> {
    const said: string[] = [];
    const stage = await raiseStage(options, printer(said), never);
    const folder = await mkdtemp(join(tmpdir(), 'understudy-e2e-'));
    const copy = await stage.workingCopy(join(folder, 'infra'), undefined, never);
    const agents = new Map<string, SceneAgent>();
    for (const host of agentHosts(stage.plan)) {
      const socket = stage.hosts.find(({ name }) => name === host)?.socket ?? '';
      const proxy = await startProxy(socket, join(folder, `${host}.sock`));
      agents.set(host, new SceneAgent(host, { proxy, stage, settings }));
    }
    return new Scene(stage, copy, agents, { folder, options, said });
  }

  /** The agent of a manager; without a name that of the first, the only one where a test needs no other. */
  on(host?: string): SceneAgent {
    const [first] = this.agents.values();
    const agent = host === undefined ? first : this.agents.get(host);
    if (agent === undefined) throw new Error(`no manager ${host ?? ''}`);
    return agent;
  }

  get proxy(): FaultProxy {
    return this.on().proxy;
  }

  get agent(): StageAgent {
    return this.on().process;
  }

  get log(): AgentLog {
    return this.on().log;
  }

  async startAgent(): Promise<void> {
    await this.on().start();
  }

  /** One on each manager. */
  async startAgents(): Promise<void> {
    await Promise.all([...this.agents.values()].map((agent) => agent.start()));
  }

  /** Ends the agent as a crash does and starts another. */
  async killAgent(): Promise<void> {
    await this.on().restart();
  }

  /** All that all agents wrote to their engines, in the order in which it came to the proxies. */
  ledger(): readonly Entry[] {
    return [...this.agents.values()]
      .flatMap((agent) => agent.ledger())
      .filter(({ mutating }) => mutating)
      .toSorted((a, b) => a.atMs - b.atMs);
  }

  /** Who led when, and whether anybody else acted. */
  verdict(): Verdict {
    return oneActor(this.ledger());
  }

  /** What was said and read, for a test that failed. */
  evidence(): string {
    const read = [this.told, ...[...this.agents.values()].flatMap((one) => one.opened())];
    const lines = read.flatMap((log) => log.read).map((line) => JSON.stringify(line));
    return `${this.#said.join('')}${[...new Set(lines)].join('\n')}\n`;
  }

  async lower(): Promise<void> {
    await this.told.close();
    await Promise.all([...this.agents.values()].map((agent) => agent.close()));
    await this.faults.close();
    const left = await lowerStage(this.#options, printer(this.#said));
    await rm(this.folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  }

  /** The command line, as on a manager; without a name on the first. */
  async understudy(args: readonly string[], host?: string): Promise<string> {
    const { socket } = this.stage.hosts.find(({ name }) => name === this.on(host).host) ?? {};
    const program = [process.execPath, join(projectFolder, 'agent/bin.mjs')];
    const command = [...program, ...args, '--socket', socket ?? ''];
    return run(command, { deadlineMs: 240_000 }, never);
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

  /**
   * All writes of the first agent, but for what is no change: renewals of the lease, and blobs of the record that go when
   * nothing points to them for ten minutes.
   */
  allWrites(from = 0): Seen[] {
    return withoutRenewals(this.proxy.seen.filter(({ mutating }) => mutating)).filter(
      ({ at, method, path }) => at > from && !isCollection(method, path),
    );
  }

  /** What `allWrites` gives, of all agents, that came after a time of the proxies' clock. */
  changes(afterMs: number): readonly Entry[] {
    return withoutRenewals(this.ledger()).filter(
      ({ atMs, method, path }) => atMs > afterMs && !isCollection(method, path),
    );
  }

  /** What any agent writes over so many passes of one. */
  async quietPasses(count: number): Promise<readonly Entry[]> {
    const from = performance.timeOrigin + performance.now();
    await waitUntil(
      `${String(count)} passes`,
      { deadlineMs: 120_000 },
      async () => this.#passes(from).some((passes) => passes.length >= count),
      never,
    );
    return this.changes(from);
  }

  /**
   * The same after something was removed: what came of it is recorded in a pass later than the log tells of it. The count begins
   * after that record, and one that comes later than the second whole pass is among what is given.
   */
  async quietAfterRemoval(count: number): Promise<readonly Entry[]> {
    const from = performance.timeOrigin + performance.now();
    const isRecord = ({ name = '' }: Entry): boolean => name.startsWith('understudy.');
    await waitUntil(
      `${String(count)} passes that record nothing`,
      { deadlineMs: 120_000 },
      async () => {
        const after = this.changes(from).findLast(isRecord)?.atMs ?? from;
        return this.#passes(after).some((passes) => passes.length >= count);
      },
      never,
    );
    const late = Math.min(...this.#passes(from).map((passes) => passes[2] ?? Infinity));
    return this.changes(from).filter((entry) => !isRecord(entry) || entry.atMs > late);
  }

  /** When each agent began its passes after a time: every pass lists the services once. */
  #passes(afterMs: number): readonly (readonly number[])[] {
    return [...this.agents.values()].map(({ proxy }) =>
      proxy.seen
        .filter(({ path, atMs }) => atMs > afterMs && path.endsWith('/services'))
        .map(({ atMs }) => atMs),
    );
  }

  /** The version of a service: any write to it is another one. */
  async versioned(service: string): Promise<string> {
    return this.docker('service', 'inspect', service, '--format', '{{.Version.Index}}');
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
    await this.faults.signalEngine(host, signal);
  }

  /** A host's link to everything else goes down or up. */
  async link(host: string, state: 'up' | 'down'): Promise<void> {
    await this.faults.link(host, state);
  }
}

/** A delete names an id: those of blobs, of contents that nothing needs any more and of a stack cannot be told apart here. */
function isCollection(method: string, path: string): boolean {
  return method === 'DELETE' && /\/(configs|secrets)\//.test(path);
}

function printer(said: string[]): ReturnType<typeof createPrinter> {
  const say = (text: string): void => void said.push(text);
  return createPrinter({ out: say, err: say, colour: false }, () => performance.now());
}

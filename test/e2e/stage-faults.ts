import { access, open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { callEngine } from '../../agent/rehearsal/engine-http.ts';
import { startEngine } from '../../agent/rehearsal/engines.ts';
import { textAt, valueAt } from '../../agent/rehearsal/json.ts';
import type { HostPlan } from '../../agent/rehearsal/plan.ts';
import { kill, readPidFile, type ProcessId } from '../../agent/rehearsal/processes.ts';
import { run, StageError, waitUntil } from '../../agent/rehearsal/run.ts';
import type { Stage } from '../../agent/rehearsal/stage.ts';

const never = new AbortController().signal;

/** Where a killed engine lived: held open, so that it stays also where no container is left in it. */
interface Held {
  readonly mount: FileHandle;
  readonly uts: FileHandle;
}

/** What can go wrong with the hosts of a stage, and how they are then. */
export class StageFaults {
  readonly #stage: Stage;
  readonly #held = new Map<string, Held>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get managers(): readonly string[] {
    return this.#stage.plan.hosts.filter(({ role }) => role === 'manager').map(({ name }) => name);
  }

  /** A host's engine dies, and with it the containerd that it started; the containers live on. */
  async killEngine(host: string): Promise<void> {
    const engine = await this.#engine(host);
    const pidFile = join(this.#host(host).folder, 'exec', 'containerd', 'containerd.pid');
    const containerd = await readFile(pidFile, 'utf8');
    const held = await Promise.all(
      ['mnt', 'uts'].map((name) => open(`/proc/${String(engine.pid)}/ns/${name}`, 'r')),
    );
    const [mount, uts] = held;
    if (mount === undefined || uts === undefined) throw new Error('no namespaces');
    this.#held.set(host, { mount, uts });
    await kill(engine, 'SIGKILL');
    // The next engine takes what nobody buried yet for something that works.
    for (const pid of [String(engine.pid), containerd.trim()]) {
      const gone = async (): Promise<boolean> =>
        access(`/proc/${pid}`).then(
          () => false,
          () => true,
        );
      await waitUntil(`the engine of ${host} is gone`, { deadlineMs: 60_000 }, gone, never);
    }
  }

  /** An engine that was killed is started again, with the same data, as a machine's service manager does. */
  async startEngine(host: string): Promise<void> {
    const held = this.#held.get(host);
    if (held === undefined) throw new Error(`the engine of ${host} was not killed`);
    const path = ({ fd }: FileHandle): string => `/proc/${String(process.pid)}/fd/${String(fd)}`;
    const home = { mount: path(held.mount), uts: path(held.uts) };
    await startEngine(this.#stage, this.#host(host), never, home);
    await this.#release(host);
  }

  /** A host's engine is stopped or goes on, as a machine that hangs. */
  async signalEngine(host: string, signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    process.kill((await this.#engine(host)).pid, signal);
  }

  /** A host's link to everything else goes down or up. */
  async link(host: string, state: 'up' | 'down'): Promise<void> {
    const { namespace } = this.#host(host);
    const command = ['ip', '-n', this.#stage.plan.switchNamespace, 'link', 'set', namespace, state];
    await run(command, { env: this.#stage.tools.env }, never);
  }

  /** A manager becomes a worker, or a worker a manager; another manager is asked. */
  async role(host: string, role: 'manager' | 'worker'): Promise<void> {
    const other = this.managers.find((name) => name !== host);
    const verb = role === 'worker' ? 'demote' : 'promote';
    let refusal = '';
    await waitUntil(
      `${verb} ${host}`,
      { deadlineMs: 120_000, everyMs: 500, evidence: async () => refusal },
      async () =>
        // The node is written by others at the same time, and then it is refused as out of sequence.
        this.#stage.docker(['node', verb, host], never, other).then(
          () => true,
          (cause: unknown) => {
            refusal = cause instanceof StageError ? cause.evidence : String(cause);
            return false;
          },
        ),
      never,
    );
  }

  /** Waits until a manager says that every node is ready, and every other manager reachable. */
  async whole(asked = this.managers[0] ?? ''): Promise<void> {
    const wanted = this.#stage.plan.hosts.map(({ name, role }) => `${name} ${role} well`);
    let seen: readonly string[] = [];
    await waitUntil(
      'the Swarm is whole',
      { deadlineMs: 150_000, everyMs: 250, evidence: async () => seen.join('\n') },
      async () => {
        seen = await this.nodes(asked);
        return wanted.every((one) => seen.includes(one)) && seen.length === wanted.length;
      },
      never,
    );
  }

  /** Name, role and state of every node as one manager sees them; none where it does not answer. */
  async nodes(asked: string): Promise<readonly string[]> {
    const nodes = await this.#ask(asked, '/nodes');
    if (nodes === undefined) return [];
    return nodes.map((node) => {
      const role = textAt(node, 'Spec', 'Role') ?? '';
      const reach = textAt(node, 'ManagerStatus', 'Reachability');
      const reached = role === 'manager' ? reach === 'reachable' : reach === undefined;
      const well = textAt(node, 'Status', 'State') === 'ready' && reached;
      return `${textAt(node, 'Description', 'Hostname') ?? ''} ${role} ${well ? 'well' : 'not well'}`;
    });
  }

  /**
   * Ids of the containers of a service that run, by host; undefined where the engine does not answer. Each engine is asked
   * itself, so a host that is cut off answers too.
   */
  async containers(service: string): Promise<ReadonlyMap<string, readonly string[] | undefined>> {
    const filters = { label: [`com.docker.swarm.service.name=${service}`], status: ['running'] };
    const path = `/containers/json?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const entries = this.#stage.hosts.map(async ({ name }) => {
      const found = await this.#ask(name, path);
      return [name, found?.map((one) => textAt(one, 'Id') ?? '')] as const;
    });
    return new Map(await Promise.all(entries));
  }

  /** Ids of the containers of a service's tasks that should run and do, as one manager sees them. */
  async placed(asked: string, service: string): Promise<readonly string[]> {
    const filters = { service: [service], 'desired-state': ['running'] };
    const path = `/tasks?filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const running = ((await this.#ask(asked, path)) ?? []).filter(
      (task) => textAt(task, 'Status', 'State') === 'running',
    );
    return running.map((task) => textAt(task, 'Status', 'ContainerStatus', 'ContainerID') ?? '');
  }

  /** The manager that leads the Swarm's raft, as another one sees it. */
  async raftLeader(asked: string): Promise<string | undefined> {
    const leader = (await this.#ask(asked, '/nodes'))?.find(
      (node) => valueAt(node, 'ManagerStatus', 'Leader') === true,
    );
    return textAt(leader, 'Description', 'Hostname');
  }

  /** Whether the raft answers one manager now. */
  async answers(host: string): Promise<boolean> {
    return (await this.#ask(host, '/configs', 1_000)) !== undefined;
  }

  async close(): Promise<void> {
    for (const host of this.#held.keys()) await this.#release(host);
  }

  async #ask(
    host: string,
    path: string,
    deadlineMs = 5_000,
  ): Promise<readonly unknown[] | undefined> {
    const { socket } = this.#host(host);
    const answer = await callEngine(socket, { method: 'GET', path }, deadlineMs, never).catch(
      () => undefined,
    );
    if (answer?.status !== 200 || !Array.isArray(answer.body)) return undefined;
    const items: readonly unknown[] = answer.body;
    return items;
  }

  async #engine(host: string): Promise<ProcessId> {
    const engine = await readPidFile(join(this.#stage.folder, 'pids', host));
    if (engine === undefined) throw new Error(`no engine on ${host}`);
    return engine;
  }

  async #release(host: string): Promise<void> {
    const held = this.#held.get(host);
    this.#held.delete(host);
    await held?.mount.close();
    await held?.uts.close();
  }

  #host(name: string): HostPlan {
    const host = this.#stage.plan.hosts.find((one) => one.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }
}

import { mkdir, open, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stringify } from 'yaml';
import { repositoryAccess } from './depot.ts';
import { inNamespace } from './engines.ts';
import { markOf, projectFolder, type HostPlan, type StagePlan } from './plan.ts';
import {
  identify,
  isAlive,
  kill,
  readPidFile,
  waitGone,
  writePidFile,
  type ProcessId,
} from './processes.ts';
import type { Tools } from './packages.ts';
import { machineHas, plainEnvironment, startDetached, StageError } from './run.ts';
import { shellScript } from './shell.ts';

/** An agent that runs on one of the stage's hosts. */
export interface StageAgent {
  readonly host: string;
  readonly pid: number;
  readonly settingsFile: string;
  /** Its lines, one JSON object each. */
  readonly log: string;
  isAlive(): Promise<boolean>;
  /** Asks it to end, and ends it after 10 s. */
  stop(): Promise<void>;
}

/** What may be chosen about an agent. */
export interface AgentOverrides {
  /** Name of the manager that it runs on. Default: the first. */
  readonly host?: string;
  /** Top-level keys of the settings that replace the stage's. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts an agent of this project on a manager, with the manager's network and engine. */
export async function startAgent(
  { plan, tools }: { readonly plan: StagePlan; readonly tools: Tools },
  overrides: AgentOverrides,
): Promise<StageAgent> {
  const host = hostNamed(plan, overrides.host);
  const places = placesOf(plan, host);
  await mkdir(join(host.folder, 'agent'), { recursive: true });
  await writeFile(
    places.settingsFile,
    stringify({ ...settingsFor(plan, host), ...overrides.settings }),
  );
  const entry = join(projectFolder, 'agent', 'main.ts');
  const command = inNamespace(host.namespace, [
    ...(await withSsh(tools)),
    process.execPath,
    entry,
    'agent',
    '--settings',
    places.settingsFile,
  ]);
  const home = { HOME: join(host.folder, 'agent') };
  const env = { ...plainEnvironment, ...home, ...overrides.env, ...markOf(plan) };
  const pid = await startDetached(command, { env, log: places.log, cwd: projectFolder });
  await writePidFile(places.pidFile, pid);
  return agentOf(places, host.name, { one: await identify(pid), pid });
}

/**
 * The agent looks for ssh where every machine has its programs. Where this one has none, the unpacked one is laid there
 * for the agent alone, in a mount namespace of its own.
 */
async function withSsh(tools: Tools): Promise<readonly string[]> {
  if (await machineHas('ssh')) return [];
  const script = [
    'mount --make-rprivate /',
    'mount --bind "$1" /usr/local/sbin',
    'shift',
    'exec "$@"',
  ];
  return ['unshare', '--mount', ...shellScript(script, [tools.sshFolder])];
}

/** The agent that a run before ours started there, if it still runs. */
export async function findAgent(
  plan: StagePlan,
  hostName?: string,
): Promise<StageAgent | undefined> {
  const host = hostNamed(plan, hostName);
  const one = await readPidFile(placesOf(plan, host).pidFile);
  return one === undefined
    ? undefined
    : agentOf(placesOf(plan, host), host.name, { one, pid: one.pid });
}

/** The lines of a file as they are written, from `offset` bytes on, until the signal or until `ended` says true. */
export async function* followLines(
  path: string,
  offset: number,
  ended: () => Promise<boolean>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const file = await open(path, 'r');
  const lineBytesMax = 1024 * 1024;
  try {
    let position = offset;
    let rest = Buffer.alloc(0);
    const chunk = Buffer.alloc(64 * 1024);
    while (!signal.aborted) {
      const last = await ended(); // asked before the read: what it wrote until then is still shown
      const { bytesRead } = await file.read(chunk, 0, chunk.length, position);
      position += bytesRead;
      rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        yield rest.subarray(0, end).toString('utf8');
        rest = rest.subarray(end + 1);
      }
      if (rest.length > lineBytesMax) rest = Buffer.alloc(0);
      if (bytesRead > 0) continue;
      if (last) return;
      await sleep(50, undefined, { signal }).catch(() => {});
    }
  } finally {
    await file.close();
  }
}

/** The whole lines of a file, of its last 4 MiB before the byte `end`; none where there is no file. */
export async function readLines(path: string, end = Infinity): Promise<readonly string[]> {
  const bytesMax = 4 * 1024 * 1024;
  const size = Math.min(end, await logSize(path));
  const start = Math.max(0, size - bytesMax);
  if (size === 0) return [];
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(size - start);
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    const all = bytes.subarray(0, bytesRead).toString('utf8').split('\n').slice(0, -1);
    return start === 0 ? all : all.slice(1);
  } finally {
    await file.close();
  }
}

/** Bytes in a file; 0 where there is none. */
export async function logSize(path: string): Promise<number> {
  return await stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

function settingsFor(plan: StagePlan, host: HostPlan) {
  const access = repositoryAccess(plan);
  return {
    environment: 'rehearsal',
    repository: {
      url: access.url,
      branch: 'main',
      ssh: { keyFile: access.readKeyFile, knownHostsFile: access.knownHostsFile },
    },
    docker: { socket: host.socket },
    stateDir: join(host.folder, 'agent', 'state'),
  };
}

function agentOf(
  { settingsFile, log }: ReturnType<typeof placesOf>,
  host: string,
  { one, pid }: { readonly one: ProcessId | undefined; readonly pid: number },
): StageAgent {
  return {
    host,
    pid,
    settingsFile,
    log,
    isAlive: async () => one !== undefined && (await isAlive(one)),
    stop: async () => {
      if (one === undefined) return;
      await kill(one, 'SIGTERM');
      if ((await waitGone([one], 10_000)).length === 0) return;
      await kill(one, 'SIGKILL');
      await waitGone([one], 5_000);
    },
  };
}

function placesOf(plan: StagePlan, host: HostPlan) {
  const folder = join(host.folder, 'agent');
  return {
    settingsFile: join(folder, 'agent.yaml'),
    log: join(folder, 'agent.log'),
    pidFile: join(plan.folder, 'pids', `agent-${host.name}`),
  };
}

function hostNamed(plan: StagePlan, name: string | undefined): HostPlan {
  const managers = plan.hosts.filter((host) => host.role === 'manager');
  const host = name === undefined ? managers[0] : managers.find((one) => one.name === name);
  if (host === undefined) throw new StageError(`the stage has no manager \`${name}\``);
  return host;
}

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { cephSettings } from './ceph/stage.ts';
import { repositoryAccess } from './depot.ts';
import { inNamespace } from './engines.ts';
import { mysqlSettings } from './mysql/access.ts';
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

/** Where the agent of one host keeps what others read. */
export interface AgentPlaces {
  readonly settingsFile: string;
  readonly log: string;
  /** Names its process. */
  readonly pidFile: string;
}

/** Pure. The names of the hosts that an agent belongs on. */
export function agentHosts(plan: StagePlan): readonly string[] {
  return plan.hosts.filter(({ role }) => role === 'manager').map(({ name }) => name);
}

/** Pure. Where the agent of a manager keeps its files. Throws `StageError` where there is no such manager. */
export function agentPlaces(plan: StagePlan, hostName?: string): AgentPlaces {
  return placesOf(plan, hostNamed(plan, hostName));
}

/** Writes what the agent of a manager is set to; gives the file. */
export async function writeSettings(
  plan: StagePlan,
  { host: name, settings }: AgentOverrides = {},
): Promise<string> {
  const host = hostNamed(plan, name);
  const { settingsFile } = placesOf(plan, host);
  await mkdir(join(host.folder, 'agent'), { recursive: true });
  await writeFile(settingsFile, stringify({ ...settingsFor(plan, host), ...settings }));
  return settingsFile;
}

/** Starts an agent of this project on a manager, with the manager's network and engine. */
export async function startAgent(
  { plan, tools }: { readonly plan: StagePlan; readonly tools: Tools },
  overrides: AgentOverrides,
): Promise<StageAgent> {
  const host = hostNamed(plan, overrides.host);
  const places = placesOf(plan, host);
  await writeSettings(plan, overrides);
  const entry = join(projectFolder, 'agent', 'bin.mjs');
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
    ...mysqlSettings(plan),
    ...cephSettings(plan),
  };
}

function agentOf(
  { settingsFile, log }: AgentPlaces,
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

function placesOf(plan: StagePlan, host: HostPlan): AgentPlaces {
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

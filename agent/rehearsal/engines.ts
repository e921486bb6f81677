import { mkdir, readFile, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { callEngine, expectEngine } from './engine-http.ts';
import { textAt, valueAt } from './json.ts';
import type { Tools } from './packages.ts';
import { markOf, type HostPlan, type StagePlan } from './plan.ts';
import { isAlive, identify, writePidFile } from './processes.ts';
import { lastLines, run, startDetached, StageError, waitUntil, type Environment } from './run.ts';
import { shellScript } from './shell.ts';

const overlayMagic = 0x794c7630;
/** File systems on which overlay2 is known to work. */
const overlayHosts = new Set([0xef53, 0x58465342, 0x9123683e]); // ext2/3/4, xfs, btrfs

/** Paths of the namespaces of an engine that was killed: its containers and what it mounted are still in them. */
export interface EngineHome {
  readonly mount: string;
  readonly uts: string;
}

/**
 * Starts one engine on its host and waits until it answers. With a `home` it is the engine that was killed there, started
 * again as by a machine's service manager. Throws `StageError` with its log.
 */
export async function startEngine(
  { plan, tools }: { readonly plan: StagePlan; readonly tools: Tools },
  host: HostPlan,
  signal: AbortSignal,
  home?: EngineHome,
): Promise<void> {
  await mkdir(temporaryFolder(host), { recursive: true, mode: 0o700 });
  const log = engineLog(host);
  await writeFile(settingsFile(host), await daemonSettings(plan, host));
  const env = { ...(await engineEnvironment(host, tools, signal)), ...markOf(plan) };
  const command = home === undefined ? firstCommand(host, tools) : nextCommand(host, tools, home);
  const pid = await startDetached(inNamespace(host.namespace, command), { env, log });
  await writePidFile(join(plan.folder, 'pids', host.name), pid);
  const process = await identify(pid);
  const evidence = async () => lastLines(await readFile(log, 'utf8').catch(() => ''), 12);
  await waitUntil(
    `the engine of ${host.name} answers`,
    { deadlineMs: 60_000, evidence },
    async () => {
      if (process === undefined || !(await isAlive(process))) {
        throw new StageError(`the engine of ${host.name} ended`, { evidence: await evidence() });
      }
      return await answers(host, signal);
    },
    signal,
  );
}

/**
 * The private /run keeps the engine from the machine's D-Bus (and so from its firewalld), its iptables lock and its
 * containerd; the private mount namespace takes the containers' mounts away with the last process.
 */
function firstCommand(host: HostPlan, tools: Tools): readonly string[] {
  const script = [
    'hostname "$1"',
    'mount --make-rprivate /',
    'mount -t tmpfs -o mode=755 tmpfs /run',
    'exec "$2" --config-file "$3"',
  ];
  const values = [host.name, tools.path('dockerd'), settingsFile(host)];
  return ['unshare', '--mount', '--uts', ...shellScript(script, values)];
}

function nextCommand(host: HostPlan, tools: Tools, home: EngineHome): readonly string[] {
  const enter = ['nsenter', `--mount=${home.mount}`, `--uts=${home.uts}`];
  return [...enter, tools.path('dockerd'), '--config-file', settingsFile(host)];
}

/** Whether an engine answers now. */
export async function answers(host: HostPlan, signal: AbortSignal): Promise<boolean> {
  return await callEngine(host.socket, { method: 'GET', path: '/_ping' }, 2_000, signal).then(
    ({ status }) => status === 200,
    () => false,
  );
}

/** Makes the first manager a Swarm, lets the others join, and waits until all are ready. Throws `StageError`. */
export async function formSwarm(plan: StagePlan, signal: AbortSignal): Promise<void> {
  const [first, ...others] = plan.hosts;
  if (first === undefined) throw new StageError('a stage needs a manager');
  const init = { ListenAddr: listen(first), AdvertiseAddr: listen(first), Spec: {} };
  await expectEngine(
    first.socket,
    { method: 'POST', path: '/swarm/init', body: init },
    60_000,
    signal,
  );
  const swarm = await expectEngine(first.socket, { method: 'GET', path: '/swarm' }, 10_000, signal);
  const join = async (host: HostPlan): Promise<void> => {
    const token = textAt(swarm, 'JoinTokens', host.role === 'manager' ? 'Manager' : 'Worker');
    const body = {
      ListenAddr: listen(host),
      AdvertiseAddr: listen(host),
      RemoteAddrs: [listen(first)],
      JoinToken: token,
    };
    await expectEngine(host.socket, { method: 'POST', path: '/swarm/join', body }, 60_000, signal);
  };
  const joinManagers = async (): Promise<void> => {
    // One after another: while a new manager catches up the raft may be without its majority.
    for (const host of others.filter((one) => one.role === 'manager')) await join(host);
  };
  await Promise.all([joinManagers(), ...others.filter((one) => one.role === 'worker').map(join)]);
  await waitUntil(
    'every node of the Swarm is ready',
    { deadlineMs: 60_000 },
    async () => (await readyNodes(first, signal)) === plan.hosts.length,
    signal,
  );
}

/** How many nodes are ready and, if they are managers, reachable. */
async function readyNodes(manager: HostPlan, signal: AbortSignal): Promise<number> {
  const answer = await callEngine(
    manager.socket,
    { method: 'GET', path: '/nodes' },
    10_000,
    signal,
  );
  if (!Array.isArray(answer.body)) return 0;
  return answer.body.filter((node: unknown) => {
    const reachable =
      valueAt(node, 'ManagerStatus') === undefined ||
      textAt(node, 'ManagerStatus', 'Reachability') === 'reachable';
    return textAt(node, 'Status', 'State') === 'ready' && reachable;
  }).length;
}

/** Pure. A command that runs with a host's network. */
export function inNamespace(namespace: string, command: readonly string[]): readonly string[] {
  return ['nsenter', `--net=/run/netns/${namespace}`, ...command];
}

/** Pure. Where an engine writes its log. */
export function engineLog(host: HostPlan): string {
  return join(host.folder, 'engine.log');
}

function settingsFile(host: HostPlan): string {
  return join(host.folder, 'daemon.json');
}

/** What an engine and its shims write for a moment only: a killed one leaves it, so it lies where all is removed. */
function temporaryFolder(host: HostPlan): string {
  return join(host.folder, 'tmp');
}

function listen(host: HostPlan): string {
  return `${host.address}:2377`;
}

async function daemonSettings(plan: StagePlan, host: HostPlan): Promise<string> {
  const settings = {
    'data-root': join(host.folder, 'data'),
    'exec-root': join(host.folder, 'exec'),
    pidfile: join(host.folder, 'engine.pid'),
    hosts: [`unix://${host.socket}`],
    // Any port: a test may bring a registry of its own.
    'insecure-registries': [`${plan.depot.address}/32`],
    'cgroup-parent': plan.cgroup,
    // By this the product knows a stage: uncommitted files are applied to nothing else.
    labels: [`understudy.rehearsal=${plan.name}`],
    // systemd's driver would ask the machine's own systemd for scopes.
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'storage-driver': await storageDriver(plan.folder),
    'log-level': 'warn',
  };
  return `${JSON.stringify(settings, undefined, 2)}\n`;
}

/** overlay2 where the disk can carry it. Elsewhere plain copies: the stage's images are small. */
async function storageDriver(folder: string): Promise<'overlay2' | 'vfs'> {
  const { type } = await statfs(folder);
  return type !== overlayMagic && overlayHosts.has(type) ? 'overlay2' : 'vfs';
}

/** nftables where the kernel has it, else the older tables, tried in the host's own namespace. */
async function engineEnvironment(
  host: HostPlan,
  tools: Tools,
  signal: AbortSignal,
): Promise<Environment> {
  const withTables = (kind: string): Environment => ({
    ...tools.env,
    PATH: `${join(tools.root, `stage-${kind}`)}:${tools.env['PATH']}`,
    HOME: host.folder,
    TMPDIR: temporaryFolder(host),
    DOCKER_TMPDIR: temporaryFolder(host),
  });
  const probe = ['iptables', '-w', '-t', 'nat', '-L', '-n'];
  try {
    await run(
      inNamespace(host.namespace, probe),
      { env: withTables('nft'), deadlineMs: 10_000 },
      signal,
    );
    return withTables('nft');
  } catch {
    signal.throwIfAborted();
    return withTables('legacy');
  }
}

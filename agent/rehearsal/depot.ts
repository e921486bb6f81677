import { chmod, chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { inNamespace } from './engines.ts';
import type { Tools } from './packages.ts';
import { markOf, type StagePlan } from './plan.ts';
import { writePidFile } from './processes.ts';
import { lastLines, run, startDetached, waitUntil } from './run.ts';
import { shellScript } from './shell.ts';

/** How to reach the stage's Git server. */
export interface RepositoryAccess {
  readonly url: string;
  /** May read only: what the agent gets. */
  readonly readKeyFile: string;
  /** May push: the person's. */
  readonly writeKeyFile: string;
  /** Holds the server's pinned host key. */
  readonly knownHostsFile: string;
}

/** The account that owns the repository; it exists inside the depot only. */
const gitUser = 61_077;

/** Pure. Keys and address of the stage's repository. */
export function repositoryAccess(plan: StagePlan): RepositoryAccess {
  const keys = join(plan.folder, 'keys');
  return {
    url: plan.repositoryUrl,
    readKeyFile: join(keys, 'agent'),
    writeKeyFile: join(keys, 'person'),
    knownHostsFile: join(keys, 'known_hosts'),
  };
}

/** Starts the Git server: a real sshd with a pinned host key and one bare repository. Throws `StageError`. */
export async function startGitServer(
  plan: StagePlan,
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const home = join(plan.folder, 'depot', 'git');
  await mkdir(home, { recursive: true });
  await Promise.all([
    makeKeys(plan, tools, signal),
    makeRepository(home, signal),
    writeAccounts(plan),
  ]);
  await authorize(plan, home);
  const settings = join(plan.depot.folder, 'sshd_config');
  await writeFile(settings, await sshdSettings(plan, tools));
  // Inside, /run is private: the repository lies at /run/git whatever the stage's folder is and whoever may enter it.
  const script = shellScript(
    [
      'mount --make-rprivate /',
      'mount -t tmpfs -o mode=755 tmpfs /run',
      'mkdir /run/git /run/sshd',
      'mount --bind "$1" /run/git',
      'mount --bind "$2/passwd" /etc/passwd',
      'mount --bind "$2/group" /etc/group',
      'exec "$3" -D -e -f "$4"',
    ],
    [home, plan.depot.folder, tools.path('sshd'), settings],
  );
  await startService(
    plan,
    { name: 'sshd', command: ['unshare', '--mount', ...script], port: 22 },
    tools,
    signal,
  );
}

/** Starts the registry. Throws `StageError`. */
export async function startRegistry(
  plan: StagePlan,
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const data = join(plan.depot.folder, 'registry');
  await mkdir(data, { recursive: true });
  const settings = join(plan.depot.folder, 'registry.yml');
  await writeFile(
    settings,
    [
      'version: 0.1',
      'log: {level: warn}',
      `storage: {filesystem: {rootdirectory: ${JSON.stringify(data)}}, delete: {enabled: true}}`,
      `http: {addr: "${plan.registry}"}`,
      '',
    ].join('\n'),
  );
  const command = [tools.path('docker-registry'), 'serve', settings];
  await startService(plan, { name: 'registry', command, port: 5000 }, tools, signal);
}

async function startService(
  plan: StagePlan,
  service: { readonly name: string; readonly command: readonly string[]; readonly port: number },
  tools: Tools,
  signal: AbortSignal,
): Promise<void> {
  const log = join(plan.depot.folder, `${service.name}.log`);
  const command = inNamespace(plan.depot.namespace, service.command);
  const env = { ...tools.env, HOME: plan.depot.folder, ...markOf(plan) };
  const pid = await startDetached(command, { env, log });
  await writePidFile(join(plan.folder, 'pids', service.name), pid);
  await waitUntil(
    `${service.name} answers on port ${service.port}`,
    {
      deadlineMs: 20_000,
      evidence: async () => lastLines(await readFile(log, 'utf8').catch(() => ''), 12),
    },
    async () => await connects(plan.depot.address, service.port, signal),
    signal,
  );
}

/** Whether something accepts connections there. */
export async function connects(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      signal: AbortSignal.any([signal, AbortSignal.timeout(1_000)]),
    });
    const settle = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', settle(true)).once('error', settle(false));
  });
}

async function makeKeys(plan: StagePlan, tools: Tools, signal: AbortSignal): Promise<void> {
  const keys = join(plan.folder, 'keys');
  await mkdir(keys, { recursive: true, mode: 0o700 });
  const make = async (name: string): Promise<string> =>
    await run(
      [
        join(tools.sshFolder, 'ssh-keygen'),
        '-q',
        '-t',
        'ed25519',
        '-N',
        '',
        '-C',
        `${name} of the rehearsal stage`,
        '-f',
        join(keys, name),
      ],
      {},
      signal,
    );
  await Promise.all(['host', 'agent', 'person'].map(make));
  const [type = '', key = ''] = (await readFile(join(keys, 'host.pub'), 'utf8')).split(' ');
  await writeFile(join(keys, 'known_hosts'), `${plan.depot.address} ${type} ${key}\n`);
}

async function makeRepository(home: string, signal: AbortSignal): Promise<void> {
  const repository = join(home, 'infra.git');
  const env = { GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  await run(
    ['git', 'init', '--quiet', '--bare', '--template=', '--initial-branch=main', repository],
    { env },
    signal,
  );
  await run(['chown', '-R', `${gitUser}:${gitUser}`, repository], {}, signal);
}

/** Accounts as the depot sees them: the machine's own files are not touched. */
async function writeAccounts(plan: StagePlan): Promise<void> {
  await mkdir(plan.depot.folder, { recursive: true });
  const accounts = [
    'root:*:0:0:root:/root:/bin/sh',
    'sshd:*:61076:65534::/run/sshd:/usr/sbin/nologin',
    `git:*:${gitUser}:${gitUser}::/run/git:/bin/sh`,
    'nobody:*:65534:65534::/nonexistent:/usr/sbin/nologin',
  ];
  await writeFile(join(plan.depot.folder, 'passwd'), `${accounts.join('\n')}\n`);
  const groups = ['root:*:0:', 'tty:*:5:', `git:*:${gitUser}:`, 'nogroup:*:65534:'];
  await writeFile(join(plan.depot.folder, 'group'), `${groups.join('\n')}\n`);
}

/** Lets the agent's key read and the person's key push, and neither do anything else. */
async function authorize(plan: StagePlan, home: string): Promise<void> {
  const allowed = async (name: string, mode: string): Promise<string> => {
    const key = (await readFile(join(plan.folder, 'keys', `${name}.pub`), 'utf8')).trim();
    return `command="/run/git/serve ${mode}",restrict ${key}\n`;
  };
  await writeFile(
    join(home, 'authorized_keys'),
    (await allowed('agent', 'read')) + (await allowed('person', 'write')),
  );
  await cp(new URL('./git-serve', import.meta.url), join(home, 'serve'));
  await chmod(join(home, 'serve'), 0o755);
  await chown(home, gitUser, gitUser);
}

async function sshdSettings(plan: StagePlan, tools: Tools): Promise<string> {
  const lines = [
    `ListenAddress ${plan.depot.address}:22`,
    `HostKey "${join(plan.folder, 'keys', 'host')}"`,
    'PidFile none',
    'UsePAM no',
    'UseDNS no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'AllowUsers git',
    'AuthorizedKeysFile /run/git/authorized_keys',
    'AcceptEnv GIT_PROTOCOL',
    'MaxStartups 100',
    'LogLevel INFO',
  ];
  // Since 9.8 sshd is several programs, and looks for the others where the package would have put them.
  for (const [program, option] of [
    ['sshd-session', 'SshdSessionPath'],
    ['sshd-auth', 'SshdAuthPath'],
  ] as const) {
    const path = await tools.optional(`usr/lib/openssh/${program}`);
    if (path !== undefined) lines.push(`${option} "${path}"`);
  }
  return `${lines.join('\n')}\n`;
}

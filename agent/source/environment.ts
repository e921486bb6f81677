import { hasControl } from './grammar.ts';
import { type HttpsAccess, httpsConfiguration } from './https.ts';
import { quoteForShell } from './shell.ts';

/** The files that ssh needs: absolute paths. */
export interface SshFiles {
  readonly keyFile: string;
  readonly knownHostsFile: string;
}

/** The one server that is talked to over https. */
export interface HttpsServer {
  /** `https://host:port`, without the port where the address has none. */
  readonly origin: string;
  readonly access: HttpsAccess;
  /** An empty folder. */
  readonly noAuthorities: string;
}

/** All that git's surroundings depend on. */
export interface Surroundings {
  /** The mirror, an absolute path. Given outright, so that git never searches a parent folder for a repository. */
  readonly mirror: string;
  /** HOME, an absolute path. Over https it must hold no `.netrc`: curl would read it. */
  readonly home: string;
  /** `none`: nothing is fetched. */
  readonly transport: 'ssh' | 'https' | 'file' | 'none';
  readonly ssh?: SshFiles;
  /** Needed for https. */
  readonly https?: HttpsServer;
  /** The largest file that git may write; a pack that grows beyond it ends the fetch. */
  readonly fileBytesMax: number;
}

/** Where git, ssh and the shell are looked for. */
const SEARCH_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

// Seconds. A server that accepts and never speaks is left after the first, one that stops answering after the product of the others.
const CONNECT_TIMEOUT_S = 10;
const ALIVE_INTERVAL_S = 5;
const ALIVE_COUNT_MAX = 3;

/**
 * Pure. The whole environment of every git process: nothing is inherited, no configuration file but the mirror's own is read,
 * and what is dangerous in any of them is overridden here (configuration by environment wins over every file).
 */
export function gitEnvironment(around: Surroundings): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {
    PATH: SEARCH_PATH,
    HOME: around.home,
    // Messages are matched, so they must not be translated.
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_DIR: around.mirror,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_SSH_VARIANT: 'ssh',
    // For guard.sh, which hands it to `ulimit -f` (512-byte blocks).
    UNDERSTUDY_FILE_BLOCKS: String(Math.max(1, Math.ceil(around.fileBytesMax / 512))),
  };
  if (around.ssh !== undefined) environment['GIT_SSH_COMMAND'] = sshCommand(around.ssh);
  const pairs = gitConfiguration(around);
  environment['GIT_CONFIG_COUNT'] = String(pairs.length);
  for (const [index, [key, value]] of pairs.entries()) {
    environment[`GIT_CONFIG_KEY_${index}`] = key;
    environment[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return environment;
}

/**
 * Pure. The environment of a git process that lists the work tree of somebody: as above, and its own configuration can
 * neither start a program, nor move the work tree, nor fetch.
 */
export function workTreeEnvironment(top: string): Readonly<Record<string, string>> {
  const mirror = `${top === '/' ? '' : top}/.git`;
  const around = { mirror, home: '/nonexistent', transport: 'none' } as const;
  return {
    ...gitEnvironment({ ...around, fileBytesMax: 0 }),
    GIT_WORK_TREE: top,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
  };
}

/** Pure. Git's configuration as this program wants it, whatever the mirror's own file says. */
export function gitConfiguration(
  around: Pick<Surroundings, 'transport' | 'https'>,
): readonly (readonly [string, string])[] {
  return [
    // One transport, the one that the address needs.
    ['protocol.allow', 'never'],
    ['protocol.ssh.allow', around.transport === 'ssh' ? 'always' : 'never'],
    ['protocol.https.allow', around.transport === 'https' ? 'always' : 'never'],
    ['protocol.file.allow', around.transport === 'file' ? 'always' : 'never'],
    ['protocol.version', '2'],
    // Without a work tree, whatever the folder that git runs in.
    ['core.bare', 'true'],
    // No program may be started by configuration or content.
    ['core.hooksPath', '/dev/null'],
    ['core.fsmonitor', 'false'],
    ['core.symlinks', 'false'],
    ['credential.helper', ''],
    ['submodule.recurse', 'false'],
    ['fetch.recurseSubmodules', 'false'],
    // Objects are checked before they enter the mirror.
    ['transfer.fsckObjects', 'true'],
    ['fetch.fsckObjects', 'true'],
    // Every fetch leaves one pack, never thousands of loose files; the mirror is tended by mirror.ts alone.
    ['transfer.unpackLimit', '1'],
    ['fetch.unpackLimit', '1'],
    ['gc.auto', '0'],
    ['maintenance.auto', 'false'],
    // Bounds on memory: larger blobs are streamed and never used for deltas.
    ['core.bigFileThreshold', '4m'],
    ['core.deltaBaseCacheLimit', '32m'],
    ['pack.windowMemory', '64m'],
    ['pack.threads', '1'],
    // Last: the helper of one server stands behind the empty `credential.helper`, which takes every other away.
    ...httpsOf(around),
  ];
}

function httpsOf({
  transport,
  https,
}: Pick<Surroundings, 'transport' | 'https'>): readonly (readonly [string, string])[] {
  if (transport !== 'https' || https === undefined) return [];
  return httpsConfiguration(https.origin, https.access, https.noAuthorities);
}

/** Pure. Why a path cannot be handed to ssh, if so: ssh expands `%` and `${}` and splits at quotes inside of option values. */
export function sshPathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'is not an absolute path';
  if (hasControl(path)) return 'holds a control character';
  if (/["%$\\]/u.test(path)) return 'holds one of `"`, `%`, `$` and `\\`, which ssh would expand';
  return undefined;
}

/**
 * Pure. The command that git runs for ssh, through a shell. No file but the two named is read, no agent is asked,
 * nobody is prompted, and an unknown or changed host key is an error. The paths must have passed `sshPathProblem`.
 */
export function sshCommand(files: SshFiles): string {
  const options = [
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    // Within double quotes: ssh splits the value at spaces.
    `UserKnownHostsFile="${files.knownHostsFile}"`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'VerifyHostKeyDNS=no',
    'BatchMode=yes',
    'PreferredAuthentications=publickey',
    'PasswordAuthentication=no',
    'KbdInteractiveAuthentication=no',
    'ForwardAgent=no',
    'ClearAllForwardings=yes',
    'PermitLocalCommand=no',
    'ControlMaster=no',
    'ControlPath=none',
    `ConnectTimeout=${CONNECT_TIMEOUT_S}`,
    'ConnectionAttempts=1',
    `ServerAliveInterval=${ALIVE_INTERVAL_S}`,
    `ServerAliveCountMax=${ALIVE_COUNT_MAX}`,
    'LogLevel=ERROR',
  ];
  const words = ['ssh', '-F', '/dev/null', '-i', files.keyFile];
  for (const option of options) words.push('-o', option);
  return words.map(quoteForShell).join(' ');
}

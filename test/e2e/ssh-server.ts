import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Tools } from '../../agent/rehearsal/packages.ts';

/** The account that the repository belongs to; it exists inside of the server's mounts only. */
const ACCOUNT = 61_078;

/** A real sshd with one Git repository at `/run/git/infra.git`. */
export interface SshServer {
  readonly port: number;
  /** The server's side of the repository, as this machine sees it. */
  readonly repository: string;
  readonly hostKey: string;
  stop(): Promise<void>;
}

/** Makes an ed25519 key pair without a passphrase unless one is given; gives the public half. */
export function makeKey(file: string, passphrase = ''): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-C', 'test', '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}

/** Gives the server's repository to the server's account again, after somebody wrote to it from outside. */
export function handOver(folder: string): void {
  execFileSync('chown', ['-R', `${ACCOUNT}:${ACCOUNT}`, join(folder, 'home')]);
}

/** Starts sshd in mounts of its own; nothing is installed and no file of the machine is touched. */
export async function startSshServer(
  folder: string,
  tools: Tools,
  authorized: string,
): Promise<SshServer> {
  const port = await freePort();
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  const repository = join(home, 'infra.git');
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', repository]);
  writeFileSync(join(home, 'authorized_keys'), `restrict ${authorized}\n`);
  handOver(folder);
  const hostKey = makeKey(join(folder, 'host'));
  const accounts = [
    'root:*:0:0::/root:/bin/sh',
    `sshd:*:61076:65534::/run/sshd:/bin/false`,
    `git:*:${ACCOUNT}:${ACCOUNT}::/run/git:/bin/sh`,
  ];
  writeFileSync(join(folder, 'passwd'), `${accounts.join('\n')}\n`);
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${join(folder, 'host')}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'AllowUsers git',
    'AuthorizedKeysFile /run/git/authorized_keys',
    'AcceptEnv GIT_PROTOCOL',
  ];
  for (const [program, option] of [
    ['sshd-session', 'SshdSessionPath'],
    ['sshd-auth', 'SshdAuthPath'],
  ] as const) {
    const path = await tools.optional(`usr/lib/openssh/${program}`);
    if (path !== undefined) settings.push(`${option} ${path}`);
  }
  writeFileSync(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
  chmodSync(folder, 0o755);
  const script = [
    'mount --make-rprivate /',
    'mount -t tmpfs -o mode=755 tmpfs /run',
    'mkdir /run/git /run/sshd',
    `mount --bind ${home} /run/git`,
    `mount --bind ${join(folder, 'passwd')} /etc/passwd`,
    `exec ${tools.path('sshd')} -D -e -f ${join(folder, 'sshd_config')}`,
  ].join(' && ');
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], {
    env: { ...tools.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  await reachable(port, child, () => said);
  return {
    port,
    repository,
    hostKey,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function reachable(port: number, child: ChildProcess, said: () => string): Promise<void> {
  const until = performance.now() + 60_000;
  while (performance.now() < until) {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${said()}`);
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket
        .once('data', () => resolve(true))
        .once('error', () => resolve(false))
        .once('close', () => resolve(false));
      socket.setTimeout(2000, () => socket.destroy());
    });
    if (open === true) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`sshd does not answer: ${said()}`);
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const listener = await listen(() => undefined);
  await listener.stop();
  return listener.port;
}

/** A TCP listener that does with every connection what it is told. */
export async function listen(
  serve: (socket: Socket) => void,
): Promise<{ readonly port: number; readonly server: Server; stop(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    server,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

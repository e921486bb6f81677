import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { inNamespace } from '../engines.ts';
import { exists } from '../packages.ts';
import { lastLines, plainEnvironment, run, StageError, waitUntil } from '../run.ts';
import type { Grant } from './least.ts';
import { accountStatements, serverOptions } from './options.ts';
import { readPassword } from './password.ts';
import type { Flavor, Programs } from './programs.ts';

/** How one server is run. */
export interface ServerPlan {
  /** Absolute, and ours alone. What it holds from an earlier run is gone on with. */
  readonly folder: string;
  readonly address: string;
  /** Absent: a free one of this machine; never so in a namespace. */
  readonly port?: number;
  /** Name of the network namespace that has the address. Absent: the machine's. */
  readonly namespace?: string;
  /** The account that comes in over the network, with its password in a file of mode 0600. */
  readonly user: string;
  readonly passwordFile: string;
  /** What the account may do. Absent: everything. */
  readonly grants?: readonly Grant[];
  /** More options of the server, such as `--read-only`. */
  readonly options?: readonly string[];
  /** A folder with programs that it calls, looked at first. */
  readonly path?: string;
}

/** A running server, our child: it ends with us, whatever becomes of us. */
export interface Server {
  readonly port: number;
  /** Root comes in here, without a password, and nowhere else. */
  readonly socket: string;
  readonly log: string;
  /** Ends it in order, after 30 s at once. Throws nothing. */
  stop(): Promise<void>;
  /** Ends it at once, as a lost machine would. */
  kill(): Promise<void>;
}

/** A unix socket's name may be no longer. Bytes, without the one that ends it. */
const SOCKET_BYTES_MAX = 107;

/** A server that may be started: its data is in place. */
export interface Prepared {
  readonly flavor: Flavor;
  readonly command: readonly string[];
  readonly address: string;
  readonly port: number;
  readonly socket: string;
  readonly log: string;
  /** The last lines of the log, without the password. */
  readonly evidence: () => Promise<string>;
  /** Removes what it reads at its start only. */
  readonly tidy: () => Promise<void>;
}

/** Starts a server and waits until it lets people in. Throws `StageError` with the last lines of its log. */
export async function startServer(
  programs: Programs,
  plan: ServerPlan,
  signal: AbortSignal,
): Promise<Server> {
  const prepared = await prepareServer(programs, plan, signal);
  const { port, socket, log } = prepared;
  const child = await start(prepared.command, plan, log);
  const stop = async (): Promise<void> => await end(child, 'SIGTERM');
  const kill = async (): Promise<void> => await end(child, 'SIGKILL');
  try {
    await untilOpen(prepared, async () => await Promise.resolve(hasEnded(child)), signal);
    return { port, socket, log, stop, kill };
  } catch (cause) {
    await kill();
    throw cause;
  } finally {
    await prepared.tidy();
  }
}

/** Puts in place what a server begins with. What an earlier run left of its data stays. Throws `StageError`. */
export async function prepareServer(
  programs: Programs,
  plan: ServerPlan,
  signal: AbortSignal,
): Promise<Prepared> {
  const { folder, address, user } = plan;
  const socket = join(folder, 'socket');
  if (Buffer.byteLength(socket) > SOCKET_BYTES_MAX) {
    throw new StageError(`the path is too long for a socket: ${socket}`);
  }
  const port = plan.port ?? (await freePort(plan));
  const password = await readPassword(plan.passwordFile);
  const account = { user, password, ...(plan.grants && { grants: plan.grants }) };
  const statements = accountStatements(programs.flavor, account);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await copyData(programs, folder, signal);
  // With its lock, in which a process of today may have the number of that server's.
  for (const file of [socket, `${socket}.lock`]) await rm(file, { force: true });
  const first = join(folder, 'init.sql');
  await writeFile(first, statements, { mode: 0o600 });
  const log = join(folder, 'log');
  const options = serverOptions(programs, { folder, address, port }, plan.options ?? []);
  return {
    flavor: programs.flavor,
    command: [...programs.command, ...options],
    address,
    port,
    socket,
    log,
    evidence: async () => {
      const text = await readFile(log, 'utf8').catch(() => '');
      return lastLines(text, 12).replaceAll(password, '[secret]');
    },
    tidy: async () => await rm(first, { force: true }),
  };
}

/** Copied beside its place: a crash leaves no half of it there. */
async function copyData(programs: Programs, folder: string, signal: AbortSignal): Promise<void> {
  const data = join(folder, 'data');
  if (await exists(data)) return;
  const part = `${data}.part`;
  await rm(part, { recursive: true, force: true });
  const copy = ['cp', '-a', '--sparse=always', '--reflink=auto', programs.data, part];
  await run(['setpriv', '--pdeathsig', 'KILL', ...copy], {}, signal);
  await rename(part, data);
}

async function start(
  command: readonly string[],
  { namespace, path }: Pick<ServerPlan, 'namespace' | 'path'>,
  log: string,
): Promise<ChildProcess> {
  const bound = ['setpriv', '--pdeathsig', 'KILL', ...command];
  const [file = '', ...args] = namespace === undefined ? bound : inNamespace(namespace, bound);
  const { PATH: usual = '' } = plainEnvironment;
  const env = { ...plainEnvironment, PATH: path === undefined ? usual : `${path}:${usual}` };
  const output = openSync(log, 'a', 0o600);
  try {
    const child = spawn(file, args, {
      env,
      cwd: '/',
      stdio: ['ignore', output, output],
    });
    await once(child, 'spawn');
    return child;
  } finally {
    closeSync(output);
  }
}

/** Waits until it lets people in. Throws `StageError`, at once where it ended. */
export async function untilOpen(
  { flavor, address, port, socket, evidence }: Prepared,
  ended: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  await waitUntil(
    `${flavor} lets people in on ${address}:${port}`,
    { deadlineMs: 60_000, evidence },
    async () => {
      if (await ended()) {
        throw new StageError(`${flavor} ended while it started`, { evidence: await evidence() });
      }
      // The socket comes after the port: another's server on the port does not pass for this one.
      return (await exists(socket)) && (await greets(address, port, signal));
    },
    signal,
  );
}

/** Whether a server lets people in there: it greets nobody before its first statements are done. */
export async function greets(host: string, port: number, signal: AbortSignal): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({
      host,
      port,
      signal: AbortSignal.any([signal, AbortSignal.timeout(2_000)]),
    });
    const settle = (open: boolean): void => {
      socket.destroy();
      resolve(open);
    };
    socket.once('data', (piece) => settle(piece[4] === 10)); // the protocol's version, after the packet's head
    socket.once('error', () => settle(false)).once('close', () => settle(false));
  });
}

async function end(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (hasEnded(child)) return;
  const ended = once(child, 'exit');
  // The number is still its own: Node has not been told that it ended.
  child.kill(name);
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  await ended;
  clearTimeout(timer);
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function freePort({ address, namespace }: ServerPlan): Promise<number> {
  if (namespace !== undefined) throw new StageError('in a namespace the port must be given');
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  if (bound === null || typeof bound === 'string') throw new StageError('no port is free');
  return bound.port;
}

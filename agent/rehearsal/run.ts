import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The variables a program gets: nothing comes from our own environment unless it is named. */
export type Environment = Readonly<Record<string, string>>;

/** How a program is run to its end. */
export interface RunOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  /** Given to its standard input. */
  readonly input?: string;
  /** Milliseconds until it is killed. Default 60,000. */
  readonly deadlineMs?: number;
}

/** A step of the stage failed: `evidence` holds the last lines of the log that says why. */
export class StageError extends Error {
  readonly evidence: string;

  constructor(message: string, options: { evidence?: string; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'StageError';
    this.evidence = options.evidence ?? '';
  }
}

const outputBytesMax = 8 * 1024 * 1024;

/** Runs a program to its end and gives its standard output. Throws `StageError` with its last lines. */
export async function run(
  command: readonly string[],
  options: RunOptions,
  signal: AbortSignal,
): Promise<string> {
  const [file = '', ...args] = command;
  const deadlineMs = options.deadlineMs ?? 60_000;
  const child = spawn(file, args, {
    env: { ...plainEnvironment, ...options.env },
    cwd: options.cwd ?? '/',
    stdio: ['pipe', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
  });
  const output = gather(child.stdout);
  const errors = gather(child.stderr);
  child.stdin.on('error', () => {}); // it may end without reading: its exit code says more
  child.stdin.end(options.input ?? '');
  const code = await ended(child, { file, deadlineMs }, signal);
  if (code === 0) return output();
  throw new StageError(`\`${shown(command)}\` ended with ${code}`, {
    evidence: lastLines(`${output()}\n${errors()}`, 12),
  });
}

/** Starts a program that outlives us, cut off from our terminal, with both outputs in a file. Gives its pid. */
export async function startDetached(
  command: readonly string[],
  options: { readonly env: Environment; readonly log: string; readonly cwd?: string },
): Promise<number> {
  const [file = '', ...args] = command;
  const log = openSync(options.log, 'a', 0o644);
  try {
    const child = spawn(file, args, {
      env: options.env,
      cwd: options.cwd ?? '/',
      stdio: ['ignore', log, log],
      detached: true,
    });
    await once(child, 'spawn');
    child.unref();
    if (child.pid === undefined) throw new StageError(`\`${shown(command)}\` did not start`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}

/** Asks `ready` again every `everyMs` until it says true. Throws `StageError` at the deadline, with `evidence()`. */
export async function waitUntil(
  what: string,
  limits: {
    readonly deadlineMs: number;
    readonly everyMs?: number;
    readonly evidence?: () => Promise<string>;
  },
  ready: () => Promise<boolean>,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + limits.deadlineMs;
  for (;;) {
    signal.throwIfAborted();
    if (await ready()) return;
    if (performance.now() > deadline) {
      throw new StageError(`${what}: not within ${limits.deadlineMs / 1000} s`, {
        evidence: (await limits.evidence?.()) ?? '',
      });
    }
    await sleep(limits.everyMs ?? 50, undefined, { signal });
  }
}

/** Pure. The last lines of a text, without empty ones. */
export function lastLines(text: string, linesMax: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-linesMax)
    .join('\n');
}

/** What every program gets if nothing else is said: the machine's own programs and no settings of the person. */
export const plainEnvironment: Environment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  HOME: '/nonexistent',
};

/** Whether the machine itself has a program. */
export async function machineHas(program: string): Promise<boolean> {
  const folders = (plainEnvironment['PATH'] ?? '').split(':');
  const found = await Promise.all(
    folders.map(
      async (folder) =>
        await access(join(folder, program), constants.X_OK).then(
          () => true,
          () => false,
        ),
    ),
  );
  return found.includes(true);
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= outputBytesMax) chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

async function ended(
  child: ReturnType<typeof spawn>,
  said: { readonly file: string; readonly deadlineMs: number },
  signal: AbortSignal,
): Promise<string | 0> {
  try {
    await once(child, 'close');
    if (child.exitCode === 0) return 0;
    return child.exitCode === null ? `signal ${child.signalCode ?? '?'}` : `code ${child.exitCode}`;
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof Error && cause.name === 'AbortError') {
      throw new StageError(`\`${said.file}\` did not end within ${said.deadlineMs / 1000} s`, {
        cause,
      });
    }
    throw new StageError(`\`${said.file}\` could not be started`, { cause });
  }
}

function shown(command: readonly string[]): string {
  const text = command.join(' ');
  return text.length > 200 ? `${text.slice(0, 200)} ...` : text;
}

import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { LineReader } from '../core/line-reader.ts';
import { allocatorEnvironment } from '../flags.mjs';
import { compileCache } from './compile-cache.ts';
import { crashOf } from './crash.ts';
import { noNewPrivileges } from './privileges.ts';
import { FromChild, LINE_BYTES_MAX, WITH_KEYS } from './protocol.ts';
import type { Reply, ToChild } from './protocol.ts';

const QUEUE_MAX = 256;
const STDERR_BYTES_MAX = 4096;
/** Of what V8 takes for new objects; its own 16 MiB, three times over, stay taken after the first render. */
const SEMI_SPACE_MIB = { lasting: 4, brief: 16 };

/**
 * Who ended a renderer's process: `content`: the revision did it, most likely. `late`: its time was over, by the
 * revision or by a busy machine. `signal`: a person, or the machine when memory is short. `start`: it never began to
 * read. `us`: it was not needed any more.
 */
export type Blame = 'content' | 'late' | 'signal' | 'start' | 'us';

/** Why a renderer's process is of no use any more. */
export class ChildFailure extends Error {
  readonly blame: Blame;
  /** What it stopped at, where it could still say so; holds nothing of the repository. */
  readonly crash: string | undefined;

  constructor(message: string, blame: Blame, crash?: string) {
    super(message);
    this.name = 'ChildFailure';
    this.blame = blame;
    this.crash = crash;
  }
}

/** Bounds of the process. */
export interface ProcessLimits {
  /** MiB of the JavaScript heap. */
  readonly heapMib: number;
  /** Bytes that one render may answer with. */
  readonly outputBytesMax: number;
  /** Another program than the renderer's own, for tests of what an answer may do. */
  readonly program?: string;
  /** It gets keys: it loads what it needs for them. */
  readonly withKeys?: boolean;
  /** It ends soon: it may take more memory where that saves time. */
  readonly brief?: boolean;
}

/** The parts of a pending promise. */
interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: Error) => void;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Starts a renderer's process: it gives up root by itself, once its program is loaded. Throws `ChildFailure` where the
 * machine has no room for it.
 */
export async function startProcess(limits: ProcessLimits): Promise<RenderProcess> {
  // Without waiting: whoever starts it goes on to load what else it needs, and this is what takes longest.
  const cache = compileCache();
  const words = [...noNewPrivileges(), process.execPath, ...programArguments(limits, cache)];
  const [program = '', ...args] = words;
  const env = {
    ...(limits.brief !== true && allocatorEnvironment),
    ...(cache !== undefined && { NODE_COMPILE_CACHE: cache }),
  };
  let child: Child;
  try {
    child = spawn(program, args, { cwd: '/', env, stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    throw notStarted(error);
  }
  if (child.pid !== undefined) return new RenderProcess(child, limits);
  // Its pipes may be missing as well.
  throw notStarted(await new Promise((resolve) => child.once('error', resolve)));
}

function notStarted(error: unknown): ChildFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new ChildFailure(`it could not be started (${code})`, 'start');
}

/**
 * One child process and the lines to and from it. After the first failure everything rejects with it, and the
 * process is killed.
 */
export class RenderProcess {
  readonly #child: Child;
  readonly #limits: ProcessLimits;
  readonly #lines = new LineReader(LINE_BYTES_MAX);
  readonly #queue: Reply[] = [];
  #stderr = '';
  #outputBytes = 0;
  readonly #start = Promise.withResolvers<void>();
  #began = false;
  #failure: Error | undefined;
  #reader: Waiting<Reply> | undefined;
  #writer: Waiting<void> | undefined;

  constructor(child: Child, limits: ProcessLimits) {
    this.#child = child;
    this.#limits = limits;
    // Whoever does not wait for it learns of a failure elsewhere.
    this.#start.promise.catch(() => {});
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    child.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('utf8')).slice(-STDERR_BYTES_MAX);
    });
    child.stdin.on('drain', () => {
      this.#writer?.resolve();
      this.#writer = undefined;
    });
    // A closed pipe is reported by `close` below, with its reason.
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', () => {});
    // A signal that cannot be sent: `close` says the rest.
    child.on('error', () => {});
    child.on('close', (code, signal) => {
      const { message, blame, crash } = ending(code, signal, this.#stderr);
      this.fail(new ChildFailure(message, this.#began ? blame : 'start', crash));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#failure === undefined;
  }

  /** Whether its program is loaded and has given up root: before that it has read nothing. */
  get began(): boolean {
    return this.#began;
  }

  /** Settles when it began. Rejects with the failure. */
  get begun(): Promise<void> {
    return this.#start.promise;
  }

  /** A new render begins: its answer is counted from here. */
  reset(): void {
    this.#outputBytes = 0;
  }

  /** Sends one message and waits while the pipe is full. Throws the failure. */
  async send(message: ToChild): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#child.stdin.write(`${JSON.stringify(message)}\n`)) return;
    await new Promise<void>((resolve, reject) => {
      this.#writer = { resolve, reject };
    });
  }

  /** The next message. Throws the failure. */
  async next(): Promise<Reply> {
    const message = this.#queue.shift();
    if (message !== undefined) return message;
    if (this.#failure !== undefined) throw this.#failure;
    this.#child.stdout.resume();
    return new Promise<Reply>((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** Ends the process; whoever waits gets `reason`. */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#child.kill('SIGKILL');
    this.#start.reject(reason);
    this.#reader?.reject(reason);
    this.#writer?.reject(reason);
  }

  /** Lets it end by itself, and waits for that. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => {
      this.#child.once('close', () => resolve());
    });
    this.fail(new ChildFailure('it was closed', 'us'));
    await ended;
  }

  #read(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    this.#outputBytes += chunk.length;
    const lines = this.#lines.push(chunk);
    if (lines === undefined || this.#outputBytes > this.#limits.outputBytesMax) {
      this.fail(new ChildFailure('its answer is too large', 'content'));
      return;
    }
    for (const line of lines) {
      const message = understood(line);
      if (message === undefined) {
        this.fail(new ChildFailure('its answer could not be read', 'content'));
        return;
      }
      if (message.type === 'ready') {
        this.#began = true;
        this.#start.resolve();
        continue;
      }
      if (this.#reader === undefined) this.#queue.push(message);
      this.#reader?.resolve(message);
      this.#reader = undefined;
    }
    if (this.#queue.length > QUEUE_MAX) this.#child.stdout.pause();
  }
}

/**
 * The program may read itself and what it is made of: no other file, no process, no worker, no add-on. Until it gives up
 * root it may write its compiled form.
 */
function programArguments(limits: ProcessLimits, cache: string | undefined): string[] {
  const top = fileURLToPath(new URL('../../', import.meta.url));
  const { lasting, brief } = SEMI_SPACE_MIB;
  const semiSpace = String(limits.brief === true ? brief : lasting);
  return [
    `--max-old-space-size=${String(limits.heapMib)}`,
    `--max-semi-space-size=${semiSpace}`,
    ...(limits.brief === true ? [`--min-semi-space-size=${semiSpace}`] : []),
    // A render is over before that compiler has paid for itself: 650 stacks from a cold start take a sixth less of a processor.
    '--no-turbofan',
    '--expose-gc',
    '--permission',
    `--allow-fs-read=${top}`,
    ...(cache === undefined ? [] : [`--allow-fs-write=${cache}/`]),
    `--import=${fileURLToPath(new URL('../unused.mjs', import.meta.url))}`,
    '--disable-proto=delete',
    '--no-warnings',
    limits.program ?? fileURLToPath(new URL('child.ts', import.meta.url)),
    ...(limits.withKeys === true ? [WITH_KEYS] : []),
  ];
}

function understood(line: string): FromChild | undefined {
  try {
    return FromChild.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** Signals that a person, or the machine when memory is short, sends; a crash of Node's own gives others. */
const OUTSIDE = new Set<NodeJS.Signals>(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT']);

function ending(code: number | null, signal: NodeJS.Signals | null, stderr: string): ChildFailure {
  const crash = crashOf(stderr);
  if (stderr.includes('heap out of memory')) {
    return new ChildFailure('it ran out of memory', 'content');
  }
  if (signal === null) {
    return new ChildFailure(`it ended with code ${String(code)}`, 'content', crash);
  }
  const blame = OUTSIDE.has(signal) ? 'signal' : 'content';
  return new ChildFailure(`it was ended by ${signal}`, blame, crash);
}

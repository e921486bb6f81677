import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import { FromChild, LineReader } from './protocol.ts';
import type { ToChild } from './protocol.ts';

const QUEUE_MAX = 256;
const STDERR_BYTES_MAX = 4096;

/**
 * Who ended a renderer's process: `content`: the revision did it, most likely. `signal`: a person, or the machine
 * when memory is short. `start`: it never began. `us`: it was not needed any more.
 */
export type Blame = 'content' | 'signal' | 'start' | 'us';

/** Why a renderer's process is of no use any more. */
export class ChildFailure extends Error {
  readonly blame: Blame;

  constructor(message: string, blame: Blame) {
    super(message);
    this.name = 'ChildFailure';
    this.blame = blame;
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
}

/** The parts of a pending promise. */
interface Waiting<Value> {
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: Error) => void;
}

/**
 * One child process and the lines to and from it. After the first failure everything rejects with it, and the
 * process is killed.
 */
export class RenderProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #limits: ProcessLimits;
  readonly #lines = new LineReader();
  readonly #queue: FromChild[] = [];
  #stderr = '';
  #outputBytes = 0;
  #failure: Error | undefined;
  #reader: Waiting<FromChild> | undefined;
  #writer: Waiting<void> | undefined;

  constructor(limits: ProcessLimits) {
    this.#limits = limits;
    const child = spawn(process.execPath, programArguments(limits), {
      cwd: '/',
      env: {},
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.#child = child;
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
    child.on('error', () => this.fail(new ChildFailure('it could not be started', 'start')));
    child.on('close', (code, signal) => this.fail(ending(code, signal, this.#stderr)));
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#failure === undefined;
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
  async next(): Promise<FromChild> {
    const message = this.#queue.shift();
    if (message !== undefined) return message;
    if (this.#failure !== undefined) throw this.#failure;
    this.#child.stdout.resume();
    return new Promise<FromChild>((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** Ends the process; whoever waits gets `reason`. */
  fail(reason: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#child.kill('SIGKILL');
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
      if (this.#reader === undefined) this.#queue.push(message);
      this.#reader?.resolve(message);
      this.#reader = undefined;
    }
    if (this.#queue.length > QUEUE_MAX) this.#child.stdout.pause();
  }
}

/** The program may read itself and what it is made of: no other file, no process, no worker, no add-on. */
function programArguments(limits: ProcessLimits): string[] {
  const top = fileURLToPath(new URL('../../', import.meta.url));
  return [
    `--max-old-space-size=${String(limits.heapMib)}`,
    '--permission',
    `--allow-fs-read=${top}`,
    '--disable-proto=delete',
    '--no-warnings',
    limits.program ?? fileURLToPath(new URL('child.ts', import.meta.url)),
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
  if (stderr.includes('heap out of memory')) {
    return new ChildFailure('it ran out of memory', 'content');
  }
  if (signal === null) return new ChildFailure(`it ended with code ${String(code)}`, 'content');
  return new ChildFailure(`it was ended by ${signal}`, OUTSIDE.has(signal) ? 'signal' : 'content');
}

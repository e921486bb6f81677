import { simpleGit, type SimpleGitOptions } from 'simple-git';
import type { Clock } from '../reconcile/ports.ts';

/** Where git runs, and with what. */
export interface Bench {
  /** The whole environment, from environment.ts. */
  readonly environment: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

/** One fixed command. */
export interface Command {
  readonly args: readonly string[];
  readonly timeoutMs: number;
}

/** How a git process failed: it ended so, it ran out of time, it said too much, or it could not be ended. */
export type FailureReason = 'exit' | 'deadline' | 'output' | 'unkillable';

/** A git process that did not do what it was asked. Translated to words in explain.ts, never shown as it is. */
export class GitFailure extends Error {
  readonly reason: FailureReason;
  readonly args: readonly string[];
  readonly exitCode: number;
  readonly stderr: string;
  readonly timeoutMs: number;

  constructor(
    reason: FailureReason,
    command: Command,
    ended: { readonly exitCode: number; readonly stderr: string },
  ) {
    super(`git ${command.args[0] ?? ''}: ${reason} ${ended.exitCode}`);
    this.name = 'GitFailure';
    this.reason = reason;
    this.args = command.args;
    this.exitCode = ended.exitCode;
    this.stderr = ended.stderr;
    this.timeoutMs = command.timeoutMs;
  }
}

/** Git knows its folder from GIT_DIR. This one always exists, also when the mirror was deleted under our feet. */
export const WORKING_FOLDER = '/';
/** A server can send progress for ever; what git says is kept up to here, then git is ended. */
const OUTPUT_BYTES_MAX = 1024 * 1024;
/** guard.sh needs at most three seconds to end a process group. */
const END_MS = 6000;

/** Ends git and everything below it; see there. */
const GUARD = `${import.meta.dirname}/guard.sh`;

// simple-git refuses what our own fixed values need unless it is named here. Everything else that it refuses stays refused.
const UNSAFE: NonNullable<SimpleGitOptions['unsafe']> = {
  // guard.sh lies where the program was installed, in whatever folder.
  allowUnsafeCustomBinary: true,
  // GIT_SSH_COMMAND
  allowUnsafeSshCommand: true,
  // GIT_CONFIG_GLOBAL=/dev/null and GIT_CONFIG_SYSTEM=/dev/null
  allowUnsafeConfigPaths: true,
  // GIT_CONFIG_COUNT, and by it: protocol.allow=never, core.hooksPath=/dev/null, core.fsmonitor=false, credential.helper=
  allowUnsafeConfigEnvCount: true,
  allowUnsafeProtocolOverride: true,
  allowUnsafeHooksPath: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeCredentialHelper: true,
};

/**
 * Runs one git command to its end and gives what it printed. The only place that uses simple-git.
 * Throws `GitFailure`, or the signal's reason; then the whole process group is gone.
 */
export async function runGit(bench: Bench, command: Command, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const stopped = Promise.withResolvers<never>();
  let reason: FailureReason = 'exit';
  let ended = { exitCode: -1, stderr: '' };
  let cancelEnd: (() => void) | undefined;

  const end = (why: FailureReason): void => {
    if (stop.signal.aborted) return;
    reason = why;
    // The library waits for the process. If even KILL does not end it (a hung disk), nobody waits longer.
    cancelEnd = bench.clock.after(END_MS, () => {
      stopped.reject(new GitFailure('unkillable', command, ended));
    });
    stop.abort();
  };
  const onAbort = (): void => end('exit');
  const cancelDeadline = bench.clock.after(command.timeoutMs, () => end('deadline'));
  signal.addEventListener('abort', onAbort, { once: true });

  const git = simpleGit({
    baseDir: WORKING_FOLDER,
    abort: stop.signal,
    binary: ['/bin/sh', GUARD],
    unsafe: UNSAFE,
    allowEnvironment: Object.keys(bench.environment),
    errors: (error, result) => {
      ended = { exitCode: result.exitCode, stderr: Buffer.concat(result.stdErr).toString('utf8') };
      return result.exitCode === 0 ? error : (error ?? new Error('git failed'));
    },
  })
    .env({ ...bench.environment })
    .outputHandler((_program, stdout, stderr) => {
      let bytes = 0;
      const count = (piece: Buffer | string): void => {
        bytes += piece.length;
        if (bytes > OUTPUT_BYTES_MAX) end('output');
      };
      stdout.on('data', count);
      stderr.on('data', count);
    });
  try {
    return await Promise.race([git.raw([...command.args]), stopped.promise]);
  } catch (cause) {
    signal.throwIfAborted();
    throw cause instanceof GitFailure ? cause : new GitFailure(reason, command, ended);
  } finally {
    cancelDeadline();
    cancelEnd?.();
    signal.removeEventListener('abort', onAbort);
  }
}

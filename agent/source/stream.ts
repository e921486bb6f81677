// The only other place that starts git: simple-git keeps all output in memory and cannot be fed through a pipe, and a
// repository decides how long a listing is. Only commands that read the mirror and start no process of their own run here,
// so ending the one process ends everything, and it ends by itself when the agent's end of the pipes closes.
import { spawn } from 'node:child_process';
import {
  type Bench,
  type Command,
  type FailureReason,
  GitFailure,
  WORKING_FOLDER,
} from './command.ts';

/** A command whose output is looked at as it comes. */
export interface StreamCommand extends Command {
  /** Given on standard input. */
  readonly input?: string;
}

const STDERR_BYTES_MAX = 64 * 1024;
/** Between TERM and KILL. */
const GRACE_MS = 2000;

/**
 * Runs git and hands its output to `take`, until that says `enough` (then git is ended, and that is no failure).
 * Throws `GitFailure`, what `take` throws, or the signal's reason; the process is gone by then.
 */
export async function streamGit(
  bench: Bench,
  command: StreamCommand,
  take: (piece: Buffer) => 'more' | 'enough',
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn('git', [...command.args], { cwd: WORKING_FOLDER, env: bench.environment });
  const closed = Promise.withResolvers<number>();
  const cancels: (() => void)[] = [];
  let stderr = '';
  let stopped:
    { readonly why: FailureReason | 'enough' | 'thrown'; readonly error?: unknown } | undefined;

  const stop = (why: FailureReason | 'enough' | 'thrown', error?: unknown): void => {
    if (stopped !== undefined) return;
    stopped = { why, error };
    child.kill('SIGTERM');
    cancels.push(bench.clock.after(GRACE_MS, () => child.kill('SIGKILL')));
    cancels.push(bench.clock.after(2 * GRACE_MS, () => closed.resolve(-1)));
  };
  child.on('error', (error) => {
    stderr += error.message;
    closed.resolve(127);
  });
  child.on('close', (code) => closed.resolve(code ?? -1));
  child.stdout.on('data', (piece: Buffer) => {
    if (stopped !== undefined) return;
    try {
      if (take(piece) === 'enough') stop('enough');
    } catch (error) {
      stop('thrown', error);
    }
  });
  child.stderr.on('data', (piece: Buffer) => {
    if (stderr.length < STDERR_BYTES_MAX) stderr += piece.toString('utf8');
  });
  // Git that ended early closes the pipe; its exit code says why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(command.input ?? '');

  const onAbort = (): void => stop('exit');
  signal.addEventListener('abort', onAbort, { once: true });
  cancels.push(bench.clock.after(command.timeoutMs, () => stop('deadline')));
  const exitCode = await closed.promise;
  signal.removeEventListener('abort', onAbort);
  for (const cancel of cancels) cancel();

  signal.throwIfAborted();
  if (stopped?.why === 'enough') return;
  if (stopped?.why === 'thrown') throw stopped.error;
  if (stopped !== undefined || exitCode !== 0) {
    throw new GitFailure(stopped?.why ?? 'exit', command, { exitCode, stderr });
  }
}

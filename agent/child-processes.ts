import { type ChildProcess, spawn } from 'node:child_process';

import type { Ending, Processes } from './providers/ceph/ports.ts';

/** The machine's own processes, children of this one: their standard input closes with it. */
export const childProcesses: Processes = {
  start: ([program = '', ...args], { data, ended }) => {
    let child: ChildProcess;
    try {
      child = spawn(program, args, { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    } catch (error) {
      // As if it were told later: whoever starts it has not got it yet.
      queueMicrotask(() => ended(notStarted(error)));
      return { send: () => undefined, kill: () => undefined };
    }
    let failure: Ending | undefined;
    child.on('error', (error) => {
      if (child.pid === undefined) failure = notStarted(error);
    });
    child.on('close', (code, signal) => {
      ended(failure ?? (signal === null ? exit(code) : { how: 'signal', name: signal }));
    });
    child.stdout?.on('data', data);
    // A closed pipe is told by how it ended.
    child.stdout?.on('error', () => {});
    child.stdin?.on('error', () => {});
    return {
      send: (text) => {
        child.stdin?.write(text);
      },
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  },
};

function exit(code: number | null): Ending {
  return { how: 'exit', code: code ?? -1 };
}

function notStarted(error: unknown): Ending {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return { how: 'not-started', code };
}

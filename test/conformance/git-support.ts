import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { systemClock } from '../../agent/clock.ts';
import type { Clock } from '../../agent/reconcile/ports.ts';
import type { GitSettings } from '../../agent/source/git-settings.ts';

/** Real time: these tests are about real processes. */
export const realClock: Clock = {
  nowMs: () => performance.now(),
  instant: () => systemClock.instant(),
  date: () => new Date().toISOString(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(new Error('aborted'));
      });
    }),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

const HERMETIC = {
  PATH: process.env['PATH'] ?? '/usr/bin:/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Author',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_COMMITTER_NAME: 'Author',
  GIT_COMMITTER_EMAIL: 'author@example.com',
};

/** A repository with a work tree, as an author has it. */
export class Repository {
  readonly folder: string;

  constructor(folder: string, options: readonly string[] = []) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
    this.git(['init', '-q', '-b', 'main', ...options]);
  }

  git(args: readonly string[], input?: string | Buffer): string {
    return execFileSync('git', [...args], {
      cwd: this.folder,
      env: HERMETIC,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio: ['pipe', 'pipe', 'pipe'],
      input: input ?? '',
    }).trim();
  }

  write(path: string, content: string | Buffer): void {
    const full = join(this.folder, path);
    mkdirSync(dirname(full), { recursive: true });
    writeFileSync(full, content);
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.folder, path)), { recursive: true });
    symlinkSync(target, join(this.folder, path));
  }

  /** Commits all that lies there and gives the revision. */
  commit(subject = 'a change'): string {
    this.git(['add', '-A']);
    this.git(['commit', '-q', '--allow-empty', '-m', subject]);
    return this.tip();
  }

  tip(): string {
    return this.git(['rev-parse', 'HEAD']);
  }
}

/** A folder that is gone after the test. */
export function temporaryFolder(): { readonly path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'understudy-git-'));
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Settings for a repository of this machine. */
export function localSettings(
  folder: string,
  url: string,
  more: Partial<GitSettings> = {},
): GitSettings {
  return {
    url,
    branch: 'main',
    path: '.',
    maxBytes: 64 * 1024 * 1024,
    maxFiles: 10_000,
    stateDir: join(folder, 'state'),
    local: true,
    ...more,
  };
}

/** Processes of this machine whose environment names this mirror folder: git and what it started, zombies left out. */
export function processesOf(stateDir: string): { pid: number; command: string[] }[] {
  const found: { pid: number; command: string[] }[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/u.test(name)) continue;
    try {
      const environment = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0').filter(Boolean);
      if (!environment.includes(`HOME=${stateDir}`)) continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').slice(0, -1);
      found.push({ pid: Number(name), command });
    } catch {
      // Gone in between.
    }
  }
  return found;
}

/** Children of this very process that ended and were not waited for. */
export function zombies(): string[] {
  const found: string[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^[0-9]+$/u.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = status.slice(status.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z' && parent === String(process.pid)) found.push(status);
    } catch {
      // Gone in between.
    }
  }
  return found;
}

import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { repositoryAccess } from './depot.ts';
import type { Tools } from './packages.ts';
import type { StagePlan } from './plan.ts';
import { machineHas, plainEnvironment, run, type Environment } from './run.ts';
import { shellWord } from './shell.ts';

/** The person's clone of the stage's repository. Its Git configuration holds key and pinned host key. */
export interface WorkingCopy {
  readonly folder: string;
  /** Commits everything in it and pushes; gives the revision. Throws `StageError`. */
  commitAndPush(message: string, signal: AbortSignal): Promise<string>;
  /** Runs git in it and gives what it prints. Throws `StageError`. */
  git(args: readonly string[], signal: AbortSignal): Promise<string>;
}

/** Pure. How ssh is called for a key and a file of pinned host keys, as Git hands it to a shell. */
export function sshCommand(keyFile: string, knownHostsFile: string, program = 'ssh'): string {
  return [
    `${shellWord(program)} -F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes`,
    // ssh reads a list of files there, which has quotes of its own.
    `-o ${shellWord(`UserKnownHostsFile="${knownHostsFile}"`)} -o GlobalKnownHostsFile=/dev/null`,
    `-o ConnectTimeout=5 -i ${shellWord(keyFile)}`,
  ].join(' ');
}

/** Makes a working copy in a folder, with the files of a template in it, not yet committed. Throws `StageError`. */
export async function makeWorkingCopy(
  { plan, tools }: { readonly plan: StagePlan; readonly tools: Tools },
  folder: string,
  template: string | undefined,
  signal: AbortSignal,
): Promise<WorkingCopy> {
  const program = (await machineHas('ssh')) ? 'ssh' : join(tools.sshFolder, 'ssh');
  await mkdir(folder, { recursive: true });
  const access = repositoryAccess(plan);
  const copy = openWorkingCopy(folder);
  await copy.git(['init', '--quiet', '--initial-branch=main'], signal);
  const settings = {
    'core.sshCommand': sshCommand(access.writeKeyFile, access.knownHostsFile, program),
    'user.name': 'Rehearsal',
    'user.email': 'rehearsal@stage.invalid',
    'remote.origin.url': access.url,
    'remote.origin.fetch': '+refs/heads/*:refs/remotes/origin/*',
    'branch.main.remote': 'origin',
    'branch.main.merge': 'refs/heads/main',
    'commit.gpgsign': 'false',
  };
  for (const [key, value] of Object.entries(settings))
    await copy.git(['config', key, value], signal);
  if (template !== undefined) await cp(template, folder, { recursive: true });
  return copy;
}

/** A working copy that was made before. */
export function openWorkingCopy(folder: string): WorkingCopy {
  const env: Environment = {
    ...plainEnvironment,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_TERMINAL_PROMPT: '0',
  };
  const git = async (args: readonly string[], signal: AbortSignal): Promise<string> =>
    (await run(['git', '-C', folder, ...args], { env, deadlineMs: 30_000 }, signal)).trimEnd();
  return {
    folder,
    git,
    commitAndPush: async (message, signal) => {
      await git(['add', '--all'], signal);
      await git(['commit', '--quiet', '--allow-empty', '--message', message], signal);
      await git(['push', '--quiet', '--set-upstream', 'origin', 'HEAD:main'], signal);
      return await git(['rev-parse', 'HEAD'], signal);
    },
  };
}

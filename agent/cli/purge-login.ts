import { resolve } from 'node:path';

import type { Purger, PurgeTarget } from '../core/purge.ts';
import { Secret } from '../core/secret.ts';
import type { PurgeWanted } from './purge-options.ts';
import type { PurgeIo, Terminal } from './purge-ports.ts';

/** For whom, and what is at hand to know who asks. */
export interface LoginTask {
  readonly wanted: Pick<PurgeWanted, 'user' | 'passwordFile' | 'keyring'>;
  readonly io: Pick<PurgeIo, 'terminal' | 'readPassword'>;
  readonly target: PurgeTarget;
}

/** Wrong use, or nothing to log in with. */
export interface NoLogin {
  readonly code: 1 | 2;
  readonly why: string;
}

/** Opens a target with a login by options, or by questions. Rejects with the signal's reason. */
export async function openPurger(
  task: LoginTask,
  signal: AbortSignal,
): Promise<{ readonly purger: Purger } | NoLogin> {
  const { wanted, target } = task;
  if (target.by === 'password') {
    if (wanted.keyring !== undefined) return misfit('--keyring', '--password-file', target);
    const user = await userOf(
      task,
      'account on the server: ',
      'your account on the server',
      signal,
    );
    if (typeof user !== 'string') return user;
    const password = await passwordOf(task, user, signal);
    return password instanceof Secret
      ? { purger: target.open({ by: 'password', user, password }) }
      : password;
  }
  if (wanted.passwordFile !== undefined) return misfit('--password-file', '--keyring', target);
  const user = await userOf(task, 'client of Ceph, such as client.admin: ', 'your client of Ceph', signal); // prettier-ignore
  if (typeof user !== 'string') return user;
  if (!/^client\.[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(user)) {
    return {
      code: 2,
      why: `\`${user}\` is no client of Ceph: they are called as \`client.admin\` is`,
    };
  }
  const keyringFile = await keyringOf(task, user, signal);
  if (typeof keyringFile !== 'string') return keyringFile;
  return { purger: target.open({ by: 'keyring', user, keyringFile }) };
}

function misfit(given: string, fits: string, { what }: PurgeTarget): NoLogin {
  return { code: 2, why: `\`${given}\` is not for ${what}: that takes \`${fits}\`` };
}

async function userOf(
  { wanted, io: { terminal } }: LoginTask,
  question: string,
  words: string,
  signal: AbortSignal,
): Promise<string | NoLogin> {
  const user = wanted.user ?? (await terminal?.ask(question, signal));
  if (user !== undefined && user !== '') return user;
  return { code: codeOf(terminal), why: `name ${words} with \`--user\`` };
}

async function passwordOf(
  { wanted: { passwordFile }, io }: LoginTask,
  user: string,
  signal: AbortSignal,
): Promise<Secret | NoLogin> {
  const { terminal } = io;
  const password =
    passwordFile === undefined
      ? await terminal?.askSecret(`password of ${user}: `, signal)
      : await io.readPassword(passwordFile);
  if (password instanceof Secret) return password;
  if (password !== undefined) return { code: 1, why: `${passwordFile ?? ''}: ${password.why}` };
  return { code: codeOf(terminal), why: 'name a file with your password with `--password-file`' };
}

async function keyringOf(
  { wanted: { keyring }, io: { terminal } }: LoginTask,
  user: string,
  signal: AbortSignal,
): Promise<string | NoLogin> {
  // Where Ceph's own programs look.
  const usual = `/etc/ceph/ceph.${user}.keyring`;
  const given = keyring ?? (await terminal?.ask(`keyring of ${user} (${usual}): `, signal));
  if (given === '') return usual;
  // What reads it runs elsewhere.
  if (given !== undefined) return resolve(given);
  return { code: codeOf(terminal), why: 'name the keyring of your client with `--keyring`' };
}

/** Where somebody can be asked he gave no answer. */
function codeOf(terminal: Terminal | undefined): 1 | 2 {
  return terminal === undefined ? 2 : 1;
}

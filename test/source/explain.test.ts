import { describe, expect, it } from 'vitest';
import { GitFailure } from '../../agent/source/command.ts';
import { explain } from '../../agent/source/explain.ts';

const subject = { url: 'git@host:infra.git', branch: 'main' };
const READ =
  'fatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n';

function failure(
  stderr: string,
  reason: 'exit' | 'deadline' | 'output' | 'unkillable' = 'exit',
): GitFailure {
  const command = { args: ['fetch'], timeoutMs: 30_000 };
  return new GitFailure(reason, command, { exitCode: 128, stderr });
}

// Texts of OpenSSH 9.2, git 2.39 and the usual hosts, as they came.
it.each([
  [
    'changed host key',
    `@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.\n${READ}`,
    'is not the one in `repository.ssh.knownHostsFile`',
    'never',
  ],
  [
    'unknown host key',
    `No ED25519 host key is known for host and you have requested strict checking.\nHost key verification failed.\n${READ}`,
    'is not in `repository.ssh.knownHostsFile`',
    'never',
  ],
  [
    'key not accepted',
    `git@host: Permission denied (publickey).\n${READ}`,
    'does not accept the key',
    'never',
  ],
  [
    'unusable key',
    `Load key "/run/key": error in libcrypto\ngit@host: Permission denied (publickey).\n${READ}`,
    'cannot use `repository.ssh.keyFile`',
    'never',
  ],
  [
    'no DNS',
    `ssh: Could not resolve hostname host: Name or service not known\n${READ}`,
    'unknown to DNS',
    'soon',
  ],
  [
    'refused',
    `ssh: connect to host host port 22: Connection refused\n${READ}`,
    'cannot be reached',
    'soon',
  ],
  [
    'silent',
    `Connection timed out during banner exchange\nConnection to 10.0.0.1 port 22 timed out\n${READ}`,
    'cannot be reached',
    'soon',
  ],
  [
    'no repository (git)',
    `fatal: '/srv/x' does not appear to be a git repository\n${READ}`,
    'there is no repository',
    'never',
  ],
  [
    'no repository (GitHub)',
    `ERROR: Repository not found.\n${READ}`,
    'there is no repository',
    'never',
  ],
  [
    'disk full',
    'fatal: write error: No space left on device\nfatal: fetch-pack: invalid index-pack output\n',
    'no space left',
    'soon',
  ],
  [
    'bad object',
    "error: object 1234: hasDotgit: contains '.git'\nfatal: fsck error in packed object\n",
    'own check refuses',
    'never',
  ],
  [
    'a server with holes',
    'remote: fatal: unable to read 1234\nremote: aborting due to possible repository corruption on the remote side.\nfatal: protocol error: bad pack header\n',
    'cannot read its own repository',
    'never',
  ],
  [
    'branch deleted meanwhile',
    "fatal: couldn't find remote ref refs/heads/main\n",
    'has no branch `main`',
    'never',
  ],
  [
    'another owner',
    "fatal: detected dubious ownership in repository at '/srv/x'\n",
    'belongs to another user',
    'never',
  ],
  ['cut connection', `fatal: the remote end hung up unexpectedly\n`, 'ended in the middle', 'soon'],
  [
    'no git',
    'setsid: failed to execute git: No such file or directory\n',
    'not installed',
    'never',
  ],
  [
    'no ssh',
    'error: cannot run ssh: No such file or directory\nfatal: unable to fork\n',
    'ssh is not installed',
    'never',
  ],
  [
    'no memory',
    'fatal: Out of memory, malloc failed (tried to allocate 1 bytes)\n',
    'ran out of memory',
    'soon',
  ],
])('%s', (_what, stderr, words, retry) => {
  const { error, mirrorSuspect } = explain(failure(stderr), subject);
  expect(error.message).toContain(words);
  expect(error.retry).toBe(retry);
  expect(mirrorSuspect).toBe(false);
});

describe('what is not known', () => {
  it('may lie with the mirror, and is shown in one safe line', () => {
    const { error, mirrorSuspect } = explain(
      failure('fatal: bad object \u001b[31mHEAD\nhint: try\n'),
      subject,
    );
    expect(mirrorSuspect).toBe(true);
    expect(error.retry).toBe('soon');
    expect(error.message).toBe(
      'git could not read git@host:infra.git (exit code 128): fatal: bad object \\x1b[31mHEAD',
    );
  });

  it('may have said nothing at all', () => {
    expect(explain(failure(''), subject).error.message).toContain('it said nothing');
  });
});

it.each([
  ['deadline', 'was not read within 30 s'],
  ['output', 'more text than any repository needs'],
  ['unkillable', 'cannot be ended'],
] as const)('%s comes before any text', (reason, words) => {
  const { error, mirrorSuspect } = explain(
    failure('Permission denied (publickey)', reason),
    subject,
  );
  expect(error.message).toContain(words);
  expect([error.retry, mirrorSuspect]).toEqual(['soon', false]);
});

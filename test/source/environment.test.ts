import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  gitConfiguration,
  gitEnvironment,
  sshCommand,
  sshPathProblem,
  workTreeEnvironment,
} from '../../agent/source/environment.ts';
import { quoteForShell } from '../../agent/source/shell.ts';

const around = {
  mirror: '/state/mirrors/1',
  home: '/state',
  transport: 'ssh',
  ssh: { keyFile: '/run/secrets/key', knownHostsFile: '/run/secrets/known hosts' },
  fileBytesMax: 1_000_000,
} as const;

it('is the whole environment, and nothing else', () => {
  const environment = gitEnvironment(around);
  const fixed = Object.fromEntries(
    Object.entries(environment).filter(([name]) => !/^GIT_CONFIG_(?:KEY|VALUE)_/u.test(name)),
  );
  expect(fixed).toEqual({
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/state',
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_DIR: '/state/mirrors/1',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_SYSTEM: '/dev/null',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: String(gitConfiguration(around).length),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_SSH_VARIANT: 'ssh',
    GIT_SSH_COMMAND: sshCommand(around.ssh),
    UNDERSTUDY_FILE_BLOCKS: '1954',
  });
});

it.each([
  ['ssh', 'always', 'never', 'never'],
  ['https', 'never', 'always', 'never'],
  ['file', 'never', 'never', 'always'],
] as const)('%s: one transport is open', (transport, ssh, https, file) => {
  const configuration = new Map(gitConfiguration({ transport }));
  expect(configuration.get('protocol.allow')).toBe('never');
  expect(configuration.get('protocol.ssh.allow')).toBe(ssh);
  expect(configuration.get('protocol.https.allow')).toBe(https);
  expect(configuration.get('protocol.http.allow')).toBeUndefined();
  expect(configuration.get('protocol.file.allow')).toBe(file);
});

describe('ssh', () => {
  it('is told everything on its command line', () => {
    expect(sshCommand(around.ssh)).toMatchInlineSnapshot(
      `"ssh -F /dev/null -i /run/secrets/key -o IdentitiesOnly=yes -o IdentityAgent=none -o 'UserKnownHostsFile="/run/secrets/known hosts"' -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes -o UpdateHostKeys=no -o VerifyHostKeyDNS=no -o BatchMode=yes -o PreferredAuthentications=publickey -o PasswordAuthentication=no -o KbdInteractiveAuthentication=no -o ForwardAgent=no -o ClearAllForwardings=yes -o PermitLocalCommand=no -o ControlMaster=no -o ControlPath=none -o ConnectTimeout=10 -o ConnectionAttempts=1 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o LogLevel=ERROR"`,
    );
  });

  it.each([
    ['/run/secrets/key', true],
    ["/run/o'clock/my key", true],
    ['relative', false],
    ['~/.ssh/id', false],
    ['/a%h', false],
    ['/a${HOME}', false],
    ['/a"b', false],
    ['/a\\b', false],
    ['/a\nb', false],
  ])('the path %j: %s', (path, good) => {
    expect(sshPathProblem(path) === undefined).toBe(good);
  });

  it('any path that passes reaches ssh as one word', () => {
    const path = fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => `/${text}`);
    fc.assert(
      fc.property(path, path, (keyFile, knownHostsFile) => {
        fc.pre(sshPathProblem(keyFile) === undefined);
        fc.pre(sshPathProblem(knownHostsFile) === undefined);
        const words = wordsOf(sshCommand({ keyFile, knownHostsFile }));
        expect(words[words.indexOf('-i') + 1]).toBe(keyFile);
        expect(words).toContain(`UserKnownHostsFile="${knownHostsFile}"`);
      }),
      { numRuns: 1000 },
    );
  });
});

it('quotes as the real shell reads it', () => {
  const hostile = [
    "a'b",
    '$(touch x)',
    '`x`',
    'a b',
    '"',
    '\\',
    '',
    '*',
    '~',
    "'';x",
    'ä\u00a0',
    '-n',
  ];
  const script = `for word in ${hostile.map(quoteForShell).join(' ')}; do printf '%s\\n' "$word"; done`;
  const said = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  expect(said.split('\n').slice(0, -1)).toEqual(hostile);
});

/** Words of a command in which only single quotes and `\'` mean something. */
function wordsOf(command: string): string[] {
  const words: string[] = [];
  let word = '';
  let quoted = false;
  for (let index = 0; index < command.length; index += 1) {
    const character = command[index] ?? '';
    if (character === "'") quoted = !quoted;
    else if (!quoted && character === '\\') word += command[(index += 1)] ?? '';
    else if (!quoted && character === ' ') {
      words.push(word);
      word = '';
    } else word += character;
  }
  return [...words, word];
}

it.each([
  ['/home/me/infra', '/home/me/infra/.git'],
  ['/', '/.git'],
])('for the work tree %s nothing is fetched, and nobody else says where it lies', (top, git) => {
  const environment = workTreeEnvironment(top);
  expect(environment).toMatchObject({
    GIT_DIR: git,
    GIT_WORK_TREE: top,
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_LAZY_FETCH: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
  });
  expect(environment).not.toHaveProperty('GIT_SSH_COMMAND');
  const configuration = new Map(gitConfiguration({ transport: 'none' }));
  for (const key of ['protocol.allow', 'protocol.ssh.allow', 'protocol.file.allow']) {
    expect(configuration.get(key)).toBe('never');
  }
  expect(configuration.get('core.fsmonitor')).toBe('false');
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchTools } from '../../agent/rehearsal/packages.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { SourceError, type Source } from '../../agent/reconcile/ports.ts';
import { sshCommand } from '../../agent/source/environment.ts';
import type { GitSettings } from '../../agent/source/git-settings.ts';
import { openGitSource } from '../../agent/source/git.ts';
import { processesOf, realClock, Repository, zombies } from '../conformance/git-support.ts';
import { handOver, listen, makeKey, type SshServer, startSshServer } from './ssh-server.ts';

const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const folder = mkdtempSync(join(tmpdir(), 'understudy-ssh-'));
// A space and a quote: these paths go through a shell and through the option parser of ssh.
const keys = join(folder, "my key's folder");
let server: SshServer;
let author: Repository;

beforeAll(async () => {
  mkdirSync(keys);
  const packages = join(projectFolder, '.rehearsal', 'packages');
  const tools = await fetchTools(packages, () => undefined, AbortSignal.timeout(200_000));
  server = await startSshServer(folder, tools, makeKey(join(keys, 'agent')));
  makeKey(join(keys, 'stranger'));
  makeKey(join(keys, 'locked'), 'a passphrase');
  knownHosts('good', server.port, server.hostKey);
  knownHosts('elsewhere', 1, server.hostKey);
  knownHosts('changed', server.port, makeKey(join(keys, 'other-host')));
  author = new Repository(join(folder, 'author'));
  author.write('stacks/web/compose.yaml', 'services: {}\n');
  push('one');
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function knownHosts(name: string, port: number, hostKey: string): void {
  const [type = '', key = ''] = hostKey.split(' ');
  writeFileSync(join(keys, name), `[127.0.0.1]:${port} ${type} ${key}\n`, { mode: 0o600 });
}

function push(subject: string): string {
  const revision = author.commit(subject);
  const ssh = sshCommand({ keyFile: join(keys, 'agent'), knownHostsFile: join(keys, 'good') });
  const url = `ssh://git@127.0.0.1:${server.port}/run/git/infra.git`;
  author.git(['-c', `core.sshCommand=${ssh}`, 'push', '-q', '--force', url, 'HEAD:main']);
  return revision;
}

function settings(more: Partial<GitSettings> & { key?: string; hosts?: string } = {}): GitSettings {
  const { key = 'agent', hosts = 'good', ...rest } = more;
  return {
    url: `ssh://git@127.0.0.1:${server.port}/run/git/infra.git`,
    branch: 'main',
    path: '.',
    ssh: { keyFile: join(keys, key), knownHostsFile: join(keys, hosts) },
    maxBytes: 16 * 1024 * 1024,
    maxFiles: 1000,
    stateDir: mkdtempSync(join(folder, 'state-')),
    local: false,
    ...rest,
  };
}

async function failure(source: Source): Promise<SourceError> {
  const error: unknown = await source.newest(signal()).catch((error: unknown) => error);
  await source.close();
  if (!(error instanceof SourceError))
    throw new Error(`expected a SourceError, got ${String(error)}`);
  return error;
}

const open = async (given: GitSettings): Promise<Source> =>
  openGitSource(given, { clock: realClock });

it('a revision comes over ssh, and a quiet look is one round trip', async () => {
  const given = settings();
  const source = await open(given);
  const one = await source.newest(signal());
  expect(one).toMatchObject({ subject: 'one', diagnostics: [] });
  const [entry] = one.entries;
  const contents = await one.read([entry?.blob ?? ''], signal());
  expect(Buffer.from(contents.get(entry?.blob ?? '') ?? []).toString()).toBe('services: {}\n');
  const started = performance.now();
  expect(await source.newest(signal())).toBe(one);
  process.stderr.write(`quiet look over ssh ${Math.round(performance.now() - started)} ms\n`);
  author.write('stacks/web/compose.yaml', 'services: {web: {image: a}}\n');
  const revision = push('two');
  expect(await source.newest(signal())).toMatchObject({ revision, fastForward: true });
  author.git(['commit', '-q', '--amend', '-m', 'rewritten']);
  push('three');
  expect(await source.newest(signal())).toMatchObject({ subject: 'three', fastForward: false });
  await source.close();
  expect(processesOf(given.stateDir)).toEqual([]);
  expect(zombies()).toEqual([]);
});

it('works with the short form of the address where the port is the usual one, which here nobody listens on', async () => {
  const source = await open(settings({ url: 'git@127.0.0.1:infra.git', fetchTimeoutMs: 20_000 }));
  expect((await failure(source)).message).toMatch(/cannot be reached|host key|was not read/u);
});

it.each([
  [
    'a changed host key',
    { hosts: 'changed' },
    'is not the one in `repository.ssh.knownHostsFile`',
    'never',
  ],
  [
    'an unknown host key',
    { hosts: 'elsewhere' },
    'is not in `repository.ssh.knownHostsFile`',
    'never',
  ],
  ['a key that is not accepted', { key: 'stranger' }, 'does not accept the key', 'never'],
  ['a key with a passphrase', { key: 'locked' }, 'a key with a passphrase cannot be used', 'never'],
  ['a file that is no key', { key: 'good' }, 'cannot use `repository.ssh.keyFile`', 'never'],
  [
    'a branch that is not there',
    { branch: 'gone' },
    'has no branch `gone`; it has `main`',
    'never',
  ],
] as const)('%s', async (_what, more, words, retry) => {
  const error = await failure(await open(settings(more)));
  expect(error.message).toContain(words);
  expect(error.retry).toBe(retry);
});

it('a repository that is not there', async () => {
  const url = `ssh://git@127.0.0.1:${server.port}/run/git/nothing.git`;
  const error = await failure(await open(settings({ url })));
  expect(error.message).toContain(`there is no repository at ${url}`);
});

describe('servers that do not do their part', () => {
  it('nobody listens', async () => {
    const listener = await listen(() => undefined);
    await listener.stop();
    const error = await failure(
      await open(settings({ url: `ssh://git@127.0.0.1:${listener.port}/x` })),
    );
    expect([error.message, error.retry]).toEqual([
      `the host of ssh://git@127.0.0.1:${listener.port}/x cannot be reached`,
      'soon',
    ]);
  });

  it('accepts and hangs up', async () => {
    const listener = await listen((socket) => socket.end());
    const error = await failure(
      await open(settings({ url: `ssh://git@127.0.0.1:${listener.port}/x` })),
    );
    expect(error.message).toContain('cannot be reached');
    await listener.stop();
  });

  it('accepts and never speaks: ssh itself gives up, and what it is told is all there is', async () => {
    const listener = await listen(() => undefined);
    const given = settings({ url: `ssh://git@127.0.0.1:${listener.port}/x` });
    vi.stubEnv('SSH_AUTH_SOCK', '/run/agent.sock');
    vi.stubEnv('GIT_SSH_COMMAND', 'false');
    vi.stubEnv('UNDERSTUDY_SECRET', 'hunter2');
    const source = await open(given);
    const failed = failure(source);
    const ssh = await vi.waitFor(
      () => {
        const found = processesOf(given.stateDir).find(({ command }) => command[0] === 'ssh');
        if (found === undefined) throw new Error('no ssh yet');
        return found;
      },
      { timeout: 10_000, interval: 50 },
    );
    const environment = readFileSync(`/proc/${ssh.pid}/environ`, 'utf8');
    vi.unstubAllEnvs();
    expect(ssh.command.slice(0, 5)).toEqual(['ssh', '-F', '/dev/null', '-i', join(keys, 'agent')]);
    for (const option of [
      'IdentitiesOnly=yes',
      'IdentityAgent=none',
      'StrictHostKeyChecking=yes',
      'BatchMode=yes',
      `UserKnownHostsFile="${join(keys, 'good')}"`,
      'GlobalKnownHostsFile=/dev/null',
    ]) {
      expect(ssh.command).toContain(option);
    }
    expect(environment).not.toMatch(/SSH_AUTH_SOCK|hunter2|GIT_SSH_COMMAND=false/u);
    expect((await failed).message).toContain('cannot be reached');
    expect(processesOf(given.stateDir)).toEqual([]);
    await listener.stop();
  });

  it.each([
    ['before it says who it is', ''],
    ['in the middle of the key exchange', 'SSH-2.0-OpenSSH_9.2\r\n\u0000\u0000\u0003\u00fc'],
  ])('trickles %s: ended at our deadline, all of it', async (_when, first) => {
    const listener = await listen((socket) => {
      socket.write(first, 'latin1');
      const timer = setInterval(() => socket.write('x'), 200);
      socket.on('close', () => clearInterval(timer));
    });
    const given = settings({ url: `ssh://git@127.0.0.1:${listener.port}/x`, fetchTimeoutMs: 3000 });
    const error = await failure(await open(given));
    expect(error).toMatchObject({ message: `${given.url} was not read within 3 s`, retry: 'soon' });
    expect(processesOf(given.stateDir)).toEqual([]);
    expect(zombies()).toEqual([]);
    await listener.stop();
  });

  it('holds the line but never answers the question', async () => {
    // The real server, whose git is asked for a pipe that nobody fills.
    const given = settings({
      url: `ssh://git@127.0.0.1:${server.port}/run/git/stuck.git`,
      fetchTimeoutMs: 3000,
    });
    const stuck = new Repository(join(folder, 'home', 'stuck.git'), ['--bare']);
    rmSync(join(stuck.folder, 'packed-refs'), { force: true });
    execFileSync('mkfifo', [join(stuck.folder, 'packed-refs')]);
    handOver(folder);
    expect((await failure(await open(given))).message).toBe(`${given.url} was not read within 3 s`);
    expect(processesOf(given.stateDir)).toEqual([]);
  });
});

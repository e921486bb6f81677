import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { fetchTools } from '../../agent/rehearsal/packages.ts';
import { projectFolder } from '../../agent/rehearsal/plan.ts';
import { SourceError, type Source } from '../../agent/reconcile/ports.ts';
import type { GitSettings } from '../../agent/source/git-settings.ts';
import { openGitSource } from '../../agent/source/git.ts';
import type { HttpsSettings } from '../../agent/source/https.ts';
import { processesOf, realClock, Repository, zombies } from '../conformance/git-support.ts';
import { type Authority, type Certificate, makeAuthority } from './certificates.ts';
import {
  cutter,
  type HttpsServer,
  httpsPackages,
  serveBadly,
  startHttpsServer,
} from './https-server.ts';
import { freePort, listen } from './ssh-server.ts';

const TOKEN = 'tok3n-of-the-agent';
const TOKEN_LOGIN = `x-access-token:${TOKEN}`;

const signal = (): AbortSignal => AbortSignal.timeout(60_000);
const folder = mkdtempSync(join(tmpdir(), 'understudy-https-'));
// A space and a quote: the path goes through a shell.
const secrets = join(folder, "my secrets' folder");
const tokenFile = join(secrets, 'token');
const mine: HttpsSettings = { tokenFile };
let authority: Authority;
let good: Certificate;
let server: HttpsServer;
let author: Repository;
/** What came to the server that a redirect leads to. */
const elsewhere: { asked: string[]; port: number; stop: () => Promise<void> } = {
  asked: [],
  port: 0,
  stop: async () => undefined,
};

beforeAll(async () => {
  mkdirSync(secrets);
  secret('token', TOKEN);
  const packages = join(projectFolder, '.rehearsal', 'packages');
  const ended = AbortSignal.timeout(200_000);
  const tools = await fetchTools(packages, () => undefined, ended, httpsPackages);
  authority = makeAuthority(folder, 'authority', tools);
  good = authority.sign('good', ['DNS:localhost', 'IP:127.0.0.1']);
  const other = await serveBadly(good, ({ url, headers }, response) => {
    elsewhere.asked.push(`${url} ${headers.authorization}`);
    response.end();
  });
  Object.assign(elsewhere, other);
  server = await startHttpsServer(folder, tools, good, `https://127.0.0.1:${other.port}`);
  server.logins(TOKEN_LOGIN);
  author = new Repository(join(folder, 'author'));
  author.write('stacks/web/compose.yaml', 'services: {}\n');
  push('one');
});

afterAll(async () => {
  await elsewhere.stop();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function secret(name: string, text: string): string {
  const file = join(secrets, name);
  writeFileSync(file, `${text}\n`, { mode: 0o400 });
  return file;
}

function push(subject: string): string {
  const revision = author.commit(subject);
  author.git(['push', '-q', '--force', server.repository, 'HEAD:main']);
  return revision;
}

const urlOf = (path: string, port = server.port): string => `https://127.0.0.1:${port}/${path}`;

function settings(url: string, more: Partial<GitSettings> & HttpsSettings = {}): GitSettings {
  const { tokenFile, username, passwordFile, caFile = authority.caFile, ...rest } = more;
  return {
    url,
    branch: 'main',
    path: '.',
    https: { tokenFile, username, passwordFile, caFile: caFile === '' ? undefined : caFile },
    maxBytes: 16 * 1024 * 1024,
    maxFiles: 1000,
    stateDir: mkdtempSync(join(folder, 'state-')),
    local: false,
    ...rest,
  };
}

const open = async (given: GitSettings): Promise<Source> =>
  openGitSource(given, { clock: realClock });

async function failureOf(work: Promise<unknown>): Promise<SourceError> {
  const error: unknown = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof SourceError)) {
    throw new Error(`expected a SourceError, got ${String(error)}`);
  }
  expect(error.message).not.toContain(TOKEN);
  return error;
}

async function failure(given: GitSettings): Promise<SourceError> {
  const source = await open(given);
  const error = await failureOf(source.newest(signal()));
  await source.close();
  expect(processesOf(join(given.stateDir, 'empty'))).toEqual([]);
  return error;
}

describe('a revision', () => {
  it('comes with a token, and follows pushes', async () => {
    const given = settings(urlOf('private/infra.git'), mine);
    const source = await open(given);
    const one = await source.newest(signal());
    expect(one).toMatchObject({ subject: 'one', diagnostics: [] });
    const [entry] = one.entries;
    const contents = await one.read([entry?.blob ?? ''], signal());
    expect(Buffer.from(contents.get(entry?.blob ?? '') ?? []).toString()).toBe('services: {}\n');
    expect(await source.newest(signal())).toBe(one);
    author.write('stacks/web/compose.yaml', 'services: {web: {image: a}}\n');
    const revision = push('two');
    expect(await source.newest(signal())).toMatchObject({ revision, fastForward: true });
    author.git(['commit', '-q', '--amend', '-m', 'rewritten']);
    push('three');
    expect(await source.newest(signal())).toMatchObject({ subject: 'three', fastForward: false });
    // All of the history, also of what came first.
    expect(await source.descends(one.revision, revision, signal())).toBe(true);
    await source.close();
    expect(processesOf(join(given.stateDir, 'empty'))).toEqual([]);
    expect(zombies()).toEqual([]);
  });

  it.each([
    ['without a login where everybody may read', 'open/infra.git', {}],
    ['with a login where none is needed', 'open/infra.git', mine],
  ])('comes %s', async (_how, path, login) => {
    const source = await open(settings(urlOf(path), login));
    expect(await source.newest(signal())).toMatchObject({ diagnostics: [] });
    await source.close();
  });

  it('comes with a user name and a password, from a host whose name is written in capitals', async () => {
    server.logins(TOKEN_LOGIN, 'under study:pass: wörd ');
    const passwordFile = secret('password', 'pass: wörd');
    const url = urlOf('private/infra.git').replace('127.0.0.1', 'LocalHost');
    const login = { username: 'under study', passwordFile };
    expect((await failure(settings(url, login))).message).toContain('does not accept');
    server.logins(TOKEN_LOGIN, 'under study:pass: wörd');
    const source = await open(settings(url, login));
    expect(await source.newest(signal())).toMatchObject({ diagnostics: [] });
    await source.close();
  });

  it('comes with a new token as soon as the file has it, without a restart', async () => {
    const file = secret('rotating', TOKEN);
    const source = await open(settings(urlOf('private/infra.git'), { tokenFile: file }));
    const before = await source.newest(signal());
    server.logins('x-access-token:the next one');
    const error = await failureOf(source.newest(signal()));
    expect(error.message).toContain('does not accept the token of `repository.https.tokenFile`');
    rmSync(file);
    expect((await failureOf(source.newest(signal()))).message).toContain('which is not there');
    secret('rotating', 'the next one');
    expect(await source.newest(signal())).toBe(before);
    server.logins(TOKEN_LOGIN);
    await source.close();
  });
});

describe('the secret', () => {
  it('is in no argument, no environment and no file but its own, while git runs and after it', async () => {
    const asked: string[] = [];
    // It asks for a login and then never answers.
    const silent = await serveBadly(good, ({ headers }, response) => {
      if (headers.authorization !== undefined) return void asked.push(headers.authorization);
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
    });
    vi.stubEnv('https_proxy', 'http://127.0.0.1:9');
    vi.stubEnv('HTTPS_PROXY', 'http://127.0.0.1:9');
    vi.stubEnv('GIT_SSL_NO_VERIFY', '1');
    const given = settings(urlOf('x.git', silent.port), { ...mine, fetchTimeoutMs: 6000 });
    const source = await open(given);
    const looking = failureOf(source.newest(signal()));
    await vi.waitFor(() => expect(asked).toHaveLength(1), { timeout: 30_000, interval: 20 });
    vi.unstubAllEnvs();
    const basic = Buffer.from(TOKEN_LOGIN).toString('base64');
    expect(asked).toEqual([`Basic ${basic}`]);
    const running = processesOf(join(given.stateDir, 'empty'));
    expect(running.some(({ command }) => /remote-https?$/u.test(command[0] ?? ''))).toBe(true);
    for (const { pid, command } of running) {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
      expect(`${command.join(' ')} ${environment}`).not.toMatch(/tok3n|proxy=http|NO_VERIFY/iu);
      expect(environment).not.toContain(basic);
    }
    expect((await looking).message).toBe(`${given.url} was not read within 6 s`);
    await source.close();
    for (const name of readdirSync(given.stateDir, { recursive: true, encoding: 'utf8' })) {
      const file = join(given.stateDir, name);
      if (readFileIfOne(file).includes('tok3n')) throw new Error(`the token is in ${file}`);
    }
    await silent.stop();
  });

  it('is told to nobody else: a redirect is not followed, and the other server is never asked', async () => {
    const error = await failure(settings(urlOf('moved/infra.git'), mine));
    expect(error.message).toContain('redirects are not followed');
    expect(error.retry).toBe('never');
    expect(elsewhere.asked).toEqual([]);
  });

  it('is not asked of curl: a .netrc of the state counts for nothing', async () => {
    const given = settings(urlOf('private/infra.git'));
    const netrc = `machine 127.0.0.1 login x-access-token password ${TOKEN}\n`;
    writeFileSync(join(given.stateDir, '.netrc'), netrc, { mode: 0o600 });
    expect((await failure(given)).message).toContain('asks for a login');
  });
});

function readFileIfOne(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

it.each([
  [
    'a token that is not accepted',
    'private/infra.git',
    () => ({ tokenFile: secret('wrong', 'no') }),
    'does not accept the token',
  ],
  [
    'no login',
    'private/infra.git',
    () => ({}),
    'asks for a login: write `repository.https.tokenFile`',
  ],
  ['no repository', 'private/nothing.git', () => mine, 'there is no repository at'],
  [
    'no such branch',
    'private/infra.git',
    () => ({ ...mine, branch: 'gone' }),
    'has no branch `gone`; it has `main`',
  ],
  [
    'an authority that is not known',
    'private/infra.git',
    () => ({ ...mine, caFile: '' }),
    'is not trusted: an authority signed it that is not known',
  ],
  ['a web page', 'page/infra.git', () => mine, 'is no Git server'],
  [
    'nothing but files',
    'files/infra.git',
    () => mine,
    "shows a repository's files and is no Git server",
  ],
] as const)('%s', async (_what, path, more, words) => {
  if (path.startsWith('files/'))
    execFileSync('git', ['-C', server.repository, 'update-server-info']);
  const error = await failure(settings(urlOf(path), more()));
  expect(error.message).toContain(words);
  expect(error.retry).toBe('never');
});

it('a repository in which there is nothing', async () => {
  const empty = join(server.repository, '../empty.git');
  execFileSync('git', ['init', '-q', '--bare', empty]);
  const url = urlOf('private/empty.git');
  expect((await failure(settings(url, mine))).message).toBe(
    `${url} has no commits yet, or what answers there is no Git server`,
  );
});

describe('servers that do not do their part', () => {
  it.each([
    [
      'a certificate for another name',
      () => authority.sign('other', ['DNS:other.example']),
      {},
      'is for another host name',
      'never',
    ],
    [
      'a certificate that has expired',
      () => authority.sign('old', ['IP:127.0.0.1'], -1),
      {},
      'or it has expired',
      'never',
    ],
    [
      'TLS 1.1 at most',
      () => good,
      { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
      'no TLS 1.2',
      'never',
    ],
  ] as const)('%s: nothing is asked of it', async (_what, certificate, more, words, retry) => {
    let asked = 0;
    const bad = await serveBadly(certificate(), () => void (asked += 1), more);
    const error = await failure(settings(urlOf('x.git', bad.port), mine));
    expect(error.message).toContain(words);
    expect([error.retry, asked]).toEqual([retry, 0]);
    await bad.stop();
  });

  const refusing =
    (status: number): RequestListener =>
    (_request, response) =>
      void response.writeHead(status).end();

  it.each<[string, RequestListener, string, string]>([
    ['refuses', refusing(403), 'refuses (403)', 'never'],
    ['is asked too often', refusing(429), 'asked too often', 'soon'],
    ['is down', refusing(503), 'an error of its own', 'soon'],
    ['hangs up', ({ socket }) => void socket.destroy(), 'ended in the middle', 'soon'],
    [
      'says that it is Git and is a page',
      (_request, response) =>
        void response
          .writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' })
          .end('<html>'),
      'is no Git server',
      'never',
    ],
    [
      'is a page of two lines',
      (_request, response) => void response.end('<html>\n</html>'),
      'is no Git server',
      'never',
    ],
  ])('%s', async (_what, answer, words, retry) => {
    const bad = await serveBadly(good, answer);
    const error = await failure(settings(urlOf('x.git', bad.port), mine));
    expect([error.message, error.retry]).toEqual([expect.stringContaining(words), retry]);
    await bad.stop();
  });

  it('speaks http where https is asked', async () => {
    const plain = createServer((_request, response) => void response.end('hello'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const address = plain.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const error = await failure(settings(urlOf('x.git', port), mine));
    expect(error.message).toContain('is the port right?');
    plain.close();
  });

  it('nobody listens, or there is no such host', async () => {
    const error = await failure(settings(urlOf('x.git', await freePort()), mine));
    expect(error.message).toContain('cannot be reached');
    const nowhere = await failure(settings('https://nowhere.invalid/x.git', mine));
    expect(nowhere.message).toContain('is unknown to DNS');
    expect([error.retry, nowhere.retry]).toEqual(['soon', 'soon']);
  });

  it.each<[string, RequestListener | undefined]>([
    ['accepts and never speaks', undefined],
    [
      'trickles',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/x-git-upload-pack-advertisement' });
        const timer = setInterval(() => response.write('0'), 100);
        response.on('close', () => clearInterval(timer));
      },
    ],
  ])('%s: ended at our deadline, all of it', async (_what, answer) => {
    const bad =
      answer === undefined ? await listen(() => undefined) : await serveBadly(good, answer);
    const given = settings(urlOf('x.git', bad.port), { ...mine, fetchTimeoutMs: 1500 });
    const error = await failure(given);
    expect(error).toMatchObject({ message: `${given.url} was not read within 2 s`, retry: 'soon' });
    expect(zombies()).toEqual([]);
    await bad.stop();
  });

  it('breaks off in the middle of a fetch: nothing half is taken, and the next look goes on', async () => {
    let bytes = Infinity;
    const between = await cutter(server.port, () => bytes);
    const source = await open(settings(urlOf('private/infra.git', between.port), mine));
    const before = await source.newest(signal());
    author.write('large', randomBytes(400_000));
    const revision = push('large');
    bytes = 100_000;
    for (let look = 0; look < 2; look += 1) {
      const error = await failureOf(source.newest(signal()));
      expect([error.message, error.retry]).toEqual([
        expect.stringContaining('ended in the middle'),
        'soon',
      ]);
    }
    const [entry] = before.entries;
    expect((await before.read([entry?.blob ?? ''], signal())).size).toBe(1);
    bytes = Infinity;
    expect(await source.newest(signal())).toMatchObject({ revision, fastForward: true });
    await source.close();
    await between.stop();
  });
});

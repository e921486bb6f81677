import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type ServerOptions } from 'node:https';
import type { RequestListener } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { PackageList, Tools } from '../../agent/rehearsal/packages.ts';
import type { Certificate } from './certificates.ts';
import { freePort, listen } from './ssh-server.ts';

/** What the server is made of, and what makes its certificates. */
export const httpsPackages: PackageList = {
  wanted: ['lighttpd', 'lighttpd-mod-openssl', 'openssl'],
  optional: [],
};

/**
 * A real web server with git's own http-backend: `/open/` is for everybody, `/private/` for those in `logins`, `/moved/` leads
 * to `elsewhere`, `/files/` shows a repository's files as they lie there, and everything else is a web page.
 */
export interface HttpsServer {
  readonly port: number;
  /** The server's side of the repository. */
  readonly repository: string;
  /** Who may come in from now on: `user:password`. */
  logins(...logins: readonly string[]): void;
  stop(): Promise<void>;
}

/** Starts it in the foreground; it dies with this process, and nothing is installed. */
export async function startHttpsServer(
  folder: string,
  tools: Tools,
  certificate: Certificate,
  elsewhere: string,
): Promise<HttpsServer> {
  const port = await freePort();
  const at = (name: string): string => join(folder, name);
  for (const name of ['git', 'pages', 'uploads']) mkdirSync(at(name));
  const repository = join(at('git'), 'infra.git');
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', repository]);
  writeFileSync(join(at('pages'), 'page'), '<html>Please log in</html>');
  const pem = [certificate.certFile, certificate.keyFile].map((file) => readFileSync(file, 'utf8'));
  writeFileSync(at('server.pem'), pem.join(''), { mode: 0o600 });
  const backend = `${execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()}/git-http-backend`;
  const settings = [
    `server.modules = (${['setenv', 'rewrite', 'redirect', 'auth', 'authn_file', 'alias', 'cgi', 'openssl'].map((name) => `"mod_${name}"`).join(', ')})`,
    `server.bind = "127.0.0.1"`,
    `server.port = ${port}`,
    `server.document-root = "${at('pages')}"`,
    `server.upload-dirs = ("${at('uploads')}")`,
    `server.errorlog = "${at('server.log')}"`,
    'ssl.engine = "enable"',
    `ssl.pemfile = "${at('server.pem')}"`,
    'auth.backend = "plain"',
    `auth.backend.plain.userfile = "${at('logins')}"`,
    `alias.url = ("/open" => "${backend}", "/private" => "${backend}", "/files" => "${at('git')}")`,
    `url.redirect = ("^/moved/(.*)" => "${elsewhere}/open/$1")`,
    // Whatever is asked of it, a page.
    'url.rewrite-once = ("^/page/" => "/page")',
    '$HTTP["url"] =~ "^/(open|private)/" {',
    '  cgi.assign = ("" => "")',
    `  setenv.set-environment = ("GIT_PROJECT_ROOT" => "${at('git')}", "GIT_HTTP_EXPORT_ALL" => "1")`,
    '}',
    '$HTTP["url"] =~ "^/private/" {',
    '  auth.require = ("" => ("method" => "basic", "realm" => "git", "require" => "valid-user"))',
    '}',
  ];
  writeFileSync(at('server.conf'), `${settings.join('\n')}\n`);
  const logins = (...given: readonly string[]): void =>
    writeFileSync(at('logins'), given.map((line) => `${line}\n`).join(''), { mode: 0o600 });
  logins();
  const lighttpd = tools.path('lighttpd');
  const modules = join(lighttpd, '../../lib/lighttpd');
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', lighttpd, '-D', '-m', modules, '-f', at('server.conf')],
    { env: { ...tools.env }, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  const until = performance.now() + 60_000;
  while (!(await isOpen(port))) {
    if (child.exitCode !== null || performance.now() > until) {
      throw new Error(`the web server does not answer: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    repository,
    logins,
    stop: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function isOpen(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => resolve(false)).once('connect', () => resolve(true));
    socket.once('connect', () => socket.destroy());
  });
}

/** A web server over TLS that does what a test tells it. */
export async function serveBadly(
  { certFile, keyFile }: Certificate,
  answer: RequestListener,
  more: ServerOptions = {},
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const [cert, key] = [readFileSync(certFile), readFileSync(keyFile)];
  const server = createServer({ cert, key, ...more }, answer);
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Stands before a server and cuts every line after so many bytes from it. */
export async function cutter(
  port: number,
  bytes: () => number,
): Promise<{ readonly port: number; stop(): Promise<void> }> {
  return listen((socket) => {
    const behind = connect(port, '127.0.0.1');
    let passed = 0;
    behind.on('data', (piece: Buffer) => {
      passed += piece.length;
      if (passed <= bytes()) socket.write(piece);
      else socket.destroy();
    });
    socket.on('data', (piece: Buffer) => behind.write(piece));
    for (const [one, other] of [[socket, behind] as const, [behind, socket] as const]) {
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
  });
}

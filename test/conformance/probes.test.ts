import { generateKeyPairSync, sign } from 'node:crypto';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates, TLSSocket } from 'node:tls';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import type { Answer, Question } from '../../agent/core/kind.ts';
import { openGate } from '../../agent/probes/gate.ts';
import { askHttp } from '../../agent/probes/http.ts';
import { openProber } from '../../agent/probes/prober.ts';
import { askTcp } from '../../agent/probes/tcp.ts';
import { VirtualClock } from '../fakes/clock.ts';

type HttpQuestion = Extract<Question, { readonly ask: 'http' }>;

const loopback = ['127.0.0.0/8'];
const signal = new AbortController().signal;
const closing: (() => void)[] = [];

afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server on a free port of an address; ends with the test, whatever hangs on it. */
async function listening(server: Server, address = '127.0.0.1'): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  const at = server.address();
  if (at === null || typeof at === 'string') throw new Error('the server has no port');
  return at.port;
}

async function http(handler: RequestListener): Promise<number> {
  return listening(createHttpServer(handler));
}

/** Answers every connection with these bytes, then ends it. */
async function raw(bytes: string): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(bytes));
  });
  return listening(server);
}

function web(port: number, parts: Partial<HttpQuestion> = {}): HttpQuestion {
  return {
    ask: 'http',
    url: `http://127.0.0.1:${port}/`,
    status: [{ from: 200, to: 399 }],
    everyMs: 5000,
    timeoutMs: 3000,
    nodes: [],
    ...parts,
  };
}

function tcp(port: number): Extract<Question, { readonly ask: 'tcp' }> {
  return { ask: 'tcp', host: '127.0.0.1', port, everyMs: 5000, timeoutMs: 3000, nodes: [] };
}

interface Asking {
  readonly clock: VirtualClock;
  readonly answer: Promise<Answer>;
}

/** Asks as the agent does; the time stands still unless the test moves it. */
function asking(question: Question, allow: readonly string[] = loopback): Asking {
  const clock = new VirtualClock();
  const came = Promise.withResolvers<Answer>();
  const image = async (): Promise<never> => Promise.reject(new Error('no image is asked here'));
  const answered = (): void => {
    const answer = prober.answers().get('it');
    if (answer !== undefined) came.resolve(answer);
  };
  const prober = openProber({ clock, image, log: image, allow, answered });
  closing.push(() => prober.close());
  prober.ask([{ name: 'it', question }]);
  return { clock, answer: came.promise };
}

async function told(question: Question, allow?: readonly string[]): Promise<string> {
  const { status, detail } = await asking(question, allow).answer;
  return `${status}: ${detail}`;
}

describe('an HTTP question', () => {
  it.each([
    [200, undefined, 'good: HTTP status 200'],
    [204, undefined, 'good: HTTP status 204'],
    [404, undefined, 'bad: HTTP status 404'],
    [500, undefined, 'bad: HTTP status 500'],
    [301, [{ from: 200, to: 299 }], 'bad: HTTP status 301'],
    [
      503,
      [
        { from: 200, to: 299 },
        { from: 503, to: 503 },
      ],
      'good: HTTP status 503',
    ],
  ])('status %i', async (code, status, expected) => {
    const port = await http((_request, response) => response.writeHead(code).end('hello'));
    expect(await told(web(port, status === undefined ? {} : { status }))).toBe(expected);
  });

  it('asks as a browser does, of the host that is asked for', async () => {
    const seen: IncomingMessage[] = [];
    const port = await http((request, response) => {
      seen.push(request);
      response.end();
    });
    await told(web(port, { url: `http://127.0.0.1:${port}/a b?c=ü#d` }));
    await told(web(port, { host: 'blog.example.org' }));
    await told(web(port, { url: `http://user:canary@127.0.0.1:${port}/` }));
    expect(seen.map(({ method, url, headers }) => [method, url, headers.host])).toEqual([
      ['GET', '/a%20b?c=%C3%BC', `127.0.0.1:${port}`],
      ['GET', '/', 'blog.example.org'],
      ['GET', '/', `127.0.0.1:${port}`],
    ]);
    expect(JSON.stringify(seen.map(({ rawHeaders }) => rawHeaders))).not.toMatch(
      /canary|authorization/i,
    );
    expect(new Set(seen.map(({ headers }) => headers.connection))).toEqual(new Set(['close']));
  });

  it('follows no redirect', async () => {
    let visits = 0;
    const other = await http((_request, response) => {
      visits += 1;
      response.end();
    });
    const location = `http://127.0.0.1:${other}/`;
    const port = await http((_request, response) => response.writeHead(302, { location }).end());
    expect(await told(web(port))).toBe('good: HTTP status 302');
    expect(visits).toBe(0);
  });

  it.each([
    ['nothing', (): void => undefined],
    ['half a head', (socket: Socket): void => void socket.write('HTTP/1.1 200 OK\r\nA:')],
    [
      'a head and half a body',
      (socket: Socket): void =>
        void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nWelc'),
    ],
  ])('that gets %s has its deadline, and hangs up', async (_, reply) => {
    const reached = Promise.withResolvers<Socket>();
    const server = createTcpServer((socket) => {
      socket.once('data', () => {
        reply(socket);
        reached.resolve(socket);
      });
    });
    const port = await listening(server);
    const { clock, answer } = asking(web(port, { contains: 'Welcome' }));
    const socket = await reached.promise;
    const hungUp = new Promise<void>((resolve) => {
      socket.on('close', resolve);
    });
    await clock.advance(2999);
    let settled = false;
    void answer.then(() => (settled = true));
    await clock.settle();
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await answer).toMatchObject({ status: 'bad', detail: 'no answer in 3 s', inARow: 1 });
    await hungUp;
  });

  it.each([
    ['nothing at all', '', 'bad: the connection was closed before the answer was there'],
    [
      'a cut body, when the text is in the rest',
      'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nWel',
      'bad: the connection was closed before the answer was there',
    ],
    [
      'a cut body that holds the text',
      'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nWelcome',
      'good: HTTP status 200',
    ],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n', 'bad: this is not an HTTP answer'],
    [
      'a head without end',
      `HTTP/1.1 200 OK\r\n${`x: ${'y'.repeat(8000)}\r\n`.repeat(4)}\r\n`,
      'bad: the head of the answer is too large',
    ],
    [
      'another protocol that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
      'bad: the connection was closed before the answer was there',
    ],
    [
      'a hint before the answer',
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nWelcome',
      'good: HTTP status 200',
    ],
  ])('that gets %s', async (_, bytes, expected) => {
    expect(await told(web(await raw(bytes), { contains: 'Welcome' }))).toBe(expected);
  });

  it('needs no body where no text is asked for', async () => {
    const port = await raw('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nWel');
    expect(await told(web(port))).toBe('good: HTTP status 200');
  });

  it('finds a text across chunks', async () => {
    const port = await http((_request, response) => {
      for (const part of ['<h1>Wel', 'co', 'me</h1>']) response.write(part);
      response.end();
    });
    expect(await told(web(port, { contains: 'Welcome' }))).toBe('good: HTTP status 200');
    expect(await told(web(port, { contains: 'Wellcome' }))).toBe(
      'bad: the answer does not hold `Wellcome`',
    );
  });

  it.each([
    ['just inside', 256 * 1024 - 7, 'good: HTTP status 200'],
    ['across the end', 256 * 1024 - 6, 'bad: the answer does not hold `Welcome`'],
    ['far behind', 2 ** 20, 'bad: the answer does not hold `Welcome`'],
  ])('reads 256 KiB of an answer without end: the text is %s', async (_, at, expected) => {
    const block = Buffer.alloc(65_536, '.');
    let hungUp = false;
    const port = await http((_request, response) => {
      response.on('close', () => (hungUp = true));
      response.write(Buffer.concat([Buffer.alloc(at, '.'), Buffer.from('Welcome')]));
      const more = (): void => {
        while (response.write(block));
      };
      response.on('drain', more);
      more();
    });
    expect(await told(web(port, { contains: 'Welcome' }))).toBe(expected);
    await expect.poll(() => hungUp, { timeout: 30_000 }).toBe(true);
  });

  it('nobody listens', async () => {
    const port = await http((_request, response) => response.end());
    for (const close of closing.splice(0)) close();
    expect(await told(web(port))).toBe('bad: connection refused');
    expect(await told(tcp(port))).toBe('bad: connection refused');
  });

  it.each(['ftp://127.0.0.1/', 'http://', 'unix:/var/run/docker.sock', 'file:///etc/passwd'])(
    '%s is no address to ask',
    async (url) => expect(await told(web(1, { url }))).toBe('bad: this is not an HTTP address'),
  );
});

describe('what may not be reached', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost is .*'],
    ['0x7f.1', '127.0.0.1'],
    ['2130706433', '127.0.0.1'],
    ['[::ffff:127.0.0.1]', '::ffff:7f00:1'],
    ['[::]', '::'],
    ['0.0.0.0', '0.0.0.0'],
  ])('%s is not connected to', async (host, shown) => {
    let connections = 0;
    const server = createHttpServer((_request, response) => response.end());
    server.on('connection', () => (connections += 1));
    const port = await listening(server, '0.0.0.0');
    expect(await told(web(port, { url: `http://${host}:${port}/` }), [])).toMatch(
      new RegExp(`^bad: ${shown} is not allowed|^bad: ${shown}, which is not allowed`),
    );
    const bare = host.replace(/^\[(.*)\]$/, '$1');
    expect(await told({ ...tcp(port), host: bare }, [])).toMatch(/is not allowed/);
    expect(connections).toBe(0);
  });

  it('but a node may', async () => {
    const port = await http((_request, response) => response.end());
    expect(await told(web(port, { nodes: ['127.0.0.1'] }), [])).toBe('good: HTTP status 200');
    expect(await told({ ...tcp(port), nodes: ['127.0.0.1'] }, [])).toBe('good: connected');
  });
});

describe('a name', () => {
  /** On all addresses of this machine; tells through which one it was reached. */
  async function everywhere(): Promise<{ port: number; reached: (string | undefined)[] }> {
    const reached: (string | undefined)[] = [];
    const server = createHttpServer((_request, response) => response.end());
    server.on('connection', (socket) => reached.push(socket.localAddress));
    return { port: await listening(server, '0.0.0.0'), reached };
  }

  it('that leads elsewhere the second time leads nowhere else', async () => {
    const { port, reached } = await everywhere();
    let lookups = 0;
    const gate = openGate(['127.0.0.2/32'], async () => {
      lookups += 1;
      return Promise.resolve([
        { address: lookups % 2 === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 },
      ]);
    });
    const question = web(port, { url: `http://rebind.invalid:${port}/` });
    const refused = { status: 'bad', detail: expect.stringContaining('127.0.0.1, which is not') };
    expect(await askHttp(question, gate, signal)).toMatchObject({ status: 'good' });
    expect(lookups).toBe(1);
    expect(await askHttp(question, gate, signal)).toMatchObject(refused);
    const plain = { ...tcp(port), host: 'rebind.invalid' };
    expect(await askTcp(plain, gate, signal)).toMatchObject({ status: 'good' });
    expect(lookups).toBe(3);
    expect(await askTcp(plain, gate, signal)).toMatchObject(refused);
    expect(reached).toEqual(['127.0.0.2', '127.0.0.2']);
  });

  it('of several addresses is tried at the allowed ones, one after another', async () => {
    const { port, reached } = await everywhere();
    const list = (...addresses: string[]) =>
      openGate(['127.0.0.2/31', '::1/128'], async () =>
        Promise.resolve(
          addresses.map((address) => ({ address, family: address === '::1' ? 6 : 4 })),
        ),
      );
    const question = web(port, { url: `http://several.invalid:${port}/` });
    const gate = list('127.0.0.1', '::1', '127.0.0.3');
    expect(await askHttp(question, gate, signal)).toMatchObject({ status: 'good' });
    expect(reached).toEqual(['127.0.0.3']);
  });
});

describe('a TCP question', () => {
  it('connects, and hangs up', async () => {
    const hungUp = Promise.withResolvers<void>();
    const server = createTcpServer((socket) => {
      socket.resume();
      socket.on('close', () => hungUp.resolve());
    });
    expect(await told(tcp(await listening(server)))).toBe('good: connected');
    await hungUp.promise;
  });

  it('whose time is over before it begins does not connect', async () => {
    let connections = 0;
    const port = await listening(createTcpServer(() => void (connections += 1)));
    const over = AbortSignal.abort();
    const gate = openGate(loopback);
    expect(await askTcp(tcp(port), gate, over)).toMatchObject({ detail: 'no connection in 3 s' });
    expect(await askHttp(web(port), gate, over)).toMatchObject({ detail: 'no answer in 3 s' });
    expect(connections).toBe(0);
  });

  it('of a port that cannot be is open, and nothing breaks', async () => {
    expect(await told(tcp(70_000))).toBe('open: this could not be asked');
    expect(await told(web(1, { host: 'a\r\nx: y' }))).toBe('open: this could not be asked');
  });
});

describe('TLS', () => {
  const trusted = getCACertificates('default');
  const good = certificate(['blog.example.org'], 2099);
  const old = certificate(['blog.example.org'], 2001);
  beforeAll(() => setDefaultCACertificates([good.cert, old.cert]));
  afterAll(() => setDefaultCACertificates(trusted));

  async function https(keys: { key: string; cert: string }, seen: unknown[] = []): Promise<number> {
    const server = createHttpsServer(keys, (request, response) => {
      const { socket } = request;
      if (socket instanceof TLSSocket && 'servername' in socket) {
        seen.push(socket.servername);
      }
      response.end();
    });
    return listening(server);
  }

  const secure = (port: number, parts: Partial<HttpQuestion> = {}): HttpQuestion =>
    web(port, { url: `https://127.0.0.1:${port}/`, ...parts });

  it('the certificate must be for the host that is asked for, or for the address', async () => {
    const seen: unknown[] = [];
    const port = await https(good, seen);
    expect(await told(secure(port))).toBe('good: HTTP status 200');
    expect(await told(secure(port, { host: 'blog.example.org' }))).toBe('good: HTTP status 200');
    expect(await told(secure(port, { host: `blog.example.org:${port}` }))).toBe(
      'good: HTTP status 200',
    );
    expect(await told(secure(port, { host: 'shop.example.org' }))).toBe(
      'bad: certificate is for another name',
    );
    expect(await told(secure(port, { host: '127.0.0.9' }))).toBe(
      'bad: certificate is for another name',
    );
    // An address is no server name.
    expect(seen).toEqual([false, 'blog.example.org', 'blog.example.org']);
  });

  it.each([
    ['has expired', old, 'bad: certificate has expired'],
    ['nobody knows', certificate(['blog.example.org'], 2099), 'bad: certificate is self-signed'],
  ])('a certificate that %s', async (_, keys, expected) => {
    const port = await https(keys);
    expect(await told(secure(port, { host: 'blog.example.org' }))).toBe(expected);
  });

  it('a server without TLS', async () => {
    const port = await http((_request, response) => response.end());
    expect(await told(secure(port))).toBe('bad: this is not a TLS connection');
  });
});

/** A self-signed certificate (RFC 5280, DER by hand) for these names and 127.0.0.1, good until that year. */
function certificate(names: readonly string[], untilYear: number): { key: string; cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, oid('2a8648ce3d040302'));
  const name = der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from(names.join())))));
  const alternatives = der(
    0x30,
    ...names.map((one) => der(0x82, Buffer.from(one))),
    der(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    der(
      0x30,
      der(0x18, Buffer.from('20000101000000Z')),
      der(0x18, Buffer.from(`${untilYear}0101000000Z`)),
    ),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, der(0x30, oid('551d11'), der(0x04, alternatives)))),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]);
  const whole = der(0x30, body, algorithm, der(0x03, signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length;
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from(head), content]);
}

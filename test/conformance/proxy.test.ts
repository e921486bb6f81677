import { createServer, request, type Server } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Fault, type FaultProxy, startProxy } from '../faults/proxy.ts';

let folder: string;
let upstream: Server;
let arrived: string[];
let proxy: FaultProxy;
let refuse: boolean;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  arrived = [];
  refuse = false;
  upstream = createServer((asked, answer) => {
    let body = '';
    asked.on('data', (chunk: Buffer) => (body += chunk.toString()));
    asked.on('end', () => {
      arrived.push(`${asked.method ?? ''} ${asked.url ?? ''} ${body}`);
      answer.writeHead(refuse ? 500 : 201, { 'x-count': String(arrived.length) });
      answer.write('0123');
      answer.end('456789');
    });
  });
  await new Promise<void>((resolve) => {
    upstream.listen(join(folder, 'up.sock'), resolve);
  });
  proxy = await startProxy(join(folder, 'up.sock'), join(folder, 'proxy.sock'));
});

afterEach(async () => {
  await proxy.close();
  upstream.closeAllConnections();
  upstream.close();
  await rm(folder, { recursive: true });
});

/** Status and as much of the body as came; `cut` when the connection ended before the end. */
function ask(method: string, path: string, body = ''): Promise<string> {
  return new Promise((resolve) => {
    const asked = request({ socketPath: proxy.socket, method, path, agent: false }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', () => resolve(`${String(answer.statusCode)} ${text} cut`));
      answer.on('end', () => resolve(`${String(answer.statusCode)} ${text}`));
    });
    asked.on('error', () => resolve('cut'));
    asked.end(body);
  });
}

describe('the fault proxy', () => {
  it('passes on and records', async () => {
    expect(await ask('GET', '/a?x=1&y=2')).toBe('201 0123456789');
    expect(await ask('POST', '/b', 'body')).toBe('201 0123456789');
    expect(arrived).toEqual(['GET /a?x=1&y=2 ', 'POST /b body']);
    expect(proxy.seen).toMatchObject([
      { at: 1, method: 'GET', path: '/a', queryKeys: ['x', 'y'], mutating: false, status: 201 },
      { at: 2, method: 'POST', path: '/b', queryKeys: [], mutating: true, status: 201 },
    ]);
  });

  it('keeps of a body the name and the labels, and of a refusal what was said', async () => {
    const body = { Name: 'a', Labels: { b: 'c', d: 1 }, Data: 'c2VjcmV0' };
    await ask('POST', '/a', JSON.stringify(body));
    expect(proxy.seen).toMatchObject([{ name: 'a', labels: { b: 'c' } }]);
    expect(JSON.stringify(proxy.seen)).not.toContain('c2VjcmV0');
    expect(proxy.seen[0]?.message).toBeUndefined();
    refuse = true;
    expect(await ask('POST', '/a', 'no JSON')).toBe('500 0123456789');
    expect(proxy.seen[1]).toMatchObject({ status: 500, message: '0123456789' });
    expect(proxy.seen[1]).not.toHaveProperty('labels');
  });

  it('says when a request came and when the engine answered, whatever the client got', async () => {
    proxy.break({ match: ({ path }) => path === '/lost', fault: { do: 'drop-request' } });
    proxy.break({ match: ({ path }) => path === '/b', fault: { do: 'drop-reply' } });
    for (const path of ['/a', '/lost', '/b']) await ask('POST', path);
    const [first, second, third] = proxy.seen;
    expect(second).not.toHaveProperty('answeredAtMs');
    const times = [
      first?.atMs,
      first?.answeredAtMs,
      second?.atMs,
      third?.atMs,
      third?.answeredAtMs,
    ];
    expect(times).toEqual(times.toSorted((a = 0, b = 0) => a - b));
    expect(times).not.toContain(undefined);
  });

  it.each<[Fault, string, number]>([
    [{ do: 'drop-request' }, 'cut', 0],
    [{ do: 'drop-reply' }, 'cut', 1],
    [{ do: 'duplicate' }, '201 0123456789', 2],
    [{ do: 'cut', after: 'headers', end: 'close' }, '201  cut', 1],
    [{ do: 'cut', after: 3, end: 'close' }, '201 012 cut', 1],
    [{ do: 'cut', after: 'half', end: 'close' }, '201 01234 cut', 1],
    [{ do: 'cut', after: 'last-1', end: 'close' }, '201 012345678 cut', 1],
    [{ do: 'replace', status: 500 }, '500 0123456789', 1],
    [{ do: 'replace', body: 'x' }, '201 x', 1],
  ])('%o gives %s and reaches the engine %i times', async (fault, expected, times) => {
    proxy.break({ match: () => true, fault });
    expect(await ask('POST', '/a')).toBe(expected);
    expect(arrived).toHaveLength(times);
    expect(proxy.seen).toMatchObject([{ fault: fault.do }]);
  });

  it('breaks the n-th that fits, and stops when the rule is taken away', async () => {
    const again = proxy.break({
      match: ({ mutating }) => mutating,
      nth: 2,
      fault: { do: 'drop-request' },
    });
    const always = proxy.break({ match: ({ path }) => path === '/x', fault: { do: 'drop-reply' } });
    const rows = [];
    for (const [method, path] of [
      ['POST', '/a'],
      ['GET', '/a'],
      ['POST', '/a'],
      ['POST', '/a'],
      ['GET', '/x'],
    ] as const) {
      rows.push(await ask(method, path));
    }
    expect(rows.map((one) => one === 'cut')).toEqual([false, false, true, false, true]);
    again();
    always();
    expect(await ask('GET', '/x')).toBe('201 0123456789');
  });

  it.each<[Fault['do'] & `delay-${string}`, number]>([
    ['delay-request', 0],
    ['delay-reply', 1],
  ])('%s holds until it is let go', async (kind, arrivedBefore) => {
    proxy.break({ match: () => true, fault: { do: kind } });
    let settled = false;
    const asked = ask('GET', '/a').then((text) => {
      settled = true;
      return text;
    });
    await proxy.reached(1);
    expect([arrived.length, settled]).toEqual([arrivedBefore, false]);
    proxy.release();
    expect(await asked).toBe('201 0123456789');
  });

  it('trickles one byte at a time', async () => {
    proxy.break({ match: () => true, fault: { do: 'trickle' } });
    let settled = false;
    const asked = ask('GET', '/a').then((text) => {
      settled = true;
      return text;
    });
    await proxy.reached(1);
    for (let byte = 0; byte < 9; byte += 1) proxy.trickle();
    expect(settled).toBe(false);
    proxy.trickle();
    expect(await asked).toBe('201 0123456789');
  });

  it('stalls, and notes the client that gives up', async () => {
    proxy.break({ match: () => true, fault: { do: 'cut', after: 2, end: 'stall' } });
    const asked = request({ socketPath: proxy.socket, path: '/a', agent: false });
    asked.on('error', () => undefined);
    const first = new Promise<string>((resolve) => {
      asked.on('response', (answer) => {
        answer.on('error', () => undefined);
        answer.on('data', (chunk: Buffer) => resolve(chunk.toString()));
      });
    });
    asked.end();
    expect(await first).toBe('01');
    expect(proxy.seen[0]?.hungUp).toBeUndefined();
    asked.destroy();
    await expect.poll(() => proxy.seen[0]?.hungUp, { timeout: 30_000 }).toBe(true);
  });

  it('ends the connection where the engine is gone', async () => {
    upstream.closeAllConnections();
    upstream.close();
    expect(await ask('GET', '/a')).toBe('cut');
  });
});

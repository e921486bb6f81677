import { createServer } from 'node:http';
import { FakeEngine } from './swarm-engine.ts';

/** One request that the fake engine answered. */
export interface FakeCall {
  readonly method: string;
  /** Without the version in front and without the query. */
  readonly path: string;
  /** The whole URL as it came. */
  readonly url: string;
  /** Which request it was, counted from 1. */
  readonly at: number;
}

/** A fake engine that listens. */
export interface FakeSwarm {
  readonly engine: FakeEngine;
  readonly socket: string;
  readonly calls: readonly FakeCall[];
  /** The calls that may have changed anything. */
  writes(): readonly FakeCall[];
  close(): Promise<void>;
}

/** Starts a fake engine on a unix socket; with the state of another one as the engine of its node `as`. */
export async function startFakeSwarm(
  socket: string,
  { engine = new FakeEngine(), as }: { readonly engine?: FakeEngine; readonly as?: string } = {},
): Promise<FakeSwarm> {
  const calls: FakeCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const method = request.method ?? 'GET';
      const address = request.url ?? '/';
      const url = new URL(address, 'http://docker');
      const path = url.pathname.replace(/^\/v\d+\.\d+/, '');
      calls.push({ method, path, url: address, at: calls.length + 1 });
      const text = Buffer.concat(chunks).toString();
      const node = as === undefined ? {} : { node: as };
      const answer = engine.handle({ method, path, query: url.searchParams, text, ...node });
      if (answer === 'drop') {
        request.socket.destroy();
        return;
      }
      const body = answer.body === undefined ? '' : `${JSON.stringify(answer.body)}\n`;
      response.writeHead(answer.status, {
        'api-version': '1.41',
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
        'content-length': Buffer.byteLength(body),
      });
      response.end(body);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  return {
    engine,
    socket,
    calls,
    writes: () => calls.filter(({ method }) => method !== 'GET'),
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

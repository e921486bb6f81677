import {
  Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as httpRequest,
  type ServerResponse,
} from 'node:http';

/** What goes wrong with one request. There are no timers: what waits, waits until the test says so. */
export type Fault =
  /** The connection ends and the engine never hears of it. */
  | { readonly do: 'drop-request' }
  /** The engine carries it out; the connection ends without an answer. */
  | { readonly do: 'drop-reply' }
  /** Held before it is sent on, until `release()`. */
  | { readonly do: 'delay-request' }
  /** Carried out, and the answer held until `release()`. */
  | { readonly do: 'delay-reply' }
  /** Carried out twice; the second answer counts, as with the raft proxy's own retry. */
  | { readonly do: 'duplicate' }
  /** Head and the first bytes of the body, then the connection ends (`close`) or stays silent (`stall`). */
  | { readonly do: 'cut'; readonly after: Cut; readonly end: 'close' | 'stall' }
  /** Carried out, and answered with something else. */
  | {
      readonly do: 'replace';
      readonly status?: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Carried out; of the answer one more byte comes with each `trickle()`. */
  | { readonly do: 'trickle' };

/** How much of a body arrives: none, so many bytes, half of it, all but the last byte. */
export type Cut = 'headers' | 'half' | 'last-1' | number;

/** One request as the proxy saw it. */
export interface Seen {
  /** Counted from 1, over all requests. */
  readonly at: number;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly url: string;
  readonly queryKeys: readonly string[];
  readonly headers: IncomingHttpHeaders;
  readonly mutating: boolean;
  /** What is made or changed, where the body says so. */
  readonly name?: string;
  /** The labels that it gives to what is made or changed. Nothing else of a body is kept: it may hold secrets. */
  readonly labels?: Readonly<Record<string, string>>;
  /** When it had come as a whole, in milliseconds of a clock that all proxies of a process share. */
  readonly atMs: number;
  /** When the engine began to answer; absent where it did not. */
  answeredAtMs?: number;
  /** Of the engine's answer; absent where there was none. */
  status?: number;
  /** What the engine said where it refused, in its first 200 characters. */
  message?: string;
  fault?: Fault['do'];
  /** True when the client ended the connection before it had the whole answer. */
  hungUp?: boolean;
}

/** When a fault happens: to the `nth` (from 1; absent = every) request that `match` fits. */
export interface FaultRule {
  readonly match: (request: Seen) => boolean;
  readonly nth?: number;
  readonly fault: Fault;
}

/** A proxy in front of an engine's socket that counts, records and breaks. Deterministic. */
export interface FaultProxy {
  readonly socket: string;
  readonly seen: readonly Seen[];
  /** Adds a rule; the first rule that fits wins. The returned function takes it away. */
  break(rule: FaultRule): () => void;
  /** Resolves when so many faults have come to where they wait or end. */
  reached(count: number): Promise<void>;
  /** Lets go of everything that is held now. */
  release(): void;
  /** One more byte of every answer that trickles. */
  trickle(): void;
  /** Ends every connection that a client holds open, used or idle. */
  hangUp(): void;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Sent {
  readonly seen: Seen;
  readonly body: Buffer;
}

/** Starts a proxy on `socket` in front of `upstream`. */
export async function startProxy(upstream: string, socket: string): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const seen: Seen[] = [];
  const rules: { rule: FaultRule; hits: number }[] = [];
  const held = new Set<() => void>();
  const trickling = new Set<() => void>();
  const waiting = new Set<{ count: number; go: () => void }>();
  let reached = 0;

  function faultFor(request: Seen): Fault | undefined {
    for (const one of rules) {
      if (!one.rule.match(request)) continue;
      one.hits += 1;
      if (one.rule.nth === undefined || one.rule.nth === one.hits) return one.rule.fault;
    }
    return undefined;
  }

  function mark(): void {
    reached += 1;
    for (const one of waiting) {
      if (reached < one.count) continue;
      waiting.delete(one);
      one.go();
    }
  }

  function hold(): Promise<void> {
    return new Promise((resolve) => {
      held.add(resolve);
      mark();
    });
  }

  async function forward({ seen: request, body }: Sent): Promise<IncomingMessage> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const { method, url: path, headers } = request;
      const onward = httpRequest({ agent, socketPath: upstream, method, path, headers }, resolve);
      onward.on('error', reject);
      onward.end(body);
    });
    request.answeredAtMs = nowMs();
    request.status = answer.statusCode ?? 0;
    if (request.status >= 400) answer.on('data', (chunk: Buffer) => note(request, chunk));
    return answer;
  }

  async function whole(sent: Sent): Promise<Reply> {
    const answer = await forward(sent);
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    return { status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) };
  }

  /** Without a fault the answer streams, so that long ones (events, logs) work too. */
  async function pass(sent: Sent, response: ServerResponse): Promise<void> {
    const answer = await forward(sent);
    response.writeHead(answer.statusCode ?? 0, answer.headers);
    response.on('close', () => answer.destroy());
    answer.on('error', () => response.destroy());
    answer.pipe(response);
  }

  function cut(reply: Reply, fault: Extract<Fault, { do: 'cut' }>, response: ServerResponse): void {
    const { body } = reply;
    const bytes = bytesOf(fault.after, body.length);
    head(reply, response);
    if (bytes > 0) response.write(body.subarray(0, bytes));
    if (fault.end === 'close') response.socket?.end();
    mark();
  }

  function startTrickle(reply: Reply, response: ServerResponse): void {
    let sent = 0;
    head(reply, response);
    const next = (): void => {
      sent += 1;
      if (sent < reply.body.length) {
        response.write(reply.body.subarray(sent - 1, sent));
      } else {
        trickling.delete(next);
        response.end(reply.body.subarray(sent - 1));
      }
    };
    trickling.add(next);
    response.on('close', () => trickling.delete(next));
    mark();
  }

  async function damage(sent: Sent, fault: Fault, response: ServerResponse): Promise<void> {
    switch (fault.do) {
      case 'drop-request':
        response.socket?.destroy();
        return mark();
      case 'drop-reply':
        await whole(sent);
        response.socket?.destroy();
        return mark();
      case 'delay-request':
        await hold();
        return answerWith(await whole(sent), response);
      case 'delay-reply': {
        const reply = await whole(sent);
        await hold();
        return answerWith(reply, response);
      }
      case 'duplicate': {
        await whole(sent);
        answerWith(await whole(sent), response);
        return mark();
      }
      case 'cut':
        return cut(await whole(sent), fault, response);
      case 'replace': {
        const reply = await whole(sent);
        const body = fault.body === undefined ? reply.body : Buffer.from(fault.body);
        const headers = { ...reply.headers, ...fault.headers };
        answerWith({ status: fault.status ?? reply.status, headers, body }, response);
        return mark();
      }
      case 'trickle':
        return startTrickle(await whole(sent), response);
    }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => response.destroy());
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const record: Seen = { ...seenOf(request, seen.length + 1), ...saidIn(body), atMs: nowMs() };
      seen.push(record);
      const sent: Sent = { seen: record, body };
      const fault = faultFor(record);
      if (fault !== undefined) record.fault = fault.do;
      response.on('close', () => {
        if (!response.writableFinished) record.hungUp = true;
      });
      const done = fault === undefined ? pass(sent, response) : damage(sent, fault, response);
      // The engine is gone: the client sees what it would see without the proxy.
      done.catch(() => response.socket?.destroy());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });

  return {
    socket,
    seen,
    break(rule) {
      const one = { rule, hits: 0 };
      rules.push(one);
      return () => {
        const at = rules.indexOf(one);
        if (at >= 0) rules.splice(at, 1);
      };
    },
    reached: (count) =>
      new Promise((go) => {
        if (reached >= count) go();
        else waiting.add({ count, go });
      }),
    release() {
      for (const go of held) go();
      held.clear();
    },
    trickle() {
      for (const next of trickling) next();
    },
    hangUp: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      agent.destroy();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function seenOf(request: IncomingMessage, at: number): Omit<Seen, 'atMs'> {
  const method = request.method ?? 'GET';
  const url = request.url ?? '/';
  const { pathname, searchParams } = new URL(url, 'http://docker');
  return {
    at,
    method,
    path: pathname,
    url,
    queryKeys: [...searchParams.keys()],
    headers: request.headers,
    mutating: method !== 'GET' && method !== 'HEAD',
  };
}

/** Monotonic, and close to the wall clock, so that it can be held against times in logs. */
function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function note(request: Seen, chunk: Buffer): void {
  request.message = `${request.message ?? ''}${chunk.toString()}`.slice(0, 200);
}

function saidIn(body: Buffer): Pick<Seen, 'name' | 'labels'> {
  if (body.length === 0) return {};
  try {
    const json: unknown = JSON.parse(body.toString());
    if (typeof json !== 'object' || json === null) return {};
    const name = 'Name' in json && typeof json.Name === 'string' ? json.Name : '';
    const labels = 'Labels' in json ? json.Labels : undefined;
    return {
      ...(name !== '' && { name }),
      ...(typeof labels === 'object' && labels !== null && { labels: textsOf(labels) }),
    };
  } catch {
    return {};
  }
}

function textsOf(labels: object): Readonly<Record<string, string>> {
  const texts = Object.entries(labels).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
  return Object.fromEntries(texts);
}

function bytesOf(cut: Cut, length: number): number {
  if (cut === 'headers') return 0;
  if (cut === 'half') return Math.floor(length / 2);
  if (cut === 'last-1') return Math.max(0, length - 1);
  return Math.min(cut, length);
}

/** The head says how long the whole answer is, whatever comes of it. */
function head(reply: Reply, response: ServerResponse): void {
  const { 'transfer-encoding': _chunked, ...headers } = reply.headers;
  response.writeHead(reply.status, { ...headers, 'content-length': reply.body.length });
  response.flushHeaders();
}

function answerWith(reply: Reply, response: ServerResponse): void {
  head(reply, response);
  response.end(reply.body);
}

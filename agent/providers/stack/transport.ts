import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { inspect } from 'node:util';
import type { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { classify, type NotOk, type Reply } from './classify.ts';
import { SameLists } from './same-lists.ts';

/** Where the engine is and how long it may take. Milliseconds. */
export interface TransportSettings {
  readonly socket: string;
  /** Engine API version that stands in every path: `1.41`. */
  readonly version: string;
  /** Exchanges at once. */
  readonly atOnce: number;
  readonly deadlinesMs: { readonly read: number; readonly write: number };
  readonly answerBytesMax: AnswerBytesMax;
}

/** How large an answer may get. Bytes. */
export interface AnswerBytesMax {
  /** Of the list of configs: it carries the content of each, of every version that is still there. */
  readonly configs: number;
  readonly other: number;
}

/** What dockerode hands to its modem. */
export interface Dial {
  readonly path: string;
  readonly method: string;
  readonly options?: {
    readonly _query?: object;
    readonly _body?: object;
    /** The value of `X-Registry-Auth`. */
    readonly _login?: Secret;
  };
  readonly abortSignal?: AbortSignal;
  /** The answer is no text: each of its bytes is one character. */
  readonly bytes?: boolean;
}

type Callback = (error: Error | null, value: object | null) => void;

/** Stands where dockerode expects its own `docker-modem`. */
export interface Modem {
  Promise: PromiseConstructor;
  dial(options: Dial, callback: Callback): void;
  /** As `dial`, for what dockerode gives no options to. Rejects with an `EngineError`. */
  ask(options: Dial): Promise<object>;
  /** As `ask`, before anybody says what the answer means: where its status counts too. */
  reply(options: Dial): Promise<Reply>;
  /** Ends all connections; exchanges under way fail. */
  close(): void;
}

/** Carries an outcome through dockerode. Holds nothing of the request. */
export class EngineError extends Error {
  readonly outcome: NotOk;

  constructor(outcome: NotOk) {
    super(outcome.why);
    this.name = 'EngineError';
    this.outcome = outcome;
  }
}

const MIB = 1024 * 1024;
/** How many calls may wait for a free connection. */
const waitingMax = 1024;
/** Nothing else may stand in a URL: engines and proxies write URLs to their logs. */
const queryKeys = new Set(['version', 'filters', 'registryAuthFrom', 'stdout', 'stderr', 'tail']);

/** Keeps connections, and never shows what is under way on them, whatever prints it. */
class QuietAgent extends Agent {
  [inspect.custom](): string {
    return '[agent]';
  }
}

/**
 * A modem for dockerode on one unix socket. It takes the place of `docker-modem`, which never settles when an answer is
 * cut, follows redirects, has no bound on an answer, prints answers with `DEBUG=modem`, and obeys `DOCKER_HOST` and
 * `DOCKER_CERT_PATH`. Every exchange ends by the deadline, nothing is ever sent twice, and an error is an `EngineError`.
 * `authconfig` is not read: dockerode's `createService(options)` puts the whole spec there, and so into a header.
 */
export function openModem(settings: TransportSettings, clock: Clock): Modem {
  const { atOnce } = settings;
  const agent = new QuietAgent({ keepAlive: true, maxSockets: atOnce, maxFreeSockets: atOnce });
  const closing = new AbortController();
  let open = 0;

  async function reply(dial: Dial): Promise<Reply> {
    const signals = [closing.signal, dial.abortSignal].filter((one) => one !== undefined);
    const exchange = exchangeOf(dial, settings, AbortSignal.any(signals));
    if (open >= atOnce + waitingMax) return { kind: 'failed', how: 'queue-full' };
    open += 1;
    try {
      const answer = await send(exchange, agent, clock);
      // Without this it would say so for good, and nobody would know what to do about it.
      if (answer.kind === 'failed' && answer.how === 'too-large') throw tooLarge(exchange);
      return answer;
    } finally {
      open -= 1;
    }
  }

  return modemOf(reply, () => {
    closing.abort();
    agent.destroy();
  });
}

/** A modem around whatever answers one request at a time. */
export function modemOf(reply: (dial: Dial) => Promise<Reply>, close: () => void): Modem {
  const lists = new SameLists();
  const ask = async (dial: Dial): Promise<object> => {
    const answer = await reply(dial);
    if (answer.kind !== 'answer' || answer.status !== 200 || dial.method !== 'GET') {
      return unwrap(answer);
    }
    const question = requestOf(dial).path;
    const same = lists.recall(question, answer.text);
    if (same !== undefined) return same;
    const value = unwrap(answer);
    lists.keep(question, answer.text, value);
    return value;
  };
  return {
    Promise,
    reply,
    ask,
    dial(options, callback) {
      ask(options).then(
        (value) => callback(null, value),
        (error: unknown) => callback(error instanceof Error ? error : new Error('failed'), null),
      );
    },
    close,
  };
}

/** Pure. What goes out: the method, the path with its query, the body. Throws where a value would get into the URL. */
export function requestOf(dial: Dial): {
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
} {
  const { _query: query, _body: body } = dial.options ?? {};
  if (query === undefined) throw new Error('bug: a Docker call without _query');
  if ((dial.method === 'POST') !== (body !== undefined)) {
    throw new Error('bug: only what writes has a _body');
  }
  return {
    method: dial.method,
    path: `${dial.path.replace(/\?$/, '')}${queryText(query)}`,
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

interface Exchange {
  readonly socket: string;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
  readonly login: Secret | undefined;
  readonly deadlineMs: number;
  readonly bytesMax: number;
  readonly encoding: 'utf8' | 'latin1';
  readonly signal: AbortSignal;
}

function exchangeOf(dial: Dial, settings: TransportSettings, signal: AbortSignal): Exchange {
  const request = requestOf(dial);
  const { configs, other } = settings.answerBytesMax;
  const { read, write } = settings.deadlinesMs;
  const { _login: login } = dial.options ?? {};
  const path = `/v${settings.version}${request.path}`;
  return {
    ...request,
    login,
    socket: settings.socket,
    path,
    deadlineMs: dial.method === 'GET' ? read : write,
    bytesMax: isConfigs(path) ? configs : other,
    encoding: dial.bytes === true ? 'latin1' : 'utf8',
    signal,
  };
}

function isConfigs(path: string): boolean {
  return /^\/v[\d.]+\/configs(\?|$)/.test(path);
}

function tooLarge({ path, bytesMax }: Exchange): EngineError {
  const why = `the answer is larger than ${String(Math.floor(bytesMax / MIB))} MiB`;
  const advice = isConfigs(path) ? ': remove configs that no service uses' : '';
  return new EngineError({ status: 'unknown', why: `${why}${advice}` });
}

function queryText(query: object): string {
  const parts = Object.entries(query).map(([key, value]: [string, unknown]) => {
    if (!queryKeys.has(key)) throw new Error(`bug: query key ${key} is not allowed`);
    return `${key}=${encodeURIComponent(typeof value === 'string' ? value : JSON.stringify(value))}`;
  });
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

function unwrap(reply: Reply): object {
  const outcome = classify(reply);
  if (outcome.status !== 'ok') throw new EngineError(outcome);
  return outcome.value;
}

/** One exchange. Always settles: with the answer, by the deadline, by the signal, or when the connection ends. */
function send(exchange: Exchange, agent: Agent, clock: Clock): Promise<Reply> {
  const { body, signal } = exchange;
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve({ kind: 'failed', how: 'aborted' });
      return;
    }
    const { socket: socketPath, method, path } = exchange;
    const headers = headersOf(exchange);
    const request = httpRequest({ agent, socketPath, method, path, headers });
    const stop = (): void => end({ kind: 'failed', how: 'aborted' });
    const cancel = clock.after(exchange.deadlineMs, () => end({ kind: 'failed', how: 'deadline' }));
    let ended = false;
    function end(reply: Reply): void {
      if (ended) return;
      ended = true;
      cancel();
      signal.removeEventListener('abort', stop);
      // A connection with half an answer on it must not be used again.
      if (reply.kind === 'failed') request.destroy();
      resolve(reply);
    }
    signal.addEventListener('abort', stop);
    // Stays after the end: a destroyed request may still report an error, which nobody else would catch.
    request.on('error', (error) => end({ kind: 'failed', how: 'connection', ...codeOf(error) }));
    request.on('response', (response) => collect(response, exchange, end));
    request.end(body);
  });
}

function headersOf({ body, login }: Exchange): Record<string, string | number> {
  return {
    host: 'docker',
    ...(login !== undefined && { 'x-registry-auth': login.reveal() }),
    ...(body !== undefined && {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    }),
  };
}

function collect(
  response: IncomingMessage,
  { bytesMax, encoding }: Pick<Exchange, 'bytesMax' | 'encoding'>,
  end: (reply: Reply) => void,
): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > bytesMax) end({ kind: 'failed', how: 'too-large' });
    else chunks.push(chunk);
  });
  response.on('error', () => end({ kind: 'failed', how: 'truncated' }));
  response.on('close', () => end({ kind: 'failed', how: 'truncated' }));
  response.on('end', () => {
    const text = Buffer.concat(chunks).toString(encoding);
    end(
      response.complete
        ? { kind: 'answer', status: response.statusCode ?? 0, text }
        : { kind: 'failed', how: 'truncated' },
    );
  });
}

function codeOf(error: Error): { readonly code?: string } {
  return 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
}

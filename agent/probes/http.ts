import {
  Agent as HttpAgent,
  type ClientRequest,
  type IncomingMessage,
  request as httpRequest,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';

import type { Question } from '../core/kind.ts';
import { connectOptions, type Gate } from './gate.ts';
import { closedEarly, outcome, seconds, troubleOf, type Outcome } from './outcome.ts';
import { TextSearch } from './text-search.ts';

type HttpQuestion = Extract<Question, { readonly ask: 'http' }>;

/** How much of an answer is read to find a text in it. */
const BODY_BYTES_MAX = 256 * 1024;

// A connection is for one question: the next one must find out anew whether anybody answers, and who.
const plainAgent = new HttpAgent({ keepAlive: false });
const tlsAgent = new HttpsAgent({ keepAlive: false, maxCachedSessions: 0 });

/** Asks once; a redirect is an answer like any other. An aborted signal means that the time is over. */
export async function askHttp(
  question: HttpQuestion,
  gate: Gate,
  signal: AbortSignal,
): Promise<Outcome> {
  const url = URL.canParse(question.url) ? new URL(question.url) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    return outcome('bad', 'this is not an HTTP address');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const passed = await gate.pass(host, question.nodes, signal);
  if (passed.status === 'held') return passed.outcome;
  return new Promise((resolve) => {
    const late = outcome('bad', `no answer in ${seconds(question.timeoutMs)}`);
    if (signal.aborted) {
      resolve(late);
      return;
    }
    const options = connectOptions(passed.addresses, question.timeoutMs);
    const request = send(url, host, question, options);
    const end = (what: Outcome): void => {
      signal.removeEventListener('abort', stop);
      request.destroy();
      resolve(what);
    };
    const stop = (): void => end(late);
    signal.addEventListener('abort', stop, { once: true });
    // Stays after the end: a destroyed request may still report an error, which nobody else would catch.
    request.on('error', (error) => end(outcome('bad', troubleOf(error))));
    // Where an answer switches to another protocol there is neither an answer nor an error.
    const closed = (): void => end(outcome('bad', closedEarly));
    request.on('close', closed);
    request.on('response', (response) => {
      request.off('close', closed);
      judge(response, question, end);
    });
    request.end();
  });
}

function send(
  url: URL,
  host: string,
  question: HttpQuestion,
  options: ReturnType<typeof connectOptions>,
): ClientRequest {
  const asked = question.host ?? url.host;
  const headers = {
    host: asked,
    accept: '*/*',
    'accept-encoding': 'identity',
    'user-agent': 'understudy',
  };
  const common = {
    ...options,
    method: 'GET',
    host,
    path: `${url.pathname}${url.search}`,
    headers,
    setHost: false,
  };
  if (url.protocol === 'http:') {
    return httpRequest({ ...common, agent: plainAgent, port: url.port || 80 });
  }
  const name = asked.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return httpsRequest({
    ...common,
    agent: tlsAgent,
    port: url.port || 443,
    // An address is no server name (RFC 6066), but the certificate must hold it all the same.
    servername: isIP(name) === 0 ? name : '',
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
}

function judge(
  response: IncomingMessage,
  { status, contains }: HttpQuestion,
  end: (what: Outcome) => void,
): void {
  const code = response.statusCode ?? 0;
  const good = outcome('good', `HTTP status ${String(code)}`);
  if (!status.some(({ from, to }) => from <= code && code <= to)) {
    end({ ...good, status: 'bad' });
  } else if (contains === undefined) {
    end(good);
  } else {
    const lacks = outcome('bad', `the answer does not hold \`${shortened(contains)}\``);
    const search = new TextSearch(contains);
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, BODY_BYTES_MAX - bytes);
      bytes += part.length;
      if (search.feed(part)) end(good);
      else if (bytes === BODY_BYTES_MAX) end(lacks);
    });
    response.on('error', (error) => end(outcome('bad', troubleOf(error))));
    response.on('end', () => end(lacks));
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';

/** A registry in this process, as the distribution protocol has it, with what can be wrong with one. */
export class SmallRegistry {
  readonly #server: Server;
  /** Every request: `HEAD /v2/... AUTHORIZATION`. */
  readonly seen: string[] = [];
  /** Manifests by `repository:tag`. */
  readonly manifests = new Map<string, string>();
  /** Accepted values of `Authorization` for manifests; empty: everybody's. */
  readonly accepted = new Set<string>();
  /** Of `/token`: what `Authorization` gets which token. */
  readonly tokens = new Map<string, string>();
  challenge = '';
  host = '';
  /** Answers before anything else does. */
  before: (request: IncomingMessage, response: ServerResponse) => boolean = () => false;
  digestHeader: 'right' | 'none' | 'wrong' | 'strange' = 'right';

  constructor() {
    this.#server = createServer((request, response) => this.#answer(request, response));
  }

  static async open(): Promise<SmallRegistry> {
    const registry = new SmallRegistry();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    const address = registry.#server.address();
    if (address === null || typeof address === 'string') throw new Error('not listening');
    registry.host = `127.0.0.1:${String(address.port)}`;
    return registry;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  digestOf(name: string): string {
    return digest(this.manifests.get(name) ?? '');
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const { method = '', url = '', headers } = request;
    const { authorization = '' } = headers;
    this.seen.push(`${method} ${url} ${authorization}`.trim());
    if (this.before(request, response)) return;
    const path = new URL(url, 'http://registry').pathname;
    if (path === '/token') {
      const token = this.tokens.get(authorization);
      response.writeHead(token === undefined ? 401 : 200).end(JSON.stringify({ token }));
      return;
    }
    if (this.accepted.size > 0 && !this.accepted.has(authorization)) {
      response.writeHead(401, { 'www-authenticate': this.challenge }).end();
      return;
    }
    const [, repository = '', tag = ''] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(path) ?? [];
    const manifest = this.manifests.get(`${repository}:${tag}`);
    if (manifest === undefined) {
      const known = [...this.manifests.keys()].some((name) => name.startsWith(`${repository}:`));
      const code = known ? 'MANIFEST_UNKNOWN' : 'NAME_UNKNOWN';
      response.writeHead(404).end(JSON.stringify({ errors: [{ code }] }));
      return;
    }
    // Whoever does not take an index gets one platform of it.
    const takesIndex = (headers.accept ?? '').includes('image.index');
    const body = takesIndex ? manifest : 'one platform of it';
    response.writeHead(200, this.#digest(body)).end(method === 'HEAD' ? undefined : body);
  }

  #digest(body: string): Record<string, string> {
    const values = { right: digest(body), wrong: digest(`${body}.`), strange: 'md5:1', none: '' };
    const value = values[this.digestHeader];
    return value === '' ? {} : { 'docker-content-digest': value };
  }
}

function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

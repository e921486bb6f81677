import { createHash } from 'node:crypto';

import type { Clock } from '../reconcile/ports.ts';
import { type TagAddress, tagAddress } from './address.ts';
import { authorize, type Login } from './authorization.ts';
import { challengeOf } from './challenge.ts';
import type { Answered, Ask } from './exchange.ts';
import { failureOf, noLogin, type NotFound, unreachable } from './failure.ts';
import { patiently } from './patience.ts';

/** What a registry says a tag stands for now. */
export type TagFound = { readonly status: 'found'; readonly digest: string } | NotFound;

/** A login as somebody keeps it; undefined: none for this registry. */
export type LoginFound = Login | undefined | { readonly why: string };

/** What asking registries needs. */
export interface RegistryPorts {
  readonly clock: Clock;
  /** By the host as people name it: `docker.io`. */
  readonly login: (host: string, signal: AbortSignal) => Promise<LoginFound>;
  /** Hosts, lower case, that are spoken to in plain http. */
  readonly insecure: ReadonlySet<string>;
}

/** Asks registries by their own protocol (OCI distribution, Docker Registry v2). */
export interface Registries {
  /** The digest that an image in the familiar form has now. Throws the signal's reason only. */
  digestOf(image: string, signal: AbortSignal): Promise<TagFound>;
}

/** An index before a manifest: the digest of an image for several platforms is that of its index, as the CLI takes it. */
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** What registries themselves take at most. */
const MANIFEST_BYTES_MAX = 4 * 2 ** 20;
const REDIRECTS_MAX = 4;
const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Opens nothing: each question makes its own connections. */
export function openRegistries(ports: RegistryPorts): Registries {
  /** What a repository took last, so that its other tags need no 401 first. */
  const taken = new Map<string, string>();

  async function asked(
    method: Ask['method'],
    address: TagAddress,
    signal: AbortSignal,
  ): Promise<Answered | NotFound> {
    const key = `${address.origin}/${address.repository}`;
    const url = new URL(`${address.origin}/v2/${address.repository}/manifests/${address.tag}`);
    const known = taken.get(key);
    const first = await redirected({ method, url }, known, ports.clock, signal);
    if (first.answer.kind === 'failed' || first.answer.status !== 401) return first.answer;
    // Whoever it led to is not the registry that the login is for.
    const challenge = first.isElsewhere
      ? undefined
      : challengeOf(first.answer.headers.get('www-authenticate'));
    if (challenge === undefined) return failureOf(address, first.answer, false);
    const login = await ports.login(address.host, signal);
    if (login !== undefined && 'why' in login) return noLogin(address.host, login.why);
    const answer = await authorize(address, { challenge, login }, ports.clock, signal);
    if (answer?.status !== 'ok') return answer ?? failureOf(address, first.answer, false);
    const second = await redirected({ method, url }, answer.header, ports.clock, signal);
    if (second.answer.kind === 'answer' && [401, 403].includes(second.answer.status)) {
      return failureOf(address, second.answer, login !== undefined);
    }
    taken.set(key, answer.header);
    return second.answer;
  }

  return {
    async digestOf(image, signal) {
      signal.throwIfAborted();
      const address = tagAddress(image, ports.insecure);
      if (address === undefined) throw new Error('bug: an image without a tag is looked up');
      const head = await asked('HEAD', address, signal);
      if ('code' in head) return head;
      const named = digestIn(head);
      if (named !== undefined) return found(address, named);
      // A HEAD has no body: what is wrong, or what the digest is, the whole answer says.
      if (head.kind === 'failed' || isFinal(head.status)) return failureOf(address, head, false);
      const whole = await asked('GET', address, signal);
      if ('code' in whole) return whole;
      if (whole.kind === 'failed' || whole.status !== 200) return failureOf(address, whole, false);
      const own = `sha256:${createHash('sha256').update(whole.body).digest('hex')}`;
      const said = digestIn(whole) ?? own;
      return said === own ? found(address, own) : unreachable(address.host, 'its answer is not what its digest says'); // prettier-ignore
    },
  };
}

function found({ host }: TagAddress, digest: string): TagFound {
  return DIGEST.test(digest)
    ? { status: 'found', digest }
    : unreachable(host, 'it gives a digest that is none of sha256');
}

function isFinal(status: number): boolean {
  return status === 401 || status === 403 || status === 429 || status >= 500;
}

function digestIn(answer: Answered): string | undefined {
  if (answer.kind === 'failed' || answer.status !== 200) return undefined;
  return answer.headers.get('docker-content-digest') ?? undefined;
}

interface Redirected {
  readonly answer: Answered;
  /** Of another host than the one that was asked. */
  readonly isElsewhere: boolean;
}

/** One request and where it leads. What authorizes it goes to the first host only, and nothing goes from https to http. */
async function redirected(
  { method, url: first }: Pick<Ask, 'method' | 'url'>,
  authorization: string | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<Redirected> {
  let url = first;
  for (let led = 0; ; led += 1) {
    const isElsewhere = url.origin !== first.origin;
    const mayAuthorize = authorization !== undefined && !isElsewhere;
    const headers = { accept: ACCEPT, ...(mayAuthorize && { authorization }) };
    const ask = { method, url, headers, bytesMax: MANIFEST_BYTES_MAX };
    const answer = await patiently(ask, clock, signal);
    const to = answer.kind === 'answer' ? locationIn(answer, url) : undefined;
    if (to === undefined) return { answer, isElsewhere };
    if (led >= REDIRECTS_MAX || to.protocol !== url.protocol) {
      return { answer: { kind: 'failed', why: 'it leads elsewhere and on' }, isElsewhere };
    }
    url = to;
  }
}

function locationIn(
  { status, headers }: Extract<Answered, { kind: 'answer' }>,
  from: URL,
): URL | undefined {
  const location = headers.get('location');
  const leads = [301, 302, 303, 307, 308].includes(status);
  return leads && location !== null && URL.canParse(location, from.href)
    ? new URL(location, from)
    : undefined;
}

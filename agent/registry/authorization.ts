import { z } from 'zod';

import type { Secret } from '../core/secret.ts';
import type { Clock } from '../reconcile/ports.ts';
import type { TagAddress } from './address.ts';
import type { Challenge } from './challenge.ts';
import type { Ask } from './exchange.ts';
import { failureOf, type NotFound, unreachable } from './failure.ts';
import { patiently } from './patience.ts';

/** Who somebody is for one registry. */
export interface Login {
  readonly username: string;
  readonly password: Secret;
}

/** The value of an `Authorization` header, or why there is none. */
export type Authorization = { readonly status: 'ok'; readonly header: string } | NotFound;

const TOKEN_BYTES_MAX = 256 * 1024;
const token = z.looseObject({ token: z.string().optional(), access_token: z.string().optional() });

/**
 * What answers a challenge of the registry at `address`. A login goes to that registry, or over https to the token server
 * that it names: it could ask for the login itself just as well. A registry in plain http may name only itself, since
 * anybody on the way could have written the answer. Undefined: it wants a login, and there is none.
 */
export async function authorize(
  address: TagAddress,
  { challenge, login }: { readonly challenge: Challenge; readonly login: Login | undefined },
  clock: Clock,
  signal: AbortSignal,
): Promise<Authorization | undefined> {
  if (challenge.scheme === 'basic') {
    return login === undefined ? undefined : { status: 'ok', header: basic(login) };
  }
  const url = tokenUrl(address, challenge);
  if (url === undefined) {
    return unreachable(address.host, 'it names a token server that is not asked');
  }
  const headers = login === undefined ? {} : { authorization: basic(login) };
  const ask: Ask = { method: 'GET', url, headers, bytesMax: TOKEN_BYTES_MAX };
  const answer = await patiently(ask, clock, signal);
  if (answer.kind === 'failed') {
    return unreachable(address.host, `its token server ${url.host}: ${answer.why}`);
  }
  if (answer.status !== 200) {
    // A token server that knows no such thing says nothing of the image.
    const status = answer.status === 404 ? 502 : answer.status;
    return failureOf(address, { ...answer, status }, login !== undefined);
  }
  const given = tokenIn(answer.body);
  return given === undefined
    ? unreachable(address.host, `its token server ${url.host} gives no token`)
    : { status: 'ok', header: `Bearer ${given}` };
}

/** Pure. Where a token for reading is asked for; undefined where nobody may be asked. */
export function tokenUrl(
  { origin, repository }: TagAddress,
  { realm, service, scope }: Extract<Challenge, { scheme: 'bearer' }>,
): URL | undefined {
  if (!URL.canParse(realm)) return undefined;
  const url = new URL(realm);
  const registry = new URL(origin);
  const isSafe = url.protocol === 'https:' && registry.protocol === 'https:';
  const isItself = url.protocol === registry.protocol && url.host === registry.host;
  if ((!isSafe && !isItself) || url.username !== '' || url.password !== '') return undefined;
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope ?? `repository:${repository}:pull`);
  return url;
}

function tokenIn(body: Uint8Array): string | undefined {
  try {
    const { data } = token.safeParse(JSON.parse(new TextDecoder().decode(body)));
    const given = data?.token ?? data?.access_token ?? '';
    // It becomes part of a header.
    return /^[\x21-\x7e]+$/.test(given) ? given : undefined;
  } catch {
    return undefined;
  }
}

function basic({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password.reveal()}`).toString('base64')}`;
}

import type { DiagnosticCode } from '../core/codes.ts';
import { visible } from '../core/visible.ts';
import type { TagAddress } from './address.ts';
import type { Answered } from './exchange.ts';

/** Why a registry gave no digest, for people. */
export interface NotFound {
  readonly status: 'failed';
  readonly code: Extract<DiagnosticCode, `registry-${string}`>;
  readonly message: string;
  readonly hint: string;
}

/** Pure. What an answer that gives no digest means. `login`: one was sent. */
export function failureOf(
  { host, repository, tag }: TagAddress,
  answer: Answered,
  login: boolean,
): NotFound {
  if (answer.kind === 'failed') return unreachable(host, answer.why);
  const { status, body } = answer;
  if (status === 401 || status === 403) return denied(host, status, login);
  if (status === 429) {
    const hint = 'wait, or log in with `docker login`: most registries allow more then';
    const message = `\`${host}\` allows no more requests for now (429)`;
    return { status: 'failed', code: 'registry-limit', message, hint };
  }
  if (status === 404) {
    const nameless = /NAME_UNKNOWN/.test(new TextDecoder().decode(body.subarray(0, 4_096)));
    const what = nameless ? `no image \`${repository}\`` : `no tag \`${tag}\` of \`${repository}\``;
    const hint = 'look at the spelling, or push it first';
    return { status: 'failed', code: 'registry-missing', message: `\`${host}\` has ${what}`, hint };
  }
  return unreachable(host, `it answers with ${String(status)}`);
}

/** Pure. A registry that nothing can be learnt from now. */
export function unreachable(host: string, why: string): NotFound {
  const message = `\`${host}\` cannot be asked: ${visible(why)}`;
  const hint =
    '`--insecure-registry HOST` speaks plain http; an authority of your own goes into NODE_EXTRA_CA_CERTS';
  return { status: 'failed', code: 'registry-unreachable', message, hint };
}

/** Pure. A login that is there and cannot be used. */
export function noLogin(host: string, why: string): NotFound {
  const message = `the login for \`${host}\` cannot be used: ${visible(why)}`;
  const hint = `log in anew with \`docker login ${host}\``;
  return { status: 'failed', code: 'registry-denied', message, hint };
}

function denied(host: string, status: number, login: boolean): NotFound {
  const message = login
    ? `\`${host}\` refuses the login for it (${String(status)})`
    : `\`${host}\` wants a login for it (${String(status)})`;
  // Many registries do not say who may not know whether there is such an image.
  const hint = `log in with \`docker login ${host}\`, with an account that may read it; some registries say this of images that do not exist, too`;
  return { status: 'failed', code: 'registry-denied', message, hint };
}

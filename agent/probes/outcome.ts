import type { Answer } from '../core/kind.ts';
import { visible } from '../core/visible.ts';

/** What one asking came to. */
export type Outcome = Pick<Answer, 'status' | 'detail' | 'cause'>;

/** Most characters of a detail. */
const DETAIL_MAX = 200;

/** Pure. `detail` in one line of bounded length that a terminal shows as it is, whatever an outside said. */
export function outcome(status: Outcome['status'], detail: string): Outcome {
  const shown = visible(detail.slice(0, DETAIL_MAX + 1));
  const tooLong = shown.length > DETAIL_MAX;
  return { status, detail: tooLong ? `${shown.slice(0, DETAIL_MAX - 1)}…` : shown };
}

/** Pure. `3 s` */
export function seconds(ms: number): string {
  return `${String(ms / 1000)} s`;
}

/** Said where the other side hung up. */
export const closedEarly = 'the connection was closed before the answer was there';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: closedEarly,
  EPIPE: closedEarly,
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  EADDRNOTAVAIL: 'the address cannot be reached from here',
  ETIMEDOUT: 'the connection was not answered',
  HPE_HEADER_OVERFLOW: 'the head of the answer is too large',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate is signed by an unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate is signed by an unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate is signed by an unknown authority',
};

/** Pure. Why a connection or an answer failed. Only codes are read: a library's sentence may hold anything. */
export function troubleOf(error: Error): string {
  const code = codeOf(error);
  const words = Object.hasOwn(WORDS, code) ? WORDS[code] : undefined;
  if (words !== undefined) return words;
  if (code.startsWith('HPE_')) return 'this is not an HTTP answer';
  if (/CERT|ISSUER|HOSTNAME/.test(code)) return `certificate is not trusted (${code})`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return 'this is not a TLS connection';
  return code === '' ? 'the connection failed' : `the connection failed (${code})`;
}

/** Pure. The code of an error, of the first one where several addresses were tried; empty where it has none. */
export function codeOf(error: Error): string {
  if ('code' in error && typeof error.code === 'string') {
    return error.code.replaceAll(/[^A-Z0-9_]/g, '').slice(0, 60);
  }
  const first: unknown = error instanceof AggregateError ? error.errors[0] : undefined;
  return first instanceof Error ? codeOf(first) : '';
}

/**
 * What `promise` gives, or what `late` gives as soon as the signal is aborted: for what cannot be stopped. A rejection
 * after that is dropped too.
 */
export async function orLate<Value>(
  promise: Promise<Value>,
  late: () => Value,
  signal: AbortSignal,
): Promise<Value> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(late());
    const done = (): void => signal.removeEventListener('abort', stop);
    promise.finally(done).then(resolve, reject);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

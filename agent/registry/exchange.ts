import { codeOf, troubleOf } from '../probes/outcome.ts';
import type { Clock } from '../reconcile/ports.ts';

/** One request. */
export interface Ask {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** How large the answer may be. Bytes. */
  readonly bytesMax: number;
}

/** What came of it: an answer of any status, or none in words. */
export type Answered =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Headers;
      readonly body: Uint8Array;
    }
  | { readonly kind: 'failed'; readonly why: string };

/** Of one request, its answer included. Milliseconds. */
const DEADLINE_MS = 20_000;

/**
 * Sends one request and reads its answer, up to a length and a deadline. Follows no redirect. Throws the signal's reason
 * only; no error says what was sent.
 */
export async function exchange(ask: Ask, clock: Clock, signal: AbortSignal): Promise<Answered> {
  const late = new AbortController();
  const cancel = clock.after(DEADLINE_MS, () => late.abort());
  try {
    const { method, url, headers } = ask;
    const either = AbortSignal.any([signal, late.signal]);
    const answer = await fetch(url, { method, headers, redirect: 'manual', signal: either });
    const body = await bodyOf(answer, ask.bytesMax);
    if (body === undefined) return { kind: 'failed', why: 'its answer is too large' };
    return { kind: 'answer', status: answer.status, headers: answer.headers, body };
  } catch (error) {
    signal.throwIfAborted();
    if (late.signal.aborted) return { kind: 'failed', why: `no answer in ${String(DEADLINE_MS / 1000)} s` }; // prettier-ignore
    return { kind: 'failed', why: inWords(error) };
  } finally {
    cancel();
  }
}

async function bodyOf(answer: Response, bytesMax: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    const chunk: unknown = part;
    if (!(chunk instanceof Uint8Array)) throw new Error('bug: a body is not bytes');
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Only codes are read: a library's sentence may hold anything. */
function inWords(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return 'the connection failed';
  const code = codeOf(cause);
  if (code === 'ENOTFOUND') return 'there is no such host';
  if (code === 'EAI_AGAIN') return 'the name server does not say where it is';
  return troubleOf(cause);
}

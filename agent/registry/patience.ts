import type { Clock } from '../reconcile/ports.ts';
import { type Answered, type Ask, exchange } from './exchange.ts';

/** How often one request is sent, at most. */
const TRIES_MAX = 3;
/** Between two tries where the registry does not say how long. Milliseconds. */
const WAIT_MS = 1_000;
/** A registry that wants more time than this is not waited for. Milliseconds. */
const WAIT_MS_MAX = 30_000;

/** As `exchange`; what was too much for the registry, or broke in it, is asked again a little later. */
export async function patiently(ask: Ask, clock: Clock, signal: AbortSignal): Promise<Answered> {
  for (let tried = 1; ; tried += 1) {
    const answer = await exchange(ask, clock, signal);
    if (tried >= TRIES_MAX || answer.kind === 'failed' || !isPassing(answer.status)) return answer;
    const wantedMs = retryAfterMs(answer.headers, clock) ?? WAIT_MS * 2 ** (tried - 1);
    if (wantedMs > WAIT_MS_MAX) return answer;
    await clock.sleep(wantedMs, signal);
  }
}

function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

/** What `Retry-After` asks for, in seconds or as a date. Milliseconds. */
export function retryAfterMs(headers: Headers, clock: Clock): number | undefined {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const atMs = /^[A-Z][a-z]{2}, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - clock.instant().wallMs);
}

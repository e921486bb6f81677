import type { Reply } from '../../agent/providers/stack/classify.ts';
import { swarmOver } from '../../agent/providers/stack/client.ts';
import type { Swarm } from '../../agent/providers/stack/swarm.ts';
import { type Dial, modemOf, requestOf } from '../../agent/providers/stack/transport.ts';
import type { FakeEngine } from './swarm-engine.ts';

/** One exchange with the fake engine, before it begins. */
export interface FakeExchange {
  /** Counted from 1. */
  readonly at: number;
  readonly method: string;
  /** Without version and query. */
  readonly path: string;
  readonly mutating: boolean;
}

/** What becomes of an exchange. `lost`: it never arrives. `unanswered`: it is carried out, and nobody hears of it. */
export type Fate = 'answered' | 'lost' | 'unanswered';

/**
 * The real client on the fake engine without a socket between them: an exchange takes one turn of promises and no time.
 * `fateOf` is asked before each; it may also end the agent there and then.
 */
export function directSwarm(
  engine: FakeEngine,
  fateOf: (exchange: FakeExchange) => Fate = () => 'answered',
): Swarm & { close(): void } {
  let at = 0;
  async function reply(dial: Dial): Promise<Reply> {
    const { method, path: address, body: text = '' } = requestOf(dial);
    const { pathname: path, searchParams: query } = new URL(address, 'http://docker');
    if (isAborted(dial)) return { kind: 'failed', how: 'aborted' };
    at += 1;
    const fate = fateOf({ at, method, path, mutating: method !== 'GET' });
    const answer = fate === 'lost' ? 'drop' : engine.handle({ method, path, query, text });
    await Promise.resolve();
    if (isAborted(dial)) return { kind: 'failed', how: 'aborted' };
    if (answer === 'drop' || fate === 'unanswered') {
      return { kind: 'failed', how: 'connection', code: 'ECONNRESET' };
    }
    const { status, body } = answer;
    return { kind: 'answer', status, text: body === undefined ? '' : JSON.stringify(body) };
  }
  const modem = modemOf(reply, () => undefined);
  return swarmOver({ modem, images: modem, logs: modem });
}

function isAborted({ abortSignal }: Dial): boolean {
  return abortSignal?.aborted === true;
}

import { connect } from 'node:net';

import type { Question } from '../core/kind.ts';
import { connectOptions, type Gate } from './gate.ts';
import { outcome, seconds, troubleOf, type Outcome } from './outcome.ts';

type TcpQuestion = Extract<Question, { readonly ask: 'tcp' }>;

/** Whether something takes a connection at a port. An aborted signal means that the time is over. */
export async function askTcp(
  { host, port, nodes, timeoutMs }: TcpQuestion,
  gate: Gate,
  signal: AbortSignal,
): Promise<Outcome> {
  const passed = await gate.pass(host, nodes, signal);
  if (passed.status === 'held') return passed.outcome;
  return new Promise((resolve) => {
    const late = outcome('bad', `no connection in ${seconds(timeoutMs)}`);
    if (signal.aborted) {
      resolve(late);
      return;
    }
    const socket = connect({ host, port, ...connectOptions(passed.addresses, timeoutMs) });
    const end = (what: Outcome): void => {
      signal.removeEventListener('abort', stop);
      socket.destroy();
      resolve(what);
    };
    const stop = (): void => end(late);
    signal.addEventListener('abort', stop, { once: true });
    // Stays after the end: a destroyed socket may still report an error, which nobody else would catch.
    socket.on('error', (error) => end(outcome('bad', troubleOf(error))));
    socket.on('connect', () => end(outcome('good', 'connected')));
  });
}

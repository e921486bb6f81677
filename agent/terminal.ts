import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

import type { Terminal } from './cli/purge-ports.ts';
import { Secret } from './core/secret.ts';

/** A terminal: what is typed comes in, questions go out. */
export interface TerminalStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
}

/** The person at these streams, which are a terminal's. */
export function terminalOn({ input, output }: TerminalStreams): Terminal {
  return {
    ask: async (question, signal) => await line({ input, output }, question, signal),
    askSecret: async (question, signal) => {
      output.write(question);
      // The line is edited as any other, and what would show it goes nowhere.
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const typed = await line({ input, output: nowhere }, '', signal);
      output.write('\n');
      return typed === undefined ? undefined : new Secret(typed);
    },
  };
}

/** Undefined: ended by Ctrl-C or Ctrl-D. */
async function line(
  { input, output }: TerminalStreams,
  question: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  signal.throwIfAborted();
  const answer = await new Promise<string | undefined>((resolve) => {
    const reader = createInterface({ input, output, terminal: true, historySize: 0 });
    let typed: string | undefined;
    const onAbort = (): void => reader.close();
    signal.addEventListener('abort', onAbort, { once: true });
    reader.on('SIGINT', () => reader.close());
    reader.on('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve(typed);
    });
    reader.question(question, (text) => {
      typed = text;
      reader.close();
    });
  });
  signal.throwIfAborted();
  return answer;
}

import { fileURLToPath } from 'node:url';

import { LineReader } from '../../core/line-reader.ts';
import { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { endedEarly, endingText, type Failed, notBegun, type Way, unreachable } from './answers.ts';
import type { Ending, Processes, Running } from './ports.ts';
import { type FromBridge, readLine, type ToBridge, writeLine } from './protocol.ts';

/** How long monitors may take to let us in. Seconds. */
export const CONNECT_S = 4;
/** The same with the time to load the program. Milliseconds. */
export const START_MS = 9_000;
/** A cluster with thousands of everything answers with less. */
const LINE_BYTES_MAX = 64 * 2 ** 20;

const PROGRAM = fileURLToPath(new URL('bridge.py', import.meta.url));

/** How a command ended that was sent. */
export type Ended =
  /** `code`: an errno, or 0. */
  | { readonly how: 'answered'; readonly code: number; readonly out: Secret; readonly text: string }
  /** No answer will come; it may be carried out all the same. */
  | { readonly how: 'lost'; readonly why: string };

export interface BridgePorts {
  readonly clock: Clock;
  readonly processes: Processes;
}

/**
 * One process of bridge.py, from its start to its end. Answers come in any order and are matched by number. After its end it is of no
 * use: another one takes its place.
 */
export class Bridge {
  /** Undefined: it takes commands. */
  readonly begun: Promise<Failed | undefined>;
  readonly #begun = Promise.withResolvers<Failed | undefined>();
  readonly #way: Way;
  readonly #running: Running;
  readonly #lines = new LineReader(LINE_BYTES_MAX);
  readonly #waiting = new Map<number, (ended: Ended) => void>();
  readonly #cancelStart: () => void;
  #isAlive = true;
  #lastId = 0;

  constructor(way: Way, { clock, processes }: BridgePorts) {
    this.#way = way;
    this.begun = this.#begun.promise;
    this.#running = processes.start([way.python, '-B', PROGRAM], {
      data: (chunk) => this.#hear(chunk),
      ended: (ending) => this.#end(ending),
    });
    this.#cancelStart = clock.after(START_MS, () => {
      const why = `what speaks to Ceph did not begin within ${START_MS / 1000} s`;
      this.#begun.resolve(unreachable(why));
      this.kill(why);
    });
    const { confFile: conf, keyringFile: keyring, client } = way;
    this.#running.send(writeLine({ conf, keyring, client, connectS: CONNECT_S }));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** Sends a command. Settles when it is answered or never will be: whoever waits has the deadline. */
  async ask({
    to,
    command,
    input,
  }: Omit<ToBridge, 'id' | 'input'> & { readonly input?: Secret }): Promise<Ended> {
    if (!this.#isAlive) return { how: 'lost', why: 'what speaks to Ceph has ended' };
    this.#lastId += 1;
    const id = this.#lastId;
    const given = input && { input: Buffer.from(input.reveal()).toString('base64') };
    return await new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#running.send(writeLine({ id, to, command, ...given }));
    });
  }

  /** Ends the process; whoever waits is told why. */
  kill(why: string): void {
    if (!this.#isAlive) return;
    this.#isAlive = false;
    this.#cancelStart();
    this.#running.kill();
    this.#begun.resolve(unreachable(why));
    for (const resolve of this.#waiting.values()) resolve({ how: 'lost', why });
    this.#waiting.clear();
  }

  #hear(chunk: Uint8Array): void {
    if (!this.#isAlive) return;
    const lines = this.#lines.push(chunk);
    if (lines === undefined) {
      this.kill('the answer of Ceph is too large');
      return;
    }
    for (const line of lines) {
      const message = readLine(line);
      if (message === undefined) {
        this.kill('what speaks to Ceph said what is not understood');
        return;
      }
      this.#take(message);
    }
  }

  #take(message: FromBridge): void {
    if ('fsid' in message) {
      this.#cancelStart();
      this.#begun.resolve(undefined);
    } else if ('failed' in message) {
      this.#begun.resolve(notBegun(message, this.#way, CONNECT_S));
      this.kill('what speaks to Ceph has ended');
    } else {
      const { id, code, out, error } = message;
      this.#waiting.get(id)?.({ how: 'answered', code, out: new Secret(out), text: error });
      this.#waiting.delete(id);
    }
  }

  #end(ending: Ending): void {
    this.#begun.resolve(endedEarly(ending, this.#way));
    this.kill(`what speaks to Ceph ended (${endingText(ending)})`);
  }
}

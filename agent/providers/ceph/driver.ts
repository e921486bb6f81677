import type { Secret } from '../../core/secret.ts';
import type { Guard } from '../../reconcile/lease-ports.ts';
import { type Answer, heldBack, isStarting, type Way, refusedBy, unreachable } from './answers.ts';
import { Bridge, type BridgePorts, type Ended } from './bridge.ts';
import type { CommandWords, Daemon } from './protocol.ts';
import { Turns } from './turns.ts';

/** One command for a cluster. */
export interface CephCommand {
  readonly to: Daemon;
  readonly words: CommandWords;
  /** What `-i` gives to Ceph's own program. Keys go here and nowhere else. */
  readonly input?: Secret;
  /** Says whether it may be sent; asked right before it is. Absent: it changes nothing, or a person sends it. */
  readonly guard?: Guard;
  /** Until there is an answer. Milliseconds; absent: as usual for the daemon. */
  readonly deadlineMs?: number;
}

/** The way to one cluster. Starts with the first command, and again after it broke. */
export interface Ceph {
  /**
   * Carries a command out. `unknown`: it may have been carried out, or still be: no answer came in time, neither to it nor to
   * another one under way, for which the process had to go. `held-back`: its guard refused. Rejects with the signal's reason while
   * it waits for its turn.
   */
  call(command: CephCommand, signal: AbortSignal): Promise<Answer>;
  /** Nothing is sent from then on. */
  close(): void;
}

/** Until there is an answer. Milliseconds; the manager daemon changes files, a monitor a map. */
export const DEADLINE_MS: Readonly<Record<Daemon, number>> = { mon: 5_000, mgr: 8_000 };

const LATE: Readonly<Record<Daemon, (seconds: number) => string>> = {
  mon: (seconds) =>
    `the monitors of Ceph did not answer within ${seconds} s: they are not reached, or they have no quorum`,
  mgr: (seconds) => `the manager daemon of Ceph did not answer within ${seconds} s`,
};

/** As many as the bridge has threads: what is sent is under way, and not in a queue there. */
const AT_ONCE = 8;
const WAITING_MAX = 256;
/** For so long a manager daemon that began is asked again, and so often. Milliseconds. */
const STARTING_MS = 1_200;
const AGAIN_MS = 200;

/** How far a command came. */
interface Progress {
  isSent: boolean;
}

const UNSENT: Answer = unreachable('stopped before it was sent');
const UNANSWERED: Answer = { status: 'unknown', why: 'stopped before Ceph answered' };

/** Pure but for what the ports do. */
export function openCeph(way: Way, ports: BridgePorts): Ceph {
  return new Driver(way, ports);
}

class Driver implements Ceph {
  readonly #way: Way;
  readonly #ports: BridgePorts;
  readonly #turns: Turns;
  #bridge: Bridge | undefined;
  #isClosed = false;

  constructor(way: Way, ports: BridgePorts) {
    this.#way = way;
    this.#ports = ports;
    this.#turns = new Turns(ports.clock, { atOnce: AT_ONCE, waitingMax: WAITING_MAX });
  }

  async call(command: CephCommand, signal: AbortSignal): Promise<Answer> {
    const deadlineMs = deadlineOf(command);
    const turn = await this.#turns.take(deadlineMs, signal);
    if (turn === 'full') return unreachable('too many commands wait for Ceph');
    if (turn === 'late') return unreachable(`Ceph was busy for ${deadlineMs / 1000} s`);
    const progress = { isSent: false };
    // The turn is over when the command is, also where nobody waits for that any more.
    const answer = this.#carryOut(command, progress, signal).finally(() => this.#turns.give());
    return await unlessStopped(answer, progress, signal);
  }

  close(): void {
    this.#isClosed = true;
    this.#bridge?.kill('it was closed');
  }

  async #carryOut(command: CephCommand, progress: Progress, signal: AbortSignal): Promise<Answer> {
    if (this.#isClosed) return unreachable('the way to Ceph is closed');
    if (this.#bridge?.isAlive !== true) this.#bridge = new Bridge(this.#way, this.#ports);
    const bridge = this.#bridge;
    const failed = await bridge.begun;
    if (failed !== undefined) return failed;
    // Whoever asked may have lost the right to write meanwhile.
    if (signal.aborted) return UNSENT;
    const { clock } = this.#ports;
    const beganMs = clock.nowMs();
    for (;;) {
      const leftMs = deadlineOf(command) - (clock.nowMs() - beganMs);
      // Until here it waited for its turn, for the process, or for a manager daemon that did nothing yet.
      const why = command.guard?.refusal(leftMs);
      if (why !== undefined) return heldBack(why);
      progress.isSent = true;
      const ended = await this.#ask(bridge, command, leftMs);
      const isEarly = clock.nowMs() - beganMs < STARTING_MS;
      if (ended.how === 'answered' && isStarting(command.to, ended.code) && isEarly) {
        await new Promise<void>((resolve) => {
          clock.after(AGAIN_MS, resolve);
        });
        if (bridge.isAlive && !signal.aborted) continue;
      }
      return answerOf(command.to, ended);
    }
  }

  /** With its deadline: past it the process is of no use, because librados cannot give up on one command. */
  async #ask(bridge: Bridge, command: CephCommand, leftMs: number): Promise<Ended> {
    const { to, words, input } = command;
    const cancel = this.#ports.clock.after(leftMs, () => {
      bridge.kill(LATE[to](deadlineOf(command) / 1000));
    });
    try {
      return await bridge.ask({ to, command: words, ...(input && { input }) });
    } finally {
      cancel();
    }
  }
}

/** Pure. */
function deadlineOf({ to, deadlineMs = DEADLINE_MS[to] }: CephCommand): number {
  return deadlineMs;
}

/** Pure. */
function answerOf(to: Daemon, ended: Ended): Answer {
  if (ended.how === 'lost') return { status: 'unknown', why: ended.why, cause: 'unreachable' };
  if (ended.code !== 0) return refusedBy(to, ended.code, ended.text);
  return { status: 'ok', value: ended.out };
}

/** The answer, or that there is none as soon as the signal is aborted. */
async function unlessStopped(
  answer: Promise<Answer>,
  progress: Progress,
  signal: AbortSignal,
): Promise<Answer> {
  const stopped = Promise.withResolvers<Answer>();
  const stop = (): void => stopped.resolve(progress.isSent ? UNANSWERED : UNSENT);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([answer, stopped.promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

import { isDeepStrictEqual } from 'node:util';

import type { Answer, Asked, Question } from '../core/kind.ts';
import type { Clock, Prober } from '../reconcile/ports.ts';
import { outcome, type Outcome } from './outcome.ts';

/** Asks once. Settles as soon as the signal is aborted, which means that the time is over. */
export type Asker = (question: Question, signal: AbortSignal) => Promise<Outcome>;

/** What the beats need. */
export interface BeatPorts {
  readonly clock: Clock;
  readonly ask: Asker;
  /** Told when an answer says something new. */
  readonly answered: () => void;
}

/** Questions under way at the same time. */
const AT_ONCE = 64;
/** Beyond this nobody counts any more, and nobody is told. */
const IN_A_ROW_MAX = 1000;
const IMAGE_TIMEOUT_MS = 20_000;

interface Beat {
  readonly question: Question;
  answer: Answer | undefined;
  stopped: boolean;
  /** Ends what it waits for. */
  halt: () => void;
}

/** Each question on a beat of its own: at once, and then so long after the end of the last asking. */
export class Beats implements Prober {
  readonly #ports: BeatPorts;
  #beats = new Map<string, Beat>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Beat>();
  #underWay = 0;
  #closed = false;

  constructor(ports: BeatPorts) {
    this.#ports = ports;
  }

  ask(asked: readonly Asked[]): void {
    if (this.#closed) return;
    const before = this.#beats;
    this.#beats = new Map();
    for (const { name, question } of asked) {
      if (this.#beats.has(name)) continue;
      const kept = before.get(name);
      if (kept !== undefined && isSame(kept.question, question)) {
        this.#beats.set(name, kept);
        before.delete(name);
        continue;
      }
      const beat = { question, answer: undefined, stopped: false, halt: () => undefined };
      this.#beats.set(name, beat);
      this.#waiting.add(beat);
    }
    for (const beat of before.values()) this.#stop(beat);
    this.#startWaiting();
  }

  answers(): ReadonlyMap<string, Answer> {
    const answers = new Map<string, Answer>();
    for (const [name, { answer }] of this.#beats)
      if (answer !== undefined) answers.set(name, answer);
    return answers;
  }

  close(): void {
    this.ask([]);
    this.#closed = true;
  }

  #stop(beat: Beat): void {
    beat.stopped = true;
    this.#waiting.delete(beat);
    beat.halt();
  }

  #startWaiting(): void {
    for (const beat of this.#waiting) {
      if (this.#underWay >= AT_ONCE) return;
      this.#waiting.delete(beat);
      this.#underWay += 1;
      void this.#askOnce(beat);
    }
  }

  async #askOnce(beat: Beat): Promise<void> {
    const { clock, ask } = this.#ports;
    const { question } = beat;
    const timeOver = new AbortController();
    beat.halt = () => timeOver.abort();
    const cancel = clock.after(deadlineMs(question), beat.halt);
    const came = await ask(question, timeOver.signal).catch(() =>
      outcome('open', 'this could not be asked'),
    );
    cancel();
    this.#underWay -= 1;
    if (!beat.stopped) {
      beat.halt = clock.after(question.everyMs, () => {
        this.#waiting.add(beat);
        this.#startWaiting();
      });
      this.#note(beat, came);
    }
    this.#startWaiting();
  }

  #note(beat: Beat, came: Outcome): void {
    const before = beat.answer;
    beat.answer = nextAnswer(before, came);
    if (isNews(before, beat.answer)) this.#ports.answered();
  }
}

/** Pure. What is known after one more asking. */
export function nextAnswer(before: Answer | undefined, came: Outcome): Answer {
  const again = before?.status === came.status ? before.inARow : 0;
  return {
    ...came,
    inARow: Math.min(again + 1, IN_A_ROW_MAX),
    wasGood: before?.wasGood === true || came.status === 'good',
  };
}

/** Pure. Whether anybody who waits for it could decide otherwise now. */
export function isNews(before: Answer | undefined, now: Answer): boolean {
  if (before?.status !== now.status || before.wasGood !== now.wasGood) return true;
  return now.status === 'bad' && before.inARow !== now.inARow;
}

function deadlineMs(question: Question): number {
  return question.ask === 'image' ? IMAGE_TIMEOUT_MS : question.timeoutMs;
}

/** The order of nodes is no part of a question. */
function isSame(one: Question, other: Question): boolean {
  return isDeepStrictEqual(withSortedNodes(one), withSortedNodes(other));
}

function withSortedNodes(question: Question): Question {
  return question.ask === 'image' || question.ask === 'log' || question.ask === 'check'
    ? question
    : { ...question, nodes: question.nodes.toSorted((a, b) => (a < b ? -1 : 1)) };
}

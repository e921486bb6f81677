import type { Question } from '../core/kind.ts';
import type { Clock, Prober } from '../reconcile/ports.ts';
import { Beats, type Asker } from './beats.ts';
import { openGate } from './gate.ts';
import { askHttp } from './http.ts';
import { orLate, outcome, type Outcome } from './outcome.ts';
import { askTcp } from './tcp.ts';

type ImageQuestion = Extract<Question, { readonly ask: 'image' }>;
type LogQuestion = Extract<Question, { readonly ask: 'log' | 'check' }>;

/** So much of a log is kept, of its end. Characters; whoever shows it makes it fit to be shown. */
const LOG_MAX = 4_096;

/** What a prober needs. */
export interface ProberPorts {
  readonly clock: Clock;
  /** Whether a registry has an image. Any rejection counts as `open`. */
  readonly image: (question: ImageQuestion, signal: AbortSignal) => Promise<Outcome>;
  /** What a task, or its healthcheck, wrote last: good with the text in `detail`, else `open`. */
  readonly log: (question: LogQuestion, signal: AbortSignal) => Promise<Outcome>;
  /** Networks that may be reached beside public ones and this Swarm's nodes: `10.0.0.0/8`. */
  readonly allow: readonly string[];
  /** Wakes whoever waits for an answer: one says something new. */
  readonly answered: () => void;
}

/** Asks nothing until it is told what. */
export function openProber({ clock, image, log, allow, answered }: ProberPorts): Prober {
  const gate = openGate(allow);
  const ask: Asker = async (question, signal) => {
    switch (question.ask) {
      case 'http':
        return askHttp(question, gate, signal);
      case 'tcp':
        return askTcp(question, gate, signal);
      case 'image': {
        const answer = image(question, signal);
        const { status, detail, cause } = await orLate(answer, lateImage, signal);
        return { ...outcome(status, detail), ...(cause !== undefined && { cause }) };
      }
      case 'log':
      case 'check': {
        const answer = log(question, signal);
        const { status, detail } = await orLate(answer, lateLog, signal);
        return { status, detail: detail.slice(-LOG_MAX) };
      }
    }
  };
  return new Beats({ clock, ask, answered });
}

function lateLog(): Outcome {
  return outcome('open', 'the log does not come');
}

function lateImage(): Outcome {
  return outcome('open', 'the registry does not answer');
}

import { readRecord } from '../record/read.ts';
import { readRequests, requestLabel } from '../record/requests.ts';
import { inWords } from './ask-put.ts';
import type { ReconcileEnded, Reconciling } from './reconcile-ports.ts';

/** The head is written by the agents too: so often it is read again when one of them was faster. */
const TRIES = 5;
/** Before another try after a write of which nobody knows whether it was made. Milliseconds. */
const PAUSE_MS = 500;
/** The head's labels have a limit: where nobody takes requests, more of them help nobody. */
const WAITING_MAX = 20;

/** Puts the request on the head. Undefined: it lies there, or did until a moment ago. */
export async function putReconcile(
  { desk, io, wanted, nonce }: Reconciling,
  signal: AbortSignal,
): Promise<ReconcileEnded | undefined> {
  let why = '';
  let isSent = false;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const read = await desk.shelf(signal);
    if (read.status !== 'ok') return refused(6, inWords(read, wanted.socket));
    if (read.value === undefined) {
      return refused(6, 'no agent has run on this Swarm yet: there is no config `understudy.head`');
    }
    const { head } = read.value;
    const full = wanted.full ? { full: true as const } : {};
    const label = requestLabel({ verb: 'reconcile', by: io.by, nonce, ...full }, nonce);
    if (label.status === 'refused') return refused(1, label.why);
    // A write whose answer was lost may have been made, and been answered already.
    const record = readRecord(read.value);
    const answered = record.status === 'ok' && record.value.history.looked;
    if (label.key in head.labels || (answered && answered.some((one) => one.nonce === nonce))) {
      return undefined;
    }
    const waiting = readRequests(head.labels).requests.filter(({ verb }) => verb === 'reconcile');
    if (waiting.length >= WAITING_MAX) {
      return refused(
        6,
        `${String(waiting.length)} such requests wait already and no agent takes them`,
      );
    }
    const swapped = await desk.swap(head, { ...head.labels, [label.key]: label.value }, signal);
    if (swapped.status === 'ok') return undefined;
    ({ why } = swapped);
    isSent ||= swapped.status === 'unknown';
    const moved = swapped.status === 'refused' && swapped.cause === 'out-of-sequence';
    if (swapped.status === 'refused' && !moved) return refused(6, why);
    if (!moved) await io.clock.sleep(PAUSE_MS, signal);
  }
  const perhaps = isSent ? '; perhaps it was asked' : '';
  return refused(6, `could not ask after ${String(TRIES)} tries: ${why}${perhaps}; try again`);
}

function refused(code: 1 | 6, why: string): ReconcileEnded {
  return { status: 'refused', code, why };
}

import { frozenLine } from '../core/freeze.ts';
import { readFreeze } from '../record/freeze.ts';
import type { Labels } from '../reconcile/lease-ports.ts';
import { type OwnedRecord, readRecord } from '../record/read.ts';
import type { Asking, Ended } from './ask-ports.ts';
import { whyRefused } from './ask-judge.ts';
import { subjectOf } from './ask-options.ts';
import { type Asked, inWords, isTaken } from './ask-put.ts';

/** Between two looks at the head. Milliseconds. */
const LOOK_MS = 500;
/** From when on it says that it waits, and how often it says so again. Milliseconds. */
const FIRST_SIGN_MS = 2_000;
const NEXT_SIGN_MS = 10_000;

/** Waits until an agent took the request, and says whether it did what was asked. */
export async function awaitTaken(
  asking: Asking,
  asked: Asked,
  waitMs: number,
  signal: AbortSignal,
): Promise<Ended> {
  const { desk, io, print, wanted } = asking;
  const sinceMs = io.clock.nowMs();
  let signAtMs = FIRST_SIGN_MS;
  let trouble: string | undefined;
  for (;;) {
    const read = await desk.labels(signal);
    if (read.status === 'ok' && !(asked.key in read.value.labels)) {
      return verdict(asking, asked, signal);
    }
    trouble = read.status === 'ok' ? frozen(read.value.labels, io) : inWords(read, wanted.socket);
    const waitedMs = io.clock.nowMs() - sinceMs;
    if (waitedMs >= waitMs) return notTaken(waitMs, trouble);
    if (waitedMs >= signAtMs) {
      signAtMs = waitedMs + NEXT_SIGN_MS;
      print.line(trouble ?? 'waiting until an agent takes it ...', 'dim');
    }
    await io.clock.sleep(Math.min(LOOK_MS, waitMs - waitedMs), signal);
  }
}

/** Nothing is taken while everything is frozen. */
function frozen(labels: Labels, { clock }: Asking['io']): string | undefined {
  const freeze = readFreeze(labels, clock.date());
  return freeze && frozenLine(freeze);
}

function notTaken(waitMs: number, trouble: string | undefined): Ended {
  const seconds = String(Math.round(waitMs / 1000));
  const cause = trouble ?? 'is one running on a manager, and does it reach this Swarm?';
  const stays = 'the request stays and is taken as soon as one runs';
  return {
    status: 'asked',
    code: 6,
    why: `no agent took the request within ${seconds} s: ${cause}; ${stays}`,
  };
}

/** Taken is not done: the agent refuses what makes no sense to it, and tells its log. */
async function verdict(
  { desk, wanted }: Asking,
  asked: Asked,
  signal: AbortSignal,
): Promise<Ended> {
  const shelf = await desk.shelf(signal);
  const record = shelf.status === 'ok' ? readRecord(shelf.value) : shelf;
  // It is gone from the head: that much is certain.
  if (record.status !== 'ok') return { status: 'taken', code: 0 };
  if (isTaken(wanted, asked, record.value)) return { status: 'taken', code: 0 };
  const event = wanted.verb === 'approve' ? 'approval refused' : 'request refused';
  const cause =
    causeOf(asked, record.value) ?? `its log says why (\`${event}\`, ${subjectOf(wanted)})`;
  const why = `the agent refused it: ${cause}`;
  return { status: 'refused', code: 1, why };
}

function causeOf({ request, before }: Asked, { units }: OwnedRecord): string | undefined {
  if (request.verb === 'approve' || before === undefined) return undefined;
  return whyRefused(request, before, units.get(request.id));
}

import { frozenLine } from '../core/freeze.ts';
import { readLease } from '../lease/label.ts';
import type { History, LookAnswer, Standing } from '../reconcile/history.ts';
import type { Labels } from '../reconcile/lease-ports.ts';
import { readFreeze } from '../record/freeze.ts';
import { REQUEST_PREFIX } from '../record/head.ts';
import { type OwnedRecord, readRecord } from '../record/read.ts';
import { inWords } from './ask-put.ts';
import type { ReconcileEnded, Reconciling } from './reconcile-ports.ts';
import { shortRevision } from './table.ts';

/** Between two looks at the head, and at the whole record. Milliseconds. */
const LOOK_MS = 500;
const SETTLE_MS = 2_000;
/** From when on it says that it waits, and how often it says so again. Milliseconds. */
const FIRST_SIGN_MS = 2_000;
const NEXT_SIGN_MS = 10_000;

/** Waits until an agent has looked. The answer, or how the command ends without one. */
export async function awaitLook(
  asking: Reconciling,
  signal: AbortSignal,
): Promise<{ readonly status: 'answered'; readonly answer: LookAnswer } | ReconcileEnded> {
  const { desk, io, wanted, nonce, untilMs } = asking;
  const sign = signs(asking);
  for (;;) {
    const read = await desk.labels(signal);
    if (read.status === 'ok' && !(`${REQUEST_PREFIX}${nonce}` in read.value.labels)) {
      return answerTo(asking, read.value.labels, signal);
    }
    const trouble =
      read.status === 'ok' ? frozen(read.value.labels, asking) : inWords(read, wanted.socket);
    const leftMs = untilMs - io.clock.nowMs();
    if (leftMs <= 0) {
      const cause = trouble ?? 'does one run on a manager, and has it a valid commit to go by?';
      return {
        status: 'asked',
        code: 6,
        why: `no agent answered in time: ${cause}; the request stays`,
      };
    }
    sign(trouble ?? 'waiting until an agent has looked ...');
    await io.clock.sleep(Math.min(LOOK_MS, leftMs), signal);
  }
}

/** It is gone from the head: whoever took it left the answer in the same write. */
async function answerTo(
  { desk, wanted, nonce }: Reconciling,
  labels: Labels,
  signal: AbortSignal,
): Promise<{ readonly status: 'answered'; readonly answer: LookAnswer } | ReconcileEnded> {
  const shelf = await desk.shelf(signal);
  if (shelf.status !== 'ok') {
    const why = `an agent took it, and what it found cannot be read: ${inWords(shelf, wanted.socket)}`;
    return { status: 'looked', code: 6, why };
  }
  const record = readRecord(shelf.value);
  const looked = record.status === 'ok' ? (record.value.history.looked ?? []) : [];
  const answer = looked.find((one) => one.nonce === nonce);
  if (answer !== undefined) return { status: 'answered', answer };
  const lease = readLease(labels);
  const version =
    lease.status === 'there' ? ` (${lease.lease.version} on ${lease.lease.node})` : '';
  const why = `the agent that leads${version} took it away and gave no answer: is it of an older version?`;
  return { status: 'refused', code: 1, why };
}

/** Waits until nothing is under way any more of what the repository holds, whatever that is by then. */
export async function awaitSettled(
  asking: Reconciling,
  found: string,
  signal: AbortSignal,
): Promise<ReconcileEnded> {
  const { desk, io, wanted, untilMs } = asking;
  const sign = signs(asking);
  let seen = found;
  for (;;) {
    const shelf = await desk.shelf(signal);
    const record = shelf.status === 'ok' ? readRecord(shelf.value) : shelf;
    if (record.status === 'ok') {
      const ended = settledAs(record.value);
      if (ended !== undefined) return ended;
      ({ seen } = record.value.history);
    }
    const labels = shelf.status === 'ok' ? (shelf.value?.head.labels ?? {}) : {};
    const trouble =
      record.status === 'ok' ? frozen(labels, asking) : inWords(record, wanted.socket);
    const leftMs = untilMs - io.clock.nowMs();
    if (leftMs <= 0)
      return notSettled(seen, record.status === 'ok' ? record.value : undefined, trouble);
    sign(trouble ?? `revision ${shortRevision(seen)} is under way ...`);
    await io.clock.sleep(Math.min(SETTLE_MS, leftMs), signal);
  }
}

/** Pure. How the newest revision ended, where nothing of it is under way. */
export function settledAs({ history, units }: OwnedRecord): ReconcileEnded | undefined {
  const { seen, settled, revisions } = history;
  const last = revisions.find(({ commit }) => commit === seen);
  if (seen !== settled || last === undefined) return undefined;
  // A retry, a way back or what was resumed begins anew without another revision; what is suspended now is waited for by nobody.
  const byFile = new Set(
    (history.standing ?? []).flatMap((one) => (one.suspended === true ? [one.id] : [])),
  );
  const isMoving = [...units].some(
    ([id, { attempt, suspended }]) =>
      attempt !== undefined && suspended === undefined && !byFile.has(id),
  );
  if (isMoving) return undefined;
  const { outcome, failed } = last;
  const held = heldIn(history);
  if (outcome === 'healthy') {
    const done = { status: 'settled', revision: seen, outcome } as const;
    if (held.length === 0) return { ...done, code: 0 };
    const why = `revision ${shortRevision(seen)} has settled, and something is held: ${sentence(held)}`;
    return { ...done, code: 5, held: held.map(({ id }) => id), why };
  }
  const which = failed.length === 0 ? '' : `: ${failed.join(', ')}`;
  const why = `revision ${shortRevision(seen)} ended as ${outcome}${which}`;
  return { status: 'settled', code: 1, revision: seen, outcome, why };
}

/** Pure. It is not over: what is held may wait for a person. */
function notSettled(
  seen: string,
  record: OwnedRecord | undefined,
  trouble: string | undefined,
): ReconcileEnded {
  const held = heldIn(record?.history);
  const cause =
    trouble ?? (held.length === 0 ? 'understudy get says more' : `held: ${sentence(held)}`);
  const why = `revision ${shortRevision(seen)} has not settled in time: ${cause}`;
  const of = { status: 'looked', revision: seen, why } as const;
  return held.length === 0
    ? { ...of, code: 1 }
    : { ...of, code: 5, held: held.map(({ id }) => id) };
}

function heldIn(history: History | undefined): readonly Standing[] {
  const all = history?.standing ?? [];
  return all.filter(({ sync, why, suspended }) => {
    return sync === 'out-of-sync' && why !== '' && suspended !== true;
  });
}

const HELD_NAMED = 3;

function sentence(held: readonly Standing[]): string {
  const named = held.slice(0, HELD_NAMED).map(({ id, why }) => `${id}: ${why}`);
  const more = held.length - HELD_NAMED;
  return [...named, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('; ');
}

/** Nothing is taken or begun while everything is frozen. */
function frozen(labels: Labels, { io }: Reconciling): string | undefined {
  const freeze = readFreeze(labels, io.clock.date());
  return freeze && frozenLine(freeze);
}

/** Says now and then what is waited for. */
function signs({ io, print }: Reconciling): (text: string) => void {
  const sinceMs = io.clock.nowMs();
  let signAtMs = FIRST_SIGN_MS;
  return (text) => {
    const waitedMs = io.clock.nowMs() - sinceMs;
    if (waitedMs < signAtMs) return;
    signAtMs = waitedMs + NEXT_SIGN_MS;
    print.line(text, 'dim');
  };
}

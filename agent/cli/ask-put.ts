import type { CallOutcome } from '../core/kind.ts';
import type { UnitRecord, UnitRequest } from '../core/unit.ts';
import type { Shelf } from '../reconcile/ports.ts';
import { type OwnedRecord, readRecord } from '../record/read.ts';
import { requestLabel } from '../record/requests.ts';
import type { Asking, Ended } from './ask-ports.ts';
import { isApproved, isDone, judge, nameOf } from './ask-judge.ts';
import { type AskRequest, subjectOf, type Wanted } from './ask-options.ts';

/** The request lies on the head, or did until a moment ago. */
export interface Asked {
  readonly status: 'put';
  /** Of its label. */
  readonly key: string;
  readonly request: AskRequest;
  /** The unit as it was then, where it is about one. */
  readonly before: UnitRecord | undefined;
  /** What was asked, for people: `for another try`. */
  readonly what: string;
}

/** The head is written by the agents too: so often it is read again when one of them was faster. */
const TRIES = 5;
/** Before another try after a write of which nobody knows whether it was made. Milliseconds. */
const PAUSE_MS = 500;

/** Puts the request on the head, unless the record says that it makes no sense. */
export async function putRequest(asking: Asking, signal: AbortSignal): Promise<Asked | Ended> {
  const { desk, io, wanted } = asking;
  const random = io.random();
  let first: Asked | undefined;
  let why = '';
  for (let tries = 0; tries < TRIES; tries += 1) {
    const shelf = await desk.shelf(signal);
    const draft = draftOn(shelf, asking, { random, first });
    if (draft.status !== 'draft') return draft;
    // A write whose answer was lost may have been made, and been taken already.
    if (draft.there) return draft.asked;
    first ??= draft.asked;
    const swapped = await desk.swap(draft.head, draft.labels, signal);
    if (swapped.status === 'ok') return draft.asked;
    ({ why } = swapped);
    const moved = swapped.status === 'refused' && swapped.cause === 'out-of-sequence';
    if (swapped.status === 'refused' && !moved) return { status: 'refused', code: 6, why };
    if (!moved) await io.clock.sleep(PAUSE_MS, signal);
  }
  const said = `could not ask after ${String(TRIES)} tries: ${why}`;
  return { status: 'refused', code: 6, why: `${subjectOf(wanted)}: ${said}; try again` };
}

interface Draft {
  readonly status: 'draft';
  readonly head: Shelf['head'];
  readonly labels: Readonly<Record<string, string>>;
  readonly asked: Asked;
  /** Nothing is to be written. */
  readonly there: boolean;
}

function draftOn(
  read: CallOutcome<Shelf | undefined>,
  { wanted, io }: Asking,
  { random, first }: { readonly random: string; readonly first: Asked | undefined },
): Draft | Ended {
  if (read.status !== 'ok')
    return { status: 'refused', code: 6, why: inWords(read, wanted.socket) };
  const shelf = read.value;
  if (shelf === undefined) {
    const why = 'no agent has run on this Swarm yet: there is no config `understudy.head`';
    return { status: 'refused', code: 6, why };
  }
  const record = readRecord(shelf);
  if (record.status !== 'ok') return { status: 'refused', code: 1, why: record.why };
  const { head } = shelf;
  if (first !== undefined) {
    const there = first.key in head.labels || isTaken(wanted, first, record.value);
    if (there) return { status: 'draft', head, labels: head.labels, asked: first, there };
  }
  const asking = askingOf(record.value, wanted, io.by);
  if ('status' in asking) return asking;
  const { request, before, what } = asking;
  const label = requestLabel(request, random);
  if (label.status === 'refused') return { status: 'refused', code: 1, why: label.why };
  // Who asks twice while nobody listens leaves one request.
  const same = Object.keys(head.labels).find((key) => head.labels[key] === label.value);
  const key = same ?? label.key;
  return {
    status: 'draft',
    head,
    labels: { ...head.labels, [key]: label.value },
    asked: { status: 'put', key, request, before, what },
    there: same !== undefined,
  };
}

/** Pure. Whether an agent did what was asked. */
export function isTaken(
  wanted: Wanted,
  { before }: Pick<Asked, 'before'>,
  { units, history }: OwnedRecord,
): boolean {
  if (wanted.verb === 'approve') return isApproved(wanted.digest, history.approved);
  return before !== undefined && isDone(wanted.verb, before, units.get(wanted.unit));
}

interface Sensible extends Pick<Asked, 'before' | 'what'> {
  readonly request: AskRequest;
}

function askingOf(record: OwnedRecord, wanted: Wanted, by: string): Sensible | Ended {
  if (wanted.verb === 'approve') {
    const { verb, digest } = wanted;
    const why = `${digest} was approved before: what is held now has another digest`;
    if (isApproved(digest, record.history.approved)) return { status: 'refused', code: 1, why };
    return { request: { verb, digest, by }, before: undefined, what: 'to release what is held' };
  }
  const judged = judge(record, wanted, by);
  if (judged.status === 'senseless') {
    return { status: 'refused', code: 1, why: judged.why, more: judged.more };
  }
  const { release, request, record: before } = judged;
  return { request, before, what: whatOf(request, release && nameOf(release)) };
}

function whatOf({ verb }: UnitRequest, release: string | undefined): string {
  if (verb === 'retry') return 'for another try of what the repository wants';
  if (verb === 'suspend') return 'to be suspended';
  if (verb === 'resume') return 'to go on';
  return release === undefined
    ? 'to go back to the last healthy release'
    : `to go back to release ${release.replace(/ +/, ' of ')}`;
}

/** Pure. What an operator can do about an engine that does not answer. */
export function inWords(
  { why, cause }: { readonly why: string; readonly cause?: string },
  socket: string,
): string {
  if (why.includes('EACCES')) {
    return `the socket ${socket} is not yours to use: run this as root, or as a member of its group`;
  }
  switch (cause) {
    case 'unreachable':
      return `the engine at ${socket} does not answer (${why}): is it running, and is this its socket?`;
    case 'not-a-manager':
      return 'this node is no manager of a Swarm: run this on one';
    case 'no-leader':
      return 'the Swarm has no leader now, it needs more than half of its managers';
    case undefined:
    default:
      return why;
  }
}

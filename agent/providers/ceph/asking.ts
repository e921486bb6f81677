import type { z } from 'zod';

import type { Secret } from '../../core/secret.ts';
import type { Clock } from '../../reconcile/ports.ts';
import { type Failed, isAbsent, lacksCaps } from './answers.ts';
import type { Ceph } from './driver.ts';
import type { ClusterSight } from './observed.ts';
import type { CommandWords, Daemon } from './protocol.ts';

/** All questions of one look. Milliseconds. */
const LOOK_MS = 25_000;

/** What is not to be had of a cluster, as one look tells it. */
export type NotSeen = Exclude<ClusterSight, { readonly status: 'seen' }>;

/** One question. */
export interface Question<Value> {
  readonly to: Daemon;
  readonly words: CommandWords;
  readonly shape: z.ZodType<Value>;
  /** What makes it allowed. */
  readonly caps: string;
}

/** Ends a look from within. */
export class Unseen extends Error {
  override readonly name = 'Unseen';
  readonly sight: NotSeen;
  /** What was asked for is not there, says Ceph. */
  readonly isAbsent: boolean;
  /** Ceph answered, and the reason lies in what was asked for: other questions may be answered. */
  readonly isOwn: boolean;

  constructor(sight: NotSeen, { absent = false, own = false } = {}) {
    super(sight.why);
    this.sight = sight;
    this.isAbsent = absent;
    this.isOwn = own;
  }
}

/** Gives the answer, or ends the look. Rejects with `Unseen`, or the signal's reason. */
export type Ask = <Value>(question: Question<Value>) => Promise<Value>;

/** Questions of one look, which share the time for it. */
export function asker(
  { ceph, clock }: { readonly ceph: Ceph; readonly clock: Clock },
  signal: AbortSignal,
): Ask {
  const end = clock.nowMs() + LOOK_MS;
  return async ({ to, words, shape, caps }) => {
    signal.throwIfAborted();
    if (clock.nowMs() > end) throw new Unseen({ status: 'away', why: 'reading it takes too long' });
    const answer = await ceph.call({ to, words }, signal);
    signal.throwIfAborted();
    if (answer.status !== 'ok') {
      const about = { absent: isAbsent(answer), own: isOwn(answer) };
      throw new Unseen(sightOf(answer, words.prefix, caps), about);
    }
    const read = valueIn(answer.value, shape);
    if ('value' in read) return read.value;
    const why = `what Ceph answers to \`${words.prefix}\` is not understood${read.at}`;
    throw new Unseen({ status: 'unusable', why }, { own: true });
  };
}

/** Pure. Neither the network, nor caps, nor somebody who is busy. */
function isOwn(answer: Failed): boolean {
  return answer.errno !== undefined && answer.cause === undefined && !lacksCaps(answer);
}

/** The answer, or undefined where what was asked for is not there any more. */
export async function unlessAbsent<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Unseen && error.isAbsent) return undefined;
    throw error;
  }
}

/** The answer, or why there is none to this question alone. */
export async function unlessOwn<Value>(
  answer: Promise<Value>,
): Promise<{ readonly value: Value } | { readonly why: string }> {
  try {
    return { value: await answer };
  } catch (error) {
    if (error instanceof Unseen && error.isOwn) return { why: error.sight.why };
    throw error;
  }
}

/** Pure. */
function sightOf(answer: Failed, prefix: string, caps: string): NotSeen {
  if (lacksCaps(answer)) {
    return { status: 'unusable', why: `\`${prefix}\`: ${answer.why}: ${caps} is missing` };
  }
  if (answer.needsPerson === true) return { status: 'unusable', why: answer.why };
  if (answer.errno === undefined) return { status: 'away', why: answer.why };
  const hopeless = answer.status === 'refused' && answer.retry === 'never';
  return { status: hopeless ? 'unusable' : 'away', why: `\`${prefix}\`: ${answer.why}` };
}

/** Pure. What an answer says, where it has this shape. */
export function valueIn<Value>(
  answer: Secret,
  shape: z.ZodType<Value>,
): { readonly value: Value } | { readonly at: string } {
  return readAnswer(answer.reveal(), shape);
}

/** Pure. An answer may hold keys: of what is wrong with it only the place is told, exported for a test. */
export function readAnswer<Value>(
  text: string,
  shape: z.ZodType<Value>,
): { readonly value: Value } | { readonly at: string } {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { at: ': it is no JSON' };
  }
  const read = shape.safeParse(json);
  if (read.success) return { value: read.data };
  const path = read.error.issues[0]?.path ?? [];
  // Keys of what Ceph answers are names of things, which may be anything.
  const plain = path.map((part) => (/^\w{1,40}$/.test(String(part)) ? String(part) : '*'));
  return { at: plain.length === 0 ? '' : `, at ${plain.join('.')}` };
}

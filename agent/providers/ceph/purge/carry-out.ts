import type { Id } from '../../../core/kind.ts';
import { purgeOwner } from '../../../core/purge.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import type { Answer, Failed, NotOk } from '../answers.ts';
import { valueIn } from '../asking.ts';
import type { Ceph } from '../driver.ts';
import { claim, type Mark, type MarkOn, marksOn, release } from '../marks.ts';
import { Marks } from '../shapes.ts';
import { MARK_PREFIX, marksIn } from '../states.ts';
import { type Deletion, deletionOf, type Order } from './delete.ts';
import { isListed } from './listed.ts';
import type { PurgeThing } from './thing.ts';

/** How often it is looked whether a deletion of which no answer came is done, and how long that takes at most. Milliseconds. */
const LOOK_EVERY_MS = 1_000;
const LOOK_MS = 15_000;

/** What has begun is brought to its end: half of it is worse than either. */
const NEVER = new AbortController().signal;

/** What goes. */
export interface Doom {
  readonly thing: PurgeThing;
  readonly isThere: boolean;
  /** Its marks, as they were seen: one at least, and each the environment's or the purge's. */
  readonly marks: readonly OwnMark[];
  readonly environment: string;
  /** Ceph's own guard was on, or an earlier purge took it away. */
  readonly isGuarded: boolean;
  readonly ceph: Ceph;
  readonly clock: Clock;
}

/** A mark that is understood. */
export interface OwnMark {
  readonly id: Id;
  readonly mark: Mark;
}

interface Limits {
  /** For the deletion alone. Milliseconds. */
  readonly deadlineMs: number;
  /** Counts until the deletion is sent. */
  readonly signal: AbortSignal;
}

/**
 * Takes the marks, opens Ceph's guard, deletes, removes the marks: whoever dies in between leaves marks that the agents do not touch,
 * and the next one who purges goes on. Undefined: all of it is done. Rejects with the signal's reason before anything was written.
 */
export async function carryOut(
  doom: Doom,
  { deadlineMs, signal }: Limits,
): Promise<NotOk | undefined> {
  signal.throwIfAborted();
  const why = await takeMarks(doom);
  if (why !== undefined) return await kept(doom, why);
  if (!doom.isThere) return await removeMarks(doom);
  const deletion = deletionOf(doom.thing);
  if (deletion.open !== undefined) {
    const opened = await say(doom, deletion.open);
    if (opened.status !== 'ok') return await shutAgain(doom, deletion, opened);
  }
  const gone = await say(doom, deletion.remove, deadlineMs);
  if (gone.status !== 'ok') return await afterFailure(doom, deletion, gone);
  return await removeMarks(doom);
}

async function say({ ceph }: Doom, { to, words }: Order, deadlineMs?: number): Promise<Answer> {
  return await ceph.call({ to, words, ...(deadlineMs !== undefined && { deadlineMs }) }, NEVER);
}

/** All marks of it, under whatever id, or why not: what an agent wrote since the look stays. */
async function takeMarks(doom: Doom): Promise<string | undefined> {
  const { marks, environment } = doom;
  const owner = purgeOwner(environment);
  for (const { id, mark } of marks) {
    const taken = await say(doom, { to: 'mon', words: claim(id, { ...mark, owner }) });
    if (taken.status === 'ok') continue;
    // It may be carried out after they are given back as well.
    const late = taken.status === 'unknown' ? `; ${stillTaken(environment)}` : '';
    return `nothing was deleted: ${taken.why}${late}`;
  }
  const now = await marksNow(doom);
  if (typeof now === 'string') return `nothing was deleted: ${now}`;
  if (now.length === marks.length && now.every((one) => isTaken(one, doom))) return undefined;
  return 'an agent wrote to the marks of its cluster meanwhile: its document may be back';
}

const ALL_MARKS: Order = { to: 'mon', words: { prefix: 'config-key dump', key: MARK_PREFIX } };

/** Its marks as they are by now, or why nobody knows. */
async function marksNow(doom: Doom): Promise<readonly MarkOn[] | string> {
  const answer = await say(doom, ALL_MARKS);
  if (answer.status !== 'ok') return answer.why;
  const read = valueIn(answer.value, Marks);
  if ('at' in read) return 'what Ceph answers is not understood';
  return marksOn(doom.thing, { marks: marksIn(read.value) });
}

function isTaken({ mark }: MarkOn, { environment }: Doom): boolean {
  return mark !== 'unreadable' && mark.owner === purgeOwner(environment);
}

/** It is not deleted: the agents get their marks again. What somebody else wrote since is his. */
async function kept(doom: Doom, why: string): Promise<NotOk> {
  const { environment: owner, marks } = doom;
  const now = await marksNow(doom);
  if (typeof now === 'string') return refused(`${why}; ${stillTaken(owner)}: ${now}`);
  const taken = new Set(now.filter((one) => isTaken(one, doom)).map(({ id }) => id));
  for (const { id, mark } of marks.filter((one) => taken.has(one.id))) {
    const given = await say(doom, { to: 'mon', words: claim(id, { ...mark, owner }) });
    if (given.status !== 'ok') return refused(`${why}; ${stillTaken(owner)}: ${given.why}`);
  }
  return refused(why);
}

/** The guard of Ceph is put back first: without the marks nobody looks after it. */
async function shutAgain(doom: Doom, { shut }: Deletion, { why }: Failed): Promise<NotOk> {
  const words = `it is there still: ${why}`;
  if (shut === undefined || !doom.isGuarded) return await kept(doom, words);
  const done = await say(doom, shut);
  if (done.status === 'ok') return await kept(doom, words);
  const { prefix, ...given } = shut.words;
  const command = ['ceph', prefix, ...Object.values(given).map(String)].join(' ');
  return await kept(doom, `${words}; its guard may be open still: \`${command}\` (${done.why})`);
}

/** What became of it is read: also an error may be the end of something that went well. */
async function afterFailure(
  doom: Doom,
  deletion: Deletion,
  failed: Failed,
): Promise<NotOk | undefined> {
  const { clock, ceph, thing } = doom;
  const end = clock.nowMs() + LOOK_MS;
  for (;;) {
    const isThere = await isListed(thing, ceph, NEVER);
    if (isThere === false) return await removeMarks(doom);
    // Where Ceph answered, nothing of it is under way any more.
    if (isThere === true && failed.errno !== undefined) {
      return await shutAgain(doom, deletion, failed);
    }
    if (clock.nowMs() >= end) return unclear(failed, isThere);
    await clock.sleep(LOOK_EVERY_MS, NEVER);
  }
}

async function removeMarks(doom: Doom): Promise<NotOk | undefined> {
  for (const { id } of doom.marks) {
    const removed = await say(doom, { to: 'mon', words: release(id) });
    if (removed.status !== 'ok') {
      return {
        status: 'unknown',
        why: `it is gone, and the note of it in its cluster may still be there: ${removed.why}; the same command takes it away`,
      };
    }
  }
  return undefined;
}

function unclear({ why }: NotOk, isThere: true | undefined): NotOk {
  const seen = isThere === true ? 'it is still there' : 'its cluster is not reached';
  return {
    status: 'unknown',
    why: `whether it goes is not known: ${why}; ${seen}. Agents leave it alone meanwhile; the same command goes on with it`,
  };
}

function stillTaken(environment: string): string {
  return `its marks may still be those of \`${purgeOwner(environment)}\`, so that agents leave it alone (docs/ceph.md says how they are given back)`;
}

function refused(why: string): NotOk {
  return { status: 'refused', why, retry: 'after-replan' };
}

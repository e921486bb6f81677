import { type PurgeLimits, READ_BACK } from '../../../core/purge.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import type { Answer, Failed, NotOk } from '../answers.ts';
import { type Deletion, deletionOf, type Order } from './delete.ts';
import { contentNow, isListed } from './listed.ts';
import { giveBack, type Marked, noteDown, removeMarks, takeMarks } from './own-marks.ts';

/** What has begun is brought to its end: half of it is worse than either. */
const NEVER = new AbortController().signal;

/** What goes. */
export interface Doom extends Marked {
  readonly isThere: boolean;
  /** Of a file system: nobody took it down. */
  readonly isJoinable: boolean;
  /** Ceph's own guard was on, or an earlier purge took it away. */
  readonly isGuarded: boolean;
  readonly clock: Clock;
}

/**
 * Takes the marks, looks once more, opens Ceph's guard, deletes, removes the marks: whoever dies in between leaves marks that the agents
 * do not touch, and the next one who purges goes on. Undefined: all of it is done. Rejects with the signal's reason before anything was
 * written.
 */
export async function carryOut(
  doom: Doom,
  { deadlineMs, signal }: PurgeLimits,
): Promise<NotOk | undefined> {
  signal.throwIfAborted();
  const why = (await takeMarks(doom)) ?? (await changedSince(doom));
  if (why !== undefined) return await kept(doom, why);
  if (signal.aborted) return await kept(doom, 'stopped: nothing was deleted');
  if (!doom.isThere) return await removeMarks(doom);
  const deletion = deletionOf(doom.thing);
  if (deletion.open !== undefined) {
    const opened = await say(doom, deletion.open);
    if (opened.status !== 'ok') return await unopened(doom, deletion, opened);
    if (doom.thing.what === 'ceph-filesystem') await noteDown(doom);
  }
  const gone = await say(doom, deletion.remove, deadlineMs);
  if (gone.status !== 'ok') return await afterFailure(doom, deletion, gone);
  return await removeMarks(doom);
}

async function say({ ceph }: Doom, { to, words }: Order, deadlineMs?: number): Promise<Answer> {
  return await ceph.call({ to, words, ...(deadlineMs !== undefined && { deadlineMs }) }, NEVER);
}

/** Why it is not to go, by what it is now that agents leave it alone. */
async function changedSince({
  thing,
  isThere,
  isJoinable,
  ceph,
}: Doom): Promise<string | undefined> {
  if (!isThere) {
    const isNow = await isListed(thing, ceph, NEVER);
    if (isNow === false) return undefined;
    return isNow === true ? 'it is there after all' : 'whether it is gone is not known any more';
  }
  // Of what is down nobody sees anything: who took it down had looked.
  if (!isJoinable) return undefined;
  const content = await contentNow(thing, ceph, NEVER);
  if (content === undefined) return 'what is in it is not known any more';
  return content.length === 0 ? undefined : `there is something in it by now: ${content[0] ?? ''}`;
}

/** It is not deleted: the agents get their marks again. */
async function kept(doom: Doom, why: string): Promise<NotOk> {
  const still = await giveBack(doom);
  const words = still === undefined ? why : `${why}; ${still}`;
  return { status: 'refused', why: words, retry: 'after-replan' };
}

/** The guard was not opened, or nobody knows. */
async function unopened(
  doom: Doom,
  deletion: Deletion,
  failed: Failed,
): Promise<NotOk | undefined> {
  if ((await isListed(doom.thing, doom.ceph, NEVER)) === false) return await removeMarks(doom);
  const late = isAnswered(failed) ? '' : '; it may be carried out still';
  return await shutAgain(doom, deletion, `it is there still: ${failed.why}${late}`);
}

/** The guard of Ceph is put back first: without the marks nobody looks after it. */
async function shutAgain(doom: Doom, deletion: Deletion, why: string): Promise<NotOk> {
  const { shut } = deletion;
  if (shut === undefined || !doom.isGuarded) return await kept(doom, why);
  const done = await say(doom, shut);
  if (done.status === 'ok') return await kept(doom, why);
  return await kept(doom, `${why}; ${openWords(deletion)} (${done.why})`);
}

/** What became of it is read: also an error may be the end of something that went well. */
async function afterFailure(
  doom: Doom,
  deletion: Deletion,
  failed: Failed,
): Promise<NotOk | undefined> {
  const { clock, ceph, thing } = doom;
  const end = clock.nowMs() + READ_BACK.forMs;
  for (;;) {
    const isThere = await isListed(thing, ceph, NEVER);
    if (isThere === false) return await removeMarks(doom);
    if (isThere === true && isAnswered(failed)) {
      return await shutAgain(doom, deletion, `it is there still: ${failed.why}`);
    }
    if (clock.nowMs() >= end) return unclear(deletion, failed, isThere);
    await clock.sleep(READ_BACK.everyMs, NEVER);
  }
}

/** Where Ceph itself said no, nothing of it is under way any more. */
function isAnswered({ errno, cause }: Failed): boolean {
  return errno !== undefined && cause !== 'unreachable';
}

function unclear(deletion: Deletion, { why }: NotOk, isThere: true | undefined): NotOk {
  const seen = isThere === true ? 'it is still there' : 'its cluster is not reached';
  const open = deletion.shut === undefined ? '' : `; ${openWords(deletion)}`;
  return {
    status: 'unknown',
    why: `whether it goes is not known: ${why}; ${seen}${open}. Agents leave it alone meanwhile; the same command goes on with it`,
  };
}

/** What puts the guard back, for a person who wants to keep it. */
function openWords({ shut }: Deletion): string {
  const { prefix = '', ...given } = shut?.words ?? {};
  const command = ['ceph', prefix, ...Object.values(given).map(String)].join(' ');
  return `its guard may be open: \`${command}\` puts it back`;
}

import type { Id } from '../../../core/kind.ts';
import { downOwner, isPurges, purgeOwner } from '../../../core/taken.ts';
import type { NotOk } from '../answers.ts';
import { valueIn } from '../asking.ts';
import type { Ceph } from '../driver.ts';
import {
  claim,
  type Mark,
  type MarkOn,
  marksIn as marksInside,
  marksOn,
  release,
} from '../marks.ts';
import { Marks } from '../shapes.ts';
import { MARK_PREFIX, marksIn } from '../states.ts';
import type { PurgeThing } from './thing.ts';

// The marks of what a person deletes: while it goes they have an owner that agents leave alone.

/** A mark that is understood. */
export interface OwnMark {
  readonly id: Id;
  readonly mark: Mark;
}

/** Whose marks, and where. */
export interface Marked {
  readonly thing: PurgeThing;
  /** As they were seen: one at least, and each the environment's or a purge's. */
  readonly marks: readonly OwnMark[];
  readonly environment: string;
  readonly ceph: Ceph;
}

/** What has begun is brought to its end. */
const NEVER = new AbortController().signal;

/** Takes all of them, under whatever id; or why not. What an agent wrote since the look stays, and so does what it is about to make inside. */
export async function takeMarks(of: Marked): Promise<string | undefined> {
  const { marks, environment, thing, ceph } = of;
  const owner = purgeOwner(environment);
  for (const { id, mark } of marks) {
    const words = claim(id, { ...mark, owner });
    const taken = await ceph.call({ to: 'mon', words }, NEVER);
    if (taken.status === 'ok') continue;
    // It may be carried out after they are given back as well.
    const late = taken.status === 'unknown' ? `; ${stillTaken(environment)}` : '';
    return `nothing was deleted: ${taken.why}${late}`;
  }
  const now = await allMarks(of);
  if (typeof now === 'string') return `nothing was deleted: ${now}`;
  const own = marksOn(thing, now);
  if (own.length !== marks.length || !own.every((one) => isTaken(one, of))) {
    return 'an agent wrote to the marks of its cluster meanwhile: its document may be back';
  }
  const [inside] = marksInside(thing, now);
  return inside && `\`${inside.id}\` is noted in it by now`;
}

/** Notes that nobody can change what is in it any more. Where that does not go well it is only not noted. */
export async function noteDown({ marks, environment, ceph }: Marked): Promise<void> {
  const owner = downOwner(environment);
  for (const { id, mark } of marks) {
    await ceph.call({ to: 'mon', words: claim(id, { ...mark, owner }) }, NEVER);
  }
}

/** Gives them back to the agents; or why not. What somebody else wrote since is his. */
export async function giveBack(of: Marked): Promise<string | undefined> {
  const { environment: owner, marks, ceph } = of;
  const taken = await takenNow(of);
  if (typeof taken === 'string') return `${stillTaken(owner)}: ${taken}`;
  for (const { id, mark } of marks.filter((one) => taken.has(one.id))) {
    const given = await ceph.call({ to: 'mon', words: claim(id, { ...mark, owner }) }, NEVER);
    if (given.status !== 'ok') return `${stillTaken(owner)}: ${given.why}`;
  }
  return undefined;
}

/** Nothing tells of it any more, but for what an agent wrote since. Undefined: all of that is done. */
export async function removeMarks(of: Marked): Promise<NotOk | undefined> {
  const taken = await takenNow(of);
  if (typeof taken === 'string') return markLeft(taken);
  for (const id of taken) {
    const removed = await of.ceph.call({ to: 'mon', words: release(id) }, NEVER);
    if (removed.status !== 'ok') return markLeft(removed.why);
  }
  return undefined;
}

/** Which are a purge's by now, or why nobody knows. */
async function takenNow(of: Marked): Promise<ReadonlySet<Id> | string> {
  const now = await allMarks(of);
  if (typeof now === 'string') return now;
  const own = marksOn(of.thing, now).filter((one) => isTaken(one, of));
  return new Set(own.map(({ id }) => id));
}

async function allMarks({
  ceph,
}: Marked): Promise<{ readonly marks: ReadonlyMap<string, string> } | string> {
  const words = { prefix: 'config-key dump', key: MARK_PREFIX };
  const answer = await ceph.call({ to: 'mon', words }, NEVER);
  if (answer.status !== 'ok') return answer.why;
  const read = valueIn(answer.value, Marks);
  if ('at' in read) return 'what Ceph answers is not understood';
  return { marks: marksIn(read.value) };
}

function isTaken({ mark }: MarkOn, { environment }: Marked): boolean {
  return mark !== 'unreadable' && isPurges(mark.owner, environment);
}

function stillTaken(environment: string): string {
  return `its marks may still be those of \`${purgeOwner(environment)}\`, so that agents leave it alone (docs/ceph.md says how they are given back)`;
}

function markLeft(why: string): NotOk {
  return {
    status: 'unknown',
    why: `it is gone, and the note of it in its cluster may still be there: ${why}; the same command takes it away`,
  };
}

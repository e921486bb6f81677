import { describe, expect, it } from 'vitest';

import type { Id } from '../../../../agent/core/kind.ts';
import { Secret } from '../../../../agent/core/secret.ts';
import type { Answer } from '../../../../agent/providers/ceph/answers.ts';
import type { Ceph } from '../../../../agent/providers/ceph/driver.ts';
import { carryOut } from '../../../../agent/providers/ceph/purge/carry-out.ts';
import type { PurgeThing } from '../../../../agent/providers/ceph/purge/thing.ts';
import { VirtualClock } from '../../../fakes/clock.ts';

const OWN = 'production';
const PURGE = 'understudy purge of production';
const LATE: Answer = { status: 'unknown', why: 'no answer in time', cause: 'unreachable' };
const AWAY: Answer = { status: 'refused', why: 'away', retry: 'after-replan', cause: 'unreachable' }; // prettier-ignore
const LACKS: Answer = { status: 'refused', why: 'the key lacks caps', retry: 'never', errno: 13 };

/** What a command of a purge is for. */
type Does = 'mark' | 'ask' | 'open' | 'shut' | 'remove' | 'list' | 'unmark';

function doesWhat({ prefix, val }: Readonly<Record<string, unknown>>): Does {
  const does: Readonly<Record<string, Does>> = {
    'config-key set': 'mark',
    'config-key rm': 'unmark',
    'config-key dump': 'ask',
    'osd pool set': val === 'true' ? 'shut' : 'open',
    'fs fail': 'open',
    'fs ls': 'list',
    'fs subvolumegroup ls': 'list',
    'fs set': 'shut',
    'osd pool ls': 'list',
    'fs subvolume ls': 'list',
  };
  return does[String(prefix)] ?? 'remove';
}

interface Story {
  readonly thing?: PurgeThing;
  /** In their turn; the last one counts on. */
  readonly answers?: Partial<Record<Does, readonly Answer[]>>;
  /** What is in whatever list is asked for. */
  readonly listed?: readonly string[];
  readonly ids?: readonly Id[];
  /** Who wrote to a mark after all of them were taken. */
  readonly meanwhile?: readonly (readonly [id: Id, owner: string])[];
  /** The same while it is deleted. */
  readonly rewritten?: readonly (readonly [id: Id, owner: string])[];
  readonly isThere?: boolean;
  readonly isJoinable?: boolean;
  readonly isGuarded?: boolean;
  readonly stopped?: boolean | 'while the mark is taken';
}

const system = {
  thing: { what: 'ceph-filesystem', names: ['files'] },
  ids: ['ceph-filesystem/files'],
} as const;
const pool: PurgeThing = { what: 'ceph-pool', names: ['disks'] };
const POOL: Id = 'ceph-pool/disks';

/** A cluster as far as a purge speaks to it: marks are kept, the rest is told. */
async function run(story: Story = {}) {
  const { thing = pool, answers = {}, ids = [POOL], isThere = true, isGuarded = true } = story;
  const { meanwhile = [], rewritten = [], listed = ['disks'], isJoinable = true } = story;
  const marks = new Map(ids.map((id) => [`understudy/${id}`, markOf(OWN)]));
  const done: string[] = [];
  const turns = new Map<Does, number>();
  const ok = (value: unknown): Answer => ({
    status: 'ok',
    value: new Secret(JSON.stringify(value)),
  });
  const carriedOut = (does: Does, words: Readonly<Record<string, unknown>>): Answer => {
    if (does === 'mark') marks.set(String(words['key']), String(words['val']));
    if (does === 'unmark') marks.delete(String(words['key']));
    if (does === 'list') return ok(listed);
    if (does === 'remove') for (const [id, owner] of rewritten) marks.set(`understudy/${id}`, markOf(owner)); // prettier-ignore
    if (does !== 'ask') return ok('');
    for (const [id, owner] of meanwhile) marks.set(`understudy/${id}`, markOf(owner));
    return ok(Object.fromEntries(marks));
  };
  const stop = new AbortController();
  const ceph: Ceph = {
    call: async ({ words, deadlineMs }) => {
      const does = doesWhat(words);
      const owner = does === 'mark' ? ` ${ownerIn(words['val'])}` : '';
      done.push(`${does}${owner}${deadlineMs === undefined ? '' : ` within ${deadlineMs}`}`);
      if (story.stopped === 'while the mark is taken') stop.abort(new Error('stopped by a signal'));
      const turn = turns.get(does) ?? 0;
      turns.set(does, turn + 1);
      const told = answers[does];
      const answer = told?.[turn] ?? told?.at(-1);
      return Promise.resolve(
        answer === undefined || answer.status === 'ok' ? carriedOut(does, words) : answer,
      );
    },
    close: () => undefined,
  };
  const clock = new VirtualClock();
  if (story.stopped === true) stop.abort(new Error('stopped by a signal'));
  const own = ids.map((id) => ({
    id,
    mark: { owner: OWN, policy: 'Orphan' as const, minSize: 2 },
  }));
  const doom = { thing, isThere, isJoinable, marks: own, environment: OWN, isGuarded, ceph, clock };
  const ended = carryOut(doom, { deadlineMs: 5_000, signal: stop.signal });
  return { ended, done, clock, marks };
}

function markOf(owner: string): string {
  return JSON.stringify({ owner, policy: 'Orphan', minSize: 2 });
}

function ownerIn(val: unknown): string {
  const { owner } = Object(JSON.parse(String(val)));
  if (owner === `${PURGE}, taken down`) return 'down';
  return owner === PURGE ? 'taken' : 'given back';
}

async function outcome(story: Story = {}) {
  const { ended, done, clock, marks } = await run(story);
  const end = await Promise.race([ended, clock.advance(60_000).then(async () => await ended)]);
  return { end, done, marks: Object.fromEntries(marks) };
}

const GIVEN = { [`understudy/${POOL}`]: markOf(OWN) };
const DONE = { status: 'ok', value: new Secret('""') } as const;

describe('a deletion', () => {
  it('takes the mark, opens the guard, deletes, and removes the mark', async () => {
    const { end, done, marks } = await outcome();
    expect(end).toBeUndefined();
    expect(done).toEqual(['mark taken', 'ask', 'open', 'remove within 5000', 'ask', 'unmark']);
    expect(marks).toEqual({});
  });

  it('only removes the mark of what is gone', async () => {
    const { end, done } = await outcome({ isThere: false, listed: [] });
    expect([end, done]).toEqual([undefined, ['mark taken', 'ask', 'list', 'ask', 'unmark']]);
  });

  it('has no guard to open for a folder', async () => {
    const thing = { what: 'ceph-subvolume', names: ['files', 'sites', 'blog'] } as const;
    const { end, done } = await outcome({ thing, ids: ['ceph-subvolume/files/sites/blog'] });
    expect([end, done.slice(2)]).toEqual([undefined, ['remove within 5000', 'ask', 'unmark']]);
  });

  it('of a file system looks once more what is in it, and notes that it took it down', async () => {
    const { end, done } = await outcome({ ...system, listed: [] });
    expect(end).toBeUndefined();
    expect(done).toEqual(['mark taken', 'ask', 'list', 'list', 'open', 'mark down', 'remove within 5000', 'ask', 'unmark']); // prettier-ignore
    // Of one that is down nobody sees anything.
    const again = await outcome({ ...system, isJoinable: false });
    expect(again.done.slice(0, 3)).toEqual(['mark taken', 'ask', 'open']);
  });

  it('begins nothing when it is stopped before', async () => {
    const { ended, done } = await run({ stopped: true });
    await expect(ended).rejects.toThrow('stopped by a signal');
    expect(done).toEqual([]);
  });

  it('deletes nothing when it is stopped before the deletion is sent', async () => {
    const { end, done, marks } = await outcome({ stopped: 'while the mark is taken' });
    expect(end).toMatchObject({ status: 'refused', why: 'stopped: nothing was deleted' });
    expect(done).toEqual(['mark taken', 'ask', 'ask', 'mark given back']);
    expect(marks).toEqual(GIVEN);
  });

  it.each<[string, Story, readonly string[], RegExp]>([
    [
      'its mark cannot be taken',
      { answers: { mark: [LACKS, DONE] } },
      ['mark taken', 'ask'],
      /nothing was deleted: the key lacks caps$/,
    ],
    [
      'nobody knows whether the mark was taken',
      { answers: { mark: [LATE, DONE] } },
      ['mark taken', 'ask'],
      /no answer in time; its marks may still be those of `understudy purge of production`/,
    ],
    [
      'its marks cannot be read',
      { answers: { ask: [AWAY, DONE] } },
      ['mark taken', 'ask', 'ask', 'mark given back'],
      /nothing was deleted: away$/,
    ],
    [
      'the guard stays shut',
      { answers: { open: [LACKS] } },
      ['mark taken', 'ask', 'open', 'list', 'shut', 'ask', 'mark given back'],
      /it is there still: the key lacks caps$/,
    ],
    [
      'nobody knows whether the guard was opened',
      { answers: { open: [LATE] } },
      ['mark taken', 'ask', 'open', 'list', 'shut', 'ask', 'mark given back'],
      /it is there still: no answer in time; it may be carried out still$/,
    ],
    [
      'it is there after all',
      { isThere: false },
      ['mark taken', 'ask', 'list', 'ask', 'mark given back'],
      /^it is there after all$/,
    ],
    [
      'nobody tells any more whether it is there',
      { isThere: false, answers: { list: [AWAY] } },
      ['mark taken', 'ask', 'list', 'ask', 'mark given back'],
      /^whether it is gone is not known any more$/,
    ],
    [
      'Ceph refuses',
      { answers: { remove: [LACKS] } },
      ['mark taken', 'ask', 'open', 'remove within 5000', 'list', 'shut', 'ask', 'mark given back'],
      /it is there still: the key lacks caps$/,
    ],
    [
      'Ceph refuses, and it had no guard before',
      { answers: { remove: [LACKS] }, isGuarded: false },
      ['mark taken', 'ask', 'open', 'remove within 5000', 'list', 'ask', 'mark given back'],
      /it is there still: the key lacks caps$/,
    ],
    [
      'the guard cannot be put back',
      { answers: { remove: [LACKS], shut: [AWAY] } },
      ['mark taken', 'ask', 'open', 'remove within 5000', 'list', 'shut', 'ask', 'mark given back'],
      /guard may be open: `ceph osd pool set disks nodelete true` puts it back \(away\)$/,
    ],
  ])('keeps it, with its mark, when %s', async (_, story, done, why) => {
    const told = await outcome(story);
    expect(told.end).toEqual({ status: 'refused', why: expect.stringMatching(why), retry: 'after-replan' }); // prettier-ignore
    expect(told.done).toEqual(done);
    expect(told.marks).toEqual(GIVEN);
  });

  it('keeps what an agent wrote to meanwhile, under whatever id, and leaves that mark alone', async () => {
    const own = await outcome({ meanwhile: [[POOL, OWN]] });
    expect(own.end).toMatchObject({ status: 'refused', why: expect.stringContaining('may be back') }); // prettier-ignore
    expect(own.done).toEqual(['mark taken', 'ask', 'ask']);
    const foreign = await outcome({ meanwhile: [[POOL, 'staging']] });
    expect(foreign.marks).toEqual({ [`understudy/${POOL}`]: markOf('staging') });
    const other = await outcome({ meanwhile: [['ceph-pool/main/disks', OWN]] });
    expect(other.end).toMatchObject({ why: expect.stringContaining('may be back') });
    expect(other.marks).toEqual({ ...GIVEN, 'understudy/ceph-pool/main/disks': markOf(OWN) });
  });

  it('says so where the marks cannot be given back', async () => {
    const { end } = await outcome({ answers: { remove: [LACKS], mark: [DONE, AWAY] } });
    expect(end).toMatchObject({
      status: 'refused',
      why: expect.stringMatching(/its marks may still be those of .*docs\/ceph\.md.*: away$/),
    });
  });

  it('looks what became of it where no answer came', async () => {
    const gone = await outcome({ answers: { remove: [LATE] }, listed: [] });
    expect([gone.end, gone.done.slice(-3)]).toEqual([undefined, ['list', 'ask', 'unmark']]);
    const there = await outcome({ answers: { remove: [LATE] } });
    expect(there.end).toMatchObject({
      status: 'unknown',
      why: expect.stringMatching(
        /no answer in time; it is still there; its guard may be open: `ceph osd pool set disks nodelete true` puts it back.*the same command goes on/,
      ),
    });
    expect(there.done.filter((one) => one === 'list')).toHaveLength(16);
    expect(there.marks).not.toEqual(GIVEN);
    // A manager daemon that was replaced may be at it still.
    const shut: Answer = { ...AWAY, errno: 108 };
    expect((await outcome({ answers: { remove: [shut] } })).end).toMatchObject({
      status: 'unknown',
    });
    const away = await outcome({ answers: { remove: [AWAY], list: [AWAY] } });
    expect(away.end).toMatchObject({ status: 'unknown', why: expect.stringContaining('not reached') }); // prettier-ignore
  });

  it('stays where somebody made something in it since it was looked at', async () => {
    const more = await outcome({ ...system, listed: ['new'] });
    expect(more.end).toMatchObject({ status: 'refused', why: 'there is something in it by now: new' }); // prettier-ignore
    expect(more.done).not.toContain('open');
    const noted = await outcome({
      ...system,
      listed: [],
      meanwhile: [['ceph-subvolume-group/files/new', OWN]],
    });
    expect(noted.end).toMatchObject({ why: '`ceph-subvolume-group/files/new` is noted in it by now' }); // prettier-ignore
    const blind = await outcome({ ...system, answers: { list: [AWAY] } });
    expect(blind.end).toMatchObject({ why: 'what is in it is not known any more' });
  });

  it('leaves a mark that an agent wrote while it was deleted', async () => {
    const { end, marks } = await outcome({ rewritten: [[POOL, OWN]] });
    expect([end, marks]).toEqual([undefined, GIVEN]);
  });

  it('is over where somebody else deleted it before the guard was opened', async () => {
    const absent: Answer = { ...LACKS, errno: 2 };
    const { end, done } = await outcome({ answers: { open: [absent] }, listed: [] });
    expect([end, done.slice(-3)]).toEqual([undefined, ['list', 'ask', 'unmark']]);
  });

  it('says that the note of what is gone may be left', async () => {
    const { end } = await outcome({ answers: { unmark: [LATE] } });
    expect(end).toMatchObject({
      status: 'unknown',
      why: expect.stringMatching(/^it is gone, and/),
    });
  });
});

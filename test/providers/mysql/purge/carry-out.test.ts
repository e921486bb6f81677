import { describe, expect, it } from 'vitest';

import type { Id } from '../../../../agent/core/kind.ts';
import type { Answer, Connection } from '../../../../agent/providers/mysql/connect.ts';
import { carryOut } from '../../../../agent/providers/mysql/purge/carry-out.ts';
import type { Sql } from '../../../../agent/providers/mysql/sql.ts';
import { VirtualClock } from '../../../fakes/clock.ts';

const ID: Id = 'mysql-database/blog';
const OTHER: Id = 'mysql-database/main/blog';
const PURGE = 'understudy purge of production';

const rows = (value: readonly Record<string, unknown>[]): Answer => ({ status: 'ok', value });
const DONE = rows([]);
const LATE: Answer = { status: 'unknown', why: 'no answer in time', cause: 'unreachable' };
const AWAY: Answer = { status: 'refused', why: 'away', retry: 'after-replan' };
const LACKS: Answer = { status: 'refused', why: 'a GRANT lacks', retry: 'never', number: 1044 };

/** What a statement of a purge is for. */
type Does = 'take' | 'ask' | 'drop' | 'give back' | 'remove' | 'look';

function doesWhat(said: string): Does {
  if (said.startsWith('DROP')) return 'drop';
  if (said.startsWith('DELETE')) return 'remove';
  if (said.startsWith('UPDATE')) return said.includes('left_at') ? 'take' : 'give back';
  return said.includes('SCHEMATA') ? 'look' : 'ask';
}

interface Story {
  /** Of the session; a statement of which no answer comes ends it. */
  readonly answers?: Partial<Record<Does, Answer>>;
  /** Of a session of its own, in turn; the last one counts on. */
  readonly elsewhere?: Partial<Record<Does, readonly Answer[]>>;
  /** What the ledger has after the lines were taken. */
  readonly ledger?: readonly (readonly [id: string, owner: string | null])[];
  readonly isThere?: boolean;
  readonly ids?: readonly Id[];
  readonly stopped?: boolean;
}

async function run(story: Story = {}) {
  const { answers = {}, elsewhere = {}, ids = [ID], isThere = true } = story;
  const ledger = story.ledger ?? ids.map((id) => [id, PURGE] as const);
  const done: string[] = [];
  let isClosed = false;
  const connection: Connection = {
    isClosed: () => isClosed,
    close: () => void (isClosed = true),
    query: async ({ text }, _, signal) => {
      signal.throwIfAborted();
      if (isClosed) return Promise.resolve(AWAY);
      const does = doesWhat(text.reveal());
      done.push(does);
      const lines = rows(ledger.map(([id, owner]) => ({ id, owner })));
      const answer = answers[does] ?? (does === 'ask' ? lines : DONE);
      isClosed = answer.status === 'unknown';
      return Promise.resolve(answer);
    },
  };
  const turns = new Map<Does, number>();
  const askWriter = async (statement: Sql): Promise<Answer> => {
    const does = doesWhat(statement.text.reveal());
    done.push(`${does} elsewhere`);
    const turn = turns.get(does) ?? 0;
    turns.set(does, turn + 1);
    const told = elsewhere[does] ?? [DONE];
    return Promise.resolve(told[turn] ?? told.at(-1) ?? DONE);
  };
  const clock = new VirtualClock();
  const stop = new AbortController();
  if (story.stopped === true) stop.abort(new Error('stopped by a signal'));
  const doom = { name: 'blog', isThere, ids, environment: 'production', connection };
  const end = carryOut(
    { ...doom, askWriter, clock },
    { deadlineMs: 5_000, signal: stop.signal },
  ).finally(() => expect(isClosed).toBe(true));
  return { end, done, clock };
}

async function outcome(story: Story = {}) {
  const { end, done } = await run(story);
  return { told: await end, done };
}

const there = rows([{ many: 1 }]);
const gone = rows([{ many: 0 }]);

describe('a purge of a database', () => {
  it('takes the lines, drops, and takes the lines away', async () => {
    expect(await outcome()).toEqual({
      told: undefined,
      done: ['take', 'ask', 'drop', 'remove'],
    });
    expect(await outcome({ isThere: false })).toEqual({
      told: undefined,
      done: ['take', 'ask', 'remove'],
    });
  });

  it('writes nothing where it was stopped before', async () => {
    const { end, done } = await run({ stopped: true });
    await expect(end).rejects.toThrow('stopped by a signal');
    expect(done).toEqual([]);
  });

  it.each<[string, NonNullable<Story['ledger']>, readonly Id[]]>([
    ['under the same id', [[ID, 'production']], [ID]],
    [
      'under another id of it',
      [
        [ID, PURGE],
        [OTHER, 'production'],
      ],
      [ID],
    ],
    [
      'under another id of it, for nobody who is named',
      [
        [OTHER, PURGE],
        [ID, null],
      ],
      [OTHER],
    ],
    ['under one of two ids', [[ID, PURGE]], [ID, OTHER]],
    ['and its line is gone', [], [ID]],
  ])('gives the lines back where an agent wrote meanwhile, %s', async (_, ledger, ids) => {
    const { told, done } = await outcome({ ledger, ids });
    expect(told).toEqual({
      status: 'refused',
      why: expect.stringMatching(/its document may be back$/),
      retry: 'after-replan',
    });
    expect([done.at(-1), done.includes('drop')]).toEqual(['give back', false]);
  });

  it('drops where the line of something else is another one’s', async () => {
    const ledger = [
      [ID, PURGE],
      ['mysql-user/blog', 'production'],
    ] as const;
    expect((await outcome({ ledger })).told).toBe(undefined);
  });

  it.each<[string, Story, readonly string[], string]>([
    ['they cannot be taken', { answers: { take: LACKS } }, ['take'], 'a GRANT lacks'],
    [
      'nobody knows whether they are taken',
      { answers: { take: LATE } },
      ['take', 'give back elsewhere'],
      `no answer in time; its lines in the ledger may still be those of \`${PURGE}\``,
    ],
    [
      'it cannot be asked whose they are',
      { answers: { ask: LATE } },
      ['take', 'ask', 'give back elsewhere'],
      'no answer in time',
    ],
    [
      'the answer is not understood',
      { answers: { ask: rows([{ id: 7 }]) } },
      ['take', 'ask', 'give back'],
      'is not understood',
    ],
    [
      'they cannot be given back',
      { ledger: [], answers: { 'give back': AWAY } },
      ['take', 'ask', 'give back'],
      `its document may be back; its lines in the ledger may still be those of \`${PURGE}\``,
    ],
    [
      'the server does not drop it',
      { answers: { drop: LACKS }, elsewhere: { look: [there] } },
      ['take', 'ask', 'drop', 'look elsewhere', 'give back elsewhere'],
      'it is there still, perhaps not all of it: a GRANT lacks',
    ],
    [
      'it does not drop it, and they cannot be given back',
      { answers: { drop: LACKS }, elsewhere: { look: [there], 'give back': [AWAY] } },
      ['take', 'ask', 'drop', 'look elsewhere', 'give back elsewhere'],
      `a GRANT lacks; its lines in the ledger may still be those of \`${PURGE}\``,
    ],
  ])('is refused where %s', async (_, story, does, why) => {
    const { told, done } = await outcome(story);
    expect(done).toEqual(does);
    expect(told).toMatchObject({ status: 'refused', why: expect.stringContaining(why) });
  });

  it('says that a line is left', async () => {
    const { told } = await outcome({ answers: { remove: LATE } });
    expect(told).toMatchObject({
      status: 'unknown',
      why: expect.stringContaining('it is gone, and the note of it'),
    });
    const elsewhere = { look: [gone], remove: [AWAY] };
    const other = await outcome({ answers: { drop: LATE }, elsewhere });
    expect(other.told).toMatchObject({ status: 'unknown', why: expect.stringContaining('away') });
  });

  it('looks until it is gone where no answer came', async () => {
    const { end, done, clock } = await run({
      answers: { drop: LATE },
      elsewhere: { look: [there, AWAY, rows([{ many: 'x' }]), gone] },
    });
    await clock.advance(3_000);
    expect(await end).toBe(undefined);
    expect(done.slice(-2)).toEqual(['look elsewhere', 'remove elsewhere']);
  });

  it.each([
    ['is still there', there],
    ['server is not reached', AWAY],
  ])('does not say how it ends where no answer came, and its %s', async (words, look) => {
    const { end, done, clock } = await run({
      answers: { drop: LATE },
      elsewhere: { look: [look] },
    });
    await clock.advance(20_000);
    expect(await end).toMatchObject({ status: 'unknown', why: expect.stringContaining(words) });
    // The drop may come still: the lines keep the agents away.
    expect(done).not.toContain('give back elsewhere');
  });
});

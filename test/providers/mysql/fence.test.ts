import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Answer, Connection } from '../../../agent/providers/mysql/connect.ts';
import { type Line, sendFenced, takeFence } from '../../../agent/providers/mysql/fence.ts';
import {
  type FenceSeen,
  isAlone,
  judgeFence,
  raise,
  readFence,
} from '../../../agent/providers/mysql/fence-row.ts';
import { claim } from '../../../agent/providers/mysql/ledger.ts';
import { UnreadableRows } from '../../../agent/providers/mysql/rows.ts';
import { literal, sql } from '../../../agent/providers/mysql/sql.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import { FencedServer } from '../../fakes/fenced-server.ts';

const me = { term: 5, holder: 'me' };
const own = { own: 8, here: 'db:3306' };
const mine = { ...me, connection: 8, server: 'db:3306' };
const seen = (row: Partial<typeof mine> | undefined, lockedBy?: number): FenceSeen => ({
  ...own,
  ...(lockedBy !== undefined && { lockedBy }),
  ...(row !== undefined && { row: { ...mine, ...row } }),
});

describe('who may write', () => {
  it.each([
    ['nobody did', seen(undefined), 'open', true],
    ['nobody did, and another one has the lock', seen(undefined, 9), 'open', false],
    ['the row is new', seen({ term: 0, holder: '', connection: 0, server: '' }), 'open', true],
    ['an earlier term did', seen({ term: 4, holder: 'other', connection: 9 }), 'open', false],
    ['an earlier term does', seen({ term: 4, holder: 'other', connection: 9 }, 9), 'open', false],
    ['this session did in an earlier term', seen({ term: 4 }, 8), 'open', true],
    ['a session of ours did', seen({ connection: 7 }), 'open', false],
    ['a session of ours did, on another server', seen({ server: 'db2:3306' }, 8), 'open', false],
    ['this session is in the row alone', seen({}), 'named', false],
    ['this session is in the row, another one has the lock', seen({}, 9), 'named', false],
    ['this session does', seen({}, 8), 'ours', true],
    ['a later term does', seen({ term: 6 }, 9), 'closed', false],
    ['another agent has the term', seen({ holder: 'other' }, 9), 'closed', false],
  ])('%s', (_, found, is, alone) => {
    expect(judgeFence(found, me).is).toBe(is);
    expect(isAlone(found)).toBe(alone);
  });

  it('is read from one line', () => {
    const line = { own: 8, here: 'db:3306', locked_by: '9', term: '5', holder: 'me', there: 'db:3306', session_id: 8 }; // prettier-ignore
    expect(readFence([line])).toEqual(seen({}, 9));
    const none = { ...line, locked_by: null, term: null, holder: null, there: null, session_id: null }; // prettier-ignore
    expect(readFence([none])).toEqual(seen(undefined));
    expect(() => readFence([])).toThrow(UnreadableRows);
    expect(() => readFence([{ ...line, term: 'x' }])).toThrow(UnreadableRows);
  });

  it('is written over only what was seen', () => {
    expect(raise({ ...mine, term: 4, holder: "o'ther" }, me).shown).toMatch(
      /WHERE owner = '' AND term = 4 AND holder = 'o''ther' AND connection = 8$/,
    );
  });
});

/** A session on which each question takes some time. */
function line(answers: readonly (readonly [Answer, number])[]) {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const left: number[] = [];
  const guarded: number[] = [];
  const connection: Connection = {
    isClosed: () => false,
    close: () => undefined,
    query: async ({ text }, deadlineMs) => {
      const [answer, tookMs] = answers[sent.length] ?? [{ status: 'ok', value: [] }, 0];
      sent.push(text.reveal());
      left.push(deadlineMs);
      await clock.advance(tookMs);
      return answer;
    },
  };
  const guard = {
    refusal: (ms: number) => {
      guarded.push(ms);
      return undefined;
    },
  };
  const value: Line = { connection, clock, guard, signal: new AbortController().signal };
  return { value, sent, left, guarded };
}

const rowOf = (lockedBy: number, term = 5): Answer => ({
  status: 'ok',
  value: [{ own: 8, here: 'db:3306', locked_by: lockedBy, term, holder: 'me', there: 'db:3306', session_id: 8 }], // prettier-ignore
});

describe('a statement', () => {
  const statement = claim('mysql-user/blog', { digest: 'aa' });

  it('is held back in words that say who came after', async () => {
    const { value } = line([[rowOf(8, 6), 0]]);
    expect(await sendFenced(value, me, statement)).toMatchObject({
      why: 'an agent of term 6 writes there, and ours is 5: where no agent of that Swarm is left, delete its row in `understudy`.`fences`',
    });
  });

  it('has with the look before it the time that the guard was asked for', async () => {
    const { value, left, guarded } = line([[rowOf(8), 900]]);
    expect(await sendFenced(value, me, statement)).toEqual({ status: 'ok' });
    expect([left, guarded[0]]).toEqual([[1_000, 4_100], 5_000]);
  });

  it('is not sent once nobody waits for it, also where others were before it', async () => {
    const stop = new AbortController();
    const { value, sent } = line([[rowOf(8), 0]]);
    const { connection } = value;
    const query: Connection['query'] = async (...asked) => {
      const answer = await connection.query(...asked);
      stop.abort(new Error('over'));
      return answer;
    };
    const stopped = { ...value, signal: stop.signal, connection: { ...connection, query } };
    const held = { status: 'refused', why: 'stopped before it was sent', cause: 'held-back' };
    expect(await sendFenced(stopped, me, statement)).toMatchObject(held);
    expect(await sendFenced(stopped, me, statement)).toMatchObject(held);
    expect(sent).toHaveLength(1);
  });

  it.each([
    ['the process slept', [rowOf(8), 1_001] as const, 'held-back'],
    ['the lock is gone', [rowOf(9), 0] as const, 'held-back'],
    ['a later term is there', [rowOf(8, 6), 0] as const, 'held-back'],
    ['the row cannot be read', [{ status: 'ok', value: [{}] }, 0] as const, undefined],
    ['the row is gone', [{ status: 'refused', why: 'no', retry: 'never', number: 1146 }, 0] as const, 'held-back'], // prettier-ignore
    ['nobody answers', [{ status: 'unknown', why: 'no answer in time' }, 0] as const, 'unreachable'], // prettier-ignore
  ])('is not sent where %s', async (_, answer, cause) => {
    const { value, sent } = line([answer]);
    const outcome = await sendFenced(value, me, statement);
    expect(outcome.status).toBe('refused');
    expect('cause' in outcome ? outcome.cause : undefined).toBe(cause);
    expect(sent).toHaveLength(1);
    expect(JSON.stringify(outcome)).not.toMatch(/digest|mysql-user/);
  });
});

it('gives up where another session keeps the lock', async () => {
  const { value, sent } = line(Array.from({ length: 50 }, () => [rowOf(9), 0] as const));
  expect(await takeFence(value, me)).toMatchObject({ status: 'refused', cause: 'held-back' });
  expect(sent.length).toBeLessThan(50);
});

it('has one deadline for all that goes before the first statement', async () => {
  const { value, left } = line(Array.from({ length: 50 }, () => [rowOf(9), 1_200] as const));
  expect(await takeFence(value, me)).toMatchObject({ why: 'there is no time left' });
  expect(left).toEqual([5_000, 3_800, 2_600, 1_400, 200]);
});

describe('several agents', () => {
  const guard = { refusal: () => undefined };
  const clock = new VirtualClock();

  it('never have an earlier term carried out after a later one has the fence', async () => {
    const terms = fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), terms, async (scheduler, all) => {
        const server = new FencedServer();
        const travel = async () => await scheduler.schedule(Promise.resolve());
        let taken = 0;
        const agents = all.map(async (term) => {
          const writer = { term, holder: `h${term}` };
          // One that loses its session comes again.
          for (let session = 0; session < 2; session += 1) {
            const connection = server.connect(travel);
            const each = { connection, clock, guard, signal: new AbortController().signal };
            if ((await takeFence(each, writer)).status !== 'ok') continue;
            taken += 1;
            server.works.push(`taken ${term}`);
            for (let count = 0; count < 2; count += 1) {
              await sendFenced(each, writer, sql`${literal(`work ${term}`)}`);
            }
          }
        });
        await scheduler.waitIdle();
        await Promise.all(agents);
        expect(taken).toBeGreaterThan(0);
        let highest = 0;
        const late = server.works.filter((line) => {
          const term = Number(/\d+/.exec(line)?.[0]);
          if (line.startsWith('taken')) highest = Math.max(highest, term);
          return term < highest && !line.startsWith('taken');
        });
        expect(late).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  it('go on after one that died at any of its steps, and know that it may have written', async () => {
    let [finished, known] = [0, 0];
    for (let steps = 0; steps < 26; steps += 1) {
      const server = new FencedServer();
      let left = steps;
      const dies = async (): Promise<void> => {
        left -= 1;
        // Its session stays where nobody noticed.
        if (left < 0) await new Promise(() => undefined);
      };
      const lineOf = (travel: () => Promise<void>): Line => ({
        connection: server.connect(travel),
        clock,
        guard,
        signal: new AbortController().signal,
      });
      const gone = takeFence(lineOf(dies), { term: 1, holder: 'gone' });
      const first = await Promise.race([gone, new Promise((done) => setImmediate(done))]);
      const next = lineOf(async () => undefined);
      const writer = { term: 2, holder: 'next' };
      const taken = await takeFence(next, writer);
      expect(taken.status).toBe('ok');
      finished += first === undefined ? 0 : 1;
      known += first !== undefined && taken.status === 'ok' && !taken.value.alone ? 1 : 0;
      expect(await sendFenced(next, writer, sql`SELECT 1`)).toEqual({ status: 'ok' });
    }
    expect(finished).toBeGreaterThan(0);
    expect(known).toBe(finished);
  });
});

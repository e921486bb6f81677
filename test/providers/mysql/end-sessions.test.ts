import { describe, expect, it } from 'vitest';

import type { Answer, Connection } from '../../../agent/providers/mysql/connect.ts';
import { endSessions } from '../../../agent/providers/mysql/end-sessions.ts';
import type { Flavor } from '../../../agent/providers/mysql/server.ts';
import { VirtualClock } from '../../fakes/clock.ts';

const { signal } = new AbortController();
const name = { user: 'blog', host: '%' };
const rows = (value: readonly Record<string, unknown>[]): Answer => ({ status: 'ok', value });
const unknown: Answer = { status: 'unknown', why: 'no answer in time' };
const lacks: Answer = { status: 'refused', why: 'not the owner', retry: 'never', number: 1095 };

interface Story {
  readonly flavor?: Flavor;
  readonly accounts?: Answer;
  readonly sessions?: Answer;
  readonly kill?: Answer;
  readonly shut?: string;
  readonly until?: AbortSignal;
}

/** One host, which answers as the test says; what is sent to end a session is noted. */
async function run({ flavor = 'mysql', shut, until = signal, ...story }: Story) {
  const {
    accounts = rows([{ host: '%', locked: 1 }]),
    sessions = rows([
      { id: 7, who: 'blog', place: 'a' },
      { id: 8, who: 'blog', place: 'b' },
    ]),
    kill = rows([]),
  } = story;
  const sent: string[] = [];
  const connection: Connection = {
    isClosed: () => false,
    close: () => undefined,
    query: async ({ text }) => {
      const said = text.reveal();
      if (said.startsWith('KILL')) sent.push(said);
      const isOfAccounts = / FROM mysql\./.test(said);
      return Promise.resolve(said.startsWith('KILL') ? kill : isOfAccounts ? accounts : sessions);
    },
  };
  const host = 'db1:3306';
  const settings = { hosts: [host], user: 'understudy', passwordFile: '/nope', databases: [] };
  const guard = { refusal: () => shut };
  const clock = new VirtualClock();
  const on = { settings, host, connection, flavor, clock, guard };
  return { outcome: await endSessions(name, on, until), sent };
}

describe('to end the sessions of an account', () => {
  it('each is ended by its number, or all by the name', async () => {
    expect(await run({})).toEqual({ outcome: undefined, sent: ['KILL 7', 'KILL 8'] });
    expect(await run({ flavor: 'mariadb' })).toEqual({
      outcome: undefined,
      sent: ["KILL USER 'blog'@'%'"],
    });
  });

  it.each([
    ['it lets somebody in again', { accounts: rows([{ host: '%', locked: 0 }]) }],
    [
      'another one of the name is open',
      {
        accounts: rows([
          { host: '%', locked: 1 },
          { host: 'a', locked: 0 },
        ]),
      },
    ],
    ['nobody is in', { sessions: rows([]) }],
    ['the agent may not look', { accounts: lacks }],
    ['the answer is not understood', { sessions: rows([{ id: 'x' }]) }],
  ] as const)('none is where %s, and it is over', async (_, story) => {
    expect(await run(story)).toEqual({ outcome: undefined, sent: [] });
  });

  it('those that are over already, or that the agent may not end, are left', async () => {
    expect(await run({ kill: lacks })).toEqual({ outcome: undefined, sent: ['KILL 7', 'KILL 8'] });
  });

  it('nothing is sent where this agent may not write, or was stopped', async () => {
    const held = await run({ shut: 'the lease is over' });
    expect(held).toMatchObject({ outcome: { status: 'refused', cause: 'held-back' }, sent: [] });
    const stop = new AbortController();
    stop.abort(new Error('stopped'));
    const stopped = await run({ until: stop.signal });
    expect(stopped).toMatchObject({ outcome: { status: 'unknown' }, sent: [] });
  });

  it.each([{ accounts: unknown }, { sessions: unknown }, { kill: unknown }])(
    'goes on where no answer comes: %j',
    async (story) => {
      expect((await run(story)).outcome).toEqual(unknown);
    },
  );
});

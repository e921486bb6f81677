import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { purgeCommand } from '../../agent/cli/purge.ts';
import { purgeWantedOf } from '../../agent/cli/purge-options.ts';
import type { PurgeIo } from '../../agent/cli/purge-ports.ts';
import type { CallOutcome, Id } from '../../agent/core/kind.ts';
import type { Doomed, PurgeLogin, PurgeOrder } from '../../agent/core/purge.ts';
import { Secret } from '../../agent/core/secret.ts';
import { unknownUnit } from '../../agent/core/unit.ts';
import { sightOn } from '../../agent/sight.ts';
import { terminalOn } from '../../agent/terminal.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { HeadDesk } from '../fakes/head-desk.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm } from '../fakes/swarm-modem.ts';

const { signal } = new AbortController();
const CANARY = 'canary-4711';

describe('the arguments of purge', () => {
  it.each([
    [[], 'name it by its id'],
    [['blog'], 'name it by its id'],
    [['mysql-database/'], 'name it by its id'],
    [['a/b', 'c/d'], 'one only'],
    [['a/b', '--password', 'x'], "Unknown option '--password'"],
    [['a/b', '--user', ''], '`--user` is'],
    [['a/b', '--timeout', 'soon'], '`--timeout` is a time'],
    [['a/b', '--dry-run', '--yes-delete', 'b'], '`--dry-run` deletes nothing'],
    [['a/b', '--json'], '`--json` shows nothing before it asks'],
  ])('%j are wrong: %s', (args, why) => {
    expect(purgeWantedOf(args, {})).toEqual({ wrong: expect.stringContaining(why) });
  });

  it('name a thing, and take no password', () => {
    const environment = { MYSQL_PWD: CANARY, UNDERSTUDY_DOCKER_SOCKET: '/run/engine.sock' };
    const wanted = purgeWantedOf(['mysql-database/blog', '--server', 'main'], environment);
    expect(wanted).toEqual({
      id: 'mysql-database/blog',
      where: { settings: '/etc/understudy/agent.yaml', server: 'main' },
      dryRun: false,
      timeoutMs: 600_000,
      socket: '/run/engine.sock',
      json: false,
    });
  });
});

const doomed: Doomed = {
  isThere: true,
  host: 'box1:1',
  facts: [{ key: 'bytes', value: 5, label: 'size', words: '5 B' }],
  refusals: [],
  notes: ['something stays'],
};

interface Story {
  readonly look?: CallOutcome<Doomed>;
  readonly purge?: CallOutcome<Doomed>;
  readonly units?: readonly Id[];
  readonly types?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  /** What happens while the name is typed. */
  readonly meanwhile?: {
    readonly units?: readonly Id[];
    readonly labels?: Readonly<Record<string, string>>;
  };
  /** The command is stopped by then, and this is thrown. */
  readonly stoppedAt?: 'look' | 'purge';
}

/** Something of another kind than there is: the command knows no kind. */
async function run(args: readonly string[], story: Story = {}) {
  const { look = { status: 'ok', value: doomed }, purge = look, types } = story;
  const engine = new FakeEngine();
  const head = new HeadDesk(engine);
  const record = async (ids: readonly Id[], labels: Readonly<Record<string, string>> = {}) => {
    const units = new Map(ids.map((id) => [id, unknownUnit]));
    await head.write(units, { seen: 'c0ffee1000', settled: '', revisions: [] });
    await head.label(labels);
  };
  await record(story.units ?? ['box/shop'], story.labels);
  const stop = new AbortController();
  const stopAt = (at: Story['stoppedAt']): void => {
    if (story.stoppedAt !== at) return;
    stop.abort(new Error('stopped by a signal'));
    stop.signal.throwIfAborted();
  };
  const text = { out: '', err: '' };
  const done: string[] = [];
  const answers = [...(types ?? [])];
  const opened: PurgeLogin[] = [];
  const orders: PurgeOrder[] = [];
  const io: PurgeIo = {
    out: (more) => void (text.out += more),
    err: (more) => void (text.err += more),
    colour: false,
    clock: new VirtualClock(),
    environment: {},
    openSight: () => sightOn(directSwarm(engine)),
    readPassword: async (path) =>
      Promise.resolve(path === '/there' ? new Secret(CANARY) : { why: 'ENOENT' }),
    kinds: new Map([
      [
        'box',
        {
          find: async (id) =>
            Promise.resolve({
              status: 'found',
              target: {
                by: 'password',
                what: 'box 1',
                name: 'one',
                kept: ({ units: known }) => (known.has(id) ? 'it is in the repository' : undefined),
                open: (login) => {
                  opened.push(login);
                  return {
                    look: async () => {
                      done.push('look');
                      stopAt('look');
                      return Promise.resolve(look);
                    },
                    purge: async (order) => {
                      done.push(`purge ${String(order.deadlineMs)}`);
                      orders.push(order);
                      stopAt('purge');
                      return Promise.resolve(purge);
                    },
                  };
                },
              },
            }),
        },
      ],
    ]),
    ...(types && {
      terminal: {
        ask: async () => {
          if (answers.length === 1 && story.meanwhile !== undefined) {
            const { units = ['box/shop'], labels } = story.meanwhile;
            await record(units, labels);
          }
          return answers.shift();
        },
        askSecret: async () => {
          const typed = answers.shift();
          return Promise.resolve(typed === undefined ? undefined : new Secret(typed));
        },
      },
    }),
  };
  const code = await purgeCommand(['box/one', ...args], io, stop.signal);
  expect(`${text.out}${text.err}`).not.toContain(CANARY);
  return { code, done, opened, orders, ...text };
}

const FROZEN = { 'understudy.freeze': '{"by":"ana@m1","why":"an incident"}' };
const LOGIN = ['--user', 'boss', '--password-file', '/there'];
const YES = [...LOGIN, '--yes-delete', 'one', '--timeout', '7s'];

describe('understudy purge', () => {
  it('shows what would go before it asks, and says when it is gone', async () => {
    const told = await run([], { types: ['boss', CANARY, 'one'] });
    expect(told).toMatchObject({ code: 0, done: ['look', 'purge 600000'], err: '' });
    expect(told.opened[0]?.user).toBe('boss');
    expect(told.out).toBe(
      [
        'box 1',
        '  at      box1:1',
        '  size    5 B',
        '  not in  revision c0ffee1, as the agents of production follow it',
        '  note: something stays',
        'box 1 is gone',
        '',
      ].join('\n'),
    );
  });

  it.each<[string, readonly string[], Story, number, readonly string[], string]>([
    ['in the repository', YES, { units: ['box/one'] }, 1, [], 'it is in the repository'],
    ['frozen', YES, { labels: FROZEN }, 1, [], 'frozen by ana@m1'],
    [
      'frozen while the name is typed',
      LOGIN,
      { types: ['one'], meanwhile: { labels: FROZEN } },
      1,
      ['look'],
      'frozen by ana@m1',
    ],
    [
      'back in the repository when the name is typed',
      LOGIN,
      { types: ['one'], meanwhile: { units: ['box/one'] } },
      1,
      ['look'],
      'it is in the repository',
    ],
    ['stopped before', YES, { stoppedAt: 'look' }, 1, ['look'], 'stopped: nothing was deleted'],
    [
      'stopped when it has begun',
      YES,
      { stoppedAt: 'purge' },
      1,
      ['look', 'purge 7000'],
      'stopped: whether it goes is not known',
    ],
    ['not typed', LOGIN, { types: ['two'] }, 1, ['look'], 'was not typed'],
    ['given up', LOGIN, { types: [] }, 1, ['look'], 'was not typed'],
    ['asked for by nobody', LOGIN, {}, 2, [], 'no terminal'],
    ['named otherwise', [...LOGIN, '--yes-delete', 'two'], {}, 2, [], 'names `two`'],
    ['without an account', ['--yes-delete', 'one'], {}, 2, [], '`--user`'],
    ['without a password', ['--yes-delete', 'one', '--user', 'x'], {}, 2, [], '`--password-file`'],
    [
      'without a readable password',
      ['--yes-delete', 'one', '--user', 'x', '--password-file', '/nope'],
      {},
      1,
      [],
      '/nope: ENOENT',
    ],
    [
      'spoken against',
      YES,
      { look: { status: 'ok', value: { ...doomed, refusals: ['a', 'b'] } } },
      1,
      ['look'],
      'a; b',
    ],
    [
      'away',
      YES,
      { look: { status: 'refused', why: 'away', retry: 'after-replan', cause: 'no-leader' } },
      6,
      ['look'],
      'away',
    ],
    [
      'not answered',
      YES,
      { purge: { status: 'unknown', why: 'not known' } },
      1,
      ['look', 'purge 7000'],
      'not known',
    ],
  ])('ends otherwise for what is %s', async (_, args, story, code, done, why) => {
    const told = await run(args, story);
    expect([told.code, told.done, told.err]).toEqual([code, done, expect.stringContaining(why)]);
    expect(told.out).not.toContain('is gone');
  });

  it('is told what was shown, and what the repository has when the name is typed', async () => {
    const gone = { ...doomed, isThere: false };
    const meanwhile = { units: ['box/other'] } as const;
    const told = await run(LOGIN, { types: ['one'], meanwhile });
    expect(told.orders).toMatchObject([{ shown: { isThere: true }, deadlineMs: 600_000 }]);
    expect(told.orders[0]?.ground.units).toEqual(new Set(['box/other']));
    const again = await run(LOGIN, { types: [], look: { status: 'ok', value: gone } });
    expect(again.orders).toMatchObject([{ shown: { isThere: false } }]);
  });

  it('says the same to programs, in one object', async () => {
    const told = await run([...YES, '--json'], { purge: { status: 'unknown', why: 'not known' } });
    expect(JSON.parse(told.out)).toEqual({
      id: 'box/one',
      what: 'box 1',
      status: 'unknown',
      why: 'not known',
      host: 'box1:1',
      isThere: true,
      facts: { bytes: 5 },
      refusals: [],
      notes: ['something stays'],
    });
  });
});

describe('a person at a terminal', () => {
  function terminal() {
    const input = new PassThrough();
    const output = new PassThrough();
    let shown = '';
    output.on('data', (bytes: Buffer) => (shown += bytes.toString()));
    return { input, asks: terminalOn({ input, output }), shown: () => shown };
  }

  it('is asked, and does not see the password that is typed', async () => {
    const { input, asks, shown } = terminal();
    const name = asks.ask('name: ', signal);
    input.write('blo\u007fog\r');
    expect(await name).toBe('blog');
    expect(shown()).toContain('blo');
    const secret = asks.askSecret('password: ', signal);
    input.write(`${CANARY}\r`);
    expect((await secret)?.reveal()).toBe(CANARY);
    expect(shown()).toContain('password: \n');
    expect(shown()).not.toContain('canary');
  });

  it.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('ends it with %s', async (_, key) => {
    const { input, asks } = terminal();
    const name = asks.ask('name: ', signal);
    input.write(key);
    expect(await name).toBeUndefined();
  });

  it('is not waited for when the command is stopped', async () => {
    const { asks } = terminal();
    const stop = new AbortController();
    const name = asks.ask('name: ', stop.signal);
    stop.abort(new Error('stopped by a signal'));
    await expect(name).rejects.toThrow('stopped by a signal');
  });
});

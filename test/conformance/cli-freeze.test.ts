import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { freezeCommand } from '../../agent/cli/freeze.ts';
import { freezeWantedOf } from '../../agent/cli/freeze-options.ts';
import { deskOn } from '../../agent/desk.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import { FREEZE_LABEL } from '../../agent/record/freeze.ts';
import { HEAD_NAME, headFormat } from '../../agent/record/head.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm, type Fate, type FakeExchange } from '../fakes/swarm-modem.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

const { signal } = new AbortController();

async function makeHead(engine: FakeEngine): Promise<void> {
  const format = headFormat((bytes) => Buffer.alloc(bytes, 7));
  await swarmHead(directSwarm(engine), format).make(signal);
}

function headOf(engine: FakeEngine) {
  const head = [...engine.configs.values()].find(({ name }) => name === HEAD_NAME);
  if (head === undefined) throw new Error('there is no head');
  return head;
}

function frozenOn(engine: FakeEngine): unknown {
  const text = headOf(engine).labels[FREEZE_LABEL];
  return text === undefined ? undefined : JSON.parse(text);
}

/** Something else on the head changes, as when an agent writes. */
function relabel(engine: FakeEngine, labels: Readonly<Record<string, string>>): void {
  const head = headOf(engine);
  const query = new URLSearchParams({ version: String(head.version) });
  const text = JSON.stringify({ Name: HEAD_NAME, Labels: { ...head.labels, ...labels } });
  engine.handle({ method: 'POST', path: `/configs/${head.id}/update`, query, text });
}

async function stage(hasHead = true) {
  const engine = new FakeEngine();
  if (hasHead) await makeHead(engine);
  const clock = new VirtualClock();
  const text = { out: '', err: '' };
  const run = async (
    args: readonly string[],
    fateOf: (exchange: FakeExchange) => Fate = () => 'answered',
  ): Promise<number> => {
    const [verb, ...rest] = args;
    const io = {
      out: (more: string) => void (text.out += more),
      err: (more: string) => void (text.err += more),
      colour: false,
      clock,
      environment: {},
      by: 'root@m1',
      random: () => '00000000',
      open: () => deskOn(directSwarm(engine, fateOf)),
    };
    return freezeCommand(verb === 'freeze' ? verb : 'unfreeze', rest, io, signal);
  };
  return { engine, clock, text, run };
}

describe('understudy freeze', () => {
  it.each<[string, readonly string[], object, string]>([
    ['without end', [], {}, 'understudy unfreeze'],
    ['for a while', ['--for', '2h'], { until: '2026-01-01T02:00:00.000Z' }, '2026-01-01 02:00 UTC'],
    [
      'until a time',
      ['--until', '2026-01-02 01:00+01:00'],
      { until: '2026-01-02T00:00:00.000Z' },
      '2026-01-02 00:00 UTC',
    ],
  ])('writes the label, %s, and says what is in force', async (_what, options, until, end) => {
    const { engine, text, run } = await stage();
    relabel(engine, { 'understudy.record': 'kept' });
    expect(await run(['freeze', '--why', 'the storage is ill', ...options])).toBe(0);
    expect(frozenOn(engine)).toEqual({ by: 'root@m1', why: 'the storage is ill', ...until });
    expect(headOf(engine).labels).toHaveProperty('understudy.record', 'kept');
    expect(text.out.split('\n')[0]).toBe(`frozen by root@m1 until ${end}: the storage is ill`);
    expect(text.err).toBe('');
  });

  it('takes the place of another one, and says so', async () => {
    const { engine, text, run } = await stage();
    await run(['freeze', '--why', 'one']);
    text.out = '';
    expect(await run(['freeze', '--why', 'two', '--for', '1h'])).toBe(0);
    expect(frozenOn(engine)).toMatchObject({ why: 'two' });
    expect(text.out).toContain(
      'before that it was:\n  frozen by root@m1 until understudy unfreeze: one',
    );
  });

  it('writes nothing where it is so already', async () => {
    const { engine, run } = await stage();
    await run(['freeze', '--why', 'one']);
    const { version } = headOf(engine);
    expect(await run(['freeze', '--why', 'one'])).toBe(0);
    expect(headOf(engine).version).toBe(version);
  });
});

describe('understudy unfreeze', () => {
  it('takes the label away, and says what it was', async () => {
    const { engine, text, run } = await stage();
    await run(['freeze', '--why', 'ill']);
    text.out = '';
    expect(await run(['unfreeze'])).toBe(0);
    expect(frozenOn(engine)).toBeUndefined();
    expect(text.out).toBe(
      'nothing is frozen any more; it was:\n  frozen by root@m1 until understudy unfreeze: ill\n',
    );
  });

  it('ends what cannot be read, and says where nothing was frozen', async () => {
    const { engine, text, run } = await stage();
    relabel(engine, { [FREEZE_LABEL]: 'yes' });
    expect(await run(['unfreeze'])).toBe(0);
    expect(headOf(engine).labels).toEqual({});
    expect(text.out).toContain('frozen by somebody');
    text.out = '';
    expect(await run(['unfreeze'])).toBe(0);
    expect(text.out).toBe('nothing was frozen\n');
  });
});

describe('writing it', () => {
  it.each([
    [1, 0],
    [9, 0],
    [11, 6],
  ])('beside agents that are faster %d times ends with %d', async (times, code) => {
    const { engine, text, run } = await stage();
    let left = times;
    const fateOf = ({ mutating }: FakeExchange): Fate => {
      if (mutating && left-- > 0) relabel(engine, { touched: String(left) });
      return 'answered';
    };
    expect(await run(['freeze', '--why', 'ill'], fateOf)).toBe(code);
    expect(headOf(engine).labels).toHaveProperty('touched');
    expect(text.err).toMatch(code === 0 ? /^$/ : /after 10 tries: update out of sequence/);
  });

  it.each<Fate>(['lost', 'unanswered'])(
    'with an answer that is %s is tried until it is so',
    async (fate) => {
      const { engine, clock, run } = await stage();
      let writes = 0;
      const fateOf = ({ mutating }: FakeExchange): Fate =>
        mutating && writes++ === 0 ? fate : 'answered';
      const running = run(['freeze', '--why', 'ill'], fateOf);
      await clock.advance(1_000);
      expect(await running).toBe(0);
      expect(frozenOn(engine)).toMatchObject({ why: 'ill' });
      expect(writes).toBe(fate === 'lost' ? 2 : 1);
    },
  );

  it.each([
    ['no agent ever ran', false, undefined, 'no agent has run on this Swarm yet'],
    ['there is no leader', true, 'no-leader', 'the Swarm has no leader now'],
  ] as const)('where %s: exit code 6', async (_what, hasHead, trouble, why) => {
    const { engine, text, run } = await stage(hasHead);
    engine.trouble = trouble;
    expect(await run(['freeze', '--why', 'ill'])).toBe(6);
    expect(text.err).toContain(why);
  });
});

it('--json: one object and nothing else', async () => {
  const { text, run } = await stage();
  await run(['freeze', '--why', 'ill', '--for', '1h', '--json']);
  await run(['unfreeze', '--json']);
  const frozen = { by: 'root@m1', why: 'ill', until: '2026-01-01T01:00:00.000Z' };
  expect(
    text.out
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line)),
  ).toEqual([
    { verb: 'freeze', status: 'done', frozen },
    { verb: 'unfreeze', status: 'done', frozen: null },
  ]);
});

describe('what is wrong with the arguments', () => {
  const date = '2026-01-01T00:00:00.000Z';
  it.each<[readonly string[], string]>([
    [[], 'say why'],
    [['--why', ' '], 'say why'],
    [['--why', 'ill', '--for', '1h', '--until', '2026-01-02T00:00Z'], 'not both'],
    [['--why', 'ill', '--for', 'soon'], '`--for` is a time'],
    [['--why', 'ill', '--until', 'tomorrow'], '`--until` is a date and time'],
    [['--why', 'ill', '--until', '2026-01-02T00:00'], '`--until` is a date and time'],
    [['--why', 'ill', '--until', '2025-12-31T23:59Z'], 'over already'],
    [['--why', 'ill', '--for', '0s'], 'over already'],
    [['--why', 'ill', '--for', '9000h'], 'more than a year'],
    [['--why', 'ill', 'blog'], 'blog'],
  ])('%s', (args, why) => {
    expect(freezeWantedOf('freeze', args, {}, date)).toEqual({
      wrong: expect.stringContaining(why),
    });
  });

  it('is told with the exit code 2, before anything is asked', async () => {
    const { text, run } = await stage(false);
    expect(await run(['freeze'])).toBe(2);
    expect(await run(['unfreeze', '--why', 'x'])).toBe(2);
    expect(await run(['freeze', '--why', 'a\nb'])).toBe(2);
    expect(text.err.trimEnd().split('\n')).toHaveLength(3);
  });
});

it('the program freezes and unfreezes through the socket', async () => {
  const main = fileURLToPath(new URL('../../agent/bin.mjs', import.meta.url));
  const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
  const fake = await startFakeSwarm(join(folder, 'docker.sock'));
  const understudy = async (...args: readonly string[]): Promise<string> => {
    const env = { PATH: process.env['PATH'], UNDERSTUDY_DOCKER_SOCKET: fake.socket };
    const ended = await promisify(execFile)(process.execPath, [main, ...args], { env });
    return ended.stdout;
  };
  try {
    await makeHead(fake.engine);
    expect(await understudy('freeze', '--why', 'ill', '--for', '1h')).toMatch(
      /^frozen by .+@.+ until /,
    );
    expect(frozenOn(fake.engine)).toMatchObject({ why: 'ill', until: expect.any(String) });
    expect(await understudy('unfreeze')).toContain('nothing is frozen any more');
    expect(frozenOn(fake.engine)).toBeUndefined();
    for (const verb of ['freeze', 'unfreeze']) {
      expect(await understudy('--help')).toMatch(new RegExp(`^ {2}${verb} +\\S`, 'm'));
      expect(await understudy(verb, '--help')).toMatch(new RegExp(`^Usage: understudy ${verb}`));
    }
  } finally {
    await fake.close();
    await rm(folder, { recursive: true });
  }
});

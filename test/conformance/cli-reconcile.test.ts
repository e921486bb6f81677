import { describe, expect, it } from 'vitest';

import { reconcileCommand } from '../../agent/cli/reconcile.ts';
import { unknownUnit, type UnitRecord } from '../../agent/core/unit.ts';
import { deskOn } from '../../agent/desk.ts';
import { withLease } from '../../agent/lease/label.ts';
import type { History, LookAnswer } from '../../agent/reconcile/history.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { HeadDesk } from '../fakes/head-desk.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm, type Fate, type FakeExchange } from '../fakes/swarm-modem.ts';

const { signal } = new AbortController();
const NONCE = '0000abcd';
const KEY = `understudy.request.${NONCE}`;
const nothing: History = { seen: 'v1', settled: 'v1', revisions: [], standing: [] };
const blog: UnitRecord = unknownUnit;
const moving: UnitRecord = {
  ...unknownUnit,
  phase: 'verifying',
  attempt: { digest: 'd', revision: 'v2', baseline: [], absent: [] },
};

async function stage() {
  const engine = new FakeEngine();
  const desk = new HeadDesk(engine);
  await desk.write(new Map([['stack/blog', blog]]), nothing);
  const clock = new VirtualClock();
  const text = { out: '', err: '' };
  const run = (
    line = '',
    fateOf: (exchange: FakeExchange) => Fate = () => 'answered',
    stop: AbortSignal = signal,
  ): Promise<number> => {
    const io = {
      out: (more: string) => void (text.out += more),
      err: (more: string) => void (text.err += more),
      colour: false,
      clock,
      environment: {},
      by: 'root@m1',
      random: () => NONCE,
      open: () => deskOn(directSwarm(engine, fateOf)),
    };
    return reconcileCommand(line.split(' ').filter(Boolean), io, stop);
  };
  /** The agent that leads answers, as a pass does: the request goes in the same write. */
  const answer = (said: LookAnswer, history: Partial<History> = {}, unit: UnitRecord = blog) => {
    const looked = [{ nonce: NONCE, by: 'root@m1', ...said }];
    return desk.write(new Map([['stack/blog', unit]]), { ...nothing, looked, ...history });
  };
  return { engine, desk, clock, text, run, answer };
}

const valid = { status: 'valid', revision: 'v2' } as const;
const ended = (outcome: 'healthy' | 'rolled-back', failed: readonly `stack/${string}`[] = []) => ({
  seen: 'v2',
  settled: 'v2',
  revisions: [{ commit: 'v2', outcome, units: 1, failed, quarantined: [], at: '' }],
});

describe('understudy reconcile', () => {
  it('asks, waits for the answer, and says what the repository holds', async () => {
    const { desk, clock, text, run, answer } = await stage();
    const running = run();
    await clock.advance(1_000);
    expect(JSON.parse((await desk.labels())[KEY] ?? '{}')).toEqual({
      verb: 'reconcile',
      by: 'root@m1',
      nonce: NONCE,
    });
    await answer(valid, { seen: 'v2' });
    await clock.advance(500);
    expect(await running).toBe(0);
    expect(text).toEqual({
      out:
        '    0.0s  asked to look at the repository now\n' +
        '    1.5s  the repository holds revision v2; understudy get says how it does\n',
      err: '',
    });
    expect(await desk.labels()).not.toHaveProperty(KEY);
  });

  it.each<[string, LookAnswer, number, string]>([
    ['invalid', { status: 'invalid', revision: 'v2' }, 3, 'revision v2 is invalid'],
    [
      'not to be had',
      { status: 'unreadable', why: 'no route' },
      1,
      'cannot read the repository: no route',
    ],
  ])('says that the newest revision is %s', async (_what, said, code, why) => {
    const { clock, text, run, answer } = await stage();
    const running = run('--wait');
    await clock.advance(200);
    await answer(said);
    await clock.advance(500);
    expect(await running).toBe(code);
    expect(text.err).toContain(why);
  });

  it('says so where the agent that leads does not know the request', async () => {
    const { desk, clock, text, run } = await stage();
    const lease = { holder: 'n/c', node: 'm2', nonce: 'a nonce of 16 letters', term: 7, seq: 3 };
    await desk.label(withLease({}, { ...lease, ttlMs: 30_000, version: '0.0.9' }));
    const running = run();
    await clock.advance(200);
    await desk.write(new Map([['stack/blog', blog]]), nothing);
    await clock.advance(500);
    expect(await running).toBe(1);
    expect(text.err).toContain('(0.0.9 on m2) took it away and gave no answer');
  });

  it('does not wait for ever, says what is in the way, and leaves the request', async () => {
    const { desk, clock, text, run } = await stage();
    await desk.label({ 'understudy.freeze': '{"by":"root@m3","why":"the storage is ill"}' });
    const running = run('--timeout 20s --json');
    await clock.advance(20_000);
    expect(await running).toBe(6);
    expect(JSON.parse(text.out)).toEqual({
      verb: 'reconcile',
      status: 'asked',
      why: expect.stringContaining(
        'frozen by root@m3 until understudy unfreeze: the storage is ill',
      ),
    });
    expect(await desk.labels()).toHaveProperty([KEY]);
  });

  it('with --no-wait only asks', async () => {
    const { desk, text, run } = await stage();
    expect(await run('--no-wait')).toBe(0);
    expect(text.out).toContain('an agent looks as soon as it sees that');
    expect(await desk.labels()).toHaveProperty([KEY]);
  });
});

describe('understudy reconcile --wait', () => {
  it('waits until what the repository holds has settled, whatever came meanwhile', async () => {
    const { clock, text, run, answer } = await stage();
    const running = run('--wait --json');
    await clock.advance(200);
    await answer(valid, { seen: 'v2' }, moving);
    await clock.advance(10_000);
    await answer(valid, { seen: 'v3' }, moving);
    await clock.advance(10_000);
    expect(text.out).toBe('');
    await answer(valid, {
      ...ended('healthy'),
      seen: 'v3',
      settled: 'v3',
      revisions: [
        { commit: 'v3', outcome: 'healthy', units: 1, failed: [], quarantined: [], at: '' },
      ],
    });
    await clock.advance(2_000);
    expect(await running).toBe(0);
    expect(JSON.parse(text.out)).toEqual({
      verb: 'reconcile',
      status: 'settled',
      revision: 'v3',
      outcome: 'healthy',
    });
  });

  it('waits for a unit that is tried again without another revision', async () => {
    const { clock, text, run, answer } = await stage();
    const running = run('--wait');
    await clock.advance(200);
    await answer(valid, ended('healthy'), moving);
    await clock.advance(10_000);
    expect(text.out).not.toContain('has settled');
    await answer(valid, ended('healthy'));
    await clock.advance(2_000);
    expect(await running).toBe(0);
  });

  it('waits for a unit that was suspended when its revision ended and goes on since, and for none that still is', async () => {
    const { run, answer, clock, text, desk } = await stage();
    const suspended = ['stack/blog'] as const;
    const revisions = ended('healthy').revisions.map((one) => ({ ...one, suspended }));
    const resumed = { ...ended('healthy'), revisions };
    const code = run('--wait');
    await clock.advance(600);
    await answer(valid, resumed, moving);
    await clock.advance(30_000);
    expect(text.out).toContain('revision v2 is under way');
    await desk.write(new Map([['stack/blog', blog]]), { ...nothing, ...resumed });
    await clock.advance(5_000);
    expect(await code).toBe(0);

    const still = { by: 'root@m1', at: '' };
    const again = run('--wait');
    await clock.advance(600);
    await answer(valid, resumed, { ...moving, suspended: still });
    await clock.advance(5_000);
    expect(await again).toBe(0);

    const byFile = { id: 'stack/blog', sync: 'out-of-sync', why: 's', suspended: true } as const;
    const third = run('--wait');
    await clock.advance(600);
    await answer(valid, { ...resumed, standing: [byFile] }, moving);
    await clock.advance(5_000);
    expect(await third).toBe(0);
  });

  it('says how it ended where it failed', async () => {
    const { clock, text, run, answer } = await stage();
    const running = run('--wait');
    await clock.advance(200);
    await answer(valid, ended('rolled-back', ['stack/blog']));
    await clock.advance(500);
    expect(await running).toBe(1);
    expect(text.err).toContain('revision v2 ended as rolled-back: stack/blog');
  });

  it.each([
    [
      'settled',
      ended('healthy'),
      'has settled, and something is held: stack/old: its removal is held',
    ],
    [
      'not settled in time',
      { seen: 'v2' },
      'has not settled in time: held: stack/old: its removal is held',
    ],
  ])('says what is held, with a code of its own: %s', async (_what, history, why) => {
    const { clock, text, run, answer } = await stage();
    const held = { id: 'stack/old', sync: 'out-of-sync', why: 'its removal is held' } as const;
    const suspended = { id: 'stack/x', sync: 'out-of-sync', why: 's', suspended: true } as const;
    const running = run('--wait --timeout 30s');
    await clock.advance(200);
    await answer(valid, { ...history, standing: [held, suspended] });
    await clock.advance(30_000);
    expect(await running).toBe(5);
    expect(text.err).toContain(why);
  });

  it('says that it has not settled in time', async () => {
    const { clock, text, run, answer } = await stage();
    const running = run('--wait --timeout 30s');
    await clock.advance(200);
    await answer(valid, { seen: 'v2' }, moving);
    await clock.advance(30_000);
    expect(await running).toBe(1);
    expect(text.err).toContain('revision v2 has not settled in time: understudy get says more');
  });
});

describe('what does not go', () => {
  it('a write whose answer was lost is not made twice', async () => {
    const { engine, clock, run, answer } = await stage();
    let writes = 0;
    const running = run('', ({ mutating }) => {
      if (mutating) writes += 1;
      return mutating ? 'unanswered' : 'answered';
    });
    await clock.advance(1_000);
    await answer(valid);
    await clock.advance(1_000);
    expect(await running).toBe(0);
    expect(writes).toBe(1);
    expect(engine.configs.size).toBeGreaterThan(0);
  });

  it('asks no more where twenty wait already', async () => {
    const { desk, text, run } = await stage();
    const keys = Array.from({ length: 20 }, (_, n) => n.toString(16).padStart(8, '0'));
    await desk.label(
      Object.fromEntries(
        keys.map((nonce) => [
          `understudy.request.${nonce}`,
          JSON.stringify({ verb: 'reconcile', by: 'x', nonce }),
        ]),
      ),
    );
    expect(await run()).toBe(6);
    expect(text.err).toContain('20 such requests wait already');
    expect(await desk.labels()).not.toHaveProperty([KEY]);
  });

  it.each(['--wait --no-wait', '--timeout soon', 'blog', '--ful'])(
    '%s is wrong use',
    async (line) => {
      const { desk, text, run } = await stage();
      expect(await run(line)).toBe(2);
      expect(text.err).toContain('understudy reconcile --help says more');
      expect(await desk.labels()).not.toHaveProperty([KEY]);
    },
  );

  it('an engine that is no manager is said', async () => {
    const { engine, text, run } = await stage();
    engine.trouble = 'not-a-manager';
    expect(await run()).toBe(6);
    expect(text.err).toContain('this node is no manager of a Swarm');
  });

  it('stops when it is asked to', async () => {
    const { clock, text, run } = await stage();
    const stop = new AbortController();
    const running = run('', () => 'answered', stop.signal);
    await clock.advance(1_000);
    stop.abort(new Error('stopped'));
    expect(await running).toBe(1);
    expect(text.err).toContain('stopped; perhaps it was asked already');
  });
});

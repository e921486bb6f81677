import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { describe, expect, it } from 'vitest';

import { askCommand } from '../../agent/cli/ask.ts';
import type { Approval } from '../../agent/core/approve.ts';
import type { Release } from '../../agent/core/kind.ts';
import { type Quarantined, unknownUnit, type UnitRecord } from '../../agent/core/unit.ts';
import { deskOn } from '../../agent/desk.ts';
import { indexState, type StackObserved } from '../../agent/providers/stack/observed.ts';
import { swarmHead } from '../../agent/providers/stack/head.ts';
import { swarmShelf } from '../../agent/providers/stack/shelf.ts';
import type { HeadKeeper } from '../../agent/reconcile/lease-ports.ts';
import type { Recorder } from '../../agent/reconcile/ports.ts';
import { HEAD_NAME, headFormat } from '../../agent/record/head.ts';
import { openRecorder } from '../../agent/record/recorder.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { aloneOn } from '../fakes/lease.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm, type Fate, type FakeExchange } from '../fakes/swarm-modem.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

const { signal } = new AbortController();
const failure: Quarantined = {
  digest: 'b'.repeat(64),
  revision: 'c0ffee1',
  code: 'crashed',
  why: 'web: 3 tasks failed',
  evidence: 'exit code 1',
  at: '2026-01-01T00:00:00.000Z',
};
const older: Release = {
  digest: 'a'.repeat(64),
  revision: '3f2a91c0000000000000000000000000000000aa',
  at: '2025-12-31T08:00:00.000Z',
  content: {},
};
const newer: Release = { ...older, digest: 'd'.repeat(64), revision: '77aa77c0000' };
const broken: UnitRecord = { ...unknownUnit, quarantine: [failure], releases: [newer, older] };

/** What an agent does with its record, on the same engine. */
class Keeper {
  readonly #engine: FakeEngine;
  readonly #recorder: Recorder<StackObserved>;
  readonly #head: HeadKeeper;

  constructor(engine: FakeEngine) {
    this.#engine = engine;
    const swarm = directSwarm(engine);
    const head = swarmHead(
      swarm,
      headFormat((bytes) => Buffer.alloc(bytes, 7)),
    );
    const keeper = swarmShelf(swarm, HEAD_NAME, aloneOn(head));
    this.#head = head;
    const owner = { environment: 'production', repository: 'ssh://git@git.example/infra' };
    this.#recorder = openRecorder(keeper, { ...owner, clock: new VirtualClock() });
  }

  async make(blog: UnitRecord): Promise<void> {
    await this.#head.make(signal);
    await this.take(() => blog);
  }

  /** Takes what is asked and writes the unit as it is then. */
  async take(
    effect: (blog: UnitRecord) => UnitRecord,
    approved: readonly Approval[] = [],
  ): Promise<void> {
    const state = await directSwarm(this.#engine).observe(signal);
    if (state.status !== 'ok') throw new Error(state.why);
    const observed = indexState(state.value, undefined);
    const loaded = this.#recorder.load(observed);
    if (loaded.status !== 'ok') throw new Error(loaded.why);
    const { units, history } = loaded.value;
    const blog = effect(units.get('stack/blog') ?? unknownUnit);
    const next = {
      units: new Map([...units, ['stack/blog', blog] as const]),
      history: approved.length === 0 ? history : { ...history, approved },
    };
    const saved = await this.#recorder.save(observed, loaded.value, next, signal);
    if (saved.status !== 'ok') throw new Error(saved.why);
  }
}

function labelsOf(engine: FakeEngine): Record<string, string> {
  const head = [...engine.configs.values()].find(({ name }) => name === HEAD_NAME);
  return head?.labels ?? {};
}

function requestsOn(engine: FakeEngine): unknown[] {
  return Object.entries(labelsOf(engine))
    .filter(([key]) => key.startsWith('understudy.request.'))
    .map(([, value]): unknown => JSON.parse(value));
}

/** Something else on the head changes, as when an agent writes. */
function touchHead(engine: FakeEngine, labels: Readonly<Record<string, string>> = {}): void {
  const head = [...engine.configs.values()].find(({ name }) => name === HEAD_NAME);
  if (head === undefined) throw new Error('there is no head');
  const query = new URLSearchParams({ version: String(head.version) });
  const Labels = { ...head.labels, 'understudy.touched': String(head.version), ...labels };
  const text = JSON.stringify({ Name: HEAD_NAME, Labels });
  engine.handle({ method: 'POST', path: `/configs/${head.id}/update`, query, text });
}

const verbs = ['retry', 'rollback', 'suspend', 'resume', 'approve'] as const;

async function stage(blog: UnitRecord | undefined = broken) {
  const engine = new FakeEngine();
  const agent = new Keeper(engine);
  if (blog !== undefined) await agent.make(blog);
  const clock = new VirtualClock();
  const text = { out: '', err: '' };
  let made = 0;
  const run = async (
    line: string,
    fateOf: (exchange: FakeExchange) => Fate = () => 'answered',
    stop: AbortSignal = signal,
  ): Promise<number> => {
    const [verb = '', ...args] = line.split(' ');
    const io = {
      out: (more: string) => void (text.out += more),
      err: (more: string) => void (text.err += more),
      colour: false,
      clock,
      environment: {},
      by: 'root@m1',
      random: () => (made++).toString(16).padStart(8, '0'),
      open: () => deskOn(directSwarm(engine, fateOf)),
    };
    return askCommand(verbs.find((one) => one === verb) ?? 'rollback', args, io, stop);
  };
  return { engine, agent, clock, text, run };
}

describe('understudy retry', () => {
  it('asks, waits until the agent took it, and says what to watch', async () => {
    const { engine, agent, clock, text, run } = await stage();
    const running = run('retry blog');
    await clock.advance(3_000);
    const { digest } = failure;
    expect(requestsOn(engine)).toEqual([
      { id: 'stack/blog', verb: 'retry', by: 'root@m1', digest },
    ]);
    await agent.take((blog) => ({ ...blog, quarantine: [] }));
    await clock.advance(500);
    expect(await running).toBe(0);
    expect(text).toEqual({
      out: [
        '    0.0s  stack/blog: asked for another try of what the repository wants',
        '    2.0s  waiting until an agent takes it ...',
        "    3.5s  taken; the agent's log says how it goes on: `unit healthy`, or `unit failed` once more",
        '',
      ].join('\n'),
      err: '',
    });
    expect(labelsOf(engine)).not.toHaveProperty('understudy.request.00000000');
  });

  it('says so when the agent refused it', async () => {
    const { agent, clock, text, run } = await stage();
    const running = run('retry stack/blog');
    await clock.advance(200);
    await agent.take((blog) => blog);
    await clock.advance(500);
    expect(await running).toBe(1);
    expect(text.err).toContain('the agent refused it: its log says why');
  });

  it('says why where something else is wanted by now', async () => {
    const { agent, clock, text, run } = await stage();
    const running = run('retry stack/blog');
    await clock.advance(200);
    const attempt = { digest: 'e'.repeat(64), revision: 'r', baseline: [], absent: [] };
    await agent.take((blog) => ({ ...blog, phase: 'applying', attempt }));
    await clock.advance(500);
    expect(await running).toBe(1);
    expect(text.err).toBe(
      'understudy retry: the agent refused it: the repository wants something else by now ' +
        '(digest eeeeeeeeee, it was asked of bbbbbbbbbb)\n',
    );
  });

  it('does not wait for ever, and leaves the request', async () => {
    const { engine, clock, text, run } = await stage();
    const running = run('retry blog --timeout 20s');
    await clock.advance(19_999);
    expect(text.err).toBe('');
    await clock.advance(1);
    expect(await running).toBe(6);
    expect(text.err).toMatch(
      /^understudy retry: no agent took the request within 20 s: .*; the request stays and is taken as soon as one runs\n$/,
    );
    expect(requestsOn(engine)).toHaveLength(1);
  });

  it('says that everything is frozen, where that is why nobody takes it', async () => {
    const { engine, clock, text, run } = await stage();
    touchHead(engine, { 'understudy.freeze': '{"by":"root@m2","why":"the storage is ill"}' });
    const running = run('retry blog --timeout 5s');
    await clock.advance(5_000);
    expect(await running).toBe(6);
    const line = 'frozen by root@m2 until understudy unfreeze: the storage is ill';
    expect([text.out, text.err]).toEqual([
      expect.stringContaining(line),
      expect.stringContaining(line),
    ]);
  });

  it('waits on through a Swarm in trouble, and names it', async () => {
    const { engine, agent, clock, text, run } = await stage();
    const running = run('retry blog');
    await clock.advance(1_000);
    engine.trouble = 'no-leader';
    await clock.advance(2_000);
    engine.trouble = undefined;
    await agent.take((blog) => ({ ...blog, quarantine: [] }));
    await clock.advance(500);
    expect(await running).toBe(0);
    expect(text.out).toContain('2.0s  the Swarm has no leader now');
  });

  it('does not wait where nobody wants that', async () => {
    const { engine, clock, text, run } = await stage();
    expect(await run('retry blog --no-wait')).toBe(0);
    expect([text.err, clock.nowMs()]).toEqual(['', 0]);
    expect(requestsOn(engine)).toHaveLength(1);
  });

  it('asks once, however often it is run', async () => {
    const { engine, run } = await stage();
    await run('retry blog --no-wait');
    await run('retry blog --no-wait');
    expect(requestsOn(engine)).toHaveLength(1);
    await run('rollback blog --no-wait');
    expect(requestsOn(engine)).toHaveLength(2);
  });

  it('stops when it is told to, and leaves the request', async () => {
    const { engine, clock, text, run } = await stage();
    const stop = new AbortController();
    const running = run('retry blog', () => 'answered', stop.signal);
    await clock.advance(1_000);
    stop.abort(new Error('stopped by SIGINT'));
    expect(await running).toBe(1);
    expect(text.err).toBe('understudy retry: stopped waiting; the request stays\n');
    expect(requestsOn(engine)).toHaveLength(1);
  });
});

describe('understudy approve', () => {
  const digest = '3f2a91c07b1e';
  const whole = digest.padEnd(64, '0');

  it('asks by the digest alone, and is told when an agent took it', async () => {
    const { engine, agent, clock, text, run } = await stage();
    const running = run(`approve ${digest}`);
    await clock.advance(1_000);
    expect(requestsOn(engine)).toEqual([{ digest, verb: 'approve', by: 'root@m1' }]);
    await agent.take((blog) => blog, [{ digest: whole, by: 'root@m1', spent: true }]);
    await clock.advance(1_000);
    expect(await running).toBe(0);
    expect(text.out).toContain(`${digest}: asked to release what is held`);
    expect(text.out).toContain('taken');
  });

  it('is told when the agent refused it', async () => {
    const { agent, clock, text, run } = await stage();
    const running = run(`approve ${digest}`);
    await clock.advance(1_000);
    await agent.take((blog) => blog);
    await clock.advance(1_000);
    expect(await running).toBe(1);
    expect(text.err).toContain(`\`approval refused\`, ${digest}`);
  });

  it('asks for nothing that was approved before, and says so in JSON too', async () => {
    const { engine, agent, text, run } = await stage();
    await agent.take((blog) => blog, [{ digest: whole, by: 'root@m1' }]);
    expect(await run(`approve ${digest} --json`)).toBe(1);
    expect(requestsOn(engine)).toEqual([]);
    expect(JSON.parse(text.out)).toMatchObject({ digest, verb: 'approve', status: 'refused' });
  });
});

describe('understudy rollback', () => {
  it.each([
    ['', undefined],
    [' --to 3f2a91c', older.digest],
    [' --to 2', older.digest],
    [' --to 1', newer.digest],
  ])('rollback blog%s asks for %s', async (options, release) => {
    const { engine, agent, clock, text, run } = await stage();
    const running = run(`rollback blog${options}`);
    await clock.advance(100);
    const { digest } = newer;
    const asked = { id: 'stack/blog', verb: 'rollback', by: 'root@m1', digest };
    expect(requestsOn(engine)).toEqual([release === undefined ? asked : { ...asked, release }]);
    const entry = { ...failure, code: 'manual', at: 'now' };
    await agent.take((blog) => ({ ...blog, quarantine: [entry, ...blog.quarantine] }));
    await clock.advance(500);
    expect([await running, text.err]).toEqual([0, '']);
    expect(text.out).toContain('`unit rolled back`');
  });

  it('names the release that it goes to', async () => {
    const { text, run } = await stage();
    await run('rollback blog --to 2 --no-wait');
    expect(text.out).toContain(
      'stack/blog: asked to go back to release 3f2a91c of 2025-12-31 08:00 UTC',
    );
  });

  it('shows the releases where there is none of that name', async () => {
    const { engine, text, run } = await stage();
    expect(await run('rollback blog --to abc')).toBe(1);
    expect(text.err).toBe(
      [
        'understudy rollback: stack/blog has no release `abc`; these are in the record:',
        '  1  77aa77c  2025-12-31 08:00 UTC',
        '  2  3f2a91c  2025-12-31 08:00 UTC',
        '',
      ].join('\n'),
    );
    expect(requestsOn(engine)).toEqual([]);
  });
});

describe('understudy suspend and resume', () => {
  const suspended = { by: 'root@m1', at: '2026-01-01T00:00:00.000Z' };

  it('ask for it, and say when it is so', async () => {
    const { engine, agent, clock, text, run } = await stage();
    const suspending = run('suspend blog');
    await clock.advance(100);
    expect(requestsOn(engine)).toEqual([{ id: 'stack/blog', verb: 'suspend', by: 'root@m1' }]);
    await agent.take((blog) => ({ ...blog, suspended }));
    await clock.advance(500);
    expect(await suspending).toBe(0);
    expect(text.out).toContain('taken; nothing is called for it any more until understudy resume');
    const resuming = run('resume blog');
    await clock.advance(100);
    await agent.take(({ suspended: _suspended, ...blog }) => blog);
    await clock.advance(500);
    expect([await resuming, text.err]).toEqual([0, '']);
    expect(text.out).toContain('taken; it goes on where it stood');
  });

  it('are told what another request means meanwhile', async () => {
    const { text, run } = await stage({ ...broken, suspended });
    expect(await run('retry blog --no-wait')).toBe(0);
    expect(text.out).toContain('it is suspended: nothing is called before understudy resume');
  });
});

describe('what makes no sense is not asked', () => {
  it.each<[string, UnitRecord, string]>([
    ['retry blgo', broken, '`stack/blgo` is not in the record; did you mean `stack/blog`?'],
    ['retry blog', { ...broken, quarantine: [] }, 'stack/blog is not quarantined'],
    ['rollback blog', { ...broken, releases: [] }, 'has no healthy release to go back to'],
  ])('%s', async (line, blog, why) => {
    const { engine, text, run } = await stage(blog);
    expect(await run(line)).toBe(1);
    expect(text.err).toContain(why);
    expect(requestsOn(engine)).toEqual([]);
  });
});

describe('an agent that writes at the same time', () => {
  it.each([
    [1, 0, 1],
    [4, 0, 1],
    [5, 6, 0],
  ])('is faster %d times: exit code %d', async (times, code, requests) => {
    const { engine, text, run } = await stage();
    let left = times;
    const fateOf = ({ mutating }: FakeExchange): Fate => {
      if (mutating && left-- > 0) touchHead(engine);
      return 'answered';
    };
    expect(await run('retry blog --no-wait', fateOf)).toBe(code);
    expect(requestsOn(engine)).toHaveLength(requests);
    expect(labelsOf(engine)).toHaveProperty('understudy.touched');
    expect(labelsOf(engine)).toHaveProperty('understudy.record');
    expect(text.err).toMatch(
      code === 0 ? /^$/ : /after 5 tries: update out of sequence; try again/,
    );
  });
});

describe('a write of which nobody knows whether it was made', () => {
  it.each<Fate>(['lost', 'unanswered'])('%s: asks exactly once', async (fate) => {
    const { engine, clock, run } = await stage();
    let writes = 0;
    const fateOf = ({ mutating }: FakeExchange): Fate =>
      mutating && writes++ === 0 ? fate : 'answered';
    const running = run('retry blog --no-wait', fateOf);
    await clock.advance(1_000);
    expect(await running).toBe(0);
    expect(requestsOn(engine)).toHaveLength(1);
    expect(writes).toBe(fate === 'lost' ? 2 : 1);
  });

  it('and that was taken already is not made again', async () => {
    const { engine, agent, clock, run } = await stage();
    let writes = 0;
    const fateOf = ({ mutating }: FakeExchange): Fate =>
      mutating && writes++ === 0 ? 'unanswered' : 'answered';
    const running = run('retry blog', fateOf);
    await clock.settle();
    await agent.take((blog) => ({ ...blog, quarantine: [] }));
    await clock.advance(1_000);
    expect(await running).toBe(0);
    expect([writes, requestsOn(engine)]).toEqual([1, []]);
  });
});

describe('a Swarm that cannot be asked', () => {
  it.each([
    ['no agent ever ran', undefined, undefined, 'no agent has run on this Swarm yet'],
    ['this is no manager', broken, 'not-a-manager', 'this node is no manager of a Swarm'],
    ['there is no leader', broken, 'no-leader', 'the Swarm has no leader now'],
  ] as const)('%s: exit code 6', async (_what, blog, trouble, why) => {
    const { engine, text, run } = await stage(blog ?? { ...unknownUnit });
    if (blog === undefined) engine.configs.clear();
    engine.trouble = trouble;
    expect(await run('retry blog')).toBe(6);
    expect([text.out, text.err]).toEqual(['', expect.stringContaining(why)]);
    expect(text.err.trimEnd().split('\n')).toHaveLength(1);
  });

  it('does not answer: exit code 6', async () => {
    const { text, run } = await stage();
    expect(await run('retry blog', () => 'lost')).toBe(6);
    expect(text.err).toMatch(/the engine at \S+ does not answer .*ECONNRESET/);
  });

  it('lost its record: exit code 1', async () => {
    const { engine, text, run } = await stage();
    const root = Object.values(labelsOf(engine))[0] ?? '';
    const blob = [...engine.configs.values()].find(({ name }) => root.includes(name));
    if (blob === undefined) throw new Error('there is no root');
    engine.configs.delete(blob.id);
    expect(await run('retry blog')).toBe(1);
    expect(text.err).toContain('nothing is recorded');
    expect(text.err).toContain('is missing');
  });
});

describe('--json', () => {
  const said = { unit: 'stack/blog', verb: 'retry' };
  it.each<[string, string, object, number]>([
    ['asked', 'retry blog --no-wait --json', { ...said, status: 'asked' }, 0],
    [
      'not taken',
      'retry blog --json --timeout 1s',
      { ...said, status: 'asked', why: expect.stringMatching(/^no agent took the request/) },
      6,
    ],
    [
      'refused',
      'rollback blog --json --to zzz',
      {
        ...said,
        verb: 'rollback',
        status: 'refused',
        why: expect.stringMatching(/has no release `zzz`.*1 +77aa77c .*2 +3f2a91c/),
      },
      1,
    ],
  ])('%s: one object and nothing else', async (_what, line, expected, code) => {
    const { clock, text, run } = await stage();
    const running = run(line);
    await clock.advance(1_000);
    expect(await running).toBe(code);
    expect(text.err).toBe('');
    expect(text.out.endsWith('}\n')).toBe(true);
    expect(JSON.parse(text.out)).toEqual(expected);
  });

  it('taken', async () => {
    const { agent, clock, text, run } = await stage();
    const running = run('retry blog --json');
    await clock.advance(5_000);
    await agent.take((blog) => ({ ...blog, quarantine: [] }));
    await clock.advance(500);
    expect([await running, JSON.parse(text.out)]).toEqual([0, { ...said, status: 'taken' }]);
  });
});

describe('the program', () => {
  const main = fileURLToPath(new URL('../../agent/bin.mjs', import.meta.url));
  const understudy = async (args: readonly string[], environment: Record<string, string> = {}) => {
    const options = { env: { PATH: process.env['PATH'], ...environment } };
    const running = promisify(execFile)(process.execPath, [main, ...args], options);
    return running.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  };

  it('lists the verbs, and tells how each is used', async () => {
    const { stdout } = await understudy(['--help']);
    for (const verb of verbs) {
      expect(stdout).toMatch(new RegExp(`^ {2}${verb} +\\S`, 'm'));
      const usage = await understudy([verb, '--help']);
      expect(usage.stdout).toMatch(new RegExp(`^Usage: understudy ${verb} (?:UNIT|DIGEST)`));
    }
    expect(await understudy(['retry'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('name the unit'),
    });
  });

  it('asks through the socket that the settings of the agent name, as whoever runs it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-'));
    const fake = await startFakeSwarm(join(folder, 'docker.sock'));
    try {
      await new Keeper(fake.engine).make(broken);
      const environment = { UNDERSTUDY_DOCKER_SOCKET: fake.socket };
      const { code, stdout } = await understudy(['retry', 'blog', '--no-wait'], environment);
      expect([code, stdout]).toEqual([0, expect.stringContaining('stack/blog: asked')]);
      expect(requestsOn(fake.engine)).toEqual([
        expect.objectContaining({ verb: 'retry', by: expect.stringMatching(/^.+@.+$/) }),
      ]);
      const nowhere = await understudy(['retry', 'blog', '--socket', join(folder, 'none')]);
      expect(nowhere).toMatchObject({ code: 6, stderr: expect.stringContaining('ENOENT') });
    } finally {
      await fake.close();
      await rm(folder, { recursive: true });
    }
  });
});

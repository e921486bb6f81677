import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { getCommand } from '../../agent/cli/get.ts';
import { historyCommand } from '../../agent/cli/history.ts';
import type { Release } from '../../agent/core/kind.ts';
import { type Quarantined, unknownUnit, type UnitRecord } from '../../agent/core/unit.ts';
import type { History } from '../../agent/reconcile/history.ts';
import { sightOn } from '../../agent/sight.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { systemClock } from '../../agent/clock.ts';
import { withLease } from '../../agent/lease/label.ts';
import { HeadDesk } from '../fakes/head-desk.ts';
import { service } from '../fakes/stack.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm, type Fate } from '../fakes/swarm-modem.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

const { signal } = new AbortController();
const DATE = '2026-11-20T12:00:00.000Z';

const failure: Quarantined = {
  digest: 'b'.repeat(64),
  revision: 'c0ffee1000',
  code: 'crashed',
  why: 'web: 3 tasks failed',
  evidence: 'exit code 1\u001b[2J',
  at: '2026-11-20T11:00:00.000Z',
};
const canary = 'canary-7f3a91';
const release: Release = {
  digest: 'a'.repeat(64),
  revision: '3f2a91c0000000000000000000000000000000aa',
  at: '2026-11-18T08:00:00.000Z',
  content: { schema: 1, services: { web: { Env: [`PASSWORD=${canary}`] } } },
};
const blog: UnitRecord = { ...unknownUnit, quarantine: [failure], releases: [release] };
const shop: UnitRecord = { ...unknownUnit, releases: [release] };

const history: History = {
  seen: 'c0ffee1000',
  settled: 'c0ffee1000',
  revisions: [
    {
      commit: 'c0ffee1000',
      outcome: 'rolled-back',
      units: 1,
      failed: ['stack/blog'],
      quarantined: [],
      at: '2026-11-20T11:01:00.000Z',
    },
    {
      commit: '3f2a91c',
      outcome: 'healthy',
      units: 2,
      failed: [],
      quarantined: [],
      at: release.at,
    },
  ],
  standing: [
    { id: 'stack/blog', sync: 'quarantined', why: '' },
    { id: 'stack/new', sync: 'out-of-sync', why: 'waits for stack/blog, which failed' },
  ],
};

async function stage(known: Partial<History> | undefined = {}) {
  const engine = new FakeEngine();
  const desk = new HeadDesk(engine);
  if (known !== undefined) {
    await desk.write(
      new Map([
        ['stack/blog', blog],
        ['stack/shop', shop],
      ]),
      { ...history, ...known },
    );
  }
  const text = { out: '', err: '' };
  const run = async (
    line: string,
    options: { fate?: Fate; colour?: boolean; columns?: number; stop?: AbortSignal } = {},
  ): Promise<number> => {
    Object.assign(text, { out: '', err: '' });
    const [verb, ...args] = line.split(' ');
    const io = {
      out: (more: string) => void (text.out += more),
      err: (more: string) => void (text.err += more),
      colour: options.colour ?? false,
      clock: { date: () => DATE },
      environment: {},
      ...(options.columns !== undefined && { columns: options.columns }),
      open: () => sightOn(directSwarm(engine, () => options.fate ?? 'answered')),
    };
    const command = verb === 'history' ? historyCommand : getCommand;
    return command(args, io, options.stop ?? signal);
  };
  const json = (): unknown => JSON.parse(text.out);
  return { engine, desk, text, run, json };
}

describe('understudy get', () => {
  it('shows every unit in 80 columns, also one of which nothing is recorded', async () => {
    const { run, text } = await stage();
    expect(await run('get')).toBe(0);
    expect(text.out).toBe(
      [
        'environment production, ssh://git@git.example/infra',
        'revision c0ffee1: settled, rolled-back',
        'no agent leads',
        '',
        'ID          SYNC         HEALTH   REVISION  SINCE  WHY',
        'stack/blog  Quarantined  Unknown  3f2a91c   60m    web: 3 tasks failed',
        'stack/new   OutOfSync    Unknown  -         -      held: waits for stack/blog,…',
        'stack/shop  Synced       Unknown  3f2a91c   2d',
        '',
      ].join('\n'),
    );
    expect(Math.max(...text.out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80);
    await run('get', { columns: 200 });
    expect(text.out).toContain('held: waits for stack/blog, which failed\n');
  });

  it('shows one unit with what failed, and nothing of what its releases consist of', async () => {
    const { run, text } = await stage();
    expect(await run('get blog')).toBe(0);
    expect(text.out).toContain(
      '  releases   1  3f2a91c  2026-11-18 08:00 UTC  digest aaaaaaaaaa\n',
    );
    expect(text.out).toContain(
      '  failed     c0ffee1  2026-11-20 11:00 UTC  crashed: web: 3 tasks failed\n',
    );
    expect(text.out).toContain('exit code 1 [2J\n');
    expect(text.out).not.toContain('stack/shop');
    await run('get --json');
    expect(text.out).toContain('"digest":"aaaaaaaaaaaa');
    for (const line of ['get', 'get blog', 'get --json', 'history --json', 'history blog --json']) {
      await run(line);
      expect(text.out).not.toContain(canary);
    }
  });

  it('has a stable shape in JSON', async () => {
    const { run, json, desk } = await stage();
    await desk.label({
      ...withLease(
        {},
        {
          holder: 'n/c',
          node: 'm2',
          nonce: 'a nonce of 16 letters',
          term: 7,
          seq: 3,
          ttlMs: 30_000,
          version: '1.2.3',
        },
      ),
      'understudy.freeze': '{"by":"root@m1","why":"the storage is ill"}',
      'understudy.request.0123abcd': '{"verb":"retry","id":"stack/blog","by":"root@m1"}',
    });
    expect(await run('get stack/blog --json')).toBe(0);
    expect(json()).toEqual({
      environment: 'production',
      repository: 'ssh://git@git.example/infra',
      revision: { seen: 'c0ffee1000', settled: 'c0ffee1000', outcome: 'rolled-back' },
      leader: { node: 'm2', term: 7, version: '1.2.3', ttlMs: 30_000, heardAt: expect.any(String) },
      frozen: { by: 'root@m1', why: 'the storage is ill' },
      requests: [{ verb: 'retry', id: 'stack/blog', by: 'root@m1' }],
      notes: [],
      units: [
        {
          id: 'stack/blog',
          sync: 'Quarantined',
          held: false,
          health: 'Unknown',
          revision: release.revision,
          since: failure.at,
          why: 'web: 3 tasks failed',
          phase: 'none',
          attempt: null,
          releases: [{ revision: release.revision, digest: release.digest, at: release.at }],
          quarantine: [failure],
          stuck: null,
          suspended: null,
          removing: [],
          services: [],
        },
      ],
    });
  });

  it('says who leads, whether it is alive, what is frozen and what is asked', async () => {
    const { run, text, desk, engine } = await stage();
    const lease = {
      holder: 'n/c',
      node: 'm2',
      nonce: 'a nonce of 16 letters',
      term: 7,
      seq: 3,
      version: '1.2.3',
    };
    const freeze = { 'understudy.freeze': '{"by":"root@m1","why":"the storage is ill"}' };
    const asked = {
      'understudy.request.0123abcd': '{"verb":"retry","id":"stack/blog","by":"root@m1"}',
    };
    await desk.label({ ...withLease({}, { ...lease, ttlMs: 30_000 }), ...freeze, ...asked });
    const head = [...engine.configs.values()].find(({ name }) => name === 'understudy.head');
    if (head === undefined) throw new Error('there is no head');
    head.updatedAt = '2026-11-20T11:59:55.000Z';
    await run('get');
    expect(text.out).toContain('led by m2 (term 7, understudy 1.2.3), last sign of life 5s ago\n');
    expect(text.out).toContain('frozen by root@m1 until understudy unfreeze: the storage is ill\n');
    expect(text.out).toContain('asked, not taken yet: retry stack/blog, by root@m1\n');
    head.updatedAt = '2026-11-20T11:58:55.000Z';
    await run('get');
    expect(text.out).toContain('last sign of life 65s ago: is an agent running?\n');
    await desk.label(withLease({}, { ...lease, ttlMs: 0 }));
    await run('get');
    expect(text.out).toContain(
      'no agent leads: m2 (term 7, understudy 1.2.3) gave the lead back\n',
    );
  });

  it('says Unknown where an older version wrote the record', async () => {
    const { standing: _standing, ...older } = history;
    const { run, json, desk } = await stage(undefined);
    await desk.write(new Map([['stack/shop', shop]]), older);
    await run('get --json');
    expect(json()).toMatchObject({ units: [{ id: 'stack/shop', sync: 'Unknown' }] });
  });

  it('knows how a unit does by the tasks as they are', async () => {
    const { run, json, engine } = await stage();
    engine.settleAfterWrites = true;
    const body = JSON.stringify(
      service('web', { TaskTemplate: { ...service('web').TaskTemplate, Networks: [] } }),
    );
    const query = new URLSearchParams();
    const made = engine.handle({ method: 'POST', path: '/services/create', query, text: body });
    expect(made).toMatchObject({ status: 201 });
    await run('get blog --json');
    expect(json()).toMatchObject({
      units: [{ why: 'web: 3 tasks failed', services: [{ name: 'web', running: 1, wanted: 1 }] }],
    });
  });

  it('reads each list once and writes nothing, over a socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'get-'));
    const swarm = await startFakeSwarm(join(folder, 'docker.sock'));
    try {
      await new HeadDesk(swarm.engine).write(new Map([['stack/blog', blog]]), history);
      let out = '';
      const io = {
        out: (more: string) => void (out += more),
        err: () => undefined,
        colour: false,
        clock: { date: () => DATE },
        environment: { UNDERSTUDY_DOCKER_SOCKET: swarm.socket },
        open: (socket: string) => sightOn(openSwarm({ socket }, systemClock)),
      };
      expect(await getCommand([], io, signal)).toBe(0);
      expect(out).toContain('stack/blog  Quarantined');
      expect(swarm.writes()).toEqual([]);
      const paths = swarm.calls.map(({ path }) => path).toSorted();
      // The tasks twice: all of them, and those that fit their service.
      expect(paths).toEqual([
        '/configs',
        '/networks',
        '/nodes',
        '/secrets',
        '/services',
        '/tasks',
        '/tasks',
      ]);
    } finally {
      await swarm.close();
      await rm(folder, { recursive: true });
    }
  });
});

describe('understudy history', () => {
  it('shows how each revision ended', async () => {
    const { run, text } = await stage();
    expect(await run('history')).toBe(0);
    expect(text.out).toBe(
      [
        'COMMIT   OUTCOME      CHANGED  AT                    UNITS',
        'c0ffee1  rolled-back  1        2026-11-20 11:01 UTC  failed: stack/blog',
        '3f2a91c  healthy      2        2026-11-18 08:00 UTC',
        '',
      ].join('\n'),
    );
    await run('history --limit 1');
    expect(text.out).not.toContain('3f2a91c');
  });

  it('shows what is under way first', async () => {
    const { run, text } = await stage({ seen: 'd1e2f3a4b5' });
    await run('history');
    expect(text.out.split('\n')[1]).toMatch(/^d1e2f3a {2}under way/);
  });

  it('shows what a unit came to, in the order of time', async () => {
    const { run, text, json } = await stage();
    await run('history blog');
    expect(text.out.split('\n').slice(1)).toEqual([
      'c0ffee1  failed   2026-11-20 11:00 UTC  web: 3 tasks failed',
      '3f2a91c  healthy  2026-11-18 08:00 UTC',
      '',
    ]);
    await run('history blog --json --limit 1');
    expect(json()).toMatchObject({
      id: 'stack/blog',
      entries: [{ outcome: 'failed', code: 'crashed' }],
    });
  });

  it('gives revisions in JSON', async () => {
    const { run, json } = await stage();
    await run('history --json');
    expect(json()).toMatchObject({
      seen: 'c0ffee1000',
      settled: 'c0ffee1000',
      revisions: [{ commit: 'c0ffee1000', failed: ['stack/blog'], waiting: [], suspended: [] }, {}],
    });
  });
});

describe('what does not go', () => {
  it.each([
    ['get nope', 1, '`stack/nope` is not in the record'],
    ['get blgo', 1, 'did you mean `stack/blog`?'],
    ['history nope', 1, '`stack/nope` is not in the record'],
    ['get /', 2, 'name a unit'],
    ['get --limit 3', 2, '`--limit` belongs to `understudy history`'],
    ['history --limit 51', 2, '`--limit` is a number from 1 to 50'],
    ['history a b', 2, 'one unit only'],
    ['get --nope', 2, 'understudy get --help says more'],
  ])('%s: exit code %i', async (line, code, said) => {
    const { run, text } = await stage();
    expect(await run(line)).toBe(code);
    expect(text.err).toContain(said);
    expect(text.out).toBe('');
  });

  it.each(['no-leader', 'not-a-manager'] as const)(
    'is said of an engine with %s',
    async (trouble) => {
      const { run, text, engine, json } = await stage();
      engine.trouble = trouble;
      expect(await run('get')).toBe(6);
      expect(text.err).toContain(
        trouble === 'no-leader' ? 'the Swarm has no leader' : 'is no manager',
      );
      expect(await run('get --json')).toBe(6);
      expect(json()).toEqual({ error: expect.any(String) });
    },
  );

  it('is said where no agent ever ran', async () => {
    const engine = new FakeEngine();
    let err = '';
    const io = {
      out: () => undefined,
      err: (more: string) => void (err += more),
      colour: false,
      clock: { date: () => DATE },
      environment: {},
      open: () => sightOn(directSwarm(engine)),
    };
    expect(await getCommand([], io, signal)).toBe(6);
    expect(err).toContain('no agent has run on this Swarm yet');
  });

  it('is colour where it is declined', async () => {
    const { run, text } = await stage();
    await run('get', { colour: true });
    expect(text.out).toContain('\u001b[31m');
    await run('get --no-colour', { colour: true });
    expect(text.out).not.toContain('\u001b');
  });
});

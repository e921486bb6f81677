import { describe, expect, it } from 'vitest';

import type { Id, Release, Rendered } from '../../agent/core/kind.ts';
import { defaultRemovals } from '../../agent/core/removal.ts';
import type { Attempt, Phase, Quarantined, UnitRecord } from '../../agent/core/unit.ts';
import {
  lookAt,
  type ManyScene,
  noUnits,
  passed,
  rested,
  unitCalled,
  type Worlds,
} from '../fakes/many-units.ts';
import {
  change,
  emptyWorld,
  put,
  running,
  STABLE_MS,
  tick,
  TIMEOUT_MS,
  type UnitSpec,
  without,
} from '../fakes/unit-world.ts';

const DATE = '2026-11-20T10:00:00.000Z';
const [db1, db2] = [unitCalled('db', 'good 1'), unitCalled('db', 'good 2')];
const [api1, api2] = [unitCalled('api', 'good 1', ['db']), unitCalled('api', 'good 2', ['db'])];
const [web1, web2] = [unitCalled('web', 'good 1', ['db']), unitCalled('web', 'good 2', ['db'])];
const web3 = unitCalled('web', 'good 3', ['db']);

function release({ digest, spec }: Rendered<UnitSpec>, revision = 'r0'): Release {
  const services = Object.fromEntries(Object.entries(spec.services));
  return { digest, revision, at: DATE, content: { services } };
}

interface Known {
  readonly phase?: Phase;
  readonly attempt?: string;
  readonly quarantine?: readonly Pick<Quarantined, 'digest' | 'code'>[];
  readonly releases?: readonly Rendered<UnitSpec>[];
  readonly made?: readonly string[];
}

function known({ phase = 'none', releases = [], quarantine = [], made = [], ...rest }: Known) {
  const { digest } = { digest: rest.attempt ?? releases[0]?.digest ?? '' };
  const attempt: Attempt = { digest, revision: 'r1', baseline: [], absent: [] };
  const failure = { code: 'c', why: 'w', evidence: 'e', at: DATE };
  const record: UnitRecord = {
    phase,
    ...(phase !== 'none' && phase !== 'stuck' && { attempt }),
    ...(phase === 'stuck' && { stuck: { digest: db2.digest, ...failure } }),
    quarantine: quarantine.map((one) => ({ ...failure, revision: 'r1', ...one })),
    made,
    releases: releases.map((one) => release(one)),
  };
  return record;
}

type Records = Readonly<Partial<Record<'db' | 'api' | 'web', UnitRecord>>>;

function scene(
  wants: readonly Rendered<UnitSpec>[],
  records: Records,
  worlds: Worlds = {},
): ManyScene {
  const units = Object.entries(records).map(([name, record]): [Id, UnitRecord] => [
    `stack/${name}`,
    record,
  ]);
  return { ...noUnits, revision: 'r1', wants, units: new Map(units), worlds };
}

/** What a step does to one unit. */
function outcome(from: ManyScene, name = 'web') {
  const id: Id = `stack/${name}`;
  const { units, work, views, events } = lookAt(from);
  const calls = work.flatMap(({ operations }) => operations).filter(({ call }) => call.id === id);
  return {
    phase: units.get(id)?.phase,
    calls: calls.map(({ call: { call } }) => (call.op === 'set' ? call.wanted.text : call.op)),
    held: views.find((view) => view.id === id)?.held,
    events: events.filter((event) => event.id === id).map(({ event }) => event),
  };
}

const one = running({ web: 'good 1' });
const two = running({ web: 'good 2' });
const both = { 'stack/db': two, 'stack/web': one } as const;
const begun = {
  phase: 'applying',
  calls: ['good 2'],
  held: undefined,
  events: [],
};
const heldFor = (why: string) => ({
  phase: 'none',
  calls: [],
  held: `waits for ${why}`,
  events: [],
});

describe('a changed unit whose dependency', () => {
  it.each<[string, UnitRecord | undefined, Worlds, string | undefined]>([
    ['is in place', known({ releases: [db2, db1] }), both, undefined],
    ['was there and is adopted now', undefined, both, undefined],
    [
      'was there and is not healthy',
      undefined,
      { ...both, 'stack/db': change(two, 'web', { ready: false }) },
      'was never healthy',
    ],
    ['begins now', undefined, { 'stack/web': one }, 'is being applied'],
    ['begins its own change now', known({ releases: [db1] }), both, 'is verifying'],
    [
      'is being applied',
      known({ phase: 'applying', attempt: db2.digest, releases: [db1] }),
      { ...both, 'stack/db': one },
      'is being applied',
    ],
    [
      'is verifying',
      known({ phase: 'verifying', attempt: db2.digest, releases: [db1] }),
      both,
      'is verifying',
    ],
    [
      'goes back',
      known({
        phase: 'rolling-back',
        releases: [db1],
        quarantine: [{ digest: db2.digest, code: 'crashed' }],
      }),
      both,
      'goes back to its last healthy release',
    ],
    ['is stuck', known({ phase: 'stuck', releases: [db1] }), both, 'is stuck'],
    [
      'failed',
      known({ releases: [db1], quarantine: [{ digest: db2.digest, code: 'crashed' }] }),
      { ...both, 'stack/db': one },
      'failed',
    ],
    [
      'failed and never was healthy',
      known({ quarantine: [{ digest: db2.digest, code: 'crashed' }] }),
      both,
      'failed',
    ],
    [
      'was taken back by a person',
      known({ releases: [db1, db2], quarantine: [{ digest: db2.digest, code: 'manual' }] }),
      { ...both, 'stack/db': one },
      'was rolled back by hand',
    ],
    [
      'lacks what it needs',
      known({ releases: [db1] }),
      { ...both, 'stack/db': { ...one, blocked: 'no net' } },
      'is held',
    ],
    [
      'drifted, and is put right now',
      known({ releases: [db2] }),
      { ...both, 'stack/db': without(two, 'web') },
      'is put right',
    ],
    [
      'failed long ago with what nobody wants any more',
      known({ releases: [db2], quarantine: [{ digest: 'db old', code: 'crashed' }] }),
      both,
      undefined,
    ],
  ])('%s', (_, db, worlds, why) => {
    // The dependant stands first: it is not the order of the repository that counts.
    const from = scene(
      [web2, db2],
      { ...(db && { db }), web: known({ releases: [web1] }) },
      worlds,
    );
    expect(outcome(from)).toEqual(why === undefined ? begun : heldFor(`stack/db, which ${why}`));
  });
});

const failed = known({ releases: [db1], quarantine: [{ digest: db2.digest, code: 'crashed' }] });
const moving = known({ phase: 'verifying', attempt: db2.digest, releases: [db1] });

describe('while the gate is shut', () => {
  it('nothing is recorded of a first deploy', () => {
    const result = lookAt(scene([db2, web2], { db: moving }, { 'stack/db': two }));
    expect(result.units.has('stack/web')).toBe(false);
    expect(outcome(scene([db2, web2], { db: moving }, { 'stack/db': two })).held).toBe(
      'waits for stack/db, which is verifying',
    );
  });

  it('what is there and equal is adopted all the same', () => {
    const worlds = { 'stack/db': two, 'stack/web': two };
    expect(outcome(scene([db2, web2], { db: moving }, worlds))).toMatchObject({
      phase: 'none',
      events: ['unit adopted'],
    });
  });

  it('what did not change is left alone, and kept', () => {
    const web = known({ releases: [web2] });
    expect(outcome(scene([db2, web2], { db: failed, web }, { 'stack/web': two }))).toEqual({
      phase: 'none',
      calls: [],
      held: undefined,
      events: [],
    });
    expect(outcome(scene([db2, web2], { db: failed, web }, { 'stack/web': one })).calls).toEqual([
      'good 2',
    ]);
  });

  it('what changed keeps its healthy release, with what failed attempts made standing still', () => {
    const web = known({ releases: [web1], made: ['service extra'] });
    const drifted = put(put(emptyWorld, 'web', { text: 'by hand', replicas: 1 }), 'extra', {
      text: 'good 1',
      replicas: 1,
    });
    expect(outcome(scene([db2, web2], { db: failed, web }, { 'stack/web': drifted }))).toEqual({
      phase: 'none',
      calls: ['good 1', 'stop'],
      held: 'waits for stack/db, which failed',
      events: [],
    });
  });

  it.each<[Phase, readonly string[]]>([
    ['applying', ['good 2']],
    ['verifying', ['good 2']],
  ])('what is under way goes on: %s', (phase, calls) => {
    const web = known({ phase, attempt: web2.digest, releases: [web1] });
    expect(outcome(scene([db2, web2], { db: moving, web }, both))).toMatchObject({ calls });
  });

  it('a way back is finished though something newer is wanted', () => {
    const web = known({ phase: 'rolling-back', releases: [web1] });
    const worlds = { ...both, 'stack/web': two };
    expect(outcome(scene([db2, web3], { db: moving, web }, worlds))).toEqual({
      phase: 'rolling-back',
      calls: ['good 1'],
      held: undefined,
      events: [],
    });
  });

  it('an attempt that is overtaken turns back: nobody would judge it any more', () => {
    const web = known({ phase: 'verifying', attempt: web2.digest, releases: [web1] });
    const worlds = { ...both, 'stack/web': two };
    expect(outcome(scene([db2, web3], { db: moving, web }, worlds))).toEqual({
      phase: 'rolling-back',
      calls: ['good 1'],
      held: undefined,
      events: ['unit superseded'],
    });
  });

  describe('an attempt that is overtaken where the mode says hold', () => {
    const held = { mode: 'hold' } as const;
    const [held2, held3] = [2, 3].map((n) => unitCalled('web', `good ${String(n)}`, ['db'], held));
    if (held2 === undefined || held3 === undefined) throw new Error('no units');
    const web = known({ phase: 'verifying', attempt: held2.digest, releases: [web1] });
    const worlds = { ...both, 'stack/web': two };
    const why = (of: string) =>
      `waits for stack/db, which ${of}; until then what was begun before stays as it is`;

    it('stays as it is: what it did to its data is done, until the newer one begins', () => {
      const from = scene([db2, held3], { db: moving, web }, worlds);
      expect(outcome(from)).toEqual({
        phase: 'verifying',
        calls: [],
        held: why('is verifying'),
        events: [],
      });
      expect(lookAt(from).units.get('stack/web')).toBe(web);
      const calls: string[] = [];
      const rest = rested(from, (before) => calls.push(...outcome(before).calls));
      expect(calls).toEqual(['good 3']);
      expect(rest.units.get('stack/web')?.releases[0]?.digest).toBe(held3.digest);
    });

    it('does so also where nothing was healthy before it', () => {
      const first = { ...web, releases: [], made: ['service web'] };
      const from = scene([db2, held3], { db: moving, web: first }, worlds);
      expect(outcome(from)).toMatchObject({ phase: 'verifying', calls: [] });
    });

    it('is judged again when it is wanted again, and the time between does not count', () => {
      const from = scene([db2, held3], { db: moving, web }, worlds);
      const watches = lookAt(from).watches;
      expect(watches.get('stack/web')).toMatchObject({ of: `to ${held2.digest}`, stands: true });
      expect(outcome({ ...from, wants: [db2, held2], watches })).toMatchObject({
        phase: 'verifying',
        calls: [],
        held: undefined,
      });
    });

    it('keeps no revision open where what it waits for failed, nor what waits for it', () => {
      const far = unitCalled('api', 'good 2', ['web']);
      const api = known({ releases: [api1] });
      const from = scene(
        [db2, held3, far],
        { db: failed, web, api },
        { ...worlds, 'stack/db': one, 'stack/api': one },
      );
      expect(outcome(from)).toMatchObject({ phase: 'verifying', held: why('failed') });
      expect(outcome(from, 'api').held).toBe('waits for stack/db, which failed');
      const { event, wakeMs } = lookAt(from);
      expect(event).toMatchObject({
        event: 'revision failed',
        failed: ['stack/db'],
        waiting: ['stack/web', 'stack/api'],
      });
      expect(wakeMs).toBe(60_000);
    });
  });

  it('what failed and is tried again stays as it is until it begins', () => {
    const wants = unitCalled('web', 'good 2', ['db'], { mode: 'hold' });
    const failure = { digest: wants.digest, code: 'crashed', why: 'w', evidence: 'e', at: DATE };
    const stuck = known({
      phase: 'stuck',
      releases: [web1],
      quarantine: [{ digest: wants.digest, code: 'crashed' }],
    });
    const web = { ...stuck, stuck: failure };
    const broken = { ...both, 'stack/web': running({ web: 'broken 2' }) };
    const from = scene([db2, wants], { db: moving, web }, broken);
    const retry = { id: 'stack/web', verb: 'retry', by: 'root@m1' } as const;
    const calls: string[] = [];
    const rest = rested({ ...from, requests: [retry] }, (before) =>
      calls.push(...outcome(before).calls),
    );
    expect(calls).toEqual(['good 2']);
    expect(rest.units.get('stack/web')).toMatchObject({ phase: 'none', quarantine: [] });
  });

  it('an overtaken attempt that nothing healthy came before stands still, and then begins anew', () => {
    const made = ['service web'];
    const web = known({ phase: 'verifying', attempt: web2.digest, made });
    const worlds = { ...both, 'stack/web': two };
    const from = scene([db2, web3], { db: moving, web }, worlds);
    expect(outcome(from)).toMatchObject({ phase: 'rolling-back', calls: ['stop'] });
    const rest = rested(from);
    expect(rest.worlds['stack/web']?.services['web']).toMatchObject({
      text: 'good 3',
      replicas: 1,
    });
    expect(rest.units.get('stack/web')?.releases.map(({ digest }) => digest)).toEqual([
      web3.digest,
    ]);
  });

  it('what is stuck stays so, and begins when its turn comes', () => {
    const web = { ...known({ phase: 'stuck', releases: [web1] }) };
    const worlds = { ...both, 'stack/db': one };
    const from = scene([db2, web2], { db: failed, web }, worlds);
    expect(outcome(from)).toEqual({
      ...heldFor('stack/db, which failed'),
      phase: 'stuck',
    });
    const helped = { ...from, wants: [db1, web2] };
    expect(outcome(helped)).toMatchObject({ phase: 'applying', calls: ['good 2'] });
  });
});

describe('a unit further away', () => {
  const far = unitCalled('web', 'good 2', ['api']);
  const web = known({ releases: [web1] });

  it('waits for what is at the bottom, also past one that did not change', () => {
    const api = known({ releases: [api1] });
    const from = scene([far, api1, db2], { db: failed, api, web }, { ...both, 'stack/api': one });
    expect(outcome(from)).toMatchObject(heldFor('stack/db, which failed'));
    expect(outcome(from, 'api')).toMatchObject({ held: undefined, calls: [] });
  });

  it('is told the one cause, not those that wait like itself', () => {
    const api = known({ releases: [api1] });
    const from = scene([far, api2, db2], { db: moving, api, web }, { ...both, 'stack/api': one });
    expect(outcome(from).held).toBe('waits for stack/db, which is verifying');
    expect(outcome(from, 'api').held).toBe('waits for stack/db, which is verifying');
  });

  it('is told of those that failed first, and of three at most', () => {
    const names = ['a', 'b', 'c', 'd', 'db'];
    const wants = [
      ...['a', 'b', 'c', 'd'].map((name) => unitCalled(name, 'good 1')),
      db2,
      unitCalled('web', 'good 2', names),
    ];
    expect(outcome(scene(wants, { db: failed, web }, both)).held).toBe(
      'waits for stack/db, which failed; for stack/a, which is being applied; for stack/b, which is being applied; and for others',
    );
  });

  it('of a cycle, which no repository can have, waits and hangs nobody', () => {
    const wants = [unitCalled('web', 'good 2', ['api']), unitCalled('api', 'good 2', ['web'])];
    const from = scene(
      wants,
      { web, api: known({ releases: [api1] }) },
      { ...both, 'stack/api': one },
    );
    expect(lookAt(from).work).toEqual([]);
  });
});

describe('a dependency that becomes healthy', () => {
  it('opens the gate in the same step, and both are in one record', () => {
    const from = scene([web2, db2], { db: moving, web: known({ releases: [web1] }) }, both);
    let found: ReturnType<typeof lookAt> | undefined;
    rested(from, (_before, next) => {
      if (next.events.some(({ event, id }) => event === 'unit healthy' && id === 'stack/db')) {
        found = next;
      }
    });
    expect(found?.units.get('stack/db')?.phase).toBe('none');
    expect(found?.units.get('stack/web')?.phase).toBe('applying');
    expect(found?.event).toBeUndefined();
  });
});

describe('a revision with units that wait', () => {
  const web = known({ releases: [web1] });

  it('is open while what they wait for is under way', () => {
    expect(lookAt(scene([db2, web2], { db: moving, web }, both)).event).toBeUndefined();
  });

  it('ends where it failed, and names them', () => {
    const worlds = { ...both, 'stack/db': one };
    const { event, history } = lookAt(scene([db2, web2], { db: failed, web }, worlds));
    expect(event).toMatchObject({
      event: 'revision failed',
      failed: ['stack/db'],
      rolledBack: ['stack/db'],
      waiting: ['stack/web'],
    });
    expect(history.revisions[0]).toMatchObject({
      outcome: 'rolled-back',
      failed: ['stack/db'],
      waiting: [{ id: 'stack/web', digest: web2.digest }],
    });
  });

  it('asks again only when that can matter', () => {
    const worlds = { ...both, 'stack/db': one };
    const { wakeMs } = lookAt(scene([db2, web2], { db: failed, web }, worlds));
    expect(wakeMs).toBe(60_000);
  });
});

describe('what waits for a person to approve it', () => {
  const held = { 'stack/db': one, 'stack/api': one, 'stack/web': one } as const;
  const heldOf = (from: ManyScene, id: Id): string =>
    lookAt(from).views.find((view) => view.id === id)?.held ?? '';

  it('is not in place for those that depend on it', () => {
    const from = scene([db2, web2], { web: known({ releases: [web1] }) }, held);
    expect(heldOf(from, 'stack/db')).toContain('understudy approve');
    expect(outcome(from)).toEqual(heldFor('stack/db, which is held'));
  });

  it('stays released while it waits for another unit, and begins after that', () => {
    const ready = { ...held, 'stack/db': two };
    const db = known({ releases: [db2, db1] });
    const from = scene([db2, api2], { db }, ready);
    const digest = /approve ([0-9a-f]{12})`/.exec(heldOf(from, 'stack/api'))?.[1] ?? '';
    const { approved } = lookAt({
      ...from,
      requests: [{ verb: 'approve', digest, by: 'root@m1' }],
    });
    expect(approved).toHaveLength(1);
    const early = { ...scene([db2, api2], { db: moving }, ready), approved };
    expect(lookAt(early).approved).toBe(approved);
    expect(outcome(early, 'api')).toMatchObject({ calls: [], phase: undefined });
    expect(heldOf(early, 'stack/api')).toBe('waits for stack/db, which is verifying');
    const released = { ...from, approved };
    expect(outcome(released, 'api')).toMatchObject({ calls: ['good 2'] });
  });
});

describe('what left a unit that others depend on', () => {
  const old = put(two, 'old', { text: 'good 1', replicas: 1 });
  const members = [{ target: 'service old', id: old.services['old']?.id ?? '' }];
  const db = { ...known({ releases: [db2, db1] }), removing: members };
  const trying = known({ phase: 'verifying', attempt: web2.digest, releases: [web1] });
  const quarantine = [{ digest: web2.digest, code: 'crashed' }];
  const suspended = { by: 'root@m1', at: DATE };
  const stays = 'what left it stays until stack/web, which depends on it, is settled';
  const removals = { policy: defaultRemovals, rewound: false };
  const from = (web: UnitRecord | undefined, live = one, wants = [db2, web2]): ManyScene => ({
    ...scene(wants, { db, ...(web && { web }) }, { 'stack/db': old, 'stack/web': live }),
    removals,
  });
  const notesOf = (start: ManyScene) =>
    lookAt(start).views.find(({ id }) => id === 'stack/db')?.notes;

  it('goes when they are at rest as the repository wants them', () => {
    expect(outcome(from(known({ releases: [web2, web1] }), two), 'db').calls).toEqual(['remove']);
  });

  it.each<[string, UnitRecord | undefined, readonly string[]]>([
    ['verifies', trying, []],
    ['begins now', known({ releases: [web1] }), [stays]],
    ['goes back', known({ phase: 'rolling-back', releases: [web1], quarantine }), []],
    ['failed', known({ releases: [web1], quarantine }), [stays]],
    ['is stuck', known({ phase: 'stuck', releases: [web1] }), [stays]],
    ['is suspended half-way', { ...trying, suspended }, [stays]],
    ['was never seen', undefined, [stays]],
  ])('stays while one of them %s', (_what, web, notes) => {
    const start = from(web);
    expect(outcome(start, 'db')).toEqual({ phase: 'none', calls: [], held: undefined, events: [] });
    expect(notesOf(start)).toEqual(notes);
  });

  it('stays for one further away too', () => {
    const far = unitCalled('web', 'good 2', ['api']);
    const web = known({ phase: 'verifying', attempt: far.digest, releases: [web1] });
    const api = known({ releases: [api1] });
    const worlds = { 'stack/db': old, 'stack/api': one, 'stack/web': one };
    const start = { ...scene([far, api1, db2], { db, api, web }, worlds), removals };
    expect(outcome(start, 'db').calls).toEqual([]);
  });

  it('does not stay for what depends on nobody, or on another one', () => {
    const [free, api] = [unitCalled('web', 'good 2', ['api']), unitCalled('api', 'good 1')];
    const web = known({ phase: 'verifying', attempt: free.digest, releases: [web1] });
    const start = scene(
      [db2, api, free],
      { db, api: known({ releases: [api] }), web },
      { 'stack/db': old, 'stack/api': one, 'stack/web': two },
    );
    expect(outcome({ ...start, removals }, 'db').calls).toEqual(['remove']);
  });

  it.each([
    ['goes once, right after they are healthy', web2, undefined],
    ['is there for the way back of one that fails', unitCalled('web', 'crash', ['db']), 'good 1'],
  ])('%s', (_what, wanted, kept) => {
    const removals: number[] = [];
    let healthyAtMs = NaN;
    const rest = rested(from(known({ releases: [web1] }), one, [db2, wanted]), (before, next) => {
      const calls = next.work.flatMap(({ operations }) => operations);
      for (const { verb } of calls) if (verb === 'remove') removals.push(before.nowMs);
      const isHealthy = next.events.some(({ event }) => event === 'unit healthy');
      if (isHealthy) healthyAtMs = before.nowMs;
    });
    expect('old' in (rest.worlds['stack/db']?.services ?? {})).toBe(kept !== undefined);
    expect(removals).toEqual(kept === undefined ? [healthyAtMs + 1_000] : []);
    expect(rest.worlds['stack/web']?.services['web']?.text).toBe(kept ?? 'good 2');
    expect(notesOf(rest)).toEqual(kept === undefined ? [] : [stays]);
  });
});

describe('a unit that verifies while one that it depends on is not well', () => {
  const bad = unitCalled('web', 'crash 2', ['db']);
  const crashing = put(one, 'web', { text: 'crash 2', replicas: 1 });
  const crashed = tick(tick(crashing));
  const web = known({ phase: 'verifying', attempt: bad.digest, releases: [web1] });
  const well = known({ releases: [db2, db1] });
  const unready = change(two, 'web', { ready: false });
  const broken = { 'stack/db': unready, 'stack/web': crashed } as const;
  const stuckDb = { ...well, ...known({ phase: 'stuck', releases: [db1] }) };

  function seen(from: ManyScene) {
    const result = lookAt(from);
    const record = result.units.get('stack/web');
    const events = result.events.filter(({ id }) => id === 'stack/web');
    return { ...result, record, events };
  }

  it.each<[string, UnitRecord | undefined, Worlds[Id], string]>([
    ['lost what runs of it', well, unready, 'is not well'],
    ['was there before us and is not healthy', undefined, unready, 'is not well'],
    ['goes another way and lost it', failed, change(one, 'web', { ready: false }), 'is not well'],
    ['is put right', well, without(two, 'web'), 'is put right'],
    ['begins its own change', known({ releases: [db1] }), one, 'is being applied'],
    ['is verifying', moving, two, 'is verifying'],
    [
      'goes back',
      { ...known({ phase: 'reverting', releases: [db1] }), quarantine: failed.quarantine },
      one,
      'goes back to its last healthy release',
    ],
    ['is stuck and down', stuckDb, unready, 'is stuck and not well'],
  ])('is not judged: it %s', (_, db, world, why) => {
    const worlds = { ...broken, ...(world && { 'stack/db': world }) };
    const { record, events, views } = seen(scene([bad, db2], { ...(db && { db }), web }, worlds));
    expect(record).toBe(web);
    const told = `stack/db, which it depends on, ${why}`;
    expect(events).toEqual([{ event: 'unit waiting', id: 'stack/web', why: told, long: false }]);
    expect(views.find(({ id }) => id === 'stack/web')?.health?.status).toBe('outside');
  });

  it.each<[string, UnitRecord | undefined, Worlds[Id]]>([
    ['is well', well, two],
    ['is well at its last healthy release', failed, one],
    ['is stuck and runs', stuckDb, two],
    [
      'was never healthy and was stopped',
      known({ quarantine: [{ digest: db2.digest, code: 'c' }] }),
      change(two, 'web', { replicas: 0 }),
    ],
    ['is not deployed and is not begun', undefined, { ...emptyWorld, blocked: 'no net' }],
  ])('is judged as ever where that one %s', (_, db, world) => {
    const worlds = { ...broken, ...(world && { 'stack/db': world }) };
    const { record } = seen(scene([bad, db2], { ...(db && { db }), web }, worlds));
    expect(record).toMatchObject({ phase: 'rolling-back', quarantine: [{ digest: bad.digest }] });
  });

  it('is not judged either where it is one further away', () => {
    const far = unitCalled('web', 'crash 2', ['api']);
    const api = known({ releases: [api1] });
    const worlds = { ...broken, 'stack/api': one };
    const { record, events } = seen(scene([far, api1, db2], { db: well, api, web }, worlds));
    expect(record?.quarantine).toEqual([]);
    expect(events).toMatchObject([{ why: 'stack/db, which it depends on, is not well' }]);
  });

  it('does not count later what failed meanwhile, and counts what fails after that', () => {
    let from = scene([bad, db2], { db: well, web }, broken);
    from = passed(from, lookAt(from));
    const after = seen(from);
    expect(after.record).toMatchObject({ phase: 'verifying', quarantine: [] });
    expect(after.record?.attempt?.baseline).not.toEqual([]);
    from = passed(from, after);
    expect(lookAt(from).units.get('stack/web')).toBe(from.units.get('stack/web'));
    const rest = rested(from);
    expect(rest.units.get('stack/web')).toMatchObject({
      phase: 'none',
      quarantine: [{ digest: bad.digest, code: 'crashed' }],
    });
  });

  it('has a clock that stands, an alarm after 15 minutes, and then the rest of its time', () => {
    const slow = unitCalled('web', 'slow 2', ['db']);
    const record = known({ phase: 'verifying', attempt: slow.digest, releases: [web1] });
    const world = tick(put(one, 'web', { text: 'slow 2', replicas: 1 }));
    let from = scene([slow, db2], { db: well, web: record }, { ...broken, 'stack/web': world });
    const events: unknown[] = [];
    const until = (endMs: number): void => {
      for (; from.nowMs < endMs; from = { ...from, nowMs: from.nowMs + 1_000 }) {
        const next = seen(from);
        events.push(...next.events.map((event) => ('long' in event ? event.long : event.event)));
        from = { ...from, watches: next.watches, units: next.units };
      }
    };
    until(1_800_000);
    expect(events).toEqual([false, true]);
    from = { ...from, worlds: { ...from.worlds, 'stack/db': two } };
    until(1_800_000 + TIMEOUT_MS - 1_000);
    expect(events).toEqual([false, true, 'unit going on']);
    until(1_800_000 + TIMEOUT_MS + 1_000);
    expect(events.at(-1)).toBe('unit failed');
  });

  it('becomes healthy where it does well all the same', () => {
    const record = known({ phase: 'verifying', attempt: web2.digest, releases: [web1] });
    const worlds = { 'stack/db': unready, 'stack/web': two };
    let from = scene([web2, db2], { db: stuckDb, web: record }, worlds);
    const events: string[] = [];
    for (let second = 0; second <= STABLE_MS / 1_000; second += 1) {
      const next = seen(from);
      events.push(...next.events.map(({ event }) => event));
      const { watches, units } = next;
      from = { ...from, watches, units, nowMs: from.nowMs + 1_000 };
    }
    expect(events).toEqual(['unit healthy']);
  });

  it('is not told to go on as often as it comes up for a moment, nor late because of it', () => {
    const record = known({ phase: 'verifying', attempt: web2.digest, releases: [web1] });
    let from = scene([web2, db2], { db: well, web: record }, broken);
    const events: string[] = [];
    for (let second = 0; second < 300; second += 1) {
      const flapping = put(one, 'web', { text: 'good 2', replicas: 1 });
      const task = `web.${String(second)}`;
      const world = change(flapping, 'web', { ready: second % 2 === 1, task });
      const next = seen({ ...from, worlds: { 'stack/db': unready, 'stack/web': world } });
      events.push(...next.events.map(({ event }) => event));
      from = { ...from, watches: next.watches, units: next.units, nowMs: from.nowMs + 1_000 };
    }
    expect(events).toEqual(['unit waiting']);
  });

  it('is not taken for given up by what the engine does meanwhile, and is sent again after that', () => {
    const reverts = unitCalled('web', 'revert 2', ['db']);
    const record = known({ phase: 'verifying', attempt: reverts.digest, releases: [web1] });
    const world = tick(put(one, 'web', { text: 'revert 2', replicas: 1 }));
    const from = scene(
      [reverts, db2],
      { db: well, web: record },
      { ...broken, 'stack/web': world },
    );
    const during = seen(from);
    expect(during.record).toBe(record);
    expect(during.work).toEqual([]);
    const { watches } = during;
    const after = outcome({ ...from, watches, worlds: { ...from.worlds, 'stack/db': two } });
    expect(after).toMatchObject({ phase: 'applying', calls: ['revert 2'] });
  });

  it('does not get stuck on its way back', () => {
    const old = unitCalled('web', 'crash 1', ['db']);
    const back = known({
      phase: 'reverting',
      releases: [old],
      quarantine: [{ digest: web2.digest, code: 'c' }],
    });
    const world = tick(tick(put(emptyWorld, 'web', { text: 'crash 1', replicas: 1 })));
    const worlds = { 'stack/db': unready, 'stack/web': world };
    const from = scene([web2, db2], { db: well, web: back }, worlds);
    const during = seen(from);
    expect(during.record).toBe(back);
    const { watches } = during;
    const mended = { ...from, watches, worlds: { ...worlds, 'stack/db': two } };
    expect(seen(mended).record).toMatchObject({ phase: 'reverting' });
    expect(seen({ ...mended, watches: new Map() }).record).toMatchObject({ phase: 'stuck' });
  });

  it('keeps no revision open where that one is stuck', () => {
    const { event, views, wakeMs } = lookAt(scene([bad, db2], { db: stuckDb, web }, broken));
    expect(event).toMatchObject({
      event: 'revision failed',
      failed: ['stack/db'],
      waiting: ['stack/web'],
    });
    expect(views.find(({ id }) => id === 'stack/web')).toMatchObject({ pending: false });
    expect(wakeMs).toBe(60_000);
  });
});

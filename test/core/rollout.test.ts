import { describe, expect, it } from 'vitest';

import type { Id } from '../../agent/core/kind.ts';
import { defaultRollout, type RolloutPolicy } from '../../agent/core/rollout.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import {
  lookAt,
  type ManyScene,
  noUnits,
  passed,
  rested,
  unitCalled,
} from '../fakes/many-units.ts';
import { change, emptyWorld } from '../fakes/unit-world.ts';

type Next = ReturnType<typeof lookAt>;
type Unit = ReturnType<typeof unitCalled>;

const policy = (parts: Partial<RolloutPolicy>): RolloutPolicy => ({ ...defaultRollout, ...parts });
const named = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `u${String(at)}`);
const all = (names: readonly string[], text: string): readonly Unit[] =>
  names.map((name) => unitCalled(name, text));

/** Everything runs at `good 1`, and then this is wanted. */
function changedTo(
  names: readonly string[],
  wants: readonly Unit[],
  rollout: RolloutPolicy,
): ManyScene {
  const first = rested({ ...noUnits, wants: all(names, 'good 1'), revision: 'r1' });
  return { ...first, wants, revision: 'r2', rollout };
}

const underWay = (units: ReadonlyMap<Id, UnitRecord>): readonly Id[] =>
  [...units].filter(([, { attempt }]) => attempt !== undefined).map(([id]) => id);
const began = (before: ManyScene, { units }: Next): readonly Id[] =>
  underWay(units).filter(
    (id) => before.units.get(id)?.attempt?.digest !== units.get(id)?.attempt?.digest,
  );
const runs = ({ worlds }: ManyScene, name: string): string | undefined =>
  worlds[`stack/${name}`]?.services['web']?.text;
const heldOf = ({ views }: Next, name: string): string | undefined =>
  views.find(({ id }) => id === `stack/${name}`)?.held;

/** All steps to rest, and how many units were under way at most. */
function followed(from: ManyScene): { rest: ManyScene; most: number; steps: readonly Next[] } {
  const steps: Next[] = [];
  const rest = rested(from, (_before, next) => void steps.push(next));
  const most = Math.max(...steps.map(({ units }) => underWay(units).length));
  return { rest, most, steps };
}

describe('a canary that was found and was never healthy', () => {
  it('opens nothing, until it is seen healthy', () => {
    const names = named(3);
    const wants = all(names, 'good 1');
    const rollout = policy({ canary: ['stack/u0'] });
    const well = rested({ ...noUnits, wants: wants.slice(0, 1), revision: 'r1' }).worlds;
    const ill = change(well['stack/u0'] ?? emptyWorld, 'web', { ready: false });
    const scene = { ...noUnits, wants, revision: 'r1', rollout, worlds: { 'stack/u0': ill } };
    const next = lookAt(scene);
    expect(next.events.map(({ event }) => event)).toEqual(['unit adopted']);
    expect(began(scene, next)).toEqual([]);
    const later = passed(scene, next);
    expect(began(later, lookAt({ ...later, worlds: { 'stack/u0': ill } }))).toEqual([]);
    const mended = { ...later, worlds: { ...later.worlds, ...well } };
    expect(began(mended, lookAt(mended))).toEqual(['stack/u1', 'stack/u2']);
  });
});

describe('the brake of a revision', () => {
  it('lets so many units be under way, of a first deployment too', () => {
    const wants = all(named(30), 'good 1');
    const scene = { ...noUnits, wants, revision: 'r1', rollout: policy({ atOnce: 4 }) };
    const { rest, most, steps } = followed(scene);
    expect(most).toBe(4);
    expect(steps[0]?.views.filter(({ heldBy }) => heldBy === 'turn')).toHaveLength(26);
    expect(heldOf(lookAt(scene), 'u9')).toBe('rollout: 4 units at once (`rollout.atOnce`)');
    for (const name of named(30)) expect(runs(rest, name)).toBe('good 1');
    expect(lookAt(rest).event).toMatchObject({ event: 'revision healthy', units: 30 });
  });

  it('is no hindrance to what those under way wait for', () => {
    const rollout = policy({ atOnce: 1 });
    const [db1, db2] = [unitCalled('db', 'good 1'), unitCalled('db', 'good 2')];
    const web = (text: string) => unitCalled('web', text, ['db']);
    const first = rested({ ...noUnits, wants: [db1, web('good 1')], revision: 'r1' });
    // The site is tried, and what it depends on falls ill: the next commit mends that one.
    const tried = { ...first, wants: [db1, web('good 2')], revision: 'r2', rollout };
    const trying = passed(tried, lookAt(tried));
    const ill = change(trying.worlds['stack/db'] ?? emptyWorld, 'web', { ready: false });
    const worlds = { ...trying.worlds, 'stack/db': ill };
    const mended = { ...trying, worlds, wants: [db2, web('good 2')], revision: 'r3' };
    expect(underWay(mended.units)).toEqual(['stack/web']);
    expect(began(mended, lookAt(mended))).toEqual(['stack/db']);
    const rest = rested(mended);
    expect([runs(rest, 'db'), runs(rest, 'web')]).toEqual(['good 2', 'good 2']);
  });

  it('is fifty where nobody wrote it', () => {
    const scene = { ...noUnits, wants: all(named(60), 'good 1'), revision: 'r1' };
    expect(underWay(lookAt(scene).units)).toHaveLength(50);
  });

  it('gives no place to what waits for another unit', () => {
    const wants = [
      unitCalled('a', 'good 1', ['d']),
      unitCalled('b', 'good 1', ['d']),
      unitCalled('d', 'good 1'),
      unitCalled('e', 'good 1'),
    ];
    const scene = { ...noUnits, wants, revision: 'r1', rollout: policy({ atOnce: 2 }) };
    expect(underWay(lookAt(scene).units).toSorted()).toEqual(['stack/d', 'stack/e']);
    expect(followed(scene).most).toBe(2);
  });

  it('counts what goes back, and not what is suspended', () => {
    const names = named(4);
    const wants = [unitCalled('u0', 'crash 1'), ...all(names.slice(1), 'good 2')];
    const before = changedTo(names, wants, policy({ atOnce: 1 }));
    const { most, rest } = followed(before);
    expect(most).toBe(1);
    expect(runs(rest, 'u0')).toBe('good 1');
    // One that stands still in the middle holds nobody up.
    const began = passed(before, lookAt(before));
    const asked = { verb: 'suspend', id: 'stack/u0', by: 'p' } as const;
    const stopped = rested({ ...began, requests: [asked] });
    expect(stopped.units.get('stack/u0')?.attempt).toBeDefined();
    expect(runs(stopped, 'u3')).toBe('good 2');
  });

  it('looks again at once when a place is free that others wait for', () => {
    const [u0, u1] = all(named(2), 'good 1');
    if (u0 === undefined || u1 === undefined) throw new Error('no units');
    const later = unitCalled('u1', 'good 2');
    let scene = changedTo(named(2), [u0, later], policy({ atOnce: 1 }));
    scene = passed(scene, lookAt(scene));
    scene = { ...scene, wants: [unitCalled('u0', 'good 2'), later], revision: 'r3' };
    while (lookAt(scene).units.get('stack/u1')?.phase !== 'none')
      scene = passed(scene, lookAt(scene));
    const next = lookAt(scene);
    expect(heldOf(next, 'u0')).toBe('rollout: 1 unit at once (`rollout.atOnce`)');
    expect(next.wakeMs).toBe(0);
    expect(began(passed(scene, next), lookAt(passed(scene, next)))).toEqual(['stack/u0']);
  });

  it('leaves the place to a unit whose change is overtaken', () => {
    const wants = [unitCalled('u0', 'slow 1'), unitCalled('u1', 'good 1')];
    const before = changedTo(named(2), wants, policy({ atOnce: 1 }));
    const slow = passed(before, lookAt(before));
    const next = lookAt({ ...slow, wants: all(named(2), 'good 3'), revision: 'r3' });
    expect(next.units.get('stack/u0')).toMatchObject({ phase: 'applying' });
    expect(next.units.get('stack/u0')?.attempt?.revision).toBe('r3');
  });

  it('is not for drift, nor for taking over what is there and equal', () => {
    const names = named(6);
    const scene = changedTo(names, all(names, 'good 1'), policy({ atOnce: 1 }));
    const worlds = Object.fromEntries(
      Object.entries(scene.worlds).map(([id, world]) => [id, change(world, 'web', { text: 'x' })]),
    );
    expect(lookAt({ ...scene, worlds }).work).toHaveLength(6);
    const unknown = lookAt({ ...scene, units: new Map(), watches: new Map() });
    expect(unknown.events.filter(({ event }) => event === 'unit adopted')).toHaveLength(6);
  });

  it('keeps the place of a unit that came to rest for the pause, and begins it anew after a start', () => {
    const names = named(3);
    const rollout = policy({ atOnce: 1, pauseMs: 20_000 });
    const scene = changedTo(names, all(names, 'good 2'), rollout);
    const starts: number[] = [];
    const settles: number[] = [];
    rested(scene, (before, next) => {
      if (began(before, next).length > 0) starts.push(before.nowMs);
      for (const { event } of next.events) if (event === 'unit healthy') settles.push(before.nowMs);
    });
    expect(starts).toHaveLength(3);
    for (const at of [0, 1]) expect((starts[at + 1] ?? 0) - (settles[at] ?? 0)).toBe(20_000);

    // Another agent leads 5 s after the first unit came to rest.
    let first = scene;
    while (
      lookAt(first).units.get('stack/u0')?.phase !== 'none' ||
      first.units.get('stack/u0')?.attempt === undefined
    ) {
      first = passed(first, lookAt(first));
    }
    first = { ...passed(first, lookAt(first)), watches: new Map() };
    const next = lookAt(first);
    expect(began(first, next)).toEqual([]);
    expect(heldOf(next, 'u1')).toBe(
      'rollout: a pause after those that came to rest (`rollout.pause`)',
    );
    expect(next.wakeMs).toBe(20_000);
  });
});

describe('a pause', () => {
  it('is none of a unit of which something waits for a person: nobody knows since when it rests', () => {
    const rollout = policy({ atOnce: 1, pauseMs: 20_000 });
    let scene = changedTo(named(2), all(named(2), 'good 2'), rollout);
    while (scene.units.get('stack/u0')?.releases[0]?.revision !== 'r2') {
      scene = passed(scene, lookAt(scene));
    }
    expect(began(scene, lookAt(scene))).toEqual([]);
    const known = scene.units.get('stack/u0');
    const removing = [{ target: 'service old', id: 'x' }];
    const held = known && ({ ...known, removing, rewound: true } as const);
    const units = new Map([...scene.units, ...(held ? ([['stack/u0', held]] as const) : [])]);
    expect(began(scene, lookAt({ ...scene, units }))).toEqual(['stack/u1']);
  });
});

describe('canaries', () => {
  it('are followed by the rest after the pause, places or not', () => {
    const names = named(3);
    const rollout = policy({ pauseMs: 30_000, canary: ['stack/u1'] });
    let settledMs = 0;
    let startedMs = 0;
    rested(changedTo(names, all(names, 'good 2'), rollout), (before, next) => {
      if (next.events.some((one) => one.event === 'unit healthy' && one.id === 'stack/u1')) {
        settledMs = before.nowMs;
      }
      if (began(before, next).includes('stack/u0')) startedMs = before.nowMs;
    });
    expect(startedMs - settledMs).toBe(30_000);
  });

  it('go first, and the rest when all of them are healthy', () => {
    const names = named(6);
    const rollout = policy({ canary: ['stack/u4', 'stack/u2'] });
    const scene = changedTo(names, all(names, 'good 2'), rollout);
    const next = lookAt(scene);
    expect(underWay(next.units).toSorted()).toEqual(['stack/u2', 'stack/u4']);
    expect(heldOf(next, 'u0')).toBe('rollout: waits for the canary stack/u2');
    const rest = rested(scene, (before, step) => {
      if (!began(before, step).includes('stack/u0')) return;
      for (const id of rollout.canary) expect(step.units.get(id)?.phase).toBe('none');
    });
    for (const name of names) expect(runs(rest, name)).toBe('good 2');
  });

  it('hold nobody up where the revision does not change them', () => {
    const names = named(3);
    const wants = [unitCalled('u0', 'good 1'), ...all(names.slice(1), 'good 2')];
    const scene = changedTo(names, wants, policy({ canary: ['stack/u0'] }));
    expect(underWay(lookAt(scene).units)).toEqual(['stack/u1', 'stack/u2']);
  });

  it('hold the rest where one fails, and the revision ends', () => {
    const names = named(5);
    const wants = [unitCalled('u0', 'crash 1'), ...all(names.slice(1), 'good 2')];
    const { rest, steps } = followed(changedTo(names, wants, policy({ canary: ['stack/u0'] })));
    for (const name of names) expect(runs(rest, name)).toBe('good 1');
    const next = lookAt(rest);
    expect(heldOf(next, 'u3')).toBe('rollout: canary stack/u0 failed');
    const held = { count: 4, first: ['stack/u1', 'stack/u2', 'stack/u3', 'stack/u4'] };
    expect(next.stopped).toEqual({ revision: 'r2', why: 'canary stack/u0 failed', held });
    expect(next.event).toMatchObject({ event: 'revision failed', failed: ['stack/u0'], held });
    expect(rest.history.revisions[0]).toMatchObject({ outcome: 'rolled-back', held: 4 });
    expect(steps.filter(({ event }) => event?.event === 'revision healthy')).toEqual([]);
    // An unrelated commit does not let out what the canary stopped; one that mends the canary does.
    const other = rested({ ...rest, revision: 'r3' });
    expect(runs(other, 'u3')).toBe('good 1');
    const mended = [unitCalled('u0', 'good 3'), ...wants.slice(1)];
    const well = rested({ ...other, wants: mended, revision: 'r4' });
    expect(runs(well, 'u3')).toBe('good 2');
    expect(lookAt(well).event).toMatchObject({ event: 'revision healthy' });
  });

  it('take what they depend on with them, through others too', () => {
    const wants = [
      unitCalled('a', 'good 1'),
      unitCalled('c', 'good 1', ['m']),
      unitCalled('m', 'good 1', ['d']),
      unitCalled('d', 'good 1'),
    ];
    const rollout = policy({ canary: ['stack/c'], atOnce: 1 });
    const order: Id[] = [];
    rested({ ...noUnits, wants, revision: 'r1', rollout }, (before, next) => {
      order.push(...began(before, next));
    });
    expect(order).toEqual(['stack/d', 'stack/m', 'stack/c', 'stack/a']);
  });

  it('hold the rest where what they depend on fails, where somebody took one back, and where one is suspended', () => {
    const names = ['d', 'c', 'x'];
    const wants = [
      unitCalled('d', 'crash 1'),
      unitCalled('c', 'good 2', ['d']),
      unitCalled('x', 'good 2'),
    ];
    const rollout = policy({ canary: ['stack/c'] });
    const failed = lookAt(rested(changedTo(names, wants, rollout)));
    expect(heldOf(failed, 'x')).toBe('rollout: canary stack/c waits for one that does not come');
    expect(failed.event).toMatchObject({ event: 'revision failed', failed: ['stack/d'] });

    const scene = changedTo(names, all(names, 'good 2'), rollout);
    const asked = { verb: 'suspend', id: 'stack/c', by: 'p' } as const;
    const suspended = lookAt(rested({ ...scene, requests: [asked] }));
    expect(heldOf(suspended, 'x')).toBe('rollout: canary stack/c is suspended');
    expect(suspended.event).toMatchObject({ event: 'revision healthy', suspended: ['stack/c'] });

    const began = passed(scene, lookAt(scene));
    const back = { verb: 'rollback', id: 'stack/c', by: 'p' } as const;
    const two = rested({ ...began, requests: [back] });
    expect(runs(two, 'x')).toBe('good 1');
    expect(heldOf(lookAt(two), 'x')).toBe('rollout: canary stack/c was rolled back by hand');
  });
});

describe('after too many failures', () => {
  const names = named(12);
  const wants = names.map((name, at) => unitCalled(name, at < 6 ? 'crash 1' : 'good 2'));

  it('the rest stays as it is, and the revision ends as failed', () => {
    const rollout = policy({ atOnce: 2, maxFailures: 2 });
    const scene = changedTo(names, wants, rollout);
    const rest = rested(scene, (before, next) => {
      const failures = [...before.units.values()].filter(({ quarantine }) => quarantine.length > 0);
      expect(failures.length >= 2 ? began(before, next) : []).toEqual([]);
    });
    const next = lookAt(rest);
    const why = '2 units of the revision failed (`rollout.maxFailures`)';
    expect(heldOf(next, 'u11')).toBe(`rollout: ${why}`);
    expect(next.stopped).toMatchObject({ why });
    const failed = names.filter((name) => rest.units.get(`stack/${name}`)?.quarantine.length === 1);
    expect(failed.length).toBeGreaterThanOrEqual(2);
    expect(failed.length).toBeLessThanOrEqual(3);
    expect(next.event).toMatchObject({
      event: 'revision failed',
      held: { count: 12 - failed.length },
    });
    // Nobody remembers anything: it is the record that says so.
    const forgotten = { ...rest, watches: new Map(), refusals: new Map() };
    expect(lookAt(forgotten).work).toEqual([]);
    expect(lookAt(forgotten).events).toEqual([]);
  });

  it('one that fails in the very step counts for those that are looked at after it', () => {
    const two = [unitCalled('u0', 'crash 1'), unitCalled('u1', 'good 2')];
    const cron = { minutes: [0], hours: [2], days: [1], months: [1], weekdays: [0] };
    const shut = [{ cron, durationMs: 1, timeZone: 'UTC', stacks: ['u1'] }];
    let scene: ManyScene = {
      ...changedTo(named(2), two, policy({ maxFailures: 1 })),
      rules: shut,
    };
    while (lookAt(scene).units.get('stack/u0')?.quarantine.length === 0)
      scene = passed(scene, lookAt(scene));
    const open = { ...scene, rules: [] };
    expect(lookAt(open).events).toMatchObject([{ event: 'unit failed', id: 'stack/u0' }]);
    expect(lookAt(open).units.get('stack/u1')?.phase).toBe('none');
    expect(heldOf(lookAt(open), 'u1')).toContain('rollout.maxFailures');
  });

  it('names some of the held ones only', () => {
    const many = named(40);
    const all40 = many.map((name) => unitCalled(name, 'crash 1'));
    const rest = rested(changedTo(many, all40, policy({ atOnce: 1, maxFailures: 1 })));
    const { stopped, event } = lookAt(rest);
    expect(stopped?.held.count).toBe(39);
    expect(stopped?.held.first).toHaveLength(10);
    expect(event).toMatchObject({ held: { count: 39 } });
    expect(event).not.toHaveProperty('waiting');
    expect(JSON.stringify(rest.history).length).toBeLessThan(600);
  });

  it('another revision goes on, and so does a retry', () => {
    const rollout = policy({ atOnce: 1, maxFailures: 1 });
    const stopped = rested(changedTo(names, wants, rollout));
    expect(runs(stopped, 'u11')).toBe('good 1');
    const mended = [...all(names.slice(0, 6), 'good 3'), ...wants.slice(6)];
    const well = rested({ ...stopped, wants: mended, revision: 'r3' });
    expect(names.map((name) => runs(well, name))).toEqual([
      ...Array.from({ length: 6 }, () => 'good 3'),
      ...Array.from({ length: 6 }, () => 'good 2'),
    ]);
    // Nothing is mended: what failed with the revision before does not count for this one.
    const same = rested({ ...stopped, revision: 'r3' });
    expect(same.units.get('stack/u0')?.quarantine[0]?.revision).toBe('r2');
    expect(same.units.get('stack/u1')?.quarantine[0]?.revision).toBe('r3');
    const asked = { verb: 'retry', id: 'stack/u0', by: 'p' } as const;
    const scene = { ...stopped, requests: [asked] };
    expect(began(scene, lookAt(scene))).toEqual(['stack/u0']);
    expect(lookAt(rested(scene)).stopped).toBeDefined();
  });

  it('what a person took back is no failure', () => {
    const scene = changedTo(names, all(names, 'good 2'), policy({ maxFailures: 1, atOnce: 1 }));
    const first = passed(scene, lookAt(scene));
    const back = { verb: 'rollback', id: 'stack/u0', by: 'p' } as const;
    const rest = rested({ ...first, requests: [back] });
    expect(runs(rest, 'u0')).toBe('good 1');
    expect(runs(rest, 'u11')).toBe('good 2');
  });

  it('what depends on a held unit is held with it, and counted with it', () => {
    const chain = [unitCalled('f', 'crash 1'), unitCalled('a', 'good 2')];
    const dependant = unitCalled('b', 'good 2', ['a']);
    const scene = changedTo(
      ['f', 'a', 'b'],
      [...chain, dependant],
      policy({ atOnce: 1, maxFailures: 1 }),
    );
    const next = lookAt(rested(scene));
    expect(heldOf(next, 'b')).toBe('waits for stack/a, which the rollout holds');
    expect(next.event).toMatchObject({ event: 'revision failed', held: { count: 2 } });
    expect(next.event).not.toHaveProperty('waiting');
  });
});

describe('`onFailure: rollback`', () => {
  const names = named(10);
  const wants = names.map((name, at) => unitCalled(name, at < 6 ? 'good 2' : 'crash 1'));
  const rollout = policy({ atOnce: 3, maxFailures: 2, onFailure: 'rollback' });

  it('takes back what the revision had changed, a few at once, and nothing of it is quarantined', () => {
    const { rest, most } = followed(changedTo(names, wants, rollout));
    expect(most).toBe(3);
    for (const name of names) expect(runs(rest, name)).toBe('good 1');
    for (const name of names.slice(0, 6)) {
      expect(rest.units.get(`stack/${name}`)).toMatchObject({ phase: 'none', quarantine: [] });
    }
    const next = lookAt(rest);
    expect(next.event).toMatchObject({ event: 'revision failed' });
    expect(rest.history.revisions[0]).toMatchObject({ outcome: 'rolled-back' });
    expect(lookAt({ ...rest, watches: new Map() }).work).toEqual([]);
  });

  it('lets them come forward again with the next revision', () => {
    const { rest } = followed(changedTo(names, wants, rollout));
    const mended = [...wants.slice(0, 6), ...all(names.slice(6), 'good 2')];
    const well = rested({ ...rest, wants: mended, revision: 'r3' });
    for (const name of names) expect(runs(well, name)).toBe('good 2');
  });

  it('leaves what has nothing to go back to, what is not to, and what is suspended', () => {
    const first = rested({
      ...noUnits,
      wants: all(['old', 'kept', 'f'], 'good 1'),
      revision: 'r1',
    });
    const next = [
      unitCalled('old', 'good 2', [], { mode: 'hold' }),
      unitCalled('new', 'good 2'),
      unitCalled('kept', 'good 2'),
      unitCalled('f', 'late 1'),
    ];
    let scene: ManyScene = {
      ...first,
      wants: next,
      revision: 'r2',
      rollout: policy({
        maxFailures: 1,
        onFailure: 'rollback',
        canary: ['stack/old', 'stack/new', 'stack/kept'],
      }),
    };
    while (scene.units.get('stack/f')?.attempt === undefined) scene = passed(scene, lookAt(scene));
    const asked = { verb: 'suspend', id: 'stack/kept', by: 'p' } as const;
    const rest = rested({ ...scene, requests: [asked] });
    expect(rest.units.get('stack/f')?.quarantine).toHaveLength(1);
    expect(['old', 'new', 'kept'].map((name) => runs(rest, name))).toEqual([
      'good 2',
      'good 2',
      'good 2',
    ]);
  });
});

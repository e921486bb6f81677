import { describe, expect, it } from 'vitest';

import type { Id, Rendered } from '../../agent/core/kind.ts';
import type { Request } from '../../agent/core/unit.ts';
import {
  isRecorded,
  lookAt,
  type ManyScene,
  noUnits,
  passed,
  rested,
  unitCalled,
} from '../fakes/many-units.ts';
import { put, unitOf, type UnitSpec } from '../fakes/unit-world.ts';

type Unit = Rendered<UnitSpec>;

const [db1, db2, db3] = [
  unitCalled('db', 'good 1'),
  unitCalled('db', 'good 2'),
  unitCalled('db', 'good 3'),
];
const web = (text: string, rules: Partial<UnitSpec> = {}): Unit =>
  unitCalled('web', text, ['db'], rules);
const [web1, web2] = [web('good 1'), web('good 2')];

/** A revision comes to rest. */
function committed(from: ManyScene, revision: string, ...wants: readonly Unit[]): ManyScene {
  return rested({ ...from, revision, wants });
}

function asked(from: ManyScene, verb: 'rollback' | 'retry', name = 'db'): ManyScene {
  const request: Request = { verb, id: `stack/${name}`, by: 'p' };
  return { ...from, requests: [request] };
}

/** What is told until all is at rest, of one unit or of all. */
function tale(from: ManyScene, name?: string): readonly string[] {
  const told: string[] = [];
  rested(from, (_before, { events }) => {
    for (const one of events) {
      if (name === undefined || one.id === `stack/${name}`) told.push(`${one.id} ${one.event}`);
    }
  });
  return told;
}

/** How a unit stands, and what runs of it. */
function standing({ units, worlds }: ManyScene, name: string) {
  const id: Id = `stack/${name}`;
  const record = units.get(id);
  return {
    phase: record?.phase,
    releases: record?.releases.map(({ digest, revision }) => `${revision} ${digest.trim()}`),
    quarantine: record?.quarantine.map(({ digest }) => digest.trim()),
    runs: Object.values(worlds[id]?.services ?? {})
      .filter(({ replicas }) => replicas > 0)
      .map(({ text }) => text),
  };
}

const heldOf = (scene: ManyScene, name = 'web'): string | undefined =>
  lookAt(scene).views.find(({ id }) => id === `stack/${name}`)?.held;

/** Nothing more is done, told or written, also not by an agent that remembers nothing. */
function expectQuiet(scene: ManyScene): void {
  for (const one of [scene, { ...scene, watches: new Map(), refusals: new Map() }]) {
    const next = lookAt(one);
    expect(next.work).toEqual([]);
    expect(next.events).toEqual([]);
    expect(isRecorded(one, next)).toBe(true);
  }
}

const first = committed(noUnits, 'r0', db1, web1);
const second = committed(first, 'r1', db2, web2);
const atFirst = {
  phase: 'none',
  releases: ['r0 web good 1', 'r1 web good 2'],
  quarantine: [],
  runs: ['good 1'],
};

describe('a unit that one revision changed together with what it depends on', () => {
  const back = rested(asked(second, 'rollback'));

  it('goes back with it, to its release before, and nothing of it is quarantined', () => {
    expect(tale(asked(second, 'rollback'))).toEqual([
      'stack/db request taken',
      'stack/db unit rolled back',
      'stack/web unit taken back',
      'stack/web unit rolled back',
    ]);
    expect(standing(back, 'db')).toMatchObject({ runs: ['good 1'], quarantine: ['db good 2'] });
    expect(standing(back, 'web')).toEqual(atFirst);
    expectQuiet(back);
  });

  it('begins that in the same record in which the other one arrives: nothing lies between', () => {
    let found = false;
    rested(asked(second, 'rollback'), (before, next) => {
      if (!next.events.some(({ event }) => event === 'unit rolled back') || found) return;
      found = true;
      expect(before.units.get('stack/db')?.phase).toBe('reverting');
      expect(next.units.get('stack/db')?.phase).toBe('none');
      expect(next.units.get('stack/web')?.phase).toBe('rolling-back');
    });
    expect(found).toBe(true);
  });

  it('ends the revision in the record in which it arrives: nothing more is written after', () => {
    let found = false;
    rested(asked(second, 'rollback'), (_before, { events, event, history }) => {
      if (!events.some((one) => one.event === 'unit rolled back' && one.id === 'stack/web')) return;
      found = true;
      expect(event).toMatchObject({ waiting: ['stack/web'] });
      expect(history).toEqual(back.history);
    });
    expect(found).toBe(true);
  });

  it('stays there, and is kept there', () => {
    expect(heldOf(back)).toBe('waits for stack/db, which was rolled back by hand');
    const { 'stack/web': world, ...worlds } = back.worlds;
    if (world === undefined) throw new Error('no world');
    const byHand = put(world, 'web', { text: 'good 2', replicas: 1 });
    const calls: string[] = [];
    const rest = rested({ ...back, worlds: { ...worlds, 'stack/web': byHand } }, (_, { work }) => {
      for (const { operations } of work) calls.push(...operations.map(({ target }) => target));
    });
    expect(calls).toEqual(['service web']);
    expect(standing(rest, 'web')).toEqual(atFirst);
  });

  it('comes forward by itself when a person has the other one tried again', () => {
    const again = rested(asked(back, 'retry'));
    expect(standing(again, 'db')).toMatchObject({ runs: ['good 2'], quarantine: [] });
    expect(standing(again, 'web')).toMatchObject({ runs: ['good 2'], phase: 'none' });
    expectQuiet(again);
  });

  it('comes forward by itself when another commit mends the other one', () => {
    const mended = committed(back, 'r2', db3, web2);
    expect(standing(mended, 'db').runs).toEqual(['good 3']);
    expect(standing(mended, 'web')).toMatchObject({ runs: ['good 2'], quarantine: [] });
    expect(mended.history.revisions[0]).toMatchObject({ commit: 'r2', outcome: 'healthy' });
  });

  it('stays where it is by a commit of its own that changes nothing of the other one', () => {
    const other = committed(back, 'r2', db2, web('good 3'));
    expect(standing(other, 'web')).toEqual(atFirst);
    expectQuiet(other);
  });

  it('is no failure of the revision where a person went back', () => {
    expect(lookAt(back).event).toMatchObject({
      event: 'revision healthy',
      quarantined: ['stack/db'],
      waiting: ['stack/web'],
    });
  });

  it('leaves nothing running that only the newer release had', () => {
    const more: Unit = {
      ...unitOf('more', { web: 'good 2', extra: 'good 2' }),
      id: 'stack/web',
      dependsOn: ['stack/db'],
    };
    const rest = rested(asked(committed(first, 'r1', db2, more), 'rollback'));
    expect(standing(rest, 'web').runs).toEqual(['good 1']);
    expectQuiet(rest);
    expect(standing(rested(asked(rest, 'retry')), 'web').runs).toEqual(['good 2', 'good 2']);
  });

  it('goes back through one between that did not change', () => {
    const api = unitCalled('api', 'good 1', ['db']);
    const far = (text: string): Unit => unitCalled('web', text, ['api']);
    const before = committed(noUnits, 'r0', db1, api, far('good 1'));
    const rest = rested(asked(committed(before, 'r1', db2, api, far('good 2')), 'rollback'));
    expect(standing(rest, 'web').runs).toEqual(['good 1']);
    expect(standing(rest, 'api')).toMatchObject({ runs: ['good 1'], releases: ['r0 api good 1'] });
    expect(heldOf(rest, 'api')).toBeUndefined();
  });

  it('turns back where it is still being tried', () => {
    const tried = { ...first, revision: 'r1', wants: [db2, web('slow 2')] };
    let scene: ManyScene = tried;
    while (scene.units.get('stack/web')?.phase !== 'verifying')
      scene = passed(scene, lookAt(scene));
    expect(tale(asked(scene, 'rollback'), 'web')).toEqual([
      'stack/web unit waiting',
      'stack/web unit taken back',
      'stack/web unit rolled back',
    ]);
    expect(standing(rested(asked(scene, 'rollback')), 'web')).toEqual({
      ...atFirst,
      releases: ['r0 web good 1'],
    });
  });

  it('goes back where the edge came later than the change, and the other one failed', () => {
    const free: Unit = { ...web2, dependsOn: [] };
    let scene: ManyScene = { ...first, revision: 'r1', wants: [unitCalled('db', 'slow 2'), free] };
    while (scene.units.get('stack/web')?.releases.length !== 2)
      scene = passed(scene, lookAt(scene));
    const rest = committed(scene, 'r2', unitCalled('db', 'slow 2'), web2);
    expect(standing(rest, 'db')).toMatchObject({ runs: ['good 1'], quarantine: ['db slow 2'] });
    expect(standing(rest, 'web')).toEqual(atFirst);
    expect(heldOf(rest)).toBe('waits for stack/db, which failed');
    expectQuiet(rest);
  });
});

describe('a unit stays as it is when one that it depends on goes back', () => {
  it('where another revision changed it', () => {
    const later = committed(committed(first, 'r1', db2, web1), 'r2', db2, web2);
    expect(tale(asked(later, 'rollback'), 'web')).toEqual([]);
    const rest = rested(asked(later, 'rollback'));
    expect(standing(rest, 'web').runs).toEqual(['good 2']);
    expectQuiet(rest);
  });

  it('where nothing of it was changed', () => {
    const one = committed(first, 'r1', db2, web1);
    expect(tale(asked(one, 'rollback'), 'web')).toEqual([]);
  });

  it('where nothing depends on that', () => {
    const free: Unit = { ...web2, dependsOn: [] };
    const one = committed(first, 'r1', db2, free);
    expect(tale(asked(one, 'rollback'), 'web')).toEqual([]);
  });

  it('where the other one only follows the repository back', () => {
    let scene: ManyScene = { ...first, revision: 'r1', wants: [unitCalled('db', 'slow 2'), web1] };
    while (scene.units.get('stack/db')?.phase !== 'verifying') scene = passed(scene, lookAt(scene));
    const reverted = { ...scene, revision: 'r2', wants: [db1, web1] };
    expect(tale(reverted)).toEqual(['stack/db unit superseded', 'stack/db unit rolled back']);
  });

  it.each<[string, Unit, Unit, string]>([
    ['`rollback.mode: hold`', web1, web('good 2', { mode: 'hold' }), '`rollback.mode` is `hold`'],
    ['only one release', web1, web('good 2', { keep: 1 }), 'it has no earlier healthy release'],
  ])('with %s, and says so once', (_, before, after, why) => {
    const changed = committed(committed(noUnits, 'r0', db1, before), 'r1', db2, after);
    const told: object[] = [];
    const rest = rested(asked(changed, 'rollback'), (_before, { events }) => {
      told.push(...events.filter(({ event }) => event === 'unit not taken back'));
    });
    expect(told).toEqual([
      { event: 'unit not taken back', id: 'stack/web', because: 'stack/db', why },
    ]);
    expect(standing(rest, 'web').runs).toEqual(['good 2']);
    expectQuiet(rest);
  });

  it('where it is suspended: nothing is called for it', () => {
    const changed = committed(committed(noUnits, 'r0', db1, web1), 'r1', db2, web2);
    const suspend: Request = { verb: 'suspend', id: 'stack/web', by: 'p' };
    const stopped = rested({ ...changed, requests: [suspend] });
    expect(tale(asked(stopped, 'rollback'), 'web')).toEqual(['stack/web unit not taken back']);
    const rest = rested(asked(stopped, 'rollback'));
    expect(standing(rest, 'web')).toMatchObject({ phase: 'none', runs: ['good 2'] });
    expect(standing(rest, 'db').runs).toEqual(['good 1']);
  });
});

describe('a revision that breaks what others depend on', () => {
  it('changes none of them, and the next one all', () => {
    const broken = committed(first, 'r1', unitCalled('db', 'crash 2'), web2);
    expect(standing(broken, 'web')).toMatchObject({
      releases: ['r0 web good 1'],
      runs: ['good 1'],
    });
    expect(lookAt(broken).event).toMatchObject({
      event: 'revision failed',
      failed: ['stack/db'],
      waiting: ['stack/web'],
    });
    expectQuiet(broken);
    const mended = committed(broken, 'r2', db3, web2);
    expect(standing(mended, 'web').runs).toEqual(['good 2']);
    expect(lookAt(mended).event).toMatchObject({ event: 'revision healthy', quarantined: [] });
  });
});

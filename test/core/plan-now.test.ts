import { describe, expect, it } from 'vitest';

import type { Id, Rendered } from '../../agent/core/kind.ts';
import type { PlannedUnit, PlanWords } from '../../agent/core/plan.ts';
import { planNow } from '../../agent/core/plan-now.ts';
import { defaultRollout } from '../../agent/core/rollout.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import {
  lookAt,
  type ManyScene,
  noUnits,
  passed,
  rested,
  unitCalled,
  type WorldsCall,
  worldsKind,
} from '../fakes/many-units.ts';
import { change, running, type UnitSpec } from '../fakes/unit-world.ts';

const words: PlanWords<UnitSpec, WorldsCall> = {
  beside: () => [],
  // What is called stands in the place of the target: `set web good 2`.
  operation: ({ verb, effect, fields, call: { call } }) => ({
    target: call.op === 'set' ? `set ${call.name} ${call.wanted.text}` : `${call.op} ${call.name}`,
    verb,
    effect,
    fields,
  }),
};

function planOf(
  scene: ManyScene,
  kind: typeof worldsKind = worldsKind,
): (name: string) => PlannedUnit | undefined {
  const { wants: desired, worlds: observed, units } = scene;
  const now = { environment: 'test', desired, observed, units, notes: [] };
  const plan = planNow(kind, words, lookAt(scene), now);
  return (name) => plan.units.find(({ id }) => id === `stack/${name}`);
}

const targetsOf = (unit: PlannedUnit | undefined): readonly string[] =>
  unit?.operations.map(({ target }) => target) ?? [];

const one = (text: string): readonly Rendered<UnitSpec>[] => [unitCalled('blog', text)];
const two = (database: string, blog: string): readonly Rendered<UnitSpec>[] => [
  unitCalled('database', database),
  unitCalled('blog', blog, ['database']),
];
/** Both run what they ask for. */
const both = rested({ ...noUnits, wants: two('good 1', 'good 1'), revision: 'r1' });
const byHand = (scene: ManyScene, id: Id, replicas: number): ManyScene => {
  const world = change(scene.worlds[id] ?? running({}), 'web', { replicas });
  return { ...scene, worlds: { ...scene.worlds, [id]: world } };
};

describe('the plan of a stack that waits', () => {
  const wants = two('good 2', 'good 2');

  it('shows what it waits with, also while its old release is put right', () => {
    const scene = byHand({ ...both, wants, revision: 'r2' }, 'stack/blog', 4);
    // What an agent calls now leads back to the old release.
    expect(lookAt(scene).work.map(({ id }) => id)).toContain('stack/blog');
    const blog = planOf(scene)('blog');
    expect(targetsOf(blog)).toEqual(['set web good 2']);
    expect(blog?.held).toContain('waits for stack/database');
    expect(blog?.notes).toEqual([
      'until it begins it is kept as its last healthy release has it, which takes calls now',
    ]);
  });

  it('shows what it waits with where it is overtaken and goes back first', () => {
    const began = lookAt({ ...both, wants: two('good 1', 'good 2'), revision: 'r2' });
    const under = passed({ ...both, wants: two('good 1', 'good 2'), revision: 'r2' }, began);
    const scene = { ...under, wants: two('good 2', 'good 3'), revision: 'r3' };
    const next = lookAt(scene);
    expect(next.units.get('stack/blog')?.phase).toBe('rolling-back');
    expect(next.work.map(({ id }) => id)).toContain('stack/blog');
    const back = 'it is on its way back to its last healthy release now';
    expect(planOf(scene)('blog')).toMatchObject({ notes: [back] });
    expect(planOf(scene)('blog')?.held).toBe('it goes back to an earlier release first');
    expect(targetsOf(planOf(scene)('blog'))).toEqual(['set web good 3']);
    // The same while that way goes on.
    const later = planOf(passed(scene, next))('blog');
    expect([targetsOf(later), later?.notes]).toEqual([['set web good 3'], [back]]);
  });

  it('shows the way back itself where that is what the repository wants', () => {
    const failed = { ...both, wants: two('good 1', 'good 2'), revision: 'r2' };
    const under = passed(failed, lookAt(failed));
    const scene = { ...under, wants: two('good 1', 'good 1'), revision: 'r3' };
    const blog = planOf(scene)('blog');
    expect([targetsOf(blog), blog?.held]).toEqual([['set web good 1'], undefined]);
  });

  it('shows the way back of what failed', () => {
    let scene: ManyScene = { ...both, wants: two('good 1', 'crash 1'), revision: 'r2' };
    for (let pass = 0; pass < 50; pass += 1) {
      const next = lookAt(scene);
      const isBack = next.units.get('stack/blog')?.phase === 'rolling-back';
      if (isBack && next.work.length > 0) break;
      scene = passed(scene, next);
    }
    const blog = planOf(scene)('blog');
    expect([targetsOf(blog), blog?.held]).toEqual([['set web good 1'], undefined]);
    expect(blog?.notes.join()).toContain('understudy retry stack/blog');
    expect(blog?.notes.join()).toContain('on its way back');
  });

  it('shows the way back of what is taken back with others, and then what waits', () => {
    // What depends on nothing is healthy before the other one has failed.
    const wants = [unitCalled('database', 'slow 1'), unitCalled('blog', 'good 2')];
    const rollout = { ...defaultRollout, onFailure: 'rollback', maxFailures: 1 } as const;
    let scene: ManyScene = { ...both, wants, revision: 'r2', rollout };
    const isTaken = ({ events }: ReturnType<typeof lookAt>): boolean =>
      events.some(({ event }) => event === 'unit taken back');
    for (let pass = 0; pass < 80 && !isTaken(lookAt(scene)); pass += 1) {
      scene = passed(scene, lookAt(scene));
    }
    expect(isTaken(lookAt(scene))).toBe(true);
    expect(scene.units.get('stack/blog')?.releases[0]?.digest).toBe(wants[1]?.digest);
    const blog = planOf(scene)('blog');
    expect([targetsOf(blog), blog?.held]).toEqual([['set web good 1'], undefined]);
    const recorded = passed(scene, lookAt(scene), 'after-save');
    expect(targetsOf(planOf(recorded)('blog'))).toEqual(['set web good 1']);
    const worlds = { ...scene.worlds, 'stack/blog': running({ web: 'good 0' }) };
    expect(targetsOf(planOf({ ...recorded, worlds })('blog'))).toEqual(['set web good 2']);
    const later = planOf(passed(scene, lookAt(scene)))('blog');
    expect([targetsOf(later), later?.held]).toEqual([
      ['set web good 2'],
      'it goes back to an earlier release first',
    ]);
  });

  it('shows what puts right a stack that is wanted as it was', () => {
    const blog = planOf(byHand(both, 'stack/blog', 4))('blog');
    expect([targetsOf(blog), blog?.held, blog?.notes]).toEqual([['set web good 1'], undefined, []]);
  });
});

describe('the plan of a stack that stands still', () => {
  /** As the kind `stack`: what stands still is to run only where it is known that we stopped it. */
  const minding: typeof worldsKind = {
    ...worldsKind,
    diff: (unit, worlds, made = []) => {
      const { operations, blocked } = worldsKind.diff(unit, worlds);
      return { operations: operations.filter(({ target }) => made.includes(target)), blocked };
    },
  };
  const wants = two('good 2', 'good 2');

  it('shows that it is to run where an attempt of ours made it', () => {
    const { units } = both;
    const record = units.get('stack/blog');
    if (record === undefined) throw new Error('it has no record');
    const made = (parts: readonly string[]): ManyScene => ({
      ...both,
      wants,
      revision: 'r2',
      units: new Map([...units, ['stack/blog', { ...record, made: parts }]]),
    });
    expect(targetsOf(planOf(made(['service web']), minding)('blog'))).toEqual(['set web good 2']);
    expect(targetsOf(planOf(made([]), minding)('blog'))).toEqual([]);
  });

  it('shows that it is to run where nobody recorded it', () => {
    const units = new Map([...both.units].filter(([id]) => id !== 'stack/blog'));
    const blog = planOf({ ...both, units, wants, revision: 'r2' }, minding)('blog');
    expect(targetsOf(blog)).toEqual(['set web good 2']);
  });
});

describe('the plan of a stack that takes the place of another one', () => {
  const first = rested({ ...noUnits, wants: one('good 1'), revision: 'r1' });
  const named: Rendered<UnitSpec> = { ...unitCalled('weblog', 'good 1'), movedFrom: 'stack/blog' };
  const removals = { policy: { max: 5, share: 100 }, rewound: false };
  const moved: ManyScene = { ...first, wants: [named], revision: 'r2', removals };
  const note = (how: string): string =>
    `it ${how}, so that stack/weblog takes its place; it is removed once that is healthy, and runs again if that fails`;

  it('says that the other one is stopped first, and then that it stands still', () => {
    const plan = planOf(moved);
    expect(plan('blog')).toMatchObject({ change: 'remove', notes: [note('is stopped first')] });
    expect(plan('weblog')?.held).toContain('stack/blog, whose place it takes');
    expect(targetsOf(plan('weblog'))).toEqual(['set web good 1']);
    const recorded = passed(moved, lookAt(moved), 'after-save');
    expect(planOf(recorded)('blog')?.notes).toEqual([note('is stopped first')]);
    const stopped = passed(moved, lookAt(moved));
    expect(planOf(stopped)('blog')?.notes).toEqual([note('stands still')]);
  });

  it('says so too where the one that takes the place waits for something else', () => {
    const database = unitCalled('database', 'good 1');
    const waits = { ...named, dependsOn: [database.id] };
    const plan = planOf({ ...moved, wants: [database, waits] });
    expect(plan('blog')?.notes).toEqual([note('is stopped first')]);
  });

  it('says that the other one comes back, and shows no removal then', () => {
    let scene: ManyScene = {
      ...moved,
      wants: [{ ...unitCalled('weblog', 'crash 1'), movedFrom: 'stack/blog' }],
    };
    const isBack = ({ units }: { units: ReadonlyMap<Id, UnitRecord> }): boolean =>
      units.get('stack/blog')?.phase === 'rolling-back';
    for (let pass = 0; pass < 80 && !isBack(lookAt(scene)); pass += 1) {
      scene = passed(scene, lookAt(scene));
    }
    expect(isBack(lookAt(scene))).toBe(true);
    for (const at of [scene, passed(scene, lookAt(scene))]) {
      const plan = planOf(at)('blog');
      expect(plan).toMatchObject({ change: 'keep', operations: [] });
      expect(plan?.notes).toEqual(['it comes back: stack/weblog does not take its place for now']);
    }
  });

  it('says that what left on its way back is brought to rest first, and removed then', () => {
    let scene: ManyScene = { ...first, wants: one('crash 1'), revision: 'r2', removals };
    for (let pass = 0; pass < 50; pass += 1) {
      if (scene.units.get('stack/blog')?.phase === 'rolling-back') break;
      scene = passed(scene, lookAt(scene));
    }
    const plan = planOf({ ...scene, wants: [unitCalled('other', 'good 1')], revision: 'r3' });
    expect(targetsOf(plan('blog'))).toEqual(['service web']);
    expect(plan('blog')?.notes).toEqual([
      'it is on its way back to its last healthy release first, and is removed after that',
    ]);
  });

  it('says nothing of the kind where a stack is only removed', () => {
    const plan = planOf({ ...moved, wants: [unitCalled('weblog', 'good 1')] });
    expect(plan('blog')).toMatchObject({ change: 'remove', notes: [] });
  });
});

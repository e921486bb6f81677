import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { edgesOf } from '../../agent/core/edges.ts';
import type { Id, Rendered } from '../../agent/core/kind.ts';
import { defaultRollout } from '../../agent/core/rollout.ts';
import { isQuarantined, type Request, type UnitRecord } from '../../agent/core/unit.ts';
import {
  type Break,
  isRecorded,
  lookAt,
  type ManyScene,
  noUnits,
  passed,
  rested,
  unitCalled,
} from '../fakes/many-units.ts';
import type { UnitSpec } from '../fakes/unit-world.ts';

type Unit = Rendered<UnitSpec>;
type Next = ReturnType<typeof lookAt>;

const isInPlace = (record: UnitRecord | undefined, { digest }: Unit): boolean =>
  record?.phase === 'none' &&
  record.releases[0]?.digest === digest &&
  !isQuarantined(record, digest);

const isForward = (record: UnitRecord | undefined): boolean =>
  record?.phase === 'applying' || record?.phase === 'verifying';

/** So many units of the followed revision failed. */
function failures({ wants, revision }: ManyScene, units: ManyScene['units']): number {
  return wants.filter(({ id, digest }) =>
    units
      .get(id)
      ?.quarantine.some(
        (one) => one.digest === digest && one.revision === revision && one.code !== 'manual',
      ),
  ).length;
}

/** These units, with all that they depend on. */
function firstOnes(scene: ManyScene, due: readonly Unit[]): ReadonlySet<Id> {
  const edges = edgesOf(scene.wants);
  const found = new Set(due.map(({ id }) => id));
  for (const id of found) for (const on of edges.get(id) ?? []) found.add(on);
  return found;
}

/** What the brake promises, by what is recorded before and after one step. */
function inspect(scene: ManyScene, next: Next): void {
  const { wants, units: before, rollout = defaultRollout, requests } = scene;
  const { units: after } = next;
  const began = [...after].filter(
    ([id, record]) =>
      isForward(record) && record.attempt?.digest !== before.get(id)?.attempt?.digest,
  );
  if (began.length === 0) return;
  const moving = [...after.values()].filter(({ attempt }) => attempt !== undefined).length;
  // What one under way may wait for takes no place.
  const below = firstOnes(
    scene,
    wants.filter(
      ({ id }) =>
        before.get(id)?.attempt !== undefined ||
        // A rollback that a person asks for is under way before the rest is looked at.
        (requests.length > 0 && after.get(id)?.attempt !== undefined),
    ),
  );
  const isMore = began.some(([id]) => !below.has(id));
  const beside = began.filter(([id]) => below.has(id)).length;
  expect(isMore ? moving - beside : 0).toBeLessThanOrEqual(rollout.atOnce);
  const counted = requests.length === 0 ? failures(scene, before) : 0;
  expect(counted).toBeLessThan(rollout.maxFailures);
  const canaries = wants.filter(({ id }) => rollout.canary.includes(id));
  const due = canaries.filter((unit) => !isInPlace(before.get(unit.id), unit));
  const first = firstOnes(scene, due);
  for (const [id] of began.filter((one) => !first.has(one[0]))) {
    const open = canaries.filter((unit) => !isInPlace(after.get(unit.id), unit));
    expect({ id, open: open.map((unit) => unit.id) }).toEqual({ id, open: [] });
  }
}

/** Nothing waits for ever: the revision has ended, and whoever is not in place knows why. */
function expectAtRest(scene: ManyScene): void {
  const next = lookAt(scene);
  expect(next.event?.revision).toBe(scene.revision);
  expect(scene.history.settled).toBe(scene.revision);
  const unwell = scene.wants.filter((unit) => !isInPlace(scene.units.get(unit.id), unit));
  const causes = unwell.filter(
    ({ id, digest }) =>
      scene.units.get(id)?.phase === 'stuck' ||
      scene.units.get(id)?.quarantine.some((one) => one.digest === digest),
  );
  expect(causes.length > 0).toBe(unwell.length > 0);
  for (const { id } of unwell.filter((one) => !causes.includes(one))) {
    const view = next.views.find((one) => one.id === id);
    expect(view?.held).toMatch(/^rollout: |^waits for stack\//);
    expect(view?.waits).toBeDefined();
  }
  for (const one of [scene, { ...scene, watches: new Map(), refusals: new Map() }]) {
    const quiet = lookAt(one);
    expect(quiet.work).toEqual([]);
    expect(quiet.events).toEqual([]);
    expect(isRecorded(one, quiet)).toBe(true);
  }
}

const UNITS = 6;
const name = fc.nat(UNITS - 1);
const called = (at: number): string => `u${String(at)}`;
const idOf = (at: number): Id => `stack/${called(at)}`;

const rollout = fc.record({
  atOnce: fc.integer({ min: 1, max: 3 }),
  maxFailures: fc.integer({ min: 1, max: 3 }),
  pauseMs: fc.constantFrom(0, 0, 15_000),
  canary: fc.uniqueArray(name, { maxLength: 2 }).map((ats) => ats.map(idOf)),
  onFailure: fc.constantFrom('pause' as const, 'rollback' as const),
});

const version = fc.array(
  fc.record({
    text: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('good 1', 'good 2', 'good 3') },
      { weight: 3, arbitrary: fc.constantFrom('crash 1', 'late 1', 'slow 1', 'refuse 1') },
    ),
    on: fc.array(name, { maxLength: 2 }),
  }),
  { minLength: UNITS, maxLength: UNITS },
);

/** A unit depends on such with a larger number only, so there is no cycle. */
const unitsOf = (
  written: readonly { readonly text: string; readonly on: readonly number[] }[],
): readonly Unit[] =>
  written.map(({ text, on }, at) =>
    unitCalled(called(at), text, on.filter((other) => other > at).map(called)),
  );

const breaks = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant<Break>('not') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Break[]>('before-save', 'after-save', 'after-calls'),
    },
  ),
  { maxLength: 40, size: 'max' },
);

/** What happens between two rests: a commit, some passes, and what a person asks meanwhile. */
const chapter = fc.record({
  next: version,
  rollout,
  passes: fc.nat(40),
  breaks,
  ask: fc.option(
    fc.record({ verb: fc.constantFrom('retry' as const, 'rollback' as const), at: name }),
    { nil: undefined },
  ),
});
type Chapter = typeof chapter extends fc.Arbitrary<infer One> ? One : never;

function played(from: ManyScene, one: Chapter, at: number): ManyScene {
  const wants = unitsOf(one.next);
  let scene: ManyScene = { ...from, wants, revision: `r${String(at)}`, rollout: one.rollout };
  for (let pass = 0; pass < one.passes; pass += 1) {
    const step = lookAt(scene);
    inspect(scene, step);
    scene = passed(scene, step, one.breaks[pass]);
  }
  const { ask } = one;
  if (ask === undefined) return scene;
  const request: Request = { verb: ask.verb, id: idOf(ask.at), by: 'p' };
  return { ...scene, requests: [request] };
}

describe('the brake, on a random walk', () => {
  it('never lets too many begin, nor the rest before canaries or after failures, and all comes to rest', () => {
    fc.assert(
      fc.property(fc.array(chapter, { minLength: 1, maxLength: 4 }), (chapters) => {
        const scene = chapters.reduce(played, noUnits);
        expectAtRest(rested(scene, inspect));
      }),
      { numRuns: 60 },
    );
  });

  it('lets everything through in the end where the commit is good', () => {
    fc.assert(
      fc.property(
        fc.array(chapter, { maxLength: 3 }),
        version,
        rollout,
        (chapters, last, rules) => {
          const scene = chapters.reduce(played, noUnits);
          const wants = unitsOf(last.map(({ on }) => ({ text: 'good 9', on })));
          const end = { ...scene, wants, revision: 'last', rollout: rules, requests: [] };
          const rest = rested(end, inspect);
          for (const unit of wants) expect(isInPlace(rest.units.get(unit.id), unit)).toBe(true);
          expect(lookAt(rest).event).toMatchObject({ event: 'revision healthy', quarantined: [] });
        },
      ),
      { numRuns: 40 },
    );
  });
});

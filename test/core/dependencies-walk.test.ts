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
  worldsKind,
} from '../fakes/many-units.ts';
import type { UnitSpec } from '../fakes/unit-world.ts';

type Unit = Rendered<UnitSpec>;
type Next = ReturnType<typeof lookAt>;

/** The brake has a walk of its own. */
const unbraked: ManyScene = { ...noUnits, rollout: { ...defaultRollout, maxFailures: 100 } };

/** All that a unit depends on, through others too. */
function below(units: readonly Unit[]): (id: Id) => ReadonlySet<Id> {
  const edges = edgesOf(units);
  return (id) => {
    const found = new Set<Id>();
    const queue = [...(edges.get(id) ?? [])];
    for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
      if (found.has(at)) continue;
      found.add(at);
      queue.push(...(edges.get(at) ?? []));
    }
    return found;
  };
}

const isInPlace = (record: UnitRecord | undefined, unit: Unit | undefined): boolean =>
  record?.phase === 'none' &&
  unit !== undefined &&
  record.releases[0]?.digest === unit.digest &&
  !isQuarantined(record, unit.digest);

const isForward = (record: UnitRecord | undefined): boolean =>
  record?.phase === 'applying' || record?.phase === 'verifying';

/** Nothing begins before all that it depends on is in place, by the very record that is written with it. */
function inspect(before: ManyScene, next: Next): void {
  const depends = below(before.wants);
  const wanted = new Map(before.wants.map((unit) => [unit.id, unit]));
  for (const [id, record] of next.units) {
    const was = before.units.get(id);
    const isNew = isForward(record) && record.attempt?.digest !== was?.attempt?.digest;
    if (!isNew) continue;
    const missing = [...depends(id)].filter((on) => !isInPlace(next.units.get(on), wanted.get(on)));
    expect({ id, missing }).toEqual({ id, missing: [] });
  }
}

/** Where everything must be once nothing moves any more. */
function expectAtRest(scene: ManyScene): void {
  const { wants, units, worlds, revision } = scene;
  const depends = below(wants);
  const wanted = new Map(wants.map((unit) => [unit.id, unit]));
  const failed = (id: Id): boolean => {
    const record = units.get(id);
    const digest = wanted.get(id)?.digest ?? '';
    return record?.phase === 'stuck' || (record !== undefined && isQuarantined(record, digest));
  };
  const next = lookAt(scene);
  for (const unit of wants) {
    const { id } = unit;
    const record = units.get(id);
    const causes = [...depends(id)].filter(failed);
    const { held, waits } = next.views.find((view) => view.id === id) ?? {};
    // By `hold` what was overtaken stays as it is; and nobody judges beside one that is stuck and down.
    const isLeft = record?.attempt !== undefined && waits !== undefined && causes.length > 0;
    if (isLeft) continue;
    expect(['none', 'stuck', undefined]).toContain(record?.phase);
    // A failing unit holds exactly its dependants: whoever has none below it is in place, or failed itself.
    if (isInPlace(record, unit) || failed(id)) continue;
    expect({ id, causes }).not.toEqual({ id, causes: [] });
    expect(held).toContain('waits for stack/');
    const [release] = record?.releases ?? [];
    const kept = release && worldsKind.restore(id, release);
    for (const [name, service] of Object.entries(kept?.spec.services ?? {})) {
      expect(worlds[id]?.services[name]).toMatchObject(service);
    }
  }
  expect(next.event?.revision).toBe(revision);
  expect(scene.history.settled).toBe(revision);
  expectQuiet(scene);
}

/** Nothing more is done, told or written, also not by an agent that remembers nothing: it tells what waits once more. */
function expectQuiet(scene: ManyScene): void {
  expect(lookAt(scene).events).toEqual([]);
  for (const one of [scene, { ...scene, watches: new Map(), refusals: new Map() }]) {
    const next = lookAt(one);
    expect(next.work).toEqual([]);
    expect(next.events.filter(({ event }) => event !== 'unit waiting')).toEqual([]);
    expect(isRecorded(one, next)).toBe(true);
  }
}

const UNITS = 5;
const name = fc.nat(UNITS - 1);
const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('good 1', 'good 2', 'good 3') },
  {
    weight: 3,
    arbitrary: fc.constantFrom('crash 1', 'late 1', 'slow 1', 'refuse 1', 'revert 1', 'pause 1'),
  },
);

/** One version of all units: a unit depends on such with a larger number only, so there is no cycle. */
const version = fc
  .array(
    fc.record({
      text,
      on: fc.array(name, { maxLength: 2 }),
      mode: fc.oneof(
        { weight: 6, arbitrary: fc.constant('auto' as const) },
        { weight: 1, arbitrary: fc.constant('hold' as const) },
      ),
    }),
    { minLength: UNITS, maxLength: UNITS },
  )
  .map((written) =>
    written.map(({ text: asks, on, mode }, at) => {
      const deeper = on.filter((other) => other > at).map((other) => `u${String(other)}`);
      return unitCalled(`u${String(at)}`, asks, deeper, { mode });
    }),
  );

/** Units of `next` that this revision takes over; the others stay as they were, edges too. */
function mixed(before: readonly Unit[], next: readonly Unit[], mask: number): readonly Unit[] {
  return next.map((unit, at) => (((mask >> at) & 1) === 1 ? unit : (before[at] ?? unit)));
}

const broken = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Break>('not') },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Break[]>('before-save', 'after-save', 'after-calls'),
  },
);

/** What happens between two rests: a commit, some passes, and what a person asks meanwhile. */
const chapter = fc.record({
  next: version,
  mask: fc.nat(2 ** UNITS - 1),
  passes: fc.nat(40),
  breaks: fc.array(broken, { maxLength: 40, size: 'max' }),
  ask: fc.option(
    fc.record({ verb: fc.constantFrom('retry' as const, 'rollback' as const), at: name }),
    { nil: undefined },
  ),
});

type Chapter = typeof chapter extends fc.Arbitrary<infer One> ? One : never;

/** Commits come while much is under way still; only after the last one all comes to rest. */
function played(
  from: ManyScene,
  { next, mask, passes, breaks, ask }: Chapter,
  at: number,
): ManyScene {
  const wants = mixed(from.wants, next, mask);
  let scene: ManyScene = { ...from, wants, revision: `r${String(at)}` };
  for (let pass = 0; pass < passes; pass += 1) {
    const step = lookAt(scene);
    inspect(scene, step);
    scene = passed(scene, step, breaks[pass]);
  }
  if (ask === undefined) return scene;
  const request: Request = { verb: ask.verb, id: `stack/u${String(ask.at)}`, by: 'p' };
  return { ...scene, requests: [request] };
}

describe('units that depend on each other, on a random walk', () => {
  it('never begin before their time, all come to rest, and write nothing then', () => {
    fc.assert(
      fc.property(fc.array(chapter, { minLength: 1, maxLength: 5 }), (chapters) => {
        const scene = chapters.reduce(played, unbraked);
        expectAtRest(rested(scene, inspect));
      }),
      { numRuns: 80 },
    );
  });

  it('end where they would have ended, wherever passes broke off', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(version, fc.nat(2 ** UNITS - 1)), { minLength: 1, maxLength: 3 }),
        fc.array(broken, { maxLength: 120, size: 'max' }),
        (versions, breaks) => {
          let [well, ill] = [unbraked, unbraked];
          for (const [at, [next, mask]] of versions.entries()) {
            const wants = mixed(well.wants, next, mask);
            const revision = `r${String(at)}`;
            well = rested({ ...well, wants, revision }, inspect);
            ill = rested({ ...ill, wants, revision }, inspect, (pass) => breaks[pass] ?? 'not');
            expect(summary(ill)).toEqual(summary(well));
          }
        },
      ),
      { numRuns: 30 },
    );
  });

  it('all get to good commits in the end', () => {
    fc.assert(
      fc.property(fc.array(chapter, { maxLength: 4 }), version, (chapters, last) => {
        const scene = chapters.reduce(played, unbraked);
        const wants = last.map(({ id, dependsOn }) => {
          const on = dependsOn.map((one) => one.replace('stack/', ''));
          return unitCalled(id.replace('stack/', ''), 'good 9', on);
        });
        const rest = rested({ ...scene, wants, revision: 'last', requests: [] }, inspect);
        for (const unit of wants) expect(isInPlace(rest.units.get(unit.id), unit)).toBe(true);
        expect(lookAt(rest).event).toMatchObject({ event: 'revision healthy', quarantined: [] });
      }),
      { numRuns: 30 },
    );
  });
});

/** All that people care for in the end. */
function summary({ units, worlds }: ManyScene) {
  return [...units]
    .map(([id, { phase, releases, quarantine }]) => ({
      id,
      phase,
      releases: releases.map(({ digest, revision }) => `${revision} ${digest}`),
      quarantine: quarantine.map(({ digest, code }) => `${digest} ${code}`),
      runs: Object.values(worlds[id]?.services ?? {}).map(
        ({ text: asks, replicas }) => `${asks} ${String(replicas)}`,
      ),
    }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

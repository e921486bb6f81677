import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HEAD_NAME } from '../../agent/record/head.ts';
import { isLive } from '../fakes/swarm-world.ts';
import { type Fault, WholeAgent, type Write } from '../fakes/whole-agent.ts';
import { endOf, type End, Watcher } from './crash-invariants.ts';
import {
  badDigests,
  behave,
  prepare,
  revision,
  type Scenario,
  scenarioCalled,
  scenarios,
  versions,
} from './crash-scenarios.ts';
import { begin, type Outage, outages } from './outages.ts';

/**
 * The whole agent on the fake engine, killed or cut off at each of its writes (facts/safety.md 7, items 86 to 88, 90 and
 * 93). What comes of it must be what comes of it without. `UNDERSTUDY_CRASH_POINTS=all` runs every kind of fault at every write and
 * ten times as many random schedules: some minutes.
 */
const all = process.env['UNDERSTUDY_CRASH_POINTS'] === 'all';
const runs = (few: number): number => (all ? 10 * few : few);
const TIMEOUT_MS = 600_000;

/** Short ones, so that what a story does by its own hand comes as it would without: see `isQuick`. */
function kills({ isQuick }: Scenario): readonly Fault[] {
  return [
    { fate: 'lost', kill: 'at-once', downMs: 0 },
    { fate: 'unanswered', kill: 'at-once', downMs: isQuick === true ? 300 : 19_000 },
    { fate: 'answered', kill: 'when-answered', downMs: isQuick === true ? 100 : 2_000 },
    { fate: 'late', kill: 'at-once', downMs: isQuick === true ? 200 : 1_000 },
  ];
}

const losses: readonly Fault[] = [
  { fate: 'lost' },
  { fate: 'unanswered' },
  { fate: 'late' },
  { fate: 'twice' },
];

interface Ending {
  readonly end: End;
  readonly broken: readonly string[];
  /** Writes of one more pass of this agent, and of the first one of another. */
  readonly more: readonly string[];
  readonly writes: readonly Write[];
  /** How often one service was told to run what fails. */
  readonly badlyApplied: number;
}

/** Plays a scenario with these faults at its writes, counted from 1, and with these outages. */
async function played(
  scenario: Scenario,
  faults: ReadonlyMap<number, Fault>,
  weather: readonly Outage[] = [],
): Promise<Ending> {
  const world = new WholeAgent();
  const watcher = new Watcher(world);
  await prepare(world, scenario);
  const from = world.writes.length;
  world.faultOf = ({ at }) => faults.get(at - from);
  const over = begin(world, weather);
  await scenario.play(world);
  await over();
  const end = endOf(world);
  const writes = world.writes.slice(from);
  const more = await world.passOnce();
  world.kill();
  const others = await world.passOnce();
  return {
    end,
    broken: watcher.broken,
    more: [...more, ...others].map(({ method, path }) => `${method} ${path}`),
    writes,
    badlyApplied: Math.max(0, ...watcher.badlyApplied.values()),
  };
}

const undisturbed = new Map<Scenario, Promise<Ending>>();

async function without(scenario: Scenario): Promise<Ending> {
  const known = undisturbed.get(scenario) ?? played(scenario, new Map());
  undisturbed.set(scenario, known);
  return known;
}

/** Everything that holds at the end, with faults or without. `said`: which faults, for whoever reads a failure. */
function expectSame(run: Ending, base: Ending, said: string): void {
  const { broken, more, end, badlyApplied } = run;
  const isOftener = badlyApplied > base.badlyApplied + 1;
  expect({ said, broken, more, end, isOftener }).toEqual({
    said,
    broken: [],
    more: [],
    end: base.end,
    isOftener: false,
  });
}

/** One run a write and fault. Gives how many there were. */
async function atEachWrite(
  scenario: Scenario,
  faultsAt: (at: number) => readonly Fault[],
): Promise<number> {
  const base = await without(scenario);
  let count = 0;
  for (const [index, { method, path }] of base.writes.entries()) {
    for (const fault of faultsAt(index + 1)) {
      const run = await played(scenario, new Map([[index + 1, fault]]));
      const at = `${String(index + 1)} of ${String(base.writes.length)}`;
      expectSame(run, base, `write ${at}, ${method} ${path}: ${JSON.stringify(fault)}`);
      count += 1;
    }
  }
  return count;
}

/** One of them at each write, another one at the next. */
function inTurn<Item>(items: readonly Item[], at: number): readonly Item[] {
  const one = items[at % items.length];
  return all || one === undefined ? items : [one];
}

/** All kinds of death at all of their writes, always. */
const telling = new Set([
  'a change that crashes',
  'a change that the engine takes back by itself',
  'two stacks of which one fails',
  'two stacks of which one depends on the other, which fails',
]);

const byName = scenarios.map((scenario) => [scenario.what, scenario] as const);

describe('the whole agent, undisturbed', () => {
  it.each(byName)('%s: keeps its rules, and then writes nothing more', async (_what, scenario) => {
    const { broken, more, writes } = await without(scenario);
    expect({ broken, more }).toEqual({ broken: [], more: [] });
    expect(writes.length).toBeGreaterThan(9);
  });

  it.each(byName)(
    '%s: removes nothing but old blobs and spare contents, and all of them',
    async (_what, scenario) => {
      const world = new WholeAgent();
      const watcher = new Watcher(world);
      await prepare(world, scenario);
      await scenario.play(world);
      const before = endOf(world);
      const from = world.writes.length;
      const afterMs = world.clock.nowMs() + 12 * 60_000;
      await world.until(() => world.clock.nowMs() >= afterMs);
      expect(world.writes.slice(from).filter(({ method }) => method !== 'DELETE')).toEqual([]);
      expect(watcher.broken).toEqual([]);
      const { files, ...after } = endOf(world);
      const { files: had, ...rest } = before;
      expect(after).toEqual(rest);
      expect(files.filter((name) => !had.includes(name))).toEqual([]);
      const left = [...world.engine.configs.values()].filter(
        ({ name }) => name.startsWith('understudy.') && name !== HEAD_NAME,
      );
      expect(left.map(({ name }) => name).toSorted()).toEqual(world.blobs().toSorted());
    },
  );
});

describe('the whole agent, killed at any of its writes', () => {
  it.each(byName)(
    '%s: ends as without',
    async (what, scenario) => {
      const faults = kills(scenario);
      const count = await atEachWrite(scenario, (at) =>
        telling.has(what) ? faults : inTurn(faults, at),
      );
      expect(count).toBeGreaterThan(9);
    },
    TIMEOUT_MS,
  );

  it(
    'and the next one killed too: ends as without',
    async () => {
      const pair = fc.record({
        scenario: fc.constantFrom(...scenarios),
        first: fc.nat(),
        second: fc.integer({ min: 1, max: 15 }),
        how: fc.tuple(fc.nat(3), fc.nat(3)),
      });
      const samples = fc.sample(pair, { numRuns: runs(60), seed: 87 });
      expect(samples).toHaveLength(runs(60));
      for (const { scenario, first, second, how } of samples) {
        const base = await without(scenario);
        const at = 1 + (first % base.writes.length);
        const [one, other] = how.map((index) => kills(scenario)[index]);
        if (one === undefined || other === undefined) throw new Error('no fault');
        const faults = new Map([
          [at, one],
          [at + second, other],
        ]);
        const run = await played(scenario, faults);
        const said = `${scenario.what}: ${JSON.stringify([...faults])}`;
        expectSame(run, base, said);
      }
    },
    TIMEOUT_MS,
  );
});

describe('the whole agent, cut off at any of its writes', () => {
  it.each(byName)(
    '%s: ends as without',
    async (_what, scenario) => {
      const count = await atEachWrite(scenario, (at) => inTurn(losses, at));
      expect(count).toBeGreaterThan(9);
    },
    TIMEOUT_MS,
  );
});

const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom(...losses),
  fc.record({
    fate: fc.constantFrom('lost' as const, 'unanswered' as const, 'late' as const),
    kill: fc.constant('at-once' as const),
    downMs: fc.integer({ min: 0, max: 30_000 }),
  }),
  fc.record({
    fate: fc.constant('answered' as const),
    kill: fc.constant('when-answered' as const),
    downMs: fc.integer({ min: 0, max: 30_000 }),
  }),
);

const anyFaults = (max: number) =>
  fc.array(fc.tuple(fc.integer({ min: 1, max }), anyFault), { maxLength: 4 });

/** What is the same in any weather: why a thing failed, and how often, may differ. */
function anyWeather({ services, units, settled }: End): object {
  const specs = Object.entries(services).map(([name, { spec, contents }]) => [
    name,
    { spec, contents },
  ]);
  const standings = Object.entries(units).map(([id, { why: _why, ...unit }]) => [id, unit]);
  return { specs, standings, settled };
}

describe('the whole agent under random faults', () => {
  it(
    'ends as without, whatever the raft, nodes and registries do',
    async () => {
      const steady = scenarios.filter(({ isQuick }) => isQuick !== true);
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...steady),
          anyFaults(30),
          fc.array(outages, { maxLength: 3 }),
          async (scenario, faults, weather) => {
            const base = await without(scenario);
            const run = await played(scenario, new Map(faults), weather);
            expect({ broken: run.broken, more: run.more }).toEqual({ broken: [], more: [] });
            expect(anyWeather(run.end)).toEqual(anyWeather(base.end));
          },
        ),
        { numRuns: runs(80), seed: 86 },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'ends at the last commit or at the last healthy one, whatever was committed and when',
    async () => {
      const commit = fc.record({
        unit: fc.constantFrom(...versions),
        waitMs: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 60_000 })),
      });
      await fc.assert(
        fc.asyncProperty(
          fc.array(commit, { minLength: 1, maxLength: 5 }),
          anyFaults(80),
          async (commits, faults) => {
            const world = new WholeAgent();
            const watcher = new Watcher(world);
            behave(world);
            world.faultOf = ({ at }) => new Map(faults).get(at);
            for (const [index, { unit, waitMs }] of commits.entries()) {
              world.commit(revision(`r${String(index)}`, unit));
              const untilMs = world.clock.nowMs() + waitMs;
              await world.until(() => world.clock.nowMs() >= untilMs);
            }
            await world.rest();
            const last = commits.at(-1)?.unit;
            const record = world.record().units.get('stack/blog');
            const failed = record?.quarantine.map(({ digest }) => digest) ?? [];
            const healthy = record?.releases.map(({ digest }) => digest) ?? [];
            expect(watcher.broken).toEqual([]);
            expect(record?.phase).toBe('none');
            expect(failed.filter((digest) => !badDigests.has(digest))).toEqual([]);
            expect(healthy.filter((digest) => badDigests.has(digest))).toEqual([]);
            expect([failed[0], healthy[0], ...failed]).toContain(last?.digest);
            const wanted = versions.find(({ digest }) => digest === healthy[0]);
            expect(imageOf(world)).toBe(
              wanted?.spec.services['web']?.TaskTemplate.ContainerSpec.Image,
            );
            expect(await world.passOnce()).toEqual([]);
          },
        ),
        { numRuns: runs(60), seed: 94 },
      );
    },
    TIMEOUT_MS,
  );
});

/** What the service runs; undefined where it stands still. */
function imageOf({ engine }: WholeAgent): string | undefined {
  const web = [...engine.services.values()].find(({ spec }) => spec.Name === 'blog_web');
  const stopped = web?.spec.Mode?.Replicated?.Replicas === 0;
  return stopped ? undefined : web?.spec.TaskTemplate.ContainerSpec.Image;
}

describe('a registry that is away', () => {
  const good = scenarios.filter(({ what }) => what.startsWith('a good change'));

  it.each(good.map((scenario) => [scenario.what, scenario] as const))(
    'for a while is not the fault of %s',
    async (_what, scenario) => {
      const base = await without(scenario);
      for (const atMs of [1, 300, 700, 1_500, 3_000]) {
        for (const forMs of [2_000, 8_000, 12_000, 40_000]) {
          const run = await played(scenario, new Map(), [{ what: 'registry', atMs, forMs }]);
          const said = `from ${String(atMs)} for ${String(forMs)} ms`;
          expect({ said, ...anyWeather(run.end) }).toEqual({ said, ...anyWeather(base.end) });
        }
      }
    },
    TIMEOUT_MS,
  );

  it('again and again is not the fault of a good change that the engine takes back', async () => {
    const scenario = scenarioCalled('a good change that the engine may take back');
    const weather = [0, 1, 2, 3, 4].map((times) => ({
      what: 'registry' as const,
      atMs: 1 + times * 10_580,
      forMs: 8_000,
    }));
    const run = await played(scenario, new Map(), weather);
    expect(anyWeather(run.end)).toEqual(anyWeather((await without(scenario)).end));
  });

  it('while no node has the former image either is not the fault of a good change', async () => {
    const scenario = scenarioCalled('a good change that the engine may take back');
    const base = await without(scenario);
    const world = new WholeAgent();
    await prepare(world, scenario);
    for (const node of world.engine.nodes.values()) node.pulled.clear();
    const over = begin(world, [{ what: 'registry', atMs: 0, forMs: 60_000 }]);
    await scenario.play(world);
    await over();
    expect(anyWeather(endOf(world))).toEqual(anyWeather(base.end));
  });
});

describe('a change whose image is missing', () => {
  it.each([
    ['stops no copy: nothing is called', [], 2],
    [
      'that only the manager has stops one copy and no more: the engine is not made to go on with it',
      ['site:gone'],
      1,
    ],
  ])('%s', async (_, own, least) => {
    const world = new WholeAgent();
    const scenario = scenarioCalled('a change whose image is missing');
    await prepare(world, scenario);
    const { engine } = world;
    for (const image of own) engine.ownImages.add(image);
    let fewest = Infinity;
    world.seen = () => {
      const web = [...engine.tasks.values()].filter(
        ({ template, state }) => template.ContainerSpec.Image === 'site:1' && state === 'running',
      );
      fewest = Math.min(fewest, web.filter(isLive).length);
    };
    await scenario.play(world);
    expect(fewest).toBe(least);
  });
});

describe('a stack that depends on another one', () => {
  const webOf = ({ end }: Ending) => end.services['site_web']?.images;

  it('does not change where the other one fails, and is told to wait', async () => {
    const what = 'two stacks of which one depends on the other, which fails';
    const run = await without(scenarioCalled(what));
    expect(webOf(run)).toEqual(['site:1', 'site:1']);
    const touched = run.writes.filter(({ text = '' }) => text.includes('"site_web"'));
    expect(touched).toEqual([]);
    expect(run.end.revisions[0]).toMatchObject({
      outcome: 'rolled-back',
      failed: ['stack/blog'],
      waiting: [{ id: 'stack/site' }],
    });
  });

  it('goes back with it where a person takes it back', async () => {
    const what = 'two stacks of which one depends on the other, which a person takes back';
    const run = await without(scenarioCalled(what));
    expect(webOf(run)).toEqual(['site:1', 'site:1']);
    expect(run.end.units['stack/site']).toMatchObject({ phase: 'none', quarantine: [] });
  });
});

describe('an agent that is killed on its way back', () => {
  it('is followed by one that goes on with it, and does not begin the bad change again', async () => {
    const scenario = scenarioCalled('a change that crashes');
    const { writes } = await without(scenario);
    const backs = writes.flatMap(({ path, at, text = '' }) =>
      path.endsWith('/update') && text.includes('"site:1"') ? [at - (writes[0]?.at ?? 1) + 1] : [],
    );
    expect(backs).toHaveLength(1);
    for (const at of backs) {
      for (const fault of kills(scenario)) {
        const run = await played(scenario, new Map([[at, fault]]));
        expect(run.badlyApplied).toBe(1);
      }
    }
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Approval } from '../../agent/core/approve.ts';
import type { Failure, Id, Rendered } from '../../agent/core/kind.ts';
import { step, type Step } from '../../agent/core/step.ts';
import {
  atFront,
  isQuarantined,
  type Request,
  targetOf,
  type UnitRecord,
  withRemoval,
} from '../../agent/core/unit.ts';
import { called, postponed, type Watch } from '../../agent/core/watch.ts';
import {
  call,
  change,
  CHECK,
  emptyWorld,
  put,
  tick,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
  without,
} from '../fakes/unit-world.ts';

const ID: Id = 'stack/blog';
const INTERVAL_MS = 60_000;
const VERIFY_MS = 1_000;

/** What the repository may want. Two of them ask for the same in part, so that ways cross. */
const pool: readonly Rendered<UnitSpec>[] = [
  unitOf('good1', { web: 'good 1' }),
  unitOf('good2', { web: 'good 2', api: 'good 2' }),
  unitOf('good3', { web: 'good 2' }, { keep: 1 }),
  unitOf('good4', { api: 'good 4' }, { keep: 5 }),
  unitOf('pause', { web: 'pause 1' }),
  unitOf('crash1', { web: 'crash 1' }),
  unitOf('crash2', { web: 'good 1', api: 'crash 2', job: 'good 1' }),
  unitOf('late', { web: 'late 1' }),
  unitOf('slow', { web: 'slow 1', api: 'good 2' }),
  unitOf('refuse', { web: 'good 9', api: 'refuse 1' }),
  unitOf('revert', { web: 'revert 1' }),
  unitOf('stubborn', { web: 'stubborn 1' }),
  unitOf('twist', { web: 'twist 1' }),
  unitOf('hold', { web: 'crash 1' }, { mode: 'hold' }),
  unitOf('guarded', { web: 'good 5', last: 'good 5' }, { hold: true }),
  unitOf('kept', { last: 'good 5' }, { prune: false }),
  unitOf('asked', { web: 'good 1' }, { check: true }),
];

/** Beside it in the repository, at rest: else that would be empty. */
const other: Rendered<UnitSpec> = { ...unitOf('other', {}), id: 'stack/other' };
const otherRecord: UnitRecord = {
  phase: 'none',
  quarantine: [],
  made: [],
  releases: [{ digest: 'other', revision: 'r', at: '', content: { services: {} } }],
};

const digests = pool.map(({ digest }) => digest);

function unitWith(wanted: string): Rendered<UnitSpec> {
  const unit = pool.find(({ digest }) => digest === wanted);
  if (unit === undefined) throw new Error(`no unit ${wanted}`);
  return unit;
}

/** How a pass ends beside the best: where it breaks off, and what becomes of its calls. */
type Luck =
  | 'well'
  | 'save-refused'
  | 'save-unknown'
  | 'crash-before-calls'
  | 'crash-after-calls'
  | 'lost'
  | 'no-answer';

/** All that a unit's fate hangs on: what is recorded, what is in memory, and the world. */
interface Scene {
  readonly wants: Rendered<UnitSpec> | undefined;
  readonly record: UnitRecord | undefined;
  readonly watches: ReadonlyMap<Id, Watch>;
  readonly refusals: ReadonlyMap<Id, Failure>;
  readonly requests: readonly Request[];
  readonly approved: readonly Approval[];
  readonly world: UnitWorld;
  readonly nowMs: number;
}

const nothing: Scene = {
  wants: undefined,
  record: undefined,
  watches: new Map(),
  refusals: new Map(),
  requests: [],
  approved: [],
  world: emptyWorld,
  nowMs: 0,
};

/** Whoever asks is answered well: what hangs on that is who asks, and when. */
const wellAnswered = { status: 'good', detail: '', inARow: 9, wasGood: true } as const;

function look({ wants, record, world, ...scene }: Scene): Step<UnitCall> {
  return step({
    ...scene,
    kind: unitKind,
    desired: wants ? [wants, other] : [other],
    removals: { policy: { max: 5, share: 100 }, rewound: false },
    revision: wants?.digest ?? '',
    observed: world,
    units: new Map([[other.id, otherRecord], ...(record ? ([[ID, record]] as const) : [])]),
    answers: new Map([[CHECK, wellAnswered]]),
    date: '2026-11-20T10:00:00.000Z',
    intervalMs: INTERVAL_MS,
    verifyMs: VERIFY_MS,
  });
}

/** As the pass does it: record, then call, then note what came of it. */
function pass(scene: Scene, result: Step<UnitCall>, luck: Luck): Scene {
  if (luck === 'save-refused') return scene;
  const { approved } = result;
  const saved = { ...scene, requests: [], approved, record: result.units.get(ID) };
  if (luck === 'save-unknown') return saved;
  const forgotten = { ...saved, watches: new Map(), refusals: new Map() };
  if (luck === 'crash-before-calls') return forgotten;

  const { world, refusal } = carryOut(scene.world, result, luck);
  if (luck === 'crash-after-calls') return { ...forgotten, world };
  return { ...saved, world, ...note(result, refusal, luck, scene.nowMs) };
}

function carryOut(
  before: UnitWorld,
  { work }: Step<UnitCall>,
  luck: Luck,
): { readonly world: UnitWorld; readonly refusal: boolean } {
  let world = before;
  if (luck === 'lost') return { world, refusal: false };
  for (const operation of work.flatMap(({ operations }) => operations)) {
    const after = call(world, operation.call);
    if (after === 'refused') return { world, refusal: true };
    world = after;
  }
  return { world, refusal: false };
}

function note(
  { watches: before, work }: Step<UnitCall>,
  refusal: boolean,
  luck: Luck,
  nowMs: number,
): Pick<Scene, 'watches' | 'refusals'> {
  const watches = new Map(before);
  const watch = watches.get(ID);
  if (watch === undefined || work.length === 0) return { watches, refusals: new Map() };
  if (luck === 'lost' || luck === 'no-answer') {
    watches.set(ID, postponed(watch, { why: 'no answer', refused: false }, 1_000, nowMs));
    return { watches, refusals: new Map() };
  }
  if (refusal) {
    const failure = { code: 'refused', why: 'the engine refused it', evidence: 'e' };
    return { watches, refusals: new Map([[ID, failure]]) };
  }
  watches.set(ID, called(watch, nowMs));
  return { watches, refusals: new Map() };
}

const PASSES_MAX = 1_500;
const TEST_MS = 60_000;

interface Rest {
  readonly scene: Scene;
  readonly last: Step<UnitCall>;
}

/**
 * Passes on until nothing moves any more. Time goes on as the steps ask for it, and a moment of the world with it, so
 * that a step that sleeps for too long or never is seen.
 */
function toRest(from: Scene, luckOf: (pass: number) => Luck = () => 'well'): Rest {
  let scene = from;
  let still = 0;
  let spins = 0;
  for (let passed = 0; passed < PASSES_MAX; passed += 1) {
    const luck = luckOf(passed);
    const result = look(scene);
    inspect(scene, result);
    const after = pass(scene, result, luck);
    const busy =
      result.work.length > 0 || result.events.length > 0 || after.record !== scene.record;
    // With nothing done and nothing recorded a look at once would find the very same.
    spins = busy || result.wakeMs > 0 || luck !== 'well' ? 0 : spins + 1;
    expect(spins).toBeLessThan(2);
    const wakeMs = result.work.length > 0 ? 500 : result.wakeMs;
    scene = { ...after, world: tick(after.world), nowMs: scene.nowMs + wakeMs };
    still = busy || luck !== 'well' ? 0 : still + 1;
    const phase = result.units.get(ID)?.phase ?? 'none';
    const open = phase !== 'none' && phase !== 'stuck';
    const fought = result.views.some(({ held }) => held?.startsWith('fought over') === true);
    if (still > 3 && !open && !fought && result.wakeMs > VERIFY_MS) return { scene, last: result };
  }
  throw new Error(`does not come to rest: ${JSON.stringify(scene)}`);
}

/** What every step must keep, wherever it starts from. */
function inspect(before: Scene, result: Step<UnitCall>): void {
  const record = result.units.get(ID);
  if (record === undefined) {
    expect(result.work).toEqual([]);
    // Only what is gone leaves the record.
    if (before.record !== undefined) expect(before.wants).toBeUndefined();
    return;
  }
  isConsistent(record);
  const isStill = record.suspended !== undefined || before.wants?.suspended === true;
  if (isStill) {
    expect(result.work).toEqual([]);
    if (before.requests.length === 0) isAsBefore(before, record);
    return;
  }
  wasAllowed(before, record);
  callsAreOf(before, record, result);
}

/** What its file says of its removal is noted all the same. */
function isAsBefore({ record: before, wants }: Scene, record: UnitRecord): void {
  if (before === undefined || wants === undefined) expect(record).toBe(before);
  else expect(record).toEqual(withRemoval(before, wants.spec.hold));
}

function isConsistent(record: UnitRecord): void {
  const { phase, attempt, stuck, quarantine, releases, made, removing } = record;
  expect(attempt !== undefined).toBe(!['none', 'stuck', 'removing'].includes(phase));
  if (phase === 'removing') expect(removing?.length).toBeGreaterThan(0);
  expect(stuck !== undefined).toBe(phase === 'stuck');
  expect(quarantine.length).toBeLessThanOrEqual(5);
  expect(new Set(quarantine.map(({ digest }) => digest)).size).toBe(quarantine.length);
  expect(releases.length).toBeLessThanOrEqual(5);
  expect(new Set(releases.map(({ digest }) => digest)).size).toBe(releases.length);
  expect(new Set(made).size).toBe(made.length);
  if (phase === 'rolling-back' || phase === 'reverting') {
    const known = releases.map(({ digest }) => digest);
    expect(known.length === 0 ? [''] : known).toContain(attempt?.digest);
  }
}

/** Which way from one record to the next there is, where no person asked for it. */
function wasAllowed(scene: Scene, record: UnitRecord): void {
  const { record: before, wants, requests, approved, world } = scene;
  const released = approved.some(({ spent }) => spent !== true);
  const forward = record.phase === 'applying' || record.phase === 'verifying';
  if (forward && record.attempt !== undefined) {
    expect(isQuarantined(record, record.attempt.digest)).toBe(false);
    // What may not go back stays as it was begun while the next one cannot begin.
    const isLeft = wants?.spec.mode === 'hold' && world.blocked !== undefined;
    const expected = isLeft ? [wants.digest, before?.attempt?.digest] : [wants?.digest];
    expect(expected).toContain(record.attempt.digest);
  }
  if (record.phase === 'removing') {
    expect(wants).toBeUndefined();
    if (record.removal === 'hold' && before?.phase !== 'removing') expect(released).toBe(true);
  }
  if (before === undefined || requests.length > 0) return;
  // What a removal took cannot be brought back.
  if (before.phase === 'removing') return;
  if (before.phase === 'rolling-back' || before.phase === 'reverting') {
    // Nothing is rolled back from here, and nothing fails here that was not known.
    // A release that a person chose comes to the front once it is healthy.
    const { attempt } = before;
    const arrived = record.phase === 'none' && attempt ? atFront(before, attempt) : before;
    expect(record.releases).toEqual(arrived.releases);
    expect(sorted(record)).toEqual(sorted(before));
    if (record.phase === 'rolling-back') expect(before.phase).toBe('rolling-back');
  }
  if (before.phase === 'stuck' && record !== before) expect(record.phase).not.toBe('rolling-back');
  const failed = record.quarantine.filter(({ digest }) => !isQuarantined(before, digest));
  expect(failed.length).toBeLessThanOrEqual(1);
  if (failed.length > 0) expect(failed[0]?.digest).toBe(before.attempt?.digest);
  if (failed.length === 0) expect(sorted(record)).toEqual(sorted(before));
  // What is wanted and failed before is what a person sees first.
  if (wants !== undefined && isQuarantined(record, wants.digest)) {
    expect(record.quarantine[0]?.digest).toBe(wants.digest);
  }
}

/** What failed, whatever of it is wanted now. */
function sorted({ quarantine }: UnitRecord): readonly object[] {
  return quarantine.toSorted((one, other) => (one.digest < other.digest ? -1 : 1));
}

/** Calls are made only for what the record says is under way, or is to be kept: never for a digest that failed. */
function callsAreOf(scene: Scene, record: UnitRecord, { work }: Step<UnitCall>): void {
  const { wants, world } = scene;
  const calls = work.flatMap(({ operations }) => operations.map((one) => one.call));
  if (calls.length === 0) return;
  expect(record.phase).not.toBe('stuck');
  const { phase, attempt } = record;
  const release = attempt ? targetOf(record, attempt) : record.releases[0];
  const back = release && unitKind.restore(ID, release);
  const isBack = phase === 'rolling-back' || phase === 'reverting';
  const failed = wants !== undefined && isQuarantined(record, wants.digest);
  const target = isBack || (phase === 'none' && failed) ? back : wants;
  const targets = new Set<string>();
  for (const one of calls) {
    expect(targets.has(one.name)).toBe(false);
    targets.add(one.name);
    if (one.op === 'set') expect(target?.spec.services[one.name]).toEqual(one.wanted);
    if (one.op === 'stop') {
      expect(record.made).toContain(`service ${one.name}`);
      expect(target?.spec.services[one.name]).toBeUndefined();
    }
    if (one.op === 'remove') wasToGo(scene, record, one);
    if (one.op === 'resume') expect(world.services[one.name]?.paused).toBe(true);
  }
}

/** Removed is what was noted before, and only where nobody wants it: nothing of the unit, or it is healthy without. */
function wasToGo(
  { wants, world }: Scene,
  record: UnitRecord,
  { name, id }: Extract<UnitCall, { op: 'remove' }>,
): void {
  expect(record.removing).toContainEqual({ target: `service ${name}`, id });
  expect(world.services[name]).toMatchObject({ id, foreign: false });
  if (name === 'last') {
    const before = Object.entries(world.services).filter(
      ([one, live]) => one !== 'last' && record.removing?.some((member) => member.id === live.id),
    );
    expect(before).toEqual([]);
  }
  if (wants === undefined) {
    expect(record.phase).toBe('removing');
    return;
  }
  expect(record.phase).toBe('none');
  expect(record.releases[0]?.digest).toBe(wants.digest);
  expect(wants.spec.services[name]).toBeUndefined();
  expect(wants.spec.prune).toBe(true);
}

/** What runs is exactly this, and what only failed attempts made stands still. */
function runs(world: UnitWorld, record: UnitRecord, target: Rendered<UnitSpec> | undefined): void {
  for (const [name, wanted] of Object.entries(target?.spec.services ?? {})) {
    expect(world.services[name]).toMatchObject(wanted);
  }
  const toStand = Object.entries(world.services).filter(
    ([name]) =>
      target?.spec.services[name] === undefined && record.made.includes(`service ${name}`),
  );
  expect(toStand.filter(([, { replicas }]) => replicas > 0)).toEqual([]);
}

function isLeftAlone(last: Step<UnitCall>): void {
  expect(heldOf(last)).toMatch(/^it was there before/);
}

function heldOf({ views }: Step<UnitCall>): string | undefined {
  return views.find(({ id }) => id === ID)?.held;
}

/** What a person would write who reads why it is held. */
function approvalOf(last: Step<UnitCall>): readonly Request[] {
  const digest = /understudy approve ([0-9a-f]+)/.exec(heldOf(last) ?? '')?.[1];
  return digest === undefined ? [] : [{ verb: 'approve', digest, by: 'p' }];
}

function isGoneOrHeld(record: UnitRecord | undefined, last: Step<UnitCall>): void {
  const held = record?.removal === 'hold' && approvalOf(last).length === 1;
  expect([record === undefined, held]).toContain(true);
}

/** Where a unit may be at rest in a world in which all is well. */
function isAtRest({ scene, last }: Rest): void {
  const { wants, record, world } = scene;
  if (wants === undefined) {
    isGoneOrHeld(record, last);
    return;
  }
  if (record === undefined) {
    isLeftAlone(last);
    return;
  }
  const [release] = record.releases;
  const failed = isQuarantined(record, wants.digest);
  const isKnown = failed || release?.digest === wants.digest;
  // Only what failed, or was healthy and failed, may wait for a person.
  expect(isKnown).toBe(true);
  if (record.phase === 'stuck') return;
  expect(record.phase).toBe('none');
  if (failed) {
    runs(world, record, release && unitKind.restore(ID, release));
    return;
  }
  runs(world, record, wants);
}

/** Nothing more is done, asked, recorded, told, or remembered otherwise. */
function isQuiet({ scene }: Rest): void {
  const again = look(scene);
  expect(again.work).toEqual([]);
  expect(again.asks).toEqual([]);
  expect(again.events).toEqual([]);
  expect(again.units.get(ID)).toBe(scene.record);
}

/** What may happen to a unit at any time, as data, so that a failure can be read. */
type Happening =
  | { readonly what: 'pass'; readonly luck: Luck; readonly ms: number }
  | { readonly what: 'commit'; readonly digest: string | undefined }
  | { readonly what: 'restart' }
  | { readonly what: 'put'; readonly name: string; readonly text: string }
  | { readonly what: 'remove' | 'stop'; readonly name: string }
  | { readonly what: 'outside' | 'blocked'; readonly why: string | undefined }
  | { readonly what: 'away'; readonly nodes: readonly string[] }
  | { readonly what: 'suspend' | 'resume' }
  | { readonly what: 'suspend by file'; readonly suspended: boolean }
  | { readonly what: 'approve' }
  | { readonly what: 'retry'; readonly digest: string | undefined }
  | {
      readonly what: 'rollback';
      readonly release: string | undefined;
      readonly digest: string | undefined;
    };

function happen(scene: Scene, one: Happening): Scene {
  const { world, requests } = scene;
  const person = { id: ID, by: 'p' };
  switch (one.what) {
    case 'pass': {
      const result = look(scene);
      inspect(scene, result);
      const after = pass(scene, result, one.luck);
      return { ...after, world: tick(after.world), nowMs: scene.nowMs + one.ms };
    }
    case 'commit':
      return { ...scene, wants: one.digest === undefined ? undefined : unitWith(one.digest) };
    case 'restart':
      return { ...scene, watches: new Map(), refusals: new Map() };
    case 'put':
      return { ...scene, world: put(world, one.name, { text: one.text, replicas: 1 }) };
    case 'remove':
      return { ...scene, world: without(world, one.name) };
    case 'stop':
      return { ...scene, world: change(world, one.name, { replicas: 0 }) };
    case 'outside':
    case 'blocked':
      return { ...scene, world: { ...world, [one.what]: one.why } };
    case 'away':
      return { ...scene, world: { ...world, away: one.nodes } };
    case 'suspend':
    case 'resume':
      return { ...scene, requests: [...requests, { ...person, verb: one.what }] };
    case 'suspend by file':
      return { ...scene, wants: scene.wants && withFile(scene.wants, one.suspended) };
    case 'retry': {
      const seen = one.digest === undefined ? {} : { digest: one.digest };
      return { ...scene, requests: [...requests, { ...person, verb: 'retry', ...seen }] };
    }
    case 'approve':
      return { ...scene, requests: [...requests, ...approvalOf(look(scene))] };
    case 'rollback': {
      const { release, digest } = one;
      const named = {
        ...(release !== undefined && { release }),
        ...(digest !== undefined && { digest }),
      };
      return { ...scene, requests: [...requests, { ...person, verb: 'rollback', ...named }] };
    }
  }
}

function withFile(unit: Rendered<UnitSpec>, suspended: boolean): Rendered<UnitSpec> {
  const { suspended: _suspended, ...rest } = unit;
  return suspended ? { ...rest, suspended } : rest;
}

function walk(happenings: readonly Happening[]): Scene {
  return happenings.reduce(happen, nothing);
}

const digest = fc.constantFrom(...digests);
const luck = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Luck>('well') },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Luck[]>(
      'save-refused',
      'save-unknown',
      'crash-before-calls',
      'crash-after-calls',
      'lost',
      'no-answer',
    ),
  },
);

const name = fc.constantFrom('web', 'api', 'last');
const byHand = fc.oneof(
  fc.record({
    what: fc.constant('put' as const),
    name,
    text: fc.constantFrom('good 1', 'good 2', 'slow 1', 'crash 1'),
  }),
  fc.record({ what: fc.constantFrom('remove' as const, 'stop' as const), name }),
  fc.record({ what: fc.constant('outside' as const), why: fc.constantFrom(undefined, 'no disk') }),
  fc.record({ what: fc.constant('blocked' as const), why: fc.constantFrom(undefined, 'no net') }),
  fc.record({ what: fc.constant('away' as const), nodes: fc.constantFrom([], ['n1']) }),
);

/** What a person says to have seen. */
const seen = fc.oneof(
  { weight: 3, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: digest },
);

const happenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    {
      weight: 16,
      arbitrary: fc.record({
        what: fc.constant('pass' as const),
        luck,
        ms: fc.integer({ min: 0, max: 20_000 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        what: fc.constant('commit' as const),
        digest: fc.oneof(
          { weight: 4, arbitrary: digest },
          { weight: 1, arbitrary: fc.constant(undefined) },
        ),
      }),
    },
    { weight: 2, arbitrary: byHand },
    { weight: 1, arbitrary: fc.constant({ what: 'restart' as const }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom({ what: 'suspend' } as const, { what: 'resume' } as const),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant('suspend by file' as const),
        suspended: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ what: fc.constant('retry' as const), digest: seen }) },
    { weight: 1, arbitrary: fc.constant({ what: 'approve' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({
        what: fc.constant('rollback' as const),
        release: fc.oneof(digest, fc.constant(undefined)),
        digest: seen,
      }),
    },
  ),
  { maxLength: 60, size: 'max' },
);

/** Outside all is well again, whatever was put there by hand is taken away, and nobody holds it any more. */
function calm({ wants, requests, ...scene }: Scene): Scene {
  const { world } = scene;
  const resume: Request = { id: ID, by: 'p', verb: 'resume' };
  const free = { wants: wants && withFile(wants, false), requests: [...requests, resume] };
  return {
    ...scene,
    ...free,
    world: { ...world, outside: undefined, blocked: undefined, away: [] },
  };
}

/** Some passes, while it is not to move. */
function stayed(from: Scene): Rest {
  let rest: Rest = { scene: from, last: look(from) };
  for (let passed = 0; passed < 20; passed += 1) {
    const last = look(rest.scene);
    inspect(rest.scene, last);
    const after = pass(rest.scene, last, 'well');
    const nowMs = rest.scene.nowMs + last.wakeMs;
    rest = { scene: { ...after, world: tick(after.world), nowMs }, last };
  }
  return rest;
}

/** Somebody reads why it is held, and approves it. */
function released(rest: Rest): Rest {
  const requests = approvalOf(rest.last);
  return requests.length === 0 ? rest : toRest({ ...rest.scene, requests });
}

describe('a unit on a random walk', () => {
  it(
    'keeps its rules at every step, comes to rest where it should be, and stays there',
    () => {
      fc.assert(
        fc.property(happenings, (happened) => {
          const rest = toRest(calm(walk(happened)));
          isAtRest(rest);
          isQuiet(rest);
        }),
        { numRuns: 200 },
      );
    },
    TEST_MS,
  );

  it(
    'gets to a good commit at once after any walk, unless that failed or was taken back',
    () => {
      fc.assert(
        fc.property(happenings, (happened) => {
          const wants = unitOf('new', { web: 'good 7', api: 'good 7' });
          const { scene } = released(toRest(calm({ ...walk(happened), wants, requests: [] })));
          expect(scene.record?.phase).toBe('none');
          expect(scene.record?.releases[0]?.digest).toBe('new');
          expect(scene.record?.quarantine.map(({ digest }) => digest)).not.toContain('new');
        }),
        { numRuns: 100 },
      );
    },
    TEST_MS,
  );
});

/** All that people care for in the end. */
function summary({ record, world }: Scene) {
  return {
    phase: record?.phase,
    quarantine: record?.quarantine.map(({ digest, code }) => `${digest} ${code}`),
    releases: record?.releases.map(({ digest }) => digest),
    made: record?.made.toSorted(),
    services: Object.entries(world.services)
      .map(([name, { text, replicas }]) => `${name} ${text} ${String(replicas)}`)
      .toSorted(),
  };
}

function isAtRelease(world: UnitWorld, record: UnitRecord | undefined): void {
  const [release] = record?.releases ?? [];
  const target = release && unitKind.restore(ID, release);
  expect(target).toBeDefined();
  if (record !== undefined) runs(world, record, target);
}

/** What is not the unit's to take away: all where nobody recorded it, and what came after its removal was noted. */
function othersIn({ record, world }: Scene): readonly string[] {
  const services = Object.entries(world.services);
  if (record === undefined) return services.map(([name]) => name);
  if (record.phase !== 'removing') return [];
  const noted = new Set(record.removing?.map(({ id }) => id));
  return services.filter(([, { id }]) => !noted.has(id)).map(([name]) => name);
}

describe('a unit that left the repository', () => {
  it(
    'is gone with all that was its own once a person approves what is held, and nothing else is',
    () => {
      fc.assert(
        fc.property(happenings, (happened) => {
          const walked = calm({ ...walk(happened), wants: undefined, requests: [] });
          const { scene } = released(toRest(walked));
          expect(scene.record).toBeUndefined();
          expect(Object.keys(scene.world.services)).toEqual(othersIn(walked));
        }),
        { numRuns: 150 },
      );
    },
    TEST_MS,
  );

  it(
    'is not touched while it is suspended',
    () => {
      fc.assert(
        fc.property(happenings, (happened) => {
          const walked = { ...walk(happened), wants: undefined };
          const suspend: Request = { id: ID, by: 'p', verb: 'suspend' };
          const { scene } = stayed({ ...walked, requests: [suspend] });
          expect(scene.record?.phase).toBe(walked.record?.phase);
          const there = Object.keys(scene.world.services);
          expect(there).toEqual(Object.keys(walked.world.services));
        }),
        { numRuns: 100 },
      );
    },
    TEST_MS,
  );
});

describe('a unit whose agent fails', () => {
  it(
    'ends where it would have ended: passes that broke off anywhere, and memories lost, change nothing',
    () => {
      const commits = fc.array(
        fc.tuple(
          fc.option(digest, { nil: undefined }),
          fc.array(luck, { maxLength: 40, size: 'max' }),
        ),
        { maxLength: 6, size: 'max' },
      );
      fc.assert(
        fc.property(commits, (revisions) => {
          let well = nothing;
          let ill = nothing;
          for (const [digest, fortunes] of revisions) {
            const wants = digest === undefined ? undefined : unitWith(digest);
            well = toRest({ ...well, wants }).scene;
            ill = toRest({ ...ill, wants }, (passed) => fortunes[passed] ?? 'well').scene;
            expect(summary(ill)).toEqual(summary(well));
          }
        }),
        { numRuns: 100 },
      );
    },
    TEST_MS,
  );

  it(
    'ends where it would have ended when it forgets everything every few passes',
    () => {
      fc.assert(
        fc.property(
          fc.array(digest, { maxLength: 5, size: 'max' }),
          fc.integer({ min: 1, max: 90 }),
          (revisions, every) => {
            let well = nothing;
            let ill = nothing;
            for (const wants of revisions.map(unitWith)) {
              well = toRest({ ...well, wants }).scene;
              const fortune = (passed: number): Luck =>
                passed < 400 && passed % every === 0 ? 'crash-after-calls' : 'well';
              ill = toRest({ ...ill, wants }, fortune).scene;
              expect(summary(ill)).toEqual(summary(well));
            }
          },
        ),
        { numRuns: 30 },
      );
    },
    TEST_MS,
  );

  it(
    'has gone back to exactly the release when it says so',
    () => {
      fc.assert(
        fc.property(
          fc.constantFrom('good1', 'good2', 'good4', 'pause'),
          fc.array(digest, { maxLength: 4, size: 'max' }),
          (first, others) => {
            let scene = toRest({ ...nothing, wants: unitWith(first) }).scene;
            for (const wants of others.map(unitWith)) {
              scene = { ...scene, wants };
              for (let passed = 0; passed < 300; passed += 1) {
                const result = look(scene);
                const back = result.events.some(({ event }) => event === 'unit rolled back');
                if (back) isAtRelease(scene.world, result.units.get(ID));
                const after = pass(scene, result, 'well');
                scene = { ...after, world: tick(after.world), nowMs: scene.nowMs + 1_000 };
              }
            }
          },
        ),
        { numRuns: 30 },
      );
    },
    TEST_MS,
  );
});

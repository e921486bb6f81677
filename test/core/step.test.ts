import { describe, expect, it } from 'vitest';

import type { Approval } from '../../agent/core/approve.ts';
import type { Answer, Failure, Id, Release, Rendered } from '../../agent/core/kind.ts';
import { step, type Step, type StepInput } from '../../agent/core/step.ts';
import {
  atFront,
  healthy,
  wasHealthy,
  type Attempt,
  type Phase,
  type Quarantined,
  type Request,
  type UnitRecord,
} from '../../agent/core/unit.ts';
import { called, newWatch, postponed, type Watch } from '../../agent/core/watch.ts';
import {
  CHECK,
  change,
  emptyWorld,
  put,
  running,
  STABLE_MS,
  tick,
  TIMEOUT_MS,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
} from '../fakes/unit-world.ts';

const ID: Id = 'stack/blog';
const DATE = '2026-11-20T10:00:00.000Z';
const NOW = 1_000_000;

/** What the repository may want. */
const git = {
  d1: unitOf('d1', { web: 'good 1' }),
  d2: unitOf('d2', { web: 'good 2' }),
  d3: unitOf('d3', { web: 'good 3' }),
  crash: unitOf('crash', { web: 'crash 1' }),
  hold: unitOf('hold', { web: 'crash 1' }, { mode: 'hold' }),
  more: unitOf('more', { web: 'crash 1', api: 'good 1' }),
};

function release(unit: Rendered<UnitSpec>): Release {
  const { services } = unit.spec;
  const content = { services: Object.fromEntries(Object.entries(services)) };
  return { digest: unit.digest, revision: `r-${unit.digest}`, at: DATE, content };
}

function entry(digest: string, code = 'crashed'): Quarantined {
  return { digest, revision: `r-${digest}`, code, why: 'w', evidence: 'e', at: DATE };
}

interface Known {
  readonly phase?: Phase;
  readonly attempt?: string;
  readonly baseline?: readonly string[];
  readonly quarantine?: readonly string[];
  readonly stuck?: string;
  readonly made?: readonly string[];
  readonly releases?: readonly Rendered<UnitSpec>[];
}

/** A record; `phase` without an `attempt` is the way back to the first release. */
function known({ phase = 'none', releases = [git.d1], ...rest }: Known): UnitRecord {
  const digest = rest.attempt ?? releases[0]?.digest ?? '';
  const attempt: Attempt = {
    digest,
    revision: digest === '' ? '' : `r-${digest}`,
    baseline: rest.baseline ?? [],
    absent: [],
  };
  const at = { digest: rest.stuck ?? '', code: 'c', why: 'w', evidence: 'e', at: DATE };
  return {
    phase,
    ...(phase !== 'none' && phase !== 'stuck' && { attempt }),
    ...(rest.stuck !== undefined && { stuck: at }),
    quarantine: (rest.quarantine ?? []).map((one) => entry(one)),
    made: rest.made ?? [],
    releases: releases.map(release),
  };
}

interface Start {
  /** What the repository wants; absent: the unit is not in it. */
  readonly wants?: Rendered<UnitSpec>;
  readonly record?: UnitRecord;
  readonly watch?: Watch;
  readonly world: UnitWorld;
  readonly refusal?: Failure;
  readonly requests?: readonly Request[];
  readonly answers?: ReadonlyMap<string, Answer>;
  readonly nowMs?: number;
  readonly kind?: typeof unitKind;
  readonly approved?: readonly Approval[];
}

function look({ wants, record, refusal, ...start }: Start): Step<UnitCall> {
  // What refused a call leaves the watch of the way on which it was made.
  const watch = start.watch ?? (refusal && newWatch(wayOf(record), NOW));
  const input: StepInput<UnitSpec, UnitWorld, UnitCall> = {
    kind: start.kind ?? unitKind,
    desired: wants ? [wants] : [],
    revision: 'now',
    observed: start.world,
    units: new Map(record && [[ID, record]]),
    watches: new Map(watch && [[ID, watch]]),
    refusals: new Map(refusal && [[ID, refusal]]),
    answers: start.answers ?? new Map(),
    requests: start.requests ?? [],
    approved: start.approved ?? [],
    nowMs: start.nowMs ?? NOW,
    date: DATE,
    intervalMs: 300_000,
    verifyMs: 1_000,
  };
  return step(input);
}

function wayOf(record: UnitRecord | undefined): string {
  const { phase = 'none', attempt } = record ?? {};
  if (attempt === undefined) return phase;
  return `${phase === 'applying' || phase === 'verifying' ? 'to' : 'back'} ${attempt.digest}`;
}

interface Outcome {
  readonly phase: Phase | 'unknown';
  readonly attempt: string | undefined;
  readonly calls: readonly string[];
  readonly quarantine: readonly string[];
  readonly releases: readonly string[];
  readonly events: readonly string[];
  readonly held: string | undefined;
}

function inWords(todo: UnitCall): string {
  return todo.op === 'set' ? `${todo.name}=${todo.wanted.text}` : `${todo.op} ${todo.name}`;
}

function outcome({ units, work, events, views }: Step<UnitCall>): Outcome {
  const record = units.get(ID);
  return {
    phase: record?.phase ?? 'unknown',
    attempt: record?.attempt?.digest,
    calls: work.flatMap(({ operations }) => operations.map((one) => inWords(one.call))),
    quarantine: (record?.quarantine ?? []).map(({ digest, code }) => `${digest}: ${code}`),
    releases: (record?.releases ?? []).map(({ digest }) => digest),
    events: events.map((one) =>
      one.event === 'unit failed' ? `unit failed, ${one.next}` : one.event,
    ),
    held: views[0]?.held,
  };
}

const quiet = { attempt: undefined, calls: [], quarantine: [], releases: ['d1'], events: [] };

/** A watch that has seen the same thing for so long. */
function steady(of: string, ms: number, members: string): Watch {
  const since = newWatch(of, NOW - ms);
  return { ...since, lookedAtMs: NOW - 1_000, members, progress: Number.MAX_SAFE_INTEGER };
}

/** A watch that has seen no progress for so long. */
function waiting(of: string, ms: number): Watch {
  return { ...newWatch(of, NOW - ms), lookedAtMs: NOW - 1_000 };
}

const FOUGHT: unknown = expect.stringMatching(
  /^fought over: somebody changes services\.web again and again; it is changed back in ten minutes, by another commit, or now: approve with `understudy approve [0-9a-f]{12}`$/,
);
const refused = { code: 'refused', why: 'the engine refused it', evidence: 'bad spec' };
const asUsual = running({ web: 'good 1' });
const starting = put(asUsual, 'web', { text: 'good 2', replicas: 1 });
const newer = tick(starting);
const crashed = tick(tick(put(asUsual, 'web', { text: 'crash 1', replicas: 1 })));
const unready = change(asUsual, 'web', { ready: false });
const gone = change(asUsual, 'web', { replicas: 0, ready: false });
const by = { id: ID, by: 'root@m1' };
const retry: Request = { ...by, verb: 'retry' };
const rollback: Request = { ...by, verb: 'rollback' };

type Row = readonly [name: string, start: Start, expected: Partial<Outcome>];

/** What is not named in the row stays as it is where all is well. */
function check(rows: readonly Row[]): void {
  it.each(rows)('%s', (_name, start, expected) => {
    expect(outcome(look(start))).toEqual({
      ...quiet,
      phase: 'none',
      held: undefined,
      ...expected,
    });
  });
}

describe('a unit that is not recorded', () => {
  check([
    [
      'is begun where nothing of it is there',
      { wants: git.d1, world: emptyWorld },
      { phase: 'applying', attempt: 'd1', calls: ['web=good 1'], releases: [] },
    ],
    [
      'is adopted silently where it is equal and well',
      { wants: git.d1, world: asUsual },
      { events: ['unit adopted'] },
    ],
    [
      'is adopted too where it is equal and not well',
      { wants: git.d1, world: unready },
      { events: ['unit adopted'] },
    ],
    [
      'waits with nothing recorded while a gate is shut',
      { wants: git.d1, world: { ...emptyWorld, blocked: 'no net' } },
      { phase: 'unknown', releases: [], held: 'no net' },
    ],
  ]);

  it('waits for a person where it differs, and then keeps what was there as its first release', () => {
    const there = running({ web: 'good 0', old: 'good 9' });
    const before = look({ wants: git.d1, world: there });
    const [view] = before.views;
    expect(outcome(before)).toMatchObject({ phase: 'unknown', calls: [], releases: [] });
    expect(view?.held).toMatch(
      /^it was there before and differs: services\.web; approve with `understudy approve [0-9a-f]{12}`$/,
    );
    expect(view?.pending).toBe(true);
    const digest = /[0-9a-f]{12}/.exec(view?.held ?? '')?.[0] ?? '';
    const requests: Request[] = [{ verb: 'approve', digest, by: 'root@m1' }];
    const asked = look({ wants: git.d1, world: there, requests });
    expect(asked).toMatchObject({ wakeMs: 0, approved: [{ by: 'root@m1' }] });
    expect(outcome(asked)).toMatchObject({ phase: 'unknown', events: ['request taken'] });
    const { approved } = asked;
    // Something else differs by now: that is not what was approved.
    const wantsMore = unitOf('d1', { web: 'good 1', api: 'good 1' });
    const other = look({ wants: wantsMore, world: there, approved });
    expect(outcome(other)).toMatchObject({ phase: 'unknown', calls: [] });
    expect(other.approved).toMatchObject([{ spent: true }]);
    const first = look({ wants: git.d1, world: there, approved });
    expect(first.approved).toMatchObject([{ spent: true }]);
    expect(outcome(first)).toMatchObject({ phase: 'applying', attempt: 'd1', events: [] });
    expect(first.units.get(ID)?.releases).toMatchObject([
      {
        revision: '',
        content: {
          services: { web: { text: 'good 0', replicas: 1 }, old: { text: 'good 9', replicas: 1 } },
        },
      },
    ]);
  });
});

describe('a unit that was not well when it was adopted', () => {
  const { units } = look({ wants: git.d1, world: unready });
  const found = units.get(ID) ?? known({});
  const toD2: Attempt = { digest: 'd2', revision: 'r2', baseline: [], absent: [] };
  const isUnproven = (record: UnitRecord | undefined) => record?.releases[0]?.unproven;

  check([
    ['is left as it is while it is not', { wants: git.d1, record: found, world: unready }, {}],
    [
      'is mended by a commit that nobody has to approve',
      { wants: git.d2, record: found, world: unready },
      { phase: 'applying', attempt: 'd2', calls: ['web=good 2'] },
    ],
    [
      'goes back to what it was where that commit fails',
      {
        wants: git.d2,
        record: { ...found, phase: 'applying', attempt: toD2 },
        world: unready,
        refusal: refused,
      },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        calls: [],
        quarantine: ['d2: refused'],
        events: ['unit failed, rolling back'],
      },
    ],
  ]);

  it('counts as healthy from when it was seen so, and that is recorded once', () => {
    expect(isUnproven(found)).toBe(true);
    expect(wasHealthy(found)).toBe(false);
    const still = look({ wants: git.d1, record: found, world: unready });
    expect(still.units.get(ID)).toBe(found);
    const well = look({ wants: git.d1, record: found, world: asUsual }).units.get(ID);
    expect(wasHealthy(well)).toBe(true);
    expect(
      look({ wants: git.d1, record: known({}), world: asUsual }).units.get(ID),
    ).not.toHaveProperty(['releases', 0, 'unproven']);
    expect(
      look({ wants: git.d1, ...(well && { record: well }), world: asUsual }).units.get(ID),
    ).toBe(well);
  });

  it('is not taken for healthy as somebody else made it, while that is held', () => {
    // Another text runs well, and it was changed back twice already.
    const other = running({ web: 'good 9' });
    const watch = called(called(newWatch('none', NOW - 3_000), NOW - 2_000), NOW - 1_000);
    const result = look({ wants: git.d1, record: found, world: other, watch });
    expect(result.views[0]?.held).toMatch(/^fought over/);
    expect(isUnproven(result.units.get(ID))).toBe(true);
    const shut = look({ wants: git.d1, record: found, world: { ...asUsual, blocked: 'no net' } });
    expect(isUnproven(shut.units.get(ID))).toBe(true);
  });

  it('is seen healthy also while the next commit waits', () => {
    const entry: UnitRecord = {
      ...found,
      quarantine: [{ digest: 'd2', revision: 'r2', code: 'c', why: 'w', evidence: '', at: DATE }],
    };
    const result = look({ wants: git.d2, record: entry, world: asUsual });
    expect(wasHealthy(result.units.get(ID))).toBe(true);
  });

  it('keeps what it was only until a commit was healthy', () => {
    const release = { digest: 'd2', revision: 'r2', at: DATE, content: {} };
    expect(healthy(found, release, 3).releases).toEqual([release]);
  });

  it('counts as healthy when a way back ended there', () => {
    const attempt = { digest: 'd1', revision: '', baseline: [], absent: [] };
    expect(wasHealthy(atFront(found, attempt))).toBe(true);
  });
});

describe('none', () => {
  check([
    ['with what is wanted in place does nothing', { wants: git.d1, ...at({}) }, {}],
    [
      'with a new digest begins an attempt',
      { wants: git.d2, ...at({}) },
      { phase: 'applying', attempt: 'd2', calls: ['web=good 2'] },
    ],
    [
      'with a new digest that asks for nothing else verifies at once',
      { wants: unitOf('d9', { web: 'good 1' }), ...at({}) },
      { phase: 'verifying', attempt: 'd9' },
    ],
    [
      'with a new digest and a shut gate waits',
      { wants: git.d2, ...at({}), world: { ...asUsual, blocked: 'no net' } },
      { held: 'no net' },
    ],
    [
      'with an earlier release wanted again begins an attempt at it',
      { wants: git.d1, record: known({ releases: [git.d2, git.d1] }), world: newer },
      { phase: 'applying', attempt: 'd1', calls: ['web=good 1'], releases: ['d2', 'd1'] },
    ],
    [
      'corrects drift without an attempt',
      { wants: git.d1, record: known({}), world: gone },
      { calls: ['web=good 1'] },
    ],
    [
      'holds drift while something that it needs is missing',
      { wants: git.d1, record: known({}), world: { ...gone, blocked: 'no net' } },
      { held: 'no net' },
    ],
    [
      'measures drift of a quarantined unit against its release',
      { wants: git.crash, record: known({ quarantine: ['crash'] }), world: gone },
      { calls: ['web=good 1'], quarantine: ['crash: crashed'] },
    ],
    [
      'leaves a quarantined unit at its release alone',
      { wants: git.crash, record: known({ quarantine: ['crash'] }), world: asUsual },
      { quarantine: ['crash: crashed'] },
    ],
    [
      'keeps what was never healthy at a standstill',
      {
        wants: git.crash,
        record: known({ quarantine: ['crash'], releases: [], made: ['service web'] }),
        world: crashed,
      },
      { calls: ['stop web'], quarantine: ['crash: crashed'], releases: [] },
    ],
    [
      'keeps what only failed attempts made at a standstill beside the release',
      {
        wants: git.more,
        record: known({ quarantine: ['more'], made: ['service api'] }),
        world: running({ web: 'good 1', api: 'good 1' }),
      },
      { calls: ['stop api'], quarantine: ['more: crashed'] },
    ],
    [
      'stops what an attempt made that was left in the middle, when the release is wanted again',
      {
        wants: git.d1,
        record: known({ made: ['service api'] }),
        world: running({ web: 'good 1', api: 'good 1' }),
      },
      { calls: ['stop api'] },
    ],
    [
      'with a release that cannot be read any more waits',
      {
        wants: git.crash,
        record: unreadable({ quarantine: ['crash'] }),
        world: asUsual,
      },
      {
        quarantine: ['crash: crashed'],
        held: 'this version cannot read the healthy release in the record',
      },
    ],
    [
      'that left the repository is left alone where nothing may be removed',
      { record: known({}), world: gone },
      { held: 'its removal waits: nothing is removed for now' },
    ],
    [
      'begins again after a retry',
      {
        wants: git.crash,
        record: known({ quarantine: ['crash', 'x'] }),
        world: asUsual,
        requests: [retry],
      },
      {
        phase: 'applying',
        attempt: 'crash',
        calls: ['web=crash 1'],
        quarantine: ['x: crashed'],
        events: ['request taken'],
      },
    ],
    [
      'refuses a retry of what did not fail',
      { wants: git.d1, ...at({}), requests: [retry] },
      { events: ['request refused'] },
    ],
  ]);

  it('tells what is corrected, corrects it twice in ten minutes, then holds it, and goes on later', () => {
    let watch: Watch | undefined;
    const seen: (string | number)[] = [];
    for (const nowMs of [0, 100_000, 200_000, 599_999, 600_000, 650_000, 700_000]) {
      const result = look({
        wants: git.d1,
        record: known({}),
        world: gone,
        nowMs,
        ...asWatch(watch),
      });
      watch = result.watches.get(ID);
      if (result.work.length > 0 && watch !== undefined) watch = called(watch, nowMs);
      seen.push(result.views[0]?.held ?? result.work.length);
    }
    expect(seen).toEqual([1, 1, FOUGHT, FOUGHT, 1, FOUGHT, 1]);
  });

  it('changes back what is fought over when a person approves it, and only that once', () => {
    const watch = { ...newWatch('none', NOW - 3_000), calledAtMs: [NOW - 2_000, NOW - 1_000] };
    const start = { wants: git.d1, record: known({}), world: gone, watch };
    const held = look(start).views[0]?.held ?? '';
    const digest = /[0-9a-f]{12}(?=`)/.exec(held)?.[0] ?? '';
    const requests: Request[] = [{ verb: 'approve', digest, by: 'root@m1' }];
    const asked = look({ ...start, requests });
    expect(asked).toMatchObject({ work: [], wakeMs: 0, approved: [{ by: 'root@m1' }] });
    const { approved } = asked;
    const released = look({ ...start, approved });
    expect(outcome(released)).toMatchObject({ calls: ['web=good 1'], held: undefined });
    expect(released.approved).toMatchObject([{ spent: true }]);
    // It is not spent as long as the next call may not be made yet.
    const later = look({ ...start, watch: { ...watch, retryAtMs: NOW + 1_000 }, approved });
    expect([later.work, later.approved]).toEqual([[], approved]);
    // Somebody does it once more: that is another matter.
    expect(look({ ...start, approved: released.approved }).work).toEqual([]);
  });

  it('does not count calls that met no engine as a fight', () => {
    let watch: Watch | undefined;
    let nowMs = 0;
    for (let tries = 0; tries < 4; tries += 1) {
      const result = look({
        wants: git.d1,
        record: known({}),
        world: gone,
        nowMs,
        ...asWatch(watch),
      });
      expect(outcome(result)).toMatchObject({ held: undefined, calls: ['web=good 1'] });
      watch = postponed(watchIn(result), { why: 'no leader', refused: false }, 1_000, nowMs);
      nowMs = watch.retryAtMs;
    }
  });

  it('does not wait longer for drift because of what it corrected long ago', () => {
    let watch: Watch | undefined;
    for (let time = 0; time < 12; time += 1) {
      const nowMs = time * 700_000;
      const drifted = look({
        wants: git.d1,
        record: known({}),
        world: gone,
        nowMs,
        ...asWatch(watch),
      });
      expect(outcome(drifted)).toMatchObject({ held: undefined, calls: ['web=good 1'] });
      const mended = { wants: git.d1, ...at({}), watch: called(watchIn(drifted), nowMs) };
      watch = watchIn(look({ ...mended, nowMs: nowMs + 1_000 }));
      const again = { wants: git.d1, record: known({}), world: gone, watch };
      expect(outcome(look({ ...again, nowMs: nowMs + 10_000 })).calls).toEqual(['web=good 1']);
    }
  });

  it('tries ever less often what changes nothing', () => {
    let watch = newWatch('none', 0);
    const waits = [];
    for (let round = 0; round < 4; round += 1) {
      const nowMs = Math.max(round * 700_000, watch.retryAtMs);
      const drifted = look({ wants: git.d1, record: known({}), world: gone, nowMs, watch });
      expect(outcome(drifted).calls).toEqual(['web=good 1']);
      watch = called(watchIn(drifted), nowMs);
      waits.push(watch.retryAtMs - nowMs);
    }
    expect(waits).toEqual([0, 4_000, 8_000, 16_000]);
  });

  it('says no more why a correction was tried in vain, once nothing differs', () => {
    let watch = newWatch('none', NOW);
    for (let tries = 0; tries < 4; tries += 1) {
      watch = postponed(watch, { why: 'no leader', refused: false }, 1_000, NOW);
    }
    expect(outcome(look({ wants: git.d1, ...at({}), watch })).held).toBeUndefined();
  });

  it('forgets earlier hiccups once a correction went well', () => {
    let watch = newWatch('none', 0);
    for (let hiccup = 0; hiccup < 5; hiccup += 1) {
      watch = called(postponed(watch, { why: 'no leader', refused: false }, 1_000, 0), 0);
    }
    const nowMs = 1_000_000;
    const { views } = look({ wants: git.d1, ...at({}), watch, nowMs });
    expect(views[0]?.held).toBeUndefined();
  });

  it('waits after a refused correction, and says so all the time', () => {
    const first = look({ wants: git.d1, record: known({}), world: gone, refusal: refused });
    expect(outcome(first)).toMatchObject({ calls: [], held: 'the engine refused it: bad spec' });
    const after = { wants: git.d1, record: known({}), world: gone, watch: watchIn(first) };
    const soon = look({ ...after, nowMs: NOW + 299_999 });
    expect(outcome(soon)).toMatchObject({ calls: [], held: 'the engine refused it: bad spec' });
    const later = look({ ...after, nowMs: NOW + 300_000 });
    expect(outcome(later)).toMatchObject({ calls: ['web=good 1'] });
  });
});

describe('applying', () => {
  const record = known({ phase: 'applying', attempt: 'd2' });
  const watch = newWatch('to d2', NOW - 5_000);
  check([
    [
      'verifies once nothing differs',
      { wants: git.d2, record, watch, world: newer },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'starts the clock of health only then',
      { wants: git.d2, record, watch: waiting('to d2', 9 * TIMEOUT_MS), world: starting },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'calls again what was not done, also after a restart',
      { wants: git.d2, record, world: asUsual },
      { phase: 'applying', attempt: 'd2', calls: ['web=good 2'] },
    ],
    [
      'waits before it tries an open call again, and counts nothing',
      {
        wants: git.d2,
        record,
        watch: postponed(watch, { why: 'no answer', refused: false }, 1_000, NOW),
        world: asUsual,
      },
      { phase: 'applying', attempt: 'd2' },
    ],
    [
      'tries an open call again when it is time',
      {
        wants: git.d2,
        record,
        watch: postponed(watch, { why: 'no answer', refused: false }, 1_000, NOW - 1_000),
        world: asUsual,
      },
      { phase: 'applying', attempt: 'd2', calls: ['web=good 2'] },
    ],
    [
      'says what it waits for after some tries',
      {
        wants: git.d2,
        record,
        watch: { ...watch, tries: 4, trouble: 'no answer', retryAtMs: NOW + 1 },
        world: asUsual,
      },
      { phase: 'applying', attempt: 'd2', held: 'no answer' },
    ],
    [
      'waits where something that it needs went away',
      { wants: git.d2, record, watch, world: { ...asUsual, blocked: 'no net' } },
      { phase: 'applying', attempt: 'd2', held: 'no net' },
    ],
    [
      'is taken back where the engine refused it for good',
      { wants: git.d2, record, watch, world: asUsual, refusal: refused },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        quarantine: ['d2: refused'],
        events: ['unit failed, rolling back'],
      },
    ],
    [
      'is taken back where the engine went back by itself',
      {
        wants: unitOf('d2', { web: 'revert 2' }),
        record,
        watch: { ...watch, rounds: 1 },
        world: tick(put(asUsual, 'web', { text: 'revert 2', replicas: 1 })),
      },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        quarantine: ['d2: given-up'],
        events: ['unit failed, rolling back'],
      },
    ],
    [
      'is taken back where one service fails while a call for another is still open',
      {
        wants: git.more,
        record: known({ phase: 'applying', attempt: 'more' }),
        watch: { ...newWatch('to more', NOW), rounds: 1 },
        world: crashed,
      },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        quarantine: ['more: crashed'],
        events: ['unit failed, rolling back'],
      },
    ],
    [
      'is taken back where calls that all went well changed nothing',
      { wants: git.d2, record, watch: { ...watch, rounds: 3 }, world: asUsual },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        quarantine: ['d2: no-effect'],
        events: ['unit failed, rolling back'],
      },
    ],
    [
      'stops where it never was healthy',
      {
        wants: git.d2,
        record: known({ phase: 'applying', attempt: 'd2', releases: [], made: ['service web'] }),
        world: emptyWorld,
        refusal: refused,
      },
      {
        phase: 'rolling-back',
        attempt: '',
        quarantine: ['d2: refused'],
        releases: [],
        events: ['unit failed, stopping'],
      },
    ],
    [
      'is stuck where the mode says hold',
      {
        wants: git.hold,
        record: known({ phase: 'applying', attempt: 'hold' }),
        world: asUsual,
        refusal: refused,
      },
      {
        phase: 'stuck',
        quarantine: ['hold: refused'],
        events: ['unit failed, stuck'],
      },
    ],
    [
      'at the healthy release itself is stuck where that fails, and nothing is quarantined',
      {
        wants: git.d1,
        record: known({ phase: 'applying', attempt: 'd1' }),
        world: asUsual,
        refusal: refused,
      },
      { phase: 'stuck', events: ['unit failed, stuck'] },
    ],
  ]);

  it('cannot have failed as long as its calls did not go well: what fails is what ran before', () => {
    const never = { wants: git.d2, record, watch, world: { ...crashed, blocked: 'no net' } };
    expect(outcome(look(never))).toMatchObject({ phase: 'applying', held: 'no net' });
    const open = postponed(watch, { why: 'no answer', refused: false }, 1_000, NOW);
    const tried = { wants: git.d2, record, watch: open, world: crashed };
    expect(outcome(look(tried))).toMatchObject({ phase: 'applying', quarantine: [] });
    const done = look({ ...tried, watch: called(watch, NOW) });
    expect(outcome(done)).toMatchObject({ quarantine: ['d2: crashed'] });
  });

  it('is not recorded again while it waits', () => {
    for (const blocked of ['no net', undefined]) {
      const world = { ...asUsual, blocked };
      const result = look({
        wants: git.d2,
        record,
        watch: { ...watch, retryAtMs: NOW + 1 },
        world,
      });
      expect(result.units.get(ID)).toBe(record);
    }
  });

  it('notes what it makes before it is made', () => {
    const first = look({ wants: git.more, ...at({}) });
    expect(first.units.get(ID)?.made).toEqual(['service api']);
    expect(outcome(first).calls).toEqual(['web=crash 1', 'api=good 1']);
  });
});

describe('verifying', () => {
  const record = known({ phase: 'verifying', attempt: 'd2' });
  const bad = known({ phase: 'verifying', attempt: 'crash' });
  const task = newer.services['web']?.task ?? '';
  check([
    [
      'waits until it is stable',
      { wants: git.d2, record, watch: steady('to d2', STABLE_MS - 1, task), world: newer },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'becomes healthy when it was stable for long enough',
      { wants: git.d2, record, watch: steady('to d2', STABLE_MS, task), world: newer },
      { releases: ['d2', 'd1'], events: ['unit healthy'] },
    ],
    [
      'is not healthy where its tasks are other ones than before',
      { wants: git.d2, record, watch: steady('to d2', STABLE_MS, 'web.x'), world: newer },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'starts its clock anew after a restart',
      { wants: git.d2, record, world: newer },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'is taken back after a certain failure',
      { wants: git.crash, record: bad, world: crashed },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        quarantine: ['crash: crashed'],
        events: ['unit failed, rolling back'],
      },
    ],
    [
      'is stuck after a certain failure where the mode says hold',
      { wants: git.hold, record: known({ phase: 'verifying', attempt: 'hold' }), world: crashed },
      { phase: 'stuck', quarantine: ['hold: crashed'], events: ['unit failed, stuck'] },
    ],
    [
      'waits while there is no progress',
      { wants: git.d2, record, watch: waiting('to d2', TIMEOUT_MS - 1), world: starting },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'is taken back without progress for too long',
      { wants: git.d2, record, watch: waiting('to d2', TIMEOUT_MS), world: starting },
      {
        phase: 'rolling-back',
        attempt: 'd1',
        quarantine: ['d2: timeout'],
        events: ['unit failed, rolling back'],
      },
    ],
    [
      'waits on where it never was looked at before, however long ago it began',
      { wants: git.d2, record, world: starting, nowMs: NOW * 1_000 },
      { phase: 'verifying', attempt: 'd2' },
    ],
    [
      'applies again what somebody changed meanwhile',
      { wants: git.d2, record, watch: { ...newWatch('to d2', NOW), rounds: 1 }, world: asUsual },
      { phase: 'applying', attempt: 'd2', calls: ['web=good 2'] },
    ],
    [
      'does not count failures from before the attempt',
      {
        wants: git.crash,
        record: known({ phase: 'verifying', attempt: 'crash', baseline: ['web.1', 'web.2'] }),
        world: crashed,
      },
      { phase: 'verifying', attempt: 'crash' },
    ],
  ]);

  it.each([1, 2, 3, 4, 5])('keeps %i releases', (keep) => {
    const old = [1, 2, 3, 4, 5].map((at) => unitOf(`old${String(at)}`, { web: 'good 1' }));
    const result = look({
      wants: unitOf('d2', { web: 'good 2' }, { keep }),
      record: known({ phase: 'verifying', attempt: 'd2', releases: old, made: ['service web'] }),
      watch: steady('to d2', STABLE_MS, task),
      world: newer,
    });
    const digests = ['d2', 'old1', 'old2', 'old3', 'old4'].slice(0, keep);
    expect(outcome(result).releases).toEqual(digests);
    expect(result.units.get(ID)?.made).toEqual([]);
  });

  it('keeps the last five that failed, newest first', () => {
    const quarantine = ['q1', 'q2', 'q3', 'q4', 'q5'];
    const again = known({ phase: 'verifying', attempt: 'crash', quarantine });
    const result = look({ wants: git.crash, record: again, world: crashed });
    expect(result.units.get(ID)?.quarantine.map(({ digest }) => digest)).toEqual([
      'crash',
      'q1',
      'q2',
      'q3',
      'q4',
    ]);
  });

  it('keeps one entry for a digest that failed twice', () => {
    const again = known({ phase: 'verifying', attempt: 'crash', quarantine: ['x', 'crash'] });
    const retried = { ...again, quarantine: again.quarantine.slice(0, 1) };
    const result = look({ wants: git.crash, record: retried, world: crashed });
    expect(outcome(result).quarantine).toEqual(['crash: crashed', 'x: crashed']);
  });

  it('says with a failure what was seen and which revision brought it', () => {
    const { units, events } = look({ wants: git.crash, record: bad, world: crashed });
    const failure = { code: 'crashed', why: 'its tasks crash', evidence: 'exit 1' };
    expect(units.get(ID)?.quarantine).toEqual([
      { digest: 'crash', revision: 'r-crash', ...failure, at: DATE },
    ]);
    expect(events).toEqual([
      { event: 'unit failed', id: ID, revision: 'r-crash', next: 'rolling back', ...failure },
    ]);
  });

  it('lets the clock stand for a cause outside, alarms once after 15 minutes, and goes on', () => {
    const world = { ...starting, outside: 'registry away' };
    let watch = waiting('to d2', TIMEOUT_MS - 2_000);
    const events: unknown[] = [];
    for (let nowMs = NOW; nowMs < NOW + 1_800_000; nowMs += 1_000) {
      const result = look({ wants: git.d2, record, watch, world, nowMs });
      expect(result.units.get(ID)).toBe(record);
      watch = watchIn(result);
      events.push(...result.events);
    }
    const told = { id: ID, event: 'unit waiting', why: 'registry away' };
    expect(events).toEqual([
      { ...told, long: false },
      { ...told, long: true },
    ]);
    const end = NOW + 1_800_000;
    const after = look({ wants: git.d2, record, watch, world: starting, nowMs: end });
    expect(outcome(after)).toMatchObject({ phase: 'verifying', events: ['unit going on'] });
    watch = watchIn(after);
    const late = look({ wants: git.d2, record, watch, world: starting, nowMs: end + 3_000 });
    expect(outcome(late)).toMatchObject({ quarantine: ['d2: timeout'] });
  });

  it('does not count what failed on a node that went away, also when it came back', () => {
    let watch: Watch | undefined;
    for (const away of [['n1'], []]) {
      const world = { ...crashed, away };
      const result = look({ wants: git.crash, record: bad, world, ...asWatch(watch) });
      expect(outcome(result)).toMatchObject({ phase: 'verifying', quarantine: [] });
      watch = result.watches.get(ID);
    }
    expect(watch?.lost).toEqual(['n1']);
  });

  it('counts what failed on a node that was away before', () => {
    const { attempt } = bad;
    if (attempt === undefined) throw new Error('no attempt');
    const away = { ...bad, attempt: { ...attempt, absent: ['n1'] } };
    const result = look({ wants: git.crash, record: away, world: { ...crashed, away: ['n1'] } });
    expect(outcome(result)).toMatchObject({ quarantine: ['crash: crashed'] });
  });

  it('makes the engine go on that stopped, a few times at most, then it is late', () => {
    const wants = unitOf('d2', { web: 'stubborn 2' });
    const world = tick(put(asUsual, 'web', { text: 'stubborn 2', replicas: 1 }));
    let watch: Watch = { ...newWatch('to d2', NOW), rounds: 1 };
    let resumed = 0;
    let last: Step<UnitCall> | undefined;
    for (let nowMs = NOW; nowMs <= NOW + TIMEOUT_MS; nowMs += 1_000) {
      last = look({ wants, record, watch, world, nowMs });
      watch = watchIn(last);
      if (last.work.length === 0) continue;
      expect(outcome(last).calls).toEqual(['resume web']);
      resumed += 1;
      watch = called(watch, nowMs);
    }
    expect(resumed).toBe(2);
    expect(last && outcome(last).quarantine).toEqual(['d2: timeout']);
  });

  it('asks its questions, and is healthy only with good answers', () => {
    const wants = unitOf('d2', { web: 'good 2' }, { check: true });
    const watch = steady('to d2', STABLE_MS, task);
    const unanswered = look({ wants, record, watch, world: newer });
    expect(unanswered.asks.map(({ name }) => name)).toEqual([CHECK]);
    expect(outcome(unanswered).phase).toBe('verifying');
    const good: Answer = { status: 'good', detail: 'there', inARow: 1, wasGood: true };
    const answers = new Map([[CHECK, good]]);
    const answered = look({ wants, record, watch, world: newer, answers });
    expect(outcome(answered)).toMatchObject({ phase: 'none', events: ['unit healthy'] });
  });
});

describe.each([
  ['verifying', 'd2', 'web=good 2', newer, asUsual],
  ['reverting', 'd1', 'web=good 1', asUsual, newer],
] as const)('%s, and somebody changes it by hand', (phase, attempt, correction, right, wrong) => {
  const wants = git.d2;
  const start = known({
    phase,
    attempt,
    quarantine: phase === 'reverting' ? ['d2'] : [],
  });
  const way = wayOf(start);

  it('changes it back twice in ten minutes, then holds it, and fails nothing', () => {
    let record = start;
    let watch = called(newWatch(way, NOW), NOW);
    const seen: (readonly string[] | string)[] = [];
    for (const atMs of [10_000, 20_000, 30_000, 40_000, 620_000]) {
      const drifted = look({ wants, record, watch, world: wrong, nowMs: NOW + atMs });
      const { calls, held, quarantine } = outcome(drifted);
      seen.push(held ?? calls);
      expect(quarantine).toEqual(start.quarantine.map(({ digest }) => `${digest}: crashed`));
      record = drifted.units.get(ID) ?? record;
      watch = watchIn(drifted);
      if (held !== undefined) continue;
      watch = called(watch, NOW + atMs);
      const mended = look({ wants, record, watch, world: right, nowMs: NOW + atMs + 1_000 });
      record = mended.units.get(ID) ?? record;
      watch = watchIn(mended);
      expect(record.phase).toBe(phase);
      expect(watch.progressAtMs).toBe(NOW + atMs + 1_000);
    }
    expect(seen).toEqual([[correction], [correction], FOUGHT, FOUGHT, [correction]]);
  });

  it('judges nothing by what runs of the other one meanwhile', () => {
    const watch = { ...newWatch(way, NOW), correctedAtMs: [NOW - 2_000, NOW - 1_000] };
    const world = tick(tick(put(right, 'web', { text: 'crash 9', replicas: 1 })));
    const result = look({ wants, record: start, watch, world });
    expect(result.units.get(ID)).toBe(start);
    expect(outcome(result)).toMatchObject({ phase, calls: [], held: FOUGHT, events: [] });
  });

  it('gives up where it is the same after three calls that all went well', () => {
    let record = start;
    let watch = newWatch(way, NOW);
    let nowMs = NOW;
    for (let round = 0; round < 3; round += 1) {
      const result = look({ wants, record, watch, world: wrong, nowMs });
      expect(outcome(result).calls).toEqual([correction]);
      record = result.units.get(ID) ?? record;
      watch = called(watchIn(result), nowMs);
      nowMs = watch.retryAtMs;
    }
    const result = look({ wants, record, watch, world: wrong, nowMs });
    expect(result.events).toEqual([expect.objectContaining({ code: 'no-effect' })]);
  });
});

describe.each(['applying', 'verifying'] as const)('%s, and the repository moves', (phase) => {
  const record = known({ phase, attempt: 'd2', quarantine: ['crash'], releases: [git.d1, git.d3] });
  const watch = { ...newWatch('to d2', NOW - 5_000), rounds: 2 };
  const rest = { quarantine: ['crash: crashed'], releases: ['d1', 'd3'] };
  const d4 = unitOf('d4', { web: 'good 4' });
  const before = { ...entry('hold'), at: '2026-11-01T10:00:00.000Z' };
  const withHold = { ...record, quarantine: [before] };
  check([
    [
      'to a newer digest: the old one is neither healthy nor quarantined',
      { wants: d4, record, watch, world: starting },
      {
        ...rest,
        phase: 'applying',
        attempt: 'd4',
        calls: ['web=good 4'],
        events: ['unit superseded'],
      },
    ],
    [
      'to a newer digest, and the old one was refused meanwhile: that is no news',
      { wants: d4, record, watch, world: asUsual, refusal: refused },
      {
        ...rest,
        phase: 'applying',
        attempt: 'd4',
        calls: ['web=good 4'],
        events: ['unit superseded'],
      },
    ],
    [
      'back to the last healthy release',
      { wants: git.d1, record, watch, world: starting },
      {
        ...rest,
        phase: 'rolling-back',
        attempt: 'd1',
        calls: ['web=good 1'],
        events: ['unit superseded'],
      },
    ],
    [
      'back to the last healthy release, which is in place still',
      { wants: git.d1, record, watch, world: asUsual },
      { ...rest, phase: 'reverting', attempt: 'd1', events: ['unit superseded'] },
    ],
    [
      'back to the last healthy release, and the new digest was refused meanwhile',
      { wants: git.d1, record, watch, world: asUsual, refusal: refused },
      { ...rest, phase: 'reverting', attempt: 'd1', events: ['unit superseded'] },
    ],
    [
      'to a quarantined digest: back to the last healthy release',
      { wants: git.crash, record, watch, world: starting },
      {
        ...rest,
        phase: 'rolling-back',
        attempt: 'd1',
        calls: ['web=good 1'],
        events: ['unit superseded'],
      },
    ],
    [
      'to a quarantined digest where nothing was ever healthy: to a standstill',
      {
        wants: git.crash,
        record: { ...record, releases: [], made: ['service web'] },
        watch,
        world: starting,
      },
      {
        ...rest,
        releases: [],
        phase: 'rolling-back',
        attempt: '',
        calls: ['stop web'],
        events: ['unit superseded'],
      },
    ],
    [
      'to a quarantined digest where the mode says hold: a person decides',
      { wants: git.hold, record: withHold, watch, world: starting },
      {
        ...rest,
        quarantine: ['hold: crashed'],
        phase: 'stuck',
        events: ['unit superseded', 'unit stuck'],
      },
    ],
    [
      'back to the last healthy release where the mode says hold: somebody wrote that',
      {
        wants: unitOf('d1', { web: 'good 1' }, { mode: 'hold' }),
        record,
        watch,
        world: starting,
      },
      {
        ...rest,
        phase: 'rolling-back',
        attempt: 'd1',
        calls: ['web=good 1'],
        events: ['unit superseded'],
      },
    ],
    [
      'and does not want it any more: it is left as it is',
      { record, watch, world: starting },
      rest,
    ],
  ]);

  it('to a quarantined digest where the mode says hold: it says why, and a person brings the release back', () => {
    const held = look({ wants: git.hold, record: withHold, watch, world: starting });
    const failure = {
      code: 'crashed',
      why: 'the repository wants again what was given up before (w), and `rollback.mode` is `hold`',
      evidence: 'e',
    };
    const record = held.units.get(ID);
    expect(record?.stuck).toEqual({ digest: 'hold', ...failure, at: DATE });
    expect(held.events.at(-1)).toEqual({ event: 'unit stuck', id: ID, ...failure });
    const stays = { wants: git.hold, world: starting, ...(record && { record }) };
    expect(outcome(look(stays))).toMatchObject({ phase: 'stuck', calls: [] });
    const asked = look({ ...stays, requests: [rollback] });
    expect(outcome(asked)).toMatchObject({ phase: 'rolling-back', attempt: 'd1' });
  });
});

describe('rolling-back', () => {
  const record = known({ phase: 'rolling-back', quarantine: ['crash'] });
  const rest = { quarantine: ['crash: crashed'] };
  const wants = git.crash;
  check([
    [
      'applies the last healthy release',
      { wants, record, world: crashed },
      { ...rest, phase: 'rolling-back', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'waits before it tries an open call again',
      {
        wants,
        record,
        watch: postponed(newWatch('back d1', NOW), { why: 'w', refused: false }, 1_000, NOW),
        world: crashed,
      },
      { ...rest, phase: 'rolling-back', attempt: 'd1' },
    ],
    [
      'verifies once all is as in the release',
      { wants, record, world: asUsual },
      { ...rest, phase: 'reverting', attempt: 'd1' },
    ],
    [
      'starts the clock of health only then',
      {
        wants,
        record,
        watch: waiting('back d1', 9 * TIMEOUT_MS),
        world: change(asUsual, 'web', { ready: false }),
      },
      { ...rest, phase: 'reverting', attempt: 'd1' },
    ],
    [
      'stops what only the failed attempt made',
      {
        wants: git.more,
        record: known({ phase: 'rolling-back', quarantine: ['more'], made: ['service api'] }),
        world: running({ web: 'good 1', api: 'good 1' }),
      },
      { quarantine: ['more: crashed'], phase: 'rolling-back', attempt: 'd1', calls: ['stop api'] },
    ],
    [
      'brings back, and does not stop, what the failed attempt made and the release has too',
      {
        wants,
        record: known({ phase: 'rolling-back', quarantine: ['crash'], made: ['service web'] }),
        world: crashed,
      },
      { ...rest, phase: 'rolling-back', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'has come to rest where the release has what the failed attempt made',
      {
        wants,
        record: known({ phase: 'rolling-back', quarantine: ['crash'], made: ['service web'] }),
        world: asUsual,
      },
      { ...rest, phase: 'reverting', attempt: 'd1' },
    ],
    [
      'without a release stops what was made',
      {
        wants,
        record: known({
          phase: 'rolling-back',
          quarantine: ['crash'],
          releases: [],
          made: ['service web'],
        }),
        world: crashed,
      },
      { ...rest, phase: 'rolling-back', attempt: '', calls: ['stop web'], releases: [] },
    ],
    [
      'without a release ends when all stands still',
      {
        wants,
        record: known({
          phase: 'rolling-back',
          quarantine: ['crash'],
          releases: [],
          made: ['service web'],
        }),
        world: change(crashed, 'web', { replicas: 0 }),
      },
      { ...rest, releases: [], events: ['unit stopped'] },
    ],
    [
      'is stuck where the release cannot be read',
      {
        wants,
        record: unreadable({ phase: 'rolling-back', quarantine: ['crash'] }),
        world: crashed,
      },
      { ...rest, phase: 'stuck', events: ['unit stuck'] },
    ],
    [
      'is stuck where the engine refuses the release',
      { wants, record, world: crashed, refusal: refused },
      { ...rest, phase: 'stuck', events: ['unit stuck'] },
    ],
    [
      'does not take what was refused of the failed digest for its own refusal',
      {
        wants,
        record,
        watch: newWatch('to crash', NOW),
        world: crashed,
        refusal: refused,
      },
      { ...rest, phase: 'rolling-back', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'does not take that for its own refusal where the unit left the repository either',
      {
        record,
        watch: newWatch('to crash', NOW),
        world: crashed,
        refusal: refused,
      },
      { ...rest, phase: 'rolling-back', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'is stuck where calls that all went well changed nothing',
      { wants, record, watch: { ...newWatch('back d1', NOW), rounds: 3 }, world: crashed },
      { ...rest, phase: 'stuck', events: ['unit stuck'] },
    ],
    [
      'is stuck where the engine went back from the release',
      {
        wants,
        record,
        watch: { ...newWatch('back d1', NOW), rounds: 1 },
        world: change(crashed, 'web', { gaveUp: 'web.9' }),
      },
      { ...rest, phase: 'stuck', events: ['unit stuck'] },
    ],
    [
      'does not take what the engine did with the failed attempt for its own failure',
      { wants, record, world: change(crashed, 'web', { gaveUp: 'web.9' }) },
      { ...rest, phase: 'rolling-back', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'waits where something that the release needs is missing',
      { wants, record, world: { ...crashed, blocked: 'no net' } },
      { ...rest, phase: 'rolling-back', attempt: 'd1', held: 'no net' },
    ],
    [
      'is stuck where that stays missing for too long',
      {
        wants,
        record,
        watch: newWatch('back d1', NOW - TIMEOUT_MS),
        world: { ...crashed, blocked: 'no net' },
      },
      { ...rest, phase: 'stuck', events: ['unit stuck'] },
    ],
    [
      'goes on where the unit left the repository',
      { record, world: crashed },
      { ...rest, phase: 'rolling-back', attempt: 'd1', calls: ['web=good 1'] },
    ],
  ]);
});

describe('reverting', () => {
  const record = known({ phase: 'reverting', quarantine: ['crash'] });
  const rest = { quarantine: ['crash: crashed'] };
  const task = asUsual.services['web']?.task ?? '';
  const wants = git.crash;
  const unready = change(asUsual, 'web', { ready: false });
  check([
    [
      'waits until it is stable',
      { wants, record, watch: steady('back d1', STABLE_MS - 1, task), world: asUsual },
      { ...rest, phase: 'reverting', attempt: 'd1' },
    ],
    [
      'has come back when it was stable for long enough',
      { wants, record, watch: steady('back d1', STABLE_MS, task), world: asUsual },
      { ...rest, events: ['unit rolled back'] },
    ],
    [
      'starts its clock anew after a restart',
      { wants, record, world: asUsual },
      { ...rest, phase: 'reverting', attempt: 'd1' },
    ],
    [
      'is stuck after a certain failure: nothing is rolled back twice',
      {
        wants,
        record: known({
          phase: 'reverting',
          quarantine: ['crash'],
          releases: [unitOf('d1', { web: 'crash 1' }), git.d3],
        }),
        world: crashed,
      },
      { ...rest, phase: 'stuck', releases: ['d1', 'd3'], events: ['unit stuck'] },
    ],
    [
      'is stuck without progress for too long',
      { wants, record, watch: waiting('back d1', TIMEOUT_MS), world: unready },
      { ...rest, phase: 'stuck', events: ['unit stuck'] },
    ],
    [
      'waits for a cause outside',
      {
        wants,
        record,
        watch: waiting('back d1', TIMEOUT_MS - 500),
        world: { ...unready, outside: 'registry away' },
      },
      { ...rest, phase: 'reverting', attempt: 'd1', events: ['unit waiting'] },
    ],
    [
      'applies again what somebody changed meanwhile',
      { wants, record, watch: { ...newWatch('back d1', NOW), rounds: 1 }, world: gone },
      { ...rest, phase: 'reverting', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'ends also where the unit left the repository',
      { record, watch: steady('back d1', STABLE_MS, task), world: asUsual },
      { ...rest, events: ['unit rolled back'] },
    ],
    [
      'waits for a cause outside also where the unit left the repository',
      {
        record,
        watch: waiting('back d1', TIMEOUT_MS - 500),
        world: { ...unready, outside: 'registry away' },
      },
      { ...rest, phase: 'reverting', attempt: 'd1', events: ['unit waiting'] },
    ],
  ]);

  it('notes lost nodes also where the unit left the repository', () => {
    const result = look({ record, world: { ...asUsual, away: ['n1'] } });
    expect(watchIn(result).lost).toEqual(['n1']);
  });
});

describe('the way back', () => {
  it('does not count old failures of a service that only the release has', () => {
    const both = unitOf('d1', { web: 'good 1', worker: 'crash 9' });
    const old = tick(tick(running({ web: 'good 1', worker: 'crash 9' })));
    const world = change(put(old, 'web', { text: 'crash 1', replicas: 1 }), 'worker', {
      ready: true,
    });
    const record = known({ phase: 'applying', attempt: 'crash', releases: [both] });
    const failed = look({ wants: git.crash, record, world, refusal: refused });
    const back = failed.units.get(ID);
    const there = change(world, 'web', { text: 'good 1', ready: true });
    const looked = look({ wants: git.crash, ...(back && { record: back }), world: there });
    expect(outcome(looked)).toMatchObject({ phase: 'reverting', events: [] });
  });

  it('asks the questions of a release also where the unit left the repository', () => {
    const asking = {
      ...unitKind,
      restore: () => unitOf('d1', { web: 'good 1' }, { check: true }),
    };
    const record = known({ phase: 'reverting', quarantine: ['crash'] });
    const { asks } = look({ record, world: asUsual, kind: asking });
    expect(asks.map(({ name }) => name)).toEqual([CHECK]);
  });
});

describe('stuck', () => {
  const record = known({ phase: 'stuck', stuck: 'crash', quarantine: ['crash'] });
  const rest = { quarantine: ['crash: crashed'] };
  check([
    [
      'calls nothing, whatever differs',
      { wants: git.crash, record, world: gone },
      { ...rest, phase: 'stuck', held: 'stuck: w' },
    ],
    [
      'calls nothing where the release itself is wanted and failed',
      { wants: git.d1, record: known({ phase: 'stuck', stuck: 'd1' }), world: gone },
      { phase: 'stuck', held: 'stuck: w' },
    ],
    [
      'waits with another quarantined digest',
      {
        wants: git.hold,
        record: known({ phase: 'stuck', stuck: 'crash', quarantine: ['crash', 'hold'] }),
        world: gone,
      },
      { phase: 'stuck', quarantine: ['hold: crashed', 'crash: crashed'], held: 'stuck: w' },
    ],
    [
      'begins an attempt at the last healthy release where the repository goes back to it',
      { wants: git.d1, record, world: gone },
      { ...rest, phase: 'applying', attempt: 'd1', calls: ['web=good 1'] },
    ],
    [
      'begins again after a retry',
      { wants: git.crash, record, world: gone, requests: [retry] },
      { phase: 'applying', attempt: 'crash', calls: ['web=crash 1'], events: ['request taken'] },
    ],
    [
      'is left alone outside of the repository where nothing may be removed',
      { record, world: gone },
      { ...rest, phase: 'stuck', held: 'its removal waits: nothing is removed for now' },
    ],
  ]);

  it('is verified anew after a retry where the repository wants the release itself', () => {
    const failed = known({ phase: 'stuck', stuck: 'd1' });
    const result = look({ wants: git.d1, record: failed, world: gone, requests: [retry] });
    expect(outcome(result)).toMatchObject({ attempt: 'd1', calls: ['web=good 1'] });
    expect(result.views[0]?.pending).toBe(true);
  });

  it('does not give up a digest that only waited for a gate', () => {
    const back = known({ phase: 'rolling-back', quarantine: ['crash'] });
    const shut = { ...crashed, blocked: 'no net' };
    const failed = look({ wants: git.d2, record: back, world: shut, refusal: refused });
    const record = failed.units.get(ID);
    expect(record?.phase).toBe('stuck');
    const opened = look({ wants: git.d2, ...(record && { record }), world: crashed });
    expect(outcome(opened)).toMatchObject({ phase: 'applying', attempt: 'd2' });
  });
});

describe.each(['rolling-back', 'reverting', 'stuck'] as const)('%s', (phase) => {
  const record = known({
    phase,
    stuck: 'crash',
    quarantine: ['crash'],
    releases: [git.d1, git.d3],
  });
  const start = phase === 'stuck' ? record : unstuck(record);
  const rest = { quarantine: ['crash: crashed'], releases: ['d1', 'd3'] };
  check([
    [
      'begins an attempt at a new digest',
      { wants: git.d2, record: start, world: crashed },
      { ...rest, phase: 'applying', attempt: 'd2', calls: ['web=good 2'] },
    ],
    [
      'begins an attempt at an earlier release',
      { wants: git.d3, record: start, world: crashed },
      { ...rest, phase: 'applying', attempt: 'd3', calls: ['web=good 3'] },
    ],
  ]);

  it('leaves nothing of being stuck behind', () => {
    const { units } = look({ wants: git.d2, record: start, world: crashed });
    expect(units.get(ID)?.stuck).toBeUndefined();
  });
});

describe('rolling-back with a new digest that cannot begin', () => {
  const record = known({ phase: 'rolling-back', quarantine: ['crash'] });
  it('finishes the way back first', () => {
    // The gate is shut for what is new only: here by a need of its own.
    const shut = {
      ...unitKind,
      diff: (unit: Rendered<UnitSpec>, seen: UnitWorld) => {
        const difference = unitKind.diff(unit, seen);
        const blocked = [{ target: 'x', why: 'no net', waits: true }];
        return unit.digest === 'd2' ? { ...difference, blocked } : difference;
      },
    };
    const { units, work } = look({ wants: git.d2, record, world: asUsual, kind: shut });
    expect(units.get(ID)).toMatchObject({ phase: 'reverting', attempt: { digest: 'd1' } });
    expect(work).toEqual([]);
  });
});

describe.each(['none', 'applying', 'verifying', 'rolling-back', 'reverting', 'stuck'] as const)(
  '%s, and a person asks to go back',
  (phase) => {
    const forward = phase === 'applying' || phase === 'verifying';
    const releases = phase === 'none' ? [git.d2, git.d1, git.d3] : [git.d1, git.d3];
    const record = known({
      phase,
      releases,
      ...(forward && { attempt: 'd2' }),
      ...(phase === 'stuck' && { stuck: 'd2' }),
    });
    check([
      [
        'to the last healthy release before',
        { wants: git.d2, record, world: newer, requests: [rollback] },
        {
          phase: 'rolling-back',
          attempt: 'd1',
          calls: ['web=good 1'],
          quarantine: ['d2: manual'],
          releases: phase === 'none' ? ['d2', 'd1', 'd3'] : ['d1', 'd3'],
          events: ['request taken'],
        },
      ],
      [
        'to a named one, which stays in its place until it is healthy',
        {
          wants: git.d2,
          record,
          world: newer,
          requests: [{ ...rollback, release: 'r-d3' }],
          refusal: refused,
        },
        {
          phase: 'rolling-back',
          attempt: 'd3',
          calls: ['web=good 3'],
          quarantine: ['d2: manual'],
          releases: phase === 'none' ? ['d2', 'd1', 'd3'] : ['d1', 'd3'],
          events: ['request taken'],
        },
      ],
    ]);
  },
);

describe('what happens when', () => {
  it('looks again soon after a failure, at the pace of health, when a call is due, and else at leisure', () => {
    const { d1, d2 } = git;
    const back = postponed(newWatch('to d2', NOW), { why: 'w', refused: false }, 4_000, NOW);
    const drift = postponed(newWatch('none', NOW), { why: 'w', refused: false }, 4_000, NOW);
    const applying = known({ phase: 'applying', attempt: 'd2' });
    const verifying = known({ phase: 'verifying', attempt: 'd2' });
    const wakes = [
      look({ wants: d1, ...at({}) }),
      look({ wants: d2, ...at({}) }),
      look({ wants: d2, record: verifying, world: starting }),
      look({ wants: d2, record: applying, watch: back, world: asUsual }),
      look({ wants: d2, record: applying, world: asUsual, refusal: refused }),
      look({ wants: d2, ...at({}), world: { ...asUsual, blocked: 'no net' } }),
      look({ wants: d1, record: known({}), watch: drift, world: gone }),
    ].map(({ wakeMs }) => wakeMs);
    expect(wakes).toEqual([300_000, 0, 1_000, 2_000, 0, 5_000, 4_000]);
  });

  it('keeps the same record where nothing changed', () => {
    const record = known({});
    expect(look({ wants: git.d1, record, world: asUsual }).units.get(ID)).toBe(record);
  });
});

/** A settled unit in a world that runs its release. */
function at(extra: Known): Pick<Start, 'record' | 'world'> {
  return { record: known(extra), world: asUsual };
}

function unreadable(extra: Known): UnitRecord {
  const record = known(extra);
  return { ...record, releases: record.releases.map((one) => ({ ...one, content: 'x' })) };
}

function unstuck(record: UnitRecord): UnitRecord {
  const { stuck: _stuck, ...rest } = record;
  return rest;
}

function asWatch(watch: Watch | undefined): { readonly watch?: Watch } {
  return watch ? { watch } : {};
}

function watchIn({ watches }: Step<UnitCall>): Watch {
  const watch = watches.get(ID);
  if (watch === undefined) throw new Error('no watch');
  return watch;
}

describe('what must not go wrong at night', () => {
  it('what would run again is never changed back, only told', () => {
    const rerun = {
      ...unitKind,
      diff: (unit: Rendered<UnitSpec>, seen: UnitWorld) => {
        const { operations, ...rest } = unitKind.diff(unit, seen);
        return {
          ...rest,
          operations: operations.map((one) => ({ ...one, reruns: true as const })),
        };
      },
    };
    const drifted = look({ wants: git.d1, record: known({}), world: gone, kind: rerun });
    expect(outcome(drifted)).toMatchObject({ phase: 'none', calls: [], held: undefined });
    expect(drifted.views[0]?.notes).toEqual([expect.stringContaining('left as it is')]);
    const anew = look({ wants: git.d2, record: known({}), world: gone, kind: rerun });
    expect(outcome(anew)).toMatchObject({ phase: 'applying', calls: ['web=good 2'] });
  });

  it('a newer digest that cannot begin leaves nothing unjudged: what was healthy comes back', () => {
    for (const phase of ['applying', 'verifying'] as const) {
      const record = known({ phase, attempt: 'crash' });
      const shut = {
        ...unitKind,
        diff: (unit: Rendered<UnitSpec>, seen: UnitWorld) => {
          const difference = unitKind.diff(unit, seen);
          const blocked = [{ target: 'x', why: 'no net', waits: true }];
          return unit.digest === 'd2' ? { ...difference, blocked } : difference;
        },
      };
      const back = look({ wants: git.d2, record, world: crashed, kind: shut });
      expect(outcome(back)).toMatchObject({
        attempt: 'd1',
        calls: ['web=good 1'],
        quarantine: [],
        events: ['unit superseded'],
      });
      const after = back.units.get(ID);
      expect(
        outcome(look({ wants: git.d2, ...at({}), ...(after && { record: after }) })),
      ).toMatchObject({
        phase: 'applying',
        attempt: 'd2',
      });
    }
  });

  it('where the mode says hold what was overtaken stays as it is until the newer digest can begin', () => {
    const shut = {
      ...unitKind,
      diff: (unit: Rendered<UnitSpec>, seen: UnitWorld) => {
        const difference = unitKind.diff(unit, seen);
        const blocked = [{ target: 'x', why: 'no net', waits: true }];
        return unit.digest === 'd2' ? { ...difference, blocked } : difference;
      },
    };
    const wants = unitOf('d2', { web: 'good 2' }, { mode: 'hold' });
    for (const phase of ['applying', 'verifying'] as const) {
      const record = known({ phase, attempt: 'crash' });
      const start = { wants, record, world: crashed };
      const waits = look({ ...start, kind: shut });
      expect(waits.units.get(ID)).toBe(record);
      expect(outcome(waits)).toMatchObject({
        calls: [],
        events: [],
        held: 'no net; until then what was begun before stays as it is',
      });
      expect(waits.views[0]).toMatchObject({ pending: true, blocked: [{ why: 'no net' }] });
      expect(waits.wakeMs).toBe(2_000);
      const opened = look({ ...start, watch: watchIn(waits) });
      expect(outcome(opened)).toMatchObject({ attempt: 'd2', calls: ['web=good 2'] });
    }
  });

  it('what the engine refuses for the whole timeout has failed, on either way', () => {
    const refusedFor = (of: string, ms: number): Watch => ({
      ...newWatch(of, NOW - ms),
      tries: 9,
      trouble: 'service web: port taken',
      refusedSinceMs: NOW - ms,
    });
    const timeout = unitKind.times(git.d2).timeoutMs;
    const forward = known({ phase: 'applying', attempt: 'd2' });
    const on = (ms: number): Outcome =>
      outcome(
        look({ wants: git.d2, record: forward, world: asUsual, watch: refusedFor('to d2', ms) }),
      );
    expect(on(timeout - 1)).toMatchObject({ phase: 'applying' });
    expect(on(timeout)).toMatchObject({ phase: 'rolling-back', quarantine: ['d2: refused'] });
    const back = known({ phase: 'rolling-back', quarantine: ['crash'] });
    const watch = refusedFor('back d1', timeout);
    const stuck = look({ wants: git.crash, record: back, world: crashed, watch });
    expect(outcome(stuck)).toMatchObject({ phase: 'stuck', events: ['unit stuck'] });
  });

  it('a release that a person chose is the last healthy one only once it is healthy', () => {
    const start = known({
      phase: 'reverting',
      attempt: 'd1',
      quarantine: ['d2'],
      releases: [git.d2, git.d1],
    });
    const long = steady('back d1', 60_000, members(asUsual));
    const arrived = look({ wants: git.d2, record: start, world: asUsual, watch: long });
    expect(outcome(arrived)).toMatchObject({ phase: 'none', releases: ['d1', 'd2'] });
    const late = waiting('back d1', 600_000);
    const world = put(asUsual, 'web', { text: 'slow 1', replicas: 1 });
    const failed = look({ wants: git.d2, record: start, world, watch: { ...late, rounds: 3 } });
    expect(outcome(failed)).toMatchObject({ phase: 'stuck', releases: ['d2', 'd1'] });
  });

  it('what only an overtaken attempt made is stopped when another digest is healthy', () => {
    const record = known({
      phase: 'verifying',
      attempt: 'd1',
      made: ['service api'],
      releases: [],
    });
    const world = put(asUsual, 'api', { text: 'good 9', replicas: 1 });
    const watch = steady('to d1', 60_000, members(world));
    const now = look({ wants: git.d1, record, world, watch });
    expect(outcome(now)).toMatchObject({ phase: 'none', releases: ['d1'] });
    const after = now.units.get(ID);
    expect(after?.made).toEqual(['service api']);
    const next = look({ wants: git.d1, world, ...(after && { record: after }) });
    expect(outcome(next).calls).toEqual(['stop api']);
  });
});

/** What a look sees run. */
function members(world: UnitWorld): string {
  const health = unitKind.health(git.d1, world, {
    baseline: new Set(),
    lost: new Set(),
    answers: new Map(),
    judged: true,
  });
  return health.status === 'converged' ? health.members : '';
}

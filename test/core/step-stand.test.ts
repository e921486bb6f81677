import { describe, expect, it } from 'vitest';

import type { Release, Rendered } from '../../agent/core/kind.ts';
import { step, type Step } from '../../agent/core/step.ts';
import type { Attempt, Phase, Quarantined, Request, UnitRecord } from '../../agent/core/unit.ts';
import { newWatch, type Watch } from '../../agent/core/watch.ts';
import {
  change,
  CHECK,
  emptyWorld,
  put,
  running,
  tick,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
} from '../fakes/unit-world.ts';

const at = '2026-11-20T10:00:00.000Z';
const NOW = 1_000_000;
const d1 = unitOf('d1', { web: 'good 1' });
const d2 = unitOf('d2', { web: 'good 2' }, { check: true });
const ID = d1.id;
const suspended = { by: 'root@m1', at };
const held = 'suspended by root@m1';
const FROZEN = 'frozen by root@m1: the storage is ill';

function release({ digest, spec }: Rendered<UnitSpec>): Release {
  const content = { services: Object.fromEntries(Object.entries(spec.services)) };
  return { digest, revision: 'r', at, content };
}

const failure = { code: 'c', why: 'w', evidence: 'e', at };
const entry: Quarantined = { digest: 'd2', revision: 'r', ...failure };

/** A unit whose last healthy release is d1; on its way to d2, or back from it. */
function known(phase: Phase, more: Partial<UnitRecord> = {}): UnitRecord {
  const isBack = phase === 'rolling-back' || phase === 'reverting';
  const attempt: Attempt = {
    digest: isBack ? 'd1' : 'd2',
    revision: 'r',
    baseline: [],
    absent: [],
  };
  return {
    phase,
    ...(phase !== 'none' && phase !== 'stuck' && { attempt }),
    ...(phase === 'stuck' && { stuck: { digest: 'd2', ...failure } }),
    quarantine: isBack || phase === 'stuck' ? [entry] : [],
    made: [],
    releases: [release(d1)],
    suspended,
    ...more,
  };
}

interface Start {
  readonly wants?: Rendered<UnitSpec> | undefined;
  readonly record?: UnitRecord;
  readonly world?: UnitWorld;
  readonly watch?: Watch;
  readonly requests?: readonly Request[];
  readonly frozen?: string;
}

const old = running({ web: 'good 1' });
const newer = tick(put(old, 'web', { text: 'good 2', replicas: 1 }));
const crashed = tick(tick(tick(put(old, 'web', { text: 'crash 1', replicas: 1 }))));

function look({ wants, record, world = old, watch, requests = [], frozen }: Start): Step<UnitCall> {
  return step({
    kind: unitKind,
    desired: wants === undefined ? [] : [wants],
    revision: 'now',
    observed: world,
    units: new Map(record && [[ID, record]]),
    watches: new Map(watch && [[ID, watch]]),
    refusals: new Map(),
    answers: new Map(),
    requests,
    ...(frozen !== undefined && { frozen }),
    nowMs: NOW,
    date: at,
    intervalMs: 300_000,
    verifyMs: 1_000,
  });
}

const phases: readonly (readonly [Phase, UnitWorld])[] = [
  ['none', old],
  ['applying', old],
  ['verifying', newer],
  ['verifying', crashed],
  ['rolling-back', newer],
  ['reverting', old],
  ['reverting', crashed],
  ['stuck', crashed],
];

describe.each([
  ['suspended', {}, held],
  ['frozen', { frozen: FROZEN }, FROZEN],
] as const)('a unit that is %s', (gate, frozen, why) => {
  const withOr = (record: UnitRecord): UnitRecord => {
    const { suspended: _suspended, ...free } = record;
    return gate === 'frozen' ? free : record;
  };

  it.each(phases)('stays in phase %s: nothing is called, recorded or told', (phase, world) => {
    const record = withOr(known(phase));
    for (const wants of [d1, d2, unitOf('d3', { web: 'good 3' })]) {
      const result = look({ wants, record, world, ...frozen });
      expect(result.work).toEqual([]);
      expect(result.units.get(ID)).toBe(record);
      expect(result.events).toEqual([]);
      expect(result.wakeMs).toBe(300_000);
      expect(result.watches.get(ID)?.stands).toBe(true);
      expect(result.views[0]).toMatchObject({ phase, gate });
    }
  });

  it('is held where something is due', () => {
    const record = withOr(known('none'));
    expect(look({ wants: d2, record, ...frozen }).views[0]?.held).toBe(why);
    const gone = change(old, 'web', { replicas: 0 });
    expect(look({ wants: d1, record, world: gone, ...frozen }).views[0]?.held).toBe(why);
    const verifying = withOr(known('verifying'));
    expect(look({ wants: d2, record: verifying, world: newer, ...frozen }).views[0]?.held).toBe(
      why,
    );
  });

  it('that nobody recorded is not begun, adopted or recorded', () => {
    const wants: Rendered<UnitSpec> = gate === 'frozen' ? d1 : { ...d1, suspended: true };
    for (const world of [emptyWorld, old, running({ web: 'good 0' })]) {
      const result = look({ wants, world, ...frozen });
      expect([result.work, result.units.size, result.events]).toEqual([[], 0, []]);
    }
  });

  it('that left the repository on its way back stays on it', () => {
    const record = withOr(known('rolling-back'));
    const result = look({ record, world: newer, ...frozen });
    expect([result.work, result.units.get(ID)]).toEqual([[], record]);
  });

  it('keeps its watch, and notes nodes that go away', () => {
    const watch = { ...newWatch('to d2', 7), members: 'a' };
    const world = { ...newer, away: ['n1'] };
    const result = look({ wants: d2, record: withOr(known('verifying')), world, watch, ...frozen });
    expect(result.watches.get(ID)).toEqual({ ...watch, lost: ['n1'], stands: true });
  });

  it('goes on being looked at and asked', () => {
    const { views, asks } = look({
      wants: d2,
      record: withOr(known('verifying')),
      world: newer,
      ...frozen,
    });
    expect(views[0]?.health?.summary).toBe('1/1');
    expect(asks.map(({ name }) => name)).toEqual([CHECK]);
  });
});

describe('a suspended unit', () => {
  it.each<[string, Start, readonly string[]]>([
    ['what is due', { wants: d2, record: known('none') }, ['service web differs: services.web']],
    [
      'drift',
      { wants: d1, record: known('none'), world: change(old, 'web', { replicas: 0 }) },
      ['service web differs: services.web'],
    ],
    ['nothing where nothing differs', { wants: d1, record: known('none') }, []],
    [
      'what differs from the release, where what is wanted failed',
      { wants: d2, record: known('none', { quarantine: [entry] }), world: newer },
      ['service web differs: services.web'],
    ],
    [
      'what is missing',
      { wants: { ...d1, suspended: true }, world: emptyWorld },
      ['service web is not there'],
    ],
  ])('shows %s', (_what, start, notes) => {
    expect(look(start).views[0]?.notes).toEqual(notes);
  });

  it('says who suspended it, and needs no person to be suspended', () => {
    const byFile: Rendered<UnitSpec> = { ...d2, suspended: true };
    const { suspended: _suspended, ...free } = known('none');
    expect(look({ wants: byFile, record: free }).views[0]?.held).toBe(
      'suspended by the repository',
    );
    expect(look({ wants: byFile, record: known('none') }).views[0]?.held).toBe(held);
    expect(look({ wants: d2, record: free }).work).toHaveLength(1);
  });

  it.each<[string, Start, boolean]>([
    ['what is due', { wants: d2, record: known('none') }, true],
    ['what is under way', { wants: d2, record: known('verifying'), world: newer }, true],
    ['what was never there', { wants: { ...d1, suspended: true }, world: emptyWorld }, true],
    [
      'what was there and differs',
      { wants: { ...d1, suspended: true }, world: running({ web: 'good 0' }) },
      true,
    ],
    ['nothing, where what is wanted is in place', { wants: d1, record: known('none') }, false],
    [
      'nothing, where what is wanted failed',
      { wants: d2, record: known('none', { quarantine: [entry] }) },
      false,
    ],
  ])('keeps no revision waiting, which is told that it lacks %s', (_what, start, leftOut) => {
    const [view] = look(start).views;
    expect([view?.pending, view?.leftOut === true]).toEqual([false, leftOut]);
  });
});

describe('a request to suspend or to resume', () => {
  const suspend: Request = { id: ID, by: 'root@m2', verb: 'suspend' };
  const resume: Request = { id: ID, by: 'root@m2', verb: 'resume' };
  const free = (phase: Phase): UnitRecord => {
    const { suspended: _suspended, ...rest } = known(phase);
    return rest;
  };

  it.each(phases)('holds a unit in phase %s at once, and lets it go on', (phase, world) => {
    const held = look({ wants: d2, record: free(phase), world, requests: [suspend] });
    const record = held.units.get(ID);
    expect(record).toEqual({ ...free(phase), suspended: { by: 'root@m2', at } });
    expect(held.work).toEqual([]);
    const after = look({ wants: d2, record: known(phase), world, requests: [resume] });
    const before = look({ wants: d2, record: free(phase), world });
    expect(after.work).toEqual(before.work);
    expect(after.units).toEqual(before.units);
  });

  it.each<[string, Request, Start, string]>([
    [
      'suspended twice',
      suspend,
      { wants: d1, record: known('none') },
      'it is suspended already, by root@m1',
    ],
    ['resumed without', resume, { wants: d1, record: free('none') }, 'it is not suspended'],
    [
      'resumed against the repository',
      resume,
      { wants: { ...d1, suspended: true }, record: free('none') },
      'the repository suspends it: take `suspend` out of its file',
    ],
    [
      'not recorded',
      suspend,
      { wants: d1 },
      'there is no such unit in the repository, or nothing is recorded of it yet',
    ],
  ])('is refused for what is %s', (_what, request, start, why) => {
    const { events } = look({ ...start, requests: [request] });
    expect(events).toContainEqual(expect.objectContaining({ event: 'request refused', why }));
  });

  it('is taken for what left the repository', () => {
    const { units } = look({ record: known('rolling-back'), world: newer, requests: [resume] });
    expect(units.get(ID)?.suspended).toBeUndefined();
  });

  it('is not taken while everything is frozen', () => {
    const result = look({ wants: d1, record: free('none'), requests: [suspend], frozen: FROZEN });
    expect([result.units.get(ID), result.events]).toEqual([free('none'), []]);
  });

  it('lets a person choose the way before it goes on: nothing is called until then', () => {
    const rollback: Request = { id: ID, by: 'root@m2', verb: 'rollback' };
    const asked = look({
      wants: d2,
      record: known('verifying'),
      world: newer,
      requests: [rollback],
    });
    expect(asked.work).toEqual([]);
    const record = asked.units.get(ID);
    expect(record).toMatchObject({ phase: 'rolling-back', suspended });
    const after = look({ wants: d2, ...(record && { record }), world: newer, requests: [resume] });
    expect(after.work).toHaveLength(1);
  });
});

import { describe, expect, it } from 'vitest';

import type { Approval } from '../../agent/core/approve.ts';
import { digestOf } from '../../agent/core/digest.ts';
import type { First } from '../../agent/core/first.ts';
import type { Failure, Id, Release, Rendered } from '../../agent/core/kind.ts';
import type { Removals } from '../../agent/core/removal.ts';
import { step, type Step } from '../../agent/core/step.ts';
import type { Quarantined, UnitRecord } from '../../agent/core/unit.ts';
import { newWatch, type Watch } from '../../agent/core/watch.ts';
import { unitCalled, type Worlds, type WorldsCall, worldsKind } from '../fakes/many-units.ts';
import {
  change,
  emptyWorld,
  running,
  TIMEOUT_MS,
  type UnitSpec,
  type UnitWorld,
} from '../fakes/unit-world.ts';

type Unit = Rendered<UnitSpec>;

const DATE = '2026-11-20T10:00:00.000Z';
const NOW = 1_000_000;
const OLD: Id = 'stack/blog';
const NEW: Id = 'stack/weblog';

const old = unitCalled('blog', 'good 1');
const named: Unit = { ...unitCalled('weblog', 'good 1'), movedFrom: OLD };
const runs = running({ web: 'good 1' });
const still = change(runs, 'web', { replicas: 0 });
const usual: Removals = { policy: { max: 0, share: 0 }, rewound: false };

function release({ digest, spec }: Unit): Release {
  const services = Object.fromEntries(Object.entries(spec.services));
  return { digest, revision: `r-${digest}`, at: DATE, content: { services } };
}

function known(unit: Unit, parts: Partial<UnitRecord> = {}): UnitRecord {
  return { phase: 'none', quarantine: [], made: [], releases: [release(unit)], ...parts };
}

const standing = known(old, { movedTo: NEW });
const attempt = { digest: named.digest, revision: 'r2', baseline: [], absent: [] };
const failure: Failure = { code: 'c', why: 'w', evidence: 'e' };
const entry: Quarantined = { ...failure, digest: named.digest, revision: 'r2', at: DATE };
const tried = (phase: 'applying' | 'verifying' | 'rolling-back'): UnitRecord =>
  known(named, { phase, attempt, releases: [], movedFrom: OLD });
const failed = known(named, { releases: [], quarantine: [entry], movedFrom: OLD });

interface Start {
  readonly wants?: readonly Unit[];
  readonly old?: UnitRecord;
  readonly successor?: UnitRecord;
  /** Of another one that left, of which nothing runs. */
  readonly also?: UnitRecord;
  readonly oldWorld?: UnitWorld;
  readonly world?: UnitWorld;
  readonly watch?: Watch;
  /** Of the one that takes the place. */
  readonly ownWatch?: Watch;
  /** What it says before its first call. */
  readonly first?: First;
  readonly absent?: readonly string[];
  readonly nowMs?: number;
  readonly removals?: Removals;
  readonly mayRemove?: boolean;
  readonly approved?: readonly Approval[];
}

function look(start: Start): Step<WorldsCall> {
  const worlds: Worlds = { [OLD]: start.oldWorld ?? runs, [NEW]: start.world ?? emptyWorld };
  const { successor, watch, ownWatch, first, absent = [] } = start;
  return step({
    kind: { ...worldsKind, absent: () => absent, ...(first && { first: () => first }) },
    desired: start.wants ?? [named],
    revision: 'r2',
    observed: worlds,
    units: new Map([
      [OLD, start.old ?? known(old)],
      ...(successor ? ([[NEW, successor]] as const) : []),
      ...(start.also ? ([['stack/shop', start.also]] as const) : []),
    ]),
    watches: new Map([
      ...(watch ? ([[OLD, watch]] as const) : []),
      ...(ownWatch ? ([[NEW, ownWatch]] as const) : []),
    ]),
    refusals: new Map(),
    answers: new Map(),
    requests: [],
    approved: start.approved ?? [],
    removals: start.removals ?? usual,
    mayRemove: start.mayRemove ?? true,
    nowMs: start.nowMs ?? NOW,
    date: DATE,
    intervalMs: 300_000,
    verifyMs: 1_000,
  });
}

/** `blog stop web`. */
const callsOf = ({ work }: Step<WorldsCall>): readonly string[] =>
  work.flatMap(({ operations }) =>
    operations.map(({ call: { id, call } }) => `${id.slice(6)} ${call.op} ${call.name}`),
  );
const heldOf = ({ views }: Step<WorldsCall>, of: Id): string | undefined =>
  views.find(({ id }) => id === of)?.held;

describe('a successor that was found and was never healthy', () => {
  const found = known(named, {
    releases: [{ ...release(named), unproven: true }],
    movedFrom: OLD,
  });
  const ill = change(runs, 'web', { ready: false });

  it('has not taken the place: what it follows runs on', () => {
    const result = look({ successor: found, world: ill });
    expect(callsOf(result)).toEqual([]);
    expect(result.units.get(OLD)).toEqual(known(old));
  });
});

describe('a stack that takes the place of another one', () => {
  it('waits until that one stands still, which is recorded before it is stopped', () => {
    const result = look({});
    expect(callsOf(result)).toEqual(['blog stop web']);
    expect(result.units.get(OLD)).toEqual({
      ...known(old),
      movedTo: NEW,
      made: ['service web'],
    });
    expect(result.units.has(NEW)).toBe(false);
    expect(result.events).toEqual([{ event: 'unit making place', id: OLD, to: NEW }]);
    expect(heldOf(result, NEW)).toBe(`waits for ${OLD}, whose place it takes, to stand still`);
    expect(result.views.map(({ id, pending }) => [id, pending])).toEqual([
      [NEW, true],
      [OLD, true],
    ]);
  });

  it.each<[string, Start, readonly string[]]>([
    ['it is told to', { oldWorld: runs }, ['blog stop web']],
    ['its tasks end', { oldWorld: { ...still, ending: 'tasks still run' } }, []],
  ])('waits while %s, and begins then', (_what, start, calls) => {
    const waits = look({ ...start, old: standing });
    expect([callsOf(waits), waits.units.has(NEW)]).toEqual([calls, false]);
    const begins = look({ old: standing, oldWorld: still });
    expect(callsOf(begins)).toEqual(['weblog set web']);
    expect(begins.units.get(NEW)).toMatchObject({ phase: 'applying', movedFrom: OLD });
  });

  it('has failed where that one does not stand still in the time that it has itself', () => {
    const oldWorld = { ...still, ending: 'tasks still run' };
    const watch = newWatch('making place', NOW - TIMEOUT_MS);
    const result = look({ old: standing, oldWorld, watch });
    expect(result.units.get(NEW)?.quarantine).toMatchObject([
      { code: 'no-place', evidence: 'tasks still run' },
    ]);
    const early = look({
      old: standing,
      oldWorld,
      watch: { ...watch, membersSinceMs: watch.membersSinceMs + 1 },
    });
    expect(early.units.has(NEW)).toBe(false);
  });

  it('has that one back whatever its mode is, because nothing of it ran', () => {
    const oldWorld = { ...still, ending: 'tasks still run' };
    const watch = newWatch('making place', NOW - TIMEOUT_MS);
    const holding = { ...unitCalled('weblog', 'good 1', [], { mode: 'hold' }), movedFrom: OLD };
    const result = look({ wants: [holding], old: standing, oldWorld, watch });
    expect(result.units.get(NEW)).toMatchObject({
      phase: 'none',
      quarantine: [{ code: 'no-place' }],
    });
    const successor = result.units.get(NEW);
    const after = look({
      wants: [holding],
      old: standing,
      oldWorld: still,
      ...(successor && { successor }),
    });
    expect(after.units.get(OLD)).toMatchObject({ phase: 'rolling-back' });
  });

  const other = unitCalled('shop', 'good 1');
  const settledShop = known(other);
  it.each<[string, Start, string | undefined]>([
    [
      'another one is under way',
      { also: tried('verifying'), wants: [named, other] },
      'stack/shop, which is not settled',
    ],
    [
      'another one failed',
      {
        also: known(other, { quarantine: [{ ...entry, digest: other.digest }] }),
        wants: [named, other],
      },
      'stack/shop, which is not settled',
    ],
    [
      'another one that left is still there',
      { also: settledShop, wants: [named] },
      'stack/shop, which left, to be gone',
    ],
    [
      'another move comes first',
      {
        also: settledShop,
        wants: [named, { ...unitCalled('a', 'good 1'), movedFrom: 'stack/shop' }],
      },
      'stack/a, which takes the place of another one first',
    ],
    ['all else is in place', { also: settledShop, wants: [named, other] }, undefined],
  ])('begins only while nothing else can come between: %s', (_what, start, why) => {
    const result = look(start);
    expect(heldOf(result, NEW)).toContain(why ?? 'to stand still');
    expect(result.units.get(OLD)?.movedTo).toBe(why === undefined ? NEW : undefined);
    expect(callsOf(result).filter((call) => call.startsWith('blog'))).toEqual(
      why === undefined ? ['blog stop web'] : [],
    );
  });

  it('lets what else left go first, in the same commit', () => {
    const removals: Removals = { policy: { max: 9, share: 100 }, rewound: false };
    const result = look({ also: settledShop, removals });
    expect(heldOf(result, NEW)).toBe('waits for stack/shop, which left, to be gone');
    expect(result.units.get(OLD)).toEqual(known(old));
    // Nothing runs of the other one here, so it is gone at once.
    expect(result.units.has('stack/shop')).toBe(false);
  });

  it('keeps what the other one took the place of before, for a person', () => {
    const removals: Removals = { policy: { max: 9, share: 100 }, rewound: false };
    const middle = known(old, { quarantine: [entry], releases: [], movedFrom: 'stack/shop' });
    const result = look({ old: middle, also: settledShop, oldWorld: still, removals });
    expect(result.units.get('stack/shop')).toEqual(settledShop);
    expect(callsOf(result)).toEqual([]);
    expect(result.views.find(({ id }) => id === NEW)).toMatchObject({ waits: 'by-hand' });
  });

  it('is no reason to remove what stands in for it while it cannot come back itself', () => {
    // The repository went back to the old name, and the old one waits for something.
    const result = look({
      wants: [old],
      old: standing,
      oldWorld: { ...still, blocked: 'no network' },
      successor: known(named, { movedFrom: OLD }),
      world: runs,
      removals: { policy: { max: 9, share: 100 }, rewound: false },
    });
    expect(result.units.get(NEW)).toMatchObject({ phase: 'none' });
    expect(callsOf(result)).toEqual([]);
  });

  it.each<[string, Start]>([
    ['lacks something', { world: { ...emptyWorld, blocked: 'no network' } }],
    ['is suspended by the repository', { wants: [{ ...named, suspended: true }] }],
    [
      'waits for another one',
      { wants: [unitCalled('db', 'slow 1'), { ...named, dependsOn: ['stack/db'] }] },
    ],
    ['has failed before', { successor: failed }],
  ])('leaves that one alone while it %s', (_what, start) => {
    const result = look(start);
    expect(callsOf(result).filter((call) => call.startsWith('blog'))).toEqual([]);
    expect(result.units.get(OLD)).toEqual(known(old));
  });

  it.each<[string, Start, string]>([
    ['nothing may be removed', { mayRemove: false }, 'nothing is removed for now'],
    ['a list is short', { removals: { ...usual, off: 'short' } }, 'short'],
  ])('leaves that one alone while %s', (_what, start, why) => {
    const result = look(start);
    expect([callsOf(result), heldOf(result, OLD)]).toEqual([
      [],
      `that ${NEW} takes its place waits: ${why}`,
    ]);
  });

  it.each<[string, Start, RegExp]>([
    ['it left with a rewind', { removals: { ...usual, rewound: true } }, /does not descend/],
    ['its own file said so', { old: known(old, { removal: 'hold' }) }, /said `removal: hold`/],
  ])('is held where %s, and goes on once that is approved', (_what, start, why) => {
    const held = look(start);
    expect([callsOf(held), heldOf(held, OLD)]).toEqual([[], expect.stringMatching(why)]);
    const digest = worldsDigest(held);
    const asked = { digest, by: 'root@m1' };
    const result = look({ ...start, approved: [asked] });
    expect(callsOf(result)).toEqual(['blog stop web']);
    // Released once: the rest of the move follows from it.
    const goesOn = look({
      ...start,
      old: standing,
      oldWorld: still,
      successor: known(named),
      world: runs,
    });
    expect(goesOn.units.get(OLD)?.phase).toBe('removing');
  });

  function worldsDigest(held: Step<WorldsCall>): string {
    const short = /approve ([0-9a-f]{12})/.exec(heldOf(held, OLD) ?? '')?.[1] ?? '';
    const result = step({
      kind: worldsKind,
      desired: [named],
      revision: 'r2',
      observed: { [OLD]: runs },
      units: held.units,
      watches: new Map(),
      refusals: new Map(),
      answers: new Map(),
      requests: [{ verb: 'approve', digest: short, by: 'root@m1' }],
      removals: { ...usual, rewound: true },
      nowMs: NOW,
      date: DATE,
      intervalMs: 300_000,
      verifyMs: 1_000,
    });
    return result.approved[0]?.digest ?? '';
  }

  it('keeps the place while it is tried or goes back, also where somebody starts that one', () => {
    for (const phase of ['applying', 'verifying', 'rolling-back'] as const) {
      const start = { old: standing, successor: tried(phase), world: still };
      expect(look({ ...start, oldWorld: still }).units.get(OLD)).toBe(standing);
      expect(callsOf(look({ ...start, oldWorld: runs }))).toContain('blog stop web');
    }
  });

  it('is followed by the removal of that one once it is in place, whatever may be removed else', () => {
    const result = look({ old: standing, oldWorld: still, successor: known(named), world: runs });
    expect(callsOf(result)).toEqual(['blog remove web']);
    expect(result.units.get(OLD)).toMatchObject({ phase: 'removing' });
    expect(result.units.get(OLD)?.movedTo).toBeUndefined();
    const later = { old: standing, oldWorld: still, successor: known(named), world: runs };
    const waits = look({ ...later, mayRemove: false });
    expect([callsOf(waits), waits.units.get(OLD)]).toEqual([[], standing]);
    // The revision has not ended before that.
    expect(waits.views.find(({ id }) => id === OLD)?.pending).toBe(true);
  });

  it('takes nothing from what may be removed else', () => {
    const result = look({
      old: standing,
      oldWorld: still,
      successor: known(named),
      world: runs,
      also: known(old),
      removals: { ...usual, policy: { max: 1, share: 100 } },
    });
    expect([callsOf(result), result.units.has('stack/also')]).toEqual([['blog remove web'], false]);
  });

  it('gives the place back where it failed, as soon as it stands still itself', () => {
    const made = { ...failed, made: ['service web'] };
    const start = { old: standing, oldWorld: still, successor: made };
    expect(callsOf(look({ ...start, world: runs }))).toEqual(['weblog stop web']);
    const ending = { ...still, ending: 'tasks still run' };
    expect(callsOf(look({ ...start, world: ending }))).toEqual([]);
    const result = look({ ...start, world: still });
    expect(callsOf(result)).toEqual(['blog set web']);
    expect(result.units.get(OLD)).toMatchObject({
      phase: 'rolling-back',
      attempt: { digest: old.digest },
    });
    expect(result.units.get(OLD)?.movedTo).toBeUndefined();
    expect(result.events).toMatchObject([{ event: 'unit coming back', id: OLD, because: NEW }]);
    expect(result.views.find(({ id }) => id === OLD)).toMatchObject({ pending: true, left: true });
  });

  it('leaves that one at a standstill where a person decides what follows', () => {
    const stuck: UnitRecord = {
      ...failed,
      phase: 'stuck',
      stuck: { ...failure, digest: named.digest, at: DATE },
    };
    const result = look({ old: standing, oldWorld: still, successor: stuck, world: runs });
    expect([callsOf(result), result.units.get(OLD)]).toEqual([[], standing]);
    expect(heldOf(result, OLD)).toBe(`it stands still for ${NEW}, which is stuck`);
    expect(result.views.find(({ id }) => id === OLD)?.pending).toBe(false);
  });

  it('gives the place back where it may not begin for a while', () => {
    const start = {
      old: standing,
      oldWorld: still,
      world: { ...emptyWorld, blocked: 'no network' },
    };
    const watch = newWatch('making place', NOW - 90_000);
    const waits = look({ ...start, watch: { ...watch, progressAtMs: NOW - 59_000 } });
    expect([callsOf(waits), waits.units.get(OLD)]).toEqual([[], standing]);
    const result = look({ ...start, watch: { ...watch, progressAtMs: NOW - 60_000 } });
    expect(result.units.get(OLD)?.phase).toBe('rolling-back');
  });

  const blocked = { ...emptyWorld, blocked: 'blog has the name', owner: OLD };

  it('has that one removed first where both have the same names', () => {
    const result = look({ world: blocked });
    expect(callsOf(result)).toEqual(['blog remove web']);
    expect(result.units.get(OLD)).toMatchObject({ phase: 'removing' });
    const begins = look({
      old: known(old, { phase: 'removing', removing: [] }),
      oldWorld: emptyWorld,
    });
    expect(callsOf(begins)).toEqual(['weblog set web']);
  });

  it('does not where others use what has the name, or somebody else has it', () => {
    const used = look({ world: blocked, oldWorld: { ...runs, users: ['network is in use'] } });
    expect([callsOf(used), heldOf(used, OLD)]).toEqual([
      [],
      `${NEW} cannot take its place: both have the same names, and network is in use`,
    ]);
    expect(callsOf(look({ world: { ...blocked, owner: 'stack/shop' } }))).toEqual([]);
  });
});

describe('a repository that goes back to the name that was', () => {
  it('has the new one stopped first, although nothing says so', () => {
    const start = { wants: [old], old: standing, oldWorld: still, world: runs };
    const result = look({ ...start, successor: known(named, { movedFrom: OLD }) });
    expect(callsOf(result)).toEqual(['weblog stop web']);
    expect(result.units.get(OLD)).toBe(standing);
    expect(result.views.find(({ id }) => id === OLD)).toMatchObject({ pending: true });
    const stopped = known(named, { movedFrom: OLD, movedTo: OLD });
    const begins = look({ ...start, world: still, successor: stopped });
    expect(callsOf(begins)).toEqual(['blog set web']);
    expect(begins.units.get(OLD)).toMatchObject({ phase: 'applying' });
    expect(begins.units.get(OLD)?.movedTo).toBeUndefined();
  });

  it('begins at once where the new one never began', () => {
    const result = look({ wants: [old], old: standing, oldWorld: still });
    expect(callsOf(result)).toEqual(['blog set web']);
    expect(result.units.get(OLD)?.phase).toBe('applying');
  });

  it('brings back the last healthy one where what is wanted failed before', () => {
    const bad = { ...entry, digest: 'bad' };
    const start = { wants: [{ ...old, digest: 'bad' }], oldWorld: still };
    const result = look({ ...start, old: { ...standing, quarantine: [bad] } });
    expect(result.units.get(OLD)).toMatchObject({
      phase: 'rolling-back',
      attempt: { digest: old.digest },
    });
  });

  it.each<[string, Start]>([
    ['lacks something', { oldWorld: { ...still, blocked: 'no network' } }],
    [
      'waits for another one',
      { wants: [unitCalled('db', 'slow 1'), { ...old, dependsOn: ['stack/db'] }] },
    ],
  ])('stands still while it %s', (_what, start) => {
    const result = look({ wants: [old], old: standing, oldWorld: still, ...start });
    expect(callsOf(result).filter((call) => call.startsWith('blog'))).toEqual([]);
    expect(result.units.get(OLD)).toBe(standing);
  });

  it('runs again where neither is wanted and the new one never began', () => {
    const other = unitCalled('other', 'good 1');
    const result = look({ wants: [other], old: standing, oldWorld: still });
    expect(result.units.get(OLD)?.phase).toBe('rolling-back');
    const both = look({ wants: [other], old: standing, oldWorld: still, successor: known(named) });
    expect(both.units.get(OLD)).toBe(standing);
  });
});

describe('what a successor needs', () => {
  const asked = {
    name: 'image site:1',
    question: { ask: 'image', image: 'site:1', everyMs: 1 },
  } as const;
  const asking: First = { status: 'asking', why: 'the registry is asked', asks: [asked] };
  const clear: First = { status: 'clear', asks: [asked] };
  const missing: First = { status: 'failing', failure: { ...failure, code: 'image-missing' } };

  it('is asked for before the other one is stopped', () => {
    const result = look({ first: asking });
    expect([callsOf(result), result.asks]).toEqual([[], [asked]]);
    expect(result.units.get(OLD)).toEqual(known(old));
    expect(result.units.has(NEW)).toBe(false);
    expect(heldOf(result, NEW)).toBe(
      `the registry is asked, before anything is done to ${OLD}, whose place it takes`,
    );
    expect(result.views.find(({ id }) => id === NEW)?.pending).toBe(true);
  });

  it('and is not to be had leaves the other one as it is', () => {
    const result = look({ first: missing });
    expect([callsOf(result), result.units.get(OLD)]).toEqual([[], known(old)]);
    const failedNow = result.units.get(NEW);
    expect(failedNow?.quarantine).toMatchObject([{ code: 'image-missing' }]);
    const later = look({ first: missing, ...(failedNow && { successor: failedNow }) });
    expect([callsOf(later), later.units.get(OLD)]).toEqual([[], known(old)]);
  });

  it('and is there is asked for on, so that it is known when the other one stands still', () => {
    const stops = look({ first: clear });
    expect([callsOf(stops), stops.asks]).toEqual([['blog stop web'], [asked]]);
    const ending = look({ first: clear, old: standing, oldWorld: { ...still, ending: 'x' } });
    expect([callsOf(ending), ending.asks]).toEqual([[], [asked]]);
    const begins = look({ first: clear, old: standing, oldWorld: still });
    expect(callsOf(begins)).toEqual(['weblog set web']);
  });

  it('is asked for before the other one is removed that has its names', () => {
    const world = { ...emptyWorld, blocked: 'blog has the name', owner: OLD };
    const result = look({ first: asking, world });
    expect([callsOf(result), result.asks, result.units.get(OLD)]).toEqual([
      [],
      [asked],
      known(old),
    ]);
    const lacks = look({ first: missing, world });
    expect([callsOf(lacks), lacks.units.get(OLD)]).toEqual([[], known(old)]);
    const failedNow = lacks.units.get(NEW);
    expect(failedNow?.quarantine).toMatchObject([{ code: 'image-missing' }]);
    const later = look({ first: missing, world, ...(failedNow && { successor: failedNow }) });
    expect([callsOf(later), later.units.get(OLD)]).toEqual([[], known(old)]);
    const goes = look({ first: clear, world });
    expect([callsOf(goes), goes.asks]).toEqual([['blog remove web'], [asked]]);
    // What is being removed goes on being removed.
    const removing = known(old, { phase: 'removing', removing: [] });
    for (const first of [asking, missing]) {
      expect(look({ first, world, old: removing }).units.get(NEW)).toBeUndefined();
    }
  });

  it('keeps no other one running that was stopped for it already', () => {
    const result = look({ first: asking, old: standing, oldWorld: runs });
    expect(callsOf(result)).toEqual(['blog stop web']);
  });

  it('is waited for from when it was asked, and not for ever', () => {
    const ownWatch = look({ first: asking, nowMs: NOW - 30_000 }).watches.get(NEW);
    if (ownWatch === undefined) throw new Error('it is watched no more');
    const early = { ...ownWatch, sinceMs: NOW - 29_999 };
    expect(callsOf(look({ first: asking, ownWatch: early }))).toEqual([]);
    expect(callsOf(look({ first: asking, ownWatch }))).toEqual(['blog stop web']);
    // Where a person has to say so first it is not asked anew for as long again.
    const waits = look({ first: asking, ownWatch, old: known(old, { removal: 'hold' }) });
    expect([callsOf(waits), waits.watches.get(NEW)]).toEqual([[], ownWatch]);
    // What was waited for another digest is no reason.
    const other = { ...ownWatch, of: 'asks for another' };
    expect(callsOf(look({ first: asking, ownWatch: other }))).toEqual([]);
  });

  it('costs nobody an approval while it is asked for', () => {
    const start = { old: known(old, { removal: 'hold' as const }) };
    const objects = worldsKind.members(OLD, { [OLD]: runs }).map(({ id }) => id);
    const digest = digestOf({ move: OLD, to: NEW, objects });
    expect(heldOf(look(start), OLD)).toContain(digest.slice(0, 12));
    const approved = [{ digest, by: 'root@m1' }];
    expect(look({ ...start, first: asking, approved }).approved).toBe(approved);
    expect(callsOf(look({ ...start, first: clear, approved }))).toEqual(['blog stop web']);
  });
});

describe('a unit that does not stand still', () => {
  const oldWorld = { ...still, ending: 'tasks still run' };
  const begun = NOW - TIMEOUT_MS;
  const watch = { ...newWatch('making place', begun), lookedAtMs: NOW - 1_000 };

  /** How long it is waited for beyond the time of the other one. */
  function later(absent: readonly string[], of: Watch): number {
    const next = look({ old: standing, oldWorld, watch: of, absent, nowMs: NOW - 1 });
    return (next.watches.get(OLD)?.membersSinceMs ?? 0) - of.membersSinceMs;
  }

  it('has as much more time as a node is away, on which nobody knows what runs', () => {
    expect([later([], watch), later(['n1'], watch)]).toEqual([0, 999]);
  });

  it('has no more than five minutes so', () => {
    const long = { ...watch, sinceMs: begun - 299_500 };
    expect(later(['n1'], long)).toBe(500);
    expect(later(['n1'], { ...long, sinceMs: begun - 300_000 })).toBe(0);
  });
});

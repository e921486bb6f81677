import { describe, expect, it } from 'vitest';

import type { Approval } from '../../agent/core/approve.ts';
import type { Failure, Id, Release, Rendered } from '../../agent/core/kind.ts';
import type { Removals } from '../../agent/core/removal.ts';
import { step, type Step } from '../../agent/core/step.ts';
import type { Request, UnitRecord } from '../../agent/core/unit.ts';
import { newWatch, type Watch } from '../../agent/core/watch.ts';
import {
  call,
  change,
  put,
  running,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
  without,
} from '../fakes/unit-world.ts';

const ID: Id = 'stack/blog';
const DATE = '2026-11-20T10:00:00.000Z';
const NOW = 1_000_000;

const blog = unitOf('d1', { web: 'good 1', last: 'good 1' });
const smaller = unitOf('d2', { web: 'good 1' });
const other: Rendered<UnitSpec> = { ...unitOf('other', {}), id: 'stack/other' };
const there = running({ web: 'good 1', last: 'good 1' });
const usual: Removals = { policy: { max: 5, share: 100 }, rewound: false };

function release({ digest, spec }: Rendered<UnitSpec>): Release {
  const services = Object.fromEntries(Object.entries(spec.services));
  return { digest, revision: `r-${digest}`, at: DATE, content: { services } };
}

function known(unit: Rendered<UnitSpec>, parts: Partial<UnitRecord> = {}): UnitRecord {
  return { phase: 'none', quarantine: [], made: [], releases: [release(unit)], ...parts };
}

interface Start {
  readonly kind?: typeof unitKind;
  readonly record?: UnitRecord | undefined;
  readonly world?: UnitWorld;
  readonly wants?: Rendered<UnitSpec>;
  /** Beside the blog: at rest and healthy unless said otherwise. */
  readonly others?: readonly [Rendered<UnitSpec>, UnitRecord][];
  readonly removals?: Removals | undefined;
  readonly mayRemove?: boolean;
  readonly frozen?: string;
  readonly approved?: readonly Approval[];
  readonly requests?: readonly Request[];
  readonly watch?: Watch | undefined;
  readonly refusal?: Failure;
  readonly nowMs?: number;
}

function look(start: Start): Step<UnitCall> {
  const { record = known(blog), others = [[other, known(other)]], wants, watch, refusal } = start;
  const { removals = usual } = start;
  const units = others.map(([{ id }, one]): [Id, UnitRecord] => [id, one]);
  return step({
    kind: start.kind ?? unitKind,
    desired: [...(wants ? [wants] : []), ...others.map(([unit]) => unit)],
    revision: 'now',
    observed: start.world ?? there,
    units: new Map([...units, [ID, record]]),
    watches: new Map(watch && [[ID, watch]]),
    refusals: new Map(refusal && [[ID, refusal]]),
    answers: new Map(),
    requests: start.requests ?? [],
    approved: start.approved ?? [],
    ...('removals' in start && start.removals === undefined ? {} : { removals }),
    mayRemove: start.mayRemove ?? true,
    ...(start.frozen !== undefined && { frozen: start.frozen }),
    nowMs: start.nowMs ?? NOW,
    date: DATE,
    intervalMs: 300_000,
    verifyMs: 1_000,
  });
}

const callsOf = ({ work }: Step<UnitCall>): readonly string[] =>
  work.flatMap(({ operations }) => operations.map((one) => `${one.call.op} ${one.call.name}`));
const viewOf = ({ views }: Step<UnitCall>) => views.find(({ id }) => id === ID);

function carriedOut(world: UnitWorld, { work }: Step<UnitCall>): UnitWorld {
  let next = world;
  for (const operation of work.flatMap(({ operations }) => operations)) {
    const after = call(next, operation.call);
    if (after !== 'refused') next = after;
  }
  return next;
}

describe('a unit that left the repository', () => {
  it('is recorded with the ids of all that goes before any of it goes, and leaves the record with the last', () => {
    const first = look({});
    const record = first.units.get(ID);
    expect(record).toMatchObject({ phase: 'removing', releases: [{ digest: 'd1' }] });
    expect(record?.removing).toEqual([
      { target: 'service web', id: there.services['web']?.id },
      { target: 'service last', id: there.services['last']?.id },
    ]);
    expect(callsOf(first)).toEqual(['remove web']);
    expect(first.events).toMatchObject([
      { event: 'unit removing', targets: ['service web', 'service last'] },
    ]);
    expect(viewOf(first)).toMatchObject({ phase: 'removing', pending: true, left: true });

    const world = carriedOut(there, first);
    const second = look({ record, world });
    expect(callsOf(second)).toEqual(['remove last']);
    expect(second.units.get(ID)).toBe(record);
    const third = look({ record, world: carriedOut(world, second) });
    expect([third.units.has(ID), third.watches.has(ID), callsOf(third)]).toEqual([
      false,
      false,
      [],
    ]);
    expect(third.events).toMatchObject([{ event: 'unit removed', id: ID }]);
    expect(viewOf(third)).toBeUndefined();
  });

  it('waits while nobody knows what is there of it', () => {
    const hidden = { ...unitKind, hidden: () => 'main: no host answers' };
    const result = look({ kind: hidden });
    expect([result.units.get(ID)?.phase, callsOf(result)]).toEqual(['none', []]);
    expect(viewOf(result)?.held).toBe('its removal waits: main: no host answers');
  });

  it('says what of it stays when it is over', () => {
    const remove: typeof unitKind.remove = (...given) => ({
      ...unitKind.remove(...given),
      stays: ['database shop stays (12.3 MB)'],
    });
    const result = look({ kind: { ...unitKind, remove }, world: running({}) });
    expect(result.events.at(-1)).toMatchObject({ stays: ['database shop stays (12.3 MB)'] });
  });

  it('leaves the record at once where nothing of it is there', () => {
    const result = look({ world: running({}) });
    expect(result.units.has(ID)).toBe(false);
    expect(result.events.map(({ event }) => event)).toEqual(['unit removing', 'unit removed']);
  });

  it.each<[string, Start, string]>([
    ['this process may not', { mayRemove: false }, 'nothing is removed for now'],
    ['nobody said by which rules', { removals: undefined }, 'nothing is removed for now'],
    ['something could not be read', { removals: { ...usual, off: 'no Git' } }, 'no Git'],
    ['the repository is empty', { others: [] }, 'the repository holds nothing at all'],
    [
      'a unit that stays was never healthy',
      { others: [[other, known(other, { releases: [], quarantine: [] })]] },
      'stack/other is not settled',
    ],
    [
      'a unit that stays changes',
      { others: [[{ ...other, digest: 'newer' }, known(other)]] },
      'stack/other is not settled',
    ],
  ])('is not touched while %s', (_why, start, why) => {
    const result = look(start);
    expect([callsOf(result), result.units.get(ID)?.phase]).toEqual([[], 'none']);
    expect(viewOf(result)).toMatchObject({ held: `its removal waits: ${why}`, pending: false });
  });

  it('is held while a unit that stays failed and was never healthy', () => {
    const entry = { digest: 'other', revision: 'r', code: 'c', why: 'w', evidence: '', at: DATE };
    const failed = known(other, { releases: [], quarantine: [entry] });
    const result = look({ others: [[other, failed]] });
    expect(callsOf(result)).toEqual([]);
    expect(viewOf(result)?.held).toMatch(/^its removal is held: stack\/other failed/);
  });

  it('goes though it is stuck, and is held while another one that stays is', () => {
    const isStuck = (digest: string): Partial<UnitRecord> => ({
      phase: 'stuck',
      stuck: { digest, code: 'c', why: 'w', evidence: 'e', at: DATE },
    });
    const others: Start['others'] = [[other, known(other, isStuck('other'))]];
    const held = look({ others });
    expect(callsOf(held)).toEqual([]);
    expect(viewOf(held)?.held).toMatch(/^its removal is held: stack\/other failed, .* approve/);
    const result = look({ record: known(blog, isStuck('d1')) });
    expect(result.units.get(ID)).toMatchObject({ phase: 'removing' });
    expect(result.units.get(ID)?.stuck).toBeUndefined();
    expect(callsOf(result)).toEqual(['remove web']);
  });

  it('is held above the limit, says with which digest, and goes once that is approved', () => {
    const removals = { policy: { max: 0, share: 100 }, rewound: false };
    const held = look({ removals });
    expect(callsOf(held)).toEqual([]);
    const digest = /understudy approve ([0-9a-f]{12})`$/.exec(viewOf(held)?.held ?? '')?.[1];
    expect(viewOf(held)?.held).toMatch(/^its removal is held: 1 of 2 units left/);
    expect(held.wakeMs).toBe(300_000);
    const asked = look({
      removals,
      requests: [{ verb: 'approve', digest: digest ?? '', by: 'root@m1' }],
    });
    expect(asked).toMatchObject({ wakeMs: 0, approved: [{ by: 'root@m1' }] });
    expect(asked.events).toMatchObject([{ event: 'request taken', id: ID, verb: 'approve' }]);
    const { approved } = asked;
    const waits = look({ removals: { ...removals, off: 'no Git' }, approved });
    expect(viewOf(waits)?.held).toBe('its removal waits: no Git');
    expect(waits.approved).toBe(approved);
    const goes = look({ removals, approved });
    expect(callsOf(goes)).toEqual(['remove web']);
    expect(goes.approved).toMatchObject([{ spent: true }]);
    // One of its services was made anew meanwhile: that is not what was approved.
    const anew = put(without(there, 'web'), 'web', { text: 'good 1', replicas: 1 });
    const changed = look({ removals, approved, world: anew });
    expect(callsOf(changed)).toEqual([]);
    expect(changed.approved).toMatchObject([{ spent: true }]);
  });

  it('is held where its own file said so the last time that there was one', () => {
    const guarded = unitOf('d1', { web: 'good 1', last: 'good 1' }, { hold: true });
    const declared = look({ wants: guarded });
    expect(declared.units.get(ID)?.removal).toBe('hold');
    const left = look({ record: declared.units.get(ID) });
    expect(viewOf(left)?.held).toContain('`removal: hold`');
    const relaxed = look({ wants: blog, record: declared.units.get(ID) });
    expect(relaxed.units.get(ID)).toEqual(known(blog));
  });
});

describe('a unit that is being removed', () => {
  const record = look({}).units.get(ID);
  const half = carriedOut(there, look({}));

  it.each<[string, Start]>([
    ['nothing may be removed', { mayRemove: false }],
    ['something could not be read', { removals: { ...usual, off: 'no Git' } }],
    ['the repository is empty', { others: [] }],
  ])('stands still while %s', (_why, start) => {
    const result = look({ ...start, record, world: half });
    expect([callsOf(result), result.units.get(ID)]).toEqual([[], record]);
    expect(viewOf(result)?.held).toMatch(/^its removal waits: /);
  });

  it('goes on though by now it is above the limit: what was begun is brought to its end', () => {
    const removals = { policy: { max: 0, share: 0 }, rewound: true };
    expect(callsOf(look({ record, world: half, removals }))).toEqual(['remove last']);
  });

  it('leaves alone what was not noted, and what is somebody else’s by now', () => {
    const more = put(half, 'new', { text: 'good 1', replicas: 1 });
    expect(callsOf(look({ record, world: more }))).toEqual(['remove last']);
    const sold = change(half, 'last', { foreign: true });
    const result = look({ record, world: sold });
    expect([callsOf(result), result.units.has(ID)]).toEqual([[], false]);
    const anew = put(without(half, 'last'), 'last', { text: 'good 1', replicas: 1 });
    expect(callsOf(look({ record, world: anew }))).toEqual([]);
  });

  it('waits after a refused call, says why, and tries again later', () => {
    const refusal = { code: 'refused', why: 'the engine refused it', evidence: 'not allowed' };
    const watch = newWatch('removing', NOW - 5_000);
    const first = look({ record, world: half, watch, refusal });
    expect(callsOf(first)).toEqual([]);
    expect(viewOf(first)?.held).toContain('not allowed');
    const later = look({
      record,
      world: half,
      watch: first.watches.get(ID),
      nowMs: NOW + 300_000,
    });
    expect(callsOf(later)).toEqual(['remove last']);
  });

  it('is tried as any change when it is wanted again, and nothing more of it goes', () => {
    const result = look({ wants: blog, record, world: half });
    expect(callsOf(result)).toEqual(['set web']);
    expect(result.units.get(ID)).toMatchObject({ phase: 'applying', attempt: { digest: 'd1' } });
    expect(result.units.get(ID)?.removing).toBeUndefined();
    expect(viewOf(result)).toMatchObject({ pending: true });
  });

  it('forgets a release that cannot be brought back any more, and keeps one that can', () => {
    const can = look({ wants: smaller, record, world: half });
    expect(can.units.get(ID)?.releases).toMatchObject([{ digest: 'd1' }]);
    const cannot = look({ wants: smaller, record, world: { ...half, blocked: 'no secret' } });
    expect(cannot.units.get(ID)).toMatchObject({ phase: 'none', releases: [] });
    expect(viewOf(cannot)?.held).toBe('no secret');
  });

  it('takes no request but to be there again', () => {
    const requests: Request[] = [{ verb: 'retry', id: ID, by: 'p' }];
    expect(look({ wants: blog, record, requests }).events).toMatchObject([
      { event: 'request refused', why: 'it is being removed' },
    ]);
  });
});

describe('what left a unit', () => {
  const verifying: UnitRecord = known(blog, {
    phase: 'verifying',
    attempt: { digest: 'd2', revision: 'r2', baseline: [], absent: [] },
  });
  const steady: Watch = {
    ...newWatch('to d2', NOW - 60_000),
    members: there.services['web']?.task ?? '',
    progress: Number.MAX_SAFE_INTEGER,
  };

  it('goes only after the unit is healthy without it, noted before', () => {
    const open = look({ wants: smaller, record: verifying });
    expect([callsOf(open), open.units.get(ID)?.removing]).toEqual([[], undefined]);
    const healthy = look({ wants: smaller, record: verifying, watch: steady });
    const record = healthy.units.get(ID);
    expect(record).toMatchObject({ phase: 'none', releases: [{ digest: 'd2' }, { digest: 'd1' }] });
    expect(record?.removing).toEqual([{ target: 'service last', id: there.services['last']?.id }]);
    expect(callsOf(healthy)).toEqual([]);
    const goes = look({ wants: smaller, record });
    expect(callsOf(goes)).toEqual(['remove last']);
    expect(goes.work[0]?.operations[0]?.effect).toBe('destructive');
    const done = look({ wants: smaller, record, world: without(there, 'last') });
    expect(done.units.get(ID)?.removing).toBeUndefined();
  });

  it.each<[string, Rendered<UnitSpec>, UnitRecord]>([
    [
      'is not noted where the file says so',
      { ...smaller, spec: { ...smaller.spec, prune: false } },
      verifying,
    ],
    [
      'is not noted where it was there before us',
      smaller,
      { ...verifying, releases: [{ ...release(blog), revision: '' }] },
    ],
  ])('%s', (_what, wants, record) => {
    const healthy = look({ wants, record, watch: steady });
    expect(healthy.units.get(ID)).toMatchObject({ phase: 'none' });
    expect(healthy.units.get(ID)?.removing).toBeUndefined();
  });

  const members = [{ target: 'service last', id: there.services['last']?.id ?? '' }];
  const pruned = known(smaller, { removing: members });

  it.each<[string, Start]>([
    ['while nothing may be removed', { wants: smaller, record: pruned, mayRemove: false }],
    [
      'while drift is corrected',
      { wants: smaller, record: pruned, world: change(there, 'web', { replicas: 0 }) },
    ],
    [
      'where the unit wants it again',
      { wants: blog, record: { ...pruned, releases: [release(blog)] } },
    ],
    [
      'where what is wanted failed, and its release needs it',
      {
        wants: smaller,
        record: known(blog, {
          removing: members,
          quarantine: [
            { digest: 'd2', revision: 'r', code: 'c', why: 'w', evidence: '', at: DATE },
          ],
        }),
      },
    ],
    [
      'where the file says by now that it stays',
      { wants: { ...smaller, spec: { ...smaller.spec, prune: false } }, record: pruned },
    ],
    [
      'while the unit is suspended',
      { wants: smaller, record: { ...pruned, suspended: { by: 'p', at: DATE } } },
    ],
    ['while everything is frozen', { wants: smaller, record: pruned, frozen: 'frozen' }],
    [
      'while Git cannot be read',
      { wants: smaller, record: pruned, removals: { ...usual, off: 'no Git' } },
    ],
    [
      'where it is somebody else’s by now',
      { wants: smaller, record: pruned, world: change(there, 'last', { foreign: true }) },
    ],
  ])('stays %s', (_why, start) => {
    expect(callsOf(look(start)).filter((one) => one.startsWith('remove'))).toEqual([]);
  });
});

describe('what left a unit with a rewind', () => {
  const rewound: Removals = { ...usual, rewound: true };
  const members = [{ target: 'service last', id: there.services['last']?.id ?? '' }];
  const held = known(smaller, { removing: members, rewound: true });
  const verifying = known(blog, {
    phase: 'verifying',
    attempt: { digest: 'd2', revision: 'r2', baseline: [], absent: [] },
  });
  const watch: Watch = {
    ...newWatch('to d2', NOW - 60_000),
    members: there.services['web']?.task ?? '',
    progress: Number.MAX_SAFE_INTEGER,
  };
  const digestIn = (result: Step<UnitCall>): string =>
    /the removal of service last is held: .*approve ([0-9a-f]{12})`$/.exec(
      viewOf(result)?.held ?? '',
    )?.[1] ?? 'none';

  it.each<[string, Removals, true | undefined]>([
    ['is noted so', rewound, true],
    ['is not, after any other revision', usual, undefined],
  ])('%s when the unit is healthy without it', (_what, removals, marked) => {
    const record = look({ wants: smaller, record: verifying, watch, removals }).units.get(ID);
    expect(record).toMatchObject({ phase: 'none', removing: members });
    expect(record?.rewound).toBe(marked);
  });

  it('stays so noted with the next healthy one, whatever that descends from', () => {
    const record = { ...verifying, removing: members, rewound: true as const };
    expect(look({ wants: smaller, record, watch }).units.get(ID)?.rewound).toBe(true);
    // What left later is another matter than what came back.
    const before = { ...record, removing: [{ target: 'service web', id: 'gone' }] };
    expect(look({ wants: smaller, record: before, watch }).units.get(ID)?.rewound).toBeUndefined();
  });

  it('is held, and holds up nothing else', () => {
    const dependant = { ...unitOf('late', { web: 'good 1' }), id: 'stack/late' as const };
    const others: Start['others'] = [[{ ...dependant, dependsOn: [ID] }, known(other)]];
    const result = look({ wants: smaller, record: held, others });
    expect(callsOf(result)).toEqual([]);
    expect(result.units.get(ID)).toBe(held);
    expect(viewOf(result)).toMatchObject({ pending: false, partsHeld: true });
    expect(result.units.get('stack/late')?.phase).not.toBe('none');
    expect(look({ wants: smaller, record: held }).wakeMs).toBe(300_000);
  });

  it('goes once it is approved, which is recorded before it goes', () => {
    const asked = look({
      wants: smaller,
      record: held,
      requests: [
        { verb: 'approve', digest: digestIn(look({ wants: smaller, record: held })), by: 'p' },
      ],
    });
    expect(asked.events).toMatchObject([{ event: 'request taken', id: ID, verb: 'approve' }]);
    const { approved } = asked;
    const waits = look({ wants: smaller, record: held, approved, mayRemove: false });
    expect(callsOf(waits)).toEqual([]);
    expect(waits.units.get(ID)).toEqual({ ...known(smaller), removing: members });
    const goes = look({ wants: smaller, record: held, approved });
    expect(callsOf(goes)).toEqual(['remove last']);
    expect(goes.units.get(ID)?.rewound).toBeUndefined();
    expect(goes.approved).toMatchObject([{ spent: true }]);
    const frozen = look({ wants: smaller, record: held, approved, frozen: 'frozen' });
    expect(frozen.units.get(ID)).toBe(held);
  });

  it('has another digest where something else of another unit is held with it', () => {
    const also = { ...smaller, id: 'stack/also' as const };
    const others: Start['others'] = [[also, { ...held, releases: [release(smaller)] }]];
    const one = digestIn(look({ wants: smaller, record: held }));
    expect(digestIn(look({ wants: smaller, record: held, others }))).not.toBe(one);
  });

  it.each<[string, Start]>([
    ['it is wanted again', { wants: blog, record: { ...held, releases: [release(blog)] } }],
    [
      'its file says that it stays',
      { wants: { ...smaller, spec: { ...smaller.spec, prune: false } } },
    ],
    ['somebody removed it by hand', { wants: smaller, world: without(there, 'last') }],
  ])('is nobody’s matter any more where %s', (_what, start) => {
    const result = look({ record: held, ...start });
    expect([callsOf(result), viewOf(result)?.held]).toEqual([[], undefined]);
    expect(result.units.get(ID)).not.toHaveProperty('rewound');
    expect(result.units.get(ID)).not.toHaveProperty('removing');
  });
});

describe.each([
  ['suspended', {}, 'suspended by root@m1'],
  ['frozen', { frozen: 'frozen by root@m1: ill' }, 'frozen by root@m1: ill'],
] as const)('a unit that left the repository and is %s', (gate, frozen, why) => {
  const suspended = gate === 'suspended' ? { suspended: { by: 'root@m1', at: DATE } } : {};
  const members = unitKind.members(ID, there);
  const half = without(there, 'web');

  it.each<[string, UnitRecord, UnitWorld]>([
    ['at rest', known(blog, suspended), there],
    ['at rest with nothing there', known(blog, suspended), running({})],
    ['half gone', known(blog, { ...suspended, phase: 'removing', removing: members }), half],
    ['gone', known(blog, { ...suspended, phase: 'removing', removing: members }), running({})],
  ])('stays as it is, %s, and says why', (_what, record, world) => {
    const result = look({ ...frozen, record, world });
    expect([callsOf(result), result.events, result.wakeMs]).toEqual([[], [], 300_000]);
    expect(result.units.get(ID)).toBe(record);
    expect(result.watches.get(ID)).toMatchObject({ stands: true });
    const held = `its removal waits: ${why}`;
    expect(viewOf(result)).toMatchObject({ gate, held, left: true });
    // No revision waits for what somebody suspended.
    const isWaited = gate === 'frozen' && record.phase === 'removing';
    expect(viewOf(result)?.pending).toBe(isWaited);
    expect(viewOf(result)?.leftOut === true).toBe(gate === 'suspended');
  });

  it('goes on where it stood afterwards', () => {
    const record = known(blog, { ...suspended, phase: 'removing', removing: members });
    const watch = look({ ...frozen, record, world: half }).watches.get(ID);
    const requests: Request[] =
      gate === 'suspended' ? [{ id: ID, by: 'root@m1', verb: 'resume' }] : [];
    expect(callsOf(look({ record, world: half, watch, requests }))).toEqual(['remove last']);
  });

  it('counts among those that left', () => {
    const also: UnitRecord = known(other, suspended);
    const removals = { policy: { max: 1, share: 100 }, rewound: false };
    const kept: Start['others'] = [[{ ...other, id: 'stack/kept' }, known(other)]];
    const result = step({
      kind: unitKind,
      desired: kept.map(([unit]) => unit),
      revision: 'now',
      observed: there,
      units: new Map<Id, UnitRecord>([
        ['stack/kept', known(other)],
        ['stack/other', also],
        [ID, known(blog)],
      ]),
      watches: new Map(),
      refusals: new Map(),
      answers: new Map(),
      requests: [],
      removals,
      ...frozen,
      nowMs: NOW,
      date: DATE,
      intervalMs: 300_000,
      verifyMs: 1_000,
    });
    expect(callsOf(result)).toEqual([]);
    const held = gate === 'suspended' ? /^its removal is held: 2 of 3 units left/ : /: frozen by/;
    expect(viewOf(result)?.held).toMatch(held);
  });
});

describe('a freeze and a suspension, beside removals', () => {
  it('leave what people approve, and what they approved, as it was', () => {
    const removals = { policy: { max: 0, share: 100 }, rewound: false };
    const held = viewOf(look({ removals }))?.held ?? '';
    const digest = /understudy approve ([0-9a-f]{12})`$/.exec(held)?.[1] ?? '';
    const requests: Request[] = [{ verb: 'approve', digest, by: 'root@m1' }];
    const { approved } = look({ removals, requests });
    const frozen = look({ removals, approved, requests, frozen: 'frozen by root@m1: ill' });
    expect([frozen.approved, frozen.unapproved, frozen.events]).toEqual([approved, [], []]);
    expect(callsOf(look({ removals, approved }))).toEqual(['remove web']);
  });

  it('note all the same of a suspended unit that its file holds it', () => {
    const guarded = unitOf('d1', { web: 'good 1', last: 'good 1' }, { hold: true });
    const record = known(blog, { suspended: { by: 'root@m1', at: DATE } });
    expect(look({ wants: guarded, record }).units.get(ID)).toEqual({ ...record, removal: 'hold' });
    const frozen = look({ wants: guarded, record, frozen: 'frozen' });
    expect(frozen.units.get(ID)).toBe(record);
  });

  it('keep a unit that comes back while it is removed as it stands', () => {
    const members = unitKind.members(ID, there);
    const suspended = { by: 'root@m1', at: DATE };
    const record = known(blog, { suspended, phase: 'removing', removing: members });
    const result = look({ wants: blog, record, world: without(there, 'web') });
    expect([callsOf(result), result.units.get(ID)]).toEqual([[], record]);
    expect(viewOf(result)).toMatchObject({ gate: 'suspended', held: 'suspended by root@m1' });
  });

  it('let nothing go while what stays is suspended half-way', () => {
    const suspended = { by: 'root@m1', at: DATE };
    const others: Start['others'] = [[{ ...other, digest: 'newer' }, known(other, { suspended })]];
    const result = look({ others });
    expect(callsOf(result)).toEqual([]);
    expect(viewOf(result)?.held).toBe('its removal waits: stack/other is not settled');
  });
});

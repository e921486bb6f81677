import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

import { collect, type Collection, type SpareSince, without } from '../../agent/core/collect.ts';
import type { Id, Kind, Release, Rendered } from '../../agent/core/kind.ts';
import type { Spare } from '../../agent/core/member.ts';
import { step, type StepInput } from '../../agent/core/step.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import { readCron } from '../../agent/render/cron.ts';
import { unitCalled, type Worlds, type WorldsCall, worldsKind } from '../fakes/many-units.ts';
import { running, type UnitSpec } from '../fakes/unit-world.ts';

const MINUTES_10 = 600_000;

/** By unit: contents that are there, of no use that was observed. */
let there: Map<Id, readonly string[]>;
/** By the text of a release: what it names. Absent: nobody can read it. */
let names: Map<string, readonly string[]>;

const spare = (id: Id, name: string): Spare<WorldsCall> => ({
  id: `id-${name}`,
  need: `config:${name}`,
  operation: {
    target: `config ${name}`,
    verb: 'remove',
    phase: 'remove',
    effect: 'destructive',
    fields: [],
    call: { id, call: { op: 'remove', name, id: `id-${name}` } },
  },
});

const kind: Kind<UnitSpec, Worlds, WorldsCall> = {
  ...worldsKind,
  spares: ({ id }) => (there.get(id) ?? []).map((name) => spare(id, name)),
  restore: (id, release) => {
    const needs = names.get(release.digest);
    return needs && { ...unitCalled('blog', release.digest), id, digest: release.digest, needs };
  },
};

const blog = unitCalled('blog', 'good 1');
const shop = unitCalled('shop', 'good 1');
const release = (digest: string): Release => ({ digest, revision: 'r', at: '', content: {} });
const settled = (unit: Rendered<UnitSpec>, ...earlier: readonly string[]): UnitRecord => ({
  phase: 'none',
  quarantine: [],
  made: [],
  releases: [unit.digest, ...earlier].map(release),
});

type Input = StepInput<UnitSpec, Worlds, WorldsCall>;

const usual = (parts: Partial<Input> = {}): Input => ({
  kind,
  desired: [blog, shop],
  revision: 'r',
  observed: { 'stack/blog': running({ web: 'good 1' }), 'stack/shop': running({ web: 'good 1' }) },
  units: new Map([
    ['stack/blog', settled(blog)],
    ['stack/shop', settled(shop)],
  ]),
  watches: new Map(),
  refusals: new Map(),
  answers: new Map(),
  requests: [],
  removals: { policy: { max: 5, share: 20 }, rewound: false },
  nowMs: MINUTES_10,
  date: '',
  intervalMs: 60_000,
  verifyMs: 1_000,
  ...parts,
});

/** As if all that is there had been seen free so long already. */
const long: SpareSince = new Map(['a', 'b'].map((name) => [`id-${name}`, 0]));
const look = (input: Input, since: SpareSince = long): Collection<WorldsCall> =>
  collect(step(input), input, since);
const due = (input: Input, since?: SpareSince): string[] =>
  look(input, since).due.map(({ need = 'none' }) => need);

beforeEach(() => {
  there = new Map([['stack/blog', ['a', 'b']]]);
  names = new Map([blog, shop].map(({ digest }) => [digest, []]));
});

describe('earlier contents', () => {
  it('go when nothing was seen to need them for ten minutes, and not before', () => {
    expect(due(usual())).toEqual(['config:a', 'config:b']);
    const first = look(usual({ nowMs: 5 }), new Map());
    expect(first).toEqual({
      due: [],
      since: new Map([
        ['id-a', 5],
        ['id-b', 5],
      ]),
    });
    expect(due(usual({ nowMs: MINUTES_10 + 4 }), first.since)).toEqual([]);
    expect(due(usual({ nowMs: MINUTES_10 + 5 }), first.since)).toHaveLength(2);
  });

  it('are counted anew after something needed them, and after they were asked for', () => {
    there = new Map();
    expect(look(usual()).since).toEqual(new Map());
    there = new Map([['stack/blog', ['a', 'b']]]);
    const [one] = look(usual()).due;
    expect([...without(long, one === undefined ? [] : [one]).keys()]).toEqual(['id-b']);
  });

  it('go a few at a time', () => {
    const many = Array.from({ length: 100 }, (_, at) => `c${String(at)}`);
    there = new Map([['stack/blog', many]]);
    expect(due(usual(), new Map(many.map((name) => [`id-${name}`, 0])))).toHaveLength(64);
  });

  it.each<readonly [string, () => Partial<Input>]>([
    ['another unit needs it now', () => ({ desired: [blog, { ...shop, needs: ['config:A'] }] })],
    [
      'an earlier release of the unit names it',
      () => {
        names.set('old', ['config:a']);
        return { units: new Map([['stack/blog', settled(blog, 'new', 'old')]]) };
      },
    ],
    [
      'a release of a unit that left the repository names it',
      () => {
        names.set('gone', ['config:a']);
        const gone = unitCalled('gone', 'gone');
        const record = { ...settled(gone), releases: [release('gone')] };
        return {
          units: new Map([...usual().units, ['stack/gone', { ...record, removal: 'hold' }]]),
          removals: { policy: { max: 0, share: 0 }, rewound: false },
        };
      },
    ],
  ])('stay where %s', (_what, parts) => {
    const rest = parts();
    names.set('new', names.get('new') ?? []);
    expect(due(usual(rest))).toEqual(['config:b']);
  });

  it('all stay while a release cannot be read, and begin anew', () => {
    const units = new Map<Id, UnitRecord>([
      ...usual().units,
      ['stack/shop', settled(shop, 'newer')],
    ]);
    expect(look(usual({ units }))).toEqual({ due: [], since: new Map() });
  });
});

const quarantined = {
  digest: blog.digest,
  revision: 'r',
  code: 'x',
  why: '',
  evidence: '',
  at: '',
};

describe('nothing of a unit goes', () => {
  const blogIs = (parts: Partial<UnitRecord>): Partial<Input> => ({
    units: new Map<Id, UnitRecord>([
      ['stack/blog', { ...settled(blog), ...parts }],
      ['stack/shop', settled(shop)],
    ]),
  });
  const attempt = { digest: blog.digest, revision: 'r', baseline: [], absent: [] };
  const other = { ...blog, digest: 'other' };
  const runs = running({ web: 'good 1' });
  const wide = running({ web: 'good 1', x: 'good 1' });

  it.each<readonly [string, Partial<Input>]>([
    ['while everything is frozen', { frozen: 'frozen' }],
    ['that is suspended', blogIs({ suspended: { by: 'me', at: '' } })],
    ['that the repository suspends', { desired: [{ ...blog, suspended: true }, shop] }],
    ['that is being applied', blogIs({ phase: 'applying', attempt })],
    ['that is verified', blogIs({ phase: 'verifying', attempt })],
    ['that goes back', blogIs({ phase: 'reverting', attempt })],
    ['that is stuck', blogIs({ phase: 'stuck', stuck: { ...quarantined, digest: blog.digest } })],
    ['whose digest failed', blogIs({ quarantine: [quarantined] })],
    [
      'that nobody has seen healthy',
      {
        ...blogIs({ releases: [{ ...release(blog.digest), unproven: true }] }),
        observed: { ...usual().observed, 'stack/blog': { ...runs, outside: 'x' } },
      },
    ],
    ['that makes place for another', blogIs({ movedTo: 'stack/shop' })],
    [
      'that takes the place of one that is still there',
      {
        desired: [{ ...blog, movedFrom: 'stack/gone' }, shop],
        units: new Map<Id, UnitRecord>([
          ...usual().units,
          ['stack/gone', settled(unitCalled('gone', 'x'))],
        ]),
        observed: { ...usual().observed, 'stack/gone': runs },
      },
    ],
    [
      'of which parts are still to go',
      {
        ...blogIs({
          removing: [{ target: 'service x', id: wide.services['x']?.id ?? '' }],
        }),
        observed: { ...usual().observed, 'stack/blog': wide },
      },
    ],
    ['that is to change and waits', { desired: [{ ...other, dependsOn: ['stack/shop'] }, shop] }],
  ])('%s', (_what, parts) => {
    names.set('other', []);
    names.set(unitCalled('gone', 'x').digest, []);
    const { due: going, since } = look(usual(parts));
    expect([going, since]).toEqual([[], new Map()]);
  });

  it('that keeps what leaves it', () => {
    const kept = { ...kind, removal: () => ({ hold: false, prune: false }) };
    expect(due(usual({ kind: kept }))).toEqual([]);
  });

  it('outside its windows', () => {
    const cron = readCron('0 2 * * *');
    if (cron === undefined) throw new Error('no cron');
    const rules = [{ cron, durationMs: 3_600_000, timeZone: 'UTC', stacks: ['blog'] }];
    const at = (hour: number) => ({ rules, wallMs: Date.UTC(2026, 0, 1, hour, 30) });
    expect(due(usual({ windows: at(12) }))).toEqual([]);
    expect(due(usual({ windows: at(2) }))).toHaveLength(2);
  });

  it('is kept by one that is not well: another one is nobody’s reason to wait', () => {
    const units = new Map(usual().units);
    units.set('stack/shop', { ...settled(shop), quarantine: [{ ...quarantined, digest: 'x' }] });
    expect(due(usual({ units }))).toHaveLength(2);
  });
});

describe('nothing at all goes, but the time goes on', () => {
  it.each<readonly [string, Partial<Input>]>([
    ['right after a take-over', { mayRemove: false }],
    [
      'while Git or a list cannot be trusted',
      { removals: { policy: { max: 5, share: 20 }, rewound: false, off: 'x' } },
    ],
    ['after a rewind', { removals: { policy: { max: 5, share: 20 }, rewound: true } }],
    ['where nobody judges removals', {}],
    [
      'while something else is called',
      { observed: { ...usual().observed, 'stack/shop': running({}) } },
    ],
  ])('%s', (what, parts) => {
    const { removals: _removals, ...judgedByNobody } = usual();
    const input = what === 'where nobody judges removals' ? judgedByNobody : usual(parts);
    expect(look(input)).toEqual({ due: [], since: long });
  });
});

it('goes exactly if no release, no unit and no use names it, whatever names what', () => {
  const contents = ['a', 'b', 'c', 'd', 'e', 'f'];
  const some = fc.subarray(contents);
  fc.assert(
    fc.property(
      fc.record({
        free: some,
        blogNeeds: some,
        shopNeeds: some,
        olds: fc.array(some, { maxLength: 4 }),
      }),
      fc.boolean(),
      ({ free, blogNeeds, shopNeeds, olds }, isOfShop) => {
        there = new Map([['stack/blog', free]]);
        const needs = (list: readonly string[]) => list.map((one) => `config:${one}`);
        const earlier = olds.map((_, at) => `old ${String(at)}`);
        names = new Map([blog, shop].map(({ digest }) => [digest, []]));
        for (const [at, list] of olds.entries()) names.set(`old ${String(at)}`, needs(list));
        const [ofBlog, ofShop] = isOfShop ? [[], earlier] : [earlier, []];
        const input = usual({
          desired: [
            { ...blog, needs: needs(blogNeeds) },
            { ...shop, needs: needs(shopNeeds) },
          ],
          units: new Map([
            ['stack/blog', settled(blog, ...ofBlog)],
            ['stack/shop', settled(shop, ...ofShop)],
          ]),
        });
        const named = new Set([...blogNeeds, ...shopNeeds, ...olds.flat()]);
        const since = new Map(contents.map((name) => [`id-${name}`, 0]));
        expect(due(input, since)).toEqual(needs(free.filter((name) => !named.has(name))));
      },
    ),
  );
});

describe('what is left of a unit that left', () => {
  const gone = {
    id: 'main mysql-user/old',
    unit: 'mysql-user/old',
    operation: spare('stack/blog', 'old').operation,
  } as const;
  const slow = unitCalled('shop', 'slow 1');
  const attempt = { digest: slow.digest, revision: 'r', baseline: [], absent: [] };
  const leaving: Kind<UnitSpec, Worlds, WorldsCall> = { ...kind, leftovers: () => [gone] };
  const since: SpareSince = new Map([[gone.id, 0]]);
  const went = (parts: Partial<Input> = {}): boolean =>
    look(usual({ kind: leaving, ...parts }), since).due.some(({ id }) => id === gone.id);
  const also = (record: UnitRecord) =>
    new Map<Id, UnitRecord>([
      ['stack/blog', settled(blog)],
      ['stack/shop', settled(shop)],
      [gone.unit, record],
    ]);

  it('goes when that was seen for ten minutes', () => {
    expect(went()).toBe(true);
    expect(went({ nowMs: MINUTES_10 - 1 })).toBe(false);
  });

  it.each<[string, Partial<Input>]>([
    ['the unit is in the repository again', { desired: [blog, shop, { ...blog, id: gone.unit }] }],
    ['the record knows the unit still', { units: also(settled(blog)) }],
    ['everything is frozen', { frozen: 'by hand' }],
    ['nothing may be removed now', { mayRemove: false }],
    [
      'Git cannot be read',
      { removals: { policy: { max: 5, share: 20 }, rewound: false, off: 'no' } },
    ],
    ['after a rewind', { removals: { policy: { max: 5, share: 20 }, rewound: true } }],
    ['the repository holds nothing at all', { desired: [] }],
    [
      'the unit is in the repository again and suspended',
      { desired: [blog, shop, { ...blog, id: gone.unit, suspended: true }] },
    ],
    [
      'another unit is not seen healthy yet',
      {
        observed: {
          'stack/blog': running({ web: 'good 1' }),
          'stack/shop': running({ web: 'slow 1' }),
        },
        desired: [blog, slow],
        units: new Map([
          ['stack/blog', settled(blog)],
          ['stack/shop', { ...settled(shop), phase: 'verifying', attempt }],
        ]),
      },
    ],
    ['another unit changes', { desired: [blog, unitCalled('shop', 'good 2')] }],
  ])('stays while %s', (_, parts) => {
    expect(went(parts)).toBe(false);
  });
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Id } from '../../agent/core/kind.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import type { Known } from '../../agent/reconcile/ports.ts';
import { unpackBlob } from '../../agent/record/blob.ts';
import { bucketOf } from '../../agent/record/bucket.ts';
import { readRecord } from '../../agent/record/read.ts';
import { Crash, FakeShelf } from '../fakes/shelf.ts';
import {
  anyKnown,
  history,
  open,
  owner,
  pointAt,
  reload,
  save,
  shelve,
  signal,
  unitAt,
  value,
  withUnits,
} from './support.ts';

/** Ids that lie in so many different buckets. */
function apart(count: number): readonly Id[] {
  const byBucket = new Map<number, Id>();
  for (let n = 0; byBucket.size < count; n += 1)
    byBucket.set(bucketOf(`stack/s${n}`), `stack/s${n}`);
  return [...byBucket.values()];
}

const bucketNames = (writes: readonly string[]): readonly string[] =>
  writes.filter((write) => write.startsWith('put understudy.b.'));

describe('the record', () => {
  it('reads back what it wrote, in another process too', () =>
    fc.assert(
      fc.asyncProperty(anyKnown, anyKnown, async (first, second) => {
        const shelf = new FakeShelf();
        const recorder = open(shelf);
        for (const known of [first, second]) {
          expect(await save(recorder, shelf, () => known)).toEqual({
            status: 'ok',
            value: { notes: [] },
          });
          expect(reload(shelf)).toEqual(known);
          const again = value(recorder.load(shelf.look()));
          for (const [id, unit] of known.units) expect(again.units.get(id)).toBe(unit);
          expect(again.units.size).toBe(known.units.size);
        }
      }),
      { numRuns: 60 },
    ));

  it('is empty while there is no head, and while the head names no record', () => {
    const shelf = new FakeShelf();
    const nothing = { units: new Map(), history, requests: [], notes: [] };
    expect(open(shelf).load(undefined)).toEqual({ status: 'ok', value: nothing });
    expect(open(shelf).load(shelf.look())).toEqual({ status: 'ok', value: nothing });
  });

  it('tells whose it is to whoever only looks', async () => {
    const shelf = new FakeShelf();
    expect(value(readRecord(shelf.look()))).toMatchObject({ owner: undefined });
    await save(open(shelf), shelf, withUnits(['stack/blog', unitAt('a')]));
    const seen = value(readRecord(shelf.look()));
    expect(seen.owner).toEqual(owner);
    expect(seen.units).toEqual(new Map([['stack/blog', unitAt('a')]]));
  });

  it('keeps the last 50 revisions', async () => {
    const shelf = new FakeShelf();
    const revisions = Array.from({ length: 60 }, (_, n) => {
      return {
        commit: `c${n}`,
        outcome: 'healthy' as const,
        units: 1,
        failed: [],
        quarantined: [],
        at: '',
      };
    });
    value(await save(open(shelf), shelf, () => ({ history: { ...history, revisions } })));
    expect(reload(shelf).history.revisions).toEqual(revisions.slice(0, 50));
  });
});

describe('saving', () => {
  it('writes nothing where nothing changed: not at first, not later, not in another process', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    expect((await save(recorder, shelf, () => ({}))).status).toBe('ok');
    expect(shelf.takeWrites()).toEqual([]);
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    shelf.takeWrites();
    const equalHistory = { ...history, revisions: [] };
    expect((await save(recorder, shelf, () => ({ history: equalHistory }))).status).toBe('ok');
    expect((await save(open(shelf), shelf, () => ({}))).status).toBe('ok');
    const equalUnit = withUnits(['stack/blog', unitAt('a')]);
    expect((await save(recorder, shelf, equalUnit)).status).toBe('ok');
    expect(shelf.takeWrites()).toEqual([]);
  });

  it('writes the buckets of changed units, then the root, then the head', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const [first = 'stack/a', second = 'stack/b', third = 'stack/c'] = apart(3);
    const all: (readonly [Id, UnitRecord])[] = [
      [first, unitAt('1')],
      [second, unitAt('2')],
      [third, unitAt('3')],
    ];
    await save(recorder, shelf, withUnits(...all));
    expect(shelf.takeWrites()).toEqual([
      ...Array.from({ length: 3 }, () => expect.stringMatching(/^put understudy\.b\./)),
      expect.stringMatching(/^put understudy\.r\./),
      'swap',
    ]);
    await save(recorder, shelf, withUnits([second, unitAt('new')]));
    const writes = shelf.takeWrites();
    expect(writes).toHaveLength(3);
    expect(bucketNames(writes)).toHaveLength(1);
    expect(reload(shelf).units).toEqual(new Map([...all, [second, unitAt('new')]]));
  });

  it('writes the root alone where only the history changed', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    shelf.takeWrites();
    await save(recorder, shelf, () => ({ history: { ...history, seen: 'c0ffee' } }));
    expect(shelf.takeWrites()).toEqual([expect.stringMatching(/^put understudy\.r\./), 'swap']);
  });

  it('forgets a unit that left, and names no bucket for none', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    shelf.takeWrites();
    await save(recorder, shelf, () => ({ units: new Map() }));
    expect(bucketNames(shelf.takeWrites())).toEqual([]);
    expect(reload(shelf).units.size).toBe(0);
  });

  it('points to what is there already, and takes a name that is taken for its own blob', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('b')]));
    shelf.takeWrites();
    expect((await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]))).status).toBe('ok');
    expect(shelf.takeWrites()).toEqual(['swap']);
    shelf.failAfter(0, 'name-taken');
    shelf.failAfter(1, 'name-taken');
    expect((await save(recorder, shelf, withUnits(['stack/blog', unitAt('c')]))).status).toBe('ok');
    expect(reload(shelf).units).toEqual(new Map([['stack/blog', unitAt('c')]]));
  });

  it('puts back what somebody removed while it is still pointed to', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    const names = [...shelf.blobs.keys()];
    shelf.takeWrites();
    for (const gone of [names.slice(0, 1), names.slice(1), names]) {
      const { units } = value(recorder.load(shelf.look()));
      for (const name of gone) shelf.blobs.delete(name);
      expect(value(recorder.load(shelf.look())).units).toBe(units);
      expect((await save(recorder, shelf, () => ({}))).status).toBe('ok');
      expect([...shelf.blobs.keys()].toSorted()).toEqual(names.toSorted());
      expect(shelf.takeWrites()).toEqual(gone.map((name) => `put ${name}`));
      expect(reload(shelf).units).toEqual(new Map([['stack/blog', unitAt('a')]]));
    }
  });

  it('refuses what it could not read back, and writes nothing', async () => {
    const shelf = new FakeShelf();
    const broken: UnitRecord = { ...unitAt('a'), phase: 'applying' };
    const outcome = await save(open(shelf), shelf, withUnits(['stack/blog', broken]));
    expect(outcome).toMatchObject({
      status: 'refused',
      retry: 'never',
      why: expect.stringContaining('stack/blog'),
    });
    expect(shelf.takeWrites()).toEqual([]);
  });

  it('writes nothing from what was read before another write', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const loaded = value(recorder.load(shelf.look()));
    await save(open(shelf), shelf, withUnits(['stack/other', unitAt('b')]));
    shelf.takeWrites();
    const next = { ...loaded, ...withUnits(['stack/blog', unitAt('a')])(loaded) };
    const outcome = await recorder.save(shelf.look(), loaded, next, signal);
    expect(outcome).toMatchObject({ status: 'refused', retry: 'after-replan' });
    expect(shelf.takeWrites()).toEqual([]);
  });

  it('does not begin to write once it was stopped', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const loaded = value(recorder.load(shelf.look()));
    const next = { ...loaded, ...withUnits(['stack/blog', unitAt('a')])(loaded) };
    const outcome = await recorder.save(shelf.look(), loaded, next, AbortSignal.abort());
    expect(outcome.status).toBe('unknown');
    expect(shelf.takeWrites()).toEqual([]);
  });

  it('cannot write before there is a head', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const loaded = value(recorder.load(undefined));
    expect((await recorder.save(undefined, loaded, loaded, signal)).status).toBe('ok');
    const next = { ...loaded, ...withUnits(['stack/blog', unitAt('a')])(loaded) };
    expect(await recorder.save(undefined, loaded, next, signal)).toMatchObject({
      status: 'refused',
      retry: 'after-replan',
    });
    expect(shelf.takeWrites()).toEqual([]);
  });
});

describe('a write that breaks off', () => {
  const ids = apart(3);
  const before: Known = { units: new Map(ids.map((id) => [id, unitAt('before')])), history };
  const after: Known = {
    units: new Map(ids.map((id) => [id, unitAt('after')])),
    history: { ...history, seen: 'c0ffee' },
  };
  // Three buckets, the root and the head; with the last one everything is done.
  const points = [0, 1, 2, 3, 4].flatMap((nth) => [
    ['crash-before' as const, nth, before] as const,
    ['crash-after' as const, nth, nth < 4 ? before : after] as const,
  ]);

  it.each(points)(
    '%s write %i leaves the old record or the new one, whole',
    async (fault, nth, left) => {
      const shelf = new FakeShelf();
      await save(open(shelf), shelf, () => before);
      shelf.takeWrites();
      shelf.failAfter(nth, fault);
      await expect(save(open(shelf), shelf, () => after)).rejects.toThrow(Crash);
      expect(reload(shelf)).toEqual(left);
      const next = open(shelf);
      expect((await save(next, shelf, () => after)).status).toBe('ok');
      expect(reload(shelf)).toEqual(after);
    },
  );

  const faults = [0, 1, 2, 3, 4].flatMap((nth) =>
    (['refuse', 'unknown-done', 'unknown-not-done'] as const).map((fault) => {
      const isDone = nth === 4 && fault === 'unknown-done';
      return [fault, nth, isDone ? after : before] as const;
    }),
  );

  it.each(faults)(
    '%s at write %i is no success, and the next look tells',
    async (fault, nth, left) => {
      const shelf = new FakeShelf();
      const recorder = open(shelf);
      await save(recorder, shelf, () => before);
      shelf.takeWrites();
      shelf.failAfter(nth, fault);
      const outcome = await save(recorder, shelf, () => after);
      expect(outcome.status).toBe(fault === 'refuse' ? 'refused' : 'unknown');
      expect(shelf.takeWrites().includes('swap')).toBe(nth === 4);
      const { units, history } = value(recorder.load(shelf.look()));
      expect({ units, history }).toEqual(left);
      expect(reload(shelf)).toEqual(left);
      expect((await save(recorder, shelf, () => after)).status).toBe('ok');
      expect(reload(shelf)).toEqual(after);
    },
  );

  it.each([
    ['unknown-done' as const, after],
    ['unknown-not-done' as const, before],
  ])('knows the same objects again when a write ended as %s', async (fault, left) => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    await save(recorder, shelf, () => before);
    shelf.failAfter(4, fault);
    expect((await save(recorder, shelf, () => after)).status).toBe('unknown');
    const { units } = value(recorder.load(shelf.look()));
    for (const [id, unit] of left.units) expect(units.get(id)).toBe(unit);
  });
});

describe('another one who writes', () => {
  it('wins where it was first: nothing of ours shows', async () => {
    const shelf = new FakeShelf();
    const ours = open(shelf);
    const theirs = open(shelf);
    const observed = shelf.look();
    const loaded = value(ours.load(observed));
    await save(theirs, shelf, withUnits(['stack/blog', unitAt('theirs')]));
    const next = { ...loaded, ...withUnits(['stack/blog', unitAt('ours')])(loaded) };
    expect(await ours.save(observed, loaded, next, signal)).toMatchObject({
      status: 'refused',
      cause: 'out-of-sequence',
    });
    const seen = value(ours.load(shelf.look()));
    expect(seen.units).toEqual(new Map([['stack/blog', unitAt('theirs')]]));
  });

  it('does not make us take what an outdated manager still shows', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const outdated = shelf.look();
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    const older = { status: 'unknown', why: 'the Swarm answered with an older state' };
    expect(recorder.load(outdated)).toEqual(older);
    expect(await recorder.collect(outdated, signal)).toEqual(older);
    const loaded = value(recorder.load(shelf.look()));
    expect(loaded.units.size).toBe(1);
    expect(await recorder.save(outdated, loaded, loaded, signal)).toEqual(older);
    expect(recorder.load(outdated)).toEqual(older);
  });

  it('may have made a new head: its versions are its own', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    shelf.head = { id: 'another', version: 3, labels: {} };
    expect(value(recorder.load(shelf.look())).units.size).toBe(0);
  });
});

describe('what a later version wrote beside ours', () => {
  it('stays, in labels, root, buckets and units', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf);
    const [id = 'stack/a'] = apart(1);
    let other: Id = 'stack/n';
    for (let n = 0; bucketOf(other) !== bucketOf(id) || other === id; n += 1) other = `stack/n${n}`;
    const kept = { ...unitAt('a'), later: { by: 'root' }, releases: [] };
    const bucket = shelve(shelf, 'b', { schema: 1, extra: [1], units: { [id]: kept } });
    const buckets = Array.from({ length: 16 }, (_, n) => (n === bucketOf(id) ? bucket : ''));
    const revision = { commit: 'c', outcome: 'failed', units: 1, failed: [id], at: '', note: 'n' };
    const root = shelve(shelf, 'r', {
      schema: 1,
      ...owner,
      seen: 'c',
      settled: 'c',
      approved: [{ digest: 'd', by: 'root' }],
      revisions: [revision],
      buckets,
      later: { yes: true },
    });
    shelf.relabel({
      'understudy.record': JSON.stringify({ root, term: 7 }),
      'understudy.lease': '{"holder":"m1"}',
      someone: 'else',
    });
    expect((await save(recorder, shelf, withUnits([other, unitAt('b')]))).status).toBe('ok');

    const labels = shelf.head?.labels ?? {};
    expect(labels).toMatchObject({ 'understudy.lease': '{"holder":"m1"}', someone: 'else' });
    const pointer = JSON.parse(labels['understudy.record'] ?? '');
    expect(pointer).toMatchObject({ term: 7 });
    expect(pointer.root).not.toBe(root);
    const next = contentOf(shelf, pointer.root);
    expect(next).toMatchObject({
      approved: [{ digest: 'd', by: 'root' }],
      revisions: [revision],
      later: { yes: true },
    });
    expect(contentOf(shelf, next.buckets[bucketOf(id)] ?? '')).toEqual({
      schema: 1,
      extra: [1],
      units: { [id]: kept, [other]: unitAt('b') },
    });
  });
});

function contentOf(shelf: FakeShelf, name: string): Record<string, never> & { buckets: string[] } {
  const unpacked = unpackBlob(name, shelf.blobs.get(name)?.data ?? '');
  return JSON.parse(JSON.stringify(unpacked.status === 'ok' ? unpacked.json : {}));
}

describe('the owner', () => {
  it('of another environment is nobody who may act', async () => {
    const shelf = new FakeShelf();
    await save(open(shelf), shelf, withUnits(['stack/blog', unitAt('a')]));
    const stranger = open(shelf, { environment: 'staging' });
    const refused = { status: 'refused', retry: 'never' };
    const outcome = stranger.load(shelf.look());
    expect(outcome).toMatchObject({
      ...refused,
      why: expect.stringMatching(/`production`.*`staging`/),
    });
    expect(outcome).not.toHaveProperty('cause');
    expect(await stranger.collect(shelf.look(), signal)).toMatchObject(refused);
  });

  it('may move its repository: that is said until the next write', async () => {
    const shelf = new FakeShelf();
    await save(open(shelf), shelf, withUnits(['stack/blog', unitAt('a')]));
    const moved = open(shelf, { repository: 'ssh://git@example.net/infra.git' });
    const { notes, units } = value(moved.load(shelf.look()));
    expect(units.size).toBe(1);
    expect(notes).toEqual([expect.stringMatching(/example\.org.*example\.net/)]);
    await save(moved, shelf, withUnits(['stack/blog', unitAt('b')]));
    expect(value(moved.load(shelf.look())).notes).toEqual([]);
  });
});

describe('a record of another place in the repository', () => {
  const url = { repository: owner.repository };
  const at = { ...url, branch: 'main', path: '.' };

  it.each<[string, object, object, boolean]>([
    ['the same branch and folder', at, at, false],
    ['another branch', at, { ...at, branch: 'next' }, true],
    ['another folder', at, { ...at, path: 'infra' }, true],
    ['another repository', at, { ...at, repository: 'ssh://git@example.net/x' }, true],
    ['nobody said where, as an earlier version', url, at, false],
  ])('is told where it is of %s, until the next write', async (_what, before, after, differs) => {
    const shelf = new FakeShelf();
    await save(open(shelf, before), shelf, withUnits(['stack/blog', unitAt('a')]));
    const recorder = open(shelf, after);
    expect(value(recorder.load(shelf.look())).elsewhere).toBe(differs ? true : undefined);
    shelf.takeWrites();
    // Nothing else changed: the place alone is written, and nothing where it is known.
    await save(recorder, shelf, (known) => known);
    expect(shelf.takeWrites().length > 0).toBe(differs);
    expect(value(recorder.load(shelf.look())).elsewhere).toBeUndefined();
  });
});

it('what was released and a rewind are kept, and a rewind is forgotten when it is over', async () => {
  const shelf = new FakeShelf();
  const approved = [{ digest: 'd', by: 'root@m1' }];
  const noted = { ...history, rewound: 'r2', approved };
  await save(open(shelf), shelf, () => ({ history: noted }));
  expect(reload(shelf).history).toEqual(noted);
  await save(open(shelf), shelf, () => ({ history: { ...history, approved } }));
  expect(reload(shelf).history).toEqual({ ...history, approved });
});

it('a record of this version is read from a root that was written by hand', () => {
  const shelf = new FakeShelf();
  const units = { 'stack/blog': { phase: 'none', quarantine: [], made: [], releases: [] } };
  const name = shelve(shelf, 'b', { schema: 1, units });
  const buckets = Array.from({ length: 16 }, (_, n) => (n === bucketOf('stack/blog') ? name : ''));
  const root = { schema: 1, ...owner, ...history, approved: [], buckets };
  pointAt(shelf, shelve(shelf, 'r', root));
  expect(reload(shelf)).toEqual({ units: new Map(Object.entries(units)), history });
});

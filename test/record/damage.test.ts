import { gzipSync } from 'node:zlib';
import { createHash } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import type { Id } from '../../agent/core/kind.ts';
import { packBlob, unpackBlob } from '../../agent/record/blob.ts';
import { bucketOf } from '../../agent/record/bucket.ts';
import { readRecord } from '../../agent/record/read.ts';
import { FakeShelf } from '../fakes/shelf.ts';
import {
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

const blog: Id = 'stack/blog';
let other: Id = 'stack/other';
for (let n = 0; bucketOf(other) === bucketOf(blog); n += 1) other = `stack/other${n}`;

let shelf: FakeShelf;
let rootName: string;
let bucketName: string;
let root: Readonly<Record<string, unknown>>;

function buckets(instead?: string): readonly string[] {
  const name = instead ?? bucketName;
  return Array.from({ length: 16 }, (_, n) => {
    if (n === bucketOf(blog)) return name;
    return n === bucketOf(other) ? otherName : '';
  });
}
let otherName: string;

beforeEach(() => {
  shelf = new FakeShelf();
  bucketName = shelve(shelf, 'b', { schema: 1, units: { [blog]: unitAt('a') } });
  otherName = shelve(shelf, 'b', { schema: 1, units: { [other]: unitAt('b') } });
  root = { schema: 1, ...owner, ...history, seen: 'c0ffee', approved: [], buckets: buckets() };
  rootName = shelve(shelf, 'r', root);
  pointAt(shelf, rootName);
});

function replace(name: string, bytes: Uint8Array): void {
  shelf.blobs.set(name, { id: 'replaced', data: Buffer.from(bytes).toString('base64') });
}

/** Bytes that are named rightly but hold something else. */
function named(letter: 'r' | 'b', bytes: Uint8Array): string {
  const hex = createHash('sha256').update(bytes).digest('hex').slice(0, 40);
  const name = `understudy.${letter}.${hex}`;
  replace(name, bytes);
  return name;
}

describe('a bucket', () => {
  function rootOver(name: string): void {
    pointAt(shelf, shelve(shelf, 'r', { ...root, buckets: buckets(name) }));
  }

  const good = { phase: 'none', quarantine: [], made: [], releases: [] };
  const stuck = { code: 'c', why: 'w', evidence: 'e', digest: 'd', at: '' };
  const attempt = { digest: 'd', revision: 'r', baseline: [], absent: [] };
  const units = (unit: unknown): unknown => ({ schema: 1, units: { [blog]: unit } });

  it.each<readonly [string, () => unknown]>([
    ['is missing', () => shelf.blobs.delete(bucketName)],
    ['holds other bytes than its name says', () => replace(bucketName, gzipSync('{}'))],
    ['is empty', () => replace(bucketName, new Uint8Array())],
    ['is not packed', () => rootOver(named('b', Buffer.from('{}')))],
    ['is cut off', () => rootOver(named('b', gzipSync('{"schema":1}'.repeat(99)).subarray(0, 30)))],
    ['is not JSON', () => rootOver(named('b', gzipSync('{')))],
    [
      'inflates without end',
      () => rootOver(shelve(shelf, 'b', { schema: 1, units: {}, x: 'x'.repeat(33 * 1024 * 1024) })),
    ],
    ['has no schema', () => rootOver(shelve(shelf, 'b', { units: {} }))],
    ['has a schema that never was', () => rootOver(shelve(shelf, 'b', { schema: 0, units: {} }))],
    ['is a list', () => rootOver(shelve(shelf, 'b', []))],
    ['has no units', () => rootOver(shelve(shelf, 'b', { schema: 1 }))],
    [
      'names something that is no unit',
      () => rootOver(shelve(shelf, 'b', { schema: 1, units: { blog: good } })),
    ],
    [
      'holds a unit of another bucket',
      () => rootOver(shelve(shelf, 'b', { schema: 1, units: { [other]: good } })),
    ],
    [
      'has a phase that never was',
      () => rootOver(shelve(shelf, 'b', units({ ...good, phase: 'resting' }))),
    ],
    [
      'has an attempt while nothing is under way',
      () => rootOver(shelve(shelf, 'b', units({ ...good, attempt }))),
    ],
    [
      'has no attempt while one is under way',
      () => rootOver(shelve(shelf, 'b', units({ ...good, phase: 'reverting' }))),
    ],
    [
      'has an attempt of a stuck unit',
      () => rootOver(shelve(shelf, 'b', units({ ...good, phase: 'stuck', stuck, attempt }))),
    ],
    [
      'does not say why a unit is stuck',
      () => rootOver(shelve(shelf, 'b', units({ ...good, phase: 'stuck' }))),
    ],
    [
      'says why a unit is stuck that is not',
      () => rootOver(shelve(shelf, 'b', units({ ...good, stuck }))),
    ],
    [
      'has a release without content',
      () =>
        rootOver(
          shelve(shelf, 'b', units({ ...good, releases: [{ digest: '', revision: '', at: '' }] })),
        ),
    ],
  ])('that %s: its units are unknown, and it is named', async (_what, damage) => {
    damage();
    const recorder = open(shelf);
    const loaded = value(recorder.load(shelf.look()));
    expect(loaded.units).toEqual(new Map([[other, unitAt('b')]]));
    expect(loaded.history.seen).toBe('c0ffee');
    expect(loaded.notes).toEqual([expect.stringMatching(/understudy\.b\.[0-9a-f]{40}/)]);
    expect(loaded.notes.join()).not.toContain(otherName);
    // The same objects as long as nothing changes, and nothing is written for it.
    expect(value(recorder.load(shelf.look())).units).toBe(loaded.units);
    expect((await save(recorder, shelf, () => ({}))).status).toBe('ok');
    expect(shelf.takeWrites()).toEqual([]);
    // The next write takes its place.
    expect((await save(recorder, shelf, withUnits([other, unitAt('c')]))).status).toBe('ok');
    for (const reader of [recorder, open(shelf)]) {
      expect(value(reader.load(shelf.look())).notes).toEqual([]);
    }
    expect(reload(shelf).units).toEqual(new Map([[other, unitAt('c')]]));
  });

  it('that comes back is read again', () => {
    const blob = shelf.blobs.get(bucketName);
    shelf.blobs.delete(bucketName);
    const recorder = open(shelf);
    const found = value(recorder.load(shelf.look())).units.get(other);
    if (blob !== undefined) shelf.blobs.set(bucketName, blob);
    const { units, notes } = value(recorder.load(shelf.look()));
    expect(units.get(blog)).toEqual(unitAt('a'));
    expect(units.get(other)).toBe(found);
    expect(notes).toEqual([]);
  });

  it('that a newer version wrote: nobody may act', async () => {
    rootOver(shelve(shelf, 'b', { schema: 2, units: { [blog]: { phase: 'new' } } }));
    const outcomes = await tryToAct();
    for (const outcome of outcomes) expect(outcome).toEqual(refusedAsNewer);
    expect(shelf.takeWrites()).toEqual([]);
  });
});

describe('a root', () => {
  const pointTo = (content: unknown): void => pointAt(shelf, shelve(shelf, 'r', content));

  it.each<readonly [string, () => unknown]>([
    ['is missing', () => shelf.blobs.delete(rootName)],
    ['holds other bytes than its name says', () => replace(rootName, gzipSync('{}'))],
    ['is not JSON', () => pointAt(shelf, named('r', gzipSync('[')))],
    ['has no schema', () => pointTo({ ...root, schema: undefined })],
    ['has too few buckets', () => pointTo({ ...root, buckets: buckets().slice(1) })],
    ['points to foreign configs', () => pointTo({ ...root, buckets: buckets('understudy.head') })],
    [
      'has an outcome that never was',
      () =>
        pointTo({
          ...root,
          revisions: [{ commit: '', outcome: 'fine', units: 1, failed: [], at: '' }],
        }),
    ],
    ['is named by a label that is not JSON', () => shelf.relabel({ 'understudy.record': '{' })],
    ['is named by a label of another shape', () => pointAt(shelf, 'blog_config')],
    ['is a bucket', () => pointAt(shelf, bucketName)],
  ])('that %s: nothing is known, and it is said', async (_what, damage) => {
    damage();
    const recorder = open(shelf);
    const loaded = value(recorder.load(shelf.look()));
    expect(loaded).toMatchObject({ units: new Map(), history, requests: [] });
    expect(loaded.notes).toEqual([expect.stringMatching(/taken as they are found$/)]);
    expect((await save(recorder, shelf, () => ({}))).status).toBe('ok');
    expect(shelf.takeWrites()).toEqual([]);
    expect((await save(recorder, shelf, withUnits([blog, unitAt('new')]))).status).toBe('ok');
    expect(value(recorder.load(shelf.look())).notes).toEqual([]);
    expect(reload(shelf).units).toEqual(new Map([[blog, unitAt('new')]]));
  });

  it('that a newer version wrote: nobody may act', async () => {
    pointTo({ schema: 7, all: 'different' });
    const outcomes = await tryToAct();
    for (const outcome of outcomes) expect(outcome).toEqual(refusedAsNewer);
    expect(shelf.takeWrites()).toEqual([]);
  });
});

const refusedAsNewer = {
  status: 'refused',
  retry: 'never',
  why: expect.stringMatching(/newer version.*upgrade this agent/),
};

/** What an agent is told that tries to work with it all the same. */
async function tryToAct(): Promise<readonly unknown[]> {
  const recorder = open(shelf);
  const observed = shelf.look();
  const loaded = { units: new Map(), history, requests: [], notes: [] };
  const next = { units: new Map([[blog, unitAt('ours')]]), history };
  return [
    recorder.load(observed),
    await recorder.save(observed, loaded, next, signal),
    await recorder.collect(observed, signal),
    recorder.load(observed),
    readRecord(observed),
  ];
}

describe('a blob', () => {
  it('has the same name for the same content, whatever the order of its keys', () => {
    const one = packBlob('b', { a: 1, b: { c: [2], d: null } });
    const two = packBlob('b', { b: { d: null, c: [2] }, a: 1 });
    expect(two).toEqual(one);
    expect(one.name).toMatch(/^understudy\.b\.[0-9a-f]{40}$/);
    expect(packBlob('b', { a: 2 }).name).not.toBe(one.name);
  });

  it('is not the same as a root as it is as a bucket', () => {
    const { name, data } = packBlob('r', { a: 1 });
    expect(unpackBlob(name, data)).toMatchObject({ status: 'ok', json: { a: 1 } });
    expect(unpackBlob(name.replace('.r.', '.b.'), data).status).toBe('ok');
    expect(
      unpackBlob(
        name.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        data,
      ).status,
    ).toBe('damaged');
  });

  it('is not unpacked when it is larger than any config', () => {
    const bytes = Buffer.alloc(1_024_000);
    const hex = createHash('sha256').update(bytes).digest('hex').slice(0, 40);
    expect(unpackBlob(`understudy.b.${hex}`, bytes.toString('base64'))).toMatchObject({
      status: 'damaged',
      why: expect.stringContaining('too large'),
    });
  });
});

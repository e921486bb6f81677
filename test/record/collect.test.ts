import { describe, expect, it } from 'vitest';

import { VirtualClock } from '../fakes/clock.ts';
import { FakeShelf } from '../fakes/shelf.ts';
import {
  open,
  owner,
  pointAt,
  reload,
  save,
  shelve,
  type ShelfRecorder,
  signal,
  unitAt,
  value,
  withUnits,
} from './support.ts';

const MINUTE_MS = 60_000;

function stage(): { shelf: FakeShelf; clock: VirtualClock; recorder: ShelfRecorder } {
  const shelf = new FakeShelf();
  const clock = new VirtualClock();
  return { shelf, clock, recorder: open(shelf, { clock }) };
}

const write = async (recorder: ShelfRecorder, shelf: FakeShelf, text: string): Promise<void> => {
  value(await save(recorder, shelf, withUnits(['stack/blog', unitAt(text)])));
  shelf.takeWrites();
};

/** What a quiet pass does. */
async function collect(recorder: ShelfRecorder, shelf: FakeShelf): Promise<number> {
  value(recorder.load(shelf.look()));
  return value(await recorder.collect(shelf.look(), signal)).removed;
}

describe('collecting', () => {
  it('removes what nothing points to for ten minutes, and nothing else', async () => {
    const { shelf, clock, recorder } = stage();
    const foreign = ['understudy.other', 'understudy.r.short', 'understudy.rx'.padEnd(53, '0')];
    for (const name of foreign) shelf.blobs.set(name, { id: name, data: 'AA==' });
    await write(recorder, shelf, 'a');
    const old = [...shelf.blobs.keys()].filter((name) => !foreign.includes(name));
    await write(recorder, shelf, 'b');
    const kept = [...shelf.blobs.keys()].filter((name) => !old.includes(name));
    expect(await collect(recorder, shelf)).toBe(0);
    await clock.advance(10 * MINUTE_MS - 1);
    expect(await collect(recorder, shelf)).toBe(0);
    expect(shelf.takeWrites()).toEqual([]);
    await clock.advance(1);
    expect(await collect(recorder, shelf)).toBe(2);
    expect([...shelf.blobs.keys()].toSorted()).toEqual(kept.toSorted());
    expect(reload(shelf).units).toEqual(new Map([['stack/blog', unitAt('b')]]));
    shelf.takeWrites();
    await clock.advance(60 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(0);
    expect(shelf.takeWrites()).toEqual([]);
  });

  it('counts the time that this process saw, not how old something is', async () => {
    const { shelf, clock, recorder } = stage();
    await write(recorder, shelf, 'a');
    await write(recorder, shelf, 'b');
    await clock.advance(60 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(0);
    const next = open(shelf, { clock });
    await clock.advance(60 * MINUTE_MS);
    expect(await collect(next, shelf)).toBe(0);
  });

  it('begins to count anew for what was pointed to again in between, or may have been', async () => {
    const { shelf, clock, recorder } = stage();
    await write(recorder, shelf, 'a');
    await write(recorder, shelf, 'b');
    expect(await collect(recorder, shelf)).toBe(0);
    await clock.advance(9 * MINUTE_MS);
    shelf.failAfter(0, 'unknown-not-done');
    const unanswered = await save(recorder, shelf, withUnits(['stack/blog', unitAt('a')]));
    expect(unanswered.status).toBe('unknown');
    expect(shelf.takeWrites()).toEqual(['swap']);
    await clock.advance(9 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(0);
    await write(recorder, shelf, 'a');
    await write(recorder, shelf, 'b');
    await clock.advance(9 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(0);
    await clock.advance(10 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(2);
  });

  it('leaves alone what somebody else points to again', async () => {
    const { shelf, clock, recorder } = stage();
    const other = open(shelf);
    await write(other, shelf, 'a');
    await write(other, shelf, 'b');
    expect(await collect(recorder, shelf)).toBe(0);
    await write(other, shelf, 'a');
    await clock.advance(10 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(0);
    expect(reload(shelf).units).toEqual(new Map([['stack/blog', unitAt('a')]]));
  });

  it('removes 64 in one call, by id', async () => {
    const { shelf, clock, recorder } = stage();
    await write(recorder, shelf, 'a');
    for (let n = 0; n < 100; n += 1) shelve(shelf, 'b', { n });
    await collect(recorder, shelf);
    await clock.advance(10 * MINUTE_MS);
    expect(await collect(recorder, shelf)).toBe(64);
    expect(await collect(recorder, shelf)).toBe(36);
    expect(shelf.blobs.size).toBe(2);
  });

  it.each(['refuse', 'unknown-not-done'] as const)(
    'is no success where a removal ends as %s',
    async (fault) => {
      const { shelf, clock, recorder } = stage();
      await write(recorder, shelf, 'a');
      for (let n = 0; n < 3; n += 1) shelve(shelf, 'b', { n });
      await collect(recorder, shelf);
      await clock.advance(10 * MINUTE_MS);
      shelf.failAfter(0, fault);
      const outcome = await recorder.collect(shelf.look(), signal);
      expect(outcome.status).toBe(fault === 'refuse' ? 'refused' : 'unknown');
      // One that cannot be removed does not keep the others from going, and is left alone for a while.
      expect(shelf.blobs.size).toBe(fault === 'refuse' ? 3 : 5);
      shelf.takeWrites();
      expect(await collect(recorder, shelf)).toBe(fault === 'refuse' ? 0 : 3);
      expect(shelf.takeWrites()).toHaveLength(fault === 'refuse' ? 0 : 3);
      await collect(recorder, shelf);
      await clock.advance(10 * MINUTE_MS);
      await collect(recorder, shelf);
      expect(shelf.blobs.size).toBe(2);
    },
  );

  it.each<readonly [string, (shelf: FakeShelf) => void]>([
    ['the head names no record', (shelf) => shelf.relabel({ 'understudy.record': undefined })],
    ['the pointer is damaged', (shelf) => shelf.relabel({ 'understudy.record': '{' })],
    ['the root is missing', (shelf) => pointAt(shelf, `understudy.r.${'0'.repeat(40)}`)],
    [
      'a bucket is missing',
      (shelf) => {
        for (const name of shelf.blobs.keys()) {
          if (name.startsWith('understudy.b.')) shelf.blobs.delete(name);
        }
      },
    ],
    ['a newer version wrote it', (shelf) => pointAt(shelf, shelve(shelf, 'r', { schema: 2 }))],
    [
      'it is of another environment',
      (shelf) => {
        const buckets = Array.from({ length: 16 }, () => '');
        const root = { schema: 1, ...owner, environment: 'x', seen: '', settled: '', approved: [] };
        pointAt(shelf, shelve(shelf, 'r', { ...root, revisions: [], buckets }));
      },
    ],
    [
      'there is no head',
      (shelf) => {
        shelf.head = undefined;
      },
    ],
  ])('removes nothing while %s', async (_what, damage) => {
    const { shelf, clock, recorder: writer } = stage();
    await write(writer, shelf, 'a');
    for (let n = 0; n < 3; n += 1) shelve(shelf, 'r', { n });
    const whole = open(shelf, { clock });
    await collect(whole, shelf);
    damage(shelf);
    // One that knows the record by heart, and one that does not.
    const fresh = open(shelf, { clock });
    for (const recorder of [whole, fresh]) recorder.load(shelf.look());
    const left = [...shelf.blobs.keys()];
    await clock.advance(30 * MINUTE_MS);
    for (const recorder of [whole, fresh]) {
      recorder.load(shelf.look());
      await recorder.collect(shelf.look(), signal);
    }
    expect(shelf.takeWrites()).toEqual([]);
    expect([...shelf.blobs.keys()]).toEqual(left);
  });
});

import { createHash } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import type { Id, Json } from '../../agent/core/kind.ts';
import type { UnitRecord } from '../../agent/core/unit.ts';
import type { Known } from '../../agent/reconcile/ports.ts';
import { bucketOf } from '../../agent/record/bucket.ts';
import { FakeShelf } from '../fakes/shelf.ts';
import { history, open, reload, save, signal, unitAt, value } from './support.ts';

let made = 0;

/** Text that packs to about so many bytes, another one each time. */
function heavy(bytes: number): Json {
  made += 1;
  return createHash('shake256', { outputLength: bytes }).update(`${made}`).digest('base64');
}

function storedBytes(shelf: FakeShelf, names?: ReadonlySet<string>): number {
  return [...shelf.blobs]
    .filter(([name]) => names === undefined || names.has(name))
    .reduce((sum, [, { data }]) => sum + Buffer.byteLength(data, 'base64'), 0);
}

const kept = ({ units }: Known): Readonly<Record<string, number>> =>
  Object.fromEntries([...units].map(([id, { releases }]) => [id, releases.length]));

/** Units with three releases each, of these weights. */
function known(weights: Readonly<Record<Id, number>>): Known {
  const units = Object.entries(weights).map(([id, bytes]): readonly [Id, UnitRecord] => {
    const name = id.slice('stack/'.length);
    return [`stack/${name}`, unitAt(name, [heavy(bytes), heavy(bytes), heavy(bytes)])];
  });
  return { units: new Map(units), history };
}

async function saved(next: Known, bytesMax: number) {
  const shelf = new FakeShelf();
  const recorder = open(shelf, { bytesMax });
  const outcome = await save(recorder, shelf, () => next);
  return { shelf, recorder, outcome };
}

describe('a record that grows too large', () => {
  const next = known({ 'stack/big': 4000, 'stack/middle': 2000, 'stack/small': 1000 });

  // 21,000 bytes of releases and some hundreds around them.
  it.each([
    [25_000, { 'stack/big': 3, 'stack/middle': 3, 'stack/small': 3 }],
    [20_000, { 'stack/big': 2, 'stack/middle': 3, 'stack/small': 3 }],
    [17_000, { 'stack/big': 2, 'stack/middle': 2, 'stack/small': 3 }],
    [15_300, { 'stack/big': 2, 'stack/middle': 2, 'stack/small': 2 }],
    [13_000, { 'stack/big': 1, 'stack/middle': 2, 'stack/small': 2 }],
    [8_300, { 'stack/big': 1, 'stack/middle': 1, 'stack/small': 1 }],
  ])(
    'of at most %i bytes drops third releases, then second ones, of large units first',
    async (bytesMax, left) => {
      const { shelf, recorder, outcome } = await saved(next, bytesMax);
      const { notes } = value(outcome);
      const dropped = 9 - Object.values(left).reduce((sum, count) => sum + count, 0);
      expect(notes).toHaveLength(dropped);
      expect(storedBytes(shelf)).toBeLessThanOrEqual(bytesMax);
      expect(kept(reload(shelf))).toEqual(left);
      // The newest ones are those that stay, and what is remembered is what was written.
      for (const [id, unit] of reload(shelf).units) {
        expect(unit.releases).toEqual(next.units.get(id)?.releases.slice(0, unit.releases.length));
      }
      const again = value(recorder.load(shelf.look()));
      expect(again.units).toEqual(reload(shelf).units);
      expect((await recorder.save(shelf.look(), again, again, signal)).status).toBe('ok');
      expect(shelf.takeWrites().filter((write) => write === 'swap')).toHaveLength(1);
    },
  );

  it('takes the third release of a small unit before the second one of a large one', async () => {
    const units = new Map<Id, UnitRecord>([
      ['stack/big', unitAt('big', [heavy(4000), heavy(4000)])],
      ['stack/small', unitAt('small', [heavy(1000), heavy(1000), heavy(1000)])],
    ]);
    const { shelf, outcome } = await saved({ units, history }, 11_000);
    expect(value(outcome).notes).toEqual([expect.stringContaining('stack/small')]);
    expect(kept(reload(shelf))).toEqual({ 'stack/big': 2, 'stack/small': 2 });
  });

  it('names each unit that loses a release', async () => {
    const { outcome } = await saved(next, 17_000);
    expect(value(outcome).notes).toEqual([
      expect.stringMatching(/^stack\/big keeps 2/),
      expect.stringMatching(/^stack\/middle keeps 2/),
    ]);
  });

  it('is refused whole where the first releases alone are too large, with nothing written', async () => {
    const { shelf, outcome } = await saved(next, 6_000);
    expect(outcome).toMatchObject({
      status: 'refused',
      retry: 'never',
      why: expect.stringMatching(/larger than 5 KiB even with one release/),
    });
    expect(shelf.takeWrites()).toEqual([]);
  });

  it('keeps attempts and failures of a unit that loses releases', async () => {
    const attempt = { digest: 'd', revision: 'r', baseline: ['t1'], absent: [] };
    const failed = { digest: 'x', revision: 'r', at: '', code: 'c', why: 'w', evidence: 'e' };
    const trying: UnitRecord = {
      ...unitAt('big', [heavy(4000), heavy(4000)]),
      phase: 'applying',
      attempt,
      quarantine: [failed],
    };
    const { shelf } = await saved({ units: new Map([['stack/big', trying]]), history }, 6_000);
    expect(reload(shelf).units.get('stack/big')).toEqual({
      ...trying,
      releases: trying.releases.slice(0, 1),
    });
  });

  it('counts what it leaves as it is, and cuts there too', async () => {
    const shelf = new FakeShelf();
    const recorder = open(shelf, { bytesMax: 20_000 });
    const first = known({ 'stack/big': 5000 });
    value(await save(recorder, shelf, () => first));
    const small = known({ 'stack/small': 2000 });
    const outcome = await save(recorder, shelf, ({ units }) => ({
      units: new Map([...units, ...small.units]),
    }));
    expect(value(outcome).notes).toEqual([expect.stringContaining('stack/big')]);
    expect(kept(reload(shelf))).toEqual({ 'stack/big': 2, 'stack/small': 3 });
  });

  it('keeps each blob below what the engine takes, whatever the whole may weigh', async () => {
    const ids: Id[] = [];
    for (let n = 0; ids.length < 2; n += 1)
      if (bucketOf(`stack/b${n}`) === 3) ids.push(`stack/b${n}`);
    const [one = 'stack/x', two = 'stack/y'] = ids;
    const units = known({ [one]: 200_000, [two]: 150_000 });
    const { shelf, outcome } = await saved(units, 10_000_000);
    expect(value(outcome).notes).toHaveLength(1);
    expect(kept(reload(shelf))).toEqual({ [one]: 2, [two]: 3 });
    const lone = { units: new Map([[one, unitAt('x', [heavy(950_000)])]]), history };
    const refused = await saved(lone, 10_000_000);
    expect(refused.outcome).toMatchObject({ status: 'refused', retry: 'never' });
    expect(refused.shelf.takeWrites()).toEqual([]);
  });

  it('does not write what would inflate too far to be read again', async () => {
    const vast = 'a'.repeat(17 * 1024 * 1024);
    const units = new Map([['stack/vast' as const, unitAt('vast', [vast, vast])]]);
    const { shelf, outcome } = await saved({ units, history }, 10_000_000);
    expect(value(outcome).notes).toHaveLength(1);
    expect(kept(reload(shelf))).toEqual({ 'stack/vast': 1 });
  });
});

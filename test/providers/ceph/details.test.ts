import { beforeEach, describe, expect, it } from 'vitest';

import { KnownDetails, type Spot } from '../../../agent/providers/ceph/details.ts';
import type { ObservedSubvolume } from '../../../agent/providers/ceph/observed.ts';

const MINUTE = 60_000;
const spot = (subvolume: string, group = 'sites'): Spot => ({
  filesystem: 'cephfs',
  group,
  subvolume,
});

const complete: ObservedSubvolume = {
  state: 'complete',
  path: '/volumes/sites/blog/1',
  mode: 0o755,
  uid: 0,
  gid: 0,
  dataPool: 'data',
  usedBytes: 1,
};

let nowMs: number;
let details: KnownDetails;

beforeEach(() => {
  nowMs = 1_000;
  details = new KnownDetails(() => nowMs);
});

/** A look in which these are listed; gives those that Ceph was asked about. */
function look(
  names: readonly string[],
  { read }: { readonly read: ObservedSubvolume | undefined } = { read: complete },
): string[] {
  const one = details.begin();
  const asked = names.filter((name) => one.get(spot(name)) === 'ask');
  for (const name of asked) one.put(spot(name), read);
  one.end();
  return asked;
}

describe('what was read of a subvolume', () => {
  it('is believed for ten minutes', () => {
    expect(look(['blog'])).toEqual(['blog']);
    nowMs += 9 * MINUTE;
    expect(look(['blog'])).toEqual([]);
    expect(details.begin().get(spot('blog'))).toBe(complete);
    nowMs += MINUTE;
    expect(look(['blog'])).toEqual(['blog']);
    expect(look(['blog'])).toEqual([]);
  });

  it('is read anew in turns, a few in each look', () => {
    const names = Array.from({ length: 40 }, (_, at) => `site${String(at)}`);
    expect(look(names)).toEqual(names);
    nowMs += 10 * MINUTE;
    const rounds = [look(names), look(names), look(names), look(names)];
    expect(rounds.map(({ length }) => length)).toEqual([16, 16, 8, 0]);
    expect(rounds.flat().toSorted()).toEqual(names.toSorted());
  });

  it('is not believed after something was told to it, nor of another group', () => {
    look(['blog', 'shop']);
    const words = { vol_name: 'cephfs', sub_name: 'blog', new_size: '5', no_shrink: true } as const;
    details.forget([{ prefix: 'fs subvolume resize', ...words }]);
    expect(look(['blog', 'shop'])).toEqual([]);
    details.forget([
      { prefix: 'fs subvolume resize', group_name: 'sites', ...words },
      { prefix: 'config-key rm', key: 'understudy/ceph-subvolume/cephfs/sites/shop' },
    ]);
    expect(look(['blog', 'shop'])).toEqual(['blog']);
  });

  it('is not believed where all is to be read, or where it was not listed meanwhile', () => {
    look(['blog']);
    details.forgetAll();
    expect(look(['blog'])).toEqual(['blog']);
    look([]);
    expect(look(['blog'])).toEqual(['blog']);
  });

  it('is asked each time where it is not whole', () => {
    expect(look(['blog'], { read: { state: 'other', called: 'snapshot-retained' } })).toEqual([
      'blog',
    ]);
    expect(look(['blog'], { read: undefined })).toEqual(['blog']);
    expect(look(['blog'])).toEqual(['blog']);
    expect(look(['blog'])).toEqual([]);
  });

  it('is left to the next look where this one took its time', () => {
    const one = details.begin();
    expect(one.get(spot('blog'))).toBe('ask');
    nowMs += 8_000;
    expect(one.get(spot('shop'))).toBeUndefined();
    expect(details.begin().get(spot('shop'))).toBe('ask');
  });
});

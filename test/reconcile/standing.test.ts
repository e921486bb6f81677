import { describe, expect, it } from 'vitest';

import type { UnitView } from '../../agent/core/view.ts';
import { withStanding } from '../../agent/reconcile/standing.ts';

const view = (parts: Partial<UnitView>): UnitView => ({
  id: 'stack/blog',
  digest: 'd',
  phase: 'none',
  pending: false,
  quarantined: false,
  blocked: [],
  notes: [],
  ...parts,
});
const history = { seen: 'v1', settled: 'v1', revisions: [] };
const of = (...views: UnitView[]) => withStanding(history, views).standing;

describe('how units stand, as the record tells it', () => {
  it('is nothing where all are as the repository wants them', () => {
    expect(of(view({}), view({ phase: 'verifying', pending: true }))).toEqual([]);
  });

  it.each<[string, Partial<UnitView>, object]>([
    ['held', { held: 'waits for it' }, { sync: 'out-of-sync', why: 'waits for it' }],
    ['left and held', { left: true, held: 'its removal is held' }, { sync: 'out-of-sync' }],
    ['quarantined', { quarantined: true }, { sync: 'quarantined', why: '' }],
    [
      'quarantined, and its release is held',
      { quarantined: true, held: 'x' },
      { sync: 'quarantined', why: 'x' },
    ],
    [
      'suspended, nothing differs',
      { gate: 'suspended', held: 's' },
      { sync: 'in-sync', suspended: true },
    ],
    [
      'suspended, something is due',
      { gate: 'suspended', held: 's', leftOut: true },
      { sync: 'out-of-sync', suspended: true },
    ],
    [
      'suspended, something differs',
      { gate: 'suspended', held: 's', notes: ['web differs'] },
      { sync: 'out-of-sync' },
    ],
    [
      'suspended, something is missing',
      { gate: 'suspended', held: 's', blocked: [{ target: 'x', why: 'y', waits: true }] },
      { sync: 'out-of-sync' },
    ],
    ['held for long reasons', { held: 'y'.repeat(999) }, { why: 'y'.repeat(300) }],
  ])('tells %s', (_what, parts, expected) => {
    expect(of(view(parts))).toMatchObject([{ id: 'stack/blog', ...expected }]);
  });

  it('comes in one order, so that nothing is written for another one', () => {
    const [one, other] = [view({ held: 'x' }), view({ id: 'stack/a', held: 'y' })];
    expect(of(one, other)).toEqual(of(other, one));
  });
});

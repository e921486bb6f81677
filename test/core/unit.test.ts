import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Release } from '../../agent/core/kind.ts';
import {
  applying,
  type Attempt,
  goingBack,
  healthy,
  inPhase,
  isQuarantined,
  type Quarantined,
  quarantined,
  released,
  settled,
  stuck,
  type UnitRecord,
  unknownUnit,
  wantedFirst,
} from '../../agent/core/unit.ts';

const at = '2026-11-20T10:00:00.000Z';
const failure = { code: 'c', why: 'w', evidence: 'e', at };
const attempt = (digest: string): Attempt => ({ digest, revision: 'r', baseline: [], absent: [] });
const release = (digest: string): Release => ({ digest, revision: 'r', at, content: digest });
const entry = (digest: string): Quarantined => ({ digest, revision: 'r', ...failure });
const from = { baseline: ['t1'], absent: ['n1'] };

const known: UnitRecord = {
  phase: 'stuck',
  stuck: { digest: 'd3', ...failure },
  quarantine: [entry('d3')],
  made: ['service a'],
  releases: [release('d2'), release('d1')],
};

describe('a unit', () => {
  it('begins an attempt, and notes each thing once that it makes', () => {
    const next = applying(known, attempt('d4'), ['service b', 'service a']);
    expect(next).toEqual({
      phase: 'applying',
      attempt: attempt('d4'),
      quarantine: known.quarantine,
      made: ['service a', 'service b'],
      releases: known.releases,
    });
  });

  it('has what is wanted first among what failed', () => {
    const failed = { ...known, quarantine: [entry('d5'), entry('d3'), entry('d4')] };
    expect(wantedFirst(failed, 'd4').quarantine.map(({ digest }) => digest)).toEqual([
      'd4',
      'd5',
      'd3',
    ]);
    expect(wantedFirst(failed, 'd5')).toBe(failed);
    expect(wantedFirst(failed, 'd9')).toBe(failed);
  });

  it('goes back to its newest release', () => {
    const { stuck: _stuck, ...rest } = known;
    expect(goingBack(known, from)).toEqual({
      ...rest,
      phase: 'rolling-back',
      attempt: { ...from, digest: 'd2', revision: 'r' },
    });
  });

  it('goes back to a standstill where it never was healthy', () => {
    expect(goingBack(unknownUnit, from).attempt).toEqual({ ...from, digest: '', revision: '' });
  });

  it('that became healthy has nothing left of the attempts before', () => {
    const verifying = inPhase(applying(known, attempt('d4'), []), 'verifying');
    expect(healthy(verifying, release('d4'), 3)).toEqual({
      phase: 'none',
      quarantine: known.quarantine,
      made: [],
      releases: ['d4', 'd2', 'd1'].map(release),
    });
  });

  it('brings an earlier release to the front and keeps it once', () => {
    const { releases } = healthy(known, { ...release('d1'), revision: 'new' }, 3);
    expect(releases).toEqual([{ ...release('d1'), revision: 'new' }, release('d2')]);
  });

  it('quarantines a digest once, the newest first', () => {
    const again = quarantined(quarantined(known, entry('d5')), { ...entry('d3'), code: 'new' });
    expect(again.quarantine).toEqual([{ ...entry('d3'), code: 'new' }, entry('d5')]);
    expect([isQuarantined(again, 'd5'), isQuarantined(again, 'd1')]).toEqual([true, false]);
  });

  it('is released of one digest only', () => {
    const both = quarantined(settled(known), entry('d5'));
    expect(released(both, 'd3')).toEqual({ ...both, quarantine: [entry('d5')] });
  });

  it('stands as it failed when it is released, until it begins', () => {
    const free = released(known, 'd3');
    expect(free).toEqual({ ...known, quarantine: [], stuck: { ...failure, digest: '' } });
  });

  it('is in an attempt, stuck, or neither, whatever happens, and never forgets what it may not', () => {
    const digest = fc.constantFrom('d1', 'd2', 'd3', 'd4', 'd5', 'd6', 'd7');
    const move: fc.Arbitrary<(unit: UnitRecord) => UnitRecord> = fc.oneof(
      digest.map((one) => (unit: UnitRecord) => applying(unit, attempt(one), [`service ${one}`])),
      fc.constant((unit: UnitRecord) => goingBack(unit, from)),
      fc.constant((unit: UnitRecord) => settled(unit)),
      fc.tuple(digest, fc.integer({ min: 1, max: 5 })).map(
        ([one, keep]) =>
          (unit: UnitRecord) =>
            healthy(unit, release(one), keep),
      ),
      digest.map((one) => (unit: UnitRecord) => quarantined(unit, entry(one))),
      digest.map((one) => (unit: UnitRecord) => released(unit, one)),
      digest.map((one) => (unit: UnitRecord) => stuck(unit, { digest: one, ...failure })),
    );
    fc.assert(
      fc.property(fc.array(move, { maxLength: 40, size: 'max' }), (moves) => {
        const unit = moves.reduce((before, move) => move(before), unknownUnit);
        const { phase, releases, quarantine, made } = unit;
        expect(unit.attempt !== undefined).toBe(phase !== 'none' && phase !== 'stuck');
        expect(unit.stuck !== undefined).toBe(phase === 'stuck');
        for (const list of [releases, quarantine]) {
          expect(list.length).toBeLessThanOrEqual(5);
          expect(new Set(list.map(({ digest }) => digest)).size).toBe(list.length);
        }
        expect(new Set(made).size).toBe(made.length);
      }),
    );
  });
});

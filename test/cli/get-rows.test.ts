import { describe, expect, it } from 'vitest';

import { rowOf, type UnitFacts } from '../../agent/cli/get-rows.ts';
import type { Release } from '../../agent/core/kind.ts';
import type { Live } from '../../agent/core/live.ts';
import { type Quarantined, unknownUnit, type UnitRecord } from '../../agent/core/unit.ts';
import type { Standing } from '../../agent/reconcile/history.ts';

const release: Release = {
  digest: 'a',
  revision: '1a2b3c4d',
  at: '2026-11-01T00:00:00Z',
  content: {},
};
const failed: Quarantined = {
  digest: 'b',
  revision: 'c0ffee1',
  code: 'crashed',
  why: 'web: 3 tasks failed',
  evidence: 'exit code 1',
  at: '2026-11-02T00:00:00Z',
};
const attempt = { digest: 'b', revision: 'c0ffee1', baseline: [], absent: [] };
const well: UnitRecord = { ...unknownUnit, releases: [release] };
const runs: Live = { converged: true, summary: 'web 2/2', services: [] };
const ill: Live = { converged: false, summary: 'web 1/2', services: [] };
const stuck = {
  digest: 'a',
  code: 'crashed',
  why: 'it crashes',
  evidence: '',
  at: '2026-11-03T00:00:00Z',
};
const by = { by: 'root@m1', at: '2026-11-04T00:00:00Z' };

function row(
  unit: UnitRecord | undefined,
  standing?: Omit<Standing, 'id'>,
  parts: Partial<UnitFacts> = {},
) {
  const id = 'stack/blog';
  const known = standing && ({ id, ...standing } as const);
  return rowOf({ id, unit, standing: known, told: true, live: runs, ...parts });
}

const held = { sync: 'out-of-sync', why: 'waits for stack/db, which is verifying' } as const;
const fails = { sync: 'quarantined', why: '' } as const;
const removing = [{ target: 'service blog_web', id: 'x' }];

describe('sync', () => {
  it.each<[string, UnitRecord | undefined, Omit<Standing, 'id'> | undefined, string, boolean]>([
    ['settled, and nothing is told of it', well, undefined, 'Synced', false],
    ['settled and held', well, held, 'OutOfSync', true],
    ['not recorded yet and held', undefined, held, 'OutOfSync', true],
    [
      'settled at its last release, because what is wanted failed',
      well,
      fails,
      'Quarantined',
      false,
    ],
    [
      'settled, and something failed once',
      { ...well, quarantine: [failed] },
      undefined,
      'Synced',
      false,
    ],
    ['never healthy, about to begin', unknownUnit, undefined, 'OutOfSync', false],
    ['applying', { ...well, phase: 'applying', attempt }, undefined, 'OutOfSync', false],
    ['verifying', { ...well, phase: 'verifying', attempt }, undefined, 'Synced', false],
    [
      'going back from what failed',
      { ...well, phase: 'rolling-back', attempt },
      fails,
      'Quarantined',
      false,
    ],
    [
      'going back to what is wanted',
      { ...well, phase: 'rolling-back', attempt },
      undefined,
      'OutOfSync',
      false,
    ],
    [
      'back at what is wanted',
      { ...well, phase: 'reverting', attempt },
      undefined,
      'Synced',
      false,
    ],
    ['stuck', { ...well, phase: 'stuck', stuck }, undefined, 'OutOfSync', false],
    ['stuck with what failed', { ...well, phase: 'stuck', stuck }, fails, 'Quarantined', false],
    ['removed', { ...well, phase: 'removing', removing }, held, 'Removing', true],
    [
      'suspended and in place',
      { ...well, suspended: by },
      { sync: 'in-sync', why: 'suspended by root@m1', suspended: true },
      'Synced',
      false,
    ],
    [
      'suspended and not in place',
      { ...well, suspended: by },
      { ...held, suspended: true },
      'OutOfSync',
      false,
    ],
  ])('%s', (_what, unit, standing, sync, isHeld) => {
    expect(row(unit, standing)).toMatchObject({ sync, held: isHeld });
  });

  it.each<[string, UnitRecord, string]>([
    ['settled', well, 'Unknown'],
    ['applying', { ...well, phase: 'applying', attempt }, 'Unknown'],
    ['verifying', { ...well, phase: 'verifying', attempt }, 'Unknown'],
    ['stuck', { ...well, phase: 'stuck', stuck }, 'Unknown'],
    ['removed', { ...well, phase: 'removing', removing }, 'Removing'],
  ])('says nothing that an older record does not tell: %s', (_what, unit, sync) => {
    expect(row(unit, undefined, { told: false }).sync).toBe(sync);
  });
});

describe('health', () => {
  it.each<[string, UnitRecord | undefined, Live | undefined, string]>([
    ['settled and all runs', well, runs, 'Healthy'],
    ['settled and not all runs', well, ill, 'Degraded'],
    [
      'settled, with a release that nobody can read',
      well,
      { ...runs, converged: undefined },
      'Unknown',
    ],
    ['of another kind', well, undefined, 'Unknown'],
    ['under way, whatever runs', { ...well, phase: 'verifying', attempt }, runs, 'Progressing'],
    ['removed', { ...well, phase: 'removing', removing }, ill, 'Progressing'],
    ['stuck, whatever runs', { ...well, phase: 'stuck', stuck }, runs, 'Degraded'],
    [
      'stopped, because it was never healthy',
      { ...unknownUnit, quarantine: [failed] },
      runs,
      'Degraded',
    ],
    ['suspended, whatever runs', { ...well, suspended: by }, ill, 'Suspended'],
    ['not recorded, and runs from before', undefined, runs, 'Healthy'],
    ['not recorded, and nothing is there', undefined, { ...runs, converged: undefined }, 'Unknown'],
  ])('%s', (_what, unit, live, health) => {
    expect(row(unit, undefined, { live }).health).toBe(health);
  });

  it.each<[string, UnitRecord, Omit<Standing, 'id'> | undefined, string]>([
    ['as it is wanted', well, { sync: 'in-sync', why: '' }, 'Healthy'],
    ['held', well, held, 'Unknown'],
    ['under way', { ...well, phase: 'verifying', attempt }, undefined, 'Progressing'],
    ['failed, and never there', { ...unknownUnit, quarantine: [failed] }, undefined, 'Degraded'],
  ])('of an account is what the agents saw last: %s', (_what, unit, standing, health) => {
    const asked = { id: 'mysql-user/blog' as const, live: undefined };
    expect(row(unit, standing, asked).health).toBe(health);
    expect(row(well, undefined, { ...asked, told: false }).health).toBe('Unknown');
  });

  it('is Suspended where the repository says so', () => {
    const standing = {
      sync: 'in-sync',
      why: 'suspended by the repository',
      suspended: true,
    } as const;
    expect(row(well, standing)).toMatchObject({
      health: 'Suspended',
      why: 'suspended by the repository; web 2/2',
    });
  });
});

describe('revision, since and why', () => {
  it.each<[string, UnitRecord, Omit<Standing, 'id'> | undefined, object]>([
    ['settled', well, undefined, { revision: '1a2b3c4d', since: release.at, why: 'web 2/2' }],
    [
      'adopted',
      { ...well, releases: [{ ...release, revision: '' }] },
      undefined,
      { revision: 'found' },
    ],
    [
      'under way',
      { ...well, phase: 'verifying', attempt },
      undefined,
      { revision: 'c0ffee1', since: undefined, why: 'verifying; web 2/2' },
    ],
    [
      'quarantined',
      { ...well, quarantine: [failed] },
      fails,
      { revision: '1a2b3c4d', since: failed.at, why: 'web: 3 tasks failed' },
    ],
    [
      'stuck, where nobody knows what runs',
      { ...well, phase: 'stuck', stuck },
      undefined,
      { revision: '', since: stuck.at, why: 'stuck: it crashes; web 2/2' },
    ],
    [
      'going to a standstill',
      { ...unknownUnit, phase: 'rolling-back', attempt: { ...attempt, digest: '', revision: '' } },
      undefined,
      { revision: '' },
    ],
    ['held', well, held, { why: 'held: waits for stack/db, which is verifying; web 2/2' }],
  ])('%s', (_what, unit, standing, expected) => {
    expect(row(unit, standing)).toMatchObject(expected);
  });
});

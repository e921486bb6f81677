import { describe, expect, it } from 'vitest';

import type { Release, Rendered } from '../../agent/core/kind.ts';
import type { Look } from '../../agent/core/look.ts';
import { answer } from '../../agent/core/requests.ts';
import type { Phase, UnitRecord, UnitRequest } from '../../agent/core/unit.ts';
import {
  running,
  type UnitCall,
  unitKind,
  unitOf,
  type UnitSpec,
  type UnitWorld,
} from '../fakes/unit-world.ts';

const at = '2026-11-20T10:00:00.000Z';
const d1 = unitOf('d1aaaa', { web: 'good 1' });
const d2 = unitOf('d2bbbb', { web: 'good 2', api: 'good 2' });
const d3 = unitOf('d3cccc', { web: 'good 3', job: 'good 3' });

function release({ digest, spec }: Rendered<UnitSpec>): Release {
  const content = { services: Object.fromEntries(Object.entries(spec.services)) };
  return { digest, revision: `rev${digest}`, at, content };
}

const look: Look<UnitSpec, UnitWorld, UnitCall> = {
  kind: unitKind,
  observed: running({ web: 'good 3', job: 'good 3' }),
  revision: 'now',
  nowMs: 0,
  date: at,
  absent: ['n9'],
  answers: new Map(),
  approvals: new Set<string>(),
  removalsOff: undefined,
};
const attempt = { digest: d3.digest, revision: 'r', baseline: [], absent: [] };
const failure = { digest: d3.digest, code: 'c', why: 'w', evidence: 'e', at };
const entry = { ...failure, revision: 'r' };
const base: UnitRecord = {
  phase: 'none',
  quarantine: [],
  made: [],
  releases: [release(d2), release(d1)],
};

const person = { id: d3.id, by: 'root@m1' };
const retry: UnitRequest = { ...person, verb: 'retry' };
const rollback: UnitRequest = { ...person, verb: 'rollback' };

function ask(
  request: UnitRequest,
  record: UnitRecord | undefined,
  unit: Rendered<UnitSpec> | undefined = d3,
): { readonly record: UnitRecord | undefined; readonly why: string } {
  const { record: after, event } = answer(look, unit, record, request);
  const { verb } = request;
  expect(event).toMatchObject({ id: d3.id, verb, by: 'root@m1' });
  return { record: after, why: event.event === 'request refused' ? event.why : '' };
}

describe('a retry', () => {
  it.each<[string, UnitRecord]>([
    ['quarantined', { ...base, quarantine: [entry] }],
    [
      'quarantined and on the way back',
      { ...base, phase: 'reverting', attempt, quarantine: [entry] },
    ],
  ])('frees what is %s', (_name, record) => {
    expect(ask(retry, record)).toEqual({ record: base, why: '' });
  });

  it('frees what is stuck, which stands as it failed until it begins', () => {
    const record: UnitRecord = { ...base, phase: 'stuck', stuck: failure };
    expect(ask(retry, { ...record, quarantine: [entry] })).toEqual({
      record: { ...record, stuck: { ...failure, digest: '' } },
      why: '',
    });
  });

  it('frees only what the repository wants now', () => {
    const other = { ...entry, digest: 'dx' };
    const { record } = ask(retry, { ...base, quarantine: [other, entry] });
    expect(record?.quarantine).toEqual([other]);
  });

  it('verifies a release that failed once more', () => {
    const stuck: UnitRecord = { ...base, phase: 'stuck', stuck: { ...failure, digest: d2.digest } };
    expect(ask(retry, stuck, d2)).toMatchObject({
      record: { phase: 'rolling-back', attempt: { digest: d2.digest, absent: ['n9'] } },
      why: '',
    });
  });

  it.each<[string, UnitRecord | undefined, Rendered<UnitSpec> | undefined, string]>([
    ['of what did not fail', base, d3, 'it is neither quarantined nor stuck'],
    [
      'of what is under way',
      { ...base, phase: 'verifying', attempt },
      d3,
      'it is neither quarantined nor stuck',
    ],
    [
      'of what is not recorded',
      undefined,
      d3,
      'there is no such unit in the repository, or nothing is recorded of it yet',
    ],
  ])('%s is refused and changes nothing', (_name, record, unit, why) => {
    expect(ask(retry, record, unit)).toEqual({ record, why });
  });

  it('of what left the repository is refused', () => {
    const { record, event } = answer(look, undefined, base, retry);
    expect(record).toBe(base);
    expect(event.event).toBe('request refused');
  });
});

describe('a rollback', () => {
  it('quarantines what the repository wants and goes to the last other release', () => {
    const { record } = ask(rollback, { ...base, releases: [d3, d2, d1].map(release) });
    expect(record).toEqual({
      phase: 'rolling-back',
      attempt: {
        digest: d2.digest,
        revision: `rev${d2.digest}`,
        baseline: unitKind.baseline(d3, look.observed),
        absent: ['n9'],
      },
      quarantine: [
        {
          digest: d3.digest,
          revision: 'now',
          code: 'manual',
          why: 'rolled back by root@m1',
          evidence: '',
          at,
        },
      ],
      made: ['service job'],
      releases: [d3, d2, d1].map(release),
    });
  });

  it.each([
    ['digest', 'd1a'],
    ['whole digest', 'd1aaaa'],
    ['revision', 'revd1'],
  ])('goes to the release whose %s begins as asked', (_name, wanted) => {
    const { record } = ask({ ...rollback, release: wanted }, base);
    expect(record?.releases).toEqual(base.releases);
    expect(record?.attempt?.digest).toBe(d1.digest);
  });

  it.each<Phase>(['applying', 'verifying', 'rolling-back', 'reverting'])(
    'takes the place of what is %s',
    (phase) => {
      const { record } = ask(rollback, { ...base, phase, attempt });
      expect(record).toMatchObject({ phase: 'rolling-back', attempt: { digest: d2.digest } });
    },
  );

  it('ends being stuck', () => {
    const { record } = ask(rollback, { ...base, phase: 'stuck', stuck: failure });
    expect(record?.phase).toBe('rolling-back');
    expect(record?.stuck).toBeUndefined();
  });

  it('notes once what must stand still, and nothing that the release has', () => {
    const again: UnitRecord = { ...base, made: ['service job', 'service api', 'service old'] };
    expect(ask(rollback, again).record?.made).toEqual(['service job', 'service old']);
  });

  it.each<[string, UnitRecord, UnitRequest, string]>([
    [
      'without another release',
      { ...base, releases: [release(d3)] },
      rollback,
      'there is no other healthy release to go back to',
    ],
    [
      'to one that is not there',
      base,
      { ...rollback, release: 'zz' },
      'no other healthy release begins with zz',
    ],
    [
      'to what the repository wants anyway',
      { ...base, releases: [d3, d2].map(release) },
      { ...rollback, release: 'd3' },
      'no other healthy release begins with d3',
    ],
    [
      'to one that cannot be read',
      { ...base, releases: [{ ...release(d2), content: 'x' }] },
      rollback,
      'this version cannot read that release in the record',
    ],
  ])('%s is refused and changes nothing', (_name, record, request, why) => {
    expect(ask(request, record)).toEqual({ record, why });
  });
});

describe('a second rollback', () => {
  it('goes one further back: the first release runs already', () => {
    const record = { ...base, quarantine: [entry] };
    expect(ask(rollback, record).record?.attempt?.digest).toBe(d1.digest);
    expect(ask(rollback, base).record?.attempt?.digest).toBe(d2.digest);
  });

  it('is refused where there is none further back', () => {
    const record = { ...base, quarantine: [entry], releases: [release(d2)] };
    expect(ask(rollback, record).why).toBe('there is no other healthy release to go back to');
  });
});

describe('a request that names what the person saw', () => {
  const [one, other] = [d3.digest, 'dxdxdxdxdxdx'];
  const another = (asked: string): string =>
    `the repository wants something else by now (digest d3cccc, it was asked of ${asked}): look again`;
  const failed: UnitRecord = { ...base, quarantine: [entry] };
  const stuck: UnitRecord = { ...failed, phase: 'stuck', stuck: { ...failure, at: 'later' } };
  const left: UnitRecord = { ...failed, phase: 'stuck', stuck: failure };
  const back: UnitRecord = {
    ...failed,
    phase: 'reverting',
    attempt: { ...attempt, digest: d1.digest },
  };
  const wellAt3: UnitRecord = { ...base, releases: [d3, d2, d1].map(release) };

  it.each<[string, UnitRequest, UnitRecord, string | undefined]>([
    ['retry of what failed', { ...retry, digest: one }, failed, ''],
    ['retry of what is stuck', { ...retry, digest: one }, stuck, ''],
    ['retry of what is wanted no more', { ...retry, digest: other }, failed, another('dxdxdxdxdx')],
    ['retry of what is stuck no more', { ...retry, digest: other }, stuck, another('dxdxdxdxdx')],
    ['rollback of what is wanted', { ...rollback, digest: one }, wellAt3, ''],
    ['rollback of what was wanted', { ...rollback, digest: d2.digest }, wellAt3, another('d2bbbb')],
    [
      'rollback to a named one',
      { ...rollback, digest: other, release: 'd1' },
      wellAt3,
      another('dxdxdxdxdx'),
    ],
    ['rollback of what is in place', { ...rollback, digest: d2.digest }, failed, ''],
    ['rollback of what is brought back', { ...rollback, digest: d1.digest }, back, ''],
    [
      'rollback of what is not brought back',
      { ...rollback, digest: d2.digest },
      back,
      another('d2bbbb'),
    ],
    [
      'rollback of what was under way and failed since',
      { ...rollback, digest: one },
      failed,
      'it has failed and gone back by itself since this was asked',
    ],
    ['rollback of that to a named one', { ...rollback, digest: one, release: 'd1' }, failed, ''],
    ['rollback of what is stuck', { ...rollback, digest: one }, stuck, ''],
    ['rollback of what was left as it failed', { ...rollback, digest: one }, left, ''],
  ])('%s', (_what, request, record, why) => {
    const answered = ask(request, record);
    expect(answered.why).toBe(why);
    expect(answered.record === record).toBe(why !== '');
  });

  it('goes to the last healthy release from what was left as it failed, and one further from a failed rollback', () => {
    expect(ask(rollback, left).record?.attempt?.digest).toBe(d2.digest);
    expect(ask(rollback, stuck).record?.attempt?.digest).toBe(d1.digest);
  });
});

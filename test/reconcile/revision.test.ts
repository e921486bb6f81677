import { describe, expect, it } from 'vitest';

import type { Id } from '../../agent/core/kind.ts';
import { type UnitRecord, unknownUnit } from '../../agent/core/unit.ts';
import type { UnitView } from '../../agent/core/view.ts';
import type { History, RevisionRecord } from '../../agent/reconcile/history.ts';
import { judgeRevision, type RevisionStanding } from '../../agent/reconcile/revision.ts';

const date = '2026-11-20T10:00:00.000Z';
const failure = { code: 'c', why: 'w', evidence: 'e', at: date };

/** One unit as a step leaves it. */
interface Unit {
  readonly view: UnitView;
  readonly record: UnitRecord;
}

function unit(name: string, view: Partial<UnitView>, record: Partial<UnitRecord>): Unit {
  const id: Id = `stack/${name}`;
  const quiet: Omit<UnitView, 'id' | 'digest'> = {
    phase: 'none',
    pending: false,
    quarantined: false,
    blocked: [],
    notes: [],
  };
  return {
    view: { ...quiet, id, digest: 'd', ...view },
    record: { ...unknownUnit, ...record },
  };
}

const release = (revision: string) => ({ digest: 'd0', revision, at: date, content: null });

/** At what the repository wants, which came with this revision. */
const healthy = (name: string, revision = 'r1'): Unit =>
  unit(name, {}, { releases: [release(revision)] });
const pending = (name: string): Unit => unit(name, { phase: 'verifying', pending: true }, {});
/** Back at an earlier release since this revision. */
const back = (name: string, revision: string): Unit =>
  unit(
    name,
    { quarantined: true },
    { quarantine: [{ digest: 'd', revision, ...failure }], releases: [release('r0')] },
  );
/** Never healthy, so it stands still since this revision. */
const still = (name: string, revision: string): Unit =>
  unit(name, { quarantined: true }, { quarantine: [{ digest: 'd', revision, ...failure }] });
const stuck = (name: string, revision: string): Unit =>
  unit(
    name,
    { phase: 'stuck', quarantined: true },
    {
      phase: 'stuck',
      stuck: { digest: 'd', ...failure },
      quarantine: [{ digest: 'd', revision, ...failure }],
      releases: [release('r0')],
    },
  );

function ended(commit: string, failed: readonly Id[] = []): RevisionRecord {
  const outcome = failed.length > 0 ? 'rolled-back' : 'healthy';
  return { commit, outcome, units: 1, failed, quarantined: [], at: date };
}

function past(...revisions: readonly RevisionRecord[]): History {
  const newest = revisions[0]?.commit ?? '';
  return { seen: newest, settled: newest, revisions };
}

function judge(history: History, revision: string, units: readonly Unit[]): RevisionStanding {
  return judgeRevision(
    history,
    { revision, ms: 7, date },
    units.map(({ view }) => view),
    new Map(units.map(({ view, record }) => [view.id, record])),
  );
}

/** Wants `digest` and may not begin it; it runs what this revision brought. */
const waits = (name: string, ended: 'failed' | 'by-hand' = 'failed', digest = 'd'): Unit =>
  unit(name, { digest, waits: ended }, { releases: [release('r0')] });
/** Waits, and nothing of it runs yet. */
const waitsNew = (name: string): Unit => unit(name, { waits: 'failed' }, {});

describe('a revision with units that wait for one that failed', () => {
  const told = (history: History, commit: string, units: readonly Unit[]): RevisionStanding =>
    judge(history, commit, units);

  it('ends, and names them', () => {
    const { event, history } = told(past(ended('r0')), 'r1', [back('a', 'r1'), waits('b')]);
    expect(event).toEqual({
      event: 'revision failed',
      revision: 'r1',
      failed: ['stack/a'],
      rolledBack: ['stack/a'],
      waiting: ['stack/b'],
      units: 2,
      ms: 7,
    });
    expect(history.revisions[0]).toMatchObject({
      outcome: 'rolled-back',
      waiting: [{ id: 'stack/b', digest: 'd' }],
    });
    expect(judge(history, 'r1', [back('a', 'r1'), waits('b')]).history).toBe(history);
  });

  it('has failed, not gone back, where one of them never ran', () => {
    const { history } = told(past(ended('r0')), 'r1', [back('a', 'r1'), waitsNew('b')]);
    expect(history.revisions[0]).toMatchObject({ outcome: 'failed' });
  });

  it('fails for a change of its own that waits for what failed before', () => {
    const first = told(past(ended('r0')), 'r1', [back('a', 'r1')]).history;
    const { event, history } = told(first, 'r2', [back('a', 'r1'), waits('b')]);
    expect(event).toMatchObject({ event: 'revision failed', failed: [], waiting: ['stack/b'] });
    expect(history.revisions[0]).toMatchObject({ outcome: 'failed', quarantined: ['stack/a'] });
  });

  it('does not fail for what waited for the same already', () => {
    const first = told(past(ended('r0')), 'r1', [back('a', 'r1'), waits('b')]).history;
    const second = told(first, 'r2', [back('a', 'r1'), waits('b')]);
    expect(second.event).toMatchObject({
      event: 'revision healthy',
      quarantined: ['stack/a'],
      waiting: ['stack/b'],
    });
    const third = told(second.history, 'r3', [back('a', 'r1'), waits('b', 'failed', 'd2')]);
    expect(third.event).toMatchObject({ event: 'revision failed', waiting: ['stack/b'] });
  });

  it('fails for what one changed that it overtook', () => {
    const overtaken = { ...past(ended('r0')), seen: 'r1' };
    const { event } = told(overtaken, 'r2', [back('a', 'r1'), waits('b')]);
    expect(event).toMatchObject({ event: 'revision failed', waiting: ['stack/b'] });
  });

  it('does not fail for what waits because a person went back', () => {
    const { event, history } = told(past(ended('r0')), 'r1', [healthy('a'), waits('b', 'by-hand')]);
    expect(event).toMatchObject({ event: 'revision healthy', waiting: ['stack/b'] });
    expect(history.revisions[0]?.waiting).toEqual([{ id: 'stack/b', digest: 'd' }]);
  });

  it('says nothing of waiting where nobody does', () => {
    const { event, history } = told(past(ended('r0')), 'r1', [healthy('a')]);
    expect(event).not.toHaveProperty('waiting');
    expect(history.revisions[0]).not.toHaveProperty('waiting');
  });
});

describe('a revision', () => {
  it('has not ended while one of its units is under way', () => {
    const history = past(ended('r0'));
    const { history: after, event } = judge(history, 'r1', [healthy('a'), pending('b')]);
    expect(event).toBeUndefined();
    expect(after).toEqual({ ...history, seen: 'r1' });
  });

  it('that has not ended is noted as seen once', () => {
    const history = { ...past(ended('r0')), seen: 'r1' };
    expect(judge(history, 'r1', [pending('b')]).history).toBe(history);
  });

  it('is healthy where all of its units are', () => {
    const { history, event } = judge(past(ended('r0')), 'r1', [healthy('a'), healthy('b', 'r0')]);
    expect(event).toEqual({
      event: 'revision healthy',
      revision: 'r1',
      units: 2,
      quarantined: [],
      suspended: [],
      ms: 7,
    });
    expect(history).toEqual({
      seen: 'r1',
      settled: 'r1',
      revisions: [
        { commit: 'r1', outcome: 'healthy', units: 1, failed: [], quarantined: [], at: date },
        ended('r0'),
      ],
    });
  });

  it('does not wait for what is suspended, says so, and ends again when that goes on', () => {
    const suspended = unit('b', { leftOut: true, gate: 'suspended', held: 'suspended by x' }, {});
    const first = judge(past(ended('r0')), 'r1', [healthy('a'), suspended]);
    expect(first.event).toMatchObject({ event: 'revision healthy', suspended: ['stack/b'] });
    const [entry] = first.history.revisions;
    expect(entry).toMatchObject({ commit: 'r1', outcome: 'healthy', suspended: ['stack/b'] });
    expect(judge(first.history, 'r1', [healthy('a'), suspended]).history).toBe(first.history);
    const open = judge(first.history, 'r1', [healthy('a'), pending('b')]);
    expect(open).toEqual({ history: first.history, event: undefined });
    const { history, event } = judge(open.history, 'r1', [healthy('a'), healthy('b')]);
    expect(event).toMatchObject({ event: 'revision healthy', suspended: [] });
    expect(history.revisions).toHaveLength(2);
    expect(history.revisions[0]).not.toHaveProperty('suspended');
  });

  it('is healthy where it has no unit at all', () => {
    expect(judge(past(), 'r1', []).history.revisions).toMatchObject([{ outcome: 'healthy' }]);
  });

  it.each<[string, readonly Unit[], string, readonly Id[], readonly Id[]]>([
    ['rolled back', [healthy('a'), back('b', 'r1')], 'rolled-back', ['stack/b'], ['stack/b']],
    [
      'failed where one unit never was healthy',
      [back('a', 'r1'), still('b', 'r1')],
      'failed',
      ['stack/a', 'stack/b'],
      ['stack/a'],
    ],
    ['failed where one unit is stuck', [stuck('a', 'r1')], 'failed', ['stack/a'], []],
    ['failed where one unit is stuck since before', [stuck('a', 'r0')], 'failed', ['stack/a'], []],
  ])('is %s', (_name, units, outcome, failed, rolledBack) => {
    const { history, event } = judge(past(ended('r0')), 'r1', units);
    expect(event).toEqual({
      event: 'revision failed',
      revision: 'r1',
      failed,
      rolledBack,
      units: units.length,
      ms: 7,
    });
    expect(history.revisions[0]).toMatchObject({ commit: 'r1', outcome, failed });
    expect(history.settled).toBe('r1');
  });

  it('does not fail for what an earlier one brought and that was told', () => {
    const { event } = judge(past(ended('r0', ['stack/a'])), 'r1', [back('a', 'r0')]);
    expect(event).toMatchObject({ event: 'revision healthy', quarantined: ['stack/a'] });
  });

  it('fails for what it brought itself to a unit that failed before', () => {
    const { event } = judge(past(ended('r0', ['stack/a'])), 'r1', [back('a', 'r1')]);
    expect(event).toMatchObject({ event: 'revision failed', failed: ['stack/a'] });
  });

  it('fails for what one brought that it overtook', () => {
    const overtaken = { ...past(ended('r0')), seen: 'r1' };
    const { event, history } = judge(overtaken, 'r2', [back('a', 'r1')]);
    expect(history.revisions).toMatchObject([
      { commit: 'r2', outcome: 'rolled-back' },
      { commit: 'r1', outcome: 'superseded' },
      { commit: 'r0', outcome: 'healthy' },
    ]);
    expect(event).toMatchObject({ event: 'revision failed', failed: ['stack/a'] });
  });

  it('does not fail again for what the one before it overtook', () => {
    const units = [back('a', 'r1')];
    const second = judge({ ...past(ended('r0')), seen: 'r1' }, 'r2', units).history;
    expect(judge(second, 'r2', units).event).toMatchObject({ failed: ['stack/a'] });
    const third = judge(second, 'r3', units);
    expect(third.event).toMatchObject({ event: 'revision healthy', quarantined: ['stack/a'] });
    const fourth = judge(third.history, 'r4', units);
    expect(fourth.event).toMatchObject({ event: 'revision healthy', quarantined: ['stack/a'] });
  });

  it('does not fail for what one brought that is so long ago that nobody remembers it', () => {
    let history = past(ended('r0', ['stack/a']));
    const outcomes = Array.from({ length: 60 }, (_, at) => {
      const standing = judge(history, `n${String(at)}`, [back('a', 'r0')]);
      ({ history } = standing);
      return standing.event?.event;
    });
    expect(new Set(outcomes)).toEqual(new Set(['revision healthy']));
    expect(history.revisions).toHaveLength(50);
    expect(history.revisions[0]?.commit).toBe('n59');
  });

  it('fails where it asks again for what failed earlier, although the one before it stood well', () => {
    const { event } = judge(past(ended('r2'), ended('r1', ['stack/a'])), 'r3', [back('a', 'r1')]);
    expect(event).toMatchObject({ event: 'revision failed', rolledBack: ['stack/a'] });
    const again = judge(past(ended('r2', ['stack/a'])), 'r3', [back('a', 'r1')]);
    expect(again.event).toMatchObject({ event: 'revision healthy', quarantined: ['stack/a'] });
    expect(judge(again.history, 'r4', [back('a', 'r1')]).event).toMatchObject({
      event: 'revision healthy',
    });
  });

  it('does not fail for what a person took back', () => {
    const { view, record } = back('a', 'r1');
    const quarantine = record.quarantine.map((one) => ({ ...one, code: 'manual' }));
    const units = [{ view, record: { ...record, quarantine } }];
    expect(judge(past(ended('r0')), 'r1', units).event).toMatchObject({
      event: 'revision healthy',
      quarantined: ['stack/a'],
    });
  });

  it('is told again once nothing is quarantined any more', () => {
    const before = judge(past(ended('r0', ['stack/a'])), 'r1', [back('a', 'r0')]).history;
    const { history } = judge(before, 'r1', [healthy('a')]);
    expect(history.revisions[0]).toMatchObject({ commit: 'r1', quarantined: [] });
    expect(history.revisions).toHaveLength(2);
  });

  it('that has ended is recorded once', () => {
    for (const units of [[healthy('a')], [back('a', 'r1'), back('b', 'r1')]]) {
      const first = judge(past(ended('r0')), 'r1', units);
      const second = judge(first.history, 'r1', units);
      expect(second.history).toBe(first.history);
      expect(second.event).toEqual(first.event);
    }
  });

  it('can end otherwise when somebody helps, in the same place', () => {
    const failed = judge(past(ended('r0')), 'r1', [back('a', 'r1')]).history;
    const { history } = judge(failed, 'r1', [healthy('a')]);
    expect(history.revisions.map(({ commit, outcome }) => [commit, outcome])).toEqual([
      ['r1', 'healthy'],
      ['r0', 'healthy'],
    ]);
  });

  it('can fail after it was healthy: a person went back', () => {
    const well = judge(past(), 'r1', [healthy('a')]).history;
    const { history } = judge(well, 'r1', [back('a', 'r1')]);
    expect(history.revisions).toMatchObject([{ commit: 'r1', outcome: 'rolled-back' }]);
  });

  it('that comes again after another one is recorded again', () => {
    const { history } = judge(past(ended('r2'), ended('r1')), 'r1', [healthy('a')]);
    expect(history.revisions.map(({ commit }) => commit)).toEqual(['r1', 'r2', 'r1']);
  });

  it('fails for what it brought itself, also when it comes again', () => {
    const history = past(ended('r2'), ended('r1', ['stack/a']));
    expect(judge(history, 'r1', [back('a', 'r1')]).event).toMatchObject({ failed: ['stack/a'] });
  });
});

import { describe, expect, it } from 'vitest';

import {
  answerApprovals,
  type Approval,
  approveWith,
  liveApprovals,
} from '../../agent/core/approve.ts';
import type { Id } from '../../agent/core/kind.ts';
import type { Request } from '../../agent/core/unit.ts';

const one = '1234567890ab'.padEnd(64, '0');
const other = '1234567890ac'.padEnd(64, '0');
const open = new Map<string, readonly Id[]>([
  [one, ['stack/a', 'stack/b']],
  [other, ['stack/c']],
]);
const ask = (digest: string): Request => ({ verb: 'approve', digest, by: 'p' });

describe('an approval', () => {
  it('names what is held by the first digits, and is told of each unit', () => {
    const answered = answerApprovals([], open, [ask('1234567890ab')]);
    expect(answered).toEqual({
      approved: [{ digest: one, by: 'p' }],
      events: [
        { event: 'request taken', id: 'stack/a', verb: 'approve', by: 'p' },
        { event: 'request taken', id: 'stack/b', verb: 'approve', by: 'p' },
      ],
      refused: [],
      news: true,
    });
    expect([...liveApprovals(answered.approved)]).toEqual([one]);
    expect(approveWith(one)).toContain('understudy approve 1234567890ab`');
  });

  it.each([
    ['of nothing that is held', 'ffffffffffff'],
    ['that names two', '1234567890a'],
  ])('%s is refused', (_what, digest) => {
    const answered = answerApprovals([], open, [ask(digest)]);
    expect(answered).toMatchObject({ approved: [], events: [], news: false });
    expect(answered.refused).toEqual([
      { event: 'approval refused', digest, by: 'p', why: expect.stringContaining('it changed') },
    ]);
  });

  it('stays the same as long as what it releases waits', () => {
    const approved: readonly Approval[] = [{ digest: one, by: 'p' }];
    expect(answerApprovals(approved, open, []).approved).toBe(approved);
    expect(answerApprovals(approved, open, [ask(one)])).toMatchObject({ approved, news: false });
  });

  it('dies with what it was for, and does not come to life again with it', () => {
    const gone = answerApprovals([{ digest: one, by: 'p' }], new Map(), []);
    expect(gone.approved).toEqual([{ digest: one, by: 'p', spent: true }]);
    const back = answerApprovals(gone.approved, open, []);
    expect(back.approved).toBe(gone.approved);
    expect(liveApprovals(back.approved).size).toBe(0);
    const again = answerApprovals(gone.approved, open, [ask(one)]);
    expect(again.approved).toEqual([{ digest: one, by: 'p' }]);
  });

  it('is remembered among the last twenty', () => {
    const many = Array.from({ length: 20 }, (_, n) => ({
      digest: String(n),
      by: 'p',
      spent: true as const,
    }));
    const { approved } = answerApprovals(many, open, [ask(one)]);
    expect(approved).toHaveLength(20);
    expect(approved[0]).toEqual({ digest: one, by: 'p' });
  });

  it('is no request of a unit: those stay unanswered here', () => {
    const retry: Request = { verb: 'retry', id: 'stack/a', by: 'p' };
    expect(answerApprovals([], open, [retry])).toMatchObject({ approved: [], events: [] });
  });
});

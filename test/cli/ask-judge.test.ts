import { describe, expect, it } from 'vitest';

import { isApproved, isDone, judge, nameOf } from '../../agent/cli/ask-judge.ts';
import type { WantedOfUnit } from '../../agent/cli/ask-options.ts';
import type { Id, Release } from '../../agent/core/kind.ts';
import { type Quarantined, unknownUnit, type UnitRecord } from '../../agent/core/unit.ts';

const release = (digest: string, revision: string): Release => ({
  digest,
  revision,
  at: '2026-11-20T12:34:56.789Z',
  content: {},
});

const failed = (digest: string, at = 'then', code = 'crashed'): Quarantined => ({
  digest,
  revision: 'r',
  at,
  code,
  why: 'w',
  evidence: 'e',
});

const unit = (parts: Partial<UnitRecord>): UnitRecord => ({ ...unknownUnit, ...parts });
const recorded = (units: Record<Id, UnitRecord>, notes: readonly string[] = []) => ({
  units: new Map<Id, UnitRecord>(Object.entries(units).map(([id, one]) => [idOf(id), one])),
  notes,
});
const idOf = (text: string): Id => `stack/${text.replace('stack/', '')}`;
const wanted = (verb: 'retry' | 'rollback', to?: string): WantedOfUnit => ({
  verb,
  unit: 'stack/blog',
  socket: '/s',
  json: false,
  ...(to === undefined ? {} : { to }),
});
const ask = (blog: UnitRecord, verb: 'retry' | 'rollback', to?: string) =>
  judge(recorded({ 'stack/blog': blog }), wanted(verb, to), 'root@m1');

const three = unit({
  releases: [
    release('d1aa', '1f2a91c000'),
    release('d2aa', '3f2a91c000'),
    release('d3aa', '3f2bbbb000'),
  ],
});

describe('isApproved', () => {
  it.each([
    ['123', [], false],
    ['123', [{ digest: '1234', by: 'p' }], true],
    ['123', [{ digest: '1234', by: 'p', spent: true as const }], true],
    ['124', [{ digest: '1234', by: 'p' }], false],
  ])('%s of %j: %s', (digest, approved, expected) => {
    expect(isApproved(digest, approved)).toBe(expected);
  });
});

describe('judge', () => {
  it.each([
    ['a quarantined unit', unit({ quarantine: [failed('d')] })],
    ['a stuck unit', unit({ phase: 'stuck', stuck: failed('d') })],
  ])('lets %s be tried again', (_what, blog) =>
    expect(ask(blog, 'retry')).toEqual({
      status: 'sensible',
      request: { id: 'stack/blog', by: 'root@m1', verb: 'retry' },
      record: blog,
    }),
  );

  it('does not try again what did not fail', () => {
    expect(ask(three, 'retry')).toMatchObject({
      status: 'senseless',
      why: expect.stringContaining('stack/blog is not quarantined'),
    });
  });

  it('leaves it to the agent which release was before this', () => {
    expect(ask(three, 'rollback')).toEqual({
      status: 'sensible',
      request: { id: 'stack/blog', by: 'root@m1', verb: 'rollback' },
      record: three,
    });
  });

  it.each([
    ['1', 'd1aa'],
    ['3', 'd3aa'],
    ['1f2', 'd1aa'],
    ['3f2a', 'd2aa'],
    ['3f2b', 'd3aa'],
    ['d2', 'd2aa'],
  ])('goes to the release %s, named as a whole', (to, digest) =>
    expect(ask(three, 'rollback', to)).toMatchObject({
      status: 'sensible',
      request: { release: digest },
      release: { digest },
    }),
  );

  it.each([
    ['4', 'has no release `4`', 3],
    ['0', 'has no release `0`', 3],
    ['fff', 'has no release `fff`', 3],
    ['3f2', 'more than one release', 2],
  ])('shows the releases where %s is none of them', (to, why, count) => {
    const judged = ask(three, 'rollback', to);
    expect(judged).toMatchObject({ status: 'senseless', why: expect.stringContaining(why) });
    const more = judged.status === 'senseless' ? judged.more : [];
    expect(more).toHaveLength(count);
    expect(more.at(-1)).toBe('  3  3f2bbbb  2026-11-20 12:34 UTC');
  });

  it('has nothing to go back to where nothing was healthy', () => {
    expect(ask(unit({ quarantine: [failed('d')] }), 'rollback')).toMatchObject({
      status: 'senseless',
      why: 'stack/blog has no healthy release to go back to',
    });
  });

  it.each([
    ['blgo', 'did you mean `stack/blgo`?'],
    ['other', '`stack/blog` is not in the record'],
  ])('knows only what is recorded: %s', (name, why) =>
    expect(judge(recorded({ [idOf(name)]: three }), wanted('retry'), 'x')).toMatchObject({
      status: 'senseless',
      why: expect.stringContaining(why),
    }),
  );

  it('says what of the record could not be read', () => {
    const notes = ['config understudy.b.1 is missing'];
    expect(judge(recorded({ 'stack/x': three }, notes), wanted('retry'), 'x')).toMatchObject({
      more: notes,
    });
    expect(judge(recorded({}, notes), wanted('retry'), 'x')).toMatchObject({
      why: 'nothing is recorded of any unit yet',
      more: notes,
    });
  });
});

describe('isDone', () => {
  const stuck = unit({ phase: 'stuck', stuck: failed('d') });
  it.each<[string, 'retry' | 'rollback', UnitRecord, UnitRecord | undefined, boolean]>([
    ['released', 'retry', unit({ quarantine: [failed('d')] }), unit({}), true],
    [
      'released, and failed once more',
      'retry',
      unit({ quarantine: [failed('d')] }),
      unit({ quarantine: [failed('d', 'later')] }),
      true,
    ],
    ['stuck no more', 'retry', stuck, unit({ phase: 'applying' }), true],
    [
      'as before',
      'retry',
      unit({ quarantine: [failed('d')] }),
      unit({ quarantine: [failed('d')] }),
      false,
    ],
    ['still stuck', 'retry', stuck, stuck, false],
    [
      'went on by itself',
      'retry',
      unit({ quarantine: [failed('d')], phase: 'verifying' }),
      unit({ quarantine: [failed('d')] }),
      false,
    ],
    [
      'quarantined by hand',
      'rollback',
      three,
      unit({ quarantine: [failed('d', 'now', 'manual')] }),
      true,
    ],
    ['failed by itself', 'rollback', three, unit({ quarantine: [failed('d', 'now')] }), false],
    [
      'by hand long ago',
      'rollback',
      unit({ quarantine: [failed('d', 'then', 'manual')] }),
      unit({ quarantine: [failed('d', 'then', 'manual')] }),
      false,
    ],
    ['gone', 'rollback', three, undefined, false],
  ])('%s (%s)', (_what, verb, before, after, done) =>
    expect(isDone(verb, before, after)).toBe(done),
  );
});

describe('nameOf', () => {
  it('says of a release that was found there that it has no commit', () => {
    expect(nameOf(release('d', ''))).toBe('found    2026-11-20 12:34 UTC');
  });
});

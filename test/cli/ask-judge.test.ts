import { describe, expect, it } from 'vitest';

import { isApproved, isDone, judge, nameOf, whyRefused } from '../../agent/cli/ask-judge.ts';
import type { WantedOfUnit } from '../../agent/cli/ask-options.ts';
import type { Id, Release } from '../../agent/core/kind.ts';
import {
  type Quarantined,
  type UnitRequest,
  unknownUnit,
  type UnitRecord,
} from '../../agent/core/unit.ts';

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
const wanted = (verb: UnitRequest['verb'], to?: string): WantedOfUnit => ({
  verb,
  unit: 'stack/blog',
  socket: '/s',
  json: false,
  ...(to === undefined ? {} : { to }),
});
const ask = (blog: UnitRecord, verb: UnitRequest['verb'], to?: string) =>
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
      request: { id: 'stack/blog', by: 'root@m1', verb: 'retry', digest: 'd' },
      record: blog,
    }),
  );

  it('does not try again what did not fail', () => {
    expect(ask(three, 'retry')).toMatchObject({
      status: 'senseless',
      why: expect.stringContaining('stack/blog is not quarantined'),
    });
  });

  it('lets a unit be suspended and resumed, each where it makes sense', () => {
    const still = unit({ suspended: { by: 'root@m2', at: '2026-11-20T12:34:56.789Z' } });
    for (const [verb, good, bad, why] of [
      [
        'suspend',
        three,
        still,
        'stack/blog is suspended already, by root@m2 at 2026-11-20 12:34 UTC',
      ],
      ['resume', still, three, 'nobody suspended stack/blog; where its stack.yaml says'],
    ] as const) {
      const request = { id: 'stack/blog', by: 'root@m1', verb };
      expect(ask(good, verb)).toEqual({ status: 'sensible', request, record: good });
      expect(ask(bad, verb)).toMatchObject({ why: expect.stringContaining(why) });
      expect([isDone(verb, good, bad), isDone(verb, good, good)]).toEqual([true, false]);
    }
  });

  it('leaves it to the agent which release was before this', () => {
    expect(ask(three, 'rollback')).toEqual({
      status: 'sensible',
      request: { id: 'stack/blog', by: 'root@m1', verb: 'rollback', digest: 'd1aa' },
      record: three,
    });
  });

  const attempt = { digest: 'd9', revision: 'r', baseline: [], absent: [] };
  it.each<[string, 'retry' | 'rollback', UnitRecord, string | undefined]>([
    ['of the newest that failed', 'retry', unit({ quarantine: [failed('d'), failed('e')] }), 'd'],
    [
      'of what is stuck',
      'retry',
      unit({ phase: 'stuck', stuck: failed('d'), quarantine: [failed('d'), failed('e')] }),
      'd',
    ],
    ['of a stuck release', 'retry', unit({ phase: 'stuck', stuck: failed('d') }), 'd'],
    [
      'of what is stuck or another one, so of neither',
      'retry',
      unit({ phase: 'stuck', stuck: failed('d'), quarantine: [failed('e')] }),
      undefined,
    ],
    [
      'of what waited to begin, which nobody knows',
      'retry',
      unit({ phase: 'stuck', stuck: failed('') }),
      undefined,
    ],
    ['of what is tried', 'rollback', unit({ ...three, phase: 'verifying', attempt }), 'd9'],
    [
      'of what failed and was left',
      'rollback',
      unit({ ...three, phase: 'stuck', stuck: failed('d8') }),
      'd8',
    ],
    ['of what is in place', 'rollback', unit({ ...three, quarantine: [failed('d8')] }), 'd1aa'],
  ])('asks %s', (_what, verb, blog, digest) => {
    const judged = ask(blog, verb);
    expect(judged.status === 'sensible' && judged.request).toEqual({
      id: 'stack/blog',
      by: 'root@m1',
      verb,
      ...(digest !== undefined && { digest }),
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

describe('whyRefused', () => {
  const attempt = { digest: 'd9', revision: 'r', baseline: [], absent: [] };
  const other = (now: string): string =>
    `the repository wants something else by now (digest ${now}, it was asked of d)`;
  const bad = unit({ quarantine: [failed('d')] });
  const well = unit({ releases: [release('d', 'r')] });
  it.each<[string, 'retry' | 'rollback', UnitRecord, UnitRecord | undefined, string | undefined]>([
    [
      'another one is tried',
      'retry',
      bad,
      unit({ ...bad, phase: 'applying', attempt }),
      other('d9'),
    ],
    [
      'another one failed',
      'retry',
      bad,
      unit({ quarantine: [failed('e'), failed('d')] }),
      other('e'),
    ],
    ['nothing tells', 'retry', bad, bad, undefined],
    ['it is gone', 'retry', bad, undefined, undefined],
    ['another one is tried', 'rollback', well, unit({ phase: 'verifying', attempt }), other('d9')],
    ['another one runs', 'rollback', well, unit({ releases: [release('e', 'r')] }), other('e')],
    [
      'it went back',
      'rollback',
      unit({ phase: 'verifying', attempt: { ...attempt, digest: 'd' } }),
      unit({ ...three, quarantine: [failed('d')] }),
      'it has failed and gone back by itself',
    ],
    ['nothing tells', 'rollback', well, well, undefined],
  ])('%s (%s)', (_what, verb, before, after, why) => {
    const request: UnitRequest = { id: 'stack/blog', by: 'x', verb, digest: 'd' };
    expect(whyRefused(request, before, after)).toBe(why);
    expect(whyRefused({ id: 'stack/blog', by: 'x', verb }, before, after)).toBeUndefined();
  });
});

describe('nameOf', () => {
  it('says of a release that was found there that it has no commit', () => {
    expect(nameOf(release('d', ''))).toBe('found    2026-11-20 12:34 UTC');
  });
});

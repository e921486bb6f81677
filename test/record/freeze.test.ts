import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { frozenLine } from '../../agent/core/freeze.ts';
import { FREEZE_LABEL, freezeLabel, readFreeze } from '../../agent/record/freeze.ts';
import { HeadWatch } from '../../agent/record/head-watch.ts';
import { FakeShelf } from '../fakes/shelf.ts';
import { open, value } from './support.ts';

const NOW = '2026-11-20T10:00:00.000Z';
const read = (text: string, date = NOW) => readFreeze({ [FREEZE_LABEL]: text }, date);
const label = (until?: string): string => {
  const made = freezeLabel({ by: 'root@m1', why: 'ill', ...(until !== undefined && { until }) });
  if (made.status === 'refused') throw new Error(made.why);
  return made.value;
};
const damaged = {
  by: 'somebody',
  why: 'label understudy.freeze of config understudy.head cannot be read, which is taken as a freeze',
};

describe('a freeze', () => {
  it('is none without its label', () => {
    expect(readFreeze({ 'understudy.record': '{}' }, NOW)).toBeUndefined();
  });

  it.each<[string, string | undefined, object]>([
    ['without end', undefined, {}],
    ['for a while', '2026-11-20T10:00:01.000Z', { leftMs: 1_000 }],
    ['to the minute', '2026-11-20T11:00Z', { leftMs: 3_600_000 }],
    ['in another zone', '2026-11-20T12:00:00+01:00', { leftMs: 3_600_000 }],
  ])('is read as it was written: %s', (_what, until, left) => {
    const utc = until && new Date(until).toISOString();
    const timed = utc === undefined ? {} : { until: utc };
    expect(read(label(until))).toEqual({ by: 'root@m1', why: 'ill', ...timed, ...left });
  });

  it.each([NOW, '2025-01-01T00:00:00Z'])('is none any more after its end: %s', (until) => {
    expect(read(label(until))).toBeUndefined();
  });

  it.each([
    '',
    'true',
    '{',
    '[]',
    '{}',
    '{"by":"root"}',
    '{"by":"root","why":""}',
    '{"by":"root","why":"\\u001b[2J"}',
    '{"by":"root","why":"ill","until":"tomorrow"}',
    '{"by":"root","why":"ill","until":"2026-02-31T10:00:00Z"}',
    '{"by":"root","why":"ill","until":1}',
  ])('that cannot be read is one without end: %s', (text) => {
    expect(read(text, '2999-01-01T00:00:00.000Z')).toEqual(damaged);
  });

  it('that a later version wrote more of is read as far as it is known', () => {
    expect(read('{"by":"root","why":"ill","scope":"stacks"}')).toEqual({ by: 'root', why: 'ill' });
  });

  it('is there or not, whatever its label says', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const freeze = read(text);
        expect(freeze === undefined || frozenLine(freeze).startsWith('frozen by ')).toBe(true);
      }),
    );
  });

  it('says who, until when and why', () => {
    const freeze = { by: 'root@m1', why: 'the storage is ill' };
    expect(frozenLine(freeze)).toBe(
      'frozen by root@m1 until understudy unfreeze: the storage is ill',
    );
    expect(frozenLine({ ...freeze, until: '2026-11-20T18:00:00.000Z' })).toBe(
      'frozen by root@m1 until 2026-11-20 18:00 UTC: the storage is ill',
    );
  });

  it.each([
    ['nobody', { by: '', why: 'ill' }],
    ['no reason', { by: 'root', why: '' }],
    ['two lines', { by: 'root', why: 'a\nb' }],
    ['a book', { by: 'root', why: 'x'.repeat(301) }],
    ['no time', { by: 'root', why: 'ill', until: 'soon' }],
  ])('of %s is refused where it is made', (_what, freeze) => {
    expect(freezeLabel(freeze)).toMatchObject({
      status: 'refused',
      why: expect.stringMatching(/\w/),
    });
  });

  it('comes with the record, before anything was recorded too, and leaves its requests', () => {
    const shelf = new FakeShelf();
    shelf.relabel({ [FREEZE_LABEL]: label() });
    expect(value(open(shelf).load(shelf.look())).freeze).toEqual({ by: 'root@m1', why: 'ill' });
    shelf.relabel({ [FREEZE_LABEL]: undefined });
    expect(value(open(shelf).load(shelf.look()))).not.toHaveProperty('freeze');
  });
});

describe('what the head said last', () => {
  const request = { 'understudy.request.0123abcd': '{}' };

  it('makes a pass look when a freeze comes, changes or goes, and for a request while there is none', () => {
    const watch = new HeadWatch({ date: () => NOW });
    const frozen = { [FREEZE_LABEL]: label() };
    const other = { [FREEZE_LABEL]: label('2026-11-20T11:00Z') };
    const heard = [{}, request, request, frozen, frozen, { ...frozen, ...request }, other, {}];
    expect(heard.map((labels) => watch.heard(labels))).toEqual([
      false,
      true,
      true,
      true,
      false,
      false,
      true,
      true,
    ]);
  });

  it('makes a pass look once for what is asked of the repository, and again for what else is asked', () => {
    const watch = new HeadWatch({ date: () => NOW });
    const look = (nonce: string) => ({
      [`understudy.request.${nonce}`]: JSON.stringify({ verb: 'reconcile', by: 'root', nonce }),
    });
    const [one, two] = [look('0000000a'), look('0000000b')];
    const heard = [one, one, { ...one, ...two }, { ...one, ...two }, { ...one, ...request }];
    expect(heard.map((labels) => watch.heard(labels))).toEqual([true, false, true, false, true]);
  });

  it('refuses calls while a freeze is in force by the clock', () => {
    let date = NOW;
    const watch = new HeadWatch({ date: () => date });
    expect(watch.refusal()).toBeUndefined();
    watch.heard({ [FREEZE_LABEL]: label('2026-11-20T11:00:00.000Z') });
    expect(watch.refusal()).toBe('frozen by root@m1 until 2026-11-20 11:00 UTC: ill');
    date = '2026-11-20T11:00:00.000Z';
    expect(watch.refusal()).toBeUndefined();
  });
});

import { beforeEach, describe, expect, it } from 'vitest';

import type { ReconcileRequest, Request } from '../../agent/core/unit.ts';
import { Looks, lookedEvents, withLooked } from '../../agent/reconcile/looks.ts';
import type { Loaded } from '../../agent/reconcile/ports.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import { VirtualClock } from '../fakes/clock.ts';

const ask = (nonce: string): ReconcileRequest => ({ verb: 'reconcile', by: 'root@m1', nonce });
const retry: Request = { verb: 'retry', id: 'stack/blog', by: 'root@m1' };
const noHistory = { seen: '', settled: '', revisions: [] };
const valid = (revision: string) => ({ status: 'valid', revision }) as const;

let rung: string[];
let looks: Looks;

beforeEach(() => {
  rung = [];
  looks = new Looks({ wake: bell('pass'), sourceWake: bell('source') });
});

function bell(name: string): Wake {
  const wake = new Wake(new VirtualClock());
  wake.ring = () => void rung.push(name);
  return wake;
}

function loaded(...requests: Request[]): Loaded {
  return { units: new Map(), history: noHistory, requests, notes: [] };
}

/** What a pass over this revision takes of them. */
function taken(requests: readonly Request[], revision: string): readonly Request[] {
  const outcome = looks.answered({ status: 'ok', value: loaded(...requests) }, revision);
  if (outcome.status !== 'ok') throw new Error(outcome.why);
  return outcome.value.requests;
}

describe('a request to look at the repository', () => {
  it('has the repository asked at once, and once', () => {
    looks.heard([ask('0000000a')]);
    looks.heard([ask('0000000a')]);
    expect(rung).toEqual(['source']);
    looks.heard([ask('0000000a'), ask('0000000b'), retry]);
    expect(rung).toEqual(['source', 'source']);
  });

  it('has all read anew where that is asked, once', () => {
    looks = new Looks({
      wake: bell('pass'),
      sourceWake: bell('source'),
      full: () => void rung.push('full'),
    });
    looks.heard([ask('0000000a')]);
    looks.heard([{ ...ask('0000000b'), full: true }]);
    looks.heard([{ ...ask('0000000b'), full: true }]);
    expect(rung).toEqual(['source', 'full', 'source']);
  });

  it('stays until a look that began after it has ended; other requests do not wait for it', () => {
    const before = looks.begin();
    looks.heard([ask('0000000a')]);
    before(valid('v1'));
    expect(taken([ask('0000000a'), retry], 'v1')).toEqual([retry]);
    const after = looks.begin();
    expect(taken([ask('0000000a')], 'v1')).toEqual([]);
    after(valid('v1'));
    expect(taken([ask('0000000a'), retry], 'v1')).toEqual([ask('0000000a'), retry]);
  });

  it('that nobody has heard of yet stays, whatever was found before', () => {
    looks.begin()(valid('v1'));
    expect(taken([ask('0000000a')], 'v1')).toEqual([]);
  });

  it('stays while the pass is over an older revision than what was found', () => {
    looks.heard([ask('0000000a')]);
    looks.begin()(valid('v2'));
    expect(taken([ask('0000000a')], 'v1')).toEqual([]);
    expect(taken([ask('0000000a')], 'v2')).toEqual([ask('0000000a')]);
  });

  it.each([
    { status: 'invalid', revision: 'v2' } as const,
    { status: 'unreadable', why: 'connection refused' } as const,
  ])('is taken with $status as its answer, over whatever stands', (answer) => {
    looks.heard([ask('0000000a')]);
    looks.begin()(answer);
    const found = looks.looked(loaded(...taken([ask('0000000a')], 'v1')), 'v1');
    expect(found).toEqual([{ nonce: '0000000a', by: 'root@m1', ...answer }]);
    expect(lookedEvents(found)).toEqual([{ event: 'reconcile taken', by: 'root@m1', ...answer }]);
  });

  it('wakes a pass when it is answered, and nobody where none is asked', () => {
    looks.begin()(valid('v1'));
    expect(rung).toEqual([]);
    looks.heard([ask('0000000a')]);
    looks.begin()(valid('v1'));
    expect(rung).toEqual(['source', 'pass']);
    looks.heard([]);
    looks.begin()(valid('v1'));
    expect(rung).toEqual(['source', 'pass']);
  });
});

it('ten answers are remembered, the newest first, each reason cut', () => {
  const one = (n: number) =>
    ({ nonce: String(n), by: 'x', status: 'unreadable', why: 'y'.repeat(999) }) as const;
  let history = withLooked(noHistory, []);
  expect(history).toBe(noHistory);
  for (let n = 0; n < 12; n += 1) history = withLooked(history, [one(n)]);
  expect(history.looked?.map(({ nonce }) => nonce)).toEqual([
    '11',
    '10',
    '9',
    '8',
    '7',
    '6',
    '5',
    '4',
    '3',
    '2',
  ]);
  expect(history.looked?.[0]).toMatchObject({ why: 'y'.repeat(300) });
});

import { expect, it } from 'vitest';

import type { Health, Late } from '../../agent/core/kind.ts';
import { step } from '../../agent/core/step.ts';
import type { Phase, UnitRecord } from '../../agent/core/unit.ts';
import { called, newWatch, type Watch } from '../../agent/core/watch.ts';
import { emptyWorld, running, TIMEOUT_MS, unitKind, unitOf } from '../fakes/unit-world.ts';

const NOW = 1_000_000;
const d1 = unitOf('d1', { web: 'good 1' });
const d2 = unitOf('d2', { web: 'good 2' });
const LOG = {
  name: 'log of x',
  question: { ask: 'log', task: 'x', everyMs: 1, timeoutMs: 1 },
} as const;
const unread: Late = { evidence: 'so far', asks: [LOG], reading: true };
const read: Late = { evidence: 'with lines', asks: [LOG] };
const slow = (late: Late): Health => ({ status: 'progressing', progress: 0, summary: '0/1', late });

interface Way {
  readonly phase: Phase;
  readonly digest: string;
  readonly of: string;
  /** What is there is not what was sent: the engine gave it up. */
  readonly differs?: true;
}

function look(
  { phase, digest, of, differs }: Way,
  late: Late,
  at: { sinceMs: number; watch?: Watch },
) {
  const attempt = { digest, revision: `r-${digest}`, baseline: [], absent: [] };
  const content = { services: { web: { text: 'good 1', replicas: 1 } } };
  const record: UnitRecord = {
    phase,
    attempt,
    quarantine: [],
    made: [],
    releases: [{ digest: 'd1', revision: 'r-d1', at: '', content }],
  };
  const before = at.watch ?? called(newWatch(of, NOW - at.sinceMs), NOW - at.sinceMs);
  const health = () => slow(late);
  const right = running({ web: digest === 'd1' ? 'good 1' : 'good 2' });
  return step({
    kind: { ...unitKind, health, ...(differs && { givenUp: health }) },
    desired: [digest === 'd1' ? d1 : d2],
    revision: 'now',
    observed: differs ? emptyWorld : right,
    units: new Map([['stack/blog', record]]),
    watches: new Map([['stack/blog', before]]),
    refusals: new Map(),
    answers: new Map(),
    requests: [],
    nowMs: NOW,
    date: '',
    intervalMs: 300_000,
    verifyMs: 1_000,
  });
}

const ways: readonly (readonly [string, Way])[] = [
  ['verified', { phase: 'verifying', digest: 'd2', of: 'to d2' }],
  ['given up by the engine', { phase: 'verifying', digest: 'd2', of: 'to d2', differs: true }],
  ['brought back', { phase: 'reverting', digest: 'd1', of: 'back d1' }],
  ['given up on its way back', { phase: 'reverting', digest: 'd1', of: 'back d1', differs: true }],
];

it.each(ways)('reads nothing of what is %s and still has time', (_what, way) => {
  const result = look(way, unread, { sinceMs: TIMEOUT_MS - 1 });
  expect([result.asks, result.events]).toEqual([[], []]);
});

it.each(ways)('reads once what is %s is late, and fails it with what came of it', (_what, way) => {
  const due = look(way, unread, { sinceMs: TIMEOUT_MS });
  expect([due.asks, due.events, due.work]).toEqual([[LOG], [], []]);
  const watch = due.watches.get('stack/blog');
  if (watch === undefined) throw new Error('it is watched no more');
  const after = look(way, read, { sinceMs: 0, watch });
  expect(after.asks).toEqual([]);
  expect(after.events).toMatchObject([{ code: 'timeout', evidence: 'with lines' }]);
});

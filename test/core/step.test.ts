import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Difference, Health, Kind, Rendered } from '../../agent/core/kind.ts';
import { step, type Step } from '../../agent/core/step.ts';
import {
  called,
  failed,
  newAttempt,
  postponed,
  type UnitState,
  verifying,
} from '../../agent/core/unit.ts';

/** The whole world of one unit: which digest runs, and how it does. */
interface World {
  readonly running: string | undefined;
  readonly health: Health;
  readonly blocked?: string;
}

const place = { file: 'f', line: 1, column: 1, length: 1, quoted: '' };
const unit = (digest: string): Rendered<string> => ({
  id: 'stack/blog',
  spec: digest,
  digest,
  place,
  needs: [],
  gives: [],
});

const kind: Kind<string, World, string> = {
  kind: 'stack',
  diff: ({ spec }, world): Difference<string> => ({
    operations:
      world.running === spec
        ? []
        : [
            {
              target: 'x',
              verb: 'update',
              phase: 'change',
              effect: 'restart',
              fields: [],
              call: spec,
            },
          ],
    blocked: world.blocked === undefined ? [] : [{ target: 'x', why: world.blocked, waits: true }],
  }),
  baseline: () => [],
  health: (_unit, world) => world.health,
  times: () => ({ timeoutMs: 60_000, stableForMs: 10_000 }),
};

const well: Health = { status: 'converged', members: 'a', summary: 'web 1/1' };
const slow: Health = { status: 'progressing', progress: 0, summary: 'web 0/1' };
const bad: Health = { status: 'failing', code: 'unhealthy', why: 'w', evidence: 'e', summary: 's' };

function look(
  digest: string,
  world: World,
  state: UnitState | undefined,
  nowMs: number,
): Step<string> {
  return step({
    kind,
    desired: [unit(digest)],
    observed: world,
    states: new Map(state === undefined ? [] : [['stack/blog', state]]),
    nowMs,
    intervalMs: 60_000,
    verifyMs: 1_000,
  });
}

const after = (result: Step<string>): UnitState | undefined => result.states.get('stack/blog');
const applying = newAttempt('d1', [], 0);
const underWay = verifying(applying, 0);
const failedOnce = failed(underWay, { code: 'unhealthy', why: 'w', evidence: 'e' });

describe('one step', () => {
  it.each<[string, string, World, UnitState | undefined, string, number]>([
    ['applies what is new', 'd1', { running: undefined, health: slow }, undefined, 'applying', 1],
    ['verifies what was applied', 'd1', { running: 'd1', health: slow }, applying, 'verifying', 0],
    [
      'verifies what already runs, without a call',
      'd1',
      { running: 'd1', health: well },
      undefined,
      'verifying',
      0,
    ],
    [
      'holds what is blocked',
      'd1',
      { running: undefined, health: slow, blocked: 'no net' },
      undefined,
      'applying',
      0,
    ],
    [
      'applies a newer digest in the middle of verifying',
      'd2',
      { running: 'd1', health: slow },
      underWay,
      'applying',
      1,
    ],
    [
      'corrects drift',
      'd1',
      { running: 'dX', health: well },
      { ...underWay, phase: 'none', verdict: { status: 'healthy', digest: 'd1' } },
      'applying',
      1,
    ],
    [
      'takes an engine that went back for the failure of the digest',
      'd1',
      { running: 'dX', health: bad },
      underWay,
      'none',
      0,
    ],
    [
      'never applies a failed digest again',
      'd1',
      { running: 'dX', health: well },
      failedOnce,
      'none',
      0,
    ],
    [
      'applies another digest after a failed one',
      'd2',
      { running: 'd1', health: bad },
      failedOnce,
      'applying',
      1,
    ],
    [
      'ends a digest that fails while another of its calls is open',
      'd1',
      { running: undefined, health: bad },
      postponed(applying, 'no answer', 1_000, 0),
      'none',
      0,
    ],
    [
      'waits before it tries an open call again',
      'd1',
      { running: undefined, health: slow },
      postponed(applying, 'no answer', 1_000, 5_000),
      'applying',
      0,
    ],
  ])('%s', (_what, digest, world, state, phase, calls) => {
    const result = look(digest, world, state, 5_000);
    expect(after(result)?.phase).toBe(phase);
    expect(result.work.flatMap(({ operations }) => operations)).toHaveLength(calls);
  });

  it('is healthy again when a failed unit recovers: the same tasks, for stableFor, without a call', () => {
    const looks: [number, Health, string | undefined][] = [
      [100_000, well, 'failed'],
      [105_000, slow, 'failed'],
      [110_000, { ...well, members: 'b' }, 'failed'],
      [119_999, { ...well, members: 'b' }, 'failed'],
      [120_000, { ...well, members: 'b' }, 'healthy'],
    ];
    let state: UnitState | undefined = failed(
      { ...underWay, members: 'a', membersSinceMs: 0 },
      { code: 'unhealthy', why: 'w', evidence: 'e' },
    );
    for (const [nowMs, health, verdict] of looks) {
      const result = look('d1', { running: 'd1', health }, state, nowMs);
      state = after(result);
      expect([state?.phase, state?.verdict?.status, result.work]).toEqual(['none', verdict, []]);
    }
  });
});

it('ends calls that the engine takes without effect, and names the fields', () => {
  const world: World = { running: undefined, health: slow };
  let state: UnitState | undefined;
  let rounds = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 500) {
    const result = look('d1', world, state, nowMs);
    state = after(result);
    if (result.work.length === 0 || state === undefined) continue;
    rounds += 1;
    state = called(state, nowMs);
  }
  expect(rounds).toBe(3);
  expect(state?.verdict).toMatchObject({ status: 'failed', code: 'no-effect', evidence: 'x' });
});

describe('health over time', () => {
  function watch(looks: readonly [number, Health][]): UnitState | undefined {
    let state: UnitState | undefined = underWay;
    for (const [atMs, health] of looks)
      state = after(look('d1', { running: 'd1', health }, state, atMs));
    return state;
  }

  it('is healthy when the same tasks ran for stableFor', () => {
    expect(
      watch([
        [1_000, well],
        [10_999, well],
      ])?.verdict,
    ).toBeUndefined();
    expect(
      watch([
        [1_000, well],
        [11_000, well],
      ])?.verdict?.status,
    ).toBe('healthy');
  });

  it('starts to count anew when a task was replaced, also between two looks', () => {
    const replaced: Health = { ...well, members: 'b' };
    expect(
      watch([
        [1_000, well],
        [9_000, replaced],
        [12_000, replaced],
      ])?.phase,
    ).toBe('verifying');
    expect(
      watch([
        [1_000, well],
        [9_000, slow],
        [9_500, well],
        [12_000, well],
      ])?.phase,
    ).toBe('verifying');
  });

  it('fails after the timeout without progress, and progress restarts it', () => {
    const more: Health = { ...slow, progress: 1 };
    expect(watch([[59_999, slow]])?.phase).toBe('verifying');
    expect(watch([[60_000, slow]])?.verdict).toMatchObject({ status: 'failed', code: 'timeout' });
    expect(
      watch([
        [59_000, more],
        [118_000, more],
      ])?.phase,
    ).toBe('verifying');
    expect(
      watch([
        [59_000, more],
        [119_000, more],
      ])?.verdict,
    ).toMatchObject({ code: 'timeout' });
  });

  it('fails a unit that flaps for ever: coming and going is no progress', () => {
    const looks = Array.from({ length: 40 }, (_, n): [number, Health] => [
      (n + 1) * 5_000,
      n % 2 === 0 ? { ...well, members: String(n) } : { ...slow, progress: 1 },
    ]);
    expect(watch(looks)?.verdict?.status).toBe('failed');
  });

  it('fails at once when it is certain', () => {
    expect(watch([[1_000, bad]])?.verdict).toMatchObject({ status: 'failed', why: 'w' });
  });
});

it('from any world, repeated steps end with no call, and a settled unit gets none', () => {
  const health = fc.constantFrom(well, slow, bad);
  const digest = fc.constantFrom('d1', 'd2');
  fc.assert(
    fc.property(
      fc.option(digest, { nil: undefined }),
      digest,
      fc.array(health),
      (running, wanted, healths) => {
        let world: World = { running, health: slow };
        let state: UnitState | undefined;
        const calls = [...healths, well, well].map((next, n) => {
          const result = look(wanted, { ...world, health: next }, state, n * 11_000);
          state = after(result);
          if (result.work.length > 0) world = { ...world, running: wanted };
          return result.work.length;
        });
        expect(calls.reduce((sum, n) => sum + n, 0)).toBeLessThanOrEqual(1);
      },
    ),
  );
});

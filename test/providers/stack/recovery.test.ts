import { expect, it } from 'vitest';

import { step } from '../../../agent/core/step.ts';
import type { UnitState } from '../../../agent/core/unit.ts';
import { stackKind } from '../../../agent/providers/stack/provider.ts';
import { blogNetwork, live, observed, service, task, unit } from '../../fakes/stack.ts';

it('lets a stack recover although the engine still shows the tasks that failed', () => {
  const services = [live(service('web'))];
  const networks = [blogNetwork];
  const crashed = ['x', 'y', 'z'].map((id) =>
    task(id, { state: 'failed', desiredState: 'shutdown', error: 'task: non-zero exit (1)' }),
  );
  const verdicts: (string | undefined)[] = [];
  let states: ReadonlyMap<`${string}/${string}`, UnitState> = new Map();
  for (const [nowMs, tasks] of [
    [0, []],
    [10_000, crashed],
    [60_000, [...crashed, task('a')]],
    [120_000, [...crashed, task('a')]],
  ] as const) {
    const result = step({
      kind: stackKind,
      desired: [unit()],
      observed: observed({ services, networks, tasks }),
      states,
      nowMs,
      intervalMs: 60_000,
      verifyMs: 1_000,
    });
    states = result.states;
    verdicts.push(states.get('stack/blog')?.verdict?.status);
    expect(result.work).toEqual([]);
  }
  expect(verdicts).toEqual([undefined, 'failed', 'failed', 'healthy']);
});

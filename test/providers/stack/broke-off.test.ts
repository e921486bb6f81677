import { describe, expect, it } from 'vitest';

import { stackGivenUp, stackHealth } from '../../../agent/providers/stack/health.ts';
import { resumeStack } from '../../../agent/providers/stack/stop.ts';
import { live, observed, seen, service, task, unit } from '../../fakes/stack.ts';

/**
 * A task waits 30 s for the addresses of its node. Where the Swarm writes the task meanwhile the engine ends the wait, and
 * says what it says of a full subnet (seen on 20.10: rejected two seconds after the update).
 */
const web = service('web');
const rejected = (second: string) =>
  task('x', {
    state: 'rejected',
    desiredState: 'shutdown',
    message: 'preparing',
    error: 'node is missing network attachments, ip addresses may be exhausted',
    createdAt: '2026-01-01T00:00:00.1Z',
    timestamp: `2026-01-01T00:00:${second}Z`,
  });
const paused = (second: string, updateState = 'paused') => {
  const updateMessage = 'update paused due to failure or early termination of task x';
  const services = [live(web, { updateState, updateMessage })];
  return observed({ services, tasks: [rejected(second), task('y', { state: 'preparing' })] });
};
const blog = unit({ services: { web } });

describe('a wait for addresses that the engine broke off', () => {
  it('is no failure, and the engine is told to go on with the update that it stopped', () => {
    const now = paused('02.0');
    expect(stackHealth(blog, now, seen()).status).toBe('progressing');
    expect(resumeStack(blog, now)).toHaveLength(1);
  });

  it('is none either where the engine went back for it: it is sent again', () => {
    expect(stackGivenUp(blog, paused('02.0', 'rollback_completed'), seen())).toBeUndefined();
  });

  it('counts where nobody can tell how long it was', () => {
    expect(stackHealth(blog, paused('??'), seen()).status).toBe('failing');
  });
});

describe('a wait for addresses that lasted as long as the engine waits', () => {
  it('is a failure', () => {
    expect(stackHealth(blog, paused('30.1'), seen())).toMatchObject({
      status: 'failing',
      code: 'cannot-start',
      evidence: expect.stringContaining('no address left'),
    });
    const back = paused('30.1', 'rollback_completed');
    expect(stackGivenUp(blog, back, seen())).toMatchObject({ code: 'engine-rolled-back' });
  });
});

import { describe, expect, it } from 'vitest';

import { stackHealth } from '../../../agent/providers/stack/health.ts';
import { absentNodes } from '../../../agent/providers/stack/outside.ts';
import type { ObservedTask } from '../../../agent/providers/stack/swarm.ts';
import { live, node, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const lost = seen({ lost: new Set(['id-w2']) });
const down = node('w2', { state: 'down' });
const services = [live(service('web'))];
const look = (tasks: readonly ObservedTask[], nodes = [node('w1'), down], known = lost) =>
  stackHealth(unit(), observed({ services, tasks, nodes }), known);

const NO_NODE = 'no suitable node (1 node not available for new tasks)';
const onLost = task('a', { slot: 1, nodeId: 'id-w2', createdAt: '2026-01-01T00:00:01Z' });
const ending: ObservedTask = { ...onLost, desiredState: 'shutdown' };
const unplaced: ObservedTask = {
  id: 'b',
  serviceId: 'id-blog_web',
  slot: 1,
  createdAt: '2026-01-01T00:00:02Z',
  timestamp: '2026-01-01T00:00:02Z',
  state: 'pending',
  desiredState: 'running',
  message: 'pending task scheduling',
  error: NO_NODE,
};

describe('a node that went away', () => {
  it('holds up what ran on it', () => {
    expect(look([onLost])).toMatchObject({ status: 'outside', why: 'node w2 is down' });
  });

  it('holds up what now waits for a node', () => {
    expect(look([ending, unplaced])).toMatchObject({ status: 'outside', why: 'node w2 is down' });
  });

  it.each([
    [node('w2', { state: 'down' }), 'node w2 is down'],
    [node('w2', { availability: 'drain' }), 'node w2 is drained'],
    [node('w2', { state: 'disconnected' }), 'node w2 is not ready (disconnected)'],
    [node('', { id: 'id-w2', state: 'down' }), 'node id-w2 is down'],
  ])('is named with what it is: %#', (gone, why) => {
    expect(look([unplaced], [node('w1'), gone])).toMatchObject({ status: 'outside', why });
  });

  it('does not hold up what starts on another node by now', () => {
    const starting = task('c', { slot: 1, state: 'starting', createdAt: '2026-01-01T00:00:03Z' });
    expect(look([ending, starting]).status).toBe('progressing');
  });

  it('does not hold up what runs elsewhere', () => {
    expect(look([task('a')]).status).toBe('converged');
  });

  it('holds up nothing once it is back, or where it was away before', () => {
    expect(look([unplaced], [node('w1'), node('w2')])).toMatchObject({
      status: 'progressing',
      summary: `web 0/1; web: ${NO_NODE}`,
    });
    expect(look([unplaced], [node('w1'), down], seen()).status).toBe('progressing');
  });

  it('does not excuse what fails for certain elsewhere', () => {
    const crashed = ['x', 'y', 'z'].map((id) =>
      task(id, { state: 'failed', desiredState: 'shutdown', error: 'task: non-zero exit (3)' }),
    );
    expect(look([...crashed, unplaced]).status).toBe('failing');
  });
});

it('counts nodes that are down, unknown or drained as away, and not those that are paused', () => {
  const nodes = [
    node('w1'),
    node('w2', { state: 'down' }),
    node('w3', { state: 'unknown' }),
    node('w4', { availability: 'drain' }),
    node('w5', { availability: 'pause' }),
  ];
  expect(absentNodes(observed({ nodes }))).toEqual(['id-w2', 'id-w3', 'id-w4']);
});

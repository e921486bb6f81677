import { describe, expect, it } from 'vitest';

import { meets } from '../../../agent/providers/stack/constraints.ts';
import { stackHealth } from '../../../agent/providers/stack/health.ts';
import { live, node, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const two = unit({ services: { web: service('web', { Mode: { Replicated: { Replicas: 2 } } }) } });
const there = (parts: Parameters<typeof live>[1] = {}) => [live(service('web'), parts)];
const failedTask = (id: string) =>
  task(id, {
    state: 'failed',
    desiredState: 'shutdown',
    error: 'task: non-zero exit (3)',
    exitCode: 3,
  });
const none = seen();

describe('a stack', () => {
  it('has converged when all wanted tasks of the current spec run and none of an older one does', () => {
    const tasks = [task('b'), task('a')];
    expect(stackHealth(two, observed({ services: there(), tasks }), none)).toEqual({
      status: 'converged',
      members: 'a b',
      summary: 'web 2/2',
    });
  });

  it('has not while an old task still stops', () => {
    const tasks = [task('a'), task('b'), task('old', { desiredState: 'shutdown' })];
    const state = observed({ services: there(), tasks, freshTaskIds: new Set(['a', 'b']) });
    expect(stackHealth(two, state, none)).toMatchObject({ status: 'progressing', progress: 2 });
  });

  it('does not wait for an old task on a node that is away', () => {
    const tasks = [
      task('a'),
      task('b'),
      task('old', { nodeId: 'id-w2', desiredState: 'shutdown' }),
    ];
    const nodes = [node('w1'), node('w2', { state: 'down' })];
    const state = observed({ services: there(), tasks, nodes, freshTaskIds: new Set(['a', 'b']) });
    expect(stackHealth(two, state, none)).toMatchObject({ status: 'converged' });
  });

  it('says why a task cannot be placed', () => {
    const error = 'no suitable node (insufficient resources on 1 node)';
    const tasks = [task('a'), task('b', { state: 'pending', error })];
    expect(stackHealth(two, observed({ services: there(), tasks }), none)).toMatchObject({
      status: 'progressing',
      summary: `web 1/2; web: ${error}`,
    });
  });

  it('fails for certain after three failed tasks, with the first as evidence', () => {
    const tasks = [failedTask('x'), failedTask('y'), failedTask('z'), task('a')];
    expect(stackHealth(two, observed({ services: there(), tasks }), none)).toMatchObject({
      status: 'failing',
      why: 'web: 3 tasks failed',
      evidence: 'failed on w1, task: non-zero exit (3), 3 times',
    });
  });

  it.each([
    ['from before the attempt', seen({ baseline: new Set(['x', 'y', 'z']) }), [node('w1')]],
    ['on a node that is away', none, [node('w1', { state: 'down' })]],
    ['on a node that was away', seen({ lost: new Set(['id-w1']) }), [node('w1')]],
  ])('does not count failures %s', (_where, known, nodes) => {
    const tasks = [failedTask('x'), failedTask('y'), failedTask('z'), task('a')];
    const health = stackHealth(two, observed({ services: there(), tasks, nodes }), known);
    expect(health.status).toBe('progressing');
  });

  it.each(['paused', 'rollback_paused'])(
    'fails at once when the engine ended the update: %s',
    (updateState) => {
      const tasks = [failedTask('x'), task('a')];
      const state = observed({ services: there({ updateState, updateMessage: 'why' }), tasks });
      expect(stackHealth(two, state, none)).toMatchObject({
        status: 'failing',
        code: 'crashed',
        why: 'web: a task crashed, and the engine stopped the update',
        evidence: 'failed on w1, task: non-zero exit (3)',
      });
    },
  );

  it.each(['rollback_started', 'rollback_completed'])(
    'takes what the engine did before our own rollback for no failure: %s',
    (updateState) => {
      const stale = failedTask('x');
      const tasks = [stale, task('a'), task('b')];
      const services = there({ updateState });
      const freshTaskIds = new Set(['a', 'b']);
      const state = observed({ services, tasks, freshTaskIds });
      expect(stackHealth(two, state, none).status).toBe('converged');
    },
  );

  it('does not count a pause for a task from before the attempt', () => {
    const updateMessage = 'update paused due to failure or early termination of task old';
    const services = there({ updateState: 'paused', updateMessage });
    const state = observed({ services, tasks: [failedTask('x'), task('a')] });
    const known = seen({ baseline: new Set(['old']) });
    expect(stackHealth(two, state, known).status).toBe('progressing');
    expect(stackHealth(two, state, none).status).toBe('failing');
  });

  it('counts failures of the current spec only', () => {
    const tasks = [failedTask('x'), failedTask('y'), failedTask('z'), task('a')];
    const state = observed({ services: there(), tasks, freshTaskIds: new Set(['x', 'y', 'a']) });
    expect(stackHealth(two, state, none)).toMatchObject({
      status: 'progressing',
      summary: expect.stringContaining('failed on w1'),
    });
  });

  it('takes `completed` for no sign of health, and a pause without a failed task for no failure', () => {
    const tasks = [failedTask('x'), task('a')];
    for (const [updateState, list] of [
      ['completed', tasks],
      ['paused', [task('a')]],
    ] as const) {
      const state = observed({ services: there({ updateState }), tasks: list });
      expect(stackHealth(two, state, none).status).toBe('progressing');
    }
  });

  it('counts an unhealthy container that ended with 0 as a failure, but not for a job', () => {
    const tasks = ['x', 'y', 'z'].map((id) =>
      task(id, { state: 'complete', desiredState: 'shutdown' }),
    );
    const state = observed({ services: there(), tasks });
    const health = stackHealth(two, state, none);
    expect(health).toMatchObject({
      status: 'failing',
      evidence: expect.stringContaining('it ended by itself'),
    });
    const job = service('web', {
      Mode: { ReplicatedJob: { MaxConcurrent: 3, TotalCompletions: 3 } },
    });
    expect(stackHealth(unit({ services: { web: job } }), state, none).status).toBe('converged');
  });

  it('fails when nothing is left that could run', () => {
    const state = observed({ services: there(), tasks: [failedTask('x')] });
    expect(stackHealth(two, state, none)).toMatchObject({ status: 'failing' });
  });

  it('wants one task of a global service on each node that is there, active and fits', () => {
    const global = service('web', { Mode: { Global: {} } });
    const fits = {
      ...global,
      TaskTemplate: { ...global.TaskTemplate, Placement: { Constraints: ['node.role==worker'] } },
    };
    const nodes = [
      node('w1'),
      node('w2', { state: 'down' }),
      node('w3', { availability: 'drain' }),
      node('m1', { role: 'manager' }),
    ];
    const state = observed({ services: there(), tasks: [task('a')], nodes });
    expect(stackHealth(unit({ services: { web: fits } }), state, none).status).toBe('converged');
  });

  it('asks nothing of a paused node: Swarm leaves there what runs, of whatever spec', () => {
    const global = unit({ services: { web: service('web', { Mode: { Global: {} } }) } });
    const nodes = [node('w1'), node('w2', { availability: 'pause' })];
    const old = task('old', { nodeId: 'id-w2' });
    const state = observed({
      services: there(),
      tasks: [task('a'), old],
      nodes,
      freshTaskIds: new Set(['a']),
    });
    expect(stackHealth(global, state, none)).toMatchObject({ status: 'converged', members: 'a' });
  });

  it('does not believe `running` of a node that is away', () => {
    const tasks = [task('a'), task('b', { nodeId: 'id-w2' })];
    const nodes = [node('w1'), node('w2', { state: 'down' })];
    const state = observed({ services: there(), tasks, nodes });
    expect(stackHealth(two, state, none)).toMatchObject({ status: 'progressing', progress: 1 });
  });

  it('is well at once with no replicas', () => {
    const zero = unit({
      services: { web: service('web', { Mode: { Replicated: { Replicas: 0 } } }) },
    });
    expect(stackHealth(zero, observed({ services: there() }), none).status).toBe('converged');
  });
});

it.each([
  ['node.hostname == w1', true],
  ['node.hostname==W1', true],
  ['node.hostname != w1', false],
  ['node.role==manager', false],
  ['node.labels.disk == SSD', true],
  ['node.labels.zone == a', false],
  ['node.labels.zone != a', true],
  ['engine.labels.os==debian', true],
  ['node.platform.arch == x86_64', true],
  ['node.colour == red', false],
  ['node.colour != red', false],
  ['garbage', false],
])('constraint %s: %s', (constraint, expected) => {
  const w1 = node('w1', { labels: { disk: 'ssd' }, engineLabels: { os: 'debian' } });
  expect(meets(w1, [constraint])).toBe(expected);
});

describe('a job that runs again', () => {
  const job = service('web', {
    Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } },
  });
  const done = (id: string, jobIteration: number) =>
    task(id, { state: 'complete', desiredState: 'complete', jobIteration });
  const healthOf = (tasks: readonly ReturnType<typeof task>[], jobIteration: number) =>
    stackHealth(
      unit({ services: { web: job } }),
      observed({ services: [live(job, { jobIteration })], tasks }),
      none,
    );

  it('is done when this run completed, whatever earlier runs did', () => {
    expect(healthOf([done('a', 0), done('b', 1)], 1)).toMatchObject({
      status: 'converged',
      members: 'b',
    });
  });

  it('is not done by what an earlier run completed', () => {
    expect(healthOf([done('a', 0)], 1)).toMatchObject({ status: 'progressing', progress: 0 });
  });

  it('has not failed by what failed in an earlier run', () => {
    const old = ['x', 'y', 'z'].map((id) => task(id, { state: 'failed', jobIteration: 0 }));
    expect(healthOf([...old, done('b', 1)], 1).status).toBe('converged');
  });
});

describe('a job that runs on each node', () => {
  const job = service('web', { Mode: { GlobalJob: {} } });
  const done = (id: string, nodeId: string) =>
    task(id, { nodeId, state: 'complete', desiredState: 'complete' });
  const healthOf = (nodes: readonly ReturnType<typeof node>[]) =>
    stackHealth(
      unit({ services: { web: job } }),
      observed({
        services: [live(job)],
        tasks: [done('a', 'id-w1'), done('b', 'id-w2')],
        nodes,
      }),
      none,
    );

  it.each([
    ['there', node('w2'), 'a b', 'web 2/2'],
    ['drained', node('w2', { availability: 'drain' }), 'a', 'web 1/1'],
    ['paused', node('w2', { availability: 'pause' }), 'a', 'web 1/1'],
    ['down', node('w2', { state: 'down' }), 'a', 'web 1/1'],
  ])(
    'is done when the nodes that count completed it; the other is %s',
    (_is, w2, members, summary) =>
      expect(healthOf([node('w1'), w2])).toEqual({ status: 'converged', members, summary }),
  );

  it('is not done by what a node completed that does not count any more', () => {
    const nodes = [node('w1'), node('w2', { availability: 'drain' }), node('w3')];
    expect(healthOf(nodes)).toMatchObject({ status: 'progressing', summary: 'web 1/2' });
  });
});

it('keeps what a job completed, whatever became of the node', () => {
  const job = service('web', {
    Mode: { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 2 } },
  });
  const tasks = ['id-w1', 'id-w2'].map((nodeId) => task(nodeId, { nodeId, state: 'complete' }));
  const nodes = [node('w1'), node('w2', { state: 'down' })];
  const state = observed({ services: [live(job)], tasks, nodes });
  expect(stackHealth(unit({ services: { web: job } }), state, none).status).toBe('converged');
});

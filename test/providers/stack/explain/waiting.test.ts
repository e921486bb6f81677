import { describe, expect, it } from 'vitest';

import { stackHealth } from '../../../../agent/providers/stack/health.ts';
import { stackLive } from '../../../../agent/providers/stack/live.ts';
import type { ObservedTask } from '../../../../agent/providers/stack/swarm.ts';
import {
  blogNetwork,
  live,
  node,
  observed,
  seen,
  service,
  task,
  unit,
} from '../../../fakes/stack.ts';

const web = service('web', { Mode: { Replicated: { Replicas: 3 } } });
const checked = {
  ...web,
  TaskTemplate: {
    ...web.TaskTemplate,
    ContainerSpec: { ...web.TaskTemplate.ContainerSpec, Healthcheck: { Test: ['CMD', 'ask'] } },
  },
};
const nodes = ['m1', 'm2', 'm3', 'w1'].map((name) => node(name));
const world = (parts: Partial<ObservedTask>, network = {}, spec = web) =>
  observed({
    nodes,
    services: [live(spec)],
    networks: [{ ...blogNetwork, ...network }],
    tasks: [task('t', { serviceId: live(spec).id, desiredState: 'running', ...parts })],
  });
const waits = (state: ReturnType<typeof world>): string | undefined =>
  stackLive('stack/blog', undefined, state)?.services[0]?.waits;

describe('what a task waits for', () => {
  it.each`
    state          | expected
    ${'new'}       | ${'a task on w1 waits for its addresses'}
    ${'pending'}   | ${'a task on w1 waits for a node'}
    ${'assigned'}  | ${'a task on w1 waits until its node takes it'}
    ${'preparing'} | ${'a task on w1 is made ready: its image is pulled, its networks are joined'}
    ${'starting'}  | ${'a task on w1 starts'}
    ${'running'}   | ${undefined}
    ${'failed'}    | ${undefined}
  `('in $state: $expected', ({ state, expected }) => {
    expect(waits(world({ state, nodeId: 'id-w1' }))).toBe(expected);
  });

  it('names the healthcheck of what starts and has one', () => {
    const now = world({ state: 'starting', nodeId: 'id-w1' }, {}, checked);
    expect(waits(now)).toBe('a task on w1 starts: its healthcheck is not good yet');
  });

  it('stands in the one line of a unit too', () => {
    const now = world({ state: 'preparing', nodeId: 'id-w1' });
    expect(stackLive('stack/blog', undefined, now)?.summary).toBe(
      'web 0/3; web: a task on w1 is made ready: its image is pulled, its networks are joined',
    );
  });
});

describe('a task in `new`, of which the engine says nothing', () => {
  const full =
    'the network blog_default (10.77.5.0/29) has room for 5 addresses, and its services want 7';

  it('is told by the addresses of its network', () => {
    const now = world({ state: 'new' }, { subnets: ['10.77.5.0/29'] });
    expect(waits(now)).toBe(full);
    expect(stackHealth(unit({ services: { web } }), now, seen())).toMatchObject({
      status: 'progressing',
      summary: `web 0/3; web: ${full}`,
    });
  });

  it('is told by a network without a subnet', () => {
    const now = world({ state: 'new' }, { driver: '', subnets: [] });
    expect(waits(now)).toContain('could not give the network blog_default a subnet');
  });

  it.each([['10.77.5.0/28'], ['fd00::/64']])('waits for its turn where %s has room', (subnet) => {
    const now = world({ state: 'new' }, { subnets: [subnet] });
    expect(waits(now)).toBe('a task on w1 waits for its addresses');
  });

  it('is not blamed on the network once it is placed', () => {
    const now = world({ state: 'preparing' }, { subnets: ['10.77.5.0/29'] });
    expect(waits(now)).not.toContain('room');
  });

  it('has the numbers beside the words of a node without an address', () => {
    const error = 'node is missing network attachments, ip addresses may be exhausted';
    const now = world(
      {
        state: 'rejected',
        error,
        nodeId: 'id-w1',
        desiredState: 'shutdown',
        timestamp: '2026-01-01T00:00:31Z',
      },
      { subnets: ['10.77.5.0/29'] },
    );
    expect(stackHealth(unit({ services: { web } }), now, seen())).toMatchObject({
      status: 'failing',
      evidence: expect.stringContaining(full),
    });
  });
});

import { describe, expect, it } from 'vitest';

import {
  removeMembers,
  stackMakes,
  stackMembers,
  stackRuns,
  stackSizes,
  stackUsers,
} from '../../../agent/providers/stack/remove.ts';
import type { ObservedConfig, ObservedService } from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, live, node, observed, service, task, unit } from '../../fakes/stack.ts';

const labels = { 'com.docker.stack.namespace': 'blog' };
const config = (name: string, parts: Partial<ObservedConfig> = {}): ObservedConfig => ({
  id: `id-${name}`,
  version: 1,
  name,
  labels,
  data: '',
  ...parts,
});
const page = config('blog_page');
const digested = { ...labels, 'understudy.digest': 'd' };
const key = { id: 'id-blog_key', version: 1, name: 'blog_key', labels: digested };
const web = live(service('web'));
const api = live(service('api'));
const all = {
  services: [web, api],
  networks: [blogNetwork],
  configs: [page],
  secrets: [key],
};
const members = stackMembers('stack/blog', observed(all));

/** A service of another stack that uses all of it. */
function neighbour(parts: Partial<ObservedService['spec']['TaskTemplate']>): ObservedService {
  const spec = service('x', {
    Name: 'shop_web',
    Labels: { 'com.docker.stack.namespace': 'shop' },
  });
  return {
    ...live(spec),
    spec: { ...spec, TaskTemplate: { ...spec.TaskTemplate, Networks: [], ...parts } },
  };
}

const file = { File: { Name: 'x', UID: '0', GID: '0', Mode: 292 } };
const callsOf = (state: Parameters<typeof observed>[0], of = members) => {
  const { operations, left, ending, waits } = removeMembers('stack/blog', of, observed(state));
  const calls = operations.map(({ call }) => ('id' in call ? `${call.op} ${call.id}` : call.op));
  return { calls, left: left.map(({ target }) => target), ending, waits };
};
const rest = ['network blog_default', 'config blog_page', 'secret blog_key'];

describe('the members of a stack', () => {
  it('are all that bears its label, services first', () => {
    expect(members).toEqual([
      { target: 'service blog_api', id: 'id-blog_api' },
      { target: 'service blog_web', id: 'id-blog_web' },
      { target: 'network blog_default', id: 'id-blog_default' },
      { target: 'config blog_page', id: 'id-blog_page' },
      { target: 'secret blog_key', id: 'id-blog_key' },
    ]);
  });

  it('are nothing of another stack, of this node only, or of the agent’s own', () => {
    const state = {
      services: [live(service('web', { Labels: { 'com.docker.stack.namespace': 'Blog' } }))],
      networks: [
        { ...blogNetwork, scope: 'local' },
        { ...blogNetwork, labels: {} },
      ],
      configs: [config('understudy.head'), config('understudy.b.1'), config('x', { labels: {} })],
      secrets: [{ ...key, labels: { ...digested, 'com.docker.stack.namespace': 'blog2' } }],
    };
    expect(stackMembers('stack/blog', observed(state))).toEqual([]);
  });

  it('are no secret that somebody else made: nobody can read its value back', () => {
    const driver = { name: 'vault' };
    const secrets = [
      { ...key, labels },
      { ...key, id: 'id-2', name: 'blog_2', labels, driver },
    ];
    const left = stackMembers('stack/blog', observed({ secrets }));
    expect(left).toEqual([{ target: 'secret blog_2', id: 'id-2' }]);
  });

  it('are gathered once for all stacks of a look: their lists are as long as the Swarm is large', () => {
    let read = 0;
    const seen = observed(all);
    const state = Object.defineProperty({ ...seen.state }, 'configs', {
      get: () => {
        read += 1;
        return [page];
      },
    });
    const look = { ...seen, state };
    for (const id of ['stack/blog', 'stack/shop', 'stack/blog'] as const) stackMembers(id, look);
    expect(read).toBe(1);
    expect(stackMembers('stack/blog', look)).toEqual(members);
    const next = observed({ ...all, configs: [] });
    expect(stackMembers('stack/blog', next).map(({ target }) => target)).not.toContain(
      'config blog_page',
    );
  });

  it('that leave a Compose file are services and networks: contents stay for a way back', () => {
    expect(stackMakes(unit())).toEqual(['service blog_web', 'network blog_default']);
    expect(stackSizes(observed(all))).toEqual({
      services: 2,
      networks: 1,
      configs: 1,
      secrets: 1,
      nodes: 1,
    });
  });
});

describe('a removal', () => {
  it('takes services first, by full id, and is destructive', () => {
    const { operations } = removeMembers('stack/blog', members, observed(all));
    expect(operations).toMatchObject([
      { target: 'service blog_api', verb: 'remove', phase: 'remove', effect: 'destructive' },
      {
        target: 'service blog_web',
        call: { op: 'service-remove', id: 'id-blog_web', name: 'blog_web', stack: 'blog' },
      },
    ]);
    expect(callsOf({ ...all, services: [web] }).calls).toEqual(['service-remove id-blog_web']);
  });

  it.each([
    ['that runs', task('t')],
    ['that is told to go', task('t', { desiredState: 'remove' })],
    ['that has no node yet', { ...task('t', { state: 'pending' }), nodeId: '' }],
  ])('waits for a task %s before it takes the network', (_what, one) => {
    const { nodeId, ...without } = one;
    const tasks = [nodeId === '' ? without : one];
    expect(callsOf({ ...all, services: [], tasks })).toEqual({
      calls: [],
      left: rest,
      ending: 'tasks of service blog_web still run',
      waits: [],
    });
  });

  it.each([
    ['is over', task('t', { state: 'shutdown', desiredState: 'remove' })],
    ['ran to its end', task('t', { state: 'complete' })],
    ['ran on a node that left the Swarm', task('t', { nodeId: 'gone' })],
    ['is of another service', task('t', { serviceId: 'other' })],
  ])('does not wait for a task that %s', (_what, one) => {
    const { calls, ending } = callsOf({ ...all, services: [], tasks: [one], nodes: [node('w1')] });
    expect(calls).toEqual([
      'network-remove id-blog_default',
      'config-remove id-blog_page',
      'secret-remove id-blog_key',
    ]);
    expect(ending).toBeUndefined();
  });

  it.each<[string, Parameters<typeof neighbour>[0], string]>([
    ['network', { Networks: [{ Target: 'id-blog_default' }] }, 'network blog_default'],
    [
      'config',
      {
        ContainerSpec: {
          Image: 'x',
          Configs: [{ ...file, ConfigName: 'blog_page', ConfigID: 'id-blog_page' }],
        },
      },
      'config blog_page',
    ],
    [
      'secret',
      {
        ContainerSpec: {
          Image: 'x',
          Secrets: [{ ...file, SecretName: 'blog_key', SecretID: 'id-blog_key' }],
        },
      },
      'secret blog_key',
    ],
  ])('leaves a %s that another service uses, and says so', (_noun, parts, target) => {
    const { calls, left, waits } = callsOf({ ...all, services: [neighbour(parts)] });
    expect(calls).toHaveLength(2);
    expect(left).toEqual(rest);
    expect(waits).toEqual([`${target} is in use by service shop_web`]);
  });

  it('leaves what changed hands, what was made anew, and what was never noted', () => {
    const sold = {
      services: [{ ...web, spec: { ...web.spec, Labels: { 'com.docker.stack.namespace': 'x' } } }],
      networks: [{ ...blogNetwork, labels: {} }],
      configs: [{ ...page, id: 'another' }, config('blog_new')],
      secrets: [],
    };
    expect(callsOf(sold)).toEqual({ calls: [], left: [], ending: undefined, waits: [] });
  });

  it('is over with the last object, whatever tasks still do', () => {
    expect(callsOf({ tasks: [task('t')] })).toEqual({
      calls: [],
      left: [],
      ending: undefined,
      waits: [],
    });
  });
});

describe('a stack whose place another one takes', () => {
  it.each<[string, Parameters<typeof observed>[0], string | undefined]>([
    ['a task runs', { ...all, tasks: [task('t')] }, 'tasks of service blog_web still run'],
    ['all have ended', { ...all, tasks: [task('t', { state: 'shutdown' })] }, undefined],
    ['there are none', all, undefined],
  ])('stands still or not: %s', (_what, state, runs) => {
    expect(stackRuns('stack/blog', observed(state))).toBe(runs);
  });

  it('is used by services of others, and not by its own', () => {
    const Networks = [{ Target: 'id-blog_default' }];
    const own = { ...web.spec, TaskTemplate: { ...web.spec.TaskTemplate, Networks } };
    const services = [{ ...web, spec: own }];
    expect(stackUsers('stack/blog', observed({ ...all, services }))).toEqual([]);
    const used = observed({ ...all, services: [...services, neighbour({ Networks })] });
    expect(stackUsers('stack/blog', used)).toEqual([
      'network blog_default is in use by service shop_web',
    ]);
  });
});

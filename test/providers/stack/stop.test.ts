import { describe, expect, it } from 'vitest';

import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ServiceMode, ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { stackKind } from '../../../agent/providers/stack/provider.ts';
import { resumeStack, stackParts, stopParts } from '../../../agent/providers/stack/stop.ts';
import type { StackCall } from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, live, observed, service, task, unit } from '../../fakes/stack.ts';

const NOWHERE = 'node.id==none';
const inMode = (Mode: ServiceMode, Constraints?: string[]): ServiceSpec => {
  const web = service('web', { Mode });
  const Placement = Constraints === undefined ? {} : { Constraints };
  return { ...web, TaskTemplate: { ...web.TaskTemplate, Placement } };
};
function bodyOf(call: StackCall | undefined): ServiceSpec {
  if (call?.op !== 'service-update') throw new Error('not an update of a service');
  return call.body;
}
const target = ['service blog_web'];

describe('stopping', () => {
  it.each<[string, ServiceSpec, Partial<ServiceSpec>, string[] | undefined]>([
    [
      'a service',
      inMode({ Replicated: { Replicas: 3 } }),
      { Mode: { Replicated: { Replicas: 0 } } },
      undefined,
    ],
    ['a global service', inMode({ Global: {} }), { Mode: { Global: {} } }, [NOWHERE]],
    [
      'a global service with constraints',
      inMode({ Global: {} }, ['node.role==worker']),
      { Mode: { Global: {} } },
      ['node.role==worker', NOWHERE],
    ],
    [
      'a job',
      inMode({ ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 4 } }),
      { Mode: { ReplicatedJob: { MaxConcurrent: 2, TotalCompletions: 0 } } },
      undefined,
    ],
    ['a global job', inMode({ GlobalJob: {} }), { Mode: { GlobalJob: {} } }, [NOWHERE]],
  ])('%s changes nothing but how much of it runs, once', (_what, spec, parts, constraints) => {
    const there = live(spec, { version: 12 });
    const [operation, ...more] = stopParts('stack/blog', target, observed({ services: [there] }));
    expect(more).toEqual([]);
    expect(operation).toMatchObject({
      target: 'service blog_web',
      verb: 'update',
      call: { op: 'service-update', id: 'id-blog_web', version: 12 },
    });
    expect(operation?.fields).toHaveLength(1);
    const body = bodyOf(operation?.call);
    expect(body).toEqual({
      ...there.spec,
      ...parts,
      TaskTemplate: {
        ...there.spec.TaskTemplate,
        Placement: constraints === undefined ? {} : { Constraints: constraints },
      },
    });
    const stopped = observed({ services: [{ ...there, spec: body }] });
    expect(stopParts('stack/blog', target, stopped)).toEqual([]);
  });

  it('gives the ports free, also of what runs nothing any more, and all comes back', () => {
    const Ports = [
      { Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'ingress' },
    ];
    for (const Replicas of [2, 0]) {
      const spec = service('web', {
        Mode: { Replicated: { Replicas } },
        EndpointSpec: { Mode: 'vip', Ports },
      });
      const there = live(spec);
      const now = (one: ServiceSpec) =>
        observed({ services: [{ ...there, spec: one }], networks: [blogNetwork] });
      const [operation] = stopParts('stack/blog', target, now(there.spec));
      const body = bodyOf(operation?.call);
      expect(body).toMatchObject({
        Mode: { Replicated: { Replicas: 0 } },
        EndpointSpec: { Mode: 'vip', Ports: [] },
      });
      expect(stopParts('stack/blog', target, now(body))).toEqual([]);
      const [back] = diffStack(unit({ services: { web: spec } }), now(body)).operations;
      expect(bodyOf(back?.call).EndpointSpec?.Ports).toHaveLength(1);
    }
  });

  it('leaves alone what carries the name and belongs to somebody else by now', () => {
    const spec = service('web', { Labels: { 'com.docker.stack.namespace': 'shop' } });
    expect(stopParts('stack/blog', target, observed({ services: [live(spec)] }))).toEqual([]);
  });

  it('stops a service that says nothing of replicas: the engine runs one', () => {
    const there = live(service('web'));
    const silent = { ...there, spec: { ...there.spec, Mode: {} } };
    const [operation] = stopParts('stack/blog', target, observed({ services: [silent] }));
    expect(bodyOf(operation?.call).Mode).toEqual({ Replicated: { Replicas: 0 } });
  });

  it('touches nothing that is not there or was not named, and nothing twice', () => {
    const now = observed({ services: [live(service('web')), live(service('api'))] });
    const targets = ['service blog_gone', 'network blog_default', ...target, ...target];
    expect(stopParts('stack/blog', targets, now).map((one) => one.target)).toEqual(target);
  });

  it('is undone by what the repository wants', () => {
    for (const Mode of [{ Replicated: { Replicas: 3 } }, { Global: {} }]) {
      const spec = inMode(Mode, ['node.role==worker']);
      const wanted = unit({ services: { web: spec } });
      const running = observed({ services: [live(spec)], networks: [blogNetwork] });
      const [stop] = stopParts('stack/blog', stackParts(wanted), running);
      const stopped = { ...live(spec), spec: bodyOf(stop?.call) };
      const now = observed({ services: [stopped], networks: [blogNetwork] });
      const [back] = diffStack(wanted, now).operations;
      expect(bodyOf(back?.call)).toMatchObject({
        Mode,
        TaskTemplate: { Placement: { Constraints: ['node.role==worker'] } },
      });
    }
  });
});

describe('an update that the engine paused for nothing', () => {
  const two = service('web', { Mode: { Replicated: { Replicas: 2 } } });
  const wanted = unit({ services: { web: two } });
  const resumed = (updateState: string, tasks = [task('a')], spec = two) =>
    resumeStack(
      unit({ services: { web: spec } }),
      observed({ services: [live(spec, { updateState, version: 5 })], tasks }),
    );

  it.each(['paused', 'rollback_paused'])(
    'goes on by the same spec once more: %s',
    (updateState) => {
      expect(resumed(updateState)).toEqual([
        {
          target: 'service blog_web',
          verb: 'update',
          phase: 'change',
          effect: 'restart',
          fields: [],
          call: { op: 'service-update', id: 'id-blog_web', version: 5, body: live(two).spec },
        },
      ]);
    },
  );

  it('is left alone where it is not paused, where all of it runs, and where it is a job', () => {
    expect(resumed('updating')).toEqual([]);
    expect(resumed('paused', [task('a'), task('b')])).toEqual([]);
    const job = service('web', {
      Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } },
    });
    expect(resumed('paused', [], job)).toEqual([]);
    expect(resumeStack(wanted, observed())).toEqual([]);
  });
});

describe('the kind of a stack', () => {
  const old = live(service('old'));
  const now = observed({
    services: [live(service('web')), old],
    tasks: [task('a'), task('b', { serviceId: old.id }), task('c', { serviceId: 'another' })],
  });

  it('knows what could run of it, and what runs of it, also what its file does not have', () => {
    expect(stackKind.parts(unit())).toEqual(['service blog_web']);
    expect(stackKind.baseline(unit(), now).toSorted()).toEqual(['a', 'b']);
  });

  it('is there as soon as any service carries its name', () => {
    expect(stackKind.isThere(unit(), now)).toBe(true);
    expect(stackKind.isThere(unit({ services: {} }), now)).toBe(true);
    const other = service('web', { Labels: { 'com.docker.stack.namespace': 'shop' } });
    expect(stackKind.isThere(unit(), observed({ services: [live(other)] }))).toBe(false);
    expect(stackKind.isThere(unit(), observed({ networks: [blogNetwork] }))).toBe(false);
  });

  it('takes times and rules from the unit', () => {
    expect(stackKind.times(unit())).toMatchObject({ timeoutMs: 300_000, stableForMs: 30_000 });
    expect(stackKind.rollback(unit())).toEqual({ mode: 'auto', keep: 3 });
  });
});

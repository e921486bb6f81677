import { describe, expect, it } from 'vitest';
import { idleService } from '../../contract/swarm.ts';
import { type FakeAnswer, FakeEngine } from '../../fakes/swarm-engine.ts';

/** Bodies as plain data, through the same door as a socket's. */
function ask(engine: FakeEngine, method: string, path: string, body: object = {}): FakeAnswer {
  const url = new URL(path, 'http://docker');
  const text = JSON.stringify(body);
  return engine.handle({ method, path: url.pathname, query: url.searchParams, text });
}

function running(name: string, replicas: number, parts: object = {}, image = 'site:1'): object {
  return {
    ...idleService(name, {
      TaskTemplate: { ContainerSpec: { Image: image }, Placement: {} },
      Mode: { Replicated: { Replicas: replicas } },
    }),
    ...parts,
  };
}

function states(engine: FakeEngine): string[] {
  return [...engine.tasks.values()].map(
    (task) => `${String(task.slot ?? 'global')} ${task.template.ContainerSpec.Image} ${task.state}`,
  );
}

function only(engine: FakeEngine) {
  const [service] = engine.services.values();
  if (service === undefined) throw new Error('no service');
  return service;
}

function update(engine: FakeEngine, body: object): FakeAnswer {
  const { id, version } = only(engine);
  return ask(engine, 'POST', `/services/${id}/update?version=${String(version)}`, body);
}

describe('tasks of the fake engine', () => {
  it('move only when told, one state a step', () => {
    const engine = new FakeEngine();
    ask(engine, 'POST', '/services/create', running('web', 1));
    const seen = [states(engine)];
    while (engine.step()) seen.push(states(engine));
    expect(seen.flat()).toEqual([
      '1 site:1 new',
      '1 site:1 pending',
      '1 site:1 assigned',
      '1 site:1 preparing',
      '1 site:1 starting',
      '1 site:1 running',
    ]);
    expect(engine.step()).toBe(false);
  });

  it('roll one by one, keep the version still meanwhile, and end completed', () => {
    const engine = new FakeEngine();
    ask(engine, 'POST', '/services/create', running('web', 3));
    engine.settle();
    update(engine, running('web', 3, {}, 'site:2'));
    const atStart = only(engine).version;
    const versions = new Set<number>();
    let most = 0;
    while (engine.step()) {
      const live = [...engine.tasks.values()].filter(
        ({ desiredState }) => desiredState === 'running',
      );
      most = Math.max(most, live.filter(({ state }) => state !== 'running').length);
      if (only(engine).update?.State === 'updating') versions.add(only(engine).version);
    }
    expect([most, [...versions]]).toEqual([1, [atStart]]);
    expect(only(engine).update?.State).toBe('completed');
    expect(states(engine).filter((one) => one.endsWith('running'))).toEqual([
      '1 site:2 running',
      '2 site:2 running',
      '3 site:2 running',
    ]);
  });

  it.each`
    action        | state                   | image
    ${'pause'}    | ${'paused'}             | ${'site:bad'}
    ${'rollback'} | ${'rollback_completed'} | ${'site:1'}
    ${'continue'} | ${'completed'}          | ${'site:bad'}
  `('a bad image with failure action $action ends $state', ({ action, state, image }) => {
    const engine = new FakeEngine();
    engine.badImages.add('site:bad');
    const UpdateConfig = {
      Parallelism: 1,
      MaxFailureRatio: 0,
      Order: 'stop-first',
      FailureAction: action,
    };
    ask(engine, 'POST', '/services/create', running('web', 2, { UpdateConfig }));
    engine.settle();
    update(engine, running('web', 2, { UpdateConfig }, 'site:bad'));
    engine.settle();
    const { update: how, spec, previous } = only(engine);
    expect([how?.State, spec.TaskTemplate.ContainerSpec.Image]).toEqual([state, image]);
    expect(previous === undefined).toBe(action === 'rollback');
    const bad = [...engine.tasks.values()].filter((task) => task.state === 'rejected');
    expect(bad[0]).toMatchObject({ error: 'No such image: site:bad', desiredState: 'shutdown' });
  });

  it('keeps six tasks of a slot that fails again and again', () => {
    const engine = new FakeEngine();
    engine.badImages.add('site:bad');
    ask(engine, 'POST', '/services/create', running('web', 1, {}, 'site:bad'));
    engine.settle();
    expect(engine.tasks.size).toBe(6);
  });

  it('a global service has a task on every node that may have one', () => {
    const engine = new FakeEngine();
    engine.addNode({ hostname: 'w1' });
    engine.addNode({ hostname: 'w2', availability: 'drain' });
    engine.addNode({ hostname: 'w3', state: 'down' });
    ask(engine, 'POST', '/services/create', running('web', 1, { Mode: { Global: {} } }));
    engine.settle();
    expect(states(engine)).toEqual(['global site:1 running', 'global site:1 running']);
  });

  it('scaling and label changes restart nothing and show no update', () => {
    const engine = new FakeEngine();
    ask(engine, 'POST', '/services/create', running('web', 2));
    engine.settle();
    const before = [...engine.tasks.keys()];
    update(engine, running('web', 3, { Labels: { a: '1' } }));
    engine.settle();
    expect([...engine.tasks.keys()].slice(0, 2)).toEqual(before);
    expect([engine.tasks.size, only(engine).update]).toEqual([3, undefined]);
    update(engine, running('web', 1));
    engine.settle();
    expect([...engine.tasks.keys()]).toEqual(before.slice(0, 1));
  });

  it('re-applying the old spec keeps the old tasks that still run', () => {
    const engine = new FakeEngine();
    engine.badImages.add('site:bad');
    ask(engine, 'POST', '/services/create', running('web', 3));
    engine.settle();
    const before = new Set(engine.tasks.keys());
    update(engine, running('web', 3, {}, 'site:bad'));
    engine.settle();
    update(engine, running('web', 3));
    engine.settle();
    const live = [...engine.tasks.values()].filter(({ state }) => state === 'running');
    expect([live.length, live.filter(({ id }) => before.has(id)).length]).toEqual([3, 2]);
    expect(only(engine).previous?.TaskTemplate.ContainerSpec.Image).toBe('site:bad');
  });

  it('an update without Placement ends the leader, and the next one', () => {
    const engine = new FakeEngine();
    ask(engine, 'POST', '/services/create', running('web', 1));
    const TaskTemplate = { ContainerSpec: { Image: 'site:1' } };
    expect(update(engine, { ...running('web', 1), TaskTemplate })).toBe('drop');
    expect(ask(engine, 'GET', '/services')).toMatchObject({ status: 500 });
  });

  it('an ingress port is given once', () => {
    const engine = new FakeEngine();
    const EndpointSpec = { Ports: [{ TargetPort: 80, PublishedPort: 8080 }] };
    ask(engine, 'POST', '/services/create', running('a', 1, { EndpointSpec }));
    expect(
      ask(engine, 'POST', '/services/create', running('b', 1, { EndpointSpec })),
    ).toMatchObject({
      status: 400,
    });
    expect(update(engine, running('a', 2, { EndpointSpec }))).toMatchObject({ status: 200 });
  });
});

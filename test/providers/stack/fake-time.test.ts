import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { idleService } from '../../contract/swarm.ts';
import { VirtualClock } from '../../fakes/clock.ts';
import { FakeEngine } from '../../fakes/swarm-engine.ts';
import { directSwarm } from '../../fakes/swarm-modem.ts';

const second = 1_000_000_000;

/** One service, with what the tests below turn on it. Durations in nanoseconds, as the API has them. */
function web(image: string, parts: { replicas?: number; template?: object; update?: object } = {}) {
  return idleService('web', {
    TaskTemplate: {
      ContainerSpec: { Image: image },
      Placement: {},
      RestartPolicy: { Delay: second },
      ...parts.template,
    },
    Mode: { Replicated: { Replicas: parts.replicas ?? 1 } },
    UpdateConfig: {
      Parallelism: 1,
      MaxFailureRatio: 0,
      Order: 'stop-first',
      Monitor: 2 * second,
      ...parts.update,
    },
  });
}

function started(spec: ServiceSpec): FakeEngine {
  const engine = new FakeEngine();
  ask(engine, '/services/create', spec);
  engine.advance(1_000);
  return engine;
}

function ask(engine: FakeEngine, path: string, body: object): void {
  const url = new URL(path, 'http://docker');
  const text = JSON.stringify(body);
  const query = url.searchParams;
  const answer = engine.handle({ method: 'POST', path: url.pathname, query, text });
  if (answer === 'drop' || answer.status >= 300) throw new Error(JSON.stringify(answer));
}

function only(engine: FakeEngine) {
  const [service] = engine.services.values();
  if (service === undefined) throw new Error('no service');
  return service;
}

function update(engine: FakeEngine, spec: ServiceSpec): void {
  const { id, version } = only(engine);
  ask(engine, `/services/${id}/update?version=${String(version)}`, spec);
}

/** `slot image state/desired` of the tasks that are not over, and of those that are with `all`. */
function tasks(engine: FakeEngine, which: 'live' | 'all' = 'live'): string[] {
  const over = ['shutdown', 'failed', 'rejected', 'complete'];
  return [...engine.tasks.values()]
    .filter(({ state }) => which === 'all' || !over.includes(state))
    .map(({ slot, template, state, desiredState }) => {
      const image = template.ContainerSpec.Image;
      return `${String(slot ?? 'global')} ${image} ${state}/${desiredState}`;
    });
}

describe('a task of the fake engine', () => {
  it('ends when its image does, is said to have failed, and is followed by another after the delay', () => {
    const engine = new FakeEngine();
    engine.images.set('site:1', { endsAfterMs: 7_000, exitCode: 3 });
    ask(engine, '/services/create', web('site:1'));
    engine.advance(7_300);
    expect(tasks(engine)).toEqual(['1 site:1 running/running']);
    engine.advance(200);
    const [first, second] = engine.tasks.values();
    expect([first?.state, first?.error, first?.exitCode, first?.desiredState]).toEqual([
      'failed',
      'task: non-zero exit (3)',
      3,
      'shutdown',
    ]);
    expect(second?.desiredState).toBe('ready');
    engine.advance(500);
    expect(tasks(engine)).toEqual(['1 site:1 ready/ready']);
    engine.advance(1_000);
    expect(tasks(engine)).toEqual(['1 site:1 running/running']);
  });

  it.each`
    what                                   | conduct                                                                                          | state         | error
    ${'unhealthy, ends well when told to'} | ${{ healthyAfterMs: Infinity, endsAfterMs: 8_000, exitCode: 0 }}                                 | ${'complete'} | ${undefined}
    ${'unhealthy, must be killed'}         | ${{ healthyAfterMs: Infinity, endsAfterMs: 8_000, exitCode: 137, error: 'unhealthy container' }} | ${'failed'}   | ${'unhealthy container'}
    ${'its command is not there'}          | ${{ endsAfterMs: 0, error: 'starting container failed' }}                                        | ${'failed'}   | ${'starting container failed'}
  `('$what: $state', ({ conduct, state, error }) => {
    const engine = new FakeEngine();
    engine.images.set('site:1', conduct);
    ask(engine, '/services/create', web('site:1'));
    engine.advance(8_000);
    const [first] = engine.tasks.values();
    expect(first?.state).toBe(conduct.endsAfterMs > 0 ? 'starting' : state);
    engine.advance(1_000);
    expect([first?.state, first?.error]).toEqual([state, error]);
    expect([...engine.tasks.values()].some((task) => task.state === 'running')).toBe(false);
  });

  it('is starting until its image is healthy', () => {
    const engine = new FakeEngine();
    engine.images.set('site:1', { healthyAfterMs: 10_000 });
    ask(engine, '/services/create', web('site:1'));
    engine.advance(10_300);
    expect(tasks(engine)).toEqual(['1 site:1 starting/running']);
    engine.advance(200);
    expect(tasks(engine)).toEqual(['1 site:1 running/running']);
  });

  it.each`
    policy                                   | images | why
    ${{ Condition: 'none' }}                 | ${1}   | ${'nothing starts it again'}
    ${{ MaxAttempts: 2, Delay: 0 }}          | ${3}   | ${'twice and no more'}
    ${{ Condition: 'on-failure', Delay: 0 }} | ${6}   | ${'again and again, six are kept'}
  `('by its restart policy $policy: $why', ({ policy, images }) => {
    const engine = new FakeEngine();
    engine.images.set('site:1', { endsAfterMs: 1_000 });
    ask(engine, '/services/create', web('site:1', { template: { RestartPolicy: policy } }));
    engine.advance(60_000);
    expect(engine.tasks.size).toBe(images);
  });

  it('is pulled once by a node, and then needs no registry', () => {
    const engine = started(web('site:1'));
    engine.registryUp = false;
    update(engine, web('site:1', { template: { ForceUpdate: 1 } }));
    engine.advance(3_000);
    expect(tasks(engine)).toEqual(['1 site:1 running/running']);
    update(engine, web('site:2'));
    engine.advance(1_000);
    // It was still to wait when it was rejected, and shows so until its time comes: seen on the engine.
    expect(tasks(engine, 'all').at(-1)).toBe('1 site:2 rejected/ready');
    engine.registryUp = true;
    engine.advance(5_000);
    expect(tasks(engine)).toEqual(['1 site:2 running/running']);
  });

  it('that cannot be pulled is tried once a restart delay', () => {
    const engine = new FakeEngine();
    engine.badImages.add('site:1');
    ask(engine, '/services/create', web('site:1'));
    engine.advance(3_900);
    expect(tasks(engine, 'all').map((task) => task.replace('1 site:1 ', ''))).toEqual([
      'rejected/shutdown',
      'rejected/shutdown',
      'rejected/shutdown',
      'rejected/shutdown',
      'rejected/ready',
    ]);
  });

  it('of a job runs once to its end', () => {
    const engine = new FakeEngine();
    engine.images.set('job:1', { endsAfterMs: 5_000, exitCode: 0 });
    const Mode = { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 2 } };
    ask(engine, '/services/create', { ...web('job:1'), Mode });
    engine.advance(60_000);
    expect(tasks(engine, 'all')).toEqual([
      '1 job:1 complete/complete',
      '2 job:1 complete/complete',
    ]);
  });
});

describe('an update of the fake engine', () => {
  it('is completed one monitor period after its last task runs', () => {
    const engine = started(web('site:1', { replicas: 2 }));
    update(engine, web('site:2', { replicas: 2 }));
    engine.advance(1_400);
    expect(only(engine).update?.State).toBe('updating');
    engine.advance(1_500);
    expect(only(engine).update?.State).toBe('updating');
    engine.advance(1_000);
    expect(only(engine).update).toMatchObject({
      State: 'completed',
      Message: 'update completed',
      CompletedAt: expect.any(String),
    });
  });

  it.each`
    crash    | action        | state                   | why
    ${500}   | ${'pause'}    | ${'paused'}             | ${'within the monitor period'}
    ${7_000} | ${'pause'}    | ${'completed'}          | ${'later, which the engine takes for a success'}
    ${500}   | ${'continue'} | ${'completed'}          | ${'though all of it crashes'}
    ${500}   | ${'rollback'} | ${'rollback_completed'} | ${'and the engine goes back by itself'}
  `('that crashes after $crash ms with $action is $state: $why', ({ crash, action, state }) => {
    const parts = { replicas: 3, update: { FailureAction: action } };
    const engine = started(web('site:1', parts));
    engine.images.set('site:2', { endsAfterMs: crash });
    update(engine, web('site:2', parts));
    engine.advance(30_000);
    expect(only(engine).update?.State).toBe(state);
    const old = tasks(engine).filter((task) => task.includes('site:1 running'));
    // Seen: two of three old copies are stopped before the first crash is noticed.
    expect(old.length).toBe(
      action === 'pause' && crash === 500 ? 1 : action === 'rollback' ? 3 : 0,
    );
  });

  it('that never gets healthy is paused when its task is given up', () => {
    const engine = started(web('site:1'));
    engine.images.set('site:2', { healthyAfterMs: Infinity, endsAfterMs: 10_000, exitCode: 0 });
    update(engine, web('site:2'));
    engine.advance(10_000);
    expect(only(engine).update?.State).toBe('updating');
    engine.advance(1_000);
    expect(only(engine).update?.State).toBe('paused');
  });

  it('that fits no node is updating for ever, and has stopped the old task', () => {
    const engine = started(web('site:1'));
    const template = { Placement: { Constraints: ['node.labels.disk == fast'] } };
    update(engine, web('site:2', { template }));
    engine.advance(3_600_000);
    expect(only(engine).update?.State).toBe('updating');
    expect(tasks(engine)).toEqual(['1 site:2 pending/running']);
    expect([...engine.tasks.values()].at(-1)?.error).toBe(
      'no suitable node (scheduling constraints not satisfied on 1 node)',
    );
    engine.changeNode('m1', { labels: { disk: 'fast' } });
    engine.advance(1_000);
    expect(tasks(engine)).toEqual(['1 site:2 running/running']);
  });

  it('that starts first keeps the old task until the new one runs', () => {
    const parts = { update: { Order: 'start-first' } };
    const engine = started(web('site:1', parts));
    engine.badImages.add('site:bad');
    update(engine, web('site:bad', parts));
    engine.advance(1_000);
    expect(tasks(engine)[0]).toBe('1 site:1 running/running');
    update(engine, web('site:2', parts));
    engine.advance(450);
    expect(tasks(engine)).toEqual(['1 site:1 running/running', '1 site:2 starting/running']);
    engine.advance(1_000);
    expect(tasks(engine)).toEqual(['1 site:2 running/running']);
  });

  it('back to a spec of which tasks still run restarts none of these', () => {
    const parts = { replicas: 3 };
    const engine = started(web('site:1', parts));
    engine.images.set('site:2', { healthyAfterMs: Infinity });
    const before = new Set(engine.tasks.keys());
    update(engine, web('site:2', parts));
    engine.advance(2_000);
    update(engine, web('site:1', parts));
    engine.advance(5_000);
    const running = [...engine.tasks.values()].filter(({ state }) => state === 'running');
    expect(running.map(({ template }) => template.ContainerSpec.Image)).toEqual(
      Array.from({ length: 3 }, () => 'site:1'),
    );
    expect(running.filter(({ id }) => before.has(id))).toHaveLength(2);
    expect(only(engine).update?.State).toBe('completed');
  });

  it('to no replicas ends all tasks and shows no update', () => {
    const engine = started(web('site:1', { replicas: 2 }));
    update(engine, web('site:2', { replicas: 0 }));
    engine.advance(1_000);
    expect([engine.tasks.size, only(engine).update]).toEqual([0, undefined]);
  });

  it('goes on where it was paused when anything is written to the service', () => {
    const engine = started(web('site:1', { replicas: 3 }));
    engine.images.set('site:2', { endsAfterMs: 500 });
    update(engine, web('site:2', { replicas: 3 }));
    engine.advance(10_000);
    const old = () => tasks(engine).filter((task) => task.includes('site:1')).length;
    expect(old()).toBe(1);
    update(engine, { ...web('site:2', { replicas: 3 }), Labels: { touched: 'yes' } });
    engine.advance(10_000);
    expect(old()).toBe(0);
  });

  it('of a global service to a constraint that no node meets ends its tasks', () => {
    const global = (Constraints: string[]) => ({
      ...web('site:1', { template: { Placement: { Constraints } } }),
      Mode: { Global: {} },
    });
    const engine = started(global([]));
    expect(tasks(engine)).toEqual(['global site:1 running/running']);
    update(engine, global(['node.id == nowhere']));
    engine.advance(1_000);
    expect(tasks(engine)).toEqual([]);
    update(engine, global(['node.role == manager']));
    engine.advance(1_000);
    expect(tasks(engine)).toEqual(['global site:1 running/running']);
  });
});

describe('a node of the fake engine', () => {
  function two(): { engine: FakeEngine; where: () => string[] } {
    const engine = new FakeEngine();
    engine.addNode({ hostname: 'w1' });
    ask(engine, '/services/create', web('site:1'));
    engine.advance(1_000);
    const hosts = new Map([...engine.nodes.values()].map(({ id, hostname }) => [id, hostname]));
    const where = () =>
      [...engine.tasks.values()].map(
        ({ state, desiredState, nodeId = '' }) =>
          `${hosts.get(nodeId) ?? 'nowhere'} ${state}/${desiredState}`,
      );
    return { engine, where };
  }

  it('that is away leaves its task as it was, and a second copy starts elsewhere', () => {
    const { engine, where } = two();
    expect(where()).toEqual(['w1 running/running']);
    engine.changeNode('w1', { state: 'down' });
    engine.advance(3_000);
    expect(where()).toEqual(['w1 running/shutdown', 'm1 running/running']);
    engine.changeNode('w1', { state: 'ready' });
    engine.advance(1_000);
    expect(where()).toEqual(['w1 shutdown/shutdown', 'm1 running/running']);
  });

  it('that is drained hands its task on without the delay of a restart', () => {
    const { engine, where } = two();
    engine.changeNode('w1', { availability: 'drain' });
    engine.advance(900);
    expect(where()).toEqual(['w1 shutdown/shutdown', 'm1 running/running']);
  });

  it('that is drained hands its task on once it has stopped', () => {
    const { engine, where } = two();
    engine.images.set('site:1', { stopsAfterMs: 5_000 });
    engine.changeNode('w1', { availability: 'drain' });
    engine.advance(4_900);
    expect(where()).toEqual(['w1 running/shutdown', 'm1 ready/ready']);
    engine.advance(500);
    expect(where()).toEqual(['w1 shutdown/shutdown', 'm1 running/running']);
  });

  it('that is paused keeps what it has', () => {
    const { engine, where } = two();
    engine.changeNode('w1', { availability: 'pause' });
    engine.advance(60_000);
    expect(where()).toEqual(['w1 running/running']);
  });

  it('that blinks in the middle of a good update pauses it', () => {
    const { engine } = two();
    engine.images.set('site:2', { healthyAfterMs: 2_000 });
    update(engine, web('site:2'));
    engine.advance(1_000);
    expect(tasks(engine)).toEqual(['1 site:2 starting/running']);
    engine.changeNode('w1', { state: 'down' });
    engine.advance(500);
    engine.changeNode('w1', { state: 'ready' });
    engine.advance(5_000);
    expect(only(engine).update?.State).toBe('paused');
    expect(tasks(engine)).toEqual(['1 site:2 running/running']);
  });
});

describe('the fake engine under a clock', () => {
  it('has done what is due whenever it is asked, and needs no timer', async () => {
    const clock = new VirtualClock();
    const engine = new FakeEngine();
    engine.follow(clock);
    const swarm = directSwarm(engine);
    const { signal } = new AbortController();
    await swarm.call({ op: 'service-create', body: web('site:1') }, signal);
    const seen: string[] = [];
    for (let round = 0; round < 4; round += 1) {
      const state = await swarm.observe(signal);
      if (state.status === 'ok') seen.push(...state.value.tasks.map((task) => task.state));
      await clock.advance(250);
    }
    expect(seen).toEqual(['new', 'assigned', 'running', 'running']);
    expect(clock.nextMs).toBeUndefined();
  });

  it('is the same however often it is asked', async () => {
    const run = async (stepMs: number): Promise<string> => {
      const clock = new VirtualClock();
      const engine = new FakeEngine();
      engine.follow(clock);
      engine.images.set('site:2', { endsAfterMs: 1_700 });
      const said: string[] = [];
      ask(engine, '/services/create', web('site:1', { replicas: 3 }));
      for (let ms = 0; ms < 20_000; ms += stepMs) {
        if (ms === 4_000) update(engine, web('site:2', { replicas: 3 }));
        if (ms === 12_000) engine.changeNode('m1', { state: 'down' });
        if (ms === 14_000) engine.changeNode('m1', { state: 'ready' });
        await clock.advance(stepMs);
        engine.catchUp();
      }
      for (const task of engine.tasks.values()) {
        said.push(`${task.id} ${task.state}/${task.desiredState} ${String(task.sinceMs)}`);
      }
      return said.join('\n');
    };
    expect(await run(100)).toBe(await run(2_000));
  });
});

describe('the real client on the fake engine without a socket', () => {
  it.each`
    fate            | status       | made
    ${'answered'}   | ${'ok'}      | ${1}
    ${'lost'}       | ${'unknown'} | ${0}
    ${'unanswered'} | ${'unknown'} | ${1}
  `('$fate: $status', async ({ fate, status, made }) => {
    const engine = new FakeEngine();
    const seen: string[] = [];
    const swarm = directSwarm(engine, ({ at, method, path, mutating }) => {
      seen.push(`${String(at)} ${method} ${path} ${String(mutating)}`);
      return fate;
    });
    const { signal } = new AbortController();
    const call = { op: 'config-create', name: 'c', labels: {}, data: 'eA==' } as const;
    expect((await swarm.call(call, signal)).status).toBe(status);
    expect(engine.configs.size).toBe(made);
    expect((await swarm.observe(signal)).status).toBe(status);
    expect(seen.slice(0, 2)).toEqual(['1 POST /configs/create true', '2 GET /services false']);
  });

  it('ends with its agent, in the middle of an exchange', async () => {
    const engine = new FakeEngine();
    const stop = new AbortController();
    const swarm = directSwarm(engine, () => {
      stop.abort(new Error('killed'));
      return 'answered';
    });
    const call = { op: 'config-create', name: 'c', labels: {}, data: 'eA==' } as const;
    expect(await swarm.call(call, stop.signal)).toMatchObject({ status: 'unknown' });
    await expect(swarm.observe(stop.signal)).rejects.toThrow('killed');
    expect(engine.configs.size).toBe(1);
  });
});

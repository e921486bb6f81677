import { describe, expect, it } from 'vitest';

import type { Answer } from '../../../agent/core/kind.ts';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { stackGivenUp, stackHealth } from '../../../agent/providers/stack/health.ts';
import type { ObservedTask } from '../../../agent/providers/stack/swarm.ts';
import { live, node, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const withContainer = (
  container: Record<string, unknown>,
  template: Partial<ServiceSpec['TaskTemplate']> = {},
): ServiceSpec => {
  const web = service('web');
  const { ContainerSpec: plain } = web.TaskTemplate;
  return {
    ...web,
    TaskTemplate: { ...web.TaskTemplate, ...template, ContainerSpec: { ...plain, ...container } },
  };
};
const plain = service('web');
const checked = withContainer({ Healthcheck: { Test: ['CMD', 'ask'] } });
const limited = withContainer({}, { Resources: { Limits: { MemoryBytes: 2 ** 20 } } });
const global = service('web', { Mode: { Global: {} } });
const job = service('web', { Mode: { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 1 } } });
const noneLeft = withContainer({}, { RestartPolicy: { Condition: 'none' } });

/** Ended tasks, as facts show them. */
const ended: Readonly<Record<string, Partial<ObservedTask>>> = {
  crash: { state: 'failed', error: 'task: non-zero exit (3)', exitCode: 3 },
  unhealthy: {
    state: 'failed',
    error: 'task: non-zero exit (137): dockerexec: unhealthy container',
    exitCode: 137,
  },
  finished: { state: 'complete', message: 'finished', exitCode: 0 },
  killed: { state: 'failed', error: 'task: non-zero exit (137)', exitCode: 137 },
  bind: {
    state: 'rejected',
    error: 'invalid mount config for type "bind": bind source path does not exist: /no/such/dir',
  },
  command: {
    state: 'failed',
    error: 'starting container failed: failed to create shim task: exec: "/no/such"',
    exitCode: 127,
  },
  image: { state: 'rejected', error: 'No such image: site:9', message: 'preparing' },
};
const end = (id: string, how: string, parts: Partial<ObservedTask> = {}): ObservedTask =>
  task(id, { desiredState: 'shutdown', ...ended[how], ...parts });
const threeTimes = (how: string, parts: Partial<ObservedTask> = {}): readonly ObservedTask[] =>
  ['x', 'y', 'z'].map((id) => end(id, how, parts));
const state = (spec: ServiceSpec, tasks: readonly ObservedTask[], parts = {}) =>
  observed({ services: [live(spec, parts)], tasks });

describe('what failed three times', () => {
  it.each<[string, ServiceSpec, string, string, string]>([
    ['crashes at once', plain, 'crash', 'crashed', 'failed on w1, task: non-zero exit (3)'],
    ['crashes on every node', global, 'crash', 'crashed', 'task: non-zero exit (3)'],
    ['is a job that crashes', job, 'crash', 'crashed', 'task: non-zero exit (3)'],
    ['never becomes healthy', checked, 'unhealthy', 'unhealthy', 'unhealthy container'],
    ['ends with 0 when told to', checked, 'finished', 'unhealthy', 'its healthcheck failed'],
    ['ends by itself', plain, 'finished', 'crashed', 'it ended by itself'],
    ['has no such folder', plain, 'bind', 'cannot-start', 'bind source path does not exist'],
    ['has no such command', plain, 'command', 'cannot-start', 'starting container failed'],
    ['eats memory', limited, 'killed', 'crashed', 'probably out of memory'],
  ])('%s', (_what, spec, how, code, evidence) => {
    const now = state(spec, [...threeTimes(how), task('now', { state: 'starting' })]);
    expect(stackHealth(unit({ services: { web: spec } }), now, seen())).toMatchObject({
      status: 'failing',
      code,
      why: 'web: 3 tasks failed',
      evidence: expect.stringContaining(evidence),
    });
  });

  it.each<[string, ServiceSpec, string]>([
    ['is killed without a limit', plain, 'killed'],
    ['is killed for its healthcheck', limited, 'unhealthy'],
  ])('says nothing of memory where it %s', (_what, spec, how) => {
    const now = state(spec, threeTimes(how));
    const health = stackHealth(unit({ services: { web: spec } }), now, seen());
    expect(health).toMatchObject({ evidence: expect.not.stringContaining('memory') });
  });

  it('is told by the first of them, by age', () => {
    const tasks = [
      end('late', 'crash', { createdAt: '2026-01-01T00:00:09Z' }),
      end('first', 'bind', { createdAt: '2026-01-01T00:00:01Z' }),
      end('middle', 'crash', { createdAt: '2026-01-01T00:00:05Z' }),
    ];
    expect(stackHealth(unit(), state(plain, tasks), seen())).toMatchObject({
      code: 'cannot-start',
      evidence: expect.stringMatching(/^rejected on w1, .* 3 times$/),
    });
  });
});

describe('what failed once', () => {
  const once = (spec: ServiceSpec, others: readonly ObservedTask[]) =>
    stackHealth(
      unit({ services: { web: spec } }),
      state(spec, [end('x', 'crash'), ...others]),
      seen(),
    );

  it('is tried again by the engine', () => {
    expect(once(plain, [task('y', { state: 'starting' })]).status).toBe('progressing');
    expect(once(plain, [task('y', { state: 'new', desiredState: 'ready' })]).status).toBe(
      'progressing',
    );
  });

  it('is a certain failure where the engine does not try again', () => {
    expect(once(noneLeft, [])).toMatchObject({
      status: 'failing',
      code: 'crashed',
      why: 'web: its tasks ended and the restart policy starts no other',
    });
  });

  it('is none where nothing is wanted any more, nor for a job, which may go on', () => {
    const zero = service('web', { Mode: { Replicated: { Replicas: 0 } } });
    expect(once(zero, []).status).toBe('converged');
    expect(once(job, []).status).toBe('progressing');
  });
});

describe('an image that no node gets', () => {
  const site9 = withContainer({ Image: 'site:9' });
  const wanted = unit({ services: { web: site9 } });
  const name = 'image site:9';
  const answered = (parts: Partial<Answer>) => {
    const answer = { status: 'good' as const, detail: '', inARow: 1, wasGood: false, ...parts };
    return seen({ answers: new Map([[name, answer]]) });
  };
  const rejected = threeTimes('image', { slot: 1 });
  const now = state(site9, rejected);

  it('is first asked of its registry', () => {
    expect(stackHealth(wanted, now, seen())).toMatchObject({
      status: 'progressing',
      progress: 0,
      summary: 'web 0/1; the registry is asked for site:9',
      asks: [{ name, question: { ask: 'image', image: 'site:9', everyMs: 10_000 } }],
    });
  });

  it('is not asked where nothing is under way: what was rejected before is no news', () => {
    const atRest = seen({ judged: false, baseline: new Set(rejected.map(({ id }) => id)) });
    for (const tasks of [rejected, [...rejected, task('r', { slot: 2 })]]) {
      const health = stackHealth(wanted, state(site9, tasks), atRest);
      expect(health.asks ?? []).toEqual([]);
    }
  });

  it('is asked also where the engine stopped at the first rejection', () => {
    const paused = state(site9, [end('x', 'image'), task('y', { state: 'preparing' })], {
      updateState: 'paused',
    });
    expect(stackHealth(wanted, paused, seen()).status).toBe('progressing');
    const answer = answered({ status: 'bad', detail: 'it is not there' });
    expect(stackHealth(wanted, paused, answer)).toMatchObject({ code: 'image-missing' });
  });

  it('fails where the registry does not have it', () => {
    const known = answered({ status: 'bad', detail: 'manifest unknown' });
    expect(stackHealth(wanted, now, known)).toMatchObject({
      status: 'failing',
      code: 'image-missing',
      why: 'web: no node could get site:9',
      evidence:
        'rejected on w1, No such image: site:9, 3 times; the registry of site:9: manifest unknown',
    });
  });

  it('is nobody’s failure while the registry is out of order', () => {
    const known = answered({ status: 'open', detail: 'connection refused' });
    expect(stackHealth(wanted, now, known)).toMatchObject({
      status: 'outside',
      why: 'the registry of site:9 is out of order: connection refused',
      asks: [{ name }],
    });
  });

  it('is waited for when the registry is back, and fails when the nodes still do not get it', () => {
    expect(stackHealth(wanted, now, answered({ inARow: 2 }))).toMatchObject({
      status: 'progressing',
      summary: 'web 0/1; the registry has site:9, the nodes try again',
      asks: [{ name }],
    });
    expect(stackHealth(wanted, now, answered({ inARow: 3 }))).toMatchObject({
      status: 'failing',
      code: 'image-missing',
      evidence: expect.stringContaining('the registry has the image, but the node could not'),
    });
    const pulling = state(site9, [...rejected, task('p', { slot: 1, state: 'preparing' })]);
    expect(stackHealth(wanted, pulling, answered({ inARow: 9 })).status).toBe('progressing');
  });

  it('counts no more where a later task in its place got it', () => {
    const late = '2026-01-01T00:00:09Z';
    const running = task('r', { slot: 1, createdAt: late });
    expect(stackHealth(wanted, state(site9, [...rejected, running]), seen()).status).toBe(
      'converged',
    );
    const elsewhere = task('r', { slot: 2, createdAt: late });
    const asked = stackHealth(wanted, state(site9, [...rejected, elsewhere]), seen());
    expect(asked.asks).toHaveLength(1);
  });

  it('does not hide what fails for certain beside it', () => {
    const api = service('api');
    const tasks = [...rejected, ...threeTimes('crash', { serviceId: 'id-blog_api' })];
    const both = observed({ services: [live(site9), live(api)], tasks });
    const health = stackHealth(unit({ services: { web: site9, api } }), both, seen());
    expect(health).toMatchObject({
      status: 'failing',
      code: 'crashed',
      why: 'api: 3 tasks failed',
    });
  });
});

describe('an update that the engine gave up', () => {
  const message = (did: string) => `${did} due to failure or early termination of task x`;
  const gaveUp = (
    update: { updateState: string; updateMessage?: string },
    tasks: readonly ObservedTask[],
    known = seen(),
    fresh: readonly string[] = ['a'],
  ) =>
    stackGivenUp(
      unit(),
      observed({ services: [live(plain, update)], tasks, freshTaskIds: new Set(fresh) }),
      known,
    );
  const crashed = end('x', 'crash');

  it.each(['rollback_started', 'rollback_paused'])('is told: %s', (updateState) => {
    const updateMessage = message('update rolled back');
    expect(gaveUp({ updateState, updateMessage }, [crashed, task('a')])).toMatchObject({
      status: 'failing',
      code: 'engine-rolled-back',
      why: 'web: a task crashed, and the engine rolled the update back',
      evidence: 'failed on w1, task: non-zero exit (3)',
    });
  });

  it('is told although the message names no task any more', () => {
    const update = { updateState: 'rollback_completed', updateMessage: 'rollback completed' };
    expect(gaveUp(update, [crashed, task('a')])).toMatchObject({ code: 'engine-rolled-back' });
  });

  it('is told where it was only stopped', () => {
    const update = { updateState: 'paused', updateMessage: message('update paused') };
    expect(gaveUp(update, [crashed, task('a')], seen(), ['x', 'a'])).toMatchObject({
      code: 'crashed',
    });
  });

  it('is left to what the tasks say where an image lacks and the engine only stopped', () => {
    const update = { updateState: 'paused', updateMessage: message('update paused') };
    expect(gaveUp(update, [end('x', 'image'), task('a')], seen(), ['x', 'a'])).toBeUndefined();
  });

  const answered = (
    status: Answer['status'],
    detail: string,
    more: Pick<Answer, 'cause'> = {},
  ): ReturnType<typeof seen> => {
    const answer = { status, detail, inARow: 1, wasGood: false, ...more };
    return seen({ answers: new Map([['image site:1', answer]]) });
  };

  const wentBack = { updateState: 'rollback_completed', updateMessage: 'rollback completed' };

  it.each<[string, ReturnType<typeof seen>, object]>([
    ['is not known before the registry answered', seen(), { status: 'progressing' }],
    ['is a cause outside', answered('open', 'refused'), { status: 'outside' }],
    ['is a failure', answered('bad', 'unknown'), { status: 'failing', code: 'image-missing' }],
    [
      'is another failure where the login is wrong',
      answered('bad', 'unauthorized', { cause: 'denied' }),
      { status: 'failing', code: 'image-denied' },
    ],
  ])('for an image %s', (_what, known, expected) => {
    expect(gaveUp(wentBack, [end('x', 'image'), task('a')], known)).toMatchObject({
      ...expected,
      asks: [{ name: 'image site:1' }],
    });
  });

  it('for an image is over once the registry has it: it is sent again', () => {
    const tasks = [end('x', 'image'), task('a')];
    expect(gaveUp(wentBack, tasks, answered('good', ''))).toBeUndefined();
  });

  it.each<[string, { updateState: string; updateMessage?: string }, ReturnType<typeof seen>]>([
    ['nothing of it is over', { updateState: 'updating' }, seen()],
    ['it went well', { updateState: 'completed' }, seen()],
    [
      'the task is from before the attempt',
      { updateState: 'rollback_started', updateMessage: message('update rolled back') },
      seen({ baseline: new Set(['x']) }),
    ],
    [
      'its node went away meanwhile',
      { updateState: 'rollback_completed' },
      seen({ lost: new Set(['id-w1']) }),
    ],
  ])('is no failure where %s', (_why, update, known) => {
    expect(gaveUp(update, [crashed, task('a')], known)).toBeUndefined();
  });

  it('is no failure of this attempt where the engine did it for a task from before', () => {
    const update = {
      updateState: 'rollback_started',
      updateMessage: 'update rolled back due to failure or early termination of task before',
    };
    const known = seen({ baseline: new Set(['before']) });
    expect(gaveUp(update, [crashed, task('a')], known)).toBeUndefined();
  });

  it('does not take a crash of the old spec for one of the new', () => {
    const old = end('old', 'crash');
    for (const updateState of ['rollback_completed', 'paused']) {
      const update = { updateState, updateMessage: message('update paused') };
      expect(gaveUp(update, [old, task('a')], seen(), ['old', 'a'])).toBeUndefined();
    }
  });
});

it('does not count a crash on a node that is drained now, nor on one that left', () => {
  const tasks = threeTimes('crash');
  for (const [nodes, lost] of [
    [[node('w1', { availability: 'drain' })], new Set(['id-w1'])],
    [[node('w2')], new Set<string>()],
  ] as const) {
    const now = observed({ services: [live(plain)], tasks, nodes });
    expect(stackHealth(unit(), now, seen({ lost })).status).not.toBe('failing');
  }
});

describe('a task that was killed', () => {
  const killed = { state: 'failed', error: 'task: non-zero exit (137)', exitCode: 137 };
  const born = '2026-01-01T00:00:10Z';
  const healthWith = (updatedAt: string, how: Partial<ObservedTask> = killed) => {
    const tasks = ['x', 'y', 'z'].map((id) => task(id, { ...how, createdAt: born }));
    const nodes = [node('w1', { updatedAt })];
    const all = [...tasks, task('now', { state: 'starting' })];
    return stackHealth(unit(), observed({ services: [live(plain)], tasks: all, nodes }), seen());
  };

  it('does not count where its node came back since: it died with it, seen or not', () => {
    expect(healthWith('2026-01-01T00:00:20Z').status).toBe('progressing');
    expect(healthWith('2026-01-01T00:00:05Z')).toMatchObject({ code: 'crashed' });
  });

  it('counts where it failed otherwise: a node is written for other reasons too', () => {
    const crashed = { ...killed, error: 'task: non-zero exit (1)', exitCode: 1 };
    expect(healthWith('2026-01-01T00:00:20Z', crashed).status).toBe('failing');
    const unwell = { ...killed, error: 'task: non-zero exit (137): unhealthy container' };
    expect(healthWith('2026-01-01T00:00:20Z', unwell).status).toBe('failing');
  });
});

it('a task that failed is not the last one while another of any age is to run', () => {
  const tasks = [
    task('x', { ...ended['crash'], desiredState: 'shutdown' }),
    task('y', { state: 'ready', desiredState: 'ready' }),
  ];
  const freshTaskIds = new Set(['x']);
  const now = observed({ services: [live(plain)], tasks, freshTaskIds });
  expect(stackHealth(unit(), now, seen()).status).toBe('progressing');
});

it('what an engine passes on is cut, and shows no control characters', () => {
  const error = `starting container failed: \u001b[31m${'x'.repeat(5_000)}`;
  const tasks = ['x', 'y', 'z'].map((id) => task(id, { state: 'failed', error, exitCode: 1 }));
  const health = stackHealth(unit(), observed({ services: [live(plain)], tasks }), seen());
  const evidence = 'evidence' in health ? health.evidence : '';
  expect(evidence).not.toContain('\u001b');
  expect(evidence.length).toBeLessThan(500);
});

import { describe, expect, it } from 'vitest';

import type { Answer } from '../../../agent/core/kind.ts';
import { judge, newWatch } from '../../../agent/core/watch.ts';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { stackHealth } from '../../../agent/providers/stack/health.ts';
import type { CheckSpec } from '../../../agent/providers/stack/spec.ts';
import type { ObservedTask, SwarmState } from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, health, live, node, observed, seen, service, task, unit } from '../../fakes/stack.ts'; // prettier-ignore

const TIMES = { timeoutMs: 20_000, stableForMs: 5_000 };
const CONTAINER = 'ab'.repeat(32);
const web = service('web', { Mode: { Replicated: { Replicas: 3 } } });
const template = (parts: Partial<ServiceSpec['TaskTemplate']>): ServiceSpec => ({
  ...web,
  TaskTemplate: { ...web.TaskTemplate, ...parts },
});
const checked = template({
  ContainerSpec: { ...web.TaskTemplate.ContainerSpec, Healthcheck: { Test: ['CMD', 'ask'] } },
});
const said = (detail: string, parts: Partial<Answer> = {}): Answer => ({
  status: 'good',
  detail,
  inARow: 1,
  wasGood: true,
  ...parts,
});

interface Case {
  readonly spec?: ServiceSpec;
  readonly task: Partial<ObservedTask>;
  readonly world?: Partial<SwarmState>;
  readonly answers?: Readonly<Record<string, Answer>>;
  readonly checks?: readonly CheckSpec[];
}

/** A task that no node has yet names none. */
function placed(one: ObservedTask): ObservedTask {
  const { nodeId: _node, ...rest } = one;
  return one.state === 'pending' || one.state === 'new' ? rest : one;
}

/** As it is with so many tasks that ended or wait like this, the first of them is `t0`. */
function healthOf({ spec = web, task: parts, world = {}, answers = {}, checks }: Case, count = 1) {
  const tasks = Array.from({ length: count }, (_one, at) =>
    placed(task(`t${String(at)}`, { slot: at + 1, ...parts })),
  );
  // The engine tries again by itself.
  const next = parts.desiredState === 'shutdown' ? [task('next', { state: 'ready', desiredState: 'ready' })] : []; // prettier-ignore
  const state = observed({ services: [live(spec)], tasks: [...tasks, ...next], ...world });
  const wanted = unit({ services: { web: spec }, ...(checks && { health: health(checks) }) });
  const known = seen({ logs: true, answers: new Map(Object.entries(answers)) });
  return stackHealth(wanted, state, known);
}

const stalled = { ...newWatch('to d1', 0), progress: 99 };

/** What the verdict says once nothing got on for long enough, and everything was read. */
function lateVerdict(one: Case): string {
  const { verdict } = judge(stalled, healthOf(one), TIMES, 60_000);
  return typeof verdict === 'string' ? verdict : `${verdict.code}: ${verdict.evidence}`;
}

const crash = { state: 'failed', desiredState: 'shutdown', error: 'task: non-zero exit (3)', exitCode: 3 }; // prettier-ignore
const unhealthy = {
  ...crash,
  error: 'task: non-zero exit (137): dockerexec: unhealthy container',
  exitCode: 137,
  container: CONTAINER,
};
const rejected = (error: string) => ({ state: 'rejected', desiredState: 'shutdown', error });
const pending = (error: string) => ({ state: 'pending', error: `no suitable node (${error})` });
const constrained = template({ Placement: { Constraints: ['node.labels.disk == ssd'] } });
const large = template({ Resources: { Reservations: { MemoryBytes: 100 * 2 ** 30 } } });
const small = [node('w1', { resources: { memoryBytes: 2 ** 30, nanoCpus: 10 ** 9 } })];
const ported: ServiceSpec = {
  ...web,
  EndpointSpec: {
    Ports: [{ Protocol: 'tcp', PublishMode: 'host', PublishedPort: 8080, TargetPort: 80 }],
  },
};
const other = live({ ...ported, Name: 'shop_db' }, { id: 'id-shop' });

/** Each cause as it is when it is certain, and when only the time is over. */
const ENDED: readonly (readonly [string, Case, RegExp])[] = [
  [
    'a program that ends with an error',
    { task: crash, answers: { 'log of t0': said('one\nno database') } },
    /non-zero exit \(3\).*; its last lines: one \| no database$/,
  ],
  [
    'a healthcheck that fails',
    {
      spec: checked,
      task: unhealthy,
      answers: {
        [`check of ${CONTAINER}`]: said('connection refused'),
        'log of t0': said('serving'),
      },
    },
    /unhealthy container.*; its healthcheck said: connection refused; its last lines: serving$/,
  ],
  [
    'an image that does not exist',
    {
      task: rejected('No such image: site:1'),
      answers: { 'image site:1': said('manifest unknown', { status: 'bad' }) },
    },
    /No such image: site:1.*; the registry of site:1: manifest unknown/,
  ],
  [
    'an image that is not for everybody',
    {
      task: rejected('No such image: site:1'),
      answers: { 'image site:1': said('unauthorized', { status: 'bad', cause: 'denied' }) },
    },
    /No such image: site:1.*; the registry of site:1: unauthorized/,
  ],
  [
    'a mount that is missing',
    {
      task: rejected('invalid mount config for type "bind": bind source path does not exist: /no'),
    },
    /the folder `\/no` is not on that node/,
  ],
  [
    'a port that something else has',
    { task: rejected('Bind for 0.0.0.0:80 failed: port is already allocated') },
    /a host port is taken on that node by something that is no service/,
  ],
  [
    'a subnet without an address for the node',
    {
      task: {
        ...rejected('node is missing network attachments, ip addresses may be exhausted'),
        timestamp: '2026-01-01T00:00:31Z',
      },
      world: { networks: [{ ...blogNetwork, subnets: ['10.77.5.0/30'] }] },
    },
    /no address left.*room for 1 addresses/,
  ],
];
const WAITING: readonly (readonly [string, Case, RegExp])[] = [
  [
    'no node that fits',
    {
      spec: constrained,
      task: pending('scheduling constraints not satisfied on 1 node'),
    },
    /`node\.labels\.disk == ssd`: w1 has none$/,
  ],
  [
    'too little memory',
    {
      spec: large,
      task: pending('insufficient resources on 1 node'),
      world: { nodes: small },
    },
    /100 GiB of memory are reserved.*the most that a node has left is 1 GiB \(w1\)$/,
  ],
  [
    'a port of another service',
    {
      spec: ported,
      task: pending('host-mode port already in use on 1 node'),
      world: {
        services: [live(ported), other],
        tasks: [
          placed(task('t0', pending('host-mode port already in use on 1 node'))),
          task('db', { serviceId: other.id }),
        ],
      },
    },
    /the host port 8080\/tcp is taken by shop_db on w1$/,
  ],
  [
    'a network without an address',
    {
      task: { state: 'new' },
      world: { networks: [{ ...blogNetwork, subnets: ['10.77.5.0/30'] }] },
    },
    /has room for 1 addresses, and its services want \d+$/,
  ],
  [
    'a network without a subnet',
    {
      task: { state: 'new' },
      world: { networks: [{ ...blogNetwork, driver: '', subnets: [] }] },
    },
    /could not give the network blog_default a subnet/,
  ],
  [
    'a healthcheck that is not good yet',
    {
      spec: checked,
      task: { state: 'starting', container: CONTAINER },
      answers: {
        [`check of ${CONTAINER}`]: said('HTTP 503'),
        'log of t0': said('migrating'),
      },
    },
    /a task on w1 starts: its healthcheck is not good yet; its healthcheck said: HTTP 503; its last lines: migrating$/,
  ],
  [
    'an image that is still pulled',
    { task: { state: 'preparing' } },
    /web 0\/3; web: a task on w1 is made ready: its image is pulled/,
  ],
  [
    'a task of before that does not end',
    {
      task: { state: 'running' },
      world: {
        tasks: ['t0', 't1', 't2', 'old'].map((id) =>
          task(id, id === 'old' ? { desiredState: 'shutdown' } : {}),
        ),
        freshTaskIds: new Set(['t0', 't1', 't2']),
      },
    },
    /web 3\/3; web: a task of before on w1 has not ended yet$/,
  ],
];

describe('a verdict for want of progress', () => {
  it.each([...ENDED, ...WAITING])('names %s', (_cause, one, words) => {
    expect(lateVerdict(one)).toMatch(/^timeout: /);
    expect(lateVerdict(one)).toMatch(words);
  });

  it.each(ENDED)('has the words of the certain one: %s', (_cause, one, words) => {
    expect(healthOf(one, 3)).toMatchObject({
      status: 'failing',
      evidence: expect.stringMatching(words),
    });
  });

  it('says that tasks do not stay, and why they end', () => {
    const tasks = [task('x', crash), ...['a', 'b', 'c'].map((id) => task(id))];
    const restless = healthOf({
      task: {},
      world: { tasks },
      answers: { 'log of x': said('no database') },
    });
    const before = { ...newWatch('to d1', 0), members: 'other', progress: 1e99 };
    expect(judge(before, restless, TIMES, 60_000).verdict).toMatchObject({
      why: 'no progress for 25 s: its tasks do not stay',
      evidence: 'web 3/3; web: failed on w1, task: non-zero exit (3); its last lines: no database',
    });
  });

  const check: CheckSpec = {
    name: 'front page',
    target: {
      protocol: 'http',
      at: { service: 'web', port: 80 },
      path: '/',
      status: [{ from: 200, to: 299 }],
    },
    intervalMs: 1_000,
    timeoutMs: 1_000,
    failures: 3,
  };

  it('has the lines of what does not answer its check', () => {
    const tasks = ['a', 'b', 'c'].map((id) => task(id));
    const answers = { 'log of a': said('no template') };
    expect(lateVerdict({ task: {}, world: { tasks }, checks: [check], answers })).toBe(
      'timeout: web 3/3; check front page: not answered yet; web: its last lines: no template',
    );
  });
});

describe('what is read for it', () => {
  it('is not asked while the time is not over', () => {
    const now = healthOf({ task: crash });
    const early = judge(newWatch('to d1', 0), now, TIMES, 19_999);
    expect([now.asks, early.asks, early.verdict]).toEqual([undefined, undefined, 'open']);
    const due = judge(newWatch('to d1', 0), now, TIMES, 20_000);
    expect(due.asks?.map(({ name }) => name)).toEqual(['log of t0']);
    expect(due.verdict).toBe('open');
  });

  it('is of one service, one that failed first', () => {
    const [api, db] = [service('api'), service('db')];
    const tasks = [
      task('starts', { serviceId: 'id-blog_api', state: 'starting' }),
      task('crashed', { serviceId: 'id-blog_db', ...crash }),
      task('again', { serviceId: 'id-blog_db', state: 'starting' }),
    ];
    const state = observed({ services: [live(api), live(db)], tasks });
    const now = stackHealth(unit({ services: { api, db } }), state, seen({ logs: true }));
    expect(now).toMatchObject({ late: { asks: [{ name: 'log of crashed' }], reading: true } });
  });

  it('is nothing of a spec that is not there any more, whose secrets nobody knows', () => {
    const tasks = [task('x', crash), task('y', { state: 'preparing' })];
    const now = healthOf({ task: {}, world: { tasks, freshTaskIds: new Set(['y']) } });
    expect(now).toMatchObject({
      late: { evidence: expect.stringContaining('non-zero exit (3)'), asks: [] },
    });
    expect(now).not.toHaveProperty('late.reading');
  });

  it('hides values from encrypted files, of the task and of its healthcheck', () => {
    const sealed = template({
      ContainerSpec: {
        ...web.TaskTemplate.ContainerSpec,
        Env: ['HARMLESS=canary-77'],
        Healthcheck: { Test: ['CMD', 'ask'] },
      },
    });
    const tasks = [task('x', { state: 'starting', container: CONTAINER })];
    const answers = new Map([
      ['log of x', said('dsn canary-77')],
      [`check of ${CONTAINER}`, said('asked canary-77')],
    ]);
    const wanted = unit({ services: { web: sealed }, hidden: { web: ['HARMLESS'] } });
    const state = observed({ services: [live(sealed)], tasks });
    const now = stackHealth(wanted, state, seen({ logs: true, answers }));
    expect(JSON.stringify(now)).not.toContain('canary');
    expect(now).toMatchObject({
      late: {
        evidence: expect.stringMatching(/asked \[secret\]; its last lines: dsn \[secret\]$/),
      },
    });
  });

  it('is nothing where nobody judges', () => {
    const tasks = [task('t0', crash)];
    const state = observed({ services: [live(web)], tasks });
    const wanted = unit({ services: { web } });
    expect(stackHealth(wanted, state, seen({ judged: false }))).not.toHaveProperty('late');
  });
});

describe('a node that lacks an image', () => {
  const lacks = { task: rejected('No such image: site:1') };

  it('is reason to ask the registry at once', () => {
    expect(healthOf(lacks)).toMatchObject({
      status: 'progressing',
      asks: [{ question: { ask: 'image', image: 'site:1' } }],
    });
  });

  it('is nobody’s failure while the registry is out of order', () => {
    const answers = { 'image site:1': said('HTTP status 503', { status: 'open' }) };
    expect(healthOf({ ...lacks, answers })).toMatchObject({
      status: 'outside',
      why: 'the registry of site:1 is out of order: HTTP status 503',
      asks: [{ name: 'image site:1' }],
    });
  });
});

import { describe, expect, it } from 'vitest';

import type { Answer, Asked } from '../../../agent/core/kind.ts';
import { stackHealth } from '../../../agent/providers/stack/health.ts';
import type { CheckSpec } from '../../../agent/providers/stack/spec.ts';
import type { ObservedNode, ObservedTask } from '../../../agent/providers/stack/swarm.ts';
import { health, live, node, observed, seen, service, task, unit } from '../../fakes/stack.ts';

const pace = { intervalMs: 5_000, timeoutMs: 3_000, failures: 3 };
const page: CheckSpec = {
  name: 'front page',
  target: {
    protocol: 'http',
    at: { service: 'web', port: 8080 },
    path: '/ping',
    host: 'blog.example.org',
    status: [{ from: 200, to: 399 }],
    contains: 'pong',
  },
  ...pace,
};
const port: CheckSpec = {
  name: 'port',
  target: { protocol: 'tcp', at: { service: 'web', port: 8080 } },
  ...pace,
};
const outside: CheckSpec = {
  name: 'from outside',
  target: { protocol: 'http', url: 'https://blog.example.org/', status: [{ from: 200, to: 200 }] },
  ...pace,
};

const two = (mode: 'host' | 'ingress', replicas = 2) =>
  service('web', {
    Mode: { Replicated: { Replicas: replicas } },
    EndpointSpec: {
      Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: mode }],
    },
  });
const nodes: readonly ObservedNode[] = [
  node('w1', { address: '10.0.0.1' }),
  node('w2', { address: '10.0.0.2' }),
  node('m2', { role: 'manager', address: '10.0.0.12' }),
  node('m1', { role: 'manager', address: '10.0.0.11' }),
];
const tasks: readonly ObservedTask[] = [task('a'), task('b', { nodeId: 'id-w2' })];

interface Scene {
  readonly checks: readonly CheckSpec[];
  readonly mode?: 'host' | 'ingress';
  readonly tasks?: readonly ObservedTask[];
  readonly nodes?: readonly ObservedNode[];
  readonly digest?: string;
}

function scene(parts: Scene) {
  const running = parts.tasks ?? tasks;
  const web = two(parts.mode ?? 'ingress', running.length);
  const wanted = unit({ services: { web }, health: health(parts.checks) }, parts.digest);
  const now = observed({ services: [live(web)], tasks: running, nodes: parts.nodes ?? nodes });
  return (answers: ReadonlyMap<string, Answer> = new Map(), judged = true) =>
    stackHealth(wanted, now, seen({ answers, judged }));
}
const asksOf = (parts: Scene): readonly Asked[] => scene(parts)().asks ?? [];
const answer = (parts: Partial<Answer> = {}): Answer => ({
  status: 'good',
  detail: 'HTTP status 200',
  inARow: 1,
  wasGood: parts.status === undefined || parts.status === 'good',
  ...parts,
});
const answering = (parts: Scene, answers: readonly (Answer | undefined)[]) => {
  const known = asksOf(parts).flatMap(({ name }, at): [string, Answer][] => {
    const given = answers[at];
    return given === undefined ? [] : [[name, given]];
  });
  return scene(parts)(new Map(known));
};

describe('a check', () => {
  it('is asked of a manager where every node answers', () => {
    expect(asksOf({ checks: [page] })).toEqual([
      {
        name: expect.stringMatching(/^stack\/blog check front page on m1 [0-9a-f]{8}$/),
        question: {
          ask: 'http',
          url: 'http://10.0.0.11:8080/ping',
          host: 'blog.example.org',
          status: [{ from: 200, to: 399 }],
          contains: 'pong',
          everyMs: 5_000,
          timeoutMs: 3_000,
          nodes: ['10.0.0.11'],
        },
      },
    ]);
  });

  it.each<[string, readonly ObservedNode[], string]>([
    [
      'the next manager where the first is away',
      [node('m1', { role: 'manager', state: 'down' }), node('m2', { role: 'manager' })],
      'm2',
    ],
    [
      'a worker where the managers are drained',
      [node('m1', { role: 'manager', availability: 'drain' }), node('w3')],
      'w3',
    ],
    [
      'one whose address is known',
      [node('m1', { role: 'manager', address: '0.0.0.0' }), node('w3')],
      'w3',
    ],
    [
      'one whose address others can use',
      [node('m1', { role: 'manager', address: '127.0.0.1' }), node('w3')],
      'w3',
    ],
  ])('is asked of %s', (_which, there, host) => {
    const here = there.find(({ hostname }) => hostname === host);
    const running = [task('a', { nodeId: here?.id ?? '' })];
    const [asked] = asksOf({ checks: [port], tasks: running, nodes: there });
    expect(asked?.name).toContain(`check port on ${host} `);
  });

  it('is asked of the nodes that run it where only they answer, of three at most', () => {
    const five = ['w1', 'w2', 'w3', 'w4', 'w5'].map((name, at) =>
      node(name, { address: `10.0.0.${String(at + 1)}` }),
    );
    const hosts = (running: readonly ObservedTask[]) =>
      asksOf({ checks: [port], mode: 'host', tasks: running, nodes: five }).map(
        ({ question }) => question.ask === 'tcp' && question.host,
      );
    expect(hosts(tasks)).toEqual(['10.0.0.1', '10.0.0.2']);
    expect(hosts([task('a'), task('b')])).toEqual(['10.0.0.1']);
    expect(hosts(five.map(({ id }) => task(`on ${id}`, { nodeId: id })))).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '10.0.0.3',
    ]);
  });

  it.each([
    ['fd00::7', 'http://[fd00::7]:8080/ping'],
    ['[fd00::7]', 'http://[fd00::7]:8080/ping'],
  ])('is asked at an IPv6 address in brackets: %s', (address, url) => {
    const one = [task('a')];
    const there = [node('w1', { address })];
    const [http, tcp] = asksOf({ checks: [page, port], tasks: one, nodes: there });
    expect(http?.question).toMatchObject({ url, nodes: ['fd00::7'] });
    expect(tcp?.question).toMatchObject({ host: 'fd00::7', port: 8080 });
  });

  it('is asked at its own address where it has one', () => {
    expect(asksOf({ checks: [outside] })).toMatchObject([
      { question: { ask: 'http', url: 'https://blog.example.org/' } },
    ]);
  });

  it('says so where no node has an address', () => {
    const there = [node('w1', { address: '' }), node('w2', { address: '0.0.0.0' })];
    for (const mode of ['host', 'ingress'] as const) {
      expect(scene({ checks: [port], mode, nodes: there })()).toMatchObject({
        status: 'progressing',
        summary: 'web 2/2; check port: no node to ask has a known address',
      });
    }
  });

  it('is asked of a single node that knows itself by the loopback only', () => {
    const alone = [node('w1', { role: 'manager', address: '127.0.0.1' })];
    expect(asksOf({ checks: [port], tasks: [task('a')], nodes: alone })).toHaveLength(1);
  });

  it('is another question when other tasks run or the unit changes, and no other by a new node', () => {
    const name = (parts: Partial<Scene>) => asksOf({ checks: [page], ...parts })[0]?.name;
    const first = name({});
    expect(name({})).toBe(first);
    expect(name({ nodes: [...nodes, node('w9')] })).toBe(first);
    expect(name({ tasks: [task('a'), task('c', { nodeId: 'id-w2' })] })).not.toBe(first);
    expect(name({ digest: 'd2' })).not.toBe(first);
  });

  it('is not asked before all tasks run, of what stands at 0, or where no verdict is due', () => {
    const web = two('ingress', 3);
    const wanted = unit({ services: { web }, health: health([page]) });
    const some = observed({ services: [live(web)], tasks, nodes });
    expect(stackHealth(wanted, some, seen()).asks).toBeUndefined();
    expect(scene({ checks: [page], tasks: [] })()).toMatchObject({
      status: 'converged',
      asks: [],
    });
    const resting = scene({ checks: [page] })(new Map(), false);
    expect(resting).toEqual({ status: 'converged', members: 'a b', summary: 'web 2/2' });
  });
});

describe('a stack with checks', () => {
  const both = { checks: [page, port] };

  it('is well when all are', () => {
    expect(answering(both, [answer(), answer()])).toMatchObject({
      status: 'converged',
      members: 'a b',
      asks: [{}, {}],
    });
  });

  it('is not well while one is not, and gets on with each that is', () => {
    const bad = answer({ status: 'bad', detail: 'HTTP status 500', inARow: 50 });
    expect(answering(both, [bad, undefined])).toMatchObject({
      status: 'progressing',
      progress: 2,
      summary: 'web 2/2; check front page: HTTP status 500; check port: not answered yet',
    });
    expect(answering(both, [bad, answer()])).toMatchObject({ progress: 3 });
  });

  it('fails for certain when one that was good is bad again and again', () => {
    const bad = (inARow: number) =>
      answer({ status: 'bad', detail: 'HTTP status 500', inARow, wasGood: true });
    expect(answering(both, [bad(2), answer()]).status).toBe('progressing');
    expect(answering(both, [bad(3), answer()])).toMatchObject({
      status: 'failing',
      code: 'probe-failed',
      why: 'check front page: HTTP status 500',
      evidence: 'http://10.0.0.11:8080/ping: HTTP status 500, 3 times in a row after it was good',
    });
  });

  it('names the node where it is asked of several', () => {
    const refused = answer({
      status: 'bad',
      detail: 'connection refused',
      inARow: 3,
      wasGood: true,
    });
    expect(answering({ checks: [port], mode: 'host' }, [answer(), refused])).toMatchObject({
      why: 'check port on w2: connection refused',
      evidence: expect.stringContaining('10.0.0.2 port 8080'),
    });
  });

  it('takes an open answer for none', () => {
    const open = answer({ status: 'open', detail: 'the name cannot be resolved', inARow: 9 });
    expect(answering({ checks: [outside] }, [open])).toMatchObject({
      status: 'progressing',
      progress: 2,
      summary: 'web 2/2; check from outside: the name cannot be resolved',
    });
  });
});

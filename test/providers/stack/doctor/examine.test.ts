import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import type { Finding } from '../../../../agent/core/finding.ts';
import { addressUse } from '../../../../agent/providers/stack/doctor/addresses.ts';
import { examine } from '../../../../agent/providers/stack/doctor/examine.ts';
import type {
  Inspection,
  SwarmNetwork,
  SwarmNode,
  SwarmService,
  SwarmTask,
} from '../../../../agent/providers/stack/doctor/inspection.ts';
import { inspectionOf } from './answers.ts';

const healthy = await inspectionOf('healthy');
const sick = await inspectionOf('sick');
const lost = await inspectionOf('lost');

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const now = Date.parse('2026-11-30T08:00:00Z');
const found = (inspection: Inspection, nowMs = now): readonly Finding[] =>
  examine(inspection, { nowMs, stuckMs: 5 * MINUTE });
const codes = (inspection: Inspection, nowMs = now): readonly string[] =>
  found(inspection, nowMs).map(({ severity, code }) => `${severity} ${code}`);
const one = (inspection: Inspection, code: string, where: string): Finding | undefined =>
  found(inspection).find((finding) => finding.code === code && finding.where === where);

const network = (parts: Partial<SwarmNetwork>): SwarmNetwork => ({
  id: 'n'.repeat(25),
  name: 'blog_default',
  scope: 'swarm',
  driver: 'overlay',
  isIngress: false,
  createdMs: now - DAY,
  subnets: ['10.0.9.0/24'],
  stack: '',
  containers: 0,
  ...parts,
});
const service = (parts: Partial<SwarmService>): SwarmService => ({
  id: 's1',
  name: 'blog_web',
  mode: 'replicated',
  replicas: 1,
  networks: ['n'.repeat(25)],
  hasVip: true,
  publishes: false,
  vips: [{ networkId: 'n'.repeat(25), address: '10.0.9.2/24' }],
  createdMs: now - DAY,
  ...parts,
});
const task = (parts: Partial<SwarmTask>): SwarmTask => ({
  id: 't1',
  serviceId: 's1',
  nodeId: healthy.nodes[0]?.id ?? '',
  state: 'running',
  desiredState: 'running',
  error: '',
  createdMs: now - DAY,
  addresses: [{ networkId: 'n'.repeat(25), address: '10.0.9.3/24' }],
  ...parts,
});
const nodes = (change: (node: SwarmNode, at: number) => Partial<SwarmNode>): Inspection => ({
  ...healthy,
  nodes: healthy.nodes.map((node, at) => ({ ...node, ...change(node, at) })),
});
const withNetwork = (parts: Partial<SwarmNetwork>, more: Partial<Inspection> = {}): Inspection => ({
  ...healthy,
  ...more,
  networks: [...healthy.networks, network(parts)],
});
const settings = (parts: Partial<Inspection['settings']>): Inspection => ({
  ...healthy,
  settings: { ...healthy.settings, ...parts },
});
const raft = (parts: Partial<Inspection['settings']['raft']>): Inspection =>
  settings({ raft: { ...healthy.settings.raft, ...parts } });

describe('a healthy Swarm', () => {
  it('has nothing to do', () => {
    expect(found(healthy)).toEqual([]);
  });

  it('has nothing to do with a service that runs', () => {
    const running = { services: [service({})], tasks: [task({})] };
    expect(found(withNetwork({}, running))).toEqual([]);
  });
});

describe('networks', () => {
  it('warns of one that nobody uses, and notes one that is young', () => {
    expect(codes(sick)).toContain('warning network-unused');
    expect(one(sick, 'network-unused', 'network orphan')).toMatchObject({
      command: expect.stringMatching(/^docker network rm [0-9a-z]{25}$/),
    });
    expect(codes(withNetwork({ createdMs: now - MINUTE }))).toEqual(['note network-unused']);
  });

  it.each<[string, Inspection]>([
    ['with a container of this engine', withNetwork({ containers: 1 })],
    ['with a service', withNetwork({}, { services: [service({ replicas: 0 })] })],
    ['with a task of a service that is gone', withNetwork({}, { tasks: [task({})] })],
  ])('does not call one %s unused', (_what, inspection) => {
    expect(codes(inspection)).toEqual([]);
  });

  it('never calls the ingress network or one of an engine unused', () => {
    const own = network({ scope: 'local', id: 'a'.repeat(64) });
    expect(codes({ ...healthy, networks: [...healthy.networks, own] })).toEqual([]);
  });

  it('says which stack an unused one was of', () => {
    const [finding] = found(withNetwork({ stack: 'blog' }));
    expect(finding?.what).toContain('the stack blog');
  });

  it('is critical of one without a subnet once a service uses it', () => {
    expect(one(sick, 'network-without-subnet', 'network over1')?.severity).toBe('warning');
    const used = withNetwork({ driver: '', subnets: [] }, { services: [service({ replicas: 0 })] });
    expect(codes(used)).toEqual(['critical network-without-subnet']);
  });

  it.each<[string, Partial<Inspection>]>([
    ['a service', { services: [service({ replicas: 0 })] }],
    ['a task', { tasks: [task({})] }],
  ])('is critical of one that %s uses and that is gone', (_what, more) => {
    expect(codes({ ...healthy, ...more })).toEqual(['critical network-missing']);
  });
});

describe('subnets', () => {
  it('counts VIPs, tasks and the load balancer of each node with such a task', () => {
    const tiny = sick.networks.find(({ name }) => name === 'tiny');
    // One task runs; the VIPs of t1, v2 and v4 were given away; t1 wants 3 tasks, v2 to v5 one each.
    expect(tiny && addressUse(tiny, sick)).toEqual({
      used: 5,
      wanted: 5 + 7 + 4,
      services: 3,
      tasks: 1,
      balancers: 1,
    });
    expect(one(sick, 'subnet-full', 'network tiny')).toMatchObject({
      severity: 'critical',
      what: '5 of 5 addresses of 10.77.5.0/29 are used, 16 are wanted',
    });
  });

  it.each`
    what                                      | subnet           | replicas | hasVip   | expected
    ${'3 of 13 addresses'}                    | ${'10.0.9.0/28'} | ${1}     | ${true}  | ${[]}
    ${'10 of 13'}                             | ${'10.0.9.0/28'} | ${5}     | ${true}  | ${[]}
    ${'11 of 13: more than four fifths'}      | ${'10.0.9.0/28'} | ${6}     | ${true}  | ${['warning subnet-nearly-full']}
    ${'10 of 13 without a VIP'}               | ${'10.0.9.0/28'} | ${6}     | ${false} | ${[]}
    ${'13 of 13'}                             | ${'10.0.9.0/28'} | ${8}     | ${true}  | ${['warning subnet-nearly-full']}
    ${'14 of 13'}                             | ${'10.0.9.0/28'} | ${9}     | ${true}  | ${['critical subnet-full']}
    ${'a subnet of IPv6 that is not counted'} | ${'fd00::/64'}   | ${9}     | ${true}  | ${[]}
  `('says $expected for $what', ({ subnet, replicas, hasVip, expected }) => {
    const services = [service({ replicas, hasVip })];
    expect(codes(withNetwork({ subnets: [subnet] }, { services, tasks: [task({})] }))).toEqual(
      expected,
    );
  });

  it('counts one load balancer for each node in the ingress network', () => {
    const ingress = healthy.networks.find(({ isIngress }) => isIngress);
    expect(ingress && addressUse(ingress, healthy)).toMatchObject({ used: 4, wanted: 4 });
  });

  it.each`
    what                              | cidr                | expected
    ${'a bridge of the engine'}       | ${'172.18.5.0/24'}  | ${'172.18.0.0/16 of the network docker_gwbridge on node m1'}
    ${'another network of the Swarm'} | ${'10.0.0.128/25'}  | ${'10.0.0.0/24 overlaps 10.0.0.128/25'}
    ${'the addresses of nodes'}       | ${'10.213.91.0/28'} | ${'m3 (10.213.91.13)'}
  `('finds an overlap with $what', ({ cidr, expected }) => {
    const finding = found(withNetwork({ subnets: [cidr] })).find(
      ({ code }) => code === 'subnet-overlap',
    );
    expect(finding).toMatchObject({ severity: 'warning' });
    const all = found(withNetwork({ subnets: [cidr] })).map(({ what }) => what);
    expect(all.join('\n')).toContain(expected);
  });

  it('is critical of an overlap once a service is in it', () => {
    const services = [service({ replicas: 0 })];
    const inspection = withNetwork({ subnets: ['172.18.5.0/24'] }, { services });
    expect(codes(inspection)).toEqual(['critical subnet-overlap']);
  });

  it('warns of an address pool whose next subnets are those of the nodes', () => {
    expect(codes(settings({ addressPools: ['10.213.0.0/16'] }))).toEqual([
      'warning pool-over-nodes',
    ]);
    expect(codes(settings({ addressPools: ['10.0.0.0/8'] }))).toEqual([]);
  });
});

describe('managers and nodes', () => {
  it('is critical where one more may not be lost', () => {
    expect(found(lost)[0]).toMatchObject({
      severity: 'critical',
      code: 'quorum-margin',
      what: '2 of 3 managers are reachable, 2 are needed: the loss of one more stops the Swarm',
      why: expect.stringContaining('m3'),
    });
  });

  const managers = (count: number, away: number): Inspection => {
    const [model] = healthy.nodes.filter(({ role }) => role === 'manager');
    if (model === undefined) throw new Error('no manager');
    const all = Array.from({ length: count }, (_, at) => ({
      ...model,
      id: `m${String(at)}`,
      name: `m${String(at)}`,
      address: `192.168.1.${String(at + 1)}`,
      reachability: at < away ? 'unreachable' : 'reachable',
    }));
    return { ...healthy, nodes: all };
  };
  it.each`
    count | away | expected
    ${1}  | ${0} | ${['warning managers-few']}
    ${2}  | ${0} | ${['warning managers-even']}
    ${3}  | ${0} | ${[]}
    ${3}  | ${1} | ${['critical quorum-margin']}
    ${4}  | ${0} | ${['warning managers-even']}
    ${5}  | ${0} | ${[]}
    ${5}  | ${1} | ${['warning quorum-margin']}
    ${5}  | ${2} | ${['critical quorum-margin']}
    ${9}  | ${0} | ${['note managers-many']}
  `('says $expected of $count managers with $away away', ({ count, away, expected }) => {
    expect(codes(managers(count, away))).toEqual(expected);
  });

  it('names a node that is down, drained or paused', () => {
    expect(one(lost, 'node-down', 'node m3')).toMatchObject({
      severity: 'warning',
      what: 'it is down (heartbeat failure) for 15 min',
    });
    const drained = nodes(({ role }) => (role === 'worker' ? { availability: 'drain' } : {}));
    expect(found(drained)).toMatchObject([
      { severity: 'note', code: 'node-not-active', where: 'node w1' },
    ]);
  });

  it('warns of engines of different versions and says which', () => {
    const mixed = nodes(({ role }) => (role === 'worker' ? { engineVersion: '26.1.5' } : {}));
    expect(found(mixed)).toMatchObject([
      { code: 'engine-versions', what: expect.stringContaining('26.1.5 on w1') },
    ]);
  });
});

describe('certificates and settings', () => {
  const root = Date.parse('2046-11-25T07:35:00Z');
  it.each`
    what                 | nowMs              | expected
    ${'in twenty years'} | ${now}             | ${[]}
    ${'in three months'} | ${root - 80 * DAY} | ${['warning root-certificate']}
    ${'in a week'}       | ${root - 7 * DAY}  | ${['critical root-certificate']}
    ${'last week'}       | ${root + 7 * DAY}  | ${['critical root-certificate']}
  `('says $expected where the authority ends $what', ({ nowMs, expected }) => {
    expect(codes(healthy, nowMs)).toEqual(expected);
  });

  it.each<[string, Inspection, string]>([
    ['a rotation that is under way', settings({ rootRotates: true }), 'warning root-rotation'],
    [
      'a node of another authority',
      nodes((_node, at) => (at === 0 ? { trustRoot: 'another' } : {})),
      'warning root-differs',
    ],
    ['short certificates', settings({ certificateMs: DAY }), 'warning certificates-short'],
    ['rare snapshots', raft({ snapshotInterval: 1_000_000 }), 'warning raft-settings'],
    ['many old snapshots', raft({ keepOldSnapshots: 50 }), 'warning raft-settings'],
    ['no entries for slow managers', raft({ slowFollowerEntries: 1 }), 'warning raft-settings'],
    ['elections at once', raft({ electionTick: 2 }), 'warning raft-settings'],
    ['rare heartbeats', settings({ heartbeatMs: 60_000 }), 'warning raft-settings'],
    ['endless history', settings({ historyLimit: -1 }), 'warning task-history'],
    ['long history', settings({ historyLimit: 100 }), 'warning task-history'],
    [
      'more ended tasks than there should be',
      { ...healthy, tasks: Array.from({ length: 101 }, () => task({ state: 'complete' })) },
      'note task-history',
    ],
  ])('tells of %s', (_what, inspection, expected) => {
    expect(codes(inspection)).toEqual([expected]);
  });

  it('names the nodes that a rotation waits for', () => {
    const [finding] = found({
      ...nodes(({ name }) => (name === 'm2' ? { trustRoot: 'old' } : {})),
      settings: { ...healthy.settings, rootRotates: true },
    });
    expect(finding?.why).toContain('these do not: m2');
  });
});

describe('tasks and services', () => {
  const running = task({ id: 'runs' });
  const state = (parts: Partial<SwarmTask>): Inspection =>
    withNetwork({}, { services: [service({ replicas: 2 })], tasks: [running, task(parts)] });

  it.each`
    state          | ageMs          | expected
    ${'new'}       | ${6 * MINUTE}  | ${['critical task-stuck']}
    ${'pending'}   | ${6 * MINUTE}  | ${['warning task-stuck']}
    ${'assigned'}  | ${6 * MINUTE}  | ${['warning task-stuck']}
    ${'preparing'} | ${6 * MINUTE}  | ${['warning task-stuck']}
    ${'pending'}   | ${4 * MINUTE}  | ${[]}
    ${'starting'}  | ${60 * MINUTE} | ${[]}
  `('says $expected of a task in $state for $ageMs ms', ({ state: name, ageMs, expected }) => {
    expect(codes(state({ state: name, createdMs: now - ageMs }))).toEqual(expected);
  });

  it('leaves out what shall not run any more', () => {
    expect(codes(state({ state: 'pending', desiredState: 'shutdown' }))).toEqual([]);
  });

  it('counts the tasks of a service together and quotes what the engine says', () => {
    expect(one(sick, 'task-stuck', 'service t1')).toMatchObject({
      what: expect.stringMatching(/^2 tasks are in `new`/),
    });
    expect(one(sick, 'task-stuck', 'service big')?.why).toContain('insufficient resources');
  });

  it('warns of a service of which nothing runs, with the last error', () => {
    expect(one(sick, 'service-without-task', 'service mnt')).toMatchObject({
      severity: 'warning',
      why: expect.stringContaining('bind source path does not exist: /no/such/dir'),
    });
    expect(one(sick, 'service-without-task', 'service hp')).toBeUndefined();
  });

  it('does not count a task on a node that is away', () => {
    expect(one(lost, 'service-without-task', 'service t1')).toBeDefined();
  });

  it.each<[string, Partial<SwarmService>]>([
    ['that shall not run', { replicas: 0 }],
    ['that is a job', { mode: 'job' }],
    ['that was made just now', { createdMs: now - MINUTE }],
  ])('does not miss the tasks of a service %s', (_what, parts) => {
    expect(codes(withNetwork({}, { services: [service(parts)] }))).toEqual([]);
  });

  it('shows no control character of an error', () => {
    const tasks = [task({ state: 'failed', error: 'bad \u001b[31mred\u0007' })];
    const [finding] = found(withNetwork({}, { services: [service({})], tasks }));
    expect(finding?.why).toContain('bad \\x1b[31mred\\x07');
  });
});

describe('docs/doctor.md', () => {
  it('has a line for each code that the sources have, and no other', () => {
    const source = ['stack', 'mysql', 'ceph']
      .map((provider) => `../../../../agent/providers/${provider}/doctor/`)
      .map((path) => fileURLToPath(new URL(path, import.meta.url)))
      .flatMap((folder) => readdirSync(folder).map((file) => join(folder, file)))
      .map((file) => readFileSync(file, 'utf8'))
      .join('\n');
    // Every code is written as a text of its own, also where one of two is chosen.
    const written = [...source.matchAll(/code: (.*),$/gm)].flatMap(([, text = '']) =>
      [...text.matchAll(/'([a-z-]+)'/g)].map(([, code]) => code),
    );
    const page = readFileSync(new URL('../../../../docs/doctor.md', import.meta.url), 'utf8');
    const shown = [...page.matchAll(/^\| `([a-z-]+)`/gm)].map(([, code]) => code);
    expect(written.length).toBeGreaterThan(20);
    expect(new Set(shown)).toEqual(new Set(written));
  });
});

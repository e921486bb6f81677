import { describe, expect, it } from 'vitest';

import type { ServiceSpec } from '../../../../agent/providers/stack/engine-api.ts';
import { placementTrouble } from '../../../../agent/providers/stack/explain/placement.ts';
import { live, node, observed, service, task } from '../../../fakes/stack.ts';

const GIB = 2 ** 30;
const CPU = 1_000_000_000;
const has = (gib: number, cpus: number) => ({
  resources: { memoryBytes: gib * GIB, nanoCpus: cpus * CPU },
});
const m1 = node('m1', { role: 'manager', ...has(4, 2) });
const w1 = node('w1', { ...has(8, 1), labels: { disk: 'hdd' } });
const w2 = node('w2', { state: 'down' });
const w3 = node('w3', { availability: 'drain' });
const nodes = [m1, w1, w2, w3];

const wanting = (
  template: Partial<ServiceSpec['TaskTemplate']>,
  parts: Partial<ServiceSpec> = {},
) => {
  const web = service('web', parts);
  return { ...web, TaskTemplate: { ...web.TaskTemplate, ...template } };
};
const constrained = (...Constraints: string[]) => wanting({ Placement: { Constraints } });
const reserving = (gib: number, cpus: number) =>
  wanting({ Resources: { Reservations: { MemoryBytes: gib * GIB, NanoCPUs: cpus * CPU } } });
const atPort = (name: string, PublishedPort = 8080) =>
  service(name, {
    EndpointSpec: { Ports: [{ PublishedPort, Protocol: 'tcp', PublishMode: 'host' }] },
  });

describe('why no node gets a task', () => {
  const world = observed({ nodes });
  it.each<[string, ServiceSpec, string]>([
    [
      'scheduling constraints not satisfied on 2 nodes',
      constrained('node.labels.disk == ssd'),
      '`node.labels.disk == ssd`: m1 has none, w1 has `hdd`',
    ],
    [
      'scheduling constraints not satisfied on 2 nodes',
      constrained('node.role == manager', 'node.hostname != m1'),
      '`node.hostname != m1`: m1 has `m1`; `node.role == manager`: w1 has `worker`',
    ],
    [
      'scheduling constraints not satisfied on 2 nodes',
      constrained('node.color == red'),
      '`node.color == red`: there is no such attribute',
    ],
    [
      'insufficient resources on 2 nodes',
      reserving(100, 0),
      '100 GiB of memory are reserved for a task, and the most that a node has left is 8 GiB (w1)',
    ],
    [
      'insufficient resources on 2 nodes',
      reserving(0, 3.5),
      '3.5 CPUs are reserved for a task, and the most that a node has left is 2 CPUs (m1)',
    ],
    [
      'insufficient resources on 2 nodes',
      reserving(6, 2),
      'no node that fits otherwise has 6 GiB of memory and 2 CPUs left at once',
    ],
    ['2 nodes not available for new tasks', service('web'), 'w2 is down; w3 is drained'],
    [
      'unsupported platform on 2 nodes',
      wanting({ Placement: { Platforms: [{ OS: 'linux', Architecture: 'aarch64' }] } }),
      'the image is for linux/arm64, the nodes are linux/amd64',
    ],
    [
      'max replicas per node limit exceed',
      wanting({ Placement: { MaxReplicas: 1 } }),
      '`max_replicas_per_node` is 1, and every node that fits has as many',
    ],
  ])('names the nodes of: %s', (said, spec, expected) => {
    const error = `no suitable node (${said})`;
    expect(placementTrouble(error, spec, world)).toBe(`${error}: ${expected}`);
  });

  it('explains only what the scheduler names', () => {
    const spec = { ...reserving(100, 0) };
    const error = 'no suitable node (2 nodes not available for new tasks)';
    expect(placementTrouble(error, spec, world)).toBe(`${error}: w2 is down; w3 is drained`);
  });

  it('counts what the tasks of others reserve, and not what has ended', () => {
    const db = { ...reserving(6, 0), Name: 'blog_db' };
    const on = (id: string, state: string) =>
      task(id, { serviceId: live(db).id, nodeId: w1.id, state });
    const large = [m1, node('w1', has(12, 1))];
    const now = observed({
      nodes: large,
      services: [live(db)],
      tasks: [on('runs', 'running'), on('ended', 'failed')],
    });
    const error = 'no suitable node (insufficient resources on 2 nodes)';
    expect(placementTrouble(error, reserving(7, 0), now)).toContain('6 GiB (w1)');
  });

  it('says who has a host port, on which nodes', () => {
    const others = [live(atPort('db')), live(atPort('far', 9090))];
    const tasks = others.map(({ id }, at) =>
      task(`t${String(at)}`, { serviceId: id, nodeId: w1.id }),
    );
    const now = observed({ nodes, services: [live(atPort('web')), ...others], tasks });
    const error = 'no suitable node (host-mode port already in use on 1 node)';
    expect(placementTrouble(error, atPort('web'), now)).toBe(
      `${error}: the host port 8080/tcp is taken by blog_db on w1`,
    );
  });

  it('says so where it has the port itself', () => {
    const web = live(atPort('web'));
    const now = observed({
      nodes,
      services: [web],
      tasks: [task('a', { serviceId: web.id, nodeId: w1.id })],
    });
    const error = 'no suitable node (host-mode port already in use on 1 node)';
    expect(placementTrouble(error, atPort('web'), now)).toContain('its own tasks on w1');
  });

  it('passes other words on, made visible', () => {
    expect(placementTrouble('odd \u001b[2J', service('web'), world)).toBe('odd \\x1b[2J');
  });
});

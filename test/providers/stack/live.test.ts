import { describe, expect, it } from 'vitest';

import { stackLive } from '../../../agent/providers/stack/live.ts';
import { stackRelease } from '../../../agent/providers/stack/release.ts';
import { live, node, observed, service, task, unit } from '../../fakes/stack.ts';

const web = service('web', { Mode: { Replicated: { Replicas: 2 } } });
const db = service('db');
const running = { state: 'running', desiredState: 'running', nodeId: 'w1' };
const nodes = [node('w1', { id: 'w1' })];

function world(
  services = [live(web)],
  tasks = [task('1', { ...running, serviceId: live(web).id })],
) {
  return observed({ services, tasks, nodes });
}

function releaseOf(services: Parameters<typeof unit>[0]) {
  const wanted = unit(services);
  const all = Object.values(wanted.spec.services).map((spec) => live(spec));
  const content = stackRelease(wanted, observed({ services: all, nodes }), 'wanted');
  return { digest: 'd1', revision: 'v1', at: '', content };
}

describe('what runs of a stack', () => {
  it('is all of its release, and nothing is missing', () => {
    const second = task('2', { ...running, serviceId: live(web).id, slot: 2 });
    const first = task('1', { ...running, serviceId: live(web).id });
    const all = world([live(web)], [first, second]);
    expect(stackLive('stack/blog', releaseOf({ services: { web } }), all)).toMatchObject({
      converged: true,
      summary: 'web 2/2',
      services: [{ name: 'web', running: 2, wanted: 2, errors: [] }],
    });
  });

  it('is less than its release, where a service of it is gone', () => {
    const found = stackLive('stack/blog', releaseOf({ services: { web, db } }), world());
    expect(found).toMatchObject({
      converged: false,
      services: [
        { name: 'db', running: 0, wanted: 1 },
        { name: 'web', running: 1, wanted: 2 },
      ],
    });
  });

  it('is what the engine holds, where there is no release', () => {
    expect(stackLive('stack/blog', undefined, world())).toMatchObject({
      converged: false,
      summary: 'web 1/2',
    });
    expect(stackLive('stack/blog', undefined, world([], []))).toMatchObject({
      converged: undefined,
      services: [],
    });
  });

  it('is not judged by a release that this version cannot read', () => {
    const newer = { digest: 'd', revision: 'v1', at: '', content: { schema: 9 } };
    expect(stackLive('stack/blog', newer, world())).toMatchObject({
      converged: undefined,
      summary: 'web 1/2',
    });
  });

  it('is not known of another kind', () => {
    expect(stackLive('mysql-user/blog', undefined, world())).toBeUndefined();
  });

  it('tells the last three errors of its tasks, newest first, with what cannot be shown made visible', () => {
    const failed = (n: number) =>
      task(`f${String(n)}`, {
        serviceId: live(web).id,
        state: 'failed',
        desiredState: 'shutdown',
        nodeId: 'w1',
        timestamp: `2026-01-01T00:00:0${String(n)}Z`,
        error: `\u001b[2Jexit ${String(n)}`,
      });
    const found = stackLive('stack/blog', undefined, world([live(web)], [1, 2, 3, 4].map(failed)));
    expect(found?.services[0]?.errors).toEqual(
      [4, 3, 2].map((n) => ({
        at: `2026-01-01T00:00:0${String(n)}Z`,
        state: 'failed',
        error: `\\x1b[2Jexit ${String(n)}`,
        node: 'w1',
      })),
    );
  });
});

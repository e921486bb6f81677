import { describe, expect, it } from 'vitest';

import type { Rendered } from '../../agent/core/kind.ts';
import { renderStack } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { denyAll } from '../providers/stack/compose/inputs.ts';
import { follow, revision } from './crash-scenarios.ts';

/** Pure. A stack whose replicas are left to others, unless told. */
function blog(
  image: string,
  { replicas = 2, ignore = '[services.web.replicas]' } = {},
): Rendered<StackSpec> {
  const folder = 'stacks/blog';
  const files: Readonly<Record<string, string>> = {
    [`${folder}/stack.yaml`]: `{ kind: Stack, health: { timeout: 60s, stableFor: 4s }, ignore: ${ignore} }`,
    [`${folder}/compose.yaml`]: `
services:
  web:
    image: ${image}
    deploy:
      replicas: ${String(replicas)}
      restart_policy: { condition: any, delay: 1s }
      update_config: { monitor: 3s }
`,
  };
  const { rendered, diagnostics } = renderStack({
    name: 'blog',
    folder,
    surroundings: { environment: 'test', variables: {}, allow: denyAll, stack: {} },
    read: (path) => (Object.hasOwn(files, path) ? Buffer.from(files[path] ?? '') : undefined),
  });
  if (rendered === undefined) throw new Error(JSON.stringify(diagnostics));
  return rendered;
}

function web(world: WholeAgent) {
  const found = [...world.engine.services.values()].find(({ spec }) => spec.Name === 'blog_web');
  if (found === undefined) throw new Error('there is no such service');
  return found;
}

const replicas = (world: WholeAgent) => web(world).spec.Mode?.Replicated?.Replicas;

/** Somebody else changes the service, as `docker service scale` or an autoscaler does. */
async function byHand(world: WholeAgent, change: 'remove' | { scale: number } | { env: string }) {
  const { id, version, spec } = web(world);
  const { ContainerSpec: container } = spec.TaskTemplate;
  const body =
    change === 'remove'
      ? undefined
      : 'scale' in change
        ? { ...spec, Mode: { Replicated: { Replicas: change.scale } } }
        : {
            ...spec,
            TaskTemplate: {
              ...spec.TaskTemplate,
              ContainerSpec: { ...container, Env: [change.env] },
            },
          };
  const answer = world.engine.handle({
    method: body === undefined ? 'DELETE' : 'POST',
    path: `/services/${id}${body === undefined ? '' : '/update'}`,
    query: new URLSearchParams({ version: String(version) }),
    text: JSON.stringify(body),
  });
  expect(answer).toMatchObject({ status: 200 });
  await world.clock.advance(1_000);
}

/** Calls for services since `from`, not of the record. */
const calls = (world: WholeAgent, from: number) =>
  world.writes
    .slice(from)
    .map(({ method, path }) => `${method} ${path.replace(/\/services\/[^/]+/, '/services/ID')}`)
    .filter((call) => call.includes('/services'));

describe('replicas that an autoscaler changes', () => {
  it("are nobody's drift: nothing is written, and no fight is held", async () => {
    const world = new WholeAgent();
    await follow(world, revision('r1', blog('site:1')));
    expect(replicas(world)).toBe(2);
    const from = world.writes.length;
    for (const scale of [5, 3, 6, 4]) {
      await byHand(world, { scale });
      await world.rest();
      expect(replicas(world)).toBe(scale);
    }
    expect(world.writes.length).toBe(from);
    expect(world.events.filter(({ event }) => event.includes('held'))).toEqual([]);
  });

  it('go along with a deploy', async () => {
    const world = new WholeAgent();
    await follow(world, revision('r1', blog('site:1')));
    await byHand(world, { scale: 5 });
    await follow(world, revision('r2', blog('site:2')));
    expect(replicas(world)).toBe(5);
    expect(web(world).spec.TaskTemplate.ContainerSpec.Image).toContain('site:2');
    expect(world.record().history.revisions[0]).toMatchObject({ commit: 'r2', outcome: 'healthy' });
  });

  it('stay through a rollback', async () => {
    const world = new WholeAgent();
    world.engine.images.set('site:crash', { endsAfterMs: 500, exitCode: 3 });
    await follow(world, revision('r1', blog('site:1')));
    world.commit(revision('r2', blog('site:crash')));
    await world.until(({ units }) => units.get('stack/blog')?.phase === 'verifying');
    await byHand(world, { scale: 4 });
    await world.rest();
    expect(replicas(world)).toBe(4);
    expect(web(world).spec.TaskTemplate.ContainerSpec.Image).toContain('site:1');
    expect(world.record().units.get('stack/blog')).toMatchObject({
      phase: 'none',
      quarantine: [{}],
    });
  });

  it('are those of the repository when it says so for the first time, and again when it takes them back', async () => {
    const world = new WholeAgent();
    await follow(world, revision('r1', blog('site:1')));
    await byHand(world, { scale: 5 });
    const from = world.writes.length;
    // To change what is left to others alone is an attempt that calls nothing.
    await follow(world, revision('r2', blog('site:1', { replicas: 3 })));
    expect(calls(world, from)).toEqual([]);
    expect(world.record().history.revisions[0]).toMatchObject({ commit: 'r2', outcome: 'healthy' });
    await follow(world, revision('r3', blog('site:1', { replicas: 3, ignore: '[]' })));
    expect(replicas(world)).toBe(3);
  });

  it('of a stack that never was healthy are not 0 for ever', async () => {
    const world = new WholeAgent();
    world.engine.images.set('site:crash', { endsAfterMs: 500, exitCode: 3 });
    await follow(world, revision('r1', blog('site:crash')));
    expect(replicas(world)).toBe(0);
    // Only how it is judged changes: all but the replicas is as it should be.
    world.engine.images.delete('site:crash');
    world.ask({ verb: 'retry', id: 'stack/blog', by: 'root@m1' });
    await world.rest();
    expect(replicas(world)).toBe(2);
    expect(world.record().units.get('stack/blog')).toMatchObject({ phase: 'none', releases: [{}] });
  });

  it('of a stack that stands still and that nobody recorded are not taken over in silence', async () => {
    const [before, after] = [new WholeAgent(), new WholeAgent()];
    await follow(before, revision('r1', blog('site:1')));
    for (const [count, isTaken] of [
      [4, true],
      [0, false],
    ] as const) {
      const world = count === 4 ? before : after;
      if (world === after) await follow(world, revision('r1', blog('site:1')));
      await byHand(world, { scale: count });
      world.kill();
      // The record is gone with its head.
      for (const [id, { name }] of world.engine.configs) {
        if (name.startsWith('understudy.')) world.engine.configs.delete(id);
      }
      const from = world.writes.length;
      for (let look = 0; look < 4; look += 1) {
        await world.passOnce();
        await world.clock.advance(5_000);
      }
      expect(calls(world, from)).toEqual([]);
      expect(world.record().units.has('stack/blog')).toBe(isTaken);
    }
  });
});

describe('drift of what is not left to others', () => {
  it('is corrected, and the replicas stay', async () => {
    const world = new WholeAgent();
    await follow(world, revision('r1', blog('site:1')));
    await byHand(world, { scale: 5 });
    await byHand(world, { env: 'BY=hand' });
    await world.passOnce();
    await world.rest();
    expect(replicas(world)).toBe(5);
    expect(web(world).spec.TaskTemplate.ContainerSpec.Env ?? []).toEqual([]);
  });

  it('a service that was removed by hand comes back as the repository has it', async () => {
    const world = new WholeAgent();
    await follow(world, revision('r1', blog('site:1')));
    await byHand(world, { scale: 5 });
    await byHand(world, 'remove');
    await world.passOnce();
    await world.rest();
    expect(replicas(world)).toBe(2);
  });
});

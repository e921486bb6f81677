import { expect, it } from 'vitest';

import { WholeAgent } from '../fakes/whole-agent.ts';
import { follow, revision, stackOf } from './crash-scenarios.ts';

/** Of the stacks here; milliseconds. */
const TIMEOUT_MS = 60_000;

/** Somebody else makes a service of this name, in a stack of theirs, just before the agent would. */
function overtaken(world: WholeAgent, name: string): void {
  let isDone = false;
  world.seen = ({ path }, request) => {
    if (isDone || path !== '/services/create' || !request.text.includes(`"${name}"`)) return;
    isDone = true;
    const text = request.text.replaceAll('"com.docker.stack.namespace":"blog"', NAMESPACE_THEIRS);
    const answer = world.engine.handle({ ...request, text });
    expect(answer).toMatchObject({ status: 201 });
  };
}

const NAMESPACE_THEIRS = '"com.docker.stack.namespace":"theirs"';

it('a commit whose service is another stack’s by the time it is made goes back, and leaves that one alone', async () => {
  const world = new WholeAgent();
  await follow(world, revision('r1', stackOf('blog', { image: 'site:1' })));
  overtaken(world, 'blog_extra');
  const theirs = () =>
    [...world.engine.services.values()].find(({ spec }) => spec.Name === 'blog_extra');
  world.commit(revision('r2', stackOf('blog', { image: 'site:2', extra: 'extra:1' })));
  await world.until(() => theirs() !== undefined);
  const [atMs, before] = [world.clock.nowMs(), structuredClone(theirs())];
  expect(before?.spec.Labels).toMatchObject({ 'com.docker.stack.namespace': 'theirs' });

  await world.until(({ units }) => (units.get('stack/blog')?.quarantine.length ?? 0) > 0);
  expect(world.clock.nowMs() - atMs).toBeLessThanOrEqual(TIMEOUT_MS + 2_000);
  expect(world.record().units.get('stack/blog')?.phase).toBe('rolling-back');
  await world.rest();

  expect(theirs()).toEqual(before);
  expect(world.writes.filter(({ path }) => path.includes(before?.id ?? '?'))).toEqual([]);
  const web = [...world.engine.services.values()].find(({ spec }) => spec.Name === 'blog_web');
  expect(web?.spec.TaskTemplate.ContainerSpec.Image).toBe('site:1');
  expect(world.record().history.revisions[0]).toMatchObject({
    commit: 'r2',
    outcome: 'rolled-back',
  });
});

/** The stacks go on running, and nobody knows any more whose they are. */
function forgotten(world: WholeAgent): void {
  world.kill();
  for (const [id, { name }] of world.engine.configs) {
    if (name.startsWith('understudy.')) world.engine.configs.delete(id);
  }
}

it('what runs already and is not well is taken over without a call, and a commit mends it that nobody approves', async () => {
  const world = new WholeAgent();
  await follow(
    world,
    revision('r1', stackOf('blog', { image: 'site:1' }), stackOf('shop', { image: 'site:1' })),
  );
  world.engine.images.set('site:1', { endsAfterMs: 500, exitCode: 3 });
  forgotten(world);
  await world.clock.advance(5_000);
  const from = world.writes.length;
  await world.passOnce();
  await world.clock.advance(5_000);
  await world.passOnce();
  const adopted = world.record().units.get('stack/blog');
  expect(adopted).toMatchObject({ phase: 'none', releases: [{ unproven: true }] });
  expect(world.writes.slice(from).filter(({ path }) => path.startsWith('/services'))).toEqual([]);

  // One that leaves waits until all that stay were well at least once.
  world.commit(revision('r2', stackOf('blog', { image: 'site:1' })));
  await world.passOnce();
  await world.clock.advance(60_000);
  await world.passOnce();
  expect(world.record().units.get('stack/shop')?.phase).toBe('none');

  await follow(world, revision('r3', stackOf('blog', { image: 'site:2' })));
  const record = world.record().units.get('stack/blog');
  expect(record?.releases).toHaveLength(1);
  expect(record).toMatchObject({ phase: 'none', releases: [{ revision: 'r3' }] });
  expect(record?.releases[0]).not.toHaveProperty('unproven');
  expect(world.record().units.has('stack/shop')).toBe(false);
});

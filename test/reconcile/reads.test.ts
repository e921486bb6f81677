import { expect, it } from 'vitest';

import { WholeAgent } from '../fakes/whole-agent.ts';
import { follow, revision, stackOf } from './crash-scenarios.ts';

/** What one pass reads while so many stacks are at rest. */
async function readsOf(stacks: number): Promise<readonly string[]> {
  const world = new WholeAgent();
  const names = Array.from({ length: stacks }, (_, at) => `site-${String(at)}`);
  await follow(world, revision('r1', ...names.map((name) => stackOf(name, { image: 'site:1' }))));
  expect(world.engine.services.size).toBe(stacks);
  const before = world.reads.length;
  expect(await world.passOnce()).toEqual([]);
  return world.reads.slice(before).toSorted();
}

it('a quiet pass reads each list as often with twenty stacks as with one, and nothing beside', async () => {
  const one = await readsOf(1);
  expect(one).toContain('/services');
  expect(await readsOf(20)).toEqual(one);
});

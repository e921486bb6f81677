import { expect, it } from 'vitest';

import type { Rendered } from '../../agent/core/kind.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { stackFrom } from '../fakes/rendered-stack.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { follow, revision } from './crash-scenarios.ts';

const [one = '', two = ''] = ['1', '2'].map((digit) => `sha256:${digit.repeat(64)}`);

/** Pure. A stack of one service with this image, with what the lock has for it. */
const blog = (image: string, digest?: string): Rendered<StackSpec> =>
  stackFrom(
    'blog',
    {
      'stack.yaml': '{ kind: Stack, health: { timeout: 60s, stableFor: 4s } }',
      'compose.yaml': `
services:
  web:
    image: ${image}
    deploy:
      restart_policy: { condition: any, delay: 1s }
      update_config: { monitor: 3s }
`,
    },
    digest,
  );

function imageOf({ engine }: WholeAgent): string | undefined {
  const found = [...engine.services.values()].find(({ spec }) => spec.Name === 'blog_web');
  return found?.spec.TaskTemplate.ContainerSpec.Image;
}

const outcome = (world: WholeAgent): unknown => world.record().history.revisions[0];

it.each([
  ['another digest', one, two],
  ['a first digest', undefined, two],
])('%s that fails goes, and what ran comes back', async (_, before, after) => {
  const world = new WholeAgent();
  const ran = before === undefined ? 'site:1' : `site:1@${before}`;
  world.engine.images.set(`site:1@${after}`, { endsAfterMs: 500, exitCode: 3 });
  await follow(world, revision('r1', blog('site:1', before)));
  expect(imageOf(world)).toBe(ran);
  await follow(world, revision('r2', blog('site:1', after)));
  expect(outcome(world)).toMatchObject({ commit: 'r2', outcome: 'rolled-back' });
  expect(imageOf(world)).toBe(ran);
  const from = world.writes.length;
  await world.rest();
  expect(world.writes.length).toBe(from);
});

it('an entry that leaves the lock restarts nothing: the digest that runs stays', async () => {
  const world = new WholeAgent();
  await follow(world, revision('r1', blog('site:1', one)));
  const from = world.writes.length;
  await follow(world, revision('r2', blog('site:1')));
  expect(outcome(world)).toMatchObject({ commit: 'r2', outcome: 'healthy' });
  expect(imageOf(world)).toBe(`site:1@${one}`);
  expect(world.writes.slice(from).filter(({ path }) => path.startsWith('/services'))).toEqual([]);
});

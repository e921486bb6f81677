import { describe, expect, it } from 'vitest';

import type { Rendered } from '../../agent/core/kind.ts';
import { renderStack } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { denyAll } from '../providers/stack/compose/inputs.ts';
import { follow, revision } from './crash-scenarios.ts';

/** Pure. A stack whose verdict is a matter of the clock alone. */
function blog(image: string, health: string, constraint = 'node.role != x'): Rendered<StackSpec> {
  const folder = 'stacks/blog';
  const files: Readonly<Record<string, string>> = {
    [`${folder}/stack.yaml`]: `{ kind: Stack, health: ${health} }`,
    [`${folder}/compose.yaml`]: `
services:
  web:
    image: ${image}
    deploy:
      restart_policy: { condition: any, delay: 1s }
      update_config: { monitor: 1s }
      placement: { constraints: ['${constraint}'] }
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

async function verifying(world: WholeAgent, unit: Rendered<StackSpec>): Promise<void> {
  world.engine.addNode({ hostname: 'w1' });
  await follow(world, revision('r1', blog('site:1', '{ stableFor: 1s }')));
  world.commit(revision('r2', unit));
  await world.until(({ units }) => units.get('stack/blog')?.phase === 'verifying');
}

const outcome = (world: WholeAgent): unknown => world.record().history.revisions[0];

describe('an agent that was stopped and goes on', () => {
  it('does not fail a commit that made no progress meanwhile', async () => {
    const world = new WholeAgent();
    const fast = blog('site:2', '{ timeout: 60s, stableFor: 4s }', 'node.labels.disk == ssd');
    await verifying(world, fast);
    await world.clock.advance(600_000);
    await world.passOnce();
    world.engine.changeNode('w1', { labels: { disk: 'ssd' } });
    await world.rest();
    expect(outcome(world)).toMatchObject({ commit: 'r2', outcome: 'healthy' });
  });

  it('fails it in the end, by what it saw itself', async () => {
    const world = new WholeAgent();
    await verifying(world, blog('site:2', '{ timeout: 60s }', 'node.labels.disk == ssd'));
    await world.clock.advance(600_000);
    await world.rest();
    expect(outcome(world)).toMatchObject({ commit: 'r2', outcome: 'rolled-back' });
  });

  it('does not take a commit for healthy that nobody looked at', async () => {
    const world = new WholeAgent();
    await verifying(world, blog('site:2', '{ timeout: 60s, stableFor: 30s }'));
    await world.clock.advance(2_000);
    await world.passOnce();
    await world.clock.advance(38_000);
    await world.passOnce();
    world.engine.images.set('site:2', { endsAfterMs: 1_500 });
    await world.rest();
    expect(outcome(world)).toMatchObject({ commit: 'r2', outcome: 'rolled-back' });
  });
});

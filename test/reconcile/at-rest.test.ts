import { afterEach, describe, expect, it, vi } from 'vitest';

import { stackKind } from '../../agent/providers/stack/provider.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { follow, prepare, revision, type Scenario, scenarios, stackOf } from './crash-scenarios.ts';

/** A pass over the very same things decides nothing; whatever is another thing is decided. */
const one = revision(
  'r1',
  stackOf('blog', { image: 'site:1' }),
  stackOf('shop', { image: 'site:1' }),
);
const nobody: Scenario = { what: '', play: async () => {} };

afterEach(() => void vi.restoreAllMocks());

async function atRest(): Promise<WholeAgent> {
  const world = new WholeAgent();
  await prepare(world, nobody);
  await follow(world, one);
  // The first pass after the last change decides that nothing is left to do.
  await world.passOnce();
  await world.passOnce();
  return world;
}

/** How many units one more pass compared. */
async function compared(world: WholeAgent): Promise<number> {
  const spy = vi.spyOn(stackKind, 'diff');
  await world.passOnce();
  const { length } = spy.mock.calls;
  spy.mockRestore();
  return length;
}

function remove(world: WholeAgent, path: string): void {
  const request = { method: 'DELETE', path, query: new URLSearchParams(), text: '' };
  expect(world.engine.handle(request)).toMatchObject({ status: 200 });
}

function serviceOf({ engine }: WholeAgent, name: string) {
  const found = [...engine.services.values()].find(({ spec }) => spec.Name === name);
  if (found === undefined) throw new Error(`no service ${name}`);
  return found;
}

it('compares nothing as long as nothing changes, and everything once in five minutes', async () => {
  const world = await atRest();
  expect(await compared(world)).toBe(0);
  await world.clock.advance(4 * 60_000);
  expect(await compared(world)).toBe(0);
  await world.clock.advance(60_000);
  expect(await compared(world)).toBeGreaterThanOrEqual(2);
  expect(await compared(world)).toBe(0);
});

it.each<[what: string, change: (world: WholeAgent) => Promise<void>]>([
  [
    'a service is gone',
    async (world) => remove(world, `/services/${serviceOf(world, 'blog_web').id}`),
  ],
  [
    'a task died',
    async (world) => {
      const { id } = serviceOf(world, 'blog_web');
      const [task] = [...world.engine.tasks.values()].filter((each) => each.serviceId === id);
      if (task === undefined) throw new Error('no task');
      world.engine.tasks.delete(task.id);
    },
  ],
  ['a node is there that was not', async ({ engine }) => void engine.addNode({ hostname: 'w9' })],
  ['a commit came', async (world) => world.commit(revision('r2', ...one.units))],
  [
    'a person asks for something',
    async (world) => world.ask({ verb: 'retry', id: 'stack/blog', by: 'me' }),
  ],
  [
    'a person freezes everything',
    async (world) => world.freeze({ by: 'me', why: 'night', until: '2099-01-01T00:00:00Z' }),
  ],
  ['another agent begins', async (world) => world.kill()],
])('compares once more where %s', async (_what, change) => {
  const world = await atRest();
  expect(await compared(world)).toBe(0);
  await change(world);
  expect(await compared(world)).toBeGreaterThan(0);
});

/** All that it wrote and said, with some idle passes and drift at the end. */
async function account(scenario: Scenario, forgetful: boolean): Promise<readonly unknown[]> {
  const world = new WholeAgent();
  world.forgetful = forgetful;
  await prepare(world, scenario);
  await scenario.play(world);
  for (let n = 0; n < 12; n += 1) {
    await world.passOnce();
    await world.clock.advance(60_000);
  }
  const [service] = world.engine.services.values();
  if (service !== undefined) remove(world, `/services/${service.id}`);
  await world.rest();
  for (let n = 0; n < 3; n += 1) await world.passOnce();
  const written = world.writes.map(({ method, path, text }) => [method, path, text]);
  return [written, world.events, [...world.record().units]];
}

describe('what an agent does and says is the same as if it decided each time', () => {
  it.each(scenarios.map((scenario) => [scenario.what, scenario] as const))(
    'after %s',
    { timeout: 120_000 },
    async (_what, scenario) => {
      expect(await account(scenario, false)).toEqual(await account(scenario, true));
    },
  );
});

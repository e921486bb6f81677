import { describe, expect, it } from 'vitest';

import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import { type Clock, SourceError } from '../../agent/reconcile/ports.ts';
import { HEAD_NAME } from '../../agent/record/head.ts';
import { SeveralAgents } from '../fakes/several-agents.ts';
import { allUnits, behave, revision } from './crash-scenarios.ts';

const NODES = ['m1', 'm2', 'm3'];
const both = ['stack/blog', 'stack/shop'].flatMap(
  (name) => allUnits.find(({ id }) => id === name) ?? [],
);

const MINUTE_MS = 60_000;
const tooLarge: Diagnostic = {
  severity: 'error',
  code: 'too-large',
  message: 'more than 50000 files',
};

const failing =
  (message: string, retry: 'soon' | 'never', afterMs = 0) =>
  async (clock: Clock, signal: AbortSignal): Promise<readonly Diagnostic[]> => {
    if (afterMs > 0) await clock.sleep(afterMs, signal);
    throw new SourceError(message, { retry });
  };

// What the source gives in each situation is tested on real repositories and servers (test/conformance/git-trouble.test.ts,
// test/e2e/git-https.test.ts, test/e2e/git-ssh.test.ts); here is what becomes of the agents, by the ways in which it can fail.
const troubles: Readonly<Record<string, SeveralAgents['git']>> = {
  'cannot be reached, or breaks off': failing('the host of x cannot be reached', 'soon'),
  'hangs until the deadline of a fetch': failing('x was not read within 120 s', 'soon', 150_000),
  'has no such branch any more, or was emptied, or refuses': failing(
    'x has no branch `main`',
    'never',
  ),
  'has too many files, or too large ones': async () => [tooLarge],
};

const images = ({ engine }: SeveralAgents): readonly (string | undefined)[] =>
  [...engine.services.values()].map(({ spec }) => spec.TaskTemplate.ContainerSpec.Image).toSorted();

/** Three agents that have come to rest with the first revision. */
async function settled(): Promise<SeveralAgents> {
  const world = new SeveralAgents();
  behave(world);
  for (const node of NODES) world.start(node);
  world.commit(revision('r1', ...both));
  await world.time.advance(3 * MINUTE_MS);
  return world;
}

const count = (world: SeveralAgents, event: string): number =>
  world.events.filter((one) => one.event === event).length;

describe.each(Object.entries(troubles))('while the Git server %s', (what, git) => {
  it('all agents stay up, the leader leads, nothing goes, drift is put right, and it is told once', async () => {
    const world = await settled();
    const before = images(world);
    const [holder, told] = [
      world.holder(),
      count(world, 'waiting') + count(world, 'revision invalid'),
    ];
    const seen = count(world, 'revision seen');
    expect(before.length).toBe(2);
    world.git = git;
    // Were it seen, the other stack would go.
    world.commit(revision('r2', ...both.slice(0, 1)));
    const leaders = new Set<string | undefined>();
    const lease = { said: '', forS: 0, longestS: 0 };
    for (let second = 0; second < 8 * 60; second += 1) {
      if (second === 4 * 60) drift(world);
      await world.time.advance(1_000);
      leaders.add(world.holder());
      const said = labels(world);
      lease.forS = said === lease.said ? lease.forS + 1 : 0;
      lease.said = said;
      lease.longestS = Math.max(lease.longestS, lease.forS);
    }
    expect([...leaders]).toEqual([holder]);
    // Every ten seconds while nothing is under way.
    expect(lease.longestS).toBeLessThan(12);
    expect(world.members.size).toBe(3);
    expect(images(world)).toEqual(before);
    expect(world.astray).toEqual([]);
    expect(count(world, 'waiting') + count(world, 'revision invalid') - told).toBe(3);
    // Over: told by each, and the repository counts again.
    world.git = async () => [];
    await world.time.advance(6 * MINUTE_MS);
    expect(count(world, 'going on')).toBe(what.includes('too many') ? 0 : 3);
    expect(count(world, 'revision seen') - seen).toBe(what.includes('too many') ? 6 : 3);
    expect(images(world).length).toBe(before.length - 1);
    expect(world.holder()).toBe(holder);
    await world.close();
  });
});

/** Of the head: whose lease it is, and how often it was renewed. */
function labels({ engine }: SeveralAgents): string {
  const head = [...engine.configs.values()].find(({ name }) => name === HEAD_NAME);
  return JSON.stringify(head?.labels);
}

/** Somebody takes a service away by hand. */
function drift({ engine }: SeveralAgents): void {
  const found = [...engine.services.values()].find(({ spec }) => spec.Name === 'blog_web');
  if (found === undefined) throw new Error('no service');
  const path = `/services/${found.id}`;
  engine.handle({ method: 'DELETE', path, query: new URLSearchParams(), text: '' });
}

it('a server that cannot be reached is asked after 10 s, twice as long each time, and every five minutes in the end', async () => {
  const world = await settled();
  world.git = failing('the host of x cannot be reached', 'soon');
  const from = world.asked.length;
  await world.time.advance(20 * MINUTE_MS);
  const asked = world.asked.slice(from).filter(({ node }) => node === 'm1');
  const gaps = asked.slice(1).map(({ atMs }, at) => atMs - (asked[at]?.atMs ?? 0));
  expect(gaps.slice(0, 7)).toEqual([10, 20, 40, 80, 160, 300, 300].map((s) => s * 1000));
  await world.close();
});

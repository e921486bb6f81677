import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HeadDesk } from '../fakes/head-desk.ts';
import { SeveralAgents } from '../fakes/several-agents.ts';
import { allUnits, badDigests, behave, revision, versions } from './crash-scenarios.ts';

const NODES = ['m1', 'm2', 'm3'];
const [one, two] = versions;
if (one === undefined || two === undefined) throw new Error('no versions');

/** The images behave as the scenarios say: one crashes, one is missing. */
function opened(): SeveralAgents {
  const world = new SeveralAgents();
  behave(world);
  for (const node of NODES) world.start(node);
  return world;
}

const runningImage = ({ engine }: SeveralAgents): string | undefined =>
  [...engine.services.values()].find(({ spec }) => spec.Name === 'blog_web')?.spec.TaskTemplate
    .ContainerSpec.Image;

async function askToLook({ engine }: SeveralAgents): Promise<void> {
  const request = { verb: 'reconcile', by: 'root@m1', nonce: '0000000a' };
  await new HeadDesk(engine).label({ 'understudy.request.0000000a': JSON.stringify(request) });
}

describe('an agent on each of three managers', () => {
  it('one acts, the others say whom they follow and write nothing', async () => {
    const world = opened();
    world.commit(revision('r1', one));
    await world.time.advance(90_000);
    expect(runningImage(world)).toBe('site:1');
    expect(world.astray).toEqual([]);
    const acted = world.events.filter(({ event }) => event === 'change applied');
    expect(new Set(acted.map(({ node }) => node)).size).toBe(1);
    const followers = world.events.filter(({ event }) => event === 'following');
    expect(followers).toHaveLength(2);
    await world.close();
  });

  it('writes nothing but the lease when there is nothing to do, six times a minute', async () => {
    const world = opened();
    world.commit(revision('r1', one));
    await world.time.advance(30 * 60_000);
    const before = world.writes;
    await world.time.advance(10 * 60_000);
    expect(world.writes - before).toBeGreaterThanOrEqual(50);
    expect(world.writes - before).toBeLessThanOrEqual(60);
    await world.close();
  });

  it('does not go back to what the next leader knew, where the last one had seen a newer commit', async () => {
    const world = new SeveralAgents();
    behave(world);
    world.start('m1');
    world.commit(revision('r1', one));
    await world.time.advance(30_000);
    // It asks the repository at other times than the first one does.
    world.start('m2');
    await world.time.advance(80_000);
    world.commit(revision('r2', two));
    await world.time.advance(15_000);
    expect(runningImage(world)).toBe('site:2');
    const seen = world.events.filter(
      ({ event, node }) => event === 'revision seen' && node === 'm2',
    );
    expect(seen).toHaveLength(1);
    world.members.get('m1')?.stop.abort();
    const images = new Set<string | undefined>();
    for (let n = 0; n < 60; n += 1) {
      await world.time.advance(500);
      images.add(runningImage(world));
    }
    expect(world.holder()?.split('/')[0]).toBe('m2');
    expect([...images]).toEqual(['site:2']);
    world.members.delete('m1');
    await world.close();
  });

  it('looks at the repository when somebody asks, long before the interval is over', async () => {
    const world = opened();
    world.commit(revision('r1', one));
    await world.time.advance(120_000);
    world.commit(revision('r2', two));
    await askToLook(world);
    await world.time.advance(3_000);
    expect(runningImage(world)).toBe('site:2');
    expect(world.record().requests).toEqual([]);
    expect(world.record().history.looked).toMatchObject([{ status: 'valid', revision: 'r2' }]);
    expect(world.astray).toEqual([]);
    await world.close();
  });

  it('leaves a request to look to the next leader, when this one dies before it has answered', async () => {
    const world = opened();
    world.commit(revision('r1', one));
    await world.time.advance(120_000);
    await askToLook(world);
    world.kill(world.holder()?.split('/')[0] ?? '');
    world.commit(revision('r2', two));
    await world.time.advance(5_000);
    expect(world.record().requests).toHaveLength(1);
    await world.time.advance(60_000);
    expect(world.record().requests).toEqual([]);
    expect(world.record().history.looked).toMatchObject([{ status: 'valid', revision: 'r2' }]);
    expect(world.astray).toEqual([]);
    await world.close();
  });

  it('passes the work on within two seconds when the leader is asked to end', async () => {
    const world = opened();
    world.commit(revision('r1', one));
    await world.time.advance(120_000);
    const leader = world.holder()?.split('/')[0] ?? '';
    const { stop, ended } = world.members.get(leader) ?? {};
    stop?.abort();
    await world.time.advance(2_000);
    await ended;
    expect(world.holder()?.split('/')[0]).not.toBe(leader);
    expect(world.events.filter(({ event }) => event === 'lease acquired')).toHaveLength(2);
    world.members.delete(leader);
    await world.close();
  });
});

describe('an agent that took the lease over', () => {
  it('removes nothing for half a minute, and then what left the repository', async () => {
    const shop = allUnits.find(({ id }) => id === 'stack/shop');
    if (shop === undefined) throw new Error('no shop');
    const world = opened();
    world.commit(revision('r1', one, shop));
    await world.time.advance(120_000);
    expect(world.record().units.get('stack/shop')?.phase).toBe('none');
    const leader = world.holder();
    world.kill(leader?.split('/')[0] ?? '');
    world.commit(revision('r2', one));
    while (world.holder() === leader) await world.time.advance(500);
    await world.time.advance(28_500);
    const names = (): readonly string[] => world.events.map(({ event }) => event);
    expect(names()).not.toContain('unit removing');
    expect(world.events).toContainEqual(
      expect.objectContaining({
        event: 'unit held',
        id: 'stack/shop',
        why: 'its removal waits: nothing is removed for now',
      }),
    );
    await world.time.advance(3_500);
    expect(names()).toContain('unit removing');
    await world.time.advance(60_000);
    expect(names()).toContain('unit removed');
    expect(world.record().units.has('stack/shop')).toBe(false);
    expect(world.astray).toEqual([]);
    await world.close();
  });
});

describe('an agent that leads again', () => {
  /** Of the stacks here; milliseconds. */
  const TIMEOUT_MS = 60_000;
  const STEP_MS = 500;

  /** Lets time go by until it is so; gives when. */
  async function reached(world: SeveralAgents, isSo: () => boolean): Promise<number> {
    const untilMs = world.time.nowMs() + 4 * TIMEOUT_MS;
    while (!isSo()) {
      if (world.time.nowMs() > untilMs) throw new Error('it does not come to that');
      await world.time.advance(STEP_MS);
    }
    return world.time.nowMs();
  }

  it('begins its clocks anew: what it saw while it led before does not count', async () => {
    const world = opened();
    const leaderNow = (): string => world.holder()?.split('/')[0] ?? '';
    const count = (event: string): number =>
      world.events.filter((one) => one.event === event).length;
    world.commit(revision('r1', one));
    await world.time.advance(60_000);
    const first = leaderNow();
    world.engine.images.set('site:2', { healthyAfterMs: Infinity });
    world.commit(revision('r2', two));
    const phase = () => world.record().units.get('stack/blog')?.phase;
    await reached(world, () => phase() === 'verifying');
    await world.time.advance(TIMEOUT_MS - 10_000);
    expect([leaderNow(), count('lease acquired'), count('unit failed')]).toEqual([first, 1, 0]);

    world.members.get(first)?.clock.stop();
    await reached(world, () => count('lease acquired') === 2);
    const second = leaderNow();
    world.kill(second);
    for (const [node, { clock }] of world.members) if (node !== first) clock.stop();
    world.members.get(first)?.clock.goOn();
    const againAtMs = await reached(world, () => count('lease acquired') === 3);
    expect([leaderNow(), second === first, count('unit failed')]).toEqual([first, false, 0]);

    const failedAtMs = await reached(world, () => count('unit failed') > 0);
    expect(failedAtMs - againAtMs).toBeGreaterThanOrEqual(TIMEOUT_MS - STEP_MS);
    expect(world.astray).toEqual([]);
    await world.close();
  });
});

/** What happens to one agent, or to the raft, from a moment on. Milliseconds. */
const trouble = fc.record({
  atMs: fc.integer({ min: 0, max: 150_000 }),
  forMs: fc.integer({ min: 500, max: 60_000 }),
  node: fc.constantFrom(...NODES),
  what: fc.constantFrom('stop', 'kill', 'end', 'cut', 'deaf'),
});
type Trouble = typeof trouble extends fc.Arbitrary<infer Value> ? Value : never;

function strike(world: SeveralAgents, { forMs, node, what }: Trouble): void {
  const member = world.members.get(node);
  if (member === undefined) return;
  const later = (then: () => void): void => void world.time.after(forMs, then);
  switch (what) {
    case 'stop':
      member.clock.stop();
      later(() => member.clock.goOn());
      return;
    case 'kill':
      world.kill(node);
      later(() => void (world.members.has(node) || world.start(node)));
      return;
    case 'end':
      member.stop.abort();
      world.members.delete(node);
      later(() => void (world.members.has(node) || world.start(node)));
      return;
    case 'cut':
    case 'deaf':
      // Its calls do not arrive, or arrive and nobody hears of it.
      member.fate = () => (what === 'cut' ? 'lost' : 'unanswered');
      later(() => void (member.fate = () => 'answered'));
  }
}

it('whatever happens to them: only the leader writes, and the repository is what runs in the end', async () => {
  const commit = fc.record({
    atMs: fc.integer({ min: 1_000, max: 120_000 }),
    unit: fc.constantFrom(...versions),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(commit, { minLength: 1, maxLength: 3 }),
      fc.array(trouble, { maxLength: 5 }),
      async (commits, troubles) => {
        const world = opened();
        world.commit(revision('r1', one));
        const sorted = commits.toSorted((a, b) => a.atMs - b.atMs);
        for (const [at, { atMs, unit }] of sorted.entries()) {
          world.time.after(atMs, () => world.commit(revision(`c${String(at)}`, unit)));
        }
        for (const one of troubles) world.time.after(one.atMs, () => strike(world, one));
        await world.time.advance(720_000);
        expect(world.astray).toEqual([]);
        const record = world.record().units.get('stack/blog');
        expect(record?.phase).toBe('none');
        const failed = record?.quarantine.map(({ digest }) => digest) ?? [];
        expect(failed.filter((digest) => !badDigests.has(digest))).toEqual([]);
        const last = sorted.at(-1)?.unit;
        const healthy = record?.releases[0]?.digest;
        expect([healthy, ...failed]).toContain(last?.digest);
        const wanted = versions.find(({ digest }) => digest === healthy);
        expect(runningImage(world)).toBe(
          wanted?.spec.services['web']?.TaskTemplate.ContainerSpec.Image,
        );
        await world.close();
      },
    ),
    { numRuns: process.env['UNDERSTUDY_CRASH_POINTS'] === 'all' ? 200 : 10 },
  );
}, 600_000);

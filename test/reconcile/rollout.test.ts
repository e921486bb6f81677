import { describe, expect, it } from 'vitest';

import type { Rendered } from '../../agent/core/kind.ts';
import { defaultRollout } from '../../agent/core/rollout.ts';
import { renderStack } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import type { Loaded } from '../../agent/reconcile/ports.ts';
import { SeveralAgents } from '../fakes/several-agents.ts';
import type { FakeEngine } from '../fakes/swarm-engine.ts';
import { type Revision, WholeAgent } from '../fakes/whole-agent.ts';
import { denyAll } from '../providers/stack/compose/inputs.ts';

type Unit = Rendered<StackSpec>;

/** Pure. One of many equal stacks. */
function stack(at: number, image: string): Unit {
  const name = `s${String(at).padStart(2, '0')}`;
  const folder = `stacks/${name}`;
  const files: Readonly<Record<string, string>> = {
    [`${folder}/stack.yaml`]: '{ kind: Stack, health: { timeout: 60s, stableFor: 2s } }',
    [`${folder}/compose.yaml`]: `
services:
  web:
    image: ${image}
    deploy: { restart_policy: { condition: any, delay: 1s }, update_config: { monitor: 1s } }
`,
  };
  const { rendered, diagnostics } = renderStack({
    name,
    folder,
    surroundings: { environment: 'test', variables: {}, allow: denyAll, stack: {} },
    read: (path) => (Object.hasOwn(files, path) ? Buffer.from(files[path] ?? '') : undefined),
  });
  if (rendered === undefined) throw new Error(JSON.stringify(diagnostics));
  return rendered;
}

const made = new Map<string, Unit>();
function stacks(count: number, imageOf: (at: number) => string): readonly Unit[] {
  return Array.from({ length: count }, (_, at) => {
    const key = `${String(at)} ${imageOf(at)}`;
    const unit = made.get(key) ?? stack(at, imageOf(at));
    made.set(key, unit);
    return unit;
  });
}

const revision = (name: string, units: readonly Unit[]): Revision => ({ name, units });

function prepare(engine: FakeEngine): void {
  engine.images.set('site:crash', { endsAfterMs: 500 });
  engine.addNode({ hostname: 'w1' });
}

const moving = ({ units }: Loaded): number =>
  [...units.values()].filter(({ attempt }) => attempt !== undefined).length;

const imagesOf = (engine: FakeEngine): readonly (string | undefined)[] =>
  [...engine.services.values()].map(({ spec }) => spec.TaskTemplate.ContainerSpec.Image);

/** Looks at what is recorded before each write to a service: nothing is called that was not recorded. */
function watchPlaces(world: WholeAgent): { most: number } {
  const places = { most: 0 };
  world.seen = ({ path }) => {
    if (path.startsWith('/services')) places.most = Math.max(places.most, moving(world.record()));
  };
  return places;
}

describe('a revision that changes sixty stacks', () => {
  it('changes ten at once, first and later, and wherever the agent is killed', async () => {
    const world = new WholeAgent();
    prepare(world.engine);
    world.rules = { rollout: { ...defaultRollout, atOnce: 10 } };
    const places = watchPlaces(world);
    world.commit(
      revision(
        'r1',
        stacks(60, () => 'site:1'),
      ),
    );
    await world.rest();
    expect(places.most).toBe(10);
    expect(new Set(imagesOf(world.engine))).toEqual(new Set(['site:1']));
    expect(imagesOf(world.engine)).toHaveLength(60);
    expect(world.events.filter(({ event }) => event === 'unit held')).toEqual([]);

    places.most = 0;
    const from = world.writes.length;
    const { lives } = world;
    // In the middle of a round of calls, in one of the record, and once without an answer.
    world.faultOf = ({ at }) =>
      [23, 41, 77].includes(at - from) ? { fate: 'answered', kill: 'when-answered' } : undefined;
    world.commit(
      revision(
        'r2',
        stacks(60, () => 'site:2'),
      ),
    );
    await world.rest();
    expect(world.lives - lives).toBe(3);
    expect(places.most).toBe(10);
    expect(new Set(imagesOf(world.engine))).toEqual(new Set(['site:2']));
    expect(world.record().history.revisions[0]).toMatchObject({ commit: 'r2', outcome: 'healthy' });
    expect(await world.passOnce()).toEqual([]);
  });

  it('stops after three failures, tells it once, writes nothing more, and goes on with the next', async () => {
    const world = new WholeAgent();
    prepare(world.engine);
    world.rules = { rollout: { ...defaultRollout, atOnce: 5 } };
    world.commit(
      revision(
        'r1',
        stacks(60, () => 'site:1'),
      ),
    );
    await world.rest();
    world.commit(
      revision(
        'r2',
        stacks(60, () => 'site:crash'),
      ),
    );
    await world.rest();
    const failed = [...world.record().units.values()].filter(({ quarantine }) => quarantine[0]);
    expect(failed.length).toBeGreaterThanOrEqual(3);
    expect(failed.length).toBeLessThanOrEqual(7);
    expect(new Set(imagesOf(world.engine))).toEqual(new Set(['site:1']));
    const why = '3 units of the revision failed (`rollout.maxFailures`)';
    const stopped = world.events.filter(({ event }) => event === 'rollout stopped');
    expect(stopped).toMatchObject([{ revision: 'r2', why }]);
    const held = { count: 60 - failed.length };
    const ends = world.events.filter(({ event }) => event === 'revision failed');
    expect(ends).toMatchObject([{ revision: 'r2', held }]);
    expect(world.record().history.revisions[0]).toMatchObject({ held: held.count });
    const lines = world.events.filter(
      (told) => told.event === 'unit held' && told.why === `rollout: ${why}`,
    );
    expect(lines).toHaveLength(held.count);

    world.kill();
    expect(await world.passOnce()).toEqual([]);
    expect(await world.passOnce()).toEqual([]);
    world.commit(
      revision(
        'r3',
        stacks(60, () => 'site:3'),
      ),
    );
    await world.rest();
    expect(new Set(imagesOf(world.engine))).toEqual(new Set(['site:3']));
  });
});

describe('a window', () => {
  it('is waited for, and the agent looks when it opens', async () => {
    const world = new WholeAgent();
    prepare(world.engine);
    const cron = readCron('30 0 * * *');
    if (cron === undefined) throw new Error('no cron');
    world.commit(
      revision(
        'r1',
        stacks(2, () => 'site:1'),
      ),
    );
    await world.rest();
    const rule = { cron, durationMs: 600_000, timeZone: 'UTC', stacks: ['s01'] };
    world.rules = { windows: [rule] };
    world.commit(
      revision(
        'r2',
        stacks(2, () => 'site:2'),
      ),
    );
    await world.until(({ units }) => units.get('stack/s00')?.releases[0]?.revision === 'r2');
    expect(new Set(imagesOf(world.engine))).toEqual(new Set(['site:1', 'site:2']));
    await world.until(({ units }) => units.get('stack/s01')?.attempt !== undefined);
    const { wallMs } = world.clock.instant();
    expect(wallMs).toBeGreaterThanOrEqual(1_800_000);
    expect(wallMs).toBeLessThan(1_805_000);
    const why = 'window: opens 1970-01-01 00:30 (UTC)';
    const lines = world.events.filter(({ event }) => event === 'unit held');
    expect(lines).toEqual([{ event: 'unit held', id: 'stack/s01', why }]);
  });
});

describe('when another agent takes the lead in the middle', () => {
  it('no more units change than may, by one agent and the other together', async () => {
    const world = new SeveralAgents();
    prepare(world.engine);
    world.rules = { rollout: { ...defaultRollout, atOnce: 4, canary: ['stack/s05'] } };
    for (const node of ['m1', 'm2']) world.start(node);
    world.commit(
      revision(
        'r1',
        stacks(14, () => 'site:1'),
      ),
    );
    const done = (): number =>
      [...world.record().units.values()].filter(({ releases }) => releases[0]).length;
    let most = 0;
    const look = async (): Promise<void> => {
      await world.time.advance(500);
      most = Math.max(most, moving(world.record()));
    };
    while (done() < 7) await look();
    const leader = world.holder() ?? '';
    expect(world.record().units.get('stack/s05')?.releases).toHaveLength(1);
    expect(moving(world.record())).toBeGreaterThan(0);
    world.kill(leader.split('/')[0] ?? '');
    while (done() < 14) await look();
    expect(world.holder()).not.toBe(leader);
    expect(most).toBe(4);
    expect(world.astray).toEqual([]);
    await world.close();
  });
});

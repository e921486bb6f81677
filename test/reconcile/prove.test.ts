import { describe, expect, it } from 'vitest';

import { contentDigest, DIGEST_LABEL } from '../../agent/providers/stack/names.ts';
import type { FakeFile } from '../fakes/swarm-answers.ts';
import { isLive } from '../fakes/swarm-world.ts';
import { type Fault, type Revision, WholeAgent } from '../fakes/whole-agent.ts';
import { digestKey } from '../fakes/stack.ts';
import { follow, revision, stackOf } from './crash-scenarios.ts';

/**
 * The whole agent on the fake engine, and a stack that the Docker CLI deployed with a secret from a file: nobody can read
 * what the secret holds.
 */
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const CONTENT = base64('the key of site:1');
const OTHER = base64('a canary of theirs');
const DIGEST = contentDigest(CONTENT, digestKey);
const wanted = stackOf('blog', { image: 'site:1' });
const r1 = revision('r1', wanted);

const secretOf = (world: WholeAgent, name = 'blog_key'): FakeFile => {
  const found = [...world.engine.secrets.values()].find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no secret ${name}`);
  return found;
};

/** As `docker stack deploy` of this stack makes it: without any mark of ours. */
function unmarked(world: WholeAgent): void {
  const { [DIGEST_LABEL]: _digest, ...labels } = secretOf(world).labels;
  secretOf(world).labels = labels;
}

/** It holds this and always did. */
function holds(world: WholeAgent, data: string): void {
  const file = secretOf(world);
  world.engine.secrets.set(file.id, { ...file, data });
}

/** A stack of the CLI on a Swarm that no agent has seen; `data` is what its secret holds. */
async function byCli(data = CONTENT): Promise<WholeAgent> {
  const world = new WholeAgent();
  await follow(world, r1);
  world.kill();
  for (const [id, { name }] of world.engine.configs) {
    if (name.startsWith('understudy.')) world.engine.configs.delete(id);
  }
  unmarked(world);
  holds(world, data);
  await world.clock.advance(60_000);
  world.writes.length = 0;
  world.events.length = 0;
  return world;
}

/** What must not move: services by version, and the tasks that run. */
const runningIn = ({ engine }: WholeAgent) => ({
  services: [...engine.services.values()].map(({ id, version }) => `${id} ${String(version)}`),
  tasks: [...engine.tasks.values()].filter(isLive).map(({ id }) => id),
});

const writesTo = (world: WholeAgent, what: string): readonly string[] =>
  world.writes.filter(({ path }) => path.startsWith(`/${what}/`)).map(({ path }) => path);
const toldOf = (world: WholeAgent): readonly string[] => world.events.map(({ event }) => event);
const heldIn = (world: WholeAgent): string =>
  world.events.flatMap((one) => (one.event === 'unit held' ? [one.why] : [])).at(-1) ?? '';

async function passes(world: WholeAgent, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) {
    await world.passOnce();
    await world.clock.advance(2_000);
  }
}

describe('a stack of the CLI whose secret is the one of the file', () => {
  it('is taken over by one label, and nothing restarts', async () => {
    const world = await byCli();
    const [before, labels] = [runningIn(world), secretOf(world).labels];
    await follow(world, r1);
    expect(toldOf(world)).toContain('unit adopted');
    expect(runningIn(world)).toEqual(before);
    expect(secretOf(world).labels).toEqual({ ...labels, [DIGEST_LABEL]: DIGEST });
    expect(writesTo(world, 'secrets')).toEqual([`/secrets/${secretOf(world).id}/update`]);
    expect([...writesTo(world, 'services'), ...writesTo(world, 'networks')]).toEqual([]);
    expect(await world.passOnce()).toEqual([]);
    world.kill();
    expect(await world.passOnce()).toEqual([]);
    expect(JSON.stringify(world.events)).not.toMatch(new RegExp(`${CONTENT}|the key of`));
  });

  it.each<[string, Revision, (world: WholeAgent) => Promise<void>]>([
    [
      'the repository suspends it',
      revision('r1', { ...wanted, suspended: true }),
      async () => undefined,
    ],
    [
      'everything is frozen',
      r1,
      async (world) => {
        await world.passOnce();
        world.freeze({ by: 'root@m1', why: 'a test' });
        world.writes.length = 0;
      },
    ],
  ])('is not touched while %s', async (_what, commit, before) => {
    const world = await byCli();
    await before(world);
    world.commit(commit);
    await passes(world, 3);
    expect(writesTo(world, 'secrets')).toEqual([]);
    expect(toldOf(world)).not.toContain('unit adopted');
  });
});

describe('a stack of the CLI whose secret is another one', () => {
  const NAMED = new RegExp(
    `^it was there before and differs: secret blog_key-${DIGEST.slice(0, 8)} is missing, [^ ]*Secrets[^ ]*; approve with .understudy approve ([0-9a-f]{12}).$`,
  );

  it('is held with exactly that secret, is asked once, and goes on when a person says so', async () => {
    const world = await byCli(OTHER);
    const [before, theirs] = [runningIn(world), { ...secretOf(world) }];
    world.commit(r1);
    await passes(world, 5);
    expect(heldIn(world)).toMatch(NAMED);
    expect(toldOf(world).filter((one) => one === 'content differs')).toHaveLength(1);
    expect(toldOf(world)).not.toContain('change failed');
    expect(writesTo(world, 'secrets')).toHaveLength(1);
    expect([runningIn(world), secretOf(world)]).toEqual([before, theirs]);
    expect(await world.passOnce()).toEqual([]);

    const digest = NAMED.exec(heldIn(world))?.[1] ?? '';
    world.ask({ verb: 'approve', digest, by: 'root@m1' });
    // Another agent has to find out again, and knows what was said.
    await world.passOnce();
    world.kill();
    await world.rest();
    expect(writesTo(world, 'secrets')).toHaveLength(3);
    expect(secretOf(world, `blog_key-${DIGEST.slice(0, 8)}`).data).toBe(CONTENT);
    expect(secretOf(world)).toEqual(theirs);
    expect(world.record().units.get('stack/blog')?.phase).toBe('none');
    world.kill();
    expect(await world.passOnce()).toEqual([]);
    expect(JSON.stringify(world.events)).not.toMatch(new RegExp(`${CONTENT}|${OTHER}|canary`));
  });
});

describe('a secret that loses its digest', () => {
  it('gets it back without a restart, as after `docker stack deploy` over a stack of ours', async () => {
    const world = new WholeAgent();
    await follow(world, r1);
    const before = runningIn(world);
    unmarked(world);
    world.writes.length = 0;
    await world.rest();
    expect(secretOf(world).labels[DIGEST_LABEL]).toBe(DIGEST);
    expect(runningIn(world)).toEqual(before);
    expect(writesTo(world, 'services')).toEqual([]);
  });

  it('and its content is made anew, and its services follow', async () => {
    const world = new WholeAgent();
    await follow(world, r1);
    unmarked(world);
    holds(world, OTHER);
    world.writes.length = 0;
    await world.rest();
    expect(secretOf(world, `blog_key-${DIGEST.slice(0, 8)}`).data).toBe(CONTENT);
    expect(toldOf(world)).toContain('content differs');
    expect(writesTo(world, 'services')).toHaveLength(1);
    world.kill();
    expect(await world.passOnce()).toEqual([]);
  });
});

it('a file that takes a secret back from `external` begins an attempt that restarts nothing', async () => {
  const world = await byCli();
  const key = Object.values(wanted.spec.secrets)[0];
  const external = {
    ...wanted,
    digest: 'external',
    spec: { ...wanted.spec, secrets: {} },
    needs: [`secret:${String(key?.name)}`],
  };
  await follow(world, revision('r0', external));
  expect(writesTo(world, 'secrets')).toEqual([]);
  const before = runningIn(world);
  await follow(world, r1);
  expect(runningIn(world)).toEqual(before);
  expect(world.record().units.get('stack/blog')?.releases[0]).toMatchObject({ revision: 'r1' });
});

/** Each kind of end that a write can have, and the agent with it. */
const faults: readonly Fault[] = [
  { fate: 'lost', kill: 'at-once' },
  { fate: 'unanswered', kill: 'at-once' },
  { fate: 'answered', kill: 'when-answered' },
  { fate: 'late', kill: 'at-once', downMs: 1_000 },
  { fate: 'lost' },
  { fate: 'unanswered' },
  { fate: 'late' },
  { fate: 'twice' },
];

describe.each([
  ['equal', CONTENT],
  ['other', OTHER],
])('killed or cut off at any write while an %s content is compared', (_what, data) => {
  it('ends as without', async () => {
    const ends = new Map<string, unknown>();
    let writes = 1;
    for (let at = 0; at <= writes; at += 1) {
      for (const fault of at === 0 ? [undefined] : faults) {
        const world = await byCli(data);
        world.faultOf = (write) => (write.at === at ? fault : undefined);
        const before = runningIn(world);
        world.commit(r1);
        // Longer than a late write and the waits between tries.
        await passes(world, 8);
        if (at === 0) writes = world.writes.length;
        const why = `write ${String(at)}: ${JSON.stringify(fault)}`;
        const more = await world.passOnce();
        expect({ why, more, ...runningIn(world) }).toEqual({ why, more: [], ...before });
        const { labels, data: held } = secretOf(world);
        const isAdopted = world.record().units.has('stack/blog');
        ends.set(why, { labels, held, secrets: world.engine.secrets.size, isAdopted });
      }
    }
    expect(writes).toBeGreaterThan(2);
    expect(new Set([...ends.values()].map((end) => JSON.stringify(end)))).toHaveProperty('size', 1);
    expect([...ends.values()][0]).toMatchObject({ secrets: 1, isAdopted: data === CONTENT });
  });
});

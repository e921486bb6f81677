import type { Rendered } from '../../agent/core/kind.ts';
import { renderStack } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import type { FakeEngine } from '../fakes/swarm-engine.ts';
import type { Revision, WholeAgent, Write } from '../fakes/whole-agent.ts';
import { denyAll } from '../providers/stack/compose/inputs.ts';

/** One version of a stack: its image, the contents of its config and its secret, and what the file says beside. */
interface Version {
  readonly image: string;
  /** Of which another service runs that no other version has. */
  readonly extra?: string;
  readonly onFailure?: 'pause' | 'rollback' | 'continue';
  readonly mode?: 'auto' | 'hold';
  /** The stack that it depends on. */
  readonly after?: string;
  /** A service on a network of its own beside the usual one. */
  readonly back?: true;
  /** The stack whose place it takes. */
  readonly from?: string;
  /** The port that it publishes. */
  readonly port?: number;
}

/** Pure. A stack as the repository would hold it, rendered by the renderer itself. */
export function stackOf(
  name: string,
  { image, extra, onFailure, mode, after, back, from, port }: Version,
): Rendered<StackSpec> {
  const folder = `stacks/${name}`;
  const other = extra === undefined ? '' : `  extra:\n    image: ${extra}\n`;
  const behind = back ? '  back: { image: site:1, networks: [back] }\n' : '';
  const networks = back ? 'networks: { back: {} }\n' : '';
  const files: Readonly<Record<string, string>> = {
    [`${folder}/stack.yaml`]: `
kind: Stack
health: { timeout: 60s, stableFor: 4s }
rollback: { mode: ${mode ?? 'auto'} }
prune: true
${from === undefined ? '' : `movedFrom: ${from}`}
dependsOn: [${after === undefined ? '' : `stack/${after}`}]
`,
    [`${folder}/compose.yaml`]: `
services:
  web:
    image: ${image}
    configs: [page]
    secrets: [key]
    ports: [${port === undefined ? '' : `'${String(port)}:80'`}]
    deploy:
      replicas: 2
      restart_policy: { condition: any, delay: 1s }
      update_config: { monitor: 3s, failure_action: ${onFailure ?? 'pause'} }
${other}${behind}${networks}configs: { page: { file: ./page.txt } }
secrets: { key: { file: ./key.txt } }
`,
    [`${folder}/page.txt`]: `the page of ${image}`,
    [`${folder}/key.txt`]: `the key of ${image}`,
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

/** Pure. */
export function revision(name: string, ...units: readonly Rendered<StackSpec>[]): Revision {
  return { name, units };
}

const one = stackOf('blog', { image: 'site:1' });
const two = stackOf('blog', { image: 'site:2' });
const cautious = stackOf('blog', { image: 'site:2', onFailure: 'rollback' });
const careless = stackOf('blog', { image: 'site:2', onFailure: 'continue' });
const three = stackOf('blog', { image: 'site:3' });
const crashing = stackOf('blog', { image: 'site:crash', extra: 'extra:1' });
const givenUp = stackOf('blog', { image: 'site:crash', extra: 'extra:1', onFailure: 'rollback' });
const missing = stackOf('blog', { image: 'site:gone', extra: 'extra:1' });
const held = stackOf('blog', { image: 'site:crash', extra: 'extra:1', mode: 'hold' });
const shop = stackOf('shop', { image: 'site:1' });
const shopTwo = stackOf('shop', { image: 'site:2' });
const site = stackOf('site', { image: 'site:1', after: 'blog' });
const siteTwo = stackOf('site', { image: 'site:2', after: 'blog' });
const wide = stackOf('blog', { image: 'site:1', back: true });

const open = stackOf('blog', { image: 'site:1', port: 8080 });
const renamed = stackOf('weblog', { image: 'site:1', port: 8080, from: 'blog' });
const renamedBadly = stackOf('weblog', { image: 'site:crash', port: 8080, from: 'blog' });
const renamedAndHeld = stackOf('weblog', {
  image: 'site:crash',
  port: 8080,
  from: 'blog',
  mode: 'hold',
});
const inCapitals = stackOf('BLOG', { image: 'site:1', port: 8080, from: 'blog' });

const r1 = revision('r1', one);

/** Versions of one stack that a repository may hold one after another. */
export const versions = [one, two, three, cautious, crashing, givenUp, missing];

/** Every unit that a scenario may ask for. */
export const allUnits = [
  one,
  two,
  three,
  cautious,
  careless,
  crashing,
  givenUp,
  missing,
  held,
  shop,
  shopTwo,
  site,
  siteTwo,
  wide,
  open,
  renamed,
  renamedBadly,
  renamedAndHeld,
  inCapitals,
  ...[4, 5, 6].map((n) => stackOf('blog', { image: `site:${String(n)}` })),
];

/** Digests that fail. */
export const badDigests = new Set(
  [crashing, givenUp, missing, held, renamedBadly, renamedAndHeld].map(({ digest }) => digest),
);

/** What happens to an agent, from an empty Swarm on. */
export interface Scenario {
  readonly what: string;
  /** Begins where the faults begin: what came before went well. */
  readonly before?: readonly Revision[];
  readonly play: (world: WholeAgent) => Promise<void>;
  /** Something is committed while an attempt is young: an agent that is away for long would not see the attempt fail. */
  readonly isQuick?: true;
}

/** What the repository wants now is in place and is looked at. */
async function verifying(world: WholeAgent): Promise<void> {
  await world.until(({ units }) => units.get('stack/blog')?.phase === 'verifying');
}

/** Some minutes of whatever the agent does by itself: longer than a stack may take. */
async function later(world: WholeAgent): Promise<void> {
  const untilMs = world.clock.nowMs() + 150_000;
  await world.until(() => world.clock.nowMs() >= untilMs);
}

/** It makes a part of a stack, not of the record. */
function isOfStack({ text = '' }: Write): boolean {
  return text.includes('com.docker.stack.namespace');
}

/** Brings one revision after another to rest. */
export async function follow(world: WholeAgent, ...revisions: readonly Revision[]): Promise<void> {
  for (const one of revisions) {
    world.commit(one);
    await world.rest();
  }
}

/** All of them; the images behave as `behave` says. */
export const scenarios: readonly Scenario[] = [
  { what: 'a first deploy that goes well', play: (world) => follow(world, r1) },
  {
    what: 'a good change',
    before: [r1],
    play: (world) => follow(world, revision('r2', two)),
  },
  {
    what: 'a good change that the engine may take back',
    before: [r1],
    play: (world) => follow(world, revision('r2', cautious)),
  },
  {
    what: 'a good change that the engine never stops',
    before: [r1],
    play: (world) => follow(world, revision('r2', careless)),
  },
  {
    what: 'a change that crashes',
    before: [r1],
    play: (world) => follow(world, revision('r2', crashing)),
  },
  {
    what: 'a change whose image is missing',
    before: [r1],
    play: (world) => follow(world, revision('r2', missing)),
  },
  {
    what: 'a change that the engine takes back by itself',
    before: [r1],
    play: (world) => follow(world, revision('r2', givenUp)),
  },
  {
    what: 'a first deploy that fails',
    play: (world) => follow(world, revision('r1', crashing)),
  },
  {
    what: 'a fix that comes while the bad change is tried',
    before: [r1],
    isQuick: true,
    async play(world) {
      world.commit(revision('r2', crashing));
      await verifying(world);
      await follow(world, revision('r3', three));
    },
  },
  {
    what: 'a revert that comes while the bad change is tried',
    before: [r1],
    isQuick: true,
    async play(world) {
      world.commit(revision('r2', crashing));
      await verifying(world);
      await follow(world, revision('r3', one));
    },
  },
  {
    what: 'a retry of what failed, once it is well',
    before: [r1, revision('r2', crashing)],
    async play(world) {
      world.engine.images.delete('site:crash');
      world.ask({ verb: 'retry', id: 'stack/blog', by: 'root@m1' });
      await world.rest();
    },
  },
  {
    what: 'a rollback that a person asks for',
    before: [r1, revision('r2', two)],
    async play(world) {
      world.ask({ verb: 'rollback', id: 'stack/blog', by: 'root@m1' });
      await world.rest();
    },
  },
  {
    what: 'a change that crashes and is held',
    before: [r1],
    play: (world) => follow(world, revision('r2', held)),
  },
  {
    what: 'a change that is suspended while it is verified, and goes on later',
    before: [r1],
    async play(world) {
      world.commit(revision('r2', two));
      await verifying(world);
      world.ask({ verb: 'suspend', id: 'stack/blog', by: 'root@m1' });
      await world.until(({ units }) => units.get('stack/blog')?.suspended !== undefined);
      await later(world);
      world.ask({ verb: 'resume', id: 'stack/blog', by: 'root@m1' });
      await world.until(({ units }) => units.get('stack/blog')?.suspended === undefined);
      await world.rest();
    },
  },
  {
    what: 'a freeze in the middle of the calls of a change, and its end',
    before: [r1],
    async play(world) {
      world.commit(revision('r2', two));
      world.freezeAt((write) => write.path === '/configs/create' && isOfStack(write), {
        by: 'root@m1',
        why: 'the storage is ill',
      });
      await world.until(() => world.frozen !== undefined);
      await later(world);
      world.freeze(undefined);
      await world.rest();
    },
  },
  {
    what: 'two stacks of which one fails',
    before: [revision('r1', one, shop)],
    play: (world) => follow(world, revision('r2', crashing, shopTwo)),
  },
  {
    what: 'two stacks of which one depends on the other, which fails',
    before: [revision('r1', site, one)],
    play: (world) => follow(world, revision('r2', siteTwo, crashing)),
  },
  {
    what: 'two stacks of which one depends on the other, which a person takes back',
    before: [revision('r1', site, one), revision('r2', siteTwo, two)],
    async play(world) {
      world.ask({ verb: 'rollback', id: 'stack/blog', by: 'root@m1' });
      await world.rest();
    },
  },
  {
    what: 'a stack that leaves the repository',
    before: [revision('r1', wide, shop)],
    play: (world) => follow(world, revision('r2', shop)),
  },
  {
    what: 'a stack that comes back while it is removed',
    before: [revision('r1', wide, shop)],
    isQuick: true,
    async play(world) {
      world.commit(revision('r2', shop));
      await world.until(() => servicesOf(world, 'blog_').length === 0);
      await follow(world, revision('r3', wide, shop));
    },
  },
  {
    what: 'a stack that is suspended while it is removed, and resumed',
    before: [revision('r1', wide, shop)],
    isQuick: true,
    async play(world) {
      world.commit(revision('r2', shop));
      await world.until(() => servicesOf(world, 'blog_').length === 0);
      world.ask({ verb: 'suspend', id: 'stack/blog', by: 'root@m1' });
      await world.passOnce();
      await world.clock.advance(90_000);
      await world.passOnce();
      world.ask({ verb: 'resume', id: 'stack/blog', by: 'root@m1' });
      await world.rest();
    },
  },
  {
    what: 'a service and a network that leave a stack',
    before: [revision('r1', wide)],
    play: (world) => follow(world, revision('r2', one)),
  },
  {
    what: 'a service and a network that leave a stack with a rewind, and go when a person approves it',
    before: [revision('r1', wide)],
    async play(world) {
      world.rewinds.add('r0');
      await follow(world, revision('r0', one), revision('r2', one));
      world.ask({ verb: 'approve', digest: heldDigest(world), by: 'root@m1' });
      await world.rest();
    },
  },
  {
    what: 'a stack that takes the place of another one, and its port',
    before: [revision('r1', open, shop)],
    play: (world) => follow(world, revision('r2', renamed, shop)),
  },
  {
    what: 'a stack that should take the place of another one and fails',
    before: [revision('r1', open, shop)],
    play: (world) => follow(world, revision('r2', renamedBadly, shop)),
  },
  {
    what: 'a stack that should take the place of another one, fails and is held',
    before: [revision('r1', open, shop)],
    play: (world) => follow(world, revision('r2', renamedAndHeld, shop)),
  },
  {
    what: 'a stack that takes the place of another one, and a revert while it is tried',
    before: [revision('r1', open, shop)],
    isQuick: true,
    async play(world) {
      world.commit(revision('r2', renamed, shop));
      await world.until(({ units }) => units.get('stack/weblog')?.phase === 'verifying');
      await follow(world, revision('r3', open, shop));
    },
  },
  {
    what: 'a stack that takes the place of another one, and a revert before it begins',
    before: [revision('r1', open, shop)],
    isQuick: true,
    async play(world) {
      world.commit(revision('r2', renamed, shop));
      await world.until(({ units }) => units.get('stack/blog')?.movedTo !== undefined);
      await follow(world, revision('r3', open, shop));
    },
  },
  {
    what: 'a stack that takes the place of another one, and a revert when that is gone',
    before: [revision('r1', open, shop), revision('r2', renamed, shop)],
    play: (world) => follow(world, revision('r3', open, shop)),
  },
  {
    what: 'a stack whose name is written in capitals from now on',
    before: [revision('r1', open, shop)],
    play: (world) => follow(world, revision('r2', inCapitals, shop)),
  },
];

/** In what the agent said last of what is held. */
function heldDigest({ events }: WholeAgent): string {
  const lines = events.flatMap((one) => (one.event === 'unit held' ? [one.why] : []));
  return /approve ([0-9a-f]{12})/.exec(lines.at(-1) ?? '')?.[1] ?? '';
}

function servicesOf({ engine }: WholeAgent, prefix: string): readonly string[] {
  const names = [...engine.services.values()].map(({ spec }) => spec.Name);
  return names.filter((name) => name.startsWith(prefix));
}

/** The scenario of this name. */
export function scenarioCalled(what: string): Scenario {
  const found = scenarios.find((one) => one.what === what);
  if (found === undefined) throw new Error(`no scenario ${what}`);
  return found;
}

/** How the images behave: all are well but two. */
export function behave({ engine }: { readonly engine: FakeEngine }): void {
  engine.addNode({ hostname: 'w1' });
  engine.images.set('site:crash', { endsAfterMs: 1_500 });
  engine.images.set('site:gone', { pull: 'missing' });
}

/** Brings a world to where the scenario's faults begin. */
export async function prepare(world: WholeAgent, { before = [] }: Scenario): Promise<void> {
  behave(world);
  await follow(world, ...before);
}

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Difference, Release, Rendered } from '../../../agent/core/kind.ts';
import { writeBack } from '../../../agent/providers/stack/compose-back/write-back.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { SecretReference, ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import type { StackObserved } from '../../../agent/providers/stack/observed.ts';
import { restoreStack, stackRelease } from '../../../agent/providers/stack/release.ts';
import { stackMembers, stackUsers } from '../../../agent/providers/stack/remove.ts';
import { stackSpares } from '../../../agent/providers/stack/spares.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import type {
  ObservedSecret,
  StackCall,
  SwarmState,
} from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, live, observed, service, unit } from '../../fakes/stack.ts';

const namespace = { 'com.docker.stack.namespace': 'blog' };
const fileOf = (name: string) => ({ Name: name, UID: '0', GID: '0', Mode: 0o444 });

/** A secret that holds a password of the account. */
const password = (name: string, labels: ObservedSecret['labels'] = {}): ObservedSecret => ({
  id: `id-${name}`,
  version: 1,
  name,
  labels: { 'understudy.owner': 'mysql-user/blog', 'understudy.secret': 'blog_db', ...labels },
});
const family = [password('blog_db'), password('blog_db-22222222'), password('blog_db-33333333')];

/** A service that finds these at their targets. */
function mounting(
  secrets: Readonly<Record<string, string>>,
  name = 'web',
  more: Partial<SecretReference> = {},
): ServiceSpec {
  const web = service(name);
  const { TaskTemplate: task } = web;
  const Secrets = Object.entries(secrets).map(([target, SecretName]) => ({
    File: fileOf(target),
    SecretName,
    ...more,
  }));
  return { ...web, TaskTemplate: { ...task, ContainerSpec: { ...task.ContainerSpec, Secrets } } };
}

const wanted = (spec: Partial<StackSpec> = {}): Rendered<StackSpec> => ({
  ...unit({ services: { web: mounting({ blog_db: 'blog_db' }) }, ...spec }),
  needs: ['secret:blog_db'],
});

interface Known {
  readonly current?: string;
  readonly earlier?: readonly string[];
}

function swarm(
  mounted: Readonly<Record<string, string>> | undefined,
  { current, earlier = [] }: Known = {},
  parts: Partial<SwarmState> = {},
): StackObserved {
  const seen = observed({
    networks: [blogNetwork],
    secrets: family,
    services: mounted === undefined ? [] : [live(mounting(mounted))],
    ...parts,
  });
  return {
    ...seen,
    generated: new Map(current === undefined ? [] : [['blog_db', current]]),
    earlier: new Map(earlier.map((name) => [name, true])),
  };
}

/** What services are sent to mount: `target: secret`. */
function sent({ operations }: Difference<StackCall>): readonly string[] {
  return operations.flatMap(({ call }) =>
    call.op === 'service-create' || call.op === 'service-update'
      ? (call.body.TaskTemplate.ContainerSpec.Secrets ?? []).map(
          ({ File: file, SecretName }) => `${file?.Name ?? ''}: ${SecretName}`,
        )
      : [],
  );
}

const NOTHING = { operations: [], blocked: [] };
const one = 'blog_db';
const two = 'blog_db-22222222';

describe('a stack that names the password of an account', () => {
  it('mounts the secret that is current, where its file says', () => {
    const stack = wanted({ services: { web: mounting({ 'db/password': 'blog_db' }) } });
    expect(sent(diffStack(stack, swarm(undefined, { current: two })))).toEqual([
      `db/password: ${two}`,
    ]);
  });

  it('is left alone where it mounts that already, under whatever name', () => {
    for (const current of [one, two]) {
      expect(diffStack(wanted(), swarm({ blog_db: current }, { current }))).toEqual(NOTHING);
    }
  });

  it('gets another one when that is current, and shows no more than its name', () => {
    const difference = diffStack(wanted(), swarm({ blog_db: one }, { current: two }));
    expect(sent(difference)).toEqual([`blog_db: ${two}`]);
    const [{ effect, fields } = { effect: 'none', fields: [] }] = difference.operations;
    expect(effect).toBe('restart');
    expect(fields.map(({ observed: before, desired }) => [before, desired])).toEqual([[one, two]]);
  });

  it('keeps what it mounts while no server is seen that says what is current', () => {
    for (const name of [one, two]) {
      expect(diffStack(wanted(), swarm({ blog_db: name }))).toEqual(NOTHING);
    }
  });

  it('keeps at each place what is there', () => {
    const places = { a: one, b: two };
    const stack = wanted({ services: { web: mounting({ a: 'blog_db', b: 'blog_db' }) } });
    const { operations, blocked } = diffStack(stack, swarm(places));
    expect([operations.length, blocked.length]).toEqual([0, 0]);
  });

  it('waits where nobody knows which one it is, also where one has the plain name', () => {
    const difference = diffStack(wanted(), swarm(undefined));
    expect(difference.operations).toEqual([]);
    expect(difference.blocked).toEqual([
      {
        target: 'secret blog_db',
        waits: true,
        why: 'secret blog_db is the password of an account, and no server that is seen now has what any secret of that name holds',
      },
    ]);
    const other = diffStack(wanted(), swarm({ blog_db: 'elsewhere' }));
    expect([other.operations.length, other.blocked.length]).toEqual([0, 1]);
  });

  it('finds it without regard to capitals, as the Swarm has names', () => {
    const stack = wanted({ services: { web: mounting({ x: 'Blog_DB' }) } });
    const seen = swarm(undefined, { current: two }, { secrets: [family[1] ?? password('x')] });
    expect(diffStack({ ...stack, needs: ['secret:Blog_DB'] }, seen).blocked).toEqual([]);
    expect(sent(diffStack(stack, seen))).toEqual([`x: ${two}`]);
  });

  it('has what it needs where the plain name itself is nowhere', () => {
    const seen = swarm(undefined, { current: two }, { secrets: family.slice(1) });
    expect(diffStack(wanted(), seen).blocked).toEqual([]);
    expect(diffStack(wanted(), swarm(undefined, {}, { secrets: [] })).blocked).toHaveLength(1);
  });
});

describe('what is no password of an account', () => {
  it('is mounted by its name, as ever', () => {
    const own = { id: 's', version: 1, name: 'blog_db', labels: {} };
    const seen = swarm(undefined, {}, { secrets: [own] });
    expect(sent(diffStack(wanted(), seen))).toEqual(['blog_db: blog_db']);
  });

  it('is a secret of a stack, whatever labels its file gives it', () => {
    const forged = password('blog_db', namespace);
    const seen = swarm(undefined, {}, { secrets: [forged] });
    expect(seen.families.size).toBe(0);
    expect(sent(diffStack(wanted(), seen))).toEqual(['blog_db: blog_db']);
  });

  it('is what the stack itself makes under that name', () => {
    const driver = { name: 'vault' };
    const own = { name: 'blog_db', labels: namespace, driver };
    const there = { id: 'v', version: 1, name: 'blog_db', labels: namespace, driver };
    const seen = swarm(undefined, { current: two }, { secrets: [there, password(two)] });
    const difference = diffStack(wanted({ secrets: { db: own } }), seen);
    expect(sent(difference)).toEqual(['blog_db: blog_db']);
  });
});

describe('what was worked out before', () => {
  it('does not hide that another password is current', () => {
    const stack = wanted();
    const state = swarm({ blog_db: one }, { current: one });
    expect(diffStack(stack, state)).toEqual(NOTHING);
    const rotated = { ...state, generated: new Map([['blog_db', two]]) };
    expect(sent(diffStack(stack, rotated))).toEqual([`blog_db: ${two}`]);
    expect(diffStack(stack, state)).toEqual(NOTHING);
  });

  it('does not hide that what is mounted opens nothing any more, nor that it is no password any more', () => {
    const seen = swarm({ blog_db: one }, { current: two, earlier: [one] });
    const content = stackRelease(wanted(), seen, 'wanted');
    const release = { digest: 'd', revision: 'r', at: '', content };
    const back = restoreStack('stack/blog', release) ?? unit();
    expect(diffStack(back, seen)).toEqual(NOTHING);
    const closed = { ...seen, earlier: new Map<string, true>() };
    expect(sent(diffStack(back, closed))).toEqual([`blog_db: ${two}`]);
    const stack = wanted({ services: { web: mounting({ x: 'Blog_DB' }) } });
    const mounts = swarm({ x: 'blog_db' });
    expect(diffStack(stack, mounts)).toEqual(NOTHING);
    expect(sent(diffStack(stack, { ...mounts, families: new Map() }))).toEqual(['x: Blog_DB']);
  });

  it('gives whatever was seen before what a fresh unit gets', () => {
    const names = [undefined, ...family.map(({ name }) => name)];
    const seen = fc.record({
      mounted: fc.constantFrom(...names),
      current: fc.constantFrom(...names),
      earlier: fc.subarray(family.map(({ name }) => name)),
      secrets: fc.subarray(family),
    });
    const release: Release = {
      digest: 'd0',
      revision: 'r0',
      at: '',
      content: stackRelease(wanted(), swarm({ blog_db: one }, { current: one }), 'wanted'),
    };
    fc.assert(
      fc.property(fc.array(seen, { minLength: 2, maxLength: 8 }), (looks) => {
        const kept = [wanted(), restoreStack('stack/blog', release) ?? unit()];
        for (const { mounted, current, earlier, secrets } of looks) {
          const known = { ...(current !== undefined && { current }), earlier };
          const at = mounted === undefined ? undefined : { blog_db: mounted };
          const world = swarm(at, known, { secrets });
          const fresh = [wanted(), restoreStack('stack/blog', { ...release }) ?? unit()];
          expect(kept.map((stack) => diffStack(stack, world))).toEqual(
            fresh.map((stack) => diffStack(stack, world)),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is as good as before for a stack that names none', () => {
    const stack = unit();
    const seen = swarm(undefined, { current: one }, { services: [live(service('web'))] });
    const first = diffStack(stack, seen);
    expect(first).toEqual(NOTHING);
    const rotated = { ...seen, generated: new Map([['blog_db', two]]) };
    expect(diffStack(stack, rotated)).toBe(first);
  });
});

describe('a release', () => {
  const at = (mounted: string, known: Known): Release => ({
    digest: 'd1',
    revision: 'r1',
    at: '',
    content: stackRelease(wanted(), swarm({ blog_db: mounted }, known), 'wanted'),
  });
  const restored = (release: Release) => restoreStack('stack/blog', release) ?? unit();

  it('has the plain name and whose password it is, and needs that', () => {
    const release = at(two, { current: two });
    expect(release.content).toMatchObject({ generated: { blog_db: 'mysql-user/blog' } });
    expect(JSON.stringify(release.content)).not.toContain(two);
    expect(restored(release).needs).toContain('secret:blog_db');
  });

  it('leads back to what is current then, and never to a password that opens nothing', () => {
    const back = restored(at(one, { current: one }));
    const seen = swarm({ blog_db: two }, { current: 'blog_db-33333333' });
    expect(sent(diffStack(back, seen))).toEqual(['blog_db: blog_db-33333333']);
    const gone = swarm({ blog_db: two }, { current: two }, { secrets: family.slice(1) });
    expect(diffStack(back, gone)).toEqual(NOTHING);
  });

  it('keeps what is mounted and good still: that it becomes another one is for the attempt to do', () => {
    const back = restored(at(one, { current: one }));
    const seen = swarm({ blog_db: one }, { current: two, earlier: [one] });
    expect(diffStack(back, seen)).toEqual(NOTHING);
    expect(sent(diffStack(wanted(), seen))).toEqual([`blog_db: ${two}`]);
  });

  it('leads back to what had the name and was no password', () => {
    const own = { id: 's', version: 1, name: 'blog_db', labels: {} };
    const before = swarm({ blog_db: 'blog_db' }, {}, { secrets: [own] });
    const content = stackRelease(wanted(), before, 'wanted');
    const back = restored({ digest: 'd', revision: 'r', at: '', content });
    const now = swarm({ blog_db: two }, { current: two }, { secrets: [own, password(two)] });
    expect(sent(diffStack(back, now))).toEqual(['blog_db: blog_db']);
  });
});

describe('a password of an account', () => {
  const mounted = swarm({ blog_db: two }, { current: two });

  it('is no part of a stack: it does not go with one, and nobody keeps it from going', () => {
    expect(stackMembers('stack/blog', mounted).map(({ target }) => target)).toEqual([
      'service blog_web',
      'network blog_default',
    ]);
    expect([stackUsers('stack/blog', mounted), stackSpares(wanted(), mounted)]).toEqual([[], []]);
  });

  it('has its plain name in a file that is written of what runs', () => {
    const { files } = writeBack('blog', mounted);
    const text = Buffer.from(files.get('compose.yaml') ?? []).toString();
    expect(text).not.toContain(two);
    expect(text).toMatch(/secrets:\n {2}blog_db:\n {4}external: true\n$/);
  });
});

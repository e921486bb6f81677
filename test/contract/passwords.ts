import { beforeEach, describe, expect, it } from 'vitest';

import type { Servers } from '../../agent/providers/mysql/servers.ts';
import type { UnitSpec } from '../../agent/render/unit-spec.ts';
import type { Rendered } from '../../agent/core/kind.ts';
import { seal } from '../core/sealed-support.ts';
import { UnitStory } from '../fakes/unit-story.ts';
import { mysql, render } from '../providers/mysql/rendering.ts';

/** A server on which passwords are tried. */
export interface PasswordWorld {
  readonly servers: Pick<Servers, 'observe' | 'call'>;
  /** As the agent's settings name it. */
  readonly name: string;
  /** While it is, nobody reaches the server. */
  away: boolean;
  /** Whether the account of this name can log in with it. */
  opens(password: string, user: string): Promise<boolean>;
}

const COMPOSE = `
services:
  web:
    image: site:1
    secrets: [blog_db]
secrets:
  blog_db:
    external: true
`;

/** What a commit says. */
interface Commit {
  readonly rotate?: string;
  readonly image?: string;
  /** The password is written, in an encrypted file. */
  readonly written?: string;
  readonly user: string;
}

const LOOKS_MAX = 40;
const FILE = 'secrets/blog.sops.yaml';

/** What is rendered of a commit. */
export function rendered({
  rotate,
  image = 'site:1',
  written,
  user,
}: Commit): readonly Rendered<UnitSpec>[] {
  const password =
    written === undefined
      ? '{generate: true, secret: blog_db}'
      : `{fromFile: ${FILE}, key: db, secret: blog_db}`;
  const lines = [`kind: MySQLUser`, `name: ${user}`, `password: ${password}`];
  if (rotate !== undefined) lines.push(`rotate: "${rotate}"`);
  const done = render({
    ...(written !== undefined && seal(FILE, `db: ${written}\n`)),
    ...mysql(`${lines.join('\n')}\n`),
    'stacks/blog/compose.yaml': COMPOSE.replace('site:1', image),
    'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {stableFor: 5s, timeout: 2m}\n',
  });
  const mistakes = done.diagnostics.filter(({ severity }) => severity === 'error');
  if (mistakes.length > 0) throw new Error(JSON.stringify(mistakes));
  return done.units;
}

/** How a password comes to the stack that uses it, and changes there: of any server, with one account a story. */
export function describePasswords(world: () => PasswordWorld): void {
  let count = 0;
  let user: string;
  let story: UnitStory;
  let account: `mysql-user/${string}`;
  beforeEach(() => {
    const { servers, name } = world();
    story = new UnitStory(servers, [name]);
    count += 1;
    user = `blog${String(count)}`;
    account = `mysql-user/${user}`;
  });

  const commit = (more: Omit<Commit, 'user'> = {}): void => {
    story.desired = rendered({ ...more, user });
  };
  /** Looks until that is so. */
  const until = async (isSo: () => Promise<boolean>): Promise<void> => {
    for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
      await story.look();
      if (await isSo()) return;
    }
    throw new Error(
      `it does not come: ${story.calls.join(', ')} ${JSON.stringify(story.failures)}`,
    );
  };
  const opens = async (name: string) => await world().opens(story.valueOf(name), user);
  const stackCalls = () => story.calls.filter((one) => one.startsWith('stack/')).length;
  const failed = () => story.events.filter(({ event }) => event === 'unit failed').length;
  const [first, second] = ['blog_db', /^blog_db-[0-9a-f]{8}$/];
  const onlySecond = () => story.secrets().find((name) => second.test(name)) ?? 'none';

  /** The first password is in use. */
  const begun = async (): Promise<void> => {
    commit();
    await story.rest();
    expect([story.mounts('blog_web'), failed()]).toEqual([[first], 0]);
    story.calls.length = 0;
  };

  it('the account comes first, and the stack mounts what it got', async () => {
    await begun();
    expect(await opens(first)).toBe(true);
    await story.wait(3);
    expect([story.calls, story.secrets()]).toEqual([[], [first]]);
  });

  describe('after a commit that changes `rotate` alone', () => {
    it('the stack is left alone until the account is in place, then it is updated and looked at', async () => {
      await begun();
      commit({ rotate: '2026' });
      const isInPlace = () =>
        story.units.get(account)?.phase === 'none' && story.secrets().length === 2;
      await until(async () => {
        if (isInPlace()) return true;
        expect(stackCalls()).toBe(0);
        expect(story.mounts('blog_web')).toEqual([first]);
        return false;
      });
      await until(async () => stackCalls() > 0);
      expect(story.units.get('stack/blog')?.attempt).toBeDefined();
      expect(story.mounts('blog_web')).toEqual([onlySecond()]);
      // Whatever still runs with the first one may go on.
      expect([await opens(first), await opens(onlySecond())]).toEqual([true, true]);
      await story.rest();
      expect([await opens(first), await opens(onlySecond())]).toEqual([false, true]);
      expect(story.calls.filter((one) => one === 'stack/blog service-update')).toHaveLength(1);
      expect(failed()).toBe(0);
    });

    it('the earlier secret goes once nothing needs it, with the plain name too', async () => {
      await begun();
      commit({ rotate: '2026' });
      await story.rest();
      await story.wait(12);
      // The service still names it as what it was before its last update.
      expect(story.secrets()).toEqual([first, onlySecond()]);
      commit({ rotate: '2026', image: 'site:2' });
      await story.rest();
      await story.wait(12);
      expect([story.secrets(), story.collected]).toEqual([[onlySecond()], [`secret ${first}`]]);
      await story.wait(3);
      expect(await opens(onlySecond())).toBe(true);
      expect(story.mounts('blog_web')).toEqual([onlySecond()]);
    });

    it('nothing is called for anybody once more', async () => {
      await begun();
      commit({ rotate: '2026' });
      await story.rest();
      story.calls.length = 0;
      await story.wait(5);
      expect(story.calls).toEqual([]);
    });
  });

  it('a stack that fails for another cause goes back with a password that is good, and both stay so', async () => {
    await begun();
    story.engine.images.set('site:bad', { endsAfterMs: 100 });
    commit({ rotate: '2026', image: 'site:bad' });
    await story.rest();
    expect(failed()).toBe(1);
    expect(story.image('blog_web')).toBe('site:1');
    expect(story.mounts('blog_web')).toEqual([onlySecond()]);
    await story.wait(12);
    expect([await opens(first), await opens(onlySecond())]).toEqual([true, true]);
    expect(story.secrets()).toEqual([first, onlySecond()]);
    commit({ rotate: '2026', image: 'site:2' });
    await story.rest();
    expect([await opens(first), await opens(onlySecond())]).toEqual([false, true]);
  });

  it('a server that is away changes nothing, also for an agent that knows nothing of before', async () => {
    await begun();
    commit({ rotate: '2026' });
    await story.rest();
    const mounted = story.mounts('blog_web');
    const { servers, name } = world();
    const next = new UnitStory(servers, [name], story);
    story.calls.length = 0;
    world().away = true;
    await story.wait(12);
    await next.wait(12);
    world().away = false;
    expect([story.calls, story.collected, story.mounts('blog_web')]).toEqual([[], [], mounted]);
    expect([next.calls, next.collected]).toEqual([[], []]);
  });

  it('what was made by an agent that died before the server had it goes by itself', async () => {
    await begun();
    commit({ rotate: '2026' });
    let isDead = false;
    const { servers } = world();
    const dying = {
      observe: servers.observe.bind(servers),
      call: async (...asked: Parameters<Servers['call']>) => {
        isDead ||= asked[0].statements.length > 0;
        if (isDead) return { status: 'unknown', why: 'died' } as const;
        return servers.call(...asked);
      },
    };
    const next = new UnitStory(dying, [world().name], story);
    await next.look();
    await next.look();
    const debris = onlySecond();
    expect(isDead && (await opens(debris))).toBe(false);
    await story.rest();
    await story.wait(12);
    expect(story.secrets()).not.toContain(debris);
    expect(await opens(story.mounts('blog_web')[0] ?? '')).toBe(true);
  });

  /** A service that is no stack of ours, and mounts what the stack does. */
  function makeByHand(): void {
    const spec = [...story.engine.services.values()][0]?.spec;
    if (spec === undefined) throw new Error('no service');
    const { Labels: _none, ...rest } = spec;
    const text = JSON.stringify({ ...rest, Name: 'by-hand' });
    const made = story.engine.handle({ method: 'POST', path: '/services/create', query, text });
    expect(made).toMatchObject({ status: 201 });
  }
  const query = new URLSearchParams();

  it('a second rotation ends no password that somebody mounts', async () => {
    await begun();
    makeByHand();
    for (const rotate of ['2026', '2027']) {
      commit({ rotate });
      await story.rest();
      await story.wait(12);
      expect(await opens(first)).toBe(true);
    }
  });

  it('the earlier password stays good as long as somebody mounts it who is no stack of ours', async () => {
    await begun();
    makeByHand();
    commit({ rotate: '2026' });
    await story.rest();
    await story.wait(12);
    expect([await opens(first), await opens(onlySecond())]).toEqual([true, true]);
    const [byHand] = [...story.engine.services.values()].filter(
      (one) => one.spec.Name === 'by-hand',
    );
    const path = `/services/${byHand?.id ?? ''}`;
    expect(story.engine.handle({ method: 'DELETE', path, query, text: '' })).toMatchObject({
      status: 200,
    });
    await story.wait(3);
    expect([await opens(first), await opens(onlySecond())]).toEqual([false, true]);
  });

  describe('that is written in an encrypted file', () => {
    const [old, fresh] = ['CanaryHorse11', 'CanaryHorse22'];

    it('comes to a secret, and to the stack', async () => {
      commit({ written: old });
      await story.rest();
      expect([story.mounts('blog_web'), story.valueOf(first), failed()]).toEqual([[first], old, 0]);
      expect(await opens(first)).toBe(true);
      story.calls.length = 0;
      await story.wait(3);
      expect(story.calls).toEqual([]);
    });

    it('is another secret when it is another one, the stack gets it in its turn, and the earlier one is closed last', async () => {
      commit({ written: old });
      await story.rest();
      commit({ written: fresh });
      let isGood = true;
      await until(async () => {
        isGood &&= await opens(first);
        return stackCalls() === 3;
      });
      expect(isGood).toBe(true);
      expect(story.units.get('stack/blog')?.attempt).toBeDefined();
      await story.rest();
      expect([story.mounts('blog_web'), story.valueOf(onlySecond())]).toEqual([
        [onlySecond()],
        fresh,
      ]);
      expect([await opens(first), await opens(onlySecond()), failed()]).toEqual([false, true, 0]);
    });

    it('is delivered anew where its secret is lost, and the server is told nothing', async () => {
      commit({ written: old });
      await story.rest();
      const spec = [...story.engine.services.values()][0];
      const query = new URLSearchParams();
      const gone = (path: string) =>
        story.engine.handle({ method: 'DELETE', path, query, text: '' });
      const [secret] = [...story.engine.secrets.values()];
      gone(`/services/${spec?.id ?? ''}`);
      expect(gone(`/secrets/${secret?.id ?? ''}`)).toMatchObject({ status: 204 });
      story.calls.length = 0;
      await story.rest();
      expect([story.secrets(), story.mounts('blog_web')]).toEqual([[first], [first]]);
      expect(story.calls).toEqual([`${account} password`, 'stack/blog service-create']);
      expect(await opens(first)).toBe(true);
    });

    it('takes the place of one that was made', async () => {
      await begun();
      commit({ written: fresh });
      await story.rest();
      expect([story.mounts('blog_web'), story.valueOf(onlySecond())]).toEqual([
        [onlySecond()],
        fresh,
      ]);
      expect([await opens(first), await opens(onlySecond())]).toEqual([false, true]);
    });
  });

  it('no event of any of this has a password in it', async () => {
    await begun();
    commit({ rotate: '2026' });
    await story.rest();
    const said = JSON.stringify([story.events, [...story.units], story.failures]);
    for (const name of story.secrets()) expect(said).not.toContain(story.valueOf(name));
  });
}

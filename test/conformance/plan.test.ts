import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { newIdentity, wrap } from '../../agent/age/age.ts';
import { planCommand, type PlanStart, type PlanWatch } from '../../agent/cli/plan.ts';
import type { PlanIo, Sight } from '../../agent/cli/plan-ports.ts';
import { watchPlans } from '../../agent/cli/plan-watch.ts';
import { systemClock } from '../../agent/clock.ts';
import { planIo, sightOn } from '../../agent/planning.ts';
import { noServers as nothingBeside } from '../../agent/planning-servers.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { HEAD_NAME } from '../../agent/record/head.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { type FakeSwarm, startFakeSwarm } from '../fakes/swarm.ts';
import { stackFrom } from '../fakes/rendered-stack.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';
import { directSwarm } from '../fakes/swarm-modem.ts';
import { dataKey, sealedText } from '../core/sops/sops.ts';
import { Repository } from './git-support.ts';

const { signal } = new AbortController();
const template = fileURLToPath(new URL('../../repo-template', import.meta.url));
let top = '';
let work: Repository;
let folder = '';
let first = '';

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'understudy-plan-'));
});
beforeEach(async () => {
  folder = await mkdtemp(join(top, 'case-'));
  await cp(template, folder, { recursive: true });
  work = new Repository(folder);
  first = work.commit('first');
});
afterAll(async () => rm(top, { recursive: true, force: true }));

function io(text: { out: string; err: string }, openSight?: () => Sight) {
  const output = {
    out: (more: string) => void (text.out += more),
    err: (more: string) => void (text.err += more),
    colour: true,
  };
  const real = planIo(output, {}, false);
  return openSight === undefined ? real : { ...real, openSight };
}

const noServers = async () => Promise.resolve(nothingBeside());
const noWatch = async (): Promise<number> => Promise.reject(new Error('nobody watches'));

/** A command that has everything loaded already. */
const started = (opened: PlanIo, watch: PlanWatch): PlanStart => ({
  ...opened,
  load: async () => ({ io: opened, watch }),
});

async function plan(args: readonly string[], openSight?: () => Sight) {
  const text = { out: '', err: '' };
  const code = await planCommand(args, started(io(text, openSight), noWatch), signal);
  return { code, ...text };
}

const page = (title: string): void => work.write('stacks/hello/index.html', `<h1>${title}</h1>\n`);

// Several renderers one after another.
describe('understudy plan --offline', { timeout: 240_000 }, () => {
  const offline = (...args: string[]) => plan([folder, '--offline', '--no-colour', ...args]);

  it('shows for every environment what the work tree changes, and ends as asked', async () => {
    expect(await offline('--from', 'HEAD', '--exit-code')).toMatchObject({ code: 0, err: '' });
    page('Another');
    work.write(
      'environments/production.yaml',
      'kind: Environment\nname: production\nvariables: {IMAGE: nginx:2, PAGES: /p, PORT: 80}\n',
    );
    work.write('stacks/new/compose.yaml', 'services: {web: {image: site:1}}\n');
    const { code, out, err } = await offline('--from', 'HEAD', '--exit-code');
    expect([code, err]).toEqual([4, '']);
    await expect(out.replaceAll(first.slice(0, 10), 'c0ffee0000')).toMatchFileSnapshot(
      '../golden/plan/offline.txt',
    );
    expect((await offline('--from', 'HEAD')).code).toBe(0);
  });

  it('compares two commits without a look at the work tree', async () => {
    page('Two');
    const second = work.commit('second');
    page('not committed');
    work.write('stacks/hello/compose.yaml', 'broken');
    const { code, out } = await offline('--from', first, '--to', second, '--format', 'json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      changes: true,
      from: { revision: first, subject: 'first' },
      to: { revision: second, subject: 'second' },
      environments: [{ environment: 'production', counts: { changed: 1, restarts: 1 } }, {}],
    });
    const same = await offline('--from', second, '--to', 'HEAD', '--exit-code');
    expect(same.code).toBe(0);
    expect(same.out).toContain('no changes');
  });

  it('compares with where the branch began, whatever happened there since', async () => {
    work.git(['update-ref', 'refs/remotes/origin/main', 'main']);
    work.git(['symbolic-ref', 'refs/remotes/origin/HEAD', 'refs/remotes/origin/main']);
    work.git(['checkout', '-q', '-b', 'mine']);
    page('Mine');
    work.commit('mine');
    work.git(['checkout', '-q', 'main']);
    work.write('stacks/theirs/compose.yaml', 'services: {web: {image: site:1}}\n');
    work.commit('theirs');
    work.git(['update-ref', 'refs/remotes/origin/main', 'main']);
    work.git(['checkout', '-q', 'mine']);
    for (const from of [[], ['--from', 'main...'], ['--from', 'origin/main...']]) {
      const { out } = await offline(...from, '--environment', 'production');
      expect(out).toContain('~ stack/hello');
      expect(out).not.toContain('theirs');
    }
    expect((await offline('--from', 'main')).out).toContain('- stack/theirs');
  });

  it('takes the branch that is followed where there is no origin/HEAD', async () => {
    work.git(['update-ref', 'refs/remotes/origin/main', 'main']);
    work.git(['config', 'branch.main.remote', 'origin']);
    work.git(['config', 'branch.main.merge', 'refs/heads/main']);
    work.git(['config', 'remote.origin.url', 'ssh://git@host/x']);
    work.git(['config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*']);
    page('Another');
    expect((await offline()).out).toContain('~ stack/hello');
  });

  it('never prints what is secret', async () => {
    const secret = (value: string): void => {
      work.write('stacks/shop/key.txt', `canary-${value}`);
      work.write(
        'stacks/shop/compose.yaml',
        `services: {web: {image: site:1, secrets: [key], environment: {API_TOKEN: 'canary-${value}'}}}\nsecrets: {key: {file: key.txt}}\n`,
      );
    };
    secret('one');
    work.commit('with a secret');
    secret('two');
    for (const format of ['text', 'json', 'markdown']) {
      const { out } = await offline('--from', 'HEAD', '--format', format);
      expect(out).toContain('secret shop_key');
      expect(out).not.toContain('canary');
    }
  });

  it('compares encrypted files with a key, and says so without one', async () => {
    const key = join(top, 'key');
    const identity = await newIdentity();
    await writeFile(key, identity.key);
    const write = async (word: string): Promise<void> => {
      const wrapped = [
        { recipient: identity.recipient, enc: await wrap(dataKey, identity.recipient) },
      ];
      work.write('stacks/hello/x.env', sealedText('x.env', `WORD=${word}\n`, { wrapped }));
    };
    work.write(
      'stacks/hello/compose.yaml',
      'services: {web: {image: "site:1", env_file: x.env}}\n',
    );
    await write('canary-1');
    work.commit('encrypted');
    await write('canary-1');
    const [open, closed] = [['--age-key-file', key], []];
    const compare = async (more: readonly string[]) => offline('--from', 'HEAD', ...more);
    expect((await compare(open)).out).not.toContain('environment.WORD');
    const unsure = (await compare(closed)).out;
    expect(unsure).toContain(
      '1 encrypted file of 1 stack not opened: only their form was checked; --age-key-file names a key; one that was only encrypted anew shows as changed',
    );
    expect(unsure).not.toContain('ENC[');
    await write('canary-2');
    const changed = (await compare(open)).out;
    expect(changed).toContain('services.web.environment.WORD: [secret]');
    work.write('stacks/hello/compose.yaml', 'services: {web: {image: "site:1"}}\n');
    const gone = (await compare(open)).out;
    expect(gone).toContain('- services.web.environment.WORD: [secret]');
    expect(unsure + changed + gone).not.toMatch(/canary|AGE-SECRET/);
  });

  it('compares what is known of encrypted documents without a key, and all with one', async () => {
    const key = join(top, 'key-of-documents');
    const identity = await newIdentity();
    await writeFile(key, identity.key);
    const enc = await wrap(dataKey, identity.recipient);
    const wrapped = [{ recipient: identity.recipient, enc }];
    const compose = (image: string): string => `services: {web: {image: "${image}"}}\n`;
    const seal = (stack: string, text: string): void => {
      const path = `stacks/${stack}/compose.yaml`;
      work.write(path, sealedText(path, text, { wrapped }));
    };
    seal('hello', compose('canary:1'));
    work.write('stacks/plain/compose.yaml', compose('site:1'));
    work.commit('encrypted documents');
    seal('hello', compose('canary:2'));
    work.write('stacks/plain/compose.yaml', compose('site:2'));
    const closed = await offline('--from', 'HEAD');
    expect(closed.code).toBe((await offline('--from', 'HEAD', '--age-key-file', key)).code);
    expect(closed.out).toContain('stack/hello is encrypted: not compared without the key');
    expect(closed.out).toContain('~ stack/plain');
    expect(closed.out).not.toContain('~ stack/hello');
    const open = await offline('--from', 'HEAD', '--age-key-file', key);
    expect(open.out).toContain('services.web.image: [secret] (changed)');
    expect(open.out).not.toContain('labels');
    expect(closed.out + open.out).not.toContain('canary');
    work.write('stacks/hello/compose.yaml', compose('site:1'));
    work.git(['rm', '-rqf', 'stacks/plain']);
  });

  it('shows the mistakes of an invalid revision in place of a plan', async () => {
    work.write('stacks/hello/compose.yaml', 'services:\n  web:\n    imge: x\n');
    const text = await offline('--from', 'HEAD');
    expect(text.code).toBe(3);
    expect(text.out).toContain('error[unknown-key]');
    expect(text.err).toContain('the work tree is invalid, so there is no plan');
    const comment = await offline('--from', 'HEAD', '--format', 'markdown');
    expect(comment).toMatchObject({ code: 3, err: '' });
    expect(comment.out).toMatch(/^<!-- understudy:plan -->\n### Understudy plan: invalid, /);
    const broken = work.commit('broken');
    page('mended');
    await cp(template, folder, { recursive: true });
    const before = await offline('--from', broken);
    expect(before.code).toBe(3);
    expect(before.err).toContain(`${broken.slice(0, 10)} is invalid`);
  });

  it('tells of an environment that is new, and of one that is gone', async () => {
    await rm(join(folder, 'environments/rehearsal.yaml'));
    work.write(
      'environments/third.yaml',
      'kind: Environment\nname: third\nvariables: {IMAGE: nginx:2, PAGES: /p, PORT: 80}\n',
    );
    const { out } = await offline('--from', 'HEAD');
    expect(out).toContain('environment rehearsal is not there any more');
    expect(out).toMatch(/environment third\n {2}\+ stack\/hello/);
  });

  it('reads a folder below the top of the repository', async () => {
    const inner = join(folder, 'infra');
    await cp(template, inner, { recursive: true });
    work.commit('a folder of its own');
    await writeFile(join(inner, 'stacks/hello/index.html'), 'another');
    const { out } = await plan([inner, '--offline', '--from', 'HEAD', '--no-colour']);
    expect(out).toContain('~ stack/hello');
    const { out: whole } = await plan([inner, '--offline', '--from', first, '--no-colour']);
    expect(whole).toContain('+ stack/hello');
  });

  it.each([
    ['a revision that is not there', ['--from', 'nope'], 'is no commit of the Git repository'],
    ['an option as a revision', ['--from', '--upload-pack=x'], 'ambiguous'],
    ['two lines as a revision', ['--from', 'HEAD\nHEAD'], 'is no commit'],
    ['a tree', ['--from', 'HEAD:stacks'], 'is no commit'],
    ['nothing to compare with', [], 'name the revision to compare with'],
    ['a socket', ['--from', 'HEAD', '--socket', '/x'], '`--socket` and `--offline`'],
  ])('%s is wrong use', async (_, args, why) => {
    const { code, out, err } = await offline(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(why);
  });

  it('is coloured on a terminal only', async () => {
    page('Another');
    expect((await plan([folder, '--offline', '--from', 'HEAD'])).out).toContain('\u001b[');
    expect((await offline('--from', 'HEAD')).out).not.toContain('\u001b[');
  });
});

describe('understudy plan, against the Swarm', () => {
  let swarm: FakeSwarm;
  const live = (...args: string[]) =>
    plan([folder, '--no-colour', '--environment', 'production', ...args], () =>
      sightOn(openSwarm({ socket: swarm.socket }, systemClock), systemClock, noServers),
    );
  beforeEach(async () => {
    swarm = await startFakeSwarm(join(await mkdtemp(join(top, 'swarm-')), 's.sock'));
  });

  it('says what the first agent would do, and writes nothing', async () => {
    const { code, out, err } = await live('--exit-code');
    expect([code, err]).toEqual([4, '']);
    expect(out).toContain('plan of the work tree, on the Swarm as it is now');
    expect(out).toMatch(/\+ stack\/hello\n {6}\+ network hello_front\n {6}\+ config hello_page/);
    expect(swarm.calls.length).toBeGreaterThan(4);
    expect(swarm.writes()).toEqual([]);
    await swarm.close();
  });

  it('leaves out what it cannot open, by name, and never calls it changed', async () => {
    const { key, recipient } = await newIdentity();
    await writeFile(join(top, 'live'), key);
    const wrapped = [{ recipient, enc: await wrap(dataKey, recipient) }];
    work.write('stacks/other/x.env', sealedText('x.env', 'WORD=canary\n', { wrapped }));
    work.write(
      'stacks/other/compose.yaml',
      'services: {web: {image: "site:1", env_file: x.env}}\n',
    );
    const closed = await live();
    expect(closed.out).toContain('--age-key-file names a key; not compared: stack/other\n');
    expect(closed.out).not.toContain('+ stack/other');
    expect(closed.out).toContain('+ stack/hello');
    const open = await live('--age-key-file', join(top, 'live'));
    expect(open.out).toContain('+ stack/other');
    expect(open.out + closed.out).not.toMatch(/canary|AGE-SECRET/);
    await swarm.close();
  });

  it('says that it is not reachable, or no manager', async () => {
    await swarm.close();
    const { code, out, err } = await live();
    expect([code, out]).toEqual([6, '']);
    expect(err).toContain('does not answer');
  });

  it('shows mistakes as validate does', async () => {
    work.write('stacks/hello/compose.yaml', 'services:\n  web:\n    imge: x\n');
    const { code, out } = await live();
    expect(code).toBe(3);
    expect(out).toContain('error[unknown-key]');
    expect(swarm.writes()).toEqual([]);
    await swarm.close();
  });

  it('takes a work tree in which nothing differs from its commit for that commit', async () => {
    await swarm.close();
    const revisions: string[] = [];
    const sight: Sight = {
      look: async () =>
        Promise.resolve({
          status: 'ok',
          value: {
            environment: 'production',
            seen: '',
            isStage: false,
            compareAhead: () => undefined,
            plan: async ({ environment, revision }) => {
              revisions.push(revision);
              return Promise.resolve({ environment, units: [], unchanged: 0, notes: [] });
            },
          },
        }),
      close: () => undefined,
    };
    const planned = () => plan([folder, '--no-colour'], () => sight);
    expect((await planned()).out).toContain('plan of the work tree');
    page('Another');
    await planned();
    work.write('.gitignore', 'x\n');
    work.commit('second');
    work.write('x', 'ignored');
    await planned();
    work.write('stacks/hello/more.txt', 'not committed');
    await planned();
    const second = work.git(['rev-parse', 'HEAD']).trim();
    expect(revisions).toEqual([first, 'folder', second, 'folder']);
  });

  it('asks which environment is meant where nobody knows', async () => {
    const { code, err } = await plan([folder], () =>
      sightOn(openSwarm({ socket: swarm.socket }, systemClock), systemClock, noServers),
    );
    expect(code).toBe(2);
    expect(err).toContain('one of production, rehearsal');
    await swarm.close();
  });
});

describe('understudy plan, where an agent works', () => {
  const stack = (image: string, more = '') =>
    stackFrom('blog', {
      'compose.yaml': `services: {web: {image: '${image}'}}\n`,
      'stack.yaml': `kind: Stack\nhealth: {stableFor: 4s}\n${more}`,
    });

  async function settled(...names: string[]): Promise<WholeAgent> {
    const world = new WholeAgent();
    const others = names.map((name) =>
      stackFrom(name, { 'compose.yaml': 'services: {web: {image: other:1}}\n' }),
    );
    world.commit({ name: 'r1', units: [stack('site:1'), ...others] });
    await world.rest();
    return world;
  }

  async function planned(
    world: WholeAgent,
    units: readonly ReturnType<typeof stack>[],
    rewound = false,
  ) {
    let mutating = 0;
    const swarm = directSwarm(world.engine, (exchange) => {
      mutating += Number(exchange.mutating);
      return 'answered';
    });
    const looked = await sightOn(swarm, world.clock, noServers).look(signal);
    if (looked.status !== 'ok') throw new Error(looked.why);
    const wish = {
      environment: 'test',
      units,
      settings: { intervalMs: 60_000, retryIntervalMs: 10_000, removals: { max: 5, share: 50 } },
      revision: 'r2',
      rewound,
      notes: [],
    };
    const plan = await looked.value.plan(wish, signal);
    expect(mutating).toBe(0);
    return { ...plan, looked: looked.value };
  }

  it('has nothing to say where nothing differs', async () => {
    const world = await settled();
    const { units, unchanged, looked } = await planned(world, [stack('site:1')]);
    expect([units, unchanged]).toEqual([[], 1]);
    expect([looked.environment, looked.seen, looked.isStage]).toEqual(['test', 'r1', false]);
  });

  it('says what the agent then does', async () => {
    const world = await settled();
    const { units } = await planned(world, [stack('site:2')]);
    expect(units).toMatchObject([
      {
        id: 'stack/blog',
        change: 'change',
        operations: [
          { target: 'service blog_web', effect: 'restart', fields: [{ desired: 'site:2' }] },
        ],
      },
    ]);
    expect(units[0]).not.toHaveProperty('held');
    world.commit({ name: 'r2', units: [stack('site:2')] });
    // The first pass asks the registry, and the next one has its answer.
    const writes = [...(await world.passOnce()), ...(await world.passOnce())];
    const calls = writes.filter(({ path }) => !path.startsWith('/configs'));
    expect(calls.map(({ path }) => path.replace(/\/\w{25}\//, '/'))).toEqual(['/services/update']);
  });

  it('holds what waits for another one, with its changes and in a later wave', async () => {
    const world = await settled();
    const after = stackFrom('site', {
      'compose.yaml': 'services: {web: {image: site:1}}\n',
      'stack.yaml': 'kind: Stack\ndependsOn: [stack/blog]\n',
    });
    const { units } = await planned(world, [stack('site:2'), after]);
    expect(units.map(({ id, wave, change, held }) => [id, wave, change, held])).toEqual([
      ['stack/blog', 1, 'change', undefined],
      ['stack/site', 2, 'add', expect.stringContaining('waits for stack/blog')],
    ]);
    expect(units[1]?.operations.map(({ target }) => target)).toContain('service site_web');
  });

  it('says what is held by a freeze, and that there is one', async () => {
    const world = await settled();
    world.freeze({ by: 'root@m1', why: 'the storage is ill' });
    const { units, notes } = await planned(world, [stack('site:2')]);
    expect(units[0]?.held).toContain('the storage is ill');
    expect(units[0]?.operations).toHaveLength(1);
    expect(notes).toEqual([expect.stringContaining('frozen by root@m1')]);
  });

  it('does not plan what failed before', async () => {
    const world = await settled();
    world.engine.images.set('site:crash', { endsAfterMs: 1_500 });
    const bad = stack('site:crash');
    world.commit({ name: 'r2', units: [bad] });
    await world.rest();
    const { units } = await planned(world, [bad]);
    expect(units).toMatchObject([{ change: 'keep', operations: [] }]);
    expect(units[0]?.notes.join()).toContain('understudy retry stack/blog');
  });

  it('shows removals, and holds them after a rewind', async () => {
    const world = await settled('old', 'older');
    const kept = [
      stack('site:1'),
      stackFrom('older', { 'compose.yaml': 'services: {web: {image: other:1}}\n' }),
    ];
    const { units } = await planned(world, kept);
    expect(units).toMatchObject([{ id: 'stack/old', change: 'remove' }]);
    expect(units[0]).not.toHaveProperty('held');
    expect(units[0]?.operations.map(({ target, effect }) => `${target} ${effect}`)).toEqual([
      'service old_web destructive',
      'network old_default destructive',
    ]);
    const rewound = await planned(world, kept, true);
    expect(rewound.units[0]?.held).toContain('understudy approve');
  });

  it('says that a stack is watched anew where only its settings change', async () => {
    const world = await settled();
    const { units } = await planned(world, [stack('site:1', 'rollback: {mode: hold}\n')]);
    expect(units).toMatchObject([{ change: 'keep', notes: [expect.stringContaining('watched')] }]);
  });

  it('writes nothing where nobody has a head, and knows nothing of any record', async () => {
    const world = new WholeAgent();
    const { looked } = await planned(world, [stack('site:1')]);
    expect([looked.environment, looked.seen]).toEqual([undefined, '']);
    expect([...world.engine.configs.values()].filter(({ name }) => name === HEAD_NAME)).toEqual([]);
  });
});

describe('understudy plan --watch', { timeout: 240_000 }, () => {
  /** What was printed, and a wait until it holds something. */
  function screen() {
    const text = { out: '', err: '' };
    let wake = (): void => undefined;
    const opened = {
      ...io(text),
      out: (more: string): void => {
        text.out += more;
        wake();
      },
    };
    const until = async (what: string): Promise<void> => {
      while (!text.out.includes(what)) await new Promise<void>((resolve) => (wake = resolve));
    };
    return { text, opened, until };
  }

  it('plans again with every file that is saved, and shows mistakes meanwhile', async () => {
    const { text, opened, until } = screen();
    const stop = new AbortController();
    const running = planCommand(
      [
        folder,
        '--watch',
        '--offline',
        '--from',
        'HEAD',
        '--no-colour',
        '--environment',
        'production',
      ],
      started(opened, (wanted, to, renderer, ended) =>
        watchPlans(
          wanted,
          {
            io: to,
            renderer,
            openApplier: () => {
              throw new Error('nobody applies');
            },
          },
          ended,
        ),
      ),
      stop.signal,
    );
    await until('no changes');
    page('Another');
    await until('config hello_page');
    work.write('stacks/hello/compose.yaml', 'services:\n  web:\n    imge: x\n');
    await until('error[unknown-key]');
    stop.abort(new Error('stopped by SIGINT'));
    expect(await running).toBe(0);
    expect(text.err).toBe('');
  });

  it.each([
    ['a stage', 'us', 0],
    ['anything else', undefined, 2],
  ])('--apply on %s', async (_, label, expected) => {
    const swarm = await startFakeSwarm(join(await mkdtemp(join(top, 'swarm-')), 's.sock'));
    for (const node of swarm.engine.nodes.values()) {
      if (label !== undefined) node.engineLabels = { 'understudy.rehearsal': label };
    }
    const { opened, until, text } = screen();
    const stop = new AbortController();
    const offered: [string, Snapshot][] = [];
    const applier = {
      offer: (snapshot: Snapshot, where: { environment: string }) =>
        void offered.push([where.environment, snapshot]),
      over: new AbortController().signal,
      ended: async () => Promise.resolve(),
    };
    const running = planCommand(
      [folder, '--watch', '--apply', '--socket', swarm.socket],
      started(opened, (wanted, to, renderer, ended) =>
        watchPlans(wanted, { io: to, renderer, openApplier: () => applier }, ended),
      ),
      stop.signal,
    );
    if (expected === 0) {
      await until('+ stack/hello');
      work.write('stacks/hello/compose.yaml', 'services:\n  web:\n    imge: x\n');
      await until('error[unknown-key]');
      stop.abort(new Error('stopped by SIGINT'));
    }
    expect(await running).toBe(expected);
    // What is invalid is never handed over.
    expect(offered.map(([environment]) => environment)).toEqual(
      expected === 0 ? ['rehearsal'] : [],
    );
    const isRefused = expected === 2;
    expect([text.err.includes('is no rehearsal stage'), text.out === '']).toEqual([
      isRefused,
      isRefused,
    ]);
    expect(swarm.writes()).toEqual([]);
    await swarm.close();
  });

  it('--apply ends when the agent does', async () => {
    const swarm = await startFakeSwarm(join(await mkdtemp(join(top, 'swarm-')), 's.sock'));
    for (const node of swarm.engine.nodes.values()) {
      node.engineLabels = { 'understudy.rehearsal': 'us' };
    }
    const { opened, text } = screen();
    const over = new AbortController();
    let waits = 0;
    const applier = {
      offer: () => over.abort(new Error('its settings are wrong')),
      over: over.signal,
      ended: async () => Promise.resolve(void (waits += 1)),
    };
    const code = await planCommand(
      [folder, '--watch', '--apply', '--socket', swarm.socket],
      started(opened, (wanted, to, renderer, ended) =>
        watchPlans(wanted, { io: to, renderer, openApplier: () => applier }, ended),
      ),
      signal,
    );
    expect([code, waits]).toEqual([1, 1]);
    expect(text.err).toBe('understudy plan: nothing is applied any more: its settings are wrong\n');
    expect(text.out).toContain('+ stack/hello');
    await swarm.close();
  });
});

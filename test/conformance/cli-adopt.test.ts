import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { adoptOn } from '../../agent/adopting.ts';
import { adoptCommand } from '../../agent/cli/adopt.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import { diffStack } from '../../agent/providers/stack/diff.ts';
import { indexState } from '../../agent/providers/stack/observed.ts';
import { stackProvider } from '../../agent/providers/stack/provider.ts';
import { headFormat } from '../../agent/record/head.ts';
import { systemClock } from '../../agent/clock.ts';
import { stackFrom } from '../fakes/rendered-stack.ts';
import { digestKey } from '../fakes/stack.ts';
import { FakeEngine } from '../fakes/swarm-engine.ts';
import { directSwarm, type Fate } from '../fakes/swarm-modem.ts';
import { startFakeSwarm } from '../fakes/swarm.ts';

const { signal } = new AbortController();
const compose = `
services:
  web:
    image: site:1
    environment: {NAME: blog}
    configs: [page]
    secrets: [key]
configs: {page: {file: page.html}}
secrets: {key: {file: key.txt}}
`;
const files = { 'compose.yaml': compose, 'page.html': 'page one\n', 'key.txt': 'canary-4e' };

const SUBNET =
  'not written, because the engine may have chosen it: 10.0.2.0/24 of blog_default; add `ipam` to keep one';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'understudy-adopt-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A Swarm in which the stacks run, as if somebody else had deployed them. */
async function stage(stacks: Readonly<Record<string, Readonly<Record<string, string>>>>) {
  const engine = new FakeEngine();
  const swarm = directSwarm(engine);
  const provider = stackProvider(
    swarm,
    headFormat(() => Buffer.alloc(32)),
  );
  for (const [name, written] of Object.entries(stacks)) {
    const state = await swarm.observe(signal);
    if (state.status !== 'ok') throw new Error(state.why);
    const there = indexState(state.value, digestKey);
    const caller = provider.caller(there);
    for (const { call } of diffStack(stackFrom(name, written), there).operations) {
      const made = await caller.call(call, signal);
      if (made.status !== 'ok') throw new Error(made.why);
    }
  }
  const text = { out: '', err: '' };
  const seen: string[] = [];
  const run = async (line: string, fate: Fate = 'answered', stop = signal): Promise<number> => {
    Object.assign(text, { out: '', err: '' });
    const io = {
      out: (more: string) => void (text.out += more),
      err: (more: string) => void (text.err += more),
      colour: false,
      environment: {},
      open: () =>
        adoptOn(
          directSwarm(engine, ({ method }) => {
            seen.push(method);
            return fate;
          }),
        ),
    };
    return adoptCommand(line.split(' ').filter(Boolean), io, stop);
  };
  return { engine, text, seen, run };
}

const read = async (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

describe('understudy adopt', () => {
  it('prints the Compose file alone, and everything else on the error output', async () => {
    const { run, text, seen } = await stage({ blog: files });
    expect(await run('blog')).toBe(0);
    expect(text.out).toContain('services:\n  web:\n    image: site:1\n');
    expect(text.err).toBe(
      [
        '`--into FOLDER` also writes one file for its configs',
        'note: secret blog_key cannot be read: it stays in the Swarm and is `external` in the file',
        `note: ${SUBNET}`,
        'stack blog is what this file says: there is nothing to do about it',
        '',
      ].join('\n'),
    );
    expect(new Set(seen)).toEqual(new Set(['GET']));
    expect(text.out + text.err).not.toContain('canary');
  });

  it('writes what renders to the stack that runs, and a second time nothing over it', async () => {
    const { run, text } = await stage({ blog: files });
    expect(await run(`stack/blog --into ${folder}`)).toBe(0);
    expect(await readdir(join(folder, 'stacks/blog'), { recursive: true })).toEqual(
      expect.arrayContaining(['compose.yaml', 'configs', 'configs/page']),
    );
    expect(await read('stacks/blog/configs/page')).toBe('page one\n');
    expect(text.err).toBe('');
    expect(text.out).toContain(`wrote ${join(folder, 'stacks/blog/compose.yaml')}\n`);

    await writeFile(join(folder, 'stacks/blog/compose.yaml'), 'mine\n');
    expect(await run(`blog --into ${folder}`)).toBe(1);
    expect(text.err).toContain('stacks/blog/compose.yaml exist and nothing was written');
    expect(await read('stacks/blog/compose.yaml')).toBe('mine\n');

    expect(await run(`blog --into ${folder} --force`)).toBe(0);
    expect(await read('stacks/blog/compose.yaml')).toContain('image: site:1\n');
    expect(
      (await readdir(join(folder, 'stacks/blog'))).filter((name) => /part/.test(name)),
    ).toEqual([]);
  });

  it('shows field by field what the file cannot say, writes it all the same, and ends with 1', async () => {
    const { run, text, engine } = await stage({ blog: files });
    const [web] = engine.services.values();
    if (web === undefined) throw new Error('no service');
    web.spec.TaskTemplate.ContainerSpec['Groups'] = ['wheel\u001b[2J'];
    expect(await run(`blog --into ${folder}`)).toBe(1);
    expect(text.out).toContain('the file cannot say all of what runs');
    expect(text.out).toContain('~ service blog_web (its tasks restart)\n');
    expect(text.out).toContain('- services.web.Groups: ["wheel\\u001b[2J"]\n');
    expect(await read('stacks/blog/compose.yaml')).toContain('image: site:1\n');
  });

  it('gives one JSON object', async () => {
    const { run, text } = await stage({ blog: files });
    expect(await run(`blog --json --into ${folder}`)).toBe(0);
    const bytes = (await read('stacks/blog/compose.yaml')).length;
    expect(JSON.parse(text.out)).toEqual({
      stack: 'blog',
      empty: true,
      files: [
        { path: 'stacks/blog/configs/page', bytes: 9 },
        { path: 'stacks/blog/compose.yaml', bytes },
      ],
      policy: '',
      notes: [
        'secret blog_key cannot be read: it stays in the Swarm and is `external` in the file',
        SUBNET,
      ],
      mistakes: [],
      changes: [],
      blocked: [],
    });
    expect(await run('blog --json')).toBe(0);
    const { files: given } = JSON.parse(text.out);
    expect(Buffer.from(given[0].base64, 'base64').toString()).toBe('page one\n');
  });

  it('knows the stacks that there are', async () => {
    const { run, text } = await stage({ blog: files });
    expect(await run('bog')).toBe(1);
    expect(text.err).toBe(
      'understudy adopt: no service of this Swarm belongs to a stack `bog`: did you mean `blog`?\n',
    );
    expect(await run('other --json')).toBe(1);
    expect(JSON.parse(text.out)).toEqual({
      error: 'no service of this Swarm belongs to a stack `other`: there is blog',
    });
  });

  it.each([
    ['', 'name the stack'],
    ['a b', 'one stack only, not `b` as well'],
    ['mysql/a', '`mysql/a` is not the name of a stack'],
    ['../a', '`../a` is not the name of a stack'],
    ['blog --force', '`--force` belongs to `--into`'],
    ['blog --into /nowhere/at/all', 'there is no folder `/nowhere/at/all`'],
    ['blog --frob', "Unknown option '--frob'"],
  ])('refuses `%s`', async (line, why) => {
    const { run, text } = await stage({});
    expect(await run(line)).toBe(2);
    expect(text.err).toContain(why);
    expect(text.err).toContain('understudy adopt --help says more');
  });

  it('says that the Swarm cannot be reached, and writes nothing', async () => {
    const { run, text } = await stage({ blog: files });
    expect(await run(`blog --into ${folder}`, 'lost')).toBe(6);
    expect(text.err).toContain('understudy adopt: ');
    expect(await readdir(folder)).toEqual([]);
  });

  it('says what the file system says', async () => {
    const { run, text } = await stage({ blog: files });
    await mkdir(join(folder, 'stacks'));
    await writeFile(join(folder, 'stacks/blog'), 'a file');
    expect(await run(`blog --into ${folder}`)).toBe(1);
    expect(text.err).toMatch(/understudy adopt: .*(ENOTDIR|EEXIST)/);
  });

  it('writes through no link: the folder may be somebody’s clone, and root writes', async () => {
    const { run, text } = await stage({ blog: files });
    const elsewhere = join(folder, 'elsewhere');
    await mkdir(elsewhere);
    for (const [link, clone] of [
      ['stacks', 'one'],
      ['stacks/blog', 'two'],
      ['stacks/blog/configs', 'three'],
    ] as const) {
      const into = join(folder, clone);
      await mkdir(join(into, link, '..'), { recursive: true });
      await symlink(elsewhere, join(into, link));
      expect(await run(`blog --into ${into}`)).toBe(1);
      expect(text.err).toContain(`${join(into, link)} is no folder`);
      expect(await readdir(elsewhere)).toEqual([]);
    }
    // A file of that name is replaced, not written through.
    await mkdir(join(folder, 'stacks/blog'), { recursive: true });
    await writeFile(join(elsewhere, 'mine'), 'mine');
    await symlink(join(elsewhere, 'mine'), join(folder, 'stacks/blog/compose.yaml'));
    await symlink(join(elsewhere, 'mine'), join(folder, 'stacks/blog/compose.yaml.part'));
    expect(await run(`blog --into ${folder} --force`)).toBe(0);
    expect(await readFile(join(elsewhere, 'mine'), 'utf8')).toBe('mine');
  });

  it('stops when it is asked to', async () => {
    const { run, text } = await stage({ blog: files });
    expect(await run('blog', 'answered', AbortSignal.abort())).toBe(1);
    expect(text.err).toBe('understudy adopt: stopped\n');
  });

  it('reads every list of a real socket once, and sends nothing else', async () => {
    const socket = join(folder, 'docker.sock');
    const swarm = await startFakeSwarm(socket);
    const text = { out: '', err: '' };
    const io = {
      out: (more: string) => void (text.out += more),
      err: (more: string) => void (text.err += more),
      colour: false,
      environment: { UNDERSTUDY_DOCKER_SOCKET: socket },
      open: (at: string) => adoptOn(openSwarm({ socket: at }, systemClock)),
    };
    try {
      expect(await adoptCommand(['blog'], io, signal)).toBe(1);
      expect(text.err).toContain('there is none');
      expect(new Set(swarm.calls.map(({ method }) => method))).toEqual(new Set(['GET']));
      const paths = swarm.calls.map(({ path }) => path);
      expect(paths.filter((path) => path.endsWith('/services'))).toHaveLength(1);
    } finally {
      await swarm.close();
    }
  });
});

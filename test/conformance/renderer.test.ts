import { spawn } from 'node:child_process';
import { chmod, cp, mkdtemp, readFile, readdir, readlink, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { LineReader } from '../../agent/core/line-reader.ts';
import { Secret } from '../../agent/core/secret.ts';
import { allocatorEnvironment } from '../../agent/flags.mjs';
import { compileCache } from '../../agent/render/compile-cache.ts';
import { ITEMS_A_LINE, LINE_BYTES_MAX } from '../../agent/render/protocol.ts';
import { noNewPrivileges } from '../../agent/render/privileges.ts';
import { openRenderer } from '../../agent/render/renderer.ts';
import type { RendererOptions, UnitRenderer } from '../../agent/render/renderer.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { blobOf, small, snapshotOf } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';
import { stackOf } from '../fakes/stack-of.ts';

const { signal } = new AbortController();
const opened: UnitRenderer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (renderer) => renderer.close()));
});

function open(options: Partial<RendererOptions> = {}): UnitRenderer {
  const renderer = openRenderer({ environment: 'production', clock: systemClock, ...options });
  opened.push(renderer);
  return renderer;
}

const compose = (text: string): Contents => ({ ...small, 'stacks/blog/compose.yaml': text });
const other = compose('services: {web: {image: "nginx:1.30"}}');

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** What a snapshot's `read` does first, the first `times` times. */
function disturbed(contents: Contents, disturb: () => void | Promise<void>, times = 1) {
  const snapshot = snapshotOf(contents);
  let left = times;
  return {
    ...snapshot,
    read: async (blobs: readonly string[], readSignal: AbortSignal) => {
      left -= 1;
      if (left >= 0) await disturb();
      return snapshot.read(blobs, readSignal);
    },
  };
}

async function expectGood(renderer: UnitRenderer, contents: Contents = other): Promise<void> {
  const { diagnostics, units } = await renderer.render(snapshotOf(contents), signal);
  expect(diagnostics).toEqual([]);
  expect(units).toHaveLength(1);
}

describe('a warm child', () => {
  it('renders, and renders again only what changed', async () => {
    const renderer = open();
    const many: Contents = {
      ...small,
      ...Object.fromEntries(
        Array.from({ length: 2 * ITEMS_A_LINE }, (_, site) => [
          `stacks/site${site}/compose.yaml`,
          `services: {web: {image: "ghost:5.${site}"}}`,
        ]),
      ),
    };
    const first = await renderer.render(snapshotOf(many), signal);
    expect(first.diagnostics).toEqual([]);
    expect(first.units).toHaveLength(2 * ITEMS_A_LINE + 1);
    const { pid } = renderer;
    expect(pid).toBeDefined();

    const again = snapshotOf(many, 'b'.repeat(40));
    expect(await renderer.render(again, signal)).toBe(first);
    expect(again.reads).toEqual([]);

    const changed = snapshotOf({ ...many, ...other });
    const second = await renderer.renderFor('production', changed, signal);
    expect(second.work).toEqual({ rendered: 1, kept: 2 * ITEMS_A_LINE });
    expect(changed.reads).toHaveLength(1);
    expect(renderer.pid).toBe(pid);
    // What did not change is the same object as before: it was not sent again.
    const before = new Map(first.units.map((unit) => [unit.id, unit.spec]));
    const same = second.units.filter(({ id, spec }) => before.get(id) === spec);
    expect(same).toHaveLength(2 * ITEMS_A_LINE);
    const blog = second.units.find(({ id }) => id === 'stack/blog');
    expect(stackOf(blog)?.services['web']?.TaskTemplate.ContainerSpec.Image).toBe('nginx:1.30');
  });

  it('says how units change and when, as numbers', async () => {
    const { settings, diagnostics } = await open().render(
      snapshotOf({
        ...small,
        'environments/production.yaml':
          'kind: Environment\nname: production\nrollout: {canary: [stack/blog], pause: 5s}\nwindows: [{cron: 0 2 * * sun, duration: 3h, timeZone: Europe/Berlin}]\n',
      }),
      signal,
    );
    expect(diagnostics).toEqual([]);
    expect(settings.rollout).toMatchObject({ canary: ['stack/blog'], pauseMs: 5_000, atOnce: 50 });
    const cron = { minutes: [0], hours: [2], weekdays: [0] };
    const window = { durationMs: 10_800_000, timeZone: 'Europe/Berlin', stacks: ['*'] };
    expect(settings.windows).toMatchObject([{ ...window, cron }]);
  });

  it('says that a stack is suspended, which is no new version of it: its spec is not sent again', async () => {
    const renderer = open();
    const file = (suspend: boolean): Contents => ({
      ...small,
      'stacks/blog/stack.yaml': `kind: Stack\nsuspend: ${String(suspend)}\n`,
    });
    const units = [];
    for (const contents of [small, file(true), file(false)]) {
      units.push(...(await renderer.render(snapshotOf(contents), signal)).units);
    }
    const [plain, suspended, again] = units;
    expect(units.map((unit) => unit.suspended)).toEqual([undefined, true, undefined]);
    expect([suspended?.digest, again?.digest]).toEqual([plain?.digest, plain?.digest]);
    expect([suspended?.spec, again?.spec]).toEqual([plain?.spec, plain?.spec]);
    expect(suspended?.spec).toBe(plain?.spec);
  });

  it('gives the same as a fresh one', async () => {
    const [warm, fresh] = [open(), open()];
    await warm.render(snapshotOf(small), signal);
    const [one, two] = await Promise.all(
      [warm, fresh].map(async (renderer) => renderer.render(snapshotOf(other), signal)),
    );
    expect(one?.units).toEqual(two?.units);
  });

  it('tells of a new dependency though nothing else of the unit is sent again', async () => {
    const renderer = open();
    const two = { ...small, 'stacks/db/compose.yaml': 'services: {db: {image: "mysql:9"}}' };
    const written = { 'stacks/blog/stack.yaml': 'kind: Stack\ndependsOn: [stack/db]\n' };
    const [before] = (await renderer.render(snapshotOf(two), signal)).units;
    const [after] = (await renderer.render(snapshotOf({ ...two, ...written }), signal)).units;
    expect(before?.dependsOn).toEqual([]);
    expect(after).toEqual({ ...before, dependsOn: ['stack/db'] });
    expect(after?.spec).toBe(before?.spec);
  });

  it('takes one render after another, whoever asks', async () => {
    const renderer = open();
    const results = await Promise.all(
      [small, other, small].map(async (contents) => renderer.render(snapshotOf(contents), signal)),
    );
    expect(
      results.map(
        ({ units }) => stackOf(units[0])?.services['web']?.TaskTemplate.ContainerSpec.Image,
      ),
    ).toEqual(['nginx:1.29', 'nginx:1.30', 'nginx:1.29']);
  });

  it('has no environment, no files, no credentials', async () => {
    const renderer = open();
    await expectGood(renderer);
    const folder = `/proc/${String(renderer.pid)}`;
    // All that it is told is how to keep its memory small, and where its compiled program lies, and that only where root
    // alone may write it.
    const cache = compileCache();
    const told = { ...allocatorEnvironment, ...(cache && { NODE_COMPILE_CACHE: cache }) };
    const words = Object.entries(told).map(([name, value]) => `${name}=${value}\0`);
    expect(await readFile(`${folder}/environ`, 'utf8')).toBe(words.join(''));
    expect(await readlink(`${folder}/cwd`)).toBe('/');
    const targets = await Promise.all(
      (await readdir(`${folder}/fd`)).map(async (fd) =>
        readlink(`${folder}/fd/${fd}`).catch(() => ''),
      ),
    );
    const own = targets.filter(
      (target) => !/^(?:$|socket:|pipe:|anon_inode:|\/dev\/null$)/.test(target),
    );
    expect(own).toEqual([]);
  });

  it('wraps secrets at once', async () => {
    const canary = 'canary-8e1f';
    const contents = {
      ...compose('services: {web: {image: nginx, secrets: [key]}}\nsecrets: {key: {file: key}}\n'),
      'stacks/blog/key': canary,
    };
    const { units, diagnostics } = await open().render(snapshotOf(contents), signal);
    expect(diagnostics).toEqual([]);
    const data = stackOf(units[0])?.secrets['key']?.data;
    expect(data).toBeInstanceOf(Secret);
    expect(data?.reveal()).toBe(Buffer.from(canary).toString('base64'));
    const printed = JSON.stringify(units);
    expect(printed).toContain('[secret]');
    expect(printed).not.toContain(canary);
    expect(printed).not.toContain(Buffer.from(canary).toString('base64'));
  });

  it('passes on what the tree itself gets wrong, and gives no units then', async () => {
    const mistake = {
      severity: 'error',
      code: 'symlink',
      message: 'symbolic links are not followed',
    } as const;
    const renderer = open();
    const snapshot = { ...snapshotOf(small), diagnostics: [mistake] };
    expect(await renderer.render(snapshot, signal)).toMatchObject({
      units: [],
      diagnostics: [mistake],
    });
    await expectGood(renderer);
  });
});

const keys = (count: number): string =>
  Array.from({ length: count }, (_, key) => `  k${key}: 1`).join('\n');

describe('a hostile revision', () => {
  it.each([
    ['depth 1,000 in flow', `x: ${'['.repeat(1000)}${']'.repeat(1000)}`],
    ['depth 100,000 in flow', `x: ${'{a: '.repeat(100_000)}`],
    [
      'depth 1,000 in blocks',
      Array.from({ length: 1000 }, (_, d) => `${' '.repeat(d)}a:`).join('\n'),
    ],
    ['30,000 keys', `services:\n${keys(30_000)}`],
    ['100,000 keys', `services:\n${keys(100_000)}`],
    [
      'an alias bomb',
      `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'.replace(/./g, (n) => `${n}: &${n} [${Array.from({ length: 9 }, () => `*${String.fromCharCode(n.charCodeAt(0) - 1)}`).join()}]\n`)}`,
    ],
    ['an alias to its own parent', 'services: &a {web: *a}'],
    ['a scalar of 900 KB', `x: "${'y'.repeat(900_000)}"`],
    [
      'a prototype',
      '__proto__: {polluted: true}\nservices: {__proto__: {image: nginx}, constructor: {image: nginx}}',
    ],
    [
      'a name for regular expressions',
      `services: {"${'a-'.repeat(5000)}!": {image: "${'a/'.repeat(5000)}:"}}`,
    ],
    [
      'bytes at random',
      Buffer.from(Array.from({ length: 4096 }, (_, at) => (at * 7919) % 256)).toString('latin1'),
    ],
  ])('%s is a mistake in it, and leaves the child as it is', async (_, text) => {
    const renderer = open();
    await expectGood(renderer);
    const { pid } = renderer;
    const { diagnostics, units } = await renderer.render(snapshotOf(compose(text)), signal);
    expect(units).toEqual([]);
    expect(diagnostics.some(({ severity }) => severity === 'error')).toBe(true);
    expect(diagnostics.map(({ code }) => code)).not.toContain('render-failed');
    expect(renderer.pid).toBe(pid);
    await expectGood(renderer, small);
  });

  it('that answers more than allowed is refused, named, and not tried again', async () => {
    const renderer = open({ limits: { outputBytesMax: 100_000 } });
    const big = snapshotOf({
      ...compose('services: {web: {image: nginx, configs: [big]}}\nconfigs: {big: {file: big}}\n'),
      'stacks/blog/big': 'x'.repeat(200_000),
    });
    const { units, diagnostics } = await renderer.render(big, signal);
    expect(units).toEqual([]);
    expect(diagnostics).toMatchObject([
      { code: 'render-failed', message: expect.stringContaining('too large') },
    ]);
    const reads = big.reads.length;
    expect((await renderer.render(big, signal)).diagnostics).toEqual(diagnostics);
    expect(big.reads).toHaveLength(reads);
    await expectGood(renderer);
  });

  it('that needs more memory than allowed ends the child alone, and names the file', async () => {
    const renderer = open({ limits: { heapMib: 40, deadlineMs: 50_000 } });
    const services = Array.from(
      { length: 1500 },
      (_, n) => `  s${n}: {image: nginx, labels: {a: b, c: d, e: f}}`,
    );
    const heavy = Object.fromEntries(
      Array.from({ length: 60 }, (_, n) => [
        `stacks/heavy${n}/compose.yaml`,
        `services:\n${services.join('\n')}\n`,
      ]),
    );
    const { units, diagnostics } = await renderer.render(
      snapshotOf({ ...small, ...heavy }),
      signal,
    );
    expect(units).toEqual([]);
    expect(diagnostics).toMatchObject([
      {
        code: 'render-failed',
        message: expect.stringContaining('out of memory'),
        place: { file: expect.stringMatching(/^stacks\/heavy\d+\/compose\.yaml$/) },
      },
    ]);
    await expectGood(renderer);
  });
});

describe('a child that fails', () => {
  it('killed while idle: the next render starts another', async () => {
    const renderer = open();
    await expectGood(renderer, small);
    const before = renderer.pid ?? 0;
    process.kill(before, 'SIGKILL');
    await expectGood(renderer, other);
    expect(renderer.pid).not.toBe(before);
    expect(alive(before)).toBe(false);
  });

  it('killed once in the middle by somebody: another one takes over at once', async () => {
    const renderer = open();
    const snapshot = disturbed(small, () => void process.kill(renderer.pid ?? 0, 'SIGKILL'));
    const { diagnostics, units } = await renderer.render(snapshot, signal);
    expect(diagnostics).toEqual([]);
    expect(units).toHaveLength(1);
  });

  it('killed again: the revision is refused, and not tried again until its files change', async () => {
    const renderer = open();
    const snapshot = disturbed(small, () => void process.kill(renderer.pid ?? 0, 'SIGKILL'), 9);
    for (let round = 0; round < 3; round += 1) {
      const { diagnostics, units } = await renderer.render(snapshot, signal);
      expect(units).toEqual([]);
      expect(diagnostics).toMatchObject([
        { code: 'render-failed', message: expect.stringContaining('SIGKILL') },
      ]);
    }
    // Two tries in the first round, none later.
    expect(snapshot.reads.length).toBe(2 * new Set(snapshot.reads).size);
    await expectGood(renderer);
  });

  it('stopped in the middle: the deadline ends it, and it is tried once more after five minutes', async () => {
    const clock = new VirtualClock();
    const renderer = open({ clock, limits: { deadlineMs: 10_000 } });
    const snapshot = disturbed(small, () => void process.kill(renderer.pid ?? 0, 'SIGSTOP'), 9);
    const tried = () => snapshot.reads.length;
    const late = { name: 'SourceError', retry: 'soon' };
    const round = async () => {
      const before = tried();
      const state = { done: false };
      const result = renderer.render(snapshot, signal).finally(() => {
        state.done = true;
      });
      result.catch(() => undefined);
      while (!state.done) await clock.advance(tried() === before ? 0 : 100);
      return result;
    };

    await expect(round()).rejects.toMatchObject({
      ...late,
      message: expect.stringMatching(/longer than 10000 ms; it is tried once more after 5 minutes/),
    });
    const once = tried();
    // What it used is read from /proc, which takes real time: when exactly it was over is not known.
    await clock.advance(270_000);
    await expect(round()).rejects.toMatchObject(late);
    expect(tried()).toBe(once);

    await clock.advance(30_000);
    const { diagnostics, units } = await round();
    expect(units).toEqual([]);
    expect(diagnostics).toMatchObject([
      { code: 'render-failed', message: expect.stringContaining('longer than 10000 ms') },
    ]);
    expect(tried()).toBe(2 * once);
    await clock.advance(3_600_000);
    expect((await round()).diagnostics).toEqual(diagnostics);
    expect(tried()).toBe(2 * once);
    await expectGood(renderer);
  });

  it('too late at first and in time then: the revision is good', async () => {
    const clock = new VirtualClock();
    const renderer = open({ clock });
    let stopped = 0;
    const snapshot = disturbed(small, () => {
      stopped = renderer.pid ?? 0;
      process.kill(stopped, 'SIGSTOP');
    });
    const state = { done: false };
    const first = renderer.render(snapshot, signal).finally(() => {
      state.done = true;
    });
    first.catch(() => undefined);
    while (!state.done) await clock.advance(stopped === 0 ? 0 : 100);
    await expect(first).rejects.toMatchObject({ name: 'SourceError' });
    await vi.waitFor(() => expect(alive(stopped)).toBe(false), { timeout: 30_000 });
    await clock.advance(300_000);
    expect((await renderer.render(snapshot, signal)).units).toHaveLength(1);
  });

  it('too late where nobody comes back: it is refused at once', async () => {
    const clock = new VirtualClock();
    const renderer = open({ clock, limits: { secondTryAfterMs: undefined } });
    let stopped = 0;
    const snapshot = disturbed(small, () => {
      stopped = renderer.pid ?? 0;
      process.kill(stopped, 'SIGSTOP');
    });
    const state = { done: false };
    const result = renderer.render(snapshot, signal).finally(() => {
      state.done = true;
    });
    while (!state.done) await clock.advance(stopped === 0 ? 0 : 100);
    expect((await result).diagnostics).toMatchObject([{ code: 'render-failed' }]);
  });

  it.each(['text', 'number', 'type', 'key', 'unit', 'half', 'endless'])(
    'with an answer of the kind %s: it is refused',
    async (word) => {
      const program = fileURLToPath(new URL('../fixtures/renderer/garbage.ts', import.meta.url));
      const renderer = open({ limits: { program } });
      const { units, diagnostics } = await renderer.renderFor(word, snapshotOf(small), signal);
      expect(units).toEqual([]);
      expect(diagnostics).toMatchObject([{ code: 'render-failed' }]);
      expect(renderer.pid).toBeUndefined();
    },
  );

  it('by an error of ours: its name is told, and nothing of its message', async () => {
    const program = fileURLToPath(new URL('../fixtures/renderer/garbage.ts', import.meta.url));
    const renderer = open({ limits: { program } });
    const { diagnostics } = await renderer.renderFor('throw', snapshotOf(small), signal);
    expect(diagnostics[0]?.hint).toMatch(/^it stopped at \w+Error; these files/);
    expect(JSON.stringify(diagnostics)).not.toContain('canary');
  });

  it('before it has read anything: nothing is said of the revision, and it is tried again', async () => {
    const renderer = open({ limits: { program: '/nowhere/child.ts' } });
    for (let round = 0; round < 2; round += 1) {
      await expect(renderer.render(snapshotOf(small), signal)).rejects.toMatchObject({
        name: 'SourceError',
        retry: 'soon',
        message: expect.stringMatching(
          /does not begin: it ended with code 1: Error ERR_MODULE_NOT/,
        ),
      });
    }
  });

  it('not loaded yet: a busy machine has longer than a revision has', async () => {
    const clock = new VirtualClock();
    const program = fileURLToPath(new URL('../fixtures/renderer/silent.ts', import.meta.url));
    const renderer = open({ clock, limits: { program, deadlineMs: 10_000 } });
    const state = { done: false };
    const result = renderer.render(snapshotOf(small), signal).finally(() => {
      state.done = true;
    });
    result.catch(() => undefined);
    await vi.waitFor(() => expect(renderer.pid).toBeDefined(), { timeout: 30_000 });
    await clock.advance(29_000);
    expect(state.done).toBe(false);
    while (!state.done) await clock.advance(100);
    await expect(result).rejects.toMatchObject({
      retry: 'soon',
      message: expect.stringContaining('does not begin: it took longer than 30000 ms'),
    });
  });

  it.each([
    ['there is no Node any more', '', "process.execPath = '/nowhere/node';", /code 127|ENOENT/],
    [
      'no file can be opened any more',
      'ulimit -n 60; ',
      "const { openSync } = await import('node:fs'); try { for (;;) openSync('/dev/null'); } catch {}",
      /EMFILE/,
    ],
  ])('not started, because %s: the same', async (_, before, spoil, why) => {
    const program = `
      import { openRenderer } from '${new URL('../../agent/render/renderer.ts', import.meta.url).href}';
      import { systemClock } from '${new URL('../../agent/clock.ts', import.meta.url).href}';
      const renderer = openRenderer({ environment: 'x', clock: systemClock });
      const snapshot = { revision: '', subject: '', entries: [], diagnostics: [], read: async () => new Map() };
      ${spoil}
      try { await renderer.render(snapshot, new AbortController().signal); console.log('rendered'); }
      catch (error) { console.log(error.name, error.retry, error.message); }
    `;
    const shell = `${before}exec "$0" --input-type=module --eval "$1"`;
    const parent = spawn('/bin/sh', ['-c', shell, process.execPath, program]);
    const said: Buffer[] = [];
    parent.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    await new Promise((resolve) => parent.once('close', resolve));
    const text = Buffer.concat(said).toString();
    expect(text).toMatch(/^SourceError soon the renderer does not begin: /);
    expect(text).toMatch(why);
  });
});

const asRoot = process.getuid?.() === 0;

describe.runIf(asRoot)('started by root, a child', () => {
  const nobody = ['65534', '65534', '65534', '65534'];

  async function statusOf(pid: number): Promise<ReadonlyMap<string, readonly string[]>[]> {
    const tasks = await readdir(`/proc/${pid}/task`);
    return Promise.all(
      tasks.map(async (task) => {
        const text = await readFile(`/proc/${pid}/task/${task}/status`, 'utf8');
        return new Map(
          text.split('\n').map((line) => {
            const [name = '', value = ''] = line.split(':');
            return [name, value.split(/\s+/).filter((word) => word !== '')];
          }),
        );
      }),
    );
  }

  it('is nobody in every thread, without groups, capabilities or a way to new ones', async () => {
    const renderer = open();
    await expectGood(renderer);
    const threads = await statusOf(renderer.pid ?? 0);
    expect(threads.length).toBeGreaterThan(1);
    const privileges = noNewPrivileges().length > 0 ? ['1'] : ['0'];
    for (const status of threads) {
      expect(status.get('Uid')).toEqual(nobody);
      expect(status.get('Gid')).toEqual(nobody);
      expect(status.get('Groups')).toEqual([]);
      for (const set of ['CapPrm', 'CapEff', 'CapInh', 'CapAmb']) {
        expect(status.get(set)).toEqual(['0000000000000000']);
      }
      expect(status.get('NoNewPrivs')).toEqual(privileges);
    }
  });

  it('reads nothing where it cannot give root up, and says what it needs', async () => {
    const program = `
      import { openRenderer } from '${new URL('../../agent/render/renderer.ts', import.meta.url).href}';
      import { systemClock } from '${new URL('../../agent/clock.ts', import.meta.url).href}';
      const renderer = openRenderer({ environment: 'x', clock: systemClock });
      const read = async () => { console.log('read'); return new Map(); };
      const entries = [{ path: 'understudy.yaml', blob: 'a', sizeBytes: 1 }];
      const snapshot = { revision: '', subject: '', entries, diagnostics: [], read };
      try { await renderer.render(snapshot, new AbortController().signal); console.log('rendered'); }
      catch (error) { console.log(error.name, error.retry, error.message); }
    `;
    const without = ['--bounding-set=-setuid,-setgid', '--inh-caps=-setuid,-setgid', '--'];
    const node = [process.execPath, '--input-type=module', '--eval', program];
    const parent = spawn('setpriv', [...without, ...node]);
    const said: Buffer[] = [];
    parent.stdout.on('data', (chunk: Buffer) => said.push(chunk));
    await new Promise((resolve) => parent.once('close', resolve));
    expect(Buffer.concat(said).toString()).toMatch(
      /^SourceError never the renderer .+ cannot give up root: leave it the capabilities .+\n$/,
    );
  });

  it('cannot reach a socket of root', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'understudy-socket-'));
    const server = createServer((socket) => socket.end());
    try {
      await chmod(folder, 0o755);
      const path = join(folder, 'engine.sock');
      await new Promise<void>((resolve) => server.listen(path, resolve));
      const program = fileURLToPath(new URL('../fixtures/renderer/probe.ts', import.meta.url));
      const reach = async () => {
        const renderer = open({ limits: { program } });
        return (await renderer.renderFor(path, snapshotOf(small), signal)).diagnostics[0]?.message;
      };
      await chmod(path, 0o660);
      expect(await reach()).toBe('EACCES');
      // The same socket for everybody: it is the mode that keeps the child out.
      await chmod(path, 0o666);
      expect(await reach()).toBe('connected');
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });

  it('cannot leave another program for those that come after it', async () => {
    const program = fileURLToPath(new URL('../fixtures/renderer/leaver.ts', import.meta.url));
    const renderer = open({ limits: { program } });
    const { diagnostics } = await renderer.render(snapshotOf(small), signal);
    expect(diagnostics[0]?.message).toMatch(/^(?:EACCES|ERR_ACCESS_DENIED)$/);
  });

  it('begins also where nobody but root can read the program, and with the groups of nobody', async () => {
    const top = fileURLToPath(new URL('../..', import.meta.url));
    const folder = await mkdtemp(join(tmpdir(), 'understudy-private-'));
    try {
      await chmod(folder, 0o700);
      const parts = ['agent', 'schemas', 'package.json'];
      const packages = ['zod', 'yaml', 'node-cron'].map((name) => join('node_modules', name));
      for (const part of [...parts, ...packages]) {
        await cp(join(top, part), join(folder, part), { recursive: true });
      }
      const program = `
        import { openRenderer } from '${folder}/agent/render/renderer.ts';
        import { systemClock } from '${folder}/agent/clock.ts';
        import { snapshotOf, small } from '${top}/test/fakes/repository.ts';
        import { readFileSync } from 'node:fs';
        process.setgroups([0, 4, 999]);
        const renderer = openRenderer({ environment: 'production', clock: systemClock });
        const { units } = await renderer.render(snapshotOf(small), new AbortController().signal);
        const status = readFileSync('/proc/' + renderer.pid + '/status', 'utf8');
        console.log(units.length, process.getuid(), /^Groups:(.*)$/m.exec(status)[1].trim());
        await renderer.close();
      `;
      const parent = spawn(process.execPath, ['--input-type=module', '--eval', program]);
      const said: Buffer[] = [];
      for (const stream of [parent.stdout, parent.stderr]) {
        stream.on('data', (chunk: Buffer) => said.push(chunk));
      }
      await new Promise((resolve) => parent.once('close', resolve));
      expect(Buffer.concat(said).toString()).toBe('1 0 \n');
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the one who asks', () => {
  it('may stop asking', async () => {
    const renderer = open();
    const controller = new AbortController();
    const snapshot = disturbed(small, () => controller.abort(new Error('enough')));
    await expect(renderer.render(snapshot, controller.signal)).rejects.toThrow('enough');
    await expectGood(renderer, small);
  });

  it('gets the error of the source, and may ask again', async () => {
    const renderer = open();
    const snapshot = disturbed(small, () => {
      throw new Error('the mirror is gone');
    });
    await expect(renderer.render(snapshot, signal)).rejects.toThrow('the mirror is gone');
    expect((await renderer.render(snapshot, signal)).units).toHaveLength(1);
  });

  it('may not ask a closed renderer, and leaves no child behind', async () => {
    const renderer = open();
    await expectGood(renderer);
    const pid = renderer.pid ?? 0;
    await renderer.close();
    expect(alive(pid)).toBe(false);
    await expect(renderer.render(snapshotOf(small), signal)).rejects.toThrow('closed');
  });

  it('may die: the child ends with it', async () => {
    const program = `
      import { openRenderer } from '${new URL('../../agent/render/renderer.ts', import.meta.url).href}';
      import { systemClock } from '${new URL('../../agent/clock.ts', import.meta.url).href}';
      const renderer = openRenderer({ environment: 'x', clock: systemClock });
      const snapshot = { revision: '', subject: '', entries: [], diagnostics: [], read: async () => new Map() };
      await renderer.render(snapshot, new AbortController().signal);
      console.log(renderer.pid);
      setInterval(() => {}, 1000);
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (chunk: Buffer) => resolve(Number(chunk.toString())));
    });
    expect(alive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 30_000 });
  });
});

it('a child whose agent cannot end it any more ends a render that takes too long by itself', async () => {
  const file = fileURLToPath(new URL('../../agent/render/child.ts', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const contents = compose(`services:\n${keys(19_000)}`);
  const { entries } = snapshotOf(contents);
  const messages = [
    { type: 'begin', environment: 'production', timeLimitMs: 1 },
    { type: 'entries', entries: entries.map((one) => [one.path, one.blob, one.sizeBytes]) },
    {
      type: 'contents',
      contents: Object.values(contents).map((content) => [
        blobOf(content),
        Buffer.from(content).toString('base64'),
      ]),
    },
    { type: 'start' },
  ];
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
  // Its input stays open: it ends all the same.
  expect(await ended).toBe(1);
  expect(Buffer.concat(errors).toString()).toMatch(
    /^crash: Error ERR_SCRIPT_EXECUTION_TIMEOUT child\.ts:\d+\n$/,
  );
});

it('a child that stops at what it was sent says where, and nothing of it', async () => {
  const file = fileURLToPath(new URL('../../agent/render/child.ts', import.meta.url));
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'ignore', 'pipe'] });
  const errors: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  child.stdin.write('{"canary-41fe": \n');
  expect(await ended).toBe(1);
  expect(Buffer.concat(errors).toString()).toMatch(/^crash: SyntaxError child\.ts:\d+\n$/);
});

describe('lines', () => {
  it('are put together whatever the pieces are', () => {
    const bytes = Buffer.from('{"a":"é"}\n\n{"b":"€"}\nrest');
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new LineReader(LINE_BYTES_MAX);
      const lines: string[] = [];
      for (let from = 0; from < bytes.length; from += size) {
        lines.push(...(reader.push(bytes.subarray(from, from + size)) ?? ['too long']));
      }
      expect(lines).toEqual(['{"a":"é"}', '', '{"b":"€"}']);
    }
  });

  it('have a bound', () => {
    const reader = new LineReader(LINE_BYTES_MAX);
    expect(reader.push(Buffer.alloc(LINE_BYTES_MAX, 'x'))).toEqual([]);
    expect(reader.push(Buffer.from('x'))).toBeUndefined();
  });
});

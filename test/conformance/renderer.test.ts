import { spawn } from 'node:child_process';
import { readFile, readdir, readlink } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { afterEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { Secret } from '../../agent/core/secret.ts';
import { ITEMS_A_LINE, LINE_BYTES_MAX, LineReader } from '../../agent/render/protocol.ts';
import { openRenderer } from '../../agent/render/renderer.ts';
import type { RendererOptions, StackRenderer } from '../../agent/render/renderer.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { blobOf, small, snapshotOf } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';

const { signal } = new AbortController();
const opened: StackRenderer[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(async (renderer) => renderer.close()));
});

function open(options: Partial<RendererOptions> = {}): StackRenderer {
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

async function expectGood(renderer: StackRenderer, contents: Contents = other): Promise<void> {
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
    expect(blog?.spec.services['web']?.TaskTemplate.ContainerSpec.Image).toBe('nginx:1.30');
  });

  it('gives the same as a fresh one', async () => {
    const [warm, fresh] = [open(), open()];
    await warm.render(snapshotOf(small), signal);
    const [one, two] = await Promise.all(
      [warm, fresh].map(async (renderer) => renderer.render(snapshotOf(other), signal)),
    );
    expect(one?.units).toEqual(two?.units);
  });

  it('takes one render after another, whoever asks', async () => {
    const renderer = open();
    const results = await Promise.all(
      [small, other, small].map(async (contents) => renderer.render(snapshotOf(contents), signal)),
    );
    expect(
      results.map(({ units }) => units[0]?.spec.services['web']?.TaskTemplate.ContainerSpec.Image),
    ).toEqual(['nginx:1.29', 'nginx:1.30', 'nginx:1.29']);
  });

  it('has no environment, no files, no credentials', async () => {
    const renderer = open();
    await expectGood(renderer);
    const folder = `/proc/${String(renderer.pid)}`;
    expect(await readFile(`${folder}/environ`, 'utf8')).toBe('');
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
    const data = units[0]?.spec.secrets['key']?.data;
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
    const renderer = open({ limits: { heapMib: 32, deadlineMs: 50_000 } });
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

  it('stopped in the middle: the deadline ends it', async () => {
    const clock = new VirtualClock();
    const renderer = open({ clock, limits: { deadlineMs: 10_000 } });
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
    const { diagnostics, units } = await result;
    expect(units).toEqual([]);
    expect(diagnostics).toMatchObject([
      { code: 'render-failed', message: expect.stringContaining('longer than 10000 ms') },
    ]);
    await vi.waitFor(() => expect(alive(stopped)).toBe(false));
    await expectGood(renderer);
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

  it('with a program that is not there: it is told, and tried again', async () => {
    const renderer = open({ limits: { program: '/nowhere/child.ts' } });
    const { diagnostics } = await renderer.render(snapshotOf(small), signal);
    expect(diagnostics).toMatchObject([{ code: 'render-failed' }]);
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
    await vi.waitFor(() => expect(alive(pid)).toBe(false), { timeout: 10_000 });
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
    ...Object.values(contents).map((content) => ({
      type: 'blob',
      blob: blobOf(content),
      data: Buffer.from(content).toString('base64'),
    })),
    { type: 'start' },
  ];
  for (const message of messages) child.stdin.write(`${JSON.stringify(message)}\n`);
  // Its input stays open: it ends all the same.
  expect(await ended).toBe(1);
  expect(Buffer.concat(errors).toString()).toContain('ERR_SCRIPT_EXECUTION_TIMEOUT');
});

describe('lines', () => {
  it('are put together whatever the pieces are', () => {
    const bytes = Buffer.from('{"a":"é"}\n\n{"b":"€"}\nrest');
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new LineReader();
      const lines: string[] = [];
      for (let from = 0; from < bytes.length; from += size) {
        lines.push(...(reader.push(bytes.subarray(from, from + size)) ?? ['too long']));
      }
      expect(lines).toEqual(['{"a":"é"}', '', '{"b":"€"}']);
    }
  });

  it('have a bound', () => {
    const reader = new LineReader();
    expect(reader.push(Buffer.alloc(LINE_BYTES_MAX, 'x'))).toEqual([]);
    expect(reader.push(Buffer.from('x'))).toBeUndefined();
  });
});

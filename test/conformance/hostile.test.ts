import { readdir, readFile } from 'node:fs/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../agent/clock.ts';
import { formatText } from '../../agent/core/format.ts';
import type { Diagnostic } from '../../agent/core/diagnostic.ts';
import type { Snapshot } from '../../agent/core/snapshot.ts';
import { follow } from '../../agent/reconcile/follow.ts';
import { Looks } from '../../agent/reconcile/looks.ts';
import { Wake } from '../../agent/reconcile/wake.ts';
import type { AgentEvent } from '../../agent/reconcile/ports.ts';
import { openRenderer } from '../../agent/render/renderer.ts';
import { TreeListing } from '../../agent/source/tree.ts';
import { blobOf, snapshotOf } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';
import { WholeAgent } from '../fakes/whole-agent.ts';

/** A machine that is busy is no mistake of the revision. */
const patient = {
  environment: 'production',
  clock: systemClock,
  limits: { deadlineMs: 50_000 },
} as const;

/** One file that Git lists, whatever its name and mode. */
interface Listed {
  readonly path: string | Buffer;
  readonly mode?: string;
}

/** What is wrong with a revision, and what is said of it. */
interface Poison {
  readonly files?: Contents;
  /** Beside the files: what cannot be written as a path and its content. */
  readonly listed?: readonly Listed[];
  readonly code: string;
  readonly file: string;
  readonly line?: number;
}

const COMPOSE = 'stacks/blog/compose.yaml';
const blog = (image: string): string => `services:
  web:
    image: ${image}
    configs: [page]
    secrets: [key]
    networks: [own]
networks: {own: }
configs: {page: {file: page.txt}}
secrets: {key: {file: key.txt}}
`;
/** A good commit: two stacks, so that one of them could be lost. */
const good = (image: string): Contents => ({
  'understudy.yaml': 'version: 1\n',
  'environments/production.yaml': 'kind: Environment\nname: production\n',
  [COMPOSE]: blog(image),
  'stacks/blog/stack.yaml': 'kind: Stack\nprune: true\nhealth: {stableFor: 4s}\n',
  'stacks/blog/page.txt': 'hello',
  'stacks/blog/key.txt': 'a key',
  'stacks/shop/compose.yaml': 'services: {web: {image: "site:1"}}\n',
});

/** The tree of a commit as Git would list it, read as the agent reads it. */
function committed(files: Contents, listed: readonly Listed[], revision: string): Snapshot {
  const whole = snapshotOf(files, revision);
  const lines = [
    ...whole.entries.map(({ path, blob, sizeBytes }) => ({
      path,
      mode: '100644',
      blob,
      sizeBytes,
    })),
    ...listed.map(({ path, mode = '100644' }) => ({ path, mode, blob: blobOf('x'), sizeBytes: 1 })),
  ];
  const limits = { filesMax: 50_000, bytesMax: 512 * 2 ** 20, fileBytesMax: 2 ** 20 };
  const tree = new TreeListing(limits);
  for (const { path, mode, blob, sizeBytes } of lines) {
    const type = mode === '160000' ? 'commit' : 'blob';
    tree.push(
      Buffer.concat([
        Buffer.from(`${mode} ${type} ${blob} ${sizeBytes}\t`),
        Buffer.from(path),
        Buffer.from([0]),
      ]),
    );
  }
  return { ...whole, ...tree.finish() };
}

const lines = (count: number, line: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');
const inCompose = (text: string | Uint8Array, code: string, line = 1): Poison => ({
  files: { [COMPOSE]: text },
  code,
  file: COMPOSE,
  line,
});
const web = (more: string): string => `services:\n  web:\n    image: x\n    ${more}\n`;
const config = (file: string): string =>
  `configs: {c: {file: ${JSON.stringify(file)}}}\nservices: {web: {image: x, configs: [c]}}\n`;
const utf16 = (text: string): Uint8Array =>
  Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
const bomb = 'bcdefghi'.replaceAll(
  /./g,
  (n) =>
    `${n}: &${n} [${lines(9, () => `*${String.fromCharCode(n.charCodeAt(0) - 1)}`).replaceAll('\n', ',')}]\n`,
);

const poisons: Readonly<Record<string, Poison>> = {
  'a billion laughs': inCompose(`a: &a [${'x,'.repeat(9)}]\n${bomb}`, 'too-large', 5),
  'a chain of merges': inCompose(
    `a0: &a0 {k: 1}\n${lines(3000, (n) => `a${n + 1}: &a${n + 1} {<<: *a${n}, k${n}: 1}`)}\n`,
    'too-large',
    201,
  ),
  'nesting in flow': inCompose(`x: ${'['.repeat(1000)}${']'.repeat(1000)}`, 'too-large'),
  'nesting in flow that never ends': inCompose(`x: ${'{a: '.repeat(100_000)}`, 'too-large'),
  'nesting in blocks': inCompose(
    lines(1000, (d) => `${' '.repeat(d)}a:`),
    'too-large',
    66,
  ),
  '100,000 keys': inCompose(`services:\n${lines(100_000, (n) => `  k${n}: 1`)}`, 'too-large', 1),
  'a huge scalar': inCompose(`x: "${'y'.repeat(1_100_000)}"`, 'too-large'),
  'variables that grow': {
    files: {
      [COMPOSE]: web(`command: "${'$A'.repeat(50_000)}"`),
      'environments/production.yaml': `kind: Environment\nname: production\nvariables: {A: ${'x'.repeat(10_000)}}\n`,
    },
    code: 'too-large',
    file: COMPOSE,
    line: 4,
  },
  'a duplicate key': inCompose(web('image: y'), 'duplicate-key', 4),
  'an alias to its parent': inCompose('services: &a {web: *a}', 'alias-loop'),
  'a tag of a language': inCompose(web('command: !!js/function "x"'), 'unknown-tag', 4),
  'a tag of its own': inCompose(web('command: !secret x'), 'unknown-tag', 4),
  'a directive': inCompose(`%YAML 1.1\n---\n${web('command: x')}`, 'directive'),
  'two documents': inCompose(`${web('command: x')}---\n{}\n`, 'conflict', 6),
  nothing: inCompose('', 'missing-document'),
  'nothing but a comment': inCompose('# all gone\n', 'missing-document'),
  'bytes that are not UTF-8': inCompose(
    Buffer.from([0x61, 0x3a, 0x20, 0xff, 0xfe, 0x0a]),
    'syntax',
  ),
  'UTF-16': inCompose(utf16(blog('site:2')), 'syntax'),
  'a zero byte': inCompose('services:\n  web: {image: "x\0y"}\n', 'syntax', 2),
  '`__proto__` as a service': inCompose('services:\n  __proto__: {image: x}\n', 'key-type', 2),
  '`__proto__` as a variable of a service': inCompose(
    web('environment: {__proto__: x}'),
    'key-type',
    4,
  ),
  '`__proto__` as a label': inCompose(web('labels: {__proto__: x}'), 'key-type', 4),
  '`__proto__` as a label of the service': inCompose(
    web('deploy: {labels: {__proto__: x}}'),
    'key-type',
    4,
  ),
  '`__proto__` as a config': inCompose('configs: {__proto__: {file: x}}\n', 'key-type'),
  '`__proto__` as a network': inCompose('networks: {__proto__: }\n', 'key-type'),
  '`__proto__` as a variable': {
    files: {
      'environments/production.yaml':
        'kind: Environment\nname: production\nvariables: {__proto__: x}\n',
    },
    code: 'key-type',
    file: 'environments/production.yaml',
    line: 3,
  },
  'a config of a parent folder': inCompose(config('../../../etc/passwd'), 'path-outside'),
  'a config by an absolute path': inCompose(config('/etc/passwd'), 'path-outside'),
  'a config by a path of Windows': inCompose(config('..\\..\\etc\\passwd'), 'missing-file'),
  'a config with a zero byte in its name': inCompose(config('page.txt\0.png'), 'missing-file'),
  'a config with an escaped parent': inCompose(config('%2e%2e/%2e%2e/x'), 'missing-file'),
  'a config of a home folder': inCompose(config('~/x'), 'missing-file'),
  'a config with a very long name': inCompose(config('a/'.repeat(100_000)), 'missing-file'),
  'a config by an address': inCompose(config('https://example.org/x'), 'missing-file'),
  'an env_file of a parent folder': inCompose(
    web('env_file: ../../../proc/self/environ'),
    'path-outside',
    4,
  ),
  'an include': inCompose('include: ["oci://example.org/x"]\n', 'unsupported-key'),
  'an extends': inCompose(web('extends: {file: ../../x.yaml, service: y}'), 'unsupported-key', 4),
  'a file of `files` outside': {
    files: { 'stacks/blog/stack.yaml': 'kind: Stack\nfiles: [../shop/compose.yaml]\n' },
    code: 'wrong-value',
    file: 'stacks/blog/stack.yaml',
    line: 2,
  },
  'a pattern of many stars': {
    files: {
      'environments/production.yaml': `kind: Environment\nname: production\nstacks:\n  include: ["${'b*'.repeat(100_000)}x"]\n`,
    },
    code: 'wrong-value',
    file: 'environments/production.yaml',
    line: 4,
  },
  'a text for a search that never ends': {
    files: {
      'stacks/blog/stack.yaml': `kind: Stack\nhealth:\n  checks:\n    - {name: a, http: {url: "http://example.org", contains: "${'(a+)+$'.repeat(1000)}"}}\n`,
    },
    code: 'wrong-value',
    file: 'stacks/blog/stack.yaml',
    line: 4,
  },
  'a name for regular expressions': inCompose(
    `services:\n  "${'a-'.repeat(5000)}!": {image: x}\n`,
    'syntax',
    2,
  ),
  'a name that paints the terminal': inCompose(
    'services:\n  "a\\e[2J\\e]0;x\\a": {image: x}\n',
    'wrong-name',
    2,
  ),
  'an unknown key that turns the text around': inCompose(
    web('"\\u202Egnissim": x'),
    'unknown-key',
    4,
  ),
  'a stack that differs in case alone': {
    files: { 'stacks/Blog/compose.yaml': blog('x') },
    code: 'name-conflict',
    file: 'stacks/blog/compose.yaml',
  },
  'a symbolic link as a file': {
    listed: [{ path: 'stacks/blog/extra.txt', mode: '120000' }],
    code: 'symlink',
    file: 'stacks/blog/extra.txt',
  },
  'a symbolic link as a folder': {
    listed: [{ path: 'stacks/new', mode: '120000' }],
    code: 'symlink',
    file: 'stacks/new',
  },
  'a submodule': {
    listed: [{ path: 'vendor', mode: '160000' }],
    code: 'submodule',
    file: 'vendor',
  },
  'a path to a parent': { listed: [{ path: '../x.yaml' }], code: 'wrong-name', file: '../x.yaml' },
  'an absolute path': {
    listed: [{ path: '/etc/x.yaml' }],
    code: 'wrong-name',
    file: '/etc/x.yaml',
  },
  'a name with a carriage return': {
    listed: [{ path: 'stacks/blog/x\r' }],
    code: 'wrong-name',
    file: 'stacks/blog/x\\x0d',
  },
  'a name that is not UTF-8': {
    listed: [{ path: Buffer.from([0x78, 0xff]) }],
    code: 'wrong-name',
    file: 'x\u00ff',
  },
  'a very long name': { listed: [{ path: `a/${'x'.repeat(9000)}` }], code: 'too-large', file: '' },
};

/** Follows a repository that the test commits to, with the real renderer, and hands what is valid to a whole agent. */
class Scene {
  readonly world = new WholeAgent();
  readonly renderer = openRenderer(patient);
  readonly #stop = new AbortController();
  readonly #wake = new Wake(systemClock);
  #snapshot = committed(good('site:1'), [], 'r0');
  #told: (event: AgentEvent) => void = () => undefined;
  #following: Promise<void> | undefined;

  async begin(): Promise<void> {
    const published = this.#next();
    this.#following = follow(
      {
        source: {
          newest: async () => Promise.resolve(this.#snapshot),
          at: async () => Promise.resolve(undefined),
          descends: async () => Promise.resolve(true),
          close: async () => Promise.resolve(),
        },
        renderer: this.renderer,
        clock: systemClock,
        reporter: { tell: (event) => this.#told(event) },
        wake: this.#wake,
        looks: new Looks({ wake: this.#wake, sourceWake: this.#wake }),
        publish: ({ revision, units, behind }) => {
          // As a lost place in the record: what is behind is only shown.
          if (behind === undefined) this.world.commit({ name: revision, units });
        },
        confirm: () => this.#told({ event: 'going on', of: 'repository' }),
        lastSeen: async () => Promise.resolve(undefined),
      },
      this.#stop.signal,
    );
    await published;
    await this.world.rest();
  }

  /** Until the revision is judged; gives what is wrong with it. */
  async push(snapshot: Snapshot): Promise<readonly Diagnostic[]> {
    this.#snapshot = snapshot;
    const judged = this.#next();
    this.#wake.ring();
    return judged;
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#following;
    await this.renderer.close();
  }

  async #next(): Promise<readonly Diagnostic[]> {
    return new Promise((resolve) => {
      this.#told = (event) => {
        if (event.event === 'revision invalid') resolve(event.diagnostics);
        if (event.event === 'going on') resolve([]);
      };
    });
  }

  /** All that runs, without what the record is kept in. */
  state(): unknown {
    const { services, networks, configs, secrets } = this.world.engine;
    return structuredClone(
      [services, networks, configs, secrets].map((all) =>
        [...all.values()].filter((one) => !JSON.stringify(one).includes('"understudy.')),
      ),
    );
  }
}

describe('a poisoned commit', () => {
  const scene = new Scene();
  let count = 0;
  beforeAll(async () => scene.begin());
  afterAll(async () => scene.end());

  it.each(Object.entries(poisons))(
    '%s',
    async (_, { files = {}, listed = [], code, file, line }) => {
      count += 1;
      const { world, renderer } = scene;
      const [before, writes, { pid }] = [scene.state(), world.writes.length, renderer];

      const poison = committed({ ...good(`site:${count}`), ...files }, listed, `poison${count}`);
      const diagnostics = await scene.push(poison);

      const errors = diagnostics.filter(({ severity }) => severity === 'error');
      const shown = errors.map(({ code: is, place }) => [
        is,
        place?.file ?? '',
        ...(line === undefined ? [] : [place?.line]),
      ]);
      expect(shown).toContainEqual([code, file, ...(line === undefined ? [] : [line])]);
      expect(errors.map((one) => one.code)).not.toContain('render-failed');
      expect(errors.length).toBeLessThan(110);
      // Nothing of it can move the cursor, turn the text around, or end a line.
      expect(formatText(diagnostics, { colour: false })).not.toMatch(
        /[^\P{C}\n]|[\u200b-\u200f\u202a-\u202e]/u,
      );
      expect(renderer.pid).toBe(pid);

      await world.rest();
      expect(world.writes.length).toBe(writes);
      expect(scene.state()).toEqual(before);

      const image = `site:good${count}`;
      expect(await scene.push(committed(good(image), [], `good${count}`))).toEqual([]);
      await world.rest();
      const images = [...world.engine.services.values()].map(
        ({ spec }) => spec.TaskTemplate.ContainerSpec.Image,
      );
      expect(images.toSorted()).toEqual(['site:1', image].toSorted());
      expect(Object.getOwnPropertyNames(Object.prototype)).not.toContain('polluted');
    },
  );
});

describe('what is no poison', () => {
  it.each<[string, string | Uint8Array]>([
    ['a byte order mark', `\ufeff${blog('site:2')}`],
    ['line ends of Windows', blog('site:2').replaceAll('\n', '\r\n')],
    [
      'names that every object has',
      `services: {constructor: {image: x, environment: {toString: "1", constructor: "2"}, labels: {valueOf: a}, configs: [hasOwnProperty], secrets: [isPrototypeOf]}}\nconfigs: {hasOwnProperty: {file: page.txt}}\nsecrets: {isPrototypeOf: {file: key.txt}}\n`,
    ],
  ])('%s', async (_, text) => {
    const renderer = openRenderer(patient);
    const { signal } = new AbortController();
    const { units, diagnostics } = await renderer.render(
      committed({ ...good('x'), [COMPOSE]: text }, [], 'r'),
      signal,
    );
    await renderer.close();
    expect(diagnostics).toEqual([]);
    expect(units).toHaveLength(2);
  });
});

it('only the child parses what the repository holds', async () => {
  const files = (await readdir('agent', { recursive: true })).filter((file) =>
    file.endsWith('.ts'),
  );
  const users: string[] = [];
  for (const file of files) {
    const text = await readFile(`agent/${file}`, 'utf8');
    if (
      /import \{[^}]*\b(?:renderRepository|stackFolders|renderStack|renderCompose|readRepository|readEnvironment)\b/.test(
        text,
      )
    )
      users.push(file);
  }
  expect(users.toSorted()).toEqual([
    'core/repository.ts',
    // What `adopt` itself wrote of a Swarm, in a process of its own: nothing of a repository.
    'providers/stack/compose-back/proof.ts',
    'providers/stack/render.ts',
    'render/child.ts',
  ]);
});

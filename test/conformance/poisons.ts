import type { Snapshot } from '../../agent/core/snapshot.ts';
import { TreeListing } from '../../agent/source/tree.ts';
import { blobOf, snapshotOf } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';

/** One file that Git lists, whatever its name and mode. */
interface Listed {
  readonly path: string | Buffer;
  readonly mode?: string;
}

/** What is wrong with a revision, and what is said of it. */
export interface Poison {
  readonly files?: Contents;
  /** Beside the files: what cannot be written as a path and its content. */
  readonly listed?: readonly Listed[];
  readonly code: string;
  readonly file: string;
  readonly line?: number;
}

export const COMPOSE = 'stacks/blog/compose.yaml';
export const blog = (image: string): string => `services:
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
export const good = (image: string): Contents => ({
  'understudy.yaml': 'version: 1\n',
  'environments/production.yaml': 'kind: Environment\nname: production\n',
  [COMPOSE]: blog(image),
  'stacks/blog/stack.yaml': 'kind: Stack\nprune: true\nhealth: {stableFor: 4s}\n',
  'stacks/blog/page.txt': 'hello',
  'stacks/blog/key.txt': 'a key',
  'stacks/shop/compose.yaml': 'services: {web: {image: "site:1"}}\n',
});

/** The tree of a commit as Git would list it, read as the agent reads it. */
export function committed(files: Contents, listed: readonly Listed[], revision: string): Snapshot {
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

export const poisons: Readonly<Record<string, Poison>> = {
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

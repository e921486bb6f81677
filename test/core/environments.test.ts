import { describe, expect, it } from 'vitest';

import type { Memo } from '../../agent/core/folder-kind.ts';
import { renderRepository } from '../../agent/core/repository.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import { filesOf } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';

const stack = (more = ''): string => `services:\n  web:\n    image: "nginx:1"\n${more}`;

const base: Contents = {
  'understudy.yaml': 'version: 1\n',
  'environments/production.yaml': 'kind: Environment\nname: production\n',
  'environments/staging.yaml': 'kind: Environment\nname: staging\n',
  'stacks/blog/compose.yaml': stack(),
  'stacks/shop/compose.yaml': stack(),
};

function render(more: Contents, name = 'production', memo: Memo<StackSpec> = new Map()) {
  const ports = { kind: stackFolders, memo, readCron };
  const outcome = renderRepository(filesOf({ ...base, ...more }), name, ports);
  if (outcome.status === 'incomplete') throw new Error('incomplete');
  return outcome;
}

const shown = (more: Contents, name?: string): readonly string[] =>
  render(more, name).diagnostics.map(({ severity, code, place, hint }) =>
    `${severity} ${code} ${place?.file ?? ''}:${place?.line ?? 0} ${hint ?? ''}`.trim(),
  );

const names = (more: Contents, name?: string): readonly string[] =>
  render(more, name).units.map(({ id }) => id);

const production = (more: string): Contents => ({
  'environments/production.yaml': `kind: Environment\nname: production\n${more}`,
});

const unitOf = (more: Contents, name?: string): StackSpec => {
  const { units, diagnostics } = render(more, name);
  expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const spec = units.find(({ id }) => id === 'stack/blog')?.spec;
  if (spec === undefined) throw new Error('no unit');
  return spec;
};

const imageOf = (more: Contents, name?: string): string | undefined =>
  unitOf(more, name).services['web']?.TaskTemplate.ContainerSpec.Image;

describe('which stacks an environment has', () => {
  it.each<[string, string, readonly string[]]>([
    ['all', '', ['stack/blog', 'stack/shop']],
    ['those that are included', 'stacks: {include: [b*]}\n', ['stack/blog']],
    ['without those that are excluded', 'stacks: {exclude: [blog]}\n', ['stack/shop']],
    ['exclude wins', 'stacks: {include: ["*"], exclude: ["*g"]}\n', ['stack/shop']],
    ['nothing written is all', 'stacks: {}\n', ['stack/blog', 'stack/shop']],
  ])('%s', (_, text, expected) => {
    expect(names(production(text))).toEqual(expected);
    // Another environment is another matter.
    expect(names(production(text), 'staging')).toEqual(['stack/blog', 'stack/shop']);
  });

  it('one that is left out is not read: what is wrong in it counts where it is had', () => {
    const broken = { 'stacks/shop/compose.yaml': stack('    bogus: x\n') };
    expect(names({ ...broken, ...production('stacks: {exclude: [shop]}\n') })).toEqual([
      'stack/blog',
    ]);
    expect(shown(broken)).toEqual(['error unknown-key stacks/shop/compose.yaml:4']);
  });

  it('one that is left out is forgotten, and comes back', () => {
    const memo: Memo<StackSpec> = new Map();
    render({}, 'production', memo);
    render(production('stacks: {exclude: [shop]}\n'), 'production', memo);
    expect([...memo.keys()]).toEqual(['blog']);
    expect(render({}, 'production', memo).units).toHaveLength(2);
  });

  it.each<[string, string, readonly string[]]>([
    [
      'a pattern that fits nothing is a warning with a guess',
      'stacks:\n  include:\n    - "*"\n    - blogg\n  exclude: [x-*]\n',
      [
        'warning unmatched-pattern environments/production.yaml:6 did you mean `blog`?',
        'warning unmatched-pattern environments/production.yaml:7',
      ],
    ],
    [
      'none at all would remove everything',
      'stacks:\n  exclude: ["*"]\n',
      ['error missing-document environments/production.yaml:3 include at least one'],
    ],
    [
      'neither is an empty list all',
      'stacks: {include: []}\n',
      ['error missing-document environments/production.yaml:3 include at least one'],
    ],
  ])('%s', (_, text, expected) => expect(shown(production(text))).toEqual(expected));

  it('a mistake in `stacks` is told once and leaves nobody out', () => {
    expect(shown(production('stacks: {include: [1]}\n'))).toEqual([
      expect.stringContaining('error wrong-'),
    ]);
  });

  it('what depends on a stack that is left out says where and why', () => {
    const depends = { 'stacks/blog/stack.yaml': 'kind: Stack\ndependsOn:\n  - stack/shop\n' };
    const [mistake, ...others] = render({
      ...depends,
      ...production('stacks: {exclude: [shop]}\n'),
    }).diagnostics;
    expect(others).toEqual([]);
    expect(mistake).toMatchObject({
      code: 'undefined-unit',
      message: 'the environment `production` does not have `stack/shop`',
      place: { file: 'stacks/blog/stack.yaml', line: 3 },
      hint: expect.stringContaining('environments/production.yaml leaves it out'),
    });
    expect(names(depends, 'staging')).toHaveLength(2);
  });
});

describe('the file of one environment', () => {
  const overlay = { 'stacks/blog/compose.production.yaml': stack().replace('nginx:1', 'nginx:2') };

  it('lies over compose.yaml there, and nowhere else', () => {
    expect(imageOf(overlay)).toBe('nginx:2');
    expect(imageOf(overlay, 'staging')).toBe('nginx:1');
  });

  it('counts as soon as it is there, and until it is gone', () => {
    const memo: Memo<StackSpec> = new Map();
    const digest = (more: Contents) => render(more, 'production', memo).units[0]?.digest;
    const [first, second, third] = [digest({}), digest(overlay), digest({})];
    expect(second).not.toBe(first);
    expect(third).toBe(first);
  });

  it('counts not where `files` names others', () => {
    const files = { ...overlay, 'stacks/blog/stack.yaml': 'kind: Stack\nfiles: [compose.yaml]\n' };
    expect(imageOf(files)).toBe('nginx:1');
  });

  it.each<[string, Contents, readonly string[]]>([
    [
      'for an environment that is not there',
      { 'stacks/blog/compose.prodction.yaml': stack() },
      [
        'error undefined-environment stacks/blog/compose.prodction.yaml:1 did you mean `compose.production.yaml`?',
      ],
    ],
    [
      'for one that nothing is like',
      { 'stacks/blog/compose.base.yaml': stack() },
      [
        'error undefined-environment stacks/blog/compose.base.yaml:1 write `environments/base.yaml`, or name the file in `files` of stack.yaml',
      ],
    ],
    [
      'with another ending',
      { 'stacks/blog/compose.production.yml': stack() },
      [
        'error file-name stacks/blog/compose.production.yml:1 rename it to `compose.production.yaml`',
      ],
    ],
  ])('%s is an error', (_, more, expected) => expect(shown(more)).toEqual(expected));

  it('may be called anything where `files` names it', () => {
    const files = 'kind: Stack\nfiles: [compose.base.yml, deep/over.yaml]\n';
    const more = {
      'stacks/blog/compose.base.yml': stack(),
      'stacks/blog/deep/over.yaml': 'services: {web: {image: "nginx:3"}}\n',
      'stacks/blog/stack.yaml': files,
    };
    expect(imageOf(more)).toBe('nginx:3');
    const all: Contents = { ...base, ...more };
    const { 'stacks/blog/compose.yaml': _gone, ...without } = all;
    const ports = { kind: stackFolders, memo: new Map(), readCron };
    const outcome = renderRepository(filesOf(without), 'production', ports);
    expect(outcome).toMatchObject({ status: 'rendered', diagnostics: [] });
  });

  it.each<[string, string, string]>([
    [
      'is not there',
      'files:\n  - compose.yaml\n  - gone.yaml\n',
      'error missing-file stacks/blog/stack.yaml:4',
    ],
    [
      'leads outside',
      'files:\n  - ../shop/compose.yaml\n',
      'error wrong-value stacks/blog/stack.yaml:3',
    ],
    ['is absolute', 'files: [/etc/passwd]\n', 'error wrong-value stacks/blog/stack.yaml:2'],
    [
      'is listed twice',
      'files: [compose.yaml, compose.yaml]\n',
      'error conflict stacks/blog/stack.yaml:2',
    ],
    ['is none', 'files: []\n', 'error wrong-value stacks/blog/stack.yaml:2'],
  ])('one of `files` that %s', (_, files, expected) => {
    const [first, ...others] = shown({ 'stacks/blog/stack.yaml': `kind: Stack\n${files}` });
    expect(others).toEqual([]);
    expect(first).toContain(expected);
  });

  it('a folder with a stack.yaml alone is a mistake', () => {
    expect(shown({ 'stacks/site/stack.yaml': 'kind: Stack\n' })).toEqual([
      'error missing-file stacks/site/compose.yaml:1 write it, or name the Compose files in `files` of stack.yaml',
    ]);
  });
});

/** Built-in < understudy.yaml < Environment < stack.yaml, key by key. */
describe('what wins', () => {
  const layers = (understudy: string, environment: string, own: string): Contents => ({
    'understudy.yaml': `version: 1\ndefaults: {stack: {${understudy}}}\n`,
    ...production(`defaults: {stack: {${environment}}}\n`),
    'stacks/blog/stack.yaml': `{kind: Stack, ${own}}\n`,
  });
  it.each<[string, string, string, string, object]>([
    [
      'built-in',
      '',
      '',
      '',
      { health: { timeoutMs: 300_000, stableForMs: 30_000 }, rollback: { mode: 'auto', keep: 3 } },
    ],
    [
      'understudy.yaml',
      'health: {timeout: 1m}, rollback: {keep: 1}',
      '',
      '',
      { health: { timeoutMs: 60_000, stableForMs: 30_000 }, rollback: { mode: 'auto', keep: 1 } },
    ],
    [
      'the Environment',
      'health: {timeout: 1m, stableFor: 1s}, rollback: {keep: 1}',
      'health: {timeout: 2m}, rollback: {mode: hold}',
      '',
      { health: { timeoutMs: 120_000, stableForMs: 1000 }, rollback: { mode: 'hold', keep: 1 } },
    ],
    [
      'stack.yaml',
      'health: {timeout: 1m}',
      'health: {timeout: 2m, stableFor: 2s}',
      'health: {timeout: 3m}, rollback: {keep: 2}',
      { health: { timeoutMs: 180_000, stableForMs: 2000 }, rollback: { mode: 'auto', keep: 2 } },
    ],
    ['prune of understudy.yaml', 'prune: true', '', '', { prune: true }],
    ['prune of the Environment', '', 'prune: true', '', { prune: true }],
    [
      'checks as a whole',
      'health: {checks: [{name: a, http: {url: "http://a.org"}}]}',
      'health: {checks: [{name: b, http: {url: "http://b.org"}}]}',
      '',
      { health: { checks: [{ name: 'b' }] } },
    ],
  ])('%s', (_, understudy, environment, own, expected) => {
    expect(unitOf(layers(understudy, environment, own))).toMatchObject(expected);
  });

  it('`prune: false` of a stack over the defaults', () => {
    const pruneOf = (...written: readonly [string, string, string]) =>
      unitOf(layers(...written))?.prune;
    expect(pruneOf('prune: true', 'prune: true', 'prune: false')).toBe(false);
    expect(pruneOf('prune: true', 'prune: false', '')).toBe(false);
    expect(pruneOf('prune: false', 'prune: true', '')).toBe(true);
    expect(pruneOf('', '', '')).toBeUndefined();
  });

  it('`policy.allow` of the Environment, key by key and lists whole', () => {
    const mount = (path: string): Contents => ({
      'understudy.yaml': 'version: 1\npolicy: {allow: {binds: [/srv], undefinedVariables: true}}\n',
      'stacks/blog/compose.yaml': stack(`    volumes: ["${path}:/x"]\n    command: "a $A"\n`),
    });
    const codes = (more: Contents): readonly string[] =>
      render(more).diagnostics.map(({ severity, code }) => `${severity} ${code}`);
    expect(codes(mount('/srv/a'))).toEqual(['warning undefined-variable']);
    const own = production('policy: {allow: {binds: [/data]}}\n');
    expect(codes({ ...mount('/data'), ...own })).toEqual(['warning undefined-variable']);
    expect(codes({ ...mount('/srv/a'), ...own })).toContain('error not-allowed');
    const strict = production('policy: {allow: {undefinedVariables: false}}\n');
    expect(codes({ ...mount('/srv/a'), ...strict })).toEqual(['error undefined-variable']);
  });
});

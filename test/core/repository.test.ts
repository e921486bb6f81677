import { describe, expect, it } from 'vitest';

import { formatText } from '../../agent/core/format.ts';
import type { Memo } from '../../agent/core/folder-kind.ts';
import { renderRepository } from '../../agent/core/repository.ts';
import type { RepositoryOutcome } from '../../agent/core/repository.ts';
import type { DocumentContent } from '../../agent/core/sops/vault.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import { blobOf, filesOf, small } from '../fakes/repository.ts';
import type { Contents } from '../fakes/repository.ts';

type Done = RepositoryOutcome<StackSpec> & { status: 'rendered' };

function render(
  contents: Contents,
  memo: Memo<StackSpec> = new Map(),
  environment = 'production',
): Done {
  const outcome = renderRepository(filesOf(contents), environment, {
    kind: stackFolders,
    memo,
    readCron,
  });
  if (outcome.status === 'incomplete') throw new Error(`incomplete: ${outcome.blobs.join()}`);
  return outcome;
}

function codes(contents: Contents): readonly string[] {
  return render(contents).diagnostics.map(({ code, place }) => `${code} ${place?.file ?? ''}`);
}

const environment = (more: string): Contents => ({
  ...small,
  'environments/production.yaml': `kind: Environment\nname: production\n${more}`,
});

const compose = (text: string): Contents => ({ ...small, 'stacks/blog/compose.yaml': text });

const interval = (text: string): number =>
  render({ ...small, 'understudy.yaml': text }).settings.intervalMs;

const layer = (health: string): string => `defaults:\n  stack:\n    health: ${health}\n`;

const stackText = (service: string, more = ''): string =>
  `services:\n  ${service}:\n    image: nginx\n${more}`;

const digest = (contents: Contents): string => render(contents).units[0]?.digest ?? '';

const configured = (page: string, secret = 's'): Contents => ({
  ...compose(
    'services:\n  web:\n    image: nginx\n    configs: [page]\n    secrets: [key]\nconfigs: {page: {file: page}}\nsecrets: {key: {file: key}}\n',
  ),
  'stacks/blog/page': page,
  'stacks/blog/key': secret,
});

const many = (count: number): Contents => ({
  ...small,
  ...Object.fromEntries(
    Array.from({ length: count - 1 }, (_, index) => [
      `stacks/site${index}/compose.yaml`,
      `services:\n  web:\n    image: "ghost:\${VERSION:-5}"\n    configs: [page]\nconfigs: {page: {file: ../../shared/page}}\n`,
    ]),
  ),
  'shared/page': 'hello',
});

describe('a repository becomes units', () => {
  it('one a folder of stacks/', () => {
    const { units, diagnostics, settings } = render(small);
    expect(diagnostics).toEqual([]);
    expect(units).toMatchObject([
      {
        id: 'stack/blog',
        place: { file: 'stacks/blog/compose.yaml', line: 1 },
        gives: ['network:blog_default'],
        needs: [],
        spec: { name: 'blog', health: { timeoutMs: 300_000, stableForMs: 30_000 } },
      },
    ]);
    expect(units[0]?.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(settings).toEqual({
      intervalMs: 60_000,
      retryIntervalMs: 10_000,
      removals: { max: 5, share: 20 },
      rollout: { atOnce: 50, maxFailures: 3, pauseMs: 0, canary: [], onFailure: 'pause' },
      windows: [],
    });
  });

  it('a rollout is what the Environment says, key by key, then understudy.yaml', () => {
    const { settings } = render({
      ...environment('rollout: {atOnce: 7, maxFailures: 1, canary: []}\n'),
      'understudy.yaml':
        'version: 1\nrollout: {atOnce: 5, pause: 30s, canary: [stack/blog], onFailure: rollback}\n',
    });
    expect(settings.rollout).toEqual({
      atOnce: 7,
      maxFailures: 1,
      pauseMs: 30_000,
      canary: [],
      onFailure: 'rollback',
    });
  });

  it('windows are numbers, as far as they can be', () => {
    const { settings } = render(
      environment(
        'windows: [{cron: "0 2 1 1 0", duration: 1h, timeZone: UTC}, {cron: "5 3 2 2 1-2", duration: 2h, timeZone: Europe/Berlin, stacks: [a*]}]\n',
      ),
    );
    const first = { minutes: [0], hours: [2], days: [1], months: [1], weekdays: [0] };
    const second = { minutes: [5], hours: [3], days: [2], months: [2], weekdays: [1, 2] };
    expect(settings.windows).toEqual([
      { cron: first, durationMs: 3_600_000, timeZone: 'UTC', stacks: ['*'] },
      { cron: second, durationMs: 7_200_000, timeZone: 'Europe/Berlin', stacks: ['a*'] },
    ]);
  });

  it('a canary that does not exist is an error at its place, in every environment', () => {
    const { units, diagnostics } = render({
      ...small,
      'understudy.yaml': 'version: 1\nrollout: {canary: [stack/blog, stack/blgo]}\n',
      'environments/other.yaml':
        'kind: Environment\nname: other\nrollout:\n  canary:\n    - stack/far\n',
    });
    expect(units).toEqual([]);
    expect(diagnostics).toMatchObject([
      {
        code: 'undefined-unit',
        message: 'the repository has no `stack/blgo`',
        place: { file: 'understudy.yaml', line: 2, path: 'rollout.canary[1]' },
        hint: 'did you mean `stack/blog`?',
      },
      { code: 'undefined-unit', place: { file: 'environments/other.yaml', line: 5, column: 7 } },
    ]);
  });

  it.each<[string, string, string, object]>([
    ['nobody says', '', '', { max: 5, share: 20 }],
    ['understudy.yaml says', 'policy: {removals: {max: 2, share: 10%}}', '', { max: 2, share: 10 }],
    ['the Environment says', '', 'policy: {removals: {max: 0}}', { max: 0, share: 20 }],
    [
      'both say, key by key',
      'policy: {removals: {max: 2, share: 10%}}',
      'policy: {removals: {share: 50%}}',
      { max: 2, share: 50 },
    ],
  ])('removes as much as %s', (_who, below, above, expected) => {
    const { diagnostics, settings } = render({
      ...environment(above),
      'understudy.yaml': `version: 1\n${below}\n`,
    });
    expect([diagnostics, settings.removals]).toEqual([[], expected]);
  });

  it.each<[string, string, string, object]>([
    ['nothing said', '', '', {}],
    ['the defaults said', '', 'prune: true', { prune: true }],
    ['its file holds', 'removal: hold', '', { removal: 'hold' }],
    ['nobody said', '', '', {}],
    ['its file keeps', 'prune: false', 'prune: true', { prune: false }],
    ['the defaults keep', '', 'prune: false', { prune: false }],
    ['its file wins', 'prune: true', 'prune: false', { prune: true }],
  ])(
    'keeps what leaves as %s, and asks for something else by that only',
    (_who, file, all, expected) => {
      const one = render({
        ...environment(all === '' ? '' : `defaults: {stack: {${all}}}`),
        'stacks/blog/stack.yaml': `kind: Stack\n${file}\n`,
      });
      const plain = render({ ...small, 'stacks/blog/stack.yaml': 'kind: Stack\n' });
      const { removal, prune } = one.units[0]?.spec ?? {};
      expect([
        one.diagnostics,
        { ...(removal && { removal }), ...(prune !== undefined && { prune }) },
      ]).toEqual([[], expected]);
      expect(one.units[0]?.digest === plain.units[0]?.digest).toBe(
        Object.keys(expected).length === 0,
      );
    },
  );

  it('variables are text as it is written', () => {
    const text = [
      'variables:',
      '  A: 1.10',
      '  B: 0440',
      '  C: true',
      '  D: "quoted"',
      '  E: 2020-01-01',
      '  F: 12345678901234567890',
      '  G: ""',
      '  constructor: own',
    ].join('\n');
    const names = ['A', 'B', 'C', 'D', 'E', 'F', 'G', 'constructor'];
    const service = names.map((name) => `      - "${name}=\${${name}}"`).join('\n');
    const { units, diagnostics } = render({
      ...environment(text),
      'stacks/blog/compose.yaml': `services:\n  web:\n    image: nginx\n    environment:\n${service}\n`,
    });
    expect(diagnostics).toEqual([]);
    expect(units[0]?.spec.services['web']?.TaskTemplate.ContainerSpec.Env).toEqual([
      'A=1.10',
      'B=0440',
      'C=true',
      'D=quoted',
      'E=2020-01-01',
      'F=12345678901234567890',
      'G=',
      'constructor=own',
    ]);
  });

  it('a variable that nothing defines is an error, whatever objects inherit', () => {
    expect(codes(compose('services: {web: {image: x, labels: ["a=${toString}"]}}'))).toEqual([
      'undefined-variable stacks/blog/compose.yaml',
    ]);
  });

  it('the interval comes from understudy.yaml, and stays the default where that cannot be read', () => {
    expect(interval('version: 1\ninterval: 5s\n')).toBe(5000);
    expect(interval('version: 1\ninterval: soon\n')).toBe(60_000);
    expect(interval('version: 1\ninterval: 0s\n')).toBe(60_000);
    expect(interval('{')).toBe(60_000);
  });
});

describe('who wins', () => {
  const low = layer('{timeout: 1m, stableFor: 1s}');
  it.each([
    ['nothing written', ['', '', ''], { timeoutMs: 300_000, stableForMs: 30_000 }],
    ['understudy.yaml', [low, '', ''], { timeoutMs: 60_000, stableForMs: 1000 }],
    [
      'the Environment',
      [low, layer('{timeout: 2m}'), ''],
      { timeoutMs: 120_000, stableForMs: 1000 },
    ],
    [
      'stack.yaml',
      [low, layer('{timeout: 2m, stableFor: 2s}'), 'health: {stableFor: 3s}\n'],
      { timeoutMs: 120_000, stableForMs: 3000 },
    ],
  ])('%s', (_, [repository = '', above = '', stack = ''], health) => {
    const { units, diagnostics } = render({
      ...environment(above),
      'understudy.yaml': `version: 1\n${repository}`,
      'stacks/blog/stack.yaml': `kind: Stack\n${stack}`,
    });
    expect(diagnostics).toEqual([]);
    expect(units[0]?.spec.health).toEqual({ ...health, checks: [] });
  });

  const rollback = (text: string): string => `defaults:\n  stack:\n    rollback: ${text}\n`;
  it.each([
    ['nothing written', ['', '', ''], { mode: 'auto', keep: 3 }],
    ['understudy.yaml', [rollback('{keep: 1}'), '', ''], { mode: 'auto', keep: 1 }],
    [
      'the Environment',
      [rollback('{mode: hold, keep: 1}'), rollback('{keep: 2}'), ''],
      { mode: 'hold', keep: 2 },
    ],
    [
      'stack.yaml',
      [rollback('{keep: 1}'), rollback('{mode: hold, keep: 2}'), 'rollback: {mode: auto}\n'],
      { mode: 'auto', keep: 2 },
    ],
  ])('in rollback, %s', (_, [repository = '', above = '', stack = ''], expected) => {
    const { units, diagnostics } = render({
      ...environment(above),
      'understudy.yaml': `version: 1\n${repository}`,
      'stacks/blog/stack.yaml': `kind: Stack\n${stack}`,
    });
    expect(diagnostics).toEqual([]);
    expect(units[0]?.spec.rollback).toEqual(expected);
  });

  const asked = (name: string): string =>
    `{checks: [{name: ${name}, http: {url: "http://a.org"}}]}`;
  it.each([
    ['understudy.yaml', [layer(asked('low')), layer('{timeout: 2m}'), ''], ['low']],
    ['the Environment', [layer(asked('low')), layer(asked('middle')), ''], ['middle']],
    [
      'stack.yaml',
      [layer(asked('low')), layer(asked('middle')), `health: ${asked('high')}\n`],
      ['high'],
    ],
    ['an empty list', [layer(asked('low')), '', 'health: {checks: []}\n'], []],
  ])('in checks, the whole list of %s', (_, [repository = '', above = '', stack = ''], names) => {
    const { units, diagnostics } = render({
      ...environment(above),
      'understudy.yaml': `version: 1\n${repository}`,
      'stacks/blog/stack.yaml': `kind: Stack\n${stack}`,
    });
    expect(diagnostics).toEqual([]);
    expect(units[0]?.spec.health.checks.map(({ name }) => name)).toEqual(names);
  });

  it('the Environment over understudy.yaml in policy.allow, key by key', () => {
    const bind = compose(
      'services:\n  web:\n    image: nginx\n    volumes: ["/srv/media:/media", "/var/run/docker.sock:/d"]\n',
    );
    const policy = 'policy: {allow: {binds: [/srv], dockerSocket: true}}\n';
    const above = environment('policy: {allow: {dockerSocket: false}}\n');
    const both = { ...bind, 'understudy.yaml': `version: 1\n${policy}` };
    expect(codes(both)).toEqual([]);
    const key = 'environments/production.yaml';
    expect(codes({ ...both, [key]: above[key] ?? '' })).toEqual([
      'not-allowed stacks/blog/compose.yaml',
    ]);
  });
});

describe('with any mistake there are no units', () => {
  it.each<[string, Contents, readonly string[]]>([
    [
      'nothing at all',
      {},
      [
        'missing-file understudy.yaml',
        'missing-document environments/production.yaml',
        'missing-document stacks',
      ],
    ],
    [
      'no stack',
      {
        'understudy.yaml': 'version: 1',
        'environments/production.yaml': 'kind: Environment\nname: production',
      },
      ['missing-document stacks'],
    ],
    [
      'another environment',
      {
        ...small,
        'environments/production.yaml': '',
        'environments/staging.yaml': 'kind: Environment\nname: staging\n',
      },
      ['missing-document environments/production.yaml'],
    ],
    ['an empty Compose file', compose(''), ['missing-document stacks/blog/compose.yaml']],
    [
      'an empty understudy.yaml',
      { ...small, 'understudy.yaml': '' },
      ['missing-document understudy.yaml'],
    ],
    [
      'two documents',
      environment('---\nkind: Environment\nname: other\n'),
      ['missing-document environments/production.yaml'],
    ],
    [
      'another kind',
      { ...small, 'environments/production.yaml': 'kind: Stack\nname: production\n' },
      ['wrong-value environments/production.yaml'],
    ],
    [
      'another name',
      { ...small, 'environments/production.yaml': 'kind: Environment\nname: staging\n' },
      ['wrong-name environments/production.yaml'],
    ],
    [
      'no name',
      { ...small, 'environments/production.yaml': 'kind: Environment\n' },
      ['missing-key environments/production.yaml'],
    ],
    [
      'a stack of another name',
      { ...small, 'stacks/blog/stack.yaml': 'kind: Stack\nname: shop\n' },
      ['wrong-name stacks/blog/stack.yaml'],
    ],
    [
      'a key nobody knows',
      { ...small, 'stacks/blog/stack.yaml': 'kind: Stack\nhelth: {}\n' },
      ['unknown-key stacks/blog/stack.yaml'],
    ],
    [
      'a key for later',
      { ...small, 'understudy.yaml': 'version: 1\npolicy: {signatures: {}}\n' },
      ['unsupported-key understudy.yaml'],
    ],
    [
      'a bad duration',
      { ...small, 'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {timeout: 5}\n' },
      ['wrong-type stacks/blog/stack.yaml'],
    ],
    [
      'a window with a bad cron',
      environment('windows: [{cron: "99 2 * * *", duration: 1h, timeZone: UTC}]\n'),
      ['wrong-value environments/production.yaml'],
    ],
    [
      'a cron of seconds',
      environment('windows: [{cron: "* * 2 * * *", duration: 1h, timeZone: UTC}]\n'),
      ['wrong-value environments/production.yaml'],
    ],
    [
      'a window on the last day of a month, by its letter',
      environment('windows: [{cron: "0 2 L * *", duration: 1h, timeZone: UTC}]\n'),
      ['wrong-value environments/production.yaml'],
    ],
    [
      'a window that never comes',
      environment('windows: [{cron: "0 2 31 2 *", duration: 1h, timeZone: UTC}]\n'),
      ['wrong-value environments/production.yaml'],
    ],
    [
      'no UTF-8',
      { ...small, 'stacks/blog/compose.yaml': new Uint8Array([0xff, 0xfe, 0x41]) },
      ['syntax stacks/blog/compose.yaml'],
    ],
    [
      'a document of 2 MiB',
      { ...small, 'understudy.yaml': `version: 1\n#${'x'.repeat(2 ** 21)}` },
      ['too-large understudy.yaml'],
    ],
    [
      'a document of 5 MiB',
      { ...small, 'understudy.yaml': `version: 1\n#${'x'.repeat(5 * 2 ** 20)}` },
      ['too-large understudy.yaml'],
    ],
    [
      'a config of 5 MiB',
      {
        ...compose(
          'services:\n  web:\n    image: nginx\n    configs: [big]\nconfigs: {big: {file: big}}\n',
        ),
        'stacks/blog/big': 'x'.repeat(5 * 2 ** 20),
      },
      ['too-large stacks/blog/compose.yaml'],
    ],
  ])('%s', (_, contents, expected) => {
    const { units } = render(contents);
    expect(units).toEqual([]);
    expect(codes(contents).toSorted()).toEqual(expected.toSorted());
  });

  it('says every mistake of every file at once', async () => {
    const { diagnostics, units } = render({
      'understudy.yaml': 'version: 2\nintervall: 5s\n',
      'environments/production.yaml': 'kind: Environment\nname: production\nvariabels: {}\n',
      'environments/staging.yaml': 'kind: Environment\nname: stage\nnotifications: []\n',
      'stacks/blog/compose.yaml': 'services:\n  web:\n    imagee: nginx\n',
      'stacks/blog/stack.yaml': 'kind: Stack\nignore: "no"\nhealth:\n  timeout: soon\n',
      'stacks/shop/compose.yaml': 'services:\n  web: [\n',
      'stacks/Shop/compose.yaml': 'services:\n  web:\n    image: nginx\n',
      'mysql/users.yaml': 'kind: MySQLUser\n',
    });
    expect(units).toEqual([]);
    await expect(formatText(diagnostics, { colour: false })).toMatchFileSnapshot(
      '../golden/repository/mistakes.txt',
    );
  });

  it('a policy that cannot be read forbids nothing on top', () => {
    const bind = 'services:\n  web:\n    image: nginx\n    volumes: ["/srv/media:/media"]\n';
    const contents = { ...environment('policy: {alow: {}}\n'), 'stacks/blog/compose.yaml': bind };
    expect(codes(contents)).toEqual(['unknown-key environments/production.yaml']);
  });

  it('a warning alone holds nothing up', () => {
    const { units, diagnostics } = render(
      compose('services:\n  web:\n    image: nginx\n    environment: {A: "${A-b}"}\n'),
    );
    expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(units).toHaveLength(1);
  });
});

describe('names across stacks', () => {
  it.each([
    [
      'services',
      { a_b: stackText('c'), a: stackText('b_c') },
      /service `a_b_c` is also made by `stack\/a`/,
    ],
    [
      'services in another case',
      { 'a-B': stackText('c'), 'a-b_c': stackText('d'), a: stackText('x') },
      undefined,
    ],
    [
      'named networks',
      {
        one: stackText('web', '    networks: [x]\nnetworks: {x: {name: shared}}\n'),
        two: stackText('web', '    networks: [x]\nnetworks: {x: {name: Shared}}\n'),
      },
      /network `shared` is also made by `stack\/one`/,
    ],
    [
      'one network, made here and external there',
      {
        one: stackText('web', '    networks: [x]\nnetworks: {x: {name: shared}}\n'),
        two: stackText('web', '    networks: [x]\nnetworks: {x: {name: shared, external: true}}\n'),
      },
      undefined,
    ],
  ])('%s', (_, stacks, message) => {
    const contents: Contents = {
      'understudy.yaml': 'version: 1',
      'environments/production.yaml': 'kind: Environment\nname: production',
      ...Object.fromEntries(
        Object.entries(stacks).map(([name, text]) => [`stacks/${name}/compose.yaml`, text]),
      ),
    };
    const { diagnostics } = render(contents);
    const conflict = { code: 'name-conflict', message: expect.stringMatching(message ?? '') };
    expect(diagnostics).toMatchObject(message === undefined ? [] : [conflict]);
    expect(diagnostics).toHaveLength(message === undefined ? 0 : 1);
  });
});

describe('digests', () => {
  it('stay while nothing that counts changes', () => {
    expect(digest(compose('services: {web: {image: "nginx:1.29"}}'))).toBe(digest(small));
    expect(digest({ ...small, 'README.md': 'hello' })).toBe(digest(small));
    expect(digest({ ...small, 'stacks/blog/stack.yaml': 'kind: Stack' })).toBe(digest(small));
  });
  it('follow content of configs, content of secrets and health', () => {
    const all = [
      configured('a'),
      configured('b'),
      configured('a', 't'),
      { ...configured('a'), 'stacks/blog/stack.yaml': 'kind: Stack\nhealth: {timeout: 1m}' },
      { ...configured('a'), 'stacks/blog/stack.yaml': 'kind: Stack\nrollback: {mode: hold}' },
      {
        ...configured('a'),
        'stacks/blog/stack.yaml':
          'kind: Stack\nhealth: {checks: [{name: x, http: {url: "http://a.org"}}]}',
      },
    ];
    expect(new Set(all.map(digest)).size).toBe(all.length);
  });
});

describe('work is in proportion to what changed', () => {
  it('is told of each unit that is rendered, once it is complete, and of no other', () => {
    const memo: Memo<StackSpec> = new Map();
    const told: string[] = [];
    const again = (contents: Contents, absent?: ReadonlySet<string>): Done | undefined => {
      const outcome = renderRepository(filesOf(contents, absent), 'production', {
        kind: stackFolders,
        memo,
        readCron,
        ended: ({ id }) => told.push(id),
      });
      return outcome.status === 'rendered' ? outcome : undefined;
    };
    const [before, after] = [many(3), { ...many(3), ...compose(stackText('other')) }];
    expect(again(before, new Set([blobOf('hello')]))).toBeUndefined();
    expect(told).toEqual(['stack/blog']);
    expect(again(before)?.units).toHaveLength(3);
    expect(told).toEqual(['stack/blog', 'stack/site0', 'stack/site1']);
    expect(again(after)?.units).toHaveLength(3);
    expect(told.slice(3)).toEqual(['stack/blog']);
    expect(again(compose('services: {web: {}}'))?.units).toEqual([]);
    expect(told.slice(4)).toEqual([]);
  });

  it('is told of no unit while a document of the repository waits for its key', () => {
    const closed = {
      ...environment('variables: {A: ENC[x]}\nsops: {mac: x, version: x, age: []}\n'),
    };
    const told: string[] = [];
    const openDocument = (): DocumentContent => ({ status: 'pending' });
    const outcome = renderRepository(filesOf(closed), 'production', {
      kind: stackFolders,
      memo: new Map(),
      readCron,
      vault: { open: ({ bytes }) => ({ status: 'plain', bytes }), openDocument },
      ended: ({ id }) => told.push(id),
    });
    expect([outcome, told]).toEqual([{ status: 'incomplete', blobs: [] }, []]);
  });

  it('a commit that changes one of 650 stacks renders one', () => {
    const memo: Memo<StackSpec> = new Map();
    const before = many(650);
    expect(render(before, memo).work).toEqual({ rendered: 650, kept: 0 });
    expect(render(before, memo).work).toEqual({ rendered: 0, kept: 650 });
    const after = { ...before, 'stacks/blog/compose.yaml': 'services: {web: {image: nginx}}' };
    const { work, units } = render(after, memo);
    expect(work).toEqual({ rendered: 1, kept: 649 });
    expect(units).toHaveLength(650);
    expect(units).toEqual(render(after).units);
  });

  it.each<[string, (contents: Contents) => Contents, number]>([
    ['a file that nine share', (all) => ({ ...all, 'shared/page': 'other' }), 9],
    ['a file that nothing reads', (all) => ({ ...all, 'stacks/blog/notes.md': 'x' }), 0],
    [
      'a stack.yaml that was not there',
      (all) => ({ ...all, 'stacks/site1/stack.yaml': 'kind: Stack' }),
      1,
    ],
    [
      'a variable',
      (all) => ({
        ...all,
        ...environment('variables: {VERSION: 6}'),
        'shared/page': all['shared/page'] ?? '',
        'stacks/blog/compose.yaml': all['stacks/blog/compose.yaml'] ?? '',
      }),
      10,
    ],
    [
      'the description of the environment',
      (all) => ({
        ...all,
        'environments/production.yaml': 'kind: Environment\nname: production\ndescription: new\n',
      }),
      0,
    ],
    ['the interval', (all) => ({ ...all, 'understudy.yaml': 'version: 1\ninterval: 7s\n' }), 0],
    [
      'another stack',
      (all) => ({ ...all, 'stacks/new/compose.yaml': 'services: {web: {image: nginx}}' }),
      1,
    ],
  ])('%s', (_, change, rendered) => {
    const memo: Memo<StackSpec> = new Map();
    const before = many(10);
    render(before, memo);
    const after = change(before);
    const again = render(after, memo);
    expect(again.work.rendered).toBe(rendered);
    expect(again.units).toEqual(render(after).units);
    expect(again.units.length).toBeGreaterThan(0);
  });

  it('keeps nothing of stacks that are gone', () => {
    const memo: Memo<StackSpec> = new Map();
    render(many(10), memo);
    render(small, memo);
    expect([...memo.keys()]).toEqual(['blog']);
  });

  it('asks for contents that it lacks, documents first, and only for those that something reads', () => {
    const contents = { ...many(2), 'stacks/blog/huge.bin': 'x'.repeat(100_000) };
    const ports = { kind: stackFolders, memo: new Map(), readCron };
    const absent = new Set(Object.values(contents).map(blobOf));
    const rounds: string[][] = [];
    let units = 0;
    for (let round = 0; round < 5 && units === 0; round += 1) {
      const outcome = renderRepository(filesOf(contents, absent), 'production', ports);
      if (outcome.status === 'rendered') units = outcome.units.length;
      else rounds.push([...outcome.blobs]);
      for (const blob of rounds.at(-1) ?? []) absent.delete(blob);
    }
    expect(units).toBe(2);
    const names = rounds.map((blobs) =>
      Object.entries(contents).flatMap(([path, content]) =>
        blobs.includes(blobOf(content)) ? [path] : [],
      ),
    );
    expect(names.flat()).not.toContain('stacks/blog/huge.bin');
    expect(names.at(-1)).toEqual(['shared/page']);
    expect(names).toHaveLength(2);
  });
});

import { describe, expect, it } from 'vitest';

import { edgesOf } from '../../agent/core/edges.ts';
import type { Memo } from '../../agent/core/folder-kind.ts';
import { formatText } from '../../agent/core/format.ts';
import { renderRepository, type RepositoryOutcome } from '../../agent/core/repository.ts';
import { stackFolders } from '../../agent/providers/stack/render.ts';
import type { StackSpec } from '../../agent/providers/stack/spec.ts';
import { readCron } from '../../agent/render/cron.ts';
import { type Contents, filesOf, small } from '../fakes/repository.ts';

type Done = RepositoryOutcome<StackSpec> & { status: 'rendered' };

function render(contents: Contents, memo: Memo<StackSpec> = new Map()): Done {
  const ports = { kind: stackFolders, memo, readCron };
  const outcome = renderRepository(filesOf(contents), 'production', ports);
  if (outcome.status === 'incomplete') throw new Error('incomplete');
  return outcome;
}

const { 'stacks/blog/compose.yaml': _blog, ...bare } = small;
const plain = 'services: {web: {image: x}}\n';

/** `dependsOn` as it is written, and the Compose file where it is not the plain one. */
interface Written {
  readonly on?: string;
  readonly compose?: string;
}

function repository(stacks: Readonly<Record<string, Written>>): Contents {
  const files = Object.entries(stacks).flatMap(([name, { on, compose = plain }]) => [
    [`stacks/${name}/compose.yaml`, compose] as const,
    ...(on === undefined ? [] : [[`stacks/${name}/stack.yaml`, `kind: Stack\n${on}\n`] as const]),
  ]);
  return { ...bare, ...Object.fromEntries(files) };
}

const text = (stacks: Readonly<Record<string, Written>>): string =>
  formatText(render(repository(stacks)).diagnostics, { colour: false });

/** A Compose file that makes one network and joins another, each where it is named. */
function networks({ makes, joins }: { readonly makes?: string; readonly joins?: string }): string {
  const both = [
    ...(makes === undefined ? [] : [`  out: {name: ${makes}}\n`]),
    ...(joins === undefined ? [] : [`  up: {external: true, name: ${joins}}\n`]),
  ];
  const used = both.map((line) => line.trim().slice(0, line.trim().indexOf(':')));
  return `services: {web: {image: x, networks: [${used.join(', ')}]}}\nnetworks:\n${both.join('')}`;
}

describe('dependsOn', () => {
  it('comes out with the unit, each id once', () => {
    const { units, diagnostics } = render(
      repository({
        db: {},
        cache: { on: 'dependsOn: []' },
        web: { on: 'dependsOn: [stack/db, stack/cache, stack/db]' },
      }),
    );
    expect(diagnostics).toEqual([]);
    expect(units.map(({ id, dependsOn }) => [id, dependsOn])).toEqual([
      ['stack/cache', []],
      ['stack/db', []],
      ['stack/web', ['stack/db', 'stack/cache']],
    ]);
  });

  it('is no part of the digest: an edge says when, not what', () => {
    const memo: Memo<StackSpec> = new Map();
    const [, before] = render(repository({ db: {}, web: {} }), memo).units;
    const [, after] = render(
      repository({ db: {}, web: { on: 'dependsOn: [stack/db]' } }),
      memo,
    ).units;
    expect(before?.dependsOn).toEqual([]);
    expect(after?.dependsOn).toEqual(['stack/db']);
    expect(after?.digest).toBe(before?.digest);
  });

  it('names one that was there and is not any more', () => {
    const memo: Memo<StackSpec> = new Map();
    const web = { on: 'dependsOn: [stack/db]' };
    expect(render(repository({ db: {}, web }), memo).diagnostics).toEqual([]);
    const { units, diagnostics } = render(repository({ web }), memo);
    expect(diagnostics.map(({ code }) => code)).toEqual(['undefined-unit']);
    expect(units).toEqual([]);
  });
});

const mistakes: readonly (readonly [string, Readonly<Record<string, Written>>])[] = [
  ['a unit that does not exist', { web: { on: 'dependsOn: [stack/other]' } }],
  ['one letter wrong', { database: {}, web: { on: 'dependsOn:\n  - stack/databse' } }],
  ['another kind', { db: {}, web: { on: 'dependsOn: [stacks/db]' } }],
  ['no id', { db: {}, web: { on: 'dependsOn: [db]' } }],
  ['no list', { db: {}, web: { on: 'dependsOn: stack/db' } }],
  ['a number', { db: {}, web: { on: 'dependsOn: [1]' } }],
  ['itself', { web: { on: 'dependsOn: [stack/web]' } }],
  ['what it makes itself', { web: { compose: networks({ makes: 'both', joins: 'both' }) } }],
  ['a cycle', { a: { on: 'dependsOn: [stack/b]' }, b: { on: 'dependsOn: [stack/a]' } }],
  [
    'two cycles',
    {
      a: { on: 'dependsOn: [stack/b, stack/c]' },
      b: { on: 'dependsOn: [stack/a]' },
      c: { on: 'dependsOn: [stack/a]' },
    },
  ],
  [
    'a cycle through what one makes',
    {
      proxy: { on: 'dependsOn: [stack/web]', compose: networks({ makes: 'public' }) },
      web: { compose: networks({ joins: 'Public' }) },
    },
  ],
  [
    'a cycle of nothing that is written',
    {
      one: { compose: networks({ makes: 'from_one', joins: 'from_two' }) },
      two: { compose: networks({ makes: 'from_two', joins: 'from_one' }) },
    },
  ],
  [
    'a unit that is wrong itself is there all the same',
    { db: { compose: 'services: 1\n' }, web: { on: 'dependsOn: [stack/db]' } },
  ],
];

describe('mistakes in dependsOn', () => {
  it('are told at their place, with what to write instead', async () => {
    const told = mistakes.map(([name, stacks]) => `# ${name}\n\n${text(stacks)}`);
    await expect(told.join('\n')).toMatchFileSnapshot('../golden/repository/dependencies.txt');
  });

  it('of more than a hundred are one', () => {
    const ids = Array.from({ length: 101 }, (_, at) => `stack/s${String(at)}`);
    expect(text({ web: { on: `dependsOn: [${ids.join(', ')}]` } })).toContain(
      'write at most 100 ids',
    );
  });
});

describe('what another unit makes', () => {
  it('is waited for without being written, in any case of its name', () => {
    const { units, diagnostics } = render(
      repository({
        proxy: { compose: networks({ makes: 'public' }) },
        web: { compose: networks({ joins: 'Public' }) },
      }),
    );
    expect(diagnostics).toEqual([]);
    expect([...edgesOf(units)]).toEqual([
      ['stack/proxy', []],
      ['stack/web', ['stack/proxy']],
    ]);
  });
});

describe('movedFrom', () => {
  const volumes = (written: string): string =>
    `services: {web: {image: x, volumes: ['data:/data']}}\nvolumes: {data: ${written}}\n`;

  it('comes out with the unit, and is no part of its digest', () => {
    const [moved] = render(repository({ web: { on: 'movedFrom: old' } })).units;
    const [plainly] = render(repository({ web: {} })).units;
    expect(moved).toMatchObject({ movedFrom: 'stack/old', digest: plainly?.digest });
    expect(plainly).not.toHaveProperty('movedFrom');
  });

  it.each<[string, Readonly<Record<string, Written>>, string]>([
    ['itself', { web: { on: 'movedFrom: web' } }, 'a stack cannot take its own place'],
    [
      'a stack that is still there',
      { old: {}, web: { on: 'movedFrom: old' } },
      '`stack/old` is still in the repository',
    ],
    [
      'one whose place another one takes',
      { one: { on: 'movedFrom: old' }, web: { on: 'movedFrom: old' } },
      '`stack/one` takes the place of `stack/old` already',
    ],
    [
      'one, with a volume that would be empty',
      { web: { on: 'movedFrom: old', compose: volumes('{}') } },
      'the volume would be `web_data` and empty: `movedFrom` moves no data',
    ],
    [
      'one, with a volume of which nothing is said',
      { web: { on: 'movedFrom: old', compose: volumes('') } },
      'the volume would be `web_data` and empty: `movedFrom` moves no data',
    ],
  ])('does not take %s', (_what, stacks, message) => {
    const { diagnostics, units } = render(repository(stacks));
    expect(diagnostics.map(({ code, message: said }) => [code, said])).toEqual([
      ['moved-from', message],
    ]);
    expect([units, diagnostics[0]?.place?.line]).toEqual([[], 2]);
  });

  it.each<[string, Written]>([
    ['only the case differs', { on: 'movedFrom: Web' }],
    ['nobody ever had the name', { on: 'movedFrom: never-there' }],
    ['its volume has a name', { on: 'movedFrom: old', compose: volumes('{name: old_data}') }],
    ['its volume is external', { on: 'movedFrom: old', compose: volumes('{external: true}') }],
    ['nothing moves', { compose: volumes('{}') }],
  ])('is no mistake where %s', (_what, web) => {
    expect(render(repository({ web })).diagnostics).toEqual([]);
  });

  it('says what a volume is called now', () => {
    const { diagnostics } = render(
      repository({ web: { on: 'movedFrom: old', compose: volumes('{}') } }),
    );
    expect(diagnostics[0]?.hint).toBe('write `name: old_data`, which is what it is called now');
  });
});

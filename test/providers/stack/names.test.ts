import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import type { Rendered } from '../../../agent/core/kind.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import { contentDigest, DIGEST_LABEL, isVersionOf } from '../../../agent/providers/stack/names.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import type {
  ObservedConfig,
  ObservedSecret,
  StackCall,
} from '../../../agent/providers/stack/swarm.ts';
import { digestKey, observed, unit } from '../../fakes/stack.ts';

const namespace = { 'com.docker.stack.namespace': 'blog' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const config = (name: string, text: string, labels = {}) => ({
  name,
  labels: { ...namespace, ...labels },
  data: base64(text),
});

/** Configs and secrets as the engine holds them after these calls. */
function carriedOut(calls: readonly StackCall[]) {
  const configs: ObservedConfig[] = [];
  const secrets: ObservedSecret[] = [];
  for (const [index, call] of calls.entries()) {
    const id = `id${String(index)}`;
    if (call.op === 'config-create') {
      const { op: _op, ...rest } = call;
      configs.push({ id, version: 1, ...rest });
    }
    if (call.op === 'secret-create') {
      const { op: _op, data: _data, driver, ...rest } = call;
      secrets.push({ id, version: 1, ...rest, ...(driver && { driver }) });
    }
  }
  return { configs, secrets };
}

function fileCalls(
  wanted: Rendered<StackSpec>,
  state: Parameters<typeof observed>[0],
): readonly StackCall[] {
  const { operations, blocked } = diffStack(wanted, observed(state));
  expect(blocked).toEqual([]);
  return operations
    .map(({ call }) => call)
    .filter(({ op }) => op.startsWith('config') || op.startsWith('secret'));
}

const names = (calls: readonly StackCall[]): string[] =>
  calls.flatMap((call) => ('name' in call ? [call.name] : []));

describe('names that are cut for their digits', () => {
  const long = (end: string): string => `blog_${'x'.repeat(50)}_${end}`.padEnd(64, 'y');
  const [one, two] = [long('one'), long('two')];
  const before = {
    configs: [one, two].map((name, index) => ({
      id: `old${String(index)}`,
      version: 1,
      ...config(name, 'old'),
    })),
  };

  it('have one beginning', () => {
    expect([one.length, two.length, one.slice(0, 55) === two.slice(0, 55)]).toEqual([64, 64, true]);
  });

  it.each([
    ['other content', 'a', 'b'],
    ['the same content', 'a', 'a'],
  ])('never meet with %s, and rest once they are made', (_what, first, second) => {
    const wanted = unit({
      configs: { one: config(one, first, { a: '1' }), two: config(two, second, { a: '2' }) },
    });
    const calls = fileCalls(wanted, before);
    expect(new Set(names(calls)).size).toBe(2);
    const { configs } = carriedOut(calls);
    expect(fileCalls(wanted, { configs: [...before.configs, ...configs] })).toEqual([]);
  });

  it('go on to the next digits where the first are taken by other content', () => {
    const wanted = unit({ configs: { one: config(one, 'a') } });
    const [name = ''] = names(fileCalls(wanted, before));
    const taken = { id: 'taken', version: 1, ...config(name, 'something else') };
    const state = { configs: [...before.configs, taken] };
    const calls = fileCalls(wanted, state);
    expect(names(calls)).toEqual([expect.stringMatching(/^blog_x{50}-[0-9a-f]{8}$/)]);
    expect(names(calls)).not.toContain(name);
    const { configs } = carriedOut(calls);
    expect(fileCalls(wanted, { configs: [...state.configs, ...configs] })).toEqual([]);
  });
});

describe('a template driver', () => {
  it('makes another digest of the same content, and none leaves it as it was', () => {
    const plain = contentDigest(base64('x'), digestKey);
    expect(contentDigest(base64('x'), digestKey, undefined)).toBe(plain);
    expect(contentDigest(base64('x'), digestKey, 'golang')).not.toBe(plain);
    expect(contentDigest(base64('x'), digestKey, 'golang')).not.toBe(
      contentDigest(base64('x'), digestKey, 'other'),
    );
  });

  it.each([
    ['added', undefined, 'golang'],
    ['taken away', 'golang', undefined],
  ])('that is %s makes a new config and a new secret, which then rest', (_what, from, to) => {
    const parts = (templating: string | undefined) => {
      const driver = templating === undefined ? {} : { templating };
      return unit({
        configs: { page: { ...config('blog_page', 'x'), ...driver } },
        secrets: {
          key: { name: 'blog_key', labels: namespace, data: new Secret(base64('y')), ...driver },
        },
      });
    };
    const before = carriedOut(fileCalls(parts(from), {}));
    expect(fileCalls(parts(from), before)).toEqual([]);
    const calls = fileCalls(parts(to), before);
    expect(calls.map(({ op }) => op)).toEqual(['config-create', 'secret-create']);
    expect(names(calls)).toEqual([
      expect.stringMatching(/^blog_page-[0-9a-f]{8}$/),
      expect.stringMatching(/^blog_key-[0-9a-f]{8}$/),
    ]);
    const after = carriedOut(calls);
    const both = {
      configs: [...before.configs, ...after.configs],
      secrets: [...before.secrets, ...after.secrets],
    };
    expect(fileCalls(parts(to), both)).toEqual([]);
  });

  it('that a secret with the right digest does not have makes it another one', () => {
    const secrets = {
      key: {
        name: 'blog_key',
        labels: namespace,
        data: new Secret(base64('y')),
        templating: 'golang',
      },
    };
    const digest = contentDigest(base64('y'), digestKey, 'golang');
    const labels = { ...namespace, [DIGEST_LABEL]: digest };
    const there = { id: 's', version: 1, name: 'blog_key', labels };
    expect(names(fileCalls(unit({ secrets }), { secrets: [there] }))).toEqual([
      `blog_key-${digest.slice(0, 8)}`,
    ]);
    expect(fileCalls(unit({ secrets }), { secrets: [{ ...there, templating: 'golang' }] })).toEqual(
      [],
    );
  });
});

it('knows the names that versions of one content carry', () => {
  const long = 'blog_'.padEnd(64, 'x');
  for (const name of ['blog_page', long]) {
    const wanted = unit({ configs: { page: config(name, 'two') }, services: {}, networks: {} });
    const there = { id: 'c', version: 1, ...config(name, 'one') };
    const [made] = names(fileCalls(wanted, { configs: [there] }));
    expect(made).not.toBe(name);
    expect(isVersionOf(made ?? '', name)).toBe(true);
    expect(isVersionOf(name, name)).toBe(true);
  }
  for (const other of [
    'blog_pages',
    'blog_page-old',
    'blog_page-1a2b3c4d-1a2b3c4d',
    'page-1a2b3c4d',
  ]) {
    expect(isVersionOf(other, 'blog_page')).toBe(false);
  }
});

describe('a plain name whose content was collected', () => {
  const digestOf = (text: string): string => contentDigest(base64(text), digestKey);
  const key = (text: string) => ({
    key: { name: 'blog_key', labels: namespace, data: new Secret(base64(text)) },
  });
  const later = (text: string) => {
    const digits = digestOf(text).slice(0, 8);
    const labels = { ...namespace, [DIGEST_LABEL]: digestOf(text) };
    return {
      configs: [{ id: 'c', version: 1, ...config(`blog_page-${digits}`, text) }],
      secrets: [{ id: 's', version: 1, name: `blog_key-${digits}`, labels }],
    };
  };
  const wanting = (text: string) =>
    unit({ configs: { page: config('blog_page', text) }, secrets: key(text) });

  it('makes nothing anew: an equal content is found behind it', () => {
    expect(fileCalls(wanting('two'), later('two'))).toEqual([]);
  });

  it('stands for the first content only: other content gets digits while a later one is there', () => {
    const digits = digestOf('three').slice(0, 8);
    expect(names(fileCalls(wanting('three'), later('two')))).toEqual([
      `blog_page-${digits}`,
      `blog_key-${digits}`,
    ]);
    expect(names(fileCalls(wanting('three'), {}))).toEqual(['blog_page', 'blog_key']);
  });

  it.each([
    ['has other digits', 'blog_page-0123abcd', namespace],
    [
      'is another stack’s',
      `blog_page-${digestOf('two').slice(0, 8)}`,
      { 'com.docker.stack.namespace': 'shop' },
    ],
  ])('is free where what looks like a later one %s', (_what, name, labels) => {
    const configs = [{ id: 'c', version: 1, name, labels, data: base64('two') }];
    expect(
      names(fileCalls(unit({ configs: { page: config('blog_page', 'x') } }), { configs })),
    ).toEqual(['blog_page']);
  });

  it('is not taken from somebody else who has it now, and an equal content of ours is used all the same', () => {
    const foreign = { id: 'f', version: 1, name: 'blog_page', labels: {}, data: base64('two') };
    const { configs } = later('two');
    const wanted = (text: string) => unit({ configs: { page: config('blog_page', text) } });
    expect(fileCalls(wanted('two'), { configs: [foreign, ...configs] })).toEqual([]);
    const { blocked } = diffStack(wanted('three'), observed({ configs: [foreign, ...configs] }));
    expect(blocked).toEqual([expect.objectContaining({ target: 'config blog_page' })]);
  });
});

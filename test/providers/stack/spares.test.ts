import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ContainerSpec } from '../../../agent/providers/stack/engine-api.ts';
import { contentDigest, DIGEST_LABEL } from '../../../agent/providers/stack/names.ts';
import { stackSpares } from '../../../agent/providers/stack/spares.ts';
import type {
  ObservedConfig,
  ObservedSecret,
  ObservedTask,
} from '../../../agent/providers/stack/swarm.ts';
import { digestKey, observed, service, task, unit } from '../../fakes/stack.ts';

const namespace = { 'com.docker.stack.namespace': 'blog' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const digestOf = (text: string): string => contentDigest(base64(text), digestKey);

/** A config as it was made for this content; the first one has the plain name. */
function config(text: string, parts: Partial<ObservedConfig> & { plain?: string } = {}) {
  const { plain = 'blog_page', ...rest } = parts;
  const name = text === 'one' ? plain : `${plain}-${digestOf(text).slice(0, 8)}`;
  const made = { id: `c-${plain}-${text}`, version: 1, name, labels: namespace };
  return { ...made, data: base64(text), ...rest };
}

function secret(text: string, parts: Partial<ObservedSecret> = {}): ObservedSecret {
  const name = text === 'one' ? 'blog_key' : `blog_key-${digestOf(text).slice(0, 8)}`;
  const labels = { ...namespace, [DIGEST_LABEL]: digestOf(text) };
  return { id: `s-${text}`, version: 1, name, labels, ...parts };
}

const File = { Name: '/x', UID: '0', GID: '0', Mode: 292 };

/** What a container names. */
function naming(configs: readonly ObservedConfig[], secrets: readonly ObservedSecret[]) {
  return {
    Configs: configs.map(({ id, name }) => ({ File, ConfigID: id, ConfigName: name })),
    Secrets: secrets.map(({ id, name }) => ({ File, SecretID: id, SecretName: name })),
  };
}

function web(parts: Partial<ContainerSpec>) {
  const spec = service('web');
  const ContainerSpec = { ...spec.TaskTemplate.ContainerSpec, ...parts };
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ContainerSpec } };
}

/** The stack with this page and this key. */
function wanting(text: string) {
  const Configs = [{ File, ConfigName: 'blog_page' }];
  const Secrets = [{ File, SecretName: 'blog_key' }];
  return unit({
    services: { web: web({ Configs, Secrets }) },
    configs: { page: { name: 'blog_page', labels: namespace, data: base64(text) } },
    secrets: { key: { name: 'blog_key', labels: namespace, data: new Secret(base64(text)) } },
  });
}

const [one, two, three] = [config('one'), config('two'), config('three')];
const [keyOne, keyTwo, keyThree] = [secret('one'), secret('two'), secret('three')];
const keys = [keyOne, keyTwo, keyThree];
const live = {
  id: 'web',
  version: 1,
  spec: web(naming([three], [keyThree])),
};

const swarm = (parts: Parameters<typeof observed>[0] = {}) =>
  observed({ configs: [one, two, three], secrets: keys, services: [live], ...parts });
const targets = (...from: Parameters<typeof stackSpares>): string[] =>
  stackSpares(...from).map(({ operation }) => operation.target);
const all = [one, two].map(({ name }) => `config ${name}`);
const allKeys = [keyOne, keyTwo].map(({ name }) => `secret ${name}`);
const wanted = wanting('three');

describe('what no service uses', () => {
  it('is what was made for contents that are not wanted any more', () => {
    expect(targets(wanted, swarm())).toEqual([...all, ...allKeys]);
    const [first] = stackSpares(wanted, swarm());
    expect(first).toEqual({
      id: one.id,
      need: 'config:blog_page',
      operation: {
        target: 'config blog_page',
        verb: 'remove',
        phase: 'remove',
        effect: 'destructive',
        fields: [],
        call: { op: 'config-remove', id: one.id, name: 'blog_page', stack: 'blog' },
      },
    });
  });

  const stale: Partial<ObservedTask> = { mounts: { configs: ['blog_page'], secrets: [keyTwo.id] } };
  const kept = [`config ${two.name}`, `secret ${keyOne.name}`];

  it.each<readonly [string, Parameters<typeof observed>[0], readonly string[]]>([
    [
      'a service of another stack names',
      { services: [live, { id: 'x', version: 1, spec: web(naming([one], [keyTwo])) }] },
      kept,
    ],
    [
      'a service named before its last update',
      { services: [{ ...live, before: { configs: [one.id], secrets: [keyTwo.name] } }] },
      kept,
    ],
    ['a task names that runs', { tasks: [task('t', { ...stale, state: 'running' })] }, kept],
    [
      'a task names that is told to stop and has not',
      { tasks: [task('t', { ...stale, state: 'running', desiredState: 'shutdown' })] },
      kept,
    ],
    [
      'a task names that is over',
      { tasks: [task('t', { ...stale, state: 'shutdown', desiredState: 'shutdown' })] },
      [...all, ...allKeys],
    ],
  ])('is not what %s, unless that is over', (_what, parts, expected) => {
    expect(targets(wanted, swarm(parts))).toEqual(expected);
  });

  it('is looked for anew when only the tasks are others', () => {
    const services = [live];
    expect(targets(wanted, swarm({ services }))).toEqual([...all, ...allKeys]);
    expect(targets(wanted, swarm({ services, tasks: [task('t', stale)] }))).toEqual(kept);
  });

  it('is compared without regard to case, as the engine does it', () => {
    const upper = { ...one, name: 'Blog_Page' };
    const before = { configs: ['blog_page'], secrets: [] };
    const state = swarm({ configs: [upper, two, three], services: [{ ...live, before }] });
    expect(targets(wanted, state)).toEqual([`config ${two.name}`, ...allKeys]);
  });

  it('is nothing of what the stack declares and no service of it uses', () => {
    const bare = unit({
      services: { web: web({}) },
      configs: { page: { name: 'blog_page', labels: namespace, data: base64('three') } },
    });
    const services = [{ id: 'web', version: 1, spec: web({}) }];
    expect(targets(bare, swarm({ services, secrets: [] }))).toEqual(all);
  });

  it('is nothing at all while what is wanted is not there, or belongs to somebody else', () => {
    expect(targets(wanting('four'), swarm())).toEqual([]);
    const foreign = { ...three, labels: { 'com.docker.stack.namespace': 'shop' } };
    expect(targets(wanted, swarm({ configs: [one, two, foreign] }))).toEqual([]);
  });
});

describe('what was not made here', () => {
  const before = [one, two].map((file) => `config ${file.name}`);

  it.each<readonly [string, ObservedConfig]>([
    ['has no mark of a stack', { ...config('two', { plain: 'other' }), labels: {} }],
    [
      'has the mark of another stack',
      config('two', { plain: 'other', labels: { 'com.docker.stack.namespace': 'shop' } }),
    ],
    ['has the mark and another plain name', config('one', { plain: 'blog_mine' })],
    ['looks like another content', { ...config('two', { plain: 'x' }), name: 'x-0123abcd' }],
    [
      'looks like it by its first digits only',
      { ...config('two', { plain: 'x' }), name: `x-${digestOf('two').slice(0, 7)}z` },
    ],
    ['is the agent’s own', config('two', { plain: 'understudy.b' })],
  ])('stays: a config that %s', (_what, stranger) => {
    const configs = [one, two, three, stranger];
    expect(targets(wanted, swarm({ configs, secrets: [keyThree] }))).toEqual(before);
  });

  it('goes where its digits are those of its own content, though the file has it no more', () => {
    const old = config('two', { plain: 'blog_gone' });
    const state = swarm({ configs: [three, old], secrets: [keyThree] });
    expect(targets(wanted, state)).toEqual([`config ${old.name}`]);
  });

  it.each<readonly [string, Partial<ObservedSecret>]>([
    ['bears no digest', { labels: namespace }],
    ['is a plugin’s', { driver: { name: 'vault' } }],
    ['is the agent’s own', { name: 'understudy.key' }],
  ])('stays: a secret that %s', (_what, parts) => {
    const secrets = [secret('two', parts), keyThree];
    expect(targets(wanted, swarm({ configs: [three], secrets }))).toEqual([]);
  });
});

describe('names that are cut', () => {
  const plain = `blog_${'x'.repeat(51)}_page`;
  const long = (text: string) =>
    unit({ configs: { page: { name: plain, labels: namespace, data: base64(text) } } });

  /** As the agent makes them, one after another. */
  function made(...texts: readonly string[]): ObservedConfig[] {
    const configs: ObservedConfig[] = [];
    for (const text of texts) {
      const { operations } = diffStack(long(text), observed({ configs: [...configs] }));
      for (const { call } of operations) {
        if (call.op !== 'config-create') continue;
        const { op: _op, ...rest } = call;
        configs.push({ id: `id-${text}`, version: 1, ...rest });
      }
    }
    return configs;
  }

  it('are at most 64 long, all different, and known again as long as the file has the plain one', () => {
    const configs = made('one', 'two', 'three', 'four');
    const names = configs.map(({ name }) => name);
    expect(new Set(names).size).toBe(4);
    expect(Math.max(...names.map(({ length }) => length))).toBeLessThanOrEqual(64);
    const state = observed({ configs });
    expect(targets(long('four'), state)).toEqual(names.slice(0, 3).map((name) => `config ${name}`));
    const without = unit({ configs: {} });
    expect(targets(without, state)).toEqual([]);
  });
});

/** Where a name may stand. */
const uses = ['spec', 'before', 'task'] as const;
const texts = ['one', 'two', 'three', 'four', 'five'];

it('gives exactly what was made here and stands nowhere, whatever stands where', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.subarray([...uses]), fc.subarray([...uses])), {
        minLength: texts.length - 1,
        maxLength: texts.length - 1,
      }),
      fc.constantFrom(...texts),
      (where, want) => {
        const others = texts.filter((text) => text !== want);
        const files = others.map((text, at) => ({ at, page: config(text), key: secret(text) }));
        const used = (what: (typeof uses)[number], noun: 0 | 1) =>
          files.filter(({ at }) => where[at]?.[noun].includes(what));
        const named = (what: (typeof uses)[number]) =>
          naming(
            used(what, 0).map(({ page }) => page),
            used(what, 1).map(({ key }) => key),
          );
        const mounts = (what: (typeof uses)[number]) => ({
          configs: used(what, 0).map(({ page }) => page.id),
          secrets: used(what, 1).map(({ key }) => key.name),
        });
        const state = observed({
          configs: [config(want), ...files.map(({ page }) => page)],
          secrets: [secret(want), ...files.map(({ key }) => key)],
          services: [{ ...live, spec: web(named('spec')), before: mounts('before') }],
          tasks: [task('t', { state: 'running', mounts: mounts('task') })],
        });
        const isFree = (at: number, noun: 0 | 1): boolean => where[at]?.[noun].length === 0;
        expect(targets(wanting(want), state)).toEqual([
          ...files.flatMap(({ at, page }) => (isFree(at, 0) ? `config ${page.name}` : [])),
          ...files.flatMap(({ at, key }) => (isFree(at, 1) ? `secret ${key.name}` : [])),
        ]);
      },
    ),
  );
});

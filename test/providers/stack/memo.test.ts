import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { Lookups } from '../../../agent/providers/stack/lookups.ts';
import { UnitMemo } from '../../../agent/providers/stack/memo.ts';
import { chooseConfig, contentDigest, DIGEST_LABEL } from '../../../agent/providers/stack/names.ts';
import { indexState, type StackObserved } from '../../../agent/providers/stack/observed.ts';
import type { SwarmState } from '../../../agent/providers/stack/swarm.ts';
import { blogNetwork, digestKey, live, observed, service, unit } from '../../fakes/stack.ts';

const namespace = { 'com.docker.stack.namespace': 'blog' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** A key that cannot be used: whoever makes a digest with it fails. */
class Unusable extends Secret {
  override reveal(): string {
    throw new Error('a digest was made');
  }
}

describe('digests', () => {
  const wanted = { name: 'blog_page', labels: namespace, data: base64('x') };
  const there = { id: 'c', version: 1, ...wanted };
  const choose = (data: string) =>
    chooseConfig(wanted, 'blog', new Map([['blog_page', { ...there, data }]]), {
      memo: new UnitMemo(''),
      key: new Unusable(''),
    });

  it('are not made while the plain name carries the content', () => {
    expect(choose(wanted.data)).toMatchObject({ status: 'there', name: 'blog_page' });
    expect(() => choose(base64('y'))).toThrow('a digest was made');
  });

  it('are made once', () => {
    const memo = new UnitMemo('k');
    let made = 0;
    const digest = () => memo.digest('secret a', () => `digest ${String((made += 1))}`);
    expect([digest(), digest(), made]).toEqual(['digest 1', 'digest 1', 1]);
  });

  it('are made anew under another key of the Swarm', () => {
    const secret = { name: 'blog_key', labels: namespace, data: new Secret(base64('y')) };
    const wantedUnit = unit({ services: {}, networks: {}, secrets: { key: secret } });
    const under = (key: Secret) => {
      const { operations } = diffStack(wantedUnit, indexState(observed().state, key));
      return operations.map(({ call }) => 'labels' in call && call.labels[DIGEST_LABEL]);
    };
    const other = new Secret(Buffer.alloc(32, 8).toString('base64'));
    for (const key of [digestKey, other, digestKey]) {
      expect(under(key)).toEqual([contentDigest(base64('y'), key)]);
    }
  });
});

const mounts = (names: readonly string[]): ServiceSpec => {
  const web = service('web');
  const { TaskTemplate: task } = web;
  const Configs = names.map((ConfigName) => ({ ConfigName }));
  return {
    ...web,
    TaskTemplate: { ...task, ContainerSpec: { ...task.ContainerSpec, Configs } },
  };
};
const wantedSpec = {
  services: { web: mounts(['blog_page']) },
  configs: { page: { name: 'blog_page', labels: namespace, data: base64('new') } },
};
const suffix = contentDigest(base64('new'), digestKey).slice(0, 8);

/** Swarms in which the stack is, was, or is no more. */
const states: fc.Arbitrary<Partial<SwarmState>> = fc.record({
  services: fc.constantFrom(
    [],
    [live(mounts(['blog_page']))],
    [live(mounts([`blog_page-${suffix}`]))],
    [live({ ...mounts(['blog_page']), Mode: { Replicated: { Replicas: 2 } } })],
    [live({ ...mounts(['blog_page']), Labels: {} })],
  ),
  networks: fc.constantFrom(
    [],
    [blogNetwork],
    [{ ...blogNetwork, id: 'made-anew' }],
    [{ ...blogNetwork, labels: {} }],
    [blogNetwork, { ...blogNetwork, id: 'made-anew', scope: 'local' }],
  ),
  configs: fc.constantFrom(
    [],
    [{ id: 'c1', version: 1, name: 'blog_page', labels: namespace, data: base64('old') }],
    [{ id: 'c2', version: 1, name: 'blog_page', labels: namespace, data: base64('new') }],
    [{ id: 'c2', version: 2, name: 'blog_page', labels: {}, data: base64('new') }],
    [
      { id: 'c1', version: 1, name: 'blog_page', labels: namespace, data: base64('old') },
      {
        id: 'c3',
        version: 1,
        name: `blog_page-${suffix}`,
        labels: namespace,
        data: base64('new'),
      },
    ],
  ),
});

it('remembers nothing that would hide a difference: whatever was seen before, the answer is that of a fresh unit', () => {
  fc.assert(
    fc.property(fc.array(states, { minLength: 2, maxLength: 12 }), (seen) => {
      const kept = unit(wantedSpec);
      for (const state of seen) {
        expect(diffStack(kept, observed(state))).toEqual(
          diffStack(unit(wantedSpec), observed(state)),
        );
      }
    }),
    { numRuns: 300 },
  );
});

it('sees what changes in a service that was equal a moment ago, its version the same or not', () => {
  const kept = unit();
  const settled = { services: [live(service('web'))], networks: [blogNetwork] };
  expect(diffStack(kept, observed(settled)).operations).toEqual([]);
  expect(diffStack(kept, observed(settled)).operations).toEqual([]);
  const scaled = live(service('web', { Mode: { Replicated: { Replicas: 3 } } }));
  expect(diffStack(kept, observed({ ...settled, services: [scaled] })).operations).toHaveLength(1);
  const network = { ...blogNetwork, id: 'made-anew' };
  expect(diffStack(kept, observed({ ...settled, networks: [network] })).operations).toHaveLength(1);
});

it('compares nothing again where all that it looked up is the same object, and does where one of it is not', () => {
  const kept = unit(wantedSpec);
  const config = {
    id: 'c2',
    version: 1,
    name: 'blog_page',
    labels: namespace,
    data: base64('new'),
  };
  const settled = {
    services: [live(mounts(['blog_page']))],
    networks: [blogNetwork],
    configs: [config],
  };
  const first = diffStack(kept, observed(settled));
  expect(first.operations).toEqual([]);
  const other = live({
    ...service('other'),
    Labels: { ...namespace, 'com.docker.stack.namespace': 'shop' },
  });
  // Whatever is there beside it.
  const beside = observed({ ...settled, services: [other, ...settled.services], tasks: [] });
  expect(diffStack(kept, beside)).toBe(first);
  for (const changed of [
    { services: settled.services.map((one) => ({ ...one })) },
    { networks: [{ ...blogNetwork }] },
    { configs: [{ ...config }] },
    { configs: [config, { ...config, id: 'c3', name: `blog_page-${suffix}` }] },
    { services: [...settled.services, live(service('old'))] },
  ]) {
    const again = diffStack(kept, observed({ ...settled, ...changed }));
    expect(again).not.toBe(first);
    expect(again.operations).toEqual([]);
  }
});

it('is compared again where anything is read that is not looked up', () => {
  const there = observed();
  for (const read of [
    (view: StackObserved) => view.state,
    (view: StackObserved) => [...view.services],
    (view: StackObserved) => [...view.networks.values()],
    (view: StackObserved) => [...view.secrets.keys()],
    (view: StackObserved) => view.configs.size,
    (view: StackObserved) => view.tasks.forEach(() => undefined),
  ]) {
    const lookups = new Lookups();
    const view = lookups.of(there);
    view.services.get('blog_web');
    expect(lookups.holdIn(there)).toBe(true);
    read(view);
    expect(lookups.holdIn(there)).toBe(false);
  }
});

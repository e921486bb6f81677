import { expect, it } from 'vitest';

import { diffStack } from '../../../agent/providers/stack/diff.ts';
import { stackProvider } from '../../../agent/providers/stack/provider.ts';
import { restoreStack, stackRelease } from '../../../agent/providers/stack/release.ts';
import type { StackCall, Swarm } from '../../../agent/providers/stack/swarm.ts';
import { headFormat } from '../../../agent/record/head.ts';
import { blogNetwork, live, observed, service, unit } from '../../fakes/stack.ts';

const head = headFormat((bytes) => new Uint8Array(bytes));

/** A Swarm that takes every call. */
function swarm() {
  const calls: StackCall[] = [];
  const port: Swarm = {
    observe: async () => ({ status: 'ok', value: observed().state }),
    identity: async () => ({ status: 'ok', value: { swarmId: 's', nodeId: 'n', nodeName: 'm1' } }),
    containerRuns: async () => ({ status: 'ok', value: undefined }),
    image: async () => ({ status: 'unknown', why: 'nobody asks' }),
    hasImage: async () => ({ status: 'unknown', why: 'nobody asks' }),
    taskLog: async () => ({ status: 'unknown', why: 'nobody asks' }),
    lastCheck: async () => ({ status: 'unknown', why: 'nobody asks' }),
    configNamed: async () => ({ status: 'ok', value: undefined }),
    call: async (call) => {
      calls.push(call);
      return { status: 'ok', value: { id: 'x' } };
    },
  };
  return { provider: stackProvider(port, head), calls };
}
const { signal } = new AbortController();

it('fills in the ids of the names that a release goes back to', async () => {
  const mounting = (config: string, secret: string) => {
    const web = service('web');
    const { TaskTemplate: template } = web;
    const ContainerSpec = {
      ...template.ContainerSpec,
      Configs: [{ ConfigName: config, ConfigID: `id of ${config}` }],
      Secrets: [{ SecretName: secret, SecretID: `id of ${secret}` }],
    };
    return { ...web, TaskTemplate: { ...template, ContainerSpec } };
  };
  const named = (name: string) => ({ id: `id of ${name}`, version: 1, name, labels: {}, data: '' });
  const around = {
    networks: [blogNetwork],
    configs: [named('blog_site-1a2b3c4d'), named('blog_site-5e6f7a8b')],
    secrets: [named('blog_key'), named('blog_key-5e6f7a8b')],
  };
  const old = mounting('blog_site-1a2b3c4d', 'blog_key');
  const before = observed({ ...around, services: [live(old)] });
  const wanted = unit({ services: { web: old } });
  const content = stackRelease(wanted, before, 'wanted');
  const release = { digest: 'd1', revision: 'r1', at: '', content };
  const back = restoreStack('stack/blog', release) ?? unit();

  const rotated = mounting('blog_site-5e6f7a8b', 'blog_key-5e6f7a8b');
  const now = observed({ ...around, services: [live(rotated)] });
  const { provider, calls } = swarm();
  for (const { call } of diffStack(back, now).operations) {
    await provider.caller(now).call(call, signal);
  }
  expect(calls).toMatchObject([
    {
      op: 'service-update',
      body: {
        TaskTemplate: {
          ContainerSpec: {
            Configs: [{ ConfigID: 'id of blog_site-1a2b3c4d' }],
            Secrets: [{ SecretID: 'id of blog_key' }],
          },
        },
      },
    },
  ]);
});

it.each([
  ['of another registry', 'ghost:1', 'ghcr.io/a/ghost:1', true],
  ['of the same one', 'ghcr.io/a/b:1', 'ghcr.io/a/c:2', undefined],
])('marks an update to an image %s', async (_, from, to, otherRegistry) => {
  const web = (image: string) => {
    const { TaskTemplate: template, ...rest } = service('web');
    const ContainerSpec = { ...template.ContainerSpec, Image: image };
    return { ...rest, TaskTemplate: { ...template, ContainerSpec } };
  };
  const now = observed({ networks: [blogNetwork], services: [live(web(from))] });
  const { provider, calls } = swarm();
  const wanted = unit({ services: { web: web(to) } });
  for (const { call } of diffStack(wanted, now).operations) {
    await provider.caller(now).call(call, signal);
  }
  expect(calls.map((call) => 'otherRegistry' in call || undefined)).toEqual([otherRegistry]);
});

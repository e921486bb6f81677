import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Json, Release, Rendered } from '../../../agent/core/kind.ts';
import { Secret } from '../../../agent/core/secret.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { contentDigest, DIGEST_LABEL } from '../../../agent/providers/stack/names.ts';
import { restoreStack, stackRelease } from '../../../agent/providers/stack/release.ts';
import { readServices } from '../../../agent/providers/stack/shapes.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import type { ObservedService, SwarmState } from '../../../agent/providers/stack/swarm.ts';
import {
  blogNetwork,
  digestKey,
  health,
  live,
  network,
  observed,
  service,
  unit,
} from '../../fakes/stack.ts';

const namespace = { 'com.docker.stack.namespace': 'blog' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const release = (content: Json, digest = 'd1'): Release => ({
  digest,
  revision: 'r1',
  at: '2026-01-01T00:00:00Z',
  content,
});
/** What comes out of the record, in a new process. */
const recorded = (content: Json, digest?: string): Release =>
  release(JSON.parse(JSON.stringify(content)), digest);
function restored(content: Json, digest?: string): Rendered<StackSpec> {
  const back = restoreStack('stack/blog', recorded(content, digest));
  if (back === undefined) throw new Error('the release cannot be read');
  return back;
}

const mounting = (
  configs: readonly string[],
  secrets: readonly string[],
  targets: readonly string[] = ['blog_default'],
): ServiceSpec => {
  const web = service('web');
  const { TaskTemplate: task } = web;
  return {
    ...web,
    TaskTemplate: {
      ...task,
      Networks: targets.map((Target) => ({ Target, Aliases: ['web'] })),
      ContainerSpec: {
        ...task.ContainerSpec,
        Configs: configs.map((ConfigName) => ({ ConfigName, ConfigID: `id of ${ConfigName}` })),
        Secrets: secrets.map((SecretName) => ({ SecretName, SecretID: `id of ${SecretName}` })),
      },
    },
  };
};
const config = (name: string, text = name) => ({
  id: `id of ${name}`,
  version: 1,
  name,
  labels: namespace,
  data: base64(text),
});
const secret = (name: string, text = name) => ({
  id: `id of ${name}`,
  version: 1,
  name,
  labels: { ...namespace, [DIGEST_LABEL]: contentDigest(base64(text), digestKey) },
});
const proxy = { ...blogNetwork, id: 'id-proxy', name: 'proxy', labels: {} };

describe('a release', () => {
  it('names what it needs and holds no id and no content', () => {
    const web = mounting(['blog_site-1a2b3c4d', 'shared'], ['blog_key'], ['blog_default', 'proxy']);
    const wanted = unit({
      services: { web },
      configs: { site: { name: 'blog_site', labels: namespace, data: base64('the content') } },
      secrets: {
        key: { name: 'blog_key', labels: namespace, data: new Secret(base64('the password')) },
      },
    });
    const now = observed({ services: [live(web)], networks: [blogNetwork, proxy] });
    const content = stackRelease(wanted, now, 'wanted');
    expect(content).toMatchObject({
      schema: 1,
      name: 'blog',
      networks: { default: { Name: 'blog_default' } },
      configs: { blog_site: 'blog_site-1a2b3c4d', shared: 'shared' },
      secrets: { blog_key: 'blog_key' },
      health: { timeoutMs: 300_000 },
      rollback: { mode: 'auto', keep: 3 },
    });
    const text = JSON.stringify(content);
    for (const part of ['id of', 'id-', base64('the content'), base64('the password')]) {
      expect(text).not.toContain(part);
    }
    expect(restored(content)).toMatchObject({
      id: 'stack/blog',
      digest: 'd1',
      needs: ['config:blog_site-1a2b3c4d', 'config:shared', 'network:proxy', 'secret:blog_key'],
      spec: {
        configs: {},
        secrets: {},
        services: {
          web: {
            TaskTemplate: {
              Networks: [{ Target: 'blog_default', Aliases: ['web'] }, { Target: 'proxy' }],
            },
          },
        },
      },
    });
  });

  it('keeps the image, the platforms and the force counter as they are live', () => {
    const Image = `site:1@sha256:${'a'.repeat(64)}`;
    const there = live(service('web'));
    const { TaskTemplate: task } = there.spec;
    const template = {
      ...task,
      ForceUpdate: 3,
      Placement: { Platforms: [{ OS: 'linux' }] },
      ContainerSpec: { ...task.ContainerSpec, Image },
    };
    const pinned = { ...there, spec: { ...there.spec, TaskTemplate: template } };
    const now = observed({ services: [pinned], networks: [blogNetwork] });
    expect(stackRelease(unit(), now, 'wanted')).toMatchObject({
      services: {
        web: {
          TaskTemplate: {
            ForceUpdate: 3,
            Placement: { Platforms: [{ OS: 'linux' }] },
            ContainerSpec: { Image },
          },
        },
      },
    });
  });

  it('has only what the unit wants, or all that its stack runs, never what belongs to others', () => {
    const foreign = service('x', { Labels: { 'com.docker.stack.namespace': 'shop' } });
    const odd = { ...service('y'), Name: 'odd' };
    const services = [live(service('web')), live(service('old')), live(foreign), live(odd)];
    const now = observed({ services, networks: [blogNetwork] });
    const wanted = unit({ services: { web: service('web'), x: foreign, gone: service('gone') } });
    const keys = (parts: 'wanted' | 'all') =>
      Object.keys(restored(stackRelease(wanted, now, parts)).spec.services).toSorted();
    expect(keys('wanted')).toEqual(['web']);
    expect(keys('all')).toEqual(['odd', 'old', 'web']);
  });

  it('asks nothing of what was there before us: the checks are of another revision', () => {
    const target = { protocol: 'tcp', at: { service: 'api', port: 1 } } as const;
    const check = { name: 'x', target, intervalMs: 1_000, timeoutMs: 1_000, failures: 1 };
    const wanted = unit({ health: health([check]) });
    const now = observed({ services: [live(service('web'))], networks: [blogNetwork] });
    expect(restored(stackRelease(wanted, now, 'wanted')).spec.health.checks).toEqual([check]);
    expect(restored(stackRelease(wanted, now, 'all')).spec.health.checks).toEqual([]);
  });

  it('does not compare a network again that the file wants otherwise', () => {
    const changed = { ...network('blog_default'), Attachable: true };
    const wanted = unit({ networks: { default: changed } });
    const now = observed({ services: [live(service('web'))], networks: [blogNetwork] });
    expect(diffStack(wanted, now).blocked).toHaveLength(1);
    const back = restored(stackRelease(wanted, now, 'all'));
    expect(back.needs).toEqual(['network:blog_default']);
    expect(diffStack(back, now)).toEqual({ operations: [], blocked: [] });
  });

  it.each<[string, ServiceSpec, 'wanted' | 'all']>([
    ['of a service of the file', service('web'), 'wanted'],
    ['of a service that nobody asks for', service('old'), 'all'],
  ])('keeps networks that no list shows: %s', (_whose, plain, parts) => {
    const template = { ...plain.TaskTemplate, Networks: [{ Target: 'host' }] };
    const hosted = { ...plain, TaskTemplate: template };
    const now = observed({ services: [live(hosted)] });
    const wanted = unit({ services: parts === 'wanted' ? { web: hosted } : {}, networks: {} });
    const back = restored(stackRelease(wanted, now, parts));
    expect(back.needs).toEqual([]);
    expect(diffStack(back, now)).toEqual({ operations: [], blocked: [] });
  });
});

describe('what is restored', () => {
  const web = mounting(['blog_site'], ['blog_key']);
  const before: Partial<SwarmState> = {
    services: [live(web)],
    networks: [blogNetwork],
    configs: [config('blog_site', 'one')],
    secrets: [secret('blog_key', 'one')],
  };
  const wanted = unit({
    services: { web },
    configs: { site: { name: 'blog_site', labels: namespace, data: base64('one') } },
    secrets: { key: { name: 'blog_key', labels: namespace, data: new Secret(base64('one')) } },
  });
  const content = stackRelease(wanted, observed(before), 'wanted');

  it('is what is there: no difference', () => {
    expect(diffStack(restored(content), observed(before))).toEqual({ operations: [], blocked: [] });
  });

  it('brings the older names back after other content was rotated in', () => {
    const rotated = mounting(['blog_site-1a2b3c4d'], ['blog_key-5e6f7a8b']);
    const after = observed({
      ...before,
      services: [live(rotated, { version: 77 })],
      configs: [config('blog_site', 'one'), config('blog_site-1a2b3c4d')],
      secrets: [secret('blog_key', 'one'), secret('blog_key-5e6f7a8b')],
    });
    const { operations, blocked } = diffStack(restored(content), after);
    expect(blocked).toEqual([]);
    expect(operations).toMatchObject([
      {
        target: 'service blog_web',
        call: {
          op: 'service-update',
          version: 77,
          body: {
            TaskTemplate: {
              Networks: [{ Target: 'blog_default' }],
              ContainerSpec: {
                Configs: [{ ConfigName: 'blog_site' }],
                Secrets: [{ SecretName: 'blog_key' }],
              },
            },
          },
        },
      },
    ]);
  });

  const image = (name: string): ServiceSpec => {
    const web = service('web');
    const { TaskTemplate: task } = web;
    const container = { ...task.ContainerSpec, Image: name };
    return { ...web, TaskTemplate: { ...task, ContainerSpec: container } };
  };
  const [a, b] = ['a', 'b'].map((digit) => `site:1@sha256:${digit.repeat(64)}`);
  it.each([
    ['the digest that ran', a, b],
    ['the digest that ran, over a tag', a, 'site:1'],
    ['the tag that ran, over a digest that only the failed commit gave it', 'site:1', b],
  ])('brings back %s', (_, ran = '', failed = '') => {
    const around = { networks: [blogNetwork] };
    const before = observed({ services: [live(image(ran))], ...around });
    const back = restored(stackRelease(unit(), before, 'wanted'));
    const now = observed({ services: [live(image(failed))], ...around });
    expect(diffStack(back, now).operations).toMatchObject([
      { call: { body: { TaskTemplate: { ContainerSpec: { Image: ran } } } } },
    ]);
    expect(diffStack(back, before)).toEqual({ operations: [], blocked: [] });
  });

  it('makes missing networks and services anew', () => {
    const { configs, secrets } = observed(before).state;
    const { operations, blocked } = diffStack(restored(content), observed({ configs, secrets }));
    expect(blocked).toEqual([]);
    expect(operations.map(({ verb, target }) => `${verb} ${target}`)).toEqual([
      'create network blog_default',
      'create service blog_web',
    ]);
  });

  it('waits for contents that are gone, because nobody holds them', () => {
    const { configs: _gone, ...rest } = before;
    expect(diffStack(restored(content), observed(rest)).blocked).toEqual([
      {
        target: 'config:blog_site',
        why: 'config blog_site is part of the healthy release and is not in this Swarm',
        waits: true,
      },
    ]);
  });

  it('says of other services of the stack only that they stay', () => {
    const services = [live(web), live(service('api'))];
    expect(diffStack(restored(content), observed({ ...before, services })).notes).toEqual([
      'service blog_api is not part of the healthy release: it is left as it is',
    ]);
  });

  it('is the same object for the same release, of one id only', () => {
    const one = recorded(content);
    expect(restoreStack('stack/blog', one)).toBe(restoreStack('stack/blog', one));
    expect(restoreStack('stack/blog', recorded(content))).not.toBe(restoreStack('stack/blog', one));
    expect(restoreStack('stack/shop', one)).toBeUndefined();
  });

  it.each<[string, Json]>([
    ['nothing', null],
    ['a later schema', { ...toMap(content), schema: 2 }],
    ['a service without a name', { ...toMap(content), services: { web: { TaskTemplate: {} } } }],
    ['no rule of rollback', { ...toMap(content), rollback: {} }],
  ])('is nothing where the record holds %s', (_what, damaged) => {
    expect(restoreStack('stack/blog', release(damaged))).toBeUndefined();
  });

  it('reads what the first version wrote, and what a later one adds beside', () => {
    const old: Json = {
      schema: 1,
      name: 'blog',
      services: {
        web: {
          Name: 'blog_web',
          Labels: namespace,
          TaskTemplate: { ContainerSpec: { Image: 'site:1' }, Placement: {}, NewThing: { a: 1 } },
          Mode: { Replicated: { Replicas: 1 } },
        },
      },
      networks: {},
      configs: {},
      secrets: {},
      health: { timeoutMs: 300_000, stableForMs: 30_000, checks: [] },
      rollback: { mode: 'auto', keep: 3 },
      newThing: 1,
    };
    expect(restoreStack('stack/blog', release(old, 'd7'))).toMatchObject({
      digest: 'd7',
      spec: { services: { web: { TaskTemplate: { NewThing: { a: 1 } } } } },
    });
  });
});

function toMap(content: Json): { readonly [key: string]: Json } {
  if (typeof content === 'object' && content !== null && !('length' in content)) return content;
  throw new Error('a release is a map');
}

/** Keys that we do not know with anything behind them: newer engines, other tools. */
const unknownKeys = fc.dictionary(
  fc.stringMatching(/^[A-Z][a-z]{0,6}Odd$/),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 3 },
);
const name = fc.constantFrom('a', 'b', 'site', 'key-0a1b2c3d');
const names = fc.uniqueArray(name, { maxLength: 3 });
const maybe = <Value>(value: fc.Arbitrary<Value>, key: string) =>
  fc.option(value, { nil: undefined }).map((one) => (one === undefined ? {} : { [key]: one }));
const merged = (...parts: readonly fc.Arbitrary<object>[]) =>
  fc.tuple(...parts).map((all): object => Object.assign({}, ...all));

const containers = merged(
  unknownKeys,
  fc.record({ Image: fc.constantFrom('site:1', `site:1@sha256:${'a'.repeat(64)}`, '') }),
  maybe(fc.array(fc.string(), { maxLength: 3 }), 'Env'),
  maybe(fc.array(name, { maxLength: 4 }), 'CapabilityAdd'),
  maybe(fc.array(name, { maxLength: 4 }), 'CapabilityDrop'),
  maybe(
    fc.array(fc.record({ Name: name, Soft: fc.nat(2), Hard: fc.nat(2) }), { maxLength: 4 }),
    'Ulimits',
  ),
  maybe(fc.dictionary(fc.string(), fc.string(), { maxKeys: 2 }), 'Labels'),
  maybe(merged(unknownKeys, fc.record({ Test: fc.array(fc.string()) })), 'Healthcheck'),
  maybe(
    names.map((all) => all.map((one) => ({ ConfigName: one, ConfigID: `id of ${one}` }))),
    'Configs',
  ),
  maybe(
    names.map((all) => all.map((one) => ({ SecretName: one, SecretID: `id of ${one}` }))),
    'Secrets',
  ),
  maybe(fc.constant([{ Type: 'volume', Source: 'x', Target: '/x', VolumeOptions: {} }]), 'Mounts'),
  maybe(
    fc.constantFrom(
      { NoNewPrivileges: true, SELinuxContext: null },
      { CredentialSpec: { Config: 'id of a', File: '', Registry: '' } },
      { CredentialSpec: { File: 'f' } },
    ),
    'Privileges',
  ),
);
const templates = merged(
  unknownKeys,
  containers.map((ContainerSpec) => ({ ContainerSpec })),
  maybe(
    fc.record({ Constraints: fc.array(fc.constant('node.role==worker'), { maxLength: 1 }) }),
    'Placement',
  ),
  maybe(
    fc
      .uniqueArray(fc.constantFrom('id-blog_default', 'id-proxy', 'id-host'))
      .map((all) => all.map((Target) => ({ Target, Aliases: ['web'] }))),
    'Networks',
  ),
  maybe(fc.constantFrom({}, { Condition: 'none', Delay: 5 }), 'RestartPolicy'),
  maybe(fc.constantFrom({}, { Limits: { MemoryBytes: 1 } }), 'Resources'),
  maybe(fc.nat(), 'ForceUpdate'),
);
const liveSpecs = merged(
  unknownKeys,
  templates.map((TaskTemplate) => ({ TaskTemplate, Labels: { ...namespace } })),
  maybe(
    fc.constantFrom<object[]>(
      { Replicated: { Replicas: 2 } },
      { Global: {} },
      { GlobalJob: {} },
      { ReplicatedJob: { MaxConcurrent: 1, TotalCompletions: 4 } },
    ),
    'Mode',
  ),
  maybe(
    fc.constantFrom(
      { Parallelism: 1, MaxFailureRatio: 0.1, Order: 'stop-first' },
      { Parallelism: 0, MaxFailureRatio: 0, Order: '', FailureAction: 'rollback' },
    ),
    'UpdateConfig',
  ),
  maybe(
    fc.constantFrom(
      { Mode: 'dnsrr' },
      { Ports: [{ TargetPort: 80, PublishedPort: 8080 }, { TargetPort: 81 }] },
    ),
    'EndpointSpec',
  ),
);

/** As the engine lists it: through JSON and our reader. */
function listed(spec: object, serviceName: string): ObservedService {
  const row = {
    ID: `id-${serviceName}`,
    Version: { Index: 10 },
    Spec: { ...spec, Name: serviceName },
  };
  const read = readServices(JSON.parse(JSON.stringify([row])));
  const [first] = read.ok ? read.value : [];
  if (first === undefined) throw new Error('the list cannot be read');
  return first;
}

const around = {
  networks: [blogNetwork, proxy],
  configs: ['a', 'b', 'site', 'key-0a1b2c3d'].map((one) => config(one)),
  secrets: ['a', 'b', 'site', 'key-0a1b2c3d'].map((one) => secret(one)),
};

describe('whatever runs', () => {
  it('is released and restored to no difference, whoever made it and with whatever in it', () => {
    fc.assert(
      fc.property(liveSpecs, liveSpecs, (one, other) => {
        const services = [listed(one, 'blog_web'), listed(other, 'blog_old')];
        const now = observed({ services, ...around });
        const back = restored(stackRelease(unit(), now, 'all'));
        expect(Object.keys(back.spec.services)).toEqual(['web', 'old']);
        expect(diffStack(back, now)).toEqual({ operations: [], blocked: [] });
      }),
      { numRuns: 300 },
    );
  });

  it('is brought back whole after any of it was changed', () => {
    fc.assert(
      fc.property(liveSpecs, liveSpecs, (first, second) => {
        const before = listed(first, 'blog_web');
        const changed = listed(second, 'blog_web');
        fc.pre(modeOf(before.spec) === modeOf(changed.spec));
        const content = stackRelease(unit(), observed({ services: [before], ...around }), 'wanted');
        const back = restored(content);
        const now = observed({ services: [changed], ...around });
        const [operation, ...more] = diffStack(back, now).operations;
        expect(more).toEqual([]);
        if (operation?.call.op !== 'service-update') return;
        const after = observed({
          services: [listed(withIds(operation.call.body), 'blog_web')],
          ...around,
        });
        expect(diffStack(back, after)).toEqual({ operations: [], blocked: [] });
      }),
      { numRuns: 300 },
    );
  });
});

/** As the engine stores what it once gave: networks by id, all else as it is. */
function withIds(spec: ServiceSpec): ServiceSpec {
  const ids: Readonly<Record<string, string>> = {
    blog_default: 'id-blog_default',
    proxy: 'id-proxy',
  };
  const { Networks: networks } = spec.TaskTemplate;
  const byId = networks?.map((one) => ({ ...one, Target: ids[one.Target] ?? one.Target }));
  return { ...spec, TaskTemplate: { ...spec.TaskTemplate, ...(byId && { Networks: byId }) } };
}

function modeOf({ Mode: mode }: ServiceSpec): string {
  return Object.keys(mode ?? { Replicated: {} }).join(' ');
}

import { describe, expect, it } from 'vitest';

import { Secret } from '../../../agent/core/secret.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { contentDigest, DIGEST_LABEL } from '../../../agent/providers/stack/names.ts';
import { indexState } from '../../../agent/providers/stack/observed.ts';
import { blogNetwork, digestKey, live, observed, service, unit } from '../../fakes/stack.ts';

describe('a label that is called as something that every object has', () => {
  it.each(['valueOf', 'toString', '__proto__', 'constructor'])('%s', (name) => {
    const labelled = service('web', {
      Labels: Object.fromEntries([
        ['com.docker.stack.namespace', 'blog'],
        ['com.docker.stack.image', 'site:1'],
        [name, 'x'],
      ]),
    });
    const wanted = unit({ services: { web: labelled } });
    const now = observed({ services: [live(service('web'))], networks: [blogNetwork] });
    const [operation] = diffStack(wanted, now).operations;
    expect(operation?.fields).toEqual([{ path: `services.web.Labels.${name}`, desired: 'x' }]);
    const back = observed({ services: [live(labelled)], networks: [blogNetwork] });
    expect(diffStack(unit(), back).operations[0]?.fields).toEqual([
      { path: `services.web.Labels.${name}`, observed: 'x' },
    ]);
  });
});

const UPDATE = { Parallelism: 1, MaxFailureRatio: 0, Order: '' };
const namespace = { 'com.docker.stack.namespace': 'blog' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const settled = (web: ServiceSpec = service('web')) =>
  observed({ services: [live(web)], networks: [blogNetwork] });

/** The template with parts of it replaced. */
function changed(
  container: Record<string, unknown>,
  template: Partial<ServiceSpec['TaskTemplate']> = {},
  parts: Partial<ServiceSpec> = {},
): ServiceSpec {
  const web = service('web', parts);
  const { ContainerSpec: plain } = web.TaskTemplate;
  return {
    ...web,
    TaskTemplate: { ...web.TaskTemplate, ...template, ContainerSpec: { ...plain, ...container } },
  };
}

describe('a stack that is not there', () => {
  it('is made in order: network, config, secret, then the service', () => {
    const spec = {
      configs: { page: { name: 'blog_page', labels: namespace, data: base64('x') } },
      secrets: { key: { name: 'blog_key', labels: namespace, data: new Secret(base64('y')) } },
    };
    const { operations, blocked } = diffStack(unit(spec), observed());
    expect(blocked).toEqual([]);
    expect(operations.map(({ phase, verb, target }) => `${phase} ${verb} ${target}`)).toEqual([
      'add create network blog_default',
      'add create config blog_page',
      'add create secret blog_key',
      'change create service blog_web',
    ]);
  });

  it('waits for what it declares as external', () => {
    const needs = ['network:proxy', 'secret:db', 'config:site'];
    const { blocked } = diffStack({ ...unit(), needs }, settled());
    expect(blocked.map(({ target, waits }) => [target, waits])).toEqual([
      ['network:proxy', true],
      ['secret:db', true],
      ['config:site', true],
    ]);
  });

  it('waits while the Swarm has no head, for without its key no content can be compared', () => {
    const { operations, blocked } = diffStack(unit(), indexState(observed().state, undefined));
    expect(operations).toEqual([]);
    expect(blocked).toMatchObject([{ waits: true }]);
  });
});

describe('a stack that is there', () => {
  it('differs in nothing when the engine only filled in its defaults', () => {
    expect(diffStack(unit(), settled())).toEqual({ operations: [], blocked: [] });
  });

  it.each<[string, ServiceSpec, string[], string]>([
    [
      'environment',
      changed({ Env: ['A=1'] }),
      ['services.web.TaskTemplate.ContainerSpec.Env.A'],
      'restart',
    ],
    [
      'image',
      changed({ Image: 'site:2' }),
      ['services.web.TaskTemplate.ContainerSpec.Image'],
      'restart',
    ],
    [
      'replicas',
      service('web', { Mode: { Replicated: { Replicas: 3 } } }),
      ['services.web.Mode.Replicated.Replicas'],
      'none',
    ],
    [
      'a service label',
      service('web', { Labels: { ...service('web').Labels, a: '1' } }),
      ['services.web.Labels.a'],
      'none',
    ],
    [
      'a healthcheck, even an empty one',
      changed({ Healthcheck: {} }),
      ['services.web.TaskTemplate.ContainerSpec.Healthcheck'],
      'restart',
    ],
    [
      'a port',
      service('web', { EndpointSpec: { Ports: [{ TargetPort: 80 }] } }),
      ['services.web.EndpointSpec.Ports.80/tcp'],
      'restart',
    ],
    [
      'an update rule',
      service('web', { UpdateConfig: { Parallelism: 1, MaxFailureRatio: 0, Order: '' } }),
      ['services.web.UpdateConfig'],
      'none',
    ],
  ])('is updated for %s', (_what, desired, paths, effect) => {
    const { operations } = diffStack(unit({ services: { web: desired } }), settled());
    expect(operations).toMatchObject([{ verb: 'update', phase: 'change', effect }]);
    expect(operations[0]?.fields.map(({ path }) => path)).toEqual(paths);
    expect(operations[0]?.call).toMatchObject({
      op: 'service-update',
      id: 'id-blog_web',
      version: 10,
    });
  });

  it.each<[string, ServiceSpec, ServiceSpec]>([
    [
      'a restart policy that spells the defaults out',
      changed({}, { RestartPolicy: {} }),
      changed({}, { RestartPolicy: { Condition: 'any', MaxAttempts: 0 } }),
    ],
    [
      'a ratio as a 32-bit float',
      service('web', { UpdateConfig: { Parallelism: 1, MaxFailureRatio: 0.1, Order: '' } }),
      service('web', {
        UpdateConfig: {
          Parallelism: 1,
          MaxFailureRatio: Math.fround(0.1),
          Order: 'stop-first',
          FailureAction: 'pause',
        },
      }),
    ],
    [
      'variables in another order',
      changed({ Env: ['A=1', 'B=2'] }),
      changed({ Env: ['B=2', 'A=1'] }),
    ],
    ['empty lists', changed({ Env: [], Mounts: [] }), changed({})],
    [
      'platforms that a registry was asked for',
      changed({}),
      changed({}, { Placement: { Platforms: [{ OS: 'linux' }] } }),
    ],
    ['a forced update', changed({}), changed({}, { ForceUpdate: 4 })],
    [
      'ports in another order',
      service('web', { EndpointSpec: { Ports: [{ TargetPort: 1 }, { TargetPort: 2 }] } }),
      service('web', {
        EndpointSpec: {
          Ports: [
            { TargetPort: 2, Protocol: 'tcp', PublishMode: 'ingress' },
            { TargetPort: 1, Protocol: 'tcp', PublishMode: 'ingress' },
          ],
        },
      }),
    ],
    [
      'an image that was pinned to a digest',
      changed({}),
      changed({ Image: `site:1@sha256:${'a'.repeat(64)}` }),
    ],
    [
      'bind options and consistency',
      changed({
        Mounts: [
          { Type: 'bind', Source: '/a', Target: '/b', Consistency: 'cached', BindOptions: {} },
        ],
      }),
      changed({ Mounts: [{ Type: 'bind', Source: '/a', Target: '/b' }] }),
    ],
    [
      'a start interval, which the engine drops',
      changed({ Healthcheck: { Test: ['CMD', 'x'], StartInterval: 1_000_000_000 } }),
      changed({ Healthcheck: { Test: ['CMD', 'x'] } }),
    ],
    [
      'a null-prototype map',
      changed({ Labels: Object.assign(Object.create(null), namespace) }),
      changed({}),
    ],
  ])('is left alone for %s', (_what, desired, there) => {
    const { operations, blocked } = diffStack(unit({ services: { web: desired } }), settled(there));
    expect([operations, blocked]).toEqual([[], []]);
  });

  it.each<[string, (names: readonly string[]) => ServiceSpec]>([
    ['mounts', (names) => changed({ Mounts: names.map((Target) => ({ Type: 'tmpfs', Target })) })],
    ['hosts', (names) => changed({ Hosts: names.map((name) => `1.2.3.4 ${name}`) })],
    ['words of a command', (names) => changed({ Args: [...names] })],
    [
      'constraints',
      (names) =>
        changed({}, { Placement: { Constraints: names.map((name) => `node.id != ${name}`) } }),
    ],
    [
      'names in a network',
      (names) => changed({}, { Networks: [{ Target: 'blog_default', Aliases: [...names] }] }),
    ],
  ])('does not take another order of %s for the same', (_, made) => {
    const wanted = unit({ services: { web: made(['a', 'b']) } });
    expect(diffStack(wanted, settled(made(['b', 'a']))).operations).toHaveLength(1);
    expect(diffStack(wanted, settled(made(['a', 'b']))).operations).toEqual([]);
  });

  it('keeps the live order of variables and ports in an update for another reason', () => {
    const made = (numbers: readonly number[], more: Partial<ServiceSpec> = {}): ServiceSpec => ({
      ...changed({ Env: numbers.map((one) => `V${String(one)}=1`) }),
      EndpointSpec: { Ports: numbers.map((TargetPort) => ({ TargetPort })) },
      ...more,
    });
    const wanted = unit({ services: { web: made([1, 2], { UpdateConfig: UPDATE }) } });
    expect(diffStack(wanted, settled(made([2, 1]))).operations).toMatchObject([
      {
        effect: 'none',
        call: {
          body: {
            TaskTemplate: { ContainerSpec: { Env: ['V2=1', 'V1=1'] } },
            EndpointSpec: { Ports: [{ TargetPort: 2 }, { TargetPort: 1 }] },
          },
        },
      },
    ]);
  });

  it('keeps what an update for another reason must not change', () => {
    const pinned = `site:1@sha256:${'a'.repeat(64)}`;
    const there = changed(
      { Image: pinned },
      { ForceUpdate: 3, Placement: { Platforms: [{ OS: 'linux' }] } },
    );
    const { operations } = diffStack(
      unit({ services: { web: changed({ Env: ['A=1'] }) } }),
      settled(there),
    );
    expect(operations[0]?.call).toMatchObject({
      body: {
        TaskTemplate: {
          ForceUpdate: 3,
          Placement: { Platforms: [{ OS: 'linux' }] },
          ContainerSpec: { Image: pinned },
        },
      },
    });
  });

  const pin = (digit: string): string => `site:1@sha256:${digit.repeat(64)}`;
  it.each([
    ['another digest', pin('b'), pin('a')],
    ['a digest where there was none', pin('b'), 'site:1'],
  ])('gives the image %s, and the platforms of the other content go', (_, desired, there) => {
    const { operations } = diffStack(
      unit({ services: { web: changed({ Image: desired }) } }),
      settled(changed({ Image: there }, { Placement: { Platforms: [{ OS: 'linux' }] } })),
    );
    expect(operations).toMatchObject([
      {
        effect: 'restart',
        fields: [
          {
            path: 'services.web.TaskTemplate.ContainerSpec.Image',
            observed: there,
            desired,
          },
        ],
        call: { body: { TaskTemplate: { Placement: {}, ContainerSpec: { Image: desired } } } },
      },
    ]);
    expect(operations[0]?.call).not.toHaveProperty('body.TaskTemplate.Placement.Platforms');
  });

  it('leaves the very digest alone, with its platforms', () => {
    const there = changed({ Image: pin('a') }, { Placement: { Platforms: [{ OS: 'linux' }] } });
    const desired = unit({ services: { web: changed({ Image: pin('a') }) } });
    expect(diffStack(desired, settled(there))).toEqual({ operations: [], blocked: [] });
  });

  it('keeps the live order of lists that are equal as sets: reordering would restart tasks', () => {
    const lists = (names: readonly string[]) => ({
      Secrets: names.map((name) => ({ SecretName: name })),
      Configs: names.map((name) => ({ ConfigName: name })),
    });
    const nets = (names: readonly string[]) => ({ Networks: names.map((Target) => ({ Target })) });
    const there = changed(lists(['b', 'a']), nets(['y', 'x']));
    const desired = { ...changed(lists(['a', 'b']), nets(['x', 'y'])), UpdateConfig: UPDATE };
    const state = observed({
      services: [live(there)],
      networks: [
        blogNetwork,
        ...['x', 'y'].map((name) => ({ ...blogNetwork, id: `id-${name}`, name })),
      ],
    });
    const { operations } = diffStack(unit({ services: { web: desired } }), state);
    expect(operations).toMatchObject([{ effect: 'none' }]);
    expect(operations[0]?.call).toMatchObject({
      body: {
        TaskTemplate: {
          Networks: [{ Target: 'y' }, { Target: 'x' }],
          ContainerSpec: lists(['b', 'a']),
        },
      },
    });
  });

  it('does not follow the predefined host network, which no list shows, into a false difference', () => {
    const host = changed({}, { Networks: [{ Target: 'host' }] });
    const { operations } = diffStack(
      unit({ services: { web: host }, networks: {} }),
      observed({ services: [live(host)] }),
    );
    expect(operations).toEqual([]);
  });

  it('nor the two predefined networks of one service, in which it has options', () => {
    const both = changed(
      {},
      { Networks: [{ Target: 'bridge', DriverOpts: { a: 'b' } }, { Target: 'host' }] },
    );
    const wanted = unit({ services: { web: both }, networks: {} });
    expect(diffStack(wanted, observed({ services: [live(both)] })).operations).toEqual([]);
  });

  it('nor takes a network that is not made yet for the predefined one', () => {
    const joined = { Target: 'blog_default', Aliases: ['web'] };
    const host = changed({}, { Networks: [{ Target: 'host' }] });
    const both = changed({}, { Networks: [joined, { Target: 'host' }] });
    const wanted = unit({ services: { web: both } });
    const [, update] = diffStack(wanted, observed({ services: [live(host)] })).operations;
    expect(update?.fields.map(({ path }) => path)).toEqual([
      'services.web.TaskTemplate.Networks.blog_default',
    ]);
  });

  it('does not miss an amount of 0, which the engine does not keep', () => {
    const reserved = (amounts: readonly object[]): ServiceSpec =>
      changed(
        {},
        {
          Resources: JSON.parse(
            JSON.stringify({
              Reservations: {
                GenericResources: amounts.map((DiscreteResourceSpec) => ({ DiscreteResourceSpec })),
              },
            }),
          ),
        },
      );
    const ops = (there: ServiceSpec, wanted: ServiceSpec) =>
      diffStack(
        unit({ services: { web: wanted } }),
        observed({ services: [live(there)], networks: [blogNetwork] }),
      ).operations.length;
    const none = reserved([{ Kind: 'gpu' }]);
    expect(ops(none, reserved([{ Kind: 'gpu', Value: 0 }]))).toBe(0);
    expect(ops(none, reserved([{ Kind: 'gpu', Value: 1 }]))).toBe(1);
    expect(ops(none, reserved([]))).toBe(1);
  });
});

describe('what belongs to somebody else', () => {
  it('is blocked, never touched: a service, a network, a config', () => {
    const other = service('web', { Labels: { 'com.docker.stack.namespace': 'shop' } });
    const state = observed({
      services: [live(other)],
      networks: [{ ...blogNetwork, labels: {} }],
      configs: [{ id: 'c', version: 1, name: 'blog_page', labels: {}, data: base64('x') }],
    });
    const configs = { page: { name: 'blog_page', labels: namespace, data: base64('x') } };
    const { operations, blocked } = diffStack(unit({ configs }), state);
    expect(operations).toEqual([]);
    expect(blocked.map(({ target, waits }) => [target, waits])).toEqual([
      ['network blog_default', false],
      ['config blog_page', false],
      ['service blog_web', false],
    ]);
  });

  it('is noted when it is a service of the stack that left the file', () => {
    const state = observed({
      services: [live(service('web')), live(service('old')), live(service('x', { Labels: {} }))],
      networks: [blogNetwork],
    });
    const noted = (why: string) => ({
      operations: [],
      blocked: [],
      notes: [`service blog_old is not in the repository: ${why}`],
    });
    const plain = unit();
    const goes = 'what was deployed from it goes once the stack is healthy, else remove it by hand';
    const pruned = (prune: boolean) => ({ ...plain, spec: { ...plain.spec, prune } });
    expect(diffStack(plain, state)).toEqual(noted(goes));
    expect(diffStack(pruned(true), state)).toEqual(noted(goes));
    expect(diffStack(pruned(false), state)).toEqual(
      noted('remove it by hand, or take `prune: false` out'),
    );
  });

  it('is blocked when the mode of a service or a fixed setting of a network would change', () => {
    const global = service('web', { Mode: { Global: {} } });
    const state = observed({
      services: [live(service('web'))],
      networks: [{ ...blogNetwork, attachable: true }],
    });
    const { operations, blocked } = diffStack(unit({ services: { web: global } }), state);
    expect(operations).toEqual([]);
    expect(blocked.map(({ why }) => why)).toEqual([
      expect.stringContaining('`attachable` is `true`, not `false`'),
      expect.stringContaining('cannot change from replicated to global'),
    ]);
  });
});

describe('changed content', () => {
  const mounts = changed({
    Configs: [{ ConfigName: 'blog_page' }],
    Secrets: [{ SecretName: 'blog_key' }],
  });
  const wanted = (page: string, key: string) =>
    unit({
      services: { web: mounts },
      configs: { page: { name: 'blog_page', labels: namespace, data: base64(page) } },
      secrets: { key: { name: 'blog_key', labels: namespace, data: new Secret(base64(key)) } },
    });
  const there = observed({
    services: [live(mounts)],
    networks: [blogNetwork],
    configs: [{ id: 'c1', version: 1, name: 'blog_page', labels: namespace, data: base64('one') }],
    secrets: [
      {
        id: 's1',
        version: 1,
        name: 'blog_key',
        labels: { ...namespace, [DIGEST_LABEL]: contentDigest(base64('one'), digestKey) },
      },
    ],
  });

  it('is nothing while the content is the same', () => {
    expect(diffStack(wanted('one', 'one'), there).operations).toEqual([]);
  });

  it('goes under a name of its own, and the service follows', () => {
    const { operations } = diffStack(wanted('two', 'three'), there);
    const suffix = contentDigest(base64('two'), digestKey).slice(0, 8);
    const keySuffix = contentDigest(base64('three'), digestKey).slice(0, 8);
    expect(operations.map(({ verb, target }) => `${verb} ${target}`)).toEqual([
      `create config blog_page-${suffix}`,
      `create secret blog_key-${keySuffix}`,
      'update service blog_web',
    ]);
    expect(operations[2]?.call).toMatchObject({
      body: {
        TaskTemplate: {
          ContainerSpec: {
            Configs: [{ ConfigName: `blog_page-${suffix}` }],
            Secrets: [{ SecretName: `blog_key-${keySuffix}` }],
          },
        },
      },
    });
    expect(JSON.stringify(operations)).not.toContain(base64('three'));
  });

  it('changes labels in place', () => {
    const desired = wanted('one', 'one');
    const labels = { ...namespace, team: 'web' };
    const configs = { page: { name: 'blog_page', labels, data: base64('one') } };
    const { operations } = diffStack({ ...desired, spec: { ...desired.spec, configs } }, there);
    expect(operations.map(({ call }) => call)).toEqual([
      { op: 'config-label', id: 'c1', version: 1, name: 'blog_page', labels },
    ]);
  });

  it('never makes a name longer than the engine takes', () => {
    const long = 'blog_'.padEnd(64, 'x');
    const configs = { page: { name: long, labels: namespace, data: base64('two') } };
    const state = observed({
      configs: [{ id: 'c', version: 1, name: long, labels: namespace, data: base64('one') }],
    });
    const made = diffStack(unit({ configs }), state).operations.find(
      ({ call }) => call.op === 'config-create',
    );
    expect(made?.target.replace('config ', '')).toMatch(/^blog_x+-[0-9a-f]{8}$/);
    expect(made?.target.replace('config ', '')).toHaveLength(64);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import type { Release } from '../../../agent/core/kind.ts';
import { compareUnits } from '../../../agent/planning.ts';
import { asObserved } from '../../../agent/providers/stack/as-observed.ts';
import { swarmOver } from '../../../agent/providers/stack/client.ts';
import { renderCompose } from '../../../agent/providers/stack/compose/render.ts';
import { diffStack } from '../../../agent/providers/stack/diff.ts';
import type { ContainerSpec, ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import { stackProvider } from '../../../agent/providers/stack/provider.ts';
import { restoreStack, stackRelease } from '../../../agent/providers/stack/release.ts';
import { readSecrets, readServices } from '../../../agent/providers/stack/shapes.ts';
import type { StackSpec } from '../../../agent/providers/stack/spec.ts';
import type { StackCall } from '../../../agent/providers/stack/swarm.ts';
import { modemOf, requestOf } from '../../../agent/providers/stack/transport.ts';
import { stackFromWire, stackToWire } from '../../../agent/providers/stack/wire.ts';
import { headFormat } from '../../../agent/record/head.ts';
import { blogNetwork, digestKey, observed, unit } from '../../fakes/stack.ts';
import { storedSpec } from '../../fakes/swarm-defaults.ts';
import { allowAll, input } from './compose/inputs.ts';

const files = {
  'stacks/blog/site.conf': 'server {}\n',
  'stacks/blog/c': 'one',
  'shared/password': 'hunter2',
  'stacks/blog/one.env': 'A=1\n',
  'stacks/blog/env/two.env': 'B=2\n',
};

function stackOf(text: string, more: Record<string, string> = {}): StackSpec {
  const variables = { TAG: '1', REPLICAS: '3', VALUE: 'v', READ_ONLY: 'yes', HOST: 'h' };
  const { result, diagnostics } = renderCompose(
    input(text, { files: { ...files, ...more }, variables, allow: allowAll }),
  );
  if (result === undefined) throw new Error(JSON.stringify(diagnostics));
  const { needs: _needs, ...parts } = result;
  return unit(parts).spec;
}

const web = (body = '', rest = '') => `services:\n  web:\n    image: nginx\n    ${body}\n${rest}`;
const everything = readFileSync(
  join(import.meta.dirname, '../../golden/compose/everything.yaml'),
  'utf8',
);

/** The services as the engine has them, by a way through JSON, with `change` made to their containers. */
function liveServices(
  spec: StackSpec,
  change: (container: ContainerSpec) => ContainerSpec = (one) => one,
) {
  const rows = Object.values(spec.services).map((sent) => {
    const { TaskTemplate: task } = sent;
    const body: ServiceSpec = {
      ...sent,
      TaskTemplate: { ...task, ContainerSpec: withIds(change(task.ContainerSpec)) },
    };
    const Spec = storedSpec(body, (name) => `id-${name}`);
    return { ID: `id-${sent.Name}`, Version: { Index: 10 }, Spec };
  });
  const read = readServices(JSON.parse(JSON.stringify(rows)));
  if (!read.ok) throw new Error(read.where);
  return read.value;
}

const idOf = (name: string): string => `id of ${name}`;

function withIds(container: ContainerSpec): ContainerSpec {
  const config = container.Privileges?.CredentialSpec?.Config ?? '';
  return {
    ...container,
    ...(container.Configs && {
      Configs: container.Configs.map((one) => ({ ...one, ConfigID: idOf(one.ConfigName) })),
    }),
    ...(container.Secrets && {
      Secrets: container.Secrets.map((one) => ({ ...one, SecretID: idOf(one.SecretName) })),
    }),
    ...(config !== '' && {
      Privileges: {
        ...container.Privileges,
        CredentialSpec: { ...container.Privileges?.CredentialSpec, Config: idOf(config) },
      },
    }),
  };
}

/** The Swarm that holds all of a stack. */
function swarmOf(spec: StackSpec, change?: (container: ContainerSpec) => ContainerSpec) {
  const rest = asObserved([unit(spec)], digestKey).state;
  const outside = ['edge'].map((name) => ({ ...blogNetwork, name, labels: {} }));
  return observed({
    services: liveServices(spec, change),
    networks: [...rest.networks, ...outside].map((one) => ({ ...one, id: `id-${one.name}` })),
    configs: rest.configs.map((one) => ({ ...one, id: idOf(one.name) })),
    secrets: rest.secrets.map((one) => ({ ...one, id: idOf(one.name) })),
  });
}

function updatesOf(spec: StackSpec, now: ReturnType<typeof swarmOf>) {
  return diffStack(unit(spec), now).operations.map(({ call, effect }) => ({
    effect,
    body: call.op === 'service-update' ? call.body : undefined,
  }));
}

describe('every key of a service', () => {
  const spec = stackOf(everything);

  it('differs in nothing from what the engine stores of it', () => {
    expect(diffStack(unit(spec), swarmOf(spec))).toEqual({ operations: [], blocked: [] });
  });

  it('comes out of the pipe as it went in', () => {
    const received = stackFromWire.parse(JSON.parse(JSON.stringify(stackToWire(spec))));
    expect(received).toEqual(spec);
  });

  it('is brought back by a release, exactly', () => {
    const before = swarmOf(spec);
    const content = stackRelease(unit(spec), before, 'wanted');
    expect(JSON.stringify(content)).not.toContain('id of');
    const release: Release = { digest: 'd1', revision: 'r1', at: '', content };
    const back = restoreStack('stack/blog', JSON.parse(JSON.stringify(release)));
    if (back === undefined) throw new Error('unreadable');
    expect(diffStack(back, before).operations).toEqual([]);

    const bare = {
      ...swarmOf(spec, ({ Image }) => ({ Image })).state,
      networks: before.state.networks,
    };
    const now = observed({ ...bare });
    const bodies = updatesOf(back.spec, now).map(({ body }) => body?.TaskTemplate.ContainerSpec);
    const wanted = before.state.services.map(({ spec: one }) => withNames(one));
    expect(bodies).toEqual(wanted);
  });
});

/** Without ids: they are filled in when the call is made. */
function withNames({ TaskTemplate: { ContainerSpec: container } }: ServiceSpec): unknown {
  return JSON.parse(JSON.stringify(container), (key, value) => {
    if (key === 'ConfigID' || key === 'SecretID') return undefined;
    return typeof value === 'string' ? value.replace(/^id of /, '') : value;
  });
}

describe('what an empty part means', () => {
  it.each([
    ['dns: []', 'restart'],
    ['logging: {}', 'restart'],
    ['init: false', 'restart'],
    ['sysctls: {}', undefined],
    ['ulimits: {}', undefined],
    ['cap_add: []', undefined],
    ['extra_hosts: []', undefined],
    ['credential_spec: {}', undefined],
    ['tty: false', undefined],
    ['read_only: false', undefined],
    ['stdin_open: false', undefined],
    ['isolation: vm', undefined],
    ['isolation: DEFAULT', undefined],
    ['isolation: process', 'restart'],
  ])('%s', (line, effect) => {
    const updates = updatesOf(stackOf(web(line)), swarmOf(stackOf(web())));
    expect(updates.map((one) => one.effect)).toEqual(effect === undefined ? [] : [effect]);
  });
});

describe('what the engine stores otherwise than it was sent', () => {
  const unworkable = (text: string): StackSpec => {
    const allow = { ...allowAll, unworkable: true };
    const { result, diagnostics } = renderCompose(input(text, { allow }));
    if (result === undefined) throw new Error(JSON.stringify(diagnostics));
    const { needs: _needs, ...parts } = result;
    return unit(parts).spec;
  };

  it('a cluster volume without its empty options', () => {
    const spec = stackOf(
      web('volumes: [{type: cluster, source: v, target: /v}]', 'volumes: {v: }\n'),
    );
    const now = swarmOf(spec, ({ Mounts = [], ...rest }) => ({
      ...rest,
      Mounts: Mounts.map(({ ClusterOptions: _never, ...mount }) => mount),
    }));
    expect(updatesOf(spec, now)).toEqual([]);
  });

  it.each([
    ['{target: 1, published: 2, protocol: UDP}', { Protocol: 'udp', PublishMode: 'ingress' }],
    ['{target: 1, published: 2, protocol: xyz}', { Protocol: 'tcp', PublishMode: 'ingress' }],
    ['{target: 1, published: 2, mode: Host}', { Protocol: 'tcp', PublishMode: 'host' }],
    ['{target: 1, published: 2, mode: xyz}', { Protocol: 'tcp', PublishMode: 'ingress' }],
  ])('a port: %s', (written, stored) => {
    const spec = unworkable(web(`ports: [${written}]`));
    const now = swarmOf(spec);
    const services = now.state.services.map((one) => ({
      ...one,
      spec: {
        ...one.spec,
        EndpointSpec: { Mode: 'vip', Ports: [{ TargetPort: 1, PublishedPort: 2, ...stored }] },
      },
    }));
    expect(updatesOf(spec, observed({ ...now.state, services }))).toEqual([]);
  });

  it.each([
    ['2001:DB8:0::1', '2001:db8::1'],
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:102:304', '::ffff:1.2.3.4'],
    ['::1', '0:0:0:0:0:0:0:1'],
  ])('the address of a name server: %s as %s', (written, stored) => {
    const spec = stackOf(web(`dns: ["${written}"]`));
    const now = swarmOf(spec, (one) => ({ ...one, DNSConfig: { Nameservers: [stored] } }));
    expect(updatesOf(spec, now)).toEqual([]);
  });

  it('another name server is a difference, in whichever notation', () => {
    const now = swarmOf(stackOf(web('dns: ["2001:db8::1"]')));
    expect(updatesOf(stackOf(web('dns: ["2001:DB8::2"]')), now)).toHaveLength(1);
    expect(updatesOf(stackOf(web('dns: [name, ::1]')), now)).toHaveLength(1);
  });
});

it('a live limit that no JSON number holds blocks the change: there would be no way back', () => {
  const now = swarmOf(stackOf(web('ulimits: {memlock: 1}')), (one) => ({
    ...one,
    Ulimits: [{ Name: 'memlock', Soft: 1, Hard: 2 ** 63 }],
  }));
  const { operations, blocked } = diffStack(unit(stackOf(web('user: a'))), now);
  expect(operations).toEqual([]);
  expect(blocked).toMatchObject([
    { why: expect.stringContaining('the ulimit memlock of blog_web') },
  ]);
});

describe('lists that count as sets', () => {
  const text = web(
    'cap_add: [KILL, CHOWN]\n    cap_drop: [FOWNER, SETUID]\n    ulimits: {core: 0, nofile: 9}',
  );
  const turned = ({ CapabilityAdd, CapabilityDrop, Ulimits, ...rest }: ContainerSpec) => ({
    ...rest,
    CapabilityAdd: CapabilityAdd?.toReversed() ?? [],
    CapabilityDrop: CapabilityDrop?.toReversed() ?? [],
    Ulimits: Ulimits?.toReversed() ?? [],
  });

  it('are no difference in another order', () => {
    expect(updatesOf(stackOf(text), swarmOf(stackOf(text), turned))).toEqual([]);
  });

  it('stay in the order that is live when something else changes', () => {
    const next = stackOf(text.replace('nofile: 9', 'nofile: 10'));
    const [update] = updatesOf(next, swarmOf(stackOf(text), turned));
    expect(update?.body?.TaskTemplate.ContainerSpec).toMatchObject({
      CapabilityAdd: ['CAP_KILL', 'CAP_CHOWN'],
      CapabilityDrop: ['CAP_SETUID', 'CAP_FOWNER'],
      Ulimits: [
        { Name: 'nofile', Hard: 10 },
        { Name: 'core', Hard: 0 },
      ],
    });
  });

  it.each([
    ['dns: [1.1.1.1, 2.2.2.2]', 'dns: [2.2.2.2, 1.1.1.1]'],
    ['extra_hosts: ["a:1.1.1.1", "b:2.2.2.2"]', 'extra_hosts: ["b:2.2.2.2", "a:1.1.1.1"]'],
  ])('others are lists: %s', (before, after) => {
    const updates = updatesOf(stackOf(web(after)), swarmOf(stackOf(web(before))));
    expect(updates.map(({ effect }) => effect)).toEqual(['restart']);
  });
});

describe('the words of a plan', () => {
  const configs = 'configs: {c: {file: c}, d: {file: c, name: other}}\n';

  it.each<[string, string, unknown[]]>([
    ['hostname: a', 'hostname: b', [['hostname', 'a', 'b']]],
    ['user: a', 'user: b', [['user', 'a', 'b']]],
    ['working_dir: /a', 'working_dir: /b', [['working_dir', '/a', '/b']]],
    ['stop_signal: A', 'stop_signal: B', [['stop_signal', 'A', 'B']]],
    ['init: true', 'init: false', [['init', 'true', 'false']]],
    ['', 'tty: true', [['tty', undefined, 'true']]],
    ['', 'stdin_open: true', [['stdin_open', undefined, 'true']]],
    ['', 'read_only: true', [['read_only', undefined, 'true']]],
    ['isolation: process', '', [['isolation', 'process', 'default']]],
    ['dns: a', 'dns: [b, c]', [['dns', '["a"]', '["b","c"]']]],
    ['', 'dns: []', [['dns', undefined, '{}']]],
    ['dns_search: a', 'dns_search: b', [['dns_search', '["a"]', '["b"]']]],
    ['sysctls: {a.b: 1}', 'sysctls: {a.b: 2}', [['sysctls.a.b', '1', '2']]],
    ['cap_add: [KILL]', 'cap_add: [ALL]', [['cap_add', '["CAP_KILL"]', '["ALL"]']]],
    ['cap_drop: [KILL]', '', [['cap_drop', '["CAP_KILL"]', undefined]]],
    [
      'ulimits: {core: 0, cpu: 1}',
      'ulimits: {core: 5, cpu: 1}',
      [
        ['ulimits.core.Hard', '0', '5'],
        ['ulimits.core.Soft', '0', '5'],
      ],
    ],
    [
      'extra_hosts: ["a:1.1.1.1", "b:1.1.1.1"]',
      'extra_hosts: ["a:1.1.1.1", "b:2.2.2.2"]',
      [['extra_hosts.b', '1.1.1.1', '2.2.2.2']],
    ],
    [
      'extra_hosts: ["a:1", "b:2"]',
      'extra_hosts: ["b:2", "a:1"]',
      [['extra_hosts', '["1 a","2 b"]', '["2 b","1 a"]']],
    ],
    ['logging: {driver: none}', 'logging: {driver: local}', [['logging.Name', 'none', 'local']]],
    [
      'logging: {options: {splunk-token: a}}',
      'logging: {options: {splunk-token: b}}',
      [['logging.Options.splunk-token', '[secret]', '[secret]']],
    ],
    [
      'restart: always',
      '',
      [['deploy.restart_policy', '{"Condition":"any","MaxAttempts":0}', undefined]],
    ],
    [
      'credential_spec: {file: a}',
      'credential_spec: {file: b}',
      [['credential_spec.File', 'a', 'b']],
    ],
    [
      'credential_spec: {config: c}',
      'credential_spec: {config: d}',
      [
        ['configs.credential_spec', 'blog_c', 'other'],
        ['credential_spec.Config', 'blog_c', 'other'],
      ],
    ],
  ])('%s -> %s', (before, after, fields) => {
    const { units } = compareUnits(
      'test',
      [unit(stackOf(web(before, configs)))],
      [unit(stackOf(web(after, configs)))],
    );
    const found = units.flatMap(({ operations }) => operations.flatMap((one) => one.fields));
    expect(
      found.map(({ path, observed: had, desired }) => [
        path.replace('services.web.', ''),
        had,
        desired,
      ]),
    ).toEqual(fields);
  });
});

it('a plan shows of the config of credentials no digits of its content', () => {
  const text = web('credential_spec: {config: c}', 'configs: {c: {file: c}}\n');
  const next = unit(stackOf(text, { 'stacks/blog/c': 'two' }));
  const { units } = compareUnits('test', [unit(stackOf(text))], [next]);
  const service = units[0]?.operations.find(({ target }) => target === 'service blog_web');
  expect(service?.fields).toEqual([
    {
      path: 'services.web.configs.credential_spec',
      observed: 'blog_c',
      desired: 'blog_c (changed)',
    },
    {
      path: 'services.web.credential_spec.Config',
      observed: 'blog_c',
      desired: 'blog_c (changed)',
    },
  ]);
});

describe('the config of credentials', () => {
  const configs = 'configs: {c: {file: c}}\n';
  const text = web('credential_spec: {config: c}', configs);

  function provided() {
    const calls: StackCall[] = [];
    const provider = stackProvider(
      {
        observe: async () => ({ status: 'ok', value: observed().state }),
        identity: async () => ({
          status: 'ok',
          value: { swarmId: 's', nodeId: 'n', nodeName: 'm' },
        }),
        containerRuns: async () => ({ status: 'ok', value: undefined }),
        image: async () => ({ status: 'unknown', why: 'nobody asks' }),
        hasImage: async () => ({ status: 'unknown', why: 'nobody asks' }),
        taskLog: async () => ({ status: 'unknown', why: 'nobody asks' }),
        lastCheck: async () => ({ status: 'unknown', why: 'nobody asks' }),
        configNamed: async () => ({ status: 'ok', value: undefined }),
        call: async (call) => {
          calls.push(call);
          return { status: 'ok', value: { id: `made ${String(calls.length)}` } };
        },
      },
      headFormat((bytes) => new Uint8Array(bytes)),
    );
    return { provider, calls };
  }

  const containerOf = (call: StackCall | undefined): ContainerSpec | undefined =>
    call?.op === 'service-create' || call?.op === 'service-update'
      ? call.body.TaskTemplate.ContainerSpec
      : undefined;

  it('goes by its id to the engine, also where it is made just before', async () => {
    const spec = stackOf(text);
    const now = observed({ networks: swarmOf(spec).state.networks });
    const { provider, calls } = provided();
    const caller = provider.caller(now);
    for (const { call } of diffStack(unit(spec), now).operations) {
      await caller.call(call, new AbortController().signal);
    }
    expect(calls.map(({ op }) => op)).toEqual(['config-create', 'service-create']);
    expect(containerOf(calls[1])).toMatchObject({
      Configs: [{ Runtime: {}, ConfigID: 'made 1', ConfigName: 'blog_c' }],
      Privileges: { CredentialSpec: { Config: 'made 1', File: '', Registry: '' } },
    });
  });

  it('follows other content under its new name', () => {
    const now = swarmOf(stackOf(text));
    const { operations } = diffStack(unit(stackOf(text, { 'stacks/blog/c': 'two' })), now);
    const container = containerOf(operations.at(-1)?.call);
    const name = container?.Configs?.[0]?.ConfigName ?? '';
    expect(name).toMatch(/^blog_c-[0-9a-f]{8}$/);
    expect(container?.Privileges?.CredentialSpec?.Config).toBe(name);
  });

  it.each([
    ['file: f', { File: 'f' }],
    ['registry: r', { Registry: 'r' }],
    ['config: c', { Config: 'blog_c' }],
  ])('says nothing by what is empty: %s', (line, CredentialSpec) => {
    const spec = stackOf(web(`credential_spec: {${line}}`, configs));
    const short = swarmOf(spec, (container) => ({ ...container, Privileges: { CredentialSpec } }));
    expect(updatesOf(spec, short)).toEqual([]);
  });

  it('is another one where the engine has the id of another', () => {
    const spec = stackOf(text);
    const strange = swarmOf(spec, (container) => ({
      ...container,
      Privileges: { ...container.Privileges, CredentialSpec: { Config: 'another' } },
    }));
    expect(updatesOf(spec, strange)).toHaveLength(1);
  });
});

describe('a secret that a plugin holds', () => {
  const vault = (body = 'driver: v, driver_opts: {a: x}') =>
    stackOf(web('', `secrets: {s: {${body}}}\n`));
  const targets = (spec: StackSpec, now: ReturnType<typeof swarmOf>) =>
    diffStack(unit(spec), now).operations.map(({ verb, target }) => `${verb} ${target}`);

  it('is the same one, whoever made it', () => {
    const now = swarmOf(vault());
    expect(now.state.secrets).toMatchObject([{ driver: { name: 'v', options: { a: 'x' } } }]);
    expect(targets(vault(), now)).toEqual([]);
  });

  it.each([
    ['another driver', 'driver: w, driver_opts: {a: x}'],
    ['other options', 'driver: v, driver_opts: {a: y}'],
    ['no options', 'driver: v'],
    ['a template driver', 'driver: v, driver_opts: {a: x}, template_driver: golang'],
    ['a file', 'file: c'],
  ])('is another one with %s', (_, body) => {
    expect(targets(vault(body), swarmOf(vault()))).toEqual([
      expect.stringMatching(/^create secret blog_s-[0-9a-f]{8}$/),
    ]);
    expect(targets(vault(), swarmOf(vault(body)))).toEqual([
      expect.stringMatching(/^create secret blog_s-[0-9a-f]{8}$/),
    ]);
  });

  it('has names that differ by driver and options', () => {
    const names = ['driver: w', 'driver: v', 'driver: v, driver_opts: {a: y}'].flatMap((body) =>
      targets(vault(body), swarmOf(vault())),
    );
    expect(new Set(names).size).toBe(3);
  });

  it('is read back as the engine tells it', () => {
    const row = (Spec: object) => [
      { ID: 'a', Version: { Index: 1 }, Spec: { Name: 's', ...Spec } },
    ];
    const driver = (Spec: object) => {
      const read = readSecrets(row(Spec));
      return read.ok ? read.value[0]?.driver : read.where;
    };
    expect(driver({ Driver: { Name: 'v', Options: { a: 'x' } } })).toEqual({
      name: 'v',
      options: { a: 'x' },
    });
    expect(driver({ Driver: { Name: 'v' } })).toEqual({ name: 'v' });
    expect(driver({ Driver: {} })).toBeUndefined();
    expect(driver({ Driver: null })).toBeUndefined();
    expect(driver({})).toBeUndefined();
  });

  it.each([
    [
      { name: 'v', options: { a: 'x' } },
      { Name: 'v', Options: { a: 'x' } },
    ],
    [{ name: 'v' }, { Name: 'v' }],
  ])('is sent without content: %j', async (driver, Driver) => {
    const bodies: unknown[] = [];
    const modem = modemOf(
      async (dial) => {
        bodies.push(JSON.parse(requestOf(dial).body ?? ''));
        return { kind: 'answer', status: 201, text: '{"ID":"x"}' };
      },
      () => undefined,
    );
    const swarm = swarmOver({ modem, images: modem, logs: modem });
    const call = {
      op: 'secret-create',
      name: 's',
      labels: { a: 'b' },
      driver,
      templating: 'golang',
    } as const;
    const outcome = await swarm.call(call, new AbortController().signal);
    expect(outcome).toEqual({ status: 'ok', value: { id: 'x' } });
    expect(bodies).toEqual([
      { Name: 's', Labels: { a: 'b' }, Driver, Templating: { Name: 'golang' } },
    ]);
  });
});

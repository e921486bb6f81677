import { describe, expect, it } from 'vitest';
import {
  isUpdated,
  readConfigs,
  readLastCheck,
  readIdentity,
  readMade,
  readNetworks,
  readNodes,
  readSecrets,
  readServices,
} from '../../../agent/providers/stack/shapes.ts';
import { readTaskIds, readTasks } from '../../../agent/providers/stack/task-shape.ts';

const readers = {
  services: readServices,
  networks: readNetworks,
  configs: readConfigs,
  secrets: readSecrets,
  nodes: readNodes,
  tasks: readTasks,
  taskIds: readTaskIds,
};

const service = {
  ID: 'a',
  Version: { Index: 7 },
  Spec: {
    Name: 'blog_web',
    Labels: {},
    TaskTemplate: { ContainerSpec: { Image: 'site:1' }, Placement: {}, ForceUpdate: 0 },
    Mode: { Replicated: { Replicas: 1 } },
  },
};
const task = {
  ID: 't',
  ServiceID: 'a',
  CreatedAt: '2026-01-01T00:00:00.123456789Z',
  DesiredState: 'running',
  Status: { Timestamp: '2026-01-01T00:00:01Z', State: 'running', Message: 'started' },
};
const node = {
  ID: 'n',
  Spec: { Role: 'manager', Availability: 'active', Labels: {} },
  Status: { State: 'ready', Addr: '10.0.0.1' },
};

describe('a label called `__proto__`', () => {
  const labels: unknown = JSON.parse('{"__proto__": "x"}');
  const named = { ID: 'a', Version: { Index: 7 }, Spec: { Name: 'n', Labels: labels } };
  const container = { Image: 'site:1', Labels: labels };

  it('is read of every object', () => {
    const rows = [
      readServices([
        {
          ...service,
          Spec: {
            ...service.Spec,
            Labels: labels,
            TaskTemplate: { ...service.Spec.TaskTemplate, ContainerSpec: container },
          },
        },
      ]),
      readConfigs([named]),
      readSecrets([named]),
      readNetworks([
        {
          Id: 'a',
          Name: 'n',
          Scope: 'swarm',
          Driver: 'overlay',
          Internal: false,
          Attachable: false,
          Labels: labels,
        },
      ]),
    ];
    const texts = rows.map((one) => JSON.stringify(one.ok && one.value));
    expect(texts.map((one) => one.split('"__proto__":"x"').length - 1)).toEqual([2, 1, 1, 1]);
  });

  it.each([[{ a: 1 }], [['a']], ['a'], [{ a: null }]])('%j is no labels', (wrong) => {
    expect(readConfigs([{ ...named, Spec: { Name: 'n', Labels: wrong } }]).ok).toBe(false);
  });
});

describe('lists', () => {
  it.each(Object.entries(readers))('%s: an empty list is empty', (_name, read) => {
    const shaped = read([]);
    expect(shaped.ok && [...shaped.value]).toEqual([]);
  });

  it.each(
    Object.entries(readers).flatMap(([name, read]) =>
      [{}, null, undefined, 'text', { message: 'x' }, Buffer.from('[]'), [null], [{}], [[]]].map(
        (json) => [name, JSON.stringify(json) ?? 'nothing', read, json] as const,
      ),
    ),
  )('%s: %s is never an empty list', (_name, _text, read, json) => {
    expect(read(json).ok).toBe(false);
  });
});

describe('networks, configs and secrets', () => {
  const network = {
    Id: 'n',
    Name: 'blog_default',
    Scope: 'swarm',
    Driver: 'overlay',
    Internal: false,
    Attachable: false,
    Labels: null,
  };

  it.each([
    [
      'all',
      {
        Options: { mtu: '1400' },
        IPAM: { Driver: 'default', Config: [{ Subnet: '10.0.1.0/24', Gateway: '10.0.1.1' }] },
      },
      { options: { mtu: '1400' }, ipamDriver: 'default', subnets: ['10.0.1.0/24'] },
    ],
    [
      'nulls',
      { Options: null, IPAM: { Driver: null, Config: null } },
      { options: {}, ipamDriver: '', subnets: [] },
    ],
    [
      'nothing',
      { IPAM: { Config: [{ IPRange: '10.0.0.0/8' }] } },
      { options: {}, ipamDriver: '', subnets: [] },
    ],
  ])('reads the settings of a network: %s', (_what, parts, expected) => {
    expect(readNetworks([{ ...network, ...parts }])).toMatchObject({ value: [expected] });
  });

  it.each([
    ['configs', readConfigs],
    ['secrets', readSecrets],
  ])('reads the template driver of %s', (_what, read) => {
    const row = (Templating: unknown) => ({
      ID: 'a',
      Version: { Index: 1 },
      Spec: { Name: 'x', Labels: {}, Templating },
    });
    const drivers = [{ Name: 'golang' }, { Name: '' }, null, undefined];
    const shaped = read(drivers.map(row));
    if (!shaped.ok) throw new Error(shaped.where);
    expect(shaped.value.map(({ templating }) => templating)).toEqual([
      'golang',
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('services', () => {
  it('keeps fields that are not known here, where they stand', () => {
    const spec = {
      ...service.Spec,
      TaskTemplate: {
        ...service.Spec.TaskTemplate,
        ContainerSpec: { Image: 'site:1', OomScoreAdj: 5, Privileges: { CredentialSpec: null } },
        Placement: { Later: [1, null] },
      },
      Later: { a: null },
    };
    const shaped = readServices([{ ...service, Spec: spec }]);
    expect(shaped).toEqual({ ok: true, value: [{ id: 'a', version: 7, spec }] });
  });

  it('shows how the last update went', () => {
    const UpdateStatus = { State: 'paused', Message: 'why', StartedAt: 'x' };
    const shaped = readServices([{ ...service, UpdateStatus }]);
    expect(shaped).toMatchObject({ value: [{ updateState: 'paused', updateMessage: 'why' }] });
  });

  it('reads a null where nothing was set as absent', () => {
    const Secrets = [{ File: null, SecretID: 's', SecretName: 'x' }];
    const Spec = {
      ...service.Spec,
      Labels: null,
      TaskTemplate: { ContainerSpec: { Image: 'site:1', Secrets }, Placement: null },
    };
    const shaped = readServices([{ ...service, Spec }]);
    expect(shaped).toMatchObject({
      value: [
        {
          spec: {
            TaskTemplate: {
              ContainerSpec: { Secrets: [{ SecretID: 's', SecretName: 'x' }] },
              Placement: {},
            },
          },
        },
      ],
    });
  });

  it('leaves plugin services out', () => {
    const Spec = { Name: 'p', TaskTemplate: { PluginSpec: {}, Runtime: 'plugin' } };
    expect(readServices([{ ...service, Spec }, service])).toMatchObject({
      value: [{ spec: { Name: 'blog_web' } }],
    });
  });

  it('says where the shape ends, without the value', () => {
    const ContainerSpec = { Image: 'site:1', Env: 'canary-value' };
    const Spec = { ...service.Spec, TaskTemplate: { ContainerSpec, Placement: {} } };
    expect(readServices([service, { ...service, Spec }])).toEqual({
      ok: false,
      where: '1.Spec.TaskTemplate.ContainerSpec.Env (expected array)',
    });
  });
});

describe('tasks and nodes', () => {
  it.each`
    why                      | json                                                                                      | expected
    ${'a replica'}           | ${{ ...task, Slot: 2, NodeID: 'n' }}                                                      | ${{ slot: 2, nodeId: 'n' }}
    ${'a global task'}       | ${{ ...task, Slot: 0, NodeID: 'n' }}                                                      | ${{ nodeId: 'n' }}
    ${'a task not placed'}   | ${{ ...task, Slot: 1 }}                                                                   | ${{ slot: 1 }}
    ${'a task that failed'}  | ${{ ...task, Status: { ...task.Status, Err: 'boom', ContainerStatus: { ExitCode: 3 } } }} | ${{ error: 'boom', exitCode: 3 }}
    ${'one that ended well'} | ${{ ...task, Status: { ...task.Status, ContainerStatus: { ExitCode: 0 } } }}              | ${{ exitCode: 0 }}
  `('reads $why', ({ json, expected }) => {
    expect(readTasks([json])).toEqual({
      ok: true,
      value: [
        {
          id: 't',
          serviceId: 'a',
          createdAt: task.CreatedAt,
          timestamp: task.Status.Timestamp,
          state: 'running',
          desiredState: 'running',
          message: 'started',
          ...expected,
        },
      ],
    });
  });

  const ContainerSpec = {
    Image: 'x',
    Configs: [{ File: null, ConfigID: 'c1', ConfigName: 'Blog_Page' }],
    Secrets: [{ SecretID: 's1', SecretName: 'blog_key' }],
    Privileges: { CredentialSpec: { Config: 'c2' } },
  };
  const mounts = { configs: ['c1', 'blog_page', 'c2'], secrets: ['s1', 'blog_key'] };

  it.each([
    ['all that it names', { ContainerSpec }, { mounts }],
    ['nothing', { ContainerSpec: { Image: 'x', Configs: null, Privileges: null } }, {}],
    ['nothing of what is no container', { NetworkAttachmentSpec: { ContainerID: 'x' } }, {}],
  ])('reads of the spec of a task %s', (_what, Spec, expected) => {
    const shaped = readTasks([{ ...task, Spec }]);
    const [read] = shaped.ok ? shaped.value : [];
    expect({ ...(read?.mounts && { mounts: read.mounts }) }).toEqual(expected);
    expect(shaped.ok).toBe(true);
  });

  it('reads what the spec of a service before its last update names, and refuses what it cannot read', () => {
    const row = (PreviousSpec: unknown) => ({
      ID: 'a',
      Version: { Index: 1 },
      Spec: { Name: 'web', TaskTemplate: { ContainerSpec: { Image: 'x' }, Placement: {} } },
      PreviousSpec,
    });
    const before = row({ Name: 'web', TaskTemplate: { ContainerSpec } });
    expect(readServices([before])).toMatchObject({ ok: true, value: [{ before: mounts }] });
    const none = readServices([row(undefined)]);
    expect(none.ok && none.value[0]?.before).toBeUndefined();
    const odd = row({ TaskTemplate: { ContainerSpec: { Configs: 'x' } } });
    expect(readServices([odd])).toMatchObject({ ok: false });
  });

  it.each`
    address       | advertised         | expected
    ${'10.0.0.1'} | ${'10.0.0.9:2377'} | ${'10.0.0.1'}
    ${'0.0.0.0'}  | ${'10.0.0.9:2377'} | ${'10.0.0.9'}
    ${'0.0.0.0'}  | ${''}              | ${'0.0.0.0'}
  `('a node at $address that advertises $advertised is at $expected', (row) => {
    const Status = { State: 'ready', Addr: row.address };
    const shaped = readNodes([{ ...node, Status, ManagerStatus: { Addr: row.advertised } }]);
    expect(shaped).toMatchObject({ value: [{ address: row.expected }] });
  });

  it('reads a node that has not reported itself yet', () => {
    expect(readNodes([node])).toMatchObject({
      value: [{ hostname: '', platform: { os: '', architecture: '' }, engineLabels: {} }],
    });
  });
});

describe('answers', () => {
  it('asks for an id of what was made', () => {
    expect(readMade({ id: 'a' })).toEqual({ ok: true, value: { id: 'a' } });
    for (const json of [{}, { id: undefined }, { id: '' }, undefined]) {
      expect(readMade(json).ok).toBe(false);
    }
  });

  it.each`
    what         | json                  | expected
    ${'service'} | ${{ Warnings: null }} | ${true}
    ${'service'} | ${{}}                 | ${false}
    ${'service'} | ${[]}                 | ${false}
    ${'service'} | ${Buffer.from('a')}   | ${false}
    ${'file'}    | ${{}}                 | ${true}
    ${'file'}    | ${null}               | ${false}
  `('$json answers the update of a $what: $expected', ({ what, json, expected }) => {
    expect(isUpdated(what, json)).toBe(expected);
  });

  it.each`
    swarm                                                            | manager
    ${{ NodeID: 'n', ControlAvailable: true, Cluster: { ID: 'c' } }} | ${true}
    ${{ NodeID: 'n', ControlAvailable: false, Cluster: null }}       | ${false}
    ${{ NodeID: '', ControlAvailable: false }}                       | ${false}
  `('$swarm is a manager: $manager', ({ swarm, manager }) => {
    expect(readIdentity({ Swarm: swarm })).toMatchObject({ ok: true, value: { manager } });
  });
});

it.each<[string, unknown, object]>([
  [
    'the last of several',
    {
      Health: {
        Status: 'unhealthy',
        FailingStreak: 2,
        Log: [
          { ExitCode: 0, Output: 'well' },
          { ExitCode: 1, Output: 'refused\n' },
        ],
      },
    },
    { ok: true, value: { output: 'refused\n' } },
  ],
  ['no check at all', { Running: true }, { ok: true, value: {} }],
  [
    'none that was made yet',
    { Health: { Status: 'starting', Log: null } },
    { ok: true, value: {} },
  ],
  ['one that said nothing', { Health: { Log: [{ Output: '' }] } }, { ok: true, value: {} }],
  ['another shape', { Health: { Log: 'x' } }, { ok: false }],
])('reads what a healthcheck said: %s', (_what, State, expected) => {
  expect(readLastCheck({ State })).toMatchObject(expected);
});

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Secret } from '../../agent/core/secret.ts';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import type {
  ObservedService,
  StackCall,
  Swarm,
  SwarmState,
} from '../../agent/providers/stack/swarm.ts';

/** What the contract runs on: a client, and the socket for what the client cannot ask. */
export interface Subject {
  readonly swarm: Swarm;
  readonly socket: string;
  /** References to ask the registry about. */
  readonly images: {
    readonly there: string;
    readonly missingTag: string;
    readonly missingRepository: string;
    /** Nothing listens at its host and port. */
    readonly refused: string;
  };
  /** What its engine's own settings say of it. */
  readonly engineLabels: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const soon = (ms: number): AbortSignal => AbortSignal.timeout(ms);

/** A small valid service, nothing of which ever starts. */
export function idleService(name: string, parts: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    Name: name,
    Labels: { 'com.docker.stack.namespace': 'contract' },
    TaskTemplate: {
      ContainerSpec: { Image: 'site:1', Env: ['A=1'] },
      Resources: {},
      Placement: {},
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 0 } },
    EndpointSpec: { Mode: 'dnsrr' },
    ...parts,
  };
}

function overlay(name: string): StackCall {
  return {
    op: 'network-create',
    body: {
      Name: name,
      CheckDuplicate: true,
      Driver: 'overlay',
      Scope: '',
      IPAM: null,
      Internal: false,
      Attachable: true,
      Ingress: false,
      ConfigOnly: false,
      ConfigFrom: null,
      Options: null,
      Labels: { 'com.docker.stack.namespace': 'contract' },
    },
  };
}

/** What the client has no call for yet, or never sends. */
function raw(
  socketPath: string,
  method: string,
  { path, body }: { path: string; body?: object },
): Promise<{ status: number; message: unknown }> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        socketPath,
        method,
        path: `/v1.41${path}`,
        headers: { 'content-type': 'application/json' },
      },
      (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
        answer.on('end', () => {
          const json: unknown = text === '' ? {} : JSON.parse(text);
          const message = typeof json === 'object' && json && 'message' in json ? json.message : '';
          resolve({ status: answer.statusCode ?? 0, message });
        });
      },
    );
    asked.on('error', reject);
    asked.end(body === undefined ? '' : JSON.stringify(body));
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** What any engine must do, real or fake. A difference is a mistake of the fake. */
export function swarmContract(name: string, open: () => Promise<Subject>): void {
  describe(`the Swarm contract: ${name}`, () => {
    let subject: Subject;
    let opened = false;
    const made = new Map<string, string>();

    beforeAll(async () => {
      subject = await open();
      opened = true;
    });
    afterAll(async () => {
      if (opened) await subject.close();
    });

    async function make(call: StackCall): Promise<string> {
      const outcome = await subject.swarm.call(call, soon(20_000));
      if (outcome.status !== 'ok') throw new Error(outcome.why);
      return outcome.value.id;
    }
    async function state(): Promise<SwarmState> {
      const outcome = await subject.swarm.observe(soon(20_000));
      if (outcome.status !== 'ok') throw new Error(outcome.why);
      return outcome.value;
    }
    async function service(id: string): Promise<ObservedService> {
      const found = (await state()).services.find((one) => one.id === id);
      if (found === undefined) throw new Error(`no service ${id}`);
      return found;
    }
    /** The engine's own allocator writes too, so a version may move right after a create. */
    async function update(id: string, body: ServiceSpec): Promise<unknown> {
      for (let tries = 0; ; tries += 1) {
        const { version } = await service(id);
        const call = { op: 'service-update', id, version, body } as const;
        const outcome = await subject.swarm.call(call, soon(20_000));
        const moved = outcome.status === 'refused' && outcome.cause === 'out-of-sequence';
        if (!moved || tries === 5) return outcome;
      }
    }

    it('says which Swarm and node it is', async () => {
      const outcome = await subject.swarm.identity(soon(20_000));
      expect(outcome).toEqual({
        status: 'ok',
        value: {
          swarmId: expect.stringMatching(/^\w{25}$/),
          nodeId: expect.stringMatching(/^\w{25}$/),
          nodeName: expect.stringMatching(/^[\w.-]+$/),
        },
      });
    });

    it('knows no container of another id', async () => {
      const none = 'ab12'.repeat(16);
      const outcome = await subject.swarm.containerRuns(none, soon(20_000));
      expect(outcome).toEqual({ status: 'ok', value: undefined });
      const check = await subject.swarm.lastCheck(none, soon(20_000));
      expect(check).toEqual({ status: 'ok', value: undefined });
    });

    it('lists its node, and no tasks', async () => {
      const { nodes, tasks, freshTaskIds } = await state();
      expect(nodes).toEqual([
        {
          id: expect.stringMatching(/^\w{25}$/),
          hostname: expect.stringMatching(/./),
          role: 'manager',
          availability: 'drain',
          state: 'ready',
          labels: {},
          engineLabels: subject.engineLabels,
          platform: { os: 'linux', architecture: 'x86_64' },
          address: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
          resources: { memoryBytes: expect.any(Number), nanoCpus: expect.any(Number) },
          updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        },
      ]);
      expect([tasks, [...freshTaskIds]]).toEqual([[], []]);
    });

    it('creates a network, config and secret and gives them back', async () => {
      made.set('network', await make(overlay('c_net')));
      made.set(
        'config',
        await make({ op: 'config-create', name: 'c_conf', labels: { a: '1' }, data: base64('x') }),
      );
      made.set(
        'secret',
        await make({
          op: 'secret-create',
          name: 'c_sec',
          labels: { a: '1' },
          data: new Secret(base64('y')),
          templating: 'golang',
        }),
      );
      // The allocator comes by a moment later: until then there is neither driver nor subnet.
      await expect
        .poll(async () => (await state()).networks.find(({ id }) => id === made.get('network')), {
          timeout: 50_000,
        })
        .toEqual({
          id: made.get('network'),
          name: 'c_net',
          scope: 'swarm',
          driver: 'overlay',
          internal: false,
          attachable: true,
          labels: { 'com.docker.stack.namespace': 'contract' },
          options: {
            'com.docker.network.driver.overlay.vxlanid_list': expect.stringMatching(/^\d+$/),
          },
          ipamDriver: 'default',
          subnets: [expect.stringMatching(/^10\.\d+\.\d+\.0\/24$/)],
        });
      const { configs, secrets } = await state();
      const version: unknown = expect.any(Number);
      expect(configs).toEqual([
        {
          id: made.get('config'),
          version,
          name: 'c_conf',
          labels: { a: '1' },
          data: base64('x'),
          updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        },
      ]);
      expect(secrets).toEqual([
        {
          id: made.get('secret'),
          version,
          name: 'c_sec',
          labels: { a: '1' },
          templating: 'golang',
        },
      ]);
    });

    it('keeps what a network was asked for, word for word', async () => {
      const call = overlay('c_set');
      if (call.op !== 'network-create') throw new Error('not a network');
      const id = await make({
        op: 'network-create',
        body: {
          ...call.body,
          Internal: true,
          IPAM: { Driver: '', Options: null, Config: [{ Subnet: '10.77.1.9/24' }] },
          Options: { 'com.docker.network.driver.mtu': '1400', encrypted: '' },
        },
      });
      await expect
        .poll(async () => (await state()).networks.find((one) => one.id === id), {
          timeout: 50_000,
        })
        .toMatchObject({
          internal: true,
          options: { 'com.docker.network.driver.mtu': '1400', encrypted: '' },
          ipamDriver: 'default',
          subnets: ['10.77.1.9/24'],
        });
      expect(await raw(subject.socket, 'DELETE', { path: `/networks/${id}` })).toMatchObject({
        status: 204,
      });
    });

    it('creates a service and fills in what was left out', async () => {
      const ref = { UID: '0', GID: '0', Mode: 0o444 };
      const id = await make({
        op: 'service-create',
        body: idleService('c_web', {
          TaskTemplate: {
            ContainerSpec: {
              Image: 'site:1',
              Env: [],
              Mounts: [{ Type: 'volume', Source: 'v', Target: '/v', BindOptions: {} }],
              Secrets: [
                {
                  File: { Name: 's', ...ref },
                  SecretName: 'c_sec',
                  SecretID: made.get('secret') ?? '',
                },
              ],
              Configs: [
                {
                  File: { Name: '/c', ...ref },
                  ConfigName: 'c_conf',
                  ConfigID: made.get('config') ?? '',
                },
              ],
              Privileges: {},
            },
            RestartPolicy: {},
            Resources: {},
            Placement: {},
            Networks: [{ Target: 'c_net', Aliases: ['web'] }],
          },
          UpdateConfig: { Parallelism: 2, MaxFailureRatio: 0.1, Order: '', Monitor: 0 },
          EndpointSpec: {
            Mode: 'dnsrr',
            Ports: [{ TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }],
          },
        }),
      });
      made.set('service', id);
      const { spec } = await service(id);
      expect(spec).toEqual({
        Name: 'c_web',
        Labels: { 'com.docker.stack.namespace': 'contract' },
        TaskTemplate: {
          ContainerSpec: {
            Image: 'site:1',
            Isolation: 'default',
            Mounts: [{ Type: 'volume', Source: 'v', Target: '/v' }],
            Secrets: [
              { File: { Name: 's', ...ref }, SecretName: 'c_sec', SecretID: made.get('secret') },
            ],
            Configs: [
              { File: { Name: '/c', ...ref }, ConfigName: 'c_conf', ConfigID: made.get('config') },
            ],
            Privileges: { CredentialSpec: null, SELinuxContext: null },
          },
          RestartPolicy: { Condition: 'any', MaxAttempts: 0 },
          Resources: {},
          Placement: {},
          Networks: [{ Target: made.get('network'), Aliases: ['web'] }],
          ForceUpdate: 0,
          Runtime: 'container',
        },
        Mode: { Replicated: { Replicas: 0 } },
        UpdateConfig: {
          Parallelism: 2,
          MaxFailureRatio: 0.1,
          Order: 'stop-first',
          FailureAction: 'pause',
        },
        EndpointSpec: {
          Mode: 'dnsrr',
          Ports: [{ Protocol: 'tcp', TargetPort: 80, PublishedPort: 8080, PublishMode: 'host' }],
        },
      });
    });

    it('stores defaults where mode and endpoint are left out', async () => {
      const { Mode: _mode, EndpointSpec: _endpoint, ...rest } = idleService('c_plain');
      const id = await make({ op: 'service-create', body: rest });
      const { spec, updateState } = await service(id);
      expect([spec.Mode, spec.EndpointSpec, updateState]).toEqual([
        { Replicated: { Replicas: 1 } },
        undefined,
        undefined,
      ]);
      made.set('plain', id);
    });

    it('shows the task that cannot be placed, and that it fits its service', async () => {
      const id = made.get('plain');
      await expect
        .poll(
          async () => {
            const { tasks, freshTaskIds } = await state();
            const mine = tasks.filter(({ serviceId }) => serviceId === id);
            return mine.map((task) => ({
              state: task.state,
              desiredState: task.desiredState,
              slot: task.slot,
              error: task.error,
              message: task.message,
              fresh: freshTaskIds.has(task.id),
            }));
          },
          { timeout: 50_000 },
        )
        .toEqual([
          {
            state: 'pending',
            desiredState: 'running',
            slot: 1,
            error: 'no suitable node (1 node not available for new tasks)',
            message: 'pending task scheduling',
            fresh: true,
          },
        ]);
    });

    it('updates by version, and refuses an old one', async () => {
      const id = made.get('service') ?? '';
      const before = await service(id);
      const Labels = { ...before.spec.Labels, touched: 'yes' };
      expect(await update(id, { ...before.spec, Labels })).toEqual({ status: 'ok', value: { id } });
      const after = await service(id);
      expect(after.version).toBeGreaterThan(before.version);
      expect(after.spec).toEqual({ ...before.spec, Labels });
      expect(after.updateState).toBeUndefined();
      for (const version of [before.version, after.version + 1_000, 0]) {
        const call = { op: 'service-update', id, version, body: before.spec } as const;
        expect(await subject.swarm.call(call, soon(20_000))).toEqual({
          status: 'refused',
          why: 'update out of sequence',
          retry: 'after-replan',
          cause: 'out-of-sequence',
        });
      }
    });

    it.each([
      ['config', 'config-label'],
      ['secret', 'secret-label'],
    ] as const)('changes the labels of a %s by version', async (what, op) => {
      const id = made.get(what) ?? '';
      const all = async () =>
        what === 'config' ? (await state()).configs : (await state()).secrets;
      const before = (await all()).find((one) => one.id === id);
      const call = {
        op,
        id,
        version: before?.version ?? 0,
        name: before?.name ?? '',
        labels: { b: '2' },
      };
      expect(await subject.swarm.call(call, soon(20_000))).toEqual({ status: 'ok', value: { id } });
      // The day of a config's last change moves with it.
      const { updatedAt: _day, ...after } = {
        updatedAt: '',
        ...(await all()).find((one) => one.id === id),
      };
      const { updatedAt: _before, ...kept } = { updatedAt: '', ...before };
      expect(after).toEqual({ ...kept, labels: { b: '2' }, version: expect.any(Number) });
      expect(await subject.swarm.call(call, soon(20_000))).toMatchObject({
        status: 'refused',
        cause: 'out-of-sequence',
      });
    });

    it('compares a content with a secret, and labels it where it is equal, in one compare-and-swap', async () => {
      const id = made.get('secret') ?? '';
      const now = async () => (await state()).secrets.find((one) => one.id === id);
      const before = await now();
      const labels = { 'com.docker.stack.namespace': 'contract', 'understudy.digest': 'd' };
      const prove = async (text: string, version = before?.version ?? 0): Promise<unknown> =>
        subject.swarm.call(
          {
            op: 'secret-prove',
            id,
            version,
            name: 'c_sec',
            labels,
            data: new Secret(base64(text)),
            templating: 'golang',
          },
          soon(20_000),
        );
      const other = {
        status: 'refused',
        why: 'only updates to Labels are allowed',
        retry: 'never',
        cause: 'other-content',
      };
      for (const text of ['x', 'yy', 'y\n']) expect(await prove(text)).toEqual(other);
      // Content first, then the version: neither is written.
      expect(await prove('x', 1)).toEqual(other);
      expect(await prove('y', 1)).toMatchObject({ cause: 'out-of-sequence' });
      expect(await now()).toEqual(before);
      expect(await prove('y')).toEqual({ status: 'ok', value: { id } });
      expect(await now()).toEqual({ ...before, labels, version: expect.any(Number) });
      expect(await prove('y')).toMatchObject({ cause: 'out-of-sequence' });
    });

    it('does not compare an empty content', async () => {
      const {
        id = '',
        version = 0,
        name = '',
        labels = {},
      } = (await state()).secrets.find((one) => one.id === made.get('secret')) ?? {};
      const path = `/secrets/${id}/update?version=${String(version)}`;
      const body = { Name: name, Labels: labels, Data: '' };
      expect(await raw(subject.socket, 'POST', { path, body })).toMatchObject({ status: 200 });
      await expect(
        subject.swarm.call(
          { op: 'secret-prove', id, version, name, labels, data: new Secret('') },
          soon(20_000),
        ),
      ).rejects.toThrow('no content to compare');
    });

    it('replaces all labels of a config in one compare-and-swap, and gives them back by its name', async () => {
      const name = 'understudy.head';
      const data = base64('{}');
      const id = await make({ op: 'config-create', name, labels: {}, data });
      const versions: number[] = [];
      const swap = async (version: number, labels: Record<string, string>): Promise<unknown> =>
        subject.swarm.call({ op: 'config-label', id, version, name, labels }, soon(20_000));
      const version = async (): Promise<number> =>
        (await state()).configs.find((one) => one.id === id)?.version ?? 0;
      for (const labels of [
        { 'understudy.record': '{"root":"a"}', 'understudy.request.0a1b2c3d': '{}' },
        // A label that is left out is gone.
        { 'understudy.record': '{"root":"b"}' },
        {},
        { '': 'empty key', 'umlaut-ä': 'wert \u2028 "quoted"\n', empty: '' },
      ]) {
        versions.push(await version());
        expect(await swap(versions.at(-1) ?? 0, labels)).toEqual({ status: 'ok', value: { id } });
        expect(await subject.swarm.configNamed(name, soon(20_000))).toEqual({
          status: 'ok',
          value: { id, version: await version(), labels },
        });
        for (const old of versions) {
          expect(await swap(old, { stolen: 'yes' })).toMatchObject({
            status: 'refused',
            cause: 'out-of-sequence',
          });
        }
      }
      expect((await state()).configs.find((one) => one.id === id)?.data).toBe(data);
    });

    it('one of two that swap at the same time is refused', async () => {
      const name = 'understudy.head';
      const head = (await state()).configs.find((one) => one.name === name);
      const { id = '', version = 0 } = head ?? {};
      const outcomes = await Promise.all(
        ['1', '2'].map((by) =>
          subject.swarm.call(
            { op: 'config-label', id, version, name, labels: { by } },
            soon(20_000),
          ),
        ),
      );
      expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['ok', 'refused']);
    });

    it('removes a blob by its id, and once more', async () => {
      const name = `understudy.b.${'0'.repeat(40)}`;
      const id = await make({ op: 'config-create', name, labels: {}, data: base64('x') });
      const remove = async (): Promise<unknown> =>
        subject.swarm.call({ op: 'config-remove', id, name }, soon(20_000));
      expect(await remove()).toEqual({ status: 'ok', value: { id } });
      expect((await state()).configs.some((one) => one.id === id)).toBe(false);
      expect(await remove()).toEqual({ status: 'ok', value: { id } });
      expect(await subject.swarm.configNamed('understudy.b.0', soon(20_000))).toEqual({
        status: 'ok',
        value: undefined,
      });
    });

    it('does not remove a blob that a service uses', async () => {
      const name = 'understudy.b.used';
      const config = await make({ op: 'config-create', name, labels: {}, data: base64('x') });
      const File = { Name: '/x', UID: '0', GID: '0', Mode: 292 };
      const Configs = [{ File, ConfigName: name, ConfigID: config }];
      const TaskTemplate = { ContainerSpec: { Image: 'site:1', Configs }, Placement: {} };
      const body = idleService('c_user', { TaskTemplate });
      const user = await make({ op: 'service-create', body });
      const call = { op: 'config-remove', id: config, name } as const;
      expect(await subject.swarm.call(call, soon(20_000))).toEqual({
        status: 'refused',
        why: `config '${name}' is in use by the following service: c_user`,
        retry: 'after-replan',
      });
      await raw(subject.socket, 'DELETE', { path: `/services/${user}` });
      expect(await subject.swarm.call(call, soon(20_000))).toMatchObject({ status: 'ok' });
    });

    it('removes a config and a secret that only the spec before the last update names', async () => {
      const [name, stack] = ['c_before', 'contract'];
      const config = await make({ op: 'config-create', name, labels: {}, data: 'eA==' });
      const data = new Secret('eA==');
      const secret = await make({ op: 'secret-create', name, labels: {}, data });
      const ref = { UID: '0', GID: '0', Mode: 292 };
      const Configs = [{ File: { Name: '/x', ...ref }, ConfigName: name, ConfigID: config }];
      const Secrets = [{ File: { Name: 'x', ...ref }, SecretName: name, SecretID: secret }];
      const ContainerSpec = { Image: 'site:1', Configs, Secrets };
      const TaskTemplate = { ContainerSpec, Placement: {} };
      const id = await make({
        op: 'service-create',
        body: idleService('c_before', { TaskTemplate }),
      });
      const there = async () => (await state()).services.find((one) => one.id === id);
      const version = (await there())?.version ?? 0;
      const body = idleService('c_before');
      await make({ op: 'service-update', id, version, body });
      // What we know of it is all that keeps it.
      expect((await there())?.before).toEqual({ configs: [config, name], secrets: [secret, name] });
      const calls: readonly StackCall[] = [
        { op: 'config-remove', id: config, name, stack },
        { op: 'secret-remove', id: secret, name, stack },
        { op: 'service-remove', id, name, stack },
      ];
      for (const call of calls) {
        expect(await subject.swarm.call(call, soon(20_000))).toMatchObject({ status: 'ok' });
      }
    });

    it('removes the parts of a stack by id, each once nothing uses it, and once more', async () => {
      const stack = 'contract';
      const network = await make(overlay('c_going'));
      const config = await make({ op: 'config-create', name: 'c_gone', labels: {}, data: 'eA==' });
      const data = new Secret('eA==');
      const secret = await make({ op: 'secret-create', name: 'c_gone', labels: {}, data });
      const ref = { UID: '0', GID: '0', Mode: 292 };
      const TaskTemplate = {
        ContainerSpec: {
          Image: 'site:1',
          Configs: [{ File: { Name: '/x', ...ref }, ConfigName: 'c_gone', ConfigID: config }],
          Secrets: [{ File: { Name: 'x', ...ref }, SecretName: 'c_gone', SecretID: secret }],
        },
        Placement: {},
        Networks: [{ Target: 'c_going' }],
      };
      const body = idleService('c_going_web', { TaskTemplate });
      const user = await make({ op: 'service-create', body });
      const calls: readonly (readonly [StackCall, string])[] = [
        [
          { op: 'network-remove', id: network, name: 'c_going', stack },
          `network ${network} is in use by service ${user}`,
        ],
        [
          { op: 'config-remove', id: config, name: 'c_gone', stack },
          `config 'c_gone' is in use by the following service: c_going_web`,
        ],
        [
          { op: 'secret-remove', id: secret, name: 'c_gone', stack },
          `secret 'c_gone' is in use by the following service: c_going_web`,
        ],
      ];
      for (const [call, why] of calls) {
        const refused = { status: 'refused', why, retry: 'after-replan' };
        expect(await subject.swarm.call(call, soon(20_000))).toEqual(refused);
      }
      const first: StackCall = { op: 'service-remove', id: user, name: 'c_going_web', stack };
      for (const call of [first, ...calls.map(([one]) => one)]) {
        const id = 'id' in call ? call.id : '';
        const gone = { status: 'ok', value: { id } };
        expect([call.op, await subject.swarm.call(call, soon(20_000))]).toEqual([call.op, gone]);
        expect([call.op, await subject.swarm.call(call, soon(20_000))]).toEqual([call.op, gone]);
      }
      const { services, networks, configs, secrets } = await state();
      const left = [...services, ...networks, ...configs, ...secrets].map(({ id }) => id);
      expect(left.filter((id) => [user, network, config, secret].includes(id))).toEqual([]);
    });

    it.each([
      ['there', { found: 'there', why: '' }],
      ['missingTag', { found: 'missing', why: 'manifest unknown' }],
      ['missingRepository', { found: 'missing', why: 'manifest unknown' }],
      ['refused', { found: 'open', why: expect.stringMatching(/connection refused$/) }],
    ] as const)('asks the registry about an image: %s', async (which, value) => {
      const outcome = await subject.swarm.image(subject.images[which], soon(20_000));
      expect(outcome).toEqual({ status: 'ok', value });
    });

    it('takes a name in capitals for no image', async () => {
      const outcome = await subject.swarm.image('site/Blog:1', soon(20_000));
      const why = 'invalid reference format: repository name must be lowercase';
      expect(outcome).toEqual({ status: 'ok', value: { found: 'missing', why } });
    });

    it('does not have an image that it never got', async () => {
      for (const image of [subject.images.missingTag, subject.images.refused]) {
        const outcome = await subject.swarm.hasImage(image, soon(20_000));
        expect(outcome).toEqual({ status: 'ok', value: false });
      }
    });

    const refusals: [string, () => StackCall, object][] = [
      [
        'a service name in another case',
        () => ({ op: 'service-create', body: idleService('C_Web') }),
        {
          retry: 'after-replan',
          cause: 'name-taken',
          why: 'name conflicts with an existing object: service C_Web already exists',
        },
      ],
      [
        'a config name twice',
        () => ({ op: 'config-create', name: 'C_conf', labels: {}, data: base64('z') }),
        { retry: 'after-replan', cause: 'name-taken', why: 'config C_conf already exists' },
      ],
      [
        'a secret name twice',
        () => ({ op: 'secret-create', name: 'c_sec', labels: {}, data: new Secret(base64('z')) }),
        { retry: 'after-replan', cause: 'name-taken', why: 'secret c_sec already exists' },
      ],
      [
        'a network name twice',
        () => overlay('c_net'),
        {
          retry: 'after-replan',
          cause: 'name-taken',
          why: 'network with name c_net already exists',
        },
      ],
      [
        'a network that is not there',
        () => ({
          op: 'service-create',
          body: idleService('c_x', {
            TaskTemplate: {
              ContainerSpec: { Image: 'site:1' },
              Placement: {},
              Networks: [{ Target: 'nowhere' }],
            },
          }),
        }),
        { retry: 'after-replan', why: 'network nowhere not found' },
      ],
      [
        'a config that is not there',
        () => ({
          op: 'service-create',
          body: idleService('c_x', {
            TaskTemplate: {
              ContainerSpec: {
                Image: 'site:1',
                Configs: [
                  {
                    File: { Name: 'x', UID: '0', GID: '0', Mode: 292 },
                    ConfigName: 'gone',
                    ConfigID: 'a'.repeat(25),
                  },
                ],
              },
              Placement: {},
            },
          }),
        }),
        { retry: 'after-replan', why: 'config not found: gone' },
      ],
      [
        'a service without an image',
        () => ({
          op: 'service-create',
          body: idleService('c_x', {
            TaskTemplate: { ContainerSpec: { Image: '' }, Placement: {} },
          }),
        }),
        { retry: 'never', why: 'ContainerSpec: image reference must be provided' },
      ],
      [
        'a name with a dot',
        () => ({ op: 'service-create', body: idleService('c.x') }),
        { retry: 'never', why: 'name must be valid as a DNS name component' },
      ],
      [
        'a config without data',
        () => ({ op: 'config-create', name: 'c_none', labels: {}, data: '' }),
        {
          retry: 'never',
          why: 'config data must be larger than 0 and less than 1024000 bytes',
        },
      ],
      [
        'a secret that is too large',
        () => ({
          op: 'secret-create',
          name: 'c_big',
          labels: {},
          data: new Secret(Buffer.alloc(512_000).toString('base64')),
        }),
        {
          retry: 'never',
          why: 'secret data must be larger than 0 and less than 512000 bytes',
        },
      ],
      [
        'another mode',
        () => ({
          op: 'service-update',
          id: made.get('service') ?? '',
          version: Number(made.get('version')),
          body: idleService('c_web', { Mode: { Global: {} } }),
        }),
        { retry: 'never', why: 'service mode change is not allowed' },
      ],
      [
        'another name',
        () => ({
          op: 'service-update',
          id: made.get('service') ?? '',
          version: Number(made.get('version')),
          body: idleService('c_renamed'),
        }),
        { retry: 'never', why: 'renaming services is not supported' },
      ],
      [
        'an update of nothing',
        () => ({
          op: 'service-update',
          id: 'a'.repeat(25),
          version: 1,
          body: idleService('c_gone'),
        }),
        { retry: 'after-replan', why: `service ${'a'.repeat(25)} not found` },
      ],
    ];
    it.each(refusals)('refuses %s', async (_what, call, expected) => {
      made.set('version', String((await service(made.get('service') ?? '')).version));
      const outcome = await subject.swarm.call(call(), soon(20_000));
      expect(outcome).toEqual({ status: 'refused', ...expected });
    });

    it('takes a config of 999 KiB', async () => {
      const data = Buffer.alloc(999 * 1024, 'x').toString('base64');
      const id = await make({ op: 'config-create', name: 'c_large', labels: {}, data });
      expect((await state()).configs.find((one) => one.id === id)?.data).toBe(data);
    });

    it('a changed template makes the old task stale', async () => {
      const id = made.get('plain') ?? '';
      const { spec } = await service(id);
      const old = (await state()).tasks.find(({ serviceId }) => serviceId === id);
      const ContainerSpec = { ...spec.TaskTemplate.ContainerSpec, Env: ['A=2'] };
      const TaskTemplate = { ...spec.TaskTemplate, ContainerSpec };
      expect(await update(id, { ...spec, TaskTemplate })).toMatchObject({ status: 'ok' });
      await expect
        .poll(
          async () => {
            const { tasks, freshTaskIds } = await state();
            return {
              old: freshTaskIds.has(old?.id ?? ''),
              fresh: tasks.filter((one) => one.serviceId === id && freshTaskIds.has(one.id)).length,
              update: (await service(id)).updateState,
            };
          },
          { timeout: 50_000 },
        )
        .toEqual({ old: false, fresh: 1, update: 'updating' });
    });

    const id = 'a'.repeat(25);
    const rpc = 'rpc error: code =';
    const raws: [string, () => Parameters<typeof raw>[2], number, () => string][] = [
      [
        'POST',
        () => ({ path: `/services/${made.get('service') ?? ''}/update`, body: { Name: 'c_web' } }),
        400,
        () => `invalid service version '': strconv.ParseUint: parsing "": invalid syntax`,
      ],
      [
        'POST',
        () => ({ path: `/configs/${made.get('config') ?? ''}/update`, body: { Name: 'c_conf' } }),
        400,
        () => 'invalid config version',
      ],
      [
        'POST',
        () => ({
          path: `/configs/${made.get('config') ?? ''}/update?version=1`,
          body: { Name: 'c_conf', Data: base64('other') },
        }),
        400,
        () => `${rpc} InvalidArgument desc = only updates to Labels are allowed`,
      ],
      [
        'POST',
        () => ({
          path: `/configs/${made.get('config') ?? ''}/update?version=1`,
          body: { Name: 'c_other' },
        }),
        400,
        () => `${rpc} InvalidArgument desc = only updates to Labels are allowed`,
      ],
      [
        'DELETE',
        () => ({ path: `/configs/${made.get('config') ?? ''}` }),
        400,
        () =>
          `${rpc} InvalidArgument desc = config 'c_conf' is in use by the following service: c_web`,
      ],
      [
        'DELETE',
        () => ({ path: `/secrets/${made.get('secret') ?? ''}` }),
        400,
        () =>
          `${rpc} InvalidArgument desc = secret 'c_sec' is in use by the following service: c_web`,
      ],
      [
        'DELETE',
        () => ({ path: `/networks/${made.get('network') ?? ''}` }),
        400,
        () =>
          `${rpc} FailedPrecondition desc = network ${made.get('network') ?? ''} is in use by service ${made.get('service') ?? ''}`,
      ],
      ['DELETE', () => ({ path: `/services/${id}` }), 404, () => `service ${id} not found`],
      ['DELETE', () => ({ path: `/configs/${id}` }), 404, () => `config ${id} not found`],
      ['DELETE', () => ({ path: `/secrets/${id}` }), 404, () => `secret ${id} not found`],
      ['DELETE', () => ({ path: `/networks/${id}` }), 404, () => `network ${id} not found`],
      ['GET', () => ({ path: `/services/${id}` }), 404, () => `service ${id} not found`],
      ['GET', () => ({ path: '/nonsense' }), 404, () => 'page not found'],
      [
        'GET',
        () => ({ path: `/tasks?filters=${encodeURIComponent('{"bogus":["x"]}')}` }),
        400,
        () => "Invalid filter 'bogus'",
      ],
      ['DELETE', () => ({ path: `/services/${made.get('service') ?? ''}` }), 200, () => ''],
      ['DELETE', () => ({ path: `/configs/${made.get('config') ?? ''}` }), 204, () => ''],
      ['DELETE', () => ({ path: `/secrets/${made.get('secret') ?? ''}` }), 204, () => ''],
      ['DELETE', () => ({ path: `/networks/${made.get('network') ?? ''}` }), 204, () => ''],
    ];
    it('answers what the client does not ask yet in the same words', async () => {
      for (const [method, what, status, message] of raws) {
        const answer = await raw(subject.socket, method, what());
        expect([method, what().path, answer]).toEqual([
          method,
          what().path,
          { status, message: message() },
        ]);
      }
      const { services, configs, secrets, networks } = await state();
      expect(services.map(({ spec }) => spec.Name)).toEqual(['c_plain']);
      const names = configs.map(({ name: one }) => one).toSorted();
      expect([names, secrets]).toEqual([['c_large', 'understudy.head'], []]);
      expect(networks.some(({ name: one }) => one === 'c_net')).toBe(false);
    });
  });
}

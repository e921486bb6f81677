import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CallOutcome } from '../../agent/core/kind.ts';
import { Secret } from '../../agent/core/secret.ts';
import { openSwarm } from '../../agent/providers/stack/client.ts';
import type { ServiceSpec } from '../../agent/providers/stack/engine-api.ts';
import type { StackCall } from '../../agent/providers/stack/swarm.ts';
import { openModem } from '../../agent/providers/stack/transport.ts';
import { idleService } from '../contract/swarm.ts';
import { VirtualClock } from '../fakes/clock.ts';
import { network } from '../fakes/stack.ts';
import type { FakeEngine } from '../fakes/swarm-engine.ts';
import type { Fault, Seen } from '../faults/proxy.ts';
import { faultStage, type FaultStage } from '../faults/stage.ts';

const signal = new AbortController().signal;
const deadlineMs = 6_000;
/** The engine waits 15 s for a registry. */
const imageDeadlineMs = 20_000;
const mebibyte = 1024 * 1024;
const small = { configs: 2 * mebibyte, other: mebibyte };
/** Stands in every value that must not come out anywhere. */
const canary = 'canary-5f3a1c';
const data = Buffer.from(canary).toString('base64');

function spec(name: string): ServiceSpec {
  return idleService(name, {
    TaskTemplate: {
      ContainerSpec: { Image: 'site:1', Env: [`TOKEN=${canary}`] },
      Placement: {},
    },
  });
}

interface Exchange {
  readonly what: string;
  readonly fits: (request: Seen) => boolean;
  readonly run: (stage: FaultStage) => Promise<CallOutcome<unknown>>;
  /** The good answer has no body. */
  readonly bare?: true;
  /** A registry may be asked meanwhile, whose trouble is not the engine's. */
  readonly image?: true;
}

/** Makes what the call is about first, through the fake itself. */
function writing(what: string, path: RegExp, call: (stage: FaultStage) => StackCall): Exchange {
  const run = (stage: FaultStage) => stage.swarm.call(call(stage), signal);
  const fits = (request: Seen) => request.mutating && path.test(request.path);
  return { what, fits, run, ...(/label|remove/.test(what) ? { bare: true } : {}) };
}

function reading(what: string, fits: (request: Seen) => boolean): Exchange {
  return { what, fits, run: ({ swarm }) => swarm.observe(signal) };
}

function created(
  { fake }: FaultStage,
  path: string,
  body: object,
): { id: string; version: number } {
  const text = JSON.stringify(body);
  fake.engine.handle({ method: 'POST', path, query: new URLSearchParams(), text });
  const [, kind = ''] = path.split('/');
  const all = { services: fake.engine.services, configs: fake.engine.configs };
  const last = [...(kind === 'services' ? all.services : all.configs).values()].at(-1);
  if (last === undefined) throw new Error('nothing was made');
  return { id: last.id, version: last.version };
}

const lists = ['services', 'networks', 'configs', 'secrets', 'nodes'];
const exchanges: Exchange[] = [
  ...lists.map((one) => reading(one, ({ path }) => path === `/v1.41/${one}`)),
  reading('tasks', ({ path, queryKeys }) => path === '/v1.41/tasks' && queryKeys.length === 0),
  reading('fresh tasks', ({ path, queryKeys }) => path === '/v1.41/tasks' && queryKeys.length > 0),
  {
    what: 'identity',
    fits: ({ path }) => path === '/v1.41/info',
    run: ({ swarm }) => swarm.identity(signal),
  },
  {
    what: 'image',
    fits: ({ path }) => path.startsWith('/v1.41/distribution/'),
    run: ({ swarm }) => swarm.image('10.0.0.2:5000/site:1', signal),
    image: true,
  },
  {
    what: 'config labels',
    fits: ({ path }) => path === '/v1.41/configs/understudy.head',
    run: (stage) => {
      created(stage, '/configs/create', { Name: 'understudy.head', Data: data });
      return stage.swarm.configNamed('understudy.head', signal);
    },
  },
  writing('config-remove', /configs\/[^/]+$/, (stage) => {
    const name = 'understudy.b.1';
    const { id } = created(stage, '/configs/create', { Name: name, Data: data });
    return { op: 'config-remove', id, name };
  }),
  writing('config-remove of a stack', /configs\/[^/]+$/, (stage) => ({
    op: 'config-remove',
    ...created(stage, '/configs/create', { Name: 'blog_page', Data: data }),
    name: 'blog_page',
    stack: 'blog',
  })),
  writing('service-remove', /services\/[^/]+$/, (stage) => ({
    op: 'service-remove',
    ...created(stage, '/services/create', spec('w')),
    name: 'w',
    stack: 'blog',
  })),
  writing('network-create', /networks\/create/, () => ({
    op: 'network-create',
    body: network('n'),
  })),
  writing('config-create', /configs\/create/, () => ({
    op: 'config-create',
    name: 'c',
    labels: {},
    data,
  })),
  writing('secret-create', /secrets\/create/, () => ({
    op: 'secret-create',
    name: 's',
    labels: {},
    data: new Secret(data),
  })),
  writing('service-create', /services\/create/, () => ({ op: 'service-create', body: spec('w') })),
  writing('service-update', /services\/.*\/update/, (stage) => ({
    op: 'service-update',
    ...created(stage, '/services/create', spec('w')),
    body: spec('w'),
  })),
  writing('config-label', /configs\/.*\/update/, (stage) => ({
    op: 'config-label',
    ...created(stage, '/configs/create', { Name: 'c', Data: data }),
    name: 'c',
    labels: { a: '1' },
  })),
];

const cuts = ['headers', 1, 'half', 'last-1'] as const;
const damaged: [string, Fault][] = [
  ...cuts.map((after): [string, Fault] => [
    `cut after ${String(after)}`,
    { do: 'cut', after, end: 'close' },
  ]),
  ['without a reply', { do: 'drop-reply' }],
  ['never sent on', { do: 'drop-request' }],
  ['empty', { do: 'replace', body: '' }],
  ['HTML', { do: 'replace', status: 200, body: '<html>welcome</html>' }],
  ['half a list', { do: 'replace', body: '[{"ID":"a"},' }],
  ['another shape', { do: 'replace', body: '{"message":"fine"}' }],
  ['null', { do: 'replace', body: 'null' }],
  ['a redirect', { do: 'replace', status: 302, headers: { location: 'foo:bar' }, body: '' }],
  ['bad gateway', { do: 'replace', status: 502, body: 'bad gateway' }],
];
/** An answer without a body cannot be cut inside it, and says nothing in its body. */
const bareToo = new Set(['without a reply', 'never sent on', 'HTML', 'a redirect', 'bad gateway']);

describe('an answer that does not come whole', () => {
  const rows = exchanges.flatMap((exchange) =>
    damaged
      .filter(([how]) => exchange.bare === undefined || bareToo.has(how))
      .filter(([how]) => exchange.image === undefined || how !== 'bad gateway')
      .map(([how, fault]) => ({ what: exchange.what, how, exchange, fault })),
  );
  it.each(rows)('$what, $how: unknown, at once', async ({ exchange, fault }) => {
    await using stage = await faultStage();
    stage.proxy.break({ match: exchange.fits, fault });
    const outcome = await exchange.run(stage);
    expect(outcome.status).toBe('unknown');
    expect(stage.clock.nowMs()).toBe(0);
    expect(JSON.stringify(outcome)).not.toContain(canary);
    expect(stage.proxy.seen.filter(exchange.fits)).toHaveLength(1);
  });

  const slow: [string, Fault][] = [
    ['never answered', { do: 'delay-request' }],
    ['carried out, never answered', { do: 'delay-reply' }],
    ...cuts.map((after): [string, Fault] => [
      `silent after ${String(after)}`,
      { do: 'cut', after, end: 'stall' },
    ]),
    ['trickling', { do: 'trickle' }],
  ];
  const late = exchanges.flatMap((exchange) =>
    slow
      .filter(([how]) => exchange.bare === undefined || how.includes('answered'))
      .map(([how, fault]) => ({ what: exchange.what, how, exchange, fault })),
  );
  it.each(late)('$what, $how: unknown by the deadline', async ({ exchange, fault }) => {
    await using stage = await faultStage();
    stage.proxy.break({ match: exchange.fits, fault });
    const running = exchange.run(stage);
    let settled = false;
    void running.then(() => (settled = true));
    await stage.proxy.reached(1);
    await stage.clock.advance((exchange.image === true ? imageDeadlineMs : deadlineMs) - 1);
    stage.proxy.trickle();
    await stage.clock.settle();
    expect(settled).toBe(false);
    await stage.clock.advance(1);
    expect(await running).toMatchObject({
      status: 'unknown',
      why: expect.stringContaining('no answer in time'),
      cause: 'unreachable',
    });
    // The request is ended too: it does not go on holding a connection.
    await expect
      .poll(() => stage.proxy.seen.find(exchange.fits)?.hungUp, { timeout: 30_000 })
      .toBe(true);
  });
});

describe('what goes over the wire', () => {
  it('seven reads make one observation, and nothing is written', async () => {
    await using stage = await faultStage();
    expect(await stage.swarm.observe(signal)).toMatchObject({ status: 'ok' });
    expect(
      stage.proxy.seen.map(({ method, url }) => `${method} ${decodeURIComponent(url)}`).toSorted(),
    ).toEqual([
      'GET /v1.41/configs',
      'GET /v1.41/networks',
      'GET /v1.41/nodes',
      'GET /v1.41/secrets',
      'GET /v1.41/services',
      'GET /v1.41/tasks',
      'GET /v1.41/tasks?filters={"_up-to-date":["true"]}',
    ]);
  });

  it.each(exchanges)('$what carries no value in URL or header', async ({ run }) => {
    await using stage = await faultStage();
    const outcome = await run(stage);
    expect(outcome.status).toBe('ok');
    for (const { queryKeys, url, headers } of stage.proxy.seen) {
      expect(['version', 'filters', 'registryAuthFrom']).toEqual(
        expect.arrayContaining([...queryKeys]),
      );
      expect(url.length).toBeLessThan(120);
      const head = `${url} ${JSON.stringify(headers)}`;
      const decoded = Object.values(headers).map((one) =>
        Buffer.from(String(one), 'base64').toString(),
      );
      expect(head).not.toContain(canary);
      expect(head).not.toContain(data);
      expect(decoded.join(' ')).not.toContain(canary);
    }
  });

  it('sends a config of 999 KiB', async () => {
    await using stage = await faultStage();
    const large = Buffer.alloc(999 * 1024, 'x').toString('base64');
    const call = { op: 'config-create', name: 'c', labels: {}, data: large } as const;
    expect(await stage.swarm.call(call, signal)).toMatchObject({ status: 'ok' });
    const state = await stage.swarm.observe(signal);
    expect(state.status === 'ok' && state.value.configs[0]?.data === large).toBe(true);
  });

  it('a write that arrived twice is refused as taken, and made once', async () => {
    await using stage = await faultStage();
    stage.proxy.break({ match: ({ mutating }) => mutating, fault: { do: 'duplicate' } });
    const call = { op: 'service-create', body: spec('w') } as const;
    expect(await stage.swarm.call(call, signal)).toMatchObject({
      status: 'refused',
      cause: 'name-taken',
      retry: 'after-replan',
    });
    expect(stage.fake.engine.services.size).toBe(1);
  });

  it('never sends a write twice, though its idle connection was closed', async () => {
    await using stage = await faultStage();
    for (let round = 0; round < 20; round += 1) {
      await stage.swarm.identity(signal);
      stage.proxy.hangUp();
      const name = `c${String(round)}`;
      const call = { op: 'config-create', name, labels: {}, data } as const;
      const { status } = await stage.swarm.call(call, signal);
      const made = [...stage.fake.engine.configs.values()].some((one) => one.name === name);
      expect(['ok true', 'unknown true', 'unknown false']).toContain(`${status} ${String(made)}`);
    }
    const sent = stage.proxy.seen.filter(({ mutating }) => mutating);
    expect(sent.length).toBeLessThanOrEqual(20);
  });

  it('has so many exchanges under way and no more', async () => {
    await using stage = await faultStage({ atOnce: 3 });
    stage.proxy.break({ match: () => true, fault: { do: 'delay-request' } });
    const all = Promise.all(Array.from({ length: 9 }, () => stage.swarm.identity(signal)));
    for (const count of [3, 6, 9]) {
      await stage.proxy.reached(count);
      await stage.clock.settle();
      expect(stage.proxy.seen).toHaveLength(count);
      stage.proxy.release();
    }
    expect((await all).every(({ status }) => status === 'ok')).toBe(true);
  });

  it('refuses to let more than so many wait', async () => {
    await using stage = await faultStage({ atOnce: 1 });
    stage.proxy.break({ match: () => true, fault: { do: 'delay-request' } });
    const all = Array.from({ length: 1_026 }, () => stage.swarm.identity(signal));
    expect(await all[1_025]).toMatchObject({
      status: 'refused',
      why: 'too many calls are waiting',
    });
    await stage.clock.advance(deadlineMs);
    const outcomes = await Promise.all(all.slice(0, 1_025));
    expect(outcomes.every(({ status }) => status === 'unknown')).toBe(true);
  });

  it.each([
    ['nodes', 1, 'the answer is larger than 1 MiB'],
    ['configs', 2, 'the answer is larger than 2 MiB: remove configs that no service uses'],
  ])('gives an answer up that grows too large: %s', async (what, size, why) => {
    await using stage = await faultStage({ answerBytesMax: small });
    const body = `[${' '.repeat(size * mebibyte)}]`;
    stage.proxy.break({
      match: ({ path }) => path.endsWith(`/${what}`),
      fault: { do: 'replace', body },
    });
    expect(await stage.swarm.observe(signal)).toEqual({
      status: 'unknown',
      why: `reading ${what}: ${why}`,
    });
  });

  it('reads more of configs than of anything else, for their content is in the list', async () => {
    await using stage = await faultStage();
    const body = `[${' '.repeat(64 * mebibyte)}]`;
    for (const [what, status] of [
      ['configs', 'ok'],
      ['secrets', 'unknown'],
    ]) {
      stage.proxy.break({
        match: ({ path }) => path.endsWith(`/${what ?? ''}`),
        fault: { do: 'replace', body },
      });
      expect(await stage.swarm.observe(signal)).toMatchObject({ status });
    }
  });
});

describe('the engine in trouble', () => {
  it.each`
    trouble            | observe      | call         | cause
    ${'no-leader'}     | ${'unknown'} | ${'unknown'} | ${'no-leader'}
    ${'not-a-manager'} | ${'unknown'} | ${'refused'} | ${'not-a-manager'}
  `('$trouble', async ({ trouble, observe, call, cause }) => {
    await using stage = await faultStage();
    stage.fake.engine.trouble = trouble;
    expect(await stage.swarm.observe(signal)).toMatchObject({ status: observe, cause });
    const create = { op: 'network-create', body: network('n') } as const;
    expect(await stage.swarm.call(create, signal)).toMatchObject({ status: call, cause });
  });

  it('is no manager', async () => {
    await using stage = await faultStage();
    stage.fake.engine.trouble = 'not-a-manager';
    expect(await stage.swarm.identity(signal)).toMatchObject({
      status: 'refused',
      cause: 'not-a-manager',
    });
  });

  it('is not there', async () => {
    const socket = join(tmpdir(), 'understudy-nowhere.sock');
    const swarm = openSwarm({ socket }, new VirtualClock());
    expect(await swarm.observe(signal)).toMatchObject({
      status: 'unknown',
      why: expect.stringMatching(/^reading \w+( tasks)?: the connection failed \(ENOENT\)$/),
      cause: 'unreachable',
    });
    swarm.close();
  });

  it('dies of a call', async () => {
    await using stage = await faultStage();
    stage.proxy.break({ match: ({ mutating }) => mutating, fault: { do: 'drop-reply' } });
    const call = { op: 'config-create', name: 'c', labels: {}, data } as const;
    expect(await stage.swarm.call(call, signal)).toMatchObject({ status: 'unknown' });
    expect(stage.fake.engine.configs.size).toBe(1);
  });
});

describe('an image', () => {
  const site = '10.0.0.2:5000/site:1';

  it.each<[string, string, (engine: FakeEngine) => unknown, object]>([
    ['is there', site, () => {}, { found: 'there', why: '' }],
    [
      'is missing',
      site,
      (engine) => engine.badImages.add(site),
      { found: 'missing', why: 'manifest unknown' },
    ],
    [
      'is not for everybody',
      site,
      (engine) => engine.images.set(site, { pull: 'denied' }),
      { found: 'denied', why: 'unauthorized' },
    ],
    [
      'cannot be asked for',
      site,
      (engine) => (engine.registryUp = false),
      { found: 'open', why: expect.stringMatching(/^dial tcp .* connection refused$/) },
    ],
    ['has a digest', `site@sha256:${'a'.repeat(64)}`, () => {}, { found: 'there', why: '' }],
    [
      'has a bad name',
      'Site',
      () => {},
      { found: 'missing', why: 'invalid reference format: repository name must be lowercase' },
    ],
  ])('%s', async (_what, image, change, expected) => {
    await using stage = await faultStage();
    change(stage.fake.engine);
    const value = expected;
    expect(await stage.swarm.image(image, signal)).toEqual({ status: 'ok', value });
    expect(stage.proxy.seen[0]?.path).toBe(`/v1.41/distribution/${encodeURIComponent(image)}/json`);
  });

  it.each(['a b', 'a?x=1', '../info', 'a/../../info', '/a', 'a//b', 'a#b', '%2e', '', 'a\n'])(
    'is not asked for by what cannot be a name: %j',
    async (image) => {
      await using stage = await faultStage();
      expect(await stage.swarm.image(image, signal)).toMatchObject({
        status: 'ok',
        value: { found: 'missing' },
      });
      expect(stage.proxy.seen).toEqual([]);
    },
  );

  it('whose registry hangs keeps no connection from other calls', async () => {
    await using stage = await faultStage({ atOnce: 4 });
    const match = ({ path }: Seen) => path.includes('/distribution/');
    stage.proxy.break({ match, fault: { do: 'delay-request' } });
    const asked = Array.from({ length: 20 }, () => stage.swarm.image(site, signal));
    await stage.proxy.reached(4);
    expect(await stage.swarm.identity(signal)).toMatchObject({ status: 'ok' });
    expect(await stage.swarm.observe(signal)).toMatchObject({ status: 'ok' });
    stage.swarm.close();
    for (const outcome of await Promise.all(asked)) expect(outcome.status).toBe('unknown');
  });
});

describe('the labels of a config', () => {
  it('are read by its name', async () => {
    await using stage = await faultStage();
    const Labels = { 'understudy.record': '{}' };
    const { id } = created(stage, '/configs/create', {
      Name: 'understudy.head',
      Data: data,
      Labels,
    });
    expect(await stage.swarm.configNamed('understudy.head', signal)).toEqual({
      status: 'ok',
      value: { id, version: expect.any(Number), labels: Labels },
    });
  });

  it.each([
    ['of nothing', undefined],
    // The engine takes a name in any case, and nobody else here does.
    ['of another case', 'Understudy.Head'],
  ])('%s are nothing', async (_what, name) => {
    await using stage = await faultStage();
    if (name !== undefined) created(stage, '/configs/create', { Name: name, Data: data });
    expect(await stage.swarm.configNamed('understudy.head', signal)).toEqual({
      status: 'ok',
      value: undefined,
    });
  });

  it.each(['blog_site', '', 'understudy', 'understudy.head?x', 'understudy.a/../x'])(
    'of what is not ours are never asked for: %j',
    async (name) => {
      await using stage = await faultStage();
      await expect(stage.swarm.configNamed(name, signal)).rejects.toThrow('not a config of ours');
      expect(stage.proxy.seen).toEqual([]);
    },
  );
});

describe('stopping', () => {
  it('does not begin with an aborted signal', async () => {
    await using stage = await faultStage();
    const stopped = AbortSignal.abort(new Error('lease lost'));
    const call = { op: 'network-create', body: network('n') } as const;
    await expect(stage.swarm.observe(stopped)).rejects.toThrow('lease lost');
    await expect(stage.swarm.identity(stopped)).rejects.toThrow('lease lost');
    await expect(stage.swarm.image('site:1', stopped)).rejects.toThrow('lease lost');
    await expect(stage.swarm.configNamed('understudy.head', stopped)).rejects.toThrow('lease lost');
    await expect(stage.swarm.call(call, stopped)).rejects.toThrow('lease lost');
    expect(stage.proxy.seen).toEqual([]);
  });

  it('leaves a write under way unknown, and rejects a read', async () => {
    await using stage = await faultStage();
    stage.proxy.break({ match: () => true, fault: { do: 'delay-reply' } });
    const stop = new AbortController();
    const call = { op: 'network-create', body: network('n') } as const;
    const write = stage.swarm.call(call, stop.signal);
    const read = stage.swarm.observe(stop.signal);
    await stage.proxy.reached(8);
    stop.abort(new Error('lease lost'));
    await expect(read).rejects.toThrow('lease lost');
    expect(await write).toEqual({
      status: 'unknown',
      why: 'stopped while waiting for the answer',
    });
  });

  it('close ends what is under way and what waits', async () => {
    await using stage = await faultStage({ atOnce: 3 });
    stage.proxy.break({ match: () => true, fault: { do: 'delay-reply' } });
    const all = Array.from({ length: 9 }, () => stage.swarm.identity(signal));
    await stage.proxy.reached(3);
    stage.swarm.close();
    for (const one of await Promise.all(all)) expect(one).toMatchObject({ status: 'unknown' });
    await expect
      .poll(() => stage.proxy.seen.every(({ hungUp }) => hungUp), { timeout: 30_000 })
      .toBe(true);
    expect(stage.proxy.seen).toHaveLength(3);
  });

  it('an observation that cannot be whole does not wait for the rest', async () => {
    await using stage = await faultStage();
    stage.proxy.break({
      match: ({ path }) => path.endsWith('/nodes'),
      fault: { do: 'replace', body: '' },
    });
    stage.proxy.break({ match: () => true, fault: { do: 'delay-reply' } });
    expect(await stage.swarm.observe(signal)).toEqual({
      status: 'unknown',
      why: 'reading nodes: the answer has another shape at its top (expected array)',
    });
    expect(stage.clock.nowMs()).toBe(0);
  });
});

describe('what is never sent', () => {
  const id = 'a'.repeat(25);
  const secretless = spec('w');
  secretless.TaskTemplate.ContainerSpec.Secrets = [{ SecretName: 's' }];
  const configless = spec('w');
  configless.TaskTemplate.ContainerSpec.Configs = [{ ConfigName: 'c', ConfigID: '' }];
  const placeless = spec('w');
  Reflect.deleteProperty(placeless.TaskTemplate, 'Placement');
  it.each<[string, StackCall, string]>([
    ['a create without Placement', { op: 'service-create', body: placeless }, 'Placement'],
    [
      'an update without Placement',
      { op: 'service-update', id, version: 1, body: placeless },
      'Placement',
    ],
    ['a secret without id', { op: 'service-create', body: secretless }, 'without id'],
    [
      'a config without id',
      { op: 'service-update', id, version: 1, body: configless },
      'without id',
    ],
    [
      'a name for an id',
      { op: 'service-update', id: 'blog_web', version: 1, body: spec('w') },
      'full id',
    ],
    [
      'a path for an id',
      { op: 'config-label', id: `${'a'.repeat(22)}/..`, version: 1, name: 'c', labels: {} },
      'full id',
    ],
    [
      'a name for the id to remove',
      { op: 'config-remove', id: 'x', name: 'understudy.b.1' },
      'full',
    ],
    ...['understudy.head', 'blog_site', 'understudy.lease', 'understudy.b', 'Understudy.b.1'].map(
      (name): [string, StackCall, string] => [
        `the removal of ${name}`,
        { op: 'config-remove', id, name },
        'no blob of the record',
      ],
    ),
    ...(['service', 'network', 'config', 'secret'] as const).flatMap(
      (noun): [string, StackCall, string][] => [
        [
          `a name for the ${noun} to remove`,
          { op: `${noun}-remove`, id: 'blog_web', name: 'blog_web', stack: 'blog' },
          'full',
        ],
        [
          `the beginning of the id of the ${noun} to remove`,
          { op: `${noun}-remove`, id: id.slice(1), name: 'blog_web', stack: 'blog' },
          'full',
        ],
        [
          `the removal of a ${noun} of no stack`,
          { op: `${noun}-remove`, id, name: 'blog_web', stack: '' },
          'no stack',
        ],
        [
          `the removal of the head as if it were a ${noun} of a stack`,
          { op: `${noun}-remove`, id, name: 'understudy.head', stack: 'understudy' },
          'no stack',
        ],
      ],
    ),
    ['no version', { op: 'service-update', id, version: Number.NaN, body: spec('w') }, 'version'],
  ])('%s', async (_what, call, message) => {
    await using stage = await faultStage();
    await expect(stage.swarm.call(call, signal)).rejects.toThrow(message);
    expect(stage.proxy.seen).toEqual([]);
  });
});

describe('the modem', () => {
  it.each<[string, Parameters<ReturnType<typeof openModem>['ask']>[0]]>([
    ['not allowed', { path: '/x?', method: 'GET', options: { _query: { Name: canary } } }],
    ['without _query', { path: '/x?', method: 'GET' }],
    ['only what writes', { path: '/x?', method: 'GET', options: { _query: {}, _body: {} } }],
    ['only what writes', { path: '/x?', method: 'POST', options: { _query: {} } }],
  ])('refuses what could put a value into a URL: %s', async (message, dial) => {
    await using stage = await faultStage();
    const { socket } = stage.proxy;
    const deadlinesMs = { read: deadlineMs, write: deadlineMs };
    const modem = openModem(
      { socket, version: '1.41', atOnce: 1, deadlinesMs, answerBytesMax: small },
      stage.clock,
    );
    await expect(modem.ask(dial)).rejects.toThrow(message);
    expect(stage.proxy.seen).toEqual([]);
    modem.close();
  });
});

describe('a hostile environment', () => {
  it('changes nothing and prints nothing', async () => {
    await using stage = await faultStage();
    const client = new URL('../../agent/providers/stack/client.ts', import.meta.url).href;
    const secret = new URL('../../agent/core/secret.ts', import.meta.url).href;
    const clock = new URL('../../agent/clock.ts', import.meta.url).href;
    const program = `
      const { openSwarm } = await import(${JSON.stringify(client)});
      const { Secret } = await import(${JSON.stringify(secret)});
      const { systemClock } = await import(${JSON.stringify(clock)});
      const swarm = openSwarm({ socket: ${JSON.stringify(stage.proxy.socket)} }, systemClock);
      const signal = new AbortController().signal;
      const data = new Secret(process.argv[1]);
      const call = { op: 'secret-create', name: 's', labels: {}, data };
      const all = await Promise.all([swarm.call(call, signal), swarm.call(call, signal)]);
      console.log(JSON.stringify(all.map(({ status }) => status).sort()), call);
      swarm.close();`;
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '-e', program, data],
      {
        env: {
          DEBUG: '*',
          DOCKER_HOST: 'tcp://127.0.0.1:1',
          DOCKER_CERT_PATH: '/nonexistent',
          DOCKER_TLS_VERIFY: '1',
          DOCKER_CLIENT_TIMEOUT: '1',
          HOME: '/nonexistent',
        },
      },
    );
    expect(stdout).toContain('["ok","refused"]');
    expect(`${stdout}${stderr}`).not.toContain(canary);
    expect(`${stdout}${stderr}`).not.toContain(data);
    expect(stage.fake.engine.secrets.size).toBe(1);
  });
});

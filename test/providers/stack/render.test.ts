import { describe, expect, it } from 'vitest';

import { stableForMs } from '../../../agent/providers/stack/render.ts';
import { stackFromWire, stackToWire } from '../../../agent/providers/stack/wire.ts';
import type { Healthcheck, ServiceSpec } from '../../../agent/providers/stack/engine-api.ts';
import type { CheckSpec, StackSpec } from '../../../agent/providers/stack/spec.ts';
import { Secret } from '../../../agent/core/secret.ts';

function service(check?: Healthcheck): ServiceSpec {
  const ContainerSpec = { Image: 'x', ...(check === undefined ? {} : { Healthcheck: check }) };
  return { Name: 'a_b', TaskTemplate: { ContainerSpec, Placement: {} } };
}

const SECOND = 1_000_000_000;

describe('how long a stack must stay well, if nobody says', () => {
  it.each<[string, readonly (Healthcheck | undefined)[], number]>([
    ['no service', [], 30_000],
    ['no healthcheck', [undefined], 30_000],
    ['a short interval', [{ Test: ['CMD', 'x'], Interval: 2 * SECOND }], 30_000],
    ['just at the bound', [{ Test: ['CMD', 'x'], Interval: 10 * SECOND }], 30_000],
    ['a long one', [{ Test: ['CMD', 'x'], Interval: 20 * SECOND }], 60_000],
    [
      'the longest of several',
      [{ Interval: 20 * SECOND }, { Interval: 40 * SECOND }, undefined],
      120_000,
    ],
    ['no interval: the engine takes 30 s', [{ Test: ['CMD', 'x'] }], 90_000],
    ['zero: the engine takes 30 s', [{ Test: ['CMD', 'x'], Interval: 0 }], 90_000],
    ['switched off', [{ Test: ['NONE'], Interval: 100 * SECOND }], 30_000],
  ])('%s', (_, checks, expected) => {
    const services = Object.fromEntries(checks.map((check, at) => [`s${at}`, service(check)]));
    expect(stableForMs(services)).toBe(expected);
  });
});

const rest = { intervalMs: 5000, timeoutMs: 3000, failures: 3 };
const at = { service: 'b', port: 8080 };
const status = [{ from: 200, to: 399 }];
const checks = {
  byPort: {
    name: 'front page',
    target: { protocol: 'http', at, path: '/', host: 'a.org', status, contains: 'Welcome' },
    ...rest,
  },
  byUrl: { name: 'outside', target: { protocol: 'http', url: 'https://a.org/', status }, ...rest },
  tcp: { name: 'open', target: { protocol: 'tcp', at }, ...rest },
} as const satisfies Record<string, CheckSpec>;

it('a stack comes out of the pipe as it went in, unknown fields of the engine too', () => {
  const web = service({ Test: ['CMD', 'x'], Interval: SECOND });
  const spec: StackSpec = {
    name: 'a',
    services: {
      b: {
        ...web,
        TaskTemplate: {
          ...web.TaskTemplate,
          ContainerSpec: { ...web.TaskTemplate.ContainerSpec, Later: { deep: [1, 'x', null] } },
        },
      },
    },
    networks: {
      default: {
        Name: 'a_default',
        CheckDuplicate: true,
        Driver: 'overlay',
        Scope: 'swarm',
        IPAM: { Driver: '', Options: null, Config: [{ Subnet: '10.1.0.0/16' }, {}] },
        Internal: false,
        Attachable: false,
        Ingress: false,
        ConfigOnly: false,
        ConfigFrom: null,
        Options: null,
        Labels: { 'com.docker.stack.namespace': 'a' },
      },
    },
    configs: { page: { name: 'a_page', labels: {}, data: 'aGVsbG8=', templating: 'golang' } },
    secrets: { key: { name: 'a_key', labels: {}, data: new Secret('c2VjcmV0') } },
    health: { timeoutMs: 1, stableForMs: 2, checks: [checks.byPort, checks.byUrl, checks.tcp] },
    rollback: { mode: 'hold', keep: 5 },
  };
  const sent: unknown = JSON.parse(JSON.stringify(stackToWire(spec)));
  const received = stackFromWire.parse(sent);
  expect(received).toEqual(spec);
  expect(received.secrets['key']?.data?.reveal()).toBe('c2VjcmV0');
});

it.each<[string, object]>([
  ['no services', { services: undefined }],
  ['a network without its name', { networks: { n: {} } }],
  ['a config that is not base64', { configs: { c: { name: 'c', labels: {}, data: 'abc' } } }],
  ['a key too many', { more: 1 }],
  ['no rollback', { rollback: undefined }],
  ['a rollback that keeps nothing', { rollback: { mode: 'auto', keep: 0 } }],
  ['a rollback of another kind', { rollback: { mode: 'never', keep: 3 } }],
  ["a removal by nobody's rule", { removal: 'auto' }],
  ['a prune that says nothing', { prune: 'no' }],
  ['no checks', { health: { timeoutMs: 1, stableForMs: 2 } }],
  ...[
    { ...checks.byPort, more: 1 },
    { ...checks.byPort, intervalMs: 0 },
    { ...checks.byPort, failures: 0 },
    { ...checks.byPort, target: { ...checks.byPort.target, url: 'http://a.org/' } },
    { ...checks.byPort, target: { ...checks.byPort.target, path: undefined } },
    { ...checks.tcp, target: { protocol: 'tcp', at: { service: 'b', port: 0 } } },
    { ...checks.tcp, target: { protocol: 'udp', at } },
    { ...checks.byUrl, target: { ...checks.byUrl.target, status: [] } },
  ].map((check): [string, object] => [
    `the check ${JSON.stringify(check)}`,
    { health: { timeoutMs: 1, stableForMs: 2, checks: [check] } },
  ]),
])('%s is not a stack', (_, change) => {
  const stack = {
    name: 'a',
    services: {},
    networks: {},
    configs: {},
    secrets: {},
    health: { timeoutMs: 1, stableForMs: 2, checks: [] },
    rollback: { mode: 'auto', keep: 3 },
  };
  expect(stackFromWire.safeParse(stack).success).toBe(true);
  expect(stackFromWire.safeParse({ ...stack, ...change }).success).toBe(false);
});

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';

import { formatText } from '../../agent/core/format.ts';
import type { ImageUse } from '../../agent/core/images-lock.ts';
import type { SealRules } from '../../agent/core/sops/encrypt.ts';
import { compareUnits } from '../../agent/planning.ts';
import type { Contents } from '../fakes/repository.ts';
import { render, seal } from './sealed-support.ts';

/** What none of the outputs may have, in any case. */
const CANARY = /kestrel|48713/i;

const shapes = fc.constantFrom<string | number>(
  'kestrel71f0',
  'Kestrel71F0',
  'kestrel71f0:/data',
  'stack/kestrel71f0',
  '/kestrel71f0:/data',
  '80:kestrel71f0',
  'kestrel71f0.example/x:1',
  'https://kestrel71f0.example/a?b=kestrel71f0',
  'a kestrel71f0 "b',
  'kestrel71f0-${NONE}-x',
  '${kestrel71f0:-kestrel71f0}',
  '$kestrel71f0-',
  '${kestrel71f0:?kestrel71f0}',
  'kestrel71f0\nsecond kestrel71f0',
  `kestrel71f0${'x'.repeat(300)}`,
  '48713s',
  '48713m',
  48713,
  487134871348713,
  -48713,
  48713.5,
);

const COMPOSE = {
  services: {
    web: {
      image: 'nginx:1.29',
      command: ['a', 'b'],
      entrypoint: 'run it',
      environment: { A: 'b' },
      env_file: ['web.env'],
      labels: { a: 'b' },
      hostname: 'h',
      user: '1:1',
      working_dir: '/w',
      init: true,
      stop_signal: 'SIGTERM',
      stop_grace_period: '5s',
      healthcheck: { test: ['CMD', 'true'], interval: '5s', retries: 3, start_period: '1m' },
      dns: ['1.1.1.1'],
      extra_hosts: ['a:1.2.3.4'],
      sysctls: {},
      cap_drop: ['ALL'],
      ulimits: { nofile: 100 },
      networks: { back: { aliases: ['b'] } },
      ports: ['8080:80', { target: 443, published: 8443, protocol: 'tcp', mode: 'host' }],
      volumes: ['data:/data', { type: 'volume', source: 'data', target: '/more' }],
      configs: ['page'],
      secrets: [{ source: 'key', target: 'k', mode: 0o440 }],
      logging: { driver: 'json-file', options: { 'max-size': '1m' } },
      deploy: {
        mode: 'replicated',
        replicas: 2,
        labels: { a: 'b' },
        placement: {
          constraints: ['node.role == worker'],
          preferences: [{ spread: 'node.labels.a' }],
        },
        resources: { limits: { memory: '64m', cpus: '0.5' }, reservations: { memory: '32m' } },
        restart_policy: { condition: 'any', delay: '5s', max_attempts: 3 },
        update_config: {
          parallelism: 1,
          delay: '5s',
          order: 'start-first',
          max_failure_ratio: 0.1,
        },
        endpoint_mode: 'vip',
      },
    },
    other: { image: 'nginx:1.29', environment: ['A=b'], networks: ['back'], depends_on: ['web'] },
  },
  networks: {
    back: {
      driver: 'overlay',
      attachable: true,
      labels: { a: 'b' },
      ipam: { config: [{ subnet: '10.7.0.0/24' }] },
    },
  },
  volumes: { data: { driver: 'local', driver_opts: { type: 'nfs' }, labels: { a: 'b' } } },
  configs: { page: { file: 'page', labels: { a: 'b' } } },
  secrets: { key: { file: 'page', labels: { a: 'b' } } },
};
const STACK = {
  kind: 'Stack',
  dependsOn: ['stack/db'],
  suspend: false,
  removal: 'auto',
  prune: true,
  instances: 'any',
  ignore: ['services.web.replicas'],
  health: {
    timeout: '5m',
    stableFor: '45s',
    checks: [
      {
        name: 'front',
        http: { service: 'web', port: 8080, path: '/', host: 'h', contains: 'x', status: [200] },
        interval: '5s',
        failures: 3,
      },
      { name: 'far', http: { url: 'https://www.example.org/' } },
      { name: 'tcp', tcp: { service: 'web', port: 8080 } },
    ],
  },
  rollback: { mode: 'auto', keep: 3 },
};
const ENVIRONMENT = {
  kind: 'Environment',
  name: 'production',
  description: 'd',
  variables: { PASSWORD: 'b', PORT: 8080 },
  stacks: { include: ['*'], exclude: ['x'] },
  defaults: { stack: { prune: true, health: { timeout: '5m' } } },
  rollout: { atOnce: 50, canary: ['stack/blog'] },
  policy: { removals: { max: 5 }, allow: { binds: ['/srv'], plugins: false, checkout: '/srv' } },
  windows: [{ cron: '0 2 * * *', duration: '3h', timeZone: 'UTC', stacks: ['*'] }],
};
const files = {
  'stacks/blog/compose.yaml': COMPOSE,
  'stacks/blog/stack.yaml': STACK,
  'environments/production.yaml': ENVIRONMENT,
} as const;
const clear: Contents = {
  ...Object.fromEntries(Object.entries(files).map(([file, value]) => [file, stringify(value)])),
  'stacks/blog/page': 'page',
  'stacks/blog/web.env': 'B=c\n',
  'stacks/db/compose.yaml': 'services: {db: {image: "mysql:8"}}\n',
};

const RUNS = 100;

const inClear = render(clear);

type Where = readonly (string | number)[];

function* leavesOf(value: unknown, path: Where = []): Generator<Where> {
  if (typeof value !== 'object' || value === null) yield path;
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* leavesOf(item, [...path, index]);
  } else for (const [key, item] of Object.entries(value)) yield* leavesOf(item, [...path, key]);
}

function withLeaf(value: unknown, [first, ...rest]: Where, leaf: unknown): unknown {
  if (first === undefined) return leaf;
  const entries = Object.entries(Object(value)).map(([key, field]): [string, unknown] => [
    key,
    key === String(first) ? withLeaf(field, rest, leaf) : field,
  ]);
  return Array.isArray(value) ? entries.map(([, field]) => field) : Object.fromEntries(entries);
}

/** Encrypted by its own key, or with all of its document. */
const rules = fc.constantFrom('own', 'whole');

const cases = fc
  .constantFrom(
    'stacks/blog/compose.yaml',
    'stacks/blog/stack.yaml',
    'environments/production.yaml',
  )
  .chain((file) =>
    fc.record({
      file: fc.constant(file),
      path: fc.constantFrom(...leavesOf(files[file])),
      value: shapes,
      by: rules,
    }),
  );

function said(contents: Contents): string {
  const images: ImageUse[] = [];
  const done = render(contents, 'holder', { images });
  const plans = [[], inClear.units].map((units) => compareUnits('production', units, done.units));
  return [formatText(done.diagnostics, { colour: false }), JSON.stringify([done.diagnostics, images, plans])].join('\n'); // prettier-ignore
}

function sealedWith(path: Where, by: string): SealRules {
  const key = path.findLast((part) => typeof part === 'string') ?? '';
  return by === 'whole' ? {} : { encrypted_regex: `^${key}$` };
}

function around(words: string): string {
  const at = CANARY.exec(words)?.index ?? 0;
  return words.slice(Math.max(0, at - 200), at + 100);
}

describe('a value that is encrypted', () => {
  it('stands in nothing that is said, wherever it is put', () => {
    const errors = inClear.diagnostics.filter(({ severity }) => severity === 'error');
    expect(errors).toEqual([]);
    fc.assert(
      fc.property(cases, ({ file, path, value, by }) => {
        const text = stringify(withLeaf(files[file], path, value));
        const words = said({ ...clear, ...seal(file, text, sealedWith(path, by)) });
        expect(CANARY.exec(words) && [around(words), path]).toBeNull();
      }),
      { numRuns: RUNS },
    );
  });

  it.each`
    what                      | file                          | path                                       | value
    ${'a setting of a stack'} | ${'stacks/blog/stack.yaml'}   | ${['health', 'timeout']}                   | ${'48713s'}
    ${'a part of a variable'} | ${'stacks/blog/compose.yaml'} | ${['services', 'web', 'environment', 'A']} | ${'$kestrel71f0-'}
  `('stands in nothing that is said of $what', ({ file, path, value }) => {
    const { [String(file)]: text = '' } = clear;
    const changed = stringify(withLeaf(parse(String(text)), path, value));
    const words = said({ ...clear, ...seal(file, changed, sealedWith(path, 'own')) });
    expect(words).not.toMatch(CANARY);
  });

  it('stands in nothing that is said across stacks', () => {
    const text = stringify({ kind: 'Stack', dependsOn: ['stack/kestrel71f0'] });
    const sealed = seal('stacks/blog/stack.yaml', text, sealedWith(['dependsOn'], 'own'));
    const words = said({ ...clear, ...sealed });
    expect(words).toContain('[secret]');
    expect(words).not.toMatch(CANARY);
  });

  it('nor where a variable with it is put, alone or in a text', () => {
    const compose = 'stacks/blog/compose.yaml';
    const variable = fc.record({
      path: fc.constantFrom(...leavesOf(COMPOSE)),
      value: shapes,
      text: fc.constantFrom('${PASSWORD}', 'a${PASSWORD}b', 'A=${PASSWORD}', '${PASSWORD:-x}/y'),
    });
    fc.assert(
      fc.property(variable, ({ path, value, text }) => {
        const environment = stringify({ ...ENVIRONMENT, variables: { PASSWORD: value } });
        const words = said({
          ...clear,
          ...seal('environments/production.yaml', environment, { encrypted_regex: '^variables$' }),
          [compose]: stringify(withLeaf(COMPOSE, path, text)),
        });
        expect(CANARY.exec(words) && [around(words), path]).toBeNull();
      }),
      { numRuns: RUNS },
    );
  });
});

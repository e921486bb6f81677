import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { stringify } from 'yaml';

import { renderCompose } from '../../../../agent/providers/stack/compose/render.ts';
import { allowAll, denyAll, input } from './inputs.ts';

const word = fc.oneof(
  fc.constantFrom(
    'a',
    'web',
    'data',
    './x',
    '/etc:/x',
    '8080:80',
    '1-9:1-9',
    '10s',
    '-1s',
    '64M',
    '0.5',
    '$',
    '${A}',
    '${A:-b}',
    '__proto__',
    'constructor',
    'host',
    'golang',
    'global',
    'bind',
    'tmpfs',
    'A=1',
    '',
    '\u0000',
    'node.role==a',
  ),
  fc.string({ maxLength: 12 }),
);
const leaf = fc.oneof(word, fc.integer(), fc.double(), fc.boolean(), fc.constant(null));
const anything = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(word, tie('value'), { maxKeys: 3 }),
  ),
})).value;

const shape = (keys: string, values: fc.Arbitrary<unknown> = anything) =>
  fc.record(Object.fromEntries(keys.split(' ').map((key) => [key, values])), { requiredKeys: [] });
const list = (item: fc.Arbitrary<unknown>) =>
  fc.oneof(anything, fc.array(fc.oneof(leaf, item), { maxLength: 4 }));
const some = (value: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 1, arbitrary: anything }, { weight: 4, arbitrary: value });

const service = fc.record(
  {
    image: fc.oneof(fc.constant('nginx'), leaf),
    command: anything,
    entrypoint: anything,
    environment: anything,
    env_file: anything,
    labels: anything,
    stop_grace_period: leaf,
    networks: anything,
    restart: leaf,
    hostname: leaf,
    init: leaf,
    tty: leaf,
    isolation: leaf,
    oom_score_adj: leaf,
    cap_add: anything,
    cap_drop: anything,
    sysctls: anything,
    ulimits: some(fc.dictionary(word, some(shape('soft hard', leaf)), { maxKeys: 3 })),
    dns: anything,
    dns_search: anything,
    extra_hosts: anything,
    logging: some(shape('driver options')),
    credential_spec: some(shape('config file registry', leaf)),
    ports: list(shape('target published protocol mode host_ip', leaf)),
    volumes: list(
      fc.record(
        {
          type: fc.constantFrom('bind', 'volume', 'tmpfs', 'npipe', 'cluster', 'x'),
          source: leaf,
          target: leaf,
          read_only: leaf,
          bind: some(shape('propagation')),
          volume: some(shape('nocopy subpath')),
          tmpfs: some(shape('size')),
        },
        { requiredKeys: [] },
      ),
    ),
    configs: list(shape('source target uid gid mode', leaf)),
    secrets: list(shape('source target uid gid mode', leaf)),
    healthcheck: some(shape('test disable interval timeout retries start_period start_interval')),
    deploy: some(
      fc.record(
        {
          mode: leaf,
          replicas: leaf,
          labels: anything,
          update_config: some(
            shape('parallelism delay failure_action monitor max_failure_ratio order', leaf),
          ),
          restart_policy: some(shape('condition delay max_attempts window', leaf)),
          placement: some(shape('constraints preferences max_replicas_per_node')),
          resources: some(
            fc.record(
              {
                limits: some(shape('cpus memory pids', leaf)),
                reservations: some(shape('cpus memory generic_resources')),
              },
              { requiredKeys: [] },
            ),
          ),
          endpoint_mode: leaf,
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);
const top = shape('name external driver driver_opts labels file template_driver ipam internal');
const document = fc.record(
  {
    version: leaf,
    services: some(fc.dictionary(word, some(service), { maxKeys: 3 })),
    networks: some(fc.dictionary(word, some(top), { maxKeys: 3 })),
    volumes: some(fc.dictionary(word, some(top), { maxKeys: 3 })),
    configs: some(fc.dictionary(word, some(top), { maxKeys: 3 })),
    secrets: some(fc.dictionary(word, some(top), { maxKeys: 3 })),
    'x-more': anything,
  },
  { requiredKeys: [] },
);

it('never throws, always says why there is no result, and pollutes nothing', () => {
  fc.assert(
    fc.property(document, fc.boolean(), (value, isOpen) => {
      const text = stringify(value);
      const lines = text.split('\n');
      const rendered = renderCompose(
        input(text, {
          allow: isOpen ? allowAll : denyAll,
          variables: { A: '/etc' },
          files: { 'stacks/blog/a': 'x' },
        }),
      );
      const errors = rendered.diagnostics.filter(({ severity }) => severity === 'error');
      expect(rendered.result === undefined).toBe(errors.length > 0);
      const outside = rendered.diagnostics.filter(
        ({ place }) => place === undefined || place.line < 1 || place.line > lines.length,
      );
      expect(outside).toEqual([]);
      expect(Object.keys(Object.prototype)).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 60_000);

it('gives what it says: whatever is rendered under a policy that allows nothing mounts nothing of the nodes', () => {
  const volume = fc.oneof(
    word,
    fc.tuple(word, word).map(([a, b]) => `${a}:${b}`),
    fc.record({
      type: fc.constantFrom('bind', 'volume', 'tmpfs'),
      source: word,
      target: fc.constant('/t'),
    }),
  );
  fc.assert(
    fc.property(fc.array(volume, { maxLength: 3 }), (volumes) => {
      const text = stringify({
        services: { web: { image: 'nginx', volumes } },
        volumes: { data: null, web: { driver: 'local' } },
      });
      const { result } = renderCompose(input(text, { variables: { A: '/etc' } }));
      const mounts = result?.services['web']?.TaskTemplate.ContainerSpec.Mounts ?? [];
      expect(mounts.filter(({ Type }) => Type === 'bind')).toEqual([]);
    }),
    { numRuns: 1000 },
  );
});

import * as fc from 'fast-check';

/** Stacks that are valid Compose files, as plain data: all keys, in every combination that the engine takes. */
export const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}[a-z0-9]$/);
/** Any text, most often what YAML or a shell could read as something else. */
export const text = fc
  .oneof(
    fc.constantFrom(
      '',
      'true',
      'no',
      '~',
      '0440',
      '1e3',
      '2020-01-01',
      '$HOME ${A:-b} $$',
      '{{.Node.Hostname}}',
      '- a: b # c',
      'two\nlines\n',
      ' lead',
      'trail ',
      'tab\there',
      "it's",
      '"q"',
      'a\\b',
      'é\u202e\u0085',
      '<<',
      '12:30:45',
      '1m30s',
    ),
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 6 }),
  )
  .map((value) => value.toWellFormed().replaceAll('\u0000', ''));
export const word = text.filter((value) => value !== '');
export const key = fc.oneof(
  name,
  fc.constantFrom('a.b/c', 'x y', '$A', 'constructor', 'true', '1'),
);
/** What only a list can have, too. */
export const listed = fc.oneof(key, fc.constantFrom('', '__proto__'));
export const labels = fc
  .uniqueArray(fc.tuple(listed, text), { maxLength: 3, selector: ([label]) => label })
  .map((pairs) => pairs.map(([label, value]) => `${label}=${value}`));
export const duration = fc.constantFrom('0s', '1s', '90s', '1m0.5s', '36h', '250ms', '1500ms');
export const memory = fc.constantFrom('4M', '64m', '1.5g', '5000001');
export const cpus = fc.constantFrom('0.001', '1', '1/4', '2.5', '0.123456789');
export const some = <Value>(values: fc.Arbitrary<Value>) =>
  fc.uniqueArray(values, { maxLength: 3 });
export const optional = (shape: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
  fc.record(shape, { requiredKeys: [] });

/** What it escapes into the file that is rendered first, so that nothing of it is a variable. */
export const literal = (value: unknown): unknown => {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(literal);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, literal(one)]));
};

export const update = (actions: readonly string[]) =>
  optional({
    parallelism: fc.nat(3),
    delay: duration,
    failure_action: fc.constantFrom(...actions),
    monitor: duration,
    max_failure_ratio: fc.constantFrom(0, 0.1, 0.25, 1, 0.123456789),
    order: fc.constantFrom('start-first', 'stop-first'),
  });

export const deploy = fc
  .record(
    {
      mode: fc.constantFrom('replicated', 'global', 'replicated-job', 'global-job'),
      replicas: fc.nat(4),
      labels,
      update_config: update(['pause', 'continue', 'rollback']),
      rollback_config: update(['pause', 'continue']),
      restart_policy: optional({
        condition: fc.constantFrom('none', 'on-failure', 'any'),
        delay: duration,
        max_attempts: fc.nat(3),
        window: duration,
      }),
      placement: optional({
        constraints: some(
          fc.constantFrom('node.role == manager', 'node.labels.a!=b c', 'node.id==x'),
        ),
        preferences: fc.array(
          fc.record({ spread: fc.constantFrom('node.labels.zone', 'node.id') }),
          { maxLength: 2 },
        ),
        max_replicas_per_node: fc.nat(2),
      }),
      resources: optional({
        limits: optional({ cpus, memory, pids: fc.nat(99) }),
        reservations: optional({
          cpus,
          memory,
          generic_resources: fc.array(
            fc.record({ discrete_resource_spec: fc.record({ kind: name, value: fc.nat(9) }) }),
            { maxLength: 2 },
          ),
        }),
      }),
      endpoint_mode: fc.constantFrom('vip', 'dnsrr'),
    },
    { requiredKeys: [] },
  )
  .map(({ mode, replicas, update_config: onUpdate, ...rest }) => ({
    ...rest,
    ...(mode !== undefined && { mode }),
    ...(replicas !== undefined && mode?.startsWith('global') !== true && { replicas }),
    ...(onUpdate !== undefined && mode?.endsWith('job') !== true && { update_config: onUpdate }),
  }));

const volume = fc.oneof(
  fc.record({
    type: fc.constant('volume'),
    source: fc.constantFrom('data', 'far', 'driven', 'odd'),
    read_only: fc.boolean(),
    volume: optional({ nocopy: fc.boolean(), subpath: fc.constantFrom('', 'a/b') }),
  }),
  fc.record({ type: fc.constant('cluster'), source: fc.constantFrom('data', 'group:fast') }),
  fc.record({ type: fc.constant('npipe'), source: fc.constant('\\\\.\\pipe\\x') }),
  fc.record({ type: fc.constant('volume'), read_only: fc.boolean() }),
  fc.record({
    type: fc.constant('bind'),
    source: fc.constantFrom('/srv/a', '/var/run/docker.sock', '/', '/srv/../etc'),
    bind: optional({ propagation: fc.constantFrom('rslave', 'private') }),
  }),
  fc.record({ type: fc.constant('tmpfs'), tmpfs: optional({ size: fc.nat(9999) }) }),
);

/** What a container is given beside all that. */
export const options = {
  hostname: word,
  user: word,
  working_dir: word,
  init: fc.boolean(),
  tty: fc.boolean(),
  stdin_open: fc.boolean(),
  read_only: fc.boolean(),
  stop_signal: fc.constantFrom('SIGINT', '15'),
  isolation: fc.constantFrom('default', 'hyperv'),
  cap_add: some(fc.constantFrom('NET_ADMIN', 'cap_sys_time', 'ALL')),
  cap_drop: some(fc.constantFrom('ALL', 'chown', 'CAP_MKNOD')),
  sysctls: fc.dictionary(fc.constantFrom('net.core.somaxconn', 'kernel.msgmax'), text),
  ulimits: fc.dictionary(
    fc.constantFrom('nofile', 'core', 'nproc'),
    fc.oneof(fc.integer({ min: -1, max: 9 }), fc.record({ soft: fc.nat(9), hard: fc.nat(99) })),
  ),
  dns: some(fc.constantFrom('10.0.0.1', 'fd00::1')),
  dns_search: some(name),
  extra_hosts: fc.oneof(
    some(fc.constantFrom('a=1.2.3.4', 'b:::1', 'c=[fd00::1]', 'd=host-gateway', 'e=1.2.3.4')),
    fc.dictionary(name, fc.constantFrom('1.2.3.4', 'fd00::1'), { maxKeys: 2 }),
  ),
  logging: optional({
    driver: fc.constantFrom('json-file', 'none', 'loki'),
    options: fc.dictionary(key, text, { maxKeys: 2 }),
  }),
  credential_spec: fc.constantFrom({ config: 'page' }, { file: 'a.json' }, { registry: 'r' }),
};

export const files = (sources: readonly string[]) =>
  fc.uniqueArray(
    fc.record(
      {
        source: fc.constantFrom(...sources),
        target: fc.constantFrom('a', '/etc/b', 'c'),
        uid: fc.constantFrom('0', '101'),
        gid: fc.constantFrom('0', '101'),
        mode: fc.constantFrom(0o444, 0o400, 0o755, 0),
      },
      { requiredKeys: ['source'] },
    ),
    { maxLength: 2, selector: ({ target, source }) => target ?? source },
  );

const service = (at: number) =>
  fc
    .record(
      {
        image: fc.constantFrom(
          'nginx',
          'ghcr.io/a/b:1',
          `c@sha256:${'a'.repeat(64)}`,
          'docker.io/library/d:2',
        ),
        command: fc.array(text, { maxLength: 3 }),
        entrypoint: fc.array(text, { maxLength: 2 }),
        environment: fc.uniqueArray(
          fc.oneof(
            fc.tuple(listed, text).map(([variable, value]) => `${variable}=${value}`),
            name,
          ),
          { maxLength: 4, selector: (pair) => pair.split('=')[0] },
        ),
        labels,
        ports: fc.uniqueArray(
          fc.record(
            {
              target: fc.integer({ min: 1, max: 99 }),
              published: fc.integer({ min: 1, max: 99 }).map((port) => 1000 * (at + 1) + port),
              protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
              mode: fc.constant('host'),
            },
            { requiredKeys: ['target', 'mode'] },
          ),
          { maxLength: 2, selector: ({ published, target }) => published ?? -target },
        ),
        volumes: fc
          .array(volume, { maxLength: 3 })
          .map((mounts) => mounts.map((mount, index) => ({ ...mount, target: `/m${index}` }))),
        networks: fc.dictionary(
          fc.constantFrom('default', 'back', 'edge', 'node', 'renamed'),
          fc.oneof(
            fc.constant(null),
            optional({
              aliases: some(name),
              driver_opts: fc.dictionary(name, word, { maxKeys: 2 }),
            }),
          ),
          { maxKeys: 3 },
        ),
        configs: files(['page', 'outer', 'tuned']),
        secrets: files(['key', 'theirs']),
        healthcheck: fc.oneof(
          fc.constant({ disable: true }),
          optional({
            test: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
            interval: duration,
            timeout: duration,
            start_period: duration,
            retries: fc.nat(4),
          }),
        ),
        stop_grace_period: duration,
        deploy,
        ...options,
      },
      { requiredKeys: ['image'] },
    )
    .map((one) => ({
      ...one,
      ...(one.networks && { networks: plainHost(one.networks) }),
    }));

/** The network of the nodes takes neither names nor company. */
function plainHost(networks: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.hasOwn(networks, 'node') ? { node: null } : networks;
}

/** A whole file; its files are `page`, `tuned` and `key`. */
export const composeFile = fc
  .record({
    services: fc
      .uniqueArray(name, { minLength: 1, maxLength: 3 })
      .chain((names) => fc.record(Object.fromEntries(names.map((one, at) => [one, service(at)])))),
    networks: fc.record({
      back: fc.oneof(
        fc.constant(null),
        optional({
          driver_opts: fc.dictionary(name, word, { maxKeys: 2 }),
          ipam: fc.constantFrom(
            {},
            { config: [{ subnet: '172.30.0.0/16' }] },
            { driver: 'default' },
          ),
          internal: fc.boolean(),
          attachable: fc.boolean(),
          labels,
        }),
      ),
      edge: fc.constant({ external: true, name: 'proxy' }),
      node: fc.constant({ external: true, name: 'host' }),
      renamed: fc.constantFrom({ name: 'blog_net' }, { name: 'net', labels: { a: 'b' } }),
    }),
    volumes: fc.record({
      data: fc.oneof(
        fc.constant(null),
        optional({ labels, name: fc.constantFrom('blog_data', 'other', 'v{{.Task.Slot}}') }),
      ),
      far: fc.constantFrom({ external: true }, { external: true, name: 'blog_data' }),
      driven: fc.constantFrom(
        { driver: 'local' },
        { driver_opts: {} },
        { driver: 'local', driver_opts: { type: 'nfs', o: 'addr=10.0.0.1', device: ':/x' } },
        { driver_opts: { o: 'bind', device: '/srv/b' } },
        { driver: 'rexray', driver_opts: { size: '1' } },
      ),
      odd: fc.constant({ name: 'data' }),
    }),
    configs: fc.record({
      page: fc.record({ file: fc.constant('./page'), labels }),
      tuned: fc.constantFrom(
        { file: './tuned', template_driver: 'golang' },
        { file: './tuned', name: 'blog_page-0a1b2c3d' },
        { file: './tuned', name: 'page' },
      ),
      outer: fc.constantFrom({ external: true }, { external: true, name: 'blog_outer' }),
    }),
    secrets: fc.record({
      key: fc.record({ file: fc.constant('./key'), labels }),
      theirs: fc.constantFrom({ external: true }, { external: true, name: 'key' }),
    }),
  })
  .map(literal);

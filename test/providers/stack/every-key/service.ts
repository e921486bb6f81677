import * as fc from 'fast-check';

import {
  deploy,
  duration,
  files,
  labels,
  listed,
  name,
  options,
  optional,
  some,
  text,
  word,
} from '../compose-back/arbitrary.ts';

/** Services in every form that Compose has for a key, which an engine takes: what it refuses is left out, and why. */

/** Where a service stands: of which stack, and which of its services. No two publish the same port. */
export interface Seat {
  readonly stack: string;
  /** The first of `PORTS` published ports that are nobody else's. */
  readonly port: number;
}

/** So many published ports a service may have. */
export const PORTS = 6;

const pairs = fc.dictionary(
  name,
  fc.oneof(text, fc.integer(), fc.constantFrom(0.5, 1e21), fc.constant(null)),
  { maxKeys: 3 },
);
const listOrMap = fc.oneof(labels, pairs);
const words = (item: fc.Arbitrary<string>) =>
  fc.oneof(
    fc.array(item, { maxLength: 3 }),
    fc.constantFrom('run --fast "a b"', '', "sh -c 'x y'"),
  );

/** `ports`: all published ones `ingress` or all `host`, as `dnsrr` takes the second only. */
const ports = ({ port }: Seat) =>
  fc
    .uniqueArray(
      fc.record({
        at: fc.nat(PORTS - 1),
        target: fc.integer({ min: 1, max: 99 }),
        protocol: fc.constantFrom('tcp', 'udp', 'sctp'),
        form: fc.constantFrom('number', 'text', 'protocol', 'long', 'bare', 'unpublished'),
      }),
      { maxLength: 4, selector: ({ at }) => at },
    )
    .chain((entries) =>
      fc.constantFrom('ingress', 'host').map((mode) =>
        entries.map(({ at, target, protocol, form }) => {
          const published = port + at;
          const own = 100 * (at + 1) + target;
          if (mode === 'host' || form === 'long') return { target, published, protocol, mode };
          if (form === 'bare') return { target, published };
          if (form === 'unpublished') return { target: own, mode };
          if (form === 'number') return own;
          const short = `${String(published)}:${String(target)}`;
          return form === 'text' ? short : `${short}/${protocol}`;
        }),
      ),
    );

const longVolume = fc.oneof(
  fc.record(
    {
      type: fc.constant('volume'),
      source: fc.constantFrom('data', 'far', 'driven', 'odd'),
      read_only: fc.boolean(),
      consistency: fc.constantFrom('cached', 'consistent', 'delegated'),
      volume: optional({ nocopy: fc.boolean(), subpath: fc.constantFrom('', 'a/b') }),
    },
    { requiredKeys: ['type'] },
  ),
  fc.record(
    {
      type: fc.constant('bind'),
      source: fc.constantFrom('/srv/a', '/var/run/docker.sock', '/', '/srv/../etc', './beside'),
      read_only: fc.boolean(),
      consistency: fc.constantFrom('cached', 'default'),
      bind: optional({ propagation: fc.constantFrom('rslave', 'private', 'rshared') }),
    },
    { requiredKeys: ['type', 'source'] },
  ),
  fc.record(
    { type: fc.constant('tmpfs'), tmpfs: optional({ size: fc.nat(9999) }) },
    { requiredKeys: ['type'] },
  ),
);
const shortVolume = fc
  .constantFrom('', 'data:', 'odd:', '/srv/a:', './b:', '~/c:')
  .chain((source) =>
    fc
      .constantFrom('', ':ro', ':rw', ':ro,z')
      .map((end) => (at: string) => (source === '' ? at : `${source}${at}${end}`)),
  );
// Without `cluster` and `npipe`: the first needs API 1.42 and a plugin, the second Windows.
const volumes = fc.array(fc.oneof(longVolume, shortVolume), { maxLength: 4 }).map((mounts) =>
  mounts.map((mount, index) => {
    const target = `/m${String(index)}`;
    return typeof mount === 'function' ? mount(target) : { ...mount, target };
  }),
);

const attachment = fc.oneof(
  fc.constant(null),
  optional({
    aliases: some(name),
    driver_opts: fc.dictionary(name, word, { maxKeys: 2 }),
    ipv4_address: fc.constant('10.1.2.3'),
    ipv6_address: fc.constant('fd00::3'),
  }),
);
const networkNames = ['default', 'back', 'edge', 'renamed'];
const networks = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...networkNames), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom(...networkNames), attachment, { maxKeys: 4 }),
  fc.constantFrom<unknown>(
    ['node'],
    { node: null },
    ['back', 'node'],
    ['bridge'],
    ['node', 'bridge'],
    { bridge: { driver_opts: { a: 'b' } }, node: null },
  ),
);

const fileList = (sources: readonly string[]) =>
  fc.oneof(files(sources), fc.uniqueArray(fc.constantFrom(...sources), { maxLength: 2 }));

const healthcheck = fc.oneof(
  fc.record({ disable: fc.constant(true) }),
  optional({
    disable: fc.constant(false),
    test: fc.oneof(word, fc.array(word, { minLength: 1, maxLength: 3 })),
    interval: duration,
    timeout: duration,
    start_period: duration,
    start_interval: duration,
    retries: fc.nat(4),
  }),
);

/** What Docker reads and drops. */
const ignored = {
  build: fc.oneof(
    fc.constant('.'),
    optional({
      context: fc.constant('.'),
      dockerfile: word,
      args: listOrMap,
      labels: listOrMap,
      cache_from: some(name),
      network: name,
      target: name,
      extra_hosts: labels,
    }),
  ),
  cgroup_parent: word,
  cgroupns_mode: fc.constantFrom('host', 'private'),
  container_name: name,
  depends_on: fc.constant<string[]>([]),
  devices: some(fc.constantFrom('/dev/null:/dev/null', '/dev/fuse')),
  domainname: word,
  expose: some(fc.constantFrom<string | number>('80', 443, '1-3')),
  external_links: some(name),
  ipc: word,
  links: some(name),
  mac_address: word,
  network_mode: word,
  pid: fc.constantFrom(null, 'host'),
  privileged: fc.boolean(),
  security_opt: some(name),
  shm_size: fc.constant('64m'),
  tmpfs: fc.oneof(some(fc.constantFrom('/run', '/tmp')), fc.constant('/run')),
  userns_mode: word,
};

const plain = {
  ...options,
  ...ignored,
  command: words(text),
  entrypoint: words(text),
  environment: fc.oneof(
    fc.uniqueArray(
      fc.oneof(
        fc.tuple(listed, text).map(([variable, value]) => `${variable}=${value}`),
        name,
      ),
      { maxLength: 4, selector: (pair) => pair.split('=')[0] },
    ),
    pairs,
  ),
  env_file: fc.constantFrom<unknown>('one.env', ['one.env', 'two.env'], []),
  labels: listOrMap,
  sysctls: fc.oneof(
    options.sysctls,
    some(fc.constantFrom('net.core.somaxconn=9', 'kernel.msgmax=1')),
  ),
  dns: fc.oneof(options.dns, fc.constantFrom('10.0.0.1', '2001:DB8:0::1')),
  dns_search: fc.oneof(options.dns_search, name),
  volumes,
  networks,
  configs: fileList(['page', 'outer', 'tuned']),
  secrets: fileList(['key', 'theirs']),
  healthcheck,
  stop_grace_period: duration,
  restart: fc.constantFrom('no', 'always', 'unless-stopped', 'on-failure', 'on-failure:3'),
  oom_score_adj: fc.integer({ min: -1000, max: 1000 }),
  'x-note': fc.constant('anything'),
};

type Fields = Readonly<Record<string, unknown>>;

/** One service. */
export function service(seat: Seat): fc.Arbitrary<Fields> {
  return fc
    .record(
      {
        image: fc.constantFrom(
          'nginx',
          'ghcr.io/a/b:1',
          `c@sha256:${'a'.repeat(64)}`,
          'docker.io/library/d:2',
          'e:1@sha256:' + 'b'.repeat(64),
        ),
        ports: ports(seat),
        deploy: fc.oneof(
          { weight: 9, arbitrary: deploy },
          { weight: 1, arbitrary: fc.constant(null) },
        ),
        ...plain,
      },
      { requiredKeys: ['image'] },
    )
    .map(agreeing);
}

/** Two keys that an engine refuses together: `dnsrr` publishes nothing through the ingress network. */
function agreeing(fields: Fields): Fields {
  const { deploy: part, ports: published, ...rest } = fields;
  const isDnsrr =
    typeof part === 'object' &&
    part !== null &&
    'endpoint_mode' in part &&
    part.endpoint_mode === 'dnsrr';
  const isIngress =
    JSON.stringify(published ?? []) !== '[]' && !JSON.stringify(published).includes('"host"');
  return {
    ...rest,
    ...(part !== undefined && { deploy: part }),
    ...(published !== undefined && !(isDnsrr && isIngress) && { ports: published }),
  };
}

/** The same service with one key as `other` has it, in the same mode: an engine changes none. */
export function changed(one: Fields, other: Fields, key: string): Fields {
  const { [key]: _before, ...rest } = one;
  const after = key === 'deploy' ? inMode(other[key], one[key]) : other[key];
  return agreeing({ ...rest, ...(after !== undefined && { [key]: after }) });
}

function inMode(wanted: unknown, before: unknown): unknown {
  const mode = modeOf(before);
  const { mode: _mode, replicas, update_config: onUpdate, ...rest } = fieldsOf(wanted);
  return {
    ...rest,
    ...(mode !== undefined && { mode }),
    ...(replicas !== undefined && !String(mode).startsWith('global') && { replicas }),
    ...(onUpdate !== undefined && !String(mode).endsWith('job') && { update_config: onUpdate }),
  };
}

function modeOf(value: unknown): unknown {
  return fieldsOf(value)['mode'];
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

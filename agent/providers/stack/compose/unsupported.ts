import type { Path } from '../../../core/parse.ts';
import { fits } from './casts.ts';

const resources = 'use `deploy.resources`';
const notSwarm = 'Swarm has no such setting for services: leave it out';
const byHand =
  'Compose files for Swarm cannot say it: make the network by hand and name it with `external: true`';

const never: Readonly<Record<string, string>> = {
  deprecated: notSwarm,
  extends: 'Swarm stacks know no `extends`: use a YAML anchor and a merge (`<<: *base`)',
  platform: 'use `deploy.placement.constraints`, such as `node.platform.arch == x86_64`',
  profiles: 'a stack runs all its services: put the others into a stack of their own',
  pull_policy: 'Swarm pulls an image when a node does not have it: name a digest to be exact',
  scale: 'use `deploy.replicas`',
  volume_driver: 'set `driver` on the volume at the top level',
  volumes_from: 'declare a volume at the top level and mount it in both services',
  ...same(resources, [
    'cpu_count',
    'cpu_percent',
    'cpu_period',
    'cpu_quota',
    'cpu_rt_period',
    'cpu_rt_runtime',
  ]),
  ...same(resources, [
    'cpu_shares',
    'cpus',
    'cpuset',
    'mem_limit',
    'mem_reservation',
    'memswap_limit',
  ]),
  ...same(resources, ['mem_swappiness', 'pids_limit', 'gpus']),
  ...same(notSwarm, ['annotations', 'attach', 'blkio_config', 'cgroup']),
  ...same(notSwarm, ['device_cgroup_rules', 'develop', 'dns_opt', 'group_add']),
  ...same(notSwarm, [
    'models',
    'oom_kill_disable',
    'post_start',
    'pre_stop',
    'provider',
    'runtime',
  ]),
  ...same(notSwarm, ['storage_opt', 'use_api_socket', 'uts']),
  label_file: 'write the labels under `labels`',
};

const address = 'Swarm gives addresses itself: reach the service by its name';
const subnetOnly = 'Swarm networks are made with `subnet` alone: leave it out';
const content = 'put the content into a file of the repository and name it with `file`';

/** What to do instead of a key, by the pattern of the mapping it stands in. */
const groups: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
  [
    '',
    {
      name: 'the folder of the file names the stack: leave it out',
      include: 'write the services into this file',
      models: notSwarm,
    },
  ],
  ['services.*', never],
  [
    'services.*.ports.*',
    {
      name: 'ports have no names in Swarm: leave it out',
      host_ip: 'Swarm publishes ports on all addresses of a node: use a firewall',
      app_protocol: notSwarm,
    },
  ],
  [
    'services.*.volumes.*',
    {
      image: 'Swarm cannot mount images',
      cluster: 'write `type: cluster`, which takes no options',
    },
  ],
  [
    'services.*.networks.*',
    {
      ...same(address, ['link_local_ips', 'mac_address']),
      ...same(notSwarm, ['priority', 'gw_priority', 'interface_name']),
    },
  ],
  [
    'services.*.deploy.resources.limits',
    { devices: notSwarm, generic_resources: 'use `reservations.generic_resources`' },
  ],
  [
    'services.*.deploy.resources.reservations',
    { devices: 'use `generic_resources`', pids: 'use `limits.pids`' },
  ],
  ['networks.*', same(byHand, ['enable_ipv4', 'enable_ipv6'])],
  ['networks.*.ipam', { options: byHand }],
  ['networks.*.ipam.config.*', same(subnetOnly, ['gateway', 'ip_range', 'aux_addresses'])],
  ['configs.*', { content, environment: content }],
  ['secrets.*', { content, environment: content }],
];
const patterns = groups.map(([pattern, keys]) => ({
  parts: pattern === '' ? [] : pattern.split('.'),
  keys: new Map(Object.entries(keys)),
}));

function same(sentence: string, keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, sentence]));
}

/** Pure. What to do about a key that Compose knows but this version refuses; undefined for one that no Compose file knows. */
export function unsupported(parent: Path, key: string): string | undefined {
  return patterns.find(({ parts }) => fits(parent, parts))?.keys.get(key);
}

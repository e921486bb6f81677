import { z } from 'zod';

import { Amount, Flag, ListOrMap, Text, TextList, Words } from './compose-common.ts';

const Build = z.looseObject({
  context: Text.optional(),
  dockerfile: Text.optional(),
  args: ListOrMap.optional(),
  labels: ListOrMap.optional(),
  cache_from: TextList.optional(),
  network: Text.optional(),
  target: Text.optional(),
  extra_hosts: ListOrMap.optional(),
});

/** Keys of a service that Docker reads and drops: they must be well-formed, and nothing comes of them. */
export const ignoredKeys = {
  build: z.union([Text, Build], { error: 'write a folder or a mapping with `context`' }).optional(),
  cgroup_parent: Text.optional(),
  cgroupns_mode: Text.optional(),
  container_name: Text.optional(),
  depends_on: TextList.optional(),
  devices: TextList.optional(),
  domainname: Text.optional(),
  expose: z.array(z.union([Text, Amount]), { error: 'write a list of ports' }).optional(),
  external_links: TextList.optional(),
  ipc: Text.optional(),
  links: TextList.optional(),
  mac_address: Text.optional(),
  network_mode: Text.optional(),
  pid: Text.nullable().optional(),
  privileged: Flag.optional(),
  security_opt: TextList.optional(),
  shm_size: Text.optional(),
  tmpfs: Words.optional(),
  userns_mode: Text.optional(),
};

/** The same of how a service joins a network. */
export const ignoredAddresses = {
  ipv4_address: Text.optional(),
  ipv6_address: Text.optional(),
};

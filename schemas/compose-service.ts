import { z } from 'zod';

import {
  Amount,
  Flag,
  ListOrMap,
  Options,
  Text,
  TextList,
  Whole,
  Words,
  items,
} from './compose-common.ts';
import { CredentialSpec, Logging, Ulimit } from './compose-container.ts';
import { Deploy } from './compose-deploy.ts';
import { ignoredAddresses, ignoredKeys } from './compose-ignored.ts';

/** A port in its long form. */
export const LongPort = z.strictObject({
  target: Whole.optional(),
  published: Whole.optional(),
  protocol: Text.optional(),
  mode: Text.optional(),
});
export type LongPort = z.output<typeof LongPort>;

/** `volumes` of a service, long form. */
export const LongVolume = z.strictObject({
  type: Text,
  source: Text.optional(),
  target: Text.optional(),
  read_only: Flag.optional(),
  consistency: Text.optional(),
  bind: z.strictObject({ propagation: Text.optional() }).optional(),
  volume: z.strictObject({ nocopy: Flag.optional(), subpath: Text.optional() }).optional(),
  tmpfs: z.strictObject({ size: Whole.min(0).optional() }).optional(),
});
export type LongVolume = z.output<typeof LongVolume>;

/** `configs` and `secrets` of a service, long form. */
export const LongFile = z.strictObject({
  source: Text.optional(),
  target: Text.optional(),
  uid: Text.optional(),
  gid: Text.optional(),
  mode: Amount.optional(),
});
export type LongFile = z.output<typeof LongFile>;

const Files = items(
  z.union([Text, LongFile], { error: 'write a name or a mapping with `source`' }),
  'write a list',
);

/** `healthcheck`. */
export const Healthcheck = z.strictObject({
  test: Words.optional(),
  disable: Flag.optional(),
  interval: Text.optional(),
  timeout: Text.optional(),
  start_period: Text.optional(),
  start_interval: Text.optional(),
  retries: Amount.optional(),
});
export type Healthcheck = z.output<typeof Healthcheck>;

/** How a service joins one network. */
export const Attachment = z.strictObject({
  aliases: TextList.optional(),
  driver_opts: Options.optional(),
  ...ignoredAddresses,
});

/** One service. */
export const Service = z.strictObject({
  image: Text.optional(),
  command: Words.optional(),
  entrypoint: Words.optional(),
  environment: ListOrMap.optional(),
  env_file: Words.optional(),
  ports: items(
    z.union([Amount, Text, LongPort], { error: 'write a port such as `8080:80`' }),
    'write a list of ports',
  ).optional(),
  volumes: items(
    z.union([Text, LongVolume], { error: 'write a volume such as `data:/data`' }),
    'write a list of volumes',
  ).optional(),
  networks: z
    .union([TextList, z.record(z.string(), Attachment.nullable())], {
      error: 'write a list of networks',
    })
    .optional(),
  configs: Files.optional(),
  secrets: Files.optional(),
  healthcheck: Healthcheck.optional(),
  labels: ListOrMap.optional(),
  stop_grace_period: Text.optional(),
  stop_signal: Text.optional(),
  restart: Text.optional(),
  hostname: Text.optional(),
  user: Text.optional(),
  working_dir: Text.optional(),
  init: Flag.optional(),
  tty: Flag.optional(),
  stdin_open: Flag.optional(),
  read_only: Flag.optional(),
  isolation: Text.optional(),
  oom_score_adj: Whole.optional(),
  cap_add: TextList.optional(),
  cap_drop: TextList.optional(),
  sysctls: ListOrMap.optional(),
  ulimits: z.record(z.string(), Ulimit, { error: 'write `name: number` pairs' }).optional(),
  dns: Words.optional(),
  dns_search: Words.optional(),
  extra_hosts: ListOrMap.optional(),
  logging: Logging.optional(),
  credential_spec: CredentialSpec.optional(),
  deploy: Deploy.nullable().optional(),
  ...ignoredKeys,
});
export type Service = z.output<typeof Service>;

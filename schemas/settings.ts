import { z } from 'zod';

import { Flag, MachinePath, Name, Size, positiveDuration, text, whole } from './common.ts';

const Git = z.strictObject({
  url: text('the address of the repository'),
  // Which addresses, branches and folders can be followed is the source's to say.
  branch: text('a branch such as `main`').default('main'),
  path: text('a folder inside the repository such as `.` or `clusters/main`').default('.'),
  ssh: z.strictObject({ keyFile: MachinePath, knownHostsFile: MachinePath }).optional(),
  https: z
    .strictObject({
      tokenFile: MachinePath.optional(),
      username: text('a user name').optional(),
      passwordFile: MachinePath.optional(),
      caFile: MachinePath.optional(),
    })
    .optional(),
  maxBytes: Size.default(512 * 2 ** 20),
  maxFiles: whole(1, 1_000_000).default(50_000),
});

const HOST = 'write a host and a port such as `db1:3306`';
const HostPort = z
  .string({ error: HOST })
  .regex(/^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):\d{1,5}$/, { error: HOST })
  .refine((address) => Number(/\d+$/.exec(address)?.[0]) <= 65_535, { error: HOST });

/** One server, group or cluster of MySQL or MariaDB as the agent reaches it: `mysql.<name>`. */
export const MysqlServerSettings = z.strictObject({
  hosts: z.array(HostPort).min(1, { error: 'write at least one host' }),
  user: text('a user name'),
  passwordFile: MachinePath,
  tls: z
    .strictObject({
      mode: z.enum(['required', 'off'], { error: 'write `required` or `off`' }).default('required'),
      caFile: MachinePath.optional(),
      verifyName: Flag.default(true),
    })
    .optional(),
  databases: z.array(text('a pattern of database names')).default([]),
});
export type MysqlServerSettings = z.output<typeof MysqlServerSettings>;

const CLIENT = 'write a Ceph client such as `client.understudy`';
const CLIENTS =
  'write a pattern of Ceph clients such as `client.site-*`, with one `*` at most and something before it';

/** One cluster of Ceph as the agent reaches it: `ceph.<name>`. */
export const CephClusterSettings = z.strictObject({
  confFile: MachinePath,
  keyringFile: MachinePath,
  client: z
    .string({ error: CLIENT })
    .regex(/^client\.[A-Za-z0-9][A-Za-z0-9_.-]*$/, { error: CLIENT })
    .default('client.understudy'),
  // Never all of them: `client.admin` and those that daemons are made with are among them.
  clientPattern: z
    .string({ error: CLIENTS })
    .regex(/^client\.[A-Za-z0-9][A-Za-z0-9_.-]*\*?[A-Za-z0-9_.-]*$/, { error: CLIENTS })
    .default('client.site-*'),
  python: MachinePath.default('/usr/bin/python3'),
});
export type CephClusterSettings = z.output<typeof CephClusterSettings>;

const Term = z.strictObject({
  ttl: positiveDuration(),
  renew: positiveDuration(),
  takeover: positiveDuration(),
});

const REGISTRY =
  'write a host as the names of images have it, in lower case, such as `docker.io` or `registry.example.org:5000`';
const RegistryHost = z
  .string()
  .regex(/^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/, { error: REGISTRY })
  .refine((host) => host !== 'index.docker.io', { error: REGISTRY });

const NETWORK = 'write a network such as `10.0.0.0/8`';
const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

/** The agent's own settings, /etc/understudy/agent.yaml. Milliseconds and bytes. */
export const Settings = z.strictObject({
  environment: Name,
  repository: Git,
  docker: z
    .strictObject({ socket: MachinePath.default('/var/run/docker.sock') })
    .default({ socket: '/var/run/docker.sock' }),
  stateDir: MachinePath.default('/var/lib/understudy'),
  age: z.strictObject({ keyFile: MachinePath }).optional(),
  mysql: z.record(Name, MysqlServerSettings).optional(),
  ceph: z.record(Name, CephClusterSettings).optional(),
  registries: z
    .record(
      RegistryHost,
      z.strictObject({ username: text('a user name'), passwordFile: MachinePath }),
    )
    .optional(),
  listen: HostPort.optional(),
  advertise: z
    .string()
    .regex(/^https?:\/\/[^\s\p{Cc}]+$/u, {
      error: 'write an address such as `http://10.0.0.1:7070`',
    })
    .optional(),
  tokenFile: MachinePath.optional(),
  webhookSecretFile: MachinePath.optional(),
  network: z
    .strictObject({
      allow: z.array(z.union([z.cidrv4(), z.cidrv6()], { error: NETWORK })).default([]),
    })
    .optional(),
  lease: z
    .strictObject({
      working: Term.optional(),
      idle: Term.optional(),
      stopBefore: positiveDuration().optional(),
    })
    .optional(),
  atOnce: whole(1, 256).default(16),
  log: z
    .strictObject({
      level: z.enum(LEVELS, { error: 'write a level such as `info` or `debug`' }).default('info'),
    })
    .default({ level: 'info' }),
});
export type Settings = z.output<typeof Settings>;

/** Keys of `Settings` that this version does not act upon. */
export const SETTINGS_UNSUPPORTED = ['listen', 'advertise', 'tokenFile', 'webhookSecretFile'];

/** Single values that a flag or an environment variable may give instead of the file. */
export const SETTINGS_SCALARS = [
  'environment',
  'repository.url',
  'repository.branch',
  'repository.path',
  'repository.ssh.keyFile',
  'repository.ssh.knownHostsFile',
  'repository.https.tokenFile',
  'repository.https.username',
  'repository.https.passwordFile',
  'repository.https.caFile',
  'repository.maxBytes',
  'repository.maxFiles',
  'docker.socket',
  'stateDir',
  'age.keyFile',
  'atOnce',
  'log.level',
] as const;

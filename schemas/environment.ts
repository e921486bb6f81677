import { z } from 'zod';

import {
  Flag,
  Glob,
  Name,
  Percent,
  RepositoryPath,
  TimeZone,
  UnitId,
  duration,
  positiveDuration,
  text,
  whole,
} from './common.ts';
import { StackDefaults } from './stack.ts';

const PREFIX = 'write an absolute path such as `/srv/media`, without `..`';
const BindPrefix = z.string({ error: PREFIX }).refine(isBindPrefix, { error: PREFIX });

function isBindPrefix(path: string): boolean {
  if (!path.startsWith('/') || /[\p{Cc}\\]/u.test(path)) return false;
  return path.split('/').every((part) => part !== '.' && part !== '..');
}

const FOLDER = 'write an absolute path such as `/srv/cluster`, without `..`';
const NodeFolder = z
  .string({ error: FOLDER })
  .refine((path) => path === '' || isBindPrefix(path), { error: FOLDER });
const CAPABILITY = 'write a capability such as `NET_ADMIN`, or `ALL`';
const SYSCTL =
  'write a sysctl such as `net.core.somaxconn`, or the beginning of some such as `net.ipv4.*`';

/** What stacks may do although it makes them root on every node. Absent = refused. */
export const Allow = z.strictObject({
  binds: z.array(BindPrefix).optional(),
  dockerSocket: Flag.optional(),
  hostNetwork: Flag.optional(),
  capabilities: z
    .array(z.string({ error: CAPABILITY }).regex(/^[A-Za-z][A-Za-z0-9_]*$/, { error: CAPABILITY }))
    .optional(),
  sysctls: z
    .array(z.string({ error: SYSCTL }).regex(/^(?:[^*\s]+\*?|\*)$/, { error: SYSCTL }))
    .optional(),
  plugins: Flag.optional(),
  subpath: Flag.optional(),
  undefinedVariables: Flag.optional(),
  /** Where the nodes have a copy of the repository: what relative binds begin at. Empty = nowhere. */
  checkout: NodeFolder.optional(),
  /** What a leading `~` of a bind stands for. Empty = nothing. */
  home: NodeFolder.optional(),
  /** What follows the first document of a Compose file is dropped, with a warning. */
  moreDocuments: Flag.optional(),
  /** A Compose file may ask for nothing at all. */
  emptyStacks: Flag.optional(),
  /** What Docker takes although it can hardly work is a warning. */
  unworkable: Flag.optional(),
});
export type Allow = z.output<typeof Allow>;

const COMMIT_RULES = 'write `off`, `head` or `every`';

const REGISTRY = 'write the host of a registry or a pattern such as `*.example.org`';
const REGISTRIES_MAX = 100;

/** `policy.images`: what is asked of the images of every service. */
export const ImagePolicy = z.strictObject({
  lock: z
    .enum(['off', 'warn', 'required'], { error: 'write `off`, `warn` or `required`' })
    .optional(),
  registries: z
    .array(z.string({ error: REGISTRY }).regex(/^[A-Za-z0-9.:*[\]-]{1,255}$/, { error: REGISTRY }))
    .max(REGISTRIES_MAX, { error: `write at most ${String(REGISTRIES_MAX)} patterns` })
    .optional(),
});
export type ImagePolicy = z.output<typeof ImagePolicy>;

/** `policy`, in understudy.yaml and in an Environment. */
export const Policy = z.strictObject({
  removals: z
    .strictObject({ max: whole(0, 100_000).optional(), share: Percent.optional() })
    .optional(),
  allow: Allow.optional(),
  images: ImagePolicy.optional(),
  signatures: z
    .strictObject({
      mode: z.enum(['off', 'head', 'every'], { error: COMMIT_RULES }).optional(),
      keys: z.array(RepositoryPath).optional(),
    })
    .optional(),
  ceph: z
    .strictObject({
      dataMovement: z
        .enum(['never', 'healthy', 'always'], { error: 'write `never`, `healthy` or `always`' })
        .optional(),
    })
    .optional(),
});

const CANARIES_MAX = 100;
const WINDOWS_MAX = 50;
const GLOBS_MAX = 100;
const CRON_CHARACTERS_MAX = 200;

/** `rollout`, in understudy.yaml and in an Environment. Durations in milliseconds. */
export const Rollout = z.strictObject({
  atOnce: whole(1, 100_000).optional(),
  maxFailures: whole(1, 100_000).optional(),
  pause: duration().optional(),
  canary: z.array(UnitId).max(CANARIES_MAX).optional(),
  onFailure: z.enum(['pause', 'rollback'], { error: 'write `pause` or `rollback`' }).optional(),
});

/** `defaults`, in understudy.yaml and in an Environment. */
export const Defaults = z.strictObject({ stack: StackDefaults.optional() });

const VARIABLE =
  'write a variable name of letters, digits and `_` that does not begin with a digit';
const VALUE = 'write text, a number, `true` or `false`';

/** A variable's value; the text as written counts, so `1.10` stays `1.10`. */
const Value = z.union([z.string(), z.number(), z.bigint(), z.boolean()], { error: VALUE });

/** Which servers or clusters documents may name, by the names of the agent's settings. */
export const Servers = z.strictObject({
  default: Name.optional(),
  allowed: z.array(Name).optional(),
});

const Window = z.strictObject({
  cron: text('a cron expression such as `0 2 * * 1-5`').max(CRON_CHARACTERS_MAX),
  duration: positiveDuration(),
  timeZone: TimeZone,
  stacks: z.array(Glob).max(GLOBS_MAX).optional(),
});

const CHANNELS = ['slack', 'discord', 'telegram', 'ntfy', 'email', 'webhook'] as const;
const EVENTS = ['failed', 'rolled-back', 'held', 'recovered', 'stuck'] as const;

const Notification = z.strictObject({
  type: z.enum(CHANNELS, { error: `write one of ${listed(CHANNELS)}` }),
  secret: Name,
  on: z.array(z.enum(EVENTS, { error: `write one of ${listed(EVENTS)}` })).optional(),
});

function listed(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ');
}

/** Which stacks an environment has: those that a pattern includes and none excludes. Absent: all. */
export const StackChoice = z.strictObject({
  include: z.array(Glob).optional(),
  exclude: z.array(Glob).optional(),
});

/** environments/NAME.yaml. Durations in milliseconds. */
export const Environment = z.strictObject({
  kind: z.literal('Environment', { error: 'write `kind: Environment`' }),
  name: text('the name of the file without `.yaml`'),
  description: z.string({ error: 'write text' }).optional(),
  variables: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: VARIABLE }), Value)
    .optional(),
  stacks: StackChoice.optional(),
  mysql: Servers.optional(),
  ceph: Servers.optional(),
  defaults: Defaults.optional(),
  rollout: Rollout.optional(),
  policy: Policy.optional(),
  windows: z.array(Window).max(WINDOWS_MAX).optional(),
  notifications: z.array(Notification).optional(),
  promotion: z
    .strictObject({ branch: text('a branch'), soak: positiveDuration().optional() })
    .optional(),
});
export type Environment = z.output<typeof Environment>;

/** Keys of `policy` that this version does not act upon. */
export const POLICY_UNSUPPORTED = ['signatures'];

/** Keys of `Environment` that this version does not act upon. */
export const ENVIRONMENT_UNSUPPORTED = [
  'mysql',
  'ceph',
  'notifications',
  'promotion',
  ...POLICY_UNSUPPORTED.map((key) => `policy.${key}`),
];

import { z } from 'zod';

import { Flag, RepositoryPath, UnitId, duration, positiveDuration, text, whole } from './common.ts';

const Port = whole(1, 65_535);

const STATUS = 'write a status such as `200` or a range such as `200-399`';
const Status = z
  .union([z.string(), z.number()], { error: STATUS })
  .transform((written, context) => {
    const found = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(String(written));
    const from = Number(found?.[1]);
    const to = Number(found?.[2] ?? found?.[1]);
    if (from <= to) return { from, to };
    context.addIssue({ code: 'custom', message: STATUS });
    return z.NEVER;
  });

const URL_RULE = 'write a full address such as `https://blog.example.org/ping`';

const HttpProbe = z
  .strictObject({
    service: text('the name of a service').optional(),
    port: Port.optional(),
    path: z
      .string()
      .regex(/^\/[^\s\p{Cc}]*$/u, { error: 'write a path that begins with `/`' })
      .optional(),
    host: text('the host name to ask for').optional(),
    url: z
      .string({ error: URL_RULE })
      .regex(/^https?:\/\/[^\s\p{Cc}]+$/u, { error: URL_RULE })
      .optional(),
    status: z.array(Status).min(1).optional(),
    contains: text('what the answer must contain').optional(),
  })
  .superRefine((probe, context) => {
    const byService = probe.service !== undefined && probe.port !== undefined;
    const mixed = probe.service !== undefined || probe.port !== undefined;
    if (probe.url === undefined ? byService : !mixed) return;
    context.addIssue({ code: 'custom', message: 'write either `service` and `port`, or `url`' });
  });

const Check = z
  .strictObject({
    name: text('a name for messages'),
    http: HttpProbe.optional(),
    tcp: z.strictObject({ service: text('the name of a service'), port: Port }).optional(),
    interval: positiveDuration().optional(),
    timeout: positiveDuration().optional(),
    failures: whole(1, 100).optional(),
  })
  .superRefine((check, context) => {
    if ((check.http === undefined) !== (check.tcp === undefined)) return;
    context.addIssue({ code: 'custom', message: 'write exactly one of `http` and `tcp`' });
  });

const Health = z.strictObject({
  timeout: positiveDuration().optional(),
  stableFor: duration().optional(),
  checks: z.array(Check).optional(),
});

const Rollback = z.strictObject({
  mode: z.enum(['auto', 'hold'], { error: 'write `auto` or `hold`' }).optional(),
  keep: whole(1, 5).optional(),
});

const settings = {
  prune: Flag.optional(),
  instances: z.enum(['any', 'single'], { error: 'write `any` or `single`' }).optional(),
  health: Health.optional(),
  rollback: Rollback.optional(),
};

/** What `defaults.stack` of understudy.yaml and of an Environment may say about every stack. */
export const StackDefaults = z.strictObject(settings);
export type StackDefaults = z.output<typeof StackDefaults>;

/** stacks/NAME/stack.yaml. Durations in milliseconds. */
export const Stack = z.strictObject({
  kind: z.literal('Stack', { error: 'write `kind: Stack`' }),
  name: text('the name of the folder').optional(),
  files: z.array(RepositoryPath).min(1).optional(),
  dependsOn: z.array(UnitId).optional(),
  suspend: Flag.optional(),
  removal: z.enum(['auto', 'hold'], { error: 'write `auto` or `hold`' }).optional(),
  ignore: z.array(text('a field such as `services.web.replicas`')).optional(),
  ...settings,
});
export type Stack = z.output<typeof Stack>;

/** Keys of `StackDefaults` that this version does not act upon. */
export const STACK_DEFAULTS_UNSUPPORTED = ['rollback', 'prune', 'instances', 'health.checks'];

/** Keys of `Stack` that this version does not act upon. */
export const STACK_UNSUPPORTED = [
  'files',
  'dependsOn',
  'suspend',
  'removal',
  'ignore',
  ...STACK_DEFAULTS_UNSUPPORTED,
];

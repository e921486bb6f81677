import { z } from 'zod';

import {
  Flag,
  RepositoryPath,
  StackName,
  UnitId,
  duration,
  positiveDuration,
  text,
  whole,
} from './common.ts';

const Port = whole(1, 65_535);
/** Most checks of one stack. */
const CHECKS_MAX = 20;
/** Most units that one stack may name. */
const DEPENDENCIES_MAX = 100;
/** Most Compose files of one stack. */
const FILES_MAX = 10;
/** Most fields that one stack may leave to others. */
const IGNORED_MAX = 100;
const CHECK_TIMEOUT_MS = { min: 100, max: 60_000 };

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
const URL_LOGIN = 'write the address without a user name and a password: everybody can read them';
const HOST_RULE = 'write a host name such as `blog.example.org`';
const CHECK_NAME = 'write a name for messages of at most 100 characters in one line';

/** Pure. The address as an HTTP client reads it; undefined where it is none. */
function parseUrl(text: string): URL | undefined {
  return text.length <= 2048 && /^https?:\/\/[^\s\p{Cc}]+$/u.test(text) && URL.canParse(text)
    ? new URL(text)
    : undefined;
}

const FullUrl = z.string({ error: URL_RULE }).superRefine((text, context) => {
  const url = parseUrl(text);
  if (url === undefined) context.addIssue({ code: 'custom', message: URL_RULE });
  else if (url.username !== '' || url.password !== '') {
    context.addIssue({ code: 'custom', message: URL_LOGIN });
  }
});

const HttpProbe = z
  .strictObject({
    service: text('the name of a service').optional(),
    port: Port.optional(),
    path: z
      .string()
      .regex(/^\/[^\s\p{Cc}]*$/u, { error: 'write a path that begins with `/`' })
      .max(2048, { error: 'write a path of at most 2048 characters' })
      .optional(),
    host: z
      .string({ error: HOST_RULE })
      .regex(/^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/, {
        error: HOST_RULE,
      })
      .optional(),
    url: FullUrl.optional(),
    status: z
      .array(Status)
      .min(1, { error: STATUS })
      .max(20, { error: 'write at most 20 ranges' })
      .optional(),
    contains: text('what the answer must contain')
      .max(1000, { error: 'write at most 1000 characters' })
      .optional(),
  })
  .superRefine((probe, context) => {
    const byService = probe.service !== undefined && probe.port !== undefined;
    const mixed = probe.service !== undefined || probe.port !== undefined;
    if (probe.url === undefined ? !byService : mixed) {
      context.addIssue({ code: 'custom', message: 'write either `service` and `port`, or `url`' });
    } else if (probe.url !== undefined && probe.path !== undefined) {
      const message = 'the path is part of the `url`: write it there';
      context.addIssue({ code: 'custom', message, path: ['path'] });
    }
  });

const Check = z
  .strictObject({
    name: z.string({ error: CHECK_NAME }).regex(/^[^\p{Cc}]{1,100}$/u, { error: CHECK_NAME }),
    http: HttpProbe.optional(),
    tcp: z.strictObject({ service: text('the name of a service'), port: Port }).optional(),
    interval: positiveDuration().optional(),
    timeout: duration({ min: CHECK_TIMEOUT_MS.min, atLeast: '100ms' })
      .refine((ms) => ms <= CHECK_TIMEOUT_MS.max, { error: 'write at most `60s`' })
      .optional(),
    failures: whole(1, 100).optional(),
  })
  .superRefine((check, context) => {
    if ((check.http === undefined) !== (check.tcp === undefined)) return;
    context.addIssue({ code: 'custom', message: 'write exactly one of `http` and `tcp`' });
  });

/** What is asked of a stack from outside. Milliseconds; what is absent has a default. */
export type Check = z.output<typeof Check>;

const Checks = z
  .array(Check)
  .max(CHECKS_MAX, { error: `write at most ${String(CHECKS_MAX)} checks` })
  .superRefine((checks, context) => {
    const names = new Set<string>();
    for (const [index, { name }] of checks.entries()) {
      if (names.has(name)) {
        context.addIssue({
          code: 'custom',
          message: 'two checks have the same name',
          path: [index, 'name'],
          params: { code: 'name-conflict' },
        });
      }
      names.add(name);
    }
  });

const Health = z.strictObject({
  timeout: positiveDuration().optional(),
  stableFor: duration().optional(),
  checks: Checks.optional(),
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

const Files = z
  .array(RepositoryPath)
  .min(1, { error: 'write at least one file' })
  .max(FILES_MAX, { error: `write at most ${String(FILES_MAX)} files` })
  .superRefine((files, context) => {
    for (const [index, file] of files.entries()) {
      if (files.indexOf(file) === index) continue;
      const message = 'this file is listed twice';
      context.addIssue({ code: 'custom', message, path: [index], params: { code: 'conflict' } });
    }
  });

/** stacks/NAME/stack.yaml. Durations in milliseconds. */
export const Stack = z.strictObject({
  kind: z.literal('Stack', { error: 'write `kind: Stack`' }),
  name: text('the name of the folder').optional(),
  files: Files.optional(),
  dependsOn: z
    .array(UnitId)
    .max(DEPENDENCIES_MAX, { error: `write at most ${String(DEPENDENCIES_MAX)} ids` })
    .optional(),
  movedFrom: StackName.optional(),
  suspend: Flag.optional(),
  removal: z.enum(['auto', 'hold'], { error: 'write `auto` or `hold`' }).optional(),
  ignore: z
    .array(text('a field such as `services.web.replicas`'))
    .max(IGNORED_MAX, { error: `write at most ${String(IGNORED_MAX)} fields` })
    .optional(),
  ...settings,
});
export type Stack = z.output<typeof Stack>;

import { z } from 'zod';

const SECOND_MS = 1000;
const DAY_MS = 24 * 60 * 60 * SECOND_MS;

/** Longest duration any key takes: ten years, in milliseconds. */
export const DURATION_MS_MAX = 3650 * DAY_MS;

const UNITS_MS: Readonly<Record<string, number>> = {
  d: DAY_MS,
  h: 60 * 60 * SECOND_MS,
  m: 60 * SECOND_MS,
  s: SECOND_MS,
  ms: 1,
};
const DURATION = /^(?:\d{1,9}d)?(?:\d{1,9}h)?(?:\d{1,9}m(?!s))?(?:\d{1,9}s)?(?:\d{1,12}ms)?$/;

/** Pure. Milliseconds of `1m30s`; units d, h, m, s, ms, each at most once, largest first. */
export function parseDuration(text: string): number | undefined {
  if (text === '' || !DURATION.test(text)) return undefined;
  let totalMs = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[dhms])/g)) {
    totalMs += Number(count) * (UNITS_MS[unit ?? ''] ?? 0);
  }
  return totalMs <= DURATION_MS_MAX ? totalMs : undefined;
}

const UNITS_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** Pure. Bytes of `512Mi` or of plain digits; below 2^53, so that numbers stay exact. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d{1,16})(|Ki|Mi|Gi|Ti|Pi)$/.exec(text);
  if (found === null) return undefined;
  const bytes = Number(found[1]) * (UNITS_BYTES[found[2] ?? ''] ?? 0);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

interface DurationBounds {
  /** Milliseconds. */
  readonly min?: number;
  /** As people write `min`. */
  readonly atLeast?: string;
}

/** A duration as text, in milliseconds after parsing. */
export function duration(bounds: DurationBounds = {}) {
  const message = 'write a duration such as `30s`, `1m30s` or `12h`';
  return z.string({ error: message }).transform((text, context) => {
    const ms = parseDuration(text);
    if (ms === undefined) {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    if (ms < (bounds.min ?? 0)) {
      context.addIssue({ code: 'custom', message: `write at least \`${bounds.atLeast ?? ''}\`` });
      return z.NEVER;
    }
    return ms;
  });
}

/** At least a second: what would otherwise keep the agent busy with nothing. */
export function positiveDuration() {
  return duration({ min: SECOND_MS, atLeast: '1s' });
}

const SIZE = 'write a size such as `512Mi` or `10Gi`, or a whole number of bytes';

/** A size as text or whole bytes, in bytes after parsing. */
export const Size = z
  .union([z.string(), z.number().int().nonnegative()], { error: SIZE })
  .transform((written, context) => {
    const bytes = typeof written === 'number' ? written : parseSize(written);
    if (bytes === undefined) {
      context.addIssue({ code: 'custom', message: SIZE });
      return z.NEVER;
    }
    return bytes;
  });

const PERCENT = 'write a percentage such as `20%`';

/** `20%`, the number 20 after parsing. */
export const Percent = z.string({ error: PERCENT }).transform((text, context) => {
  const found = /^(\d{1,3})%$/.exec(text);
  const percent = found === null ? Number.NaN : Number(found[1]);
  if (percent >= 0 && percent <= 100) return percent;
  context.addIssue({ code: 'custom', message: PERCENT });
  return z.NEVER;
});

/** A whole number within bounds, both included. */
export function whole(min: number, max: number) {
  const error = `write a whole number from ${String(min)} to ${String(max)}`;
  return z.number({ error }).int({ error }).min(min, { error }).max(max, { error });
}

/** Text that is not empty. */
export function text(what: string) {
  return z.string({ error: `write ${what} as text` }).min(1, { error: `write ${what}` });
}

/** `true` or `false`. */
export const Flag = z.boolean({ error: 'write `true` or `false`' });

const NAME = 'write a name of letters, digits, `-`, `_` and `.` that begins with a letter or digit';

/** A name that we give: environment, server, check. */
export const Name = z
  .string({ error: NAME })
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, { error: NAME });

const ID = 'write an id such as `stack/blog`';

/** The id of a unit. Of names that hold anything else it has `%20` and the like. */
export const UnitId = z.templateLiteral(
  [
    z.string().regex(/[a-z][a-z-]{0,62}/),
    '/',
    z.string().regex(/[A-Za-z0-9_%][A-Za-z0-9._/%-]{0,254}/),
  ],
  { error: ID },
);

const STACK_NAME = 'write the name of a stack: its folder below `stacks/`';

/** What Swarm takes as the first part of a service name; one letter is left for the service. */
export const StackName = z
  .string({ error: STACK_NAME })
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,59}[A-Za-z0-9])?$/, { error: STACK_NAME });

const GLOB = 'write a name or a pattern such as `blog-*`';

/** A name in which `*` stands for anything. */
export const Glob = z.string({ error: GLOB }).regex(/^[^\s\p{Cc}]{1,255}$/u, { error: GLOB });

/** Pure. True for a path inside the repository: relative, with `/`, no `.` or `..` parts. */
export function isInside(path: string): boolean {
  return (
    path.length <= 1024 &&
    !/[\p{Cc}\\]/u.test(path) &&
    path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')
  );
}

const PATH = 'write a path inside the repository, without `..`';

/** A file of the repository. */
export const RepositoryPath = z.string({ error: PATH }).refine(isInside, { error: PATH });

const FILE = 'write an absolute path such as `/run/secrets/key`';

/** A file of the machine that the agent runs on. */
export const MachinePath = z
  .string({ error: FILE })
  .regex(/^\/[^\p{Cc}]*$/u, { error: FILE })
  .max(1024, { error: FILE });

const ZONE = 'write a time zone such as `Europe/Berlin`';

/** An IANA time zone. */
export const TimeZone = z.string({ error: ZONE }).refine(isTimeZone, { error: ZONE });

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

import { parseDuration } from '../../schemas/common.ts';
import { HELP, parsedOptions } from './arguments.ts';
import { DEFAULT_SOCKET, socketOf } from './ask-options.ts';

/** Whether everything is frozen, or free again. */
export type FreezeVerb = 'freeze' | 'unfreeze';

/** What is wanted of everything. */
export interface FreezeWanted {
  readonly verb: FreezeVerb;
  readonly why: string;
  /** ISO 8601; absent: until somebody ends it. */
  readonly until?: string;
  readonly socket: string;
  readonly json: boolean;
}

const common = `  --socket PATH     the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --json            one JSON object: verb, status (done, refused), frozen (by, why, until; null: nothing is), why
  --help            this text

Needs no agent, no Git server and no token: on a manager it writes one label through the engine's socket.
Exit codes: 0 done, 1 failed, 2 wrong use, 6 the Swarm cannot be reached, or no agent ever ran on it.
`;

/** `understudy freeze --help`, `understudy unfreeze --help`. */
export const freezeUsage: Readonly<Record<FreezeVerb, string>> = {
  freeze: `Usage: understudy freeze --why TEXT [--for TIME | --until TIME] [OPTIONS]

Lets no agent call anything for any unit, whatever is under way or due: the calls that are made now are the last ones.
A freeze that is there already is replaced.

  --why TEXT        one line, for everybody who wonders
  --for TIME        how long, such as 2h
  --until TIME      or until when, such as 2026-11-20T18:00Z or 2026-11-20T18:00+01:00
                    without either: until understudy unfreeze
${common}`,
  unfreeze: `Usage: understudy unfreeze [OPTIONS]

Ends a freeze: every unit goes on where it stood, and what people asked for meanwhile is taken.

${common}`,
};

const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;
const LONGEST_MS = 366 * 24 * 3_600_000;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. `date` is now, ISO 8601. */
export function freezeWantedOf(
  verb: FreezeVerb,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  date: string,
): FreezeWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedFreeze(verb, args);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { help, why = '', for: lasting, until, socket, json } = parsed;
  if (help === true) return 'help';
  const wanted = { verb, why, socket: socketOf(socket, environment), json: json === true };
  if (verb === 'unfreeze') return wanted;
  if (why.trim() === '') return { wrong: 'say why, as in `--why "the storage is ill"`' };
  if (lasting !== undefined && until !== undefined) {
    return { wrong: 'either `--for` or `--until`, not both' };
  }
  if (lasting === undefined && until === undefined) return wanted;
  const nowMs = Date.parse(date);
  const endMs =
    until === undefined ? nowMs + (parseDuration(lasting ?? '') ?? Number.NaN) : endOf(until);
  if (Number.isNaN(endMs)) {
    return until === undefined
      ? { wrong: '`--for` is a time such as `2h` or `30m`' }
      : { wrong: '`--until` is a date and time with its zone, such as `2026-11-20T18:00Z`' };
  }
  if (endMs <= nowMs) return { wrong: 'that is over already' };
  if (endMs > nowMs + LONGEST_MS) return { wrong: 'a freeze of more than a year needs no end' };
  return { ...wanted, until: new Date(endMs).toISOString() };
}

function endOf(until: string): number {
  return TIME.test(until) ? Date.parse(until.replace(' ', 'T')) : Number.NaN;
}

const OPTIONS = {
  why: { type: 'string' },
  for: { type: 'string' },
  until: { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  ...HELP,
} as const;

function parsedFreeze(verb: FreezeVerb, args: readonly string[]) {
  const parsed = parsedOptions(args, OPTIONS);
  if (typeof parsed === 'string') return parsed;
  const { why, for: lasting, until } = parsed.values;
  const misplaced = [why, lasting, until].some((one) => one !== undefined);
  if (verb === 'unfreeze' && misplaced) return '`--why`, `--for` and `--until` belong to freeze';
  return parsed.values;
}

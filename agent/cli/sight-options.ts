import type { Id } from '../core/kind.ts';
import { HELP, parsedArguments } from './arguments.ts';
import { DEFAULT_SOCKET, socketOf, unitOf } from './ask-options.ts';

/** The commands that only look. */
export type SightVerb = 'get' | 'history';

/** What is to be shown. */
export interface SightWanted {
  /** Empty: all of them. */
  readonly units: readonly Id[];
  /** Revisions, or entries of a unit. */
  readonly limit: number;
  readonly socket: string;
  readonly json: boolean;
  readonly colour: boolean;
}

const LIMIT = 20;
const LIMIT_MAX = 50;

const common = `  --socket PATH     the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --json            one JSON object; docs/cli.md has its keys
  --no-colour       plain text
  --help            this text

Needs no agent, no repository and no token: on a manager it reads the record through the engine's socket, and writes nothing.
Exit codes: 0 shown, 1 no such unit, or the record is of a newer version, 2 wrong use, 6 the Swarm cannot be reached,
or no agent ever ran on it.
`;

/** `understudy get --help`, `understudy history --help`. */
export const sightUsage: Readonly<Record<SightVerb, string>> = {
  get: `Usage: understudy get [UNIT...] [OPTIONS]

Shows every unit: whether it is as the repository wants it, how it does, which commit runs, since when, and why. With
UNIT (stack/blog, or blog) also its releases, what failed, its services and the last errors of their tasks.

  SYNC    Synced, OutOfSync (WHY begins with \`held:\` where a step that is due is not done), Quarantined (what the
          repository wants failed before), Removing, Unknown: by the revision in the first lines
  HEALTH  Healthy, Progressing, Degraded, Suspended, Unknown: by the tasks as they are now;
          of a database, a role or an account by what the agents saw last of its server

${common}`,
  history: `Usage: understudy history [UNIT] [OPTIONS]

Shows the last revisions and how each ended, newest first. With UNIT (stack/blog, or blog) its healthy releases and
what failed of it.

  --limit N         so many at most; default ${String(LIMIT)}, at most ${String(LIMIT_MAX)}
${common}`,
};

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. `colour`: of the terminal. */
export function sightWantedOf(
  verb: SightVerb,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  colour: boolean,
): SightWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedSight(verb, args);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const units = positionals.map(unitOf);
  if (units.includes(undefined)) return { wrong: 'name a unit as in `stack/blog`' };
  if (verb === 'history' && units.length > 1) return { wrong: 'one unit only' };
  const { limit = String(LIMIT) } = values;
  if (!/^[1-9]\d?$/.test(limit) || Number(limit) > LIMIT_MAX) {
    return { wrong: `\`--limit\` is a number from 1 to ${String(LIMIT_MAX)}` };
  }
  return {
    units: [...new Set(units.flatMap((unit) => unit ?? []))],
    limit: Number(limit),
    socket: socketOf(values.socket, environment),
    json: values.json === true,
    colour: colour && values['no-colour'] !== true,
  };
}

const OPTIONS = {
  limit: { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  'no-colour': { type: 'boolean' },
  ...HELP,
} as const;

function parsedSight(verb: SightVerb, args: readonly string[]) {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return parsed;
  const misplaced = verb !== 'history' && parsed.values.limit !== undefined;
  return misplaced ? '`--limit` belongs to `understudy history`' : parsed;
}

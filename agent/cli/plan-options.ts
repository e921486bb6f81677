import { AGE_KEY, AGE_KEY_USAGE, ageKeyFile } from './age-key.ts';
import { HELP, parsedArguments } from './arguments.ts';
import { DEFAULT_SOCKET, socketOf } from './ask-options.ts';

/** `understudy plan --help`. */
export const planUsage = `Usage: understudy plan FOLDER [OPTIONS]

Shows what would change, and changes nothing. FOLDER holds the repository, as for understudy validate: in a Git work
tree its files are those that a commit of everything would take.

Without --offline, on a manager: what an agent would do now if FOLDER were the newest revision, and what it would hold
and why. Reads the Swarm and the agents' record through the engine's socket.

With --offline, anywhere: what differs between two revisions of the Git repository that FOLDER is in.

  --offline           compare two revisions, without a Swarm
  --from REV          with --offline: the earlier revision; REV... is where the later one left REV;
                      default: origin/HEAD..., or else what the current branch follows
  --to REV            the later revision; default: the work tree
  --environment NAME  this environment only; default: with --offline every one in environments/, else the one that the
                      agents of the Swarm are set to
  --settings FILE     the agent's settings, which name the servers of databases; default: those of the agent on this
                      machine
  --socket PATH       the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --format FORMAT     text (default), json, or markdown for a comment on a pull request
  --exit-code         end with 4 where anything would change
  --watch             plan again whenever a file is saved, until it is stopped
  --apply             with --watch: apply each valid state that was saved, on a rehearsal stage and nowhere else
${AGE_KEY_USAGE};
                      without one what is encrypted is not compared, and it is said
  --no-colour         plain text
  --help              this text

Exit codes: 0 done, 1 failed, 2 wrong use, 3 repository invalid, 4 changes (with --exit-code), 6 Swarm not reachable.
`;

/** How a plan is written. */
export const FORMATS = ['text', 'json', 'markdown'] as const;
export type Format = (typeof FORMATS)[number];

/** What is wanted. */
export interface PlanWanted {
  readonly folder: string;
  readonly offline: boolean;
  readonly from?: string;
  /** Absent: the work tree. */
  readonly to?: string;
  readonly environment?: string;
  readonly socket: string;
  /** Of the agent; absent: those of the one on this machine. */
  readonly settings?: string;
  readonly format: Format;
  readonly exitCode: boolean;
  readonly colour: boolean;
  readonly watch: boolean;
  readonly apply: boolean;
  readonly keyFile: string | undefined;
}

const OPTIONS = {
  offline: { type: 'boolean' },
  from: { type: 'string' },
  to: { type: 'string' },
  environment: { type: 'string' },
  socket: { type: 'string' },
  settings: { type: 'string' },
  format: { type: 'string' },
  'exit-code': { type: 'boolean' },
  watch: { type: 'boolean' },
  apply: { type: 'boolean' },
  'no-colour': { type: 'boolean' },
  ...AGE_KEY,
  ...HELP,
} as const;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. */
export function planWantedOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  colour: boolean,
): PlanWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [folder, second] = positionals;
  if (folder === undefined) return { wrong: 'name the folder that holds the repository' };
  if (second !== undefined) return { wrong: `one folder only, not \`${second}\` as well` };
  const format = FORMATS.find((one) => one === (values.format ?? 'text'));
  if (format === undefined) return { wrong: `\`--format\` is one of ${FORMATS.join(', ')}` };
  const clash = clashIn(values);
  if (clash !== undefined) return { wrong: clash };
  const { from, to } = values;
  return {
    folder,
    offline: values.offline === true,
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
    ...(values.environment !== undefined && { environment: values.environment }),
    socket: socketOf(values.socket, environment),
    ...(values.settings !== undefined && { settings: values.settings }),
    format,
    exitCode: values['exit-code'] === true,
    colour: colour && values['no-colour'] !== true,
    watch: values.watch === true,
    apply: values.apply === true,
    keyFile: ageKeyFile(values['age-key-file'], environment),
  };
}

type Values = Exclude<ReturnType<typeof parsedArguments<typeof OPTIONS>>, string>['values'];

/** Options that do not go together, as a sentence. */
function clashIn(values: Values): string | undefined {
  const { offline, from, socket, settings, watch, apply, to, format } = values;
  if (from !== undefined && offline !== true) return '`--from` goes with `--offline`';
  if (socket !== undefined && offline === true)
    return '`--socket` and `--offline` do not go together';
  if (settings !== undefined && offline === true)
    return '`--settings` and `--offline` do not go together';
  if (apply === true && watch !== true) return '`--apply` goes with `--watch`';
  if (apply === true && offline === true) return '`--apply` and `--offline` do not go together';
  if (watch !== true) return undefined;
  if (to !== undefined) return '`--watch` looks at the work tree: leave `--to` out';
  if (values['exit-code'] === true) return '`--watch` and `--exit-code` do not go together';
  return format === undefined || format === 'text' ? undefined : '`--watch` writes text only';
}

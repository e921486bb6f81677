import { parseDuration } from '../../schemas/common.ts';
import { HELP, parsedOptions } from './arguments.ts';
import { DEFAULT_SOCKET, socketOf } from './ask-options.ts';

/** How far the answer is waited for. */
export interface ReconcileWanted {
  readonly until: 'asked' | 'looked' | 'settled';
  /** What agents remember of what they read is read anew. */
  readonly full: boolean;
  /** Milliseconds, for all of it. */
  readonly timeoutMs: number;
  readonly socket: string;
  readonly json: boolean;
  readonly colour: boolean;
}

const LOOKED_MS = 60_000;
const SETTLED_MS = 15 * 60_000;

/** `understudy reconcile --help`. */
export const reconcileUsage = `Usage: understudy reconcile [OPTIONS]

Asks the agent that leads to look at the repository now, not when \`interval\` is over. It answers with the commit that the
repository holds, when that is the one that it goes by.

  --full            also read anew what agents remember of it for minutes: sizes and owners of subvolumes
  --wait            until that commit has settled, and say how it ended
  --no-wait         ask, and do not wait for an answer
  --timeout TIME    how long to wait; default 60s, with --wait 15m
  --socket PATH     the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --json            one JSON object: verb, status (asked, looked, settled, refused), revision, outcome, held, why
  --no-colour       plain text
  --help            this text

Needs no agent on this machine and no token: on a manager it asks through the engine's socket.
Exit codes: 0 done as far as it was waited for, 1 the repository cannot be read, or the commit failed or has not settled in
time, 2 wrong use, 3 the newest commit is invalid, 5 (with --wait) something is held, 6 no agent answered, or the Swarm
cannot be reached.
`;

const OPTIONS = {
  full: { type: 'boolean' },
  wait: { type: 'boolean' },
  'no-wait': { type: 'boolean' },
  timeout: { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  'no-colour': { type: 'boolean' },
  ...HELP,
} as const;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. `colour`: of the terminal. */
export function reconcileWantedOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  colour: boolean,
): ReconcileWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedOptions(args, OPTIONS);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values } = parsed;
  if (values.help === true) return 'help';
  const { wait = false, 'no-wait': noWait = false, timeout } = values;
  if (wait && noWait) return { wrong: 'either `--wait` or `--no-wait`, not both' };
  const usualMs = wait ? SETTLED_MS : LOOKED_MS;
  const timeoutMs = timeout === undefined ? usualMs : (parseDuration(timeout) ?? 0);
  if (timeoutMs <= 0) return { wrong: '`--timeout` is a time such as `60s` or `5m`' };
  return {
    until: noWait ? 'asked' : wait ? 'settled' : 'looked',
    full: values.full === true,
    timeoutMs,
    socket: socketOf(values.socket, environment),
    json: values.json === true,
    colour: colour && values['no-colour'] !== true,
  };
}

import { parseDuration } from '../../schemas/common.ts';
import type { Id } from '../core/kind.ts';
import type { ApproveRequest, UnitRequest } from '../core/unit.ts';
import { HELP, parsedArguments } from './arguments.ts';

/** What these commands put on the head. */
export type AskRequest = UnitRequest | ApproveRequest;

/** What a person can ask for one unit, or of what is held. */
export type Verb = AskRequest['verb'];

/** How the answer is waited for. */
interface Waiting {
  readonly socket: string;
  /** Milliseconds; absent: nothing is waited for. */
  readonly waitMs?: number;
  readonly json: boolean;
}

/** What is wanted of one unit. */
export interface WantedOfUnit extends Waiting {
  readonly verb: UnitRequest['verb'];
  readonly unit: Id;
  /** As it was written: a release's place in the list, or the first characters of its commit or digest. */
  readonly to?: string;
}

/** What is held is to be released. */
export interface WantedApproval extends Waiting {
  readonly verb: 'approve';
  /** The first digits of it. */
  readonly digest: string;
}

/** What is wanted, and how the answer is waited for. */
export type Wanted = WantedOfUnit | WantedApproval;

/** Pure. What it is wanted of, as the person named it. */
export function subjectOf(wanted: Wanted): string {
  return wanted.verb === 'approve' ? wanted.digest : wanted.unit;
}

/** Where the engine listens unless somebody says otherwise. */
export const DEFAULT_SOCKET = '/var/run/docker.sock';
const DEFAULT_WAIT_MS = 60_000;

const common = `  --socket PATH     the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --no-wait         ask, and do not wait until an agent took it
  --timeout TIME    how long to wait; default 60s
  --json            one JSON object: unit or digest, verb, status (taken, asked, refused), why
  --help            this text

Needs no agent on this machine and no token: on a manager it asks through the engine's socket.
Exit codes: 0 taken (with --no-wait: asked), 1 refused, 2 wrong use, 6 no agent took it, or the Swarm cannot be reached.
`;

/** `understudy retry --help` and so on. */
export const askUsage: Readonly<Record<Verb, string>> = {
  retry: `Usage: understudy retry UNIT [OPTIONS]

Lets the agent try once more what the repository wants of a unit that failed. UNIT is stack/blog, or blog.

${common}`,
  approve: `Usage: understudy approve DIGEST [OPTIONS]

Releases operations that are held: removals above the limit, after a rewind, beside a stack that failed or with
\`removal: hold\`, and a stack that was there before and differs. DIGEST is what \`understudy get UNIT\` and the agent's
log (\`unit held\`) say: it names exactly these operations, and is good for nothing any more as soon as they change.

${common}`,
  rollback: `Usage: understudy rollback UNIT [--to RELEASE] [OPTIONS]

Takes a unit back to a healthy release. What the repository wants now is quarantined, so that it does not come back
by itself: another commit of that unit ends it, or understudy retry. UNIT is stack/blog, or blog.

  --to RELEASE      its place in the list (1 is the newest), or the first characters of its commit;
                    default: the last healthy one before what the repository wants now
${common}`,
  suspend: `Usage: understudy suspend UNIT [OPTIONS]

Lets nothing be called for a unit until understudy resume, whatever is under way or due: the calls that are made now are
the last ones. What differs is shown in the log. UNIT is stack/blog, or blog.

${common}`,
  resume: `Usage: understudy resume UNIT [OPTIONS]

Lets a unit go on where it stood when it was suspended. UNIT is stack/blog, or blog.

${common}`,
};

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. */
export function wantedOf(
  verb: Verb,
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Wanted | { readonly wrong: string } | 'help' {
  const parsed = parsedAsk(verb, args);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [name = '', second] = positionals;
  const one = verb === 'approve' ? 'digest' : 'unit';
  if (second !== undefined) return { wrong: `one ${one} only, not \`${second}\` as well` };
  const timeout = values.timeout;
  const timeoutMs = timeout === undefined ? DEFAULT_WAIT_MS : (parseDuration(timeout) ?? 0);
  if (timeoutMs <= 0) return { wrong: '`--timeout` is a time such as `60s` or `5m`' };
  const { to } = values;
  if (to !== undefined && !/^[\w.-]{1,64}$/.test(to)) {
    return { wrong: '`--to` is a place in the list, or the first characters of a commit' };
  }
  const waiting: Waiting = {
    socket: socketOf(values.socket, environment),
    ...(values['no-wait'] === true ? {} : { waitMs: timeoutMs }),
    json: values.json === true,
  };
  if (verb === 'approve') {
    return /^[0-9a-f]{8,64}$/.test(name)
      ? { verb, digest: name, ...waiting }
      : {
          wrong:
            'name what is held by its digest, 8 digits or more, as `understudy get` and the log say it',
        };
  }
  const unit = unitOf(name);
  if (unit === undefined) return { wrong: 'name the unit, as in `stack/blog`' };
  return { verb, unit, ...(to === undefined ? {} : { to }), ...waiting };
}

/** Pure. The engine's socket, as an option or the environment has it. */
export function socketOf(
  option: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  return option ?? (environment['UNDERSTUDY_DOCKER_SOCKET'] || DEFAULT_SOCKET);
}

/** Pure. A stack may be named without its kind. Undefined where it is no name. */
export function unitOf(name: string): Id | undefined {
  const [kind = '', ...rest] = name.split('/');
  if (kind === '') return undefined;
  if (rest.length === 0) return `stack/${kind}`;
  return rest.includes('') ? undefined : `${kind}/${rest.join('/')}`;
}

const OPTIONS = {
  to: { type: 'string' },
  socket: { type: 'string' },
  'no-wait': { type: 'boolean' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  ...HELP,
} as const;

function parsedAsk(verb: Verb, args: readonly string[]) {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return parsed;
  const misplaced = verb !== 'rollback' && parsed.values.to !== undefined;
  return misplaced ? '`--to` belongs to `understudy rollback`' : parsed;
}

import { StackName } from '../../schemas/common.ts';
import { HELP, parsedArguments } from './arguments.ts';
import { DEFAULT_SOCKET, socketOf, unitOf } from './ask-options.ts';

/** What is to be written back, and where. */
export interface AdoptWanted {
  /** `blog` */
  readonly stack: string;
  /** A repository's folder; absent: the Compose file is printed. */
  readonly into?: string;
  /** Files that exist are written over. */
  readonly force: boolean;
  readonly socket: string;
  readonly json: boolean;
  readonly colour: boolean;
}

/** `understudy adopt --help`. */
export const adoptUsage = `Usage: understudy adopt STACK [OPTIONS]

Writes a stack that runs, whoever deployed it, back as a Compose file and the contents of its configs, renders that file as an
agent would and compares it with the Swarm: what is left to do about it is shown, field by field. Nothing in the Swarm is
changed. STACK is blog, or stack/blog. Without --into the Compose file is printed, and all else goes to the error output.

  --into FOLDER     write stacks/STACK/compose.yaml and the contents of configs into this folder of a repository
  --force           write over files that exist
  --socket PATH     the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --json            one JSON object; docs/adopt.md has its keys
  --no-colour       plain text
  --help            this text

Values of environment variables and contents of configs are written as they are; secrets cannot be read, and stay where they are.
Needs no agent and no token: on a manager it reads through the engine's socket.
Exit codes: 0 written, and there is nothing to do about it, 1 something is left to do, there is no such stack, or a file
exists, 2 wrong use, 6 the Swarm cannot be reached.
`;

const OPTIONS = {
  into: { type: 'string' },
  force: { type: 'boolean' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  'no-colour': { type: 'boolean' },
  ...HELP,
} as const;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. `colour`: of the terminal. */
export function adoptWantedOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  colour: boolean,
): AdoptWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [name, second] = positionals;
  if (name === undefined) return { wrong: 'name the stack, as in `understudy adopt blog`' };
  if (second !== undefined) return { wrong: `one stack only, not \`${second}\` as well` };
  const stack = stackOf(name);
  if (stack === undefined) return { wrong: `\`${name}\` is not the name of a stack` };
  if (values.into === '') return { wrong: '`--into` is a folder' };
  if (values.force === true && values.into === undefined) {
    return { wrong: '`--force` belongs to `--into`' };
  }
  return {
    stack,
    ...(values.into !== undefined && { into: values.into }),
    force: values.force === true,
    socket: socketOf(values.socket, environment),
    json: values.json === true,
    colour: colour && values['no-colour'] !== true,
  };
}

function stackOf(written: string): string | undefined {
  const [kind, name] = (unitOf(written) ?? '').split(/\/(.*)/s);
  return kind === 'stack' && StackName.safeParse(name).success ? name : undefined;
}

import { parseArgs } from 'node:util';
import { mysqlShapes, shapeNamed, usualShape } from './mysql/shape.ts';
import type { StageOptions } from './plan.ts';

/** What `rehearse` was asked for. */
export interface Wanted {
  readonly stage: StageOptions;
  readonly down: boolean;
  readonly fresh: boolean;
  readonly agent: boolean;
  readonly once: boolean;
  readonly keepPackages: boolean;
  readonly help: boolean;
}

const NO_SERVERS = 'none';
/** Three managers as ever, and what a small operator has. */
const FULL = { workers: 3, mysql: 'group', router: true, ceph: true } as const;

/** Pure. What a new stage has where nothing is said: with agents one that shows everything. */
export function usualStage({ stage, agent }: Pick<Wanted, 'stage' | 'agent'>): StageOptions {
  return agent ? { mysql: usualShape, ...stage } : stage;
}

/** What `--help` prints. */
export const rehearseUsage = `Usage: ./rehearse [options]

Builds a small data centre on this machine - three Swarm managers and a worker as real engines, a Git server
over ssh, a registry - pushes repo-template as the first commit, and shows how the agents, one on each manager,
make it run: what all of them say, in one stream. Agents that run already are kept, those that are missing are
started. Ctrl-C leaves it up. Nothing is installed on the machine; --down removes every trace.

  --down             remove the stage and the unpacked packages
  --keep-packages    with --down: keep the unpacked packages for the next time
  --fresh            build anew even if the stage is up
  --no-agent         only the stage: no commit, no agents
  --once             do not stay: end with 0 when the newest commit is healthy, with 1 when it failed
  --name NAME        prefix of everything that is made (us)
  --subnet A.B.C.0/24   the stage's own network (10.213.77.0/24)
  --engine SUITE     the engine of another Debian suite, such as trixie (the machine's own)
  --mysql SHAPE      database servers: \`single\`, one MariaDB (the usual shape, none with --no-agent), \`group\`, three
                     MySQL as a group, \`galera\`, three MariaDB as a cluster, or \`none\`; what is pushed has a
                     database where there is a server. A stage that stands keeps those that it has
  --ceph             a cluster of Ceph: three monitors, three stores, a file system \`cephfs\`, and a key for the agents. A
                     stage that stands keeps its own
  --full             the whole topology: three workers, \`--mysql group\` with a MySQL Router before it, and \`--ceph\`
  --folder FOLDER    where the stage keeps its data (/var/lib/understudy-rehearsal/NAME)
  --packages FOLDER  where unpacked Debian packages are kept (.rehearsal/packages)
  --help             show this

Exit codes: 0 done, 1 failed, 2 wrong use.
`;

/** Pure. Reads the arguments of \`rehearse\`; a text says what is wrong with them. */
export function parseRehearse(args: readonly string[]): Wanted | string {
  try {
    const { values } = parseArgs({
      args: withShape(args),
      options: {
        down: { type: 'boolean', default: false },
        'keep-packages': { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        'no-agent': { type: 'boolean', default: false },
        once: { type: 'boolean', default: false },
        name: { type: 'string' },
        subnet: { type: 'string' },
        engine: { type: 'string' },
        mysql: { type: 'string' },
        ceph: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        folder: { type: 'string' },
        packages: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const clash = clashIn(values);
    if (clash !== undefined) return clash;
    const { name, subnet, engine, folder, packages } = values;
    const mysql = shapeNamed(values.mysql);
    if (values.mysql !== undefined && values.mysql !== NO_SERVERS && mysql === undefined)
      return `--mysql is one of ${[...mysqlShapes, NO_SERVERS].join(', ')}`;
    const stage = {
      ...(values.full ? FULL : {}),
      ...(name === undefined ? {} : { name }),
      ...(subnet === undefined ? {} : { subnet }),
      ...(engine === undefined ? {} : { engine }),
      ...(values.mysql === undefined ? {} : { mysql }),
      ...(values.ceph ? { ceph: true } : {}),
      ...(folder === undefined ? {} : { folder }),
      ...(packages === undefined ? {} : { packages }),
    };
    return {
      stage,
      down: values.down,
      fresh: values.fresh,
      agent: !values['no-agent'],
      once: values.once,
      keepPackages: values['keep-packages'],
      help: values.help,
    };
  } catch (cause) {
    return cause instanceof Error
      ? firstSentence(cause.message)
      : 'the arguments could not be read';
  }
}

/** Pure. The one line that wrong use is answered with. */
export function wrongUse(why: string): string {
  return `rehearse: ${why}; ./rehearse --help says more`;
}

/** `--mysql` may stand alone: it asks for the usual shape. */
function withShape(args: readonly string[]): string[] {
  return args.map((word, at) =>
    word === '--mysql' && (args[at + 1] ?? '-').startsWith('-') ? `--mysql=${usualShape}` : word,
  );
}

/** Options that say two things at once, as a sentence. */
function clashIn(values: Readonly<Record<string, unknown>>): string | undefined {
  if (values['help'] === true) return undefined;
  const given = (name: string): boolean => values[name] === true;
  if (given('keep-packages') && !given('down')) return '--keep-packages goes with --down only';
  const against = given('down') ? ['fresh', 'no-agent', 'once'] : ['no-agent'];
  const first = given('down') ? 'down' : 'once';
  const other = given(first) ? against.find(given) : undefined;
  return other === undefined ? undefined : `--${first} and --${other} do not go together`;
}

/** Node's message without its advice, which is about programs in general. */
function firstSentence(message: string): string {
  const first = message.split(/\.?\n|\. /)[0] ?? message;
  return first.charAt(0).toLowerCase() + first.slice(1);
}

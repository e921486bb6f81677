import { parseDuration } from '../../schemas/common.ts';
import { HELP, parsedOptions } from './arguments.ts';
import { SETTINGS_FILE } from '../settings-file.ts';
import { DEFAULT_SOCKET, socketOf } from './ask-options.ts';

/** What is to be looked at, and how it is said. */
export interface DoctorWanted {
  readonly socket: string;
  /** Milliseconds. */
  readonly stuckMs: number;
  readonly json: boolean;
  readonly swarm: boolean;
  /** The agent's settings file, where the servers in it are to be looked at. */
  readonly mysql?: string;
  /** The same, where the clusters are. */
  readonly ceph?: string;
}

const STUCK_MS = 5 * 60_000;

/** `understudy doctor --help`. */
export const doctorUsage = `Usage: understudy doctor [--swarm] [--mysql] [--ceph] [OPTIONS]

Looks for what brings a Swarm down some day: networks that nobody uses, subnets that overlap or are full, managers that
may not be lost any more, certificates, engines of different versions, tasks that do not get on. Worst first, each with
what to do about it. Needs no agent and no repository: on a manager it reads through the engine's socket. It writes
nothing, and carries no command out.

  --swarm             the Swarm; so it is without any such option
  --mysql             whether the agent may do on each server of its settings what it has to, and the GRANT for what it may
                      not; reads as the agent, writes nothing
  --ceph              whether each cluster of its settings is well, what the agent's key lacks there or has too much, and the
                      command that gives what it needs; reads as the agent, writes nothing
  --settings FILE     the agent's settings, for --mysql and --ceph; default ${SETTINGS_FILE}
  --stuck-after TIME  a task that does not get on for longer is stuck; default 5m
  --socket PATH       the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --json              one JSON object: swarm, counts (critical, warning, note), findings (severity, code, what, where,
                      why, advice, command)
  --help              this text

Exit codes: 0 nothing to do (notes at most), 1 something is critical or a warning, 2 wrong use, 6 the Swarm cannot be
reached, or has no leader, or the settings name no server or cluster.
`;

const OPTIONS = {
  swarm: { type: 'boolean' },
  mysql: { type: 'boolean' },
  ceph: { type: 'boolean' },
  settings: { type: 'string' },
  'stuck-after': { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  ...HELP,
} as const;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. */
export function doctorWantedOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): DoctorWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedOptions(args, OPTIONS);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { help, socket, json, swarm, mysql, ceph, settings, 'stuck-after': after } = parsed.values;
  if (help === true) return 'help';
  const stuckMs = after === undefined ? STUCK_MS : parseDuration(after);
  if (stuckMs === undefined || stuckMs <= 0) {
    return { wrong: '`--stuck-after` is a time such as `5m` or `90s`' };
  }
  const isBeside = mysql === true || ceph === true;
  if (settings !== undefined && !isBeside) {
    return { wrong: '`--settings` is for `--mysql` and `--ceph`' };
  }
  return {
    socket: socketOf(socket, environment),
    stuckMs,
    json: json === true,
    swarm: swarm === true || !isBeside,
    ...(mysql === true && { mysql: settings ?? SETTINGS_FILE }),
    ...(ceph === true && { ceph: settings ?? SETTINGS_FILE }),
  };
}

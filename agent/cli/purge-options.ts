import { parseDuration } from '../../schemas/common.ts';
import type { Id } from '../core/kind.ts';
import { SETTINGS_FILE } from '../settings-file.ts';
import { HELP, parsedArguments } from './arguments.ts';
import { DEFAULT_SOCKET, socketOf, unitOf } from './ask-options.ts';
import type { PurgeWhere } from './purge-ports.ts';

/** What is to go, and how it is asked for. */
export interface PurgeWanted {
  readonly id: Id;
  readonly where: PurgeWhere;
  /** Absent: asked for. */
  readonly user?: string;
  readonly passwordFile?: string;
  readonly keyring?: string;
  /** A folder with the repository. */
  readonly repository?: string;
  readonly environment?: string;
  /** What would be typed on a terminal. */
  readonly yes?: string;
  readonly dryRun: boolean;
  /** Of the deletion. Milliseconds. */
  readonly timeoutMs: number;
  readonly socket: string;
  readonly json: boolean;
}

const TIMEOUT_MS = 10 * 60_000;

/** `understudy purge --help`. */
export const purgeUsage = `Usage: understudy purge ID [OPTIONS]

Deletes what holds data, with all that is in it: what no agent does. ID is that of its document:

  mysql-database/blog
  ceph-pool/rbd, ceph-filesystem/cephfs, ceph-subvolume-group/cephfs/sites, ceph-subvolume/cephfs/sites/blog

You come with your own login, at the servers and clusters that the agent's settings name. It refuses while the document
is in the repository, while something uses it (a session or an account of the repository; a file system in a pool, what
is in a folder, its snapshots), and where understudy neither made it nor took it over. It shows what would go, and wants
the name typed.

  --user NAME         your account on the server, or your client of Ceph (client.admin); default: asked for
  --password-file FILE  its password; default: asked for, and not shown. There is no option and no variable for it
  --keyring FILE      the keyring of the client, for Ceph; default: asked for
  --server NAME       the server, as the agent's settings name it, where they name several and the ID none
  --cluster NAME      the same of a cluster of Ceph
  --settings FILE     the agent's settings; default ${SETTINGS_FILE}
  --dry-run           show what would go, and what speaks against it; write nothing
  --yes-delete NAME   its name, in place of typing it: blog of a database, cephfs/sites/blog of a subvolume
  --repository FOLDER look for the document in this folder, too; where no Swarm can be reached, in this folder alone
  --environment NAME  as whose agents write there, with --repository where no Swarm can be reached
  --timeout TIME      how long the deletion may take; default 10m
  --socket PATH       the engine's socket; default UNDERSTUDY_DOCKER_SOCKET, else ${DEFAULT_SOCKET}
  --json              one JSON object: id, what, status (gone, shown, refused, unknown), why, host, isThere, facts,
                      refusals, notes; needs --yes-delete or --dry-run
  --help              this text

Exit codes: 0 gone (with --dry-run: nothing speaks against it), 1 refused, failed, or not known whether it goes, 2 wrong
use, 3 the repository is invalid, 6 the Swarm, the server or the cluster cannot be reached.
`;

const OPTIONS = {
  user: { type: 'string' },
  'password-file': { type: 'string' },
  keyring: { type: 'string' },
  server: { type: 'string' },
  cluster: { type: 'string' },
  settings: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'yes-delete': { type: 'string' },
  repository: { type: 'string' },
  environment: { type: 'string' },
  timeout: { type: 'string' },
  socket: { type: 'string' },
  json: { type: 'boolean' },
  ...HELP,
} as const;

/** Pure. What the arguments ask for, `help`, or what is wrong with them in one sentence. */
export function purgeWantedOf(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PurgeWanted | { readonly wrong: string } | 'help' {
  const parsed = parsedArguments(args, OPTIONS);
  if (typeof parsed === 'string') return { wrong: parsed };
  const { values, positionals } = parsed;
  if (values.help === true) return 'help';
  const [name = '', second] = positionals;
  if (second !== undefined) return { wrong: `one only, not \`${second}\` as well` };
  const id = name.includes('/') ? unitOf(name) : undefined;
  if (id === undefined) return { wrong: 'name it by its id, as in `mysql-database/blog`' };
  const { user, keyring, repository, timeout } = values;
  const { 'password-file': passwordFile, 'yes-delete': yes } = values;
  if (user === '') return { wrong: '`--user` is the name of an account' };
  const timeoutMs = timeout === undefined ? TIMEOUT_MS : (parseDuration(timeout) ?? 0);
  if (timeoutMs <= 0) return { wrong: '`--timeout` is a time such as `10m` or `90s`' };
  const dryRun = values['dry-run'] === true;
  if (dryRun && yes !== undefined)
    return { wrong: '`--dry-run` deletes nothing: leave out `--yes-delete`' };
  const json = values.json === true;
  // What would go is not shown then, so nobody can be asked.
  if (json && !dryRun && yes === undefined)
    return { wrong: '`--json` shows nothing before it asks: give `--yes-delete` or `--dry-run`' };
  return {
    id,
    where: whereOf(values),
    ...(user !== undefined && { user }),
    ...(passwordFile !== undefined && { passwordFile }),
    ...(keyring !== undefined && { keyring }),
    ...(repository !== undefined && { repository }),
    ...(values.environment !== undefined && { environment: values.environment }),
    ...(yes !== undefined && { yes }),
    dryRun,
    timeoutMs,
    socket: socketOf(values.socket, environment),
    json,
  };
}

function whereOf({
  settings,
  server,
  cluster,
}: {
  readonly settings?: string | undefined;
  readonly server?: string | undefined;
  readonly cluster?: string | undefined;
}): PurgeWhere {
  return {
    settings: settings ?? SETTINGS_FILE,
    ...(server !== undefined && { server }),
    ...(cluster !== undefined && { cluster }),
  };
}

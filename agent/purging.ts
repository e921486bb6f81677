import type { Output } from './cli/printer.ts';
import type { PurgeIo, PurgeKind } from './cli/purge-ports.ts';
import { systemClock } from './clock.ts';
import { Secret } from './core/secret.ts';
import { namedBy } from './providers/mysql/named.ts';
import { databaseTarget } from './providers/mysql/purge/database.ts';
import { openSwarm } from './providers/stack/client.ts';
import { readServerSettings } from './server-settings.ts';
import { sightOn } from './sight.ts';
import { readPassword } from './small-file.ts';
import { terminalOn, type TerminalStreams } from './terminal.ts';

/** Databases of the servers that the agent's settings name. */
const databases: PurgeKind = {
  find: async (id, { settings, server: chosen }) => {
    const named = namedBy(id);
    if (named === undefined) return { status: 'wrong', why: `\`${id}\` names no database` };
    const { name, server: written } = named;
    if (written !== undefined && chosen !== undefined && written !== chosen) {
      const why = `\`${id}\` is on server \`${written}\`, and \`--server\` names \`${chosen}\``;
      return { status: 'wrong', why };
    }
    const read = await readServerSettings(settings);
    if (read.status !== 'ok') return read;
    const [only = '', ...others] = Object.keys(read.mysql);
    const names = [only, ...others].join(', ');
    const server = written ?? chosen ?? (others.length === 0 ? only : undefined);
    if (server === undefined) {
      const why = `the agent's settings have several servers: name one with \`--server\`: ${names}`;
      return { status: 'wrong', why };
    }
    const one = Object.hasOwn(read.mysql, server) ? read.mysql[server] : undefined;
    return one === undefined
      ? { status: 'wrong', why: `the agent's settings have no server \`${server}\`: ${names}` }
      : { status: 'found', target: databaseTarget({ name, server }, one, systemClock) };
  },
};

/** What `understudy purge` takes from this machine. `terminal`: absent where nobody can be asked. */
export function purgeIo(
  output: Output,
  environment: Readonly<Record<string, string | undefined>>,
  terminal: TerminalStreams | undefined,
): PurgeIo {
  return {
    ...output,
    clock: systemClock,
    environment,
    ...(terminal && { terminal: terminalOn(terminal) }),
    kinds: new Map([['mysql-database', databases]]),
    openSight: (socket) => sightOn(openSwarm({ socket }, systemClock)),
    readPassword: async (path) => {
      const read = await readPassword(path);
      return read.text === undefined ? read : new Secret(read.text);
    },
  };
}

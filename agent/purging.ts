import { childProcesses } from './child-processes.ts';
import type { Output } from './cli/printer.ts';
import type { PurgeFound, PurgeIo, PurgeKind, PurgeWhere } from './cli/purge-ports.ts';
import { systemClock } from './clock.ts';
import type { Id } from './core/kind.ts';
import { Secret } from './core/secret.ts';
import { cephTarget } from './providers/ceph/purge/target.ts';
import { purgeables, purgeThingBy } from './providers/ceph/purge/thing.ts';
import { namedBy } from './providers/mysql/named.ts';
import { databaseTarget } from './providers/mysql/purge/database.ts';
import { openSwarm } from './providers/stack/client.ts';
import { readClusterSettings, readServerSettings } from './server-settings.ts';
import { sightOn } from './sight.ts';
import { readPassword } from './small-file.ts';
import { terminalOn, type TerminalStreams } from './terminal.ts';

/** Databases of the servers that the agent's settings name. */
const databases: PurgeKind = {
  find: async (id, { settings, server, cluster }) => {
    const named = namedBy(id);
    if (named === undefined) return wrong(`\`${id}\` names no database`);
    if (cluster !== undefined)
      return wrong(`\`--cluster\` is for Ceph, and \`${id}\` is none of it`);
    const read = await readServerSettings(settings);
    if (read.status !== 'ok') return read;
    const place = oneOf(read.mysql, { id, word: 'server', written: named.server, chosen: server });
    if ('why' in place) return wrong(place.why);
    const target = databaseTarget({ name: named.name, server: place.name }, place.one, systemClock);
    return { status: 'found', target };
  },
};

/** What holds data in the clusters that the agent's settings name. */
const storage: PurgeKind = {
  find: async (id, { settings, server, cluster }) => {
    const named = purgeThingBy(id);
    if (named === undefined) return wrong(namelessWhy(id));
    if (server !== undefined) return wrong(`\`--server\` is for databases, and \`${id}\` is none`);
    const read = await readClusterSettings(settings);
    if (read.status !== 'ok') return read;
    const place = oneOf(read.ceph, {
      id,
      word: 'cluster',
      written: named.cluster,
      chosen: cluster,
    });
    if ('why' in place) return wrong(place.why);
    const { what, names } = named;
    const ports = { clock: systemClock, processes: childProcesses };
    const target = cephTarget({ what, names, cluster: place.name }, place.one, ports);
    return { status: 'found', target };
  },
};

function namelessWhy(id: Id): string {
  return `\`${id}\` names nothing: a subvolume is \`ceph-subvolume/FILESYSTEM/GROUP/NAME\`, a group \`ceph-subvolume-group/FILESYSTEM/NAME\``;
}

interface Choice {
  readonly id: Id;
  readonly word: 'server' | 'cluster';
  /** In the id. */
  readonly written: string | undefined;
  /** By an option. */
  readonly chosen: PurgeWhere['server'];
}

/** Pure. The one of the settings that is meant, or why nobody can tell. */
function oneOf<One>(
  all: Readonly<Record<string, One>>,
  { id, word, written, chosen }: Choice,
): { readonly name: string; readonly one: One } | { readonly why: string } {
  if (written !== undefined && chosen !== undefined && written !== chosen) {
    return { why: `\`${id}\` is on ${word} \`${written}\`, and \`--${word}\` names \`${chosen}\`` };
  }
  const [only = '', ...others] = Object.keys(all);
  const names = [only, ...others].join(', ');
  const name = written ?? chosen ?? (others.length === 0 ? only : undefined);
  if (name === undefined) {
    return {
      why: `the agent's settings have several ${word}s: name one with \`--${word}\`: ${names}`,
    };
  }
  const one = Object.hasOwn(all, name) ? all[name] : undefined;
  if (one !== undefined) return { name, one };
  return { why: `the agent's settings have no ${word} \`${name}\`: ${names}` };
}

function wrong(why: string): PurgeFound {
  return { status: 'wrong', why };
}

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
    kinds: new Map([
      ['mysql-database', databases],
      ...purgeables.map((what) => [what, storage] as const),
    ]),
    openSight: (socket) => sightOn(openSwarm({ socket }, systemClock)),
    readPassword: async (path) => {
      const read = await readPassword(path);
      return read.text === undefined ? read : new Secret(read.text);
    },
  };
}

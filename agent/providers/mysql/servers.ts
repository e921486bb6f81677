import type { MysqlServerSettings } from '../../../schemas/settings.ts';
import type { CallOutcome } from '../../core/kind.ts';
import type { Guard } from '../../reconcile/lease-ports.ts';
import type { Clock } from '../../reconcile/ports.ts';
import type { NotOk } from './answers.ts';
import type { ServerSight, StatementsCall } from './observed.ts';
import { OneServer } from './one-server.ts';

/** The servers of the agent's settings. */
export interface Servers {
  /**
   * Looks at these, all at once; writes nothing. Each has a sight, also one that the settings do not name. Rejects with the signal's
   * reason and for nothing else.
   */
  observe(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, ServerSight>>;
  /**
   * Carries statements out on the host of the last look; gives that host. `out-of-sequence`: another session wrote before, look again
   * first. `held-back`: this agent may not write. `unknown`: one of them may be carried out still. Rejects with the signal's reason
   * if that was aborted before.
   */
  call(call: StatementsCall, signal: AbortSignal): Promise<CallOutcome<{ readonly id: string }>>;
  /** Nothing is sent from then on. */
  close(): void;
}

export interface ServersPorts {
  readonly clock: Clock;
  readonly guard: Guard;
  /** The time in which this agent leads; asked while the guard lets it. */
  readonly term: () => number;
  /** This process, by a name that no other one has. */
  readonly holder: string;
  /**
   * Who writes, where several environments or Swarms share a server: the same for all agents of one. What another one noted is
   * left alone. Absent: nobody else writes there. At most 255 characters.
   */
  readonly owner?: string;
}

/** By their names in the settings. Connects when there is something to look at. */
export function openServers(
  settings: Readonly<Record<string, MysqlServerSettings>>,
  ports: ServersPorts,
): Servers {
  const all: ReadonlyMap<string, OneServer> = new Map(
    Object.entries(settings).map(([name, one]) => [name, new OneServer(one, ports)]),
  );
  const [only, ...others] = all.keys();
  return {
    observe: async (names, signal) => {
      signal.throwIfAborted();
      const sights = [...new Set(names)].map(
        async (name): Promise<readonly [string, ServerSight]> => [
          name,
          (await all.get(name)?.look(signal)) ?? { status: 'unusable', why: unnamed(name) },
        ],
      );
      return new Map(await Promise.all(sights));
    },
    call: async ({ server, statements }, signal) => {
      signal.throwIfAborted();
      const name = server ?? (others.length === 0 ? only : undefined);
      if (name === undefined) return refused('it is not said on which server');
      return (await all.get(name)?.carryOut(statements, signal)) ?? refused(unnamed(name));
    },
    close: () => {
      for (const one of all.values()) one.close();
    },
  };
}

function unnamed(name: string): string {
  return `the agent's settings name no server \`${name}\``;
}

function refused(why: string): NotOk {
  return { status: 'refused', why, retry: 'never' };
}

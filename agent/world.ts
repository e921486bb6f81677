import { randomBytes } from 'node:crypto';

import type { Settings } from '../schemas/settings.ts';
import { mysqlKind } from './providers/mysql/kind.ts';
import type { Servers, ServersPorts } from './providers/mysql/servers.ts';
import { stackKind, stackProvider } from './providers/stack/provider.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import type { Guard, Leadership } from './reconcile/lease-ports.ts';
import type { Clock, HeadFormat } from './reconcile/ports.ts';
import { unitKind } from './unit-kind.ts';
import { unitProvider } from './unit-provider.ts';

const HOLDER_BYTES = 16;
const random = (bytes: number): Uint8Array => randomBytes(bytes);

/** Nothing that a document says of a server finds one: the settings name none. */
const noServers: Servers = {
  observe: async () => Promise.resolve(new Map()),
  call: async () =>
    Promise.resolve({
      status: 'refused',
      why: "the agent's settings name no server",
      retry: 'never',
    }),
  close: () => undefined,
};

/** What a world is made of beside the settings. */
export interface WorldParts {
  readonly swarm: Swarm;
  readonly head: HeadFormat;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly lease: Pick<Leadership, 'reign'>;
}

/**
 * All kinds of units and where they live: the Swarm, and the servers of the settings. What speaks to servers is loaded only where
 * there are any.
 */
export async function openWorld(
  { mysql, environment }: Pick<Settings, 'mysql' | 'environment'>,
  { swarm, head, clock, guard, lease }: WorldParts,
) {
  const servers = await opened(mysql, {
    clock,
    guard,
    // Before the first reign the guard lets nothing through.
    term: () => lease.reign()?.term ?? 0,
    holder: randomBytes(HOLDER_BYTES).toString('hex'),
    // The same after the Swarm was made anew.
    owner: environment,
  });
  return {
    kind: unitKind(stackKind, mysqlKind(random)),
    provider: unitProvider(stackProvider(swarm, head), {
      servers,
      names: Object.keys(mysql ?? {}),
      random,
    }),
    close: () => servers.close(),
  };
}

async function opened(mysql: Settings['mysql'], ports: ServersPorts): Promise<Servers> {
  if (mysql === undefined) return noServers;
  const { openServers } = await import('./providers/mysql/servers.ts');
  return openServers(mysql, ports);
}

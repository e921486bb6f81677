import { randomBytes } from 'node:crypto';

import type { Settings } from '../schemas/settings.ts';
import { kindsWith } from './kinds.ts';
import type { Clusters, ClustersPorts } from './providers/ceph/clusters.ts';
import type { Servers, ServersPorts } from './providers/mysql/servers.ts';
import { stackProvider } from './providers/stack/provider.ts';
import type { Swarm } from './providers/stack/swarm.ts';
import type { Guard, Leadership } from './reconcile/lease-ports.ts';
import type { Clock, HeadFormat } from './reconcile/ports.ts';
import { noClusters, noServers } from './nowhere.ts';
import { unitKind } from './unit-kind.ts';
import { unitProvider } from './unit-provider.ts';

const HOLDER_BYTES = 16;
const random = (bytes: number): Uint8Array => randomBytes(bytes);

/** What a world is made of beside the settings. */
export interface WorldParts {
  readonly swarm: Swarm;
  readonly head: HeadFormat;
  readonly clock: Clock;
  readonly guard: Guard;
  readonly lease: Pick<Leadership, 'reign'>;
  /** Is told that there is something to see that the pass before did not. */
  readonly changed: () => void;
}

/**
 * All kinds of units and where they live: the Swarm, and the servers and clusters of the settings. What speaks to those is loaded
 * only where there are any.
 */
export async function openWorld(
  { mysql, ceph, environment: owner }: Pick<Settings, 'mysql' | 'ceph' | 'environment'>,
  { swarm, head, clock, guard, lease, changed }: WorldParts,
) {
  const servers = await serversOf(mysql, {
    clock,
    guard,
    // Before the first reign the guard lets nothing through.
    term: () => lease.reign()?.term ?? 0,
    holder: randomBytes(HOLDER_BYTES).toString('hex'),
    // The same after the Swarm was made anew.
    owner,
  });
  const clusters = await clustersOf(ceph, { clock, guard, owner, seenLate: changed });
  const names = Object.keys(mysql ?? {});
  return {
    kind: unitKind(kindsWith(random)),
    provider: unitProvider(stackProvider(swarm, head), { servers, names, clusters, owner, random }),
    /** What is remembered of what was read is read anew. */
    forget: () => clusters.forget(),
    close: () => {
      servers.close();
      clusters.close();
    },
  };
}

async function serversOf(mysql: Settings['mysql'], ports: ServersPorts): Promise<Servers> {
  if (mysql === undefined) return noServers;
  const { openServers } = await import('./providers/mysql/servers.ts');
  return openServers(mysql, ports);
}

async function clustersOf(
  ceph: Settings['ceph'],
  ports: Pick<ClustersPorts, 'clock' | 'guard' | 'owner' | 'seenLate'>,
): Promise<Clusters> {
  if (ceph === undefined) return noClusters;
  const [{ openClusters }, { childProcesses: processes }] = await Promise.all([
    import('./providers/ceph/clusters.ts'),
    import('./child-processes.ts'),
  ]);
  return openClusters(ceph, { ...ports, processes });
}

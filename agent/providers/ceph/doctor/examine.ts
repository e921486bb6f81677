import type { CephClusterSettings } from '../../../../schemas/settings.ts';
import type { Finding } from '../../../core/finding.ts';
import type { Clock } from '../../../reconcile/ports.ts';
import { KnownDetails } from '../details.ts';
import { type Ceph, openCeph } from '../driver.ts';
import type { ClusterSeen } from '../observed.ts';
import type { Processes } from '../ports.ts';
import { mayPoolsGo } from '../pool-deletion.ts';
import { readCluster } from '../read-cluster.ts';
import { judgeCluster } from './cluster-findings.ts';
import { anywayCommand, capsCommand, createCommand, judgeKey } from './own-caps.ts';

/** What one who looks for trouble has. */
export interface ExaminePorts {
  readonly clock: Clock;
  readonly processes: Processes;
  /** The environment of the settings: as whom the agent signs there. */
  readonly owner: string;
}

/** What is wrong with each cluster of the settings, as the agent sees it. Reads, and writes nothing. Rejects with the signal's reason. */
export async function examineClusters(
  clusters: Readonly<Record<string, CephClusterSettings>>,
  ports: ExaminePorts,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const found = await Promise.all(
    Object.entries(clusters).map(async ([name, one]) => await examine(name, one, ports, signal)),
  );
  signal.throwIfAborted();
  return found.flat();
}

async function examine(
  name: string,
  { clientPattern: pattern, ...way }: CephClusterSettings,
  { clock, processes, owner }: ExaminePorts,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const where = `cluster ${name}`;
  const { client } = way;
  const ceph = openCeph(way, { clock, processes });
  try {
    const details = new KnownDetails(() => clock.nowMs());
    // Its own caps are told with those of all.
    const wanted = { clients: new Set([client]), places: [] };
    const sight = await readCluster({ ceph, clock, details }, wanted, signal);
    if (sight.status !== 'seen') return [unreached(where, sight.why, { client, pattern })];
    const { seen } = sight;
    const caps = seen.clients?.get(client)?.caps;
    const own =
      caps === undefined
        ? [untold(where, seen, { client, pattern })]
        : judgeKey({ where, client, pattern, caps });
    const open = await deletionFinding(where, ceph, signal);
    return [...own, ...judgeCluster(where, seen, owner), ...open];
  } finally {
    ceph.close();
  }
}

interface Key {
  readonly client: string;
  readonly pattern: string;
}

function unreached(where: string, why: string, key: Key): Finding {
  return {
    severity: 'warning',
    code: 'ceph-unreached',
    where,
    what: 'the agent cannot read it, so nothing is known of it',
    why,
    advice:
      "look at `ceph` in the agent's settings, at the cluster and the way to it, and at what its key may do",
    command: anywayCommand(key),
  };
}

function untold(where: string, { clientsUnread }: ClusterSeen, key: Key): Finding {
  // It reached the cluster as one that is there; where all were told without it, it went since.
  const isGone = clientsUnread === undefined;
  return {
    severity: 'note',
    code: 'ceph-rights-unknown',
    where,
    what: "what the agent's key may do is not told to it",
    why: clientsUnread?.why ?? 'it is not among the clients of the cluster',
    advice: isGone
      ? 'make it anew, and put its key into the keyring'
      : 'without `auth ls` documents of clients are held; all else works',
    command: isGone ? createCommand(key) : capsCommand(key),
  };
}

/** Ceph's own guard of pools. Who may not ask is not told. */
async function deletionFinding(
  where: string,
  ceph: Ceph,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  if ((await mayPoolsGo(ceph, signal)) !== true) return [];
  return [
    {
      severity: 'warning',
      code: 'ceph-pool-deletion-open',
      where,
      what: 'monitors let pools be deleted (`mon_allow_pool_delete`)',
      why: 'nobody needs that but in the moment in which a pool is to go',
      advice: 'close it',
      command: 'ceph config set mon mon_allow_pool_delete false',
    },
  ];
}

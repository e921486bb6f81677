import { join } from 'node:path';

/** Where the cluster of a stage lives. */
export interface CephPlace {
  readonly address: string;
  /** Its network namespace, as under /run/netns. */
  readonly namespace: string;
  readonly folder: string;
}

/** Pure. `network`: the first three numbers of the stage's addresses. */
export function cephPlaceOf({
  name,
  network,
  folder,
}: {
  readonly name: string;
  readonly network: string;
  readonly folder: string;
}): CephPlace {
  const namespace = `${name}-ceph`;
  return { address: `${network}.41`, namespace, folder: join(folder, 'ceph.d') };
}

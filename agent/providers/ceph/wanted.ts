import type { Id } from '../../core/kind.ts';
import { entityOf, namedBy } from './named.ts';
import { NO_GROUP, type Place, type Wanted } from './observed.ts';

/**
 * Pure. What of a cluster is looked at for these units, in the repository or just left. What an id says is enough. The default
 * cluster is in no id: those units are looked at on each.
 */
export function wantedOf(ids: readonly Id[], cluster: string): Wanted {
  const places: Place[] = [];
  const clients = new Set<string>();
  for (const id of ids) {
    const named = namedBy(id);
    if (named === undefined || (named.cluster ?? cluster) !== cluster) continue;
    const [filesystem = '', group = NO_GROUP, subvolume = ''] = named.names;
    if (named.what === 'ceph-client') clients.add(entityOf(named));
    if (named.what === 'ceph-subvolume-group') places.push({ filesystem, group });
    if (named.what === 'ceph-subvolume') places.push({ filesystem, group, subvolume });
  }
  return { clients, places };
}

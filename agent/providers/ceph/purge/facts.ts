import { sizeWords } from '../../../core/bytes.ts';
import type { PurgeFact } from '../../../core/purge.ts';
import type { ClusterSeen, PoolUsage } from '../observed.ts';
import type { PurgeThing } from './thing.ts';

/** Pure. What is known of it, for people and programs. */
export function factsOf({ what, names }: PurgeThing, seen: ClusterSeen): readonly PurgeFact[] {
  const [first = '', second = '', third = ''] = names;
  const sight = seen.volumes.get(first);
  const group = sight?.status === 'seen' ? sight.groups.get(second) : undefined;
  switch (what) {
    case 'ceph-pool': {
      const pool = seen.pools.get(first);
      if (pool === undefined) return [];
      const applications = [...pool.applications.keys()].join(', ');
      const use = {
        key: 'applications',
        value: applications,
        label: 'used for',
        words: applications,
      };
      return [...contentOf(pool.usage), ...(applications === '' ? [] : [use])];
    }
    case 'ceph-filesystem': {
      const system = seen.filesystems.get(first);
      if (system === undefined) return [];
      const pools = [...new Set([system.metadataPool, ...system.dataPools])];
      return pools.flatMap((pool) => contentOf(seen.pools.get(pool)?.usage, pool));
    }
    case 'ceph-subvolume-group':
      return group?.details === undefined ? [] : [bytes(group.details.usedBytes)];
    case 'ceph-subvolume': {
      const one = group?.subvolumes?.get(third);
      if (one?.state !== 'complete') return [];
      return [
        bytes(one.usedBytes),
        { key: 'path', value: one.path, label: 'path', words: one.path },
      ];
    }
  }
}

function contentOf(usage: PoolUsage | undefined, pool?: string): readonly PurgeFact[] {
  if (usage === undefined) return [];
  const [ofKey, ofLabel] = pool === undefined ? ['', ''] : [` ${pool}`, ` of ${pool}`];
  const { objects } = usage;
  const count = {
    key: `objects${ofKey}`,
    value: objects,
    label: `objects${ofLabel}`,
    words: String(objects),
  };
  return [bytes(usage.storedBytes, ofKey, ofLabel), count];
}

function bytes(value: number, ofKey = '', ofLabel = ''): PurgeFact {
  return { key: `bytes${ofKey}`, value, label: `size${ofLabel}`, words: sizeWords(value) };
}

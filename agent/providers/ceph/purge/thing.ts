import type { Id } from '../../../core/kind.ts';
import { namedBy, type NamedUnit } from '../named.ts';

/** What holds data, and what only a person deletes therefore. */
export const purgeables = [
  'ceph-pool',
  'ceph-filesystem',
  'ceph-subvolume-group',
  'ceph-subvolume',
] as const;
export type Purgeable = (typeof purgeables)[number];

/** One of it. A subvolume has the names of its file system and group first. */
export interface PurgeThing {
  readonly what: Purgeable;
  readonly names: readonly string[];
}

/** The same with where it is, as the agent's settings name the cluster. */
export interface PurgePlace extends PurgeThing {
  readonly cluster: string;
}

/** Pure. Undefined: the id names nothing of the kind. */
export function purgeThingBy(id: Id): (PurgeThing & Pick<NamedUnit, 'cluster'>) | undefined {
  const named = namedBy(id);
  const what = purgeables.find((one) => one === named?.what);
  return named === undefined || what === undefined ? undefined : { ...named, what };
}
